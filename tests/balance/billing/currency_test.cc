#include "balance/billing/currency.h"

#include <gtest/gtest.h>

#include "tests/support/literals.h"

namespace tollgate::balance {
namespace {

using tests::money;

Currency currency(const char* text) {
    return *Currency::parse(text);
}

TEST(Currency, HasPlaces) {
    EXPECT_EQ(places_of(currency("EUR")), 2);
    EXPECT_EQ(places_of(currency("JPY")), 0);
    EXPECT_EQ(places_of(currency("XPF")), 0);
    EXPECT_EQ(places_of(currency("KWD")), 3);
}

TEST(Rounded, SaysWhatWasAdded) {
    const Rounded up = rounded_to(money("16.85306"), 2, Rounding::up);
    EXPECT_EQ(up.amount, money("16.86"));
    EXPECT_EQ(up.difference, money("0.00694"));
    const Rounded exact = rounded_to(money("16.85"), 2, Rounding::up);
    EXPECT_EQ(exact.amount, money("16.85"));
    EXPECT_EQ(exact.difference, Money{});
}

TEST(Rounded, GoesToTheNearestOrUp) {
    EXPECT_EQ(rounded_to(money("1.015345"), 2, Rounding::half_up).amount, money("1.02"));
    EXPECT_EQ(rounded_to(money("1.012345"), 2, Rounding::half_up).amount, money("1.01"));
    EXPECT_EQ(rounded_to(money("1.012345"), 2, Rounding::up).amount, money("1.02"));
    EXPECT_EQ(rounded_to(money("-1.015345"), 2, Rounding::half_up).amount, money("-1.02"));
    EXPECT_EQ(rounded_to(money("1234.5"), 0, Rounding::half_even).amount, money("1234"));
    EXPECT_EQ(rounded_to(money("0.000001"), 6, Rounding::up).difference, Money{});
}

TEST(ExchangeRate, GoesBothWaysByItsDirection) {
    const auto rate = ExchangeRate::parse(currency("EUR"), currency("USD"), "1.25");
    ASSERT_TRUE(rate.has_value());
    EXPECT_EQ(rate->convert(money("100"), currency("EUR")), money("125"));
    EXPECT_EQ(rate->convert(money("100"), currency("USD")), money("80"));
    EXPECT_EQ(rate->convert(money("100"), currency("GBP")), std::nullopt);
}

TEST(ExchangeRate, RoundsDown) {
    const auto rate = ExchangeRate::parse(currency("EUR"), currency("USD"), "3");
    EXPECT_EQ(rate->convert(money("10"), currency("USD")), money("3.333333"));
    EXPECT_EQ(rate->convert(money("0.000001"), currency("USD")), Money{});
}

TEST(ExchangeRate, RefusesWhatIsNone) {
    const auto parse = [](const char* price, const char* rate) {
        return ExchangeRate::parse(currency("EUR"), currency(price), rate);
    };
    EXPECT_FALSE(parse("EUR", "1").has_value());
    for (const char* const rate : {"0", "-1", "", "x", "1000000.1", "1.0000000001"})
        EXPECT_FALSE(parse("USD", rate).has_value()) << rate;
    EXPECT_EQ(parse("USD", "1000000")->convert(rating::kAmountMax, currency("EUR")), std::nullopt);
}

}  // namespace
}  // namespace tollgate::balance
