#include "balance/partner/refill.h"

#include <gtest/gtest.h>

#include "tests/support/literals.h"

namespace tollgate::balance {
namespace {

using tests::money;

TEST(MintLimit, IsSoManyTimesWhatTheResellerHas) {
    const Multiple five = *parse_multiple("5");
    EXPECT_FALSE(within_mint_limit(money("510"), five, money("100")));
    EXPECT_TRUE(within_mint_limit(money("500"), five, money("100")));
    EXPECT_FALSE(within_mint_limit(money("500.000001"), five, money("100")));
    EXPECT_TRUE(within_mint_limit(money("250"), *parse_multiple("2.5"), money("100")));
}

TEST(MintLimit, OfNothingIsNothing) {
    const Multiple five = *parse_multiple("5");
    EXPECT_TRUE(within_mint_limit(Money{}, five, Money{}));
    EXPECT_FALSE(within_mint_limit(money("0.000001"), five, Money{}));
    EXPECT_FALSE(within_mint_limit(money("0.000001"), five, money("-1")));
    EXPECT_TRUE(within_mint_limit(Money{}, five, money("-1")));
    EXPECT_FALSE(within_mint_limit(money("1"), Multiple{}, money("100")));
}

TEST(MintLimit, MayBeBeyondAllBounds) {
    EXPECT_TRUE(within_mint_limit(rating::kBalanceMax, kMultipleMax, rating::kBalanceMax));
}

TEST(Multiple, IsReadAndWrittenAsItStands) {
    EXPECT_EQ(parse_multiple("2.5"), Multiple::from_millionths(2'500'000));
    EXPECT_EQ(format(*parse_multiple("2.50")).view(), "2.5");
    for (const char* const text : {"", "-1", "-0", "1000000.1", "1.0000001"})
        EXPECT_EQ(parse_multiple(text), std::nullopt) << text;
}

TEST(Overcommit, LetsACustomerHoldSoManyPercentMore) {
    EXPECT_EQ(overcommit_ceiling(money("100"), *rating::parse_percent("10")), money("110"));
    EXPECT_EQ(overcommit_ceiling(money("100"), Percent{}), money("100"));
    EXPECT_EQ(overcommit_ceiling(money("0.000009"), *rating::parse_percent("10")), money("0.000009"));
    EXPECT_EQ(overcommit_ceiling(money("-100"), *rating::parse_percent("10")), Money{});
    EXPECT_EQ(overcommit_ceiling(rating::kBalanceMax, Percent::from_millionths(Percent::kWhole)),
              rating::kBalanceMax);
}

}  // namespace
}  // namespace tollgate::balance
