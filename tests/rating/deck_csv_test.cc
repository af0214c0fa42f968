#include "rating/deck_csv.h"

#include <string>

#include <gtest/gtest.h>

#include "tests/support/literals.h"

namespace tollgate::rating {
namespace {

using tests::at;

DeckReading read(std::string_view csv, DeckLimits limits = {}) {
    return read_deck_csv(csv, limits);
}

/// The one fault of a deck that has one.
DeckFault only_fault(std::string_view csv) {
    const auto reading = read(csv);
    EXPECT_EQ(reading.deck, nullptr) << csv;
    EXPECT_EQ(reading.fault_count, 1U) << csv;
    return reading.faults.empty() ? DeckFault{} : reading.faults.front();
}

/// The row a call is rated by, in a deck without windows.
Deck::RowIndex find(const Deck& deck, std::string_view number, Instant when = {}) {
    return deck.in_effect(deck.longest(number), when, {}).row;
}

TEST(DeckCsv, ReadsColumnsByNameInAnyOrder) {
    const auto reading = read(
        "destination,rate_per_minute,prefix,connect_fee,increment,initial_increment,grace_seconds,included_"
        "seconds,"
        "disconnect_fee,disconnect_after,min_charge,max_charge,country,blocked\n"
        "Germany,0.0123,49,0.01,6,30,3,10,0.02,60,0.5,9.5,DE,1\n");
    ASSERT_NE(reading.deck, nullptr);
    const Row row = reading.deck->row(find(*reading.deck, "4930"));
    EXPECT_EQ(row.prefix.text().view(), "49");
    EXPECT_EQ(row.destination, "Germany");
    EXPECT_EQ(row.country, "DE");
    EXPECT_EQ(row.rate->price, *parse_price("0.0123"));
    EXPECT_EQ(row.rate->connect_fee, *parse_price("0.01"));
    EXPECT_EQ(row.rate->initial_increment, 30U);
    EXPECT_EQ(row.rate->increment, 6U);
    EXPECT_EQ(row.rate->grace_seconds, 3U);
    EXPECT_EQ(row.rate->included_seconds, 10U);
    EXPECT_EQ(row.rate->disconnect_fee, *parse_price("0.02"));
    EXPECT_EQ(row.rate->disconnect_after, 60U);
    EXPECT_EQ(row.rate->min_charge, *parse_price("0.5"));
    EXPECT_EQ(row.rate->max_charge, *parse_price("9.5"));
    EXPECT_TRUE(row.rate->blocked);
}

TEST(DeckCsv, AbsentAndEmptyColumnsHaveDefaults) {
    const auto reading = read("prefix,rate_per_minute,max_charge,initial_increment\n49,0.1,,\n");
    ASSERT_NE(reading.deck, nullptr);
    const Row row = reading.deck->row(0);
    EXPECT_EQ(row.rate->initial_increment, 1U);
    EXPECT_EQ(row.rate->increment, 1U);
    EXPECT_FALSE(row.rate->max_charge);
    EXPECT_FALSE(row.rate->blocked);
    EXPECT_EQ(row.effective_from, kAlways);
    EXPECT_EQ(row.effective_until, kNever);
}

TEST(DeckCsv, QuotesCommasUtf8CrlfAndByteOrderMarkAreOrdinary) {
    const auto reading = read(
        "\xEF\xBB\xBFprefix,destination,rate_per_minute\r\n"
        "1201,\"United States - \"\"Jersey City\"\", NJ\",0.1\r\n"
        "\r\n"
        "225,\"C\xC3\xB4te\nd'Ivoire\",\"0.2\"\r\n"
        "*,,0.3");
    ASSERT_NE(reading.deck, nullptr);
    const auto destination = [&](const char* number) {
        return reading.deck->row(find(*reading.deck, number)).destination;
    };
    EXPECT_EQ(destination("12015"), "United States - \"Jersey City\", NJ");
    EXPECT_EQ(destination("2257"), "C\xC3\xB4te\nd'Ivoire");
    EXPECT_EQ(destination("999"), "");
}

// Goal: each fault names its line, its column, the value and the way out.
TEST(DeckCsv, FaultsNameTheirPlace) {
    const auto fault = only_fault("prefix,rate_per_minute\n49,0.1\n4x,0.2\n");
    EXPECT_EQ(fault.line, 3U);
    EXPECT_EQ(fault.column, "prefix");
    EXPECT_NE(fault.message.find("\"4x\""), std::string::npos) << fault.message;
    EXPECT_NE(fault.message.find("expected 1 to 15 digits"), std::string::npos) << fault.message;
}

TEST(DeckCsv, LinesAreCountedThroughQuotedLineEnds) {
    EXPECT_EQ(only_fault("prefix,destination,rate_per_minute\n1,\"a\nb\nc\",0.1\n\n2,x,-1\n").line, 6U);
}

TEST(DeckCsv, EveryFieldIsJudged) {
    const auto column = [](const char* name, const char* value) {
        return only_fault(std::string{"prefix,rate_per_minute,"} + name + "\n49,0.1," + value + "\n").column;
    };
    EXPECT_EQ(column("connect_fee", "-0.1"), "connect_fee");
    EXPECT_EQ(column("connect_fee", "1e3"), "connect_fee");
    EXPECT_EQ(column("initial_increment", "1.5"), "initial_increment");
    EXPECT_EQ(column("increment", "0"), "increment");
    EXPECT_EQ(column("increment", "1000000001"), "increment");
    EXPECT_EQ(column("grace_seconds", "+3"), "grace_seconds");
    EXPECT_EQ(column("max_charge", "NaN"), "max_charge");
    EXPECT_EQ(column("effective_from", "yesterday"), "effective_from");
    EXPECT_EQ(column("country", "Germany"), "country");
    EXPECT_EQ(column("blocked", "yes"), "blocked");
    EXPECT_EQ(column("destination", "\xC3\x28"), "destination");
    EXPECT_EQ(column("window", std::string(65, 'w').c_str()), "window");
    EXPECT_EQ(column("weight", "1.5"), "weight");
    EXPECT_EQ(column("weight", "1000001"), "weight");
    for (const char* const tiers : {"60", "60:0.02", "60:0.02/0", "60:-1/6", "60/6:1", "x:0.02/6",
                                    "60:0.02/6;60:0.01/1", "60:0.02/6;6:0.01/1"})
        EXPECT_EQ(column("tiers", tiers), "tiers") << tiers;
    EXPECT_EQ(only_fault("prefix,rate_per_minute\n49,\n").column, "rate_per_minute");
    EXPECT_EQ(only_fault("prefix,rate_per_minute\n1234567890123456,1\n").column, "prefix");
    EXPECT_EQ(only_fault("prefix,rate_per_minute\n+49,1\n").column, "prefix");
}

TEST(DeckCsv, ColumnsThatAreNotUsedMayStandThereEmpty) {
    EXPECT_NE(read("prefix,rate_per_minute,window,weight,tiers\n49,0.1,,0,\n").deck, nullptr);
}

TEST(DeckCsv, TheHeaderIsJudged) {
    EXPECT_EQ(only_fault("prefix,rate_per_minute,colour\n49,1,red\n").column, "colour");
    EXPECT_EQ(only_fault("prefix\n49\n").column, "rate_per_minute");
    EXPECT_EQ(only_fault("prefix,rate_per_minute,prefix\n49,1,49\n").column, "prefix");
    EXPECT_EQ(only_fault("").line, 0U);
    EXPECT_EQ(only_fault("prefix,rate_per_minute\n").line, 0U) << "a deck without rows";
}

TEST(DeckCsv, RowsAreWhole) {
    EXPECT_EQ(only_fault("prefix,rate_per_minute\n49\n").line, 2U);
    EXPECT_EQ(only_fault("prefix,rate_per_minute\n49,1,2\n").line, 2U);
    EXPECT_EQ(only_fault("prefix,rate_per_minute\n49,\"1\n").line, 2U) << "never closed";
    EXPECT_EQ(only_fault("prefix,rate_per_minute\n49,\"1\"2\n").line, 2U);
    EXPECT_EQ(only_fault("prefix,rate_per_minute\n4\"9,1\n").line, 2U);
    EXPECT_EQ(only_fault("prefix,rate_per_minute,effective_from,effective_until\n"
                         "49,1,2026-01-02T00:00:00Z,2026-01-01T00:00:00Z\n")
                  .column,
              "effective_until");
}

// Goal: of two rows for one prefix and one instant neither goes before the other, so nobody may guess.
TEST(DeckCsv, TiesAreRefused) {
    const auto fault = only_fault("prefix,rate_per_minute\n49,1\n7,2\n49,3\n");
    EXPECT_EQ(fault.line, 4U);
    EXPECT_NE(fault.message.find("line 2"), std::string::npos) << fault.message;
    EXPECT_NE(read("prefix,rate_per_minute,effective_from\n49,1,\n49,3,2026-01-01T00:00:00Z\n").deck,
              nullptr);
}

TEST(DeckCsv, FaultsAreCountedBeyondTheirLimit) {
    std::string csv = "prefix,rate_per_minute\n";
    for (int i = 0; i < 10; ++i)
        csv += "x,1\n";
    const auto reading = read(csv, {.rows_max = 100, .faults_max = 3});
    EXPECT_EQ(reading.faults.size(), 3U);
    EXPECT_EQ(reading.fault_count, 10U);
}

TEST(DeckCsv, ADeckHasALimitedNumberOfRows) {
    const char* const csv = "prefix,rate_per_minute\n1,1\n2,1\n3,1\n";
    EXPECT_NE(read(csv, {.rows_max = 3, .faults_max = 10}).deck, nullptr);
    const auto reading = read(csv, {.rows_max = 2, .faults_max = 10});
    ASSERT_EQ(reading.fault_count, 1U);
    EXPECT_NE(reading.faults[0].message.find("deck.rows_max"), std::string::npos);
}

TEST(Deck, ARateChangeTakesEffectAtItsInstant) {
    const auto reading = read(
        "prefix,rate_per_minute,effective_from,effective_until\n"
        "49,0.1,2026-01-01T00:00:00Z,2026-03-05T00:00:00Z\n"
        "49,0.2,2026-03-05T00:00:00Z,\n"
        "4930,0.5,2026-01-01T00:00:00Z,2026-02-01T00:00:00Z\n"
        "*,9,,\n");
    ASSERT_NE(reading.deck, nullptr);
    const auto price_at = [&](const char* number, const char* when) {
        return reading.deck->rate(find(*reading.deck, number, at(when))).price;
    };
    EXPECT_EQ(price_at("491", "2026-03-04T23:59:59.999Z"), *parse_price("0.1"));
    EXPECT_EQ(price_at("491", "2026-03-05T00:00:00Z"), *parse_price("0.2"));
    EXPECT_EQ(price_at("49301", "2026-01-31T00:00:00Z"), *parse_price("0.5"));
    EXPECT_EQ(price_at("49301", "2026-02-01T00:00:00Z"), *parse_price("0.1"))
        << "a prefix out of effect does not exist: the shorter one is used";
    EXPECT_EQ(price_at("49301", "2025-01-01T00:00:00Z"), *parse_price("9")) << "down to the fallback";
    EXPECT_EQ(reading.deck->row_count(), 4U);
    EXPECT_EQ(reading.deck->prefix_count(), 3U);
}

TEST(Deck, OfSeveralRowsInEffectTheLatestHolds) {
    const auto reading = read(
        "prefix,rate_per_minute,effective_from\n49,0.1,\n49,0.2,2026-01-01T00:00:00Z\n49,0.3,2026-02-01T00:"
        "00:00Z\n");
    ASSERT_NE(reading.deck, nullptr);
    const auto price_at = [&](const char* when) {
        return reading.deck->rate(find(*reading.deck, "49", at(when))).price;
    };
    EXPECT_EQ(price_at("2025-12-31T00:00:00Z"), *parse_price("0.1"));
    EXPECT_EQ(price_at("2026-01-15T00:00:00Z"), *parse_price("0.2"));
    EXPECT_EQ(price_at("2026-03-01T00:00:00Z"), *parse_price("0.3"));
}

// Goal: a file may come in pieces of any size, cut anywhere, and is the same deck, or has the same faults.
TEST(DeckReader, PiecesMayBeCutAnywhere) {
    const std::string good =
        "\xEF\xBB\xBFprefix,destination,rate_per_minute,tiers\r\n\r\n"
        "49,\"Germany, \"\"all\"\"\nof it\",0.1,60:0.05/6;600:0.01/1\r\n4930,Berlin,0.2,\n*,,9,";
    const std::string faulty = "prefix,rate_per_minute\n4x,1\n49,\"1\"x\n48,1,2\n47,\"1\n46,1\n45,1\"2\n";
    const auto in_pieces = [](const std::string& csv, std::size_t size) {
        DeckReader reader{{}};
        for (std::size_t at = 0; at < csv.size(); at += size)
            reader.feed(std::string_view{csv}.substr(at, size));
        return reader.finish();
    };
    const std::string whole = write_deck_csv(*read(good).deck);
    const auto faults = read(faulty).faults;
    ASSERT_EQ(faults.size(), 4U);
    for (std::size_t size = 1; size < good.size() + 2; ++size) {
        const auto reading = in_pieces(good, size);
        ASSERT_NE(reading.deck, nullptr) << size;
        EXPECT_EQ(write_deck_csv(*reading.deck), whole) << size;
        const auto found = in_pieces(faulty, size).faults;
        ASSERT_EQ(found.size(), faults.size()) << size;
        for (std::size_t i = 0; i < faults.size(); ++i) {
            EXPECT_EQ(found[i].line, faults[i].line) << size;
            EXPECT_EQ(found[i].message, faults[i].message) << size;
        }
    }
}

TEST(DeckReader, AWrittenDeckReadAgainIsTheSame) {
    const auto first = read(
        "prefix,destination,country,rate_per_minute,connect_fee,initial_increment,increment,grace_seconds,"
        "included_seconds,disconnect_fee,disconnect_after,min_charge,max_charge,effective_from,effective_"
        "until,"
        "window,weight,tiers,blocked\n"
        "49,\"a \"\"b\"\", c\",DE,0.1,0.2,0,6,1,2,0.3,60,0.4,5,2026-01-01T00:00:00.5Z,2027-01-01T00:00:00Z,"
        "peak,-3,60:0.05/6,0\n49,,,0.000000001,,,,,,,,,,,,,,,1\n*,,,1,,,,,,,,,,,,\"off,peak\",7,,\n");
    ASSERT_NE(first.deck, nullptr);
    const std::string written = write_deck_csv(*first.deck);
    const auto second = read(written);
    ASSERT_NE(second.deck, nullptr);
    EXPECT_EQ(write_deck_csv(*second.deck), written);
    EXPECT_EQ(second.deck->row(2).weight, -3) << "of one prefix the heavier row comes first";
    EXPECT_EQ(second.deck->row(2).rate->tiers.size(), 1U);
}

// Goal: one upload tells all that is wrong: fields, ties, and the rows that are good for others to look at.
TEST(DeckReader, OneFaultHidesNoOther) {
    const auto reading = read(
        "prefix,rate_per_minute,effective_from,effective_until\n51x,1,,\n51,1,,\n51,2,,\n"
        "52,1,2500-01-01T00:00:00Z,\n53,1,,1600-01-01T00:00:00Z\n54,1,,\n");
    EXPECT_EQ(reading.deck, nullptr);
    ASSERT_NE(reading.rows, nullptr);
    EXPECT_EQ(reading.rows->row_count(), 3U);
    std::vector<std::pair<std::uint32_t, std::string>> places;
    for (const auto& fault : reading.faults)
        places.emplace_back(fault.line, fault.column);
    EXPECT_EQ(places,
              (std::vector<std::pair<std::uint32_t, std::string>>{
                  {2, "prefix"}, {5, "effective_from"}, {6, "effective_until"}, {4, "effective_from"}}));
}

TEST(DeckReader, ARowHasAnEnd) {
    const std::string endless = "prefix,rate_per_minute\n49,\"" + std::string(200'000, '\n') + "\"\n";
    const auto reading = read(endless);
    EXPECT_EQ(reading.deck, nullptr);
    EXPECT_NE(reading.faults.front().message.find("65536"), std::string::npos);
    EXPECT_EQ(reading.faults.front().line, 2U);
}

TEST(Deck, WeightThenWindowThenDateDecides) {
    const auto reading = read(
        "prefix,rate_per_minute,weight,window,effective_from\n"
        "49,1,,,\n49,2,,,2026-01-01T00:00:00Z\n49,3,,peak,\n49,4,5,,2020-01-01T00:00:00Z\n");
    ASSERT_NE(reading.deck, nullptr);
    std::vector<std::uint32_t> lines;
    for (Deck::RowIndex row = 0; row < 4; ++row)
        lines.push_back(reading.deck->row(row).line);
    EXPECT_EQ(lines, (std::vector<std::uint32_t>{5, 4, 3, 2}));
    EXPECT_EQ(only_fault("prefix,rate_per_minute,weight\n49,1,2\n49,2,2\n").line, 3U);
    EXPECT_EQ(only_fault("prefix,rate_per_minute,window\n49,1,a\n49,2,a\n").line, 3U);
}

TEST(Deck, WithoutAMatchThereIsNoRow) {
    const auto reading = read("prefix,rate_per_minute\n49,0.1\n");
    EXPECT_EQ(find(*reading.deck, "48"), Deck::kNoRow);
}

}  // namespace
}  // namespace tollgate::rating
