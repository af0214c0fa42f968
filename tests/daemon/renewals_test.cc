#include "daemon/renewals.h"

#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "tests/daemon/world.h"

namespace tollgate::daemon {
namespace {

using std::chrono::seconds;

/// Alice has a bundle of 100 seconds a month, of which 60 are used.
class RenewalsTest : public testing::Test {
  protected:
    RenewalsTest() {
        world_.now.wall = *rating::parse_instant("2026-03-20T12:00:00Z");
        BundleDraft draft;
        draft.id = "b";
        draft.seconds = 100;
        draft.monthly = true;
        world_.give_bundle("alice", draft);
        use();
    }
    void use() {
        EXPECT_EQ(world_.authorize("c" + std::to_string(++calls_), 60).code, Code::ok);
        EXPECT_EQ(world_.stop("c" + std::to_string(calls_), 60).charged, rating::Money{});
        EXPECT_EQ(left(), 40U);
    }
    [[nodiscard]] std::uint32_t left() const {
        return (*balance::BundlesOf{world_.party("alice")}.begin()).stand().available;
    }
    /// The clock on the wall alone.
    void set_wall(const char* text) { world_.now.wall = *rating::parse_instant(text); }
    /// Both clocks.
    void go_to(const char* text) {
        const auto by = *rating::parse_instant(text) - world_.now.wall;
        world_.now.wall += by;
        world_.now.steady += by;
    }

    World world_;
    int calls_ = 0;
    std::vector<std::string> said_;
    Renewals renewals_{world_.catalog, world_.state.shop, [this] { return world_.now; },
                       [this](const std::string& what) { said_.push_back(what); }};
};

TEST_F(RenewalsTest, AreDueTheMomentTheMonthBegins) {
    EXPECT_EQ(renewals_.step(), Renewals::kLook);
    go_to("2026-03-31T23:59:59.25Z");
    EXPECT_EQ(renewals_.step(), std::chrono::milliseconds{750}) << "it does not oversleep";
    EXPECT_EQ(left(), 40U);
    go_to("2026-04-01T00:00:00Z");
    EXPECT_EQ(renewals_.step(), Renewals::kLook);
    EXPECT_EQ(left(), 100U);
    EXPECT_TRUE(said_.empty());
}

TEST_F(RenewalsTest, AreDoneBeforeTheFirstCall) {
    go_to("2026-06-03T00:00:00Z");
    renewals_.catch_up();
    EXPECT_EQ(left(), 100U);
}

TEST_F(RenewalsTest, AreTriedAgainWhereTheDiskIsFull) {
    EXPECT_EQ(renewals_.step(), Renewals::kLook);
    world_.log.admitted = balance::Admission::ends_only;
    go_to("2026-04-01T00:00:00Z");
    EXPECT_EQ(renewals_.step(), Renewals::kLook) << "it does not spin";
    EXPECT_EQ(left(), 40U);
    world_.log.admitted = balance::Admission::open;
    (void)renewals_.step();
    EXPECT_EQ(left(), 100U);
}

// Who sets a clock right that went ahead finds nothing renewed; one that stays there is believed.
TEST_F(RenewalsTest, AClockThatGoesAheadIsNotBelievedAtOnce) {
    (void)renewals_.step();
    set_wall("2036-01-01T00:00:00Z");
    EXPECT_EQ(renewals_.step(), Renewals::kLook);
    EXPECT_EQ(left(), 40U);
    ASSERT_EQ(said_.size(), 1U);
    EXPECT_NE(said_[0].find("went ahead by 3573 days"), std::string::npos) << said_[0];
    set_wall("2026-03-20T12:00:01Z");
    EXPECT_EQ(renewals_.step(), Renewals::kLook);
    EXPECT_EQ(left(), 40U);
    go_to("2026-04-01T00:00:00Z");
    (void)renewals_.step();
    EXPECT_EQ(left(), 100U) << "it was set back, and is believed";

    use();
    set_wall("2026-07-01T00:00:00Z");
    (void)renewals_.step();
    world_.pass(Renewals::kBelievedAfter - seconds{1});
    (void)renewals_.step();
    EXPECT_EQ(left(), 40U);
    world_.pass(seconds{1});
    (void)renewals_.step();
    EXPECT_EQ(left(), 100U);
}

// A clock that was wrong at a start has put the next month off by years: the next start finds that out.
TEST_F(RenewalsTest, AMonthThatWasPutOffIsDueInTime) {
    set_wall("2036-01-01T00:00:00Z");
    renewals_.catch_up();
    EXPECT_EQ(left(), 100U);
    use();
    set_wall("2026-03-20T13:00:00Z");
    Renewals next{world_.catalog, world_.state.shop, [this] { return world_.now; },
                  [](const std::string&) {}};
    next.catch_up();
    EXPECT_EQ(left(), 40U);
    go_to("2026-04-01T00:00:00Z");
    EXPECT_EQ(next.step(), Renewals::kLook);
    EXPECT_EQ(left(), 100U);
    go_to("2026-04-30T00:00:00Z");
    EXPECT_EQ(next.step(), Renewals::kLook);
    use();
    go_to("2036-01-15T00:00:00Z");
    (void)next.step();
    EXPECT_EQ(left(), 100U) << "once, however many months have gone by";
    EXPECT_EQ(next.step(), Renewals::kLook);
}

// By less than that: it is believed, and what was renewed too early is due again in time.
TEST_F(RenewalsTest, AClockThatIsSetBackPutsNothingOff) {
    (void)renewals_.step();
    set_wall("2026-05-05T00:00:00Z");
    (void)renewals_.step();
    EXPECT_EQ(left(), 100U);
    EXPECT_TRUE(said_.empty());
    use();
    set_wall("2026-03-21T00:00:00Z");
    (void)renewals_.step();
    EXPECT_EQ(left(), 40U);
    go_to("2026-04-01T00:00:00Z");
    (void)renewals_.step();
    EXPECT_EQ(left(), 100U);
}

// By the clocks of the process.
TEST_F(RenewalsTest, TheThreadRenewsAndStops) {
    go_to("2026-04-01T00:00:00Z");
    renewals_.start();
    const auto until = std::chrono::steady_clock::now() + seconds{60};
    while (left() != 100 && std::chrono::steady_clock::now() < until)
        std::this_thread::sleep_for(std::chrono::milliseconds{1});
    renewals_.request_stop();
    renewals_.stop();
    EXPECT_EQ(left(), 100U);
}

}  // namespace
}  // namespace tollgate::daemon
