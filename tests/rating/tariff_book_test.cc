#include "rating/tariff_book.h"

#include <atomic>
#include <random>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "rating/deck_csv.h"

namespace tollgate::rating {
namespace {

TariffSettings euros() {
    TariffSettings settings;
    settings.currency = *Currency::parse("EUR");
    return settings;
}
std::shared_ptr<const Deck> deck(const char* csv) {
    return read_deck_csv(csv, {}).deck;
}
Deck::RowIndex find(const TariffBook& book, TariffId id, std::string_view number) {
    const auto reading = book.read();
    return reading.find(id, reading.place(number), Instant{}).row;
}

TEST(TariffBook, EveryChangeIsAVersionThatKeepsTheRest) {
    TariffBook book;
    EXPECT_EQ(book.put_settings("retail", euros()).status, TariffBook::PutStatus::created);
    const auto id = book.find("retail");
    ASSERT_TRUE(id);
    const auto first = book.current(*id);
    EXPECT_EQ(first->number, 1U);
    EXPECT_EQ(find(book, *id, "49"), Deck::kNoRow) << "no deck yet";

    EXPECT_EQ(book.put_deck("retail", deck("prefix,rate_per_minute\n49,1\n")).number, 2U);
    TariffSettings coarse = euros();
    coarse.decimals = 2;
    EXPECT_EQ(book.put_settings("retail", coarse).status, TariffBook::PutStatus::replaced);
    const auto third = book.current(*id);
    EXPECT_EQ(third->number, 3U);
    EXPECT_EQ(third->settings.decimals, 2);
    EXPECT_NE(find(book, *id, "49"), Deck::kNoRow) << "the deck stays";
    EXPECT_EQ(third->tariff, "retail");
    EXPECT_EQ(first->number, 1U) << "a version that somebody holds is still there";
}

TEST(TariffBook, UnknownTariffsAndChangedCurrenciesAreRefused) {
    TariffBook book;
    EXPECT_EQ(book.find("retail"), std::nullopt);
    EXPECT_EQ(book.put_deck("retail", deck("prefix,rate_per_minute\n49,1\n")).status,
              TariffBook::PutStatus::unknown_tariff);
    ASSERT_EQ(book.put_settings("retail", euros()).status, TariffBook::PutStatus::created);
    TariffSettings dollars = euros();
    dollars.currency = *Currency::parse("USD");
    EXPECT_EQ(book.put_settings("retail", dollars).status, TariffBook::PutStatus::currency_differs);
    EXPECT_EQ(book.current(*book.find("retail"))->number, 1U);
}

// Goal: versions go when nobody needs them: not in force, not kept, not pinned, not held.
TEST(TariffBook, FreesWhatNobodyUses) {
    TariffBook book{2};
    ASSERT_TRUE(book.put_settings("retail", euros()).done());
    const TariffId id = *book.find("retail");
    const TariffVersion* pinned = nullptr;
    {
        const auto reading = book.read();
        pinned = &reading.version(id);
        pinned->pins.add();
    }
    for (int i = 0; i < 10; ++i)
        ASSERT_TRUE(book.put_deck("retail", deck("prefix,rate_per_minute\n49,1\n")).done());
    EXPECT_EQ(book.counts().versions, 3U) << "two that are kept, and the pinned one";
    EXPECT_EQ(book.history(id).front()->number, 10U);
    EXPECT_EQ(book.version(id, 1), nullptr) << "pinned, but not kept for administration";
    pinned->pins.remove();
    book.reclaim();
    EXPECT_EQ(book.counts().versions, 2U);
}

TEST(TariffBook, WhatIsBeingReadStays) {
    TariffBook book{1};
    ASSERT_TRUE(book.put_settings("retail", euros()).done());
    ASSERT_TRUE(book.put_deck("retail", deck("prefix,rate_per_minute\n49,1\n")).done());
    const TariffId id = *book.find("retail");
    {
        const auto reading = book.read();
        ASSERT_TRUE(book.put_deck("retail", deck("prefix,rate_per_minute\n48,7\n")).done());
        EXPECT_EQ(reading.version(id).number, 2U);
        EXPECT_NE(reading.find(id, reading.place("49"), Instant{}).rate, nullptr);
        const auto again = book.read();
        EXPECT_EQ(again.version(id).number, 2U) << "readings of one thread at once are one";
        EXPECT_EQ(book.counts().versions, 2U);
    }
    book.reclaim();
    EXPECT_EQ(book.counts().versions, 1U);
    EXPECT_EQ(find(book, id, "49"), Deck::kNoRow);
}

TEST(TariffBook, RollsBackToADeckThatIsKept) {
    TariffBook book{3};
    ASSERT_TRUE(book.put_settings("retail", euros()).done());
    EXPECT_EQ(book.roll_back("retail", 1).status, TariffBook::PutStatus::no_deck);
    ASSERT_TRUE(book.put_deck("retail", deck("prefix,rate_per_minute\n49,1\n")).done());
    ASSERT_TRUE(book.put_deck("retail", deck("prefix,rate_per_minute\n48,7\n")).done());
    EXPECT_EQ(book.roll_back("retail", 2).number, 4U);
    const TariffId id = *book.find("retail");
    EXPECT_NE(find(book, id, "49"), Deck::kNoRow);
    EXPECT_EQ(find(book, id, "48"), Deck::kNoRow);
    EXPECT_EQ(book.current(id)->change, Change::rollback);
    EXPECT_EQ(book.roll_back("retail", 1).status, TariffBook::PutStatus::unknown_version);
    EXPECT_EQ(book.roll_back("resale", 1).status, TariffBook::PutStatus::unknown_tariff);
}

TEST(TariffBook, DecksAndSettingsFitEachOther) {
    TariffBook book;
    TariffSettings settings = euros();
    settings.windows = {{"day", {{.from = 8 * 3600, .until = 20 * 3600}}},
                        {"night", {{.until = 8 * 3600}, {.from = 20 * 3600}}}};
    ASSERT_TRUE(book.put_settings("retail", settings).done());
    EXPECT_TRUE(
        book.put_deck("retail", deck("prefix,rate_per_minute,window\n49,2,day\n49,1,night\n")).done());
    const auto unknown = book.put_deck("retail", deck("prefix,rate_per_minute,window\n49,2,noon\n"));
    EXPECT_EQ(unknown.status, TariffBook::PutStatus::window_faults);
    ASSERT_EQ(unknown.faults.size(), 1U);
    EXPECT_EQ(unknown.faults[0].line, 2U);
    EXPECT_EQ(book.put_settings("retail", euros()).status, TariffBook::PutStatus::window_faults)
        << "a window in use goes";
    settings.windows[0].ranges[0].until = 21 * 3600;
    const auto tie = book.put_settings("retail", settings);
    EXPECT_EQ(tie.status, TariffBook::PutStatus::window_faults) << "20:00 to 21:00 would be both";
    EXPECT_EQ(book.current(*book.find("retail"))->number, 2U);
}

// Goal: one tree finds in every deck what the deck itself finds, whatever is put in force in what order.
// Method: many tariffs, large decks and small ones, replaced at random; seeded.
TEST(TariffBook, EveryColumnAgreesWithItsDeck) {
    std::mt19937 random{20'261'122};
    TariffBook book{1};
    constexpr std::size_t kTariffs = 6;
    for (std::size_t i = 0; i < kTariffs; ++i)
        ASSERT_TRUE(book.put_settings("t" + std::to_string(i), euros()).done());
    const auto digits = [&random](std::size_t most) {
        std::string text(1 + random() % most, '0');
        for (char& c : text)
            c = static_cast<char>('0' + random() % 4);
        return text;
    };
    for (int round = 0; round < 60; ++round) {
        std::set<std::string> prefixes;
        for (std::size_t count = 1 + random() % (round % 3 == 0 ? 400 : 12); count > 0; --count)
            prefixes.insert(digits(kPrefixDigitsMax));
        std::string csv = "prefix,rate_per_minute\n";
        for (const auto& prefix : prefixes)
            csv += prefix + ",1\n";
        if (random() % 2 == 0) csv += "*,1\n";
        const std::string id = "t" + std::to_string(random() % kTariffs);
        ASSERT_TRUE(book.put_deck(id, deck(csv.c_str())).done());
        for (std::size_t i = 0; i < kTariffs; ++i) {
            const auto tariff = *book.find("t" + std::to_string(i));
            const auto version = book.current(tariff);
            for (int call = 0; version->deck != nullptr && call < 50; ++call) {
                const std::string number = digits(18);
                ASSERT_EQ(find(book, tariff, number), version->deck->longest(number).first) << number;
            }
        }
    }
}

// Goal: a version is seen whole or not at all while it is replaced.
// Method: one thread swaps decks of one price each, whose price is its version's number; others read.
TEST(TariffBookThreads, ReadersSeeWholeVersions) {
    TariffBook book;
    ASSERT_TRUE(book.put_settings("retail", euros()).done());
    ASSERT_EQ(book.put_deck("retail", deck("prefix,rate_per_minute\n49,2\n")).number, 2U);
    const TariffId id = *book.find("retail");
    std::atomic<bool> done{false};
    std::atomic<int> wrong{0};
    std::vector<std::jthread> readers;
    for (int i = 0; i < 3; ++i) {
        readers.emplace_back([&] {
            while (!done) {
                const auto reading = book.read();
                const TariffVersion& version = reading.version(id);
                const auto price = reading.find(id, reading.place("491"), Instant{}).rate->price;
                if (price.nanos() != std::int64_t{version.number} * 1'000'000'000) ++wrong;
                version.pins.add();
                version.pins.remove();
            }
        });
    }
    for (std::uint32_t number = 3; number < 300; ++number) {
        const std::string csv = "prefix,rate_per_minute\n49," + std::to_string(number) + "\n";
        ASSERT_EQ(book.put_deck("retail", deck(csv.c_str())).number, number);
    }
    done = true;
    readers.clear();
    EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace tollgate::rating
