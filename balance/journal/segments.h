/// The segments that wait to be written: made by the preparer, taken by the writer.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>
#include <vector>

#include "balance/event_log.h"
#include "balance/journal/disk.h"
#include "balance/journal/reader.h"
#include "balance/journal/settings.h"

namespace tollgate::balance::journal {

/// What the writer and the preparer share. No request ever takes its lock.
class Segments {
  public:
    struct Ready {
        std::uint64_t segment = 0;
        std::uint64_t bytes = 0;
    };

    /// `next` is the number of the first segment that will be taken; `ready` are those that are there
    /// already.
    Segments(const Settings& settings, std::uint64_t next, const std::vector<SegmentFile>& ready);

    // ---- For any thread ----

    [[nodiscard]] Admission admission() const noexcept { return admission_.load(std::memory_order_acquire); }
    [[nodiscard]] std::size_t ready() const noexcept;
    /// Why no segment can be made; empty where that is not so.
    [[nodiscard]] std::string full_because() const;

    // ---- For the writer ----

    /// False where none is ready.
    bool take(Ready& segment);
    /// So many bytes are left in the segment in use.
    void set_room(std::uint64_t bytes);
    /// Nothing goes on any more.
    void close() noexcept;

    // ---- For the preparer ----

    /// The number of the segment to make next; 0 where enough are ready.
    [[nodiscard]] std::uint64_t wanted() const;
    void add(const Ready& segment);
    void set_full(std::string because);

  private:
    void judge();  // Under the lock.

    const std::uint64_t least_room_;  // Below it the queue might hold more than fits.
    mutable std::mutex mutex_;
    std::deque<Ready> ready_;
    std::uint64_t next_;
    std::uint64_t room_ = 0;
    std::string full_because_;
    bool closed_ = false;
    // Written under the lock, read by every request; nothing else depends on it.
    std::atomic<Admission> admission_{Admission::open};
};

/// Makes segments ahead of time: real zeros, synced, under another name until they are whole.
///
/// One thread at a time may step it. Whatever goes wrong here costs nothing that was promised: what was begun
/// is removed, and the next step tries anew.
class Preparer {
  public:
    Preparer(Disk& disk, const Settings& settings, Segments& segments)
        : disk_(disk), settings_(settings), segments_(segments) {}

    enum class Step : std::uint8_t {
        enough,  ///< There was nothing to do.
        made,    ///< One more is ready.
        failed,  ///< The disk is full, or worse; Segments::full_because() says it. Or a stop was requested.
    };
    /// Where a stop is requested, what is being made is given up, as far as the disk allows.
    Step step(const std::stop_token& stop = {});

  private:
    Errno make(const std::string& name, const std::stop_token& stop) const;

    Disk& disk_;
    const Settings& settings_;
    Segments& segments_;
};

}  // namespace tollgate::balance::journal
