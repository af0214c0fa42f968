/// Snapshots: a state as a sequence of records, whole or not at all.
///
/// They are called snapshot-SEQUENCE.dat. What the records mean is for whoever writes and reads them.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "balance/event_log.h"
#include "balance/journal/disk.h"
#include "balance/journal/fault.h"
#include "balance/journal/format.h"

namespace tollgate::balance::journal {

/// How many are kept: should the newest be damaged, the one before it and the journal say as much.
inline constexpr std::size_t kSnapshotsKept = 2;
inline constexpr std::size_t kSnapshotRecordBytesMax = std::size_t{64} << 20;

/// Writes one. One thread; nothing is visible under its name before finish() has returned 0.
class SnapshotWriter {
  public:
    /// A snapshot of the state after the event `sequence`.
    SnapshotWriter(Disk& disk, const Instance& instance, Sequence sequence);
    /// Removes what was begun and not finished.
    ~SnapshotWriter();
    SnapshotWriter(const SnapshotWriter&) = delete;
    SnapshotWriter& operator=(const SnapshotWriter&) = delete;

    /// Requires: at most kSnapshotRecordBytesMax bytes. After an error all others are no-ops that repeat it.
    Errno add(std::span<const std::byte> record);
    /// Synced, renamed, the directory synced. The snapshot is there once this has returned 0.
    Errno finish();

    [[nodiscard]] const std::string& name() const noexcept { return name_; }

  private:
    Errno flush();
    Errno put(std::span<const std::byte> bytes);

    Disk& disk_;
    std::string name_;
    std::unique_ptr<File> file_;
    Errno error_ = 0;
    bool finished_ = false;
    std::uint64_t offset_ = 0;
    std::vector<std::byte> block_;
    std::uint64_t blocks_ = 0;
    std::uint64_t records_ = 0;
    std::uint32_t chain_ = 0;
};

/// Takes one record; false ends the reading with Fault::Kind::refused.
using OnRecord = std::function<bool(std::span<const std::byte>)>;

/// Hands out the records in order. Each block is checked before its records are handed out, so everything
/// handed out is what was written; that it was all of it is known at the end. Returns a fault, or none.
[[nodiscard]] std::optional<Fault> read_snapshot(Disk& disk, const Instance& instance,
                                                 const std::string& name, const OnRecord& on_record);

/// Which single bit of the first thing in one that is not what it was was flipped; nothing where no single
/// bit explains it.
[[nodiscard]] std::optional<std::uint64_t> flipped_bit_of_snapshot(std::span<std::byte> file);

struct SnapshotFile {
    Sequence sequence = 0;
    std::string name;
};
/// The newest first.
Errno list_snapshots(Disk& disk, std::vector<SnapshotFile>& snapshots);

struct NewestSnapshot {
    std::optional<SnapshotFile> snapshot;  ///< The newest that is whole, every byte of it read.
    std::vector<Fault> passed_over;        ///< Why newer ones were not taken: for the log, and an alert.
    std::optional<Fault> refused;          ///< `on_record` did not take one: then there is no snapshot.
};
/// Hands out the records of the newest snapshot that is whole, each byte read once. That one is not whole may
/// show when most of it was handed out: `begin_again` is called then, and nothing so far counts any more.
NewestSnapshot newest_snapshot(Disk& disk, const Instance& instance, const OnRecord& on_record,
                               const std::function<void()>& begin_again);

struct KeptSnapshots {
    /// Segments up to there may go, as far as nobody else needs them; 0: none of them.
    Sequence segments_until = 0;
    bool older = false;  ///< One is kept that is older than the newest `keep`.
};
/// Removes all but the newest `keep` and the newest that goes no further than `needed`, from which somebody
/// goes on. Where nobody knows how far he is (0), or there is none so old, the oldest stays with all
/// segments.
KeptSnapshots remove_unneeded_snapshots(Disk& disk, std::size_t keep, std::optional<Sequence> needed);
/// The same where nobody needs an older one. Returns the sequence of the oldest that stays; 0: there are not
/// so many.
Sequence remove_older_snapshots(Disk& disk, std::size_t keep = kSnapshotsKept);

/// Whether this directory has anything of a journal.
[[nodiscard]] bool has_journal(Disk& disk);

/// Of the journal in this directory; none where there is no journal, or `fault`.
std::optional<Instance> instance_in(Disk& disk, std::optional<Fault>& fault);

}  // namespace tollgate::balance::journal
