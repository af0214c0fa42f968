// What a test of the journal must show: cuts, flipped bits, power loss, errors and full disks.
#include <cstdlib>
#include <optional>
#include <random>

#include <gtest/gtest.h>

#include "balance/journal/journal.h"
#include "tests/balance/journal/simulated.h"

namespace tollgate::balance::journal {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;

/// How often: TOLLGATE_TORTURE multiplies it.
std::uint64_t times(std::uint64_t quick) {
    const char* factor = std::getenv("TOLLGATE_TORTURE");
    return factor == nullptr ? quick : quick * std::strtoull(factor, nullptr, 10);
}

// Goal: every prefix recovers to exactly the batches before the cut.
// Method: batches of known ends in one segment; the file is cut at every byte up to the end of the last.
TEST(JournalCut, EveryPrefixIsExactlyTheBatchesBeforeTheCut) {
    SimDisk disk;
    Events events;
    auto journal = open_good(disk, events);
    // The bytes behind which each batch is whole, and the events up to there.
    std::vector<std::pair<std::size_t, std::size_t>> ends;
    std::size_t offset = kBlockBytes;
    for (const std::size_t count : {1U, 30U, 2U, 1U}) {
        const auto before = journal->statistics().bytes;
        std::size_t body = 0;
        for (std::size_t i = 0; i < count; ++i)
            body += 4 + event_of(journal->last() + 1 + i).size();
        write_batch(*journal, count);
        ends.emplace_back(offset + sizeof(BatchHeader) + body, journal->durable());
        offset += journal->statistics().bytes - before;
    }
    journal->writer().seal();
    journal.reset();
    const std::size_t end = offset + kBlockBytes;
    for (std::size_t cut = 0; cut <= end; ++cut) {
        const auto copy = disk.copy();
        copy->cut(segment_name(1), cut);
        std::size_t expected = 0;
        for (const auto& [whole, count] : ends) {
            if (cut >= whole) expected = count;
        }
        Events found;
        auto opened = Journal::open(*copy, small_settings(), 0, into(found));
        ASSERT_TRUE(opened.journal) << "cut at " << cut << ": " << opened.fault.text();
        ASSERT_EQ(found.size(), expected) << "cut at " << cut;
        if (cut % 256 != 0) continue;
        // And it goes on from there.
        write_batch(*opened.journal, 3);
        opened.journal.reset();
        auto again = open_good(*copy, found);
        expect_events(found, expected + 3);
    }
}

// Goal: a flipped bit in what a later batch or seal follows is refused, naming the place, or changes nothing.
TEST(JournalFlip, NeverSilentlyOtherEvents) {
    SimDisk disk;
    Events events;
    auto journal = open_good(disk, events);
    for (const std::size_t count : {1U, 12U, 3U})
        write_batch(*journal, count);
    const auto bytes = kBlockBytes + journal->statistics().bytes;
    journal->writer().seal();
    journal.reset();
    std::uint64_t refused = 0;
    for (std::uint64_t bit = 0; bit < 8 * bytes; ++bit) {
        disk.flip(segment_name(1), bit);
        Events found;
        const auto recovery = read_journal(disk, small_settings(), 0, into(found));
        if (recovery.fault) {
            ++refused;
            ASSERT_EQ(recovery.fault->kind, Fault::Kind::damage);
            ASSERT_EQ(recovery.fault->name, segment_name(1));
            ASSERT_LE(recovery.fault->offset, bit / 8);
        } else {
            ASSERT_NO_FATAL_FAILURE(expect_events(found, 16)) << "bit " << bit;
        }
        disk.flip(segment_name(1), bit);
    }
    EXPECT_GT(refused, 8 * (80 + 3 * 88 + 16 * 12));
}

// Goal: after power loss everything that was promised is there, in order, and nothing that never was.
// Method: a life of random appends, steps, idle times, starts and power failures from a seed; the model is
// the number of promised events and those that were appended; what lies between may be there or not. The salt
// of events changes with each start, so that rubbish of a life before cannot pass for what came later.
struct Life {
    explicit Life(std::uint64_t seed, Reply reply) : random(seed) {
        settings.reply = reply;
        settings.segment_bytes = 32 * 1024;
        settings.queue_bytes = 4 * 1024;
        settings.batch_bytes_max = 2 * 1024;
    }

