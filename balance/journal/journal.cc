#include "balance/journal/journal.h"

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <random>
#include <stdexcept>
#include <utility>

#include "balance/journal/aside.h"

namespace tollgate::balance::journal {
namespace {

constexpr std::chrono::milliseconds kWaitingNap{1};
constexpr std::chrono::seconds kIdleSleep{1};
/// How long stop() waits for room on a full disk.
constexpr std::chrono::seconds kStopPatience{5};

constexpr std::size_t kWriteAgainBytes = std::size_t{1} << 20;

std::uint64_t random_number() {
    std::random_device device;
    return std::uint64_t{device()} << 32 | device();
}

/// The last batches may be whole only in the kernel's memory, if the process was killed, or stopped by a sync
/// that failed, and not the machine. After such a sync the kernel takes its pages for clean, so that a second
/// one means nothing: they are written once more, byte for byte, and then synced. What the next segment will
/// say is before it is on the disk then.
Errno write_again(Disk& disk, const std::string& name, std::uint64_t from, std::uint64_t end) {
    std::unique_ptr<File> file;
    if (const Errno error = disk.open(name, Disk::Mode::write, file); error != 0) return error;
    std::vector<std::byte> bytes(kWriteAgainBytes);
    while (from < end) {
        const auto piece = std::span{bytes}.first(std::min<std::uint64_t>(bytes.size(), end - from));
        std::size_t count = 0;
        if (const Errno error = read_all(*file, from, piece, count); error != 0) return error;
        if (count == 0) break;  // The file has been cut there.
        if (const Errno error = write_all(*file, from, piece.first(count)); error != 0) return error;
        from += count;
    }
    return file->sync();
}

/// Makes the directory what the recovery said it is: nothing in memory only, nothing left over.
std::optional<Fault> tidy(Disk& disk, const Recovery& recovery) {
    if (recovery.segment != 0) {
        const std::string name = segment_name(recovery.segment);
        if (const Errno error = write_again(disk, name, recovery.unsure_offset, recovery.torn_offset);
            error != 0)
            return io_fault(disk, name, "cannot be written again", error);
    }
    for (const auto& name : recovery.left_over) {
        if (const Errno error = disk.remove(name); error != 0)
            return io_fault(disk, name, "is left over and cannot be removed", error);
        // One after the other, so that a crash leaves no gap in the numbers.
        if (const Errno error = disk.sync_directory(); error != 0)
            return io_fault(disk, "", "the directory cannot be synced", error);
    }
    if (const Errno error = disk.sync_directory(); error != 0)
        return io_fault(disk, "", "the directory cannot be synced", error);
    return std::nullopt;
}

}  // namespace

Journal::Opened Journal::open(Disk& disk, const Settings& settings, Sequence after, const OnEvent& on_event) {
    assert(settings.segment_bytes % kBlockBytes == 0 && settings.segment_bytes >= 8 * kBlockBytes);
    Opened opened;
    std::unique_ptr<File> lock;
    std::string holder;
    if (const Errno error = disk.lock(std::string{kLockFile}, lock, holder); error != 0) {
        opened.fault = lock_fault(disk, holder, error);
        return opened;
    }
    opened.recovery = read_journal(disk, settings, after, on_event);
    auto& recovery = opened.recovery;
    if (recovery.fault) {
        opened.fault = *recovery.fault;
        return opened;
    }
    if (auto fault = tidy(disk, recovery)) {
        opened.fault = std::move(*fault);
        return opened;
    }
    if (!recovery.instance) {
        recovery.instance = Instance{random_number(), random_number()};
        const std::string name{kInstanceFile};
        if (const Errno error = write_file(disk, name, encode_instance(*recovery.instance)); error != 0) {
            opened.fault = io_fault(disk, name, "cannot be written", error);
            return opened;
        }
    }
    opened.journal.reset(new Journal{disk, settings, recovery, std::move(lock)});
    if (recovery.ready.empty()) opened.journal->prepare();
    return opened;
}

Journal::Journal(Disk& disk, const Settings& settings, const Recovery& recovery, std::unique_ptr<File> lock)
    : disk_(disk),
      settings_(settings),
      event_bytes_max_(journal::event_bytes_max(settings)),
      instance_(*recovery.instance),
      epoch_(recovery.segment == 0 ? settings.begin_epoch : recovery.epoch + 1),
      torn_blocks_(recovery.torn_blocks),
      lock_(std::move(lock)),
      queue_(settings.queue_bytes, recovery.last.sequence),
      segments_(settings_, recovery.segment + 1, recovery.ready),
      preparer_(disk, settings_, segments_),
      writer_(disk, settings_,
              {.last = recovery.last, .epoch = epoch_, .instance = instance_, .sealed = recovery.sealed},
              queue_, segments_),
      aside_number_(newest_aside(disk)) {
    writer_.on_change([this] { changed(); });
}

Journal::~Journal() {
    stop();
}

Sequence Journal::append(std::span<const std::byte> event) noexcept {
    assert(!event.empty() && event.size() <= event_bytes_max_);
    return queue_.push(event);
}

void Journal::changed() {
    if (waiters_.load(std::memory_order_seq_cst) != 0) {
        { const std::lock_guard lock{wait_mutex_}; }
        wait_moved_.notify_all();
    }
    if (writer_.failed()) {
        if (!std::exchange(failure_told_, true) && on_failure_) on_failure_(writer_.failure());
    } else if (on_durable_) {
        on_durable_();
    }
}

bool Journal::wait(Sequence sequence, std::chrono::nanoseconds timeout) noexcept {
    if (durable() >= sequence) return true;
    std::unique_lock lock{wait_mutex_};
    waiters_.fetch_add(1, std::memory_order_seq_cst);
    const bool over = wait_moved_.wait_for(lock, timeout, [&] { return durable() >= sequence || failed(); });
    waiters_.fetch_sub(1, std::memory_order_seq_cst);
    return over && durable() >= sequence;
}

Recovery Journal::read(Sequence after, const OnEvent& on_event) {
    const Sequence until = durable();
    if (after >= until) return {};
    return read_journal(
        disk_, settings_, after,
        [&](Sequence sequence, std::span<const std::byte> event) {
            return sequence > until || on_event(sequence, event);
        },
        until);
}

void Journal::start() {
    assert(!started_);
    started_ = true;
    preparing_ = std::jthread{[this](const std::stop_token& stop) { prepare_on(stop); }};
    writing_ = std::jthread{[this](const std::stop_token& stop) { write_on(stop); }};
}

bool Journal::stop() {
    if (writing_.joinable()) {
        writing_.request_stop();
        queue_.wake();
        writing_.join();
        preparing_.request_stop();
        preparing_.join();
    } else if (!started_) {
        return !failed() && durable() == last();
    }
    return !failed() && durable() == last();
}

void Journal::write_on(const std::stop_token& stop) {
    // How long to stay awake without work: as long as it has paid lately.
    auto linger = settings_.linger;
    std::uint64_t segment = 0;
    while (!stop.stop_requested()) {
        const auto step = writer_.step(steady_time());
        if (const auto now = writer_.figures().segment.load(std::memory_order_relaxed); now != segment) {
            segment = now;
            want_segments();
        }
        if (step == Writer::Step::failed) return;
        if (step == Writer::Step::wrote) continue;
        if (step == Writer::Step::waiting) {
            std::this_thread::sleep_for(kWaitingNap);
            continue;
        }
        const auto until = steady_time() + linger;
        while (queue_.empty() && !stop.stop_requested() && steady_time() < until)
            std::this_thread::yield();
        if (!queue_.empty()) {
            linger = std::min(settings_.linger, 2 * linger);
            continue;
        }
        linger = std::max(settings_.linger / 16, linger / 2);
        if (stop.stop_requested()) break;
        queue_.sleep(step == Writer::Step::resting ? std::min(settings_.seal_after, settings_.sync_within)
                                                   : std::chrono::nanoseconds{kIdleSleep});
    }
    drain();
}

void Journal::drain() {
    const auto until = steady_time() + kStopPatience;
    while (!queue_.empty()) {
        const auto step = writer_.step(steady_time());
        if (step == Writer::Step::failed) return;
        if (step == Writer::Step::waiting) {
            if (steady_time() > until) return;
            want_segments();
            std::this_thread::sleep_for(kWaitingNap);
        }
    }
    writer_.seal();
}

void Journal::prepare_on(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
        if (preparer_.step(stop) == Preparer::Step::made) continue;
        std::unique_lock lock{prepare_mutex_};
        prepare_bell_.wait_for(lock, stop, settings_.retry_after, [this] { return prepare_wanted_; });
        prepare_wanted_ = false;
    }
}

