/// `tollgated rate`: what the calls of a file cost by a deck, without a daemon. docs/offline-rating.md has
/// the files and the messages.
#pragma once

#include <cstddef>
#include <string>

namespace tollgate::daemon {

/// The most threads that rate.
inline constexpr unsigned kOfflineThreadsMax = 256;

struct OfflineRating {
    std::string deck;              ///< CSV, as PUT /v1/tariffs/{id}/deck takes it.
    std::string calls;             ///< CSV with call_id, destination, start_time, answered, duration_seconds.
    std::string tariff;            ///< JSON, as PUT /v1/tariffs/{id} takes it; empty: the defaults.
    std::string out;               ///< Empty: standard output.
    unsigned threads = 0;          ///< That rate, beside the one that reads and writes; 0: one a processor.
    std::size_t faults_max = 100;  ///< How many faults of a file are shown; all are counted.
};

/// Rates the calls and writes `call_id,matched_prefix,billed_seconds,cost`, a row for each row of the calls,
/// in their order. Messages, progress and the summary go to standard error. Memory does not grow with the
/// calls.
///
/// True: every row was good, with or without a price. False: deck, settings or rows of the calls had faults,
/// and they were reported; nothing is written for a faulty deck or faulty settings. Throws std::runtime_error
/// for files that cannot be read or written.
[[nodiscard]] bool rate_offline(const OfflineRating& rating);

}  // namespace tollgate::daemon
