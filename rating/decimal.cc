#include "rating/decimal.h"

#include <charconv>
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

}  // namespace

std::optional<std::int64_t> parse_decimal(std::string_view text, int places) noexcept {
    const bool negative = !text.empty() && text.front() == '-';
    if (negative) text.remove_prefix(1);
    std::uint64_t value = 0;
    int digits_before = 0;
    int digits_after = -1;  // -1: no point yet.
    const auto shift_in = [&value](unsigned digit) {
        return !__builtin_mul_overflow(value, std::uint64_t{10}, &value) &&
               !__builtin_add_overflow(value, std::uint64_t{digit}, &value);
    };
    for (const char c : text) {
        if (c == '.' && digits_after < 0 && digits_before > 0) {
            digits_after = 0;
            continue;
        }
        if (c < '0' || c > '9') return std::nullopt;
        if (digits_after >= 0 && ++digits_after > places) return std::nullopt;
        if (digits_after < 0) ++digits_before;
        if (!shift_in(static_cast<unsigned>(c - '0'))) return std::nullopt;
    }
    if (digits_before == 0 || digits_after == 0) return std::nullopt;
    for (int i = digits_after < 0 ? 0 : digits_after; i < places; ++i) {
        if (!shift_in(0)) return std::nullopt;
    }
    if (value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) return std::nullopt;
    const auto magnitude = static_cast<std::int64_t>(value);
    return negative ? -magnitude : magnitude;
}

char* write_decimal(char* at, std::int64_t value, int places) noexcept {
    char* const end = at + kDecimalBytesMax;
    const std::uint64_t magnitude =
        value < 0 ? ~static_cast<std::uint64_t>(value) + 1 : static_cast<std::uint64_t>(value);
    if (value < 0) *at++ = '-';
    if (places == 0) return std::to_chars(at, end, magnitude).ptr;
    const std::uint64_t unit = kPowersOfTen[static_cast<std::size_t>(places)];
    at = std::to_chars(at, end, magnitude / unit).ptr;
    std::uint64_t fraction = magnitude % unit;
    if (fraction == 0) return at;
    *at++ = '.';
    for (std::uint64_t place = unit / kTen; fraction != 0; place /= kTen) {
        *at++ = static_cast<char>('0' + fraction / place);
        fraction %= place;
    }
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
