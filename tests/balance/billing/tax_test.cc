#include "balance/billing/tax.h"

#include <vector>

#include <gtest/gtest.h>

#include "tests/support/literals.h"

namespace tollgate::balance {
namespace {

using tests::money;

Tax tax(const char* percent, const char* fixed = "0") {
    return {*rating::parse_percent(percent), money(fixed)};
}

TEST(Tax, EachIsReckonedFromTheNetAmount) {
    const std::vector<Tax> taxes = {tax("10"), tax("5", "0.50")};
    EXPECT_EQ(tax_on(money("100"), taxes[0]), money("10"));
    EXPECT_EQ(tax_on(money("100"), taxes[1]), money("5.5"));
    EXPECT_EQ(taxes_on(money("100"), taxes), money("15.5"));
    EXPECT_EQ(taxes_on(money("100"), {}), Money{});
}

TEST(Tax, IsRoundedHalfUp) {
    EXPECT_EQ(tax_on(money("0.000005"), tax("10")), money("0.000001"));
    EXPECT_EQ(tax_on(money("0.000004"), tax("10")), Money{});
}

TEST(Tax, InAPriceIsSplitOff) {
    const std::vector<Tax> twenty = {tax("20")};
    EXPECT_EQ(split_inclusive(money("1.80"), twenty).net, money("1.50"));
    EXPECT_EQ(split_inclusive(money("1.80"), twenty).tax, money("0.30"));
    EXPECT_EQ(split_inclusive(money("12"), twenty).net, money("10"));
    // 100 + 10 + 5.50.
    const std::vector<Tax> two = {tax("10"), tax("5", "0.50")};
    EXPECT_EQ(split_inclusive(money("115.50"), two).net, money("100"));
    EXPECT_EQ(split_inclusive(money("115.50"), two).tax, money("15.5"));
    EXPECT_EQ(split_inclusive(money("7"), {}).net, money("7"));
}

TEST(Tax, InAPriceAddsUpToIt) {
    // 1 / 1.2 = 0.833333...
    const std::vector<Tax> twenty = {tax("20")};
    EXPECT_EQ(split_inclusive(money("1"), twenty).net, money("0.833333"));
    EXPECT_EQ(split_inclusive(money("1"), twenty).tax, money("0.166667"));
    const std::vector<Tax> fixed = {tax("20", "2")};
    EXPECT_EQ(split_inclusive(money("1"), fixed).net, Money{});
    EXPECT_EQ(split_inclusive(money("1"), fixed).tax, money("1"));
}

}  // namespace
}  // namespace tollgate::balance
