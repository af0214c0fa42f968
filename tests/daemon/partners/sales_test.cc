#include "daemon/partners/sales.h"

#include <thread>

#include <gtest/gtest.h>

#include "tests/daemon/world.h"
#include "tests/support/literals.h"

namespace tollgate::daemon {
namespace {

using rating::Money;
using tests::money;

/// A distributor bob under the provider, who may owe 20, sells at 15 % and collects at 10 %; a customer carl
/// below him.
class SalesTest : public ::testing::Test {
  protected:
    SalesTest() {
        PartyDraft bob = draft("bob", "provider", balance::PartyKind::distributor);
        bob.credit_limit = money("20");
        EXPECT_TRUE(world_.catalog.add({&bob, 1}).empty());
        world_.add("carl", "bob", balance::PartyKind::customer);
        put("bob", [](Profile& bob_profile) {
            bob_profile.sales_commission = rating::parse_percent("15");
            bob_profile.payment_commission = rating::parse_percent("10");
        });
    }

    static PartyDraft draft(const char* id, const char* parent, balance::PartyKind kind) {
        PartyDraft draft;
        draft.id = id;
        draft.parent = parent;
        draft.kind = kind;
        return draft;
    }
    template <typename Fill>
    void put(const char* id, const Fill& fill) {
        Profile profile;
        profile.id = id;
        fill(profile);
        balance::JointEvent joint;
        world_.state.registry.profiles.put(joint, profile, world_.now);
        joint.write(world_.state.events, world_.now);
    }
    PaymentRequest request(const char* id) const { return {id, {}, world_.now}; }

    Sales::Answer sell(const char* id, const char* opening, const char* key) {
        const balance::JointEvent joint;
        const std::scoped_lock lock{world_.state.registry.mutex};
        const PartyDraft customer = draft(id, "bob", balance::PartyKind::customer);
        return sales_.sell({.distributor = "bob", .drafts = {&customer, 1}, .opening = money(opening)}, 7,
                           request(key));
    }
    Sales::Answer collect(const char* party, const char* amount, const char* key) {
        const balance::JointEvent joint;
        return sales_.record_payment({.party = party, .amount = money(amount), .collected_by = "bob"},
                                     request(key));
    }
    Sales::Answer pay(const char* party, const char* amount, const char* key) {
        const balance::JointEvent joint;
        return sales_.record_payment({.party = party, .amount = money(amount)}, request(key));
    }
    Sales::Answer refill(const char* party, const char* amount, const char* key) {
        const balance::JointEvent joint;
        return sales_.refill(party, money(amount), request(key));
    }
    Sales::Answer assign(const char* customer, const char* distributor, const char* key) {
        const balance::JointEvent joint;
        return sales_.assign_distributor(customer, distributor, request(key));
    }
    bool is_there(const char* id) { return world_.parties.find(id) != balance::kNoParty; }
    Money commission_given() {
        balance::Party& provider = world_.party("provider");
        return Money::from_micros(-provider.book(provider.currency).commission.load());
    }

