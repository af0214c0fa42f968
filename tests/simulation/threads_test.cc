#include <atomic>
#include <random>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "tests/daemon/world.h"
#include "tests/simulation/audit.h"

namespace tollgate::daemon {
namespace {

using std::chrono::seconds;

constexpr int kThreads = 4;

/// Random commands of one thread on sessions and parties that it shares with all others.
/// `orderly`: nobody talks longer than he was granted and no credit limit is lowered, so that nothing has a
/// right to be below zero.
void command(World& world, std::mt19937_64& random, int number, bool orderly) {
    const auto below = [&random](std::uint64_t n) { return random() % n; };
    const std::string call =
        "call-" + std::to_string(below(12) + 12 * (static_cast<std::uint64_t>(number) / 200));
    const std::string request = std::to_string(random());
    const char* const party = std::array{"alice", "south", "north"}[below(3)];
    const auto amount = Money::from_micros(static_cast<std::int64_t>(1 + below(900'000)));
    Charging& charging = world.charging;
    switch (below(12)) {
        case 0:
        case 1:
        case 2: {
            AuthorizeRequest authorize;
            authorize.line = "alice-desk";
            authorize.destination = "4930";
            authorize.session = call;
            authorize.want = seconds{1 + below(120)};
            (void)charging.authorize(authorize, world.now);
            break;
        }
        case 3:
            (void)charging.start(call, {}, world.now);
            break;
        case 4:
        case 5:
            (void)charging.extend(call, seconds{below(orderly ? 2 : 90)}, seconds{1 + below(100)}, world.now);
            break;
        case 6:
        case 7:
            (void)charging.stop(
                {.session = call, .used = seconds{below(orderly ? 2 : 90)}, .at = {}, .cause = {}},
                world.now);
            break;
        case 8:
            (void)charging.release(call, {}, world.now);
            break;
        case 9:
            (void)world.payments.top_up(party, amount, {request, {}, world.now});
            break;
        case 10:
            (void)world.payments.debit(party, amount, false, {request, {}, world.now});
            break;
        default:
            if (!orderly && below(4) == 0) {
                PartyChange change;
                change.credit_limit = amount;
                (void)world.catalog.change(world.parties.find(party), change, world.now);
            } else {
                (void)world.payments.transfer("south", "alice", amount, {request, {}, world.now});
            }
            break;
    }
}

// Goal: whatever raises funds is in the log before anybody else can use it, and whatever lowers them is done
// before it is in the log: so every prefix of the events is a state that can have been.
// Method: four threads command few sessions of one chain at once. Afterwards the events are replayed one by
// one: no level is ever below zero but where a record says why, books add up at many prefixes, and in the
// end the replayed state is the live one.
void every_prefix_is_a_state_that_can_have_been(bool orderly) {
    for (std::uint64_t seed = 1; seed <= 20; ++seed) {
        SCOPED_TRACE("seed " + std::to_string(seed));
        World world;
        std::atomic<int> ready{0};
        {
            std::vector<std::jthread> threads;
            for (std::uint64_t thread = 0; thread < kThreads; ++thread) {
                threads.emplace_back([&world, &ready, thread, seed, orderly] {
                    std::mt19937_64 random{seed * kThreads + thread};
                    ++ready;
                    while (ready.load() < kThreads)
                        std::this_thread::yield();
                    for (int number = 0; number < 5'000; ++number)
                        command(world, random, number, orderly);
                });
            }
        }
        // An overrun may be appended while a hold that it met is not yet.
        constexpr balance::Sequence kMeanwhile = 100;
        tests::Audit audit{World::settings_for({}),
                           [&world](std::string_view name) { return world.log.aside(name); },
                           orderly ? 0 : kMeanwhile};
        for (const auto& event : world.log.events()) {
            ASSERT_EQ(audit.apply(event), "");
            if (audit.last() % 50 == 0) {
                ASSERT_EQ(audit.check(), "") << "after event " << audit.last();
            }
        }
        EXPECT_EQ(audit.check(), "");
        world.expect_replays();
        EXPECT_GT(world.log.events().size(), 2'000U);
    }
}

TEST(SimulationThreads, NoPrefixIsBelowZeroWhereNothingHasARightTo) {
    every_prefix_is_a_state_that_can_have_been(true);
}

TEST(SimulationThreads, APrefixIsBelowZeroOnlyWhereARecordSaysWhy) {
    every_prefix_is_a_state_that_can_have_been(false);
}

}  // namespace
}  // namespace tollgate::daemon
