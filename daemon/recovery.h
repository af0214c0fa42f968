/// From a journal's folder to a state that goes on.
#pragma once

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>

#include "balance/journal/journal.h"
#include "daemon/state.h"

namespace tollgate::daemon {

/// What is in the folder cannot be trusted; what() names file and offset. The process ends with kExitDamaged.
class DamagedJournal : public std::runtime_error {
  public:
    using std::runtime_error::runtime_error;
};
inline constexpr int kExitDamaged = 78;

/// What a start found, for the log.
struct Recovered {
    std::unique_ptr<balance::journal::Journal> journal;  ///< Not started yet; the state appends to it.
    std::uint64_t events = 0;
    std::uint64_t torn_blocks = 0;
    std::chrono::nanoseconds took{};
    std::chrono::nanoseconds away{};  ///< Since the last event; 0 for a new journal.
};

/// Makes `state`, which is empty, what the journal says, and sets the Clock going on from it. Throws
/// DamagedJournal, or std::runtime_error where the folder cannot be used. Disk and state must outlive what is
/// returned.
[[nodiscard]] Recovered recover(balance::journal::Disk& disk, const balance::journal::Settings& settings,
                                State& state);

/// Told of every event once the state has taken it.
using OnReplayed = std::function<void(balance::Sequence sequence, std::span<const std::byte> event)>;

/// The same without changing anything and without the lock, for whoever looks: a daemon may be at work. What
/// was found in the files.
balance::journal::Recovery replay(balance::journal::Disk& disk, const balance::journal::Settings& settings,
                                  State& state, const OnReplayed& on_replayed = {});

}  // namespace tollgate::daemon
