/// Reads a journal while it grows, from one event on, each byte once: for whoever follows it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "balance/journal/disk.h"
#include "balance/journal/fault.h"
#include "balance/journal/format.h"
#include "balance/journal/reader.h"

namespace tollgate::balance::journal {

/// One thread. A writer may be at work, and old segments may be removed meanwhile, but for what is still to
/// be read. Where something does not fit, nothing is guessed: a fault, and no further reading before a
/// seek().
class Tail {
  public:
    Tail(Disk& disk, const Instance& instance) : disk_(disk), instance_(instance) {}

    /// Goes behind the event `after`, which is durable; 0: to the beginning. A fault where what follows it is
    /// not in the files any more.
    [[nodiscard]] std::optional<Fault> seek(Sequence after);

    /// Hands out the events above at(), up to `until`, which is durable. `enough` is asked behind every batch
    /// of the journal; true ends it before.
    [[nodiscard]] std::optional<Fault> read(Sequence until, const OnEvent& on_event,
                                            const std::function<bool()>& enough);

    /// The last event that was handed out, or was sought.
    [[nodiscard]] Sequence at() const noexcept { return at_; }
    /// Of the segment it is in; right after a seek, of the one the next event will be in, as far as there is
    /// one.
    [[nodiscard]] std::uint64_t epoch() const noexcept { return epoch_; }

  private:
    /// The header of a segment in use; nullopt where it is not in use yet, is gone, or has a fault.
    std::optional<SegmentHeader> header_of(std::uint64_t segment, std::optional<Fault>& fault) const;
    std::optional<Fault> open(const SegmentHeader& header);
    void look_for_next();
    /// `size` bytes of the file at an offset; fewer at its end.
    std::optional<Fault> load(std::uint64_t offset, std::size_t size, std::span<const std::byte>& bytes);
    std::optional<Fault> batch_at(std::uint64_t offset, BatchHeader& header, std::span<const std::byte>& body,
                                  bool& fits);
    [[nodiscard]] bool follows(const BatchHeader& header) const noexcept;

    Disk& disk_;
    Instance instance_;
    Sequence at_ = 0;
    std::uint64_t epoch_ = 0;
    std::uint64_t segment_ = 0;          // 0: none is open, because none was in use.
    std::uint64_t offset_ = 0;           // Of the next batch in it.
    Link last_;                          // The batch before that.
    std::optional<SegmentHeader> next_;  // Of the segment behind it, once that is in use.
    std::unique_ptr<File> file_;
    std::vector<std::byte> window_;  // A piece of the file,
    std::uint64_t window_from_ = 0;  // from there,
    std::size_t window_size_ = 0;    // so long.
};

/// The first event of the oldest segment; nullopt: there is none, or its header cannot be read.
[[nodiscard]] std::optional<Sequence> first_event(Disk& disk);

/// Whether an event of that number was written in that epoch, as far as the segments say that are there: a
/// later epoch that begins at or below it was begun without it.
[[nodiscard]] bool is_of_history(Disk& disk, std::uint64_t epoch, Sequence sequence);

}  // namespace tollgate::balance::journal
