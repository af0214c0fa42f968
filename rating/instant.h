/// Moments in time. The domain never asks a clock: whoever calls says what time it is.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

#include "rating/decimal.h"

namespace tollgate::rating {

/// A moment, in nanoseconds since the epoch, UTC.
using Instant = std::chrono::sys_time<std::chrono::nanoseconds>;

/// Before and after every moment: where a rate has no beginning or no end.
inline constexpr Instant kAlways = Instant::min();
inline constexpr Instant kNever = Instant::max();

/// RFC 3339 (`2026-03-02T00:00:00Z`, `2026-03-02T01:00:00.5+01:00`) or Unix seconds (`1772409600`, up to 9
/// places). Years 0001 to 9999; what lies before 1678 or after 2261 becomes kAlways or kNever. nullopt:
/// neither form.
[[nodiscard]] std::optional<Instant> parse_instant(std::string_view text) noexcept;

/// RFC 3339 in UTC, with as many decimals as needed: `2026-03-02T00:00:00Z`.
[[nodiscard]] ShortText format(Instant instant) noexcept;

}  // namespace tollgate::rating
