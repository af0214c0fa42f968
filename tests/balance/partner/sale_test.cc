#include "balance/partner/sale.h"

#include <gtest/gtest.h>

namespace tollgate::balance {
namespace {

constexpr PartyId kRoot{0};
constexpr PartyId kUpper{1};
constexpr PartyId kMiddle{2};
constexpr PartyId kLower{3};
constexpr PartyId kCustomer{9};
constexpr Percent kTen = Percent::from_millionths(100'000);

Money euros(std::int64_t micros) {
    return Money::from_micros(micros * 1'000'000);
}
rating::Currency eur() {
    return *rating::Currency::parse("EUR");
}

/// What one party's balance, or its books, get of it.
Money moved(std::span<const Posting> postings, PartyId party, bool of_balance) {
    Money sum;
    for (const Posting& posting : postings) {
        if (posting.party == party && (posting.place == PostingPlace::balance) == of_balance)
            sum = sum + posting.amount;
    }
    return sum;
}

// Goal: MO11's prices as a chain of margins: everyone pays his own price, and keeps the difference.
TEST(Sale, ChargesEveryLevelItsPrice) {
    const std::vector<SaleLevel> levels = {{.payer = kCustomer, .seller = kLower, .price = euros(1000)},
                                           {.payer = kLower, .seller = kUpper, .price = euros(800)},
                                           {.payer = kUpper, .seller = kRoot, .price = euros(700)}};
    const auto postings = postings_of(levels, eur(), CommissionPolicy::cascade);
    EXPECT_TRUE(balanced(postings));
    EXPECT_EQ(postings.size(), 6U);
    EXPECT_EQ(postings[0].party, kCustomer);
    EXPECT_EQ(moved(postings, kCustomer, true), euros(-1000));
    EXPECT_EQ(moved(postings, kLower, true) + moved(postings, kLower, false), euros(200));
    EXPECT_EQ(moved(postings, kUpper, true) + moved(postings, kUpper, false), euros(100));
    EXPECT_EQ(moved(postings, kRoot, false), euros(700));
}

// Goal: MO12 to MO14: 10 % of 100, and 10 % of that for the next below, out of it.
TEST(Sale, PaysCommissionsOutOfTheSellersBooks) {
    const std::vector<SaleLevel> levels = {{.payer = kCustomer,
                                            .seller = kRoot,
                                            .price = euros(100),
                                            .agents = {{kUpper, kTen}, {kMiddle, kTen}, {kLower, kTen}}}};
    const auto postings = postings_of(levels, eur(), CommissionPolicy::cascade);
    EXPECT_TRUE(balanced(postings));
    EXPECT_EQ(moved(postings, kCustomer, true), euros(-100));
    EXPECT_EQ(moved(postings, kUpper, true), euros(9));
    EXPECT_EQ(moved(postings, kMiddle, true), Money::from_micros(900'000));
    EXPECT_EQ(moved(postings, kLower, true), Money::from_micros(100'000));
    EXPECT_EQ(moved(postings, kRoot, false), euros(90));
    // Each his own: all have the same percentage, so all of it is the lowest one's.
    const auto apart = postings_of(levels, eur(), CommissionPolicy::per_level);
    EXPECT_EQ(moved(apart, kLower, true), euros(10));
    EXPECT_EQ(moved(apart, kUpper, true), Money{});
}

// Goal: what a seller is credited in place of revenue is not more than was paid: the agents' part is his to
// give.
TEST(Sale, WhoIsCreditedGivesTheCommissionsHimself) {
    const std::vector<SaleLevel> levels = {{.payer = kCustomer,
                                            .seller = kUpper,
                                            .price = euros(100),
                                            .agents = {{kLower, kTen}},
                                            .credits_seller = true}};
    const auto postings = merged(postings_of(levels, eur(), CommissionPolicy::cascade));
    EXPECT_EQ(moved(postings, kCustomer, true), euros(-100));
    EXPECT_EQ(moved(postings, kUpper, true), euros(90));
    EXPECT_EQ(moved(postings, kLower, true), euros(10));
}

TEST(Sale, OfMoreThanABalanceHoldsIsNotAddedUp) {
    std::vector<Posting> many(401, {kCustomer, PostingPlace::balance, eur(), -rating::kAmountMax});
    EXPECT_FALSE(can_be_merged(many));
    many.resize(400);
    EXPECT_TRUE(can_be_merged(many));
}

TEST(Sale, OfNothingMovesNothing) {
    const std::vector<SaleLevel> levels = {{.payer = kCustomer, .seller = kLower, .agents = {{kUpper, kTen}}},
                                           {.payer = kLower, .seller = kRoot}};
    const auto postings = postings_of(levels, eur(), CommissionPolicy::cascade);
    ASSERT_EQ(postings.size(), 1U);
    EXPECT_EQ(postings[0].party, kCustomer);
}

TEST(Sale, CreditsWhoRefilledByTransfer) {
    const std::vector<SaleLevel> levels = {
        {.payer = kCustomer, .seller = kLower, .price = euros(5), .credits_seller = true}};
    const auto postings = postings_of(levels, eur(), CommissionPolicy::cascade);
    EXPECT_EQ(moved(postings, kLower, true), euros(5));
}

TEST(Sale, MergesWhatIsPaidAtOnce) {
    const std::vector<Posting> postings = {{kCustomer, PostingPlace::balance, eur(), euros(-10)},
                                           {kLower, PostingPlace::revenue, eur(), euros(10)},
                                           {kCustomer, PostingPlace::balance, eur(), euros(10)},
                                           {kLower, PostingPlace::cash, eur(), euros(-10)}};
    const auto sums = merged(postings);
    ASSERT_EQ(sums.size(), 3U);
    EXPECT_EQ(sums[0].amount, Money{});
    EXPECT_TRUE(balanced(sums));
}

}  // namespace
}  // namespace tollgate::balance
