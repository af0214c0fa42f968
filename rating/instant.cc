#include "rating/instant.h"

#include <cstdint>

namespace tollgate::rating {
namespace {

using std::chrono::days;
using std::chrono::nanoseconds;

constexpr std::int64_t kNanosPerSecond = 1'000'000'000;
// The whole seconds that fit into an Instant together with any fraction.
constexpr std::int64_t kSecondsMax = Instant::max().time_since_epoch().count() / kNanosPerSecond - 1;

Instant from_parts(std::int64_t whole, std::int64_t nanos) noexcept {
    if (whole > kSecondsMax) return kNever;
    if (whole < -kSecondsMax) return kAlways;
    return Instant{nanoseconds{whole * kNanosPerSecond + nanos}};
}

/// Takes exactly `count` digits off the front of `text`; -1 where they are not there.
int take_digits(std::string_view& text, int count) noexcept {
    if (text.size() < static_cast<std::size_t>(count)) return -1;
    int value = 0;
    for (int i = 0; i < count; ++i) {
        const char c = text[static_cast<std::size_t>(i)];
        if (c < '0' || c > '9') return -1;
        value = value * 10 + (c - '0');
    }
    text.remove_prefix(static_cast<std::size_t>(count));
    return value;
}

bool take(std::string_view& text, char wanted) noexcept {
    if (text.empty() || text.front() != wanted) return false;
    text.remove_prefix(1);
    return true;
}

/// The fraction after a point, up to 9 digits, in nanoseconds; -1 where it is not one.
std::int64_t take_fraction(std::string_view& text) noexcept {
    std::int64_t nanos = 0;
    int count = 0;
    while (!text.empty() && text.front() >= '0' && text.front() <= '9') {
        if (++count > 9) return -1;
        nanos = nanos * 10 + (text.front() - '0');
        text.remove_prefix(1);
    }
    if (count == 0) return -1;
    for (; count < 9; ++count)
        nanos *= 10;
    return nanos;
}

std::optional<Instant> parse_rfc3339(std::string_view text) noexcept {
    const int year = take_digits(text, 4);
    if (year < 1 || !take(text, '-')) return std::nullopt;
    const int month = take_digits(text, 2);
    if (month < 1 || !take(text, '-')) return std::nullopt;
    const int day = take_digits(text, 2);
    if (day < 1 || !(take(text, 'T') || take(text, 't'))) return std::nullopt;
    const int hour = take_digits(text, 2);
    if (hour < 0 || hour > 23 || !take(text, ':')) return std::nullopt;
    const int minute = take_digits(text, 2);
    if (minute < 0 || minute > 59 || !take(text, ':')) return std::nullopt;
    const int second = take_digits(text, 2);
    if (second < 0 || second > 59) return std::nullopt;
    std::int64_t nanos = 0;
    if (take(text, '.') && (nanos = take_fraction(text)) < 0) return std::nullopt;
    std::int64_t offset_seconds = 0;
    if (!take(text, 'Z') && !take(text, 'z')) {
        const bool west = take(text, '-');
        if (!west && !take(text, '+')) return std::nullopt;
        const int offset_hours = take_digits(text, 2);
        if (offset_hours < 0 || offset_hours > 23 || !take(text, ':')) return std::nullopt;
        const int offset_minutes = take_digits(text, 2);
        if (offset_minutes < 0 || offset_minutes > 59) return std::nullopt;
        offset_seconds = (west ? -1 : 1) * (offset_hours * 3600 + offset_minutes * 60);
    }
    const std::chrono::year_month_day date{std::chrono::year{year},
                                           std::chrono::month{static_cast<unsigned>(month)},
                                           std::chrono::day{static_cast<unsigned>(day)}};
    if (!text.empty() || !date.ok()) return std::nullopt;
    const std::int64_t day_count = std::chrono::sys_days{date}.time_since_epoch().count();
    return from_parts(day_count * 86'400 + hour * 3600 + minute * 60 + second - offset_seconds, nanos);
}

void append_padded(ShortText& text, unsigned value, int width) noexcept {
    for (int i = width - 1; i >= 0; --i) {
        unsigned scale = 1;
        for (int j = 0; j < i; ++j)
            scale *= 10;
        text.push_back(static_cast<char>('0' + value / scale % 10));
    }
}

}  // namespace

std::optional<Instant> parse_instant(std::string_view text) noexcept {
    if (text.size() > 4 && text[4] == '-') return parse_rfc3339(text);
    const std::size_t point = text.find('.');
    const auto whole = parse_unsigned(text.substr(0, point), 253'402'300'799);  // The end of the year 9999.
    if (!whole) return std::nullopt;
    std::int64_t nanos = 0;
    if (point != std::string_view::npos) {
        std::string_view rest = text.substr(point + 1);
        nanos = take_fraction(rest);
        if (nanos < 0 || !rest.empty()) return std::nullopt;
    }
    return from_parts(static_cast<std::int64_t>(*whole), nanos);
}

ShortText format(Instant instant) noexcept {
    const auto day = std::chrono::floor<days>(instant);
    const std::chrono::year_month_day date{day};
    const std::int64_t nanos_of_day = (instant - day).count();
    const auto second_of_day = static_cast<unsigned>(nanos_of_day / kNanosPerSecond);
    const std::int64_t nanos = nanos_of_day % kNanosPerSecond;
    ShortText text;
    append_padded(text, static_cast<unsigned>(int{date.year()}), 4);
    text.push_back('-');
    append_padded(text, unsigned{date.month()}, 2);
    text.push_back('-');
    append_padded(text, unsigned{date.day()}, 2);
    text.push_back('T');
    append_padded(text, second_of_day / 3600, 2);
    text.push_back(':');
    append_padded(text, second_of_day / 60 % 60, 2);
    text.push_back(':');
    append_padded(text, second_of_day % 60, 2);
    if (nanos != 0) text.append(format_decimal(nanos, 9).view().substr(1));
    text.push_back('Z');
    return text;
}

}  // namespace tollgate::rating
