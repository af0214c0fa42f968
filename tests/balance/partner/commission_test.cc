#include "balance/partner/commission.h"

#include <algorithm>
#include <numeric>
#include <random>

#include <gtest/gtest.h>

#include "tests/support/literals.h"

namespace tollgate::balance {
namespace {

using tests::money;

Percent percent(const char* text) {
    return *rating::parse_percent(text);
}

std::vector<Money> all_of(std::initializer_list<const char*> texts) {
    std::vector<Money> amounts;
    for (const char* const text : texts)
        amounts.push_back(money(text));
    return amounts;
}

Money sum_of(const std::vector<Money>& amounts) {
    return std::accumulate(amounts.begin(), amounts.end(), Money{});
}

TEST(Commission, OfASale) {
    const auto [commission, rest] = split_commission(money("10"), percent("15"));
    EXPECT_EQ(commission, money("1.5"));
    EXPECT_EQ(rest, money("8.5"));
}

TEST(Commission, OfAPaymentIsExact) {
    EXPECT_EQ(split_commission(money("10"), percent("10")).rest, money("9"));
    EXPECT_EQ(split_commission(money("0.03"), percent("10")).commission, money("0.003"));
    EXPECT_EQ(split_commission(money("0.03"), percent("10")).rest, money("0.027"));
    EXPECT_EQ(split_commission(money("50"), percent("12.5")).commission, money("6.25"));
}

TEST(Commission, BelowAMicroUnitStaysWithTheProvider) {
    EXPECT_EQ(split_commission(money("0.000009"), percent("10")).commission, Money{});
    EXPECT_EQ(split_commission(money("0.000009"), percent("10")).rest, money("0.000009"));
    // 15 % of 0.00001 are 1.5 micro-units.
    EXPECT_EQ(split_commission(money("0.00001"), percent("15")).commission, money("0.000001"));
}

TEST(Commission, MayBeNothingOrAll) {
    EXPECT_EQ(split_commission(money("10"), Percent{}).rest, money("10"));
    EXPECT_EQ(split_commission(money("10"), kCommissionMax).rest, Money{});
}

TEST(CommissionCascade, EachGetsHisPercentageOfWhatTheOneAboveGot) {
    const std::vector<Percent> ten(3, percent("10"));
    const auto shares = [&](std::size_t levels) {
        return share_commission(CommissionPolicy::cascade, money("100"), std::span{ten}.first(levels));
    };
    EXPECT_EQ(shares(0), all_of({}));
    EXPECT_EQ(shares(1), all_of({"10"}));
    EXPECT_EQ(shares(2), all_of({"9", "1"}));
    EXPECT_EQ(shares(3), all_of({"9", "0.9", "0.1"}));
    // 20 % of 100, 10 % of 20, 5 % of 2.
    const std::vector<Percent> differing = {percent("20"), percent("10"), percent("5")};
    EXPECT_EQ(share_commission(CommissionPolicy::cascade, money("100"), differing),
              all_of({"18", "1.9", "0.1"}));
}

TEST(CommissionCascade, RoundsDownAtEachStepAndLosesNothing) {
    // 33 % of 0.000010 is 3 micro-units, 33 % of them none.
    const std::vector<Percent> thirds(3, percent("33"));
    EXPECT_EQ(share_commission(CommissionPolicy::cascade, money("0.00001"), thirds),
              all_of({"0.000003", "0", "0"}));
}

TEST(CommissionPerLevel, EachGetsHisPercentageOfTheSaleLessWhatThoseBelowGet) {
    const auto shares = [](std::vector<Percent> percents) {
        return share_commission(CommissionPolicy::per_level, money("100"), percents);
    };
    EXPECT_EQ(shares({percent("20"), percent("15"), percent("10")}), all_of({"5", "5", "10"}));
    EXPECT_EQ(shares({percent("10"), percent("10")}), all_of({"0", "10"}));
    EXPECT_EQ(shares({percent("5"), percent("15"), percent("10")}), all_of({"0", "5", "10"}))
        << "nobody pays for those below him";
    EXPECT_EQ(shares({percent("20"), percent("5"), percent("10")}), all_of({"10", "0", "10"}));
}

// Goal: whatever the percentages, nobody gets less than nothing, and all together the first percentage of the
// sale (cascade) or the highest one (per level). Method: random sales and percentages.
TEST(Commission, SharesAddUp) {
    std::mt19937_64 engine{7};
    for (int round = 0; round < 2'000; ++round) {
        const Money sale = Money::from_micros(static_cast<std::int64_t>(engine() % 1'000'000'000));
        std::vector<Percent> percents;
        for (std::size_t levels = engine() % 16 + 1; levels > 0; --levels) {
            percents.push_back(
                Percent::from_millionths(static_cast<std::int64_t>(engine() % (Percent::kWhole + 1))));
        }
        const auto cascade = share_commission(CommissionPolicy::cascade, sale, percents);
        const auto per_level = share_commission(CommissionPolicy::per_level, sale, percents);
        EXPECT_EQ(sum_of(cascade), share_of(sale, percents.front()));
        EXPECT_EQ(sum_of(per_level), share_of(sale, *std::max_element(percents.begin(), percents.end())));
        for (std::size_t i = 0; i < percents.size(); ++i) {
            EXPECT_GE(cascade[i], Money{});
            EXPECT_GE(per_level[i], Money{});
        }
    }
}

TEST(Margins, AreWhatIsLeftOfEachPrice) {
    EXPECT_EQ(margins(all_of({"1000", "800", "700"})), all_of({"200", "100", "700"}));
    EXPECT_EQ(margins(all_of({"1000"})), all_of({"1000"}));
    EXPECT_EQ(margins({}), all_of({}));
}

TEST(Margins, OfWhoSellsBelowWhatHePaysAreBelowZero) {
    EXPECT_EQ(margins(all_of({"700", "800", "600"})), all_of({"-100", "200", "600"}));
    EXPECT_EQ(sum_of(margins(all_of({"700", "800", "600"}))), money("700"));
}

}  // namespace
}  // namespace tollgate::balance