    void start() {
        Events found;
        auto opened = Journal::open(disk, settings, 0, into(found));
        ASSERT_TRUE(opened.journal) << opened.fault.text();
        journal = std::move(opened.journal);
        ASSERT_GE(found.size(), promised);
        ASSERT_LE(found.size(), appended.size());
        for (std::size_t i = 0; i < found.size(); ++i)
            ASSERT_EQ(found[i], appended[i]) << "event " << i + 1;
        appended.resize(found.size());
        // What was read is answered from now on.
        promised = found.size();
        ++starts;
    }
    void live(int steps) {
        for (int i = 0; i < steps; ++i) {
            switch (random() % 8) {
                case 0:
                case 1:
                case 2:
                    // The queue must not fill: nobody else would empty it.
                    if (appended.size() > journal->durable() + 6) journal->prepare();
                    if (appended.size() > journal->durable() + 6) break;
                    for (auto n = random() % 4; n-- > 0;) {
                        auto event = event_of(appended.size() + 1, random());
                        ASSERT_EQ(journal->append(event), appended.size() + 1);
                        appended.push_back(std::move(event));
                    }
                    journal->step(now);
                    break;
                case 3:
                    now += milliseconds{random() % 20};
                    break;
                case 4:
                    journal->prepare();
                    break;
                default:
                    journal->step(now);
                    break;
            }
            promised = std::max<std::size_t>(promised, journal->durable());
        }
        for (int i = 0; i < 10; ++i) {
            if (random() % 4 != 0) break;
            journal->step(now);
            promised = std::max<std::size_t>(promised, journal->durable());
        }
    }

