/// What looks wrong with a deck that is not faulty.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "rating/tariff_version.h"

namespace tollgate::daemon::admin {

/// How many warnings of a kind are listed; all are counted.
inline constexpr std::size_t kWarningsListedMax = 100;

enum class WarningKind : std::uint8_t {
    tenfold,             ///< At least ten times the price in force for the same numbers, or at most a tenth.
    mobile_below_fixed,  ///< A mobile prefix is cheaper than the fixed one above it.
    shadowed,            ///< All ten prefixes one digit longer are in effect: it never rates a full number.
    below_level_above,   ///< Sold below what the level above pays for it.
};
inline constexpr std::size_t kWarningKinds = 4;
inline constexpr std::array<std::string_view, kWarningKinds> kWarningWords = {
    "tenfold", "mobile_below_fixed", "shadowed", "below_level_above"};

struct Warning {
    WarningKind kind = WarningKind::tenfold;
    rating::Deck::RowIndex row = rating::Deck::kNoRow;  ///< Of the deck that is checked.
    rating::Price price;                                ///< Its price a minute with markup, as the other.
    /// What the row was held against, of which version; nullptr: nothing, or the deck itself.
    const rating::TariffVersion* other = nullptr;
    rating::Prefix other_prefix = {};
    rating::Price other_price = {};
};

struct DeckWarnings {
    std::array<std::size_t, kWarningKinds> counts{};  ///< By kind: all there are.
    std::vector<Warning> list;                        ///< Of each kind the first, by prefix.
};

/// Checks a deck as it would rate at `now`: a prefix counts if a row of its own is in effect then. `version`
/// is the tariff as it would be, with the deck and the settings in force; `in_force` as it is, with or
/// without a deck; `above` are the tariffs in force of the levels above those who have this one, in its
/// currency. All outlive the result.
[[nodiscard]] DeckWarnings check_deck(const rating::TariffVersion& version,
                                      const rating::TariffVersion& in_force,
                                      std::span<const rating::TariffVersion* const> above,
                                      rating::Instant now);

}  // namespace tollgate::daemon::admin
