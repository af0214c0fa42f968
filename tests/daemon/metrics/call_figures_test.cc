#include "daemon/metrics/call_figures.h"

#include <array>
#include <atomic>
#include <cstddef>
#include <new>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "tests/daemon/world.h"

namespace tollgate::daemon::metrics {
namespace {

using std::chrono::seconds;
using How = CallFigures::How;

/// The figures are made of a world's parties, which are there only after the world's charging function.
class Relay final : public CallObserver {
  public:
    void ended(const EndedCall& call) noexcept override { to->ended(call); }
    CallFigures* to = nullptr;
};

/// A minute to 49… costs alice 0.60, south 0.30 and north 0.12.
class CallFiguresTest : public ::testing::Test {
  protected:
    CallFiguresTest() {
        relay_.to = &figures_;
        world_.top_up("alice", "10");
    }
    std::uint64_t calls(How how, const std::string& group = "other") {
        for (const auto& row : figures_.figures().calls) {
            if (row.how == how && row.group == group) return row.calls;
        }
        return 0;
    }
    CallFigures::LegRow leg(const std::string& level, const std::string& group = "other") {
        for (const auto& row : figures_.figures().legs) {
            if (row.level == level && row.group == group && !row.earns) return row;
        }
        return {};
    }

    Relay relay_;
    World world_{{.on_ended = &relay_}};
    CallFigures figures_{world_.parties, {}};
};

TEST_F(CallFiguresTest, HaveEachLevelOfACallWithItsMoney) {
    world_.authorize("call", 600);
    EXPECT_TRUE(figures_.figures().legs.empty());
    world_.stop("call", 90);
    EXPECT_EQ(calls(How::stopped), 1U);
    const auto customer = leg("1");
    EXPECT_EQ(customer.kind, balance::PartyKind::customer);
    EXPECT_EQ(customer.currency.view(), "EUR");
    EXPECT_EQ(customer.legs, 1U);
    EXPECT_EQ(customer.seconds, 90U);
    EXPECT_EQ(customer.charged_micros, 900'000);
    EXPECT_EQ(leg("2").kind, balance::PartyKind::reseller);
    EXPECT_EQ(leg("2").charged_micros, 450'000);
    EXPECT_EQ(leg("3").charged_micros, 180'000);
    EXPECT_EQ(figures_.figures().legs.size(), 3U);
}

TEST_F(CallFiguresTest, HaveARepeatedStopOnce) {
    world_.authorize("call", 600);
    world_.stop("call", 60);
    world_.stop("call", 60);
    EXPECT_EQ(calls(How::stopped), 1U);
    EXPECT_EQ(leg("1").charged_micros, 600'000);
}

TEST_F(CallFiguresTest, HaveReleasedCallsWithoutTimeOrMoney) {
    world_.authorize("call", 600);
    world_.charging.release("call", "busy", world_.now);
    EXPECT_EQ(calls(How::released), 1U);
    EXPECT_EQ(leg("1").seconds, 0U);
    EXPECT_EQ(leg("1").charged_micros, 0);
}

TEST_F(CallFiguresTest, DoNotHaveRefusedCalls) {
    world_.authorize("call", 600, "4490");
    EXPECT_TRUE(figures_.figures().calls.empty());
}

TEST_F(CallFiguresTest, HaveRatedCalls) {
    const RateRequest request{
        .line = "alice-desk", .destination = "4930", .session = "cdr", .used = seconds{30}, .at = {}};
    ASSERT_EQ(world_.charging.rate(request, world_.now).code, Code::ok);
    EXPECT_EQ(calls(How::rated), 1U);
    EXPECT_EQ(leg("1").charged_micros, 300'000);
}

// Goal: a call that expired at what was reported and is settled later counts once, and its time and money are
// those of the settlement.
// Method: 60 of 600 s reported and charged by EXTEND, then nothing; a STOP of 100 s comes after all.
TEST_F(CallFiguresTest, AddWhatALateSettlementAdds) {
    world_.authorize("call", 60);
    world_.charging.extend("call", seconds{60}, seconds{60}, world_.now);
    world_.pass(seconds{600});
    ASSERT_EQ(world_.charging.expire_due(0, 1, world_.now), 1U);
    EXPECT_EQ(calls(How::expired), 1U);
    EXPECT_EQ(leg("1").seconds, 60U);
    EXPECT_EQ(leg("1").charged_micros, 600'000);
    ASSERT_EQ(world_.stop("call", 100).status, EndStatus::late);
    EXPECT_EQ(calls(How::expired), 1U);
    EXPECT_EQ(calls(How::late), 0U);
    EXPECT_EQ(figures_.figures().settled_again, 1U);
    EXPECT_EQ(leg("1").legs, 1U);
    EXPECT_EQ(leg("1").seconds, 100U);
    EXPECT_EQ(leg("1").charged_micros, 1'000'000);
    EXPECT_EQ(leg("1").returned_micros, 0);
}

// The same with a STOP of fewer seconds than were charged: 0.50 goes back, and no counter goes down.
TEST_F(CallFiguresTest, CountApartWhatALateSettlementTakesBack) {
    world_.authorize("call", 60);
    world_.charging.extend("call", seconds{60}, seconds{60}, world_.now);
    world_.pass(seconds{600});
    ASSERT_EQ(world_.charging.expire_due(0, 1, world_.now), 1U);
    world_.stop("call", 10);
    EXPECT_EQ(leg("1").charged_micros, 600'000);
    EXPECT_EQ(leg("1").returned_micros, 500'000);
    EXPECT_EQ(leg("1").seconds, 60U);
}

TEST_F(CallFiguresTest, TellDestinationGroupsApart) {
    DestinationGroups groups;
    groups.put("berlin", DestinationGroup{{"4930"}, {}});
    groups.put("germany", DestinationGroup{{}, {"DE"}});
    figures_.refresh(groups);
    for (const char* const destination : {"4930", "4940", "4941"}) {
        world_.authorize(destination, 60, destination);
        world_.stop(destination, 60);
    }
    EXPECT_EQ(calls(How::stopped, "berlin"), 1U);
    EXPECT_EQ(calls(How::stopped, "germany"), 2U);
    EXPECT_EQ(calls(How::stopped), 0U);
    EXPECT_EQ(leg("2", "germany").charged_micros, 600'000);
    // What is counted stays where it is, whatever becomes of the group.
    groups.remove(*groups.find("berlin"));
    figures_.refresh(groups);
    world_.authorize("again", 60, "4930");
    world_.stop("again", 60);
    EXPECT_EQ(calls(How::stopped, "berlin"), 1U);
    EXPECT_EQ(calls(How::stopped, "germany"), 3U);
}

TEST_F(CallFiguresTest, TellOnlyThoseGroupsApartThatAreNamed) {
    CallFigures named{world_.parties, {"south", "germany", "nowhere"}};
    relay_.to = &named;
    DestinationGroups groups;
    groups.put("berlin", DestinationGroup{{"4930"}, {}});
    groups.put("south", DestinationGroup{{"4989"}, {}});
    groups.put("germany", DestinationGroup{{"49"}, {}});  // Berlin is not counted there.
    named.refresh(groups);
    for (const char* const destination : {"4930", "4989"}) {
        world_.authorize(destination, 60, destination);
        world_.stop(destination, 60);
    }
    std::vector<std::string> names;
    for (const auto& row : named.figures().calls)
        names.push_back(row.group);
    EXPECT_EQ(names, (std::vector<std::string>{"other", "south"}));
}

TEST_F(CallFiguresTest, TellAtMostSoManyGroupsApart) {
    DestinationGroups groups;
    for (std::size_t i = 0; i < kGroupsShownMax + 8; ++i)
        groups.put("g" + std::to_string(100 + i), DestinationGroup{{"49" + std::to_string(100 + i)}, {}});
    figures_.refresh(groups);
    for (std::size_t i = 0; i < kGroupsShownMax + 8; ++i) {
        const std::string destination = "49" + std::to_string(100 + i);
        world_.authorize(destination, 6, destination);
        world_.stop(destination, 6);
    }
    EXPECT_EQ(calls(How::stopped), 8U);
    EXPECT_EQ(figures_.figures().calls.size(), kGroupsShownMax + 1);
    EXPECT_EQ(figures_.figures().lost, 0U);
}

/// A session of one level, by hand.
class OneLevel {
  public:
    explicit OneLevel(PartyId payer) : session_(new (memory_.data()) balance::Session) {
        session_->level_capacity = session_->level_count = 1;
        new (session_->level_memory()) balance::SessionLevel{};
        session_->levels()[0].payer = payer;
        session_->levels()[0].charged = Money::from_micros(7);
        session_->number = *rating::Digits::parse("4930");
        session_->state = balance::SessionState::stopped;
        session_->used_seconds = 3;
    }
    OneLevel(const OneLevel&) = delete;
    OneLevel& operator=(const OneLevel&) = delete;
    ~OneLevel() { session_->~Session(); }
    [[nodiscard]] const balance::Session& get() const noexcept { return *session_; }

  private:
    alignas(64) std::array<std::byte, balance::Session::bytes_for(1, 0)> memory_{};
    balance::Session* session_;
};

// Goal: threads that count at once, more of them than have memory of their own, lose nothing, while groups
// are replaced under their hands. Method: 160 threads end 2,000 calls each; one replaces the group all the
// time. Each call is in one of the two groups, or in none for as long as there was none.
TEST(CallFiguresThreads, LoseNothing) {
    constexpr std::uint64_t kThreads = 160;
    constexpr std::uint64_t kCalls = 2'000;
    World world;
    CallFigures figures{world.parties, {}};
    DestinationGroups groups;
    std::atomic<bool> done{false};
    {
        std::jthread changer{[&] {
            for (int i = 0; !done.load(); ++i) {
                groups.put(i % 2 == 0 ? "even" : "odd", DestinationGroup{{"49", std::to_string(i)}, {}});
                figures.refresh(groups);
            }
        }};
        {
            std::vector<std::jthread> callers;
            for (std::uint64_t i = 0; i < kThreads; ++i) {
                callers.emplace_back([&] {
                    const OneLevel session{world.parties.find("alice")};
                    for (std::uint64_t call = 0; call < kCalls; ++call)
                        figures.ended({.session = session.get()});
                });
            }
        }
        done = true;
    }
    std::uint64_t calls = 0;
    std::uint64_t talked = 0;
    std::int64_t micros = 0;
    for (const auto& row : figures.figures().calls)
        calls += row.calls;
    for (const auto& row : figures.figures().legs) {
        talked += row.seconds;
        micros += row.charged_micros;
    }
    EXPECT_EQ(calls, kThreads * kCalls);
    EXPECT_EQ(talked, 3 * kThreads * kCalls);
    EXPECT_EQ(micros, static_cast<std::int64_t>(7 * kThreads * kCalls));
    EXPECT_EQ(figures.figures().lost, 0U);
}

}  // namespace
}  // namespace tollgate::daemon::metrics
