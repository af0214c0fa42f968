/// Amounts and prices. Both are whole numbers of a small unit; neither ever becomes a floating-point number.
#pragma once

#include <cassert>
#include <compare>
#include <cstdint>
#include <optional>
#include <string_view>

#include "rating/decimal.h"

namespace tollgate::rating {

/// An amount of some currency, in whole micro-units (1e-6). The currency travels beside it.
///
/// `+` and `-` stop the program on overflow: amounts are bounded where they enter (kAmountMax), so an
/// overflow is our bug, never an input. Use `checked_add` where a sum of inputs is formed.
class Money {
  public:
    static constexpr int kPlaces = 6;

    constexpr Money() noexcept = default;
    static constexpr Money from_micros(std::int64_t micros) noexcept { return Money{micros}; }
    [[nodiscard]] constexpr std::int64_t micros() const noexcept { return micros_; }

    // NOLINTNEXTLINE(modernize-use-nullptr): the comparison with 0 is the compiler's own.
    friend constexpr auto operator<=>(Money, Money) noexcept = default;
    friend constexpr Money operator-(Money a) noexcept { return Money{-a.micros_}; }
    friend constexpr Money operator+(Money a, Money b) noexcept {
        std::int64_t sum = 0;
        const bool overflow = __builtin_add_overflow(a.micros_, b.micros_, &sum);
        assert(!overflow);
        return Money{overflow ? 0 : sum};
    }
    friend constexpr Money operator-(Money a, Money b) noexcept {
        std::int64_t difference = 0;
        const bool overflow = __builtin_sub_overflow(a.micros_, b.micros_, &difference);
        assert(!overflow);
        return Money{overflow ? 0 : difference};
    }

  private:
    constexpr explicit Money(std::int64_t micros) noexcept : micros_(micros) {}
    std::int64_t micros_ = 0;
};

/// The largest amount that one operation may name or cost: ten billion units.
inline constexpr Money kAmountMax = Money::from_micros(10'000'000'000'000'000);

/// The largest sum, either way, that an account or a book may reach: four trillion units. The distance from
/// here to 2^63 is room for every thread to post one kAmountMax at once after a check.
inline constexpr Money kBalanceMax = Money::from_micros(4'000'000'000'000'000'000);

/// `12.5`, `-0.000001`; up to 6 places. nullopt: not a decimal number, or beyond 64 bits.
[[nodiscard]] inline std::optional<Money> parse_money(std::string_view text) noexcept {
    const auto micros = parse_decimal(text, Money::kPlaces);
    if (!micros) return std::nullopt;
    return Money::from_micros(*micros);
}

[[nodiscard]] inline ShortText format(Money amount) noexcept {
    return format_decimal(amount.micros(), Money::kPlaces);
}

/// A price per minute, a fee or a bound of a rate deck, in whole nano-units (1e-9). Never negative.
class Price {
  public:
    static constexpr int kPlaces = 9;

    constexpr Price() noexcept = default;
    static constexpr Price from_nanos(std::int64_t nanos) noexcept { return Price{nanos}; }
    [[nodiscard]] constexpr std::int64_t nanos() const noexcept { return nanos_; }
    // NOLINTNEXTLINE(modernize-use-nullptr): the comparison with 0 is the compiler's own.
    friend constexpr auto operator<=>(Price, Price) noexcept = default;

  private:
    constexpr explicit Price(std::int64_t nanos) noexcept : nanos_(nanos) {}
    std::int64_t nanos_ = 0;
};

/// The highest price or fee a deck may hold: a billion units.
inline constexpr Price kPriceMax = Price::from_nanos(1'000'000'000'000'000'000);

/// `0.0123`; up to 9 places. nullopt: not a decimal number, negative, or above kPriceMax.
[[nodiscard]] inline std::optional<Price> parse_price(std::string_view text) noexcept {
    const auto nanos = parse_decimal(text, Price::kPlaces);
    if (!nanos || *nanos < 0 || text.front() == '-' || *nanos > kPriceMax.nanos()) return std::nullopt;
    return Price::from_nanos(*nanos);
}

[[nodiscard]] inline ShortText format(Price price) noexcept {
    return format_decimal(price.nanos(), Price::kPlaces);
}

}  // namespace tollgate::rating
