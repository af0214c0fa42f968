#include "bench/load/run.h"

#include <gtest/gtest.h>

#include "tests/bench/load/fake_daemon.h"
#include "tests/bench/load/temporary_file.h"

namespace tollgate::bench::load {
namespace {

using namespace std::chrono_literals;

Traffic pairs() {
    Traffic traffic;
    traffic.lines = {"l0", "l1"};
    traffic.numbers = {"4930", "4931"};
    traffic.is_pair = true;
    traffic.lengths.kind = Lengths::Kind::uniform;
    traffic.lengths.first = 1s;
    traffic.lengths.last = 300s;
    return traffic;
}

Figures calls_at(const FakeDaemon& daemon, const Schedule& schedule, unsigned saturate = 0,
                 double repeat = 0) {
    const Traffic traffic = pairs();
    Settings settings{traffic, schedule, {}, "test"};
    settings.peer.endpoint = {"127.0.0.1", daemon.port()};
    settings.connections = 5;
    settings.threads = 2;
    settings.saturate = saturate;
    settings.repeat = repeat;
    return make_calls(settings, nullptr);
}

TEST(RunThreads, MakesEveryCallOfTheSchedule) {
    const FakeDaemon daemon;
    const Figures figures = calls_at(daemon, Schedule{{Step{1'000, 300ms}}});
    EXPECT_EQ(figures.calls, 300);
    EXPECT_EQ(figures.granted, 300);
    EXPECT_EQ(figures.commands, 600);
    EXPECT_EQ(figures.wrong, 0) << figures.faults[0];
    EXPECT_EQ(figures.unsettled, 0);
    EXPECT_EQ(figures.lost, 0);
    // What was due after the end is not measured: the STOPs of the last 20 ms.
    EXPECT_EQ(figures.verbs[static_cast<std::size_t>(Verb::authorize)].count(), 300);
    EXPECT_EQ(figures.verbs[static_cast<std::size_t>(Verb::stop)].count(), 280);
}

// Goal: a false answer is found, and only that. Method: of 200 calls the charge of every tenth is a
// micro-unit above what was held for the whole grant.
TEST(RunThreads, FindsFalseAnswers) {
    std::atomic<int> stops{0};
    const FakeDaemon daemon{[&stops](FakeDaemon::Words command, std::string& answer) {
        if (command[0] != "STOP" || ++stops % 10 != 0) return;
        const auto at = answer.find("0.000");
        answer.replace(at, 8, "0.000301");
    }};
    const Figures figures = calls_at(daemon, Schedule{{Step{1'000, 200ms}}});
    EXPECT_EQ(figures.calls, 200);
    EXPECT_EQ(figures.wrong, 20);
    ASSERT_EQ(figures.faults.size(), kFaultsShownMax);
    EXPECT_NE(figures.faults[0].find("STOP charged \"0.000301\", expected at most what was held: 0.0003"),
              std::string::npos)
        << figures.faults[0];
    EXPECT_EQ(figures.unsettled, 20);
}

TEST(RunThreads, RepeatsAreCheckedAgainstTheFirstAnswer) {
    std::atomic<bool> lies{false};
    FakeDaemon daemon{[&lies](FakeDaemon::Words command, std::string& answer) {
        const auto dup = answer.rfind("$1\r\n1\r\n");
        if (lies && command[0] == "STOP" && dup != std::string::npos) answer.replace(dup, 7, "$1\r\n0\r\n");
    }};
    const Figures honest = calls_at(daemon, Schedule{{Step{1'000, 200ms}}}, 0, 0.5);
    EXPECT_EQ(honest.wrong, 0) << honest.faults[0];
    EXPECT_GT(honest.repeats, 100);
    lies = true;
    EXPECT_GT(calls_at(daemon, Schedule{{Step{1'000, 200ms}}}, 0, 0.5).wrong, 50);
}

// Goal: a stall shows although nobody was waiting for an answer when it began. Method: 300 ms in a run of 1
// s; calls that became due meanwhile waited for its end, so a quarter of the commands, and no fewer, took
// long.
TEST(RunThreads, AStallShowsInThePercentiles) {
    FakeDaemon daemon;
    std::jthread staller{[&daemon] {
        std::this_thread::sleep_for(350ms);
        daemon.stall(300ms);
    }};
    const Figures figures = calls_at(daemon, Schedule{{Step{500, 1s}}});
    EXPECT_GE(figures.latency.longest(), 250ms);
    EXPECT_GE(figures.latency.percentile(900'000), 100ms);
    EXPECT_EQ(figures.calls, 500);
    EXPECT_EQ(figures.wrong, 0);
}

// The same rate is asked for while nobody answers: that is what open means.
TEST(RunThreads, DoesNotWaitForAnswers) {
    const FakeDaemon silent{[](FakeDaemon::Words, std::string& answer) { answer.clear(); }};
    std::vector<Schedule::Offset> times(50);
    const Schedule schedule{times};
    const Traffic traffic = pairs();
    Settings settings{traffic, schedule, {}, "test"};
    settings.peer.endpoint = {"127.0.0.1", silent.port()};
    settings.connections = 2;
    settings.pipeline = 10;
    settings.answers_awaited = 200ms;
    const Figures figures = make_calls(settings, nullptr);
    EXPECT_EQ(figures.calls, 50);
    EXPECT_EQ(figures.commands, 20);  // Twice ten found room; the others waited for it.
    EXPECT_EQ(figures.lost, 50);
    EXPECT_EQ(figures.unsettled, 50);
}

TEST(RunThreads, SaturatedKeepsSoManyInFlight) {
    const FakeDaemon daemon;
    const Figures figures = calls_at(daemon, Schedule{{Step{0, 200ms}}}, 4);
    EXPECT_GT(figures.calls, 100);
    EXPECT_EQ(figures.calls, figures.granted);
    EXPECT_EQ(figures.commands, 2 * figures.calls);
    EXPECT_EQ(figures.wrong, 0);
    EXPECT_EQ(figures.unsettled, 0);
}

// Commands of a file go over each connection in their order; an error among the answers is wrong.
TEST(RunThreads, SendsTheCommandsOfAFile) {
    const TemporaryFile file{
        "AUTHORIZE l 49 a{pass} WANT 5\nSTOP a{pass} 5\nAUTHORIZE l 49 b{pass} WANT 5\nSTOP b{pass} 5\n"};
    CommandFile commands;
    ASSERT_EQ(commands.read(file.path()), "");
    std::atomic<int> repeats{0};
    const FakeDaemon daemon{[&repeats](FakeDaemon::Words, std::string& answer) {
        if (answer.ends_with("$1\r\n1\r\n")) ++repeats;
    }};
    const Traffic traffic;
    const Schedule schedule{{Step{0, 200ms}}};
    Settings settings{traffic, schedule, {}, "test"};
    settings.peer.endpoint = {"127.0.0.1", daemon.port()};
    settings.connections = 2;
    settings.threads = 2;
    settings.saturate = 4;
    settings.commands = &commands;
    const Figures figures = make_calls(settings, nullptr);
    EXPECT_GT(figures.commands, 100);
    EXPECT_EQ(figures.wrong, 0);
    EXPECT_EQ(figures.unsettled, 0);
    EXPECT_EQ(repeats, 0);  // No id came twice, and no STOP before its AUTHORIZE.
}

TEST(Run, SaysThatNobodyListens) {
    std::uint16_t port = 0;
    { port = FakeDaemon{}.port(); }
    const Traffic traffic = pairs();
    const Schedule schedule{{Step{1, 1s}}};
    Settings settings{traffic, schedule, {}, "test"};
    settings.peer.endpoint = {"127.0.0.1", port};
    try {
        (void)make_calls(settings, nullptr);
        FAIL() << "nobody listens";
    } catch (const std::runtime_error& error) {
        EXPECT_EQ(error.what(), "127.0.0.1:" + std::to_string(port) +
                                    ": Connection refused; name where tollgated listens with --connect");
    }
}

Figures figures_with_p99(std::chrono::nanoseconds p99) {
    Figures figures;
    figures.latency.add(p99);
    return figures;
}

// Method: a daemon that is fast up to 12,345 calls a second. 1000, 2000, 4000, 8000 hold, 16000 does not;
// then halves: the limit found is at most 5 % below.
TEST(FindLimit, EndsCloseBelowTheLimit) {
    Search search;
    search.p99_max = 5ms;
    const Limit limit =
        find_limit(search, [](std::uint64_t rate) { return figures_with_p99(rate <= 12'345 ? 1ms : 50ms); });
    EXPECT_LE(limit.rate, 12'345);
    EXPECT_GE(limit.rate, 11'700);
    EXPECT_LT(limit.probes.size(), 15);
    EXPECT_EQ(limit.probes[4].rate, 16'000);
    EXPECT_FALSE(limit.probes[4].holds);
}

// On a shared machine one probe may be late by chance.
TEST(FindLimit, ARateIsTooHighOnlyIfItIsTwice) {
    Search search;
    search.rate_last = 4'000;
    int probes = 0;
    const Limit limit = find_limit(
        search, [&probes](std::uint64_t) { return figures_with_p99(++probes % 2 == 1 ? 50ms : 1ms); });
    EXPECT_EQ(limit.rate, 4'000);
    EXPECT_EQ(limit.probes.size(), 6);
}

TEST(FindLimit, EndsAtTheHighestRateAndAtZero) {
    Search search;
    search.rate_last = 3'000;
    EXPECT_EQ(find_limit(search, [](std::uint64_t) { return figures_with_p99(1ms); }).rate, 3'000);
    EXPECT_EQ(find_limit(search, [](std::uint64_t) { return figures_with_p99(1s); }).rate, 0);
}

TEST(FindLimit, StopsAtAFalseAnswer) {
    const Limit limit = find_limit({}, [](std::uint64_t) {
        Figures figures = figures_with_p99(1ms);
        figures.wrong = 1;
        return figures;
    });
    EXPECT_EQ(limit.rate, 0);
    EXPECT_EQ(limit.probes.size(), 1);
}

}  // namespace
}  // namespace tollgate::bench::load
