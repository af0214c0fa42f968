/// Sees to it that the daemon refuses work before the system ends it for want of memory.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <functional>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

#include "balance/event_log.h"

namespace tollgate::daemon {

/// What the process takes of the machine's memory now, its pages in use; 0 where the system does not say.
[[nodiscard]] std::size_t memory_in_use();
/// What the control groups of the process allow it; nullopt: nothing is said.
[[nodiscard]] std::optional<std::size_t> memory_allowed();

/// Looks at the memory in use from time to time. Any thread may ask at any time.
///
/// Below the ceiling there is room for what goes on anyway: ending calls, answers on their way, a snapshot.
/// What begins something new waits for memory to be free again.
class MemoryGuard {
  public:
    /// Of the ceiling, this part is kept free, but at least kRoomLeast and at most kRoomMost.
    static constexpr std::size_t kRoomPart = 8;
    static constexpr std::size_t kRoomLeast = std::size_t{16} * 1024 * 1024;
    static constexpr std::size_t kRoomMost = std::size_t{1024} * 1024 * 1024;
    /// How often it looks. An import takes at most some hundred MiB a second.
    static constexpr std::chrono::milliseconds kLookEvery{50};
    /// How often it asks the allocator to give back what is free, while there is no room.
    static constexpr std::chrono::seconds kTrimEvery{2};

    using InUse = std::function<std::size_t()>;
    /// Told when the room ends or is there again, by the guard's thread.
    using Say = std::function<void(bool full, std::size_t in_use, std::size_t ceiling)>;

    explicit MemoryGuard(InUse in_use = memory_in_use) : in_use_(std::move(in_use)) {}

    /// 0: what memory_allowed() says, or no ceiling. Any thread.
    void set_ceiling(std::size_t bytes);
    [[nodiscard]] std::size_t ceiling() const noexcept { return ceiling_.load(std::memory_order_relaxed); }
    /// Beyond this there is no room for anything new; 0: no ceiling.
    [[nodiscard]] std::size_t full_from() const noexcept {
        const std::size_t bytes = ceiling();
        return bytes - room_of(bytes);
    }

    /// There is no room for anything new.
    [[nodiscard]] bool is_full() const noexcept { return full_.load(std::memory_order_relaxed); }
    /// As of the last look.
    [[nodiscard]] std::size_t in_use() const noexcept { return seen_.load(std::memory_order_relaxed); }

    /// Looks once. One thread at a time.
    void look();

    void start(Say say);
    void stop() { looking_ = {}; }

  private:
    static std::size_t room_of(std::size_t ceiling) noexcept;

    InUse in_use_;
    Say say_;
    // Each is a word of its own: written by the guard's thread (the ceiling: by whoever sets it), read by
    // all.
    std::atomic<std::size_t> ceiling_{0};
    std::atomic<std::size_t> seen_{0};
    std::atomic<bool> full_{false};
    std::chrono::steady_clock::time_point trimmed_{};
    std::mutex mutex_;
    std::condition_variable_any bell_;
    std::jthread looking_;  // Last: it uses the others.
};

/// A log of events that lets nothing new begin while memory is short.
class GuardedLog final : public balance::EventLog {
  public:
    /// `log` nullptr: events go nowhere. Both must outlive this.
    GuardedLog(balance::EventLog* log, const MemoryGuard& memory) noexcept : log_(log), memory_(memory) {}

    balance::Sequence append(std::span<const std::byte> event) noexcept override {
        return log_ == nullptr ? 0 : log_->append(event);
    }
    [[nodiscard]] balance::Sequence last() const noexcept override {
        return log_ == nullptr ? 0 : log_->last();
    }
    [[nodiscard]] balance::Admission admission() const noexcept override {
        const auto of_log = log_ == nullptr ? balance::Admission::open : log_->admission();
        const bool shut = of_log == balance::Admission::open && memory_.is_full();
        return shut ? balance::Admission::ends_only : of_log;
    }
    balance::AsideFile put_aside(std::string_view kind, std::span<const std::byte> bytes) override {
        return log_ == nullptr ? balance::AsideFile{} : log_->put_aside(kind, bytes);
    }

  private:
    balance::EventLog* log_;
    const MemoryGuard& memory_;
};

}  // namespace tollgate::daemon
