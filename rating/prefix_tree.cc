#include "rating/prefix_tree.h"

#include <cassert>

namespace tollgate::rating {
namespace {

// An entry is a prefix's index, or with this bit a block's. kNone has the bit too and is told apart by its
// value.
constexpr std::uint32_t kBlockBit = 0x8000'0000;

constexpr bool is_block(std::uint32_t entry) noexcept {
    return (entry & kBlockBit) != 0 && entry != PrefixTree::kNone;
}

}  // namespace

struct PrefixTree::Builder {
    PrefixTree& tree;
    std::span<const std::string_view> prefixes;

    /// Builds the block of the digit at `depth` for prefixes [first, last), all longer than `depth` and alike
    /// before it. `inherited` is the longest prefix above.
    Entry block(std::size_t first, std::size_t last, std::size_t depth, Index inherited) {
        const auto number = static_cast<std::uint32_t>(tree.blocks_.size());
        tree.blocks_.emplace_back();
        tree.blocks_[number].here = inherited;
        for (std::size_t digit = 0; digit < 10; ++digit) {
            std::size_t end = first;
            while (end < last && prefixes[end][depth] == static_cast<char>('0' + digit))
                ++end;
            Index best = inherited;
            if (end > first && prefixes[first].size() == depth + 1) {
                best = static_cast<Index>(first);
                tree.shorter_[best] = inherited;
                ++first;
            }
            // Not through a reference: the recursion grows the vector.
            const Entry entry = end > first ? block(first, end, depth + 1, best) : best;
            tree.blocks_[number].next[digit] = entry;
            first = end;
        }
        return number | kBlockBit;
    }
};

PrefixTree::PrefixTree(std::span<const std::string_view> prefixes, Index fallback)
    : shorter_(prefixes.size() + 1, kNone), fallback_(fallback) {
    assert(prefixes.size() < kBlockBit);
    Builder{*this, prefixes}.block(0, prefixes.size(), 0, fallback);
    blocks_.shrink_to_fit();
}

PrefixTree::Index PrefixTree::longest(std::string_view digits) const noexcept {
    if (blocks_.empty()) return fallback_;
    const Block* block = blocks_.data();
    for (const char digit : digits) {
        const Entry entry = block->next[static_cast<std::size_t>(digit - '0')];
        if (!is_block(entry)) return entry;
        block = &blocks_[entry & ~kBlockBit];
    }
    return block->here;
}

std::size_t PrefixTree::bytes() const noexcept {
    return blocks_.capacity() * sizeof(Block) + shorter_.capacity() * sizeof(Index);
}

}  // namespace tollgate::rating
