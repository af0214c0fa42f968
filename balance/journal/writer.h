/// Takes events from the queue and puts them on the disk, batch by batch.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "balance/journal/disk.h"
#include "balance/journal/format.h"
#include "balance/journal/queue.h"
#include "balance/journal/segments.h"

namespace tollgate::balance::journal {

/// The clock of a Writer that is given no other.
inline std::chrono::nanoseconds steady_time() noexcept {
    return std::chrono::steady_clock::now().time_since_epoch();
}

/// Written by the writer, read by whoever reports: each figure is right, together they may be a batch apart.
struct WriterFigures {
    std::atomic<std::uint64_t> batches{0};
    std::atomic<std::uint64_t> seals{0};
    std::atomic<std::uint64_t> events{0};
    std::atomic<std::uint64_t> bytes{0};  ///< That were written, headers and padding included.
    std::atomic<std::uint64_t> syncs{0};
    std::atomic<std::uint64_t> sync_ns{0};  ///< All syncs together,
    std::atomic<std::uint64_t> sync_ns_max{0};
    std::atomic<std::uint64_t> segment{0};  ///< The one in use.
    /// How many syncs took less than 2^i microseconds, and not less than half of that.
    std::array<std::atomic<std::uint64_t>, 24> syncs_by_us{};
};

/// One thread at a time steps it.
///
/// After an error of a segment in use nothing is ever written, synced or called durable again: what the
/// kernel did with the blocks of a sync that failed cannot be known, and a second sync would lie about it.
class Writer {
  public:
    struct Start {
        Link last;                ///< The last whole batch on the disk.
        std::uint64_t epoch = 0;  ///< Of the segments that will be written.
        Instance instance;
        bool sealed = false;  ///< Nothing needs to be written before there are events.
    };
    Writer(Disk& disk, const Settings& settings, const Start& start, Queue& queue, Segments& segments);
    ~Writer();

    /// Monotonic. Read twice around each sync, and otherwise passed in.
    using Clock = std::function<std::chrono::nanoseconds()>;
    void set_clock(Clock clock) { clock_ = std::move(clock); }
    /// Called whenever durable() has moved or failed() has become true, by who steps.
    void on_change(std::function<void()> call) { on_change_ = std::move(call); }

    enum class Step : std::uint8_t {
        wrote,    ///< A batch, or a seal; there may be more to do.
        idle,     ///< Nothing is queued and nothing has to be sealed or synced.
        resting,  ///< Nothing is queued, but sealing or syncing is due soon.
        waiting,  ///< Events are queued and no segment is ready for them.
        failed,
    };
    /// Writes and syncs one batch of what is queued; seals where nothing has been for a while.
    Step step(std::chrono::nanoseconds now);
    /// Syncs and seals now. Requires: nothing is queued.
    Step seal();

    // ---- For any thread ----

    /// The highest number that may be answered.
    [[nodiscard]] Sequence durable() const noexcept { return durable_.load(std::memory_order_seq_cst); }
    [[nodiscard]] bool failed() const noexcept { return failed_.load(std::memory_order_acquire); }
    /// The path and what the disk said. Requires: failed().
    [[nodiscard]] const std::string& failure() const noexcept { return failure_; }
    [[nodiscard]] const WriterFigures& figures() const noexcept { return figures_; }

  private:
    [[nodiscard]] std::uint64_t room() const noexcept;
    std::size_t fill(std::size_t body_max, std::uint32_t& events);
    bool next_segment();
    Step write_batch(std::size_t body_bytes, std::uint32_t events);
    bool sync();
    void promise(Sequence sequence);
    Step fail(const std::string& what, Errno error);

    Disk& disk_;
    const Settings& settings_;
    Queue& queue_;
    Segments& segments_;
    Clock clock_;
    std::function<void()> on_change_;

    Link last_;
    std::uint64_t epoch_;
    Instance instance_;
    Link synced_;  // The last batch that is known to be on the disk.
    bool sealed_;

    std::unique_ptr<File> file_;
    std::string name_;
    std::uint64_t segment_ = 0;
    std::uint64_t segment_bytes_ = 0;
    std::uint64_t offset_ = 0;
    std::chrono::nanoseconds wrote_at_{0};
    bool rested_ = false;
    bool unsynced_ = false;
    std::chrono::nanoseconds unsynced_since_{0};

    std::size_t buffer_bytes_;
    std::byte* buffer_;

    // Written by who steps, after the sync; read by connections that hold answers back. Sequentially
    // consistent together with the count of those that wait in Journal.
    alignas(64) std::atomic<Sequence> durable_;
    std::atomic<bool> failed_{false};
    std::string failure_;  // Written once, before failed_.
    WriterFigures figures_;
};

}  // namespace tollgate::balance::journal
