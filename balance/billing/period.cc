#include "balance/billing/period.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <utility>

namespace tollgate::balance {
namespace {

using std::chrono::days;
using std::chrono::months;
using std::chrono::seconds;
using std::chrono::year_month_day;

constexpr std::array<std::pair<BillingPeriod, std::string_view>, 6> kNames = {{
    {BillingPeriod::daily, "daily"},
    {BillingPeriod::weekly, "weekly"},
    {BillingPeriod::semimonthly, "semimonthly"},
    {BillingPeriod::monthly, "monthly"},
    {BillingPeriod::anniversary, "anniversary"},
    {BillingPeriod::thirty_days, "thirty_days"},
}};

/// Every month has it.
constexpr std::chrono::day kLastCommonDay{28};
constexpr std::chrono::day kSecondHalf{16};
constexpr days kThirtyDays{30};

}  // namespace

std::string_view text_of(BillingPeriod period) noexcept {
    return std::find_if(kNames.begin(), kNames.end(),
                        [period](const auto& name) { return name.first == period; })
        ->second;
}

std::optional<BillingPeriod> parse_billing_period(std::string_view text) noexcept {
    const auto* const found =
        std::find_if(kNames.begin(), kNames.end(), [text](const auto& name) { return name.second == text; });
    if (found == kNames.end()) return std::nullopt;
    return found->first;
}

BillingCalendar::BillingCalendar(BillingPeriod period, const rating::TimeZone& zone, Instant since,
                                 std::chrono::weekday week_begins) noexcept
    : period_(period), zone_(zone), since_(since), week_begins_(week_begins), began_(day_of(since)) {}

BillingCalendar::Day BillingCalendar::day_of(Instant moment) const noexcept {
    const auto second = std::chrono::floor<seconds>(moment).time_since_epoch();
    const auto local = second + seconds{zone_.at(second.count()).offset};
    return Day{std::chrono::floor<days>(local)};
}

Instant BillingCalendar::midnight(Day day) const noexcept {
    const auto local = std::chrono::duration_cast<seconds>(day.time_since_epoch());
    return Instant{seconds{zone_.first_second(local.count())}};
}

BillingCalendar::Day BillingCalendar::begin_of(Day day) const noexcept {
    const year_month_day date{day};
    switch (period_) {
        case BillingPeriod::daily:
            return day;
        case BillingPeriod::weekly:
            return day - (std::chrono::weekday{day} - week_begins_);
        case BillingPeriod::semimonthly:
            return Day{date.year() / date.month() /
                       (date.day() < kSecondHalf ? std::chrono::day{1} : kSecondHalf)};
        case BillingPeriod::monthly:
            return Day{date.year() / date.month() / 1};
        case BillingPeriod::anniversary: {
            const auto begins = std::min(year_month_day{began_}.day(), kLastCommonDay);
            const auto month = date.year() / date.month();
            return Day{(date.day() < begins ? month - months{1} : month) / begins};
        }
        case BillingPeriod::thirty_days:
            return day - (day - began_) % kThirtyDays;
    }
    std::abort();  // Not an enumerator: memory is corrupt.
}

BillingCalendar::Day BillingCalendar::next_of(Day begin) const noexcept {
    const year_month_day date{begin};
    switch (period_) {
        case BillingPeriod::daily:
            return begin + days{1};
        case BillingPeriod::weekly:
            return begin + days{7};
        case BillingPeriod::semimonthly:
            if (date.day() < kSecondHalf) return Day{date.year() / date.month() / kSecondHalf};
            return Day{(date.year() / date.month() + months{1}) / 1};
        case BillingPeriod::monthly:
        case BillingPeriod::anniversary:
            return Day{date + months{1}};
        case BillingPeriod::thirty_days:
            return begin + kThirtyDays;
    }
    std::abort();  // Not an enumerator: memory is corrupt.
}

Period BillingCalendar::at(Instant moment) const noexcept {
    moment = std::max(moment, since_);
    Day begin = begin_of(day_of(moment));
    // Where clocks were put back over midnight, they show the day before once more.
    while (midnight(next_of(begin)) <= moment)
        begin = next_of(begin);
    return {std::max(midnight(begin), since_), midnight(next_of(begin))};
}

}  // namespace tollgate::balance
