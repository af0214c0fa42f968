#include "balance/journal/tail.h"

#include <optional>

#include <gtest/gtest.h>

#include "balance/journal/snapshot.h"
#include "tests/balance/journal/simulated.h"

namespace tollgate::balance::journal {
namespace {

const auto never = [] { return false; };

/// Reads what is durable; nothing may be wrong.
void read_on(Tail& tail, const Journal& journal, Events& events, Sequence after = 0) {
    const auto fault = tail.read(journal.durable(), into(events, after), never);
    ASSERT_FALSE(fault) << fault->text();
    EXPECT_EQ(tail.at(), journal.durable());
}

// Goal: whoever follows a journal gets each event once, in order, over segments, seals and restarts.
// Method: after every batch the tail reads on; now and then the journal is closed, or its process killed.
TEST(Tail, ReadsEachEventOnceWhileTheJournalGrows) {
    SimDisk disk;
    Events replayed;
    auto journal = open_good(disk, replayed);
    const Instance instance = journal->instance();
    std::optional<Tail> tail{std::in_place, disk, instance};
    ASSERT_FALSE(tail->seek(0));
    Events events;
    for (std::size_t i = 1; i <= 200; ++i) {
        write_batch(*journal, 1 + i % 5);
        if (i % 3 == 0) {
            ASSERT_NO_FATAL_FAILURE(read_on(*tail, *journal, events));
        }
        if (i % 7 == 0) (void)journal->writer().seal();
        if (i % 40 == 0) {
            journal.reset();
            if (i % 80 == 0) {
                disk.kill();
                const Sequence at = tail->at();
                tail.emplace(disk, instance);  // It dies with the process.
                ASSERT_FALSE(tail->seek(at));
            }
            journal = open_good(disk, replayed);
        }
    }
    ASSERT_NO_FATAL_FAILURE(read_on(*tail, *journal, events));
    expect_events(events, 600);
    EXPECT_EQ(tail->epoch(), 5U) << "the sixth has no event yet";
    ASSERT_NO_FATAL_FAILURE(read_on(*tail, *journal, events));
    EXPECT_EQ(events.size(), 600U) << "there was nothing new";
}

// Goal: a place may be sought anywhere, and what is not there any more is said.
TEST(Tail, GoesOnBehindAnyEvent) {
    SimDisk disk;
    Events replayed;
    auto journal = open_good(disk, replayed);
    for (int i = 0; i < 60; ++i)
        write_batch(*journal, 2);
    Tail tail{disk, journal->instance()};
    for (Sequence after = 0; after <= 120; ++after) {
        ASSERT_FALSE(tail.seek(after));
        EXPECT_EQ(tail.at(), after);
        Events events;
        ASSERT_NO_FATAL_FAILURE(read_on(tail, *journal, events, after));
        EXPECT_EQ(events.size(), 120 - after);
    }
    ASSERT_EQ(journal->remove_segments(70), 2U);
    const auto fault = tail.seek(10);
    ASSERT_TRUE(fault);
    EXPECT_EQ(fault->kind, Fault::Kind::damage);
    EXPECT_FALSE(tail.seek(70));
}

// Goal: what a crash left behind the last whole batch is never handed out, however whole it looks.
TEST(Tail, LeavesOutWhatARecoveryCutOff) {
    SimDisk disk;
    Events replayed;
    auto journal = open_good(disk, replayed);
    write_batch(*journal, 3);
    const Instance instance = journal->instance();
    Tail tail{disk, instance};
    ASSERT_FALSE(tail.seek(0));
    Events events;
    ASSERT_NO_FATAL_FAILURE(read_on(tail, *journal, events));
    const auto before = disk.copy();
    write_batch(*journal, 1, 77);  // An event 4 that nobody was answered: the other disk never had it synced.
    const auto torn = disk.bytes(segment_name(1));
    journal.reset();

    journal = open_good(*before, replayed);
    write_batch(*journal, 2);
    // The first segment has the rubbish; the second says where it was cut.
    before->bytes(segment_name(1)) = torn;
    Tail other{*before, instance};
    ASSERT_FALSE(other.seek(0));
    Events all;
    ASSERT_NO_FATAL_FAILURE(read_on(other, *journal, all));
    expect_events(all, 5);
    EXPECT_TRUE(is_of_history(*before, 1, 3));
    EXPECT_FALSE(is_of_history(*before, 1, 4)) << "the first epoch ends with event 3";
    EXPECT_TRUE(is_of_history(*before, 2, 5));
    journal.reset();  // Before its disk.
}

TEST(Tail, SaysWhereTheJournalIsDamaged) {
    SimDisk disk;
    Events replayed;
    auto journal = open_good(disk, replayed);
    write_batch(*journal, 1);
    write_batch(*journal, 1);
    disk.flip(segment_name(1), 8 * (2 * kBlockBytes + sizeof(BatchHeader) + 20));
    Tail tail{disk, journal->instance()};
    ASSERT_FALSE(tail.seek(0));
    Events events;
    const auto fault = tail.read(2, into(events), never);
    ASSERT_TRUE(fault);
    EXPECT_EQ(fault->kind, Fault::Kind::damage);
    EXPECT_EQ(fault->offset, 2 * kBlockBytes);
    EXPECT_EQ(events.size(), 1U);
}

TEST(Tail, StopsWhenItIsEnough) {
    SimDisk disk;
    Events replayed;
    auto journal = open_good(disk, replayed);
    for (int i = 0; i < 10; ++i)
        write_batch(*journal, 2);
    Tail tail{disk, journal->instance()};
    ASSERT_FALSE(tail.seek(0));
    Events events;
    ASSERT_FALSE(tail.read(20, into(events), [&events] { return events.size() >= 5; }));
    EXPECT_EQ(tail.at(), 6U) << "batches are handed out whole";
    ASSERT_FALSE(tail.read(9, into(events), never));
    EXPECT_EQ(tail.at(), 10U);
}

// Goal: what somebody goes on from stays, and no more than that.
TEST(Snapshot, TheNewestThatIsOldEnoughIsKeptForWhoeverIsBehind) {
    SimDisk disk;
    const auto write = [&disk](Sequence sequence) {
        SnapshotWriter writer{disk, Instance{1, 2}, sequence};
        writer.add(event_of(sequence));
        ASSERT_EQ(writer.finish(), 0);
    };
    const auto left = [&disk] {
        std::vector<SnapshotFile> snapshots;
        EXPECT_EQ(list_snapshots(disk, snapshots), 0);
        std::vector<Sequence> sequences;
        for (const auto& snapshot : snapshots)
            sequences.push_back(snapshot.sequence);
        return sequences;
    };
    for (const Sequence sequence : {10U, 20U, 30U, 40U, 50U})
        write(sequence);
    // Nobody knows where he is: the oldest stays, and every segment.
    auto kept = remove_unneeded_snapshots(disk, 2, Sequence{0});
    EXPECT_EQ(kept.segments_until, 0U);
    EXPECT_TRUE(kept.older);
    EXPECT_EQ(left(), (std::vector<Sequence>{50, 40, 10}));
    write(60);
    kept = remove_unneeded_snapshots(disk, 2, Sequence{45});
    EXPECT_EQ(kept.segments_until, 40U);
    EXPECT_TRUE(kept.older);
    EXPECT_EQ(left(), (std::vector<Sequence>{60, 50, 40}));
    kept = remove_unneeded_snapshots(disk, 2, Sequence{50});
    EXPECT_EQ(kept.segments_until, 50U);
    EXPECT_FALSE(kept.older);
    EXPECT_EQ(left(), (std::vector<Sequence>{60, 50}));
    kept = remove_unneeded_snapshots(disk, 2, std::nullopt);
    EXPECT_EQ(kept.segments_until, 50U);
}

}  // namespace
}  // namespace tollgate::balance::journal
