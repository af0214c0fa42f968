#include "balance/scaled.h"

#include <gtest/gtest.h>

#include "tests/support/literals.h"

namespace tollgate::balance {
namespace {

using tests::micros;

TEST(Scaled, RoundsOnceAsItIsTold) {
    // 7/2 = 3.5, 5/2 = 2.5, 10/3 = 3.33.
    EXPECT_EQ(scaled(micros(7), 1, 2, Rounding::down), micros(3));
    EXPECT_EQ(scaled(micros(7), 1, 2, Rounding::up), micros(4));
    EXPECT_EQ(scaled(micros(7), 1, 2, Rounding::half_up), micros(4));
    EXPECT_EQ(scaled(micros(7), 1, 2, Rounding::half_even), micros(4));
    EXPECT_EQ(scaled(micros(5), 1, 2, Rounding::half_up), micros(3));
    EXPECT_EQ(scaled(micros(5), 1, 2, Rounding::half_even), micros(2));
    EXPECT_EQ(scaled(micros(10), 1, 3, Rounding::half_up), micros(3));
    EXPECT_EQ(scaled(micros(10), 1, 3, Rounding::up), micros(4));
    EXPECT_EQ(scaled(micros(6), 1, 3, Rounding::up), micros(2)) << "exact is exact";
}

TEST(Scaled, GoesByMagnitude) {
    EXPECT_EQ(scaled(micros(-7), 1, 2, Rounding::down), micros(-3));
    EXPECT_EQ(scaled(micros(-7), 1, 2, Rounding::up), micros(-4));
    EXPECT_EQ(scaled(micros(-5), 1, 2, Rounding::half_even), micros(-2));
}

TEST(Scaled, IsWideInTheMiddle) {
    EXPECT_EQ(scaled(rating::kAmountMax, 1'000'000'000'000, 1'000'000'000'000, Rounding::down),
              rating::kAmountMax);
}

TEST(Scaled, SaysWhatIsTooLarge) {
    EXPECT_EQ(checked_scaled(rating::kBalanceMax, 1, 1, Rounding::down), rating::kBalanceMax);
    EXPECT_EQ(checked_scaled(rating::kBalanceMax, 2, 1, Rounding::down), std::nullopt);
    EXPECT_EQ(checked_scaled(-rating::kBalanceMax, 2, 1, Rounding::down), std::nullopt);
}

}  // namespace
}  // namespace tollgate::balance
