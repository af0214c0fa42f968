#include "rating/prefix_tree.h"

#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace tollgate::rating {
namespace {

std::vector<Prefix> prefixes(std::initializer_list<const char*> texts) {
    std::vector<Prefix> result;
    for (const char* const text : texts)
        result.push_back(*Prefix::parse(text));
    return result;
}

TEST(Prefix, IsItsTextInAWord) {
    for (const char* const text : {"0", "1", "49", "4930", "999999999999999", "*"})
        EXPECT_EQ(Prefix::parse(text)->text().view(), text);
    for (const char* const text : {"", "+49", "4x", "1234567890123456", "**"})
        EXPECT_EQ(Prefix::parse(text), std::nullopt) << text;
}

TEST(Prefix, SortsAsItsTextAndBeginsWhatLiesBelow) {
    const auto sorted = prefixes({"*", "0", "00", "1", "10", "12", "19", "2", "999999999999999"});
    EXPECT_TRUE(std::is_sorted(sorted.begin(), sorted.end()));
    const Prefix germany = *Prefix::parse("49");
    EXPECT_TRUE(germany.begins(*Prefix::parse("4930")));
    EXPECT_TRUE(germany.begins(germany));
    EXPECT_FALSE(germany.begins(*Prefix::parse("4")));
    EXPECT_FALSE(germany.begins(*Prefix::parse("5")));
    EXPECT_TRUE(Prefix{}.begins(germany));
}

TEST(PrefixTree, FindsTheLongestPrefix) {
    const PrefixTree tree{prefixes({"1", "12", "1268", "44", "447", "4479123", "447912345678901"})};
    EXPECT_EQ(tree.longest("12687808972"), 2U);
    EXPECT_EQ(tree.longest("1268"), 2U);
    EXPECT_EQ(tree.longest("126"), 1U) << "a number that ends inside the tree matches what it passed";
    EXPECT_EQ(tree.longest("4"), tree.none());
    EXPECT_EQ(tree.longest("7"), tree.none());
    EXPECT_EQ(tree.longest(""), tree.none());
    EXPECT_EQ(tree.longest("447911"), 4U);
    EXPECT_EQ(tree.longest("4479123"), 5U);
    EXPECT_EQ(tree.longest("447912"), 4U) << "in a block, between two prefixes";
    EXPECT_EQ(tree.longest("44791234567890"), 5U);
    EXPECT_EQ(tree.longest("44791234567890199"), 6U);
    EXPECT_EQ(PrefixTree{}.longest("123"), 0U) << "none of none";
    EXPECT_EQ(PrefixTree{}.longest("123456789"), 0U);
}

// Goal: the tree says what a search through all prefixes says.
// Method: random prefixes over few digits, so that many lie below each other; random numbers, seeded.
TEST(PrefixTree, AgreesWithAMapOnRandomPrefixes) {
    std::mt19937 random{20'261'121};
    for (int round = 0; round < 200; ++round) {
        const auto digit = [&] { return static_cast<char>('0' + random() % (round % 2 == 0 ? 3 : 10)); };
        std::map<std::string, std::size_t> known;
        for (unsigned i = 0; i < 1 + random() % 60; ++i) {
            std::string prefix(1 + random() % kPrefixDigitsMax, '0');
            std::generate(prefix.begin(), prefix.end(), digit);
            known[prefix] = 0;
        }
        std::vector<Prefix> sorted;
        for (auto& [prefix, index] : known) {
            index = sorted.size();
            sorted.push_back(*Prefix::parse(prefix));
        }
        const PrefixTree tree{sorted};
        for (int call = 0; call < 200; ++call) {
            std::string number(1 + random() % 18, '0');
            std::generate(number.begin(), number.end(), digit);
            std::size_t expected = tree.none();
            for (std::size_t length = number.size(); length > 0 && expected == tree.none(); --length) {
                const auto found = known.find(number.substr(0, length));
                if (found != known.end()) expected = found->second;
            }
            ASSERT_EQ(tree.longest(number), expected) << number;
        }
    }
}

}  // namespace
}  // namespace tollgate::rating
