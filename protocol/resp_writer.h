#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "protocol/resp_parser.h"

namespace tollgate::protocol {

/// Appends RESP values to a string that someone else owns, which is a connection's unsent answers.
///
/// As light as the reference it holds: make one per answer. The string grows as strings grow; nothing
/// else is allocated. One thread at a time, as with the string itself.
///
/// Nothing counts for you: after array(n) come n values, after map(n) come n keys and n values.
/// Whatever bytes a caller hands in, they stay inside their value: bulk strings carry a length, and in
/// the one-line forms CR and LF become spaces.
class RespWriter {
  public:
    explicit RespWriter(std::string& out) noexcept : out_{out} {}

    /// Opens an array of `n` values.
    void array(std::size_t n);

    /// Opens a map of `n` keys with their values. RESP3 only: for whoever said HELLO 3.
    void map(std::size_t n);

    /// Any bytes, NUL and CR LF too.
    void bulk(std::string_view bytes);

    /// The decimal digits as a bulk string: what clients that cut integers to 32 bits read unharmed.
    void bulk_integer(std::int64_t value);

    void integer(std::int64_t value);

    /// One line: `+OK`.
    void simple(std::string_view line);

    /// One line, its first word in capitals the kind of error: `-BADARG WANT: ...`.
    void error(std::string_view line);

    /// The last answer of a connection: `-ERR Protocol error: too many arguments, the limit is 64`.
    /// Requires: parsed.status is malformed.
    void protocol_error(const Parsed& parsed);

    void null_bulk();
    void null_array();

  private:
    std::string& out_;
};

}  // namespace tollgate::protocol
