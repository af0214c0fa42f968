/// The log of the daemon: structured lines to standard error.
///
/// Whoever has a line to say calls event(), or spdlog: both end here, in the operator's format, without
/// secrets, and within the limit of lines a minute of one kind. A thread of its own writes, and waits for
/// whoever reads standard error for kReaderPatience, once: from then on lines are lost until he reads again,
/// and he is told how many. What does not fit into kLinesWaitingMax is dropped, the oldest first. So a
/// standard error that nobody reads holds up nobody, the end of the process neither.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "config/config.h"
#include "daemon/operation/log_line.h"

namespace tollgate::daemon::logging {

inline constexpr std::size_t kLinesWaitingMax = 8192;
inline constexpr std::chrono::milliseconds kReaderPatience{200};

/// From now on there is a log. Once, and after the signals that no thread is to get were blocked.
void start(const config::Config::Log& settings);
/// The log goes on with other settings. Any thread.
void change(const config::Config::Log& settings);
/// Says how much was suppressed. To be called about once a second.
void settle();
/// Says the rest, writes what waits, and ends the log. Nobody may say anything any more.
void stop();
/// Says it and writes what waits, for at most kLastWordsWait: the process is about to end, whatever its other
/// threads do. Any thread.
void last_words(std::string_view kind, std::string_view message) noexcept;
inline constexpr std::chrono::milliseconds kLastWordsWait{500};

/// Lines that were not written since the start: too many of their kind, or nobody read them. Any thread.
[[nodiscard]] std::uint64_t suppressed() noexcept;

/// Any thread.
void event(config::LogLevel level, std::string_view kind, std::string_view message,
           const std::vector<Field>& fields = {});

}  // namespace tollgate::daemon::logging
