#include "daemon/admin/deck_diff.h"

#include <gtest/gtest.h>

#include "rating/deck_csv.h"

namespace tollgate::daemon::admin {
namespace {

using rating::Price;

/// The differences as text, such as `gone 44, dearer 49 rate_per_minute`, and how many rows are the same.
std::string shown(std::string_view before_csv, std::string_view after_csv) {
    const auto before = rating::read_deck_csv(before_csv, {}).deck;
    const auto after = rating::read_deck_csv(after_csv, {}).deck;
    const DeckDiff diff = compare(*before, *after, 100);
    std::string text;
    for (std::size_t kind = 0; kind < kRowChanges; ++kind) {
        EXPECT_EQ(diff.counts[kind], diff.lists[kind].size());
        for (const RowPair pair : diff.lists[kind]) {
            const bool has_new = pair.after != rating::Deck::kNoRow;
            text.append(kRowChangeWords[kind]).append(" ");
            text += (has_new ? after->prefix(pair.after) : before->prefix(pair.before)).text().view();
            if (has_new && pair.before != rating::Deck::kNoRow) {
                for (const auto column : different_columns(before->row(pair.before), after->row(pair.after)))
                    text.append(" ").append(column);
            }
            text += ", ";
        }
    }
    return text + "same " + std::to_string(diff.same);
}

TEST(DeckDiff, TellsWhatBecameOfEachRow) {
    EXPECT_EQ(shown("prefix,rate_per_minute,increment\n*,1,1\n1,2,1\n44,3,1\n49,4,1\n7,5,1\n",
                    "prefix,rate_per_minute,increment\n*,1,1\n1,1,1\n33,3,1\n49,5,60\n7,5,60\n"),
              "new 33, gone 44, dearer 49 rate_per_minute increment, cheaper 1 rate_per_minute, "
              "changed 7 increment, same 1");
}

// Goal: every column that a row has counts, and nothing else: neither its line nor what stands beside it.
TEST(DeckDiff, SeesEveryColumn) {
    const std::vector<std::pair<std::string_view, std::string_view>> columns = {
        {"destination", "x"},       {"country", "DE"},       {"connect_fee", "1"},
        {"initial_increment", "6"}, {"increment", "6"},      {"grace_seconds", "6"},
        {"included_seconds", "6"},  {"disconnect_fee", "1"}, {"disconnect_after", "6"},
        {"min_charge", "1"},        {"max_charge", "1"},     {"effective_from", "100"},
        {"effective_until", "100"}, {"tiers", "60:1/1"},     {"blocked", "1"}};
    for (const auto& [column, value] : columns) {
        const std::string after =
            "rate_per_minute,prefix," + std::string{column} + "\n0.10,49," + std::string{value} + "\n";
        EXPECT_EQ(shown("prefix,rate_per_minute\n49,0.1\n", after),
                  "changed 49 " + std::string{column} + ", same 0");
    }
    EXPECT_EQ(shown("prefix,rate_per_minute\n49,0.1\n",
                    "prefix,rate_per_minute,window\n48,1,\n49,0.1,\n49,0.2,peak\n"),
              "new 48, new 49, same 1");
}

// Goal: rows of a prefix are paired by window, weight and effective_from; one left on each side is the same
// row that begins at another time, two are not.
TEST(DeckDiff, PairsRowsOfAPrefix) {
    const std::string header = "prefix,window,weight,effective_from,rate_per_minute\n";
    const std::string before = header + "49,,0,100,1\n49,,0,200,2\n49,peak,0,100,3\n49,,5,100,4\n";
    EXPECT_EQ(shown(before, header + "49,,5,100,4\n49,peak,0,100,3\n49,,0,200,2\n49,,0,100,1\n"), "same 4");
    EXPECT_EQ(shown(before, header + "49,,0,100,1\n49,,0,300,9\n49,night,0,100,3\n49,,6,100,4\n"),
              "new 49, new 49, gone 49, gone 49, dearer 49 rate_per_minute effective_from, same 1");
    EXPECT_EQ(shown(before, header + "49,,0,300,1\n49,,0,400,2\n49,peak,0,100,3\n49,,5,100,4\n"),
              "new 49, new 49, gone 49, gone 49, same 2");
}

TEST(DeckDiff, CountsWhatItDoesNotList) {
    const auto before = rating::read_deck_csv("prefix,rate_per_minute\n1,1\n", {}).deck;
    const auto after = rating::read_deck_csv("prefix,rate_per_minute\n2,1\n3,1\n4,1\n", {}).deck;
    const DeckDiff diff = compare(*before, *after, 2);
    EXPECT_EQ(diff.counts[0], 3U);
    ASSERT_EQ(diff.lists[0].size(), 2U);
    EXPECT_EQ(after->prefix(diff.lists[0][1].after).text().view(), "3");
}

// Goal: exact for every two prices; halves go away from zero.
// Method: 1/3 of 3 is 33.33 %, 1/8 of a percent is 0.125 %, and the widest is (10^18 - 1) * 100 %.
TEST(DeckDiff, PercentIsExact) {
    const auto percent = [](std::int64_t before, std::int64_t after) {
        return percent_of_change(Price::from_nanos(before), Price::from_nanos(after));
    };
    EXPECT_EQ(percent(8, 10), "25.00");
    EXPECT_EQ(percent(3, 4), "33.33");
    EXPECT_EQ(percent(3, 2), "-33.33");
    EXPECT_EQ(percent(3, 5), "66.67");
    EXPECT_EQ(percent(800, 801), "0.13");
    EXPECT_EQ(percent(800, 799), "-0.13");
    EXPECT_EQ(percent(100'000, 99'999), "0.00");
    EXPECT_EQ(percent(20'000, 19'999), "-0.01");
    EXPECT_EQ(percent(7, 0), "-100.00");
    EXPECT_EQ(percent(7, 7), "0.00");
    EXPECT_EQ(percent(1, 1'000'000'000'000'000'000), "99999999999999999900.00");
}

}  // namespace
}  // namespace tollgate::daemon::admin
