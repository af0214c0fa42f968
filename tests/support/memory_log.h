/// A log of events in memory, to be replayed by tests.
#pragma once

#include <map>
#include <mutex>
#include <stdexcept>
#include <string>
#include <vector>

#include "balance/event_log.h"

namespace tollgate::tests {

class MemoryLog final : public balance::EventLog {
  public:
    balance::Sequence append(std::span<const std::byte> event) noexcept override {
        const std::lock_guard lock{mutex_};
        events_.emplace_back(event.begin(), event.end());
        return events_.size();
    }
    [[nodiscard]] balance::Sequence last() const noexcept override {
        const std::lock_guard lock{mutex_};
        return events_.size();
    }
    [[nodiscard]] balance::Admission admission() const noexcept override {
        return last() < room_until ? admitted : balance::Admission::closed;
    }
    balance::AsideFile put_aside(std::string_view kind, std::span<const std::byte> bytes) override {
        const std::lock_guard lock{mutex_};
        std::string name = std::string{kind} + "-" + std::to_string(asides_.size() + 1);
        asides_[name].assign(bytes.begin(), bytes.end());
        return {name, nullptr};
    }

    /// Requires: nobody appends.
    [[nodiscard]] const std::vector<std::vector<std::byte>>& events() const noexcept { return events_; }
    [[nodiscard]] std::vector<std::byte> aside(std::string_view name) const {
        const auto found = asides_.find(name);
        if (found == asides_.end()) throw std::runtime_error(std::string{name} + " is not there");
        return found->second;
    }

    balance::Admission admitted = balance::Admission::open;
    balance::Sequence room_until = UINT64_MAX;  ///< With so many events it is full.

  private:
    mutable std::mutex mutex_;
    std::vector<std::vector<std::byte>> events_;
    std::map<std::string, std::vector<std::byte>, std::less<>> asides_;
};

}  // namespace tollgate::tests
