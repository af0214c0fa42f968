#include "daemon/charging.h"

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "tests/daemon/world.h"

namespace tollgate::daemon {
namespace {

using std::chrono::seconds;

// Prices a minute: customer 0.60, south 0.30, north 0.12; a second is 0.01, 0.005, 0.002.

TEST(Charging, ACallIsHeldExtendedAndChargedAtEveryLevel) {
    World world;
    world.top_up("alice", "10");
    const auto granted = world.authorize("call", 300);
    EXPECT_EQ(granted.code, Code::ok);
    EXPECT_EQ(granted.granted, seconds{300});
    EXPECT_FALSE(granted.final);
    EXPECT_EQ(granted.validity, seconds{180 + 300 + 60});
    EXPECT_EQ(world.held("alice"), "3");
    EXPECT_EQ(world.held("south"), "1.5");
    EXPECT_EQ(world.held("north"), "0.6");

    EXPECT_EQ(world.charging.start("call", {}, world.now).granted, seconds{300});
    world.pass(seconds{60});
    const auto extended = world.charging.extend("call", seconds{60}, seconds{300}, world.now);
    EXPECT_EQ(extended.granted, seconds{360});
    EXPECT_EQ(extended.charged, *rating::parse_money("0.6"));
    EXPECT_EQ(world.held("alice"), "3");
    EXPECT_EQ(world.balance("south"), "999.7");

    world.pass(seconds{2});
    const auto stopped = world.stop("call", 62);
    EXPECT_EQ(stopped.charged, *rating::parse_money("0.62"));
    EXPECT_EQ(stopped.billed, seconds{62});
    EXPECT_EQ(stopped.status, EndStatus::stopped);
    EXPECT_FALSE(stopped.implausible);
    EXPECT_EQ(world.balance("alice"), "9.38");
    EXPECT_EQ(world.balance("south"), "999.69");
    EXPECT_EQ(world.balance("north"), "999.876");
    EXPECT_EQ(world.balance("provider"), "0");
    world.expect_at_rest();
}

TEST(Charging, FundsBoundTheGrantAndTheLevelSaysWhose) {
    World world;
    world.top_up("alice", "1");
    const auto granted = world.authorize("a", 300);
    EXPECT_EQ(granted.granted, seconds{100});
    EXPECT_TRUE(granted.final);
    EXPECT_EQ(world.parties.get(granted.level).id, "alice");
    const auto refused = world.authorize("b", 300);
    EXPECT_EQ(refused.code, Code::credit_limit);
    EXPECT_EQ(refused.reason, Reason::held) << "but for the other call there would be money";
    world.stop("a", 100);
    EXPECT_EQ(world.authorize("c", 300).reason, Reason::funds);
    world.expect_at_rest();
}

TEST(Charging, AGrantThatIsExactlyWhatThereIsIsFinal) {
    World world;
    world.top_up("alice", "1");
    EXPECT_TRUE(world.authorize("a", 100).final);
    EXPECT_FALSE(World{}.authorize("a", 100).final);
}

TEST(Charging, AnAuthorizeRepeatedInTimeIsTheSameAnswer) {
    World world;
    world.top_up("alice", "10");
    const auto first = world.authorize("call", 60);
    world.pass(seconds{32});
    const auto again = world.authorize("call", 60);
    EXPECT_TRUE(again.duplicate);
    EXPECT_EQ(again.granted, first.granted);
    EXPECT_EQ(again.available, first.available);
    EXPECT_EQ(world.held("alice"), "0.6") << "held once";
    EXPECT_EQ(world.authorize("call", 61).reason, Reason::differs);
    world.pass(seconds{1});
    EXPECT_EQ(world.authorize("call", 60).code, Code::conflict) << "after session.repeat";
    world.charging.start("call", {}, world.now);
    EXPECT_EQ(world.authorize("call", 60).reason, Reason::started);
    world.stop("call", 10);
    EXPECT_EQ(world.authorize("call", 60).reason, Reason::ended);
    world.expect_at_rest();
}

TEST(Charging, ARefusalIsRememberedForARepeatOnly) {
    World world;
    EXPECT_EQ(world.authorize("call", 60).code, Code::credit_limit);
    world.top_up("alice", "10");
    const auto again = world.authorize("call", 60);
    EXPECT_EQ(again.code, Code::credit_limit);
    EXPECT_TRUE(again.duplicate);
    EXPECT_EQ(world.stop("call", 5).code, Code::unknown_session);
    world.pass(seconds{33});
    EXPECT_EQ(world.authorize("call", 60).code, Code::ok);
}

TEST(Charging, AStopBelowWhatWasChargedGivesBack) {
    World world;
    world.top_up("alice", "10");
    world.authorize("call", 300);
    world.pass(seconds{100});
    world.charging.extend("call", seconds{100}, seconds{60}, world.now);
    const auto stopped = world.stop("call", 40);
    EXPECT_EQ(stopped.status, EndStatus::corrected);
    EXPECT_EQ(world.balance("alice"), "9.6");
    EXPECT_EQ(world.balance("south"), "999.8");
    world.expect_at_rest();
}

TEST(Charging, AStopBeyondTheGrantIsChargedAndMayOverdraw) {
    World world;
    world.top_up("alice", "1");
    world.authorize("call", 300);
    world.pass(seconds{150});
    const auto stopped = world.stop("call", 150);
    EXPECT_EQ(stopped.status, EndStatus::overrun);
    EXPECT_EQ(world.balance("alice"), "-0.5");
    world.expect_at_rest();
}

TEST(Charging, AStopIsRepeatedHarmlesslyAndConflictsWithAnother) {
    World world;
    world.top_up("alice", "10");
    world.authorize("call", 60);
    const auto first = world.stop("call", 30);
    EXPECT_TRUE(first.implausible) << "no time has passed here";
    const auto again = world.stop("call", 30);
    EXPECT_TRUE(again.duplicate);
    EXPECT_EQ(again.charged, first.charged);
    EXPECT_EQ(again.record, first.record);
    EXPECT_EQ(world.stop("call", 31).code, Code::conflict);
    EXPECT_EQ(world.charging.release("call", {}, world.now).code, Code::conflict);
    EXPECT_EQ(world.charging.extend("call", seconds{40}, {}, world.now).code, Code::unknown_session);
    EXPECT_EQ(world.balance("alice"), "9.7");
    world.expect_at_rest();
}

TEST(Charging, ASessionThatNobodyEndsExpiresAndMaySettleLate) {
    World world;
    world.top_up("alice", "10");
    world.authorize("call", 60);
    world.charging.start("call", {}, world.now);
    world.pass(seconds{30});
    world.charging.extend("call", seconds{30}, seconds{60}, world.now);
    world.pass(seconds{60 + 60});
    EXPECT_EQ(world.charging.expire_due(0, 1, world.now), 1U)
        << "30 + 60 granted since START, and 60 of grace";
    EXPECT_EQ(world.balance("alice"), "9.7") << "what was reported is charged";
    world.expect_at_rest();
    const auto late = world.stop("call", 80);
    EXPECT_EQ(late.status, EndStatus::late);
    EXPECT_EQ(world.balance("alice"), "9.2");
    EXPECT_EQ(world.stop("call", 81).code, Code::conflict);
    world.expect_at_rest();
}

TEST(Charging, NothingExpiresBeforeItsTime) {
    World world;
    world.top_up("alice", "10");
    world.authorize("call", 60);
    world.pass(seconds{180 + 60 + 60 - 1});
    EXPECT_EQ(world.charging.expire_due(0, 1, world.now), 0U);
    world.pass(seconds{1});
    EXPECT_EQ(world.charging.expire_due(0, 1, world.now), 1U);
    world.expect_at_rest();
}

TEST(Charging, AnOlderExtendThatComesLateTakesNothingBack) {
    World world;
    world.top_up("alice", "10");
    world.authorize("call", 60);
    world.charging.extend("call", seconds{60}, seconds{60}, world.now);
    EXPECT_EQ(world.charging.extend("call", seconds{120}, seconds{300}, world.now).granted, seconds{420});
    const auto late = world.charging.extend("call", seconds{60}, seconds{60}, world.now);
    EXPECT_EQ(late.granted, seconds{420}) << "the switch counts on it";
    EXPECT_EQ(late.charged, *rating::parse_money("1.2"));
    EXPECT_EQ(world.charging.extend("call", seconds{130}, seconds{60}, world.now).granted, seconds{190})
        << "a newer report may ask for less";
    world.stop("call", 150);
    world.expect_at_rest();
}

// Goal: what a snapshot has forgotten does not change any more, though nobody has swept it away here.
TEST(Charging, AnExpiredSessionIsOverWhenItIsDueToBeForgotten) {
    balance::SessionLimits limits;
    limits.late = std::chrono::hours{2};
    World world{{}, limits};
    world.top_up("alice", "10");
    for (const auto* const id : {"in-time", "too-late"})
        EXPECT_EQ(world.authorize(id, 60).code, Code::ok);
    world.pass(std::chrono::minutes{10});
    EXPECT_EQ(world.charging.expire_due(0, 1, world.now), 2U);
    world.pass(std::chrono::hours{2});
    EXPECT_EQ(world.stop("in-time", 60).status, EndStatus::late);
    world.pass(seconds{1});
    EXPECT_EQ(world.stop("too-late", 60).code, Code::unknown_session);
    EXPECT_EQ(world.charging.start("too-late", {}, world.now).code, Code::unknown_session);
    EXPECT_EQ(world.charging.extend("too-late", seconds{1}, seconds{60}, world.now).code,
              Code::unknown_session);
    EXPECT_EQ(world.charging.release("too-late", {}, world.now).code, Code::unknown_session);
    world.expect_replays();
}

// Goal: a repeat is told by what was sent, not by what was made of it.
TEST(Charging, ADurationThatWasCutIsRatedAgainAsTheSame) {
    World world;
    world.top_up("alice", "10");
    RateRequest request{
        .line = "alice-desk", .destination = "4930", .session = "call", .used = seconds{100}, .at = {}};
    request.asker.our_clock = true;
    ASSERT_EQ(world.authorize("call", 60).code, Code::ok);
    world.charging.start("call", {}, world.now);
    world.pass(seconds{10});
    const auto first = world.charging.rate(request, world.now);
    EXPECT_EQ(first.billed, seconds{10});
    EXPECT_TRUE(first.implausible);
    for (const seconds used : {seconds{100}, seconds{10}}) {
        request.used = used;
        const auto again = world.charging.rate(request, world.now);
        EXPECT_TRUE(again.duplicate);
        EXPECT_EQ(again.record, first.record);
    }
    request.used = seconds{99};
    EXPECT_EQ(world.charging.rate(request, world.now).code, Code::conflict);
    world.expect_at_rest();
}

// Goal: an emergency call that had expired and goes on ends like any other, in memory as in its events.
TEST(Charging, AnExpiredEmergencyCallGoesOnAndEnds) {
    ChargingSettings settings;
    settings.emergency_numbers = {"112"};
    World world{settings};
    EXPECT_EQ(world.authorize("help", 60, "112").code, Code::free);
    world.pass(std::chrono::minutes{10});
    EXPECT_EQ(world.charging.expire_due(0, 1, world.now), 1U);
    world.pass(std::chrono::minutes{1});
    EXPECT_EQ(world.charging.extend("help", seconds{660}, seconds{60}, world.now).code, Code::ok);
    world.pass(std::chrono::minutes{1});
    EXPECT_EQ(world.stop("help", 720).status, EndStatus::stopped);
    world.expect_replays();
}

TEST(Charging, AnExpiredSessionHoldsAnewWhereItGoesOn) {
    World world;
    world.top_up("alice", "10");
    world.authorize("call", 60);
    world.pass(seconds{301});
    ASSERT_EQ(world.charging.expire_due(0, 1, world.now), 1U);
    const auto extended = world.charging.extend("call", seconds{100}, seconds{60}, world.now);
    EXPECT_EQ(extended.code, Code::ok);
    EXPECT_EQ(extended.granted, seconds{160});
    EXPECT_EQ(world.held("alice"), "0.6");
    EXPECT_EQ(world.party("provider").account.open_calls(), 1U);
    EXPECT_EQ(world.stop("call", 120).status, EndStatus::stopped);
    EXPECT_EQ(world.balance("alice"), "8.8");
    world.expect_at_rest();
}

// Goal: whatever takes a level below zero says so. Nothing is held any more for a call that has expired, so
// what is reported of it after that may, though it is not longer than AUTHORIZE granted.
TEST(Charging, WhatNobodyCanPayOfAnExpiredCallIsAnOverrun) {
    World world;
    world.top_up("alice", "1");
    world.authorize("call", 60);
    world.charging.start("call", {}, world.now);
    world.charging.extend("call", seconds{20}, seconds{40}, world.now);
    world.pass(seconds{301});
    ASSERT_EQ(world.charging.expire_due(0, 1, world.now), 1U);
    EXPECT_EQ(world.authorize("other", 80).granted, seconds{80}) << "with what was given back";
    EXPECT_EQ(world.charging.extend("call", seconds{50}, seconds{10}, world.now).granted, seconds{50});
    EXPECT_EQ(world.party("alice").account.available(), Money{} - *rating::parse_money("0.3"));
    EXPECT_EQ(world.stop("call", 50).status, EndStatus::overrun);
    world.stop("other", 0);
    world.expect_at_rest();
}

TEST(Charging, ASuspendedPartyEndsARunningCallAtItsGrant) {
    World world;
    world.top_up("alice", "10");
    world.authorize("call", 60);
    PartyChange suspend;
    suspend.status = balance::Status{balance::Status::kAdmin};
    ASSERT_TRUE(world.catalog.change(world.parties.find("north"), suspend).empty());
    EXPECT_EQ(world.authorize("other", 60).reason, Reason::suspended);
    const auto extended = world.charging.extend("call", seconds{20}, seconds{60}, world.now);
    EXPECT_EQ(extended.granted, seconds{60});
    EXPECT_TRUE(extended.final);
    EXPECT_EQ(world.parties.get(extended.level).id, "north");
    world.stop("call", 60);
    world.expect_at_rest();
}

// The other policy: no new call, but those that run go on. Who is closed ends them whatever he said before.
TEST(Charging, ASuspendedPartyMayLetRunningCallsGoOn) {
    World world;
    world.top_up("alice", "10");
    world.authorize("call", 60);
    PartyChange suspend;
    suspend.status = balance::Status{balance::Status::kAdmin};
    suspend.keeps_calls = true;
    ASSERT_TRUE(world.catalog.change(world.parties.find("north"), suspend).empty());
    EXPECT_EQ(world.authorize("other", 60).reason, Reason::suspended);
    const auto extended = world.charging.extend("call", seconds{20}, seconds{60}, world.now);
    EXPECT_EQ(extended.granted, seconds{80});
    EXPECT_FALSE(extended.final);
    PartyChange fraud;
    fraud.status = balance::Status{balance::Status::kFraud};
    ASSERT_TRUE(world.catalog.change(world.parties.find("north"), fraud).empty());
    EXPECT_EQ(world.charging.extend("call", seconds{40}, seconds{60}, world.now).granted, seconds{100});
    ASSERT_TRUE(world.catalog.close(world.parties.find("north")));
    EXPECT_EQ(world.charging.extend("call", seconds{60}, seconds{60}, world.now).granted, seconds{100});
    world.stop("call", 100);
    world.expect_at_rest();
}

TEST(Charging, EmergencyCallsGoThroughWhateverElseHolds) {
    ChargingSettings settings;
    settings.emergency_numbers = {"112"};
    World world{settings};
    world.replays = false;  // What is put by hand has no event.
    world.party("alice").status_bits = balance::Status::kClosed;
    const auto granted = world.authorize("sos", 300, "112");
    EXPECT_EQ(granted.code, Code::free);
    EXPECT_EQ(granted.granted, seconds{300});
    EXPECT_EQ(world.authorize("other", 300, "1120").code, Code::service_denied) << "matched whole";
    EXPECT_EQ(world.stop("sos", 100).charged, Money{});
    world.expect_at_rest();
}

TEST(Charging, AChargeBeyondAllBoundsChangesNothing) {
    World world;
    world.put_tariff("retail", "1000000000");
    world.top_up("alice", "10000000000");
    ASSERT_EQ(world.authorize("call", 60).code, Code::ok);
    EXPECT_EQ(world.stop("call", 700).code, Code::too_large);
    EXPECT_EQ(world.charging.extend("call", seconds{700}, {}, world.now).code, Code::too_large);
    EXPECT_EQ(world.stop("call", 60).code, Code::ok);
    EXPECT_EQ(world.balance("alice"), "9000000000");
    world.expect_at_rest();
}

TEST(Charging, APinnedVersionHoldsForTheWholeCall) {
    World world;
    world.top_up("alice", "10");
    world.authorize("call", 60);
    world.put_tariff("retail", "6");
    EXPECT_EQ(world.stop("call", 60).charged, *rating::parse_money("0.6"));
}

TEST(Charging, AnOverrunThatAnExtendReportedIsSaidAtTheEnd) {
    World world;
    world.top_up("alice", "1");
    world.authorize("call", 10);
    world.pass(seconds{200});
    EXPECT_EQ(world.charging.extend("call", seconds{200}, seconds{60}, world.now).granted, seconds{200});
    EXPECT_EQ(world.balance("alice"), "-1");
    EXPECT_EQ(world.stop("call", 200).status, EndStatus::overrun);
    world.expect_at_rest();
}

TEST(Charging, AWrongReportKeepsNoSlotForYears) {
    World world;
    world.top_up("alice", "10");
    world.authorize("call", 10);
    const auto extended = world.charging.extend("call", seconds{100'000'000}, seconds{60}, world.now);
    EXPECT_LE(extended.validity, std::chrono::hours{24} + seconds{60});
    world.pass(std::chrono::hours{25});
    EXPECT_EQ(world.charging.expire_due(0, 1, world.now), 1U);
    world.stop("call", 10);
    EXPECT_EQ(world.balance("alice"), "9.9");
    world.expect_at_rest();
}

TEST(Charging, WhatExpiryChargesWasNeverReported) {
    ChargingSettings settings;
    settings.charge_granted_at_expiry = true;
    World world{settings};
    world.top_up("alice", "10");
    world.authorize("call", 60);
    world.charging.start("call", {}, world.now);
    world.pass(seconds{121});
    ASSERT_EQ(world.charging.expire_due(0, 1, world.now), 1U);
    EXPECT_EQ(world.balance("alice"), "9.4") << "the grant of a started call";
    EXPECT_EQ(world.charging.extend("call", seconds{20}, seconds{60}, world.now).charged,
              *rating::parse_money("0.2"));
    world.stop("call", 30);
    EXPECT_EQ(world.balance("alice"), "9.7");
    world.expect_at_rest();
}

TEST(Charging, AStartAfterExpiryTakesBackWhatWasNeverReported) {
    ChargingSettings settings;
    settings.charge_granted_at_expiry = true;
    World world{settings};
    world.top_up("alice", "1");
    world.authorize("call", 60);
    world.pass(seconds{10});
    world.charging.extend("call", seconds{10}, seconds{50}, world.now);
    world.pass(seconds{121});
    ASSERT_EQ(world.charging.expire_due(0, 1, world.now), 1U);
    EXPECT_EQ(world.balance("alice"), "0.4") << "the grant: an EXTEND has said that it was answered";
    world.authorize("other", 40);

    EXPECT_EQ(world.charging.start("call", {}, world.now).granted, seconds{60});
    EXPECT_EQ(world.balance("alice"), "0.9") << "10 s were reported";
    EXPECT_EQ(world.held("alice"), "0.9") << "50 s and the other call's 40";
    EXPECT_EQ(world.held("south"), "0.45");
    EXPECT_EQ(world.held("north"), "0.18");
    const auto stopped = world.stop("call", 70);
    EXPECT_EQ(stopped.status, EndStatus::overrun) << "not a correction of what expiry charged";
    EXPECT_EQ(stopped.charged, *rating::parse_money("0.7"));
    EXPECT_EQ(world.balance("alice"), "0.3");
    world.stop("other", 0);
    world.expect_at_rest();
}

TEST(Charging, AStartRepeatedAfterExpiryHoldsNothingAnew) {
    World world;
    world.top_up("alice", "10");
    world.authorize("call", 60);
    world.charging.start("call", {}, world.now);
    world.pass(seconds{121});
    ASSERT_EQ(world.charging.expire_due(0, 1, world.now), 1U);
    EXPECT_TRUE(world.charging.start("call", {}, world.now).duplicate);
    EXPECT_EQ(world.charging.start("call", world.now.wall, world.now).code, Code::conflict);
    world.expect_at_rest();
}

// Without a START nobody knows when the call was answered, but it was not before AUTHORIZE.
TEST(Charging, AfterAnExtendTheTimeStillCountsFromAuthorize) {
    World world;
    world.top_up("alice", "100");
    world.authorize("call", 60);
    world.authorize("long", 60);
    world.pass(seconds{60});
    world.charging.extend("call", seconds{55}, seconds{60}, world.now);
    world.charging.extend("long", seconds{55}, seconds{60}, world.now);
    world.pass(seconds{60});
    EXPECT_FALSE(world.stop("call", 115).implausible);
    EXPECT_TRUE(world.stop("long", 126).implausible);
    world.expect_at_rest();
}

// Goal: however many calls ask at once, no day's calls hold or cost more than its cap, and no room is lost.
// Method: eight threads place, extend and end calls of a customer with a cap of 3, who could pay 5000; what
// is held and has been charged is looked at all the while; at the end calls are placed until there is no
// room.
TEST(ChargingThreads, CallsAtOnceNeverExceedTheCapOfADay) {
    World world;
    world.top_up("alice", "5000");
    PartyChange change;
    change.limits.name(balance::LimitChange::kCapDay);
    change.limits.values.cap_day = rating::parse_money("3");
    ASSERT_TRUE(world.catalog.change(world.parties.find("alice"), change).empty());
    std::atomic<bool> exceeded{false};
    std::atomic<int> granted{0};
    {
        std::vector<std::jthread> callers;
        for (int caller = 0; caller < 8; ++caller) {
            callers.emplace_back([&world, &exceeded, &granted, caller] {
                for (int i = 0; i < 300; ++i) {
                    const std::string id = std::to_string(caller) + "-" + std::to_string(i);
                    const auto answer = world.authorize(id, 50 + i % 70);
                    if (answer.code != Code::ok) {
                        if (answer.reason != Reason::cap) exceeded = true;
                        continue;
                    }
                    ++granted;
                    world.charging.extend(id, seconds{0}, seconds{100}, world.now);
                    const Money held = world.party("alice").account.held();
                    if (held > *rating::parse_money("3")) exceeded = true;
                    world.stop(id, 0);
                }
            });
        }
    }
    EXPECT_FALSE(exceeded);
    EXPECT_GT(granted, 0);
    world.expect_at_rest();
    EXPECT_EQ(world.authorize("all", 400).granted, seconds{300});
    EXPECT_EQ(world.authorize("none", 400).reason, Reason::cap);
    world.stop("all", 100);
    EXPECT_EQ(world.authorize("rest", 400).granted, seconds{200}) << "2 of 3 are left";
}

TEST(Charging, ASessionKeepsWhatItsRecordWillSay) {
    World world;
    world.top_up("alice", "10");
    AuthorizeRequest request;
    request.line = "alice-desk";
    request.destination = "4930";
    request.session = "call";
    const std::string caller(300, 'c');
    request.from = caller;
    request.service = "voice";
    request.switch_name = "sbc";
    ASSERT_EQ(world.charging.authorize(request, world.now).code, Code::ok);
    EXPECT_EQ(world.charging.start("call", world.now.wall, world.now, "gw=7").code, Code::ok);
    EXPECT_TRUE(world.charging.start("call", world.now.wall, world.now, "gw=7").duplicate);
    EXPECT_EQ(world.charging.start("call", world.now.wall, world.now, "gw=8").code, Code::conflict);
    {
        const auto session = world.sessions.claim("call");
        EXPECT_EQ(session->id(), "call");
        EXPECT_EQ(session->texts().caller, caller.substr(0, 255));
        EXPECT_EQ(session->texts().service, "") << "voice";
        EXPECT_EQ(session->texts().switch_name, "sbc");
        EXPECT_EQ(session->start_at, world.now.wall);
        EXPECT_EQ(*session->start_tags, "gw=7");
    }
    const auto stop = [&](std::string_view tags) {
        return world.charging.stop(
            {.session = "call", .used = seconds{600}, .at = {}, .cause = {}, .tags = tags}, world.now);
    };
    EXPECT_FALSE(stop("pdd=1").implausible) << "START had an AT";
    EXPECT_TRUE(stop("pdd=1").duplicate);
    EXPECT_EQ(stop("").code, Code::conflict);
}

TEST(Charging, ASwitchThatMustStartHoldsNoLongerThanItRings) {
    ChargingSettings settings;
    settings.start_required = {"sbc"};
    World world{settings};
    world.top_up("alice", "100");
    const auto authorize = [&world](std::string_view session, std::string_view owner) {
        AuthorizeRequest request;
        request.line = "alice-desk";
        request.destination = "4930";
        request.session = session;
        request.want = seconds{600};
        request.switch_name = owner;
        return world.charging.authorize(request, world.now).validity;
    };
    EXPECT_EQ(authorize("rings", "sbc"), seconds{180});
    EXPECT_EQ(authorize("rings", "sbc"), seconds{180}) << "the same answer";
    EXPECT_EQ(authorize("started", "sbc"), seconds{180});
    EXPECT_EQ(authorize("extended", "sbc"), seconds{180});
    EXPECT_EQ(authorize("other", "pbx"), seconds{840});
    world.charging.start("started", {}, world.now);
    world.charging.extend("extended", seconds{0}, seconds{600}, world.now);
    world.pass(seconds{181});
    EXPECT_EQ(world.charging.expire_due(0, 1, world.now), 1U);
    EXPECT_EQ(world.held("alice"), "18");
    world.pass(seconds{480});
    EXPECT_EQ(world.charging.expire_due(0, 1, world.now), 2U) << "660 s after START and EXTEND";
    world.pass(seconds{180});
    EXPECT_EQ(world.charging.expire_due(0, 1, world.now), 1U);
    world.expect_at_rest();
}

TEST(Charging, AFullDiskRepeatsAnswersAndBeginsNothing) {
    World world;
    world.top_up("alice", "10");
    const auto first = world.authorize("call", 60);
    EXPECT_EQ(world.authorize("closed", 60, "4490").code, Code::service_denied);
    RateRequest rated;
    rated.session = "rated";
    rated.line = "alice-desk";
    rated.destination = "4930";
    rated.used = seconds{60};
    RateRequest other = rated;
    other.session = "fresh";
    const auto charged = world.charging.rate(rated, world.now);
    ASSERT_EQ(charged.code, Code::ok);
    const auto events = world.log.last();

    for (const auto admitted : {balance::Admission::ends_only, balance::Admission::closed}) {
        world.log.admitted = admitted;
        const auto again = world.authorize("call", 60);
        EXPECT_TRUE(again.duplicate);
        EXPECT_EQ(again.code, Code::ok);
        EXPECT_EQ(again.granted, first.granted);
        EXPECT_EQ(world.authorize("call", 61).reason, Reason::differs);
        EXPECT_EQ(world.authorize("closed", 60, "4490").code, Code::service_denied);
        EXPECT_EQ(world.authorize("fresh", 60).code, Code::no_room);
        const auto rated_again = world.charging.rate(rated, world.now);
        EXPECT_TRUE(rated_again.duplicate);
        EXPECT_EQ(rated_again.record, charged.record);
        EXPECT_EQ(rated_again.charged, charged.charged);
        RateRequest longer = rated;
        longer.used = seconds{61};
        EXPECT_EQ(world.charging.rate(longer, world.now).code, Code::conflict);
    }
    EXPECT_EQ(world.charging.rate(other, world.now).code, Code::no_room);
    RateRequest of_call = other;
    of_call.session = "call";
    EXPECT_EQ(world.charging.rate(of_call, world.now).code, Code::no_room) << "a STOP has no room either";
    EXPECT_EQ(world.held("alice"), "0.6");
    EXPECT_EQ(world.log.last(), events);

    // A refusal that is too old to be repeated is forgotten all the same.
    world.pass(seconds{33});
    EXPECT_EQ(world.authorize("closed", 60, "4490").code, Code::no_room);

    world.log.admitted = balance::Admission::open;
    EXPECT_EQ(world.authorize("fresh", 60).code, Code::ok) << "nothing was left behind";
    world.stop("fresh", 0);
    world.stop("call", 0);
    world.expect_at_rest();
}

TEST(Charging, ResyncsThatHaveEndedMakeRoomForOthers) {
    World world;
    for (std::size_t i = 0; i < 3 * Resync::kUnderWayMax; ++i) {
        EXPECT_EQ(world.resync.end("fs", std::to_string(i), world.now), 0U);
        world.pass(seconds{1});
    }
    for (std::size_t i = 0; i < Resync::kUnderWayMax; ++i) {
        EXPECT_TRUE(world.resync.name("fs", "open-" + std::to_string(i), {}, world.now));
    }
    EXPECT_FALSE(world.resync.name("fs", "one more", {}, world.now)) << "those under way are not driven out";
    EXPECT_EQ(world.resync.end("fs", "open-0", world.now), 0U);
    EXPECT_EQ(world.resync.end("fs", "one more", world.now), std::nullopt) << "it was to name some";
}

TEST(Charging, NoUserTakesThePlacesOfOthersWithHisResyncs) {
    World world;
    for (std::size_t i = 0; i < Resync::kUnderWayOfUserMax; ++i)
        ASSERT_TRUE(world.resync.name("fs", std::to_string(i), {}, world.now, "eager"));
    EXPECT_FALSE(world.resync.name("fs", "one more", {}, world.now, "eager"));
    EXPECT_TRUE(world.resync.name("fs", "0", {}, world.now, "eager")) << "what is under way goes on";
    EXPECT_TRUE(world.resync.name("fs", "one more", {}, world.now, "other"));
    EXPECT_EQ(world.resync.end("fs", "0", world.now, "eager"), 0U);
    EXPECT_TRUE(world.resync.name("fs", "another", {}, world.now, "eager")) << "one of his has ended";
    EXPECT_EQ(world.resync.end("fs", "0", world.now, "eager"), 0U) << "a repeat needs no place";
}

// Goal: a switch that names and never ends must not fill the memory.
// Method: ids of 255 bytes count 351 bytes each, so 268'435'456 / 351 = 764'773 fit into one user's share.
TEST(Charging, TheIdsOfResyncsAreBounded) {
    World world;
    constexpr std::size_t kFit = 764'773;
    const auto name = [&world](std::string_view token, std::size_t from, std::size_t to,
                               std::string_view user) {
        for (std::size_t i = from; i < to; ++i) {
            std::string id = std::to_string(i);
            id.resize(255, '.');
            const std::array<std::string_view, 1> ids{id};
            if (!world.resync.name("fs", token, ids, world.now, user)) return i;
        }
        return to;
    };
    EXPECT_EQ(name("a", 0, 400'000, "eager"), 400'000U);
    EXPECT_EQ(name("b", 0, 400'000, "eager"), kFit - 400'000U) << "all of his together";
    EXPECT_EQ(name("c", 0, 10, "other"), 10U);
    EXPECT_EQ(world.resync.end("fs", "a", world.now, "eager"), 0U);
    EXPECT_EQ(name("d", 0, 10, "eager"), 10U) << "what has ended needs none";
}

TEST(Charging, ResyncsThatAreAbandonedAreSwept) {
    World world;
    for (std::size_t i = 0; i < Resync::kUnderWayMax; ++i)
        ASSERT_TRUE(world.resync.name("fs", std::to_string(i), {}, world.now));
    world.pass(Resync::kAbandonedAfter);
    world.resync.sweep(world.now);
    EXPECT_FALSE(world.resync.name("fs", "one more", {}, world.now)) << "not yet";
    world.pass(seconds{1});
    world.resync.sweep(world.now);
    EXPECT_FALSE(world.resync.name("fs", "0", {}, world.now)) << "what it named is lost";
    EXPECT_TRUE(world.resync.name("fs", "another", {}, world.now));
}

TEST(Charging, NothingIsNamedWhileMemoryIsFull) {
    World world;
    bool full = false;
    Resync resync{world.charging, world.state.resync_tokens, world.state.events, [&full] { return full; }};
    world.top_up("alice", "100");
    ASSERT_EQ(world.authorize("a", 60).code, Code::ok);
    world.pass(seconds{1});
    const std::array<std::string_view, 1> ids{"a"};
    full = true;
    EXPECT_FALSE(resync.name("", "first", ids, world.now));
    EXPECT_EQ(resync.end("", "first", world.now), std::nullopt) << "its call goes on, and could not be named";
    full = false;
    EXPECT_FALSE(resync.name("", "first", ids, world.now)) << "others of it may have been lost";
    EXPECT_TRUE(resync.name("", "later", {}, world.now));
    EXPECT_TRUE(resync.name("", "named", ids, world.now));
    full = true;
    EXPECT_FALSE(resync.name("", "later", ids, world.now));
    EXPECT_EQ(resync.end("", "later", world.now), std::nullopt);
    EXPECT_EQ(resync.end("", "named", world.now), 0U) << "what ends calls goes on";
    EXPECT_EQ(resync.end("", "none left", world.now), 1U);
    world.expect_at_rest();
}

TEST(Charging, ResyncClosesWhatTheSwitchNoLongerHas) {
    World world;
    world.top_up("alice", "100");
    const auto authorize = [&](std::string_view session, std::string_view owner) {
        AuthorizeRequest request;
        request.line = "alice-desk";
        request.destination = "4930";
        request.session = session;
        request.want = seconds{60};
        request.switch_name = owner;
        EXPECT_EQ(world.charging.authorize(request, world.now).code, Code::ok);
    };
    authorize("kept", "fs1");
    authorize("lost", "fs1");
    authorize("other", "fs2");
    world.pass(seconds{1});
    const std::vector<std::string_view> alive = {"kept"};
    EXPECT_TRUE(world.resync.name("fs1", "t", alive, world.now));
    authorize("newer", "fs1");
    EXPECT_EQ(world.resync.end("fs1", "t", world.now), 1U);
    EXPECT_EQ(world.resync.end("fs1", "t", world.now), 1U) << "a repeat";
    EXPECT_EQ(world.sessions.counts().open, 3U);
    EXPECT_EQ(world.stop("lost", 5).status, EndStatus::late);
    world.pass(seconds{1});
    EXPECT_EQ(world.resync.end("fs1", "again", world.now), 2U)
        << "a switch that has no calls left has nothing to name";
}

TEST(Charging, AnAuthorizeRepeatedWhileTheJournalIsFullIsTheSameAnswer) {
    World world;
    world.top_up("alice", "100");
    ASSERT_EQ(world.authorize("held", 60).code, Code::ok);
    ASSERT_EQ(world.authorize("refused", 60, "4490").reason, Reason::blocked);
    world.log.admitted = balance::Admission::ends_only;
    const auto repeat = world.authorize("held", 60);
    EXPECT_EQ(repeat.code, Code::ok);
    EXPECT_TRUE(repeat.duplicate);
    EXPECT_EQ(repeat.granted, seconds{60});
    EXPECT_EQ(world.authorize("held", 61).reason, Reason::differs);
    EXPECT_EQ(world.authorize("refused", 60, "4490").reason, Reason::blocked);
    EXPECT_EQ(world.authorize("new", 60).code, Code::no_room);
    world.pass(seconds{33});
    EXPECT_EQ(world.authorize("refused", 60, "4490").code, Code::no_room) << "that would be a new decision";
}

TEST(Charging, SweepsEndNoMoreSessionsThanTheJournalHasRoomFor) {
    World world;
    world.top_up("alice", "100");
    for (const auto* const session : {"a", "b", "c", "d", "e"})
        ASSERT_EQ(world.authorize(session, 60).code, Code::ok);
    world.pass(seconds{1});
    world.log.room_until = world.log.last() + 3;  // One says that the resync began.
    EXPECT_FALSE(world.resync.end("", "t", world.now)) << "three are still to be closed";
    EXPECT_EQ(world.sessions.counts().open, 3U);
    world.pass(seconds{590});
    EXPECT_EQ(world.charging.expire_due(0, 1, world.now), 0U);
    world.log.room_until += 1;
    EXPECT_EQ(world.charging.expire_due(0, 1, world.now), 1U);
    world.log.room_until += 100;
    EXPECT_EQ(world.resync.end("", "t", world.now), 4U) << "two at first, two now; one had expired";
    world.expect_at_rest();
}

// Goal: what a resync has named is in memory only, so after a restart its END must not close live calls.
TEST(Charging, AResyncDoesNotGoOnAfterARestart) {
    World world;
    world.top_up("alice", "100");
    ASSERT_EQ(world.authorize("a", 60).code, Code::ok);
    world.pass(seconds{1});
    const std::array<std::string_view, 1> ids{"a"};
    ASSERT_TRUE(world.resync.name("", "lost", ids, world.now));
    ASSERT_TRUE(world.resync.name("", "whole", ids, world.now));
    ASSERT_EQ(world.resync.end("", "whole", world.now), 0U);
    ASSERT_EQ(world.authorize("b", 60).code, Code::ok);
    world.pass(seconds{1});
    Resync restarted{world.charging, world.state.resync_tokens, world.state.events};
    EXPECT_FALSE(restarted.end("", "lost", world.now));
    EXPECT_FALSE(restarted.name("", "lost", ids, world.now));
    EXPECT_EQ(restarted.end("", "whole", world.now), 0U) << "the same answer";
    EXPECT_EQ(world.sessions.counts().open, 2U);
    ASSERT_TRUE(restarted.name("", "anew", ids, world.now));
    EXPECT_EQ(restarted.end("", "anew", world.now), 1U);
}

TEST(Charging, NoBundleIsRenewedWhileTheJournalIsFull) {
    World world;
    BundleDraft monthly;
    monthly.id = "monthly";
    monthly.seconds = 100;
    monthly.monthly = true;
    world.give_bundle("alice", monthly);
    ASSERT_EQ(world.authorize("c", 60).code, Code::ok);
    EXPECT_EQ(world.stop("c", 60).charged, Money{});
    const auto left = [&] { return (*balance::BundlesOf{world.party("alice")}.begin()).stand().available; };
    world.pass(std::chrono::hours{24 * 31});
    world.log.admitted = balance::Admission::ends_only;
    EXPECT_EQ(world.catalog.renew_bundles(world.now), 0U);
    EXPECT_EQ(left(), 40U);
    world.log.admitted = balance::Admission::open;
    EXPECT_EQ(world.catalog.renew_bundles(world.now), 1U);
    EXPECT_EQ(left(), 100U);
}

/// South refills his customers with money of his own: what their calls cost is his again.
class CreditedSeller : public ::testing::Test {
  protected:
    CreditedSeller() {
        world_.party("south").credited_by_calls = true;
        world_.top_up("alice", "10");
    }
    std::string available(const char* party) {
        return std::string{rating::format(world_.party(party).account.available()).view()};
    }
    std::int64_t revenue() {
        balance::Party& south = world_.party("south");
        return south.book(south.currency).revenue.load();
    }
    World world_;
};

TEST_F(CreditedSeller, HasWhatHisCustomerSpends) {
    EXPECT_EQ(world_.authorize("call", 300).code, Code::ok);
    EXPECT_EQ(available("south"), "998.5") << "a hold credits nobody";
    world_.charging.start("call", {}, world_.now);
    world_.pass(seconds{60});
    world_.charging.extend("call", seconds{60}, seconds{300}, world_.now);
    EXPECT_EQ(world_.balance("south"), "1000.3") << "0.6 credited, 0.3 paid";
    EXPECT_EQ(available("south"), "998.8") << "of which 1.5 are held";
    world_.pass(seconds{2});
    EXPECT_EQ(world_.stop("call", 62).charged, *rating::parse_money("0.62"));
    EXPECT_EQ(world_.balance("alice"), "9.38");
    EXPECT_EQ(world_.balance("south"), "1000.31");
    EXPECT_EQ(available("south"), "1000.31");
    EXPECT_EQ(world_.balance("north"), "999.876");
    EXPECT_EQ(revenue(), 0);
    world_.expect_at_rest();
}

TEST_F(CreditedSeller, GivesBackWhatIsCorrected) {
    world_.authorize("call", 300);
    world_.charging.extend("call", seconds{60}, seconds{300}, world_.now);
    EXPECT_EQ(world_.stop("call", 30).status, EndStatus::corrected);
    EXPECT_EQ(world_.balance("alice"), "9.7");
    EXPECT_EQ(world_.balance("south"), "1000.15");
    EXPECT_EQ(available("south"), "1000.15");
    world_.expect_at_rest();
}

TEST_F(CreditedSeller, GivesBackWhatIsRefunded) {
    world_.authorize("call", 300);
    const std::string record = "r-" + std::to_string(world_.stop("call", 60).record);
    const auto refund = [&](const char* amount, const char* id) {
        return world_.payments.refund({.of = record, .amount = *rating::parse_money(amount)},
                                      {id, {}, world_.now});
    };
    EXPECT_EQ(refund("0.2", "a").code, PaymentCode::ok);
    EXPECT_EQ(world_.balance("south"), "1000.2") << "0.3 less 0.2, and a third of his own 0.3";
    EXPECT_EQ(refund("0.4", "b").code, PaymentCode::ok);
    EXPECT_EQ(world_.balance("alice"), "10");
    EXPECT_EQ(world_.balance("south"), "1000");
    EXPECT_EQ(refund("0.1", "c").code, PaymentCode::not_refundable);
    EXPECT_EQ(available("south"), "1000");
    world_.expect_at_rest();
}

TEST_F(CreditedSeller, IsSoForTheWholeCall) {
    world_.authorize("before", 60);
    world_.party("south").credited_by_calls = false;
    world_.authorize("after", 60);
    world_.stop("before", 60);
    EXPECT_EQ(world_.balance("south"), "1000.3");
    world_.stop("after", 60);
    EXPECT_EQ(world_.balance("south"), "1000");
    EXPECT_EQ(revenue(), 600'000);
    world_.expect_at_rest();
}

TEST_F(CreditedSeller, HasNothingOfTheCallsOfThoseBelowHisCustomers) {
    world_.party("south").credited_by_calls = false;
    world_.party("north").credited_by_calls = true;
    world_.authorize("call", 60);
    world_.stop("call", 60);
    EXPECT_EQ(world_.balance("north"), "999.88") << "south is no customer";
    EXPECT_EQ(world_.balance("south"), "999.7");
}

// Goal: with money for K calls exactly K are granted, whatever the interleaving, and nobody is refused
// because of a hold that is then given back. Method: threads race for a customer's money where south can pay
// for fewer calls still; the limit is south's.
TEST(ChargingThreads, ExactlyAsManyCallsAsThereIsMoneyFor) {
    for (int round = 0; round < 20; ++round) {
        World world;
        constexpr int kCalls = 37;
        constexpr int kThreads = 4;
        world.top_up("alice", "60");  // 100 calls of 60 s.
        const auto south_rest = world.party("south").account.balance() - *rating::parse_money("11.1");
        ASSERT_EQ(world.payments.debit("south", south_rest, false, {"rest", {}, world.now}).code,
                  PaymentCode::ok);
        std::atomic<int> granted{0};
        {
            std::vector<std::jthread> callers;
            for (int caller = 0; caller < kThreads; ++caller) {
                callers.emplace_back([&, caller] {
                    for (int call = 0; call < 30; ++call) {
                        const std::string id = std::to_string(caller) + "-" + std::to_string(call);
                        if (world.authorize(id, 60).code == Code::ok) ++granted;
                    }
                });
            }
        }
        ASSERT_EQ(granted, kCalls);
        EXPECT_EQ(world.party("south").account.available(), Money{});
        for (int caller = 0; caller < kThreads; ++caller) {
            for (int call = 0; call < 30; ++call)
                world.stop(std::to_string(caller) + "-" + std::to_string(call), call);
        }
        world.expect_at_rest();
    }
}

// Goal: a refusal stands only where no unconfirmed hold of another request was in the way.
// Method: the test is the other request: it begins a call, holds all of the money, and gives it back a while
// later. Whoever asks meanwhile is not refused but waits, and gets it.
TEST(ChargingThreads, AHoldThatIsGivenBackRefusesNobody) {
    for (const bool calls_not_money : {false, true}) {
        World world;
        world.replays = false;  // What is put by hand has no event.
        world.top_up("alice", "1");
        auto& alice = world.party("alice");
        alice.max_calls = calls_not_money ? 1 : balance::kCallsUnlimited;
        ASSERT_TRUE(alice.account.try_begin_call(balance::kCallsMax));
        ASSERT_TRUE(alice.account.try_hold(*rating::parse_money("1")));
        AuthorizeAnswer answer;
        {
            const std::jthread caller{[&] { answer = world.authorize("call", 60); }};
            std::this_thread::sleep_for(std::chrono::milliseconds{10});
            alice.account.give_back(*rating::parse_money("1"));
            alice.account.roll_back_call();
        }
        EXPECT_EQ(answer.code, Code::ok);
        world.stop("call", 0);
        world.expect_at_rest();
    }
}

// Goal: any mix of commands from any threads on the same few sessions keeps the books.
TEST(ChargingThreads, ManyHandsOnTheSameSessions) {
    World world;
    world.top_up("alice", "50");
    {
        std::vector<std::jthread> hands;
        for (unsigned hand = 0; hand < 4; ++hand) {
            hands.emplace_back([&world, hand] {
                std::uint32_t random = hand * 7'919 + 1;
                for (int i = 0; i < 5'000; ++i) {
                    random = random * 1'664'525 + 1'013'904'223;
                    const std::string id = std::to_string((random >> 8) % 40) + "-" + std::to_string(i / 500);
                    const int used = static_cast<int>((random >> 16) % 90);
                    switch ((random >> 24) % 6) {
                        case 0:
                        case 1:
                            world.authorize(id, 60 + used);
                            break;
                        case 2:
                            world.charging.start(id, {}, world.now);
                            break;
                        case 3:
                            world.charging.extend(id, seconds{used}, seconds{60}, world.now);
                            break;
                        case 4:
                            world.stop(id, used);
                            break;
                        default:
                            world.charging.release(id, {}, world.now);
                            break;
                    }
                }
            });
        }
    }
    world.pass(std::chrono::hours{30});
    world.charging.expire_due(0, 1, world.now);
    world.expect_at_rest();
}

}  // namespace
}  // namespace tollgate::daemon
