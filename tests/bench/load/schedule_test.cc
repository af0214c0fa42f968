#include "bench/load/schedule.h"

#include <gtest/gtest.h>

namespace tollgate::bench::load {
namespace {

using namespace std::chrono_literals;

std::vector<Step> steps_of(std::string_view text) {
    const ReadSteps read = read_steps(text);
    EXPECT_EQ(read.fault, "");
    return read.steps;
}

TEST(Schedule, AConstantRateIsEvenlySpread) {
    const Schedule schedule{steps_of("4:2s")};
    EXPECT_EQ(schedule.calls(), 8);
    EXPECT_EQ(schedule.length(), 2s);
    EXPECT_EQ(schedule.due(0), 0ns);
    EXPECT_EQ(schedule.due(1), 250ms);
    EXPECT_EQ(schedule.due(7), 1'750ms);
    EXPECT_EQ(schedule.due(8), std::nullopt);
}

// Goal: no error adds up. Method: a third of a second is no whole nanosecond; call 3,000,000 of 3 a second is
// due after exactly a million seconds all the same.
TEST(Schedule, DoesNotDrift) {
    const Schedule schedule{{Step{3, std::chrono::hours{300}}}};
    EXPECT_EQ(schedule.due(1), 333'333'333ns);
    EXPECT_EQ(schedule.due(3'000'000), 1'000'000s);
}

TEST(Schedule, StepsFollowEachOther) {
    const Schedule schedule{steps_of("2:1s,10:500ms,1:3s")};
    EXPECT_EQ(schedule.calls(), 2 + 5 + 3);
    EXPECT_EQ(schedule.due(1), 500ms);
    EXPECT_EQ(schedule.due(2), 1s);
    EXPECT_EQ(schedule.due(6), 1'400ms);
    EXPECT_EQ(schedule.due(7), 1'500ms);
    EXPECT_EQ(schedule.due(9), 3'500ms);
    EXPECT_EQ(schedule.step_at(0ns), 0);
    EXPECT_EQ(schedule.step_at(999ms), 0);
    EXPECT_EQ(schedule.step_at(1s), 1);
    EXPECT_EQ(schedule.step_at(4'499ms), 2);
    EXPECT_EQ(schedule.step_at(1h), 2);
    EXPECT_EQ(schedule.rate(1), 10);
    EXPECT_EQ(schedule.length(1), 500ms);
}

TEST(Schedule, ARangeIsAStepForEachRate) {
    const auto steps = steps_of("1000..3500/1000:3s");
    ASSERT_EQ(steps.size(), 3);
    EXPECT_EQ(steps[0].rate, 1'000);
    EXPECT_EQ(steps[2].rate, 3'000);
    EXPECT_EQ(steps[2].duration, 3s);
}

TEST(Schedule, FollowsTheTimesOfAList) {
    const Schedule schedule{std::vector<Schedule::Offset>{0s, 2s, 2s, 5s}};
    EXPECT_EQ(schedule.calls(), 4);
    EXPECT_EQ(schedule.due(2), 2s);
    EXPECT_EQ(schedule.due(3), 5s);
    EXPECT_EQ(schedule.due(4), std::nullopt);
    EXPECT_GT(schedule.length(), 5s);
}

TEST(Schedule, SaysWhatIsWrongWithARate) {
    for (const std::string_view text :
         {"", "0:1s", "1000", "1000:", "1000:5", "x:1s", "-5:1s", "10000001:1s", "1000:0s", "1000:1s,",
          "5..1/1:1s", "1..5:1s", "1..5/0:1s", "1..2000/1:1s", "1000:241h"}) {
        EXPECT_NE(read_steps(text).fault, "") << text;
    }
    EXPECT_EQ(read_steps("1000:5").fault, "\"5\" has no unit; write 180s, 3m or 1h");
    EXPECT_TRUE(read_steps("0:1s").fault.starts_with(
        "\"0:1s\" has no rate from 1 to 10000000 calls a second; write "));
}

}  // namespace
}  // namespace tollgate::bench::load
