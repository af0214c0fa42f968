#include "rating/describe.h"

#include <gtest/gtest.h>

#include "rating/deck_csv.h"

namespace tollgate::rating {
namespace {

using std::chrono::seconds;

std::string described(const char* row, int duration, TariffSettings settings = {}) {
    const std::string csv =
        std::string{
            "prefix,destination,rate_per_minute,connect_fee,initial_increment,increment,grace_seconds,"
            "included_seconds,disconnect_fee,disconnect_after,min_charge,max_charge,window,tiers\n"} +
        row;
    const auto reading = read_deck_csv(csv, {});
    EXPECT_NE(reading.deck, nullptr) << csv;
    TariffVersion version;
    version.settings = std::move(settings);
    version.deck = reading.deck;
    version.calendar = calendar_of(*reading.deck, version.settings);
    // Monday, 2026-03-02, 18:58:30.
    const Instant start = *parse_instant("2026-03-02T18:58:30Z");
    const auto found = reading.deck->in_effect(reading.deck->longest("4930123"), start, version.calendar);
    return describe({&version, found.rate, found.row, start}, seconds{duration});
}

TEST(Describe, TellsStepByStepWhatIsAddedUp) {
    TariffSettings settings;
    settings.decimals = 2;
    settings.markup = 100'000;
    EXPECT_EQ(
        described("4930,Berlin,0.3,0.05,60,6,3,10,0.02,60,,,,120:0.1/1\n", 125, settings),
        "prefix 4930 (Berlin), line 2; connect fee 0.05; the first 10 s are included; markup 10 % on every "
        "price; 1 step of 60 s from 10 s on at 0.3 a minute = 0.33; 9 steps of 6 s from 70 s on at 0.3 a "
        "minute = 0.297; 1 step of 1 s from 124 s on at 0.1 a minute = 0.001833333333...; disconnect fee "
        "0.02 from 60 s on; sum 0.698833333333...; rounded up to 2 places: 0.7");
}

TEST(Describe, TellsWhenARowTakesOver) {
    TariffSettings settings;
    settings.windows = {{"peak", {{.from = 8 * 3600, .until = 19 * 3600}}}};
    EXPECT_EQ(
        described("49,,0.3,,60,60,,,,,,,peak,\n49,,0.1,,60,60,,,,,,,,\n", 121, settings),
        "prefix 49, window peak, line 2; 2 steps of 60 s from 0 s on at 0.3 a minute = 0.6; from 120 s on "
        "the row without a window; 1 step of 60 s from 120 s on at 0.1 a minute = 0.1; sum 0.7; rounded up "
        "to 6 places: 0.7");
}

TEST(Describe, TellsGraceAndBounds) {
    EXPECT_EQ(described("*,,0.3,1,1,1,5,,,,,,,\n", 5),
              "no prefix but *, line 2; 5 s are within the grace of 5 s: 0");
    EXPECT_EQ(described("49,,0.3,,1,1,,,,,0.5,,,\n", 60),
              "prefix 49, line 2; 60 steps of 1 s from 0 s on at 0.3 a minute = 0.3; sum 0.3; at least 0.5; "
              "rounded up to 6 places: 0.5");
    EXPECT_EQ(described("49,,0.3,,1,1,,,,,,0.1,,\n", 60),
              "prefix 49, line 2; 60 steps of 1 s from 0 s on at 0.3 a minute = 0.3; sum 0.3; at most 0.1; "
              "rounded up to 6 places: 0.1");
    EXPECT_EQ(described("49,,0.3,,1,1,,,,,,,,\n", 0), "prefix 49, line 2; no time, no charge");
}

}  // namespace
}  // namespace tollgate::rating
