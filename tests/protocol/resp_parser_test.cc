#include "protocol/resp_parser.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "protocol/limits.h"

namespace tollgate::protocol {
namespace {

using namespace std::string_view_literals;
using Words = std::vector<std::string>;

/// One parse of `text`, together with the bytes and the slots that its views need.
class Attempt {
  public:
    explicit Attempt(std::string_view text, const RespLimits& limits = kLimitsAfterAuth)
        : bytes_{text}, parsed_{parse_command(bytes_, limits, slots_)} {}

    Attempt(const Attempt&) = delete;  // The views point into this object.
    Attempt& operator=(const Attempt&) = delete;

    [[nodiscard]] const Parsed& parsed() const { return parsed_; }
    [[nodiscard]] ParseStatus status() const { return parsed_.status; }
    [[nodiscard]] std::string error() const { return std::string{parsed_.error}; }
    [[nodiscard]] const std::string& bytes() const { return bytes_; }

    [[nodiscard]] std::string_view view(std::size_t index) const { return slots_.at(index); }

    [[nodiscard]] Words words() const {
        return {slots_.begin(), slots_.begin() + static_cast<std::ptrdiff_t>(parsed_.argument_count)};
    }

  private:
    std::string bytes_;
    std::array<std::string_view, kArgumentsMax> slots_{};
    Parsed parsed_;
};

/// The array form of a command, written down here without the help of RespWriter.
std::string array_of(const Words& words) {
    std::string text = "*" + std::to_string(words.size()) + "\r\n";
    for (const std::string& word : words) {
        text += "$" + std::to_string(word.size()) + "\r\n" + word + "\r\n";
    }
    return text;
}

/// An array command of one argument that is `bytes` long as a whole.
std::string command_of_bytes(std::size_t bytes) {
    const std::size_t framing = array_of({std::string(bytes, 'x')}).size() - bytes;
    std::string text = array_of({std::string(bytes - framing, 'x')});
    EXPECT_EQ(text.size(), bytes);
    return text;
}

void expect_malformed(std::string_view text, std::string_view error,
                      const RespLimits& limits = kLimitsAfterAuth) {
    const Attempt attempt{text, limits};
    EXPECT_EQ(attempt.status(), ParseStatus::malformed) << testing::PrintToString(text);
    EXPECT_EQ(attempt.error(), error) << testing::PrintToString(text);
    EXPECT_EQ(attempt.parsed().consumed, 0U);
    EXPECT_EQ(attempt.parsed().argument_count, 0U);
}

void expect_incomplete(std::string_view text, const RespLimits& limits = kLimitsAfterAuth) {
    const Attempt attempt{text, limits};
    EXPECT_EQ(attempt.status(), ParseStatus::incomplete) << testing::PrintToString(text);
    EXPECT_EQ(attempt.error(), "");
    EXPECT_EQ(attempt.parsed().consumed, 0U);
    EXPECT_EQ(attempt.parsed().argument_count, 0U);
    EXPECT_EQ(attempt.bytes(), text);
}

void expect_words(std::string_view text, const Words& words, const RespLimits& limits = kLimitsAfterAuth) {
    const Attempt attempt{text, limits};
    EXPECT_EQ(attempt.status(), ParseStatus::complete)
        << testing::PrintToString(text) << " " << attempt.error();
    EXPECT_EQ(attempt.words(), words) << testing::PrintToString(text);
    EXPECT_EQ(attempt.parsed().consumed, text.size()) << testing::PrintToString(text);
    EXPECT_EQ(attempt.error(), "");
}

constexpr std::string_view kNoCommand = "Protocol error: expected '*' or a word";
constexpr std::string_view kNoBulk = "Protocol error: expected '$'";
constexpr std::string_view kNoLength = "Protocol error: expected a length in decimal digits";
constexpr std::string_view kNoLineEnd = "Protocol error: expected CR LF";
constexpr std::string_view kUnbalancedQuotes = "Protocol error: unbalanced quotes";
constexpr std::string_view kTooManyArguments = "Protocol error: too many arguments";
constexpr std::string_view kTooManyBytes = "Protocol error: too many bytes in a command";

// Goal: the form that every Redis client sends is understood.
// Method: the bytes as redis-cli sends them, counted by hand.
TEST(RespParser, ArrayOfBulkStringsIsACommand) {
    expect_words("*1\r\n$4\r\nPING\r\n", {"PING"});
    expect_words("*2\r\n$4\r\nECHO\r\n$5\r\nhello\r\n", {"ECHO", "hello"});
    expect_words("*3\r\n$9\r\nAUTHORIZE\r\n$7\r\nalice-1\r\n$12\r\n491512345678\r\n",
                 {"AUTHORIZE", "alice-1", "491512345678"});
}

// Goal: nothing is copied, so the words cost nothing.
// Method: the first byte of each word lies where it lies in the input.
TEST(RespParser, WordsAreViewsIntoTheInput) {
    const Attempt array{"*2\r\n$4\r\nECHO\r\n$2\r\nhi\r\n"};
    ASSERT_EQ(array.words(), (Words{"ECHO", "hi"}));
    EXPECT_EQ(array.view(0).data(), array.bytes().data() + 8);
    EXPECT_EQ(array.view(1).data(), array.bytes().data() + 18);

    const Attempt line{"ECHO \"hi\"\n"};
    ASSERT_EQ(line.words(), (Words{"ECHO", "hi"}));
    EXPECT_EQ(line.view(0).data(), line.bytes().data());
    EXPECT_EQ(line.view(1).data(), line.bytes().data() + 5);
}

// Goal: an array command is parsed without being touched, so that it may be parsed again.
// Method: compare the bytes before and after.
TEST(RespParser, ArrayLeavesTheInputUnchanged) {
    const std::string text = array_of({"ECHO", R"("a\x41")"});
    const Attempt attempt{text};
    EXPECT_EQ(attempt.status(), ParseStatus::complete);
    EXPECT_EQ(attempt.bytes(), text);
}

// Goal: a word may be any bytes: a Call-ID is not ours to judge.
// Method: CR LF, NUL, quotes, bytes above 127 and what looks like framing.
TEST(RespParser, ArrayWordsAreBinary) {
    expect_words("*2\r\n$4\r\nECHO\r\n$4\r\n\r\n\r\n\r\n"sv, {"ECHO", "\r\n\r\n"});
    expect_words("*2\r\n$4\r\nECHO\r\n$3\r\n\0\0\0\r\n"sv, {"ECHO", std::string(3, '\0')});
    expect_words("*2\r\n$4\r\nECHO\r\n$9\r\n$5\r\n\"\xff\xfe'\n\r\n"sv, {"ECHO", "$5\r\n\"\xff\xfe'\n"});

    std::string all_bytes;
    for (int byte = 0; byte < 256; ++byte)
        all_bytes += static_cast<char>(byte);
    expect_words(array_of({"ECHO", all_bytes}), {"ECHO", all_bytes});
}

// Goal: an empty word is a word, not an absent one.
TEST(RespParser, EmptyBulkStringIsAnEmptyWord) {
    expect_words("*3\r\n$0\r\n\r\n$1\r\na\r\n$0\r\n\r\n", {"", "a", ""});
}

// Goal: the empty commands that Redis lets pass are consumed without a word.
// Method: each of them, with the bytes it must take.
TEST(RespParser, EmptyCommandsAreCompleteWithoutWords) {
    expect_words("*0\r\n", {});
    expect_words("*-1\r\n", {});
    expect_words("\n", {});
    expect_words("\r\n", {});
    expect_words(" \t \r\n", {});
}

// Goal: what stands behind a command is neither consumed nor looked at.
// Method: follow a command by a second one, by rubbish, and by an unfinished one.
TEST(RespParser, ConsumesOneCommandOnly) {
    for (const std::string_view rest : {"*1\r\n$4\r\nPING\r\n"sv, "\0\xff*-7$"sv, "*"sv, "\r\n"sv}) {
        const Attempt array{std::string{"*1\r\n$4\r\nQUIT\r\n"}.append(rest)};
        EXPECT_EQ(array.status(), ParseStatus::complete);
        EXPECT_EQ(array.parsed().consumed, 14U);
        EXPECT_EQ(array.words(), (Words{"QUIT"}));

        const Attempt line{std::string{"QUIT 'a'\r\n"}.append(rest)};
        EXPECT_EQ(line.status(), ParseStatus::complete);
        EXPECT_EQ(line.parsed().consumed, 10U);
        EXPECT_EQ(line.words(), (Words{"QUIT", "a"}));
        EXPECT_EQ(line.bytes().substr(10), rest);
    }
}

// Goal: pipelined commands of either form come out one after the other.
// Method: five commands in one buffer; parse, step over what was consumed, until nothing is left.
TEST(RespParser, PipelineComesOutInOrder) {
    std::string buffer =
        "*1\r\n$4\r\nPING\r\nECHO 'a b'\r\n*0\r\n\r\n*2\r\n$4\r\nECHO\r\n$2\r\n\r\n\r\nQUIT\n*1\r\n$4\r\nLA";
    std::array<std::string_view, kArgumentsMax> slots{};
    std::vector<Words> commands;
    std::span<char> rest{buffer};
    Parsed parsed = parse_command(rest, kLimitsAfterAuth, slots);
    while (parsed.status == ParseStatus::complete) {
        commands.emplace_back(slots.begin(),
                              slots.begin() + static_cast<std::ptrdiff_t>(parsed.argument_count));
        rest = rest.subspan(parsed.consumed);
        parsed = parse_command(rest, kLimitsAfterAuth, slots);
    }
    EXPECT_EQ(commands, (std::vector<Words>{{"PING"}, {"ECHO", "a b"}, {}, {}, {"ECHO", "\r\n"}, {"QUIT"}}));
    EXPECT_EQ(parsed.status, ParseStatus::incomplete);
    EXPECT_EQ(std::string_view(rest.data(), rest.size()), "*1\r\n$4\r\nLA");
}

// Goal: it does not matter how the network cuts a command.
// Method: feed each command one byte at a time; only the last byte completes it, with the same words
// as the whole, and until then the input is untouched.
TEST(RespParser, IncompleteUntilTheLastByte) {
    const std::vector<std::string> commands{
        "*1\r\n$4\r\nPING\r\n",
        array_of(Words(12, "0123456789ab")),
        array_of({"ECHO", "\r\n$3\r\n", "", std::string(300, '\0')}),
        "*0\r\n",
        "*-1\r\n",
        "PING\r\n",
        "PING\n",
        "\r\n",
        "  ECHO \"a\\x41\\n\" 'it\\'s'  \r\n",
    };
    for (const std::string& command : commands) {
        for (std::size_t bytes = 0; bytes < command.size(); ++bytes) {
            expect_incomplete(std::string_view{command}.substr(0, bytes));
        }
        const Attempt whole{command};
        EXPECT_EQ(whole.status(), ParseStatus::complete) << testing::PrintToString(command);
        EXPECT_EQ(whole.parsed().consumed, command.size());
    }
}

// Goal: a hopeless command is told at the first hopeless byte, and one byte earlier it had hope.
// Method: the shortest malformed text of every kind; without its last byte each is incomplete.
TEST(RespParser, MalformedAtTheFirstHopelessByte) {
    struct Case {
        std::string_view text;
        std::string_view error;
    };
    const std::vector<Case> cases{
        // The command itself.
        {"$", kNoCommand},
        {":", kNoCommand},
        {"+", kNoCommand},
        {"-", kNoCommand},
        {"%", kNoCommand},
        {"{", kNoCommand},
        {"\0"sv, kNoCommand},
        {"\x16"sv, kNoCommand},
        {"\xff"sv, kNoCommand},
        // The count of an array.
        {"*x", kNoLength},
        {"* ", kNoLength},
        {"*\r", kNoLength},
        {"*\n", kNoLength},
        {"*+", kNoLength},
        {"*\0"sv, kNoLength},
        {"*\xb1"sv, kNoLength},
        {"*-2", kNoLength},
        {"*--", kNoLength},
        {"*-0", kNoLength},
        {"*-\r", kNoLength},
        {"*-12", kNoLength},
        {"*-1\n", kNoLength},
        {"*-1\rx", kNoLength},
        {"*00", kNoLength},
        {"*02", kNoLength},
        {"*07", kNoLength},
        {"*1 ", kNoLineEnd},
        {"*1x", kNoLineEnd},
        {"*1e", kNoLineEnd},
        {"*1.", kNoLineEnd},
        {"*1-", kNoLineEnd},
        {"*1\n", kNoLineEnd},
        {"*1\0"sv, kNoLineEnd},
        {"*1\r\r", kNoLineEnd},
        {"*1\rx", kNoLineEnd},
        {"*65", kTooManyArguments},
        {"*100", kTooManyArguments},
        // The type of an argument.
        {"*1\r\n:", kNoBulk},
        {"*1\r\n+", kNoBulk},
        {"*1\r\n-", kNoBulk},
        {"*1\r\n*", kNoBulk},
        {"*1\r\nP", kNoBulk},
        {"*1\r\n\r", kNoBulk},
        {"*1\r\n\0"sv, kNoBulk},
        {"*2\r\n$1\r\na\r\n:", kNoBulk},
        // The length of an argument.
        {"*1\r\n$x", kNoLength},
        {"*1\r\n$ ", kNoLength},
        {"*1\r\n$\r", kNoLength},
        {"*1\r\n$+", kNoLength},
        {"*1\r\n$-", kNoLength},
        {"*1\r\n$00", kNoLength},
        {"*1\r\n$04", kNoLength},
        {"*1\r\n$1e", kNoLineEnd},
        {"*1\r\n$1.", kNoLineEnd},
        {"*1\r\n$0x", kNoLineEnd},
        {"*1\r\n$4 ", kNoLineEnd},
        {"*1\r\n$4\n", kNoLineEnd},
        {"*1\r\n$4\rP", kNoLineEnd},
        {"*1\r\n$16385", kTooManyBytes},
        {"*1\r\n$99999", kTooManyBytes},
        // The end of an argument.
        {"*1\r\n$4\r\nPINGx", kNoLineEnd},
        {"*1\r\n$4\r\nPING\n", kNoLineEnd},
        {"*1\r\n$4\r\nPING\rx", kNoLineEnd},
        {"*1\r\n$4\r\nPING\r\r", kNoLineEnd},
        {"*1\r\n$0\r\nx", kNoLineEnd},
        {"*1\r\n$0\r\n\0"sv, kNoLineEnd},
        // Quotes, which are judged when their line ends.
        {"ECHO \"abc\n", kUnbalancedQuotes},
        {"ECHO 'abc\n", kUnbalancedQuotes},
        {"\"\n", kUnbalancedQuotes},
        {"'\n", kUnbalancedQuotes},
    };
    for (const Case& each : cases) {
        expect_malformed(each.text, each.error);
        expect_malformed(std::string{each.text} + "\r\nPING\r\n", each.error);
        expect_incomplete(each.text.substr(0, each.text.size() - 1));
    }
}

// Goal: numbers that wrap round, or are not plain digits, are never taken for a small length.
// Method: 2^31, 2^32 + 4, 2^63, 2^64, 2^64 + 4 and longer, as a count and as a length, before any line
// end has arrived; signs, exponents, hexadecimal and spaces with all that would follow.
TEST(RespParser, OddNumbersAreNotLengths) {
    for (const std::string_view number :
         {"2147483648", "4294967300", "9223372036854775808", "18446744073709551616", "18446744073709551620",
          "99999999999999999999999999999999999999"}) {
        expect_malformed(std::string{"*"}.append(number), kTooManyArguments);
        expect_malformed(std::string{"*1\r\n$"}.append(number), kTooManyBytes);
    }
    for (const std::string_view number : {"+1", "-2", "-0", "01", " 1", "", "x", "\xd9\xa1"}) {
        expect_malformed(std::string{"*"}.append(number) + "\r\n$4\r\nPING\r\n", kNoLength);
        expect_malformed(std::string{"*1\r\n$"}.append(number) + "\r\nPING\r\n", kNoLength);
    }
    for (const std::string_view number : {"1e0", "4e3", "0x4", "1.0", "1 ", "4,", "1_0"}) {
        expect_malformed(std::string{"*"}.append(number) + "\r\n$4\r\nPING\r\n", kNoLineEnd);
        expect_malformed(std::string{"*1\r\n$"}.append(number) + "\r\nPING\r\n", kNoLineEnd);
    }
    expect_malformed("*1\r\n$-1\r\n", kNoLength);
    expect_malformed("*065\r\n", kNoLength);  // Both faults: the zero comes first, however it is cut.
}

// Goal: the same holds when the operator sets limits that allow everything.
// Method: the widest limits the type can say; 2^64 - 1 fits a size_t but never an address space.
TEST(RespParser, OddNumbersAreNotLengthsUnderBoundlessLimits) {
    const RespLimits boundless{kArgumentsMax, static_cast<std::size_t>(-1)};
    expect_malformed("*1\r\n$18446744073709551616", kTooManyBytes, boundless);
    expect_malformed("*1\r\n$18446744073709551615\r\n", kTooManyBytes, boundless);
    expect_incomplete("*1\r\n$9223372036854775807\r\n", boundless);
    expect_words("*1\r\n$4\r\nPING\r\n", {"PING"}, boundless);
}

// Goal: the limit on arguments is the last number allowed, for both forms, and is named when passed.
// Method: as many words as allowed, then one more, before and after AUTH.
TEST(RespParser, ArgumentLimitIsTheLastNumberAllowed) {
    for (const RespLimits& limits : {kLimitsBeforeAuth, kLimitsAfterAuth}) {
        const Words most(limits.arguments_max, "w");
        Words more = most;
        more.emplace_back("w");

        expect_words(array_of(most), most, limits);
        expect_malformed(array_of(more), kTooManyArguments, limits);
        EXPECT_EQ(Attempt(array_of(more), limits).parsed().limit, limits.arguments_max);

        std::string line;
        for (const std::string& word : most)
            line += word + " ";
        expect_words(line + "\r\n", most, limits);
        expect_malformed(line + "w\r\n", kTooManyArguments, limits);
        EXPECT_EQ(Attempt(line + "w\r\n", limits).parsed().limit, limits.arguments_max);
    }
}

// Goal: the limit on bytes counts the whole command with its framing, and is named when passed.
// Method: a command of exactly as many bytes as allowed, then one byte more, for both forms, with and
// without another command behind it.
TEST(RespParser, ByteLimitCountsTheWholeCommand) {
    for (const RespLimits& limits : {kLimitsBeforeAuth, kLimitsAfterAuth}) {
        const std::size_t most = limits.command_bytes_max;
        EXPECT_EQ(Attempt(command_of_bytes(most), limits).parsed().consumed, most);
        EXPECT_EQ(Attempt(command_of_bytes(most) + "PING\r\n", limits).parsed().consumed, most);
        expect_malformed(command_of_bytes(most + 1), kTooManyBytes, limits);
        expect_malformed(command_of_bytes(most + 1) + "PING\r\n", kTooManyBytes, limits);
        EXPECT_EQ(Attempt(command_of_bytes(most + 1), limits).parsed().limit, most);

        const std::string line(most - 1, 'x');
        EXPECT_EQ(Attempt(line + "\n", limits).parsed().consumed, most);
        EXPECT_EQ(Attempt(line + "\nPING\r\n", limits).parsed().consumed, most);
        expect_malformed(line + "x\n", kTooManyBytes, limits);
        expect_malformed(line + "\r\n", kTooManyBytes, limits);
        EXPECT_EQ(Attempt(line + "x\n", limits).parsed().limit, most);
    }
}

// Goal: many small arguments do not slip past the limit on bytes.
// Method: before AUTH, 7 arguments of 80 bytes are 4 + 7 * (5 + 80 + 2) = 613 bytes; the sixth of them
// would end at byte 526, which its length already says.
TEST(RespParser, ByteLimitCountsAllArgumentsTogether) {
    const std::string text = array_of(Words(7, std::string(80, 'x')));
    ASSERT_EQ(text.size(), 613U);
    expect_malformed(text, kTooManyBytes, kLimitsBeforeAuth);

    const std::size_t sixth_begins = 4 + 5 * 87;
    expect_malformed(text.substr(0, sixth_begins + 5), kTooManyBytes, kLimitsBeforeAuth);
    expect_incomplete(text.substr(0, sixth_begins + 4), kLimitsBeforeAuth);
    EXPECT_EQ(Attempt(text).status(), ParseStatus::complete);
}

// Goal: nobody waits for a length that will not be accepted.
// Method: 2 GiB announced, of which not a byte has arrived; a length that fits alone, but not behind
// what stands before it; the longest that fits is waited for.
TEST(RespParser, AnnouncedLengthIsJudgedAtOnce) {
    expect_malformed("*1\r\n$2147483648\r\n", kTooManyBytes);
    expect_malformed("*1\r\n$16384\r\n", kTooManyBytes);
    expect_malformed("*1\r\n$16371\r\n", kTooManyBytes);  // 4 + 8 + 16'371 + 2 = 16'385
    expect_incomplete("*1\r\n$16370\r\n");
    expect_malformed("*1000000000\r\n", kTooManyArguments);

    // 4 + 6 + 495 + 2 + 4 = 511 of 512 bytes, and an empty word needs two more.
    const std::string almost_full = "*2\r\n$495\r\n" + std::string(495, 'x') + "\r\n$0\r\n";
    expect_malformed(almost_full, kTooManyBytes, kLimitsBeforeAuth);
    expect_incomplete(almost_full.substr(0, 510), kLimitsBeforeAuth);
}

// Goal: a buffer of command_bytes_max bytes always has room for the rest of a command.
// Method: fill it with beginnings that do not end there; one byte less is still incomplete.
TEST(RespParser, AFullBufferIsNeverIncomplete) {
    const std::size_t most = kLimitsBeforeAuth.command_bytes_max;
    const std::string array = "*2\r\n$500\r\n" + std::string(500, 'x') + "\r\n";
    const std::string shorter = "*2\r\n$497\r\n" + std::string(497, 'x') + "\r\n$10";
    ASSERT_EQ(array.size(), most);    // 4 + 6 + 500 + 2: the second argument would begin behind it
    ASSERT_EQ(shorter.size(), most);  // 4 + 6 + 497 + 2 + 3: in the middle of a length
    for (const std::string& full : {std::string(most, 'x'), std::string(most, ' '),
                                    "\"" + std::string(most - 1, 'x'), array, shorter}) {
        expect_malformed(full, kTooManyBytes, kLimitsBeforeAuth);
        expect_incomplete(full.substr(0, most - 1), kLimitsBeforeAuth);
    }
}

// Goal: the limits before AUTH are the narrow ones of the manual.
TEST(RespParser, StrangersGetLess) {
    EXPECT_EQ(kLimitsBeforeAuth.arguments_max, 8U);
    EXPECT_EQ(kLimitsBeforeAuth.command_bytes_max, 512U);
    EXPECT_EQ(kLimitsAfterAuth.arguments_max, 64U);
    EXPECT_EQ(kLimitsAfterAuth.command_bytes_max, 16'384U);

    expect_malformed("*9", kTooManyArguments, kLimitsBeforeAuth);
    expect_incomplete("*9", kLimitsAfterAuth);
    expect_malformed("*1\r\n$513", kTooManyBytes, kLimitsBeforeAuth);
    expect_incomplete("*1\r\n$513", kLimitsAfterAuth);
}

// Goal: a person can type a command.
// Method: words apart by spaces and tabs, at either end too, ended by LF or CR LF.
TEST(RespParser, InlineWordsAreSeparatedByBlanks) {
    expect_words("PING\n", {"PING"});
    expect_words("PING\r\n", {"PING"});
    expect_words("BALANCE alice\r\n", {"BALANCE", "alice"});
    expect_words(" \t BALANCE \t\t alice \t \r\n", {"BALANCE", "alice"});
    expect_words("9 a\\n *1 $4 -\n", {"9", "a\\n", "*1", "$4", "-"});
    expect_words("a \0 b\xff\n"sv, {"a", std::string(1, '\0'), "b\xff"});
}

// Goal: an inline command and its array say the same.
TEST(RespParser, InlineEqualsArray) {
    const Attempt line{"STOP call-7 61 CAUSE 'normal clearing'\r\n"};
    const Attempt array{array_of({"STOP", "call-7", "61", "CAUSE", "normal clearing"})};
    EXPECT_EQ(line.words(), array.words());
}

// Goal: double quotes hold blanks together and know Redis's escapes.
// Method: each escape, in either case of the hexadecimal digits; a backslash before any other byte
// stands for that byte, and so does \x without two digits.
TEST(RespParser, DoubleQuotesResolveEscapes) {
    expect_words("ECHO \"a b\"\n", {"ECHO", "a b"});
    expect_words("ECHO \"\"\n", {"ECHO", ""});
    expect_words("\"PING\"\r\n", {"PING"});
    expect_words(R"(ECHO "\n\r\t\b\a")"
                 "\n",
                 {"ECHO", "\n\r\t\b\a"});
    expect_words(R"(ECHO "\x41\x00\xfF\x7e")"
                 "\n",
                 {"ECHO", std::string("A\0\xff~", 4)});
    expect_words(R"(ECHO "\"\\\'\q")"
                 "\n",
                 {"ECHO", "\"\\'q"});
    expect_words(R"(ECHO "\xg1\x4" "\x1g")"
                 "\n",
                 {"ECHO", "xg1x4", "x1g"});
    expect_words("ECHO \"it's\" \"\t\"\n", {"ECHO", "it's", "\t"});
}

// Goal: single quotes hold everything together and know only \'.
TEST(RespParser, SingleQuotesResolveOnlyThemselves) {
    expect_words("ECHO 'a b' ''\n", {"ECHO", "a b", ""});
    expect_words(R"(ECHO 'it\'s' '\n\x41\\ ' '"')"
                 "\n",
                 {"ECHO", "it's", R"(\n\x41\\ )", "\""});
}

// Goal: a quote may open inside a word, and its end is the end of the word, as in Redis.
// Method: both kinds, each followed by a blank, by the end of the line, and by what may not follow.
TEST(RespParser, ClosingQuoteEndsTheWord) {
    expect_words("ECHO a\"b c\" d\n", {"ECHO", "ab c", "d"});
    expect_words("ECHO a'b c'\r\n", {"ECHO", "ab c"});
    expect_malformed("ECHO \"a\"b\n", kUnbalancedQuotes);
    expect_malformed("ECHO 'a'b\n", kUnbalancedQuotes);
    expect_malformed("ECHO \"a\"\"b\"\n", kUnbalancedQuotes);
    expect_malformed("ECHO 'a'\"b\"\n", kUnbalancedQuotes);
}

// Goal: a quote that is still open when its line ends does not reach into the next line.
// Method: no second quote at all, one in the next line, an escaped one, a backslash at the end.
TEST(RespParser, QuotesCloseWithinTheirLine) {
    expect_malformed("ECHO \"a\r\n", kUnbalancedQuotes);
    expect_malformed("ECHO \"a\nb\"\n", kUnbalancedQuotes);
    expect_malformed("ECHO 'a\nb'\n", kUnbalancedQuotes);
    expect_malformed("ECHO \"a\\\"\n", kUnbalancedQuotes);
    expect_malformed("ECHO 'a\\'\n", kUnbalancedQuotes);
    expect_malformed("ECHO \"a\\\n", kUnbalancedQuotes);
    expect_malformed("ECHO 'a\\\n", kUnbalancedQuotes);
    expect_malformed("ECHO \"\\x\n", kUnbalancedQuotes);
    expect_malformed("ECHO \"\\x4\n", kUnbalancedQuotes);
}

// Goal: resolving quotes never reaches beyond the command.
// Method: a quoted command between two sentinels; the bytes behind it are as before.
TEST(RespParser, UnescapingStaysInsideTheCommand) {
    const Attempt attempt{"ECHO \"\\x41\\x42\"\nECHO \"\\x43\"\n"};
    EXPECT_EQ(attempt.words(), (Words{"ECHO", "AB"}));
    EXPECT_EQ(attempt.parsed().consumed, 16U);
    EXPECT_EQ(attempt.bytes().substr(16), "ECHO \"\\x43\"\n");
}

// Goal: other protocols on this port are told at once, or come out as words that a caller can refuse.
// Method: the first bytes of a TLS greeting, of a stray reply, and of a browser.
TEST(RespParser, OtherProtocolsDoNotHang) {
    expect_malformed("\x16\x03\x01\x02\x00\x01"sv, kNoCommand);
    expect_malformed("+OK\r\n", kNoCommand);
    expect_malformed("$4\r\nPING\r\n", kNoCommand);
    expect_words("GET / HTTP/1.1\r\n", {"GET", "/", "HTTP/1.1"});
    expect_words("Host: localhost:7379\r\n", {"Host:", "localhost:7379"});
}

// Goal: without bytes there is nothing to say.
TEST(RespParser, EmptyInputIsIncomplete) {
    expect_incomplete("");
}

}  // namespace
}  // namespace tollgate::protocol
