#include "balance/account.h"

#include <atomic>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/literals.h"

namespace tollgate::balance {
namespace {

using tests::micros;

TEST(Account, AHoldLowersWhatIsAvailableNotTheBalance) {
    Account account{micros(100)};
    EXPECT_EQ(account.move_balance(micros(50)), micros(50));
    account.give_back(micros(50));
    EXPECT_TRUE(account.try_hold(micros(120)));
    EXPECT_EQ(account.available(), micros(30));
    EXPECT_EQ(account.held(), micros(120));
    EXPECT_EQ(account.balance(), micros(50));
    EXPECT_FALSE(account.try_hold(micros(31)));
    EXPECT_EQ(account.available(), micros(30)) << "a hold that fails takes nothing";
    account.move_balance(-micros(70));
    account.give_back(micros(50));
    EXPECT_EQ(account.balance(), micros(-20));
    EXPECT_EQ(account.held(), micros(0));
    EXPECT_EQ(account.available(), micros(80));
}

TEST(Account, ACreditLimitMovesWhatIsAvailable) {
    Account account{micros(0)};
    account.set_credit_limit(micros(10));
    EXPECT_TRUE(account.try_hold(micros(10)));
    account.set_credit_limit(micros(4));
    EXPECT_EQ(account.available(), micros(-6));
    EXPECT_EQ(account.balance(), micros(0));
    EXPECT_FALSE(account.try_hold(micros(1)));
}

TEST(Account, MoneyFromOutsideMovesInTwoHalves) {
    Account account{micros(10)};
    EXPECT_EQ(account.move_balance(micros(5)), micros(5));
    EXPECT_EQ(account.available(), micros(10)) << "not yet there for anybody";
    account.give_back(micros(5));
    EXPECT_EQ(account.available(), micros(15));
    EXPECT_EQ(account.held(), micros(0));
}

TEST(Account, CreditIsNotItsOwnMoney) {
    Account account{micros(10)};
    account.move_balance(micros(5));
    account.give_back(micros(5));
    EXPECT_TRUE(account.try_hold(micros(2)));
    EXPECT_FALSE(account.try_hold_own(micros(4))) << "5 less the 2 that are held";
    EXPECT_TRUE(account.try_hold_own(micros(3)));
    EXPECT_FALSE(account.try_hold_own(micros(1)));
    EXPECT_TRUE(account.try_hold(micros(10)));
    account.set_credit_limit(micros(4));
    EXPECT_EQ(account.available(), micros(-6));
    EXPECT_FALSE(account.try_hold_own(micros(0))) << "balance less holds is below zero";
    account.set_credit_limit(micros(100));
    EXPECT_EQ(account.available(), micros(90));
    EXPECT_FALSE(account.try_hold_own(micros(1)));
}

TEST(Account, CallsAreCountedUpToTheLimit) {
    Account account{micros(0)};
    EXPECT_TRUE(account.try_begin_call(2));
    EXPECT_FALSE(account.attempts().none_pending());
    account.confirm();
    EXPECT_TRUE(account.attempts().none_pending());
    EXPECT_TRUE(account.try_begin_call(2));
    EXPECT_FALSE(account.try_begin_call(2));
    const auto before = account.attempts();
    account.roll_back_call();
    EXPECT_FALSE(account.attempts().same_roll_backs(before)) << "a roll-back leaves a trace";
    EXPECT_EQ(account.open_calls(), 1U);
    account.close_call();
    EXPECT_EQ(account.open_calls(), 0U);
}

TEST(Account, RollBacksAreCountedRoundTheirRange) {
    Account account{micros(0)};
    ASSERT_TRUE(account.try_begin_call(1'000));
    account.confirm();
    for (int i = 0; i < (1 << 24) + 5; ++i) {
        account.begin_extension();
        account.roll_back_extension();
    }
    EXPECT_EQ(account.open_calls(), 1U);
    EXPECT_TRUE(account.attempts().none_pending());
}

// Goal: two calls racing for the last euro never both win.
// Method: eight threads each try to take 1 from an account that holds 1000; however they interleave, exactly
// 1000 attempts succeed and the account ends empty, not below.
TEST(AccountThreads, ConcurrentHoldsNeverOverdraw) {
    Account account{micros(1'000)};
    std::atomic<int> granted{0};
    {
        std::vector<std::jthread> callers;
        callers.reserve(8);
        for (int caller = 0; caller < 8; ++caller) {
            callers.emplace_back([&] {
                for (int attempt = 0; attempt < 500; ++attempt) {
                    if (account.try_hold(micros(1))) ++granted;
                }
            });
        }
    }
    EXPECT_EQ(granted, 1'000);
    EXPECT_EQ(account.available(), Money{});
    EXPECT_EQ(account.held(), micros(1'000));
}

// Goal: a balance that nobody moves reads the same, however fast holds come and go.
TEST(AccountThreads, HoldsDoNotStirTheBalance) {
    Account account{micros(1'000)};
    account.move_balance(micros(-300));
    account.hold_unchecked(micros(300));
    std::atomic<bool> done{false};
    const std::jthread caller{[&] {
        while (!done) {
            if (account.try_hold(micros(500))) account.give_back(micros(500));
        }
    }};
    int wrong = 0;
    for (int i = 0; i < 200'000; ++i)
        wrong += account.balance() != micros(-300) ? 1 : 0;
    done = true;
    EXPECT_EQ(wrong, 0);
}

// Goal: calls that begin at the same instant never exceed the limit.
// Method: eight threads begin calls, some of which they roll back, until nobody gets one any more.
TEST(AccountThreads, ConcurrentCallsNeverExceedTheLimit) {
    constexpr std::uint32_t kLimit = 10'000;
    Account account{micros(0)};
    std::atomic<std::uint32_t> opened{0};
    {
        std::vector<std::jthread> callers;
        callers.reserve(8);
        for (int caller = 0; caller < 8; ++caller) {
            callers.emplace_back([&] {
                for (int attempt = 0; attempt < 5'000; ++attempt) {
                    if (!account.try_begin_call(kLimit)) continue;
                    if (attempt % 3 == 0) {
                        account.roll_back_call();
                    } else {
                        account.confirm();
                        ++opened;
                    }
                }
            });
        }
    }
    EXPECT_EQ(opened, kLimit);
    EXPECT_EQ(account.open_calls(), kLimit);
    EXPECT_TRUE(account.attempts().none_pending());
}

}  // namespace
}  // namespace tollgate::balance
