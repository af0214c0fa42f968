/// What is different between two rate decks.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "rating/deck.h"

namespace tollgate::daemon::admin {

/// What became of a row.
enum class RowChange : std::uint8_t {
    fresh,    ///< It was not there before; `new` on the wire.
    gone,     ///< It is not there any more.
    dearer,   ///< By its price per minute, before markup; so is the next.
    cheaper,  ///< And so is its opposite.
    changed,  ///< At the same price something else is different.
};
inline constexpr std::size_t kRowChanges = 5;
inline constexpr std::array<std::string_view, kRowChanges> kRowChangeWords = {"new", "gone", "dearer",
                                                                              "cheaper", "changed"};

/// A row before and after; kNoRow where there is none.
struct RowPair {
    rating::Deck::RowIndex before = rating::Deck::kNoRow;
    rating::Deck::RowIndex after = rating::Deck::kNoRow;
};

struct DeckDiff {
    std::array<std::size_t, kRowChanges> counts{};        ///< By RowChange: all there are.
    std::array<std::vector<RowPair>, kRowChanges> lists;  ///< The first of them, by prefix.
    std::size_t same = 0;                                 ///< Rows that nothing became of.
};

/// Rows of a prefix are the same row where window, weight and effective_from are; where only effective_from
/// is another, and there is one such row on each side, they are so too. Of each kind at most `listed_max` are
/// listed.
[[nodiscard]] DeckDiff compare(const rating::Deck& before, const rating::Deck& after, std::size_t listed_max);

/// The columns of a deck in which two rows are different.
[[nodiscard]] std::vector<std::string_view> different_columns(const rating::Row& before,
                                                              const rating::Row& after);

/// By how much a price has risen, exactly, rounded to 2 places, halves away from zero: `12.50`, `-0.01`.
/// Requires: `before` is not 0.
[[nodiscard]] std::string percent_of_change(rating::Price before, rating::Price after);

}  // namespace tollgate::daemon::admin
