#include "daemon/flush/follower.h"

#include <map>
#include <random>
#include <set>
#include <thread>

#include <gtest/gtest.h>

#include "balance/journal/snapshot.h"
#include "tests/balance/journal/simulated.h"
#include "tests/daemon/world.h"

namespace tollgate::daemon::flush {
namespace {

using balance::journal::Journal;
using balance::journal::SimDisk;
using std::chrono::milliseconds;

/// What is in a store; it outlives the sink, as a server outlives a connection.
struct Store {
    std::mutex mutex;
    std::optional<Position> position;
    std::map<std::string, std::string> parties;  // By id: balance, held and available.
    std::set<std::string> open;
    std::map<std::string, std::uint32_t> records;  // Seconds used, by id.
    std::vector<std::uint64_t> transactions;
    std::vector<Sequence> events;
    std::vector<std::string> told;
    std::map<std::string, const rating::Deck*> decks;  // Of the newest version of each tariff.
    std::size_t clears = 0;

    // How it writes: what the replica does meanwhile.
    bool needs_state = true;
    bool fills = true;
    std::size_t again_behind = 0;  // Written again after the next was made.
    std::vector<bool> behind;      // Of each batch of events.

    // How it misbehaves.
    unsigned fails_before = 0;   // Of 100 writes: not taken.
    unsigned fails_after = 0;    // Taken, but the answer is lost.
    unsigned fails_filling = 0;  // So many batches of a refill behind its first.
    bool away = false;
    std::string why = "memory: away";
    std::minstd_rand chance{7};
};

/// Keeps a batch whole with its position, or nothing of it.
class MemorySink final : public Sink {
  public:
    explicit MemorySink(Store& store) : store_(store) {}
    [[nodiscard]] std::string_view name() const noexcept override { return "memory"; }
    [[nodiscard]] std::optional<Position> connect() override { return position(); }
    [[nodiscard]] std::optional<Position> position() override {
        const std::lock_guard lock{store_.mutex};
        if (store_.away) throw SinkFailure{store_.why};
        return store_.position;
    }
    void begin(const Position& here) override {
        const std::lock_guard lock{store_.mutex};
        if (!store_.position) store_.position = here;
    }
    [[nodiscard]] bool fills() const noexcept override { return store_.fills; }
    [[nodiscard]] bool needs_state(const Batch& batch) const override {
        return batch.filling || store_.needs_state;
    }
    void write(const Batch& batch) override {
        const std::lock_guard lock{store_.mutex};
        if (batch.state_went_on) ++store_.again_behind;
        if (store_.needs_state) {
            EXPECT_FALSE(batch.state_went_on);
        }
        if (store_.away) throw SinkFailure{store_.why};
        if (batch.filling && !batch.clear && store_.fails_filling > 0) {
            --store_.fails_filling;
            throw SinkFailure{"memory: not filled"};
        }
        const auto dice = store_.chance() % 100;
        if (dice < store_.fails_before) throw SinkFailure{"memory: not taken"};
        if (!batch.clear && store_.position != batch.before) throw SinkMoved{"memory: moved"};
        take(batch);
        if (dice < store_.fails_before + store_.fails_after) throw SinkFailure{"memory: the answer is lost"};
    }

  private:
    void take(const Batch& batch) {
        if (batch.clear) {
            store_.parties.clear();
            store_.open.clear();
            store_.records.clear();
            store_.transactions.clear();
            store_.events.clear();
            store_.told.clear();
            ++store_.clears;
        }
        for (const BalanceRow& row : batch.balances) {
            store_.parties[std::string{row.id}] = std::string{rating::format(row.balance).view()} + ' ' +
                                                  std::string{rating::format(row.held).view()} + ' ' +
                                                  std::string{rating::format(row.available).view()};
        }
        for (const SessionRow& row : batch.sessions)
            store_.open.insert(row.name.id);
        for (const SessionName& name : batch.sessions_gone)
            store_.open.erase(name.id);
        for (const RecordRow& row : batch.records) {
            const bool known = !store_.records.emplace(row.record.id(), 0).second;
            if (!batch.filling) {
                EXPECT_EQ(known, row.again) << row.record.id();
            }
            store_.records[row.record.id()] = row.record.used_seconds;
        }
        for (const auto& version : batch.versions)
            store_.decks[std::string{version->tariff}] = version->deck.get();
        for (const TransactionRow& row : batch.transactions)
            store_.transactions.push_back(row.transaction->number);
        std::span<const std::byte> bytes = batch.events;
        for (std::size_t i = 0; i < batch.event_count; ++i) {
            balance::journal::EventLength length = 0;
            std::memcpy(&length, bytes.data(), sizeof length);
            bytes = bytes.subspan(sizeof length + length);
            store_.events.push_back(batch.first + i);
        }
        EXPECT_TRUE(bytes.empty());
        if (!batch.filling) store_.behind.push_back(batch.behind);
        for (const Occurrence& one : occurrences_of(batch))
            store_.told.push_back(one.id() + ' ' + std::string{text_of(one.kind)});
        store_.position = batch.after;
    }

