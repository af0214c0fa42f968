#include "bench/load/histogram.h"

#include <gtest/gtest.h>

namespace tollgate::bench::load {
namespace {

using namespace std::chrono_literals;

TEST(Histogram, OfNothingEverythingIsZero) {
    const Histogram histogram;
    EXPECT_EQ(histogram.count(), 0);
    EXPECT_EQ(histogram.percentile(990'000), 0ns);
    EXPECT_EQ(histogram.longest(), 0ns);
}

// Method: 1 to 100 ns have buckets of their own, so the n-th percentile is n ns.
TEST(Histogram, SmallTimesAreExact) {
    Histogram histogram;
    for (int i = 1; i <= 100; ++i)
        histogram.add(std::chrono::nanoseconds{i});
    EXPECT_EQ(histogram.percentile(500'000), 50ns);
    EXPECT_EQ(histogram.percentile(990'000), 99ns);
    EXPECT_EQ(histogram.percentile(999'000), 100ns);
    EXPECT_EQ(histogram.percentile(1'000'000), 100ns);
    EXPECT_EQ(histogram.percentile(1), 1ns);
}

TEST(Histogram, BucketsFollowEachOtherWithoutAGap) {
    for (std::int64_t time = 0; time < 100'000; ++time) {
        const auto bucket = Histogram::bucket_of(std::chrono::nanoseconds{time});
        const auto next = Histogram::bucket_of(std::chrono::nanoseconds{time + 1});
        ASSERT_TRUE(next == bucket || next == bucket + 1) << time;
        ASSERT_EQ(next == bucket + 1, Histogram::highest_of(bucket) == std::chrono::nanoseconds{time})
            << time;
    }
}

TEST(Histogram, IsNeverBelowWhatWasMeasuredAndAtMostAPartAbove) {
    for (auto time = 1ns; time < Histogram::kLongest; time = time * 3 / 2 + 1ns) {
        const auto highest = Histogram::highest_of(Histogram::bucket_of(time));
        EXPECT_GE(highest, time);
        EXPECT_LE((highest - time).count(), time.count() / static_cast<std::int64_t>(Histogram::kParts))
            << time.count();
    }
}

TEST(Histogram, TheLongestIsExactAndBoundsEveryPercentile) {
    Histogram histogram;
    histogram.add(1'234'567ns);
    EXPECT_EQ(histogram.longest(), 1'234'567ns);
    EXPECT_EQ(histogram.percentile(500'000), 1'234'567ns);
    histogram.add(Histogram::kLongest + 5s);
    EXPECT_EQ(histogram.longest(), Histogram::kLongest + 5s);
    EXPECT_GE(histogram.percentile(1'000'000), Histogram::kLongest);
}

TEST(Histogram, AddsAnotherAndForgets) {
    Histogram one;
    Histogram other;
    one.add(10ns);
    other.add(20ns);
    other.add(30ns);
    one.add(other);
    EXPECT_EQ(one.count(), 3);
    EXPECT_EQ(one.percentile(500'000), 20ns);
    EXPECT_EQ(one.longest(), 30ns);
    one.clear();
    EXPECT_EQ(one.count(), 0);
    EXPECT_EQ(one.percentile(500'000), 0ns);
}

}  // namespace
}  // namespace tollgate::bench::load
