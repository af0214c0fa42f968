/// A store behind the journal, as its follower sees it: PostgreSQL, Redis, whoever listens to webhooks.
#pragma once

#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>

#include "daemon/flush/changes.h"

namespace tollgate::daemon::flush {

/// The store is away, slow, full or said no: it is tried again, later and later. what() is one line for
/// people: the store, what it was asked, what it said. Never a secret.
class SinkFailure : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};

/// Somebody else has to do something first: a schema that is newer than this program, a password that is
/// wrong. Tried again as seldom as can be, and said loudly.
class SinkRefused : public SinkFailure {
  public:
    using SinkFailure::SinkFailure;
};

/// The store does not stand where it stood: it was wiped, or another one took its place, or somebody else has
/// written. Nothing was written; the follower looks at once where it stands.
class SinkMoved : public SinkFailure {
  public:
    using SinkFailure::SinkFailure;
};

/// Used by one follower, by one thread at a time but for interrupt(). No library's exception leaves it, and
/// nothing in it waits longer than a time-out with a name: a store that was stopped in the middle of a
/// sentence is a SinkFailure.
class Sink {
  public:
    Sink() = default;
    Sink(const Sink&) = delete;
    Sink& operator=(const Sink&) = delete;
    virtual ~Sink() = default;

    /// `postgresql`, `redis`, `webhook`: in the log, in INFO and in metrics.
    [[nodiscard]] virtual std::string_view name() const noexcept = 0;

    /// Connects anew, whatever was before, makes ready what is not (tables, migrations), and says where the
    /// store stands. nullopt: nothing of ours is there; it is filled from the oldest that there is. Whether
    /// it follows our journal is for the follower to judge. Throws SinkFailure, SinkRefused.
    [[nodiscard]] virtual std::optional<Position> connect() = 0;

    /// For one that is not filled, before connect(): where nothing is known of where it stands, it stands
    /// there from now on, whatever becomes of this process. `here` is durable. Throws SinkFailure.
    virtual void begin([[maybe_unused]] const Position& here) {}

    /// The same over the connection there is, now and then while nothing happens: who wiped it is noticed.
    [[nodiscard]] virtual std::optional<Position> position() = 0;

    /// All of it with its position, or nothing. Where the store does not stand at batch.before (and it is no
    /// `clear`), nothing is written and SinkMoved is thrown. After a SinkFailure nobody knows whether it was
    /// taken: the follower connects anew and looks. Returns when the store answers for it.
    virtual void write(const Batch& batch) = 0;

    /// Whether write() reads more of `batch.state` than the ids of parties: then the state stands still until
    /// it has returned, else the next batch may be made meanwhile.
    [[nodiscard]] virtual bool needs_state([[maybe_unused]] const Batch& batch) const { return true; }

    /// Whether an empty store is given what there was before. A webhook's is not: it hears of what happens
    /// from now on.
    [[nodiscard]] virtual bool fills() const noexcept { return true; }

    /// How far a store really is whose write() only takes things in.
    struct Delivered {
        Sequence sequence = 0;  ///< The last event that is done with.
        Sequence saved =
            0;  ///< The last one of which that is known after a restart: the journal may go so far.
        std::optional<rating::Instant> waiting_since{};  ///< Of the oldest that is not done with.
        std::size_t pending = 0;                         ///< What was taken in and is not done with.
        std::size_t retried = 0;                         ///< Of it, what has failed and is tried again.
        std::uint64_t failures = 0;                      ///< Attempts that failed.
        std::uint64_t given_up = 0;                      ///< What was never taken.
        std::string last_failure{};
    };
    /// nullopt: write() returns when everything is done. Any thread.
    [[nodiscard]] virtual std::optional<Delivered> delivered() const { return std::nullopt; }

    /// Any thread, at any time: ends what waits now, with a SinkFailure, and whatever would wait later. For
    /// shutdown.
    virtual void interrupt() noexcept {}

    /// The connection goes, as after a failure and at the end. connect() may follow.
    virtual void disconnect() noexcept {}
};

}  // namespace tollgate::daemon::flush
