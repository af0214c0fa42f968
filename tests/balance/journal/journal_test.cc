#include "balance/journal/journal.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <string>
#include <thread>
#include <utility>

#include <gtest/gtest.h>

#include "balance/journal/aside.h"
#include "tests/balance/journal/simulated.h"

namespace tollgate::balance::journal {
namespace {

using std::chrono::milliseconds;

TEST(Journal, WhatBecameDurableIsReadBackInOrder) {
    SimDisk disk;
    Events events;
    auto journal = open_good(disk, events);
    EXPECT_EQ(journal->last(), 0U);
    for (std::size_t i = 0; i < 100; ++i)
        write_batch(*journal, 1 + i % 5);
    EXPECT_EQ(journal->durable(), 300U);
    EXPECT_GT(journal->statistics().segment, 3U);
    journal.reset();
    journal = open_good(disk, events);
    expect_events(events, 300);
    EXPECT_EQ(journal->last(), 300U);
    EXPECT_EQ(journal->durable(), 300U);
}

TEST(Journal, NothingIsDurableBeforeTheSync) {
    SimDisk disk;
    Events events;
    auto journal = open_good(disk, events);
    journal->append(event_of(1));
    EXPECT_EQ(journal->last(), 1U);
    EXPECT_EQ(journal->durable(), 0U);
    EXPECT_FALSE(journal->wait(1, milliseconds{1}));
    journal->step({});
    EXPECT_EQ(journal->durable(), 1U);
    EXPECT_TRUE(journal->wait(1, milliseconds{0}));
}

TEST(Journal, GoesOnAfterManyRestarts) {
    SimDisk disk;
    Events events;
    for (std::size_t i = 0; i < 30; ++i) {
        auto journal = open_good(disk, events);
        expect_events(events, i);
        write_batch(*journal, 1);
    }
}

TEST(Journal, AStartThatWritesNothingUsesNoSegment) {
    SimDisk disk;
    Events events;
    auto journal = open_good(disk, events);
    write_batch(*journal, 1);
    EXPECT_EQ(journal->writer().seal(), Writer::Step::wrote);
    for (int i = 0; i < 20; ++i) {
        journal.reset();
        journal = open_good(disk, events);
        EXPECT_EQ(journal->step(milliseconds{100}), Writer::Step::idle);
    }
    EXPECT_FALSE(disk.has(segment_name(5)));
}

TEST(Journal, IsSealedSoonAfterTheLastEvent) {
    SimDisk disk;
    Events events;
    auto journal = open_good(disk, events);
    write_batch(*journal, 1);
    EXPECT_EQ(journal->step(milliseconds{0}), Writer::Step::resting);
    EXPECT_EQ(journal->step(milliseconds{4}), Writer::Step::resting);
    EXPECT_EQ(journal->step(milliseconds{5}), Writer::Step::wrote);
    EXPECT_EQ(journal->step(milliseconds{50}), Writer::Step::idle);
    EXPECT_EQ(journal->statistics().seals, 1U);
}

TEST(Journal, AnUnsealedTailIsSealedAfterAStart) {
    SimDisk disk;
    Events events;
    auto journal = open_good(disk, events);
    write_batch(*journal, 1);
    journal.reset();
    disk.kill();
    journal = open_good(disk, events);
    journal->step(milliseconds{0});
    journal->step(milliseconds{5});
    journal.reset();
    // Now the only event can no longer pass for a torn write.
    disk.flip(segment_name(1), 8 * (kBlockBytes + sizeof(BatchHeader) + 20));
    const auto opened = Journal::open(disk, small_settings(), 0, into(events));
    EXPECT_FALSE(opened.journal);
    EXPECT_EQ(opened.fault.kind, Fault::Kind::damage);
    EXPECT_EQ(opened.fault.path, "/sim/segment-000000000001");
    EXPECT_EQ(opened.fault.offset, 4096U);
}

TEST(Journal, ASecondOneIsRefused) {
    SimDisk disk;
    Events events;
    auto journal = open_good(disk, events);
    auto second = Journal::open(disk, small_settings(), 0, into(events));
    EXPECT_FALSE(second.journal);
    EXPECT_EQ(second.fault.kind, Fault::Kind::locked);
    EXPECT_EQ(second.fault.text(),
              "/sim/lock: another process (1) is at work on this journal; stop it first, or give this one a "
              "directory of its own with journal.dir");
    journal.reset();
    EXPECT_TRUE(Journal::open(disk, small_settings(), 0, into(events)).journal);
}

TEST(Journal, ReadsOnlyWhatTheSnapshotDoesNotHave) {
    SimDisk disk;
    Events events;
    auto journal = open_good(disk, events);
    for (int i = 0; i < 60; ++i)
        write_batch(*journal, 2);
    EXPECT_EQ(journal->remove_segments(70), 2U);  // 15 batches of two events fit into one.
    journal.reset();
    events.clear();
    auto opened = Journal::open(disk, small_settings(), 70, into(events, 70));
    ASSERT_TRUE(opened.journal) << opened.fault.text();
    EXPECT_EQ(events.size(), 50U);
    opened.journal.reset();
    // Without the snapshot they are missing, and with one that is ahead so are others.
    opened = Journal::open(disk, small_settings(), 0, into(events));
    EXPECT_FALSE(opened.journal);
    EXPECT_EQ(opened.fault.kind, Fault::Kind::missing);
    opened = Journal::open(disk, small_settings(), 121, into(events));
    EXPECT_FALSE(opened.journal);
    EXPECT_EQ(opened.fault.kind, Fault::Kind::damage);
}

TEST(Journal, AMissingSegmentIsDamage) {
    SimDisk disk;
    Events events;
    auto journal = open_good(disk, events);
    for (int i = 0; i < 60; ++i)
        write_batch(*journal, 2);
    journal.reset();
    for (std::uint64_t segment = 1; segment <= 4; ++segment) {
        const auto copy = disk.copy();
        copy->erase(segment_name(segment));
        const auto opened = Journal::open(*copy, small_settings(), 0, into(events));
        events.clear();
        EXPECT_FALSE(opened.journal);
        EXPECT_EQ(opened.fault.kind, segment == 1 ? Fault::Kind::missing : Fault::Kind::damage) << segment;
    }
    disk.erase("instance");
    EXPECT_FALSE(Journal::open(disk, small_settings(), 0, into(events)).journal);
}

TEST(Journal, AnEventThatNobodyUnderstandsNamesItsPlace) {
    SimDisk disk;
    Events events;
    auto journal = open_good(disk, events);
    write_batch(*journal, 1);
    write_batch(*journal, 1);
    journal.reset();
    const auto opened =
        Journal::open(disk, small_settings(), 0, [](Sequence sequence, auto) { return sequence < 2; });
    EXPECT_FALSE(opened.journal);
    EXPECT_EQ(opened.fault.kind, Fault::Kind::refused);
    EXPECT_EQ(opened.fault.offset, 8192U);
}

TEST(Journal, WhatIsDurableCanBeReadWhileItGoesOn) {
    SimDisk disk;
    Events events;
    auto journal = open_good(disk, events);
    for (int i = 0; i < 60; ++i)
        write_batch(*journal, 2);
    journal->append(event_of(121));
    Events read;
    const auto found = journal->read(10, into(read, 10));
    EXPECT_FALSE(found.fault);
    EXPECT_EQ(read.size(), 110U);
}

TEST(Journal, FilesBesideItAreReadBackOrRefused) {
    SimDisk disk;
    Events events;
    auto journal = open_good(disk, events);
    const auto content = event_of(7);
    const std::string first = journal->put_aside("deck", content).name;
    const std::string second = journal->put_aside("deck", content).name;
    EXPECT_NE(first, second);
    std::vector<std::byte> bytes;
    std::string fault;
    EXPECT_TRUE(read_aside(disk, journal->instance(), first, bytes, fault)) << fault;
    EXPECT_EQ(bytes, content);
    for (std::size_t bit = 0; bit < 8 * disk.bytes(second).size(); ++bit) {
        disk.flip(second, bit);
        EXPECT_FALSE(read_aside(disk, journal->instance(), second, bytes, fault));
        disk.flip(second, bit);
    }
    EXPECT_EQ(remove_aside(disk, first), 0);
    EXPECT_EQ(remove_aside(disk, "instance"), EINVAL);
    std::vector<std::string> names;
    list_asides(disk, names);
    EXPECT_EQ(names, std::vector<std::string>{second});
}

// At the end nobody waits for 64 MiB of zeros.
TEST(Journal, ASegmentThatIsBeingMadeIsGivenUpWhenAStopIsRequested) {
    SimDisk disk;
    const Settings settings = small_settings();
    Segments segments{settings, 1, {}};
    Preparer preparer{disk, settings, segments};
    std::stop_source stop;
    stop.request_stop();
    ASSERT_NE(segments.wanted(), 0U);
    EXPECT_EQ(preparer.step(stop.get_token()), Preparer::Step::failed);
    EXPECT_EQ(segments.full_because(), "");
    std::vector<std::string> names;
    EXPECT_EQ(disk.list(names), 0);
    EXPECT_TRUE(names.empty());
    EXPECT_EQ(preparer.step(), Preparer::Step::made);
}

// One is not settled while anybody may still append the event that names it.
TEST(Journal, FilesBesideItAreSettledOnceTheirHoldsAreGone) {
    SimDisk disk;
    Events events;
    auto journal = open_good(disk, events);
    auto file = journal->put_aside("deck", event_of(7));
    const std::string given_up = journal->put_aside("deck", event_of(8)).name;
    std::vector<std::string> names;
    EXPECT_EQ(journal->settled_asides(names), 0);
    EXPECT_EQ(names, std::vector<std::string>{given_up});
    auto copy = std::exchange(file, {});
    EXPECT_EQ(journal->settled_asides(names), 0);
    EXPECT_EQ(names, std::vector<std::string>{given_up});
    const auto held = std::exchange(copy, {}).name;
    EXPECT_EQ(journal->settled_asides(names), 0);
    std::sort(names.begin(), names.end());
    EXPECT_EQ(names, (std::vector<std::string>{held, given_up}));
}

// Goal: with real files and threads, every event that was waited for is there after a restart.
TEST(JournalThreads, ProducersAndWaitersOnARealDisk) {
    const std::string directory = testing::TempDir() + "/journal_threads";
    PosixDisk disk{directory};
    ASSERT_EQ(disk.make_directory(), 0);
    std::vector<std::string> names;
    ASSERT_EQ(disk.list(names), 0);
    for (const auto& name : names)
        disk.remove(name);
    Settings settings;
    settings.segment_bytes = 256 * 1024;
    settings.queue_bytes = 64 * 1024;
    constexpr Sequence kEvents = 2'000;
    std::atomic<int> notes{0};
    {
        Events events;
        auto opened = Journal::open(disk, settings, 0, into(events));
        ASSERT_TRUE(opened.journal) << opened.fault.text();
        opened.journal->on_durable([&] { ++notes; });
        opened.journal->start();
        std::vector<std::jthread> producers;
        for (int producer = 0; producer < 4; ++producer) {
            producers.emplace_back([&, producer] {
                for (Sequence i = 0; i < kEvents; ++i) {
                    const std::array<std::byte, 40> event{static_cast<std::byte>(producer),
                                                          std::byte(i % 256)};
                    const Sequence sequence = opened.journal->append(event);
                    if (i % 100 == 0) {
                        EXPECT_TRUE(opened.journal->wait(sequence, std::chrono::seconds{20}));
                    }
                }
            });
        }
        producers.clear();
        EXPECT_TRUE(opened.journal->stop());
        EXPECT_EQ(opened.journal->durable(), 4 * kEvents);
        PosixDisk same{directory};
        EXPECT_EQ(Journal::open(same, settings, 0, into(events)).fault.kind, Fault::Kind::locked);
    }
    EXPECT_GT(notes, 0);
    std::array<std::uint64_t, 4> seen{};
    const auto found = read_journal(disk, settings, 0, [&](Sequence, std::span<const std::byte> event) {
        const auto producer = std::to_integer<std::size_t>(event[0]);
        EXPECT_EQ(event[1], static_cast<std::byte>(seen.at(producer) % 256));
        ++seen.at(producer);
        return true;
    });
    EXPECT_FALSE(found.fault);
    EXPECT_EQ(found.events, 4 * kEvents);
    EXPECT_TRUE(found.sealed);
    EXPECT_EQ(found.torn_blocks, 0U);
}

}  // namespace
}  // namespace tollgate::balance::journal
