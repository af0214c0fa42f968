/// The write-ahead journal of one daemon: what was appended and became durable() survives whatever happens.
///
/// At start:
///
///     PosixDisk disk{"/var/lib/tollgate"};
///     auto opened = Journal::open(disk, settings, snapshot_sequence, [&](Sequence, auto event) { … });
///     if (!opened.journal) die(opened.fault.text());  // Nothing was changed, nothing was guessed.
///     opened.journal->on_durable(…); opened.journal->on_failure(…);
///     opened.journal->start();
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <set>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "balance/event_log.h"
#include "balance/journal/disk.h"
#include "balance/journal/fault.h"
#include "balance/journal/queue.h"
#include "balance/journal/reader.h"
#include "balance/journal/segments.h"
#include "balance/journal/settings.h"
#include "balance/journal/writer.h"

namespace tollgate::balance::journal {

struct Statistics {
    Sequence last = 0;
    Sequence durable = 0;
    std::uint64_t epoch = 0;
    std::uint64_t batches = 0;
    std::uint64_t seals = 0;
    std::uint64_t events = 0;  ///< Since start, as are the others.
    std::uint64_t bytes = 0;
    std::uint64_t syncs = 0;
    std::chrono::nanoseconds sync_time{0};  ///< All together.
    std::chrono::nanoseconds sync_time_max{0};
    std::array<std::uint64_t, 24> syncs_by_us{};  ///< See WriterFigures.
    std::uint64_t queue_bytes = 0;                ///< In use now.
    std::uint64_t segment = 0;                    ///< In use; 0 before anything was written.
    std::uint64_t segments_ready = 0;
    std::uint64_t torn_blocks = 0;  ///< That the last start cut off.
    Admission admission = Admission::open;
    std::string full_because;  ///< Why no segment can be made ready; empty where that is not so.
    std::string failure;       ///< Why nothing becomes durable any more; likewise.
};

/// Any thread may call any member at any time, but for what says otherwise.
class Journal final : public EventLog {
  public:
    struct Opened;

    /// Reads everything above `after` and hands it to `on_event`, in order, then makes ready to go on. Where
    /// that cannot be there is no journal but a fault. The disk outlives the journal.
    static Opened open(Disk& disk, const Settings& settings, Sequence after, const OnEvent& on_event);

    ~Journal() override;  ///< Stops, if that is still to be done.

    // ---- Before start() ----

    /// Called by the writer's thread when durable() has moved. Short, and without waiting for the journal.
    void on_durable(std::function<void()> call) { on_durable_ = std::move(call); }
    /// Called once by the writer's thread, with the path and what the disk said: stop the process.
    void on_failure(std::function<void(std::string)> call) { on_failure_ = std::move(call); }
    /// Starts the threads. Without it, step() and prepare() do their work: for simulation.
    void start();
    /// Writes what is queued, seals, ends the threads. Nobody may append any more. False where not everything
    /// became durable.
    bool stop();

    // ---- Events ----

    Sequence append(std::span<const std::byte> event) noexcept override;
    [[nodiscard]] Sequence last() const noexcept override { return queue_.last(); }
    [[nodiscard]] Admission admission() const noexcept override { return segments_.admission(); }
    [[nodiscard]] std::size_t event_bytes_max() const noexcept { return event_bytes_max_; }

    /// The highest number that may be answered.
    [[nodiscard]] Sequence durable() const noexcept { return writer_.durable(); }
    [[nodiscard]] bool failed() const noexcept { return writer_.failed(); }
    /// Until the event is durable; false where the time is over or the journal has failed.
    bool wait(Sequence sequence, std::chrono::nanoseconds timeout) noexcept;

    /// Hands out the durable events above `after`, from the files, while the journal goes on.
    Recovery read(Sequence after, const OnEvent& on_event);

    // ---- Files beside the segments ----

    AsideFile put_aside(std::string_view kind, std::span<const std::byte> bytes) override;
    /// Those whose event is appended by now, at last() or before, or never will be.
    Errno settled_asides(std::vector<std::string>& names);

    /// Removes segments that hold nothing above `up_to`, the oldest first, and how many. Blocks.
    std::size_t remove_segments(Sequence up_to);

    [[nodiscard]] const Instance& instance() const noexcept { return instance_; }
    [[nodiscard]] Disk& disk() const noexcept { return disk_; }
    [[nodiscard]] Statistics statistics() const;

    // ---- For simulation, by one thread ----

    Writer::Step step(std::chrono::nanoseconds now) { return writer_.step(now); }
    Preparer::Step prepare() { return preparer_.step(); }
    Writer& writer() noexcept { return writer_; }

  private:
    Journal(Disk& disk, const Settings& settings, const Recovery& recovery, std::unique_ptr<File> lock);
    void changed();
    void write_on(const std::stop_token& stop);
    void prepare_on(const std::stop_token& stop);
    /// Wakes the preparer.
    void want_segments();
    void drain();

    Disk& disk_;
    const Settings settings_;
    const std::size_t event_bytes_max_;
    const Instance instance_;
    const std::uint64_t epoch_;
    const std::uint64_t torn_blocks_;
    std::unique_ptr<File> lock_;
    Queue queue_;
    Segments segments_;
    Preparer preparer_;
    Writer writer_;

    std::function<void()> on_durable_;
    std::function<void(std::string)> on_failure_;
    bool failure_told_ = false;

    std::mutex aside_mutex_;
    std::uint64_t aside_number_ = 0;
    std::set<std::uint64_t> asides_held_;

    // Waiters count themselves before they look at durable(), the writer looks at the count after it has
    // moved it: both sequentially consistent, so one of the two sees the other.
    std::atomic<std::uint32_t> waiters_{0};
    std::mutex wait_mutex_;
    std::condition_variable wait_moved_;

    std::mutex prepare_mutex_;
    std::condition_variable_any prepare_bell_;
    bool prepare_wanted_ = false;  // Under the mutex.
    bool started_ = false;
    std::jthread preparing_;
    std::jthread writing_;
};

struct Journal::Opened {
    std::unique_ptr<Journal> journal;  ///< None where there is a fault.
    Fault fault;
    Recovery recovery;  ///< What was found, for the log.
};

}  // namespace tollgate::balance::journal
