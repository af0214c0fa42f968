/// Brings one store to where the journal is, and keeps it there.
#pragma once

#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <random>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>

#include "balance/journal/journal.h"
#include "balance/journal/tail.h"
#include "daemon/flush/batch_maker.h"
#include "daemon/flush/sink.h"
#include "daemon/recovery.h"
#include "daemon/state.h"
#include "daemon/store_figures.h"

namespace tollgate::daemon::flush {

struct FollowerSettings {
    std::chrono::milliseconds retry_first{250};           ///< After a failure, doubled with each, up to
    std::chrono::milliseconds retry_longest{30'000};      ///< this; each of them shortened by chance.
    std::size_t batch_bytes_max = std::size_t{16} << 20;  ///< Of events in a batch.
    std::size_t batch_events_max = 100'000;
    std::size_t fill_rows_max = 10'000;   ///< Of a batch of a refill.
    std::chrono::milliseconds pause{50};  ///< Between two batches where the store keeps up.
    std::chrono::milliseconds look{
        2'000};  ///< Where nothing happens, the store is asked so often where it is.
    std::chrono::milliseconds begin_patience{5'000};  ///< How long start() waits for the disk.
};

/// One thread of its own, in the background, with a replica of the state as it was at the store's position.
/// Nothing in a request's way waits for it: it reads the journal's files. Where PostgreSQL is behind, the
/// next batch is made while another thread writes one.
///
/// Memory: the replica, and two batches at a time.
class Follower {
  public:
    enum class Urgency : std::uint8_t { notice, warning, error };
    /// For the log. Any thread; short.
    using Say = std::function<void(Urgency urgency, const std::string& what)>;
    using Now = std::function<Moment()>;

    /// All but the sink must outlive this. `settings` are the live state's; decks are shared with it.
    Follower(std::unique_ptr<Sink> sink, balance::journal::Journal& journal, const StateSettings& settings,
             const State& live, const FollowerSettings& how, Now now, Say say);
    Follower(const Follower&) = delete;
    Follower& operator=(const Follower&) = delete;
    ~Follower();

    /// A sink that is not filled is told of what is appended from here on, however late the thread comes to
    /// it, and by the next process where this one ends before.
    void start();
    /// Ends what waits for the store and joins the thread. Returns within the sink's shortest patience.
    void stop();

    /// Any thread.
    [[nodiscard]] StoreFigures figures() const;
    /// The last event whose changes the store has for good, so that the journal need not keep it for this
    /// one: 0 where that is not known. nullopt: it needs nothing at all. Any thread.
    [[nodiscard]] std::optional<Sequence> taken() const;

  private:
    void run(const std::stop_token& stop);
    void follow(const std::stop_token& stop);
    /// Makes the replica stand where the store stands, or fills the store.
    void meet(const std::optional<Position>& stored, const std::stop_token& stop);
    void prepare_replica();
    void make_maker();
    /// At that event. Where a stop is requested meanwhile, there is no maker afterwards.
    void build_replica(Sequence sequence, const std::stop_token& stop);
    void fill(const std::stop_token& stop);
    void forget_replica();
    /// A batch that was read, and is not known to be taken.
    struct Pending {
        Batch batch;
        rating::Instant levels;  // With it the store has all events from before that.
        bool full = false;       // There may be more behind it.
    };
    /// Reads what is durable to the end of `pending_`; false where there is nothing.
    bool read_batch();
    /// The first of `pending_`; where it is full the next is read meanwhile.
    void write_pending();
    /// The store has the first of `pending_`.
    void drop_first();
    void write(const Batch& batch);
    /// The store has it.
    void note_taken(const Batch& batch);
    void check_fault(const std::optional<balance::journal::Fault>& fault) const;
    /// Until then, or until stop().
    void wait(std::chrono::milliseconds time);
    /// When it is tried again.
    enum class Again : std::uint8_t {
        at_once,  ///< The first time; then soon.
        soon,     ///< After retry_first, then later and later.
        seldom,   ///< After retry_longest.
    };
    void failed(const std::stop_token& stop, StoreState state, Urgency urgency, const std::string& why,
                Again again);
    /// Nothing is wrong any more.
    void went_well();
    void set_state(StoreState state);
    void set_position(const std::optional<Position>& position);

    std::unique_ptr<Sink> sink_;
    balance::journal::Journal& journal_;
    StateSettings settings_;
    const State& live_;
    const FollowerSettings how_;
    Now now_;
    Say say_;
    Sequence started_at_ = 0;  // The journal's last event then.

    // ---- Of the thread ----
    std::unique_ptr<State> replica_;
    std::unique_ptr<Restoring> restoring_;
    std::unique_ptr<BatchMaker> maker_;
    balance::journal::Tail tail_;
    std::deque<Pending> pending_;  // One after the other; never more than two.
    std::optional<Pending> done_;  // The store has it, and nobody has freed it yet.
    bool was_full_ = false;        // The batch that was read last.
    Position at_;                  // Of the store: where the replica is, or was before `pending_`.
    std::chrono::nanoseconds forgotten_at_{};
    std::chrono::milliseconds delay_{};
    bool failing_ = false;
    std::minstd_rand chance_;

    // ---- For whoever asks ----
    mutable std::mutex mutex_;
    std::condition_variable bell_;
    bool stopping_ = false;
    StoreFigures figures_;
    Sequence needed_ = 0;  // See taken().
    bool needs_nothing_ = false;
    std::optional<Moment> waiting_since_;  // Of the oldest event in a batch that is not taken.
    /// It has all events from before that.
    rating::Instant level_at_{};
    std::jthread thread_;
};

}  // namespace tollgate::daemon::flush
