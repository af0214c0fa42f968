/// What a run found: for people, for programs, and as pictures.
#pragma once

#include <iosfwd>
#include <string>
#include <string_view>
#include <vector>

#include "bench/load/books.h"
#include "bench/load/figures.h"
#include "bench/load/run.h"

namespace tollgate::bench::load {

/// One run, or all of a search.
struct Report {
    Settings settings;
    std::vector<Probe> probes;            ///< One of a plain run.
    std::uint64_t limit = 0;              ///< Of a search: the highest rate that held.
    std::chrono::nanoseconds p99_max{0};  ///< Of a search; else 0.
    Comparison books;

    [[nodiscard]] const Figures& last() const { return probes.back().figures; }
    /// All answers were true, all came, and the books add up.
    [[nodiscard]] bool is_good() const;
};

/// Tables of percentiles, refusals, what was wrong, the books.
void write_summary(std::ostream& out, const Report& report);

/// One object in one line; docs/load.md has the fields.
void write_json(std::ostream& out, const Report& report);

/// `PREFIX-latency.svg` (over the rate, a point a step or probe) and `PREFIX-throughput.svg` (over time),
/// drawn by gnuplot. Throws std::runtime_error where it is not there or fails.
void write_plots(const std::string& prefix, const Report& report);

}  // namespace tollgate::bench::load
