#include "daemon/metrics/metrics.h"

#include <array>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "daemon/commands/slow_log.h"
#include "daemon/commands/table.h"
#include "tests/daemon/world.h"

namespace tollgate::daemon::metrics {
namespace {

using std::chrono::microseconds;
using std::chrono::nanoseconds;

/// Commands of one worker.
class MetricsTest : public ::testing::Test {
  protected:
    MetricsTest() {
        relay_.to = &calls_;
        counters_.slow_log = &slow_logs_.of(0);
        facts_.version = "1.2.3";
        world_.top_up("alice", "10");
    }
    void run(const std::vector<std::string_view>& words) {
        std::string out;
        commands::Context context{services_, client_, counters_, world_.now};
        commands::execute(context, words, out);
    }
    /// The value of a series, as it stands in the text; empty where there is none.
    std::string value(const std::string& series, const Sources& sources = {}) {
        const std::string text = Metrics{services_, calls_, sources}.text();
        const std::size_t at = text.find("\n" + series + " ");
        if (at == std::string::npos) return {};
        const std::size_t begin = at + series.size() + 2;
        return text.substr(begin, text.find('\n', begin) - begin);
    }

    class Relay final : public CallObserver {
      public:
        void ended(const EndedCall& call) noexcept override { to->ended(call); }
        CallFigures* to = nullptr;
    };
    Relay relay_;
    World world_{{.on_ended = &relay_}};
    CallFigures calls_{world_.parties, {}};
    commands::ClientRegistry clients_;
    commands::ServerFacts facts_;
    commands::WorkerCounters counters_;
    commands::SlowLogs slow_logs_{{.threshold = nanoseconds{0}, .commands_max = 3}, 1};
    std::vector<const commands::WorkerCounters*> all_counters_{&counters_};
    commands::Services services_{world_.charging, world_.catalog,        world_.payments, world_.resync,
                                 world_.ledger,   world_.sessions,       clients_,        facts_,
                                 all_counters_,   world_.state.registry, &slow_logs_};
    commands::Client client_;
};

TEST_F(MetricsTest, CountCommandsByTheirAnswers) {
    run({"AUTHORIZE", "alice-desk", "4930", "a", "WANT", "60"});
    run({"authorize", "nobody", "4930", "b"});
    run({"AUTHORIZE", "alice-desk", "4930", "a", "WANT", "soon"});
    run({"STOP", "a", "60", "PLAIN"});
    run({"STOP", "never", "60", "PLAIN"});
    run({"PING"});
    run({"NONSENSE"});
    EXPECT_EQ(value(R"(tollgate_requests_total{command="authorize",code="OK"})"), "1");
    EXPECT_EQ(value(R"(tollgate_requests_total{command="authorize",code="UNKNOWN_ACCOUNT"})"), "1");
    EXPECT_EQ(value(R"(tollgate_requests_total{command="authorize",code="BADARG"})"), "1");
    EXPECT_EQ(value(R"(tollgate_requests_total{command="authorize",code="FREE"})"), "");
    EXPECT_EQ(value(R"(tollgate_requests_total{command="stop",code="OK"})"), "1");
    EXPECT_EQ(value(R"(tollgate_requests_total{command="stop",code="UNKNOWN_SESSION"})"), "1");
    EXPECT_EQ(value(R"(tollgate_requests_total{command="ping",code="OK"})"), "1");
    EXPECT_EQ(value(R"(tollgate_requests_total{command="unknown",code="ERR"})"), "1");
    EXPECT_EQ(value(R"(tollgate_request_duration_seconds_count{command="authorize"})"), "3");
    EXPECT_EQ(value(R"(tollgate_request_duration_seconds_bucket{command="stop",le="+Inf"})"), "2");
    EXPECT_EQ(value("tollgate_grants_total"), "1");
    EXPECT_EQ(value(R"(tollgate_refusals_total{code="UNKNOWN_ACCOUNT",reason=""})"), "1");
    EXPECT_EQ(value("tollgate_slow_requests_total"), "7");
}

TEST_F(MetricsTest, HaveWhatIsHeldOfMoney) {
    Metrics metrics{services_, calls_, {}};
    run({"AUTHORIZE", "alice-desk", "4930", "a", "WANT", "60"});
    EXPECT_EQ(metrics.text().find("tollgate_money_held{"), std::string::npos);
    metrics.refresh();
    // Alice's minute, and what south and north hold for it.
    EXPECT_NE(metrics.text().find(R"(tollgate_money_held{currency="EUR",kind="customer"} 0.6)"),
              std::string::npos);
    EXPECT_NE(metrics.text().find(R"(tollgate_money_held{currency="EUR",kind="reseller"} 0.42)"),
              std::string::npos);
    EXPECT_EQ(value("tollgate_sessions_open"), "1");
}

TEST_F(MetricsTest, HaveCallsByLevel) {
    run({"AUTHORIZE", "alice-desk", "4930", "a", "WANT", "60"});
    run({"STOP", "a", "60"});
    EXPECT_EQ(value(R"(tollgate_calls_ended_total{how="stopped",destination_group="other"})"), "1");
    EXPECT_EQ(value(R"(tollgate_call_seconds_total{level="2",kind="reseller",destination_group="other"})"),
              "60");
    EXPECT_EQ(
        value(
            R"(tollgate_call_revenue_total{level="1",kind="customer",destination_group="other",currency="EUR"})"),
        "0.6");
}

TEST_F(MetricsTest, SayHowStoresDo) {
    facts_.stores = [] {
        StoreFigures postgresql{.name = "postgresql", .state = StoreState::following, .lag_events = 12};
        postgresql.lag = std::chrono::milliseconds{1500};
        return std::vector<StoreFigures>{postgresql, {.name = "redis", .state = StoreState::waiting}};
    };
    EXPECT_EQ(value(R"(tollgate_store_lag_events{store="postgresql"})"), "12");
    EXPECT_EQ(value(R"(tollgate_store_lag_seconds{store="postgresql"})"), "1.5");
    EXPECT_EQ(value(R"(tollgate_store_up{store="postgresql"})"), "1");
    EXPECT_EQ(value(R"(tollgate_store_up{store="redis"})"), "0");
    EXPECT_EQ(value(R"(tollgate_store_up{store="webhook"})"), "");
}

TEST_F(MetricsTest, SayHowHttpRequestsEnded) {
    const Sources sources{.http = [] {
        return std::vector<HttpFigure>{{"logIn", "401", 3}, {"logIn", "429", 2}, {"", "404", 1}};
    }};
    EXPECT_EQ(value(R"(tollgate_http_requests_total{operation="logIn",code="401"})", sources), "3");
    EXPECT_EQ(value(R"(tollgate_http_requests_total{operation="other",code="404"})", sources), "1");
    EXPECT_EQ(value(R"(tollgate_auth_failures_total{port="http",reason="wrong"})", sources), "3");
    EXPECT_EQ(value(R"(tollgate_auth_failures_total{port="http",reason="throttled"})", sources), "2");
}

TEST_F(MetricsTest, SayWhatAnswersWaitFor) {
    EXPECT_EQ(value(R"(tollgate_journal_reply_mode{mode="none"})"), "1");
    EXPECT_EQ(value(R"(tollgate_journal_reply_mode{mode="synced"})"), "0");
    EXPECT_EQ(value(R"(tollgate_build_info{version="1.2.3"})"), "1");
}

TEST(ProcessFigures, AreThere) {
    const ProcessFigures process = process_figures();
    EXPECT_GT(process.virtual_bytes, 1'000'000U);
    EXPECT_GE(process.threads, 1U);
    EXPECT_GE(process.open_descriptors, 3U);
    EXPECT_GE(process.descriptors_max, process.open_descriptors);
    EXPECT_GT(process.started_at, 1.7e9);
}

// ---- What they are added up from ----

TEST(LatencyHistogram, BoundsAreInclusivePowersOfTwoOfMicroseconds) {
    using commands::LatencyHistogram;
    EXPECT_EQ(LatencyHistogram::bucket_of(nanoseconds{0}), 0U);
    EXPECT_EQ(LatencyHistogram::bucket_of(microseconds{1}), 0U);
    EXPECT_EQ(LatencyHistogram::bucket_of(nanoseconds{1'001}), 1U);
    EXPECT_EQ(LatencyHistogram::bucket_of(microseconds{2}), 1U);
    EXPECT_EQ(LatencyHistogram::bucket_of(nanoseconds{2'001}), 2U);
    EXPECT_EQ(LatencyHistogram::bucket_of(microseconds{4}), 2U);
    for (std::size_t i = 0; i < LatencyHistogram::kBounds; ++i) {
        EXPECT_EQ(LatencyHistogram::bucket_of(LatencyHistogram::bound_of(i)), i);
        EXPECT_EQ(LatencyHistogram::bucket_of(LatencyHistogram::bound_of(i) + nanoseconds{1}), i + 1);
    }
    EXPECT_EQ(LatencyHistogram::bucket_of(std::chrono::hours{1}), LatencyHistogram::kBounds);
}

TEST(AnswerCode, IsTheFirstWordOfTheAnswer) {
    using commands::answer_code;
    using commands::AnswerCode;
    EXPECT_EQ(answer_code("*4\r\n$2\r\nOK\r\n$1\r\n0\r\n"), AnswerCode::ok);
    EXPECT_EQ(answer_code("*4\r\n$4\r\nFREE\r\n"), AnswerCode::free);
    EXPECT_EQ(answer_code("$20\r\nCREDIT_LIMIT 0 final\r\n"), AnswerCode::credit_limit);
    EXPECT_EQ(answer_code("-BADARG s: missing\r\n"), AnswerCode::badarg);
    EXPECT_EQ(answer_code("-WRONGPASS invalid\r\n"), AnswerCode::wrongpass);
    EXPECT_EQ(answer_code("-NEVERHEARD of\r\n"), AnswerCode::err);
    EXPECT_EQ(answer_code("+PONG\r\n"), AnswerCode::ok);
    EXPECT_EQ(answer_code(":7\r\n"), AnswerCode::ok);
    EXPECT_EQ(answer_code("*0\r\n"), AnswerCode::ok);
    EXPECT_EQ(answer_code("$-1\r\n"), AnswerCode::ok);
    EXPECT_EQ(answer_code(""), AnswerCode::ok);
    for (std::size_t i = 0; i < commands::kAnswerCodes; ++i) {
        const auto code = static_cast<AnswerCode>(i);
        const std::string word{text_of(code)};
        EXPECT_EQ(answer_code(is_error(code) ? "-" + word + " x\r\n" : "*2\r\n$9\r\n" + word + "\r\n"), code);
    }
}

TEST(Ticks, RunLikeTheClock) {
    const auto clock_before = std::chrono::steady_clock::now();
    commands::Ticks::calibrate();
    const auto ticks = commands::Ticks::now();
    const auto clock = std::chrono::steady_clock::now();
    while (std::chrono::steady_clock::now() - clock < std::chrono::milliseconds{50}) {}
    const auto took = commands::Ticks::between(ticks, commands::Ticks::now());
    const auto clock_took = std::chrono::steady_clock::now() - clock;
    EXPECT_GE(took, std::chrono::milliseconds{45});
    EXPECT_LE(took, clock_took + clock_took / 10 + std::chrono::milliseconds{1});
    EXPECT_LT(clock_before, clock);
    EXPECT_EQ(commands::Ticks::between(ticks, ticks - 1), nanoseconds{0});
}

TEST(SlowLog, KeepsTheNewestAndShowsTheSlowestFirst) {
    commands::SlowLogs logs{{.threshold = microseconds{10}, .commands_max = 3}, 2};
    EXPECT_FALSE(logs.of(0).is_slow(microseconds{9}));
    EXPECT_TRUE(logs.of(0).is_slow(microseconds{10}));
    const rating::Instant at{};
    for (int i = 1; i <= 4; ++i) {
        const std::string number = std::to_string(i);
        const std::array<std::string_view, 2> words = {"PING", number};
        logs.of(0).note(microseconds{100 - i}, at, words, "127.0.0.1:1", "name");
    }
    const std::array<std::string_view, 2> words = {"ECHO", "5"};
    logs.of(1).note(microseconds{500}, at, words, "unix", "");
    EXPECT_EQ(logs.size(), 3U);
    EXPECT_EQ(logs.noted(), 5U);
    const auto newest = logs.newest(2);
    ASSERT_EQ(newest.size(), 2U);
    EXPECT_EQ(newest[0].id, 5U);
    EXPECT_EQ(newest[0].address, "unix");
    EXPECT_EQ(newest[1].words[1], "4");
    const auto slowest = logs.slowest(10);
    ASSERT_EQ(slowest.size(), 3U);
    EXPECT_EQ(slowest[0].words[0], "ECHO");
    EXPECT_EQ(slowest[1].words[1], "2");  // The first went when the fourth came.
    logs.clear();
    EXPECT_EQ(logs.size(), 0U);
    EXPECT_TRUE(logs.newest(10).empty());
}

TEST(SlowLog, NeverKeepsAPassword) {
    commands::SlowLogs logs{{.threshold = nanoseconds{0}, .commands_max = 9}, 1};
    const auto note = [&logs](const std::vector<std::string_view>& words) {
        logs.of(0).note(microseconds{1}, {}, words, "", "");
    };
    note({"auth", "switch", "hunter2"});
    note({"HELLO", "3", "AUTH", "switch", "hunter2", "SETNAME", "me"});
    note({"HELLO", "3", "SETNAME", "me"});
    const auto kept = logs.newest(9);
    ASSERT_EQ(kept.size(), 3U);
    EXPECT_EQ(kept[2].words, (std::vector<std::string>{"auth", "(redacted)", "(redacted)"}));
    EXPECT_EQ(kept[1].words, (std::vector<std::string>{"HELLO", "3", "AUTH", "(redacted)", "(redacted)",
                                                       "(redacted)", "(redacted)"}));
    EXPECT_EQ(kept[0].words, (std::vector<std::string>{"HELLO", "3", "SETNAME", "me"}));
}

TEST(SlowLog, KeepsLittleOfWhatIsLong) {
    commands::SlowLogs logs{{.threshold = nanoseconds{0}, .commands_max = 1}, 1};
    const std::string large(10'000, 'x');
    std::vector<std::string_view> words(100, "w");
    words[1] = large;
    logs.of(0).note(microseconds{1}, {}, words, "", "");
    const auto kept = logs.newest(1);
    ASSERT_EQ(kept.size(), 1U);
    ASSERT_EQ(kept[0].words.size(), commands::kSlowWordsMax + 1);
    EXPECT_EQ(kept[0].words[1], std::string(128, 'x') + "... (9872 more bytes)");
    EXPECT_EQ(kept[0].words.back(), "... (68 more words)");
}

}  // namespace
}  // namespace tollgate::daemon::metrics
