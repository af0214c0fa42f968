// Bundled seconds of calls; the story of one call after the other is tests/scenarios/bundles.scn.

#include "daemon/bundling.h"

#include <atomic>
#include <map>
#include <random>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "tests/daemon/world.h"

namespace tollgate::daemon {
namespace {

using balance::BundlesOf;
using std::chrono::hours;
using std::chrono::seconds;

BundleDraft seconds_for(const char* id, std::uint32_t count) {
    BundleDraft draft;
    draft.id = id;
    draft.seconds = count;
    return draft;
}
const balance::Bundle& bundle(const World& world, std::string_view party, std::string_view id) {
    for (const auto& bundle : BundlesOf{world.party(party)}) {
        if (bundle.source().id == id) return bundle;
    }
    std::abort();
}
std::uint32_t left(const World& world, std::string_view party, std::string_view id) {
    return bundle(world, party, id).stand().available;
}

std::size_t renew(World& world, const char* now) {
    return world.catalog.renew_bundles({*rating::parse_instant(now), world.now.steady});
}

TEST(Bundling, AnExpiredSessionGivesBackAndALateStopTakesAgain) {
    World world;
    world.give_bundle("alice", seconds_for("b", 100));
    world.top_up("alice", "5");
    ASSERT_EQ(world.authorize("c", 150).granted, seconds{150});
    world.charging.extend("c", seconds{20}, seconds{130}, world.now);
    EXPECT_EQ(world.held("alice"), "0.5");
    world.pass(hours{1});
    EXPECT_EQ(world.charging.expire_due(0, 1, world.now), 1U);
    EXPECT_EQ(left(world, "alice", "b"), 80U);
    EXPECT_EQ(world.balance("alice"), "5");
    world.expect_at_rest();
    const StopAnswer late = world.stop("c", 120);
    EXPECT_EQ(late.status, EndStatus::late);
    EXPECT_EQ(rating::format(late.charged).view(), "0.2") << "100 s bundled as at first, 20 s at 0.01";
    EXPECT_EQ(late.billed, seconds{20});
    EXPECT_EQ(left(world, "alice", "b"), 0U);
    world.expect_at_rest();
}

TEST(Bundling, ALateStopGetsWhatOthersLeft) {
    World world;
    world.give_bundle("alice", seconds_for("b", 100));
    world.top_up("alice", "5");
    world.authorize("c", 100);
    world.pass(hours{1});
    EXPECT_EQ(world.charging.expire_due(0, 1, world.now), 1U);
    world.authorize("d", 90);
    EXPECT_EQ(rating::format(world.stop("c", 100).charged).view(), "0.9");
    EXPECT_EQ(rating::format(world.stop("d", 90).charged).view(), "0");
    EXPECT_EQ(left(world, "alice", "b"), 0U);
    world.expect_at_rest();
}

TEST(Bundling, ASessionThatExpiredHoldsAnewWhenItGoesOn) {
    World world;
    world.give_bundle("alice", seconds_for("b", 100));
    world.authorize("c", 60);
    world.pass(hours{1});
    EXPECT_EQ(world.charging.expire_due(0, 1, world.now), 1U);
    EXPECT_EQ(left(world, "alice", "b"), 100U);
    EXPECT_EQ(world.charging.extend("c", seconds{30}, seconds{40}, world.now).granted, seconds{70});
    EXPECT_EQ(left(world, "alice", "b"), 30U);
    world.stop("c", 65);
    EXPECT_EQ(left(world, "alice", "b"), 35U);
    world.expect_at_rest();
}

TEST(Bundling, HeldSecondsOfThePastMonthStayValidAndLapseWhenUnused) {
    World world;
    BundleDraft monthly = seconds_for("m", 100);
    monthly.monthly = true;
    world.give_bundle("alice", monthly);
    ASSERT_EQ(world.authorize("c", 80).granted, seconds{80});
    EXPECT_EQ(renew(world, "2026-04-01T00:00:00Z"), 1U);
    EXPECT_EQ(left(world, "alice", "m"), 100U);
    // 60 s of March, and of what it is granted beyond them what April has.
    EXPECT_EQ(world.charging.extend("c", seconds{60}, seconds{60}, world.now).granted, seconds{120});
    EXPECT_EQ(left(world, "alice", "m"), 60U);
    EXPECT_EQ(rating::format(world.stop("c", 90).charged).view(), "0");
    EXPECT_EQ(left(world, "alice", "m"), 90U) << "80 s of March, 10 s of April";
    ASSERT_EQ(world.authorize("d", 80).granted, seconds{80});
    EXPECT_EQ(renew(world, "2026-05-01T00:00:00Z"), 1U);
    world.stop("d", 10);
    EXPECT_EQ(left(world, "alice", "m"), 100U) << "70 s of April have lapsed";
    world.expect_at_rest();
}

TEST(Bundling, ARepeatedAuthorizeIsTheSameAnswer) {
    World world;
    world.give_bundle("alice", seconds_for("b", 100));
    world.top_up("alice", "1");
    const AuthorizeAnswer first = world.authorize("c", 150);
    const AuthorizeAnswer second = world.authorize("c", 150);
    EXPECT_TRUE(second.duplicate);
    EXPECT_EQ(second.held, first.held);
    EXPECT_EQ(rating::format(first.held).view(), "0.5");
    EXPECT_EQ(left(world, "alice", "b"), 0U);
    world.stop("c", 0);
    EXPECT_EQ(left(world, "alice", "b"), 100U);
    world.expect_at_rest();
}

TEST(Bundling, ALevelAboveThatCannotPayTakesNoSeconds) {
    World world;
    world.give_bundle("alice", seconds_for("b", 100));
    ASSERT_EQ(
        world.payments.debit("south", *rating::parse_money("1000"), false, {"rest", {}, world.now}).code,
        PaymentCode::ok);
    const AuthorizeAnswer refused = world.authorize("c", 60);
    EXPECT_EQ(refused.code, Code::credit_limit);
    EXPECT_EQ(refused.level, world.parties.find("south"));
    EXPECT_EQ(left(world, "alice", "b"), 100U);
    world.give_bundle("south", seconds_for("s", 7));
    EXPECT_EQ(world.authorize("d", 60).granted, seconds{7});
    EXPECT_EQ(left(world, "alice", "b"), 93U);
    world.stop("d", 7);
    EXPECT_EQ(world.balance("south"), "0");
    world.expect_at_rest();
}

TEST(Bundling, OneBundledSecondMeetsTheCheckOfFunds) {
    World world;
    world.party("alice").min_available = 5'000'000;
    EXPECT_EQ(world.authorize("a", 60).code, Code::credit_limit);
    world.give_bundle("alice", seconds_for("b", 1));
    const AuthorizeAnswer answer = world.authorize("c", 60);
    EXPECT_EQ(answer.code, Code::ok);
    EXPECT_EQ(answer.granted, seconds{1});
    EXPECT_TRUE(answer.final);
    world.stop("c", 1);
    world.expect_at_rest();
}

TEST(Bundling, ExplainSaysWhatWasBundledWhenItWasDecided) {
    World world;
    world.give_bundle("alice", seconds_for("b", 100));
    world.top_up("alice", "1");
    world.authorize("c", 120);
    world.stop("c", 10);
    const ExplainAnswer answer = world.charging.explain("c");
    ASSERT_FALSE(answer.derivation.empty());
    EXPECT_EQ(rating::format(answer.derivation[0].cost).view(), "0.2");
    EXPECT_NE(answer.derivation[0].words.find("the first 100 s are bundled"), std::string::npos)
        << answer.derivation[0].words;
}

TEST(Bundling, ACallDrawsOnSoManyBundles) {
    World world;
    for (std::size_t i = 0; i < balance::LevelBundles::kUsesMax + 2; ++i)
        world.give_bundle("alice", seconds_for(("b" + std::to_string(i)).c_str(), 10));
    EXPECT_EQ(world.authorize("c", 600).granted, seconds{10 * balance::LevelBundles::kUsesMax});
    world.stop("c", 5);
    EXPECT_EQ(left(world, "alice", "b0"), 5U);
    world.expect_at_rest();
}

/// Holds bundles against the sessions that name them: what is left follows from the sessions alone.
void expect_bundles_follow_from_sessions(World& world, const std::vector<std::string>& ids) {
    std::map<std::pair<PartyId, std::uint16_t>, std::pair<std::int64_t, std::int64_t>> sums;
    for (const std::string& id : ids) {
        const auto claim = world.sessions.claim(id);
        if (!claim) continue;
        const balance::Session& session = *claim;
        for (const auto& mine : session.bundles()) {
            const balance::SessionLevel& level = session.levels()[mine.level];
            std::uint32_t sum = 0;
            for (std::size_t i = 0; i < mine.use_count; ++i) {
                const balance::BundleUse& use = mine.uses[i];
                sum += use.seconds;
                ASSERT_LE(use.used, use.seconds);
                ASSERT_GT(use.seconds, 0U);
                const balance::Bundle* const named =
                    BundlesOf{world.parties.get(level.payer)}.find(use.bundle);
                ASSERT_NE(named, nullptr);
                if (named->stand().generation != use.generation) continue;
                auto& [taken, held] = sums[{level.payer, use.bundle}];
                taken += use.seconds;
                held += use.seconds - use.used;
            }
            ASSERT_EQ(sum, mine.seconds);
        }
        if (session.state == balance::SessionState::stopped) {
            for (const auto& level : session.levels())
                ASSERT_EQ(level.charged, session.cost(level, seconds{session.used_seconds})) << id;
        }
    }
    for (const char* const party : {"alice", "south"}) {
        for (const auto& bundle : BundlesOf{world.party(party)}) {
            const auto [taken, held] = sums[{world.parties.find(party), bundle.number()}];
            ASSERT_EQ(bundle.stand().available, bundle.source().seconds - taken) << party << bundle.number();
            ASSERT_EQ(bundle.stand().held, held) << party << bundle.number();
        }
    }
}

/// What the events say of bundles is what there is.
void expect_bundles_replay(World& world) {
    State replayed{World::settings_for({})};
    replayed.tariffs.begin_restoring();
    for (const auto& event : world.log.events()) {
        ASSERT_EQ(replayed.apply(event, [&](std::string_view name) { return world.log.aside(name); }), "");
    }
    for (const char* const party : {"alice", "south"}) {
        for (const auto& bundle : BundlesOf{world.party(party)}) {
            const balance::Bundle* const again =
                BundlesOf{replayed.parties.get(replayed.parties.find(party))}.find(bundle.number());
            ASSERT_NE(again, nullptr);
            EXPECT_EQ(again->source(), bundle.source());
            EXPECT_EQ(again->stand().generation, bundle.stand().generation);
            EXPECT_EQ(again->stand().held, bundle.stand().held);
            EXPECT_EQ(again->stand().available, bundle.stand().available);
            EXPECT_EQ(again->renews_at(), bundle.renews_at());
        }
    }
}

// Goal: whatever commands come in whatever order, no second is lost or had twice, and a session's own figures
// say all that a replay has to know. Method: random commands on a few sessions, with renewals and expiry
// between them; after each, the bundles are worked out from the sessions.
TEST(Bundling, BundlesFollowFromSessions) {
    std::mt19937 random{7};
    const auto below = [&random](std::uint32_t end) { return static_cast<int>(random() % end); };
    for (int round = 0; round < 60; ++round) {
        World world;
        world.top_up("alice", "3");
        for (int i = 0; i < 3; ++i) {
            BundleDraft draft =
                seconds_for(("b" + std::to_string(i)).c_str(), static_cast<std::uint32_t>(50 + below(200)));
            draft.monthly = i == 1;
            draft.priority = below(3);
            if (i == 2) draft.prefixes = {"493"};
            world.give_bundle("alice", draft);
        }
        world.give_bundle("south", seconds_for("s", 150));
        rating::Instant month = *rating::parse_instant("2026-04-01T00:00:00Z");
        std::vector<std::string> ids;
        for (int i = 0; i < 12; ++i)
            ids.push_back(std::to_string(i));
        for (int step = 0; step < 120; ++step) {
            const std::string& id = ids[static_cast<std::size_t>(below(12))];
            switch (below(10)) {
                case 0:
                case 1:
                case 2:
                    world.authorize(id, 20 + below(150), below(2) == 0 ? "4930" : "4940");
                    break;
                case 3:
                case 4:
                    world.charging.extend(id, seconds{below(200)}, seconds{below(100)}, world.now);
                    break;
                case 5:
                    world.stop(id, below(220));
                    break;
                case 6:
                    world.charging.release(id, {}, world.now);
                    break;
                case 7:
                    world.charging.start(id, {}, world.now);
                    break;
                case 8:
                    world.pass(seconds{below(200)});
                    world.charging.expire_due(0, 1, world.now);
                    break;
                default:
                    if (below(10) != 0) break;
                    world.catalog.renew_bundles({month, world.now.steady});
                    month += hours{24 * 32};
                    break;
            }
            ASSERT_NO_FATAL_FAILURE(expect_bundles_follow_from_sessions(world, ids)) << round << ' ' << step;
        }
        expect_bundles_replay(world);
        world.pass(hours{2});
        world.charging.expire_due(0, 1, world.now);
        world.expect_at_rest();
        expect_bundles_replay(world);
    }
}

// Goal: calls at the same time never use more seconds than there are, and afterwards all are accounted for.
// Method: a customer without money, so that whatever he is granted is bundled; four threads with a hundred
// calls at a time, which are extended, ended, released. What ended calls used and what is left is what there
// was.
TEST(BundlingThreads, ManyCallsShareSecondsThatNoTwoHave) {
    constexpr std::uint32_t kSeconds = 5'000;
    for (int round = 0; round < 4; ++round) {
        World world;
        world.give_bundle("alice", seconds_for("a", kSeconds / 2));
        world.give_bundle("alice", seconds_for("b", kSeconds / 2));
        std::atomic<std::uint64_t> used_in_all{0};
        {
            std::vector<std::jthread> callers;
            for (unsigned caller = 0; caller < 4; ++caller) {
                callers.emplace_back([&world, &used_in_all, caller] {
                    std::mt19937 random{caller + 1};
                    const std::string name = std::to_string(caller) + "-";
                    for (int turn = 0; turn < 20; ++turn) {
                        std::vector<std::pair<std::string, std::int64_t>> open;
                        for (int call = 0; call < 25; ++call) {
                            const std::string id = name + std::to_string(turn * 25 + call);
                            const auto answer = world.authorize(id, 1 + static_cast<int>(random() % 60));
                            if (answer.code == Code::ok) open.emplace_back(id, answer.granted.count());
                        }
                        for (auto& [id, granted] : open) {
                            if (random() % 3 != 0) continue;
                            granted = world.charging.extend(id, seconds{granted / 16}, seconds{30}, world.now)
                                          .granted.count();
                        }
                        for (const auto& [id, granted] : open) {
                            const auto used = static_cast<int>(granted / 16);
                            EXPECT_EQ(world.stop(id, used).charged, Money{});
                            used_in_all += static_cast<std::uint64_t>(used);
                        }
                    }
                });
            }
        }
        EXPECT_LE(used_in_all, kSeconds);
        EXPECT_EQ(left(world, "alice", "a") + left(world, "alice", "b") + used_in_all, kSeconds);
        EXPECT_EQ(world.balance("alice"), "0");
        world.expect_at_rest();
    }
}

// Goal: a refusal for funds stands only if no unconfirmed hold stood there; a bundle that another request is
// about to give back refuses nobody.
TEST(BundlingThreads, SecondsThatAreGivenBackRefuseNobody) {
    World world;
    world.give_bundle("alice", seconds_for("b", 60));
    auto& alice = world.party("alice");
    balance::Bundle& only = *BundlesOf{alice}.begin();
    alice.account.begin_extension();
    const auto taken = only.take(60);
    AuthorizeAnswer answer;
    {
        const std::jthread caller{[&] { answer = world.authorize("call", 60); }};
        std::this_thread::sleep_for(std::chrono::milliseconds{10});
        only.settle(taken.generation, taken.seconds, -std::int64_t{taken.seconds});
        alice.account.roll_back_extension();
    }
    EXPECT_EQ(answer.code, Code::ok);
    EXPECT_EQ(answer.granted, seconds{60});
    world.stop("call", 0);
    world.expect_at_rest();
}

}  // namespace
}  // namespace tollgate::daemon
