#include "balance/party.h"

#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace tollgate::balance {
namespace {

TEST(Status, IsASetOfReasons) {
    EXPECT_EQ(Status{}.text().view(), "active");
    EXPECT_EQ(Status{Status::kAdmin | Status::kOverdue}.text().view(), "admin,overdue");
    EXPECT_EQ(Status{Status::kClosed | Status::kAdmin}.text().view(), "closed");
    EXPECT_EQ(Status::parse("admin,limit")->bits(), Status::kAdmin | Status::kLimit);
    EXPECT_TRUE(Status::parse("active")->active());
    for (const char* text : {"", "closed", "admin,", "admin, limit", "Admin", "suspended"}) {
        EXPECT_FALSE(Status::parse(text)) << text;
    }
}

// What becomes of running calls is no reason to be suspended, and stays when reasons come and go.
TEST(Status, KeepingCallsIsNoReason) {
    const Status keeping = Status{}.keeping_calls(true);
    EXPECT_TRUE(keeping.active());
    EXPECT_TRUE(keeping.keeps_calls());
    EXPECT_EQ(keeping.text().view(), "active");
    const Status suspended = Status{Status::kAdmin}.keeping_calls(true);
    EXPECT_FALSE(suspended.active());
    EXPECT_EQ(suspended.text().view(), "admin");
    EXPECT_EQ(suspended.keeping_calls(false).bits(), Status::kAdmin);
    EXPECT_FALSE(Status{Status::kAdmin}.keeps_calls());
}

TEST(Party, IdsAreOfAFewCharacters) {
    EXPECT_TRUE(is_id("alice.desk_1:sip@example.com+x-9"));
    EXPECT_TRUE(is_id(std::string(64, 'a')));
    for (const std::string& text : {std::string{}, std::string(65, 'a'), std::string{"a b"},
                                    std::string{"a/b"}, std::string{"\xC3\xA4"}, std::string(1, '\0')}) {
        EXPECT_FALSE(is_id(text)) << text;
    }
}

// Goal: one book per currency, whoever asks first.
// Method: threads ask for the books of three currencies at once and add to them.
TEST(PartyThreads, BooksAreMadeOnce) {
    PartySource source;
    source.currency = *rating::Currency::parse("EUR");
    Party party{source, "p", "UTC"};
    {
        std::vector<std::jthread> sellers;
        for (int i = 0; i < 4; ++i) {
            sellers.emplace_back([&party] {
                for (int n = 0; n < 1'000; ++n) {
                    for (const char* code : {"EUR", "USD", "GBP"})
                        party.book(*rating::Currency::parse(code)).revenue += 1;
                }
            });
        }
    }
    int books = 0;
    for (const Book* book = party.books; book != nullptr; book = book->next) {
        EXPECT_EQ(book->revenue, 4'000);
        ++books;
    }
    EXPECT_EQ(books, 3);
    for (Book* book = party.books; book != nullptr;)
        delete std::exchange(book, book->next);
}

}  // namespace
}  // namespace tollgate::balance
