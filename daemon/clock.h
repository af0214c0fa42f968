/// What time it is, by both clocks of the process.
#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "balance/session.h"

namespace tollgate::daemon {

/// The steady clock counts on from what a journal's last daemon had: sessions live by it, so it goes on while
/// the daemon is down. On the same boot of the machine it follows CLOCK_BOOTTIME, which counts sleep too;
/// after another boot it has moved by what the clock on the wall says, never back.
class Clock {
  public:
    /// Any thread.
    [[nodiscard]] static balance::Moment now() noexcept;
    /// What the kernel counts since the machine was booted.
    [[nodiscard]] static std::chrono::nanoseconds booted_for() noexcept;
    /// Another after every boot; empty where the kernel does not say.
    [[nodiscard]] static std::string boot_id();

    /// From now on it is `steady`. Before any other thread asks.
    static void set(balance::Steady steady) noexcept;
};

/// The clocks that a start asks and sets: those of the process, or of a simulation.
struct StartClocks {
    std::function<balance::Moment()> now = Clock::now;
    std::function<std::chrono::nanoseconds()> booted_for = Clock::booted_for;
    std::function<std::string()> boot_id = Clock::boot_id;
    std::function<void(balance::Steady)> set = Clock::set;
};

}  // namespace tollgate::daemon