void Journal::want_segments() {
    {
        const std::lock_guard lock{prepare_mutex_};
        prepare_wanted_ = true;
    }
    prepare_bell_.notify_one();
}

AsideFile Journal::put_aside(std::string_view kind, std::span<const std::byte> bytes) {
    std::uint64_t number = 0;
    {
        const std::lock_guard lock{aside_mutex_};
        // Above every event so far, so that a name that an event holds is never given again.
        number = aside_number_ = std::max(aside_number_, last()) + 1;
        asides_held_.insert(number);
    }
    // Counted from before it has its name.
    AsideFile file{{}, std::shared_ptr<const void>{this, [this, number](const void*) {
                                                       const std::lock_guard lock{aside_mutex_};
                                                       asides_held_.erase(number);
                                                   }}};
    if (const Errno error = write_aside(disk_, instance_, kind, number, bytes, file.name); error != 0)
        throw std::runtime_error{disk_.path(file.name) + ": cannot be written: " + text_of(error)};
    return file;
}

Errno Journal::settled_asides(std::vector<std::string>& names) {
    // In this order: what is listed and not held any more has its event, or was given up.
    if (const Errno error = list_asides(disk_, names); error != 0) return error;
    const std::lock_guard lock{aside_mutex_};
    std::erase_if(names, [this](const std::string& name) { return asides_held_.contains(number_of(name)); });
    return 0;
}

