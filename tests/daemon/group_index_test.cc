#include "daemon/group_index.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace tollgate::daemon {
namespace {

TEST(GroupIndex, TheLongestPrefixDecides) {
    const DestinationGroup germany{{"49"}, {}};
    const DestinationGroup mobile{{"4915", "4916", "4917"}, {}};
    const GroupIndex index{std::vector<GroupIndex::Group>{{&germany, 1}, {&mobile, 2}}};
    EXPECT_EQ(index.find("4930123456"), 1);
    EXPECT_EQ(index.find("4917012345"), 2);
    EXPECT_EQ(index.find("491"), 1);
    EXPECT_EQ(index.find("4"), 0);
    EXPECT_EQ(index.find("33123"), 0);
    EXPECT_EQ(index.find(""), 0);
    EXPECT_TRUE(index.whole());
}

TEST(GroupIndex, OfTheSamePrefixTheFirstGroupHasIt) {
    const DestinationGroup first{{"44"}, {}};
    const DestinationGroup second{{"44", "45"}, {}};
    const GroupIndex index{std::vector<GroupIndex::Group>{{&first, 7}, {&second, 8}}};
    EXPECT_EQ(index.find("4420"), 7);
    EXPECT_EQ(index.find("4520"), 8);
}

// +1 is the United States but for codes of others, of which 1204 is Canada's and 1876 Jamaica's.
TEST(GroupIndex, CountriesAreThoseOfTheNumberingPlan) {
    const DestinationGroup states{{}, {"US"}};
    const DestinationGroup islands{{}, {"JM", "BM"}};
    const GroupIndex index{std::vector<GroupIndex::Group>{{&states, 1}, {&islands, 2}}};
    EXPECT_EQ(index.find("12125550100"), 1);
    EXPECT_EQ(index.find("12045550100"), 0);
    EXPECT_EQ(index.find("18765550100"), 2);
    EXPECT_EQ(index.find("88161"), 0);  // A satellite: no country.
}

TEST(GroupIndex, APrefixOutweighsACountry) {
    const DestinationGroup country{{}, {"DE"}};
    const DestinationGroup anywhere{{"4"}, {}};
    const GroupIndex index{std::vector<GroupIndex::Group>{{&country, 1}, {&anywhere, 2}}};
    EXPECT_EQ(index.find("4930"), 2);
}

// Whoever tells only some groups apart says of the others that theirs is of none.
TEST(GroupIndex, WhatIsNotToldApartIsNobodyElses) {
    const DestinationGroup germany{{"49"}, {}};
    const DestinationGroup mobile{{"4917"}, {}};
    const GroupIndex index{std::vector<GroupIndex::Group>{{&germany, 1}, {&mobile, 0}}};
    EXPECT_EQ(index.find("4930"), 1);
    EXPECT_EQ(index.find("4917"), 0);
}

TEST(GroupIndex, OfNoGroupsHasNone) {
    EXPECT_EQ(GroupIndex{{}}.find("4930"), 0);
}

}  // namespace
}  // namespace tollgate::daemon
