#include "daemon/number_series.h"

#include <memory>

#include <gtest/gtest.h>

namespace tollgate::daemon {
namespace {

TEST(NumberSeries, IsSettledUpToTheLowestThatIsOpen) {
    NumberSeries numbers;
    EXPECT_EQ(numbers.settled(), 0U);
    numbers.restore(7);
    numbers.restore(3);
    EXPECT_EQ(numbers.settled(), 7U);
    EXPECT_EQ(numbers.draw(), 8U);
    EXPECT_EQ(numbers.draw(), 9U);
    auto tenth = std::make_unique<DrawnNumber>(numbers);
    EXPECT_EQ(tenth->number(), 10U);
    EXPECT_EQ(numbers.settled(), 7U);
    numbers.settle(9);
    EXPECT_EQ(numbers.settled(), 7U) << "8 is still to come";
    numbers.settle(8);
    EXPECT_EQ(numbers.settled(), 9U);
    tenth.reset();
    EXPECT_EQ(numbers.settled(), 10U);
    EXPECT_EQ(numbers.last(), 10U);
}

}  // namespace
}  // namespace tollgate::daemon
