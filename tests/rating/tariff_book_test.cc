#include "rating/tariff_book.h"

#include <atomic>
#include <thread>

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

TEST(TariffBook, EveryChangeIsAVersionThatKeepsTheRest) {
    TariffBook book;
    EXPECT_EQ(book.put_settings("retail", euros()), TariffBook::PutStatus::created);
    const auto id = book.find("retail");
    ASSERT_TRUE(id);
    const TariffVersion& first = book.current(*id);
    EXPECT_EQ(first.number, 1U);
    EXPECT_EQ(first.find("49", Instant{}), Deck::kNoRow) << "no deck yet";

    EXPECT_EQ(book.put_deck("retail", deck("prefix,rate_per_minute\n49,1\n")), 2U);
    TariffSettings coarse = euros();
    coarse.decimals = 2;
    EXPECT_EQ(book.put_settings("retail", coarse), TariffBook::PutStatus::replaced);
    const TariffVersion& third = book.current(*id);
    EXPECT_EQ(third.number, 3U);
    EXPECT_EQ(third.settings.decimals, 2);
    EXPECT_NE(third.find("49", Instant{}), Deck::kNoRow) << "the deck stays";
    EXPECT_EQ(third.tariff, "retail");
    EXPECT_EQ(first.number, 1U) << "a version that a call pinned is still there";
}

TEST(TariffBook, UnknownTariffsAndChangedCurrenciesAreRefused) {
    TariffBook book;
    EXPECT_EQ(book.find("retail"), std::nullopt);
    EXPECT_EQ(book.put_deck("retail", deck("prefix,rate_per_minute\n49,1\n")), std::nullopt);
    ASSERT_EQ(book.put_settings("retail", euros()), TariffBook::PutStatus::created);
    TariffSettings dollars = euros();
    dollars.currency = *Currency::parse("USD");
    EXPECT_EQ(book.put_settings("retail", dollars), TariffBook::PutStatus::currency_differs);
    EXPECT_EQ(book.current(*book.find("retail")).number, 1U);
}

// Goal: a version is seen whole or not at all while it is replaced.
// Method: one thread swaps decks of one price each, whose price is its version's number; others read.
TEST(TariffBookThreads, ReadersSeeWholeVersions) {
    TariffBook book;
    ASSERT_EQ(book.put_settings("retail", euros()), TariffBook::PutStatus::created);
    ASSERT_EQ(book.put_deck("retail", deck("prefix,rate_per_minute\n49,2\n")), 2U);
    const TariffId id = *book.find("retail");
    std::atomic<bool> done{false};
    std::atomic<int> wrong{0};
    std::vector<std::jthread> readers;
    for (int i = 0; i < 3; ++i) {
        readers.emplace_back([&] {
            while (!done) {
                const TariffVersion& version = book.current(id);
                const auto price = version.deck->rate(version.find("491", Instant{})).price;
                if (price.nanos() != std::int64_t{version.number} * 1'000'000'000) ++wrong;
            }
        });
    }
    for (std::uint32_t number = 3; number < 300; ++number) {
        const std::string csv = "prefix,rate_per_minute\n49," + std::to_string(number) + "\n";
        ASSERT_EQ(book.put_deck("retail", deck(csv.c_str())), number);
    }
    done = true;
    readers.clear();
    EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace tollgate::rating
