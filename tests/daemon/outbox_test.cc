#include "daemon/outbox.h"

#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "daemon/state.h"
#include "tests/support/memory_log.h"

namespace tollgate::daemon {
namespace {

using balance::JointEvent;
using balance::Moment;
using std::chrono::seconds;

Moment at(std::int64_t second) {
    return {rating::Instant{seconds{second}}, seconds{second}};
}

/// A state whose events go to a log, with one party that gets mails.
struct OutboxWorld {
    explicit OutboxWorld(std::size_t mails_max = 10) : state{settings(mails_max)} {
        state.events.connect(log);
    }

    static StateSettings settings(std::size_t mails_max) {
        StateSettings made;
        made.parties_max = 10;
        made.mails_max = mails_max;
        return made;
    }
    void add(const std::string& to, Moment moment) {
        JointEvent joint;
        state.outbox.add(joint, {"acme", "threshold", to, "Hello", "One line.\n"}, moment);
        joint.write(state.events, moment);
    }
    [[nodiscard]] std::vector<std::string> ids() const {
        std::vector<std::string> found;
        state.registry.mails.visit([&found](const MailRecord& mail) { found.push_back(mail.id); });
        return found;
    }
    [[nodiscard]] MailRecord mail(int number) const {
        return state.registry.mails.find("m-00000000000" + std::to_string(number)).value();
    }

