#include "balance/billing/currency.h"

#include <algorithm>
#include <array>
#include <cassert>

namespace tollgate::balance {
namespace {

// ISO 4217, all that do not have two places.
constexpr std::array<std::string_view, 15> kNoPlaces = {
    "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF"};
constexpr std::array<std::string_view, 7> kThreePlaces = {"BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"};

template <std::size_t N>
bool contains(const std::array<std::string_view, N>& codes, Currency currency) noexcept {
    return std::find(codes.begin(), codes.end(), currency.view()) != codes.end();
}

}  // namespace

int places_of(Currency currency) noexcept {
    if (currency.view() == "XPF" || contains(kNoPlaces, currency)) return 0;
    return contains(kThreePlaces, currency) ? 3 : 2;
}

Rounded rounded_to(Money amount, int places, Rounding rounding) noexcept {
    assert(places >= 0 && places <= Money::kPlaces);
    std::int64_t unit = 1;
    for (int i = places; i < Money::kPlaces; ++i)
        unit *= 10;
    // Units first, then micro-units again: the first step is the one that rounds.
    const Money result = Money::from_micros(scaled(amount, 1, unit, rounding).micros() * unit);
    return {result, result - amount};
}

std::optional<ExchangeRate> ExchangeRate::make(Currency unit, Currency price, std::int64_t nanos) noexcept {
    if (unit == price || nanos <= 0 || nanos > kRateMax) return std::nullopt;
    return ExchangeRate{unit, price, nanos};
}

std::optional<ExchangeRate> ExchangeRate::parse(Currency unit, Currency price,
                                                std::string_view rate) noexcept {
    const auto nanos = rating::parse_decimal(rate, kPlaces);
    return nanos ? make(unit, price, *nanos) : std::nullopt;
}

std::optional<Money> ExchangeRate::convert(Money amount, Currency from) const noexcept {
    if (!(from == unit_) && !(from == price_)) return std::nullopt;
    const auto result = from == unit_ ? checked_scaled(amount, nanos_, kOne, Rounding::down)
                                      : checked_scaled(amount, kOne, nanos_, Rounding::down);
    if (!result || *result > rating::kAmountMax || *result < -rating::kAmountMax) return std::nullopt;
    return result;
}

}  // namespace tollgate::balance
