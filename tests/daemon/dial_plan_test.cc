#include "daemon/dial_plan.h"

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "tests/daemon/world.h"

namespace tollgate::daemon {
namespace {

/// What becomes of a number; empty where it becomes none.
std::string dial(const DialPlan& plan, const std::string& dialled) {
    const auto number = plan.apply(dialled);
    return number ? std::string{number->view()} : std::string{};
}

TEST(DialPlan, TheFirstRuleThatMatchesIsCarriedOut) {
    const DialPlan plan{{{"00", 2, ""}, {"0", 1, "49"}, {"*31#", 4, ""}, {"x7", 2, "800"}, {"000", 3, "1"}}};
    EXPECT_EQ(dial(plan, "004930123"), "4930123");
    EXPECT_EQ(dial(plan, "030123"), "4930123");
    EXPECT_EQ(dial(plan, "*31#4930"), "4930");
    EXPECT_EQ(dial(plan, "x7123"), "800123");
    EXPECT_EQ(dial(plan, "4930123"), "4930123") << "no rule";
    EXPECT_EQ(dial(plan, "0001"), "01") << "the first, not the longest";
    EXPECT_EQ(dial(plan, "X7123"), "") << "case matters, and X7123 is no number";
}

TEST(DialPlan, AnEmptyMatchIsEveryNumber) {
    const DialPlan plan{{{"49", 0, ""}, {"", 0, "49"}}};
    EXPECT_EQ(dial(plan, "30123"), "4930123");
    EXPECT_EQ(dial(plan, "49123"), "49123");
    EXPECT_EQ(dial(plan, ""), "") << "nothing was dialled";
}

TEST(DialPlan, TheResultIsOneToThirtyTwoDigits) {
    const DialPlan strip{{{"00", 2, ""}, {"1", 5, "49"}, {"2", 0, "49"}}};
    EXPECT_EQ(dial(strip, "00"), "");
    EXPECT_EQ(dial(strip, "00" + std::string(32, '7')), std::string(32, '7'));
    EXPECT_EQ(dial(strip, "00" + std::string(33, '7')), "");
    EXPECT_EQ(dial(strip, "2" + std::string(29, '7')), "492" + std::string(29, '7'));
    EXPECT_EQ(dial(strip, "2" + std::string(30, '7')), "");
    EXPECT_EQ(dial(strip, "12345"), "49");
    EXPECT_EQ(dial(strip, "1234"), "") << "less than is stripped";
    for (const char* dialled : {"+49", "00+49", "4 9", "49x", "*"}) {
        EXPECT_EQ(dial(strip, dialled), "") << dialled;
    }
    EXPECT_EQ(dial({}, std::string(32, '7')), std::string(32, '7'));
    EXPECT_EQ(dial({}, std::string(33, '7')), "");
}

// Prices a minute in World: customer 0.60 for 49.

std::string rated(World& world, const std::string& destination, std::string_view switch_name = {}) {
    AuthorizeRequest request;
    static int calls = 0;
    const std::string session = "dialled-" + std::to_string(++calls);
    request.line = "alice-desk";
    request.destination = destination;
    request.session = session;
    request.switch_name = switch_name;
    const auto answer = world.charging.authorize(request, world.now);
    const auto quoted = world.charging.quote({.line = "alice-desk",
                                              .destination = destination,
                                              .from = {},
                                              .switch_name = switch_name,
                                              .used = {},
                                              .at = world.now.wall});
    EXPECT_EQ(quoted.code == Code::rating_failed, answer.code == Code::rating_failed) << destination;
    return std::string{answer.number.view()};
}

// Goal: the line's plan goes first, then the customer's, the switch's, and the standard one.
TEST(Dialling, ThePlanIsThatOfWhoIsNearest) {
    World world{{.dial_plan = DialPlan{{{"", 0, "491"}}}, .dial_switches = {{"sbc", "of-switch"}}}};
    world.replays = false;  // What is put by hand has no event.
    world.top_up("alice", "100");
    auto& plans = world.catalog.dial_plans();
    EXPECT_EQ(rated(world, "7"), "4917");
    EXPECT_EQ(rated(world, "7", "sbc"), "4917") << "the switch's plan does not exist yet";
    plans.put("of-switch", DialPlan{{{"", 0, "492"}}});
    EXPECT_EQ(rated(world, "7", "sbc"), "4927");
    EXPECT_EQ(rated(world, "7", "sb"), "4917");
    plans.put("of-customer", DialPlan{{{"", 0, "493"}}});
    plans.put("of-line", DialPlan{{{"", 0, "494"}}});
    PartyChange change;
    change.dial_plan = std::optional<std::string>{"of-customer"};
    ASSERT_TRUE(world.catalog.change(world.parties.find("alice"), change).empty());
    EXPECT_EQ(rated(world, "7", "sbc"), "4937");
    change.dial_plan = std::optional<std::string>{"of-line"};
    ASSERT_TRUE(world.catalog.change(world.parties.find("alice-desk"), change).empty());
    EXPECT_EQ(rated(world, "7", "sbc"), "4947");
    plans.put("of-line", DialPlan{{{"", 0, "495"}}});
    EXPECT_EQ(rated(world, "7", "sbc"), "4957") << "the plan as it is now";
    change.dial_plan = std::optional<std::string>{};
    ASSERT_TRUE(world.catalog.change(world.parties.find("alice-desk"), change).empty());
    ASSERT_TRUE(world.catalog.change(world.parties.find("alice"), change).empty());
    EXPECT_EQ(rated(world, "7", "sbc"), "4927");
    EXPECT_EQ(world.catalog.remove_dial_plan(*plans.find("of-switch")), "");
    EXPECT_EQ(rated(world, "7", "sbc"), "4917");
}

TEST(Dialling, EmergencyNumbersAreComparedAsDialled) {
    World world{{.emergency_numbers = {"112"}, .dial_plan = DialPlan{{{"0", 1, ""}, {"1", 0, "49"}}}}};
    world.top_up("alice", "100");
    EXPECT_EQ(world.authorize("a", 60, "112").code, Code::free);
    EXPECT_EQ(world.authorize("b", 60, "+112").code, Code::free);
    EXPECT_EQ(world.authorize("c", 60, "0112").code, Code::rating_failed) << "what a plan makes is none";
    EXPECT_EQ(world.authorize("d", 60, "1123").number.view(), "491123");
}

TEST(Dialling, APlanInUseStays) {
    World world;
    world.replays = false;  // What is put by hand has no event.
    auto& plans = world.catalog.dial_plans();
    plans.put("plan", DialPlan{});
    const auto place = *plans.find("plan");
    PartyDraft line;
    line.id = "line";
    line.parent = "alice";
    line.kind = balance::PartyKind::line;
    line.dial_plan = "plan";
    ASSERT_TRUE(world.catalog.add({&line, 1}).empty());
    EXPECT_EQ(world.catalog.dial_plan_of(world.party("line")), "plan");
    EXPECT_EQ(world.catalog.remove_dial_plan(place), "line");
    ASSERT_TRUE(world.catalog.close(world.parties.find("line")));
    EXPECT_EQ(world.catalog.remove_dial_plan(place), "");
    EXPECT_FALSE(plans.find("plan"));
    EXPECT_EQ(plans.put("plan", DialPlan{}), DialPlans::PutStatus::created);
    EXPECT_EQ(*plans.find("plan"), place) << "a name keeps its place";
}

// Goal: a plan that is replaced and removed under calls is one of those that were put, whole, or none.
TEST(DialPlansThreads, AreReadWhileTheyChange) {
    DialPlans plans;
    const auto place = *plans.reserve("plan");
    std::atomic<bool> done{false};
    std::atomic<int> wrong{0};
    {
        std::vector<std::jthread> readers;
        for (int reader = 0; reader < 3; ++reader) {
            readers.emplace_back([&] {
                while (!done) {
                    const DialPlan* const plan = plans.get(place);
                    if (plan != nullptr && dial(*plan, "71").substr(0, 2) != "49") ++wrong;
                }
            });
        }
        for (int i = 0; i < 2'000; ++i) {
            plans.put("plan", DialPlan{{{"8", 1, ""}, {"7", 1, "49" + std::to_string(i)}}});
            if (i % 3 == 0) plans.remove(place);
        }
        done = true;
    }
    EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace tollgate::daemon