    tests::MemoryLog log;
    State state;
};

// Goal: after a restart there is what was there, from the events and from a snapshot, and it goes on from
// there.
void expect_restored(const OutboxWorld& world, std::size_t mails_max = 10) {
    State replayed{OutboxWorld::settings(mails_max)};
    for (const auto& event : world.log.events())
        EXPECT_EQ(replayed.apply(event, {}), "");
    EXPECT_EQ(replayed.digest(), world.state.digest());
    State restored{OutboxWorld::settings(mails_max)};
    world.state.save(
        [&restored](std::span<const std::byte> record) { EXPECT_EQ(restored.apply(record, {}), ""); });
    EXPECT_EQ(restored.digest(), world.state.digest());
    for (const State* const other : {&replayed, &restored}) {
        EXPECT_EQ(other->outbox.counts().made, world.state.outbox.counts().made);
        EXPECT_EQ(other->outbox.counts().waiting, world.state.outbox.counts().waiting);
    }
}

// Goal: whatever a damaged journal says, only events of sessions are packed; a part that pretends to be no
// event of several is none.
TEST(State, OnlyEventsOfSessionsArePacked) {
    State state{OutboxWorld::settings(10)};
    for (const auto kind : {balance::EventKind::together, balance::EventKind::transaction}) {
        std::vector<std::byte> event;
        balance::ByteWriter out{event};
        balance::EventHeader{kind, {}, balance::EventForm::packed}.write(out);
        EXPECT_NE(state.apply(event, {}), "");
    }
}

// Goal: a session's texts are no longer than requests may make them, whatever an event says.
TEST(State, ASessionHasNoTextsBeyondTheirLimits) {
    State state{OutboxWorld::settings(10)};
    const std::string service(balance::kServiceBytesMax + 1, 's');
    const std::string switch_name(balance::kSwitchNameBytesMax + 1, 's');
    for (const auto& [first, second] : {std::pair{service, std::string{}}, {std::string{}, switch_name}}) {
        std::vector<std::byte> event;
        balance::ByteWriter out{event};
        balance::EventHeader{balance::EventKind::session, {}}.write(out);
        balance::write_session_key("call-1", out);
        out.put(std::uint8_t{1});
        out.put(std::uint8_t{0});
        for (const auto& text : {std::string{"4930987"}, first, second})
            out.short_text(text);
        EXPECT_NE(state.apply(event, {}), "");
    }
}

TEST(Outbox, AMailIsInTheEventOfItsCause) {
    OutboxWorld world;
    {
        JointEvent joint;
        for (const char* to : {"a@b", "c@d"})
            world.state.outbox.add(joint, {"acme", "threshold", to, "Hello", "One line.\n"}, at(5));
        EXPECT_TRUE(world.ids().empty()) << "nothing is there before it happened";
        joint.write(world.state.events, at(5));
    }
    EXPECT_EQ(world.log.events().size(), 1U);
    EXPECT_EQ(world.ids(), (std::vector<std::string>{"m-000000000001", "m-000000000002"}));
    const MailRecord mail = world.mail(2);
    EXPECT_EQ(mail.to, "c@d");
    EXPECT_EQ(mail.made, at(5).wall);
    EXPECT_EQ(mail.state, kMailWaiting);
    expect_restored(world);
}

TEST(Outbox, WhatDidNotHappenMakesNone) {
    OutboxWorld world;
    {
        JointEvent joint;
        world.state.outbox.add(joint, {"acme", "threshold", "a@b", "Hello", "One line.\n"}, at(5));
        joint.abandon();
    }
    EXPECT_TRUE(world.log.events().empty());
    EXPECT_TRUE(world.ids().empty());
    EXPECT_FALSE(world.state.outbox.due(at(9).wall).mail);
}

TEST(Outbox, WaitsUntilItEnds) {
    OutboxWorld world;
    Outbox& outbox = world.state.outbox;
    EXPECT_FALSE(outbox.due(at(1).wall).next);
    world.add("a@b", at(1));
    world.add("c@d", at(2));
    EXPECT_EQ(outbox.due(at(2).wall).mail->to, "a@b");  // At once, the oldest first.

    outbox.try_again("m-000000000001", at(60).wall, "451 later", at(3));
    EXPECT_EQ(outbox.due(at(3).wall).mail->to, "c@d");
    outbox.sent("m-000000000002", at(4));
    EXPECT_FALSE(outbox.due(at(59).wall).mail);
    EXPECT_EQ(outbox.due(at(59).wall).next, at(60).wall);
    EXPECT_EQ(outbox.due(at(60).wall).mail->error, "451 later");
    EXPECT_EQ(outbox.due(at(60).wall).mail->attempts, 1);
    expect_restored(world);
    outbox.failed("m-000000000001", "550 never", at(60));
    EXPECT_FALSE(outbox.due(at(60).wall).next);

    EXPECT_EQ(world.mail(1).state, kMailFailed);
    EXPECT_EQ(world.mail(1).error, "550 never");
    EXPECT_EQ(world.mail(1).attempts, 2);
    EXPECT_EQ(world.mail(2).state, kMailSent);
    EXPECT_EQ(world.mail(2).sent, at(4).wall);
    expect_restored(world);
}

TEST(Outbox, EndsOnce) {
    OutboxWorld world;
    world.add("a@b", at(1));
    world.state.outbox.sent("m-000000000001", at(2));
    world.state.outbox.failed("m-000000000001", "no", at(3));
    world.state.outbox.sent("m-000000000007", at(3));
    world.state.outbox.try_again("m-000000000001", at(9).wall, "no", at(3));
    EXPECT_EQ(world.mail(1).state, kMailSent);
    EXPECT_EQ(world.log.events().size(), 2U);
}

// Goal: it is bounded, and what was not sent stays longest.
TEST(Outbox, TheOldestThatEndedGoesFirst) {
    OutboxWorld world{2};
    Outbox& outbox = world.state.outbox;
    for (int i = 0; i < 3; ++i)
        world.add("a@b", at(1));
    outbox.sent("m-000000000002", at(2));
    EXPECT_EQ(outbox.trim(at(3)), 1U);
    EXPECT_EQ(world.ids(), (std::vector<std::string>{"m-000000000001", "m-000000000003"}));
    world.add("a@b", at(4));
    outbox.try_again("m-000000000001", at(99).wall, "", at(4));
    EXPECT_EQ(outbox.trim(at(5)), 1U);
    EXPECT_EQ(world.ids(), (std::vector<std::string>{"m-000000000003", "m-000000000004"}))
        << "all wait: the oldest";
    EXPECT_EQ(outbox.trim(at(5)), 0U);
    EXPECT_EQ(outbox.counts().waiting, 2U);
    EXPECT_EQ(outbox.counts().made, 4U);
    expect_restored(world, 2);
}

// Goal: each mail has a number of its own, whoever makes it.
TEST(OutboxThreads, AnybodyMakesMails) {
    OutboxWorld world{10'000};
    {
        std::vector<std::jthread> threads;
        for (int i = 0; i < 8; ++i) {
            threads.emplace_back([&world] {
                for (int j = 0; j < 100; ++j)
                    world.add("a@b", at(1));
            });
        }
    }
    EXPECT_EQ(world.ids().size(), 800U);
    EXPECT_EQ(world.state.outbox.counts().made, 800U);
    EXPECT_EQ(world.state.outbox.counts().waiting, 800U);
    expect_restored(world, 10'000);
}

/// A party without money that is warned at 90 % of its limit of 1000, and its address.
balance::PartyId warned_party(OutboxWorld& world, const std::string& address) {
    balance::PartySource source;
    source.id = "acme";
    source.kind = balance::PartyKind::provider;
    source.currency = *rating::Currency::parse("EUR");
    source.credit_limit = rating::Money::from_micros(1'000'000'000);
    source.warnings.percent_hundredths = 9'000;
    const balance::PartyId party = world.state.parties.add(source);
    if (!address.empty()) {
        Profile profile;
        profile.id = "acme";
        profile.name = "Acme & Söhne";
        profile.accounting_email = address;
        JointEvent joint;
        world.state.registry.profiles.put(joint, profile, at(1));
        joint.write(world.state.events, at(1));
    }
    return party;
}

TEST(Notices, AThresholdIsOneEventWithItsMail) {
    OutboxWorld world;
    const auto party = warned_party(world, "ops@example.com");
    const std::size_t before = world.log.events().size();
    world.state.threshold_events.crossed(
        {party, balance::Warning::percent, rating::Money::from_micros(-900'010'000)});
    EXPECT_EQ(world.log.events().size(), before + 1);
    EXPECT_EQ(world.state.threshold_events.after(0, 9).size(), 1U);
    const MailRecord mail = world.mail(1);
    EXPECT_EQ(mail.to, "ops@example.com");
    EXPECT_EQ(mail.party, "acme");
    EXPECT_EQ(mail.reason, "threshold");
    EXPECT_EQ(mail.subject, "acme: more than 90 % of the credit limit is owed");
    EXPECT_NE(mail.text.find("Owed:          900.01 EUR\nCredit limit:  1000 EUR\n"), std::string::npos)
        << mail.text;
    EXPECT_NE(mail.text.find("Acme & Söhne"), std::string::npos) << mail.text;
}

TEST(Notices, WithoutAnAddressThereIsNoMail) {
    OutboxWorld world;
    const auto party = warned_party(world, "");
    world.state.threshold_events.crossed({party, balance::Warning::percent, {}});
    EXPECT_EQ(world.state.threshold_events.after(0, 9).size(), 1U);
    EXPECT_TRUE(world.ids().empty());
}

// Goal: what belongs to an operation that came to nothing is not told, neither as an event nor as a mail.
TEST(Notices, AThresholdOfARefusedOperationIsNone) {
    OutboxWorld world;
    const auto party = warned_party(world, "ops@example.com");
    {
        JointEvent joint;
        world.state.threshold_events.crossed({party, balance::Warning::percent, {}});
        joint.abandon();
    }
    EXPECT_TRUE(world.state.threshold_events.after(0, 9).empty());
    EXPECT_TRUE(world.ids().empty());
    {
        JointEvent joint;
        world.state.threshold_events.crossed({party, balance::Warning::percent, {}});
        joint.write(world.state.events, at(2));
    }
    EXPECT_EQ(world.state.threshold_events.after(0, 9).size(), 1U);
    EXPECT_EQ(world.ids().size(), 1U);
}

TEST(Notices, APasswordThatChangedIsTold) {
    OutboxWorld world;
    (void)warned_party(world, "ops@example.com");
    Person person;
    person.id = "ann";
    person.party = "acme";
    for (const char* email : {"", "ann@example.com"}) {
        person.email = email;
        JointEvent joint;
        world.state.notices.password_changed(person, "bob", joint, at(3));
        joint.write(world.state.events, at(3));
    }
    EXPECT_EQ(world.mail(1).to, "ops@example.com");
    EXPECT_EQ(world.mail(2).to, "ann@example.com");
    EXPECT_EQ(world.mail(2).subject, "The password of ann was changed");
    EXPECT_NE(world.mail(2).text.find("(acme) was changed by bob at 1970-01-01T00:00:03Z."),
              std::string::npos);
}

}  // namespace
}  // namespace tollgate::daemon
