#include "daemon/payments.h"

#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "tests/daemon/world.h"
#include "tests/support/literals.h"

namespace tollgate::daemon {
namespace {

using tests::money;

/// Hears of each transaction as it is appended.
class Transactions final : public balance::EventLog {
  public:
    balance::Sequence append(std::span<const std::byte> event) noexcept override {
        balance::ByteReader in{event};
        EXPECT_EQ(balance::EventHeader::read(in).kind, balance::EventKind::transaction);
        EXPECT_TRUE(balance::read_transaction(in, all.emplace_back()));
        if (heard) heard(all.back());
        return all.size();
    }
    [[nodiscard]] balance::Sequence last() const noexcept override { return all.size(); }
    [[nodiscard]] balance::Admission admission() const noexcept override { return admitted; }
    balance::AsideFile put_aside(std::string_view, std::span<const std::byte>) override { return {}; }

    std::vector<balance::Transaction> all;
    std::function<void(const balance::Transaction&)> heard;
    balance::Admission admitted = balance::Admission::open;
};

TEST(Payments, ARequestIsCarriedOutOnce) {
    World world;
    const auto first = world.payments.top_up("alice", money("5"), {"req", "cash", world.now});
    EXPECT_EQ(first.balance, money("5"));
    const auto again = world.payments.top_up("alice", money("5"), {"req", "cash", world.now});
    EXPECT_TRUE(again.duplicate);
    EXPECT_EQ(again.transaction, first.transaction);
    EXPECT_EQ(world.balance("alice"), "5");
    EXPECT_EQ(world.payments.top_up("alice", money("6"), {"req", "cash", world.now}).code,
              PaymentCode::conflict);
    EXPECT_EQ(world.payments.top_up("south", money("5"), {"req", "cash", world.now}).code,
              PaymentCode::conflict);
    EXPECT_EQ(world.payments.debit("alice", money("5"), false, {"req", "cash", world.now}).code,
              PaymentCode::conflict);
    world.expect_at_rest();
}

// Who reads the list in order must not pass over one that has its number and is not listed yet.
TEST(Payments, ANumberIsSettledOnceItIsListed) {
    World world;
    world.replays = false;
    Transactions events;
    Payments payments{world.parties, world.ledger, world.sessions, world.catalog, events};
    events.heard = [&](const balance::Transaction& transaction) {
        EXPECT_EQ(payments.last_number(), transaction.number);
        EXPECT_EQ(payments.settled_number(), transaction.number - 1);
    };
    for (const char* const request : {"a", "b"})
        EXPECT_EQ(payments.top_up("alice", money("5"), {request, {}, world.now}).code, PaymentCode::ok);
    EXPECT_EQ(payments.debit("alice", money("50000"), false, {"c", {}, world.now}).code,
              PaymentCode::credit_limit);
    EXPECT_EQ(events.all.size(), 2U);
    EXPECT_EQ(payments.settled_number(), 2U);
}

// An import holds the settings for seconds.
TEST(Payments, OneThatLiftsASuspensionDoesNotWaitForSettings) {
    World world;
    PartyChange overdue;
    overdue.status = balance::Status::parse("overdue");
    ASSERT_TRUE(world.catalog.change(world.parties.find("alice"), overdue, world.now).empty());
    const auto held = world.catalog.hold_settings();
    std::thread{[&world] { world.top_up("alice", "5"); }}.join();
    EXPECT_TRUE(world.party("alice").status().active());
}

TEST(Payments, MoneyGoesOnlyWhereThereIsAnAccount) {
    World world;
    const auto code = [&](const char* party) {
        return world.payments.top_up(party, money("1"), {party, {}, world.now}).code;
    };
    EXPECT_EQ(code("nobody"), PaymentCode::unknown_account);
    EXPECT_EQ(code("alice-desk"), PaymentCode::unknown_account);
    EXPECT_EQ(code("north"), PaymentCode::ok);
    ASSERT_TRUE(world.catalog.close(world.parties.find("alice")));
    EXPECT_EQ(code("alice"), PaymentCode::unknown_account);
}

TEST(Payments, ADebitBeyondWhatIsAvailableNeedsForce) {
    World world;
    world.top_up("alice", "1");
    EXPECT_EQ(world.payments.debit("alice", money("1.000001"), false, {"a", {}, world.now}).code,
              PaymentCode::credit_limit);
    EXPECT_EQ(world.payments.debit("alice", money("1.000001"), true, {"b", {}, world.now}).balance,
              money("-0.000001"));
    world.expect_at_rest();
}

TEST(Payments, RequestsAreForgottenAfterTheirTime) {
    World world;
    EXPECT_EQ(world.payments.top_up("alice", money("1"), {"req", {}, world.now}).code, PaymentCode::ok);
    world.pass(std::chrono::hours{841});
    EXPECT_FALSE(world.payments.top_up("alice", money("1"), {"req", {}, world.now}).duplicate);
    EXPECT_EQ(world.balance("alice"), "2");
}

TEST(Payments, ARefusalIsRememberedForAsLongAsRepeatsCome) {
    World world;
    const auto debit = [&](const char* amount) {
        return world.payments.debit("alice", money(amount), false, {"req", {}, world.now});
    };
    EXPECT_EQ(debit("1").code, PaymentCode::credit_limit);
    world.top_up("alice", "5");
    const auto again = debit("1");
    EXPECT_EQ(again.code, PaymentCode::credit_limit) << "as answered, although there is money by now";
    EXPECT_TRUE(again.duplicate);
    EXPECT_EQ(debit("2").code, PaymentCode::conflict);
    world.pass(std::chrono::seconds{33});
    EXPECT_EQ(debit("2").code, PaymentCode::ok);
    EXPECT_EQ(world.balance("alice"), "3");
    world.expect_at_rest();
}

TEST(Payments, RequestIdsAreTheirSendersOwn) {
    World world;
    EXPECT_EQ(world.payments.top_up("alice", money("1"), {"req", {}, world.now, "shop"}).code,
              PaymentCode::ok);
    const auto other = world.payments.top_up("alice", money("2"), {"req", {}, world.now, "bank"});
    EXPECT_EQ(other.code, PaymentCode::ok);
    EXPECT_FALSE(other.duplicate);
    EXPECT_EQ(world.balance("alice"), "3");
}

// Goal: the first users are declared while somebody waits for an answer: what he sends again, as one of them,
// is not done twice.
TEST(Payments, WhatNobodyAskedBeforeThereWereUsersIsTheirsToo) {
    World world;
    ASSERT_EQ(world.payments.top_up("alice", money("5"), {"req", {}, world.now}).code, PaymentCode::ok);
    ASSERT_EQ(world.payments.top_up("south", money("5"), {"above", {}, world.now}).code, PaymentCode::ok);
    world.pass(std::chrono::seconds{1});
    const auto as = [&](std::string_view scope, const char* under) {
        return PaymentRequest{.id = "req",
                              .memo = {},
                              .now = world.now,
                              .scope = scope,
                              .actor = scope,
                              .nobodys = {world.now.steady, world.parties.find(under)}};
    };
    const auto provider = as("user fin", "provider");
    EXPECT_TRUE(world.payments.is_repeated(provider));
    EXPECT_TRUE(world.payments.top_up("alice", money("5"), provider).duplicate);
    EXPECT_EQ(world.payments.top_up("alice", money("6"), provider).code, PaymentCode::conflict);
    EXPECT_TRUE(world.payments.top_up("alice", money("5"), as("user near", "alice")).duplicate);
    EXPECT_EQ(world.balance("alice"), "5");
    // Nothing that he does not see is in his way.
    auto below = as("user low", "alice");
    below.id = "above";
    EXPECT_FALSE(world.payments.is_repeated(below));
    EXPECT_FALSE(world.payments.top_up("alice", money("1"), below).duplicate);
    // Nor is what nobody asked since.
    auto sooner = as("user other", "provider");
    sooner.nobodys.before = world.now.steady - std::chrono::seconds{1};
    EXPECT_FALSE(world.payments.top_up("alice", money("5"), sooner).duplicate);
    EXPECT_EQ(world.balance("alice"), "11");
    // Nor is what nobody can wait for an answer to any more: his own first one is new.
    ASSERT_EQ(world.payments.top_up("alice", money("2"), {"late", {}, world.now}).code, PaymentCode::ok);
    auto later = as("user fin", "provider");
    later.id = "late";
    later.nobodys.before = world.now.steady + kAnswerUnderWay;
    EXPECT_TRUE(world.payments.top_up("alice", money("2"), later).duplicate);
    later.nobodys.before += std::chrono::seconds{1};
    EXPECT_FALSE(world.payments.top_up("alice", money("2"), later).duplicate);
    EXPECT_EQ(world.balance("alice"), "15");
    ASSERT_EQ(world.payments.debit("alice", money("4"), false, {"taken", {}, world.now}).code,
              PaymentCode::ok);
    // What he has asked himself is his.
    EXPECT_TRUE(world.payments.top_up("alice", money("5"), as("user other", "provider")).duplicate);
    // It can be refunded by the name that it had, once.
    auto refund = provider;
    refund.id = "back";
    EXPECT_EQ(world.payments.refund({.of = "req"}, refund).balance, money("6"));
    EXPECT_TRUE(world.payments.refund({.of = "req"}, refund).duplicate);
    refund.id = "again";
    EXPECT_EQ(world.payments.refund({.of = "req"}, refund).code, PaymentCode::not_refundable);
    world.expect_at_rest();
}

TEST(Payments, WhatIsToBeForgottenIsNoRepeat) {
    World world;
    PaymentRequest request{"req", {}, world.now};
    ASSERT_EQ(world.payments.top_up("alice", money("5"), request).code, PaymentCode::ok);
    const auto remember = PaymentSettings{}.remember;
    request.now.steady += remember;
    EXPECT_TRUE(world.payments.is_repeated(request));
    request.now.steady += std::chrono::seconds{1};
    EXPECT_FALSE(world.payments.is_repeated(request)) << "it would be done again";
}

// Goal: a top-up is written down before anybody can spend it; a debit is taken before it is written down.
TEST(Payments, WhatRaisesFundsIsAppendedFirstWhatLowersThemIsDoneFirst) {
    World world;
    world.replays = false;  // What is put by hand has no event.
    std::vector<std::string> seen;
    std::vector<std::uint64_t> numbers;
    Transactions log;
    log.heard = [&](const balance::Transaction& transaction) {
        seen.emplace_back(rating::format(world.party("alice").account.available()).view());
        numbers.push_back(transaction.number);
        EXPECT_TRUE(balance::balanced(transaction.postings));
    };
    Payments payments{world.parties, world.ledger, world.sessions, world.catalog, log};
    const auto paid = payments.top_up("alice", money("5"), {"a", {}, world.now});
    EXPECT_EQ(paid.balance, money("5"));
    EXPECT_EQ(paid.available, money("5"));
    EXPECT_EQ(payments.debit("alice", money("2"), false, {"b", {}, world.now}).available, money("3"));
    EXPECT_EQ(seen, (std::vector<std::string>{"0", "3"}));
    EXPECT_EQ(numbers, (std::vector<std::uint64_t>{1, 2}));
    world.expect_at_rest();
}

TEST(Payments, APaymentSaysWhatItLifted) {
    World world;
    world.replays = false;  // What is put by hand has no event.
    std::vector<int> lifted;
    Transactions log;
    log.heard = [&](const balance::Transaction& done) { lifted.push_back(done.lifted); };
    Payments payments{world.parties, world.ledger, world.sessions, world.catalog, log};
    PartyChange change;
    change.status = balance::Status::parse("admin,overdue");
    ASSERT_TRUE(world.catalog.change(world.parties.find("alice"), change).empty());
    (void)payments.debit("alice", money("1"), true, {"a", {}, world.now});
    EXPECT_EQ(world.party("alice").status().text().view(), "admin,overdue") << "a debit lifts nothing";
    (void)payments.top_up("alice", money("1"), {"b", {}, world.now});
    (void)payments.top_up("alice", money("1"), {"c", {}, world.now});
    EXPECT_EQ(lifted, (std::vector<int>{0, balance::Status::kOverdue, 0}));
    EXPECT_EQ(world.party("alice").status().text().view(), "admin");
}

TEST(Payments, AnAdjustmentGoesEitherWay) {
    World world;
    const auto adjust = [&](const char* amount, bool force, const char* id) {
        return world.payments.adjust("alice", money(amount), force, {id, {}, world.now});
    };
    EXPECT_EQ(adjust("3", false, "a").balance, money("3"));
    EXPECT_EQ(adjust("-1", false, "b").balance, money("2"));
    EXPECT_EQ(adjust("-2.000001", false, "c").code, PaymentCode::credit_limit);
    EXPECT_EQ(adjust("-2.000001", true, "d").balance, money("-0.000001"));
    world.expect_at_rest();
}

// ---- Transfers ----

/// alice and a neighbour bob at the same seller, alice with 10.
class Transfers : public ::testing::Test {
  protected:
    Transfers() {
        world_.add("bob", "south", balance::PartyKind::customer, "retail");
        world_.top_up("alice", "10");
    }
    PaymentAnswer transfer(const char* target, const char* amount, const char* id) {
        return world_.payments.transfer("alice", target, money(amount), {id, {}, world_.now});
    }
    World world_;
};

TEST_F(Transfers, MoveMoneyBetweenNeighbours) {
    const auto moved = transfer("bob", "4", "a");
    EXPECT_EQ(moved.balance, money("6"));
    EXPECT_EQ(moved.available, money("6"));
    EXPECT_EQ(world_.balance("bob"), "4");
    EXPECT_TRUE(transfer("bob", "4", "a").duplicate);
    EXPECT_EQ(transfer("bob", "5", "a").code, PaymentCode::conflict);
    EXPECT_EQ(world_.balance("bob"), "4");
    world_.expect_at_rest();
}

TEST_F(Transfers, StopAtOneSellerAndOneCurrency) {
    world_.add("far", "north", balance::PartyKind::customer, "resale");
    EXPECT_EQ(transfer("far", "1", "a").code, PaymentCode::not_transferable);
    EXPECT_EQ(transfer("alice", "1", "b").code, PaymentCode::not_transferable);
    EXPECT_EQ(transfer("provider", "1", "c").code, PaymentCode::not_transferable);
    EXPECT_EQ(transfer("nobody", "1", "d").code, PaymentCode::unknown_target);
    EXPECT_EQ(transfer("alice-desk", "1", "e").code, PaymentCode::unknown_target);
    PartyDraft dollars;
    dollars.id = "dora";
    dollars.parent = "south";
    dollars.currency = rating::Currency::parse("USD");
    ASSERT_TRUE(world_.catalog.add({&dollars, 1}).empty());
    EXPECT_EQ(transfer("dora", "1", "f").code, PaymentCode::not_transferable);
    EXPECT_EQ(world_.balance("alice"), "10");
}

TEST_F(Transfers, AreOfMoneyNotOfCreditNorOfWhatCallsHold) {
    PartyChange change;
    change.credit_limit = money("100");
    ASSERT_TRUE(world_.catalog.change(world_.parties.find("alice"), change).empty());
    EXPECT_EQ(world_.authorize("call", 600).held, money("6"));
    EXPECT_EQ(transfer("bob", "4.000001", "a").code, PaymentCode::credit_limit);
    EXPECT_EQ(world_.payments.pay_out("alice", money("4.000001"), {"p", {}, world_.now}).code,
              PaymentCode::credit_limit);
    EXPECT_EQ(transfer("bob", "3", "b").code, PaymentCode::ok);
    EXPECT_EQ(world_.payments.pay_out("alice", money("1"), {"q", {}, world_.now}).balance, money("6"));
    EXPECT_EQ(transfer("bob", "0.000001", "c").code, PaymentCode::credit_limit);
    EXPECT_EQ(world_.payments.debit("alice", money("50"), false, {"d", {}, world_.now}).code, PaymentCode::ok)
        << "a debit may use credit";
    world_.stop("call", 0);
    world_.expect_at_rest();
}

// ---- Refunds ----

/// A call of alice's of 60 s: she paid 0.6, south 0.3, north 0.12.
class Refunds : public ::testing::Test {
  protected:
    Refunds() {
        world_.top_up("alice", "10");
        record_ = call("call", 60);
    }
    std::string call(const char* session, int seconds) {
        (void)world_.authorize(session, 600);
        return "r-" + std::to_string(world_.stop(session, seconds).record);
    }
    PaymentAnswer refund(const std::string& of, const char* amount, const char* id,
                         std::string_view asker = {}) {
        RefundRequest request{.of = of, .asker = asker};
        if (amount != nullptr) request.amount = money(amount);
        return world_.payments.refund(request, {id, {}, world_.now});
    }
    void expect_balances(const char* alice, const char* south, const char* north) const {
        EXPECT_EQ(world_.balance("alice"), alice);
        EXPECT_EQ(world_.balance("south"), south);
        EXPECT_EQ(world_.balance("north"), north);
    }
    World world_;
    std::string record_;
};

TEST_F(Refunds, GiveAWholeCallBackAtEveryLevel) {
    expect_balances("9.4", "999.7", "999.88");
    const auto refunded = refund(record_, nullptr, "a");
    EXPECT_EQ(refunded.code, PaymentCode::ok);
    EXPECT_EQ(refunded.balance, money("10"));
    EXPECT_EQ(refunded.available, money("10"));
    expect_balances("10", "1000", "1000");
    EXPECT_TRUE(refund(record_, nullptr, "a").duplicate);
    EXPECT_EQ(refund(record_, "0.6", "a").code, PaymentCode::conflict) << "another request";
    EXPECT_EQ(refund(record_, nullptr, "b").code, PaymentCode::not_refundable) << "nothing is left";
    expect_balances("10", "1000", "1000");
    world_.expect_at_rest();
}

TEST_F(Refunds, OfAPartTakeTheOtherLegsProRata) {
    EXPECT_EQ(refund(record_, "0.1", "a").code, PaymentCode::ok);
    expect_balances("9.5", "999.75", "999.9");  // 0.3 x 0.1 / 0.6 = 0.05; 0.12 x 0.1 / 0.6 = 0.02
    EXPECT_EQ(refund(record_, "0.500001", "b").code, PaymentCode::not_refundable);
    EXPECT_EQ(refund(record_, "0.5", "c").code, PaymentCode::ok);
    expect_balances("10", "1000", "1000");
    world_.expect_at_rest();
}

// 1 s: alice 0.01, south 0.005, north 0.002. A micro-unit of hers is half a one of south's.
TEST_F(Refunds, AreRoundedDownAndTheLastPartIsExact) {
    const std::string record = call("short", 1);
    expect_balances("9.39", "999.695", "999.878");
    EXPECT_EQ(refund(record, "0.000001", "a").code, PaymentCode::ok);
    EXPECT_EQ(refund(record, "0.000003", "b").code, PaymentCode::ok);
    expect_balances("9.390004", "999.695001", "999.878");
    EXPECT_EQ(refund(record, "0.009996", "c").code, PaymentCode::ok);
    expect_balances("9.4", "999.7", "999.88");
    EXPECT_EQ(refund(record, "0.000001", "d").code, PaymentCode::not_refundable);
    world_.expect_at_rest();
}

TEST_F(Refunds, OfAResellerReverseOnlyTheLegsBelowHisOwn) {
    EXPECT_EQ(refund(record_, "0.3", "a", "south").code, PaymentCode::ok);
    expect_balances("9.7", "999.7", "999.88");
    EXPECT_EQ(refund(record_, "0.1", "b", "north").code, PaymentCode::ok);
    expect_balances("9.8", "999.75", "999.88");
    EXPECT_EQ(refund(record_, nullptr, "c", "alice").code, PaymentCode::unknown_original);
    EXPECT_EQ(refund(record_, nullptr, "d", "nobody").code, PaymentCode::unknown_original);
    // The provider gives back what is left of each.
    EXPECT_EQ(refund(record_, nullptr, "e").code, PaymentCode::ok);
    expect_balances("10", "1000", "1000");
    world_.expect_at_rest();
}

TEST_F(Refunds, WaitUntilACallHasEnded) {
    EXPECT_EQ(refund("r-999999", nullptr, "a").code, PaymentCode::unknown_original);
    EXPECT_EQ(refund("r-x", nullptr, "b").code, PaymentCode::unknown_original);
    EXPECT_EQ(refund(call("none", 0), nullptr, "c").code, PaymentCode::not_refundable) << "it cost nothing";

    // What has expired may still be settled by a late STOP.
    (void)world_.authorize("lost", 60);
    (void)world_.charging.extend("lost", std::chrono::seconds{10}, std::nullopt, world_.now);
    world_.pass(std::chrono::hours{24});
    EXPECT_EQ(world_.charging.expire_due(0, 1, world_.now), 1U);
    const std::string expired = "r-" + std::to_string(world_.sessions.claim("lost")->record);
    EXPECT_EQ(refund(expired, nullptr, "d").code, PaymentCode::not_refundable);
    EXPECT_EQ(world_.stop("lost", 20).status, EndStatus::late);
    EXPECT_EQ(refund(expired, nullptr, "e").code, PaymentCode::ok);
    expect_balances("9.4", "999.7", "999.88");
}

TEST_F(Refunds, AreOfCallsThatAreRemembered) {
    world_.pass(std::chrono::hours{6});
    EXPECT_EQ(refund(record_, "0.1", "a").code, PaymentCode::ok);
    world_.pass(std::chrono::seconds{1});
    EXPECT_EQ(refund(record_, nullptr, "b").code, PaymentCode::unknown_original)
        << "though nobody has come to forget it";
    EXPECT_EQ(world_.balance("alice"), "9.5");
}

TEST_F(Refunds, OfATopUpTakeTheMoneyFromTheParty) {
    (void)world_.payments.top_up("alice", money("5"), {"paid", {}, world_.now});
    EXPECT_EQ(world_.balance("alice"), "14.4");
    EXPECT_EQ(refund("paid", "2", "a").balance, money("12.4"));
    EXPECT_EQ(refund("paid", "3.000001", "b").code, PaymentCode::not_refundable);
    EXPECT_EQ(refund("paid", nullptr, "c").balance, money("9.4"));
    EXPECT_EQ(refund("paid", nullptr, "d").code, PaymentCode::not_refundable);
    EXPECT_EQ(refund("a", nullptr, "e").code, PaymentCode::not_refundable) << "a refund of a refund";
    EXPECT_EQ(refund("never", nullptr, "f").code, PaymentCode::unknown_original);
    EXPECT_EQ(refund("g", nullptr, "g").code, PaymentCode::unknown_original) << "itself";
    world_.expect_at_rest();
}

TEST_F(Refunds, OfATopUpStopAtWhatIsAvailable) {
    (void)world_.payments.top_up("alice", money("5"), {"paid", {}, world_.now});
    EXPECT_EQ(world_.authorize("open", 1000).held, money("10"));
    EXPECT_EQ(refund("paid", nullptr, "a").code, PaymentCode::credit_limit);
    EXPECT_EQ(refund("paid", "4.4", "b").code, PaymentCode::ok);
    world_.stop("open", 0);
}

TEST_F(Refunds, OfADebitAndATransferReverseThem) {
    world_.add("bob", "south", balance::PartyKind::customer, "retail");
    (void)world_.payments.debit("alice", money("2"), false, {"fee", {}, world_.now});
    EXPECT_EQ(refund("fee", nullptr, "a").balance, money("9.4"));
    (void)world_.payments.transfer("alice", "bob", money("3"), {"gift", {}, world_.now});
    EXPECT_EQ(refund("gift", "1", "b").balance, money("7.4"));
    EXPECT_EQ(world_.balance("bob"), "2");
    (void)world_.payments.debit("bob", money("2"), false, {"spent", {}, world_.now});
    EXPECT_EQ(refund("gift", nullptr, "c").code, PaymentCode::credit_limit) << "bob has none of it left";
    world_.expect_at_rest();
}

// Goal: many refunds of one call at once never give back more than it cost.
TEST(PaymentsThreads, RefundsOfOneCallNeverExceedIt) {
    World world;
    world.top_up("alice", "10");
    (void)world.authorize("call", 600);
    const std::string record = "r-" + std::to_string(world.stop("call", 60).record);
    std::atomic<int> refunded{0};
    {
        std::vector<std::jthread> clerks;
        for (int clerk = 0; clerk < 8; ++clerk) {
            clerks.emplace_back([&, clerk] {
                for (int n = 0; n < 20; ++n) {
                    const std::string id = std::to_string(clerk) + "-" + std::to_string(n);
                    const RefundRequest part{.of = record, .amount = money("0.01")};
                    if (world.payments.refund(part, {id, {}, world.now}).code == PaymentCode::ok) ++refunded;
                }
            });
        }
    }
    EXPECT_EQ(refunded, 60);
    EXPECT_EQ(world.balance("alice"), "10");
    EXPECT_EQ(world.balance("south"), "1000");
    world.expect_at_rest();
}

// ---- Restarts ----

// Goal: transactions alone make the same balances, books, answers and refunds again.
TEST(PaymentsRestored, TransactionsAreAllThatIsNeeded) {
    World before;
    before.replays = false;  // What is put by hand has no event.
    Transactions log;
    Payments payments{before.parties, before.ledger, before.sessions, before.catalog, log};
    before.add("bob", "south", balance::PartyKind::customer, "retail");
    (void)payments.top_up("alice", money("5"), {"paid", "cash", before.now});
    (void)payments.debit("alice", money("9"), false, {"refused", {}, before.now});
    (void)payments.transfer("alice", "bob", money("1.5"), {"gift", {}, before.now});
    (void)payments.refund({.of = "paid", .amount = money("2")}, {"back", {}, before.now});
    ASSERT_EQ(log.all.size(), 3U);

    World after;
    after.replays = false;  // What is put by hand has no event.
    after.add("bob", "south", balance::PartyKind::customer, "retail");
    after.pass(std::chrono::hours{24});
    Transactions next;
    Payments restored{after.parties, after.ledger, after.sessions, after.catalog, next};
    for (const auto& transaction : log.all)
        restored.restore(transaction);
    EXPECT_EQ(after.balance("alice"), "1.5");
    EXPECT_EQ(after.balance("bob"), "1.5");
    EXPECT_EQ(after.party("alice").account.available(), money("1.5"));
    EXPECT_EQ(restored.last_number(), 3U);
    EXPECT_EQ(restored.remembered().size(), 3U);

    const auto repeated = restored.top_up("alice", money("5"), {"paid", "cash", after.now});
    EXPECT_TRUE(repeated.duplicate);
    EXPECT_EQ(repeated.transaction, 1U);
    EXPECT_EQ(repeated.balance, money("5"));
    EXPECT_EQ(restored.top_up("alice", money("6"), {"paid", "cash", after.now}).code, PaymentCode::conflict);
    EXPECT_EQ(restored.refund({.of = "paid", .amount = money("3.000001")}, {"more", {}, after.now}).code,
              PaymentCode::not_refundable)
        << "2 of 5 were refunded before";
    EXPECT_EQ(restored.top_up("alice", money("1"), {"next", {}, after.now}).transaction, 4U);
    after.expect_at_rest();

    after.pass(std::chrono::hours{24 * 34 + 1});
    EXPECT_FALSE(restored.top_up("alice", money("6"), {"paid", "cash", after.now}).duplicate)
        << "35 days since the first one";
}

// Goal: a state that is made of the events is the state, its requests and thresholds included; and so is one
// that is made of a snapshot.
TEST(PaymentsRestored, EventsAndSnapshotsMakeTheSameState) {
    World world;
    world.add("bob", "south", balance::PartyKind::customer, "retail");
    world.top_up("alice", "10");
    PartyChange change;
    change.warn_balance = money("9.5");
    change.status = balance::Status::parse("overdue");
    ASSERT_TRUE(world.catalog.change(world.parties.find("alice"), change).empty());
    world.top_up("alice", "0.1");
    (void)world.authorize("call", 600);
    const std::string record = "r-" + std::to_string(world.stop("call", 61).record);
    EXPECT_EQ(world.state.threshold_events.after(0, 9).size(), 1U) << "10.1 less 0.61";
    EXPECT_EQ(world.payments.refund({.of = record, .amount = money("0.1")}, {"a", {}, world.now}).code,
              PaymentCode::ok);
    EXPECT_EQ(world.payments.transfer("alice", "bob", money("2"), {"b", "gift", world.now}).code,
              PaymentCode::ok);
    EXPECT_EQ(world.payments.refund({.of = "b", .amount = money("1")}, {"c", {}, world.now}).code,
              PaymentCode::ok);
    EXPECT_EQ(world.payments.debit("bob", money("5"), false, {"d", {}, world.now}).code,
              PaymentCode::credit_limit);
    world.expect_replays();

    State loaded{World::settings_for({})};
    loaded.tariffs.begin_restoring();
    world.state.save([&](std::span<const std::byte> bytes) {
        EXPECT_EQ(loaded.apply(bytes, [&](std::string_view name) { return world.log.aside(name); }), "");
    });
    loaded.restored();
    EXPECT_EQ(loaded.digest(), world.state.digest());
    EXPECT_TRUE(loaded.payments.transfer("alice", "bob", money("2"), {"b", "gift", world.now}).duplicate);
    EXPECT_EQ(loaded.payments.refund({.of = "b", .amount = money("1.1")}, {"e", {}, world.now}).code,
              PaymentCode::not_refundable);
    EXPECT_EQ(loaded.payments.refund({.of = record, .amount = money("0.52")}, {"f", {}, world.now}).code,
              PaymentCode::not_refundable);
    EXPECT_EQ(loaded.payments.refund({.of = record}, {"g", {}, world.now}).code, PaymentCode::ok);
}

TEST(Payments, NothingIsDoneWithoutRoomToWriteItDown) {
    World world;
    world.replays = false;  // What is put by hand has no event.
    Transactions log;
    log.admitted = balance::Admission::ends_only;
    Payments payments{world.parties, world.ledger, world.sessions, world.catalog, log};
    EXPECT_EQ(payments.top_up("alice", money("1"), {"a", {}, world.now}).code, PaymentCode::no_room);
    log.admitted = balance::Admission::open;
    EXPECT_EQ(payments.top_up("alice", money("1"), {"a", {}, world.now}).code, PaymentCode::ok);
}

TEST(PaymentsRestored, ASnapshotDoesNotKeepRequestsForEver) {
    World world;
    world.pass(std::chrono::hours{24 * 36});
    ASSERT_EQ(world.payments.top_up("alice", money("1"), {"new", {}, world.now}).code, PaymentCode::ok);
    State replayed{World::settings_for({})};
    replayed.tariffs.begin_restoring();
    for (const auto& event : world.log.events())
        ASSERT_EQ(replayed.apply(event, [&](std::string_view name) { return world.log.aside(name); }), "");
    replayed.restored();
    ASSERT_EQ(replayed.payments.remembered().size(), 3U);
    replayed.forget_due();
    ASSERT_EQ(replayed.payments.remembered().size(), 1U);
    EXPECT_EQ(replayed.payments.remembered()[0].request, "new");
    EXPECT_EQ(replayed.payments.last_number(), 3U);
}

TEST(PaymentsRestored, ARefundOfACallIsKnownByItsSession) {
    World world;
    world.replays = false;  // What is put by hand has no event.
    world.top_up("alice", "10");
    (void)world.authorize("call", 600);
    const std::uint64_t record = world.stop("call", 60).record;
    Transactions log;
    Payments payments{world.parties, world.ledger, world.sessions, world.catalog, log};
    const std::string of = "r-" + std::to_string(record);
    (void)payments.refund({.of = of, .amount = money("0.2")}, {"a", {}, world.now});
    {
        // What a restart finds: the session as it was when it ended.
        const auto claim = world.sessions.claim_record(record);
        for (auto& level : claim->levels())
            level.refunded = Money{};
    }
    Payments restored{world.parties, world.ledger, world.sessions, world.catalog, log};
    restored.restore(log.all[0]);
    const auto claim = world.sessions.claim_record(record);
    EXPECT_EQ(claim->levels()[0].refunded, money("0.2"));
    EXPECT_EQ(claim->levels()[1].refunded, money("0.1"));
    EXPECT_EQ(claim->levels()[2].refunded, money("0.04"));
}

// Goal: one request sent by many at once has one effect and one answer.
TEST(PaymentsThreads, TheSameRequestFromManyHasOneEffect) {
    World world;
    std::atomic<int> originals{0};
    {
        std::vector<std::jthread> senders;
        for (int i = 0; i < 8; ++i) {
            senders.emplace_back([&] {
                for (int n = 0; n < 200; ++n) {
                    const std::string id = "r" + std::to_string(n);
                    const auto answer = world.payments.top_up("alice", money("1"), {id, {}, world.now});
                    if (!answer.duplicate) ++originals;
                }
            });
        }
    }
    EXPECT_EQ(originals, 200);
    EXPECT_EQ(world.balance("alice"), "200");
    world.expect_at_rest();
}

}  // namespace
}  // namespace tollgate::daemon
