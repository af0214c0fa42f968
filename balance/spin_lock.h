/// A lock for sections of a few dozen instructions.
#pragma once

#include <atomic>
#include <thread>

namespace tollgate::balance {

/// Meets the standard's Lockable. Spins, and gives the processor away where the holder lost its own.
class SpinLock {
  public:
    void lock() noexcept {
        // Acquire pairs with the release in unlock: the next holder sees what the last one wrote.
        while (locked_.exchange(true, std::memory_order_acquire)) {
            for (int i = 0; locked_.load(std::memory_order_relaxed); ++i) {
                if (i < kSpinsBeforeYield) {
                    __builtin_ia32_pause();
                } else {
                    std::this_thread::yield();
                }
            }
        }
    }
    [[nodiscard]] bool try_lock() noexcept {
        return !locked_.load(std::memory_order_relaxed) && !locked_.exchange(true, std::memory_order_acquire);
    }
    void unlock() noexcept { locked_.store(false, std::memory_order_release); }

  private:
    static constexpr int kSpinsBeforeYield = 100;
    std::atomic<bool> locked_{false};
};

}  // namespace tollgate::balance
