#include "bench/load/traffic.h"

#include <filesystem>

#include <gtest/gtest.h>

#include "tests/bench/load/temporary_file.h"

namespace tollgate::bench::load {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kHeader = "call_id,account_id,destination,start_time,answered,duration_seconds\n";

std::string fault_of_calls(std::string_view rows) {
    const TemporaryFile file{std::string{kHeader}.append(rows)};
    Traffic traffic;
    const std::string fault = read_calls(file.path(), "{account}", "", traffic);
    return fault.starts_with(file.path()) ? fault.substr(file.path().size()) : fault;
}

TEST(Traffic, ReadsCallsInTheOrderOfTheirStarts) {
    const TemporaryFile file{std::string{kHeader} +
                             "c1,a7,4930,2026-03-02T00:00:10Z,1,61\nc2,a8,\"33,1\",2026-03-02T00:00:00Z,0,0\n"
                             "c3,a7,44,2026-03-02T00:00:30Z,1,5\n"};
    Traffic traffic;
    ASSERT_EQ(read_calls(file.path(), "{account}-line", "{account}", traffic), "");
    EXPECT_EQ(traffic.lines, (std::vector<std::string>{"a7-line", "a8-line"}));
    EXPECT_EQ(traffic.customers, (std::vector<std::string>{"a7", "a8"}));
    ASSERT_EQ(traffic.listed.size(), 3);
    EXPECT_EQ(traffic.numbers[traffic.listed[0].number], "33,1");
    EXPECT_FALSE(traffic.listed[0].is_answered);
    EXPECT_EQ(traffic.listed[1].seconds, 61);
    EXPECT_EQ(traffic.lines[traffic.listed[2].line], "a7-line");
    EXPECT_EQ(starts_of(traffic, 10), (std::vector<Schedule::Offset>{0s, 1s, 3s}));
}

TEST(Traffic, ColumnsStandInAnyOrder) {
    const TemporaryFile file{"answered,x,duration_seconds,destination,account_id,start_time\n1,,3,49,a,0\n"};
    Traffic traffic;
    EXPECT_EQ(read_calls(file.path(), "{account}", "", traffic), "");
    EXPECT_EQ(traffic.numbers, (std::vector<std::string>{"49"}));
    EXPECT_TRUE(traffic.customers.empty());
}

TEST(Traffic, SaysWhereACallIsWrong) {
    EXPECT_EQ(fault_of_calls("c1,a,49,2026-03-02T00:00:00Z,1,60\nc2,a,49,2026-03-02T00:00:00Z,1,x\n"),
              ":3: duration_seconds: \"x\": expected whole seconds from 0 to 86400");
    EXPECT_EQ(fault_of_calls("c1,,49,2026-03-02T00:00:00Z,1,60\n"),
              ":2: account_id: \"\": expected 1 to 255 bytes");
    EXPECT_EQ(fault_of_calls("c1,a,49,yesterday,1,60\n"),
              ":2: start_time: \"yesterday\": expected RFC 3339 (2026-03-02T00:00:00Z) or Unix seconds");
    EXPECT_EQ(fault_of_calls("c1,a,49,0,yes,60\n"),
              ":2: answered: \"yes\": expected 1 where somebody answered, else 0");
    EXPECT_EQ(fault_of_calls("c1,a,49,0\n"), ":2: answered: is missing");
    EXPECT_EQ(fault_of_calls(""), ": has no calls");
}

TEST(Traffic, ListedCallsKeepTheirLengthsAndBeginAgain) {
    Traffic traffic;
    traffic.lines = {"a"};
    traffic.numbers = {"1", "2"};
    traffic.says_instant = true;
    traffic.listed = {{0, 0, 61, true, rating::Instant{5s}}, {0, 1, 0, false, rating::Instant{6s}}};
    Planner planner{traffic, 1};
    const Plan first = planner.plan(4);
    EXPECT_EQ(first.talk, 61s);
    EXPECT_EQ(first.course, Course::answered);
    EXPECT_EQ(first.at, rating::Instant{5s});
    EXPECT_EQ(planner.plan(5).course, Course::unanswered);
}

// Method: 4,000 calls; of a share s the spread is at most 32 calls, four of which nobody sees.
TEST(Traffic, DrawsTheSharesThatWereAskedFor) {
    Traffic traffic;
    traffic.lines = {"a", "b"};
    traffic.numbers = {"1"};
    traffic.answered = 0.5;
    traffic.hung_up = 0.25;
    traffic.lengths.kind = Lengths::Kind::uniform;
    traffic.lengths.first = 1s;
    traffic.lengths.last = 3s;
    Planner planner{traffic, 1};
    int answered = 0;
    int hung_up = 0;
    std::array<int, 4> lengths{};
    for (std::uint64_t call = 0; call < 4'000; ++call) {
        const Plan plan = planner.plan(call);
        answered += plan.course == Course::answered ? 1 : 0;
        hung_up += plan.course == Course::hung_up ? 1 : 0;
        ASSERT_LE(plan.talk, 3s);
        ++lengths[static_cast<std::size_t>(plan.talk.count())];
    }
    EXPECT_NEAR(answered, 2'000, 130);
    EXPECT_NEAR(hung_up, 500, 130);
    EXPECT_EQ(lengths[0], 4'000 - answered);
    EXPECT_NEAR(lengths[2], answered / 3.0, 130);
}

TEST(Lengths, AreAsInLife) {
    const ReadLengths read = read_lengths("mean:180s");
    ASSERT_EQ(read.fault, "");
    Random random{1};
    double sum = 0;
    int shortest = 0;
    constexpr int kCalls = 100'000;
    for (int i = 0; i < kCalls; ++i) {
        const auto length = read.lengths.draw(random);
        ASSERT_GE(length, 0s);
        ASSERT_LE(length, 6h);
        sum += static_cast<double>(length.count());
        shortest += length < 1s ? 1 : 0;
    }
    EXPECT_NEAR(sum / kCalls, 180, 6);
    EXPECT_NEAR(shortest, 0.06 / 7 * kCalls, 150);
}

TEST(Lengths, HaveThreeForms) {
    EXPECT_EQ(read_lengths("60s").lengths.kind, Lengths::Kind::fixed);
    EXPECT_EQ(read_lengths("1s..5m").lengths.last, 300s);
    for (const std::string_view text : {"", "60", "5s..1s", "mean:", "1s..", "mean:25h"})
        EXPECT_NE(read_lengths(text).fault, "") << text;
}

// The generator takes what others make: a file of 10,000 calls.
TEST(Traffic, ReadsTheSampleCalls) {
    const std::filesystem::path path{TOLLGATE_SAMPLE_CALLS};
    if (!std::filesystem::exists(path)) GTEST_SKIP() << "../shared/data has no sample_calls.csv";
    Traffic traffic;
    ASSERT_EQ(read_calls(path, "{account}", "", traffic), "");
    EXPECT_EQ(traffic.listed.size(), 10'000);
    EXPECT_EQ(traffic.numbers[traffic.listed[0].number], "12687808972");
    EXPECT_EQ(traffic.listed[0].seconds, 21);
}

}  // namespace
}  // namespace tollgate::bench::load
