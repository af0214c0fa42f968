/// Lengths of time as a call and a switch name them.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

#include "rating/decimal.h"

namespace tollgate::rating {

/// The longest duration that is accepted anywhere: thirty-one years, far beyond any call and far below
/// overflow.
inline constexpr std::chrono::seconds kDurationMax{1'000'000'000};

/// Seconds with up to 3 places: `61`, `61.2`. nullopt: no number, negative, or above kDurationMax.
[[nodiscard]] inline std::optional<std::chrono::milliseconds> parse_duration(std::string_view text) noexcept {
    const auto count = parse_decimal(text, 3);
    if (!count || *count < 0 || text.front() == '-') return std::nullopt;
    const std::chrono::milliseconds duration{*count};
    if (duration > kDurationMax) return std::nullopt;
    return duration;
}

/// Rating knows whole seconds only; a second begun counts.
[[nodiscard]] constexpr std::chrono::seconds whole_seconds(std::chrono::milliseconds duration) noexcept {
    return std::chrono::ceil<std::chrono::seconds>(duration);
}

}  // namespace tollgate::rating
