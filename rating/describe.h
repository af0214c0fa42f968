/// How a cost comes about, in words that an operator can follow with a pencil.
#pragma once

#include <chrono>
#include <string>

#include "rating/charge.h"

namespace tollgate::rating {

/// How many kinds of steps are told one by one.
inline constexpr std::size_t kStretchesShown = 20;

/// One line: prefix, row and window, then step by step what cost() adds up, fees, bounds and rounding. Such
/// as `prefix 4930 (Berlin), window peak; 1 step of 60 s at 0.1 a minute = 0.1; 7 steps of 6 s from 60 s on
/// at 0.05 a minute = 0.035; connect fee 0.02; sum 0.155; rounded up to 2 places: 0.16`.
[[nodiscard]] std::string describe(const RatedCall& call, std::chrono::seconds duration);

}  // namespace tollgate::rating
