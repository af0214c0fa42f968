/// How long something took, for the price of reading the processor's own counter.
#pragma once

#include <chrono>
#include <cstdint>

namespace tollgate::daemon::commands {

/// Ticks of the processor's time stamp counter where it never stops nor changes its pace, else nanoseconds of
/// the system's steady clock, which takes three times as long to read. Any thread.
class Ticks {
  public:
    [[nodiscard]] static std::uint64_t now() noexcept {
#if defined(__x86_64__)
        if (counter_is_steady) return __builtin_ia32_rdtsc();
#endif
        return system_now();
    }
    /// Never below zero: a thread may have moved to a processor whose counter is a little behind.
    [[nodiscard]] static std::chrono::nanoseconds between(std::uint64_t first, std::uint64_t last) noexcept {
        if (last <= first) return std::chrono::nanoseconds{0};
        __extension__ typedef unsigned __int128 Wide;  // NOLINT(modernize-use-using)
        return std::chrono::nanoseconds{
            static_cast<std::int64_t>(static_cast<Wide>(last - first) * ns_scaled >> kScale)};
    }
    /// Holds the counter against the system's clock. Before other threads are there; takes kCalibration.
    /// Without it times are those of the system's clock.
    static void calibrate();

  private:
    static constexpr unsigned kScale = 32;
    static constexpr std::chrono::milliseconds kCalibration{10};

    [[nodiscard]] static std::uint64_t system_now() noexcept {
        return static_cast<std::uint64_t>(std::chrono::steady_clock::now().time_since_epoch() /
                                          std::chrono::nanoseconds{1});
    }

    // Written once, before other threads are there.
    static inline bool counter_is_steady = false;
    static inline std::uint64_t ns_scaled = std::uint64_t{1} << kScale;  ///< Nanoseconds a tick.
};

/// Of the commands that were read at once: since when, and when the last of them was done.
struct Stopwatch {
    std::uint64_t read_at = Ticks::now();
    std::uint64_t lap_at = read_at;
};

}  // namespace tollgate::daemon::commands
