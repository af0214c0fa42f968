#include "daemon/net/batch.h"

#include <string>

#include <gtest/gtest.h>

namespace tollgate::daemon::net {
namespace {

using protocol::ParseStatus;

constexpr protocol::RespLimits kLimits{.arguments_max = 16, .command_bytes_max = 4096};

std::string text_of(const Batch::Taken& taken) {
    std::string text;
    for (const Batch::Command& command : taken.commands) {
        for (const std::string_view word : command.words)
            text += std::string{word} + ' ';
        text += std::to_string(command.bytes) + '\n';
    }
    return text;
}

/// What stands at the front of an input, its commands' words joined by spaces.
std::string taken(std::string input, std::size_t most = Batch::kCommandsMax) {
    Batch batch{kLimits.arguments_max};
    const Batch::Taken taken = batch.take(input, kLimits, most);
    EXPECT_EQ(taken.first.status, ParseStatus::complete);
    return text_of(taken);
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
    EXPECT_EQ(batch.take(many, kLimits, 100).commands.size(), Batch::kCommandsMax);
    EXPECT_FALSE(batch.has_room(kLimits));
    batch.clear();
    EXPECT_TRUE(batch.has_room(kLimits));

    std::string wide = "*16\r\n";
    for (std::size_t i = 0; i < kLimits.arguments_max; ++i)
        wide += "$1\r\nx\r\n";
    many.clear();
    for (std::size_t i = 0; i < Batch::kCommandsMax; ++i)
        many += wide;
    const Batch::Taken taken = batch.take(many, kLimits, 100);
    EXPECT_GE(taken.commands.size(), 8U);
    EXPECT_LT(taken.commands.size(), Batch::kCommandsMax);
    EXPECT_FALSE(batch.has_room(kLimits));
    for (const Batch::Command& command : taken.commands)
        EXPECT_EQ(command.words.size(), kLimits.arguments_max);
}

TEST(Batch, SaysWhatTheFirstLacks) {
    Batch batch{kLimits.arguments_max};
    std::string half = "*1\r\n$4\r\nPI";
    Batch::Taken taken = batch.take(half, kLimits, 100);
    EXPECT_EQ(taken.first.status, ParseStatus::incomplete);
    EXPECT_TRUE(taken.commands.empty());
    std::string wrong = "*1\r\n!4\r\n";
    taken = batch.take(wrong, kLimits, 100);
    EXPECT_EQ(taken.first.status, ParseStatus::malformed);
    EXPECT_TRUE(taken.commands.empty());
}

TEST(Batch, HasCommandsOfSeveralInputs) {
    Batch batch{kLimits.arguments_max};
    std::string first = ping + echo;
    std::string half = "*1\r\n$4\r\nPI";
    std::string inline_one = "ECHO \"a\\x20b\"\r\n" + ping;
    std::string many;
    for (std::size_t i = 0; i < Batch::kCommandsMax; ++i)
        many += echo;
    const Batch::Taken of_first = batch.take(first, kLimits, 100);
    const Batch::Taken of_half = batch.take(half, kLimits, 100);
    const Batch::Taken of_inline = batch.take(inline_one, kLimits, 1);
    EXPECT_TRUE(batch.has_room(kLimits));
    const Batch::Taken of_many = batch.take(many, kLimits, 100);
    EXPECT_EQ(text_of(of_first), "PING 14\nECHO hi 22\n");
    EXPECT_EQ(of_half.first.status, ParseStatus::incomplete);
    EXPECT_EQ(text_of(of_half), "");
    EXPECT_EQ(text_of(of_inline), "ECHO a b 15\n");
    EXPECT_EQ(of_many.commands.size(), Batch::kCommandsMax - 3);
    EXPECT_EQ(batch.size(), Batch::kCommandsMax);
}

TEST(Batch, AnEmptyArrayIsACommandWithoutWords) {
    EXPECT_EQ(taken("*0\r\n" + ping), "4\nPING 14\n");
}

}  // namespace
}  // namespace tollgate::daemon::net
