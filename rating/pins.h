/// Counts of who holds on to what, without a counter that two threads write.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <mutex>
#include <optional>
#include <utility>
#include <vector>

#include "rating/thread_number.h"

namespace tollgate::rating {

/// How many things may be counted at once.
inline constexpr std::uint32_t kPinnedMax = 131'072;

/// Every thread has counters of its own, one a thing; the sum over all threads is how often the thing is
/// held. One thread may take hold and another let go, so a single thread's counter may be negative.
class PinCounts {
  public:
    PinCounts() = default;
    PinCounts(const PinCounts&) = delete;
    PinCounts& operator=(const PinCounts&) = delete;
    ~PinCounts();

    /// Any thread. Throws std::bad_alloc at a thread's first use.
    void add(std::uint32_t slot, std::int64_t count) {
        std::atomic<std::int64_t>& mine = counters_of_this_thread()[slot];
        // Nobody else writes it. Release: whoever sees the sum come to 0 sees that all use is over.
        mine.store(mine.load(std::memory_order_relaxed) + count, std::memory_order_release);
    }

    /// The sum. It may be too large while others let go, never too small, provided that nobody can take hold
    /// any more: so 0 means unused.
    [[nodiscard]] std::int64_t sum(std::uint32_t slot) const noexcept;

    /// A free slot, or nullopt where kPinnedMax are taken. Takes a lock: for administration.
    [[nodiscard]] std::optional<std::uint32_t> take_slot();
    /// Requires: its sum is 0.
    void give_back_slot(std::uint32_t slot);

  private:
    using Counter = std::atomic<std::int64_t>;
    [[nodiscard]] Counter* counters_of_this_thread() {
        Counter* const mine = threads_[thread_number()].load(std::memory_order_acquire);
        return mine != nullptr ? mine : make_counters();
    }
    Counter* make_counters();

    std::array<std::atomic<Counter*>, kThreadsMax> threads_{};
    std::mutex mutex_;  // For the slots.
    std::vector<std::uint32_t> free_slots_;
    std::uint32_t slots_used_ = 0;
};

/// One thing's place among the counts. Where there are no counts (a version outside a book), nothing is
/// counted.
class Pins {
  public:
    Pins() = default;
    Pins(PinCounts& counts, std::uint32_t slot) noexcept : counts_(&counts), slot_(slot) {}
    Pins(Pins&& other) noexcept : counts_(std::exchange(other.counts_, nullptr)), slot_(other.slot_) {}
    Pins& operator=(Pins&&) = delete;
    ~Pins() {
        if (counts_ != nullptr) counts_->give_back_slot(slot_);
    }

    void add() const {
        if (counts_ != nullptr) counts_->add(slot_, 1);
    }
    void remove() const {
        if (counts_ != nullptr) counts_->add(slot_, -1);
    }
    /// As PinCounts::sum.
    [[nodiscard]] std::int64_t sum() const noexcept { return counts_ == nullptr ? 0 : counts_->sum(slot_); }

  private:
    PinCounts* counts_ = nullptr;
    std::uint32_t slot_ = 0;
};

}  // namespace tollgate::rating
