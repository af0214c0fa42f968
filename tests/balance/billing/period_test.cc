#include "balance/billing/period.h"

#include <algorithm>
#include <random>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/literals.h"

namespace tollgate::balance {
namespace {

using std::chrono::hours;
using tests::at;
using tests::new_york;

std::int64_t second(const char* text) {
    return std::chrono::floor<std::chrono::seconds>(at(text)).time_since_epoch().count();
}

Period period(const char* begin, const char* until) {
    return {at(begin), at(until)};
}

const rating::TimeZone utc;

TEST(BillingPeriod, HasANameEach) {
    for (const char* const name :
         {"daily", "weekly", "semimonthly", "monthly", "anniversary", "thirty_days"}) {
        const auto parsed = parse_billing_period(name);
        ASSERT_TRUE(parsed.has_value()) << name;
        EXPECT_EQ(text_of(*parsed), name);
    }
    EXPECT_EQ(parse_billing_period("yearly"), std::nullopt);
}

TEST(BillingCalendar, MonthsAreThoseOfItsZone) {
    const rating::TimeZone zone = new_york();
    const BillingCalendar calendar{BillingPeriod::monthly, zone, at("2020-01-01T00:00:00Z")};
    const Period march = calendar.at(at("2024-03-20T00:00:00Z"));
    EXPECT_EQ(march, period("2024-03-01T05:00:00Z", "2024-04-01T04:00:00Z"));
    EXPECT_EQ(march.until - march.begin, hours{743});
    const Period november = calendar.at(at("2024-11-30T23:00:00Z"));
    EXPECT_EQ(november, period("2024-11-01T04:00:00Z", "2024-12-01T05:00:00Z"));
    EXPECT_EQ(november.until - november.begin, hours{721});
}

TEST(BillingCalendar, IsHalfOpen) {
    const rating::TimeZone zone = new_york();
    const BillingCalendar calendar{BillingPeriod::monthly, zone, at("2020-01-01T00:00:00Z")};
    const Period march = calendar.at(at("2024-03-01T05:00:00Z"));
    EXPECT_EQ(march.begin, at("2024-03-01T05:00:00Z"));
    EXPECT_TRUE(march.contains(march.begin));
    EXPECT_FALSE(march.contains(march.until));
    EXPECT_EQ(calendar.at(march.until - std::chrono::nanoseconds{1}), march);
    EXPECT_EQ(calendar.at(march.until).begin, march.until);
    EXPECT_EQ(calendar.next(march).begin, march.until);
}

TEST(BillingCalendar, ADayWhoseMidnightIsSkippedBeginsAtItsFirstSecond) {
    const rating::TimeZone sao_paulo{-3 * 3'600, {{second("2018-11-04T03:00:00Z"), -2 * 3'600}}};
    const BillingCalendar calendar{BillingPeriod::daily, sao_paulo, at("2018-01-01T00:00:00Z")};
    EXPECT_EQ(calendar.at(at("2018-11-04T12:00:00Z")),
              period("2018-11-04T03:00:00Z", "2018-11-05T02:00:00Z"));
    EXPECT_EQ(calendar.at(at("2018-11-04T02:59:59Z")),
              period("2018-11-03T03:00:00Z", "2018-11-04T03:00:00Z"));
}

TEST(BillingCalendar, ADayThatClocksShowTwiceBeginsOnce) {
    // At one past midnight clocks go back to 23:01.
    const rating::TimeZone zone{-2 * 3'600, {{second("2026-10-25T02:01:00Z"), -3 * 3'600}}};
    const BillingCalendar calendar{BillingPeriod::daily, zone, at("2026-01-01T00:00:00Z")};
    const Period day = period("2026-10-25T02:00:00Z", "2026-10-26T03:00:00Z");
    EXPECT_EQ(calendar.at(at("2026-10-25T02:00:00Z")), day);
    EXPECT_EQ(calendar.at(at("2026-10-25T02:30:00Z")), day) << "clocks show 23:30 of the day before";
    EXPECT_EQ(calendar.at(at("2026-10-25T03:00:00Z")), day);
    EXPECT_EQ(calendar.at(at("2026-10-25T01:59:59Z")).until, day.begin);
}

TEST(BillingCalendar, ADayThatNeverWasIsNoPeriod) {
    // Samoa went from the end of 29 December 2011 to the beginning of the 31st.
    const rating::TimeZone apia{-10 * 3'600, {{second("2011-12-30T10:00:00Z"), 14 * 3'600}}};
    const BillingCalendar calendar{BillingPeriod::daily, apia, at("2011-01-01T00:00:00Z")};
    const Period last = calendar.at(at("2011-12-30T09:59:59Z"));
    EXPECT_EQ(last, period("2011-12-29T10:00:00Z", "2011-12-30T10:00:00Z"));
    EXPECT_EQ(calendar.next(last), period("2011-12-30T10:00:00Z", "2011-12-31T10:00:00Z"));
}

TEST(BillingCalendar, TheFirstDayBeginsWithTheParty) {
    const BillingCalendar calendar{BillingPeriod::daily, utc, at("2024-03-11T12:00:00Z")};
    EXPECT_EQ(calendar.first(), period("2024-03-11T12:00:00Z", "2024-03-12T00:00:00Z"));
    EXPECT_EQ(calendar.next(calendar.first()), period("2024-03-12T00:00:00Z", "2024-03-13T00:00:00Z"));
    EXPECT_EQ(calendar.at(at("2024-01-01T00:00:00Z")), calendar.first()) << "nothing is before it";
}

