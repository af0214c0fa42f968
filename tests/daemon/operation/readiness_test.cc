#include "daemon/operation/readiness.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace tollgate::daemon {
namespace {

TEST(Readiness, NamesEverythingThatIsNotAsItShouldBe) {
    Readiness readiness;
    std::string first;
    std::string second;
    readiness.add([&first] { return first; });
    readiness.add([&second] { return second; });
    EXPECT_TRUE(readiness.faults().empty());
    second = "the disk is full";
    EXPECT_EQ(readiness.faults(), std::vector<std::string>{"the disk is full"});
    first = "a store lags";
    EXPECT_EQ(readiness.faults(), (std::vector<std::string>{"a store lags", "the disk is full"}));
    first.clear();
    second.clear();
    EXPECT_TRUE(readiness.faults().empty()) << "it heals";
}

TEST(Readiness, EndsWhenTheDaemonStops) {
    Readiness readiness;
    readiness.stop();
    EXPECT_EQ(readiness.faults(), std::vector<std::string>{"it is stopping"});
}

}  // namespace
}  // namespace tollgate::daemon
