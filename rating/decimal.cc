#include "rating/decimal.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <limits>

namespace tollgate::rating {
namespace {

constexpr std::uint64_t kTen = 10;
constexpr auto kPowersOfTen = [] {
    std::array<std::uint64_t, std::numeric_limits<std::uint64_t>::digits10 + 1> powers{1};
    for (std::size_t i = 1; i < powers.size(); ++i)
        powers[i] = powers[i - 1] * kTen;
    return powers;
}();

/// "00" to "99": half as many divisions as digit by digit.
constexpr auto kPairs = [] {
    std::array<char, 200> pairs{};
    for (std::size_t i = 0; i < pairs.size(); ++i)
        pairs[i] = static_cast<char>('0' + (i % 2 == 0 ? i / 20 : i / 2 % 10));
    return pairs;
}();

std::size_t digits_of(std::uint64_t value) noexcept {
    // A number of so many bits has 1233 / 4096 as many digits, cut to whole ones, or one more.
    const std::size_t digits = std::bit_width(value | 1) * 1233 >> 12;
    return digits + ((value | 1) >= kPowersOfTen[digits] ? 1 : 0);
}

/// Exactly so many digits. Returns their end.
char* write_digits(char* at, std::uint64_t value, std::size_t digits) noexcept {
    char* const end = at + digits;
    for (; digits >= 2; digits -= 2, value /= 100)
        std::memcpy(at + digits - 2, &kPairs[2 * (value % 100)], 2);
    if (digits == 1) *at = static_cast<char>('0' + value);
    return end;
}

struct Parts {
    std::uint64_t whole, fraction;
};

Parts parts_of(std::uint64_t value, int places) noexcept {
    const auto divided_by = [value](std::uint64_t unit) { return Parts{value / unit, value % unit}; };
    // By a number that the compiler knows no division is left: those of money and of prices.
    if (places == 6) return divided_by(1'000'000);
    if (places == 9) return divided_by(1'000'000'000);
    return divided_by(kPowersOfTen[static_cast<std::size_t>(places)]);
}

}  // namespace

std::optional<std::int64_t> parse_decimal(std::string_view text, int places) noexcept {
    const bool negative = !text.empty() && text.front() == '-';
    if (negative) text.remove_prefix(1);
    std::uint64_t value = 0;
    int digits_before = 0;
    int digits_after = -1;  // -1: no point yet.
    for (const char c : text) {
        if (c == '.' && digits_after < 0 && digits_before > 0) {
            digits_after = 0;
            continue;
        }
        if (c < '0' || c > '9') return std::nullopt;
        if (digits_after >= 0 && ++digits_after > places) return std::nullopt;
        if (digits_after < 0) ++digits_before;
        if (__builtin_mul_overflow(value, kTen, &value) ||
            __builtin_add_overflow(value, static_cast<std::uint64_t>(c - '0'), &value)) {
            return std::nullopt;
        }
    }
    if (digits_before == 0 || digits_after == 0) return std::nullopt;
    const auto missing = static_cast<std::size_t>(places - std::max(digits_after, 0));
    if (__builtin_mul_overflow(value, kPowersOfTen[missing], &value)) return std::nullopt;
    if (value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) return std::nullopt;
    const auto magnitude = static_cast<std::int64_t>(value);
    return negative ? -magnitude : magnitude;
}

char* write_decimal(char* at, std::int64_t value, int places) noexcept {
    const std::uint64_t magnitude =
        value < 0 ? ~static_cast<std::uint64_t>(value) + 1 : static_cast<std::uint64_t>(value);
    if (value < 0) *at++ = '-';
    if (places == 0) return write_digits(at, magnitude, digits_of(magnitude));
    const auto [whole, fraction] = parts_of(magnitude, places);
    at = write_digits(at, whole, digits_of(whole));
    if (fraction == 0) return at;
    *at++ = '.';
    at = write_digits(at, fraction, static_cast<std::size_t>(places));
    while (at[-1] == '0')
        --at;
    return at;
}

std::optional<std::uint64_t> parse_unsigned(std::string_view text, std::uint64_t most) noexcept {
    if (text.empty()) return std::nullopt;
    std::uint64_t value = 0;
    for (const char c : text) {
        if (c < '0' || c > '9') return std::nullopt;
        if (__builtin_mul_overflow(value, std::uint64_t{10}, &value) ||
            __builtin_add_overflow(value, static_cast<std::uint64_t>(c - '0'), &value) || value > most) {
            return std::nullopt;
        }
    }
    return value;
}

}  // namespace tollgate::rating