    Store& store_;
};

/// A world whose events go to a journal, as a daemon's would, and a follower behind it.
class FollowerTest : public testing::Test {
  protected:
    FollowerTest() {
        journal_ = open_good(disk_, replayed_, settings());
        world_.top_up("alice", "1000");
    }
    ~FollowerTest() override { follower_.reset(); }

    static balance::journal::Settings settings() {
        auto settings = balance::journal::small_settings();
        settings.queue_bytes = 32 * 1024;  // Parties of the world are one event.
        return settings;
    }
    void follow(milliseconds retry_first = milliseconds{1}) {
        FollowerSettings how;
        how.retry_first = retry_first;
        how.retry_longest = std::max(retry_first, milliseconds{5});
        how.pause = milliseconds{1};
        how.look = milliseconds{5};
        how.batch_events_max = 7;
        how.fill_rows_max = 3;
        how.begin_patience = milliseconds{0};
        follower_ = std::make_unique<Follower>(
            std::make_unique<MemorySink>(store_), *journal_, World::settings_for({}), world_.state, how,
            [wall = world_.now.wall] {
                return Moment{wall, std::chrono::steady_clock::now().time_since_epoch()};
            },
            [](Follower::Urgency, const std::string&) {});
        follower_->start();
    }
    void append() {
        for (; passed_on_ < world_.log.events().size(); ++passed_on_)
            journal_->append(world_.log.events()[passed_on_]);
    }
    /// What the world has done since becomes durable.
    void commit() {
        for (; passed_on_ < world_.log.events().size(); ++passed_on_) {
            journal_->append(world_.log.events()[passed_on_]);
            while (journal_->prepare() == balance::journal::Preparer::Step::made) {}
            for (int i = 0; i < 10 && journal_->durable() < journal_->last(); ++i)
                journal_->step({});
        }
        ASSERT_EQ(journal_->durable(), passed_on_);
    }
    void call(const std::string& id, int seconds) {
        ASSERT_EQ(world_.authorize(id, 60).code, Code::ok);
        ASSERT_EQ(world_.stop(id, seconds).code, Code::ok);
    }
    template <typename Condition>
    void wait_for(const Condition& condition) {
        const auto until = std::chrono::steady_clock::now() + std::chrono::seconds{60};
        while (!condition()) {
            ASSERT_LT(std::chrono::steady_clock::now(), until);
            std::this_thread::sleep_for(milliseconds{1});
        }
    }
    void expect_level() {
        ASSERT_NO_FATAL_FAILURE(wait_for([this] {
            const std::lock_guard lock{store_.mutex};
            return store_.position && store_.position->filling == 0 &&
                   store_.position->sequence == journal_->durable();
        }));
        const std::lock_guard lock{store_.mutex};
        EXPECT_EQ(store_.parties.size(), world_.parties.size());
        for (const auto& [id, sums] : store_.parties) {
            const auto& account = world_.party(id).account;
            EXPECT_EQ(sums, std::string{rating::format(account.balance()).view()} + ' ' +
                                std::string{rating::format(account.held()).view()} + ' ' +
                                std::string{rating::format(account.available()).view()})
                << id;
        }
        for (std::size_t i = 0; i + 1 < store_.events.size(); ++i)
            ASSERT_EQ(store_.events[i] + 1, store_.events[i + 1]) << "each event once, in order";
        if (!store_.events.empty()) {
            EXPECT_EQ(store_.events.back(), journal_->durable());
        }
        EXPECT_EQ(std::set<std::string>(store_.told.begin(), store_.told.end()).size(), store_.told.size());
    }
    void save_snapshot() {
        balance::journal::SnapshotWriter writer{disk_, journal_->instance(), journal_->durable()};
        world_.state.save([&writer](std::span<const std::byte> record) { (void)writer.add(record); });
        ASSERT_EQ(writer.finish(), 0);
    }

