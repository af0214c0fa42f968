// What commission resellers earn of a call: a share of the customer's leg, once the call has ended.

#include <algorithm>
#include <string>
#include <utility>

#include <gtest/gtest.h>

#include "daemon/charging.h"
#include "daemon/partners/profile.h"
#include "tests/daemon/world.h"

namespace tollgate::daemon {
namespace {

using rating::Percent;
using std::chrono::seconds;

constexpr Percent percent(std::int64_t hundredths) {
    return Percent::from_millionths(hundredths * (Percent::kWhole / 10'000));
}

/// South sells to bob through two commission resellers, top and, below him, sub. Prices a second: bob 0.01,
/// south 0.005, north 0.002.
class CallsCommission : public ::testing::Test {
  protected:
    CallsCommission() {
        add_agent("top", "south");
        add_agent("sub", "top");
        world_.add("bob", "sub", balance::PartyKind::customer, "retail");
        world_.add("bob-desk", "bob", balance::PartyKind::line);
        world_.top_up("bob", "10");
    }
    void add_agent(const std::string& id, const std::string& parent, const char* currency = "EUR") {
        PartyDraft draft;
        draft.id = id;
        draft.parent = parent;
        draft.kind = balance::PartyKind::reseller;
        draft.terms = balance::Terms::commission;
        draft.currency = rating::Currency::parse(currency);
        EXPECT_TRUE(world_.catalog.add({&draft, 1}).empty()) << id;
    }
    /// A percentage that is not given is one that the profile does not have.
    void give(const std::string& id, std::optional<Percent> of_calls, const std::string& split = {},
              const std::string& refill_policy = {}) {
        Profile profile;
        profile.id = id;
        profile.calls_commission = of_calls;
        profile.commission_split = split;
        profile.refill_policy = refill_policy;
        balance::JointEvent joint;
        world_.state.registry.profiles.put(joint, profile, world_.now);
        joint.write(world_.state.events, world_.now);
    }
    AuthorizeAnswer authorize(std::string_view session = "call", std::string_view line = "bob-desk") {
        return world_.authorize(session, 300, "4930", line);
    }
    /// One of 60 s, which is charged 0.6, 0.3 and 0.12.
    std::string called(std::string_view session = "call", std::string_view line = "bob-desk") {
        EXPECT_EQ(authorize(session, line).code, Code::ok);
        return "r-" + std::to_string(world_.stop(session, 60).record);
    }
    /// Answered and heard of at 60 s, then never again.
    void expire_after_a_minute() {
        ASSERT_EQ(authorize().code, Code::ok);
        world_.charging.start("call", {}, world_.now);
        world_.pass(seconds{60});
        world_.charging.extend("call", seconds{60}, seconds{300}, world_.now);
        EXPECT_EQ(world_.balance("top"), "0") << "nobody earns before the call has ended";
        world_.pass(seconds{400});
        ASSERT_EQ(world_.charging.expire_due(0, 1, world_.now), 1U);
    }
    PaymentCode refund(const std::string& record, const char* amount, const char* id,
                       const char* asker = "") {
        std::optional<Money> wanted;
        if (*amount != '\0') wanted = rating::parse_money(amount);
        return world_.payments.refund({.of = record, .amount = wanted, .asker = asker}, {id, {}, world_.now})
            .code;
    }
    std::string available(std::string_view id) {
        return std::string{rating::format(world_.party(id).account.available()).view()};
    }
    std::string revenue(std::string_view id) {
        balance::Party& party = world_.party(id);
        return std::string{
            rating::format(Money::from_micros(party.book(party.currency).revenue.load())).view()};
    }
    World world_;
};

TEST_F(CallsCommission, IsAShareOfTheCustomersLegOutOfTheSellersRevenue) {
    give("top", percent(1000));
    const auto granted = authorize();
    EXPECT_EQ(granted.granted, seconds{300});
    EXPECT_EQ(world_.held("top"), "0");
    world_.charging.extend("call", seconds{60}, seconds{300}, world_.now);
    EXPECT_EQ(world_.balance("top"), "0") << "an EXTEND pays nothing yet";
    EXPECT_EQ(revenue("south"), "0.6");
    EXPECT_EQ(world_.stop("call", 60).charged, *rating::parse_money("0.6"));
    EXPECT_EQ(world_.balance("top"), "0.06") << "10 % of 0.6";
    EXPECT_EQ(available("top"), "0.06");
    EXPECT_EQ(world_.balance("sub"), "0");
    EXPECT_EQ(world_.balance("bob"), "9.4");
    EXPECT_EQ(revenue("south"), "0.54");
    EXPECT_EQ(world_.balance("south"), "999.7") << "what he pays himself is as ever";
    EXPECT_EQ(revenue("north"), "0.3");
    EXPECT_TRUE(world_.stop("call", 60).duplicate);
    EXPECT_EQ(world_.balance("top"), "0.06");
    EXPECT_EQ(world_.charging.explain("call").derivation.size(), 3U) << "he is no level of the chain";
    world_.expect_at_rest();
}

TEST_F(CallsCommission, IsNothingWithoutAPercentage) {
    called("none");
    EXPECT_EQ(world_.balance("top"), "0");
    EXPECT_EQ(revenue("south"), "0.6");
    give("top", percent(0));
    called("zero");
    EXPECT_EQ(world_.balance("top"), "0");
    give("top", percent(1000));
    called("ten");
    give("top", std::nullopt);
    called("none-again");
    EXPECT_EQ(world_.balance("top"), "0.06");
    EXPECT_EQ(revenue("south"), "2.34");
}

TEST_F(CallsCommission, IsOnlyForCommissionResellersBetweenTheCustomerAndHisSeller) {
    give("north", percent(1000));  // One who pays for calls himself.
    give("south", percent(1000));
    add_agent("tall", "provider");  // One above the seller.
    give("tall", percent(1000));
    world_.add("deep", "tall", balance::PartyKind::reseller, "resale");
    world_.add("carol", "deep", balance::PartyKind::customer, "retail");
    world_.add("carol-desk", "carol", balance::PartyKind::line);
    add_agent("dollar", "sub", "USD");  // One who keeps other books.
    give("dollar", percent(1000));
    for (const char* const party : {"deep", "carol"})
        world_.top_up(party, "10");
    called("bobs");
    called("carols", "carol-desk");
    EXPECT_EQ(revenue("south"), "0.6");
    EXPECT_EQ(revenue("deep"), "0.6");
    EXPECT_EQ(revenue("provider"), "0.42") << "0.12 of north's and 0.3 of deep's";
    for (const char* const party : {"tall", "dollar", "top", "sub"})
        EXPECT_EQ(world_.balance(party), "0") << party;
    EXPECT_EQ(world_.balance("north"), "999.88");
    EXPECT_EQ(world_.balance("south"), "999.7");
}

TEST_F(CallsCommission, IsNothingOfACallThatCostNothing) {
    give("top", percent(1000));
    authorize("released");
    world_.charging.release("released", {}, world_.now);
    authorize("unanswered");
    EXPECT_EQ(world_.stop("unanswered", 0).status, EndStatus::released);
    world_.authorize("toll-free", 60, "800123", "bob-desk");
    world_.stop("toll-free", 60);
    EXPECT_EQ(world_.balance("top"), "0");
    world_.expect_at_rest();
}

TEST_F(CallsCommission, GoesDownTheCascade) {
    give("top", percent(1000));
    give("sub", percent(1000));
    called();
    EXPECT_EQ(world_.balance("top"), "0.054") << "10 % of 0.6, less what he passes on";
    EXPECT_EQ(world_.balance("sub"), "0.006") << "10 % of 0.06";
    EXPECT_EQ(revenue("south"), "0.54");
    world_.expect_at_rest();
}

TEST_F(CallsCommission, IsSplitPerLevelWhereTheSellerSaysSo) {
    give("south", std::nullopt, "per_level");
    give("top", percent(1000));
    give("sub", percent(400));
    called();
    EXPECT_EQ(world_.balance("sub"), "0.024") << "4 % of 0.6";
    EXPECT_EQ(world_.balance("top"), "0.036") << "10 % of 0.6, less 0.024";
    EXPECT_EQ(revenue("south"), "0.54");
    give("south", std::nullopt, "cascade");
    called("again");
    EXPECT_EQ(world_.balance("sub"), "0.0264") << "and 4 % of 0.06";
    EXPECT_EQ(world_.balance("top"), "0.0936");
}

TEST_F(CallsCommission, IsPaidByRateToo) {
    give("top", percent(1250));
    const auto rated = world_.charging.rate(
        {.line = "bob-desk", .destination = "4930", .session = "rated", .used = seconds{60}, .at = {}},
        world_.now);
    EXPECT_EQ(rated.code, Code::ok);
    EXPECT_EQ(world_.balance("top"), "0.075") << "12.5 % of 0.6";
    EXPECT_EQ(revenue("south"), "0.525");
    world_.expect_at_rest();
}

TEST_F(CallsCommission, IsPaidAtExpiryAndPutRightByALateStop) {
    give("top", percent(1000));
    expire_after_a_minute();
    EXPECT_EQ(world_.balance("top"), "0.06");
    EXPECT_EQ(world_.stop("call", 120).status, EndStatus::late);
    EXPECT_EQ(world_.balance("top"), "0.12");
    EXPECT_EQ(revenue("south"), "1.08");
    world_.expect_at_rest();
}

TEST_F(CallsCommission, IsTakenBackByALateStopThatCostsLess) {
    give("top", percent(1000));
    give("sub", percent(1000));
    expire_after_a_minute();
    world_.payments.debit("top", *rating::parse_money("0.054"), false, {"spent", {}, world_.now});
    EXPECT_EQ(world_.stop("call", 30).charged, *rating::parse_money("0.3"));
    EXPECT_EQ(world_.balance("sub"), "0.003");
    EXPECT_EQ(available("sub"), "0.003");
    EXPECT_EQ(world_.balance("top"), "-0.027") << "0.027 earned, 0.054 spent: who was paid too much owes it";
    EXPECT_EQ(revenue("south"), "0.324") << "0.3 of bob, less 0.03, and top's 0.054";
    world_.expect_at_rest();
}

TEST_F(CallsCommission, OfALateStopIsWhatIsAgreedThen) {
    give("top", percent(1000));
    expire_after_a_minute();
    give("top", std::nullopt);
    give("sub", percent(500));
    world_.stop("call", 60);
    EXPECT_EQ(world_.balance("top"), "0");
    EXPECT_EQ(world_.balance("sub"), "0.03");
    EXPECT_EQ(revenue("south"), "0.57");
    world_.expect_at_rest();
}

TEST_F(CallsCommission, OfACallThatGoesOnAfterItsExpiryIsSettledAtItsEnd) {
    give("top", percent(1000));
    expire_after_a_minute();
    const auto extended = world_.charging.extend("call", seconds{90}, seconds{60}, world_.now);
    EXPECT_EQ(extended.code, Code::ok);
    EXPECT_EQ(extended.granted, seconds{150});
    EXPECT_EQ(world_.held("bob"), "0.6");
    EXPECT_EQ(world_.balance("top"), "0.06") << "of the minute that was charged then";
    EXPECT_EQ(revenue("south"), "0.84");
    EXPECT_EQ(world_.charging.explain("call").derivation.size(), 3U);
    world_.expect_replays();
    EXPECT_EQ(world_.stop("call", 120).charged, *rating::parse_money("1.2"));
    EXPECT_EQ(world_.balance("top"), "0.12");
    EXPECT_EQ(revenue("south"), "1.08");
    world_.expect_at_rest();
}

TEST_F(CallsCommission, StandsBehindTheCarriersLegOfALateStop) {
    world_.put_tariff("carrier", "0.06");
    world_.put_tariff("absurd", "1000000000");
    give("top", percent(1000));
    give("sub", percent(1000));
    expire_after_a_minute();
    const auto stop = [&](const char* via, int used) {
        return world_.charging.stop(
            {.session = "call", .used = seconds{used}, .at = {}, .cause = {}, .via = via}, world_.now);
    };
    EXPECT_EQ(stop("absurd", 3'600).code, Code::too_large);
    EXPECT_EQ(world_.balance("sub"), "0.006");
    world_.expect_replays();
    EXPECT_EQ(stop("carrier", 120).code, Code::ok);
    EXPECT_EQ(world_.balance("provider"), "-0.12");
    EXPECT_EQ(world_.balance("sub"), "0.012");
    EXPECT_EQ(world_.balance("top"), "0.108");
    const auto explained = world_.charging.explain("call");
    ASSERT_EQ(explained.derivation.size(), 4U);
    EXPECT_EQ(explained.derivation[3].tariff, "carrier");
    world_.expect_at_rest();
}

TEST_F(CallsCommission, IsRefundedWithTheLegThatItIsOf) {
    give("top", percent(1000));
    const std::string record = called();
    EXPECT_EQ(refund(record, "0.2", "a"), PaymentCode::ok);
    EXPECT_EQ(world_.balance("bob"), "9.6");
    EXPECT_EQ(world_.balance("top"), "0.04") << "a third of 0.06 is gone";
    EXPECT_EQ(revenue("south"), "0.36") << "0.54, less 0.2 for bob, and 0.02 of top";
    EXPECT_EQ(refund(record, "0.100001", "b"), PaymentCode::ok);
    EXPECT_EQ(world_.balance("top"), "0.03") << "0.0100001, rounded down";
    world_.expect_replays();
    EXPECT_EQ(refund(record, "", "c"), PaymentCode::ok);
    EXPECT_EQ(world_.balance("bob"), "10");
    EXPECT_EQ(world_.balance("top"), "0");
    EXPECT_EQ(available("top"), "0");
    EXPECT_EQ(revenue("south"), "0");
    EXPECT_EQ(world_.balance("south"), "1000");
    EXPECT_EQ(refund(record, "0.1", "d"), PaymentCode::not_refundable);
    world_.expect_at_rest();
}

TEST_F(CallsCommission, IsRefundedWhoeverOfThoseAboveAsks) {
    give("top", percent(1000));
    give("sub", percent(1000));
    const std::string record = called();
    EXPECT_EQ(refund(record, "0.3", "a", "south"), PaymentCode::ok);
    EXPECT_EQ(world_.balance("south"), "999.7") << "his own leg is for those above him";
    EXPECT_EQ(world_.balance("top"), "0.027");
    EXPECT_EQ(world_.balance("sub"), "0.003");
    EXPECT_EQ(refund(record, "0.3", "b", "sub"), PaymentCode::ok) << "what he does not keep himself either";
    EXPECT_EQ(world_.balance("top"), "0");
    EXPECT_EQ(world_.balance("sub"), "0");
    EXPECT_EQ(revenue("south"), "0");
    world_.expect_at_rest();
}

/// Whose customers spend what was his has the leg on his balance: the commission comes out of that.
TEST_F(CallsCommission, ComesOutOfWhatASellerIsCredited) {
    give("south", std::nullopt, {}, "transfer");
    give("top", percent(1000));
    const std::string record = called();
    EXPECT_EQ(world_.balance("south"), "1000.24") << "0.6 less 0.06 credited, 0.3 paid";
    EXPECT_EQ(available("south"), "1000.24");
    EXPECT_EQ(revenue("south"), "0");
    EXPECT_EQ(world_.balance("top"), "0.06");
    EXPECT_EQ(refund(record, "0.2", "a"), PaymentCode::ok);
    EXPECT_EQ(world_.balance("south"), "1000.16") << "0.2 less 0.02 taken, a third of his 0.3 given";
    EXPECT_EQ(world_.balance("top"), "0.04");
    world_.expect_replays();
    EXPECT_EQ(refund(record, "", "b"), PaymentCode::ok);
    EXPECT_EQ(world_.balance("south"), "1000");
    EXPECT_EQ(available("south"), "1000");
    EXPECT_EQ(world_.balance("top"), "0");
    world_.expect_at_rest();
}

TEST_F(CallsCommission, OfACreditedSellerIsPutRightToo) {
    give("south", std::nullopt, {}, "transfer");
    give("top", percent(1000));
    expire_after_a_minute();
    EXPECT_EQ(world_.balance("south"), "1000.24");
    world_.stop("call", 30);
    EXPECT_EQ(world_.balance("south"), "1000.12") << "0.3 less 0.03 credited, 0.15 paid";
    EXPECT_EQ(available("south"), "1000.12");
    EXPECT_EQ(world_.balance("top"), "0.03");
    world_.expect_at_rest();
}

TEST_F(CallsCommission, CountsAgainstNobodysCaps) {
    give("top", percent(1000));
    PartyChange capped;
    capped.limits.named = balance::LimitChange::kCapDay;
    capped.limits.values.cap_day = rating::parse_money("100");
    ASSERT_TRUE(world_.catalog.change(world_.parties.find("top"), capped).empty());
    (void)world_.charging.rate(
        {.line = "bob-desk", .destination = "4930", .session = "rated", .used = seconds{60}, .at = {}},
        world_.now);
    const auto* const limits = world_.party("top").limits.load();
    ASSERT_NE(limits, nullptr);
    EXPECT_EQ(limits->spending()->spent_on_day(world_.now.wall), Money{});
}

// Goal: a snapshot and the journal after it make the same state.
TEST_F(CallsCommission, IsInSnapshots) {
    give("top", percent(1000));
    expire_after_a_minute();
    State loaded{World::settings_for({})};
    loaded.tariffs.begin_restoring();
    world_.state.save([&](std::span<const std::byte> bytes) {
        EXPECT_EQ(loaded.apply(bytes, [&](std::string_view name) { return world_.log.aside(name); }), "");
    });
    const std::size_t known = world_.log.events().size();
    const auto stopped = world_.stop("call", 120);
    EXPECT_EQ(refund("r-" + std::to_string(stopped.record), "0.3", "a"), PaymentCode::ok);
    for (std::size_t i = known; i < world_.log.events().size(); ++i) {
        EXPECT_EQ(loaded.apply(world_.log.events()[i],
                               [&](std::string_view name) { return world_.log.aside(name); }),
                  "");
    }
    loaded.restored();
    EXPECT_EQ(loaded.digest(), world_.state.digest()) << World::differences(loaded, world_.state);
    EXPECT_EQ(loaded.verify(), std::vector<std::string>{});
    EXPECT_EQ(world_.balance("top"), "0.09") << "0.12, less a quarter";
}

}  // namespace
}  // namespace tollgate::daemon
