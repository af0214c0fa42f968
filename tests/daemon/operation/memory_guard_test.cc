#include "daemon/operation/memory_guard.h"

#include <cstddef>
#include <string>

#include <gtest/gtest.h>

namespace tollgate::daemon {
namespace {

using balance::Admission;
constexpr std::size_t kMiB = std::size_t{1024} * 1024;

/// Says what it is told to.
class Log final : public balance::EventLog {
  public:
    Admission admitted = Admission::open;
    balance::Sequence append(std::span<const std::byte> /*event*/) noexcept override { return 7; }
    [[nodiscard]] balance::Sequence last() const noexcept override { return 7; }
    [[nodiscard]] Admission admission() const noexcept override { return admitted; }
    balance::AsideFile put_aside(std::string_view /*kind*/, std::span<const std::byte> /*bytes*/) override {
        return {"file", nullptr};
    }
};

// An eighth of 800 MiB, 100 MiB, is kept free: it is full above 700, and has room again below 675.
TEST(MemoryGuard, IsFullNearItsCeilingAndNotAtItsEdge) {
    std::size_t in_use = 700 * kMiB;
    MemoryGuard guard{[&in_use] { return in_use; }};
    guard.set_ceiling(800 * kMiB);
    guard.look();
    EXPECT_FALSE(guard.is_full());
    in_use = 701 * kMiB;
    guard.look();
    EXPECT_TRUE(guard.is_full());
    EXPECT_EQ(guard.in_use(), 701 * kMiB);
    in_use = 676 * kMiB;
    guard.look();
    EXPECT_TRUE(guard.is_full()) << "too near for a change of mind";
    in_use = 675 * kMiB;
    guard.look();
    EXPECT_FALSE(guard.is_full());
}

TEST(MemoryGuard, HasRoomAsSoonAsItsCeilingIsRaised) {
    MemoryGuard guard{[] { return 100 * kMiB; }};
    guard.set_ceiling(100 * kMiB);
    guard.look();
    EXPECT_TRUE(guard.is_full());
    guard.set_ceiling(200 * kMiB);
    guard.look();
    EXPECT_FALSE(guard.is_full());
}

// An eighth is kept free, at least 16 MiB, at most 1024 MiB, and never more than half.
TEST(MemoryGuard, SaysFromWhereOnItIsFull) {
    MemoryGuard guard{[] { return kMiB; }};
    for (const auto& [ceiling, full] : {std::pair{800, 700}, {64, 48}, {20, 10}, {65'536, 64'512}}) {
        guard.set_ceiling(static_cast<std::size_t>(ceiling) * kMiB);
        EXPECT_EQ(guard.full_from(), static_cast<std::size_t>(full) * kMiB) << ceiling;
    }
}

TEST(MemoryGuard, KnowsWhatThisProcessTakes) {
    EXPECT_GT(memory_in_use(), kMiB);
    EXPECT_LT(memory_in_use(), std::size_t{1} << 40);
}

TEST(GuardedLog, LetsWhatEndsGoOnWhileMemoryIsShort) {
    std::size_t in_use = 0;
    MemoryGuard guard{[&in_use] { return in_use; }};
    guard.set_ceiling(100 * kMiB);
    Log log;
    const GuardedLog guarded{&log, guard};
    EXPECT_EQ(guarded.admission(), Admission::open);
    in_use = 100 * kMiB;
    guard.look();
    EXPECT_EQ(guarded.admission(), Admission::ends_only);
    log.admitted = Admission::closed;
    EXPECT_EQ(guarded.admission(), Admission::closed) << "the disk says more";
    in_use = 0;
    guard.look();
    log.admitted = Admission::ends_only;
    EXPECT_EQ(guarded.admission(), Admission::ends_only);
}

TEST(GuardedLog, HandsEventsOn) {
    const MemoryGuard guard;
    Log log;
    GuardedLog guarded{&log, guard};
    EXPECT_EQ(guarded.append({}), 7U);
    EXPECT_EQ(guarded.last(), 7U);
    EXPECT_EQ(guarded.put_aside("deck", {}).name, "file");
    GuardedLog nowhere{nullptr, guard};
    EXPECT_EQ(nowhere.append({}), 0U);
    EXPECT_EQ(nowhere.last(), 0U);
    EXPECT_EQ(nowhere.admission(), Admission::open);
}

}  // namespace
}  // namespace tollgate::daemon