std::size_t Journal::remove_segments(Sequence up_to) {
    std::vector<std::string> names;
    if (disk_.list(names) != 0) return 0;
    std::sort(names.begin(), names.end());
    std::vector<std::pair<std::string, Sequence>> in_use;
    for (const auto& name : names) {
        if (!segment_of(name)) continue;
        std::unique_ptr<File> file;
        std::array<std::byte, sizeof(SegmentHeader)> bytes{};
        std::size_t count = 0;
        if (disk_.open(name, Disk::Mode::read, file) != 0 || read_all(*file, 0, bytes, count) != 0) break;
        const auto header = segment_header(std::span{bytes}.first(count));
        if (!header) break;
        in_use.emplace_back(name, header->first_sequence);
    }
    std::size_t removed = 0;
    for (std::size_t i = 0; i + 1 < in_use.size(); ++i) {
        if (in_use[i + 1].second > up_to + 1) break;
        // One after the other, so that a crash leaves no gap in the numbers.
        if (disk_.remove(in_use[i].first) != 0 || disk_.sync_directory() != 0) break;
        ++removed;
    }
    if (removed != 0) want_segments();
    return removed;
}

Statistics Journal::statistics() const {
    const auto& figures = writer_.figures();
    Statistics all;
    all.durable = durable();
    all.last = last();
    all.epoch = epoch_;
    all.batches = figures.batches.load(std::memory_order_relaxed);
    all.seals = figures.seals.load(std::memory_order_relaxed);
    all.events = figures.events.load(std::memory_order_relaxed);
    all.bytes = figures.bytes.load(std::memory_order_relaxed);
    all.syncs = figures.syncs.load(std::memory_order_relaxed);
    all.sync_time = std::chrono::nanoseconds{figures.sync_ns.load(std::memory_order_relaxed)};
    all.sync_time_max = std::chrono::nanoseconds{figures.sync_ns_max.load(std::memory_order_relaxed)};
    for (std::size_t i = 0; i < all.syncs_by_us.size(); ++i)
        all.syncs_by_us[i] = figures.syncs_by_us[i].load(std::memory_order_relaxed);
    all.queue_bytes = queue_.bytes_used();
    all.segment = figures.segment.load(std::memory_order_relaxed);
    all.segments_ready = segments_.ready();
    all.torn_blocks = torn_blocks_;
    all.admission = admission();
    all.full_because = segments_.full_because();
    if (writer_.failed()) all.failure = writer_.failure();
    return all;
}

}  // namespace tollgate::balance::journal
