#include "daemon/reserve.h"

#include <gtest/gtest.h>

#include "tests/daemon/world.h"

namespace tollgate::daemon {
namespace {

/// What a restore does, with the first event of the new journal.
void hold_back(World& world, const char* amount) {
    std::vector<std::byte> event;
    Reserve::write_restored(*rating::parse_money(amount), world.now, event);
    world.state.events.append(event);
    ASSERT_EQ(world.state.apply(event, {}), "");
}

std::string available(const World& world, std::string_view party) {
    return std::string{rating::format(world.party(party).account.available()).view()};
}

// Goal: of every active party with an account so much less is available; no balance moves, and the provider,
// whose balance is not checked, lines and whoever is suspended are left alone.
TEST(Reserve, IsHeldBackOfActiveParties) {
    World world;
    world.add("blocked", "south", balance::PartyKind::customer, "retail");
    PartyChange change;
    change.status = balance::Status{balance::Status::kFraud};
    ASSERT_TRUE(world.catalog.change(world.parties.find("blocked"), change, world.now).empty());
    world.top_up("alice", "5");
    world.top_up("blocked", "5");

    hold_back(world, "2.5");
    EXPECT_EQ(available(world, "alice"), "2.5");
    EXPECT_EQ(world.balance("alice"), "5");
    EXPECT_EQ(world.held("alice"), "2.5");
    EXPECT_EQ(available(world, "north"), "997.5");
    EXPECT_EQ(available(world, "blocked"), "5");
    EXPECT_EQ(world.held("provider"), "0");
    EXPECT_EQ(world.held("alice-desk"), "0");
    const auto standing = world.state.reserve.standing();
    ASSERT_TRUE(standing);
    EXPECT_EQ(standing->parties, 3U);  // alice, south, north.
    EXPECT_EQ(standing->since, world.now.wall);
    EXPECT_EQ(world.state.verify(), std::vector<std::string>{});
}

// Goal: calls are granted out of what is left, and a party without so much gets none until it is released.
TEST(Reserve, IsNotThereForCalls) {
    World world;
    world.top_up("alice", "1");  // 100 seconds at 0.60 a minute.
    hold_back(world, "0.4");
    EXPECT_EQ(world.authorize("a", 100).granted, std::chrono::seconds{60});
    EXPECT_EQ(world.stop("a", 60).code, Code::ok);
    hold_back(world, "0.5");  // Only the newest holds; of 0.4 nothing is left, and less.
    EXPECT_EQ(available(world, "alice"), "-0.1");
    EXPECT_EQ(world.authorize("b", 10).code, Code::credit_limit);

    ASSERT_TRUE(world.state.reserve.release(world.now));
    EXPECT_EQ(available(world, "alice"), "0.4");
    EXPECT_EQ(world.authorize("c", 100).granted, std::chrono::seconds{40});
    EXPECT_FALSE(world.state.reserve.release(world.now));
    EXPECT_FALSE(world.state.reserve.standing());
}

// Goal: a state that is saved while something is held back knows of whom, whoever is active by then.
TEST(Reserve, SurvivesASnapshot) {
    World world;
    world.top_up("alice", "5");
    hold_back(world, "2");
    PartyChange change;
    change.status = balance::Status{balance::Status::kAdmin};
    ASSERT_TRUE(world.catalog.change(world.parties.find("alice"), change, world.now).empty());

    State again{World::settings_for({})};
    again.tariffs.begin_restoring();
    world.state.save([&](std::span<const std::byte> record) {
        ASSERT_EQ(again.apply(record, [&](std::string_view name) { return world.log.aside(name); }), "");
    });
    again.restored();
    EXPECT_EQ(again.digest(), world.state.digest());
    EXPECT_EQ(again.verify(), std::vector<std::string>{});
    ASSERT_TRUE(again.reserve.release(world.now));
    EXPECT_EQ(again.parties.get(again.parties.find("alice")).account.available(), *rating::parse_money("5"));
}

// Goal: nothing held back is an event like any other, and changes nothing.
TEST(Reserve, OfNothingIsNone) {
    World world;
    hold_back(world, "0");
    EXPECT_FALSE(world.state.reserve.standing());
    EXPECT_EQ(available(world, "north"), "1000");
}

}  // namespace
}  // namespace tollgate::daemon
