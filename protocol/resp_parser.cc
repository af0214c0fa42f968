#include "protocol/resp_parser.h"

#include <algorithm>
#include <cassert>
#include <cstdlib>
#include <limits>

namespace tollgate::protocol {
namespace {

constexpr std::string_view kNoCommand = "Protocol error: expected '*' or a word";
constexpr std::string_view kNoBulk = "Protocol error: expected '$'";
constexpr std::string_view kNoLength = "Protocol error: expected a length in decimal digits";
constexpr std::string_view kNoLineEnd = "Protocol error: expected CR LF";
constexpr std::string_view kUnbalancedQuotes = "Protocol error: unbalanced quotes";
constexpr std::string_view kTooManyArguments = "Protocol error: too many arguments";
constexpr std::string_view kTooManyBytes = "Protocol error: too many bytes in a command";

constexpr std::string_view kNullArray = "*-1\r\n";
constexpr std::size_t kLineEndBytes = 2;

constexpr Parsed complete(std::size_t consumed, std::size_t argument_count) noexcept {
    return {ParseStatus::complete, consumed, argument_count, {}, 0};
}

constexpr Parsed incomplete() noexcept {
    return {ParseStatus::incomplete, 0, 0, {}, 0};
}

constexpr Parsed malformed(std::string_view error, std::size_t limit = 0) noexcept {
    return {ParseStatus::malformed, 0, 0, error, limit};
}

enum class LengthStatus : std::uint8_t { complete, incomplete, not_digits, no_line_end, above_max };

struct Length {
    LengthStatus status;
    std::size_t value;
    std::size_t end;  ///< Of the line, behind its CR LF.
};

std::size_t digit_at(std::string_view text, std::size_t at) noexcept {
    // What is below '0' wraps round to far above 9.
    return static_cast<std::size_t>(static_cast<unsigned char>(text[at])) - '0';
}

Length read_any_length(std::string_view text, std::size_t begin, std::size_t value_max) noexcept {
    constexpr std::size_t kTenfoldFits = std::numeric_limits<std::size_t>::max() / 10 - 1;

    std::size_t value = 0;
    std::size_t at = begin;
    for (; at < text.size(); ++at) {
        const std::size_t digit = digit_at(text, at);
        if (digit > 9) break;
        if (value == 0 && at != begin) return {LengthStatus::not_digits, 0, 0};  // A leading zero.
        if (value > kTenfoldFits) return {LengthStatus::above_max, 0, 0};
        value = value * 10 + digit;
        if (value > value_max) return {LengthStatus::above_max, 0, 0};
    }
    if (at == text.size()) return {LengthStatus::incomplete, 0, 0};
    if (at == begin) return {LengthStatus::not_digits, 0, 0};
    if (text[at] != '\r') return {LengthStatus::no_line_end, 0, 0};
    if (at + 1 == text.size()) return {LengthStatus::incomplete, 0, 0};
    if (text[at + 1] != '\n') return {LengthStatus::no_line_end, 0, 0};
    return {LengthStatus::complete, value, at + kLineEndBytes};
}

/// Reads the digits and the CR LF that follow a type byte. Of one digit or two, as nearly all are, inlined
/// into its two callers: half of the bytes of a typical command pass here.
[[gnu::always_inline]] inline Length read_length(std::string_view text, std::size_t begin,
                                                 std::size_t value_max) noexcept {
    if (text.size() - begin >= 2 + kLineEndBytes) {
        const std::size_t first = digit_at(text, begin);
        if (text[begin + 1] == '\r') {
            if (text[begin + 2] == '\n' && first <= 9 && first <= value_max)
                return {LengthStatus::complete, first, begin + 1 + kLineEndBytes};
        } else if (text[begin + 2] == '\r' && text[begin + 3] == '\n') {
            const std::size_t second = digit_at(text, begin + 1);
            const std::size_t both = first * 10 + second;
            if (first - 1 <= 8 && second <= 9 && both <= value_max)
                return {LengthStatus::complete, both, begin + 2 + kLineEndBytes};
        }
    }
    return read_any_length(text, begin, value_max);
}

/// Why a length that is not complete ends the parse.
constexpr Parsed refuse(LengthStatus status, std::string_view error_above_max, std::size_t limit) noexcept {
    switch (status) {
        case LengthStatus::complete:
            break;
        case LengthStatus::incomplete:
            return incomplete();
        case LengthStatus::not_digits:
            return malformed(kNoLength);
        case LengthStatus::no_line_end:
            return malformed(kNoLineEnd);
        case LengthStatus::above_max:
            return malformed(error_above_max, limit);
    }
    std::abort();  // Only what is not complete is refused.
}

/// Requires: `text` begins with '*' and is no longer than a command may be.
Parsed parse_array(std::string_view text, const RespLimits& limits,
                   std::span<std::string_view> arguments) noexcept {
    if (text.size() > 1 && text[1] == '-') {
        if (text.starts_with(kNullArray)) return complete(kNullArray.size(), 0);
        return kNullArray.starts_with(text) ? incomplete() : malformed(kNoLength);
    }

    const Length count = read_length(text, 1, limits.arguments_max);
    if (count.status != LengthStatus::complete) {
        return refuse(count.status, kTooManyArguments, limits.arguments_max);
    }

    std::size_t at = count.end;
    for (std::size_t index = 0; index < count.value; ++index) {
        if (at == text.size()) return incomplete();
        if (text[at] != '$') return malformed(kNoBulk);

        const Length bytes = read_length(text, at + 1, limits.command_bytes_max);
        if (bytes.status != LengthStatus::complete) {
            return refuse(bytes.status, kTooManyBytes, limits.command_bytes_max);
        }
        at = bytes.end;

        const std::size_t room = limits.command_bytes_max - at;
        if (room < kLineEndBytes || bytes.value > room - kLineEndBytes) {
            return malformed(kTooManyBytes, limits.command_bytes_max);
        }
        const std::size_t end = at + bytes.value;
        if (end < text.size() && text[end] != '\r') return malformed(kNoLineEnd);
        if (end + kLineEndBytes > text.size()) return incomplete();
        if (text[end + 1] != '\n') return malformed(kNoLineEnd);

        arguments[index] = text.substr(at, bytes.value);
        at = end + kLineEndBytes;
    }
    return complete(at, count.value);
}

/// CR is one as well, so that the one before the LF needs no care.
constexpr bool is_blank(char byte) noexcept {
    return byte == ' ' || byte == '\t' || byte == '\r';
}

constexpr bool is_quote(char byte) noexcept {
    return byte == '"' || byte == '\'';
}

constexpr bool begins_inline(char byte) noexcept {
    return (byte >= 'A' && byte <= 'Z') || (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') ||
           is_quote(byte) || is_blank(byte) || byte == '\n';
}

/// The value of a hexadecimal digit, or -1.
constexpr int hex_value(char byte) noexcept {
    if (byte >= '0' && byte <= '9') return byte - '0';
    if (byte >= 'a' && byte <= 'f') return byte - 'a' + 10;
    if (byte >= 'A' && byte <= 'F') return byte - 'A' + 10;
    return -1;
}

/// Cuts one line into words and resolves their quotes in place: what is written never overtakes what
/// is read, because a quoted word is never longer than its source.
class InlineWords {
  public:
    explicit InlineWords(std::span<char> line) noexcept : line_{line} {}

    /// Steps over blanks. False if no word is left.
    [[nodiscard]] bool find_next() noexcept {
        while (read_ < line_.size() && is_blank(line_[read_]))
            ++read_;
        return read_ < line_.size();
    }

    /// Takes the word that find_next() found. False if its quotes are unbalanced.
    [[nodiscard]] bool take(std::string_view& word) noexcept {
        const std::size_t begin = read_;
        write_ = read_;
        while (read_ < line_.size() && !is_blank(line_[read_])) {
            if (!is_quote(line_[read_])) {
                line_[write_++] = line_[read_++];
                continue;
            }
            if (!take_quoted()) return false;
            if (read_ < line_.size() && !is_blank(line_[read_])) return false;
        }
        word = std::string_view{line_.data() + begin, write_ - begin};
        return true;
    }

  private:
    /// Takes what stands between two quotes. False if the second is missing.
    bool take_quoted() noexcept {
        const char quote = line_[read_++];
        while (read_ < line_.size()) {
            char byte = line_[read_++];
            if (byte == quote) return true;
            if (byte == '\\' && read_ < line_.size()) {
                if (quote == '"') {
                    byte = take_escaped();
                } else if (line_[read_] == quote) {
                    byte = line_[read_++];
                }
            }
            line_[write_++] = byte;
        }
        return false;
    }

    /// Takes what stands behind a backslash, of which there is at least one byte.
    char take_escaped() noexcept {
        const char letter = line_[read_++];
        switch (letter) {
            case 'n':
                return '\n';
            case 'r':
                return '\r';
            case 't':
                return '\t';
            case 'b':
                return '\b';
            case 'a':
                return '\a';
            case 'x': {
                if (line_.size() - read_ < 2) return letter;
                const int high = hex_value(line_[read_]);
                const int low = hex_value(line_[read_ + 1]);
                if (high < 0 || low < 0) return letter;
                read_ += 2;
                return static_cast<char>(high * 16 + low);
            }
            default:
                return letter;
        }
    }

    std::span<char> line_;
    std::size_t read_ = 0;
    std::size_t write_ = 0;
};

/// Requires: `input` is not empty and no longer than a command may be.
Parsed parse_inline(std::span<char> input, const RespLimits& limits,
                    std::span<std::string_view> arguments) noexcept {
    if (!begins_inline(input.front())) return malformed(kNoCommand);

    const std::size_t line_bytes = std::string_view{input.data(), input.size()}.find('\n');
    if (line_bytes == std::string_view::npos) return incomplete();

    InlineWords words{input.first(line_bytes)};
    std::size_t count = 0;
    while (words.find_next()) {
        if (count == limits.arguments_max) return malformed(kTooManyArguments, limits.arguments_max);
        if (!words.take(arguments[count])) return malformed(kUnbalancedQuotes);
        ++count;
    }
    return complete(line_bytes + 1, count);
}

}  // namespace

Parsed parse_command(std::span<char> input, const RespLimits& limits,
                     std::span<std::string_view> arguments) noexcept {
    assert(arguments.size() >= limits.arguments_max);
    if (input.empty()) return incomplete();

    // Nothing behind the longest command allowed is looked at, so its length never changes the answer.
    const std::span<char> window = input.first(std::min(input.size(), limits.command_bytes_max));
    if (window.empty()) return malformed(kTooManyBytes, limits.command_bytes_max);

    const Parsed parsed = window.front() == '*'
                              ? parse_array({window.data(), window.size()}, limits, arguments)
                              : parse_inline(window, limits, arguments);
    if (parsed.status == ParseStatus::incomplete && window.size() == limits.command_bytes_max) {
        return malformed(kTooManyBytes, limits.command_bytes_max);
    }
    return parsed;
}

}  // namespace tollgate::protocol
