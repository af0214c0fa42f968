#include "rating/deck_csv.h"

#include <string>

#include <gtest/gtest.h>

namespace tollgate::rating {
namespace {

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

Instant at(const char* text) {
    return *parse_instant(text);
}

TEST(DeckCsv, ReadsColumnsByNameInAnyOrder) {
    const auto reading = read(
        "destination,rate_per_minute,prefix,connect_fee,increment,initial_increment,grace_seconds,included_"
        "seconds,"
        "disconnect_fee,disconnect_after,min_charge,max_charge,country,blocked\n"
        "Germany,0.0123,49,0.01,6,30,3,10,0.02,60,0.5,9.5,DE,1\n");
    ASSERT_NE(reading.deck, nullptr);
    const Row row = reading.deck->row(reading.deck->find("4930", Instant{}));
    EXPECT_EQ(row.prefix, "49");
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
        return reading.deck->row(reading.deck->find(number, Instant{})).destination;
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
    EXPECT_EQ(column("window", "peak"), "window");
    EXPECT_EQ(column("weight", "10"), "weight");
    EXPECT_EQ(column("tiers", "60:0.02/6"), "tiers");
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
        return reading.deck->rate(reading.deck->find(number, at(when))).price;
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
        return reading.deck->rate(reading.deck->find("49", at(when))).price;
    };
    EXPECT_EQ(price_at("2025-12-31T00:00:00Z"), *parse_price("0.1"));
    EXPECT_EQ(price_at("2026-01-15T00:00:00Z"), *parse_price("0.2"));
    EXPECT_EQ(price_at("2026-03-01T00:00:00Z"), *parse_price("0.3"));
}

TEST(Deck, WithoutAMatchThereIsNoRow) {
    const auto reading = read("prefix,rate_per_minute\n49,0.1\n");
    EXPECT_EQ(reading.deck->find("48", Instant{}), Deck::kNoRow);
}

}  // namespace
}  // namespace tollgate::rating
