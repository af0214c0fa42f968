/// When each call begins, fixed before the first one: whatever the daemon does, nobody waits for it.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tollgate::bench::load {

/// The most calls a second that may be asked for, and the longest run.
inline constexpr std::uint64_t kRateMax = 10'000'000;
inline constexpr std::chrono::hours kRunMax{240};
inline constexpr std::size_t kStepsMax = 1'000;

/// So many calls a second for so long, evenly spread.
struct Step {
    std::uint64_t rate;
    std::chrono::milliseconds duration;
};

/// `20000:10s`, `1000:5s,8000:500ms,1000:5s` (a spike) or `1000..5000/1000:3s` (five steps): what is wrong
/// with it is in `fault`, without the place.
struct ReadSteps {
    std::vector<Step> steps;
    std::string fault;
};
[[nodiscard]] ReadSteps read_steps(std::string_view text);

/// The calls of a run, numbered from 0. Immutable once made, so threads share one.
class Schedule {
  public:
    using Offset = std::chrono::nanoseconds;  ///< From the beginning of the run.

    explicit Schedule(const std::vector<Step>& steps);
    /// By the times of a list of calls, the first at 0; ascending. They are one step.
    explicit Schedule(std::vector<Offset> times);

    /// When the call begins; nullopt: the run has fewer.
    [[nodiscard]] std::optional<Offset> due(std::uint64_t call) const noexcept;
    [[nodiscard]] std::uint64_t calls() const noexcept { return calls_; }
    [[nodiscard]] Offset length() const noexcept { return length_; }

    /// The step that a moment of the run belongs to; one past the end belongs to the last.
    [[nodiscard]] std::size_t step_at(Offset moment) const noexcept;
    [[nodiscard]] std::size_t steps() const noexcept { return parts_.size(); }
    [[nodiscard]] std::uint64_t rate(std::size_t step) const noexcept { return parts_[step].rate; }
    [[nodiscard]] Offset length(std::size_t step) const noexcept { return parts_[step].length; }

  private:
    struct Part {
        std::uint64_t first;  ///< The number of its first call.
        std::uint64_t rate;
        Offset begin;
        Offset length;
    };
    std::vector<Part> parts_;
    std::vector<Offset> times_;
    std::uint64_t calls_ = 0;
    Offset length_{};
};

}  // namespace tollgate::bench::load
