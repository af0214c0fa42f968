/// Values as tests write them. A text that is none throws std::bad_optional_access.
#pragma once

#include <chrono>
#include <cstdint>
#include <string_view>

#include "rating/instant.h"
#include "rating/money.h"
#include "rating/rate.h"
#include "rating/time_zone.h"

namespace tollgate::tests {

inline rating::Money money(std::string_view text) {
    return rating::parse_money(text).value();
}
constexpr rating::Money micros(std::int64_t count) {
    return rating::Money::from_micros(count);
}
inline rating::Price price(std::string_view text) {
    return rating::parse_price(text).value();
}
inline rating::Instant at(std::string_view text) {
    return rating::parse_instant(text).value();
}
/// Without fees: `per_minute`, by `initial` seconds and then `increment`.
inline rating::Rate stepped_rate(std::string_view per_minute, std::uint32_t initial,
                                 std::uint32_t increment) {
    rating::Rate rate;
    rate.price = price(per_minute);
    rate.initial_increment = initial;
    rate.increment = increment;
    return rate;
}
/// Half-open summer time, as in New York of 2024: -5 h, -4 h from 10 March 07:00Z to 3 November 06:00Z.
inline rating::TimeZone new_york() {
    constexpr std::int64_t kHour = 3'600;
    const auto second = [](std::string_view text) {
        return std::chrono::floor<std::chrono::seconds>(at(text)).time_since_epoch().count();
    };
    return {-5 * kHour,
            {{second("2024-03-10T07:00:00Z"), -4 * kHour}, {second("2024-11-03T06:00:00Z"), -5 * kHour}}};
}

}  // namespace tollgate::tests
