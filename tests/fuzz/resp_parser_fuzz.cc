// What must hold of parse_command whatever bytes arrive, in whatever pieces.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/limits.h"
#include "protocol/resp_parser.h"
#include "protocol/resp_writer.h"

namespace tollgate::protocol {
namespace {

using Slots = std::array<std::string_view, kArgumentsMax>;

/// The daemon's own limits, and narrow ones that short inputs pass often.
constexpr std::array<RespLimits, 4> kLimitsTried{kLimitsBeforeAuth, kLimitsAfterAuth, RespLimits{3, 40},
                                                 RespLimits{0, 0}};

/// An array frames a word in at most 10 bytes (`$16384\r\n` and `\r\n`), where an inline command had two
/// or fewer; 64 bytes a word more than a command may have are ample.
constexpr RespLimits kLimitsRewritten{kArgumentsMax, kCommandBytesMax + 64 * kArgumentsMax};

void require(bool holds, const char* property) {
    if (holds) return;
    std::fprintf(stderr, "property broken: %s\n", property);
    std::abort();
}

/// What parse_command said, in values that outlive its input.
struct Answer {
    Parsed parsed;
    std::vector<std::string> words;

    [[nodiscard]] bool says_the_same(const Answer& other) const {
        return parsed.status == other.parsed.status && parsed.consumed == other.parsed.consumed &&
               parsed.argument_count == other.parsed.argument_count && parsed.error == other.parsed.error &&
               parsed.limit == other.parsed.limit && words == other.words;
    }
};

/// Parses the front of `input`, and checks all that one answer says about itself.
Answer parse(std::string_view input, const RespLimits& limits) {
    // Exactly as long as the input and on the heap, so that AddressSanitizer sees one byte too far.
    std::vector<char> bytes{input.begin(), input.end()};
    Slots slots{};
    Answer answer{parse_command(bytes, limits, std::span{slots}.first(limits.arguments_max)), {}};
    const Parsed& parsed = answer.parsed;

    require((parsed.status == ParseStatus::malformed) == !parsed.error.empty(),
            "malformed, and only that, has an error");
    if (parsed.status != ParseStatus::complete) {
        require(parsed.consumed == 0 && parsed.argument_count == 0, "nothing consumed unless complete");
    }
    if (parsed.status == ParseStatus::incomplete) {
        require(std::equal(bytes.begin(), bytes.end(), input.begin()), "incomplete leaves the input alone");
        require(input.size() < limits.command_bytes_max || input.empty(), "a full buffer is not incomplete");
    }
    if (parsed.status == ParseStatus::complete) {
        require(parsed.consumed > 0, "complete consumes something");
        require(parsed.consumed <= input.size(), "consumes no more than there is");
        require(parsed.consumed <= limits.command_bytes_max, "consumes no more than the limit");
        require(parsed.argument_count <= limits.arguments_max, "no more words than the limit");
        require(std::equal(bytes.begin() + static_cast<std::ptrdiff_t>(parsed.consumed), bytes.end(),
                           input.begin() + static_cast<std::ptrdiff_t>(parsed.consumed)),
                "what stands behind the command is left alone");

        const char* earliest = bytes.data();
        const char* const end = bytes.data() + parsed.consumed;
        for (const std::string_view word : std::span{slots}.first(parsed.argument_count)) {
            require(word.data() >= earliest && word.data() + word.size() < end,
                    "words stand in order inside the command");
            earliest = word.data() + word.size();
            answer.words.emplace_back(word);
        }
    }
    return answer;
}

/// However the network cuts the input, the first answer that is not "incomplete" is the one the whole
/// input gets, and it stays so with every further byte.
void check_every_cut(std::string_view input, const Answer& whole, const RespLimits& limits) {
    // Of long inputs some 64 cuts are tried: all of them would take time by the square.
    const std::size_t step = input.size() <= 256 ? 1 : input.size() / 64;
    bool decided = false;
    for (std::size_t bytes = 0; bytes < input.size(); bytes += step) {
        const Answer answer = parse(input.substr(0, bytes), limits);
        if (answer.parsed.status == ParseStatus::incomplete) {
            require(!decided, "a decided command stays decided");
            continue;
        }
        decided = true;
        require(answer.says_the_same(whole), "a prefix says what the whole says");
    }
    if (whole.parsed.status == ParseStatus::complete) {
        const std::string_view command = input.substr(0, whole.parsed.consumed);
        require(parse(command, limits).says_the_same(whole), "the command alone says what the whole says");
        require(parse(command.substr(0, command.size() - 1), limits).parsed.status == ParseStatus::incomplete,
                "without its last byte a command is incomplete");
    }
}

/// Words written as an array are read as the same words, and an array is written as it was read.
void check_rewritten(std::string_view input, const Answer& whole) {
    std::string rewritten;
    RespWriter writer{rewritten};
    writer.array(whole.words.size());
    for (const std::string& word : whole.words)
        writer.bulk(word);

    const Answer again = parse(rewritten, kLimitsRewritten);
    require(again.parsed.status == ParseStatus::complete, "what is written anew is complete");
    require(again.parsed.consumed == rewritten.size(), "what is written anew is one command");
    require(again.words == whole.words, "what is written anew has the same words");

    const bool null_array = input.starts_with("*-");
    if (input.front() == '*' && !null_array) {
        require(rewritten == input.substr(0, whole.parsed.consumed), "an array has one spelling");
    }
}

/// What the peer is told is one line, however it quotes the input.
void check_error_line(std::string_view input, const Answer& whole) {
    std::string line;
    RespWriter{line}.error(input);
    require(line.size() == input.size() + 3, "an error line loses nothing");
    require(line.find_first_of("\r\n") == line.size() - 2, "an error line ends once");

    if (whole.parsed.status != ParseStatus::malformed) return;
    line.clear();
    RespWriter{line}.protocol_error(whole.parsed);
    require(line.starts_with("-ERR Protocol error: "), "a protocol error says so");
    require(line.find_first_of("\r\n") == line.size() - 2, "a protocol error ends once");
}

/// Walks through the input as a connection does, command by command.
void check_pipeline(std::string_view input, const RespLimits& limits) {
    constexpr std::size_t kCommandsChecked = 16;  // A megabyte of empty lines would only cost time.

    for (std::size_t command = 0; command < kCommandsChecked; ++command) {
        const Answer whole = parse(input, limits);
        check_every_cut(input, whole, limits);
        check_error_line(input, whole);
        if (whole.parsed.status != ParseStatus::complete) return;
        check_rewritten(input, whole);
        input.remove_prefix(whole.parsed.consumed);
    }
}

}  // namespace
}  // namespace tollgate::protocol

// NOLINTNEXTLINE(readability-identifier-naming): the name is libFuzzer's.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    // A span of chars may look at any bytes; the parse never writes through this one.
    const std::string_view input{reinterpret_cast<const char*>(data), size};
    for (const tollgate::protocol::RespLimits& limits : tollgate::protocol::kLimitsTried) {
        tollgate::protocol::check_pipeline(input, limits);
    }
    return 0;
}
