#include "protocol/resp_writer.h"

#include <array>
#include <cassert>
#include <charconv>
#include <concepts>
#include <limits>

#include "protocol/resp_text.h"

namespace tollgate::protocol {
namespace {

constexpr std::string_view kLineEnd = "\r\n";

/// The decimal digits of a number, and the sign, without a string of their own.
class Decimal {
  public:
    explicit Decimal(std::integral auto value) noexcept {
        const auto result = std::to_chars(characters_.data(), characters_.data() + characters_.size(), value);
        assert(result.ec == std::errc{});
        size_ = static_cast<std::size_t>(result.ptr - characters_.data());
    }

    [[nodiscard]] std::string_view text() const noexcept { return {characters_.data(), size_}; }

  private:
    // 2^64 - 1 has 20 digits, and so has -2^63 with its sign.
    std::array<char, std::numeric_limits<std::uint64_t>::digits10 + 1> characters_{};
    std::size_t size_ = 0;
};

void append_number(std::string& out, char type, std::integral auto value) {
    out += type;
    out += Decimal{value}.text();
    out += kLineEnd;
}

void append_cleaned(std::string& out, std::string_view line) {
    for (const char byte : line) {
        out += (byte == '\r' || byte == '\n') ? ' ' : byte;
    }
}

}  // namespace

void RespWriter::array(std::size_t n) {
    append_number(out_, '*', n);
}

void RespWriter::map(std::size_t n) {
    append_number(out_, '%', n);
}

void RespWriter::bulk(std::string_view bytes) {
    constexpr std::size_t kShort = 64;
    if (bytes.size() <= kShort) {
        std::array<char, kShort + kBulkFrameBytesMax> room;  // Not filled: it is written before it is read.
        out_.append(room.data(), put_bulk(room.data(), bytes));
        return;
    }
    append_number(out_, '$', bytes.size());
    out_ += bytes;
    out_ += kLineEnd;
}

void RespWriter::bulk_integer(std::int64_t value) {
    bulk(Decimal{value}.text());
}

void RespWriter::integer(std::int64_t value) {
    append_number(out_, ':', value);
}

void RespWriter::simple(std::string_view line) {
    out_ += '+';
    append_cleaned(out_, line);
    out_ += kLineEnd;
}

void RespWriter::error(std::string_view line) {
    out_ += '-';
    append_cleaned(out_, line);
    out_ += kLineEnd;
}

void RespWriter::protocol_error(const Parsed& parsed) {
    assert(parsed.status == ParseStatus::malformed);
    out_ += "-ERR ";
    append_cleaned(out_, parsed.error);
    if (parsed.limit != 0) {
        out_ += ", the limit is ";
        out_ += Decimal{parsed.limit}.text();
    }
    out_ += kLineEnd;
}

void RespWriter::null_bulk() {
    out_ += "$-1\r\n";
}

void RespWriter::null_array() {
    out_ += "*-1\r\n";
}

}  // namespace tollgate::protocol
