#include "daemon/admin/decks.h"

#include <gtest/gtest.h>

#include "tests/daemon/admin/house.h"
#include "tests/daemon/admin/packed.h"

namespace tollgate::daemon::admin {
namespace {

constexpr std::string_view kDeck = "prefix,rate_per_minute\n49,0.01\n4930,0.02\n";
constexpr std::string_view kOther = "prefix,rate_per_minute\n44,0.5\n";
constexpr std::string_view kColumns =
    "prefix,destination,country,rate_per_minute,connect_fee,initial_increment,increment,grace_seconds,"
    "included_seconds,disconnect_fee,disconnect_after,min_charge,max_charge,effective_from,effective_until,"
    "window,weight,tiers,blocked\n";

TEST(Decks, AreInForceAtOnce) {
    House house;
    house.furnish();
    EXPECT_EQ(put_deck(house, kDeck).body, "{\"version\":2,\"rows\":2,\"prefixes\":2,\"milliseconds\":0}\n");
    const auto version = house.tariffs.current(*house.tariffs.find("retail"));
    EXPECT_EQ(version->deck->row_count(), 2U);
}

// Goal: settings that are put later leave the deck in force.
TEST(Decks, StayWhenSettingsChange) {
    const House house;
    house.furnish();
    (void)put_deck(house, kDeck);
    (void)house.send("PUT", "/v1/tariffs/retail", R"({"currency":"EUR","decimals":2})");
    EXPECT_TRUE(
        has(house.send("GET", "/v1/tariffs/retail"), "\"version\":3,\"currency\":\"EUR\",\"decimals\":2"));
    EXPECT_TRUE(has(house.send("GET", "/v1/tariffs/retail"), "\"rows\":2"));
}

// Goal: every fault up to faults_max (2 here) is told with line and column, the rest are counted; the old
// deck stays.
TEST(Decks, AreRefusedWhole) {
    const House house;
    house.furnish();
    (void)put_deck(house, kDeck);
    const Response refused = put_deck(house, "prefix,rate_per_minute\n49,0.01\n4x,0.02\n43,cheap\n44,-1\n");
    EXPECT_EQ(refused.status, 422U);
    EXPECT_EQ(refused.content_type, "application/problem+json");
    EXPECT_TRUE(has(refused, "\"errors\":[{\"line\":3,\"column\":\"prefix\",\"message\":")) << refused.body;
    EXPECT_TRUE(has(refused, "{\"line\":4,\"column\":\"rate_per_minute\",\"message\":")) << refused.body;
    EXPECT_FALSE(has(refused, "\"line\":5"));
    EXPECT_TRUE(has(refused, "\"error_count\":3"));
    EXPECT_TRUE(has(house.send("GET", "/v1/tariffs/retail"), "\"version\":2"));
}

TEST(Decks, NeedTheirTariff) {
    const House house;
    const Response refused = put_deck(house, "not even a deck");
    EXPECT_EQ(refused.status, 404U);
}

TEST(Decks, ComeAsCsvOrAsNothingInParticular) {
    const House house;
    house.furnish();
    for (const char* type : {"", "text/csv", "text/csv; charset=utf-8", "application/csv",
                             "application/octet-stream", "application/x-www-form-urlencoded"}) {
        EXPECT_EQ(put_deck(house, kDeck, type).status, 200U) << type;
    }
    for (const char* type : {"application/json", "text/html"}) {
        EXPECT_EQ(put_deck(house, kDeck, type).status, 415U) << type;
    }
}

TEST(Decks, MayBePacked) {
    const House house;
    house.furnish();
    EXPECT_EQ(put_deck(house, packed(kDeck), "text/csv", "gzip").status, 200U);
    EXPECT_EQ(put_deck(house, packed(kDeck), "text/csv").status, 200U);  // Known by its first bytes.
    EXPECT_EQ(put_deck(house, packed(kDeck), "application/gzip").status, 200U);
    EXPECT_EQ(put_deck(house, kDeck, "text/csv", "gzip").status, 422U);
    EXPECT_EQ(put_deck(house, packed(kDeck).substr(0, 30), "text/csv", "gzip").status, 422U);
    EXPECT_EQ(put_deck(house, kDeck, "text/csv", "br").status, 415U);
    EXPECT_EQ(put_deck(house, packed(std::string(kTestBodyBytesMax + 1, '\n'))).status, 413U);
}

// ---- Versions ----

// Goal: each version says what made it and which file its deck is, the newest first; the checksum goes with
// the deck through settings and rollbacks, and packing makes no difference to it.
// Method: checksums are what Python's zlib.crc32 says of the two texts.
TEST(Versions, AreListed) {
    const House house;
    house.furnish();
    (void)put_deck(house, kDeck);
    (void)put_deck(house, packed(kOther));
    (void)house.send("PUT", "/v1/tariffs/retail", R"({"currency":"EUR","decimals":2})");
    (void)house.send("POST", "/v1/tariffs/retail/deck:rollback");
    const std::string by = R"("who":"admin","when":"1970-01-01T00:00:00Z",)";
    EXPECT_EQ(house.send("GET", "/v1/tariffs/retail/versions").body,
              R"({"versions":[{"version":5,"change":"rollback",)" + by +
                  R"("rows":2,"prefixes":2,"checksum":"ded04486","in_force":true},)"
                  R"({"version":4,"change":"settings",)" +
                  by +
                  R"("rows":1,"prefixes":1,"checksum":"c6ad84fc","in_force":false},)"
                  R"({"version":3,"change":"deck",)" +
                  by +
                  R"("rows":1,"prefixes":1,"checksum":"c6ad84fc","in_force":false},)"
                  R"({"version":2,"change":"deck",)" +
                  by +
                  R"("rows":2,"prefixes":2,"checksum":"ded04486","in_force":false},)"
                  R"({"version":1,"change":"settings",)" +
                  by +
                  R"("rows":0,"prefixes":0,"checksum":null,"in_force":false}]})"
                  "\n");
    (void)put_deck(house, kOther);
    const Response later = house.send("GET", "/v1/tariffs/retail/versions");
    EXPECT_TRUE(has(later, R"([{"version":6,)"));
    EXPECT_FALSE(has(later, R"("version":1,)"));  // A book keeps five.
    EXPECT_EQ(house.status("GET", "/v1/tariffs/nobody/versions"), 404U);
    EXPECT_EQ(house.status("GET", "/v1/tariffs/retail/versions?limit=1"), 400U);
}

TEST(Versions, ShowTheirDecks) {
    const House house;
    house.furnish();
    EXPECT_EQ(house.status("GET", "/v1/tariffs/retail/deck"), 404U);
    (void)put_deck(house, kDeck);
    (void)put_deck(house, kOther);
    const Response in_force = house.send("GET", "/v1/tariffs/retail/deck");
    EXPECT_EQ(in_force.status, 200U);
    EXPECT_EQ(in_force.content_type, "text/csv; charset=utf-8");
    EXPECT_EQ(in_force.body, std::string{kColumns} + "44,,,0.5,0,1,1,0,0,0,0,0,,,,,0,,0\n");
    const Response first = house.send("GET", "/v1/tariffs/retail/deck?version=2");
    EXPECT_TRUE(has(first, "\n4930,,,0.02,")) << first.body;
    EXPECT_EQ(put_deck(house, first.body).status, 200U);  // What is shown can be put again.

    const Response without = house.send("GET", "/v1/tariffs/retail/deck?version=1");
    EXPECT_EQ(without.status, 404U);
    EXPECT_TRUE(has(without, "has no deck"));
    const Response unknown = house.send("GET", "/v1/tariffs/retail/deck?version=9");
    EXPECT_EQ(unknown.status, 404U);
    EXPECT_TRUE(has(unknown, "kept are 1, 2, 3, 4")) << unknown.body;
    EXPECT_EQ(house.status("GET", "/v1/tariffs/nobody/deck"), 404U);
    for (const std::string_view query : {"version=", "version=0", "version=x", "version=-1", "of=2",
                                         "version=2&version=3", "version=4294967296"}) {
        EXPECT_EQ(house.status("GET", "/v1/tariffs/retail/deck?" + std::string{query}), 400U) << query;
    }
}

// ---- Differences ----

// Goal: what is asked for is compared, and by itself the deck in force with the one before it, however often
// settings were put between the two.
TEST(Differences, AreBetweenTwoVersions) {
    const House house;
    house.furnish();
    EXPECT_EQ(house.status("GET", "/v1/tariffs/nobody/deck:diff"), 404U);
    EXPECT_EQ(house.status("GET", "/v1/tariffs/retail/deck:diff"), 404U);
    (void)put_deck(house, "prefix,destination,rate_per_minute\n49,\"Germany, all\",0\n44,UK,0.008\n33,,1\n");
    EXPECT_TRUE(has(house.send("GET", "/v1/tariffs/retail/deck:diff"), "no other deck is kept"));
    (void)put_deck(house, "prefix,destination,rate_per_minute\n49,\"Germany, all\",1\n44,UK,0.01\n");
    (void)house.send("PUT", "/v1/tariffs/retail", R"({"currency":"EUR","markup_percent":10})");
    const std::string_view expected =
        R"({"from":2,"to":4,"counts":{"new":0,"gone":1,"dearer":2,"cheaper":0,"changed":0,"same":0},"new":[],)"
        R"("gone":[{"prefix":"33","destination":"","window":null,"effective_from":null,"old":"1","new":null,)"
        R"("percent":null,"columns":[]}],)"
        R"("dearer":[{"prefix":"44","destination":"UK","window":null,"effective_from":null,"old":"0.008",)"
        R"("new":"0.01","percent":"25.00","columns":["rate_per_minute"]},)"
        R"({"prefix":"49","destination":"Germany, all","window":null,"effective_from":null,"old":"0",)"
        R"("new":"1","percent":null,"columns":["rate_per_minute"]}],"cheaper":[],"changed":[]})"
        "\n";
    EXPECT_EQ(house.send("GET", "/v1/tariffs/retail/deck:diff").body, expected);
    EXPECT_EQ(house.send("GET", "/v1/tariffs/retail/deck:diff?to=4&from=2").body, expected);
    EXPECT_TRUE(has(house.send("GET", "/v1/tariffs/retail/deck:diff?from=4&to=2"), R"("new":1,)"));
    EXPECT_TRUE(has(house.send("GET", "/v1/tariffs/retail/deck:diff?limit=1"), R"("dearer":2,)"));
    EXPECT_FALSE(has(house.send("GET", "/v1/tariffs/retail/deck:diff?limit=1"), R"("prefix":"49")"));

    Request csv;
    csv.accept = "text/csv";
    EXPECT_EQ(house.send("GET", "/v1/tariffs/retail/deck:diff", {}, csv).body,
              "change,prefix,destination,window,effective_from,old,new,percent,columns\n"
              "gone,33,\"\",\"\",,1,,,\n"
              "dearer,44,\"UK\",\"\",,0.008,0.01,25.00,rate_per_minute\n"
              "dearer,49,\"Germany, all\",\"\",,0,1,,rate_per_minute\n");

    EXPECT_TRUE(has(house.send("GET", "/v1/tariffs/retail/deck:diff?from=1"), "has no deck"));
    EXPECT_EQ(house.status("GET", "/v1/tariffs/retail/deck:diff?from=9"), 404U);
    EXPECT_EQ(house.status("GET", "/v1/tariffs/retail/deck:diff?to=9"), 404U);
    EXPECT_EQ(house.status("GET", "/v1/tariffs/retail/deck:diff?limit=0"), 400U);
    EXPECT_EQ(house.status("GET", "/v1/tariffs/retail/deck:diff?limit=100001"), 400U);
}

// ---- Rolling back ----

TEST(RollBack, PutsAnEarlierDeckInForce) {
    const House house;
    house.furnish();
    (void)put_deck(house, kDeck);
    (void)put_deck(house, kOther);
    const Response back = house.send("POST", "/v1/tariffs/retail/deck:rollback");
    EXPECT_EQ(back.status, 200U);
    EXPECT_EQ(back.body, "{\"version\":4,\"rows\":2,\"prefixes\":2,\"milliseconds\":0}\n");
    const Response forth = house.send("POST", "/v1/tariffs/retail/deck:rollback", R"({"version":3})");
    EXPECT_EQ(forth.body, "{\"version\":5,\"rows\":1,\"prefixes\":1,\"milliseconds\":0}\n");
}

// Goal: every no has its word, and changes nothing.
TEST(RollBack, IsRefusedWithAWord) {
    const House house;
    const auto refused = [&](std::string_view body, unsigned status, std::string_view word) {
        const Response response = house.send("POST", "/v1/tariffs/retail/deck:rollback", body);
        EXPECT_EQ(response.status, status) << response.body;
        EXPECT_TRUE(has(response, word)) << response.body;
    };
    refused("", 404, "no tariff");
    (void)house.send("PUT", "/v1/tariffs/retail",
                     R"({"currency":"EUR","windows":{"night":[{"until":"06:00"}]}})");
    refused("", 409, "no other deck is kept");
    (void)put_deck(house, "prefix,rate_per_minute,window\n49,1,night\n");
    refused("{}", 409, "no other deck is kept");
    refused(R"({"version":1})", 409, "had no deck");
    refused(R"({"version":2})", 409, "is the one in force");
    refused(R"({"version":7})", 404, "kept are 1, 2");
    (void)put_deck(house, kOther);
    (void)house.send("PUT", "/v1/tariffs/retail", R"({"currency":"EUR"})");
    refused("", 422, R"({"line":2,"column":"window","message":)");
    refused(R"({"version":"2"})", 422, "version");
    refused(R"({"number":2})", 422, "no such field");
    refused("[", 422, "");
    EXPECT_TRUE(has(house.send("GET", "/v1/tariffs/retail"), R"("version":4,)"));
}

}  // namespace
}  // namespace tollgate::daemon::admin
