#include "daemon/partners/shop.h"

#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "daemon/state.h"
#include "tests/support/memory_log.h"

namespace tollgate::daemon {
namespace {

using balance::JointEvent;
using balance::PartyKind;
using std::chrono::seconds;

/// A provider with a reseller who has a customer in New York, on 15 January 2026 at noon there.
class ShopTest : public ::testing::Test {
  protected:
    ShopTest() {
        state_.events.connect(log_);
        add("root", "", PartyKind::provider);
        add("reseller", "root", PartyKind::reseller);
        add("ann", "reseller", PartyKind::customer, "America/New_York");
    }
    /// Whatever a test did, its events tell, and they keep the invariants.
    ~ShopTest() override {
        State replayed{settings()};
        replayed.tariffs.begin_restoring();
        for (const auto& event : log_.events())
            EXPECT_EQ(replayed.apply(event, [this](std::string_view name) { return log_.aside(name); }), "");
        replayed.restored();
        EXPECT_EQ(replayed.digest(), state_.digest());
        EXPECT_EQ(state_.verify(), std::vector<std::string>{});
        // What is due is due again.
        EXPECT_EQ(replayed.shop.subscriptions_of("ann").size(), state_.shop.subscriptions_of("ann").size());
    }

    static StateSettings settings() { return {.parties_max = 1'000, .hash_key = 3}; }

    void add(const std::string& id, const std::string& parent, PartyKind kind, const char* zone = "UTC") {
        PartyDraft draft;
        draft.id = id;
        draft.parent = parent;
        draft.kind = kind;
        draft.time_zone = zone;
        if (parent.empty()) draft.currency = rating::Currency::parse("EUR");
        EXPECT_TRUE(state_.catalog.add({&draft, 1}).empty()) << id;
    }
    [[nodiscard]] balance::Party& party(std::string_view id) {
        return state_.parties.get(state_.parties.find(id));
    }
    [[nodiscard]] std::string balance(std::string_view id) {
        return std::string{rating::format(party(id).account.balance()).view()};
    }
    void at(const char* instant) {
        const auto wall = *rating::parse_instant(instant);
        now_.steady += wall - now_.wall;
        now_.wall = wall;
    }
    void top_up(std::string_view id, const char* amount) {
        const std::string request = "top-up-" + std::to_string(++requests_);
        const auto answer =
            state_.payments.top_up(id, *rating::parse_money(amount), {request, {}, now_, {}, {}});
        EXPECT_EQ(answer.code, PaymentCode::ok);
    }
    /// Runs one operation as a request would have it run.
    template <typename Run>
    Shop::Answer run(const Run& operation) {
        const std::string request = "request-" + std::to_string(++requests_);
        const std::scoped_lock lock{state_.registry.mutex};
        const JointEvent joint;
        return operation(PaymentRequest{request, {}, now_, {}, {}});
    }
    Shop::Answer add_plan(std::int64_t users, const char* cost, const char* renewal) {
        ServicePlan plan;
        plan.name = "plan";
        plan.users = users;
        plan.cost_per_user = *rating::parse_money(cost);
        plan.change_policy = "prorate";
        plan.renewal = renewal;
        return run([&](const PaymentRequest& request) {
            return state_.shop.add_plan(state_.parties.find("ann"), plan, request);
        });
    }
    [[nodiscard]] ServicePlan plan() const { return state_.shop.plans_of("ann").at(0); }
    Shop::Answer change_users(std::int64_t users) {
        ServicePlan wanted = plan();
        wanted.users = users;
        return run([&](const PaymentRequest& request) {
            return state_.shop.change_plan(plan(), wanted, std::to_string(users), request);
        });
    }
    void put(const auto& record, auto& book) {
        const std::scoped_lock lock{state_.registry.mutex};
        JointEvent joint;
        book.put(joint, record, now_);
        joint.write(state_.events, now_);
    }
    /// A package that the reseller sells at `price`, which costs him `cost`, with ten minutes to the UK.
    void offer(const char* cost, const char* price) {
        Package package;
        package.id = "basic";
        package.owner = "root";
        package.currency = "EUR";
        package.price = *rating::parse_money(cost);
        package.period = "month";
        package.bundle_seconds = 600;
        package.bundle_countries = {"GB"};
        put(package, state_.registry.packages);
        Offer sold;
        sold.id = "reseller/basic";
        sold.reseller = "reseller";
        sold.package = "basic";
        sold.price = rating::parse_money(price);
        put(sold, state_.registry.offers);
    }
    Shop::Answer activate(const char* renewal) {
        return run([&](const PaymentRequest& request) {
            return state_.shop.activate(state_.parties.find("ann"), {"basic", renewal, true}, request);
        });
    }
    [[nodiscard]] Subscription subscription() const { return state_.shop.subscriptions_of("ann").at(0); }
    [[nodiscard]] std::size_t bundles() {
        std::size_t count = 0;
        for (const auto& bundle : balance::BundlesOf{party("ann")})
            count += bundle.pays_at(now_.wall) ? std::size_t{1} : std::size_t{0};
        return count;
    }

    tests::MemoryLog log_;
    State state_{settings()};
    Moment now_{*rating::parse_instant("2026-01-15T17:00:00Z"), std::chrono::hours{1}};
    int requests_ = 0;
};

// Goal: a month is charged at its beginning, once, at midnight of the customer's zone: 05:00Z in winter,
// 04:00Z after 8 March.
TEST_F(ShopTest, RenewsOnceAMonthInTheCustomersZone) {
    top_up("ann", "100");
    EXPECT_EQ(add_plan(2, "10", "suspend").payment.code, PaymentCode::ok);
    EXPECT_EQ(balance("ann"), "80");
    EXPECT_EQ(std::string{rating::format(plan().paid_until).view()}, "2026-02-15T05:00:00Z");
    at("2026-02-15T04:59:59Z");
    EXPECT_EQ(state_.shop.renew_due(now_), 0U);
    at("2026-02-15T05:00:00Z");
    EXPECT_EQ(state_.shop.renew_due(now_), 1U);
    EXPECT_EQ(state_.shop.renew_due(now_), 0U);
    EXPECT_EQ(balance("ann"), "60");
    EXPECT_EQ(std::string{rating::format(plan().paid_until).view()}, "2026-03-15T04:00:00Z");
    at("2026-03-15T04:00:00Z");
    state_.shop.renew_due(now_);
    EXPECT_EQ(balance("ann"), "40");
    // However long nobody looked, the month that is now is charged.
    at("2026-06-20T12:00:00Z");
    EXPECT_EQ(state_.shop.renew_due(now_), 1U);
    EXPECT_EQ(state_.shop.renew_due(now_), 0U);
    EXPECT_EQ(balance("ann"), "20");
    EXPECT_EQ(std::string{rating::format(plan().paid_until).view()}, "2026-07-15T04:00:00Z");
}

// Goal: 31 days of a month of 31 units, 16 of them left, that of the change included: one user more pays 16.
TEST_F(ShopTest, ChargesMoreUsersForTheRestOfTheMonth) {
    top_up("ann", "100");
    EXPECT_EQ(add_plan(1, "31", "suspend").payment.code, PaymentCode::ok);
    at("2026-01-30T17:00:00Z");
    EXPECT_EQ(change_users(2).payment.code, PaymentCode::ok);
    EXPECT_EQ(balance("ann"), "53");
    EXPECT_EQ(change_users(1).payment.code, PaymentCode::ok);
    EXPECT_EQ(change_users(2).payment.code, PaymentCode::ok);
    EXPECT_EQ(balance("ann"), "53");
    EXPECT_EQ(change_users(1).payment.code, PaymentCode::ok);
    at("2026-02-15T05:00:00Z");
    state_.shop.renew_due(now_);
    EXPECT_EQ(balance("ann"), "22");
    EXPECT_EQ(change_users(0).payment.code, PaymentCode::faulty);
}

// Goal: who cannot pay is suspended by `limit`; a payment lifts it, and the month begins when it is paid.
TEST_F(ShopTest, SuspendsWithoutFunds) {
    top_up("ann", "15");
    EXPECT_EQ(add_plan(1, "10", "suspend").payment.code, PaymentCode::ok);
    at("2026-02-15T05:00:00Z");
    state_.shop.renew_due(now_);
    EXPECT_EQ(balance("ann"), "5");
    EXPECT_EQ(plan().state, "suspended");
    EXPECT_EQ(party("ann").status().text().view(), "limit");
    top_up("ann", "1");
    EXPECT_TRUE(party("ann").status().active());
    at("2026-02-15T05:01:00Z");
    state_.shop.renew_due(now_);
    EXPECT_EQ(party("ann").status().text().view(), "limit");  // 6 are not 10.
    at("2026-02-20T12:00:00Z");
    top_up("ann", "4");
    state_.shop.renew_due(now_);
    EXPECT_EQ(balance("ann"), "0");
    EXPECT_EQ(plan().state, "active");
    EXPECT_TRUE(party("ann").status().active());
    EXPECT_EQ(std::string{rating::format(plan().paid_until).view()}, "2026-03-20T04:00:00Z");
}

TEST_F(ShopTest, ChargesWhoMayOwe) {
    top_up("ann", "15");
    EXPECT_EQ(add_plan(1, "10", "owe").payment.code, PaymentCode::ok);
    at("2026-02-15T05:00:00Z");
    state_.shop.renew_due(now_);
    EXPECT_EQ(balance("ann"), "-5");
    EXPECT_EQ(plan().state, "active");
    EXPECT_TRUE(party("ann").status().active());
}

TEST_F(ShopTest, DropsWithoutFunds) {
    top_up("ann", "15");
    EXPECT_EQ(add_plan(1, "10", "drop").payment.code, PaymentCode::ok);
    at("2026-02-15T05:00:00Z");
    state_.shop.renew_due(now_);
    EXPECT_EQ(balance("ann"), "5");
    EXPECT_EQ(plan().state, "cancelled");
    EXPECT_TRUE(party("ann").status().active());
    at("2026-03-15T05:00:00Z");
    EXPECT_EQ(state_.shop.renew_due(now_), 0U);
}

// Goal: a package's month is charged at every level, and brings its free seconds; where the reseller cannot
// pay, it waits until he can.
TEST_F(ShopTest, RenewsPackagesAtEveryLevel) {
    offer("6", "8");
    top_up("ann", "100");
    top_up("reseller", "15");
    EXPECT_EQ(activate("suspend").payment.code, PaymentCode::ok);
    EXPECT_EQ(balance("ann"), "92");
    EXPECT_EQ(balance("reseller"), "9");
    EXPECT_EQ(bundles(), 1U);
    at("2026-02-15T05:00:00Z");
    EXPECT_EQ(bundles(), 0U);
    state_.shop.renew_due(now_);
    EXPECT_EQ(balance("ann"), "84");
    EXPECT_EQ(balance("reseller"), "3");
    EXPECT_EQ(bundles(), 1U);
    EXPECT_EQ(subscription().periods, 2);
    at("2026-03-15T04:00:00Z");
    state_.shop.renew_due(now_);
    EXPECT_EQ(balance("ann"), "84");
    EXPECT_EQ(subscription().state, "suspended");
    EXPECT_EQ(bundles(), 0U);
    EXPECT_TRUE(party("ann").status().active());  // He has paid all that he was asked for.
    top_up("reseller", "3");
    at("2026-03-16T12:00:00Z");
    state_.shop.renew_due(now_);
    EXPECT_EQ(balance("reseller"), "0");
    EXPECT_EQ(balance("ann"), "76");
    EXPECT_EQ(subscription().state, "active");
}

TEST_F(ShopTest, TakesBackNumbersThatAreDropped) {
    PoolNumber number;
    number.id = "4930111";
    number.owner = "reseller";
    number.price = *rating::parse_money("5");
    number.period = "month";
    put(number, state_.registry.numbers);
    top_up("ann", "7");
    const auto assigned = run([&](const PaymentRequest& request) {
        return state_.shop.assign("4930111", {"ann", {}, "drop"}, request);
    });
    EXPECT_EQ(assigned.payment.code, PaymentCode::ok);
    EXPECT_EQ(balance("ann"), "2");
    EXPECT_FALSE(state_.shop.is_spare(*state_.registry.numbers.find("4930111")));
    at("2026-02-15T05:00:00Z");
    state_.shop.renew_due(now_);
    EXPECT_EQ(balance("ann"), "2");
    EXPECT_TRUE(state_.shop.is_spare(*state_.registry.numbers.find("4930111")));
}

// Goal: a plan says how many lines there may be.
TEST_F(ShopTest, LimitsLinesToUsers) {
    top_up("ann", "100");
    add("ann-1", "ann", PartyKind::line);
    EXPECT_EQ(add_plan(1, "10", "suspend").payment.code, PaymentCode::ok);
    PartyDraft draft;
    draft.id = "ann-2";
    draft.parent = "ann";
    draft.kind = PartyKind::line;
    const auto faults = state_.catalog.add({&draft, 1});
    ASSERT_EQ(faults.size(), 1U);
    EXPECT_EQ(faults[0].field, "parent");
    EXPECT_EQ(change_users(2).payment.code, PaymentCode::ok);
    EXPECT_TRUE(state_.catalog.add({&draft, 1}).empty());
    EXPECT_EQ(change_users(1).payment.code, PaymentCode::faulty);
}

}  // namespace
}  // namespace tollgate::daemon
