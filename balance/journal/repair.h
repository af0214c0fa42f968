/// Repairs a journal that read_journal() refuses: for the operator, with the daemon stopped.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "balance/journal/disk.h"
#include "balance/journal/fault.h"
#include "balance/journal/reader.h"
#include "balance/journal/settings.h"

namespace tollgate::balance::journal {

/// What became of it, in words.
struct Repair {
    bool good = false;               ///< The journal reads without a fault now.
    std::vector<std::string> done;   ///< What was found, changed, saved and lost, in order.
    std::optional<Fault> remaining;  ///< Why it is not good.
};

/// A single flipped bit, of a segment, a snapshot or a file beside them, is found by its checksum and turned
/// back; then nothing is lost. What else is wrong cannot be brought back. A snapshot is put out of the way
/// where the journal can do without it, and so what stands before the newest that is whole is not needed. Of
/// what comes behind that one, where `cut`, the journal ends before the damage from now on, and what stood
/// behind it is lost. Every file that is changed is saved first, as NAME.damaged-N. Whether decks can be read
/// by whoever needs them is not looked at. Takes the lock.
Repair repair_journal(Disk& disk, const Settings& settings, bool cut);

}  // namespace tollgate::balance::journal
