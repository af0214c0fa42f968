/// Snapshots of the state, so that a start need not read a journal from its beginning.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "balance/journal/journal.h"
#include "daemon/state.h"

namespace tollgate::daemon {

/// Makes snapshots from the journal's files, never from the state that calls work on: a thread that saw half
/// an event must not be able to write it. A private state is read from the last snapshot and the events after
/// it, saved, and thrown away. Two snapshots are kept; segments and files that neither of them nor what comes
/// after them needs are removed. One thread.
class Snapshots {
  public:
    using Say = std::function<void(const std::string& what)>;

    /// Decks are shared with `live`, which may be at work. `say` is told what was done and what went wrong.
    Snapshots(balance::journal::Journal& journal, const StateSettings& settings, const State& live, Say say)
        : journal_(journal), settings_(settings), live_(live), say_(std::move(say)) {
        // A little more than a daemon keeps: an event after the snapshot may name what it was about to
        // forget.
        ++settings_.versions_kept;
        settings_.sessions.remember_bytes += settings_.sessions.remember_bytes / 8;
    }

    /// The last event that all stores have for good; 0 where that is not known of one of them, nullopt where
    /// there is none that needs anything.
    using Taken = std::function<std::optional<balance::Sequence>()>;
    /// A store that is behind finds what it needs: the newest snapshot at or before what it has, and whatever
    /// came after. Where nobody knows where it is, everything stays that is there.
    void keep_for(Taken taken) { taken_ = std::move(taken); }

    /// Makes one if `segments` have been begun since the last.
    void keep_up(std::uint64_t segments);
    /// The first segment that a start would have to read now: as if a snapshot had been made when it began.
    void count_from(std::uint64_t segment) noexcept { segment_ = segment; }

    /// One of everything that is durable now. False, having said why, where it cannot be written: the last
    /// one stays good.
    bool take();

  private:
    /// Files beside the segments, and the last event that may be the first to name one of them.
    struct Files {
        std::set<std::string> names;
        balance::Sequence named_until = 0;
    };
    [[nodiscard]] Files settled_files();
    void remove_unneeded(const std::set<std::string>& named, balance::Sequence sequence, Files settled);

    balance::journal::Journal& journal_;
    StateSettings settings_;
    const State& live_;
    Say say_;
    Taken taken_;
    std::uint64_t segment_ = 0;  // At the last snapshot.
    // Of the last snapshot: files that it or the events before it name, and those that were settled.
    std::set<std::string> named_before_;
    Files settled_before_;
};

}  // namespace tollgate::daemon
