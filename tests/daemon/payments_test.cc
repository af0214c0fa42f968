#include "daemon/payments.h"

#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "tests/daemon/world.h"

namespace tollgate::daemon {
namespace {

Money money(const char* text) {
    return *rating::parse_money(text);
}

TEST(Payments, ARequestIsCarriedOutOnce) {
    World world;
    const auto first = world.payments.top_up("alice", money("5"), "req", "cash", world.now.steady);
    EXPECT_EQ(first.balance, money("5"));
    const auto again = world.payments.top_up("alice", money("5"), "req", "cash", world.now.steady);
    EXPECT_TRUE(again.duplicate);
    EXPECT_EQ(again.transaction, first.transaction);
    EXPECT_EQ(world.balance("alice"), "5");
    EXPECT_EQ(world.payments.top_up("alice", money("6"), "req", "cash", world.now.steady).code,
              PaymentCode::conflict);
    EXPECT_EQ(world.payments.top_up("south", money("5"), "req", "cash", world.now.steady).code,
              PaymentCode::conflict);
    EXPECT_EQ(world.payments.debit("alice", money("5"), "req", "cash", false, world.now.steady).code,
              PaymentCode::conflict);
    world.expect_at_rest();
}

TEST(Payments, MoneyGoesOnlyWhereThereIsAnAccount) {
    World world;
    const auto code = [&](const char* party) {
        return world.payments.top_up(party, money("1"), party, {}, world.now.steady).code;
    };
    EXPECT_EQ(code("nobody"), PaymentCode::unknown_account);
    EXPECT_EQ(code("alice-desk"), PaymentCode::unknown_account);
    EXPECT_EQ(code("north"), PaymentCode::ok);
    ASSERT_TRUE(world.catalog.close(world.parties.find("alice")));
    EXPECT_EQ(code("alice"), PaymentCode::unknown_account);
}

TEST(Payments, ADebitBeyondWhatIsAvailableNeedsForce) {
    World world;
    world.top_up("alice", "1");
    EXPECT_EQ(world.payments.debit("alice", money("1.000001"), "a", {}, false, world.now.steady).code,
              PaymentCode::credit_limit);
    EXPECT_EQ(world.payments.debit("alice", money("1.000001"), "b", {}, true, world.now.steady).balance,
              money("-0.000001"));
    world.expect_at_rest();
}

TEST(Payments, RequestsAreForgottenAfterTheirTime) {
    World world;
    EXPECT_EQ(world.payments.top_up("alice", money("1"), "req", {}, world.now.steady).code, PaymentCode::ok);
    world.pass(std::chrono::hours{841});
    EXPECT_FALSE(world.payments.top_up("alice", money("1"), "req", {}, world.now.steady).duplicate);
    EXPECT_EQ(world.balance("alice"), "2");
}

// Goal: one request sent by many at once has one effect and one answer.
TEST(PaymentsThreads, TheSameRequestFromManyHasOneEffect) {
    World world;
    std::atomic<int> originals{0};
    {
        std::vector<std::jthread> senders;
        for (int i = 0; i < 8; ++i) {
            senders.emplace_back([&] {
                for (int n = 0; n < 200; ++n) {
                    const auto answer = world.payments.top_up("alice", money("1"), "r" + std::to_string(n),
                                                              {}, world.now.steady);
                    if (!answer.duplicate) ++originals;
                }
            });
        }
    }
    EXPECT_EQ(originals, 200);
    EXPECT_EQ(world.balance("alice"), "200");
    world.expect_at_rest();
}

}  // namespace
}  // namespace tollgate::daemon