    SimDisk disk_;
    balance::journal::Events replayed_;
    World world_;
    std::unique_ptr<Journal> journal_;
    std::size_t passed_on_ = 0;
    Store store_;
    std::unique_ptr<Follower> follower_;
};

TEST_F(FollowerTest, GivesAStoreWhatEventsDid) {
    commit();
    follow();
    ASSERT_NO_FATAL_FAILURE(expect_level());
    ASSERT_NO_FATAL_FAILURE(call("one", 30));
    ASSERT_EQ(world_.authorize("two", 60).code, Code::ok);
    commit();
    ASSERT_NO_FATAL_FAILURE(expect_level());
    ASSERT_NO_FATAL_FAILURE(wait_for([this] { return follower_->taken() == journal_->durable(); }));
    const std::lock_guard lock{store_.mutex};
    EXPECT_EQ(store_.open, std::set<std::string>{"two"});
    ASSERT_EQ(store_.records.size(), 1U);
    EXPECT_EQ(store_.records.begin()->second, 30U);
    EXPECT_EQ(store_.transactions, (std::vector<std::uint64_t>{1, 2, 3}));
    ASSERT_EQ(store_.told.size(), 1U);
    EXPECT_TRUE(store_.told[0].ends_with("call_ended"));
    EXPECT_EQ(follower_->figures().state, StoreState::following);
}

// Goal: batches up to the one with which the store has all are marked, and no other.
// Method: a batch has seven events at most, and eight calls are sixteen.
TEST_F(FollowerTest, SaysThatItIsBehind) {
    commit();
    follow();
    ASSERT_NO_FATAL_FAILURE(expect_level());
    // The batch before the first may have been full, and the follower not know yet that it was the last.
    for (const auto* const id : {"first", "alone"}) {
        ASSERT_NO_FATAL_FAILURE(call(id, 30));
        ASSERT_NO_FATAL_FAILURE(commit());
        ASSERT_NO_FATAL_FAILURE(expect_level());
    }
    follower_.reset();
    {
        const std::lock_guard lock{store_.mutex};
        EXPECT_FALSE(store_.behind.back());
        store_.behind.clear();
    }
    for (int i = 0; i < 8; ++i)
        ASSERT_NO_FATAL_FAILURE(call("call-" + std::to_string(i), 30));
    ASSERT_NO_FATAL_FAILURE(commit());
    follow();
    ASSERT_NO_FATAL_FAILURE(expect_level());
    ASSERT_NO_FATAL_FAILURE(wait_for([this] { return follower_->taken() == journal_->durable(); }));
    ASSERT_NO_FATAL_FAILURE(call("last", 30));
    ASSERT_NO_FATAL_FAILURE(commit());
    ASSERT_NO_FATAL_FAILURE(expect_level());
    const std::lock_guard lock{store_.mutex};
    ASSERT_GE(store_.behind.size(), 4U);
    EXPECT_TRUE(store_.behind[0]);
    EXPECT_TRUE(store_.behind[1]);
    EXPECT_TRUE(store_.behind[2]) << "it brings the rest";
    EXPECT_FALSE(store_.behind.back());
}

// Goal: whatever fails, each event is there once and every row is what the events say.
// Method: of all writes a fifth are not taken, and of another fifth the answer is lost.
TEST_F(FollowerTest, WritesEachEventOnceWhateverFails) {
    store_.fails_before = 20;
    store_.fails_after = 20;
    commit();
    follow();
    for (int i = 0; i < 100; ++i) {
        ASSERT_NO_FATAL_FAILURE(call("call-" + std::to_string(i), i % 50));
        ASSERT_NO_FATAL_FAILURE(commit());
        if (i % 10 == 0) {
            ASSERT_NO_FATAL_FAILURE(expect_level());
        }
    }
    ASSERT_NO_FATAL_FAILURE(expect_level());
    EXPECT_GT(follower_->figures().failures, 0U);
    const std::lock_guard lock{store_.mutex};
    EXPECT_EQ(store_.records.size(), 100U);
    EXPECT_EQ(store_.told.size(), 100U);
    EXPECT_TRUE(store_.open.empty());
}

// Goal: the same where the next batch is made while one is written, and the one fails.
TEST_F(FollowerTest, MakesTheNextBatchMeanwhile) {
    store_.needs_state = false;
    store_.fails_before = 20;
    store_.fails_after = 20;
    commit();
    follow();
    ASSERT_NO_FATAL_FAILURE(expect_level());
    for (int round = 0; round < 5; ++round) {
        for (int i = 0; i < 50; ++i)
            ASSERT_NO_FATAL_FAILURE(call(std::to_string(round) + "-" + std::to_string(i), i));
        ASSERT_NO_FATAL_FAILURE(commit());
        ASSERT_NO_FATAL_FAILURE(expect_level());
    }
    const std::lock_guard lock{store_.mutex};
    EXPECT_GT(store_.again_behind, 0U);
    EXPECT_EQ(store_.records.size(), 250U);
    EXPECT_EQ(store_.told.size(), 250U);
    EXPECT_EQ(store_.clears, 1U);
    EXPECT_TRUE(store_.open.empty());
}

// Goal: one that is not filled is told of what is appended after start(), and of nothing that was before,
// whenever that becomes durable and however late the follower comes to it.
// Method: a call before is in the journal, but not durable; a store that is away holds the follower up.
TEST_F(FollowerTest, TellsOneThatIsNotFilledFromTheStartOn) {
    store_.fills = false;
    ASSERT_NO_FATAL_FAILURE(commit());
    ASSERT_NO_FATAL_FAILURE(call("durable", 30));
    ASSERT_NO_FATAL_FAILURE(commit());
    ASSERT_NO_FATAL_FAILURE(call("before", 30));
    append();
    const Sequence before = journal_->last();
    follow();
    ASSERT_NO_FATAL_FAILURE(wait_for([this] { return follower_->figures().state == StoreState::filling; }));
    {
        const std::lock_guard lock{store_.mutex};
        EXPECT_FALSE(store_.position) << "it is not told of what may be lost";
        store_.away = true;
    }
    ASSERT_NO_FATAL_FAILURE(call("after", 30));
    ASSERT_NO_FATAL_FAILURE(commit());
    ASSERT_NO_FATAL_FAILURE(wait_for([this] { return follower_->figures().failures > 0; }));
    {
        const std::lock_guard lock{store_.mutex};
        store_.away = false;
    }
    ASSERT_NO_FATAL_FAILURE(wait_for([this] {
        const std::lock_guard lock{store_.mutex};
        return store_.position && store_.position->sequence == journal_->durable();
    }));
    const std::lock_guard lock{store_.mutex};
    EXPECT_EQ(store_.told.size(), 1U);
    ASSERT_FALSE(store_.events.empty());
    EXPECT_EQ(store_.events.front(), before + 1);
}

// Goal: one that is not filled is told of what came after start(), though the process ended before its
// follower had come to anything.
TEST_F(FollowerTest, TellsOneThatIsNotFilledAfterAProcessThatToldNothing) {
    store_.fills = false;
    store_.away = true;
    ASSERT_NO_FATAL_FAILURE(call("before", 30));
    ASSERT_NO_FATAL_FAILURE(commit());
    follow();
    follower_.reset();
    ASSERT_NO_FATAL_FAILURE(call("after", 30));
    ASSERT_NO_FATAL_FAILURE(commit());
    store_.away = false;
    follow();
    ASSERT_NO_FATAL_FAILURE(wait_for([this] {
        const std::lock_guard lock{store_.mutex};
        return store_.position->sequence == journal_->durable();
    }));
    const std::lock_guard lock{store_.mutex};
    EXPECT_EQ(store_.told.size(), 1U);
}

// Goal: what a store has is what counts, not what its follower remembers.
TEST_F(FollowerTest, GoesOnFromTheStoreAfterARestart) {
    commit();
    follow();
    ASSERT_NO_FATAL_FAILURE(expect_level());
    follower_.reset();
    for (int i = 0; i < 20; ++i)
        ASSERT_NO_FATAL_FAILURE(call("away-" + std::to_string(i), i));
    commit();
    follow();
    ASSERT_NO_FATAL_FAILURE(expect_level());
    const std::lock_guard lock{store_.mutex};
    EXPECT_EQ(store_.clears, 1U) << "only the first time";
    EXPECT_EQ(store_.records.size(), 20U);
}

TEST_F(FollowerTest, FillsAWipedStoreFromTheOldestSnapshot) {
    ASSERT_NO_FATAL_FAILURE(call("before", 10));
    ASSERT_EQ(world_.authorize("open", 60).code, Code::ok);
    commit();
    save_snapshot();
    const Sequence snapshot = journal_->durable();
    ASSERT_NO_FATAL_FAILURE(call("after", 20));
    commit();
    follow();
    ASSERT_NO_FATAL_FAILURE(expect_level());
    {
        const std::lock_guard lock{store_.mutex};
        EXPECT_EQ(store_.records.size(), 2U);
        EXPECT_EQ(store_.events.front(), snapshot + 1);
        EXPECT_EQ(store_.told.size(), 1U) << "what was before is not told";
        store_.position.reset();  // Wiped while nothing happens.
        store_.parties.clear();
    }
    ASSERT_NO_FATAL_FAILURE(wait_for([this] {
        const std::lock_guard lock{store_.mutex};
        return store_.clears == 2;
    }));
    ASSERT_NO_FATAL_FAILURE(expect_level());
    {
        // A refill that was broken off begins again.
        const std::lock_guard lock{store_.mutex};
        store_.position->filling = 2;
    }
    ASSERT_NO_FATAL_FAILURE(wait_for([this] {
        const std::lock_guard lock{store_.mutex};
        return store_.clears == 3;
    }));
    ASSERT_NO_FATAL_FAILURE(expect_level());
    const std::lock_guard lock{store_.mutex};
    EXPECT_EQ(store_.open, std::set<std::string>{"open"});
    EXPECT_EQ(store_.transactions, (std::vector<std::uint64_t>{1, 2, 3}));
}

TEST_F(FollowerTest, FillsAnewWhatIsHalfFilled) {
    for (int i = 0; i < 20; ++i)
        ASSERT_NO_FATAL_FAILURE(call("call-" + std::to_string(i), i));
    commit();
    ASSERT_NO_FATAL_FAILURE(save_snapshot());
    store_.fails_filling = 2;
    follow();
    ASSERT_NO_FATAL_FAILURE(expect_level());
    const std::lock_guard lock{store_.mutex};
    EXPECT_EQ(store_.fails_filling, 0U);
    EXPECT_EQ(store_.clears, 3U);
    EXPECT_EQ(store_.records.size(), 20U);
}

TEST_F(FollowerTest, LeavesAloneWhatIsNotOfThisJournal) {
    commit();
    const Position ours{journal_->instance(), journal_->statistics().epoch, journal_->durable(), 0};
    for (int what = 0; what < 3; ++what) {
        Position theirs = ours;
        if (what == 0) theirs.instance.low ^= 1U;
        if (what == 1) ++theirs.sequence;
        if (what == 2) theirs.epoch = 0;  // Before the first: that epoch never had this event.
        store_.position = theirs;
        follow();
        ASSERT_NO_FATAL_FAILURE(
            wait_for([this] { return follower_->figures().state == StoreState::foreign; }));
        EXPECT_EQ(follower_->taken(), std::nullopt) << "nothing is kept for it";
        EXPECT_EQ(follower_->figures().position, std::nullopt);
        follower_.reset();
        const std::lock_guard lock{store_.mutex};
        EXPECT_EQ(store_.position, theirs);
        EXPECT_EQ(store_.clears, 0U);
    }
}

// Goal: a store that was emptied is not left so for as long as one that is away.
TEST_F(FollowerTest, GoesOnAtOnceWhereAStoreWasMoved) {
    commit();
    follow(std::chrono::minutes{10});
    ASSERT_NO_FATAL_FAILURE(expect_level());
    {
        const std::lock_guard lock{store_.mutex};
        store_.position.reset();
    }
    ASSERT_NO_FATAL_FAILURE(wait_for([this] { return follower_->figures().refills == 2; }));
    ASSERT_NO_FATAL_FAILURE(expect_level());
    EXPECT_EQ(follower_->figures().failures, 1U);
    ASSERT_NO_FATAL_FAILURE(wait_for([this] { return follower_->figures().failures_in_a_row == 0; }));
}

// Goal: what failed is over when the store is back, and not when there is something to write again.
TEST_F(FollowerTest, FailuresAreOverWhenItHasAllThereIs) {
    commit();
    follow();
    ASSERT_NO_FATAL_FAILURE(expect_level());
    const auto away = [this](bool is_away) {
        const std::lock_guard lock{store_.mutex};
        store_.away = is_away;
    };
    away(true);
    ASSERT_NO_FATAL_FAILURE(wait_for([this] { return follower_->figures().failures_in_a_row > 1; }));
    away(false);
    ASSERT_NO_FATAL_FAILURE(wait_for([this] { return follower_->figures().failures_in_a_row == 0; }));
    EXPECT_EQ(follower_->figures().state, StoreState::following);
}

// Goal: a deck is in memory once, however it came in, also one that is put while stores are followed.
// Method: it is put as administration does it, joined to its audit entry. Its file is on no disk here:
// a replica that wanted to read it would fail, and be made anew.
TEST_F(FollowerTest, SharesDecksThatArePutWhileItRuns) {
    commit();
    follow();
    ASSERT_NO_FATAL_FAILURE(expect_level());
    const auto reading = rating::read_deck_csv("prefix,rate_per_minute\n49,0.9\n", {});
    {
        balance::JointEvent joint;
        world_.state.registry.audit.add(joint, {.actor = "anna", .operation = "putDeck"}, world_.now);
        ASSERT_TRUE(world_.catalog.put_deck("retail", reading.deck, 0).done());
    }
    ASSERT_NO_FATAL_FAILURE(commit());
    ASSERT_NO_FATAL_FAILURE(expect_level());
    EXPECT_EQ(follower_->figures().failures, 0U) << follower_->figures().last_failure;
    const std::lock_guard lock{store_.mutex};
    EXPECT_EQ(store_.decks.at("retail"), reading.deck.get());
    EXPECT_EQ(store_.decks.at("wholesale"),
              world_.tariffs.current(*world_.tariffs.find("wholesale"))->deck.get());
}

// Goal: whatever a store's library says, INFO does not repeat a password.
TEST_F(FollowerTest, ShowsNoSecretOfAFailure) {
    store_.away = true;
    store_.why = "memory: no postgresql://ann:hun/ter2@db/x";
    follow();
    ASSERT_NO_FATAL_FAILURE(wait_for([this] { return follower_->figures().failures > 0; }));
    EXPECT_EQ(follower_->figures().last_failure, "memory: no postgresql://ann:***@db/x");
}

// Goal: the journal is kept until it is known that a store has it, and it is known how far behind it is.
TEST_F(FollowerTest, SaysHowFarBehindItIs) {
    store_.away = true;
    commit();
    follow();
    ASSERT_NO_FATAL_FAILURE(wait_for([this] { return follower_->figures().failures > 2; }));
    EXPECT_EQ(follower_->taken(), Sequence{0}) << "nobody knows";
    EXPECT_EQ(follower_->figures().lag_events, journal_->durable());
    {
        const std::lock_guard lock{store_.mutex};
        store_.away = false;
    }
    ASSERT_NO_FATAL_FAILURE(expect_level());
    ASSERT_NO_FATAL_FAILURE(wait_for([this] { return follower_->figures().lag_events == 0; }));
    EXPECT_EQ(follower_->figures().lag.count(), 0);
    const Sequence had = journal_->durable();
    {
        const std::lock_guard lock{store_.mutex};
        store_.away = true;
    }
    ASSERT_NO_FATAL_FAILURE(call("late", 5));
    ASSERT_NO_FATAL_FAILURE(commit());
    ASSERT_NO_FATAL_FAILURE(wait_for([this] { return follower_->figures().state == StoreState::waiting; }));
    EXPECT_EQ(follower_->taken(), had);
    EXPECT_EQ(follower_->figures().lag_events, journal_->durable() - had);
}

}  // namespace
}  // namespace tollgate::daemon::flush
