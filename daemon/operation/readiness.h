/// Whether the daemon is to be sent work: what /readyz answers.
#pragma once

#include <atomic>
#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace tollgate::daemon {

/// A list of conditions, filled before the daemon serves; then any thread may ask.
class Readiness {
  public:
    /// Empty where all is well, else what is not: `the journal's disk is full`. Any thread calls it; it does
    /// not wait.
    using Condition = std::function<std::string()>;

    void add(Condition condition) { conditions_.push_back(std::move(condition)); }

    /// From now on the daemon is not ready, because it stops.
    void stop() noexcept { stopping_.store(true, std::memory_order_relaxed); }

    /// Why it is not ready; nothing where it is.
    [[nodiscard]] std::vector<std::string> faults() const {
        std::vector<std::string> faults;
        if (stopping_.load(std::memory_order_relaxed)) faults.emplace_back("it is stopping");
        for (const Condition& condition : conditions_) {
            if (auto fault = condition(); !fault.empty()) faults.push_back(std::move(fault));
        }
        return faults;
    }

  private:
    std::vector<Condition> conditions_;
    std::atomic<bool> stopping_{false};  // Says nothing of other memory.
};

}  // namespace tollgate::daemon
