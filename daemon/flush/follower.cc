#include "daemon/flush/follower.h"

#include <algorithm>
#include <future>
#include <utility>

#include "balance/journal/aside.h"
#include "balance/journal/snapshot.h"
#include "daemon/operation/log_line.h"
#include "daemon/turns.h"

namespace tollgate::daemon::flush {
namespace {

namespace journal = balance::journal;

/// A replica frees no version of a tariff. After so many new decks it is made anew, from a snapshot.
constexpr std::size_t kReplicaDecksMax = 50;

/// What no daemon would remember is forgotten so often,
constexpr std::chrono::seconds kForgetEvery{1};
/// and so much later: commands that looked at the clock before the latest event may have theirs behind it.
constexpr std::chrono::minutes kForgetLater{1};

/// Of failures that follow each other the first is said, and each of so many.
constexpr std::uint32_t kSayEvery = 20;

/// What stands in the store is not this journal's, or not any more.
class Foreign : public SinkFailure {
  public:
    using SinkFailure::SinkFailure;
};

std::size_t rows_of(const Batch& batch) noexcept {
    std::size_t legs = 0;
    for (const RecordRow& row : batch.records)
        legs += row.record.legs.size();
    return batch.parties.size() + batch.balances.size() + batch.versions.size() + batch.transactions.size() +
           batch.sessions.size() + batch.records.size() + legs + batch.audit.size();
}

}  // namespace

Follower::Follower(std::unique_ptr<Sink> sink, journal::Journal& journal, const StateSettings& settings,
                   const State& live, const FollowerSettings& how, Now now, Say say)
    : sink_(std::move(sink)),
      journal_(journal),
      settings_(settings),
      live_(live),
      how_(how),
      now_(std::move(now)),
      say_(std::move(say)),
      tail_(journal.disk(), journal.instance()),
      chance_(std::random_device{}()),
      level_at_(now_().wall) {
    // A little more than a daemon keeps: an event may name what it was about to forget.
    ++settings_.versions_kept;
    settings_.sessions.remember_bytes += settings_.sessions.remember_bytes / 8;
    figures_.name = sink_->name();
}

Follower::~Follower() {
    stop();
}

void Follower::start() {
    started_at_ = journal_.last();
    if (!sink_->fills() && journal_.wait(started_at_, how_.begin_patience)) {
        try {
            sink_->begin({journal_.instance(), journal_.statistics().epoch, started_at_, 0});
        } catch (const SinkFailure&) {
            // The thread meets the same, says so, and tries it again.
        }
    }
    thread_ = std::jthread{[this](const std::stop_token& stop) { run(stop); }};
}

void Follower::stop() {
    if (!thread_.joinable()) return;
    thread_.request_stop();
    {
        const std::lock_guard lock{mutex_};
        stopping_ = true;
    }
    bell_.notify_all();
    sink_->interrupt();
    thread_.join();
}

void Follower::run(const std::stop_token& stop) {
    work_in_background();
    while (!stop.stop_requested()) {
        try {
            follow(stop);
        } catch (const Foreign& foreign) {
            set_position(std::nullopt);
            {
                const std::lock_guard lock{mutex_};
                needs_nothing_ = true;
            }
            failed(stop, StoreState::foreign, Urgency::error, foreign.what(), Again::seldom);
        } catch (const SinkRefused& refused) {
            failed(stop, StoreState::refused, Urgency::error, refused.what(), Again::seldom);
        } catch (const SinkMoved& moved) {
            failed(stop, StoreState::waiting, Urgency::warning, moved.what(), Again::at_once);
        } catch (const SinkFailure& failure) {
            failed(stop, StoreState::waiting, Urgency::warning, failure.what(), Again::soon);
        } catch (const std::exception& failure) {
            // The journal could not be read, or not understood: what the replica is nobody knows.
            forget_replica();
            failed(stop, StoreState::waiting, Urgency::error, failure.what(), Again::seldom);
        }
    }
    sink_->disconnect();
    set_state(StoreState::stopped);
}

void Follower::follow(const std::stop_token& stop) {
    const auto stored = sink_->connect();
    meet(stored, stop);
    if (stop.stop_requested()) return;
    set_state(StoreState::following);
    auto looked = now_().steady;
    while (!stop.stop_requested()) {
        bool more = false;
        if (!pending_.empty() || read_batch()) {
            more = pending_.front().full;
            write_pending();
            if (maker_->decks() > kReplicaDecksMax) {
                const Sequence sequence = at_.sequence;
                forget_replica();
                build_replica(sequence, stop);
                if (maker_ == nullptr) return;
            }
            looked = now_().steady;
        } else if (failing_) {
            went_well();  // It has all there is.
        } else if (now_().steady - looked >= how_.look) {
            looked = now_().steady;
            if (sink_->position() != at_)
                throw SinkMoved{std::string{sink_->name()} + ": it is not where it was left"};
        }
        if (const auto now = now_().steady; now - forgotten_at_ >= kForgetEvery) {
            forgotten_at_ = now;
            const auto due = replica_->latest().steady - kForgetLater;
            for (std::size_t stripe = 0; stripe < balance::SessionTable::kStripes; ++stripe)
                replica_->sessions.forget_due(stripe, due);
            replica_->payments.forget_due(due);
        }
        if (more) continue;
        done_.reset();
        wait(how_.pause);
    }
}

void Follower::write_pending() {
    Batch& batch = pending_.front().batch;
    batch.state_went_on = pending_.size() > 1;
    if (!pending_.front().full || batch.state_went_on || sink_->needs_state(batch)) {
        write(batch);
    } else {
        // Where reading fails, leaving this waits for the writing.
        auto written = std::async(std::launch::async, [this, &batch] { sink_->write(batch); });
        done_.reset();
        (void)read_batch();
        written.get();
        note_taken(batch);
    }
    drop_first();
}

void Follower::drop_first() {
    const rating::Instant levels = pending_.front().levels;
    // Freeing it takes as long as a sync: where there is more, that is done while the next is written.
    done_.reset();
    if (pending_.front().full) done_ = std::move(pending_.front());
    pending_.pop_front();
    const std::lock_guard lock{mutex_};
    level_at_ = std::max(level_at_, levels);
    waiting_since_.reset();
    if (!pending_.empty()) waiting_since_ = pending_.front().batch.first_at;
}

void Follower::meet(const std::optional<Position>& stored, const std::stop_token& stop) {
    {
        const std::lock_guard lock{mutex_};
        needs_nothing_ = false;
    }
    // One that is half filled is filled anew: the replica is at the end of the filling.
    if (stored && stored->filling == 0 && maker_ != nullptr) {
        if (!pending_.empty() && *stored == pending_.front().batch.after) {
            at_ = pending_.front().batch.after;
            drop_first();
        }
        // Where the failure came in between, what was read is written again.
        if (*stored == at_ && (pending_.empty() || pending_.front().batch.before == at_))
            return set_position(at_);
    }
    forget_replica();
    if (!stored || stored->filling != 0) return fill(stop);
    const auto name = std::string{sink_->name()};
    const std::string event = "event " + std::to_string(stored->sequence);
    if (stored->instance != journal_.instance()) {
        throw Foreign{name + ": it holds " + event + " of another journal, " +
                      journal::text_of(stored->instance) + "; nothing is written to it"};
    }
    if (stored->sequence > journal_.durable() ||
        !journal::is_of_history(journal_.disk(), stored->epoch, stored->sequence)) {
        throw Foreign{name + ": it holds " + event + ", and this journal does not have it; nothing is " +
                      "written to it"};
    }
    set_position(stored);
    try {
        build_replica(stored->sequence, stop);
    } catch (const DamagedJournal& damaged) {
        throw Foreign{name + ": it holds all up to " + event +
                      ", and what follows is not in the journal any more: " + damaged.what()};
    }
    at_ = *stored;
}

void Follower::forget_replica() {
    pending_.clear();
    done_.reset();
    was_full_ = false;
    maker_.reset();
    restoring_.reset();
    replica_.reset();
    const std::lock_guard lock{mutex_};
    waiting_since_.reset();
}

void Follower::check_fault(const std::optional<journal::Fault>& fault) const {
    if (fault) restoring_->check(*fault);
}

void Follower::prepare_replica() {
    restoring_ = std::make_unique<Restoring>(journal_.disk(), [this]() -> State& {
        replica_.reset();  // There is not room for two.
        replica_ = std::make_unique<State>(settings_);
        replica_->catalog.share_decks(live_.tariffs);
        return *replica_;
    });
}

void Follower::make_maker() {
    maker_ = std::make_unique<BatchMaker>(*replica_, live_.tariffs, [this](std::string_view name) {
        std::vector<std::byte> bytes;
        std::string fault;
        if (!journal::read_aside(journal_.disk(), journal_.instance(), std::string{name}, bytes, fault))
            throw std::runtime_error{fault};
        return bytes;
    });
}

void Follower::build_replica(Sequence sequence, const std::stop_token& stop) {
    prepare_replica();
    const Sequence from = restoring_->read_snapshot_before(sequence);
    check_fault(tail_.seek(from));
    const auto apply = restoring_->on_event();
    check_fault(tail_.read(
        sequence, [&](Sequence number, auto event) { return number > sequence || apply(number, event); },
        [&stop] { return stop.stop_requested(); }));
    if (tail_.at() > sequence) {
        // The store stops in the middle of a batch of the journal, as one that was filled from a snapshot.
        check_fault(tail_.seek(sequence));
    }
    if (!stop.stop_requested()) make_maker();
}

void Follower::fill(const std::stop_token& stop) {
    const std::string name{sink_->name()};
    at_ = {};  // Whatever store answers next, the replica is not where that one may be.
    set_state(StoreState::filling);
    set_position(std::nullopt);
    Sequence sequence = 0;
    if (sink_->fills()) {
        prepare_replica();
        sequence = restoring_->read_oldest_snapshot();
        check_fault(tail_.seek(sequence));
        make_maker();
    } else {
        sequence = started_at_;
        while (journal_.durable() < sequence) {
            if (stop.stop_requested()) return;
            wait(how_.pause);
        }
        build_replica(sequence, stop);
    }
    if (stop.stop_requested()) return;
    {
        const std::lock_guard lock{mutex_};
        ++figures_.refills;
        needed_ = sequence;
    }
    const Position end{journal_.instance(), tail_.epoch(), sequence, 0};
    Position before;
    const auto emit = [&](Batch&& batch, bool last) {
        if (stop.stop_requested()) throw SinkFailure{name + ": the daemon stops"};
        batch.before = before;
        batch.after = end;
        if (!last) batch.after.filling = before.filling + 1;
        write(batch);
        before = batch.after;
    };
    if (sink_->fills()) {
        say_(Urgency::notice,
             name + ": it is empty, and is filled from event " + std::to_string(sequence) + " on");
        maker_->fill(how_.fill_rows_max, emit);
    } else {
        Batch batch = maker_->finish();
        batch.clear = true;
        batch.filling = true;
        emit(std::move(batch), true);
    }
    at_ = end;
}

bool Follower::read_batch() {
    const auto now = now_().wall;
    const Sequence until = journal_.durable();
    if (tail_.at() >= until) {
        was_full_ = false;
        const std::lock_guard lock{mutex_};
        if (pending_.empty()) level_at_ = now;
        return false;
    }
    std::string wrong;
    const auto fault = tail_.read(
        until,
        [&](Sequence sequence, std::span<const std::byte> event) {
            wrong = maker_->apply(sequence, event);
            if (!wrong.empty()) wrong = "event " + std::to_string(sequence) + " is " + wrong;
            return wrong.empty();
        },
        [this] {
            return maker_->events() >= how_.batch_events_max || maker_->bytes() >= how_.batch_bytes_max;
        });
    if (fault) throw std::runtime_error{fault->text() + (wrong.empty() ? "" : ": " + wrong)};
    const bool full = maker_->events() >= how_.batch_events_max || maker_->bytes() >= how_.batch_bytes_max;
    Batch batch = maker_->finish();
    batch.before = pending_.empty() ? at_ : pending_.back().batch.after;
    batch.after = {journal_.instance(), tail_.epoch(), tail_.at(), 0};
    batch.behind = std::exchange(was_full_, full) || full;
    const rating::Instant levels = tail_.at() >= until ? now : batch.last_at.wall;
    pending_.push_back({std::move(batch), levels, full});
    const std::lock_guard lock{mutex_};
    waiting_since_ = pending_.front().batch.first_at;
    return true;
}

void Follower::write(const Batch& batch) {
    sink_->write(batch);
    note_taken(batch);
}

void Follower::note_taken(const Batch& batch) {
    at_ = batch.after;
    set_position(batch.after);
    {
        const std::lock_guard lock{mutex_};
        ++figures_.batches;
        figures_.events += batch.event_count;
        figures_.rows += rows_of(batch);
    }
    if (failing_) went_well();
}

void Follower::went_well() {
    failing_ = false;
    delay_ = {};
    decltype(figures_.failures_in_a_row) failures = 0;
    {
        const std::lock_guard lock{mutex_};
        std::swap(failures, figures_.failures_in_a_row);
    }
    say_(Urgency::notice, std::string{sink_->name()} + ": it takes what there is again, after " +
                              std::to_string(failures) + " failures");
}

void Follower::failed(const std::stop_token& stop, StoreState state, Urgency urgency, const std::string& why,
                      Again again) {
    sink_->disconnect();
    if (stop.stop_requested()) return;
    failing_ = true;
    std::uint64_t in_a_row = 0;
    bool fresh = false;
    {
        const std::lock_guard lock{mutex_};
        figures_.state = state;
        ++figures_.failures;
        in_a_row = ++figures_.failures_in_a_row;
        fresh = figures_.last_failure != why;
        figures_.last_failure = why;
    }
    const bool seldom = again == Again::seldom;
    if (in_a_row == 1 || (fresh && seldom) || in_a_row % kSayEvery == 0) say_(urgency, why);
    if (in_a_row == 1 && again == Again::at_once) return;
    delay_ = seldom ? how_.retry_longest : std::clamp(2 * delay_, how_.retry_first, how_.retry_longest);
    std::uniform_int_distribution<std::int64_t> some{delay_.count() / 2, delay_.count()};
    wait(std::chrono::milliseconds{some(chance_)});
}

void Follower::wait(std::chrono::milliseconds time) {
    std::unique_lock lock{mutex_};
    bell_.wait_for(lock, time, [this] { return stopping_; });
}

void Follower::set_state(StoreState state) {
    const std::lock_guard lock{mutex_};
    figures_.state = state;
}

void Follower::set_position(const std::optional<Position>& position) {
    const bool complete = position && position->filling == 0;
    const std::lock_guard lock{mutex_};
    figures_.position.reset();
    if (complete) figures_.position = position->sequence;
    if (complete) needed_ = position->sequence;
    if (!position) needed_ = 0;
}

StoreFigures Follower::figures() const {
    const Sequence durable = journal_.durable();
    const Moment now = now_();
    const std::lock_guard lock{mutex_};
    StoreFigures figures = figures_;
    std::optional<rating::Instant> since;
    if (waiting_since_) since = waiting_since_->wall;
    if (const auto delivered = sink_->delivered()) {
        if (figures.position) {
            figures.position = std::min(*figures.position, delivered->sequence);
            if (delivered->waiting_since) since = delivered->waiting_since;
        }
        figures.one_by_one = {delivered->pending, delivered->given_up};
        figures.failures += delivered->failures;
        // What the follower itself fails at comes before.
        if (figures.failures_in_a_row == 0) {
            figures.failures_in_a_row = delivered->retried;
            if (!delivered->last_failure.empty()) figures.last_failure = delivered->last_failure;
        }
    }
    figures.last_failure = logging::redacted(figures.last_failure);
    const Sequence has = figures.position.value_or(0);
    figures.lag_events = durable > has ? durable - has : 0;
    if (figures.lag_events != 0 || !figures.position) {
        const auto lag = now.wall - since.value_or(level_at_);
        figures.lag = std::max<std::chrono::nanoseconds>(lag, std::chrono::nanoseconds{0});
    }
    return figures;
}

std::optional<Sequence> Follower::taken() const {
    const std::lock_guard lock{mutex_};
    if (needs_nothing_) return std::nullopt;
    const auto delivered = sink_->delivered();
    return delivered ? std::min(needed_, delivered->saved) : needed_;
}

}  // namespace tollgate::daemon::flush
