#include "rating/window.h"

#include <chrono>
#include <random>

#include <gtest/gtest.h>

namespace tollgate::rating {
namespace {

// Goal: the calendar is that of the standard library, before and after the epoch, over many leap years.
TEST(LocalTime, IsTheCivilCalendar) {
    std::mt19937_64 random{20'261'122};
    for (int i = 0; i < 100'000; ++i) {
        const auto second = static_cast<std::int64_t>(random() % 20'000'000'000) - 10'000'000'000;
        const std::chrono::sys_seconds at{std::chrono::seconds{second}};
        const auto day = std::chrono::floor<std::chrono::days>(at);
        const std::chrono::year_month_day date{day};
        const LocalTime local = local_time(second);
        ASSERT_EQ(local.weekday, std::chrono::weekday{day}.iso_encoding() - 1) << second;
        ASSERT_EQ(local.month, static_cast<unsigned>(date.month()) - 1) << second;
        ASSERT_EQ(local.month_day, static_cast<unsigned>(date.day()) - 1) << second;
        ASSERT_EQ(local.clock, (at - day).count()) << second;
    }
}

constexpr std::int32_t at(int hours, int minutes = 0) {
    return hours * 3600 + minutes * 60;
}

TEST(Window, HoldsWhenOneOfItsRangesDoes) {
    const Window office{"office",
                        {{.days = 0b0001'1111, .from = at(8), .until = at(19)},
                         {.days = 0b0010'0000, .month_days = 1U, .from = at(10), .until = at(12)}}};
    EXPECT_TRUE(contains(office, {0, 0, 4, at(8)}));
    EXPECT_FALSE(contains(office, {0, 0, 4, at(8) - 1}));
    EXPECT_FALSE(contains(office, {0, 0, 4, at(19)})) << "the end is exclusive";
    EXPECT_TRUE(contains(office, {5, 7, 0, at(11)})) << "a Saturday that is the first of the month";
    EXPECT_FALSE(contains(office, {5, 7, 1, at(11)}));
    EXPECT_FALSE(contains(Window{"never", {}}, {0, 0, 0, 0}));
    EXPECT_TRUE(contains(Window{"always", {{}}}, {6, 11, 30, kDaySeconds - 1}));
}

TEST(Window, BordersAreWhereRangesBeginAndEndAndMidnight) {
    const Window office{"office", {{.from = at(8), .until = at(19)}, {.from = at(12), .until = at(13)}}};
    EXPECT_EQ(next_border(office, 0), at(8));
    EXPECT_EQ(next_border(office, at(8)), at(12));
    EXPECT_EQ(next_border(office, at(12, 30)), at(13));
    EXPECT_EQ(next_border(office, at(13)), at(19));
    EXPECT_EQ(next_border(office, at(19)), kDaySeconds);
    EXPECT_EQ(next_border(Window{"never", {}}, at(5)), kDaySeconds);
}

TEST(Window, OverlapIsDecidedForAllYears) {
    const auto overlap_of = [](const ClockRange& a, const ClockRange& b) {
        const bool result = overlap(Window{"a", {a}}, Window{"b", {b}});
        EXPECT_EQ(result, overlap(Window{"b", {b}}, Window{"a", {a}}));
        return result;
    };
    EXPECT_TRUE(overlap_of({}, {}));
    EXPECT_FALSE(overlap_of({.until = at(8)}, {.from = at(8)}));
    EXPECT_TRUE(overlap_of({.until = at(8)}, {.from = at(8) - 1}));
    EXPECT_FALSE(overlap_of({.days = 0b0001'1111}, {.days = 0b0110'0000}));
    EXPECT_FALSE(overlap_of({.months = 0b1}, {.months = 0b10}));
    EXPECT_FALSE(overlap_of({.month_days = 0b1}, {.month_days = 0b10}));
    EXPECT_TRUE(overlap_of({.days = 1, .month_days = 1U << 12}, {.months = 1})) << "some 13 January";
    EXPECT_FALSE(overlap_of({.month_days = 1U << 29}, {.months = 0b10})) << "30 February";
    EXPECT_TRUE(overlap_of({.month_days = 1U << 28}, {.days = 1, .months = 0b10})) << "some 29 February";
    EXPECT_FALSE(overlap(Window{"never", {}}, Window{"always", {{}}}));
}

}  // namespace
}  // namespace tollgate::rating
