#include "daemon/admin/tariffs.h"

#include <gtest/gtest.h>

#include "tests/daemon/admin/house.h"

namespace tollgate::daemon::admin {
namespace {

// Goal: what is absent has its default, and the answer says what is stored.
TEST(Tariffs, AreCreatedWithDefaults) {
    const House house;
    const Response created = house.send("PUT", "/v1/tariffs/retail", R"({"currency":"EUR"})");
    EXPECT_EQ(created.status, 201U);
    EXPECT_EQ(created.content_type, "application/json");
    EXPECT_EQ(created.body,
              "{\"id\":\"retail\",\"version\":1,\"currency\":\"EUR\",\"decimals\":6,\"rounding\":\"up\","
              "\"anchor\":\"end_of_initial\",\"markup_percent\":0,\"time_zone\":\"UTC\",\"windows\":{},"
              "\"owner\":null}\n");
}

TEST(Tariffs, AreReplacedWhole) {
    const House house;
    (void)house.send("PUT", "/v1/tariffs/retail", R"({"currency":"EUR","decimals":2})");
    const Response replaced =
        house.send("PUT", "/v1/tariffs/retail",
                   R"({"currency":"EUR","rounding":"half_even","anchor":"zero","markup_percent":-12.3456,)"
                   R"("time_zone":"Europe/Berlin","windows":{}})");
    EXPECT_EQ(replaced.status, 200U);
    EXPECT_EQ(
        replaced.body,
        "{\"id\":\"retail\",\"version\":2,\"currency\":\"EUR\",\"decimals\":6,\"rounding\":\"half_even\","
        "\"anchor\":\"zero\",\"markup_percent\":-12.3456,\"time_zone\":\"Europe/"
        "Berlin\",\"windows\":{},\"owner\":null}\n");
    EXPECT_EQ(house.tariffs.current(*house.tariffs.find("retail"))->settings.markup, -123'456);
}

// Goal: a markup is read by its digits. 0.1 has no double; 100 % is rating::kMarkupUnit.
TEST(Tariffs, ReadAMarkupExactly) {
    const House house;
    const auto markup_of = [&](std::string_view text) -> std::int64_t {
        const std::string body = R"({"currency":"EUR","markup_percent":)" + std::string{text} + "}";
        if (house.status("PUT", "/v1/tariffs/t", body) >= 300) return -1;
        return house.tariffs.current(*house.tariffs.find("t"))->settings.markup;
    };
    EXPECT_EQ(markup_of("100"), rating::kMarkupUnit);
    EXPECT_EQ(markup_of("0.1"), 1'000);
    EXPECT_EQ(markup_of("\"12.5\""), 125'000);
    EXPECT_EQ(markup_of("1e-04"), 1);
    EXPECT_EQ(markup_of("-100"), -1'000'000);
    EXPECT_EQ(markup_of("-100.0001"), -1);
    EXPECT_EQ(markup_of("0.00001"), -1);
    EXPECT_EQ(markup_of("true"), -1);
    EXPECT_EQ(markup_of("1000000.0001"), -1);
}

// Goal: every field has its no, and the no names the field.
TEST(Tariffs, RefuseFaultySettings) {
    const House house;
    const std::vector<std::pair<std::string_view, std::string_view>> faulty = {
        {R"({})", "currency"},
        {R"({"currency":null})", "currency"},
        {R"({"currency":"eur"})", "currency"},
        {R"({"currency":978})", "currency"},
        {R"({"currency":"EUR","decimals":7})", "decimals"},
        {R"({"currency":"EUR","decimals":"2"})", "decimals"},
        {R"({"currency":"EUR","rounding":"UP"})", "rounding"},
        {R"({"currency":"EUR","rounding":1})", "rounding"},
        {R"({"currency":"EUR","anchor":"start"})", "anchor"},
        {R"({"currency":"EUR","time_zone":"Europe Berlin"})", "time_zone"},
        {R"({"currency":"EUR","time_zone":""})", "time_zone"},
        {R"({"currency":"EUR","time_zone":"Europe/Atlantis"})", "time_zone"},
        {R"({"currency":"EUR","time_zone":"../zone"})", "time_zone"},
        {R"({"currency":"EUR","windows":{"peak":{}}})", "windows"},
        {R"({"currency":"EUR","windows":{"":[]}})", "windows"},
        {R"({"currency":"EUR","windows":{"peak":[],"peak":[]}})", "windows"},
        {R"({"currency":"EUR","windows":{"peak":[{"days":["monday"]}]}})", "windows"},
        {R"({"currency":"EUR","windows":{"peak":[{"days":[]}]}})", "windows"},
        {R"({"currency":"EUR","windows":{"peak":[{"months":[0]}]}})", "windows"},
        {R"({"currency":"EUR","windows":{"peak":[{"month_days":[32]}]}})", "windows"},
        {R"({"currency":"EUR","windows":{"peak":[{"from":"8:00"}]}})", "windows"},
        {R"({"currency":"EUR","windows":{"peak":[{"from":"08:60"}]}})", "windows"},
        {R"({"currency":"EUR","windows":{"peak":[{"until":"24:00:01"}]}})", "windows"},
        {R"({"currency":"EUR","windows":{"peak":[{"from":"22:00","until":"06:00"}]}})", "windows"},
        {R"({"currency":"EUR","windows":{"peak":[{"from":"08:00","until":"08:00"}]}})", "windows"},
        {R"({"currency":"EUR","windows":{"peak":[{"hours":[8]}]}})", "hours"},
        {R"({"currency":"EUR","windows":[]})", "windows"},
        {R"({"currency":"EUR","owner":5})", "owner"},
        {R"({"currency":"EUR","owner":""})", "owner"},
        {R"({"currency":"EUR","owner":"nobody"})", "owner"},
        {R"({"currency":"EUR","colour":"red"})", "colour"},
        {R"({"currency":"EUR","currency":"EUR"})", "currency"},
    };
    for (const auto& [body, field] : faulty) {
        const Response response = house.send("PUT", "/v1/tariffs/retail", body);
        EXPECT_EQ(response.status, 422U) << body;
        EXPECT_TRUE(has(response, "\"errors\":[{\"field\":\"" + std::string{field} + '"')) << response.body;
    }
    for (const std::string_view body : {"", "[]", "7", "{\"currency\":\"EUR\"", "currency=EUR"}) {
        EXPECT_EQ(house.status("PUT", "/v1/tariffs/retail", body), 422U) << body;
    }
    EXPECT_EQ(house.status("PUT", "/v1/tariffs/re%20tail", R"({"currency":"EUR"})"), 422U);
    EXPECT_EQ(house.tariffs.size(), 0U);
    EXPECT_EQ(house.status("PUT", "/v1/tariffs/retail", R"({"currency":"EUR","windows":null})"), 201U);
}

TEST(Tariffs, KeepTheirWindows) {
    const House house;
    const Response put = house.send(
        "PUT", "/v1/tariffs/t",
        R"({"currency":"EUR","time_zone":"Europe/Berlin","windows":{"peak":[{"days":["mon","fri"],"from":"08:00",)"
        R"("until":"19:30:15"},{"months":[12],"month_days":[24,31]}],"never":[]}})");
    EXPECT_EQ(put.status, 201U);
    const std::string_view windows =
        R"("windows":{"peak":[{"days":["mon","fri"],"from":"08:00","until":"19:30:15","months":null,)"
        R"("month_days":null},{"days":null,"from":"00:00","until":"24:00","months":[12],"month_days":[24,31]}],)"
        R"("never":[]})";
    EXPECT_TRUE(has(put, windows)) << put.body;
    EXPECT_TRUE(has(house.send("GET", "/v1/tariffs/t"), windows));
}

// Goal: a deck and settings that do not fit each other are refused, whichever comes second, and say why.
TEST(Tariffs, AndDecksFitEachOther) {
    const House house;
    EXPECT_EQ(house.status("PUT", "/v1/tariffs/retail",
                           R"({"currency":"EUR","windows":{"peak":[{"from":"08:00","until":"19:00"}]}})"),
              201U);
    const Response unknown =
        put_deck(house, "prefix,rate_per_minute,window\n49,0.1,peak\n49,0.05,\n44,0.1,night\n");
    EXPECT_EQ(unknown.status, 422U);
    EXPECT_TRUE(has(unknown, R"("errors":[{"line":4,"column":"window")")) << unknown.body;
    const Response several = put_deck(house, "prefix,rate_per_minute,window\n44,0.1,night\n4x,1,\n45,1,\n");
    EXPECT_TRUE(has(several, R"("errors":[{"line":2,"column":"window")")) << several.body;
    EXPECT_TRUE(has(several, R"({"line":3,"column":"prefix")")) << several.body;
    EXPECT_EQ(put_deck(house, "prefix,rate_per_minute,window\n49,0.1,peak\n49,0.05,\n").status, 200U);
    const Response removed = house.send("PUT", "/v1/tariffs/retail", R"({"currency":"EUR"})");
    EXPECT_EQ(removed.status, 422U);
    EXPECT_TRUE(has(removed, "peak")) << removed.body;
}

TEST(Tariffs, KeepTheirCurrency) {
    const House house;
    house.furnish();
    const Response refused = house.send("PUT", "/v1/tariffs/retail", R"({"currency":"USD"})");
    EXPECT_EQ(refused.status, 422U);
    EXPECT_TRUE(has(refused, "\"field\":\"currency\""));
    EXPECT_TRUE(has(house.send("GET", "/v1/tariffs/retail"), "\"version\":1,\"currency\":\"EUR\""));
}

TEST(Tariffs, AreShownWithTheirDeck) {
    const House house;
    house.furnish();
    EXPECT_TRUE(has(house.send("GET", "/v1/tariffs/retail"), "\"rows\":0,\"prefixes\":0}\n"));
    (void)put_deck(house,
                   "prefix,rate_per_minute,effective_from\n49,0.01,\n49,0.02,2030-01-01T00:00:00Z\n1,0.1,\n");
    const Response shown = house.send("GET", "/v1/tariffs/retail");
    EXPECT_EQ(shown.status, 200U);
    EXPECT_TRUE(has(shown, "\"version\":2,")) << shown.body;
    EXPECT_TRUE(has(shown, "\"rows\":3,\"prefixes\":2}\n")) << shown.body;
    EXPECT_EQ(house.status("GET", "/v1/tariffs/nobody"), 404U);
}

}  // namespace
}  // namespace tollgate::daemon::admin
