/// Longest-prefix search over the prefixes of one rate deck.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace tollgate::rating {

/// The longest prefix a deck may hold.
inline constexpr std::size_t kPrefixDigitsMax = 15;

/// An immutable tree of decimal prefixes. Any thread may search it while no thread builds it.
///
/// A block of ten entries stands for one more digit; an entry is another block or the longest prefix that is
/// known there ("leaf-pushed"), so one descent of the dialled digits ends at the answer. Each prefix knows
/// the next shorter one, for callers who find the longest one out of effect.
class PrefixTree {
  public:
    /// An index into the list the tree was built from; kNone where nothing matches.
    using Index = std::uint32_t;
    static constexpr Index kNone = UINT32_MAX;

    PrefixTree() = default;

    /// Builds the tree over `prefixes`, which must be sorted, unique, and 1 to 15 digits each. `fallback` is
    /// what every number matches that matches nothing else, or kNone.
    PrefixTree(std::span<const std::string_view> prefixes, Index fallback);

    /// The longest prefix of `digits`, which holds nothing but 0 to 9.
    [[nodiscard]] Index longest(std::string_view digits) const noexcept;

    /// The next shorter prefix of prefix `index`: the fallback after the last one, then kNone.
    [[nodiscard]] Index shorter(Index index) const noexcept { return shorter_[index]; }

    [[nodiscard]] std::size_t bytes() const noexcept;

  private:
    using Entry = std::uint32_t;
    struct Block {
        std::array<Entry, 10> next;
        Entry here;  ///< What a number that ends at this block matches.
    };
    struct Builder;

    std::vector<Block> blocks_;
    std::vector<Index> shorter_;
    Index fallback_ = kNone;
};

}  // namespace tollgate::rating
