/// RESP values written into memory that has room for them: the way of answers with many short values.
#pragma once

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace tollgate::protocol {

/// What a bulk string has besides its bytes, at most: `$`, 20 digits and two line ends.
inline constexpr std::size_t kBulkFrameBytesMax = 1 + 20 + 2 + 2;

// All of them are inlined: with a text that the compiler knows, as names of fields are, little is left of
// them.

/// Copies without a call where there is little, as there mostly is. Returns the end of what it wrote.
[[gnu::always_inline]] inline char* put_bytes(char* at, std::string_view bytes) noexcept {
    const char* const from = bytes.data();
    const std::size_t size = bytes.size();
    // Two copies that may overlap: the first bytes and the last ones.
    if (size > 16) {
        std::memcpy(at, from, size);
    } else if (size >= 8) {
        std::memcpy(at, from, 8);
        std::memcpy(at + size - 8, from + size - 8, 8);
    } else if (size >= 4) {
        std::memcpy(at, from, 4);
        std::memcpy(at + size - 4, from + size - 4, 4);
    } else if (size > 0) {
        at[0] = from[0];
        at[size / 2] = from[size / 2];
        at[size - 1] = from[size - 1];
    }
    return at + size;
}

/// `type`, the number and CR LF, as of `*3` and `$12`. Room: 23 bytes.
[[gnu::always_inline]] inline char* put_header(char* at, char type, std::size_t number) noexcept {
    constexpr std::size_t kTen = 10;
    *at++ = type;
    if (number < kTen) {
        *at++ = static_cast<char>('0' + number);
    } else if (number < kTen * kTen) {
        *at++ = static_cast<char>('0' + number / kTen);
        *at++ = static_cast<char>('0' + number % kTen);
    } else {
        at = std::to_chars(at, at + 20, number).ptr;
    }
    *at++ = '\r';
    *at++ = '\n';
    return at;
}

/// A bulk string. Room: kBulkFrameBytesMax and its bytes.
[[gnu::always_inline]] inline char* put_bulk(char* at, std::string_view bytes) noexcept {
    at = put_bytes(put_header(at, '$', bytes.size()), bytes);
    *at++ = '\r';
    *at++ = '\n';
    return at;
}

}  // namespace tollgate::protocol
