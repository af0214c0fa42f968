#include "rating/pins.h"

#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace tollgate::rating {
namespace {

TEST(PinCounts, ThreadsTakeAndLetGoForEachOther) {
    PinCounts counts;
    const auto slot = counts.take_slot();
    ASSERT_TRUE(slot);
    const Pins pins{counts, *slot};
    pins.add();
    pins.add();
    std::jthread{[&pins] { pins.remove(); }}.join();
    EXPECT_EQ(pins.sum(), 1);
    std::jthread{[&pins] { pins.remove(); }}.join();
    EXPECT_EQ(pins.sum(), 0);
}

TEST(PinCounts, SlotsAreGivenOn) {
    PinCounts counts;
    std::uint32_t first = 0;
    {
        const auto slot = counts.take_slot();
        first = *slot;
        const Pins pins{counts, *slot};
    }
    EXPECT_EQ(counts.take_slot(), first);
    EXPECT_NE(counts.take_slot(), first);
}

TEST(PinCountsThreads, NothingIsLost) {
    PinCounts counts;
    const auto slot = counts.take_slot();
    const Pins pins{counts, *slot};
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
        threads.emplace_back([&pins] {
            for (int round = 0; round < 10'000; ++round) {
                pins.add();
                if (round % 2 == 0) pins.remove();
            }
        });
    }
    threads.clear();
    EXPECT_EQ(pins.sum(), 4 * 5'000);
}

TEST(ThreadNumber, IsOnesOwn) {
    const std::size_t mine = thread_number();
    EXPECT_EQ(thread_number(), mine);
    std::size_t other = mine;
    std::jthread{[&other] { other = thread_number(); }}.join();
    EXPECT_NE(other, mine);
    std::size_t later = mine;
    std::jthread{[&later] { later = thread_number(); }}.join();
    EXPECT_EQ(later, other) << "a number is given on when its thread ends";
}

}  // namespace
}  // namespace tollgate::rating
