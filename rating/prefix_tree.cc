#include "rating/prefix_tree.h"

#include <cassert>

namespace tollgate::rating {
namespace {

// An entry is a place, or with this bit a block.
constexpr std::uint32_t kBlockBit = 0x8000'0000;

/// Where the numbers of each length up to four digits begin among the short ends: after those of all shorter
/// ones.
constexpr std::array<std::size_t, 6> kShortBegin = {0, 1, 11, 111, 1'111, 11'111};

}  // namespace

struct PrefixTree::Builder {
    PrefixTree& tree;
    std::span<const Prefix> prefixes;
    std::size_t next = 0;  // The first prefix that has not been placed.

    /// Whether the next prefix lies below `digits` or is it.
    [[nodiscard]] bool is_next_below(Prefix digits) const noexcept {
        return next < prefixes.size() && digits.begins(prefixes[next]);
    }
    /// The place of `digits` if it is the next prefix, else what was inherited.
    Place take(Prefix digits, Place inherited) noexcept {
        if (next == prefixes.size() || prefixes[next] != digits) return inherited;
        return static_cast<Place>(next++);
    }

    /// Everything below `digits`, which has fewer than five.
    void fill_first(Prefix digits, std::size_t value, Place inherited) {
        const Place here = take(digits, inherited);
        if (digits.size() == kFirstDigits) {
            tree.first_[value] = is_next_below(digits) ? block(digits, here) : here;
            return;
        }
        tree.short_ends_[kShortBegin[digits.size()] + value] = here;
        if (!is_next_below(digits)) return fill_all(digits.size(), value, here);
        for (unsigned digit = 0; digit < 10; ++digit)
            fill_first(digits.child(digit), value * 10 + digit, here);
    }
    /// Nothing lies below: all of it matches the same.
    void fill_all(std::size_t size, std::size_t value, Place here) {
        std::size_t count = 1;
        for (std::size_t length = size + 1; length <= kFirstDigits; ++length) {
            value *= 10;
            count *= 10;
            auto* const at =
                length == kFirstDigits ? &tree.first_[value] : &tree.short_ends_[kShortBegin[length] + value];
            std::fill_n(at, count, here);
        }
    }
    /// The block of what lies below `digits`, whose own place is `here`.
    Entry block(Prefix digits, Place here) {
        const auto number = static_cast<std::uint32_t>(tree.blocks_.size());
        assert(number < kBlockBit);
        tree.blocks_.emplace_back();
        tree.block_ends_.push_back(here);
        for (unsigned digit = 0; digit < 10; ++digit) {
            const Prefix longer = digits.child(digit);
            const Place place = take(longer, here);
            const Entry entry =
                longer.size() < kPrefixDigitsMax && is_next_below(longer) ? block(longer, place) : place;
            tree.blocks_[number][digit] = entry;  // Only now: the recursion grows the vector.
        }
        return number | kBlockBit;
    }
};

PrefixTree::PrefixTree(std::span<const Prefix> prefixes)
    : first_(kFirstEntries),
      short_ends_(kShortBegin[kFirstDigits]),
      none_(static_cast<Place>(prefixes.size())) {
    assert(prefixes.size() < kBlockBit);
    Builder{*this, prefixes}.fill_first(Prefix{}, 0, none_);
    blocks_.shrink_to_fit();
    block_ends_.shrink_to_fit();
}

PrefixTree::Place PrefixTree::longest_of_short(std::string_view digits) const noexcept {
    std::size_t value = 0;
    for (const char digit : digits)
        value = value * 10 + static_cast<std::size_t>(digit - '0');
    return short_ends_[kShortBegin[digits.size()] + value];
}

PrefixTree::Place PrefixTree::longest(std::string_view digits) const noexcept {
    if (digits.size() < kFirstDigits) return longest_of_short(digits);
    Entry entry = first_[first_value(digits)];
    for (std::size_t i = kFirstDigits; (entry & kBlockBit) != 0; ++i) {
        const std::size_t block = entry & ~kBlockBit;
        if (i == digits.size()) return block_ends_[block];
        entry = blocks_[block][static_cast<std::size_t>(digits[i] - '0')];
    }
    return entry;
}

void PrefixTree::fetch(std::string_view digits) const noexcept {
    if (digits.size() >= kFirstDigits) __builtin_prefetch(&first_[first_value(digits)]);
}

void PrefixTree::fetch_longer(std::string_view digits) const noexcept {
    if (digits.size() <= kFirstDigits) return;
    const Entry entry = first_[first_value(digits)];
    if ((entry & kBlockBit) == 0) return;
    __builtin_prefetch(&blocks_[entry & ~kBlockBit][static_cast<std::size_t>(digits[kFirstDigits] - '0')]);
}

std::size_t PrefixTree::bytes() const noexcept {
    return first_.capacity() * sizeof(Entry) + blocks_.capacity() * sizeof(Block) +
           (block_ends_.capacity() + short_ends_.capacity()) * sizeof(Place);
}

}  // namespace tollgate::rating
