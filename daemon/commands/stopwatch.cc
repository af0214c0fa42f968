#include "daemon/commands/stopwatch.h"

#include <thread>

#if defined(__x86_64__)
#include <cpuid.h>
#endif

namespace tollgate::daemon::commands {
namespace {

/// Whether the counter goes on at one pace whatever the processor does to save power.
bool has_steady_counter() noexcept {
#if defined(__x86_64__)
    constexpr unsigned kPowerLeaf = 0x80000007;
    constexpr unsigned kInvariantCounter = 1U << 8;
    unsigned a = 0;
    unsigned b = 0;
    unsigned c = 0;
    unsigned d = 0;
    return __get_cpuid(kPowerLeaf, &a, &b, &c, &d) != 0 && (d & kInvariantCounter) != 0;
#else
    return false;
#endif
}

}  // namespace

void Ticks::calibrate() {
#if defined(__x86_64__)
    if (counter_is_steady || !has_steady_counter()) return;
    const std::uint64_t ns_before = system_now();
    const std::uint64_t ticks_before = __builtin_ia32_rdtsc();
    std::this_thread::sleep_for(kCalibration);
    const std::uint64_t ns = system_now() - ns_before;
    const std::uint64_t ticks = __builtin_ia32_rdtsc() - ticks_before;
    // Of a processor below 100 MHz, or a counter that stood still, nothing can be told.
    if (ticks < ns / 10) return;
    __extension__ typedef unsigned __int128 Wide;  // NOLINT(modernize-use-using)
    ns_scaled = static_cast<std::uint64_t>((static_cast<Wide>(ns) << kScale) / ticks);
    counter_is_steady = true;
#endif
}

}  // namespace tollgate::daemon::commands
