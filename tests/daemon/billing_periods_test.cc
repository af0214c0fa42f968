// Billing periods in the zones of the system's database, and by the published cases beside the repository.
#include <chrono>
#include <fstream>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "balance/billing/period.h"
#include "daemon/time_zones.h"
#include "rating/csv.h"
#include "tests/support/literals.h"

namespace tollgate::daemon {
namespace {

using balance::BillingCalendar;
using balance::BillingPeriod;
using balance::Period;
using rating::Instant;
using tests::at;

struct Row {
    std::string id;
    std::string what;
    std::string expected;
};

std::vector<Row> time_zone_rows() {
    std::ifstream file{TOLLGATE_MONEY_VECTORS, std::ios::binary};
    std::vector<Row> rows;
    const std::string text{std::istreambuf_iterator<char>{file}, {}};
    rating::CsvReader reader;
    for (std::string_view rest = text; reader.next(rest, true) == rating::CsvReader::Status::row;
         rest.remove_prefix(reader.consumed())) {
        const auto fields = reader.fields();
        if (fields.size() == 5 && fields[0].starts_with("TZ"))
            rows.push_back({std::string{fields[0]}, std::string{fields[3]}, std::string{fields[4]}});
    }
    return rows;
}

/// What stands in a text behind `before`, up to `after`; empty where there is no such thing.
std::string between(const std::string& text, std::string_view before, std::string_view after) {
    const std::size_t begin = text.find(before);
    if (begin == std::string::npos) return {};
    const std::size_t end = text.find(after, begin + before.size());
    return end == std::string::npos ? std::string{}
                                    : text.substr(begin + before.size(), end - begin - before.size());
}

/// `daily period, ZONE, local [DATE, DATE)` and `UTC [INSTANT, INSTANT), N h…`.
void expect_period_of_a_zone(const Row& row) {
    const std::string begin = between(row.expected, "UTC [", ", ");
    const std::string until = between(row.expected, begin + ", ", ")");
    const std::string hours = between(row.expected, until + "), ", " h");
    ASSERT_FALSE(begin.empty() || until.empty() || hours.empty()) << row.expected;
    const TimeZones zones;
    const auto zone = zones.find(between(row.what, "period, ", ","));
    ASSERT_NE(zone, nullptr) << row.what;
    const Period period{at(begin), at(until)};
    const auto kind = balance::parse_billing_period(row.what.substr(0, row.what.find(' ')));
    ASSERT_TRUE(kind.has_value()) << row.what;
    // Weeks begin on the weekday that the row's week begins on.
    const auto first_day =
        std::chrono::floor<std::chrono::days>(at(between(row.what, "local [", ",") + ":00Z"));
    const BillingCalendar calendar{*kind, *zone, period.begin - std::chrono::hours{24 * 400},
                                   std::chrono::weekday{first_day}};
    const auto second = std::chrono::seconds{1};
    for (const Instant moment : {period.begin, period.begin + (period.until - period.begin) / 2,
                                 period.until - std::chrono::nanoseconds{1}})
        EXPECT_EQ(calendar.at(moment), period);
    EXPECT_EQ(calendar.at(period.begin - second).until, period.begin);
    EXPECT_EQ(calendar.at(period.until).begin, period.until);
    EXPECT_EQ(period.until - period.begin, std::chrono::hours{std::stoi(hours)});
}

/// The first two periods of a party that is billed since a moment, in UTC.
std::pair<Period, Period> first_two(BillingPeriod kind, const char* since) {
    static const rating::TimeZone utc;
    const BillingCalendar calendar{kind, utc, at(since)};
    return {calendar.first(), calendar.next(calendar.first())};
}

Period period(const char* begin, const char* until) {
    return {at(begin), at(until)};
}

TEST(BillingPeriods, OfTheMoneyVectors) {
    const auto rows = time_zone_rows();
    if (rows.empty()) GTEST_SKIP() << TOLLGATE_MONEY_VECTORS << " is not there";
    for (const Row& row : rows) {
        SCOPED_TRACE(row.id + ": " + row.what);
        if (!between(row.what, "local [", ")").empty()) {
            expect_period_of_a_zone(row);
        } else if (row.what == "monthly (anniversary), created 30 March") {
            EXPECT_EQ(row.expected, "first invoice 30 Mar - 28 Apr, next 28 Apr - 28 May (29/30/31 -> 28)");
            EXPECT_EQ(first_two(BillingPeriod::anniversary, "2026-03-30T00:00:00Z"),
                      std::pair(period("2026-03-30T00:00:00Z", "2026-04-28T00:00:00Z"),
                                period("2026-04-28T00:00:00Z", "2026-05-28T00:00:00Z")));
        } else if (row.what == "weekly, created on Wednesday") {
            EXPECT_EQ(row.expected, "first Wed-Sun, then Mon-Sun");
            // 4 March 2026 is a Wednesday.
            EXPECT_EQ(first_two(BillingPeriod::weekly, "2026-03-04T00:00:00Z"),
                      std::pair(period("2026-03-04T00:00:00Z", "2026-03-09T00:00:00Z"),
                                period("2026-03-09T00:00:00Z", "2026-03-16T00:00:00Z")));
        } else if (row.what == "semimonthly") {
            EXPECT_EQ(row.expected, "1-15 and 16-last day");
            EXPECT_EQ(first_two(BillingPeriod::semimonthly, "2026-02-01T00:00:00Z"),
                      std::pair(period("2026-02-01T00:00:00Z", "2026-02-16T00:00:00Z"),
                                period("2026-02-16T00:00:00Z", "2026-03-01T00:00:00Z")));
        } else if (row.what == "daily, account active 11 March 12:00") {
            EXPECT_EQ(row.expected, "first invoice until 12 March 00:00, then whole days");
            EXPECT_EQ(first_two(BillingPeriod::daily, "2026-03-11T12:00:00Z"),
                      std::pair(period("2026-03-11T12:00:00Z", "2026-03-12T00:00:00Z"),
                                period("2026-03-12T00:00:00Z", "2026-03-13T00:00:00Z")));
        } else {
            ADD_FAILURE() << "nothing here shows this row";
        }
    }
}

// Half an hour of summer time, and a zone that is neither whole hours nor half ones away.
TEST(BillingPeriods, InOddZones) {
    const TimeZones zones;
    const auto lord_howe = zones.find("Australia/Lord_Howe");
    const BillingCalendar month{BillingPeriod::monthly, *lord_howe, at("2020-01-01T00:00:00Z")};
    // +11:00 until 7 April 2024, then +10:30.
    EXPECT_EQ(month.at(at("2024-04-15T00:00:00Z")), period("2024-03-31T13:00:00Z", "2024-04-30T13:30:00Z"));
    const auto kathmandu = zones.find("Asia/Kathmandu");
    const BillingCalendar day{BillingPeriod::daily, *kathmandu, at("2020-01-01T00:00:00Z")};
    EXPECT_EQ(day.at(at("2024-04-15T18:14:59Z")), period("2024-04-14T18:15:00Z", "2024-04-15T18:15:00Z"));
}

}  // namespace
}  // namespace tollgate::daemon
