#include "balance/journal/repair.h"

#include <gtest/gtest.h>

#include "balance/journal/journal.h"
#include "balance/journal/snapshot.h"
#include "tests/balance/journal/simulated.h"

namespace tollgate::balance::journal {
namespace {

void fill(SimDisk& disk) {
    Events events;
    auto journal = open_good(disk, events);
    for (const std::size_t count : {1U, 12U, 3U})
        write_batch(*journal, count);
    journal->writer().seal();
}

// Goal: whatever single bit of a sealed journal is flipped, repair brings back all events.
TEST(Repair, TurnsBackAnySingleBit) {
    SimDisk disk;
    fill(disk);
    const std::string name = segment_name(1);
    std::uint64_t repaired = 0;
    for (std::uint64_t bit = 0; bit < 8 * 6 * kBlockBytes; bit += 3) {
        disk.flip(name, bit);
        Events events;
        if (read_journal(disk, small_settings(), 0, into(events)).fault) {
            const auto copy = disk.copy();
            const auto repair = repair_journal(*copy, small_settings(), false);
            ASSERT_TRUE(repair.good) << "bit " << bit << ": " << repair.done.back();
            open_good(*copy, events);
            ++repaired;
        }
        ASSERT_NO_FATAL_FAILURE(expect_events(events, 16)) << "bit " << bit;
        disk.flip(name, bit);
    }
    EXPECT_GT(repaired, 1'000U);
}

TEST(Repair, TheInstanceIsWrittenAnew) {
    SimDisk disk;
    fill(disk);
    disk.erase("instance");
    const auto repair = repair_journal(disk, small_settings(), false);
    EXPECT_TRUE(repair.good);
    Events events;
    open_good(disk, events);
    expect_events(events, 16);
}

TEST(Repair, CutsOnlyWhereItIsToldToAndSavesWhatItCuts) {
    SimDisk disk;
    fill(disk);
    const std::string name = segment_name(1);
    disk.flip(name, 8 * (2 * kBlockBytes + 200));
    disk.flip(name, 8 * (2 * kBlockBytes + 300));  // In the batch of twelve.
    const auto damaged = disk.bytes(name);
    const auto refused = repair_journal(disk, small_settings(), false);
    EXPECT_FALSE(refused.good);
    ASSERT_TRUE(refused.remaining);
    EXPECT_EQ(refused.remaining->offset, 2 * kBlockBytes);
    EXPECT_EQ(disk.bytes(name), damaged);
    const auto repair = repair_journal(disk, small_settings(), true);
    EXPECT_TRUE(repair.good) << repair.done.back();
    EXPECT_EQ(disk.bytes(name + ".damaged-1"), damaged);
    Events events;
    auto journal = open_good(disk, events);
    expect_events(events, 1);
    write_batch(*journal, 3);
    journal.reset();
    open_good(disk, events);
    expect_events(events, 4);
}

void take_snapshot(SimDisk& disk, Journal& journal) {
    SnapshotWriter writer{disk, journal.instance(), journal.durable()};
    for (Sequence record = 1; record <= 20; ++record)
        ASSERT_EQ(writer.add(event_of(record)), 0);
    ASSERT_EQ(writer.finish(), 0);
}

/// Three segments and more, a snapshot after the first and after the second, and a file beside them.
std::vector<std::string> fill_with_snapshots(SimDisk& disk) {
    Events events;
    auto journal = open_good(disk, events);
    for (int snapshot = 0; snapshot < 2; ++snapshot) {
        const std::uint64_t segment = journal->statistics().segment;
        while (journal->statistics().segment == segment)
            write_batch(*journal, 9);
        take_snapshot(disk, *journal);
    }
    while (journal->statistics().segment < 4)
        write_batch(*journal, 9);
    std::vector<std::string> files{journal->put_aside("deck", event_of(1'000)).name};
    journal->writer().seal();
    std::vector<SnapshotFile> snapshots;
    list_snapshots(disk, snapshots);
    for (const auto& snapshot : snapshots)
        files.push_back(snapshot.name);
    return files;
}

// Goal: the same of whatever stands beside the segments.
TEST(Repair, TurnsBackAnySingleBitOfSnapshotsAndOfFilesBesideTheSegments) {
    SimDisk disk;
    for (const std::string& name : fill_with_snapshots(disk)) {
        const auto before = disk.bytes(name);
        for (std::uint64_t bit = 0; bit < 8 * before.size(); bit += 7) {
            disk.flip(name, bit);
            const auto copy = disk.copy();
            const auto repair = repair_journal(*copy, small_settings(), false);
            ASSERT_TRUE(repair.good) << name << ", bit " << bit << ": " << repair.done.back();
            ASSERT_EQ(copy->bytes(name), before) << name << ", bit " << bit;
            disk.flip(name, bit);
        }
    }
}

// Goal: a snapshot that cannot be mended goes out of the way where another one will do, and stays where none
// does.
TEST(Repair, DoesWithoutASnapshotWhereItCan) {
    SimDisk disk;
    const auto files = fill_with_snapshots(disk);
    const auto spoil = [&disk](const std::string& name) {
        disk.flip(name, 8 * 200);
        disk.flip(name, 8 * 300);  // Of the same block.
    };
    spoil(files[1]);  // The newest.
    auto copy = disk.copy();
    EXPECT_TRUE(repair_journal(*copy, small_settings(), false).good);
    EXPECT_EQ(copy->bytes(files[1] + ".damaged-1"), disk.bytes(files[1]));
    std::uint64_t size = 0;
    EXPECT_EQ(copy->size(files[1], size), ENOENT);

    // With the first segment the journal does without any; without it, nothing goes back so far.
    spoil(files[2]);
    copy = disk.copy();
    EXPECT_TRUE(repair_journal(*copy, small_settings(), false).good);
    disk.erase(segment_name(1));
    const auto writes = disk.writes();
    for (const bool cut : {false, true}) {
        const auto repair = repair_journal(disk, small_settings(), cut);
        EXPECT_FALSE(repair.good);
        ASSERT_TRUE(repair.remaining);
        EXPECT_EQ(repair.remaining->kind, Fault::Kind::missing);
        EXPECT_EQ(disk.writes(), writes) << "what is whole is not changed, and nothing is cut";
    }
}

// Goal: what a start does not need is mended as far as it can be, and never cut.
TEST(Repair, CutsNothingThatASnapshotMakesUpFor) {
    SimDisk disk;
    fill_with_snapshots(disk);
    const std::string name = segment_name(1);
    disk.flip(name, 8 * (kBlockBytes + 100));
    disk.flip(name, 8 * (kBlockBytes + 101));
    const auto before = disk.bytes(name);
    const auto newest = disk.bytes(segment_name(4));
    const auto repair = repair_journal(disk, small_settings(), true);
    EXPECT_TRUE(repair.good) << repair.done.back();
    EXPECT_EQ(disk.bytes(name), before);
    EXPECT_EQ(disk.bytes(segment_name(4)), newest);
    disk.flip(name, 8 * (kBlockBytes + 101));
    EXPECT_TRUE(repair_journal(disk, small_settings(), true).good);
    EXPECT_FALSE(read_journal(disk, small_settings(), 0, [](auto, auto) { return true; }).fault);
}

TEST(Repair, LeavesAGoodJournalAlone) {
    SimDisk disk;
    fill(disk);
    const auto writes = disk.writes();
    EXPECT_TRUE(repair_journal(disk, small_settings(), true).good);
    EXPECT_EQ(disk.writes(), writes);
    Events events;
    const auto journal = open_good(disk, events);
    EXPECT_FALSE(repair_journal(disk, small_settings(), true).good) << "a daemon is at work";
}

}  // namespace
}  // namespace tollgate::balance::journal
