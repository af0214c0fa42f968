#include "daemon/partners/registry.h"

#include <gtest/gtest.h>

#include "tests/daemon/world.h"
#include "tests/support/literals.h"

namespace tollgate::daemon {
namespace {

using balance::JointEvent;
using balance::PostingPlace;
using balance::Transaction;
using tests::money;

CustomerClass gold() {
    CustomerClass one;
    one.id = "gold";
    one.name = "Gold";
    one.grace_days = 14;
    one.invoices_by_email = false;
    return one;
}

// Every kind of member that a record may have, with a value and without.
TEST(Record, IsTheSameAfterItsImage) {
    Profile profile;
    profile.id = "alice";
    profile.name = "Alice";
    profile.sales_commission = rating::Percent::from_millionths(0);
    profile.mint_limit = money("5");
    profile.permissions = {"view", "customers"};
    profile.code_inactive = true;
    profile.made = *rating::parse_instant("2026-03-02T12:00:00Z");
    const auto read = record_of<Profile>(image_of(profile));
    ASSERT_TRUE(read.has_value());
    EXPECT_EQ(read->name, "Alice");
    EXPECT_EQ(read->sales_commission, rating::Percent{}) << "0 percent is not the same as nothing";
    EXPECT_EQ(read->payment_commission, std::nullopt);
    EXPECT_EQ(read->mint_limit, money("5"));
    EXPECT_EQ(read->permissions, profile.permissions);
    EXPECT_TRUE(read->code_inactive);
    EXPECT_EQ(read->made, profile.made);
    EXPECT_EQ(image_of(*read), image_of(profile));
}

TEST(Record, WithoutValuesTakesNoRoom) {
    Profile profile;
    profile.id = "a";
    EXPECT_EQ(image_of(profile).size(), 6U) << "place, length, one letter";
}

TEST(Record, IsNotMadeOfBytesThatAreNone) {
    EXPECT_EQ(record_of<CustomerClass>("\xFF"), std::nullopt);
    const std::string image = image_of(gold());
    for (std::size_t size = 1; size + 1 < image.size(); ++size) {
        const auto read = record_of<CustomerClass>(image.substr(0, size));
        EXPECT_TRUE(!read || image_of(*read).size() <= size) << size;
    }
}

TEST(RecordBook, HasWhatWasPutOnceItIsAppended) {
    World world;
    auto& classes = world.state.registry.classes;
    JointEvent joint;
    classes.put(joint, gold(), world.now);
    EXPECT_EQ(classes.find("gold"), std::nullopt);
    joint.write(world.state.events, world.now);
    ASSERT_TRUE(classes.find("gold").has_value());
    EXPECT_EQ(classes.find("gold")->grace_days, 14);
    EXPECT_EQ(classes.size(), 1U);
}

TEST(RecordBook, ForgetsWhatWasRemovedAndWhatWasAbandoned) {
    World world;
    auto& classes = world.state.registry.classes;
    {
        JointEvent joint;
        classes.put(joint, gold(), world.now);
        joint.write(world.state.events, world.now);
    }
    {
        JointEvent joint;
        classes.remove(joint, "gold", world.now);
        joint.abandon();
        joint.write(world.state.events, world.now);
    }
    EXPECT_TRUE(classes.contains("gold"));
    JointEvent joint;
    classes.remove(joint, "gold", world.now);
    joint.write(world.state.events, world.now);
    EXPECT_FALSE(classes.contains("gold"));
}

TEST(RecordBook, TellsAnIndexWhatBecameOfARecord) {
    RecordBook<CustomerClass> book;
    std::string told;
    book.on_change = [&told](const CustomerClass* before, const CustomerClass* after) {
        told += (before == nullptr ? "-" : before->name) + ">" + (after == nullptr ? "-" : after->name) + " ";
    };
    for (const char* const name : {"Gold", "Golden"}) {
        JointEvent joint;
        auto one = gold();
        one.name = name;
        book.put(joint, one, {});
        balance::EventRelay nowhere;
        joint.write(nowhere, {});
    }
    EXPECT_EQ(told, "->Gold Gold>Golden ");
}

TEST(JointEvent, IsOneEventWithTheOperationItBelongsTo) {
    World world;
    const std::size_t events = world.log.events().size();
    {
        JointEvent joint;
        world.state.registry.audit.add(joint, {.actor = "ann", .operation = "topUpParty"}, world.now);
        world.top_up("alice", "5");
    }
    ASSERT_EQ(world.log.events().size(), events + 1);
    EXPECT_TRUE(balance::is_together(world.log.events().back()));
    int entries = 0;
    world.state.registry.audit.visit_back(0, [&](const AuditEntry& entry) {
        EXPECT_EQ(entry.actor, "ann");
        EXPECT_EQ(entry.number, 1U);
        return ++entries < 9;
    });
    EXPECT_EQ(entries, 1);
}

TEST(JointEvent, IsForgottenWhereNothingHappened) {
    World world;
    const std::size_t events = world.log.events().size();
    {
        JointEvent joint;
        world.state.registry.audit.add(joint, {.actor = "ann"}, world.now);
        const auto answer = world.payments.debit("alice", money("1"), false, {"d-1", {}, world.now});
        EXPECT_EQ(answer.code, PaymentCode::credit_limit);
    }
    EXPECT_EQ(world.log.events().size(), events);
    world.state.registry.audit.visit_back(0, [](const AuditEntry&) {
        ADD_FAILURE() << "there is an entry";
        return true;
    });
}

// Goal: an account and its opening balance come into the world together, as when a distributor sells one.
TEST(Payments, APartyIsAddedAndPaidForInOneTransaction) {
    World world;
    const auto north = world.parties.find("north");
    const std::size_t events = world.log.events().size();
    JointEvent joint;
    const auto answer = world.payments.transact(
        balance::TransactionKind::sale, 1, {"sale-1", {}, world.now}, [&](Transaction& transaction, auto&) {
            PartyDraft draft;
            draft.id = "bob";
            draft.parent = "north";
            draft.tariff = "retail";
            EXPECT_TRUE(world.catalog.add({&draft, 1}, world.now, joint).empty());
            const auto bob = static_cast<balance::PartyId>(world.parties.size());
            const auto currency = world.party("north").currency;
            transaction.subject = "bob";
            transaction.postings = {
                {north, PostingPlace::balance, currency, money("-8.5")},
                {bob, PostingPlace::balance, currency, money("10")},
                {world.parties.root(), PostingPlace::commission, currency, money("-1.5")}};
            return PaymentCode::ok;
        });
    EXPECT_EQ(answer.code, PaymentCode::ok);
    EXPECT_EQ(answer.subject, "bob");
    EXPECT_EQ(world.balance("bob"), "10");
    EXPECT_EQ(world.balance("north"), "991.5");
    EXPECT_EQ(world.log.events().size(), events + 1);
    world.expect_at_rest();
    // Settings may be changed again, by anybody.
    EXPECT_TRUE(world.catalog.close(world.parties.find("bob"), world.now));
}

TEST(Payments, WhatIsRefusedLeavesNothingHalfDone) {
    World world;
    const std::size_t parties = world.parties.size();
    JointEvent joint;
    const auto answer = world.payments.transact(
        balance::TransactionKind::sale, 1, {"sale-1", {}, world.now}, [&](Transaction& transaction, auto&) {
            PartyDraft draft;
            draft.id = "bob";
            draft.parent = "north";
            draft.tariff = "retail";
            EXPECT_TRUE(world.catalog.add({&draft, 1}, world.now, joint).empty());
            const auto currency = world.party("north").currency;
            transaction.postings = {
                {world.parties.find("north"), PostingPlace::balance, currency, money("-2000")},
                {static_cast<balance::PartyId>(parties), PostingPlace::balance, currency, money("2000")}};
            return PaymentCode::ok;
        });
    EXPECT_EQ(answer.code, PaymentCode::credit_limit);
    EXPECT_EQ(world.parties.size(), parties);
    EXPECT_EQ(world.balance("north"), "1000");
}

TEST(Payments, WithoutPostingsARequestIsRememberedAllTheSame) {
    World world;
    const auto nothing = [](Transaction& transaction, auto&) {
        transaction.subject = "s-1";
        return PaymentCode::ok;
    };
    for (const bool again : {false, true}) {
        const auto answer =
            world.payments.transact(balance::TransactionKind::activation, 7, {"a-1", {}, world.now}, nothing);
        EXPECT_EQ(answer.code, PaymentCode::ok);
        EXPECT_EQ(answer.duplicate, again);
        EXPECT_EQ(answer.subject, "s-1");
    }
    EXPECT_EQ(
        world.payments.transact(balance::TransactionKind::activation, 8, {"a-1", {}, world.now}, nothing)
            .code,
        PaymentCode::conflict);
}

// Goal: one operation may be larger than an event, as an import with names is; it is one all the same.
// Method: 3,000 profiles of 500 bytes in one joint event; the world replays what it wrote.
TEST(JointEvents, AreAsLargeAsAnOperation) {
    World world;
    const std::size_t events = world.log.events().size();
    {
        balance::JointEvent joint;
        for (int i = 0; i < 3'000; ++i) {
            Profile profile;
            profile.id = "party-" + std::to_string(i);
            profile.comment = std::string(500, 'x');
            world.state.registry.profiles.put(joint, profile, world.now);
        }
        EXPECT_FALSE(joint.room(0));
        joint.write(world.state.events, world.now);
    }
    EXPECT_EQ(world.state.registry.profiles.size(), 3'000U);
    ASSERT_EQ(world.log.events().size(), events + 1);
    EXPECT_LT(world.log.events().back().size(), 100U);
}

}  // namespace
}  // namespace tollgate::daemon
