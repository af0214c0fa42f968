#include "daemon/net/batch.h"

#include <string>

#include <gtest/gtest.h>

namespace tollgate::daemon::net {
namespace {

using protocol::ParseStatus;

constexpr protocol::RespLimits kLimits{.arguments_max = 16, .command_bytes_max = 4096};

/// What stands at the front of an input, its commands' words joined by spaces.
std::string taken(std::string input, std::size_t most = Batch::kCommandsMax) {
    Batch batch{kLimits.arguments_max};
    EXPECT_EQ(batch.take(input, kLimits, most).status, ParseStatus::complete);
    std::string text;
    for (const Batch::Command& command : batch.commands()) {
        for (const std::string_view word : command.words)
            text += std::string{word} + ' ';
        text += std::to_string(command.bytes) + '\n';
    }
    return text;
}

const std::string ping = "*1\r\n$4\r\nPING\r\n";
const std::string echo = "*2\r\n$4\r\nECHO\r\n$2\r\nhi\r\n";

TEST(Batch, TakesWholeArraysAhead) {
    EXPECT_EQ(taken(ping + echo + ping), "PING 14\nECHO hi 22\nPING 14\n");
    EXPECT_EQ(taken(ping + echo + "*1\r\n$4\r\nPI"), "PING 14\nECHO hi 22\n") << "the last is not whole";
    EXPECT_EQ(taken(ping + "*1\r\n!4"), "PING 14\n") << "what is wrong is told when its turn comes";
}

TEST(Batch, TakesOneAloneWhereNothingMayBeTakenAhead) {
    EXPECT_EQ(taken(ping + echo, 1), "PING 14\n");
}

TEST(Batch, TakesAnInlineCommandOnlyFirst) {
    EXPECT_EQ(taken("ECHO \"a\\nb\"\r\n" + ping), "ECHO a\nb 13\nPING 14\n");
    EXPECT_EQ(taken(ping + "ECHO \"a\"\r\n" + ping), "PING 14\n") << "taking it apart changes it";
}

TEST(Batch, HasItsLimits) {
    std::string many;
    for (std::size_t i = 0; i < Batch::kCommandsMax + 5; ++i)
        many += ping;
    Batch batch{kLimits.arguments_max};
    (void)batch.take(many, kLimits, 100);
    EXPECT_EQ(batch.commands().size(), Batch::kCommandsMax);

    std::string wide = "*16\r\n";
    for (std::size_t i = 0; i < kLimits.arguments_max; ++i)
        wide += "$1\r\nx\r\n";
    many.clear();
    for (std::size_t i = 0; i < Batch::kCommandsMax; ++i)
        many += wide;
    (void)batch.take(many, kLimits, 100);
    EXPECT_GE(batch.commands().size(), 8U);
    for (const Batch::Command& command : batch.commands())
        EXPECT_EQ(command.words.size(), kLimits.arguments_max);
}

TEST(Batch, SaysWhatTheFirstLacks) {
    Batch batch{kLimits.arguments_max};
    std::string half = "*1\r\n$4\r\nPI";
    EXPECT_EQ(batch.take(half, kLimits, 100).status, ParseStatus::incomplete);
    EXPECT_TRUE(batch.commands().empty());
    std::string wrong = "*1\r\n!4\r\n";
    EXPECT_EQ(batch.take(wrong, kLimits, 100).status, ParseStatus::malformed);
    EXPECT_TRUE(batch.commands().empty());
}

TEST(Batch, AnEmptyArrayIsACommandWithoutWords) {
    EXPECT_EQ(taken("*0\r\n" + ping), "4\nPING 14\n");
}

}  // namespace
}  // namespace tollgate::daemon::net
