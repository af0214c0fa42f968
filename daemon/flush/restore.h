/// `tollgated restore --from-postgres`: a lost journal folder, made anew from what PostgreSQL has of it.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "balance/journal/settings.h"
#include "daemon/flush/changes.h"
#include "daemon/state.h"

namespace tollgate::daemon::flush {

struct RestoreOrder {
    std::string url;  ///< As libpq takes it.
    std::string password_file;
    std::string directory;  ///< Empty, or not there yet.
    rating::Money reserve;  ///< Held back of every active party until an operator releases it.
    StateSettings state;
    balance::journal::Settings journal;
};

/// What came of it, for people.
struct Restored {
    Position before;            ///< What PostgreSQL followed.
    Position after;             ///< What it follows now: another instance, a new epoch, the same event.
    rating::Instant last_at{};  ///< When the last event was.
    std::size_t parties = 0;
    std::size_t open_sessions = 0;
    std::size_t held_back = 0;  ///< Parties that less is available to.
    std::uint64_t digest = 0;   ///< State::digest(), before anything was held back.
    std::uint64_t events = 0;   ///< Behind the snapshot.
};

/// Reads all of it in one transaction that keeps every daemon from moving the position, and makes a snapshot
/// and a journal that goes on from there with an epoch of its own. PostgreSQL's position is moved to the new
/// journal in that transaction: a daemon on the old one, should it turn up again, finds itself a stranger.
///
/// As long as it is at work the folder is marked: whatever it holds when this fails no daemon uses.
///
/// Throws std::runtime_error where PostgreSQL has not all, the folder is not empty, or either fails.
[[nodiscard]] Restored restore_from_postgres(const RestoreOrder& order, rating::Instant now);

}  // namespace tollgate::daemon::flush
