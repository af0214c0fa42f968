// PostgreSQL behind a journal, in one process: what the sink writes, and what a restore makes of it.
//
// Needs an empty database: the environment's TOLLGATE_POSTGRES is its URL. postgres_sink_test.py starts one.

#include "daemon/flush/postgres_sink.h"

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <memory>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "balance/journal/disk.h"
#include "balance/journal/journal.h"
#include "daemon/charging.h"
#include "daemon/flush/follower.h"
#include "daemon/flush/postgres_connection.h"
#include "daemon/flush/postgres_schema.h"
#include "daemon/flush/restore.h"
#include "daemon/recovery.h"
#include "daemon/state.h"
#include "rating/deck_csv.h"

namespace tollgate::daemon::flush {
namespace {

namespace journal = balance::journal;
using std::chrono::seconds;

std::string url() {
    const char* const said = std::getenv("TOLLGATE_POSTGRES");
    return said == nullptr ? std::string{} : said;
}

void empty_database() {
    PostgresConnection connection{{}};
    connection.open(url());
    connection.execute("DROP SCHEMA IF EXISTS tollgate CASCADE");
}

std::string value(const std::string& query) {
    PostgresConnection connection{{}};
    connection.open(url());
    const auto result = connection.execute(query);
    return result.rows() == 0 ? std::string{"none"} : std::string{result.field(0, 0)};
}

StateSettings small() {
    return {.parties_max = 1'000, .hash_key = 2};
}

/// A daemon's inside on a folder, and a follower of it.
class Inside {
  public:
    explicit Inside(std::string folder) : disk(std::move(folder)) {
        EXPECT_EQ(disk.make_directory(), 0);
        recovered = recover(disk, {.segment_bytes = std::size_t{4} << 20}, [this]() -> State& {
            state = std::make_unique<State>(small());
            return *state;
        });
        recovered.journal->start();
        ChargingSettings settings;
        settings.dial_plans = &state->catalog.dial_plans();
        settings.destination_groups = &state->catalog.destination_groups();
        charging = std::make_unique<Charging>(state->tariffs, state->parties, state->ledger, state->sessions,
                                              state->events, std::move(settings));
        now = {std::max(state->latest().wall, rating::Instant{std::chrono::system_clock::now()}),
               state->latest().steady + seconds{1}};
    }
    Inside(const Inside&) = delete;
    Inside& operator=(const Inside&) = delete;
    ~Inside() {
        follower.reset();
        recovered.journal->stop();
    }

    void follow(std::uint64_t snapshot_bytes = std::uint64_t{256} << 20) {
        FollowerSettings how;
        how.retry_first = std::chrono::milliseconds{10};
        how.pause = std::chrono::milliseconds{5};
        follower = std::make_unique<Follower>(
            std::make_unique<PostgresSink>(PostgresSettings{
                .url = url(), .password_file = {}, .timeout = seconds{5}, .snapshot_bytes = snapshot_bytes}),
            *recovered.journal, small(), *state, how, [this] { return now; },
            [](Follower::Urgency, const std::string& what) { std::printf("store: %s\n", what.c_str()); });
        follower->start();
    }
    void wait_until_level() {
        const auto last = recovered.journal->last();
        ASSERT_TRUE(recovered.journal->wait(last, seconds{10}));
        const auto until = std::chrono::steady_clock::now() + seconds{60};
        while (follower->figures().position.value_or(0) < last) {
            ASSERT_LT(std::chrono::steady_clock::now(), until) << follower->figures().last_failure;
            std::this_thread::sleep_for(std::chrono::milliseconds{5});
        }
    }

    void add(const std::string& id, const std::string& parent, balance::PartyKind kind,
             const char* tariff = nullptr) {
        PartyDraft draft;
        draft.id = id;
        draft.parent = parent;
        draft.kind = kind;
        if (parent.empty()) draft.currency = rating::Currency::parse("EUR");
        if (tariff != nullptr) draft.tariff = tariff;
        EXPECT_TRUE(state->catalog.add({&draft, 1}, now).empty());
    }
    /// A customer with 100, a second costs him 0.01 and his reseller, who has 100 as well, 0.001.
    void found() {
        for (const auto& [id, price] : {std::pair{"retail", "0.6"}, std::pair{"wholesale", "0.06"}}) {
            rating::TariffSettings tariff;
            tariff.currency = *rating::Currency::parse("EUR");
            EXPECT_TRUE(state->catalog.put_tariff(id, tariff, {}, now).result.done());
            const auto deck = rating::read_deck_csv(
                std::string{"prefix,rate_per_minute,destination\n49,"} + price + ",Germany\n", {});
            EXPECT_TRUE(state->catalog.put_deck(id, deck.deck, 0, {}, now).done());
        }
        add("root", "", balance::PartyKind::provider);
        add("north", "root", balance::PartyKind::reseller, "wholesale");
        add("alice", "north", balance::PartyKind::customer, "retail");
        add("a1", "alice", balance::PartyKind::line);
        EXPECT_EQ(state->payments.top_up("north", *rating::parse_money("100"), {"t-1", "opening", now}).code,
                  PaymentCode::ok);
        EXPECT_EQ(state->payments.top_up("alice", *rating::parse_money("100"), {"t-2", {}, now}).code,
                  PaymentCode::ok);
    }
    void authorize(const std::string& session, int want) {
        AuthorizeRequest request;
        request.line = "a1";
        request.destination = "4930123";
        request.session = session;
        request.want = seconds{want};
        EXPECT_EQ(charging->authorize(request, now).code, Code::ok);
    }
    void stop(const std::string& session, int used) {
        EXPECT_EQ(
            charging->stop({.session = session, .used = seconds{used}, .at = {}, .cause = "normal"}, now)
                .code,
            Code::ok);
    }

    Moment now;
    journal::PosixDisk disk;
    std::unique_ptr<State> state;
    Recovered recovered;
    std::unique_ptr<Charging> charging;
    std::unique_ptr<Follower> follower;
};

class PostgresSinkTest : public testing::Test {
  protected:
    void SetUp() override {
        if (url().empty()) GTEST_SKIP() << "TOLLGATE_POSTGRES names no database";
        empty_database();
        folder_ = std::filesystem::temp_directory_path() /
                  ("tollgate-postgres-" + std::to_string(std::random_device{}()));
    }
    void TearDown() override { std::filesystem::remove_all(folder_); }
    [[nodiscard]] std::string folder(const char* name) const { return (folder_ / name).string(); }

    void make_folder() const { std::filesystem::create_directories(folder_); }
    std::filesystem::path folder_;
};

// Goal: a call's record, its legs, balances and the call that is still open stand there.
// Method: a call of 60 seconds costs alice 0.6 and north 0.06; one is open with 10 seconds held, 0.1 and
// 0.01.
TEST_F(PostgresSinkTest, WritesWhatHappened) {
    make_folder();
    Inside inside{folder("a")};
    inside.follow();
    inside.found();
    inside.authorize("first", 60);
    inside.stop("first", 60);
    inside.authorize("second", 10);
    inside.wait_until_level();
    EXPECT_EQ(value("SELECT string_agg(party || ' ' || balance || ' ' || held || ' ' || available, ', ' "
                    "ORDER BY party)"
                    " FROM tollgate.balances WHERE party IN ('alice', 'north')"),
              "alice 99.400000 0.100000 99.300000, north 99.940000 0.010000 99.930000");
    EXPECT_EQ(
        value(
            "SELECT concat_ws(' ', record > 0, session, line, number, used, state, cause, customer, charged,"
            " destination) FROM tollgate.call_records"),
        "t first a1 4930123 60 stopped normal alice 0.600000 Germany");
    EXPECT_EQ(
        value("SELECT string_agg(concat_ws(' ', level, party, seller, tariff, version, prefix, price, billed,"
              " charged), ', ' ORDER BY level) FROM tollgate.call_legs"),
        "1 alice north retail 2 49 0.600000000 60 0.600000, 2 north root wholesale 2 49 0.060000000 60 "
        "0.060000");
    EXPECT_EQ(value("SELECT concat_ws(' ', id, line, answered, levels->0->>'held', levels->1->>'held')"
                    " FROM tollgate.sessions"),
              "second a1 f 0.1 0.01");
    EXPECT_EQ(
        value("SELECT string_agg(concat_ws(' ', number, kind, request, memo, balance), ', ' ORDER BY number)"
              " FROM tollgate.transactions"),
        "1 topup t-1 opening 100.000000, 2 topup t-2  100.000000");
    EXPECT_EQ(value("SELECT sum(amount) FROM tollgate.postings"), "0.000000");
    EXPECT_EQ(value("SELECT string_agg(id || ' ' || version, ', ' ORDER BY id) FROM tollgate.tariffs"),
              "retail 2, wholesale 2");
    EXPECT_EQ(value("SELECT count(*) FROM tollgate.schema_version"), std::to_string(kSchemaVersion));
}

// Goal: a database that is emptied, also while it is followed, is filled again.
TEST_F(PostgresSinkTest, FillsWhatWasEmptied) {
    make_folder();
    Inside inside{folder("a")};
    inside.found();
    inside.follow();
    inside.wait_until_level();
    empty_database();
    inside.authorize("first", 60);
    inside.stop("first", 60);
    const auto until = std::chrono::steady_clock::now() + seconds{30};
    while (value("SELECT to_regclass('tollgate.call_legs')").empty() ||
           value("SELECT count(*) FROM tollgate.call_legs") != "2")
        ASSERT_LT(std::chrono::steady_clock::now(), until) << inside.follower->figures().last_failure;
    EXPECT_EQ(value("SELECT count(*) FROM tollgate.parties"), "4");
    EXPECT_EQ(value("SELECT count(*) FROM tollgate.transactions"), "2");
}

// Goal: events stand in rows of a page, one behind the other, and PostgreSQL knows how much there is.
// Method: a hundred calls come as one batch; an event that is larger than a page comes alone.
TEST_F(PostgresSinkTest, KeepsTheJournalInRowsOfAPage) {
    make_folder();
    Inside inside{folder("a")};
    inside.found();
    for (int call = 0; call < 100; ++call) {
        inside.authorize("free-" + std::to_string(call), 10);
        inside.stop("free-" + std::to_string(call), 0);
    }
    std::vector<PartyDraft> many(300);
    for (std::size_t i = 0; i < many.size(); ++i) {
        many[i].id = "customer-" + std::to_string(i);
        many[i].parent = "north";
        many[i].kind = balance::PartyKind::customer;
    }
    EXPECT_TRUE(inside.state->catalog.add(many, inside.now).empty());
    inside.follow();
    inside.wait_until_level();
    EXPECT_EQ(value("SELECT count(*) > 3 FROM tollgate.journal_events"), "t");
    EXPECT_EQ(value("SELECT string_agg(first || ' to ' || last, ', ') FROM tollgate.journal_events"
                    " WHERE octet_length(bytes) > 8000"),
              std::to_string(inside.recovered.journal->last()) + " to " +
                  std::to_string(inside.recovered.journal->last()));
    EXPECT_EQ(value("SELECT count(*) FROM (SELECT first, lag(last) OVER (ORDER BY first) AS before"
                    " FROM tollgate.journal_events) AS rows WHERE first <> before + 1"),
              "0");
    constexpr const char* kBytes = "SELECT sum(octet_length(bytes)) FROM tollgate.journal_events";
    EXPECT_EQ(value("SELECT event_bytes FROM tollgate.position"), value(kBytes));
    // Where nobody has counted, as an older version left it, they are counted.
    inside.follower.reset();
    (void)value("UPDATE tollgate.position SET event_bytes = NULL, snapshot_bytes = NULL");
    inside.follow();
    inside.authorize("last", 10);
    inside.wait_until_level();
    EXPECT_EQ(value("SELECT event_bytes FROM tollgate.position"), value(kBytes));
}

// Goal: a folder that is made anew holds exactly the state that was there, with and without a snapshot, goes
// on, and PostgreSQL goes on with it.
TEST_F(PostgresSinkTest, RestoresALostFolder) {
    for (const std::uint64_t snapshot_bytes : {std::uint64_t{1}, std::uint64_t{1} << 30}) {
        empty_database();
        std::filesystem::remove_all(folder_);
        make_folder();
        std::uint64_t digest = 0;
        balance::Sequence last = 0;
        {
            Inside inside{folder("lost")};
            inside.follow(snapshot_bytes);
            inside.found();
            inside.authorize("first", 60);
            inside.stop("first", 60);
            inside.wait_until_level();
            // Batches that begin with numbers of one, two and three digits.
            for (int call = 0; call < 60; ++call) {
                inside.authorize("free-" + std::to_string(call), 10);
                inside.stop("free-" + std::to_string(call), 0);
                if (call % 10 == 0) inside.wait_until_level();
            }
            inside.authorize("second", 10);
            inside.wait_until_level();
            digest = inside.state->digest();
            last = inside.recovered.journal->last();
        }
        EXPECT_EQ(value("SELECT count(*) > 0 FROM tollgate.journal_snapshots"),
                  snapshot_bytes == 1 ? "t" : "f");
        // As an older version left them: a batch in a row, and a position that does not count.
        if (snapshot_bytes > 1) {
            (void)value("ALTER TABLE tollgate.position DROP COLUMN event_bytes, DROP COLUMN snapshot_bytes");
            (void)value("DELETE FROM tollgate.schema_version WHERE version > 3");
            (void)value(
                "WITH gone AS (DELETE FROM tollgate.journal_events WHERE first <= 20 RETURNING *)"
                " INSERT INTO tollgate.journal_events SELECT min(first) + 1000000, max(last),"
                " string_agg(bytes, '' ORDER BY first) FROM gone");
            (void)value("UPDATE tollgate.journal_events SET first = first - 1000000 WHERE first > 1000000");
        }
        const RestoreOrder order{.url = url(),
                                 .password_file = {},
                                 .directory = folder("new"),
                                 .reserve = *rating::parse_money("2"),
                                 .state = small(),
                                 .journal = {.segment_bytes = std::size_t{4} << 20}};
        const auto restored = restore_from_postgres(order, rating::Instant{std::chrono::system_clock::now()});
        EXPECT_EQ(restored.before.sequence, last);
        EXPECT_EQ(restored.digest, digest);
        EXPECT_EQ(restored.parties, 4U);
        EXPECT_EQ(restored.open_sessions, 1U);
        EXPECT_EQ(restored.held_back, 2U);
        EXPECT_GT(restored.after.epoch, restored.before.epoch);
        EXPECT_THROW((void)restore_from_postgres(order, {}), std::runtime_error);  // It is not empty.

        Inside again{folder("new")};
        EXPECT_EQ(again.recovered.snapshot, last);
        EXPECT_TRUE(again.recovered.restarted);
        EXPECT_EQ(again.state->verify(), std::vector<std::string>{});
        const auto& alice = again.state->parties.get(again.state->parties.find("alice")).account;
        EXPECT_EQ(alice.available(), *rating::parse_money("97.3"));  // 100 - 0.6 - 0.1 held - 2.
        again.follow();
        again.stop("second", 10);
        again.wait_until_level();
        EXPECT_EQ(again.follower->figures().refills, 0U);
        EXPECT_EQ(value("SELECT balance || ' ' || held || ' ' || available FROM tollgate.balances WHERE "
                        "party = 'alice'"),
                  "99.300000 2.000000 97.300000");
        ASSERT_TRUE(again.state->reserve.release(again.now));
        again.wait_until_level();
        EXPECT_EQ(value("SELECT balance || ' ' || held || ' ' || available FROM tollgate.balances WHERE "
                        "party = 'alice'"),
                  "99.300000 0.000000 99.300000");
        EXPECT_EQ(value("SELECT count(*) FROM tollgate.call_records WHERE used > 0"), "2");
    }
}

}  // namespace
}  // namespace tollgate::daemon::flush
