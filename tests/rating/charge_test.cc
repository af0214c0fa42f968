#include "rating/charge.h"

#include <array>
#include <random>

#include <gtest/gtest.h>

#include "tests/support/literals.h"

namespace tollgate::rating {
namespace {

using std::chrono::seconds;
using tests::money;
using tests::price;
using tests::stepped_rate;

/// A call by a rate alone, as by a deck of one row.
template <typename Ask>
auto of_rate(const Rate& rate, const TariffSettings& settings, const Ask& ask) {
    TariffVersion version;
    version.settings = settings;
    return ask(RatedCall{&version, &rate, 0, Instant{}});
}
Money cost(const Rate& rate, const TariffSettings& settings, seconds duration) {
    return of_rate(rate, settings, [&](const RatedCall& call) { return cost(call, duration); });
}
seconds longest_affordable(const Rate& rate, const TariffSettings& settings, Money funds) {
    return of_rate(rate, settings, [&](const RatedCall& call) { return longest_affordable(call, funds); });
}
seconds billed_seconds(const Rate& rate, seconds duration) {
    return of_rate(rate, {}, [&](const RatedCall& call) { return billed_seconds(call, duration); });
}
Money cost_of(const Rate& rate, int duration, const TariffSettings& settings = {}) {
    return cost(rate, settings, seconds{duration});
}

TEST(Charge, ChargesWholeSteps) {
    EXPECT_EQ(cost_of(stepped_rate("0.12", 60, 60), 61), money("0.24"));
    EXPECT_EQ(cost_of(stepped_rate("0.06", 30, 6), 31), money("0.036"));
    EXPECT_EQ(cost_of(stepped_rate("0.02", 1, 1), 60), money("0.02"))
        << "not 0.0198: rounded once, at the end";
    EXPECT_EQ(cost_of(stepped_rate("0.12", 60, 60), 0), money("0"));
}

TEST(Charge, CountsIncrementsFromItsAnchor) {
    const Rate rate = stepped_rate("0.30", 30, 18);
    TariffSettings zero;
    zero.anchor = IncrementAnchor::zero;
    EXPECT_EQ(cost_of(rate, 31), money("0.24")) << "48 s";
    EXPECT_EQ(cost_of(rate, 31, zero), money("0.18")) << "36 s";
    EXPECT_EQ(cost_of(rate, 37, zero), money("0.27")) << "54 s";
    EXPECT_EQ(cost_of(rate, 29, zero), money("0.15")) << "the initial 30 s, though 36 would be a multiple";
}

TEST(Charge, GraceIsFreeOfAllFees) {
    Rate rate = stepped_rate("0.60", 1, 1);
    rate.connect_fee = price("0.1");
    rate.min_charge = price("5");
    rate.disconnect_fee = price("0.1");
    rate.grace_seconds = 3;
    EXPECT_EQ(cost_of(rate, 3), money("0"));
    EXPECT_EQ(cost_of(rate, 4), money("5"));
}

TEST(Charge, IncludedSecondsCostTheFeesOnly) {
    Rate rate = stepped_rate("0.30", 60, 60);
    rate.connect_fee = price("0.05");
    rate.included_seconds = 30;
    EXPECT_EQ(cost_of(rate, 30), money("0.05"));
    EXPECT_EQ(cost_of(rate, 91), money("0.65"));
    EXPECT_EQ(billed_seconds(rate, seconds{91}), seconds{120});
    EXPECT_EQ(billed_seconds(rate, seconds{30}), seconds{0});
}

TEST(Charge, TheDisconnectFeeIsDueFromItsSecondOn) {
    Rate rate = stepped_rate("0.30", 1, 1);
    rate.connect_fee = price("0.05");
    rate.disconnect_fee = price("0.02");
    rate.disconnect_after = 60;
    EXPECT_EQ(cost_of(rate, 59), money("0.345"));
    EXPECT_EQ(cost_of(rate, 60), money("0.37"));
}

TEST(Charge, StaysWithinItsBounds) {
    Rate rate = stepped_rate("0.30", 1, 1);
    rate.min_charge = price("0.25");
    rate.max_charge = price("0.50");
    EXPECT_EQ(cost_of(rate, 50), money("0.25"));
    EXPECT_EQ(cost_of(rate, 51), money("0.255"));
    EXPECT_EQ(cost_of(rate, 1'000), money("0.5"));
    rate.max_charge = price("0.1");
    EXPECT_EQ(cost_of(rate, 1), money("0.1")) << "the maximum is applied last";
}

TEST(Charge, MarkupIsOnThePriceNotOnTheFees) {
    Rate rate = stepped_rate("0.10", 60, 60);
    rate.connect_fee = price("0.05");
    TariffSettings settings;
    settings.markup = 125'000;  // 12.5 %
    EXPECT_EQ(cost_of(rate, 60, settings), money("0.1625"));
    EXPECT_EQ(price_with_markup(rate.price, settings), price("0.1125"));
    settings.markup = kMarkupMin;
    EXPECT_EQ(cost_of(rate, 60, settings), money("0.05"));
}

// Goal: each way to round, at and beside its border. 0.0005 a minute for 60 s, to 3 places.
TEST(Charge, RoundsOnce) {
    TariffSettings settings;
    settings.decimals = 3;
    const auto rounded = [&](Rounding rounding, const char* per_minute) {
        settings.rounding = rounding;
        return cost_of(stepped_rate(per_minute, 60, 60), 60, settings);
    };
    EXPECT_EQ(rounded(Rounding::up, "0.0001"), money("0.001"));
    EXPECT_EQ(rounded(Rounding::up, "0.001"), money("0.001"));
    EXPECT_EQ(rounded(Rounding::down, "0.0019"), money("0.001"));
    EXPECT_EQ(rounded(Rounding::half_up, "0.0005"), money("0.001"));
    EXPECT_EQ(rounded(Rounding::half_up, "0.000499999"), money("0"));
    EXPECT_EQ(rounded(Rounding::half_even, "0.0005"), money("0"));
    EXPECT_EQ(rounded(Rounding::half_even, "0.0015"), money("0.002"));
    EXPECT_EQ(rounded(Rounding::half_even, "0.0025"), money("0.002"));
    EXPECT_EQ(rounded(Rounding::half_even, "0.002500001"), money("0.003"));
}

TEST(Charge, ACostBeyondAllBoundsIsNoAmount) {
    EXPECT_EQ(cost_of(stepped_rate("1000000000", 1, 1), 1'000'000'000), kCostTooLarge);
    TariffSettings settings;
    settings.markup = kMarkupMax;
    EXPECT_EQ(cost_of(stepped_rate("1000000000", 1'000'000'000, 1'000'000'000), 1'000'000'000, settings),
              kCostTooLarge);
    EXPECT_EQ(cost_of(stepped_rate("1000000000", 60, 60), 600), kAmountMax);
    EXPECT_EQ(cost_of(stepped_rate("1000000000", 60, 60), 601), kCostTooLarge);
}

TEST(Charge, LongestAffordableTime) {
    const auto longest = [](const Rate& rate, const char* funds) {
        return longest_affordable(rate, {}, money(funds));
    };
    EXPECT_EQ(longest(stepped_rate("0.30", 60, 60), "0.89"), seconds{120});
    EXPECT_EQ(longest(stepped_rate("0.30", 60, 60), "0.29"), seconds{0});
    EXPECT_EQ(longest(stepped_rate("0.10", 6, 6), "0.10"), seconds{60});
    EXPECT_EQ(longest(stepped_rate("0", 1, 1), "0"), kUnlimited);
    EXPECT_EQ(longest(stepped_rate("0", 1, 1), "-0.01"), seconds{0}) << "nothing is affordable below zero";
    Rate capped = stepped_rate("0.30", 1, 1);
    capped.max_charge = price("1");
    EXPECT_EQ(longest(capped, "1"), kUnlimited);
    EXPECT_EQ(longest(capped, "0.99"), seconds{198});
    Rate graced = stepped_rate("0.30", 60, 60);
    graced.grace_seconds = 5;
    EXPECT_EQ(longest(graced, "0.1"), seconds{5}) << "the grace is free";
}

// Goal: at the largest amount there is, what is affordable costs no more than that and is an amount.
TEST(Charge, TheLargestAmountIsABorderLikeAnyOther) {
    Rate rate = stepped_rate("1000000000", 1, 1);
    rate.connect_fee = price("0.0000004");
    for (const auto rounding : {Rounding::up, Rounding::down, Rounding::half_up, Rounding::half_even}) {
        TariffSettings settings;
        settings.rounding = rounding;
        const seconds longest = longest_affordable(rate, settings, kAmountMax);
        EXPECT_EQ(longest, seconds{599});
        EXPECT_LE(cost(rate, settings, longest), kAmountMax);
        EXPECT_EQ(cost(rate, settings, longest + seconds{1}), kCostTooLarge);
    }
}

TEST(Charge, TiersPriceAStepByItsFirstSecond) {
    Rate rate = stepped_rate("0.20", 60, 60);
    rate.connect_fee = price("0.40");
    rate.tiers = {{60, 1, price("0.1")}};
    EXPECT_EQ(cost_of(rate, 60), money("0.6"));
    EXPECT_EQ(cost_of(rate, 120), money("0.7"));
    rate.tiers = {{90, 1, price("0.1")}};
    EXPECT_EQ(cost_of(rate, 121), money("0.801667")) << "the step begun at 60 is paid whole at its price";
    EXPECT_EQ(longest_affordable(rate, {}, money("0.81")), seconds{126});
}

// Rates that have nothing but price, connect fee, increments and grace have a short way: it is no other one.
TEST(Charge, APlainRateCostsWhatItCostsByAllRules) {
    std::mt19937_64 draw{7};
    const auto one_of = [&draw](auto... values) {
        const std::array choice{values...};
        return choice[draw() % choice.size()];
    };
    for (int i = 0; i < 20'000; ++i) {
        Rate rate;
        rate.price =
            Price::from_nanos(one_of(0L, 1L, 999'999L, 20'000'000L, 123'456'789L, kPriceMax.nanos()));
        rate.connect_fee = Price::from_nanos(one_of(0L, 0L, 1L, 50'000'000L));
        rate.initial_increment = one_of(0U, 1U, 6U, 30U, 60U, 3600U, kStepMax);
        rate.increment = one_of(1U, 1U, 6U, 18U, 60U, kStepMax);
        rate.grace_seconds = one_of(0U, 0U, 5U);
        TariffSettings settings;
        settings.decimals = static_cast<std::uint8_t>(draw() % (kDecimalsMax + 1));
        settings.rounding = one_of(Rounding::up, Rounding::half_up, Rounding::half_even, Rounding::down);
        settings.anchor = one_of(IncrementAnchor::end_of_initial, IncrementAnchor::zero);
        settings.markup = one_of(0L, 125'000L, kMarkupMin, kMarkupMax);
        const seconds duration{one_of(0L, 1L, 5L, 6L, 59L, 60L, 61L, 3'600L, 86'399L, kDurationMax.count())};
        const Money funds =
            Money::from_micros(one_of(-1L, 0L, 1L, 20'000L, 999'999L, 123'456'789L, kAmountMax.micros()));
        ASSERT_TRUE(is_plain(rate));
        Rate plain = rate;
        plain.plain = true;
        EXPECT_EQ(cost(plain, settings, duration), cost(rate, settings, duration)) << i;
        EXPECT_EQ(longest_affordable(plain, settings, funds), longest_affordable(rate, settings, funds)) << i;
        EXPECT_EQ(billed_seconds(plain, duration), billed_seconds(rate, duration)) << i;
        const auto free = [&](const RatedCall& call) { return is_free(call, duration); };
        EXPECT_EQ(of_rate(plain, settings, free), of_rate(rate, settings, free)) << i;
    }
}

TEST(Charge, FreeIsWhatCostsNothingForSoLong) {
    Rate rate = stepped_rate("0", 1, 1);
    rate.tiers = {{600, 1, price("0.1")}};
    const auto free_for = [&](int duration) {
        return of_rate(rate, {}, [&](const RatedCall& call) { return is_free(call, seconds{duration}); });
    };
    EXPECT_TRUE(free_for(600));
    EXPECT_FALSE(free_for(601));
    rate.connect_fee = price("0.01");
    EXPECT_FALSE(free_for(1));
    rate.max_charge = Price{};
    EXPECT_TRUE(free_for(3'600));
}

}  // namespace
}  // namespace tollgate::rating
