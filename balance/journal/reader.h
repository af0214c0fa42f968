/// Reads a journal from its files: at start, for `verify`, and for whoever follows it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "balance/journal/disk.h"
#include "balance/journal/fault.h"
#include "balance/journal/format.h"

namespace tollgate::balance::journal {

/// Takes one event; false where it cannot make sense of it, which ends the reading with Fault::Kind::refused.
using OnEvent = std::function<bool(Sequence, std::span<const std::byte>)>;

/// Above any event.
inline constexpr Sequence kNoSequence = ~Sequence{0};

struct SegmentFile {
    std::uint64_t segment = 0;
    std::uint64_t bytes = 0;
    Sequence first_sequence = 0;  ///< 0 for one that is not in use.
};

/// What the files say.
struct Recovery {
    std::optional<Fault> fault;  ///< Nothing behind it was read. What was handed out before it was whole.

    std::optional<Instance> instance;  ///< None: there never was a journal here.
    Link last;                         ///< The last whole batch.
    std::uint64_t segment = 0;         ///< The last one in use; 0: none.
    std::uint64_t epoch = 0;           ///< Its epoch.
    bool sealed = true;                ///< Damage to the last event could not pass for a torn write.

    /// Where in that segment begins what no later batch says was on the disk: it may be in the kernel's
    /// memory only, and after a sync that failed the kernel does not know that. 0: its header, too.
    std::uint64_t unsure_offset = 0;

    std::uint64_t batches = 0;
    std::uint64_t events = 0;       ///< That were handed out.
    std::uint64_t torn_blocks = 0;  ///< Of 4 KiB, not zeros, behind the last whole batch: what a crash left.
    std::string torn_name;          ///< The file they are in,
    std::uint64_t torn_offset = 0;  ///< and where they begin.

    std::vector<SegmentFile> in_use;     ///< In order.
    std::vector<SegmentFile> ready;      ///< Zeros, in order, following the last one in use.
    std::vector<std::string> left_over;  ///< Of no use to anybody, the most recent first.
};

/// Hands out every event above `after`, in order. Changes nothing and takes no lock.
///
/// A batch that is not whole is a torn tail, and the end, where nothing says that it was once on the disk: no
/// batch behind it was written after it had been synced, and no segment begins after it. Otherwise it is
/// damage. A segment that begins a new epoch says where the one before it was cut; what stands there behind
/// the cut is rubbish, however whole it looks.
///
/// Stops behind the batch with the event `until`: while a writer is at work, what is durable stands still and
/// the rest does not. Then nothing is said about a tail.
[[nodiscard]] Recovery read_journal(Disk& disk, const Settings& settings, Sequence after,
                                    const OnEvent& on_event, Sequence until = kNoSequence);

}  // namespace tollgate::balance::journal
