/// What every worker counts of its own, to be added up by whoever shows it.
#pragma once

#include <array>
#include <atomic>
#include <bit>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "daemon/charging.h"

namespace tollgate::daemon::commands {

class SlowLog;

/// More than a plain load and a store: cheaper than fetch_add, and right because only one thread writes.
/// Relaxed, because each is a sum of its own.
inline void add_alone(std::atomic<std::uint64_t>& counter, std::uint64_t more = 1) noexcept {
    counter.store(counter.load(std::memory_order_relaxed) + more, std::memory_order_relaxed);
}

/// How often something took how long. One thread writes, any may read.
class LatencyHistogram {
  public:
    /// Bucket i has what took at most 2^i microseconds and is in no smaller one; what took longer is in the
    /// last.
    static constexpr std::size_t kBounds = 24;
    static constexpr std::size_t kBuckets = kBounds + 1;

    [[nodiscard]] static constexpr std::size_t bucket_of(std::chrono::nanoseconds took) noexcept {
        constexpr std::uint64_t kNanosecondsAMicrosecond = 1'000;
        if (took.count() <= static_cast<std::int64_t>(kNanosecondsAMicrosecond)) return 0;
        const std::uint64_t microseconds =
            (static_cast<std::uint64_t>(took.count()) + kNanosecondsAMicrosecond - 1) /
            kNanosecondsAMicrosecond;
        const std::size_t bucket = std::bit_width(microseconds - 1);
        return bucket < kBounds ? bucket : kBounds;
    }
    /// Requires: bucket < kBounds.
    [[nodiscard]] static constexpr std::chrono::microseconds bound_of(std::size_t bucket) noexcept {
        return std::chrono::microseconds{std::int64_t{1} << bucket};
    }

    void add(std::chrono::nanoseconds took) noexcept {
        add_alone(counts_[bucket_of(took)]);
        add_alone(sum_ns_, static_cast<std::uint64_t>(took.count()));
    }
    [[nodiscard]] std::uint64_t count(std::size_t bucket) const noexcept {
        return counts_[bucket].load(std::memory_order_relaxed);
    }
    [[nodiscard]] std::uint64_t sum_ns() const noexcept { return sum_ns_.load(std::memory_order_relaxed); }

  private:
    std::array<std::atomic<std::uint64_t>, kBuckets> counts_{};
    std::atomic<std::uint64_t> sum_ns_{0};
};

/// The first word of an answer, which is what became of the command: a code, a RESP error, or that there is
/// none, as of `+PONG` and of lists.
enum class AnswerCode : std::uint8_t {
    ok,
    free,
    unknown_account,
    service_denied,
    rating_failed,
    credit_limit,
    unknown_session,
    conflict,
    too_old,
    // RESP errors from here on.
    badarg,
    busy,
    noauth,
    noperm,
    wrongpass,
    loading,
    misconf,
    noproto,
    err,    ///< `-ERR`, and what has no place of its own.
    count,  ///< How many there are.
};
inline constexpr std::size_t kAnswerCodes = static_cast<std::size_t>(AnswerCode::count);

/// As on the wire. Requires: not `count`.
[[nodiscard]] std::string_view text_of(AnswerCode code) noexcept;
[[nodiscard]] constexpr bool is_error(AnswerCode code) noexcept {
    return code >= AnswerCode::badarg;
}
/// That of a whole answer of daemon/commands.
[[nodiscard]] AnswerCode answer_code(std::string_view answer) noexcept;

/// At least as many as there are commands; a test compares.
inline constexpr std::size_t kCommandsCountedMax = 63;
/// The place of what is no command.
inline constexpr std::size_t kUnknownCommand = kCommandsCountedMax;

inline constexpr std::size_t kCodes = static_cast<std::size_t>(Code::via_other_currency) + 1;
inline constexpr std::size_t kReasons = static_cast<std::size_t>(Reason::differs) + 1;

/// Counters of one worker: written by it alone, read by INFO and /metrics on any thread.
struct WorkerCounters {
    std::atomic<std::uint64_t> commands{0};
    std::atomic<std::uint64_t> errors{0};
    std::atomic<std::uint64_t> granted{0};
    std::atomic<std::uint64_t> refused{0};
    std::atomic<std::uint64_t> ended{0};
    std::atomic<std::uint64_t> expired{0};
    std::atomic<std::uint64_t> repeated{0};  ///< Answers to AUTHORIZE that were given before.

    /// By place in the table of commands: what became of them, and the time from reading to the answer.
    struct OfCommand {
        std::array<std::atomic<std::uint64_t>, kAnswerCodes> answers{};
        LatencyHistogram latency;
    };
    std::array<OfCommand, kCommandsCountedMax + 1> by_command{};
    /// Refusals of AUTHORIZE by code and reason.
    std::array<std::array<std::atomic<std::uint64_t>, kReasons>, kCodes> refusals{};

    /// Where the slowest commands are noted; nullptr: nowhere. Set before the worker starts.
    SlowLog* slow_log = nullptr;

    static void add(std::atomic<std::uint64_t>& counter, std::uint64_t more = 1) noexcept {
        add_alone(counter, more);
    }
    void add_refusal(Code code, Reason reason) noexcept {
        add_alone(refused);
        add_alone(refusals[static_cast<std::size_t>(code)][static_cast<std::size_t>(reason)]);
    }
};

}  // namespace tollgate::daemon::commands
