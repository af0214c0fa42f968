#include "rating/instant.h"

#include <gtest/gtest.h>

namespace tollgate::rating {
namespace {

using std::chrono::nanoseconds;
using std::chrono::seconds;

// 2026-03-02T00:00:00Z is 20514 days after the epoch.
constexpr Instant kMarch2{seconds{20'514LL * 86'400}};

TEST(Instant, ReadsRfc3339AndUnixSeconds) {
    EXPECT_EQ(parse_instant("2026-03-02T00:00:00Z"), kMarch2);
    EXPECT_EQ(parse_instant("2026-03-02t01:00:00+01:00"), kMarch2);
    EXPECT_EQ(parse_instant("2026-03-01T18:30:00.000000001-05:30"), kMarch2 + nanoseconds{1});
    EXPECT_EQ(parse_instant("1772409600"), kMarch2);
    EXPECT_EQ(parse_instant("1772409600.5"), kMarch2 + nanoseconds{500'000'000});
    EXPECT_EQ(parse_instant("1970-01-01T00:00:00Z"), Instant{});
}

TEST(Instant, RefusesWhatIsNeither) {
    for (const char* text :
         {"", "now", "2026-03-02", "2026-03-02T00:00:00", "2026-02-30T00:00:00Z", "2026-13-01T00:00:00Z",
          "2026-03-02T24:00:00Z", "2026-03-02T00:60:00Z", "2026-03-02T00:00:00ZZ", "-1", "1e9",
          "2026-03-02T00:00:00.Z", "2026-03-02T00:00:00+1:00", "99999999999999999999", "1.",
          "0000-01-01T00:00:00Z"}) {
        EXPECT_EQ(parse_instant(text), std::nullopt) << text;
    }
}

// Goal: dates that databases use for "always" and "never" do what they say.
TEST(Instant, BeyondTheRangeIsAlwaysOrNever) {
    EXPECT_EQ(parse_instant("0001-01-01T00:00:00Z"), kAlways);
    EXPECT_EQ(parse_instant("9999-12-31T23:59:59Z"), kNever);
}

TEST(Instant, WritesRfc3339) {
    EXPECT_EQ(format(kMarch2).view(), "2026-03-02T00:00:00Z");
    EXPECT_EQ(format(kMarch2 + nanoseconds{500'000'000}).view(), "2026-03-02T00:00:00.5Z");
    EXPECT_EQ(format(Instant{} - seconds{1}).view(), "1969-12-31T23:59:59Z");
}

}  // namespace
}  // namespace tollgate::rating
