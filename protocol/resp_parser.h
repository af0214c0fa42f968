#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "protocol/limits.h"

namespace tollgate::protocol {

enum class ParseStatus : std::uint8_t {
    complete,    ///< One command stands at the front of the input.
    incomplete,  ///< So far so good: read more bytes and ask again from the same first byte.
    malformed,   ///< No further byte can make this a command: answer once, then close.
};

/// What stands at the front of the input.
struct Parsed {
    ParseStatus status;

    /// Bytes of the command, at least 1 and at most `command_bytes_max`. 0 unless complete.
    std::size_t consumed;

    /// Words of the command, the verb first. 0 also when complete: an empty line, `*0` and `*-1` ask
    /// for nothing and get no answer.
    std::size_t argument_count;

    /// What is wrong, for a person: `Protocol error: expected '$'`. A static text, empty unless malformed.
    std::string_view error;

    /// The limit that was passed, in what `error` speaks of, or 0 if the fault is another.
    /// RespWriter::protocol_error puts the two into one sentence.
    std::size_t limit;
};

/// Parses the one command at the front of `input`, which a connection's buffer is, from its first
/// unparsed byte to its last one read.
///
/// A command is an array of bulk strings (`*2\r\n$4\r\nPING\r\n$2\r\nhi\r\n`), as every client sends it,
/// or an inline command, as a person types it: words apart by spaces or tabs, up to a LF or CR LF.
/// In an inline command Redis's quotes hold: in "double" ones \n \r \t \b \a \xHH and a backslash
/// before any other byte, in 'single' ones only \'; a closing quote ends the word. An inline command
/// begins with a letter, a digit, a quote or a blank, so that a TLS greeting or a stray reply is told at
/// once.
///
/// Stateless, so any thread may call it, and it neither allocates nor throws.
///
/// - Complete: `arguments` holds the words, which are views into the first `consumed` bytes of `input`
///   and any bytes at all (NUL, CR LF). Quotes are resolved in place, so these bytes have been changed
///   and are not to be parsed a second time; the bytes behind them are untouched.
/// - Incomplete: the input is unchanged and shorter than `command_bytes_max`. A buffer of that many
///   bytes therefore always has room for the rest.
/// - Malformed: the input may have been changed.
/// Only a complete answer says anything about `arguments`.
///
/// The answer depends on the command's bytes alone: not on how they were cut into packets, and not on
/// what follows them. A length is judged at the digit that passes its limit, so nobody waits for, or
/// makes room for, the two gigabytes that somebody announced. Lengths are decimal digits without sign
/// or leading zero; a line of an array ends in CR LF.
///
/// Requires: arguments.size() >= limits.arguments_max.
[[nodiscard]] Parsed parse_command(std::span<char> input, const RespLimits& limits,
                                   std::span<std::string_view> arguments) noexcept;

}  // namespace tollgate::protocol
