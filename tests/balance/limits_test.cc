#include "balance/limits.h"

#include <atomic>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "balance/ledger.h"
#include "tests/support/literals.h"

namespace tollgate::balance {
namespace {

using rating::Instant;
using tests::at;
using tests::micros;

/// Two hours ahead of UTC, until `at` it was one.
std::shared_ptr<const rating::TimeZone> zone_that_changes(const char* at_text) {
    const auto second = std::chrono::floor<std::chrono::seconds>(at(at_text)).time_since_epoch().count();
    return std::make_shared<const rating::TimeZone>(3'600,
                                                    std::vector<rating::TimeZone::Change>{{second, 7'200}});
}

TEST(Spending, CountsByTheDayAndTheMonthOfItsZone) {
    Spending spending{zone_that_changes("2026-03-29T01:00:00Z")};
    const Spending::Caps caps{micros(10), micros(15)};
    const Instant evening = at("2026-03-30T21:59:59Z");  // 23:59:59 there.
    const Instant night = at("2026-03-30T22:00:00Z");    // The next day, the last of the month.
    const Instant april = at("2026-03-31T22:00:00Z");
    EXPECT_EQ(spending.left(evening, caps), micros(10));
    EXPECT_TRUE(spending.try_spend(evening, evening, micros(10), caps));
    EXPECT_FALSE(spending.try_spend(evening, evening, micros(1), caps));
    EXPECT_EQ(spending.left(night, caps), micros(5)) << "of the month";
    EXPECT_FALSE(spending.try_spend(night, evening, micros(6), caps));
    EXPECT_EQ(spending.spent_on_day(night), Money{}) << "what the month refuses the day does not count";
    EXPECT_TRUE(spending.try_spend(night, evening, micros(5), caps));
    EXPECT_TRUE(spending.try_spend(april, evening, micros(10), caps));
    EXPECT_EQ(spending.left(evening, {}), Spending::kNoCap);
    spending.spend(evening, evening, micros(-4));
    EXPECT_EQ(spending.left(evening, caps), micros(4)) << "the day has 4, the month 4";
    spending.spend(evening, evening, micros(10));
    EXPECT_EQ(spending.left(evening, caps), micros(-6)) << "whatever is left";
    // The day of the change has 23 hours: it begins at 23:00 UTC and ends at 22:00 UTC.
    EXPECT_TRUE(spending.try_spend(at("2026-03-28T23:00:00Z"), evening, micros(1), {}));
    EXPECT_TRUE(spending.try_spend(at("2026-03-29T21:59:59Z"), evening, micros(1), {}));
    EXPECT_EQ(spending.spent_on_day(at("2026-03-29T00:00:00Z")), micros(2));
}

TEST(Spending, DaysBefore1970AreDays) {
    Spending spending{nullptr};
    EXPECT_TRUE(spending.try_spend(at("1969-12-31T23:59:59Z"), at("1969-12-31T23:59:59Z"), micros(1), {}));
    EXPECT_EQ(spending.spent_on_day(at("1969-12-31T00:00:00Z")), micros(1));
    EXPECT_EQ(spending.spent_on_day(at("1970-01-01T00:00:00Z")), Money{});
    EXPECT_EQ(spending.spent_in_month(at("1969-12-01T00:00:00Z")), micros(1));
}

// Goal: no odd instant drives out the sum that counts today.
TEST(PeriodSums, ThePeriodNearerToThePresentStays) {
    PeriodSums<8> sums;
    EXPECT_TRUE(sums.try_add(1'000, micros(5), micros(5), 1'000));
    EXPECT_TRUE(sums.try_add(1'800, micros(5), micros(5), 1'000)) << "at the same place, not kept";
    EXPECT_TRUE(sums.try_add(200, micros(5), micros(5), 1'000));
    EXPECT_FALSE(sums.try_add(200, micros(6), micros(5), 1'000)) << "alone it must fit";
    EXPECT_EQ(sums.sum(1'800), Money{});
    EXPECT_FALSE(sums.try_add(1'000, micros(1), micros(5), 1'000));
    sums.add(1'800, micros(-5), 1'000);
    EXPECT_EQ(sums.sum(1'000), micros(5)) << "what was not kept takes nothing back";
    // Eight days later the place is the new day's; the old one is forgotten.
    EXPECT_TRUE(sums.try_add(1'008, micros(3), micros(5), 1'008));
    EXPECT_EQ(sums.sum(1'008), micros(3));
    EXPECT_EQ(sums.sum(1'000), Money{});
    sums.add(1'008, micros(-9), 1'008);
    EXPECT_EQ(sums.sum(1'008), Money{}) << "never below 0";
    // The last days side by side.
    for (std::int64_t day = 1'001; day <= 1'008; ++day)
        sums.add(day, micros(day), 1'008);
    for (std::int64_t day = 1'001; day <= 1'008; ++day)
        EXPECT_EQ(sums.sum(day), micros(day));
}

// Goal: a cap holds under many threads, and no room is lost.
// Method: eight threads take 1 and give some of it back again, over a day that changes its place; in the end
// exactly as much is counted as was taken and not given back, and it was never more than the cap.
TEST(SpendingThreads, ConcurrentCallsNeverExceedTheCap) {
    Spending spending{nullptr};
    const Spending::Caps caps{micros(1'000), Spending::kNoCap};
    const Instant day = at("2026-03-02T12:00:00Z");
    const Instant other = at("2026-03-10T12:00:00Z");  // Eight days later: at the same place.
    std::atomic<std::int64_t> kept{0};
    std::atomic<bool> exceeded{false};
    {
        std::vector<std::jthread> callers;
        for (int caller = 0; caller < 8; ++caller) {
            callers.emplace_back([&, caller] {
                for (int i = 0; i < 2'000; ++i) {
                    if (caller == 0) (void)spending.try_spend(other, day, micros(1), caps);
                    if (!spending.try_spend(day, day, micros(1), caps)) continue;
                    if (spending.spent_on_day(day) > micros(1'000)) exceeded = true;
                    if (i % 3 == 0) {
                        spending.spend(day, day, micros(-1));
                    } else {
                        ++kept;
                    }
                }
            });
        }
    }
    EXPECT_FALSE(exceeded);
    EXPECT_EQ(spending.spent_on_day(day), micros(kept));
    EXPECT_EQ(kept, 1'000);
}

TEST(CallRate, ASecondBeginsWithItsFirstCall) {
    using std::chrono::milliseconds;
    CallRate rate;
    const milliseconds start{5'000};
    EXPECT_EQ(rate.try_take(start, 0), CallRate::kNoTicket);
    EXPECT_NE(rate.try_take(start, 2), CallRate::kNoTicket);
    EXPECT_NE(rate.try_take(start + milliseconds{900}, 2), CallRate::kNoTicket);
    EXPECT_EQ(rate.try_take(start + milliseconds{999}, 2), CallRate::kNoTicket);
    const auto ticket = rate.try_take(start + milliseconds{1'000}, 2);
    EXPECT_NE(ticket, CallRate::kNoTicket);
    EXPECT_NE(rate.try_take(start + milliseconds{1'001}, 2), CallRate::kNoTicket);
    EXPECT_EQ(rate.try_take(start + milliseconds{1'002}, 2), CallRate::kNoTicket);
    rate.give_back(ticket);
    EXPECT_NE(rate.try_take(start + milliseconds{1'003}, 2), CallRate::kNoTicket);
    EXPECT_EQ(rate.try_take(start + milliseconds{1'004}, 2), CallRate::kNoTicket);
    EXPECT_NE(rate.try_take(start + milliseconds{2'500}, 2), CallRate::kNoTicket);
    rate.give_back(ticket);
    EXPECT_NE(rate.try_take(start + milliseconds{2'501}, 2), CallRate::kNoTicket);
    EXPECT_EQ(rate.try_take(start + milliseconds{2'502}, 2), CallRate::kNoTicket)
        << "a ticket of a second that is over gives nothing back";
}

TEST(CallRateThreads, ConcurrentCallsNeverExceedIt) {
    CallRate rate;
    std::atomic<int> taken{0};
    {
        std::vector<std::jthread> callers;
        for (int caller = 0; caller < 8; ++caller) {
            callers.emplace_back([&] {
                for (int i = 0; i < 1'000; ++i) {
                    if (rate.try_take(std::chrono::seconds{7}, 500) != CallRate::kNoTicket) ++taken;
                }
            });
        }
    }
    EXPECT_EQ(taken, 500);
}

TEST(Country, IsTwoCapitalLetters) {
    EXPECT_EQ(Country::parse("DE")->text(), "DE");
    EXPECT_EQ(Country::parse("ZZ")->number(), Country::kNumberMax);
    for (const char* text : {"", "D", "de", "DEU", "D1", "\xC3\x84"})
        EXPECT_FALSE(Country::parse(text)) << text;
    CountrySet set;
    set.insert(*Country::parse("ZZ"));
    set.insert(*Country::parse("AA"));
    EXPECT_TRUE(set.contains(*Country::parse("AA")));
    EXPECT_FALSE(set.contains(*Country::parse("DE")));
    EXPECT_FALSE(set.contains(Country{}));
    EXPECT_EQ(set.all().size(), 2U);
    CountrySets sets;
    EXPECT_EQ(sets.intern(set), sets.intern(set)) << "kept once";
}

/// A provider and a customer with a line; both the customer and the line count what a day costs.
class SpendTest : public ::testing::Test {
  protected:
    SpendTest() {
        PartySource source;
        source.currency = *rating::Currency::parse("EUR");
        source.id = "root";
        source.kind = PartyKind::provider;
        root_ = parties_.add(source);
        source.id = "customer";
        source.kind = PartyKind::customer;
        source.parent = root_;
        auto limits = std::make_shared<LimitSettings>();
        limits->cap_day = micros(100);
        source.limits = limits;
        customer_ = parties_.add(source);
        source.id = "line";
        source.kind = PartyKind::line;
        source.parent = customer_;
        line_ = parties_.add(source);
        parties_.get(customer_).account.restore(micros(1'000'000), micros(1'000'000), 0);
    }
    [[nodiscard]] std::vector<SessionLevel> levels() const {
        std::vector<SessionLevel> levels(1);
        levels[0].payer = customer_;
        levels[0].seller = root_;
        return levels;
    }
    // As the charging function does around the event that tells of it.
    Ledger::Holding try_extend(std::vector<SessionLevel>& call, std::span<const Money> amounts,
                               const Spend& spend) {
        Ledger::Returns returns;
        const auto holding = ledger_.try_extend(call, amounts, returns, spend);
        ledger_.give_back(call, returns, spend);
        return holding;
    }
    void charge(std::vector<SessionLevel>& call, std::span<const Money> totals, const Spend& spend) {
        Ledger::Returns returns;
        ledger_.charge(call, totals, returns, spend);
        ledger_.give_back(call, returns, spend);
    }
    void close(const Path& path, std::vector<SessionLevel>& call, std::span<const Money> totals,
               const Spend& spend) {
        Ledger::Returns returns;
        ledger_.settle(call, totals, returns, spend);
        ledger_.give_back(call, returns, spend);
        Ledger::leave(path);
    }
    [[nodiscard]] Money spent(PartyId id) const {
        return parties_.get(id).limits.load()->spending()->spent_on_day(day_);
    }
    static std::span<const Money> one(const Money& amount) { return {&amount, 1}; }

    PartyTable parties_{3, 100};
    Ledger ledger_{parties_};
    PartyId root_ = kNoParty;
    PartyId customer_ = kNoParty;
    PartyId line_ = kNoParty;
    Instant day_ = at("2026-03-02T12:00:00Z");
};

using SpendThreads = SpendTest;

TEST_F(SpendTest, IsHeldAndChargedTogether) {
    const Path path{parties_, line_};
    auto call = levels();
    std::uint32_t counted = 0;
    const Spend spend{&path, day_, day_, &counted};
    ASSERT_EQ(ledger_.try_open(path, call, one(micros(60)), spend).status, Ledger::HoldStatus::held);
    EXPECT_EQ(spent(customer_), micros(60));
    EXPECT_EQ(spent(line_), micros(60));
    auto other = levels();
    std::uint32_t other_counted = 0;
    const Spend other_spend{&path, day_, day_, &other_counted};
    const auto refused = ledger_.try_open(path, other, one(micros(41)), other_spend);
    EXPECT_EQ(refused.status, Ledger::HoldStatus::lost_cap);
    EXPECT_EQ(refused.at, 0U) << "the line";
    EXPECT_EQ(parties_.get(customer_).account.open_calls(), 1U);
    EXPECT_EQ(spent(customer_), micros(60));

    charge(call, one(micros(30)), spend);
    EXPECT_EQ(spent(customer_), micros(60)) << "out of the hold";
    EXPECT_EQ(try_extend(call, one(micros(71)), spend).status, Ledger::HoldStatus::lost_cap);
    ASSERT_EQ(try_extend(call, one(micros(70)), spend).status, Ledger::HoldStatus::held);
    EXPECT_EQ(spent(line_), micros(100));
    charge(call, one(micros(110)), spend);
    EXPECT_EQ(spent(line_), micros(110)) << "an overrun counts";
    close(path, call, one(micros(45)), spend);
    EXPECT_EQ(spent(line_), micros(45));
    EXPECT_EQ(spent(customer_), micros(45));
    EXPECT_EQ(parties_.get(customer_).account.held(), Money{});
}

TEST_F(SpendTest, IsTakenBackWithTheHolds) {
    const Path path{parties_, line_};
    auto call = levels();
    std::uint32_t counted = 0;
    const Spend spend{&path, day_, day_, &counted};
    parties_.get(customer_).account.hold_unchecked(micros(999'950));
    EXPECT_EQ(ledger_.try_open(path, call, one(micros(60)), spend).status, Ledger::HoldStatus::lost_funds);
    EXPECT_EQ(spent(customer_), Money{});
    EXPECT_EQ(spent(line_), Money{});
    ASSERT_EQ(ledger_.try_open(path, call, one(micros(40)), spend).status, Ledger::HoldStatus::held);
    EXPECT_EQ(try_extend(call, one(micros(60)), spend).status, Ledger::HoldStatus::lost_funds);
    EXPECT_EQ(spent(customer_), micros(40));
    close(path, call, one(micros(0)), spend);
    EXPECT_EQ(spent(customer_), Money{});
}

// A call that began before there was a cap counts from its next EXTEND on, and then as a whole.
TEST_F(SpendTest, BeginsWithTheCap) {
    const Path path{parties_, line_};
    auto call = levels();
    std::uint32_t counted = 0;
    const Spend spend{&path, day_, day_, &counted};
    ASSERT_EQ(ledger_.try_open(path, call, one(micros(60))).status, Ledger::HoldStatus::held);
    charge(call, one(micros(60)), spend);
    EXPECT_EQ(spent(customer_), Money{});
    EXPECT_EQ(try_extend(call, one(micros(41)), spend).status, Ledger::HoldStatus::lost_cap);
    ASSERT_EQ(try_extend(call, one(micros(40)), spend).status, Ledger::HoldStatus::held);
    EXPECT_EQ(spent(customer_), micros(100));
    close(path, call, one(micros(70)), spend);
    EXPECT_EQ(spent(customer_), micros(70));
}

// Goal: open calls of many threads never hold more than the cap of a day, and none is left behind.
TEST_F(SpendThreads, ConcurrentGrantsNeverExceedTheCap) {
    std::atomic<bool> exceeded{false};
    std::atomic<int> opened{0};
    {
        std::vector<std::jthread> callers;
        for (int caller = 0; caller < 8; ++caller) {
            callers.emplace_back([&] {
                const Path path{parties_, line_};
                for (int i = 0; i < 1'000; ++i) {
                    auto call = levels();
                    std::uint32_t counted = 0;
                    const Spend spend{&path, day_, day_, &counted};
                    if (ledger_.try_open(path, call, one(micros(30)), spend).status !=
                        Ledger::HoldStatus::held) {
                        continue;
                    }
                    ++opened;
                    if (parties_.get(customer_).account.held() > micros(100)) exceeded = true;
                    close(path, call, one(micros(0)), spend);
                }
            });
        }
    }
    EXPECT_FALSE(exceeded);
    EXPECT_GT(opened, 0);
    EXPECT_EQ(spent(customer_), Money{});
    EXPECT_EQ(spent(line_), Money{});
}

}  // namespace
}  // namespace tollgate::balance
