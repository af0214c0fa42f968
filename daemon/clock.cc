#include "daemon/clock.h"

#include <atomic>
#include <fstream>

#include <time.h>

namespace tollgate::daemon {
namespace {

// Written once, before other threads are there.
std::atomic<std::int64_t> ahead_of_boottime{0};

}  // namespace

std::chrono::nanoseconds Clock::booted_for() noexcept {
    timespec time{};
    (void)::clock_gettime(CLOCK_BOOTTIME, &time);
    return std::chrono::seconds{time.tv_sec} + std::chrono::nanoseconds{time.tv_nsec};
}

balance::Moment Clock::now() noexcept {
    return {std::chrono::system_clock::now(),
            booted_for() + std::chrono::nanoseconds{ahead_of_boottime.load(std::memory_order_relaxed)}};
}

std::string Clock::boot_id() {
    std::string id;
    std::ifstream{"/proc/sys/kernel/random/boot_id"} >> id;
    return id.substr(0, 64);
}

void Clock::set(balance::Steady steady) noexcept {
    ahead_of_boottime.store((steady - booted_for()).count(), std::memory_order_relaxed);
}

}  // namespace tollgate::daemon
