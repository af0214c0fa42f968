#include "daemon/operation/store_lag.h"

#include <array>
#include <chrono>

#include <gtest/gtest.h>

namespace tollgate::daemon {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(TooFarBehind, NamesTheStoresThatLag) {
    std::array<StoreFigures, 2> stores;
    stores[0].name = "postgresql";
    stores[0].state = StoreState::waiting;
    stores[0].lag = seconds{60};
    stores[0].last_failure = "connection refused";
    stores[1].name = "redis";
    stores[1].state = StoreState::following;
    EXPECT_EQ(too_far_behind(stores, seconds{60}), "") << "as far as it may be";
    stores[0].lag = seconds{60} + milliseconds{1};
    EXPECT_EQ(too_far_behind(stores, seconds{60}), "postgresql is 60 s behind (waiting)");
    stores[1].lag = seconds{61};
    EXPECT_EQ(too_far_behind(stores, seconds{60}),
              "postgresql is 60 s behind (waiting); redis is 61 s behind (following)");
}

TEST(TooFarBehind, IsNoneWhereNobodyAsksOrThereAreNoStores) {
    std::array<StoreFigures, 1> stores;
    stores[0].lag = seconds{1'000};
    EXPECT_EQ(too_far_behind(stores, milliseconds{0}), "");
    EXPECT_EQ(too_far_behind({}, milliseconds{1}), "");
}

}  // namespace
}  // namespace tollgate::daemon
