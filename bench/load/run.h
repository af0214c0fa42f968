/// Whole runs: threads, progress, and the search for the highest rate.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <iosfwd>
#include <string>
#include <vector>

#include "bench/load/figures.h"
#include "bench/load/generator.h"

namespace tollgate::bench::load {

/// Connects all generators, makes the calls and adds up what was measured. Writes a line a second to
/// `progress`, unless null. Throws std::runtime_error where the daemon is not there or hangs up.
[[nodiscard]] Figures make_calls(const Settings& settings, std::ostream* progress);

/// The search for the highest rate: doubled until it is too high, then halved between. A rate that does not
/// hold is tried once more.
struct Search {
    std::chrono::nanoseconds p99_max{std::chrono::milliseconds{5}};
    std::uint64_t rate_first = 1'000;
    std::uint64_t rate_last = kRateMax;
    std::uint64_t precision_percent = 5;  ///< It ends where the limit is known to so much.
};

struct Probe {
    std::uint64_t rate;
    bool holds;
    Figures figures;
};

struct Limit {
    std::uint64_t rate = 0;  ///< The highest that held; 0: none did.
    std::vector<Probe> probes;
};

/// A rate holds if its p99 is at most the bound and nothing was given up, lost, busy or wrong. As latency
/// counts from when a command was due, a daemon that falls behind has no low p99. `probe` makes calls at a
/// rate.
[[nodiscard]] bool holds(const Figures& figures, std::chrono::nanoseconds p99_max);
[[nodiscard]] Limit find_limit(const Search& search, const std::function<Figures(std::uint64_t rate)>& probe);

}  // namespace tollgate::bench::load