    SimDisk disk;
    Settings settings;
    std::mt19937_64 random;
    nanoseconds now{0};
    std::unique_ptr<Journal> journal;
    Events appended;
    std::size_t promised = 0;
    std::uint64_t starts = 0;
};

TEST(JournalPower, NothingPromisedIsLostAndNothingIsInvented) {
    std::uint64_t starts = 0;
    std::uint64_t seed = 1;
    for (; starts < times(20'000); ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        Life life{seed, Reply::synced};
        for (int crash = 0; crash < 12; ++crash) {
            ASSERT_NO_FATAL_FAILURE(life.start());
            ASSERT_NO_FATAL_FAILURE(life.live(static_cast<int>(life.random() % 40)));
            life.journal.reset();
            if (life.random() % 4 == 0) {
                life.disk.kill();
            } else {
                life.disk.crash(life.random);
            }
        }
        starts += life.starts;
    }
    std::printf("%llu recoveries, seeds 1 to %llu\n", static_cast<unsigned long long>(starts),
                static_cast<unsigned long long>(seed - 1));
}

// Goal: power fails within a start, and again within the next one.
TEST(JournalPower, FailsDuringStarts) {
    for (std::uint64_t seed = 1; seed <= times(1'000); ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        Life life{seed, Reply::synced};
        for (int round = 0; round < 4; ++round) {
            ASSERT_NO_FATAL_FAILURE(life.start());
            ASSERT_NO_FATAL_FAILURE(life.live(20));
            life.journal.reset();
            life.disk.crash(life.random);
            for (int again = 0; again < 5; ++again) {
                // The start goes so far as the first operations that fail, and the power with them.
                life.disk.fail_operation(1 + life.random() % 40);
                Events found;
                auto opened = Journal::open(life.disk, life.settings, 0, into(found));
                if (opened.journal) opened.journal->step(life.now += milliseconds{20});
                if (opened.journal) opened.journal->step(life.now += milliseconds{20});
                opened.journal.reset();
                life.disk.fail_operation(0);
                life.disk.crash(life.random);
            }
        }
    }
}

// Goal: where answers leave before the sync, power loss costs the latest only, and never a start; the death
// of the process costs nothing.
TEST(JournalPower, AnswersBeforeTheSyncSurviveTheProcess) {
    for (std::uint64_t seed = 1; seed <= times(500); ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        Life life{seed, Reply::written};
        for (int crash = 0; crash < 12; ++crash) {
            ASSERT_NO_FATAL_FAILURE(life.start());
            ASSERT_NO_FATAL_FAILURE(life.live(static_cast<int>(life.random() % 40)));
            life.journal.reset();
            if (life.random() % 2 == 0) {
                life.disk.kill();
            } else {
                life.disk.crash(life.random);
                life.promised = 0;
            }
        }
    }
}

// Goal: after an error at the n-th write, sync or other operation nothing more becomes durable, the file is
// left alone, and what had been promised is there after a start.
class JournalTrouble : public testing::Test {
  protected:
    template <typename Set>
    void every(std::uint64_t until, bool final_for_writer, Set&& set) {
        for (std::uint64_t n = 1; n <= until; ++n) {
            SCOPED_TRACE("n = " + std::to_string(n));
            Life life{n, Reply::synced};
            ASSERT_NO_FATAL_FAILURE(life.start());
            set(life.disk, n);
            bool failed = false;
            for (int i = 0; i < 30 && !failed; ++i) {
                ASSERT_NO_FATAL_FAILURE(life.live(5));
                failed = life.journal->failed();
                failures += failed ? 1 : 0;
            }
            if (failed) {
                const auto durable = life.journal->durable();
                const auto writes = life.disk.writes();
                const auto syncs = life.disk.syncs();
                EXPECT_TRUE(life.journal->statistics().failure.starts_with("/sim/segment-"));
                EXPECT_EQ(life.journal->admission(), Admission::closed);
                for (int i = 0; i < 5; ++i) {
                    auto event = event_of(life.appended.size() + 1, n);
                    life.journal->append(event);
                    life.appended.push_back(std::move(event));
                    EXPECT_EQ(life.journal->step(life.now += milliseconds{20}), Writer::Step::failed);
                }
                EXPECT_EQ(life.journal->durable(), durable);
                EXPECT_EQ(life.disk.writes(), writes);
                EXPECT_EQ(life.disk.syncs(), syncs);
                EXPECT_FALSE(life.journal->wait(durable + 1, milliseconds{1}));
            }
            life.journal.reset();
            set(life.disk, 0);  // Whatever did not come to pass.
            life.disk.crash(life.random);
            ASSERT_NO_FATAL_FAILURE(life.start());
        }
        if (final_for_writer) {
            EXPECT_GT(failures, until / 4);
        }
    }
    std::uint64_t failures = 0;
};

TEST_F(JournalTrouble, ErrorAtTheNthWrite) {
    every(150, true, [](SimDisk& disk, std::uint64_t n) { disk.fail_write(n); });
}
TEST_F(JournalTrouble, ErrorAtTheNthSync) {
    every(150, true, [](SimDisk& disk, std::uint64_t n) { disk.fail_sync(n); });
}
TEST_F(JournalTrouble, StuckAtTheNthWrite) {
    every(150, true,
          [](SimDisk& disk, std::uint64_t n) { disk.fail_write(n, SimDisk::Trouble::stuck_write); });
}
TEST_F(JournalTrouble, AShortWriteIsContinuedOnce) {
    every(150, false,
          [](SimDisk& disk, std::uint64_t n) { disk.fail_write(n, SimDisk::Trouble::short_write); });
    EXPECT_EQ(failures, 0U);
}
TEST_F(JournalTrouble, ErrorAtTheNthOperation) {
    every(300, true, [](SimDisk& disk, std::uint64_t n) { disk.fail_operation(n); });
}

// Goal: what only the kernel's memory has after a sync that failed is on the disk before anything builds upon
// it. Method: the n-th sync fails, which stops the process but not the machine; the next process finds the
// batch whole, goes on, and then the power fails.
TEST(JournalPower, WhatAFailedSyncLeftBehindIsWrittenOnceMore) {
    for (std::uint64_t seed = 1; seed <= 200; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        Life life{seed, Reply::synced};
        ASSERT_NO_FATAL_FAILURE(life.start());
        life.disk.fail_sync(5 + seed % 20);
        for (int i = 0; i < 30 && !life.journal->failed(); ++i)
            ASSERT_NO_FATAL_FAILURE(life.live(5));
        life.journal.reset();
        life.disk.fail_sync(0);
        life.disk.kill();
        ASSERT_NO_FATAL_FAILURE(life.start());
        ASSERT_NO_FATAL_FAILURE(life.live(5));
        life.journal.reset();
        life.disk.crash(life.random);
        ASSERT_NO_FATAL_FAILURE(life.start());
    }
}

// Goal: wherever the disk fills, nothing appended under admission() is lost or waits for ever, calls can
// still end until the room for them is used up, and everything heals when there is space.
TEST(JournalFull, NothingIsLostAndItHeals) {
    Settings settings = small_settings();
    for (std::uint64_t room = 0; room <= 12; ++room) {
        for (std::uint64_t seed = 1; seed <= 3; ++seed) {
            SCOPED_TRACE("room " + std::to_string(room) + " seed " + std::to_string(seed));
            SimDisk disk;
            std::mt19937_64 random{seed};
            Events appended;
            {
                Events events;
                disk.set_capacity(room * kSmallSegment / 2 + 100);
                auto journal = open_good(disk, events, settings);
                Admission worst = Admission::open;
                for (int i = 0; i < 400; ++i) {
                    journal->prepare();
                    worst = std::max(worst, journal->admission());
                    // A few commands, all of which looked before any of them appended.
                    if (journal->admission() != Admission::closed) {
                        for (auto n = 1 + random() % 4; n-- > 0;) {
                            appended.push_back(event_of(appended.size() + 1, seed));
                            journal->append(appended.back());
                        }
                    }
                    EXPECT_NE(journal->step(milliseconds{i}), Writer::Step::failed);
                    ASSERT_EQ(journal->durable(), appended.size());
                }
                EXPECT_EQ(worst, Admission::closed);
                EXPECT_FALSE(journal->statistics().full_because.empty());
                if (room >= 4) {
                    EXPECT_FALSE(appended.empty());
                }
                // Space returns.
                disk.set_capacity(~std::uint64_t{0});
                for (int i = 0; i < 4; ++i)
                    journal->prepare();
                EXPECT_EQ(journal->admission(), Admission::open);
                EXPECT_EQ(journal->statistics().full_because, "");
                appended.push_back(event_of(appended.size() + 1, seed));
                journal->append(appended.back());
                journal->step(milliseconds{1000});
                EXPECT_EQ(journal->durable(), appended.size());
            }
            disk.crash(random);
            Events found;
            auto journal = open_good(disk, found, settings);
            EXPECT_EQ(found, appended);
        }
    }
}

TEST(JournalFull, CallsCanEndWhileOneSegmentIsLeft) {
    SimDisk disk;
    Events events;
    disk.set_capacity(4 * kSmallSegment + 1000);
    auto journal = open_good(disk, events);
    while (journal->prepare() == Preparer::Step::made) {}
    EXPECT_EQ(journal->admission(), Admission::open);
    bool ends_only = false;
    std::size_t ended = 0;
    while (journal->admission() != Admission::closed) {
        journal->prepare();
        ends_only = journal->admission() == Admission::ends_only;
        if (ends_only) ++ended;
        journal->append(event_of(journal->last() + 1));
        journal->step({});
    }
    EXPECT_TRUE(ends_only);
    EXPECT_GT(ended, 15U) << "at least one segment of batches";
    EXPECT_EQ(journal->durable(), journal->last());
}

}  // namespace
}  // namespace tollgate::balance::journal
