#include "daemon/admin/destination_groups.h"

#include <gtest/gtest.h>

#include "tests/daemon/admin/house.h"

namespace tollgate::daemon::admin {
namespace {

constexpr std::string_view kNear = R"({"prefixes":["4915","33"],"countries":["DE","AT"]})";

TEST(DestinationGroupResource, IsPutShownListedAndDeleted) {
    const House house;
    EXPECT_EQ(house.send("GET", "/v1/destination-groups").body, "{\"destination_groups\":[]}\n");
    const Response created = house.send("PUT", "/v1/destination-groups/near", kNear);
    EXPECT_EQ(created.status, 201U);
    EXPECT_EQ(created.body, R"({"id":"near","prefixes":["4915","33"],"countries":["DE","AT"]})"
                            "\n");
    EXPECT_EQ(house.send("GET", "/v1/destination-groups/near").body, created.body);
    EXPECT_EQ(house.status("PUT", "/v1/destination-groups/near", R"({"countries":["CH"]})"), 200U);
    EXPECT_EQ(house.status("PUT", "/v1/destination-groups/a", "{}"), 201U);
    EXPECT_EQ(house.send("GET", "/v1/destination-groups").body,
              R"({"destination_groups":[{"id":"a","prefixes":[],"countries":[]},)"
              R"({"id":"near","prefixes":[],"countries":["CH"]}]})"
              "\n");
    EXPECT_EQ(house.status("DELETE", "/v1/destination-groups/near"), 200U);
    EXPECT_EQ(house.status("DELETE", "/v1/destination-groups/near"), 404U);
    EXPECT_EQ(house.status("GET", "/v1/destination-groups/near"), 404U);
    EXPECT_EQ(house.status("GET", "/v1/destination-groups/near?number=49"), 404U);
}

TEST(DestinationGroupResource, SaysWhetherANumberBelongs) {
    const House house;
    (void)house.send("PUT", "/v1/destination-groups/near", kNear);
    const auto said = [&](const std::string& number) {
        return house.send("GET", "/v1/destination-groups/near?number=" + number).body;
    };
    EXPECT_EQ(said("491512345"), "{\"contains\":true,\"prefix\":\"4915\"}\n");
    EXPECT_EQ(said("+43123"), "{\"contains\":true,\"country\":\"AT\"}\n");
    EXPECT_EQ(said("%2B4930123"), "{\"contains\":true,\"country\":\"DE\"}\n");
    EXPECT_EQ(said("41123"), "{\"contains\":false}\n");
    for (const char* number : {"", "49x", "123456789012345678901234567890123"}) {
        const Response refused =
            house.send("GET", "/v1/destination-groups/near?number=" + std::string{number});
        EXPECT_EQ(refused.status, 422U) << number;
        EXPECT_TRUE(has(refused, R"("errors":[{"field":"number")")) << refused.body;
    }
}

TEST(DestinationGroupResource, IsRefusedWithTheFieldsName) {
    const House house;
    for (const auto& [body, field] : std::vector<std::pair<std::string_view, std::string_view>>{
             {R"({"prefixes":["+49"]})", "prefixes"},
             {R"({"prefixes":[49]})", "prefixes"},
             {R"({"prefixes":"49"})", "prefixes"},
             {R"({"prefixes":["1234567890123456"]})", "prefixes"},
             {R"({"countries":["de"]})", "countries"},
             {R"({"countries":["DEU"]})", "countries"},
             {R"({"countries":{}})", "countries"},
             {R"({"country":["DE"]})", "country"}}) {
        const Response response = house.send("PUT", "/v1/destination-groups/near", body);
        EXPECT_EQ(response.status, 422U) << body;
        EXPECT_TRUE(has(response, "\"errors\":[{\"field\":\"" + std::string{field} + '"')) << response.body;
    }
    std::string many;
    for (std::size_t i = 0; i <= kGroupPrefixesMax; ++i)
        many += (many.empty() ? "" : ",") + ("\"" + std::to_string(i) + "\"");
    EXPECT_TRUE(has(house.send("PUT", "/v1/destination-groups/near", R"({"prefixes":[)" + many + "]}"),
                    "expected at most 5000"));
    EXPECT_EQ(house.status("PUT", "/v1/destination-groups/a%20b", kNear), 422U);
    EXPECT_EQ(house.status("GET", "/v1/destination-groups/near"), 404U) << "nothing was kept";
}

}  // namespace
}  // namespace tollgate::daemon::admin
