#include "bench/load/books.h"

#include <gtest/gtest.h>

#include "tests/support/literals.h"

namespace tollgate::bench::load {
namespace {

using rating::Money;
using tests::micros;

Traffic traffic_of(std::vector<std::string> customers) {
    Traffic traffic;
    traffic.lines.resize(customers.size());
    traffic.customers = std::move(customers);
    return traffic;
}

// Method: carol and dave paid 30 and 12 at their level, and their reseller 20 for both: revenue grew by 62.
TEST(Books, AgreeWhereEverybodyPaidWhatHeWasTold) {
    const Traffic traffic = traffic_of({"carol", "dave", "carol"});
    Books before;
    before.customers = {{"carol", {micros(100), micros(5)}}, {"dave", {micros(50), {}}}};
    before.currencies = {{"EUR", {micros(5), micros(7), {}}}};
    Books after;
    after.customers = {{"carol", {micros(70), micros(5)}}, {"dave", {micros(38), {}}}};
    after.currencies = {{"EUR", {micros(5), micros(69), {}}}};
    const Comparison same = compare(before, after, traffic, std::vector{micros(10), micros(12), micros(20)});
    EXPECT_EQ(same.wrong, 0);
    EXPECT_EQ(same.by, "balances of 2 customers and INFO books");

    const Comparison other = compare(before, after, traffic, std::vector{micros(10), micros(13), micros(20)});
    ASSERT_EQ(other.wrong, 1);
    EXPECT_EQ(other.faults[0], "dave: his balance fell by 0.000012, his calls were said to cost 0.000013");
}

TEST(Books, DifferWhereSomethingStaysHeld) {
    const Traffic traffic = traffic_of({"carol"});
    Books before;
    before.customers = {{"carol", {micros(100), {}}}};
    Books after;
    after.customers = {{"carol", {micros(100), micros(1)}}};
    const Comparison comparison = compare(before, after, traffic, std::vector{Money{}});
    ASSERT_EQ(comparison.wrong, 1);
    EXPECT_EQ(comparison.faults[0], "carol: holds 0.000001, and held before the calls 0");
}

TEST(Books, DifferWhereTheyDoNotAddUpOrRevenueIsMissing) {
    const Traffic traffic = traffic_of({});
    Books after;
    after.currencies = {{"EUR", {{}, micros(9), micros(1)}}};
    const Comparison comparison = compare({}, after, traffic, std::vector{micros(10)});
    ASSERT_EQ(comparison.wrong, 2);
    EXPECT_EQ(comparison.faults[0], "EUR: the books add up to 0.000001, expected 0");
    EXPECT_EQ(comparison.faults[1],
              "all levels: revenue grew by 0.000009, customers were said to pay 0.00001");
}

TEST(Books, SayThatNothingWasCompared) {
    EXPECT_TRUE(compare({}, {}, traffic_of({}), std::vector{micros(1)}).by.starts_with("nothing: "));
}

}  // namespace
}  // namespace tollgate::bench::load
