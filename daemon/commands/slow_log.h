/// The commands that took longest of late: SLOWLOG.
#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "rating/instant.h"

namespace tollgate::daemon::commands {

/// So many words of a command are kept, and so many bytes of each: the rest is counted.
inline constexpr std::size_t kSlowWordsMax = 32;
inline constexpr std::size_t kSlowWordBytesMax = 128;

struct SlowCommand {
    std::uint64_t id = 0;  ///< In the order of noting, over all workers.
    rating::Instant at{};
    std::chrono::nanoseconds took{};
    std::vector<std::string> words;
    std::string address;
    std::string client;  ///< As the client calls itself.
};

struct SlowLogSettings {
    std::chrono::nanoseconds threshold = std::chrono::milliseconds{10};
    std::size_t commands_max = 128;  ///< Kept of each worker; the oldest go first.
};

/// Of one worker, which writes; others read and clear. While somebody reads, a slow command is not noted but
/// counted: no command ever waits for a reader.
class SlowLog {
  public:
    SlowLog(const SlowLogSettings& settings, std::atomic<std::uint64_t>& id_last)
        : settings_(settings), id_last_(id_last) {}

    [[nodiscard]] bool is_slow(std::chrono::nanoseconds took) const noexcept {
        return took >= settings_.threshold;
    }
    /// Passwords are not kept: what follows AUTH shows as `(redacted)`.
    void note(std::chrono::nanoseconds took, rating::Instant at, std::span<const std::string_view> words,
              std::string_view address, std::string_view client);

    [[nodiscard]] std::vector<SlowCommand> commands() const;
    [[nodiscard]] std::size_t size() const;
    void clear();
    /// All that were slow, whether they are kept or not.
    [[nodiscard]] std::uint64_t noted() const noexcept { return noted_.load(std::memory_order_relaxed); }

  private:
    const SlowLogSettings& settings_;
    std::atomic<std::uint64_t>& id_last_;
    std::atomic<std::uint64_t> noted_{0};  // Written by the worker.
    mutable std::mutex mutex_;
    std::vector<SlowCommand> ring_;
    std::size_t next_ = 0;  // The place of the oldest once the ring is full.
};

/// Those of all workers. Any thread may call any member at any time.
class SlowLogs {
  public:
    SlowLogs(const SlowLogSettings& settings, std::size_t workers);

    [[nodiscard]] SlowLog& of(std::size_t worker) noexcept { return *logs_[worker]; }

    /// At most `count`: the newest first.
    [[nodiscard]] std::vector<SlowCommand> newest(std::size_t count) const;
    /// At most `count` of those that are kept: the slowest first.
    [[nodiscard]] std::vector<SlowCommand> slowest(std::size_t count) const;
    [[nodiscard]] std::size_t size() const;
    void clear();
    [[nodiscard]] std::uint64_t noted() const noexcept;

  private:
    [[nodiscard]] std::vector<SlowCommand> all() const;

    const SlowLogSettings settings_;
    std::atomic<std::uint64_t> id_last_{0};
    std::vector<std::unique_ptr<SlowLog>> logs_;
};

}  // namespace tollgate::daemon::commands
