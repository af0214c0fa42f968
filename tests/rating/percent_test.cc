#include "rating/percent.h"

#include <gtest/gtest.h>

#include "tests/support/literals.h"

namespace tollgate::rating {
namespace {

using tests::micros;

TEST(Percent, IsReadWithUpToFourPlaces) {
    EXPECT_EQ(parse_percent("12.5"), Percent::from_millionths(125'000));
    EXPECT_EQ(parse_percent("0.0001"), Percent::from_millionths(1));
    EXPECT_EQ(parse_percent("100000"), kPercentMax);
    for (const char* const wrong : {"", "12.50001", "-1", "-0", "100000.0001", "12,5", "1e1", "10%"})
        EXPECT_EQ(parse_percent(wrong), std::nullopt) << wrong;
    EXPECT_EQ(format(Percent::from_millionths(125'000)).view(), "12.5");
}

TEST(Percent, ASharePaysWholeMicroUnitsRoundedTowardsZero) {
    const Percent tenth = Percent::from_millionths(100'000);
    EXPECT_EQ(share_of(micros(30'000), tenth), micros(3'000));  // 0.03 at 10 %: 0.003.
    EXPECT_EQ(share_of(micros(19), tenth), micros(1));
    EXPECT_EQ(share_of(micros(-19), tenth), micros(-1));
    EXPECT_EQ(share_of(kBalanceMax, Percent::from_millionths(Percent::kWhole)), kBalanceMax);
}

}  // namespace
}  // namespace tollgate::rating
