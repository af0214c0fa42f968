#include "rating/bundle.h"

#include <gtest/gtest.h>

#include "rating/charge.h"
#include "rating/describe.h"
#include "tests/support/literals.h"

namespace tollgate::rating {
namespace {

using std::chrono::seconds;
using tests::money;
using tests::price;
using tests::stepped_rate;

/// A call by a rate alone, as by a deck of one row, whose first seconds are bundled.
struct Bundled {
    Rate rate;
    std::uint32_t bundled = 0;
    TariffVersion version{};

    [[nodiscard]] RatedCall call() const { return {&version, &rate, 0, Instant{}, bundled}; }
    [[nodiscard]] Money cost(int duration) const { return rating::cost(call(), seconds{duration}); }
    [[nodiscard]] seconds billed(int duration) const { return billed_seconds(call(), seconds{duration}); }
    [[nodiscard]] seconds longest(const char* funds) const {
        return longest_affordable(call(), money(funds));
    }
    [[nodiscard]] seconds used(int duration) const {
        return bundled_seconds(rate, bundled, seconds{duration});
    }
};

// A bundle of 10 minutes, 0.30 a minute by whole minutes, a call of 12: 2 minutes = 0.60.
TEST(PaidPart, IsWhatTheBundleDoesNotCover) {
    const Bundled call{stepped_rate("0.30", 60, 60), 600};
    EXPECT_EQ(call.cost(600), money("0"));
    EXPECT_EQ(call.cost(601), money("0.30"));
    EXPECT_EQ(call.cost(720), money("0.60"));
    EXPECT_EQ(call.billed(720), seconds{120});
    EXPECT_EQ(call.billed(600), seconds{0});
    EXPECT_EQ(call.used(720), seconds{600});
    EXPECT_EQ(call.used(61), seconds{61}) << "whole seconds, not increments";
}

// 600 s of which one is bundled, 0.05 to connect, 0.30 a minute 30/6: 599 s are billed as 600 = 3.00.
TEST(PaidPart, BeginsWithTheConnectFeeAndTheFirstStep) {
    Bundled call{stepped_rate("0.30", 30, 6), 1};
    call.rate.connect_fee = price("0.05");
    EXPECT_EQ(call.cost(1), money("0"));
    EXPECT_EQ(call.cost(2), money("0.20")) << "the fee and 30 s";
    EXPECT_EQ(call.cost(600), money("3.05"));
}

TEST(PaidPart, HasNoGraceBecauseGraceCountsFromTheBeginning) {
    Bundled call{stepped_rate("0.60", 1, 1), 4};
    call.rate.grace_seconds = 10;
    EXPECT_EQ(call.cost(10), money("0"));
    EXPECT_EQ(call.used(10), seconds{0}) << "a call within grace uses none";
    EXPECT_EQ(call.cost(11), money("0.07")) << "7 s after the bundle";
    EXPECT_EQ(call.used(11), seconds{4});
}

TEST(PaidPart, DoesNotGiveIncludedSecondsTwice) {
    Bundled call{stepped_rate("0.60", 1, 1), 20};
    call.rate.included_seconds = 30;
    EXPECT_EQ(call.cost(30), money("0"));
    EXPECT_EQ(call.cost(31), money("0.01"));
    EXPECT_EQ(call.billed(31), seconds{1});
    call.bundled = 40;
    EXPECT_EQ(call.cost(41), money("0.01")) << "they ran out while the bundle lasted";
}

TEST(PaidPart, CountsTiersAndTheDisconnectFeeFromItsBeginning) {
    Bundled call{stepped_rate("0.60", 1, 1), 100};
    call.rate.tiers = {{.from = 60, .increment = 1, .price = price("0.06")}};
    EXPECT_EQ(call.cost(160), money("0.60"));
    EXPECT_EQ(call.cost(170), money("0.61"));
    call.rate.disconnect_fee = price("1");
    call.rate.disconnect_after = 60;
    EXPECT_EQ(call.cost(159), money("0.59"));
    EXPECT_EQ(call.cost(160), money("1.60"));
}

TEST(PaidPart, HasItsOwnBounds) {
    Bundled call{stepped_rate("0.60", 1, 1), 100};
    call.rate.min_charge = price("0.25");
    call.rate.max_charge = price("0.50");
    EXPECT_EQ(call.cost(100), money("0"));
    EXPECT_EQ(call.cost(101), money("0.25"));
    EXPECT_EQ(call.cost(1'000), money("0.50"));
}

TEST(LongestAffordable, IsAtLeastTheBundle) {
    Bundled call{stepped_rate("0.60", 60, 60), 100};
    call.rate.connect_fee = price("0.10");
    EXPECT_EQ(call.longest("0"), seconds{100});
    EXPECT_EQ(call.longest("-1"), seconds{100}) << "bundled seconds ask for no funds";
    EXPECT_EQ(call.longest("0.69"), seconds{100});
    EXPECT_EQ(call.longest("0.70"), seconds{160});
    call.rate.grace_seconds = 130;
    EXPECT_EQ(call.longest("0"), seconds{130});
    call.bundled = 0;
    EXPECT_EQ(call.longest("-1"), seconds{0});
    call.rate = stepped_rate("0", 1, 1);
    call.bundled = 5;
    EXPECT_EQ(call.longest("0"), kUnlimited);
}

TEST(IsFree, KnowsNoBundles) {
    const Bundled call{stepped_rate("0.60", 1, 1), 100};
    EXPECT_FALSE(is_free(call.call(), seconds{50}));
    const Bundled free{stepped_rate("0", 1, 1), 100};
    EXPECT_TRUE(is_free(free.call(), seconds{50}));
}

}  // namespace
}  // namespace tollgate::rating
