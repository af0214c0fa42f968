#include "tests/rating/reference/tariff_text.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <iterator>
#include <vector>

namespace tollgate::reference {
namespace {

constexpr std::array<std::string_view, 7> kDayNames = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};

/// A whole number of 10^-places, without zeros at the end.
std::string decimal(Exact value, unsigned places) {
    const bool negative = value < 0;
    if (negative) value = -value;
    std::string reversed;
    for (unsigned place = 0; place < places; ++place, value /= 10) {
        const char digit = static_cast<char>('0' + static_cast<int>(value % 10));
        if (digit != '0' || !reversed.empty()) reversed += digit;
    }
    if (!reversed.empty()) reversed += '.';
    do {
        reversed += static_cast<char>('0' + static_cast<int>(value % 10));
        value /= 10;
    } while (value > 0);
    if (negative) reversed += '-';
    return {reversed.rbegin(), reversed.rend()};
}

/// With zeros before it.
std::string padded(std::int64_t value, std::size_t width) {
    const std::string digits = std::to_string(value);
    return digits.size() < width ? std::string(width - digits.size(), '0') + digits : digits;
}

/// `HH:MM`, or `HH:MM:SS` where there are seconds.
std::string clock_text(std::chrono::seconds clock) {
    const std::int64_t value = clock.count();
    std::string text = padded(value / 3600, 2) + ':' + padded(value / 60 % 60, 2);
    if (value % 60 != 0) text += ':' + padded(value % 60, 2);
    return text;
}

std::string joined(const std::vector<std::string>& parts, char separator) {
    std::string all;
    for (const std::string& part : parts)
        all += part + separator;
    if (!all.empty()) all.pop_back();
    return all;
}

/// The numbers of the bits that are set, as a JSON list.
std::string json_numbers(std::uint32_t bits) {
    std::vector<std::string> numbers;
    for (unsigned number = 0; number < 32; ++number) {
        if ((bits >> number & 1U) != 0) numbers.push_back(std::to_string(number));
    }
    return '[' + joined(numbers, ',') + ']';
}

std::string range_json(const ClockRange& range) {
    std::vector<std::string> members;
    if (range.days != 0) {
        std::vector<std::string> names;
        for (unsigned day = 0; day < kDayNames.size(); ++day) {
            if ((range.days & day_bit(day)) != 0) names.push_back(json_string(kDayNames[day]));
        }
        members.push_back("\"days\":[" + joined(names, ',') + ']');
    }
    if (range.from != std::chrono::seconds{0} || range.until != kDay) {
        members.push_back("\"from\":\"" + clock_text(range.from) + '"');
        members.push_back("\"until\":\"" + clock_text(range.until) + '"');
    }
    if (range.months != 0) members.push_back("\"months\":" + json_numbers(range.months));
    if (range.month_days != 0) members.push_back("\"month_days\":" + json_numbers(range.month_days));
    return '{' + joined(members, ',') + '}';
}

std::string_view word(Rounding rounding) {
    switch (rounding) {
        case Rounding::up:
            return "up";
        case Rounding::half_up:
            return "half_up";
        case Rounding::half_even:
            return "half_even";
        case Rounding::down:
            return "down";
    }
    std::abort();  // Not an enumerator: memory is corrupt.
}

std::string_view word(Anchor anchor) {
    switch (anchor) {
        case Anchor::end_of_initial:
            return "end_of_initial";
        case Anchor::zero:
            return "zero";
    }
    std::abort();  // Not an enumerator: memory is corrupt.
}

}  // namespace

std::string text(Amount amount) {
    return decimal(amount.micros, 6);
}

std::string text(Price price) {
    return decimal(price.nanos, 9);
}

std::string text(std::chrono::milliseconds duration) {
    return decimal(duration.count(), 3);
}

std::string text(Instant instant) {
    const auto midnight = std::chrono::floor<std::chrono::days>(instant);
    const std::chrono::year_month_day date{midnight};
    const std::chrono::hh_mm_ss clock{instant - midnight};
    std::string result =
        padded(static_cast<int>(date.year()), 4) + '-' + padded(static_cast<unsigned>(date.month()), 2) +
        '-' + padded(static_cast<unsigned>(date.day()), 2) + 'T' + padded(clock.hours().count(), 2) + ':' +
        padded(clock.minutes().count(), 2) + ':' + padded(clock.seconds().count(), 2);
    if (clock.subseconds().count() != 0) {
        std::string fraction = padded(clock.subseconds().count(), 9);
        while (fraction.ends_with("000"))
            fraction.resize(fraction.size() - 3);
        result += '.' + fraction;
    }
    return result + 'Z';
}

std::string json_string(std::string_view value) {
    std::string quoted = "\"";
    for (const char character : value) {
        if (character == '\n') {
            quoted += "\\n";
            continue;
        }
        if (character == '"' || character == '\\') quoted += '\\';
        quoted += character;
    }
    return quoted + '"';
}

std::string deck_csv(const Tariff& tariff) {
    std::string csv =
        "prefix,rate_per_minute,connect_fee,initial_increment,increment,grace_seconds,included_seconds,"
        "disconnect_fee,disconnect_after,min_charge,max_charge,effective_from,effective_until,window,weight,"
        "tiers\n";
    for (const Row& row : tariff.rows) {
        std::vector<std::string> tiers;
        for (const Tier& tier : row.tiers) {
            tiers.push_back(std::to_string(tier.from.count()) + ':' + text(tier.price) + '/' +
                            std::to_string(tier.increment.count()));
        }
        csv += joined(
            {row.prefix, text(row.price), text(row.connect_fee),
             std::to_string(row.initial_increment.count()), std::to_string(row.increment.count()),
             std::to_string(row.grace.count()), std::to_string(row.included.count()),
             text(row.disconnect_fee), std::to_string(row.disconnect_after.count()), text(row.min_charge),
             row.max_charge ? text(*row.max_charge) : "", row.effective_from ? text(*row.effective_from) : "",
             row.effective_until ? text(*row.effective_until) : "",
             row.window ? tariff.windows[*row.window].name : "", std::to_string(row.weight),
             joined(tiers, ';')},
            ',');
        csv += '\n';
    }
    return csv;
}

std::string settings_json(const Tariff& tariff) {
    std::vector<std::string> windows;
    for (const Window& window : tariff.windows) {
        std::vector<std::string> ranges;
        std::transform(window.ranges.begin(), window.ranges.end(), std::back_inserter(ranges), range_json);
        windows.push_back(json_string(window.name) + ":[" + joined(ranges, ',') + ']');
    }
    return "{\"decimals\":" + std::to_string(tariff.decimals) +
           ",\"rounding\":" + json_string(word(tariff.rounding)) +
           ",\"anchor\":" + json_string(word(tariff.anchor)) +
           ",\"markup_percent\":" + decimal(tariff.markup, 4) +
           ",\"time_zone\":" + json_string(tariff.time_zone) + ",\"windows\":{" + joined(windows, ',') + "}}";
}

}  // namespace tollgate::reference
