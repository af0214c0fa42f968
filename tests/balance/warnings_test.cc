#include "balance/warnings.h"

#include <mutex>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "balance/ledger.h"
#include "tests/support/literals.h"

namespace tollgate::balance {
namespace {

using tests::money;

class Heard final : public CrossingSink {
  public:
    void crossed(const Crossing& crossing) noexcept override {
        const std::lock_guard lock{mutex};
        all.push_back(crossing);
    }
    std::mutex mutex;
    std::vector<Crossing> all;
};

/// A customer with a credit limit of 1000 and a line.
class WarningsTest : public ::testing::Test {
  protected:
    explicit WarningsTest(const WarningSettings& warnings = {.percent_hundredths = 9'000}) {
        PartySource source;
        source.currency = *rating::Currency::parse("EUR");
        source.id = "root";
        source.kind = PartyKind::provider;
        root_ = parties_.add(source);
        source.id = "customer";
        source.kind = PartyKind::customer;
        source.parent = root_;
        source.credit_limit = money("1000");
        source.warnings = warnings;
        customer_ = parties_.add(source);
        source.warnings = {};
        source.id = "line";
        source.kind = PartyKind::line;
        source.parent = customer_;
        line_ = parties_.add(source);
    }
    void post(Money amount) {
        std::vector<Posting> postings = {
            {customer_, PostingPlace::balance, parties_.get(customer_).currency, amount},
            {root_, PostingPlace::revenue, parties_.get(root_).currency, -amount}};
        const auto posted = ledger_.begin_posting(postings, Ledger::Funds::any);
        ASSERT_EQ(posted.status, Ledger::PostStatus::posted);
        ledger_.finish_posting(postings, posted);
    }
    void post(const char* amount) { post(money(amount)); }
    void set(const WarningSettings& settings) { parties_.get(customer_).set_warnings(settings); }

    PartyTable parties_{3, 100};
    Heard heard_;
    Ledger ledger_{parties_, &heard_};
    PartyId root_, customer_, line_;
};

TEST_F(WarningsTest, NinetyPercentOfAThousandIsCrossedAbove900) {
    post("-900");
    EXPECT_TRUE(heard_.all.empty());
    post("-0.01");
    ASSERT_EQ(heard_.all.size(), 1U);
    EXPECT_EQ(heard_.all[0].party, customer_);
    EXPECT_EQ(heard_.all[0].warning, Warning::percent);
    EXPECT_EQ(heard_.all[0].balance, money("-900.01"));
    EXPECT_EQ(heard_.all[0].owed(), money("900.01"));
    post("-50");
    EXPECT_EQ(heard_.all.size(), 1U) << "it was crossed already";
    post("50.01");
    post("-0.000001");
    EXPECT_EQ(heard_.all.size(), 2U) << "it had fallen back to 900";
}

TEST_F(WarningsTest, AnAbsoluteAmountIsCrossedAboveIt) {
    set({.owed = money("750")});
    post("-750");
    EXPECT_TRUE(heard_.all.empty());
    post("-0.01");
    ASSERT_EQ(heard_.all.size(), 1U);
    EXPECT_EQ(heard_.all[0].warning, Warning::owed);
}

TEST_F(WarningsTest, ALowBalanceIsCrossedBelowIt) {
    set({.balance = money("5")});
    post("10");
    post("-5");
    EXPECT_TRUE(heard_.all.empty());
    post("-0.01");
    ASSERT_EQ(heard_.all.size(), 1U);
    EXPECT_EQ(heard_.all[0].warning, Warning::balance);
    EXPECT_EQ(heard_.all[0].owed(), Money{});
}

TEST_F(WarningsTest, OneMovementMayCrossSeveral) {
    set({.percent_hundredths = 5'050, .owed = money("505"), .balance = money("0")});
    post("-505");
    ASSERT_EQ(heard_.all.size(), 1U) << "505 is 50.5 %, and not above 505";
    EXPECT_EQ(heard_.all[0].warning, Warning::balance);
    post("-0.000001");
    EXPECT_EQ(heard_.all.size(), 3U);
    set({});
    post("600");
    post("-600");
    EXPECT_EQ(heard_.all.size(), 3U) << "all are gone";
}

TEST_F(WarningsTest, CallsCount) {
    const Path path{parties_, line_};
    std::vector<SessionLevel> open(1);
    open[0].payer = customer_;
    open[0].seller = root_;
    ASSERT_EQ(ledger_.try_open(path, open, std::vector<Money>{money("950")}).status,
              Ledger::HoldStatus::held);
    EXPECT_TRUE(heard_.all.empty()) << "a hold is not owed";
    Ledger::Returns returns;
    ledger_.charge(open, std::vector<Money>{money("900")}, returns);
    EXPECT_TRUE(heard_.all.empty());
    ledger_.settle(open, std::vector<Money>{money("900.01")}, returns);
    EXPECT_EQ(heard_.all.size(), 1U);
}

TEST_F(WarningsTest, WhatIsReplayedWasToldBefore) {
    std::vector<Posting> postings = {
        {customer_, PostingPlace::balance, parties_.get(customer_).currency, money("-950")},
        {root_, PostingPlace::revenue, parties_.get(root_).currency, money("950")}};
    ledger_.replay_posting(postings);
    EXPECT_TRUE(heard_.all.empty());
    post("-1");
    EXPECT_TRUE(heard_.all.empty()) << "it is beyond all along";
    post("100");
    post("-100");
    EXPECT_EQ(heard_.all.size(), 1U);
}

using WarningsThreads = WarningsTest;

// Goal: one event a crossing, whoever crosses. Method: 100 postings of 9.0001 at once reach 900.01.
TEST_F(WarningsThreads, AHundredPostingsCrossOnce) {
    for (int round = 0; round < 50; ++round) {
        heard_.all.clear();
        {
            std::vector<std::jthread> posters;
            for (int i = 0; i < 100; ++i)
                posters.emplace_back([this] { post("-9.0001"); });
        }
        EXPECT_EQ(parties_.get(customer_).account.balance(), money("-900.01"));
        EXPECT_EQ(heard_.all.size(), 1U);
        post("900.01");
    }
}

// Goal: under movements both ways crossings are told exactly. Method: each thread takes its own money off and
// puts it back, far from the threshold but for one that goes over it and back a known number of times.
TEST_F(WarningsThreads, EachCrossingIsToldOnceWhileOthersMove) {
    constexpr int kTimes = 2'000;
    {
        std::vector<std::jthread> others;
        for (int i = 0; i < 3; ++i) {
            others.emplace_back([this] {
                for (int n = 0; n < kTimes; ++n) {
                    post("-1");
                    post("1");
                }
            });
        }
        for (int n = 0; n < kTimes; ++n) {
            post("-950");  // From 0 to -3 before: beyond, whatever the others do.
            post("950");
        }
    }
    EXPECT_EQ(heard_.all.size(), static_cast<std::size_t>(kTimes));
}

}  // namespace
}  // namespace tollgate::balance