TEST(BillingCalendar, WeeksGoFromMondayToSunday) {
    // 6 March 2024 is a Wednesday.
    const BillingCalendar calendar{BillingPeriod::weekly, utc, at("2024-03-06T10:00:00Z")};
    EXPECT_EQ(calendar.first(), period("2024-03-06T10:00:00Z", "2024-03-11T00:00:00Z"));
    EXPECT_EQ(calendar.next(calendar.first()), period("2024-03-11T00:00:00Z", "2024-03-18T00:00:00Z"));
}

TEST(BillingCalendar, WeeksMayBeginOnAnotherDay) {
    const BillingCalendar calendar{BillingPeriod::weekly, utc, at("2009-01-01T00:00:00Z"),
                                   std::chrono::Tuesday};
    EXPECT_EQ(calendar.at(at("2009-03-30T12:00:00Z")),
              period("2009-03-24T00:00:00Z", "2009-03-31T00:00:00Z"));
}

TEST(BillingCalendar, HalvesOfMonthsBeginOnThe1stAndThe16th) {
    const BillingCalendar calendar{BillingPeriod::semimonthly, utc, at("2024-02-20T00:00:00Z")};
    EXPECT_EQ(calendar.first(), period("2024-02-20T00:00:00Z", "2024-03-01T00:00:00Z"));
    EXPECT_EQ(calendar.next(calendar.first()), period("2024-03-01T00:00:00Z", "2024-03-16T00:00:00Z"));
    EXPECT_EQ(calendar.at(at("2024-12-31T23:59:59Z")),
              period("2024-12-16T00:00:00Z", "2025-01-01T00:00:00Z"));
}

TEST(BillingCalendar, AnAnniversaryIsTheDayOfTheMonth) {
    const BillingCalendar calendar{BillingPeriod::anniversary, utc, at("2024-03-19T09:00:00Z")};
    EXPECT_EQ(calendar.first(), period("2024-03-19T09:00:00Z", "2024-04-19T00:00:00Z"));
    EXPECT_EQ(calendar.next(calendar.first()), period("2024-04-19T00:00:00Z", "2024-05-19T00:00:00Z"));
    EXPECT_EQ(calendar.at(at("2025-01-18T23:00:00Z")),
              period("2024-12-19T00:00:00Z", "2025-01-19T00:00:00Z"));
}

TEST(BillingCalendar, AnAnniversaryAfterThe28thIsThe28th) {
    const BillingCalendar calendar{BillingPeriod::anniversary, utc, at("2024-03-30T09:00:00Z")};
    EXPECT_EQ(calendar.first(), period("2024-03-30T09:00:00Z", "2024-04-28T00:00:00Z"));
    EXPECT_EQ(calendar.next(calendar.first()), period("2024-04-28T00:00:00Z", "2024-05-28T00:00:00Z"));
    const BillingCalendar january{BillingPeriod::anniversary, utc, at("2023-01-31T09:00:00Z")};
    EXPECT_EQ(january.first().until, at("2023-02-28T00:00:00Z"));
    EXPECT_EQ(january.next(january.first()).until, at("2023-03-28T00:00:00Z"));
}

TEST(BillingCalendar, ThirtyDaysAreCountedFromTheFirst) {
    const BillingCalendar calendar{BillingPeriod::thirty_days, utc, at("2024-03-20T12:00:00Z")};
    EXPECT_EQ(calendar.first(), period("2024-03-20T12:00:00Z", "2024-04-19T00:00:00Z"));
    EXPECT_EQ(calendar.next(calendar.first()), period("2024-04-19T00:00:00Z", "2024-05-19T00:00:00Z"));
}

// Goal: each moment is in exactly one period, whatever clocks do. Method: random zones with changes of up to
// a day either way; walking from period to period and asking for random moments give the same periods.
TEST(BillingCalendar, PeriodsLeaveNoGapAndNeverMeet) {
    std::mt19937_64 engine{11};
    const auto below = [&engine](std::int64_t bound) {
        return static_cast<std::int64_t>(engine() % static_cast<std::uint64_t>(bound));
    };
    const Instant begin = at("2024-01-31T17:00:00Z");
    for (int round = 0; round < 200; ++round) {
        std::vector<rating::TimeZone::Change> changes;
        for (std::int64_t when = second("2024-01-01T00:00:00Z"); changes.size() < 12;) {
            when += 3 * 86'400 + below(60 * 86'400);
            changes.push_back({when, static_cast<std::int32_t>(below(26 * 60) - 12 * 60) * 60});
        }
        const rating::TimeZone zone{0, changes};
        for (const BillingPeriod kind :
             {BillingPeriod::daily, BillingPeriod::weekly, BillingPeriod::semimonthly, BillingPeriod::monthly,
              BillingPeriod::anniversary, BillingPeriod::thirty_days}) {
            const BillingCalendar calendar{kind, zone, begin};
            std::vector<Period> walked;
            for (Period one = calendar.first(); one.begin < begin + hours{24 * 400};
                 one = calendar.next(one)) {
                ASSERT_LT(one.begin, one.until);
                ASSERT_EQ(one.begin, walked.empty() ? begin : walked.back().until);
                walked.push_back(one);
            }
            for (int i = 0; i < 50; ++i) {
                const Instant moment = begin + std::chrono::seconds{below(400 * 86'400)};
                const Period found = calendar.at(moment);
                ASSERT_TRUE(found.contains(moment));
                ASSERT_NE(std::find(walked.begin(), walked.end(), found), walked.end());
            }
        }
    }
}

}  // namespace
}  // namespace tollgate::balance
