#include "rating/decimal.h"

#include <limits>

namespace tollgate::rating {

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

ShortText format_decimal(std::int64_t value, int places) noexcept {
    std::array<char, 24> digits{};  // Least significant first.
    std::size_t count = 0;
    std::uint64_t rest =
        value < 0 ? ~static_cast<std::uint64_t>(value) + 1 : static_cast<std::uint64_t>(value);
    while (places > 0 && rest % 10 == 0) {
        rest /= 10;
        --places;
    }
    const auto point = static_cast<std::size_t>(places);
    do {
        digits[count++] = static_cast<char>('0' + rest % 10);
        rest /= 10;
    } while (rest != 0 || count <= point);
    ShortText text;
    if (value < 0) text.push_back('-');
    while (count > 0) {
        text.push_back(digits[--count]);
        if (count == point && point > 0) text.push_back('.');
    }
    return text;
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
