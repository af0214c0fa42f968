#include "daemon/partners/audit_log.h"

#include <cstring>
#include <functional>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "balance/event.h"

namespace tollgate::daemon {
namespace {

using balance::JointEvent;
using balance::Moment;

/// A journal in memory, which fails to take large events unless it is told what to do.
class Log final : public balance::EventLog {
  public:
    balance::Sequence append(std::span<const std::byte> event) noexcept override {
        const std::lock_guard lock{mutex_};
        events.emplace_back(event.begin(), event.end());
        return events.size();
    }
    [[nodiscard]] balance::Sequence last() const noexcept override { return events.size(); }
    [[nodiscard]] balance::Admission admission() const noexcept override { return balance::Admission::open; }
    balance::AsideFile put_aside(std::string_view /*kind*/, std::span<const std::byte> /*bytes*/) override {
        if (!written_aside) throw std::runtime_error{"the disk is full"};
        return {written_aside(), nullptr};
    }

    std::vector<std::vector<std::byte>> events;
    std::function<std::string()> written_aside;

  private:
    std::mutex mutex_;
};

void note(AuditLog& audit, Log& log, std::string actor) {
    JointEvent joint;
    audit.add(joint, {.actor = std::move(actor), .operation = "changeParty", .after = "{}"}, Moment{});
    joint.write(log, Moment{});
}

/// Applies the entries of an event to another log.
void replay(std::span<const std::byte> event, AuditLog& audit) {
    balance::ByteReader in{event};
    (void)balance::EventHeader::read(in);
    if (!balance::is_together(event)) {
        ASSERT_TRUE(audit.apply(in));
        return;
    }
    for (auto part = balance::next_part(in); !part.empty(); part = balance::next_part(in)) {
        balance::ByteReader inner{part};
        ASSERT_EQ(balance::EventHeader::read(inner).kind, balance::EventKind::audit);
        ASSERT_TRUE(audit.apply(inner));
    }
}

TEST(AuditLog, IsAChainThatAReplayBringsBack) {
    AuditLog audit;
    Log log;
    EXPECT_EQ(audit.verify().entries, 0U);
    for (const char* const actor : {"ann", "bob", "ann"})
        note(audit, log, actor);
    const auto chain = audit.verify();
    EXPECT_EQ(chain.broken_at, 0U) << chain.fault;
    EXPECT_EQ(chain.entries, 3U);
    EXPECT_EQ(chain.first, 1U);
    EXPECT_EQ(chain.head.number, 3U);
    EXPECT_EQ(chain.head.hash, audit.head().hash);
    audit.visit_back(2, [](const AuditEntry& first) {
        EXPECT_EQ(first.link->previous, access::ChainHash{}) << "nothing is before the first";
        return true;
    });

    AuditLog again;
    for (const auto& event : log.events)
        replay(event, again);
    EXPECT_EQ(again.head().hash, audit.head().hash);
    note(again, log, "eve");
    EXPECT_EQ(again.verify().broken_at, 0U) << "it goes on where it ended";
    EXPECT_EQ(again.verify().head.number, 4U);
}

TEST(AuditLog, KeepsItsChainInASnapshot) {
    AuditLog audit;
    Log log;
    note(audit, log, "ann");
    note(audit, log, "bob");
    AuditLog again;
    audit.save([&again](std::span<const std::byte> event) { replay(event, again); });
    EXPECT_EQ(again.verify().entries, 2U);
    EXPECT_EQ(again.verify().broken_at, 0U);
    EXPECT_EQ(again.head().hash, audit.head().hash);
}

// Goal: whoever changes an entry, takes one out or puts another in its place is found out, and where.
TEST(AuditLog, NamesTheFirstEntryThatDoesNotFit) {
    AuditLog audit;
    Log log;
    for (const char* const actor : {"ann", "bob", "eve", "ann"})
        note(audit, log, actor);

    AuditLog changed;
    for (auto event : log.events) {
        // `bob` becomes `rob`.
        for (std::size_t i = 0; i + 3 <= event.size(); ++i) {
            if (std::memcmp(event.data() + i, "bob", 3) == 0) event[i] = std::byte{'r'};
        }
        replay(event, changed);
    }
    EXPECT_EQ(changed.verify().broken_at, 2U);
    EXPECT_EQ(changed.verify().fault, "its hash is not that of what it says");

    AuditLog shortened;
    for (std::size_t i : {0U, 2U, 3U})
        replay(log.events[i], shortened);
    EXPECT_EQ(shortened.verify().broken_at, 3U);
    EXPECT_EQ(shortened.verify().fault, "it follows entry 1: what was between them is gone");

    // One that was made anew, with a hash that is right: those behind it know another one.
    AuditLog forger;
    Log forged;
    note(forger, forged, "ann");
    note(forger, forged, "rob");
    AuditLog patched;
    replay(log.events[0], patched);
    replay(forged.events[1], patched);
    replay(log.events[2], patched);
    EXPECT_EQ(patched.verify().broken_at, 3U);

    // All of it made anew: only who has noted a hash finds out.
    const auto noted = audit.head().hash;
    EXPECT_TRUE(audit.verify(noted).expected_found);
    EXPECT_EQ(forger.verify(noted).broken_at, 0U);
    EXPECT_FALSE(forger.verify(noted).expected_found);
}

TEST(AuditLog, TakesEntriesFromBeforeThereWasAChainAsItsBeginning) {
    AuditLog old;
    std::vector<std::byte> event;
    balance::ByteWriter out{event};
    balance::EventHeader{balance::EventKind::audit, Moment{}}.write(out);
    const auto bytes = hashed_bytes({.number = 5, .actor = "ann"});
    event.insert(event.end(), bytes.begin(), bytes.end());
    replay(event, old);
    EXPECT_EQ(old.verify().unchained, 1U);
    EXPECT_EQ(old.verify().broken_at, 0U);
    Log log;
    note(old, log, "bob");
    const auto chain = old.verify();
    EXPECT_EQ(chain.broken_at, 0U);
    EXPECT_EQ(chain.first, 6U);
    EXPECT_EQ(chain.entries, 2U);

    // Behind the chain's first there is none without a hash.
    const auto late = hashed_bytes({.number = 7, .actor = "eve"});
    std::vector<std::byte> forged;
    balance::ByteWriter forged_out{forged};
    balance::EventHeader{balance::EventKind::audit, Moment{}}.write(forged_out);
    forged.insert(forged.end(), late.begin(), late.end());
    replay(forged, old);
    EXPECT_EQ(old.verify().broken_at, 7U);
}

TEST(AuditLog, GivesTheNumberOfAnEntryThatCouldNotBeWrittenToTheNext) {
    AuditLog audit;
    Log log;
    {
        JointEvent joint;
        audit.add(joint, {.actor = "ann"}, Moment{});
        joint.abandon();
        joint.write(log, Moment{});
    }
    {
        JointEvent joint;
        audit.add(joint, {.actor = "ann", .after = std::string(balance::kEventBytesMax, 'x')}, Moment{});
        EXPECT_THROW(joint.write(log, Moment{}), std::runtime_error);
    }
    EXPECT_TRUE(log.events.empty());
    EXPECT_EQ(audit.verify().entries, 0U);
    note(audit, log, "bob");
    EXPECT_EQ(audit.verify().head.number, 1U);
    EXPECT_EQ(audit.verify().broken_at, 0U);
}

// Goal: nobody waits while the file of a large event is written. Method: somebody else is noted meanwhile.
TEST(AuditLogThreads, NobodyWaitsForAFileOfAnother) {
    AuditLog audit;
    Log log;
    log.written_aside = [&] {
        std::thread{[&] { note(audit, log, "meanwhile"); }}.join();
        return std::string{"a-file"};
    };
    JointEvent joint;
    joint.add(std::vector<std::byte>(balance::kEventBytesMax));
    audit.add(joint, {.actor = "large"}, Moment{});
    joint.write(log, Moment{});
    ASSERT_EQ(log.events.size(), 2U);
    const auto chain = audit.verify();
    EXPECT_EQ(chain.broken_at, 0U) << chain.fault;
    EXPECT_EQ(chain.head.number, 2U);
    // The journal has the file's name and the entry as one.
    std::vector<balance::EventKind> kinds;
    balance::ByteReader in{log.events[1]};
    EXPECT_EQ(balance::EventHeader::read(in).kind, balance::EventKind::together);
    for (auto part = balance::next_part(in); !part.empty(); part = balance::next_part(in)) {
        balance::ByteReader inner{part};
        kinds.push_back(balance::EventHeader::read(inner).kind);
    }
    EXPECT_EQ(kinds, (std::vector{balance::EventKind::together_aside, balance::EventKind::audit}));
}

// Goal: entries of many threads are one chain, and stand in the journal in its order.
TEST(AuditLogThreads, AreOneChain) {
    constexpr int kThreads = 4;
    constexpr int kEntries = 200;
    AuditLog audit;
    Log log;
    {
        std::vector<std::jthread> threads;
        threads.reserve(kThreads);
        for (int i = 0; i < kThreads; ++i) {
            threads.emplace_back([&audit, &log] {
                for (int n = 0; n < kEntries; ++n)
                    note(audit, log, "ann");
            });
        }
    }
    AuditLog again;
    for (const auto& event : log.events)
        replay(event, again);
    const auto chain = again.verify();
    EXPECT_EQ(chain.broken_at, 0U) << chain.fault;
    EXPECT_EQ(chain.entries, 800U);
    EXPECT_EQ(chain.head.hash, audit.head().hash);
}

}  // namespace
}  // namespace tollgate::daemon
