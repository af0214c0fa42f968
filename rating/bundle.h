/// A call that begins on bundled seconds: which part of it is paid for, and as what.
///
/// While bundled seconds last nothing is charged, no fee either. When they run out inside a call, the rest is
/// rated as a call that begins there: its connect fee, its first step, its tiers counted from there, the row
/// of the prefix that holds at that second with its fees and bounds. But grace counts from the call's
/// beginning, so the rest has none, and included seconds have run meanwhile: they are not given twice.
#pragma once

#include <chrono>
#include <cstdint>

#include "rating/tariff_version.h"

namespace tollgate::rating {

/// A call as one tariff rates it: the row it began with, in the version that was in force then.
struct RatedCall {
    const TariffVersion* version = nullptr;
    const Rate* rate = nullptr;  ///< That of the row.
    Deck::RowIndex row = Deck::kNoRow;
    Instant start{};
    std::uint32_t bundled = 0;  ///< So many seconds from its beginning are bundled: at most kDurationMax.
};

/// What is paid for, from the end of the bundled seconds on; all of it for a call without any.
struct PaidPart {
    const Rate* rate;       ///< Of the row that holds at its beginning: fees and bounds are this one's.
    Deck::RowIndex row;     ///< That row.
    std::int64_t begins;    ///< Seconds since the epoch, where rows change with the time of day; else 0.
    std::int64_t included;  ///< Included seconds that are left, counted from its beginning.
};
[[nodiscard]] PaidPart paid_part(const RatedCall& call) noexcept;

/// How many bundled seconds a call of that length uses up, of those it has: whole seconds, never increments;
/// none within grace.
[[nodiscard]] constexpr std::chrono::seconds bundled_seconds(const Rate& rate, std::uint32_t bundled,
                                                             std::chrono::seconds duration) noexcept {
    if (duration.count() <= rate.grace_seconds) return std::chrono::seconds{0};
    return duration.count() < bundled ? duration : std::chrono::seconds{bundled};
}

inline PaidPart paid_part(const RatedCall& call) noexcept {
    PaidPart part{call.rate, call.row, 0, call.rate->included_seconds};
    if (call.rate->may_change) {  // Nothing else goes by the time of day.
        const auto began = std::chrono::floor<std::chrono::seconds>(call.start).time_since_epoch().count();
        part.begins = std::int64_t{began} + call.bundled;
    }
    if (call.bundled == 0) return part;
    if (call.rate->may_change) {
        std::int64_t until = 0;
        part.row = call.version->deck->at(call.row, call.start, part.begins, call.version->calendar, until);
        part.rate = &call.version->deck->rate(part.row);
    }
    const std::int64_t left = std::int64_t{part.rate->included_seconds} - call.bundled;
    part.included = left > 0 ? left : 0;
    return part;
}

}  // namespace tollgate::rating
