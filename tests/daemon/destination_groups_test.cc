#include "daemon/destination_groups.h"

#include <gtest/gtest.h>

namespace tollgate::daemon {
namespace {

using Reason = DestinationGroup::Reason;

TEST(DestinationGroup, HoldsNumbersByPrefixOrCountry) {
    const DestinationGroup group{{"4915", "491", "33"}, {"AT", "DE", "AT"}};
    EXPECT_EQ(group.find("491512345").reason, Reason::prefix);
    EXPECT_EQ(group.find("491512345").by, "491");
    EXPECT_EQ(group.find("4930123").reason, Reason::country);
    EXPECT_EQ(group.find("4930123").by, "DE");
    EXPECT_EQ(group.find("43").by, "AT");
    EXPECT_EQ(group.find("3").reason, Reason::none);
    EXPECT_EQ(group.find("41123").reason, Reason::none);
    EXPECT_EQ(group.find("").reason, Reason::none);
    EXPECT_EQ(group.prefixes(), (std::vector<std::string>{"4915", "491", "33"})) << "as it was given";
}

// Goal: a deck knows better than the numbering plan.
TEST(DestinationGroup, TheCountryOfARowGoesFirst) {
    const DestinationGroup group{{}, {"DE"}};
    EXPECT_EQ(group.find("4930123", "AT").reason, Reason::none);
    EXPECT_EQ(group.find("8821234", "DE").reason, Reason::country);
    EXPECT_EQ(group.find("4930123", "").reason, Reason::country);
    EXPECT_EQ(group.find("8821234").reason, Reason::none) << "of no country";
}

TEST(DestinationGroup, AnEmptyOneHoldsNothing) {
    const DestinationGroup group{{}, {}};
    EXPECT_EQ(group.find("4930123").reason, Reason::none);
    EXPECT_EQ(group.find("800123").reason, Reason::none) << "no country is none of the countries";
}

TEST(DestinationGroup, CountriesHaveAForm) {
    EXPECT_TRUE(is_country("DE"));
    for (const char* text : {"", "D", "DEU", "de", "D1", "001"}) {
        EXPECT_FALSE(is_country(text)) << text;
    }
}

}  // namespace
}  // namespace tollgate::daemon
