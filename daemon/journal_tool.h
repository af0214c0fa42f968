/// `tollgated journal …` and `tollgated --verify`: looks at a journal's folder without a daemon.
#pragma once

#include <iosfwd>
#include <optional>
#include <string>

#include "daemon/access/chain_hash.h"
#include "daemon/state.h"
#include "rating/instant.h"

namespace tollgate::daemon {

/// What to write of a journal: every event, one a line; or call records, one line a leg, as CSV.
struct JournalDump {
    std::string directory;
    bool records = false;
    std::optional<rating::Instant> from;   ///< Of records: those that ended then or later.
    std::optional<rating::Instant> until;  ///< … and before then.
};

// Each throws DamagedJournal or std::runtime_error, as recover() does, and the latter where there is no
// journal. A daemon may be at work, but for repair_journal.

/// Reads all of it and says what is there.
void verify_journal(const std::string& directory, const StateSettings& settings, std::ostream& out);

/// Replays all of it and checks the invariants of docs/money.md. False where one does not hold.
[[nodiscard]] bool verify_state(const std::string& directory, const StateSettings& settings,
                                std::ostream& out);

/// Looks at the chain of the audit log; `expected` is a hash that must be in it. False where an entry does
/// not fit, or none has that hash.
[[nodiscard]] bool verify_audit(const std::string& directory,
                                const std::optional<access::ChainHash>& expected,
                                const StateSettings& settings, std::ostream& out);

/// Turns single flipped bits back; what else is wrong is cut off only where `cut`. False where the journal is
/// still not good: a start would refuse it. Requires that no daemon is at work.
[[nodiscard]] bool repair_journal(const std::string& directory, bool cut, const StateSettings& settings,
                                  std::ostream& out);

void dump_journal(const JournalDump& dump, const StateSettings& settings, std::ostream& out);

}  // namespace tollgate::daemon
