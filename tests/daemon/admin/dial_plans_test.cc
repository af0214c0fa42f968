#include "daemon/admin/dial_plans.h"

#include <gtest/gtest.h>

#include "tests/daemon/admin/house.h"

namespace tollgate::daemon::admin {
namespace {

constexpr std::string_view kNational =
    R"({"rules":[{"match":"00","strip":2,"prepend":""},{"match":"0","strip":1,"prepend":"49"}]})";

TEST(DialPlanResource, IsPutShownListedAndDeleted) {
    const House house;
    EXPECT_EQ(house.send("GET", "/v1/dial-plans").body, "{\"dial_plans\":[]}\n");
    const Response created = house.send("PUT", "/v1/dial-plans/national", kNational);
    EXPECT_EQ(created.status, 201U);
    EXPECT_EQ(created.body, R"({"id":"national","rules":[{"match":"00","strip":2,"prepend":""},)"
                            R"({"match":"0","strip":1,"prepend":"49"}]})"
                            "\n");
    EXPECT_EQ(house.send("GET", "/v1/dial-plans/national").body, created.body);
    const Response replaced = house.send("PUT", "/v1/dial-plans/national", R"({"rules":[{"prepend":"49"}]})");
    EXPECT_EQ(replaced.status, 200U);
    EXPECT_TRUE(has(replaced, R"("rules":[{"match":"","strip":0,"prepend":"49"}])")) << replaced.body;
    EXPECT_EQ(house.status("PUT", "/v1/dial-plans/none", R"({"rules":[]})"), 201U);
    EXPECT_EQ(house.send("GET", "/v1/dial-plans").body,
              R"({"dial_plans":[{"id":"national","rules":[{"match":"","strip":0,"prepend":"49"}]},)"
              R"({"id":"none","rules":[]}]})"
              "\n");
    EXPECT_EQ(house.send("DELETE", "/v1/dial-plans/national").body, replaced.body);
    EXPECT_EQ(house.status("GET", "/v1/dial-plans/national"), 404U);
    EXPECT_EQ(house.status("DELETE", "/v1/dial-plans/national"), 404U);
    EXPECT_EQ(house.status("PUT", "/v1/dial-plans/national", kNational), 201U);
}

TEST(DialPlanResource, IsRefusedWithTheFieldsName) {
    const House house;
    const std::string longest(33, '1');
    for (const std::string& body :
         {std::string{R"({})"}, std::string{R"({"rules":"00"})"}, std::string{R"({"rules":["00"]})"},
          std::string{R"({"rules":[{"match":"+49"}]})"}, std::string{R"({"rules":[{"match":49}]})"},
          std::string{R"({"rules":[{"strip":-1}]})"}, std::string{R"({"rules":[{"strip":"1"}]})"},
          std::string{R"({"rules":[{"strip":33}]})"}, std::string{R"({"rules":[{"prepend":"+49"}]})"},
          R"({"rules":[{"match":")" + longest + R"("}]})", R"({"rules":[{"prepend":")" + longest + R"("}]})",
          std::string{R"({"rules":[{"macth":"0"}]})"}, std::string{"[]"}, std::string{}}) {
        const Response response = house.send("PUT", "/v1/dial-plans/plan", body);
        EXPECT_EQ(response.status, 422U) << body;
    }
    std::string rules;
    for (std::size_t i = 0; i <= config::kDialRulesMax; ++i)
        rules += rules.empty() ? "{}" : ",{}";
    EXPECT_TRUE(has(house.send("PUT", "/v1/dial-plans/plan", R"({"rules":[)" + rules + "]}"),
                    "expected at most 256"));
    EXPECT_EQ(house.status("PUT", "/v1/dial-plans/a%20b", kNational), 422U);
    EXPECT_EQ(house.status("GET", "/v1/dial-plans/plan"), 404U) << "nothing was kept";
}

TEST(DialPlanResource, OfALineOrCustomerIsShownAndStays) {
    const House house;
    house.furnish();
    (void)house.send("PUT", "/v1/dial-plans/national", kNational);
    EXPECT_TRUE(has(house.send("POST", "/v1/parties",
                               R"({"id":"al","kind":"customer","parent":"root","dial_plan":"national"})"),
                    R"("dial_plan":"national")"));
    const Response refused = house.send("DELETE", "/v1/dial-plans/national");
    EXPECT_EQ(refused.status, 409U);
    EXPECT_TRUE(has(refused, R"(\"al\" has this dial plan)")) << refused.body;
    for (const std::string_view body :
         {R"({"id":"x","kind":"reseller","parent":"root","dial_plan":"national"})",
          R"({"id":"x","kind":"customer","parent":"root","dial_plan":"nothing"})",
          R"({"id":"x","kind":"customer","parent":"root","dial_plan":5})"}) {
        const Response response = house.send("POST", "/v1/parties", body);
        EXPECT_EQ(response.status, 422U);
        EXPECT_TRUE(has(response, R"("errors":[{"field":"dial_plan")")) << response.body;
    }
    EXPECT_EQ(house.status("PATCH", "/v1/parties/root", R"({"dial_plan":"national"})"), 422U);
    EXPECT_TRUE(has(house.send("PATCH", "/v1/parties/al", R"({"dial_plan":null})"), R"("dial_plan":null)"));
    EXPECT_EQ(house.status("DELETE", "/v1/dial-plans/national"), 200U);
}

}  // namespace
}  // namespace tollgate::daemon::admin
