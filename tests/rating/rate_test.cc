#include "rating/rate.h"

#include <random>

#include <gtest/gtest.h>

namespace tollgate::rating {
namespace {

using std::chrono::seconds;

Price price(const char* text) {
    return *parse_price(text);
}
Money money(const char* text) {
    return *parse_money(text);
}
Money cost_of(const Rate& rate, int duration, const TariffSettings& settings = {}) {
    return cost(rate, settings, seconds{duration});
}
Rate simple(const char* per_minute, std::uint32_t initial, std::uint32_t increment) {
    Rate rate;
    rate.price = price(per_minute);
    rate.initial_increment = initial;
    rate.increment = increment;
    return rate;
}

TEST(Rate, ChargesWholeSteps) {
    EXPECT_EQ(cost_of(simple("0.12", 60, 60), 61), money("0.24"));
    EXPECT_EQ(cost_of(simple("0.06", 30, 6), 31), money("0.036"));
    EXPECT_EQ(cost_of(simple("0.02", 1, 1), 60), money("0.02")) << "not 0.0198: rounded once, at the end";
    EXPECT_EQ(cost_of(simple("0.12", 60, 60), 0), money("0"));
}

TEST(Rate, CountsIncrementsFromItsAnchor) {
    const Rate rate = simple("0.30", 30, 18);
    TariffSettings zero;
    zero.anchor = IncrementAnchor::zero;
    EXPECT_EQ(cost_of(rate, 31), money("0.24")) << "48 s";
    EXPECT_EQ(cost_of(rate, 31, zero), money("0.18")) << "36 s";
    EXPECT_EQ(cost_of(rate, 37, zero), money("0.27")) << "54 s";
    EXPECT_EQ(cost_of(rate, 29, zero), money("0.15")) << "the initial 30 s, though 36 would be a multiple";
}

TEST(Rate, GraceIsFreeOfAllFees) {
    Rate rate = simple("0.60", 1, 1);
    rate.connect_fee = price("0.1");
    rate.min_charge = price("5");
    rate.disconnect_fee = price("0.1");
    rate.grace_seconds = 3;
    EXPECT_EQ(cost_of(rate, 3), money("0"));
    EXPECT_EQ(cost_of(rate, 4), money("5"));
}

TEST(Rate, IncludedSecondsCostTheFeesOnly) {
    Rate rate = simple("0.30", 60, 60);
    rate.connect_fee = price("0.05");
    rate.included_seconds = 30;
    EXPECT_EQ(cost_of(rate, 30), money("0.05"));
    EXPECT_EQ(cost_of(rate, 91), money("0.65"));
    EXPECT_EQ(billed_seconds(rate, IncrementAnchor::end_of_initial, seconds{91}), seconds{120});
    EXPECT_EQ(billed_seconds(rate, IncrementAnchor::end_of_initial, seconds{30}), seconds{0});
}

TEST(Rate, TheDisconnectFeeIsDueFromItsSecondOn) {
    Rate rate = simple("0.30", 1, 1);
    rate.connect_fee = price("0.05");
    rate.disconnect_fee = price("0.02");
    rate.disconnect_after = 60;
    EXPECT_EQ(cost_of(rate, 59), money("0.345"));
    EXPECT_EQ(cost_of(rate, 60), money("0.37"));
}

TEST(Rate, StaysWithinItsBounds) {
    Rate rate = simple("0.30", 1, 1);
    rate.min_charge = price("0.25");
    rate.max_charge = price("0.50");
    EXPECT_EQ(cost_of(rate, 50), money("0.25"));
    EXPECT_EQ(cost_of(rate, 51), money("0.255"));
    EXPECT_EQ(cost_of(rate, 1'000), money("0.5"));
    rate.max_charge = price("0.1");
    EXPECT_EQ(cost_of(rate, 1), money("0.1")) << "the maximum is applied last";
}

TEST(Rate, MarkupIsOnThePriceNotOnTheFees) {
    Rate rate = simple("0.10", 60, 60);
    rate.connect_fee = price("0.05");
    TariffSettings settings;
    settings.markup = 125'000;  // 12.5 %
    EXPECT_EQ(cost_of(rate, 60, settings), money("0.1625"));
    EXPECT_EQ(price_with_markup(rate, settings), price("0.1125"));
    settings.markup = kMarkupMin;
    EXPECT_EQ(cost_of(rate, 60, settings), money("0.05"));
}

// Goal: each way to round, at and beside its border. 0.0005 a minute for 60 s, to 3 places.
TEST(Rate, RoundsOnce) {
    TariffSettings settings;
    settings.decimals = 3;
    const auto rounded = [&](Rounding rounding, const char* per_minute) {
        settings.rounding = rounding;
        return cost_of(simple(per_minute, 60, 60), 60, settings);
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

TEST(Rate, ACostBeyondAllBoundsIsNoAmount) {
    EXPECT_EQ(cost_of(simple("1000000000", 1, 1), 1'000'000'000), kCostTooLarge);
    TariffSettings settings;
    settings.markup = kMarkupMax;
    EXPECT_EQ(cost_of(simple("1000000000", 1'000'000'000, 1'000'000'000), 1'000'000'000, settings),
              kCostTooLarge);
    EXPECT_EQ(cost_of(simple("1000000000", 60, 60), 600), kAmountMax);
    EXPECT_EQ(cost_of(simple("1000000000", 60, 60), 601), kCostTooLarge);
}

TEST(Rate, LongestAffordableTime) {
    const auto longest = [](const Rate& rate, const char* funds) {
        return longest_affordable(rate, {}, money(funds));
    };
    EXPECT_EQ(longest(simple("0.30", 60, 60), "0.89"), seconds{120});
    EXPECT_EQ(longest(simple("0.30", 60, 60), "0.29"), seconds{0});
    EXPECT_EQ(longest(simple("0.10", 6, 6), "0.10"), seconds{60});
    EXPECT_EQ(longest(simple("0", 1, 1), "0"), kUnlimited);
    EXPECT_EQ(longest(simple("0", 1, 1), "-0.01"), seconds{0}) << "nothing is affordable below zero";
    Rate capped = simple("0.30", 1, 1);
    capped.max_charge = price("1");
    EXPECT_EQ(longest(capped, "1"), kUnlimited);
    EXPECT_EQ(longest(capped, "0.99"), seconds{198});
    Rate graced = simple("0.30", 60, 60);
    graced.grace_seconds = 5;
    EXPECT_EQ(longest(graced, "0.1"), seconds{5}) << "the grace is free";
}

// Goal: at the largest amount there is, what is affordable costs no more than that and is an amount.
TEST(Rate, TheLargestAmountIsABorderLikeAnyOther) {
    Rate rate = simple("1000000000", 1, 1);
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

/// The rules of docs/money.md walked step by step, in units of 1/60'000'000 nano-unit.
Money walked(const Rate& rate, const TariffSettings& settings, std::int64_t used) {
    __extension__ typedef __int128 Wide;
    constexpr Wide kNano = 60 * 1'000'000;
    if (used == 0 || used <= rate.grace_seconds) return {};
    Wide total = rate.connect_fee.nanos() * kNano;
    std::int64_t elapsed = rate.included_seconds;
    while (elapsed < used) {
        const std::int64_t paid = elapsed - rate.included_seconds;
        std::int64_t step = rate.increment;
        if (paid == 0 && rate.initial_increment > 0) {
            step = rate.initial_increment;
        } else if (settings.anchor == IncrementAnchor::zero) {
            step -= paid % step;
        }
        total += Wide{rate.price.nanos()} * (kMarkupUnit + settings.markup) * step;
        elapsed += step;
    }
    if (used >= rate.disconnect_after) total += rate.disconnect_fee.nanos() * kNano;
    total = std::max(total, rate.min_charge.nanos() * kNano);
    if (rate.max_charge) total = std::min(total, rate.max_charge->nanos() * kNano);
    std::int64_t unit_micros = 1;
    for (int i = settings.decimals; i < 6; ++i)
        unit_micros *= 10;
    const Wide unit = kNano * 1'000 * unit_micros;
    Wide units = total / unit;
    const Wide rest = total % unit;
    if (settings.rounding == Rounding::up && rest > 0) ++units;
    if (settings.rounding == Rounding::half_up && 2 * rest >= unit) ++units;
    if (settings.rounding == Rounding::half_even && (2 * rest > unit || (2 * rest == unit && units % 2 == 1)))
        ++units;
    return Money::from_micros(static_cast<std::int64_t>(units * unit_micros));
}

// Goal: cost is what the walk says, and cost(longest) <= funds < cost(longest + 1), for every tariff.
// Method: random rates of small whole numbers, so that borders meet often, with every feature present or not.
TEST(Rate, ClosedFormsAgreeWithTheWalkOnRandomTariffs) {
    std::mt19937_64 random{42};
    const auto up_to = [&](std::uint64_t most) { return static_cast<std::uint32_t>(random() % (most + 1)); };
    const auto maybe = [&](std::uint32_t value) { return up_to(2) == 0 ? value : 0; };
    for (int round = 0; round < 20'000; ++round) {
        Rate rate;
        TariffSettings settings;
        rate.price = Price::from_nanos(maybe(3) != 0 ? 0 : up_to(900'000'000));
        rate.initial_increment = up_to(2) == 0 ? up_to(1) : up_to(90);
        rate.increment = 1 + up_to(up_to(1) == 0 ? 5 : 70);
        rate.connect_fee = Price::from_nanos(maybe(up_to(500'000'000)));
        rate.disconnect_fee = Price::from_nanos(maybe(up_to(500'000'000)));
        rate.disconnect_after = maybe(up_to(200));
        rate.grace_seconds = maybe(up_to(20));
        rate.included_seconds = maybe(up_to(90));
        rate.min_charge = Price::from_nanos(maybe(up_to(900'000'000)));
        if (up_to(3) == 0) rate.max_charge = Price::from_nanos(up_to(2'000'000'000));
        settings.decimals = static_cast<std::uint8_t>(up_to(6));
        settings.rounding = static_cast<Rounding>(up_to(3));
        settings.anchor = static_cast<IncrementAnchor>(up_to(1));
        settings.markup = up_to(2) == 0 ? static_cast<std::int64_t>(up_to(2'000'000)) - 1'000'000 : 0;
        const Money funds = Money::from_micros(up_to(up_to(1) == 0 ? 3'000'000 : 400'000));
        constexpr std::int64_t kWalkMax = 400;
        const seconds longest = longest_affordable(rate, settings, funds);
        for (std::int64_t used = 0; used <= kWalkMax; ++used) {
            const Money expected = walked(rate, settings, used);
            ASSERT_EQ(cost(rate, settings, seconds{used}), expected) << "round " << round << " used " << used;
            ASSERT_EQ(expected <= funds, seconds{used} <= longest) << "round " << round << " used " << used;
        }
        if (longest != kUnlimited) {
            ASSERT_LE(walked(rate, settings, longest.count()), funds) << round;
            ASSERT_GT(walked(rate, settings, longest.count() + 1), funds) << round;
        }
    }
}

}  // namespace
}  // namespace tollgate::rating
