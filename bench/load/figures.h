/// What was measured.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "bench/load/histogram.h"
#include "bench/load/session_check.h"
#include "rating/money.h"

namespace tollgate::bench::load {

/// How many false answers are shown; all are counted.
inline constexpr std::size_t kFaultsShownMax = 10;

/// Of one run, first by each thread for itself, then added up. Times count from when a command was due.
struct Figures {
    struct Slice {
        std::uint64_t sent = 0;
        std::uint64_t answered = 0;
        Histogram latency;
    };

    Histogram latency;
    Histogram service;  ///< From when it was sent: what a closed loop would have seen.
    std::array<Histogram, kVerbs> verbs;
    std::vector<Slice> steps;      ///< Of the schedule.
    std::vector<Slice> intervals;  ///< Of the same length each; a command belongs to where it was due.
    std::chrono::nanoseconds interval{0};
    std::chrono::nanoseconds measured{0};  ///< What of the run was measured.

    std::uint64_t calls = 0;  ///< Everything from here on also counts what was not measured.
    std::uint64_t commands = 0;
    std::uint64_t granted = 0;
    std::uint64_t repeats = 0;
    std::uint64_t busy = 0;
    std::uint64_t lost = 0;  ///< Commands that nobody answered.
    std::uint64_t wrong = 0;
    std::map<std::string, std::uint64_t, std::less<>> refused;  ///< By code.
    std::vector<std::string> faults;
    std::uint64_t unsettled = 0;  ///< Calls whose charge nobody told, so that the books cannot be compared.
    std::vector<rating::Money> charged;  ///< To the customer of each line.
    bool is_behind = false;              ///< More waited than kBacklogMax, so it was given up.

    void add(const Figures& other);
};

}  // namespace tollgate::bench::load
