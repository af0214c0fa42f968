/// From a journal's folder to a state that goes on.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "balance/journal/journal.h"
#include "balance/journal/snapshot.h"
#include "daemon/clock.h"
#include "daemon/state.h"

namespace tollgate::daemon {

/// What is in the folder cannot be trusted; what() names file and offset. The process ends with kExitDamaged.
class DamagedJournal : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};
inline constexpr int kExitDamaged = 78;

/// Marks a folder that a restore has not finished: whatever is in it is not to be used.
inline constexpr std::string_view kRestoringFile = "restoring";

/// What a start found, for the log.
struct Recovered {
    std::unique_ptr<balance::journal::Journal> journal;  ///< Not started yet; the state appends to it.
    bool restarted = false;                              ///< A daemon used the journal before.
    std::uint64_t events = 0;
    balance::Sequence snapshot = 0;        ///< The event that the snapshot goes up to; 0: none was used.
    std::vector<std::string> passed_over;  ///< What was wrong with newer snapshots.
    std::uint64_t segment = 0;             ///< The first that had to be read.
    std::uint64_t torn_blocks = 0;
    std::chrono::nanoseconds took{};
    std::chrono::nanoseconds away{};  ///< Since the last event; 0 for a new journal.
};

/// Makes a state that is empty. Called again where a snapshot turned out to be damaged after some of it had
/// been applied: the state from before is not used any more then, and may go.
using FreshState = std::function<State&()>;

/// Makes the state what the journal says, and sets the clocks going on from it. Throws DamagedJournal, or
/// std::runtime_error where the folder cannot be used. Disk and state must outlive what is returned.
[[nodiscard]] Recovered recover(balance::journal::Disk& disk, const balance::journal::Settings& settings,
                                const FreshState& fresh_state, const StartClocks& clocks = {});

/// Brings a state up: a snapshot, then events. Whatever is wrong is thrown as recover() throws it.
class Restoring {
  public:
    /// Disk and state must outlive this.
    Restoring(balance::journal::Disk& disk, FreshState fresh_state);

    [[nodiscard]] State& state() const noexcept { return *state_; }

    /// The newest snapshot that is whole; the event it goes up to, 0 where there is none. The state may be
    /// another one afterwards.
    balance::Sequence read_newest_snapshot();
    /// The oldest that is whole: what tells most of the past.
    balance::Sequence read_oldest_snapshot();
    /// The newest that is whole among those that go up to that event or less far.
    balance::Sequence read_snapshot_before(balance::Sequence sequence);
    /// What was wrong with newer ones than the one that was read.
    [[nodiscard]] const std::vector<std::string>& passed_over() const noexcept { return passed_over_; }
    /// The names of those that are damaged.
    [[nodiscard]] const std::vector<std::string>& damaged() const noexcept { return damaged_; }

    /// Applies one event.
    [[nodiscard]] balance::journal::OnEvent on_event();
    /// Throws for a fault.
    [[noreturn]] void check(const balance::journal::Fault& fault) const;

  private:
    [[nodiscard]] std::optional<balance::journal::Instance> instance() const;
    void begin();
    [[nodiscard]] bool apply_record(std::span<const std::byte> record);
    void pass_over(const balance::journal::Fault& fault);
    /// The first in this order that is whole.
    balance::Sequence read_first(const std::vector<balance::journal::SnapshotFile>& snapshots);

    balance::journal::Disk& disk_;
    FreshState fresh_state_;
    State* state_ = nullptr;
    Catalog::ReadAside read_aside_;
    std::vector<std::string> passed_over_;
    std::vector<std::string> damaged_;
    std::string wrong_;
};

/// Told of every event once the state has taken it.
using OnReplayed =
    std::function<void(const State& state, balance::Sequence sequence, std::span<const std::byte> event)>;

// Without changing anything and without the lock, for whoever looks: a daemon may be at work. Both say what
// was found in the files, and throw as recover() does, and where there is no journal.

/// Throws std::runtime_error where there is no journal, DamagedJournal where it is one half restored.
void check_there(balance::journal::Disk& disk);

/// Reads as much of the past as there is: from the first event on, or else from the oldest snapshot that is
/// whole.
balance::journal::Recovery replay(balance::journal::Disk& disk, const FreshState& fresh_state,
                                  const OnReplayed& on_replayed = {});
/// Reads what a start would.
balance::journal::Recovery rehearse(balance::journal::Disk& disk, const FreshState& fresh_state);

}  // namespace tollgate::daemon
