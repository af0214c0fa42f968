#include "daemon/outbox.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "daemon/state.h"
#include "tests/support/memory_log.h"

namespace tollgate::daemon {
namespace {

using balance::ByteReader;
using balance::ByteWriter;
using balance::EventHeader;
using balance::EventKind;
using balance::Moment;
using balance::Steady;
using std::chrono::seconds;

Moment at(std::int64_t second) {
    return {rating::Instant{seconds{second}}, Steady{seconds{second}}};
}

constexpr std::size_t kHeaderBytes = 1 + 8 + 8;  // Kind and two clocks.

MailDraft draft(const std::string& to) {
    return {MailKind::threshold, balance::PartyId{3}, to, "de", {{"party", "acme"}, {"owed", "900.01"}}};
}

/// A cause that says nothing of its own.
std::vector<std::byte> cause(Moment moment) {
    std::vector<std::byte> event;
    ByteWriter out{event};
    EventHeader{EventKind::threshold, moment}.write(out);
    return event;
}

std::vector<Mail> all(const Outbox& outbox) {
    return outbox.after(0, 1000, [](const Mail&) { return true; });
}

/// What a restart makes of a log, or of what another outbox saved.
void restore(std::span<const std::byte> event, Outbox& outbox) {
    ByteReader in{event};
    const EventHeader header = EventHeader::read(in);
    if (header.kind == EventKind::threshold) {
        EXPECT_TRUE(outbox.apply_made(header.at, in));
    } else if (header.kind == EventKind::mail_ended) {
        EXPECT_TRUE(outbox.apply_ended(header.at, in));
    } else {
        ASSERT_EQ(header.kind, EventKind::mail);
        EXPECT_TRUE(outbox.apply_kept(in));
    }
}

std::vector<std::vector<std::byte>> saved(const Outbox& outbox) {
    std::vector<std::vector<std::byte>> records;
    outbox.save([&records](std::span<const std::byte> record) {
        records.emplace_back(record.begin(), record.end());
    });
    return records;
}

// Goal: after a restart there is what was there: from the events, and from a snapshot.
void expect_restored(const tests::MemoryLog& log, const Outbox& outbox, std::size_t mails_max) {
    tests::MemoryLog nowhere;
    Outbox replayed{nowhere, mails_max};
    for (const auto& event : log.events())
        restore(event, replayed);
    EXPECT_EQ(saved(replayed), saved(outbox));
    Outbox restored{nowhere, mails_max};
    for (const auto& record : saved(outbox))
        restore(record, restored);
    EXPECT_EQ(saved(restored), saved(outbox));
    EXPECT_EQ(restored.counts().made, outbox.counts().made);
    EXPECT_TRUE(nowhere.events().empty()) << "a restart makes no events";
}

TEST(Outbox, AMailIsInTheEventOfItsCause) {
    tests::MemoryLog log;
    Outbox outbox{log, 10};
    const std::vector<MailDraft> drafts{draft("a@b"), draft("c@d")};
    EXPECT_EQ(outbox.append(cause(at(5)), at(5), drafts), 1U);
    EXPECT_EQ(log.events().size(), 1U);
    const auto mails = all(outbox);
    ASSERT_EQ(mails.size(), 2U);
    EXPECT_EQ(mails[0].number, 1U);
    EXPECT_EQ(mails[1].number, 2U);
    EXPECT_EQ(mails[1].draft.to, "c@d");
    EXPECT_EQ(mails[1].draft.values, drafts[1].values);
    EXPECT_EQ(mails[1].made_at, at(5).wall);
    EXPECT_EQ(mails[1].status, MailStatus::waiting);
    EXPECT_EQ(mails[1].sequence, 1U);
    expect_restored(log, outbox, 10);
}

TEST(Outbox, ACauseWithoutMailsIsAnEventOfItsOwn) {
    tests::MemoryLog log;
    Outbox outbox{log, 10};
    EXPECT_EQ(outbox.append(cause(at(5)), at(5), {}), 1U);
    ASSERT_EQ(log.events().size(), 1U);
    EXPECT_EQ(log.events().front(), cause(at(5)));
    EXPECT_TRUE(all(outbox).empty());
}

TEST(Outbox, WaitsUntilItEnds) {
    tests::MemoryLog log;
    Outbox outbox{log, 10};
    EXPECT_FALSE(outbox.due(Steady{}).next_due);
    outbox.append(cause(at(1)), at(1), std::vector{draft("a@b"), draft("c@d")});
    EXPECT_EQ(outbox.due(Steady{}).mail->number, 1U);  // At once, the oldest first.

    outbox.try_again(1, seconds{60}, "451 later");
    EXPECT_EQ(outbox.due(seconds{1}).mail->number, 2U);
    outbox.ended(2, MailStatus::sent, at(2), "");
    EXPECT_FALSE(outbox.due(seconds{59}).mail);
    EXPECT_EQ(outbox.due(seconds{59}).next_due, Steady{seconds{60}});
    EXPECT_EQ(outbox.due(seconds{60}).mail->answer, "451 later");
    EXPECT_EQ(outbox.due(seconds{60}).mail->attempts, 1U);
    outbox.ended(1, MailStatus::refused, at(60), "550 never");
    EXPECT_FALSE(outbox.due(seconds{60}).next_due);

    EXPECT_EQ(outbox.find(1)->status, MailStatus::refused);
    EXPECT_EQ(outbox.find(1)->answer, "550 never");
    EXPECT_EQ(outbox.find(2)->status, MailStatus::sent);
    EXPECT_EQ(outbox.find(2)->ended_at, at(2).wall);
    EXPECT_EQ(log.events().size(), 3U) << "attempts that change nothing are no events";
    expect_restored(log, outbox, 10);
}

TEST(Outbox, EndsOnce) {
    tests::MemoryLog log;
    Outbox outbox{log, 10};
    outbox.append(cause(at(1)), at(1), std::vector{draft("a@b")});
    outbox.ended(1, MailStatus::sent, at(2), "");
    outbox.ended(1, MailStatus::given_up, at(3), "");
    outbox.ended(7, MailStatus::sent, at(3), "");
    outbox.try_again(1, seconds{9}, "");
    EXPECT_EQ(outbox.find(1)->status, MailStatus::sent);
    EXPECT_EQ(log.events().size(), 2U);
    EXPECT_FALSE(outbox.due(seconds{100}).mail);
}

// Goal: it is bounded, and what was not sent stays longest.
TEST(Outbox, TheOldestThatEndedGoesFirst) {
    tests::MemoryLog log;
    Outbox outbox{log, 2};
    for (int i = 0; i < 2; ++i)
        outbox.append(cause(at(1)), at(1), std::vector{draft("a@b")});
    outbox.ended(2, MailStatus::sent, at(2), "");
    outbox.append(cause(at(3)), at(3), std::vector{draft("a@b")});
    EXPECT_TRUE(outbox.find(1) && outbox.find(3));
    EXPECT_FALSE(outbox.find(2));
    outbox.append(cause(at(4)), at(4), std::vector{draft("a@b")});
    EXPECT_FALSE(outbox.find(1)) << "all wait: the oldest";
    EXPECT_EQ(outbox.counts().waiting, 2U);
    EXPECT_EQ(outbox.counts().made, 4U);
    EXPECT_EQ(outbox.due(Steady{}).mail->number, 3U);
    expect_restored(log, outbox, 2);
}

TEST(Outbox, IsListedBothWays) {
    tests::MemoryLog log;
    Outbox outbox{log, 10};
    for (int i = 0; i < 5; ++i)
        outbox.append(cause(at(i)), at(i), std::vector{draft(i % 2 == 0 ? "even@b" : "odd@b")});
    const auto even = [](const Mail& mail) { return mail.draft.to == "even@b"; };
    const auto numbers = [](const std::vector<Mail>& mails) {
        std::vector<std::uint64_t> of;
        for (const Mail& mail : mails)
            of.push_back(mail.number);
        return of;
    };
    EXPECT_EQ(numbers(outbox.after(1, 9, even)), (std::vector<std::uint64_t>{3, 5}));
    EXPECT_EQ(numbers(outbox.after(0, 2, even)), (std::vector<std::uint64_t>{1, 3}));
    EXPECT_EQ(numbers(outbox.before(5, 9, even)), (std::vector<std::uint64_t>{3, 1}));
    EXPECT_EQ(numbers(outbox.before(UINT64_MAX, 1, even)), (std::vector<std::uint64_t>{5}));
}

TEST(Outbox, RefusesWhatCannotHaveBeenWritten) {
    tests::MemoryLog log;
    Outbox outbox{log, 10};
    outbox.append(cause(at(1)), at(1), std::vector{draft("a@b")});
    const std::vector<std::byte> event = log.events().front();
    tests::MemoryLog nowhere;
    for (std::size_t size = kHeaderBytes + 1; size < event.size(); ++size) {
        Outbox other{nowhere, 10};
        ByteReader in{std::span{event}.first(size)};
        (void)EventHeader::read(in);
        EXPECT_FALSE(other.apply_made(at(1), in)) << size;
    }
    ByteReader again{event};
    (void)EventHeader::read(again);
    EXPECT_FALSE(outbox.apply_made(at(1), again)) << "that number is taken";
}

// Goal: a crossing and its mail are one event, and both are there after a restart. That 100 postings at once
// cross once is shown against the running daemon, PB14.
TEST(ThresholdEvents, BringTheirMailsAlong) {
    tests::MemoryLog log;
    StateSettings settings;
    settings.parties_max = 10;
    settings.mails_of_threshold = [](const ThresholdEvent& event) {
        return std::vector{draft(std::to_string(event.number) + "@b")};
    };
    State state{settings};
    state.events.connect(log);
    state.threshold_events.crossed({balance::PartyId{0}, balance::Warning::percent, {}});
    ASSERT_EQ(log.events().size(), 1U);
    ASSERT_EQ(all(state.outbox).size(), 1U);
    EXPECT_EQ(all(state.outbox)[0].draft.to, "1@b");

    settings.mails_of_threshold = {};
    State other{settings};
    EXPECT_EQ(other.apply(log.events().front(), {}), "");
    EXPECT_EQ(other.threshold_events.after(0, 9).size(), 1U);
    ASSERT_EQ(all(other.outbox).size(), 1U);
    EXPECT_EQ(all(other.outbox)[0].draft.to, "1@b");
    EXPECT_EQ(other.digest(), state.digest());
}

}  // namespace
}  // namespace tollgate::daemon
