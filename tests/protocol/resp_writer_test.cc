#include "protocol/resp_writer.h"

#include <array>
#include <cstdint>
#include <limits>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "protocol/resp_parser.h"

namespace tollgate::protocol {
namespace {

using namespace std::string_view_literals;

/// What one call of a RespWriter appends to an empty string.
template <typename Call>
std::string written(Call call) {
    std::string out;
    RespWriter writer{out};
    call(writer);
    return out;
}

// Goal: an answer as the manual describes it: a flat array of bulk strings.
// Method: the first four fields of an AUTHORIZE, with the bytes counted by hand.
TEST(RespWriter, AnswerIsAnArrayOfBulkStrings) {
    const std::string out = written([](RespWriter& writer) {
        writer.array(4);
        writer.bulk("OK");
        writer.bulk_integer(3600);
        writer.bulk("final");
        writer.bulk_integer(0);
    });
    EXPECT_EQ(out, "*4\r\n$2\r\nOK\r\n$4\r\n3600\r\n$5\r\nfinal\r\n$1\r\n0\r\n");
}

// Goal: answers gather in one string, so that a pipeline goes out in one write.
// Method: two writers, one after the other, on a string that was not empty.
TEST(RespWriter, AppendsToWhatIsThere) {
    std::string out = "+PONG\r\n";
    RespWriter{out}.bulk("a");
    RespWriter{out}.simple("OK");
    EXPECT_EQ(out, "+PONG\r\n$1\r\na\r\n+OK\r\n");
}

// Goal: bulk strings carry any bytes and the length says how many.
TEST(RespWriter, BulkStringsAreBinary) {
    EXPECT_EQ(written([](RespWriter& writer) { writer.bulk(""); }), "$0\r\n\r\n");
    EXPECT_EQ(written([](RespWriter& writer) { writer.bulk("\r\n\0\xff"sv); }), "$4\r\n\r\n\0\xff\r\n"sv);
    EXPECT_EQ(written([](RespWriter& writer) { writer.bulk(std::string(1000, 'x')); }),
              "$1000\r\n" + std::string(1000, 'x') + "\r\n");
}

// Goal: integers of 64 bits go out whole, both as bulk strings and as integers.
// Method: zero, one digit either side of it, and both ends of the range: 19 digits, and 20 with the sign.
TEST(RespWriter, IntegersAreWhole) {
    constexpr auto kLeast = std::numeric_limits<std::int64_t>::min();
    constexpr auto kMost = std::numeric_limits<std::int64_t>::max();

    EXPECT_EQ(written([](RespWriter& writer) { writer.bulk_integer(0); }), "$1\r\n0\r\n");
    EXPECT_EQ(written([](RespWriter& writer) { writer.bulk_integer(-1); }), "$2\r\n-1\r\n");
    EXPECT_EQ(written([](RespWriter& writer) { writer.bulk_integer(kMost); }),
              "$19\r\n9223372036854775807\r\n");
    EXPECT_EQ(written([](RespWriter& writer) { writer.bulk_integer(kLeast); }),
              "$20\r\n-9223372036854775808\r\n");

    EXPECT_EQ(written([](RespWriter& writer) { writer.integer(0); }), ":0\r\n");
    EXPECT_EQ(written([](RespWriter& writer) { writer.integer(-1); }), ":-1\r\n");
    EXPECT_EQ(written([](RespWriter& writer) { writer.integer(kMost); }), ":9223372036854775807\r\n");
    EXPECT_EQ(written([](RespWriter& writer) { writer.integer(kLeast); }), ":-9223372036854775808\r\n");
}

// Goal: arrays and maps open with their number of values, and of pairs.
TEST(RespWriter, ArraysAndMapsOpenWithTheirSize) {
    EXPECT_EQ(written([](RespWriter& writer) { writer.array(0); }), "*0\r\n");
    EXPECT_EQ(written([](RespWriter& writer) { writer.array(24); }), "*24\r\n");
    EXPECT_EQ(written([](RespWriter& writer) { writer.array(std::numeric_limits<std::size_t>::max()); }),
              "*18446744073709551615\r\n");
    EXPECT_EQ(written([](RespWriter& writer) { writer.map(7); }), "%7\r\n");
}

// Goal: what is absent is not what is empty.
TEST(RespWriter, NullsAreTheirOwnValues) {
    EXPECT_EQ(written([](RespWriter& writer) { writer.null_bulk(); }), "$-1\r\n");
    EXPECT_EQ(written([](RespWriter& writer) { writer.null_array(); }), "*-1\r\n");
}

// Goal: a peer cannot smuggle a second answer into a one-line one.
// Method: a verb with line ends inside, quoted in an error as the daemon does; also bare CR and LF. All
// other bytes pass.
TEST(RespWriter, OneLineAnswersStayOneLine) {
    EXPECT_EQ(written([](RespWriter& writer) { writer.error("ERR unknown command 'a\r\n+OK\r\n'"); }),
              "-ERR unknown command 'a  +OK  '\r\n");
    EXPECT_EQ(written([](RespWriter& writer) { writer.error("\ra\nb"); }), "- a b\r\n");
    EXPECT_EQ(written([](RespWriter& writer) { writer.simple("a\r\n:1\r\n"); }), "+a  :1  \r\n");
    EXPECT_EQ(written([](RespWriter& writer) { writer.error("ERR '\0\t\xff'"sv); }), "-ERR '\0\t\xff'\r\n"sv);
    EXPECT_EQ(written([](RespWriter& writer) { writer.simple("OK"); }), "+OK\r\n");
}

// Goal: a person reads what was wrong and, where a limit was passed, which.
// Method: a fault of form and one of each limit, as the parser reports them.
TEST(RespWriter, ProtocolErrorNamesTheLimit) {
    const auto answer_to = [](std::string text) {
        std::array<std::string_view, kArgumentsMax> slots{};
        const Parsed parsed = parse_command(text, kLimitsAfterAuth, slots);
        return written([&](RespWriter& writer) { writer.protocol_error(parsed); });
    };
    EXPECT_EQ(answer_to("*1\r\n:1\r\n"), "-ERR Protocol error: expected '$'\r\n");
    EXPECT_EQ(answer_to("*65\r\n"), "-ERR Protocol error: too many arguments, the limit is 64\r\n");
    EXPECT_EQ(answer_to("*1\r\n$2147483648\r\n"),
              "-ERR Protocol error: too many bytes in a command, the limit is 16384\r\n");
}

// Goal: writing an answer allocates nothing but the string's own growth.
// Method: a string with room enough keeps its bytes where they were.
TEST(RespWriter, KeepsTheStringWhereItHasRoom) {
    std::string out;
    out.reserve(4096);
    const char* const before = out.data();
    RespWriter writer{out};
    writer.array(3);
    writer.bulk(std::string_view{"OK"});
    writer.bulk_integer(std::numeric_limits<std::int64_t>::min());
    writer.bulk("a text that is too long to hide inside a string object");
    writer.error("BADARG WANT: a text that is too long to hide inside a string object");
    EXPECT_EQ(out.data(), before);
    EXPECT_EQ(out.capacity(), 4096U);
}

}  // namespace
}  // namespace tollgate::protocol
