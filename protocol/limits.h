#pragma once

#include <cstddef>

/// How much one peer may ask of the daemon at once. Sizes are in bytes, and KiB and MiB are powers of two.
///
/// These are the defaults; the operator may set others. Whoever speaks RESP takes them from here, so
/// that the parser, the connection and the manual name the same figures.
namespace tollgate::protocol {

/// What one RESP command may be. Every command is judged by the limits in force when it is parsed, so
/// in a pipeline "AUTH, then the rest" the rest is judged by the wider ones.
struct RespLimits {
    std::size_t arguments_max;      ///< Words of a command, the verb being the first.
    std::size_t command_bytes_max;  ///< The whole command as sent: framing, lengths and line ends too.
};

inline constexpr std::size_t kArgumentsMax = 64;
inline constexpr std::size_t kCommandBytesMax = 16 * std::size_t{1024};

/// A stranger needs `AUTH user password` or `HELLO 3 AUTH user password SETNAME name`, and no more.
inline constexpr std::size_t kArgumentsBeforeAuthMax = 8;
inline constexpr std::size_t kCommandBytesBeforeAuthMax = 512;

/// Commands of one connection that were read and whose answers were not sent yet.
inline constexpr std::size_t kCommandsInFlightMax = 1024;

/// Answers that wait because the peer does not read them.
inline constexpr std::size_t kUnreadAnswerBytesMax = std::size_t{1024} * 1024;

inline constexpr RespLimits kLimitsBeforeAuth{kArgumentsBeforeAuthMax, kCommandBytesBeforeAuthMax};
inline constexpr RespLimits kLimitsAfterAuth{kArgumentsMax, kCommandBytesMax};

}  // namespace tollgate::protocol
