#include "balance/journal/queue.h"

#include <array>
#include <atomic>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "tests/balance/journal/simulated.h"

namespace tollgate::balance::journal {
namespace {

std::vector<std::byte> take(Queue& queue) {
    std::vector<std::byte> event(queue.next_bytes());
    queue.take(event.data());
    queue.release();
    return event;
}

TEST(Queue, HandsOutInOrderOverManyRounds) {
    Queue queue{1024, 41};
    Sequence next = 42;
    for (int round = 0; round < 1'000; ++round) {
        EXPECT_EQ(queue.next_bytes(), 0U);
        for (Sequence i = 0; i < 2; ++i)
            EXPECT_EQ(queue.push(event_of(next + i)), next + i);
        EXPECT_EQ(queue.last(), next + 1);
        for (Sequence i = 0; i < 2; ++i)
            EXPECT_EQ(take(queue), event_of(next + i));
        next += 2;
        EXPECT_EQ(queue.taken(), next - 1);
        EXPECT_EQ(queue.bytes_used(), 0U);
    }
}

TEST(Queue, NumbersGoOnBeyondTheBitsOfTheState) {
    constexpr Sequence kAfter = (Sequence{1} << 40) - 3;
    Queue queue{1024, kAfter};
    for (Sequence i = 1; i <= 6; ++i) {
        EXPECT_EQ(queue.push(event_of(i)), kAfter + i);
        EXPECT_EQ(queue.last(), kAfter + i);
        EXPECT_EQ(take(queue), event_of(i));
    }
}

TEST(Queue, GivenUpItForgetsWhatFindsNoRoom) {
    Queue queue{1024, 0};
    const std::vector<std::byte> event(500);
    queue.push(event);
    queue.push(event);
    queue.give_up();
    EXPECT_EQ(queue.push(event), 3U);
    EXPECT_EQ(queue.last(), 2U);
}

TEST(Queue, ASleeperIsNotWokenBeforeItsTimeWithoutACause) {
    Queue queue{1024, 0};
    const auto began = std::chrono::steady_clock::now();
    queue.sleep(std::chrono::milliseconds{5});
    EXPECT_GE(std::chrono::steady_clock::now() - began, std::chrono::milliseconds{4});
}

// Goal: nothing is lost, doubled or torn between four producers and a consumer that sleeps and wakes; each
// producer's numbers rise; a full ring only makes it wait.
TEST(QueueThreads, FourProducersLoseNothing) {
    constexpr Sequence kEach = 20'000;
    Queue queue{4096, 0};
    std::array<std::vector<Sequence>, 4> numbers;
    std::vector<std::jthread> producers;
    for (std::size_t producer = 0; producer < 4; ++producer) {
        producers.emplace_back([&queue, &mine = numbers.at(producer), producer] {
            for (std::uint64_t i = 0; i < kEach; ++i) {
                std::array<std::uint64_t, 8> event{producer, i};
                event.fill(i);
                event[0] = producer;
                const std::size_t bytes = 16 + (i % 7) * 8;
                mine.push_back(queue.push(std::as_bytes(std::span{event}).first(bytes)));
            }
        });
    }
    std::array<std::uint64_t, 4> seen{};
    std::vector<std::size_t> producer_of(4 * kEach + 1);
    for (Sequence taken = 0; taken < 4 * kEach;) {
        const std::size_t size = queue.next_bytes();
        if (size == 0) {
            queue.release();
            if (queue.empty()) queue.sleep(std::chrono::milliseconds{50});
            continue;
        }
        std::array<std::uint64_t, 8> event{};
        queue.take(reinterpret_cast<std::byte*>(event.data()));
        ++taken;
        ASSERT_LT(event[0], 4U);
        const std::uint64_t i = seen.at(event[0])++;
        ASSERT_EQ(size, 16 + (i % 7) * 8);
        for (std::size_t word = 1; word < size / 8; ++word)
            ASSERT_EQ(event.at(word), i);
        producer_of[taken] = event[0];
    }
    producers.clear();
    EXPECT_EQ(queue.last(), 4 * kEach);
    for (std::size_t producer = 0; producer < 4; ++producer) {
        ASSERT_EQ(numbers.at(producer).size(), kEach);
        for (std::size_t i = 0; i < kEach; ++i) {
            ASSERT_EQ(producer_of[numbers.at(producer)[i]], producer);
            if (i > 0) {
                ASSERT_GT(numbers.at(producer)[i], numbers.at(producer)[i - 1]);
            }
        }
    }
}

}  // namespace
}  // namespace tollgate::balance::journal
