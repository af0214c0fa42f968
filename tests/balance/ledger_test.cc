#include "balance/ledger.h"

#include <atomic>
#include <random>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/literals.h"

namespace tollgate::balance {
namespace {

using tests::micros;

/// A provider, a reseller and a customer with a line; the customer has 1000, the reseller 700.
class LedgerTest : public ::testing::Test {
  protected:
    LedgerTest() {
        root_ = add("root", PartyKind::provider, kNoParty);
        reseller_ = add("reseller", PartyKind::reseller, root_);
        customer_ = add("customer", PartyKind::customer, reseller_);
        line_ = add("line", PartyKind::line, customer_);
        EXPECT_EQ(top_up(customer_, micros(1'000)).status, Ledger::PostStatus::posted);
        EXPECT_EQ(top_up(reseller_, micros(700)).status, Ledger::PostStatus::posted);
    }

    PartyId add(const char* id, PartyKind kind, PartyId parent) {
        PartySource source;
        source.id = id;
        source.kind = kind;
        source.parent = parent;
        source.currency = *rating::Currency::parse("EUR");
        return parties_.add(source);
    }
    Ledger::Posted post(PartyId party, Money amount, Ledger::Funds funds) {
        std::vector<Posting> postings = {
            {party, PostingPlace::balance, parties_.get(party).currency, amount},
            {ledger_.seller_of(party), PostingPlace::cash, parties_.get(party).currency, -amount}};
        const auto posted = ledger_.begin_posting(postings, funds);
        if (posted.status == Ledger::PostStatus::posted) ledger_.finish_posting(postings, posted);
        return posted;
    }
    Ledger::Posted top_up(PartyId party, Money amount) { return post(party, amount, Ledger::Funds::any); }
    Ledger::Posted debit(PartyId party, Money amount, bool force) {
        return post(party, -amount, force ? Ledger::Funds::any : Ledger::Funds::available);
    }
    const Account& account(PartyId id) const { return parties_.get(id).account; }
    std::vector<SessionLevel> levels() const {
        std::vector<SessionLevel> levels(2);
        levels[0].payer = customer_;
        levels[0].seller = reseller_;
        levels[1].payer = reseller_;
        levels[1].seller = root_;
        return levels;
    }
    /// Ends a call, as the charging function does around the event that says so.
    void close(const Path& path, std::vector<SessionLevel>& open, const std::vector<Money>& totals) {
        Ledger::Returns returns;
        ledger_.settle(open, totals, returns);
        ledger_.give_back(open, returns);
        Ledger::leave(path);
    }
    void expect_books_zero() const {
        for (const auto& sum : ledger_.trial_balance()) {
            EXPECT_EQ(static_cast<std::int64_t>(sum.sum()), 0) << sum.currency.view();
        }
    }
    void expect_nothing_held() const {
        for (const PartyId id : {root_, reseller_, customer_, line_}) {
            EXPECT_EQ(account(id).held(), Money{}) << parties_.get(id).id;
            EXPECT_EQ(account(id).open_calls(), 0U) << parties_.get(id).id;
            EXPECT_TRUE(account(id).attempts().none_pending());
        }
    }

    PartyTable parties_{3, 100};
    Ledger ledger_{parties_};
    PartyId root_, reseller_, customer_, line_;
};

TEST_F(LedgerTest, ACallIsHeldAndChargedAtEveryLevel) {
    const Path path{parties_, line_};
    ASSERT_EQ(path.parties().size(), 4U);
    auto open = levels();
    const std::vector<Money> holds = {micros(600), micros(300)};
    EXPECT_EQ(ledger_.try_open(path, open, holds).status, Ledger::HoldStatus::held);
    EXPECT_EQ(account(customer_).available(), micros(400));
    EXPECT_EQ(account(reseller_).available(), micros(400));
    EXPECT_EQ(account(root_).open_calls(), 1U);

    Ledger::Returns returns;
    ledger_.charge(open, std::vector<Money>{micros(100), micros(50)}, returns);
    EXPECT_EQ(returns.amounts[0], Money{});
    EXPECT_EQ(account(customer_).held(), micros(500)) << "a charge comes out of the hold first";
    EXPECT_EQ(account(customer_).available(), micros(400));

    close(path, open, std::vector<Money>{micros(250), micros(120)});
    EXPECT_EQ(account(customer_).balance(), micros(750));
    EXPECT_EQ(account(reseller_).balance(), micros(580));
    EXPECT_EQ(parties_.get(reseller_).book(parties_.get(reseller_).currency).revenue, 250);
    EXPECT_EQ(parties_.get(root_).book(parties_.get(root_).currency).revenue, 120);
    expect_nothing_held();
    expect_books_zero();
}

TEST_F(LedgerTest, NoLevelHoldsWhereOneCannot) {
    const Path path{parties_, line_};
    auto open = levels();
    const auto holding = ledger_.try_open(path, open, std::vector<Money>{micros(600), micros(701)});
    EXPECT_EQ(holding.status, Ledger::HoldStatus::lost_funds);
    EXPECT_EQ(holding.at, 1U);
    EXPECT_EQ(account(customer_).available(), micros(1'000));
    expect_nothing_held();
}

TEST_F(LedgerTest, ALimitOfCallsHoldsAtEveryPartyOfThePath) {
    parties_.get(reseller_).max_calls = 1;
    const Path path{parties_, line_};
    auto first = levels();
    auto second = levels();
    const std::vector<Money> holds = {micros(1), micros(1)};
    ASSERT_EQ(ledger_.try_open(path, first, holds).status, Ledger::HoldStatus::held);
    const auto refused = ledger_.try_open(path, second, holds);
    EXPECT_EQ(refused.status, Ledger::HoldStatus::too_many_calls);
    EXPECT_EQ(path.id(refused.at), reseller_);
    close(path, first, std::vector<Money>(2));
    EXPECT_EQ(ledger_.try_open(path, second, holds).status, Ledger::HoldStatus::held);
}

TEST_F(LedgerTest, ASuspendedPartyStopsCallsBelowIt) {
    parties_.get(reseller_).status_bits = Status::kFraud;
    const Path path{parties_, line_};
    auto open = levels();
    EXPECT_EQ(ledger_.try_open(path, open, std::vector<Money>{micros(1), micros(1)}).status,
              Ledger::HoldStatus::stopped);
    expect_nothing_held();
}

TEST_F(LedgerTest, AnExtensionIsHeldAtAllLevelsOrAtNone) {
    const Path path{parties_, line_};
    auto open = levels();
    ASSERT_EQ(ledger_.try_open(path, open, std::vector<Money>{micros(100), micros(100)}).status,
              Ledger::HoldStatus::held);
    Ledger::Returns returns;
    EXPECT_EQ(ledger_.try_extend(open, std::vector<Money>{micros(200), micros(701)}, returns).status,
              Ledger::HoldStatus::lost_funds);
    EXPECT_EQ(account(customer_).held(), micros(100));
    EXPECT_EQ(ledger_.try_extend(open, std::vector<Money>{micros(200), micros(50)}, returns).status,
              Ledger::HoldStatus::held);
    EXPECT_EQ(account(customer_).held(), micros(200));
    EXPECT_EQ(account(reseller_).held(), micros(100))
        << "nobody else may use it before its event is appended";
    ledger_.give_back(open, returns);
    EXPECT_EQ(account(reseller_).held(), micros(50)) << "what is not needed goes back";
    close(path, open, std::vector<Money>(2));
    expect_nothing_held();
}

TEST_F(LedgerTest, TheProvidersBalanceIsNotChecked) {
    const Path path{parties_, line_};
    std::vector<SessionLevel> open(1);
    open[0].payer = root_;
    open[0].seller = root_;
    ASSERT_EQ(ledger_.try_open(path, open, std::vector<Money>{micros(5'000)}).status,
              Ledger::HoldStatus::held);
    EXPECT_EQ(account(root_).available(), micros(-5'000));
    close(path, open, std::vector<Money>{micros(4'000)});
    EXPECT_EQ(account(root_).balance(), micros(-4'000));
    EXPECT_EQ(parties_.get(root_).book(parties_.get(root_).currency).termination, 4'000);
    expect_books_zero();
}

TEST_F(LedgerTest, DebitsStopAtWhatIsAvailableUnlessForced) {
    EXPECT_EQ(debit(customer_, micros(1'001), false).status, Ledger::PostStatus::insufficient);
    EXPECT_EQ(debit(customer_, micros(1'000), false).status, Ledger::PostStatus::posted);
    EXPECT_EQ(debit(customer_, micros(5), true).status, Ledger::PostStatus::posted);
    EXPECT_EQ(account(customer_).balance(), micros(-5));
    expect_books_zero();
}

TEST_F(LedgerTest, ABalanceHasBounds) {
    const Money most = rating::kAmountMax;
    int posted = 0;
    while (posted < 1'000 && top_up(customer_, most).status == Ledger::PostStatus::posted)
        ++posted;
    EXPECT_EQ(posted, 399) << "four trillion units, less the 1000 micros that were there";
    EXPECT_EQ(top_up(customer_, most).status, Ledger::PostStatus::out_of_bounds);
    expect_books_zero();
}

// Goal: however threads interleave, holds of all levels come and go together, no account with a limit goes
// below zero, and in the end nothing is held and the books are zero. Method: threads open, extend, charge and
// close calls of random sizes on one chain that can pay for a few of them.
TEST_F(LedgerTest, ThreadsNeverOverdrawNorLeaveAHold) {
    std::atomic<bool> overdrawn{false};
    {
        std::vector<std::jthread> callers;
        for (unsigned seed = 1; seed <= 4; ++seed) {
            callers.emplace_back([&, seed] {
                std::mt19937 random{seed};
                const Path path{parties_, line_};
                for (int call = 0; call < 3'000; ++call) {
                    auto open = levels();
                    const std::vector<Money> holds = {micros(static_cast<std::int64_t>(random() % 400)),
                                                      micros(static_cast<std::int64_t>(random() % 300))};
                    if (ledger_.try_open(path, open, holds).status != Ledger::HoldStatus::held) continue;
                    const std::vector<Money> more = {micros(static_cast<std::int64_t>(random() % 500)),
                                                     micros(static_cast<std::int64_t>(random() % 400))};
                    Ledger::Returns returns;
                    (void)ledger_.try_extend(open, more, returns);
                    ledger_.give_back(open, returns);
                    if (account(customer_).available() < Money{} ||
                        account(reseller_).available() < Money{}) {
                        overdrawn = true;
                    }
                    // A charge of at most 1 of what is held, so that money lasts for all calls.
                    close(path, open,
                          std::vector<Money>{micros(open[0].held.micros() > 399 ? 1 : 0), micros(0)});
                }
            });
        }
    }
    EXPECT_FALSE(overdrawn);
    expect_nothing_held();
    expect_books_zero();
}

}  // namespace
}  // namespace tollgate::balance
