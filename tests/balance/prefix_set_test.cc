#include "balance/prefix_set.h"

#include <gtest/gtest.h>

namespace tollgate::balance {
namespace {

TEST(PrefixSet, FindsTheShortestThatANumberBeginsWith) {
    const std::vector<std::string> prefixes = {"4930", "49", "1", "4931", "7", "495", "1"};
    const PrefixSet set{prefixes};
    EXPECT_EQ(set.find("4930123"), "49");
    EXPECT_EQ(set.find("49"), "49");
    EXPECT_EQ(set.find("1"), "1");
    EXPECT_EQ(set.find("15551234"), "1");
    EXPECT_EQ(set.find("79"), "7");
    for (const char* number : {"", "4", "48", "50", "0", "8", "3999"}) {
        EXPECT_EQ(set.find(number), "") << number;
    }
    EXPECT_EQ(PrefixSet{}.find("49"), "");
}

TEST(PrefixSet, TakesOneToFifteenDigits) {
    for (const char* text : {"0", "49", "123456789012345"}) {
        EXPECT_TRUE(is_prefix(text)) << text;
    }
    for (const char* text : {"", "+49", "49 ", "4x", "*", "1234567890123456"}) {
        EXPECT_FALSE(is_prefix(text)) << text;
    }
}

}  // namespace
}  // namespace tollgate::balance
