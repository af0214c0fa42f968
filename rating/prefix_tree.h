/// Longest-prefix search over the prefixes of all rate decks together.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "rating/prefix.h"

namespace tollgate::rating {

/// An immutable tree of decimal prefixes. Any thread may search it.
///
/// The first five digits are one step: a table of 100,000 entries. From there on a block of ten entries
/// stands for one more digit. An entry is another block or the longest prefix known there ("leaf-pushed"), so
/// one descent of the dialled digits ends at the answer, mostly after one to three loads.
class PrefixTree {
  public:
    /// A place among the prefixes the tree was built from; their count where nothing matches.
    using Place = std::uint32_t;

    /// A tree of no prefixes.
    PrefixTree() : PrefixTree(std::span<const Prefix>{}) {}

    /// Requires: sorted, unique, none the fallback, fewer than 2^31 of them.
    explicit PrefixTree(std::span<const Prefix> prefixes);

    /// The longest prefix of `digits`, which holds nothing but 0 to 9.
    [[nodiscard]] Place longest(std::string_view digits) const noexcept;

    // For the caches: each reads what the one before has fetched. Any digits, none too.
    void fetch(std::string_view digits) const noexcept;
    void fetch_longer(std::string_view digits) const noexcept;

    [[nodiscard]] Place none() const noexcept { return none_; }
    [[nodiscard]] std::size_t bytes() const noexcept;

  private:
    static constexpr std::size_t kFirstDigits = 5;
    static constexpr std::size_t kFirstEntries = 100'000;
    using Entry = std::uint32_t;
    using Block = std::array<Entry, 10>;
    struct Builder;

    /// Of the first five digits. Requires: there are so many.
    [[nodiscard]] static std::size_t first_value(std::string_view digits) noexcept {
        std::size_t value = 0;
        for (std::size_t i = 0; i < kFirstDigits; ++i)
            value = value * 10 + static_cast<std::size_t>(digits[i] - '0');
        return value;
    }
    [[nodiscard]] Place longest_of_short(std::string_view digits) const noexcept;

    std::vector<Entry> first_;
    std::vector<Block> blocks_;
    // What a number matches that ends before it has chosen an entry: seldom asked for, so it stands apart.
    std::vector<Place> block_ends_;
    std::vector<Place> short_ends_;  ///< By length, then by value: 0 to 4 digits.
    Place none_ = 0;
};

}  // namespace tollgate::rating
