#include "rating/prefix_tree.h"

#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace tollgate::rating {
namespace {

constexpr auto kNone = PrefixTree::kNone;

TEST(PrefixTree, FindsTheLongestPrefixAndTheShorterOnes) {
    const std::vector<std::string_view> prefixes = {"1", "12", "1268", "44", "447"};
    const PrefixTree tree{prefixes, kNone};
    EXPECT_EQ(tree.longest("12687808972"), 2U);
    EXPECT_EQ(tree.shorter(2), 1U);
    EXPECT_EQ(tree.shorter(1), 0U);
    EXPECT_EQ(tree.shorter(0), kNone);
    EXPECT_EQ(tree.longest("1268"), 2U);
    EXPECT_EQ(tree.longest("126"), 1U) << "a number that ends inside the tree matches what it passed";
    EXPECT_EQ(tree.longest("4"), kNone);
    EXPECT_EQ(tree.longest("7"), kNone);
    EXPECT_EQ(tree.longest(""), kNone);
}

TEST(PrefixTree, FallsBackWhereNothingMatches) {
    const std::vector<std::string_view> prefixes = {"44"};
    const PrefixTree tree{prefixes, 1};
    EXPECT_EQ(tree.longest("999"), 1U);
    EXPECT_EQ(tree.longest("4"), 1U);
    EXPECT_EQ(tree.longest("441"), 0U);
    EXPECT_EQ(tree.shorter(0), 1U);
    EXPECT_EQ(tree.shorter(1), kNone);
    EXPECT_EQ(PrefixTree({}, 0).longest("123"), 0U);
    EXPECT_EQ(PrefixTree({}, kNone).longest("123"), kNone);
    EXPECT_EQ(PrefixTree{}.longest("123"), kNone);
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
        std::vector<std::string_view> sorted;
        for (auto& [prefix, index] : known) {
            index = sorted.size();
            sorted.push_back(prefix);
        }
        const PrefixTree tree{sorted, kNone};
        for (int call = 0; call < 200; ++call) {
            std::string number(1 + random() % 18, '0');
            std::generate(number.begin(), number.end(), digit);
            auto found = tree.longest(number);
            for (std::size_t length = number.size(); length > 0; --length) {
                const auto expected = known.find(number.substr(0, length));
                if (expected == known.end()) continue;
                ASSERT_EQ(found, expected->second) << number;
                found = tree.shorter(found);
            }
            ASSERT_EQ(found, kNone) << number;
        }
    }
}

}  // namespace
}  // namespace tollgate::rating
