#include "daemon/admin/deck_check.h"

#include <gtest/gtest.h>

#include "rating/charge.h"
#include "rating/deck_csv.h"
#include "tests/daemon/admin/house.h"

namespace tollgate::daemon::admin {
namespace {

constexpr rating::Instant kNow{std::chrono::seconds{1'000}};

rating::TariffVersion version(std::string_view csv, std::int64_t markup = 0) {
    rating::TariffVersion made{
        .tariff = "t", .settings = {}, .deck = {}, .file = {}, .calendar = {}, .origin = {}, .pins = {}};
    made.settings.markup = markup;
    if (csv.empty()) return made;
    made.deck = rating::read_deck_csv(csv, {}).deck;
    EXPECT_NE(made.deck, nullptr) << csv;
    return made;
}

std::string shown(const DeckWarnings& warnings, const rating::Deck& deck) {
    std::string text;
    for (const Warning& warning : warnings.list) {
        text.append(kWarningWords[static_cast<std::size_t>(warning.kind)]).append(" ");
        text.append(deck.prefix(warning.row).text().view()).append(" ").append(rating::format(warning.price));
        if (warning.kind != WarningKind::shadowed) {
            text.append(" against ").append(warning.other_prefix.text().view());
            text.append(" ").append(rating::format(warning.other_price));
        }
        text.append("; ");
    }
    return text;
}

/// What is said of a deck by itself, or of one that would replace another.
std::string checked(std::string_view csv, std::string_view in_force = {}, std::int64_t markup = 0) {
    const auto would_be = version(csv, markup);
    const auto is = version(in_force, markup);
    return shown(check_deck(would_be, is, {}, kNow), *would_be.deck);
}

// Goal: ten times and a tenth are too much, a hair less is not; the longest prefix in force that numbers of
// the row have is what it is held against, and nothing is held against a price of 0.
TEST(DeckCheck, SeesTenfoldPrices) {
    const std::string header = "prefix,rate_per_minute\n";
    const std::string in_force = header + "*,5\n44,0.02\n4420,0\n49,0.01\n4930,0.5\n";
    EXPECT_EQ(checked(header + "49,0.1\n44,0.002\n", in_force),
              "tenfold 44 0.002 against 44 0.02; tenfold 49 0.1 against 49 0.01; ");
    EXPECT_EQ(checked(header + "49,0.099999999\n44,0.002000001\n", in_force), "");
    EXPECT_EQ(checked(header + "49301,0.1\n49311,0.1\n4420,9\n44207,9\n4421,0\n1,50\n", in_force),
              "tenfold 1 50 against * 5; tenfold 49311 0.1 against 49 0.01; ");
    EXPECT_EQ(checked(header + "49,0.1\n", {}), "");
    EXPECT_EQ(checked(header + "49,0.1\n", in_force, 500'000), "tenfold 49 0.15 against 49 0.015; ");
    EXPECT_EQ(checked(header + "49,0.1\n", in_force, rating::kMarkupMin), "");
}

// Goal: rows are held against each other as they are now; those of yesterday and tomorrow do not exist.
TEST(DeckCheck, LooksAtWhatIsInEffectNow) {
    const std::string header = "prefix,rate_per_minute,effective_from,effective_until\n";
    const std::string in_force = header + "4,1,,\n49,1000,,900\n49,1000,2000,\n";
    EXPECT_EQ(checked(header + "49,1,,1001\n49,1000,1001,\n", in_force), "");
    EXPECT_EQ(checked(header + "49,1,,1000\n49,1000,1000,\n", in_force), "tenfold 49 1000 against 4 1; ");
    EXPECT_EQ(checked(header + "4,1,,\n49,1000,1001,\n", in_force), "");
}

TEST(DeckCheck, SeesMobileBelowFixed) {
    const std::string header = "prefix,rate_per_minute,destination\n";
    EXPECT_EQ(checked(header + "49,0.02,Germany\n4915,0.019,Germany MOBILE\n4916,0.02,Germany Mobile\n"),
              "mobile_below_fixed 4915 0.019 against 49 0.02; ");
    EXPECT_EQ(checked(header + "1,2,A\n11,1,Cellular\n12,1,x-gsm\n13,1,HandyNet\n14,1,han dy\n15,1,mobil\n"),
              "mobile_below_fixed 11 1 against 1 2; mobile_below_fixed 12 1 against 1 2; "
              "mobile_below_fixed 13 1 against 1 2; ");
    // The next shorter one is mobile itself, is the fallback, or is not there.
    EXPECT_EQ(checked(header + "*,9,Rest\n1,2,A\n11,3,Mobile\n112,1,Mobile B\n2,1,Mobile\n"), "");
}

TEST(DeckCheck, SeesShadowedRows) {
    std::string csv = "prefix,rate_per_minute,effective_from\n49,1,\n4,1,\n";
    for (int digit = 0; digit < 9; ++digit)
        csv += "49" + std::to_string(digit) + ",1,\n";
    EXPECT_EQ(checked(csv + "4990,1,\n"), "");
    EXPECT_EQ(checked(csv + "499,1,1001\n"), "");  // Not in effect yet.
    EXPECT_EQ(checked(csv + "499,1,1000\n"), "shadowed 49 1; ");
}

TEST(DeckCheck, SeesWhatIsSoldBelowTheLevelAbove) {
    const auto would_be = version("prefix,rate_per_minute\n44,1\n49,1\n4930,1.1\n33,1\n", 500'000);
    const auto is = version({});
    const auto above = version("prefix,rate_per_minute\n44,1\n49,1.6\n4931,9\n", 0);
    const auto dear = version("prefix,rate_per_minute\n33,1\n", 1'000'000);
    const auto without = version({});
    const std::array<const rating::TariffVersion*, 3> all = {&above, &dear, &without};
    EXPECT_EQ(shown(check_deck(would_be, is, all, kNow), *would_be.deck),
              "below_level_above 33 1.5 against 33 2; below_level_above 49 1.5 against 49 1.6; ");
}

TEST(DeckCheck, ListsSoManyOfAKindAndCountsAll) {
    std::string before = "prefix,rate_per_minute\n";
    std::string after = before;
    for (int i = 1'000; i < 1'150; ++i) {
        before += std::to_string(i) + ",1\n";
        after += std::to_string(i) + ",10\n";
    }
    const auto would_be = version(after);
    const auto is = version(before);
    const auto warnings = check_deck(would_be, is, {}, kNow);
    EXPECT_EQ(warnings.counts[0], 150U);
    EXPECT_EQ(warnings.list.size(), kWarningsListedMax);
}

// ---- Over the router ----

Response check(const House& house, std::string_view deck) {
    return house.send("POST", "/v1/tariffs/retail/deck:check", deck);
}

// Goal: nothing is put in force, and the answer has line, prefix and what the row was held against.
TEST(Checks, ChangeNothing) {
    const House house;
    EXPECT_EQ(check(house, "prefix,rate_per_minute\n49,1\n").status, 404U);
    house.furnish();
    (void)put_deck(house, "prefix,rate_per_minute\n49,0.01\n");
    const Response warned = check(house, "prefix,destination,rate_per_minute\n44,UK,1\n4930,Berlin,0.1\n");
    EXPECT_EQ(warned.status, 200U);
    EXPECT_EQ(
        warned.body,
        R"({"rows":2,"prefixes":2,"faults":0,"warnings":[{"line":3,"prefix":"4930","destination":"Berlin",)"
        R"("warning":"tenfold","price":"0.1","tariff":"retail","other_prefix":"49","other_price":"0.01"}],)"
        R"("warning_counts":{"tenfold":1,"mobile_below_fixed":0,"shadowed":0,"below_level_above":0}})"
        "\n");
    EXPECT_TRUE(has(house.send("GET", "/v1/tariffs/retail"), R"("version":2,)"));
}

// Goal: what PUT refuses is refused in the same words.
TEST(Checks, RefuseWhatAPutRefuses) {
    const House house;
    house.furnish();
    for (const std::string_view faulty : {"", "prefix\n49\n", "prefix,rate_per_minute\n4x,1\n",
                                          "prefix,rate_per_minute,window\n49,1,noon\n"}) {
        const Response refused = check(house, faulty);
        EXPECT_EQ(refused.status, 422U) << faulty;
        EXPECT_EQ(refused.body, put_deck(house, faulty).body);
    }
}

// Goal: the level above is the next one that pays, whoever stands between; only in the same currency.
// Method: retail is held by customers below a margin reseller, below a commission reseller and a distributor
// of his, below a reseller in dollars, and below the provider; only the tariffs of the first and of his like
// above the passed over count.
TEST(Checks, FindTheLevelAbove) {
    const House house;
    house.furnish();
    for (const std::string_view id : {"bulk", "lot", "far"}) {
        EXPECT_EQ(house.status("PUT", "/v1/tariffs/" + std::string{id},
                               id == "far" ? R"({"currency":"USD"})" : R"({"currency":"EUR"})"),
                  201U);
        EXPECT_EQ(house.status("PUT", "/v1/tariffs/" + std::string{id} + "/deck",
                               "prefix,rate_per_minute\n49,0.0" + std::to_string(id.size()) + "\n"),
                  200U);
    }
    for (const std::string_view party :
         {R"({"id":"m","kind":"reseller","parent":"root","tariff":"bulk"})",
          R"({"id":"n","kind":"reseller","parent":"root","tariff":"lot"})",
          R"({"id":"c","kind":"reseller","parent":"n","terms":"commission"})",
          R"({"id":"d","kind":"distributor","parent":"c"})",
          R"({"id":"u","kind":"reseller","parent":"root","currency":"USD","tariff":"far"})",
          R"({"id":"m1","kind":"customer","parent":"m","tariff":"retail"})",
          R"({"id":"d1","kind":"customer","parent":"d","tariff":"retail"})",
          R"({"id":"u1","kind":"customer","parent":"u","currency":"EUR","tariff":"retail"})",
          R"({"id":"r1","kind":"customer","parent":"root","tariff":"retail"})"}) {
        EXPECT_EQ(house.status("POST", "/v1/parties", party), 201U) << party;
    }
    const Response warned = check(house, "prefix,rate_per_minute\n49,0.02\n");
    EXPECT_TRUE(has(warned, R"("below_level_above":2}})")) << warned.body;
    EXPECT_TRUE(has(warned, R"("price":"0.02","tariff":"bulk","other_prefix":"49","other_price":"0.04")"));
    EXPECT_TRUE(has(warned, R"("price":"0.02","tariff":"lot","other_prefix":"49","other_price":"0.03")"));
    EXPECT_EQ(house.status("DELETE", "/v1/parties/d1"), 200U);
    EXPECT_TRUE(has(check(house, "prefix,rate_per_minute\n49,0.02\n"), R"("below_level_above":1}})"));
}

}  // namespace
}  // namespace tollgate::daemon::admin
