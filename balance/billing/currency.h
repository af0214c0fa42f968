/// Currencies as documents and payments need them: their places, and what one is worth in another.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "balance/scaled.h"
#include "rating/decimal.h"
#include "rating/money.h"
#include "rating/tariff.h"

namespace tollgate::balance {

using rating::Currency;

/// The places of a currency's smaller unit by ISO 4217: 2 but for a few.
[[nodiscard]] int places_of(Currency currency) noexcept;

/// An amount on a document, and what rounding added to it.
struct Rounded {
    Money amount;
    Money difference;  ///< amount less what it was: posted as an entry of its own.
};

/// To `places` of 0 to 6, by magnitude: 16.85306 up to 2 places is 16.86, and 0.00694 was added.
[[nodiscard]] Rounded rounded_to(Money amount, int places, Rounding rounding) noexcept;

/// What one unit of a currency costs in another. The direction is part of it: `EUR` in `USD` at 1.08 says
/// that one euro costs 1.08 dollars, whichever of the two somebody pays with.
class ExchangeRate {
  public:
    static constexpr int kPlaces = 9;

    /// nullopt: the currencies are the same, or the rate is not above 0 or is above kRateMax.
    [[nodiscard]] static std::optional<ExchangeRate> make(Currency unit, Currency price,
                                                          std::int64_t nanos) noexcept;
    /// As above, of a rate's text.
    [[nodiscard]] static std::optional<ExchangeRate> parse(Currency unit, Currency price,
                                                           std::string_view rate) noexcept;

    [[nodiscard]] Currency unit() const noexcept { return unit_; }
    [[nodiscard]] Currency price() const noexcept { return price_; }
    [[nodiscard]] std::int64_t nanos() const noexcept { return nanos_; }

    /// What an amount of one of the two currencies is in the other, rounded down. nullopt: `from` is neither,
    /// or the result is beyond rating::kAmountMax.
    [[nodiscard]] std::optional<Money> convert(Money amount, Currency from) const noexcept;

    static constexpr std::int64_t kOne = 1'000'000'000;
    static constexpr std::int64_t kRateMax = 1'000'000 * kOne;

  private:
    ExchangeRate(Currency unit, Currency price, std::int64_t nanos) noexcept
        : unit_(unit), price_(price), nanos_(nanos) {}

    Currency unit_;
    Currency price_;
    std::int64_t nanos_;
};

}  // namespace tollgate::balance
