/// What a call costs by one row of a rate deck, and how long a given sum lasts.
///
/// Pure functions over plain values; any thread may call them at any time. docs/money.md has the rules in
/// words.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>

#include "rating/duration.h"
#include "rating/money.h"
#include "rating/tariff.h"

namespace tollgate::rating {

/// The longest increment, grace or included time a deck may name, in seconds.
inline constexpr std::uint32_t kStepMax = kDurationMax.count();

/// The money side of a row of a deck. Seconds are whole seconds.
struct Rate {
    Price price;        ///< Per minute, before markup.
    Price connect_fee;  ///< Once, for a call that is billed at all.
    Price disconnect_fee;
    Price min_charge;
    std::optional<Price> max_charge;
    std::uint32_t initial_increment = 1;  ///< 0: none.
    std::uint32_t increment = 1;          ///< At least 1.
    std::uint32_t grace_seconds = 0;      ///< A call no longer than this is free, fees included.
    std::uint32_t included_seconds = 0;   ///< Rated time begins after these.
    std::uint32_t disconnect_after = 0;   ///< The disconnect fee applies from this duration on.
    bool blocked = false;                 ///< This prefix may not be called.

    friend bool operator==(const Rate&, const Rate&) = default;
};

/// The cost of `duration`: exact over the whole call, rounded once to the tariff's decimals.
///
/// Requires: 0 <= duration <= kDurationMax. Never negative, never falls as `duration` grows.
/// A cost above kAmountMax is answered as kCostTooLarge, which no account can pay.
[[nodiscard]] Money cost(const Rate& rate, const TariffSettings& settings,
                         std::chrono::seconds duration) noexcept;

inline constexpr Money kCostTooLarge = Money::from_micros(INT64_MAX);

/// The seconds that are paid for after increments: without grace and included seconds.
[[nodiscard]] std::chrono::seconds billed_seconds(const Rate& rate, IncrementAnchor anchor,
                                                  std::chrono::seconds duration) noexcept;

/// Where the longest affordable time has no end.
inline constexpr std::chrono::seconds kUnlimited = std::chrono::seconds::max();

/// The largest whole number of seconds whose cost is at most `funds`, counting grace, included seconds and
/// the rest of the last paid step: cost(longest) <= funds < cost(longest + 1). kUnlimited where no duration
/// up to kDurationMax costs more than `funds`; 0 where not even one second is affordable. Takes the same time
/// for a second and for a day.
[[nodiscard]] std::chrono::seconds longest_affordable(const Rate& rate, const TariffSettings& settings,
                                                      Money funds) noexcept;

/// The shortest call that pays for a whole first step and the fees: grace and included seconds are over.
[[nodiscard]] constexpr std::chrono::seconds first_billed_second(const Rate& rate) noexcept {
    return std::chrono::seconds{std::int64_t{rate.grace_seconds > rate.included_seconds
                                                 ? rate.grace_seconds
                                                 : rate.included_seconds} +
                                1};
}

/// The price per minute with the tariff's markup, cut to whole nano-units: for display, never for a charge.
[[nodiscard]] Price price_with_markup(const Rate& rate, const TariffSettings& settings) noexcept;

/// Whether no duration costs anything: price, fees and minimum charge are 0.
[[nodiscard]] constexpr bool is_free(const Rate& rate, const TariffSettings& settings) noexcept {
    if (rate.max_charge == Price{}) return true;
    return (rate.price == Price{} || settings.markup == kMarkupMin) && rate.connect_fee == Price{} &&
           rate.disconnect_fee == Price{} && rate.min_charge == Price{};
}

}  // namespace tollgate::rating
