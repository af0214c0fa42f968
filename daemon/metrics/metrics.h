/// What Prometheus is told: docs/metrics.md has every name.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "balance/party.h"
#include "daemon/commands/context.h"
#include "daemon/metrics/call_figures.h"

namespace tollgate::daemon::metrics {

/// What HTTP requests became of.
struct HttpFigure {
    std::string_view operation;  ///< `operationId` of the contract; empty: none of it.
    std::string_view code;       ///< `200`
    std::uint64_t requests = 0;
};

/// Where figures come from that commands do not have. Called by any thread; none of them waits. Empty
/// functions: there are none.
struct Sources {
    std::function<std::vector<HttpFigure>()> http = {};
    std::function<std::uint64_t()> memory_max = {};        ///< Bytes; 0: no limit.
    std::function<std::uint64_t()> memory_level = {};      ///< From which on nothing new begins; 0: none.
    std::function<std::uint64_t()> lines_suppressed = {};  ///< Of the log.
    std::function<std::uint64_t()> connections_max = {};
    std::size_t sessions_max = 0;
    std::size_t parties_max = 0;
};

/// Any thread may call any member but refresh(). Nothing here waits for a call, and no call for anything
/// here: the counters of all workers are added up whenever somebody asks.
class Metrics {
  public:
    /// Both must outlive this.
    Metrics(const commands::Services& services, CallFigures& calls, Sources sources);

    /// All of it in Prometheus' text format 0.0.4.
    [[nodiscard]] std::string text() const;

    /// What is not looked up at every question, because it takes a walk over all parties or a table to be
    /// built. One thread, every second or so.
    void refresh();

    /// What text() is served as.
    static constexpr std::string_view kContentType = "text/plain; version=0.0.4; charset=utf-8";

  private:
    class Collection;

    /// What calls under way hold of somebody's money.
    struct Held {
        rating::Currency currency;
        balance::PartyKind kind;
        std::int64_t micros = 0;
    };
    void add_up_held();

    const commands::Services& services_;
    CallFigures& calls_;
    const Sources sources_;

    mutable std::mutex mutex_;  // For held_.
    std::vector<Held> held_;
    std::chrono::steady_clock::time_point held_due_{};  // Of refresh() alone.
};

/// What the system says of this process, but for its memory, which ServerFacts::memory_in_use tells. Zero
/// where it does not.
struct ProcessFigures {
    double cpu_seconds = 0;
    std::uint64_t virtual_bytes = 0;
    std::uint64_t threads = 0;
    std::uint64_t open_descriptors = 0;
    std::uint64_t descriptors_max = 0;
    double started_at = 0;  ///< Unix time.
};
[[nodiscard]] ProcessFigures process_figures();

}  // namespace tollgate::daemon::metrics
