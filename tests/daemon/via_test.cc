// STOP … VIA: the provider's own leg by a carrier's tariff.

#include <string>

#include <gtest/gtest.h>

#include "daemon/charging.h"
#include "tests/daemon/world.h"

namespace tollgate::daemon {
namespace {

using std::chrono::seconds;

/// Prices a second: alice 0.01, south 0.005, north 0.002; the carrier 0.001, a dear one 0.003. The provider
/// has no tariff; `own` is one for him, at 0.002.
class Via : public ::testing::Test {
  protected:
    Via() {
        world_.put_tariff("carrier", "0.06");
        world_.put_tariff("dear", "0.18");
        world_.put_tariff("own", "0.12");
        world_.top_up("alice", "10");
        world_.authorize("call", 300);
    }
    StopAnswer stop(int used, std::string_view via) {
        return world_.charging.stop(
            {.session = "call", .used = seconds{used}, .at = {}, .cause = {}, .via = via}, world_.now);
    }
    [[nodiscard]] std::string termination() const {
        auto& book = world_.party("provider").book(*rating::Currency::parse("EUR"));
        return std::string{rating::format(Money::from_micros(book.termination.load())).view()};
    }

    World world_;
};

TEST_F(Via, AddsTheLegOfAProviderWithoutATariff) {
    const auto stopped = stop(60, "carrier");
    EXPECT_EQ(stopped.code, Code::ok);
    EXPECT_EQ(stopped.charged, *rating::parse_money("0.6"));
    EXPECT_FALSE(stopped.via_unrated);
    EXPECT_EQ(world_.balance("provider"), "-0.06");
    EXPECT_EQ(termination(), "0.06");
    EXPECT_EQ(world_.balance("north"), "999.88");
    const auto explained = world_.charging.explain("call");
    ASSERT_EQ(explained.derivation.size(), 4U);
    EXPECT_EQ(explained.derivation[3].tariff, "carrier");
    world_.expect_at_rest();
}

TEST_F(Via, WithoutItAProviderWithoutATariffPaysNothing) {
    stop(60, {});
    EXPECT_EQ(world_.balance("provider"), "0");
    world_.expect_at_rest();
}

TEST_F(Via, IsPartOfWhatARepeatRepeats) {
    stop(60, "carrier");
    EXPECT_TRUE(stop(60, "carrier").duplicate);
    EXPECT_EQ(stop(60, {}).code, Code::conflict);
    EXPECT_EQ(stop(60, "dear").code, Code::conflict);
    EXPECT_EQ(world_.balance("provider"), "-0.06");
}

TEST_F(Via, ThatIsNoTariffOfTheProvidersCurrencyChangesNothing) {
    world_.replays = false;  // What is put by hand has no event.
    rating::TariffSettings dollars;
    dollars.currency = *rating::Currency::parse("USD");
    world_.tariffs.put_settings("dollars", dollars);
    EXPECT_EQ(stop(60, "nothing").code, Code::via_unknown);
    EXPECT_EQ(stop(60, "dollars").code, Code::via_other_currency);
    EXPECT_EQ(world_.held("alice"), "3");
    EXPECT_EQ(stop(60, "carrier").code, Code::ok);
    world_.expect_at_rest();
}

TEST_F(Via, WithoutARowForTheNumberLeavesTheLegAndSaysSo) {
    world_.replays = false;  // What is put by hand has no event.
    rating::TariffSettings settings;
    settings.currency = *rating::Currency::parse("EUR");
    world_.tariffs.put_settings("empty", settings);
    const auto stopped = stop(60, "empty");
    EXPECT_EQ(stopped.code, Code::ok);
    EXPECT_TRUE(stopped.via_unrated);
    EXPECT_TRUE(stop(60, "empty").via_unrated) << "a repeat says it too";
    EXPECT_EQ(world_.balance("provider"), "0");
    world_.expect_at_rest();
}

TEST_F(Via, ThatCostsTooMuchChangesNothing) {
    world_.put_tariff("absurd", "1000000000");
    EXPECT_EQ(stop(3'600, "absurd").code, Code::too_large);
    EXPECT_EQ(world_.held("alice"), "3");
    EXPECT_EQ(world_.charging.explain("call").derivation.size(), 3U);
    EXPECT_EQ(world_.pins("absurd"), 0);
    EXPECT_EQ(stop(60, "carrier").code, Code::ok);
    EXPECT_EQ(world_.pins("carrier"), 1) << "remembered with the call";
    EXPECT_EQ(world_.balance("provider"), "-0.06");
    world_.expect_at_rest();
}

TEST_F(Via, TheRatingInstantAndTheVersionOfStopCount) {
    world_.replays = false;  // What is put by hand has no event.
    const auto reading = rating::read_deck_csv(
        "prefix,rate_per_minute,effective_from,effective_until\n49,0.6,,2026-03-02T13:00:00Z\n"
        "49,6,2026-03-02T13:00:00Z,\n",
        {});
    world_.tariffs.put_deck("carrier", reading.deck);
    world_.charging.start("call", {}, world_.now);
    world_.charging.extend("call", seconds{1}, seconds{7'200}, world_.now);
    world_.pass(seconds{7'000});  // Past the price's change: AUTHORIZE was before it.
    stop(60, "carrier");
    EXPECT_EQ(world_.balance("provider"), "-0.6");
}

TEST_F(Via, SettlesALateStopToo) {
    world_.pass(seconds{541});
    ASSERT_EQ(world_.charging.expire_due(0, 1, world_.now), 1U);
    EXPECT_EQ(stop(60, "carrier").status, EndStatus::late);
    EXPECT_EQ(world_.balance("provider"), "-0.06");
    world_.expect_at_rest();
}

// Goal: with a tariff of his own, what EXTEND charged by it counts towards the carrier's price.
TEST_F(Via, ReplacesTheProvidersOwnTariff) {
    world_.charging.release("call", {}, world_.now);
    PartyChange change;
    change.tariff = std::optional<std::string>{"own"};
    ASSERT_TRUE(world_.catalog.change(world_.parties.find("provider"), change).empty());
    const auto call = [&](std::string_view session, std::string_view via) {
        world_.authorize(session, 300);
        world_.charging.start(session, {}, world_.now);
        world_.pass(seconds{60});
        world_.charging.extend(session, seconds{60}, seconds{60}, world_.now);
        return world_.charging.stop(
            {.session = session, .used = seconds{60}, .at = {}, .cause = {}, .via = via}, world_.now);
    };
    EXPECT_EQ(call("as-own", {}).status, EndStatus::stopped);
    EXPECT_EQ(world_.balance("provider"), "-0.12");
    EXPECT_EQ(call("dearer", "dear").status, EndStatus::stopped);
    EXPECT_EQ(world_.balance("provider"), "-0.3") << "0.18, of which EXTEND had charged 0.12";
    EXPECT_EQ(call("cheaper", "carrier").status, EndStatus::corrected);
    EXPECT_EQ(world_.balance("provider"), "-0.36") << "0.06 of the 0.12 went back";
    EXPECT_EQ(termination(), "0.36");
    EXPECT_TRUE(call("unrated", "empty").code == Code::via_unknown);
    world_.charging.stop({.session = "unrated", .used = seconds{60}, .at = {}, .cause = {}}, world_.now);
    world_.expect_at_rest();
}

TEST_F(Via, ThatCorrectsALegLeavesTheOverrunOfTheOthersSaid) {
    PartyChange change;
    change.tariff = std::optional<std::string>{"own"};
    ASSERT_TRUE(world_.catalog.change(world_.parties.find("provider"), change).empty());
    const auto call = [&](std::string_view session, int used) {
        world_.authorize(session, 60);
        world_.pass(seconds{60});
        EXPECT_EQ(world_.charging.extend(session, seconds{60}, seconds{1}, world_.now).granted, seconds{61});
        const auto stopped = world_.charging.stop(
            {.session = session, .used = seconds{used}, .at = {}, .cause = {}, .via = "carrier"}, world_.now);
        EXPECT_EQ(stopped.status, EndStatus::corrected) << "the carrier costs half of what EXTEND charged";
        return world_.sessions.claim(session)->overrun;
    };
    EXPECT_FALSE(call("as-granted", 61));
    EXPECT_TRUE(call("longer", 62));
}

TEST(ViaEmergency, IsChargedNowhere) {
    World world{{.emergency_numbers = {"112"}}};
    world.put_tariff("carrier", "0.06");
    EXPECT_EQ(world.authorize("call", 60, "112").code, Code::free);
    const auto stopped = world.charging.stop(
        {.session = "call", .used = seconds{60}, .at = {}, .cause = {}, .via = "carrier"}, world.now);
    EXPECT_EQ(stopped.code, Code::ok);
    EXPECT_FALSE(stopped.via_unrated);
    EXPECT_EQ(world.balance("provider"), "0");
    world.expect_at_rest();
}

}  // namespace
}  // namespace tollgate::daemon
