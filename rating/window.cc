#include "rating/window.h"

#include <algorithm>
#include <array>
#include <utility>

namespace tollgate::rating {

LocalTime local_time(std::int64_t second) noexcept {
    std::int64_t day = second / kDaySeconds;
    auto clock = static_cast<std::int32_t>(second % kDaySeconds);
    if (clock < 0) {
        clock += kDaySeconds;
        --day;
    }
    // The civil calendar from a count of days: years begin in March, so that the leap day is a year's last,
    // and 400 of them, an era, are always 146,097 days.
    constexpr std::int64_t kEraDays = 146'097;
    constexpr std::int64_t kEpochDay = 719'468;  // 1970-01-01, counted from 0000-03-01.
    const std::int64_t shifted = day + kEpochDay;
    const std::int64_t era = (shifted >= 0 ? shifted : shifted - kEraDays + 1) / kEraDays;
    const auto of_era = static_cast<std::uint32_t>(shifted - era * kEraDays);
    const std::uint32_t year = (of_era - of_era / 1'460 + of_era / 36'524 - of_era / 146'096) / 365;
    const std::uint32_t of_year = of_era - (365 * year + year / 4 - year / 100);
    const std::uint32_t from_march = (5 * of_year + 2) / 153;  // Five months have 153 days, from March on.
    const std::uint32_t month_day = of_year - (153 * from_march + 2) / 5;
    const std::uint32_t month = from_march < 10 ? from_march + 2 : from_march - 10;
    const std::int64_t weekday = ((day + 3) % 7 + 7) % 7;  // The epoch was a Thursday.
    return {static_cast<std::uint8_t>(weekday), static_cast<std::uint8_t>(month),
            static_cast<std::uint8_t>(month_day), clock};
}

bool contains(const Window& window, const LocalTime& time) noexcept {
    return std::any_of(window.ranges.begin(), window.ranges.end(), [&time](const ClockRange& range) {
        return range.from <= time.clock && time.clock < range.until &&
               ((range.days >> time.weekday) & 1U) != 0 && ((range.months >> time.month) & 1U) != 0 &&
               ((range.month_days >> time.month_day) & 1U) != 0;
    });
}

std::int32_t next_border(const Window& window, std::int32_t clock) noexcept {
    std::int32_t border = kDaySeconds;
    for (const ClockRange& range : window.ranges) {
        if (range.from > clock) border = std::min(border, range.from);
        if (range.until > clock) border = std::min(border, range.until);
    }
    return border;
}

bool overlap(const Window& a, const Window& b) noexcept {
    // In 400 years every date falls on every day of the week, so only a month's length can keep two apart.
    constexpr std::array<std::uint8_t, 12> kMonthDays = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    const auto dates_overlap = [&](const ClockRange& x, const ClockRange& y) {
        const std::uint32_t days = x.month_days & y.month_days;
        for (std::size_t month = 0; month < kMonthDays.size(); ++month) {
            const bool both = ((x.months & y.months) >> month & 1) != 0;
            if (both && (days & ((std::uint64_t{1} << kMonthDays[month]) - 1)) != 0) return true;
        }
        return false;
    };
    for (const ClockRange& x : a.ranges) {
        for (const ClockRange& y : b.ranges) {
            if (std::max(x.from, y.from) < std::min(x.until, y.until) && (x.days & y.days) != 0 &&
                dates_overlap(x, y)) {
                return true;
            }
        }
    }
    return false;
}

Calendar::Calendar(std::shared_ptr<const TimeZone> zone, std::vector<Window> windows)
    : zone_(std::move(zone)), windows_(std::move(windows)) {}

}  // namespace tollgate::rating
