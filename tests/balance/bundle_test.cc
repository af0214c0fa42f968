#include "balance/bundle.h"

#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "balance/party_table.h"
#include "tests/support/literals.h"

namespace tollgate::balance {
namespace {

using tests::at;
using tests::new_york;

BundleSource source(const char* id, std::uint32_t seconds) {
    BundleSource source;
    source.id = id;
    source.seconds = seconds;
    return source;
}

struct House {
    PartyTable parties{1, 10};
    BundleBook book;
    Party& party = parties.get(parties.add({.id = "root",
                                            .kind = PartyKind::provider,
                                            .status = {},
                                            .currency = {},
                                            .credit_limit = {},
                                            .min_available = {},
                                            .tariff = {}}));

    BundleBook::AddStatus add(BundleSource source, const char* now = "2026-03-02T00:00:00Z") {
        return book.add(party, PartyId{0}, std::move(source), nullptr, at(now), [](const Bundle&) {});
    }
    std::size_t renew_due(rating::Instant now) {
        return book.renew_due(now, [](const Bundle&) {});
    }
    [[nodiscard]] std::string order() const {
        std::string ids;
        for (const Bundle& bundle : BundlesOf{party})
            ids += bundle.source().id + " ";
        return ids;
    }
};

TEST(Bundle, GivesWhatIsThereAndTakesItBack) {
    Bundle bundle{PartyId{0}, source("b", 100), 1};
    EXPECT_EQ(bundle.take(60).seconds, 60U);
    const Bundle::Taken rest = bundle.take(60);
    EXPECT_EQ(rest.seconds, 40U);
    EXPECT_EQ(bundle.take(1).seconds, 0U);
    EXPECT_EQ(bundle.stand().held, 100U);
    bundle.settle(rest.generation, 30, -40);  // Of 40 held seconds 10 were used.
    EXPECT_EQ(bundle.stand().available, 30U);
    EXPECT_EQ(bundle.stand().held, 60U);
}

TEST(Bundle, ForgetsWhatWasHeldBeforeItWasRenewed) {
    Bundle bundle{PartyId{0}, source("b", 100), 1};
    const Bundle::Taken old = bundle.take(60);
    bundle.renew();
    EXPECT_EQ(bundle.stand().available, 100U);
    EXPECT_EQ(bundle.stand().held, 0U);
    bundle.settle(old.generation, 60, -60);
    EXPECT_EQ(bundle.stand().available, 100U) << "seconds of an earlier month lapse";
    const Bundle::Taken fresh = bundle.take(10);
    bundle.settle(fresh.generation, 10, -10);
    EXPECT_EQ(bundle.stand().available, 100U);
}

TEST(Bundle, RenewsMoreOftenThanGenerationsAreCounted) {
    Bundle bundle{PartyId{0}, source("b", kBundleSecondsMax), 1};
    for (int month = 0; month < 300; ++month) {
        EXPECT_EQ(bundle.take(kBundleSecondsMax).seconds, kBundleSecondsMax);
        bundle.renew();
    }
    EXPECT_EQ(bundle.stand().available, kBundleSecondsMax);
}

TEST(BundleBook, PaysByPriorityThenExpiryThenAge) {
    House house;
    BundleSource late = source("late", 1);
    BundleSource soon = source("soon", 1);
    soon.expires = at("2027-01-01T00:00:00Z");
    BundleSource first = source("first", 1);
    first.priority = -1;
    BundleSource last = source("last", 1);
    last.priority = 1;
    for (const BundleSource& one : {last, late, source("later", 1), soon, first})
        EXPECT_EQ(house.add(one), BundleBook::AddStatus::added);
    EXPECT_EQ(house.order(), "first soon late later last ");
}

TEST(BundleBook, TakesOneOfAnIdOnceAndNoOther) {
    House house;
    EXPECT_EQ(house.add(source("b", 10)), BundleBook::AddStatus::added);
    EXPECT_EQ(house.add(source("b", 10)), BundleBook::AddStatus::known);
    EXPECT_EQ(house.add(source("b", 11)), BundleBook::AddStatus::differs);
    EXPECT_EQ(house.order(), "b ");
}

TEST(BundleBook, HasALimitThatLongExpiredOnesDoNotCountAgainst) {
    House house;
    for (std::size_t i = 0; i < kBundlesOfPartyMax; ++i) {
        BundleSource one = source(("b" + std::to_string(i)).c_str(), 10);
        if (i == 3) one.expires = at("2026-03-02T00:00:00Z");
        EXPECT_EQ(house.add(one), BundleBook::AddStatus::added);
    }
    EXPECT_EQ(house.add(source("more", 10), "2026-04-01T00:00:00Z"), BundleBook::AddStatus::too_many);
    EXPECT_EQ(house.add(source("more", 10), "2026-04-01T00:00:01Z"), BundleBook::AddStatus::added);
    EXPECT_EQ(house.order().find("b3 "), std::string::npos);
    EXPECT_EQ(BundlesOf{house.party}.find(4), nullptr) << "b3 was the fourth";
    EXPECT_NE(BundlesOf{house.party}.find(5), nullptr);
}

// March 2024 in New York begins at 05:00Z and April, in summer time, at 04:00Z; in Kathmandu May begins at
// 18:15Z.
TEST(NextMonth, BeginsAtLocalMidnight) {
    const rating::TimeZone zone = new_york();
    EXPECT_EQ(next_month(&zone, at("2024-02-10T00:00:00Z")), at("2024-03-01T05:00:00Z"));
    EXPECT_EQ(next_month(&zone, at("2024-03-01T04:59:59Z")), at("2024-03-01T05:00:00Z"));
    EXPECT_EQ(next_month(&zone, at("2024-03-01T05:00:00Z")), at("2024-04-01T04:00:00Z"));
    EXPECT_EQ(next_month(&zone, at("2024-12-31T23:00:00Z")), at("2025-01-01T05:00:00Z"));
    const rating::TimeZone kathmandu{20'700, {}};
    EXPECT_EQ(next_month(&kathmandu, at("2024-04-30T18:14:59Z")), at("2024-04-30T18:15:00Z"));
    EXPECT_EQ(next_month(nullptr, at("2026-02-28T23:59:59Z")), at("2026-03-01T00:00:00Z"));
    // Clocks that go from 00:00 to 01:00 on the first of a month: it begins when they do.
    const rating::TimeZone skips{
        -10'800, {{at("2018-11-01T03:00:00Z").time_since_epoch().count() / 1'000'000'000, -7'200}}};
    EXPECT_EQ(next_month(&skips, at("2018-10-15T00:00:00Z")), at("2018-11-01T03:00:00Z"));
}

TEST(BundleBook, RenewsOnceAMonthAndOnceAfterALongPause) {
    House house;
    BundleSource monthly = source("m", 100);
    monthly.monthly = true;
    monthly.expires = at("2026-09-15T00:00:00Z");
    house.add(monthly);
    house.add(source("once", 100));
    Bundle& bundle = *BundlesOf{house.party}.begin();
    bundle.take(70);
    EXPECT_EQ(house.renew_due(at("2026-03-31T23:59:59Z")), 0U);
    EXPECT_EQ(house.renew_due(at("2026-04-01T00:00:00Z")), 1U);
    EXPECT_EQ(house.renew_due(at("2026-04-01T00:00:01Z")), 0U);
    EXPECT_EQ(bundle.stand().available, 100U);
    bundle.take(70);
    EXPECT_EQ(house.renew_due(at("2026-08-05T00:00:00Z")), 1U) << "one, not four";
    EXPECT_EQ(bundle.stand().generation, 2U);
    EXPECT_EQ(house.renew_due(at("2026-09-01T00:00:00Z")), 1U);
    EXPECT_EQ(house.renew_due(at("2027-01-01T00:00:00Z")), 0U) << "it has expired";
}

// Goal: no two calls ever have the same second, and none is lost.
// Method: threads take and give back at random; one at a time renews. What each has is noted by generation.
TEST(BundleThreads, EverySecondIsHadOnce) {
    constexpr std::uint32_t kSeconds = 1'000;
    Bundle bundle{PartyId{0}, source("b", kSeconds), 1};
    std::atomic<std::uint64_t> used{0};
    {
        std::vector<std::jthread> callers;
        for (std::uint32_t caller = 0; caller < 4; ++caller) {
            callers.emplace_back([&bundle, &used, caller] {
                for (std::uint32_t i = 0; i < 20'000; ++i) {
                    const Bundle::Taken taken = bundle.take((i * 7 + caller) % 90);
                    const std::uint32_t spent = i % 4'000 == 0 ? std::min(taken.seconds, 3U) : 0;
                    used += spent;
                    bundle.settle(taken.generation, std::int64_t{taken.seconds} - spent,
                                  -std::int64_t{taken.seconds});
                }
            });
        }
    }
    EXPECT_EQ(bundle.stand().held, 0U);
    EXPECT_EQ(bundle.stand().available + used, kSeconds);
}

}  // namespace
}  // namespace tollgate::balance
