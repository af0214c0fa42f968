/// The money side of one row of a rate deck. docs/money.md has the rules in words; rating/charge.h applies
/// them.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <vector>

#include "rating/duration.h"
#include "rating/money.h"
#include "rating/tariff.h"

namespace tollgate::rating {

/// The longest increment, grace or included time a deck may name, in seconds.
inline constexpr std::uint32_t kStepMax = kDurationMax.count();

/// How many tiers a row may have.
inline constexpr std::size_t kTiersMax = 32;

/// From a second of the call on, another price in other steps.
struct Tier {
    std::uint32_t from = 0;       ///< Seconds since the answer.
    std::uint32_t increment = 1;  ///< At least 1.
    Price price;                  ///< Per minute, before markup.

    friend bool operator==(const Tier&, const Tier&) = default;
};

/// Seconds are whole seconds. What every call needs comes first, and lies in one cache line.
struct alignas(32) Rate {
    Price price;                          ///< Per minute, before markup.
    Price connect_fee;                    ///< Once, for a call that is billed at all.
    std::uint32_t initial_increment = 1;  ///< 0: none.
    std::uint32_t increment = 1;          ///< At least 1.
    std::uint32_t grace_seconds = 0;      ///< A call no longer than this is free, fees included.
    bool blocked = false;                 ///< This prefix may not be called.
    /// Another row of the prefix may take over while a call lasts: some of them have windows. The deck's
    /// business, as the next; whatever reads a row leaves both alone.
    bool may_change = false;
    bool plain = false;  ///< is_plain(), known beforehand.

    std::uint32_t included_seconds = 0;  ///< Rated time begins after these.
    std::uint32_t disconnect_after = 0;  ///< The disconnect fee applies from this duration on.
    Price disconnect_fee;
    Price min_charge;
    std::optional<Price> max_charge;
    std::vector<Tier> tiers;  ///< In ascending order of `from`.

    friend bool operator==(const Rate&, const Rate&) = default;
};

/// Whether it has nothing but price, connect fee, increments and grace.
[[nodiscard]] inline bool is_plain(const Rate& rate) noexcept {
    return !rate.may_change && rate.included_seconds == 0 && rate.disconnect_fee == Price{} &&
           rate.min_charge == Price{} && !rate.max_charge && rate.tiers.empty();
}

/// The shortest call that pays for a whole first step and the fees: grace and included seconds are over.
[[nodiscard]] constexpr std::chrono::seconds first_billed_second(const Rate& rate) noexcept {
    return std::chrono::seconds{std::int64_t{rate.grace_seconds > rate.included_seconds
                                                 ? rate.grace_seconds
                                                 : rate.included_seconds} +
                                1};
}

/// The price per minute with the tariff's markup, cut to whole nano-units: for display, never for a charge.
[[nodiscard]] Price price_with_markup(Price price, const TariffSettings& settings) noexcept;

}  // namespace tollgate::rating