    World world_;
    Sales sales_{world_.catalog, world_.payments, world_.state.registry, world_.ledger};
};

TEST_F(SalesTest, AnAccountAndItsMoneyAreOneTransaction) {
    const auto sold = sell("ann", "10", "a");
    EXPECT_EQ(sold.payment.code, PaymentCode::ok);
    EXPECT_EQ(sold.payment.subject, "ann");
    EXPECT_EQ(sold.owed, money("8.5"));
    EXPECT_EQ(sold.commission, money("1.5"));
    EXPECT_EQ(sold.collected_by, "bob");
    EXPECT_EQ(world_.balance("ann"), "10");
    EXPECT_EQ(world_.party("ann").account.available(), money("10"));
    EXPECT_EQ(world_.balance("bob"), "-8.5");
    const auto again = sell("ann", "10", "a");
    EXPECT_TRUE(again.payment.duplicate);
    EXPECT_EQ(again.payment.subject, "ann");
    EXPECT_EQ(again.owed, money("8.5"));
    EXPECT_EQ(world_.balance("bob"), "-8.5");
}

TEST_F(SalesTest, BeyondTheLimitNothingIsHalfDone) {
    EXPECT_EQ(collect("carl", "15", "a").owed, money("13.5"));
    EXPECT_EQ(sell("ann", "10", "b").payment.code, PaymentCode::credit_limit);  // 13.5 + 8.5 > 20.
    EXPECT_FALSE(is_there("ann"));
    EXPECT_EQ(world_.balance("bob"), "-13.5");
    EXPECT_EQ(sell("dora", "5", "c").payment.code, PaymentCode::ok);  // 13.5 + 4.25.
    EXPECT_EQ(world_.balance("dora"), "5");
}

TEST_F(SalesTest, WithoutMoneyNobodyEarnsAnything) {
    const auto sold = sell("ann", "0", "a");
    EXPECT_EQ(sold.payment.code, PaymentCode::ok);
    EXPECT_EQ(sold.payment.transaction, 0U);
    EXPECT_EQ(sold.commission, std::nullopt);
    EXPECT_TRUE(is_there("ann"));
    EXPECT_EQ(world_.balance("bob"), "0");
    EXPECT_EQ(commission_given(), Money{});
}

TEST_F(SalesTest, AFaultyAccountIsNotSold) {
    const auto sold = sell("carl", "10", "a");
    EXPECT_EQ(sold.payment.code, PaymentCode::faulty);
    ASSERT_EQ(sold.faults.size(), 1U);
    EXPECT_TRUE(sold.faults[0].exists);
    EXPECT_EQ(world_.balance("bob"), "0");
    EXPECT_EQ(sell("ann", "10", "a").payment.code, PaymentCode::ok) << "a fault is not remembered";
}

TEST_F(SalesTest, WhoIsSuspendedSellsAndCollectsNothing) {
    PartyChange change;
    change.status = balance::Status{balance::Status::kAdmin};
    EXPECT_TRUE(world_.catalog.change(world_.parties.find("bob"), change).empty());
    EXPECT_EQ(sell("ann", "10", "a").payment.code, PaymentCode::suspended);
    EXPECT_EQ(collect("carl", "10", "b").payment.code, PaymentCode::suspended);
    EXPECT_EQ(pay("carl", "10", "c").payment.code, PaymentCode::ok) << "to the seller himself";
}

TEST_F(SalesTest, WhatIsCollectedIsOwedLessTheCommission) {
    const auto paid = collect("carl", "10", "a");
    EXPECT_EQ(paid.payment.balance, money("10"));
    EXPECT_EQ(paid.owed, money("9"));
    EXPECT_EQ(paid.commission, money("1"));
    EXPECT_EQ(collect("carl", "0.03", "b").owed, money("9.027"));
    EXPECT_EQ(commission_given(), money("1.003"));
    const auto again = collect("carl", "10", "a");
    EXPECT_TRUE(again.payment.duplicate);
    EXPECT_EQ(again.owed, money("9")) << "as it was";
}

TEST_F(SalesTest, ARefundTakesEveryLegBack) {
    EXPECT_EQ(collect("carl", "10", "a").owed, money("9"));
    EXPECT_EQ(world_.payments.refund({.of = "a", .amount = money("5")}, request("b")).code, PaymentCode::ok);
    EXPECT_EQ(world_.balance("carl"), "5");
    EXPECT_EQ(world_.balance("bob"), "-4.5");
    EXPECT_EQ(commission_given(), money("0.5"));
    EXPECT_EQ(world_.payments.refund({.of = "a"}, request("c")).code, PaymentCode::ok);
    EXPECT_EQ(world_.balance("bob"), "0");
    EXPECT_EQ(commission_given(), Money{});
}

TEST_F(SalesTest, ACustomersOwnPercentageGoesFirst) {
    put("carl", [](Profile& profile) { profile.payment_commission = rating::Percent{}; });
    EXPECT_EQ(collect("carl", "10", "a").owed, money("10"));
    EXPECT_EQ(commission_given(), Money{});
}

TEST_F(SalesTest, NobodyCollectsFromOthersCustomers) {
    EXPECT_EQ(collect("alice", "10", "a").payment.code, PaymentCode::faulty);
    EXPECT_EQ(world_.balance("alice"), "0");
}

TEST_F(SalesTest, AnAgentEarnsOfWhatHisCustomersPay) {
    PartyDraft agent = draft("agent", "provider", balance::PartyKind::reseller);
    agent.terms = balance::Terms::commission;
    EXPECT_TRUE(world_.catalog.add({&agent, 1}).empty());
    world_.add("eve", "agent", balance::PartyKind::customer);
    EXPECT_EQ(pay("eve", "50", "a").commission, std::nullopt) << "he has no percentage";
    put("agent", [](Profile& profile) { profile.payment_commission = rating::parse_percent("12.5"); });
    EXPECT_EQ(pay("eve", "50", "b").commission, money("6.25"));
    EXPECT_EQ(world_.balance("eve"), "100");
    EXPECT_EQ(world_.balance("agent"), "6.25");
}

TEST_F(SalesTest, AnotherCurrencyGoesThroughTheExchangeAccount) {
    const auto dollars = *rating::Currency::parse("USD");
    const auto euros = *rating::Currency::parse("EUR");
    const auto pay_dollars = [&](const char* worth, const char* key) {
        const balance::JointEvent joint;
        return sales_.record_payment({.party = "carl",
                                      .amount = money(worth),
                                      .paid = money("100"),
                                      .rate = balance::ExchangeRate::parse(dollars, euros, "0.8")},
                                     request(key));
    };
    EXPECT_EQ(pay_dollars("125", "a").payment.code, PaymentCode::faulty);
    EXPECT_EQ(pay_dollars("80", "b").payment.balance, money("80"));
    balance::Party& provider = world_.party("provider");
    EXPECT_EQ(provider.book(euros).exchange, -80'000'000);
    EXPECT_EQ(provider.book(dollars).exchange, 100'000'000);
    EXPECT_EQ(provider.book(dollars).cash, -100'000'000);
}

TEST_F(SalesTest, ADistributorIsChargedOnceForWhatACustomerHas) {
    world_.add("ann", "provider", balance::PartyKind::customer);
    world_.top_up("ann", "10");
    EXPECT_EQ(assign("ann", "bob", "a").owed, money("8.5"));
    EXPECT_EQ(world_.balance("ann"), "10");
    EXPECT_EQ(assign("ann", "bob", "b").payment.code, PaymentCode::ok);
    world_.add("bill", "provider", balance::PartyKind::distributor);
    EXPECT_EQ(assign("ann", "bill", "c").payment.code, PaymentCode::ok);
    EXPECT_EQ(world_.balance("bob"), "-8.5");
    EXPECT_EQ(world_.balance("bill"), "0");
    EXPECT_EQ(assign("carl", "bill", "d").payment.code, PaymentCode::faulty) << "he stands below bob";
    EXPECT_EQ(assign("alice", "bill", "e").payment.code, PaymentCode::faulty) << "south is her seller";
}

TEST_F(SalesTest, MintedRefillsStopAtTheLimit) {
    put("south", [](Profile& profile) { profile.mint_limit = money("0.5"); });
    world_.add("dora", "south", balance::PartyKind::customer);
    EXPECT_EQ(refill("alice", "480", "a").payment.code, PaymentCode::ok);  // South has 1000.
    EXPECT_EQ(refill("dora", "30", "b").payment.code, PaymentCode::refill_limit);
    EXPECT_EQ(refill("dora", "20", "c").payment.code, PaymentCode::ok);
    EXPECT_EQ(world_.balance("south"), "1000");
    balance::Party& south = world_.party("south");
    EXPECT_EQ(south.book(south.currency).funds, -500'000'000);
    EXPECT_TRUE(sales_.refills_are_limited(world_.parties.find("dora")));
    EXPECT_FALSE(sales_.refills_are_limited(world_.parties.find("carl")));
}

TEST_F(SalesTest, ACustomerHoldsNoMoreThanHisResellerAndABit) {
    put("south", [](Profile& profile) { profile.overcommit_percent = rating::parse_percent("10"); });
    EXPECT_EQ(refill("alice", "1100.000001", "a").payment.code, PaymentCode::refill_limit);
    EXPECT_EQ(refill("alice", "1100", "b").payment.code, PaymentCode::ok);
}

TEST_F(SalesTest, RefillsByTransferAreTheResellersOwnMoney) {
    put("south", [](Profile& profile) { profile.refill_policy = "transfer"; });
    EXPECT_TRUE(world_.party("south").credited_by_calls);
    EXPECT_EQ(refill("alice", "1000.01", "a").payment.code, PaymentCode::credit_limit);
    EXPECT_EQ(refill("alice", "600", "b").payment.code, PaymentCode::ok);
    EXPECT_EQ(world_.balance("south"), "400");
    world_.authorize("call", 60);
    world_.stop("call", 60);
    EXPECT_EQ(world_.balance("alice"), "599.4");
    EXPECT_EQ(world_.balance("south"), "400.3") << "0.6 are his again, 0.3 he pays";
    put("south", [](Profile& profile) { profile.refill_policy = "mint"; });
    EXPECT_FALSE(world_.party("south").credited_by_calls);
}

TEST_F(SalesTest, NobodyElseIsRefilled) {
    EXPECT_EQ(refill("south", "10", "a").payment.code, PaymentCode::faulty);
    EXPECT_EQ(refill("carl", "10", "b").payment.code, PaymentCode::faulty);
    EXPECT_EQ(refill("nobody", "10", "c").payment.code, PaymentCode::unknown_account);
}

using SalesThreads = SalesTest;

// Goal: a limit holds whoever refills at once. Method: eight threads mint for two customers as much as they
// get.
TEST_F(SalesThreads, MintNoMoreThanTheLimit) {
    put("south", [](Profile& profile) { profile.mint_limit = money("0.1"); });
    world_.add("dora", "south", balance::PartyKind::customer);
    {
        std::vector<std::jthread> threads;
        for (int thread = 0; thread < 8; ++thread) {
            threads.emplace_back([this, thread] {
                for (int i = 0; i < 10; ++i) {
                    const std::string key = std::to_string(thread) + '-' + std::to_string(i);
                    const auto answer = refill(i % 2 == 0 ? "alice" : "dora", "1.5", key.c_str());
                    EXPECT_TRUE(answer.payment.code == PaymentCode::ok ||
                                answer.payment.code == PaymentCode::refill_limit);
                }
            });
        }
    }
    const Money held = world_.party("alice").account.balance() + world_.party("dora").account.balance();
    EXPECT_EQ(held, money("99"));  // 66 times 1.5; one more is 100.5.
}

}  // namespace
}  // namespace tollgate::daemon
