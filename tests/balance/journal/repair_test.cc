#include "balance/journal/repair.h"

#include <gtest/gtest.h>

#include "balance/journal/journal.h"
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
            const auto repair = repair_journal(*copy, small_settings(), 0, false);
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
    const auto repair = repair_journal(disk, small_settings(), 0, false);
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
    const auto refused = repair_journal(disk, small_settings(), 0, false);
    EXPECT_FALSE(refused.good);
    ASSERT_TRUE(refused.remaining);
    EXPECT_EQ(refused.remaining->offset, 2 * kBlockBytes);
    EXPECT_EQ(disk.bytes(name), damaged);
    const auto repair = repair_journal(disk, small_settings(), 0, true);
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

TEST(Repair, LeavesAGoodJournalAlone) {
    SimDisk disk;
    fill(disk);
    const auto writes = disk.writes();
    EXPECT_TRUE(repair_journal(disk, small_settings(), 0, true).good);
    EXPECT_EQ(disk.writes(), writes);
    Events events;
    const auto journal = open_good(disk, events);
    EXPECT_FALSE(repair_journal(disk, small_settings(), 0, true).good) << "a daemon is at work";
}

}  // namespace
}  // namespace tollgate::balance::journal
