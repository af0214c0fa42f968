#include "balance/journal/snapshot.h"

#include <cerrno>

#include <gtest/gtest.h>

#include "tests/balance/journal/simulated.h"

namespace tollgate::balance::journal {
namespace {

constexpr Instance kInstance{1, 2};

Errno write_snapshot(Disk& disk, Sequence sequence, std::size_t records) {
    SnapshotWriter writer{disk, kInstance, sequence};
    for (std::size_t i = 1; i <= records; ++i)
        writer.add(event_of(i, sequence));
    return writer.finish();
}

OnRecord into_records(Events& events) {
    return [&events](std::span<const std::byte> record) {
        events.emplace_back(record.begin(), record.end());
        return true;
    };
}

NewestSnapshot newest_snapshot(Disk& disk, Events& events) {
    return newest_snapshot(disk, kInstance, into_records(events), [&events] { events.clear(); });
}

TEST(Snapshot, ReadsBackWhatWasWritten) {
    SimDisk disk;
    for (const std::size_t records : {0U, 1U, 20'000U}) {
        ASSERT_EQ(write_snapshot(disk, 100 + records, records), 0);
        if (records == 0U) {
            EXPECT_EQ(remove_older_snapshots(disk), 0U) << "the segments before the only one stay";
        }
        Events events;
        const auto newest = newest_snapshot(disk, events);
        ASSERT_TRUE(newest.snapshot);
        EXPECT_EQ(newest.snapshot->sequence, 100 + records);
        expect_events(events, records, 100 + records);
    }
    EXPECT_EQ(remove_older_snapshots(disk), 101U);
    std::vector<SnapshotFile> left;
    list_snapshots(disk, left);
    EXPECT_EQ(left.size(), 2U);
    Events events;
    EXPECT_TRUE(read_snapshot(disk, Instance{1, 3}, left[0].name, into_records(events)));
}

TEST(Snapshot, EveryFlippedBitAndEveryCutIsSeenAndTheOlderOneIsTaken) {
    SimDisk disk;
    write_snapshot(disk, 7, 3);
    write_snapshot(disk, 9, 10);
    Events events;
    const std::string name = newest_snapshot(disk, events).snapshot->name;
    const auto whole = disk.bytes(name);
    const auto expect_passed_over = [&] {
        events.clear();
        const auto newest = newest_snapshot(disk, events);
        ASSERT_EQ(newest.passed_over.size(), 1U);
        EXPECT_EQ(newest.passed_over[0].name, name);
        ASSERT_TRUE(newest.snapshot);
        EXPECT_EQ(newest.snapshot->sequence, 7U);
        ASSERT_NO_FATAL_FAILURE(expect_events(events, 3, 7));  // And none of the newer one.
    };
    for (std::size_t bit = 0; bit < 8 * whole.size(); ++bit) {
        disk.flip(name, bit);
        ASSERT_NO_FATAL_FAILURE(expect_passed_over()) << "bit " << bit;
        disk.flip(name, bit);
    }
    for (std::size_t cut = 0; cut < whole.size(); ++cut) {
        disk.bytes(name).resize(cut);
        ASSERT_NO_FATAL_FAILURE(expect_passed_over()) << "cut " << cut;
        disk.bytes(name) = whole;
    }
    disk.bytes(name).push_back(std::byte{});
    expect_passed_over();
}

TEST(Snapshot, IsThereWholeOrNotAtAllAfterAPowerFailure) {
    for (std::uint64_t seed = 1; seed <= 300; ++seed) {
        SimDisk disk;
        std::mt19937_64 random{seed};
        ASSERT_EQ(write_snapshot(disk, 5, 3), 0);
        disk.fail_operation(random() % 10);
        const bool good = write_snapshot(disk, 8, 40) == 0;
        disk.fail_operation(0);
        disk.crash(random);
        Events events;
        const auto newest = newest_snapshot(disk, events);
        ASSERT_TRUE(newest.passed_over.empty());
        ASSERT_TRUE(newest.snapshot);
        if (good) {
            EXPECT_EQ(newest.snapshot->sequence, 8U);
        }
    }
}

TEST(Snapshot, OfWhichARecordIsRefusedIsNotPassedOver) {
    SimDisk disk;
    write_snapshot(disk, 7, 3);
    write_snapshot(disk, 9, 10);
    std::size_t taken = 0;
    const auto newest = newest_snapshot(
        disk, kInstance, [&taken](auto) { return ++taken < 5; }, [] { FAIL(); });
    ASSERT_TRUE(newest.refused);
    EXPECT_EQ(newest.refused->kind, Fault::Kind::refused);
    EXPECT_FALSE(newest.snapshot);
    EXPECT_TRUE(newest.passed_over.empty());
}

TEST(Snapshot, WhatFailedLeavesNothing) {
    SimDisk disk;
    disk.set_capacity(1000);
    EXPECT_EQ(write_snapshot(disk, 5, 100), ENOSPC);
    std::vector<std::string> names;
    disk.list(names);
    EXPECT_TRUE(names.empty());
}

}  // namespace
}  // namespace tollgate::balance::journal
