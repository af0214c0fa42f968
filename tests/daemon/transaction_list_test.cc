#include "daemon/transaction_list.h"

#include <gtest/gtest.h>

namespace tollgate::daemon {
namespace {

using balance::PartyId;
using balance::PostingPlace;
using balance::Transaction;

/// Transactions 1 to 1000; party 7 has every third, and each has a book of party 8.
class TransactionListTest : public ::testing::Test {
  protected:
    TransactionListTest() {
        for (std::uint64_t number = 1; number <= 1'000; ++number)
            add(number);
    }
    void add(std::uint64_t number) {
        auto transaction = std::make_shared<Transaction>();
        transaction->number = number;
        const PartyId party{number % 3 == 0 ? 7U : 9U};
        transaction->postings = {{party, PostingPlace::balance, {}, {}},
                                 {PartyId{8}, PostingPlace::cash, {}, {}}};
        list_.add(std::move(transaction));
    }
    std::vector<std::uint64_t> all(std::uint64_t before = TransactionList::kNewest) const {
        std::vector<std::uint64_t> numbers;
        list_.visit_back(before, [&](const Transaction& transaction) {
            numbers.push_back(transaction.number);
            return true;
        });
        return numbers;
    }
    std::vector<std::uint64_t> of(PartyId party, std::uint64_t before = TransactionList::kNewest) const {
        std::vector<std::uint64_t> numbers;
        list_.visit_back(party, before, [&](const Transaction& transaction) {
            numbers.push_back(transaction.number);
            return true;
        });
        return numbers;
    }
    TransactionList list_;
};

TEST_F(TransactionListTest, TheNewestAreFirst) {
    EXPECT_EQ(all().size(), 1'000U);
    EXPECT_EQ(all().front(), 1'000U);
    EXPECT_EQ(all().back(), 1U);
    EXPECT_EQ(all(4), (std::vector<std::uint64_t>{3, 2, 1}));
    EXPECT_EQ(list_.find(500)->number, 500U);
    EXPECT_EQ(list_.find(1'001), nullptr);
}

TEST_F(TransactionListTest, APartyHasThoseOfItsBalance) {
    EXPECT_EQ(of(PartyId{7}).size(), 333U);
    EXPECT_EQ(of(PartyId{7}, 10), (std::vector<std::uint64_t>{9, 6, 3}));
    EXPECT_TRUE(of(PartyId{8}).empty()) << "a book is no balance";
    EXPECT_TRUE(of(PartyId{6}).empty());
}

TEST_F(TransactionListTest, AVisitMayEndEarly) {
    int visits = 0;
    list_.visit_back(TransactionList::kNewest, [&](const Transaction&) { return ++visits < 300; });
    EXPECT_EQ(visits, 300);
}

TEST_F(TransactionListTest, ThoseThatComeLateFindTheirPlace) {
    add(1'002);
    add(1'001);
    EXPECT_EQ(all(1'003).front(), 1'002U);
    EXPECT_EQ(all(1'002).front(), 1'001U);
    EXPECT_EQ(of(PartyId{9}).front(), 1'001U) << "1002 is party 7's";
}

TEST_F(TransactionListTest, WhatIsForgottenIsInNoList) {
    list_.forget([](const Transaction& transaction) { return transaction.number <= 990; });
    EXPECT_EQ(all().size(), 10U);
    EXPECT_EQ(of(PartyId{7}), (std::vector<std::uint64_t>{999, 996, 993}));
    EXPECT_EQ(list_.find(990), nullptr);
    for (std::uint64_t number = 1'001; number <= 2'000; ++number)
        add(number);
    EXPECT_EQ(of(PartyId{7}).size(), 3U + 333U);
}

}  // namespace
}  // namespace tollgate::daemon
