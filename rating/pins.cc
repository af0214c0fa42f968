#include "rating/pins.h"

#include <cstdlib>
#include <new>

namespace tollgate::rating {

PinCounts::~PinCounts() {
    for (auto& thread : threads_)
        std::free(thread.load(std::memory_order_relaxed));
}

PinCounts::Counter* PinCounts::make_counters() {
    // Zeroes from the kernel: only the pages that are used take memory.
    static_assert(sizeof(Counter) == sizeof(std::int64_t) && Counter::is_always_lock_free);
    void* const memory = std::calloc(kPinnedMax, sizeof(Counter));
    if (memory == nullptr) throw std::bad_alloc{};
    auto* const mine = static_cast<Counter*>(memory);
    threads_[thread_number()].store(mine, std::memory_order_release);
    return mine;
}

std::int64_t PinCounts::sum(std::uint32_t slot) const noexcept {
    std::int64_t sum = 0;
    for (const auto& thread : threads_) {
        const Counter* const counters = thread.load(std::memory_order_acquire);
        if (counters != nullptr) sum += counters[slot].load(std::memory_order_acquire);
    }
    return sum;
}

std::optional<std::uint32_t> PinCounts::take_slot() {
    const std::lock_guard lock{mutex_};
    if (!free_slots_.empty()) {
        const std::uint32_t slot = free_slots_.back();
        free_slots_.pop_back();
        return slot;
    }
    if (slots_used_ == kPinnedMax) return std::nullopt;
    return slots_used_++;
}

void PinCounts::give_back_slot(std::uint32_t slot) {
    const std::lock_guard lock{mutex_};
    free_slots_.push_back(slot);
}

}  // namespace tollgate::rating
