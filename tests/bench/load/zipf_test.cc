#include "bench/load/zipf.h"

#include <gtest/gtest.h>

namespace tollgate::bench::load {
namespace {

std::vector<int> draws(std::size_t count, double exponent, int how_many) {
    const Zipf zipf{count, exponent};
    Random random{20260302};
    std::vector<int> drawn(count);
    for (int i = 0; i < how_many; ++i)
        ++drawn[zipf.draw(random)];
    return drawn;
}

// Method: the weights of 1, 1/2, 1/3, 1/4 are 12, 6, 4, 3 of 25. Of 250,000 draws the binomial spread is at
// most 250, four of which nobody sees.
TEST(Zipf, DrawsInProportion) {
    const auto drawn = draws(4, 1, 250'000);
    EXPECT_NEAR(drawn[0], 120'000, 1'000);
    EXPECT_NEAR(drawn[1], 60'000, 1'000);
    EXPECT_NEAR(drawn[2], 40'000, 1'000);
    EXPECT_NEAR(drawn[3], 30'000, 1'000);
}

TEST(Zipf, AnExponentOfZeroIsAllAlike) {
    for (const int times : draws(10, 0, 100'000))
        EXPECT_NEAR(times, 10'000, 500);
}

TEST(Zipf, OneOfOneIsThatOne) {
    EXPECT_EQ(draws(1, 1.5, 100)[0], 100);
}

TEST(Zipf, TheSameSeedDrawsTheSame) {
    const Zipf zipf{1'000, 0.9};
    Random one{7};
    Random other{7};
    for (int i = 0; i < 1'000; ++i)
        ASSERT_EQ(zipf.draw(one), zipf.draw(other));
}

TEST(Random, StaysBelowItsBound) {
    Random random{1};
    for (int i = 0; i < 1'000; ++i) {
        ASSERT_LT(random.below(3), 3);
        const double part = random.part();
        ASSERT_GE(part, 0);
        ASSERT_LT(part, 1);
    }
    EXPECT_FALSE(random.chance(0));
    EXPECT_TRUE(random.chance(1));
}

}  // namespace
}  // namespace tollgate::bench::load
