#include "daemon/admin/bundles.h"

#include <gtest/gtest.h>

#include "tests/daemon/admin/house.h"

namespace tollgate::daemon::admin {
namespace {

constexpr std::string_view kTarget = "/v1/parties/carol/bundles";

House& furnished(House& house) {
    house.furnish();
    (void)house.send("POST", "/v1/parties", R"({"id":"carol","kind":"customer","parent":"root"})");
    (void)house.send("POST", "/v1/parties", R"({"id":"line","kind":"line","parent":"carol"})");
    (void)house.send("PUT", "/v1/destination-groups/near", R"({"prefixes":["4915"]})");
    return house;
}

TEST(BundleResource, IsAddedOnceAndListed) {
    House house;
    furnished(house);
    EXPECT_EQ(house.send("GET", kTarget).body, "{\"bundles\":[]}\n");
    constexpr std::string_view kBody =
        R"({"id":"uk","seconds":600,"prefixes":["44"],"countries":["GB"],"groups":["near"],)"
        R"("expires":"2027-01-01T01:00:00+01:00","renew":"monthly","priority":-3})";
    const Response added = house.send("POST", kTarget, kBody);
    EXPECT_EQ(added.status, 201U);
    EXPECT_EQ(added.body,
              R"({"id":"uk","seconds":600,"prefixes":["44"],"countries":["GB"],"groups":["near"],)"
              R"("expires":"2027-01-01T00:00:00Z","renew":"monthly","priority":-3,)"
              R"("held":0,"available":600})"
              "\n");
    EXPECT_EQ(house.send("POST", kTarget, kBody).status, 200U) << "nothing happens twice";
    EXPECT_EQ(house.status("POST", kTarget, R"({"id":"uk","seconds":600})"), 409U);
    EXPECT_EQ(house.status("POST", kTarget, R"({"id":"all","seconds":1,"renew":null})"), 201U);
    EXPECT_TRUE(has(house.send("GET", kTarget), R"({"bundles":[{"id":"uk",)"));
    EXPECT_TRUE(has(house.send("GET", kTarget), R"("groups":[],"expires":null,"renew":null,"priority":0)"));
}

TEST(BundleResource, NamesEveryFaultyField) {
    House house;
    furnished(house);
    const Response faulty =
        house.send("POST", kTarget,
                   R"({"id":"a b","seconds":-1,"prefixes":["+44"],"countries":["uk"],"groups":"near",)"
                   R"("expires":"soon","renew":"weekly","priority":1.5,"minutes":1})");
    EXPECT_EQ(faulty.status, 422U);
    for (const std::string_view field :
         {"id", "seconds", "prefixes", "countries", "groups", "expires", "renew", "priority", "minutes"}) {
        EXPECT_TRUE(has(faulty, "\"" + std::string{field} + "\"")) << field << ": " << faulty.body;
    }
    const Response empty = house.send("POST", kTarget, "{}");
    EXPECT_EQ(empty.status, 422U);
    EXPECT_TRUE(has(empty, "missing"));
    EXPECT_TRUE(has(house.send("POST", kTarget, R"({"id":"x","seconds":1,"groups":["far"]})"),
                    "PUT /v1/destination-groups/{id} makes one"));
    EXPECT_EQ(house.status("POST", kTarget, R"({"id":"x","seconds":268435456})"), 422U);
    EXPECT_EQ(house.send("GET", kTarget).body, "{\"bundles\":[]}\n");
}

TEST(BundleResource, IsForThoseWhoPayForCalls) {
    House house;
    furnished(house);
    constexpr std::string_view kBody = R"({"id":"b","seconds":60})";
    EXPECT_EQ(house.status("POST", "/v1/parties/line/bundles", kBody), 422U);
    EXPECT_EQ(house.status("POST", "/v1/parties/nobody/bundles", kBody), 404U);
    EXPECT_EQ(house.status("GET", "/v1/parties/nobody/bundles"), 404U);
    (void)house.send("DELETE", "/v1/parties/carol");
    EXPECT_EQ(house.status("POST", kTarget, kBody), 409U);
}

TEST(BundleResource, HasALimitAParty) {
    House house;
    furnished(house);
    for (std::size_t i = 0; i < balance::kBundlesOfPartyMax; ++i) {
        EXPECT_EQ(house.status("POST", kTarget, "{\"id\":\"b" + std::to_string(i) + "\",\"seconds\":60}"),
                  201U);
    }
    EXPECT_TRUE(has(house.send("POST", kTarget, R"({"id":"more","seconds":60})"), "32 bundles"));
}

}  // namespace
}  // namespace tollgate::daemon::admin
