// Rating a call at several levels, as AUTHORIZE does: one search for the number and a row a level; then, for
// each level, what the call costs there and how long the payer's funds last.

#include <array>
#include <cstdint>

#include <benchmark/benchmark.h>

#include "bench/market.h"
#include "rating/charge.h"

namespace tollgate::bench {
namespace {

using std::chrono::seconds;

using Calls = std::array<rating::RatedCall, kLevelsMax>;

/// The rows of a number at so many levels, as far as they are not blocked; how many.
std::size_t find_rows(const rating::TariffBook& book, std::string_view number, std::uint32_t levels,
                      Calls& calls) {
    const auto reading = book.read();
    const auto place = reading.place(number);
    std::size_t count = 0;
    for (std::uint32_t level = 0; level < levels; ++level) {
        const auto tariff = static_cast<rating::TariffId>(level);
        const auto found = reading.find(tariff, place, {});
        if (found.rate != nullptr && !found.rate->blocked)
            calls[count++] = {&reading.version(tariff), found.rate, found.row, {}};
    }
    return count;
}

std::uint64_t cost_and_longest(const rating::RatedCall& call) {
    const auto cost = rating::cost(call, seconds{60});
    const auto longest = rating::longest_affordable(call, rating::Money::from_micros(12'345'678));
    return static_cast<std::uint64_t>(cost.micros()) + static_cast<std::uint64_t>(longest.count());
}

/// Benchmarks' arguments: prefixes a deck, levels, and whether the next call waits for the answer to this one
/// (bench/lookup_bench.cc).
template <typename Rate>
void rate_calls(benchmark::State& state, const Rate& rate) {
    const auto prefix_count = static_cast<std::size_t>(state.range(0));
    const auto levels = static_cast<std::uint32_t>(state.range(1));
    const auto& book = market_book(prefix_count);
    const auto& numbers = market_numbers(prefix_count);
    const unsigned shift = state.range(2) != 0 ? 63 : 64;
    Calls calls;
    std::size_t i = 0;
    std::uint64_t sum = 0;  // Below 2^63 in each turn.
    for ([[maybe_unused]] auto _ : state) {
        // 0, which the compiler never knows; with a shift of 63 the processor does not know it before `sum`
        // is there.
        const std::size_t wait = shift == 63 ? sum >> 63 : 0;
        const std::size_t call_count =
            find_rows(book, numbers[(i++ + wait) % kNumbers].view(), levels, calls);
        sum = 0;
        for (std::size_t call = 0; call < call_count; ++call)
            sum += rate(calls[call]) & 0xFFFF'FFFF;
        benchmark::DoNotOptimize(sum);
    }
    state.SetItemsProcessed(state.iterations());
}

// The rows of all levels and their prices, and nothing computed.
// Guess: the search, then three loads a level of which those of all levels overlap: 60 ns for three levels,
// 120 ns alone.
void BM_Rating_FindRows(benchmark::State& state) {
    rate_calls(state, [](const rating::RatedCall& call) {
        return static_cast<std::uint64_t>(call.rate->price.nanos());
    });
}

// The same, and the cost of a minute and the longest affordable time at each level.
// Guess: 20 ns a level more, half of it hidden behind the loads: 90 ns for three levels, 160 ns alone.
void BM_Rating_Levels(benchmark::State& state) {
    rate_calls(state, cost_and_longest);
}

// The same for the numbers of a pipeline, as the daemon does it: what all of them touch is fetched step by
// step first (daemon/foresight.cc), which counts here too. Guess: the loads of 16 calls overlap where those
// of one did: 60 ns for three levels.
void BM_Rating_Pipeline(benchmark::State& state) {
    constexpr std::size_t kCalls = 16;
    const auto prefix_count = static_cast<std::size_t>(state.range(0));
    const auto levels = static_cast<std::uint32_t>(state.range(1));
    const auto& book = market_book(prefix_count);
    const auto& numbers = market_numbers(prefix_count);
    static_assert(kNumbers % kCalls == 0);
    std::array<rating::PrefixTree::Place, kCalls> places{};
    Calls calls;
    std::size_t first = 0;
    while (state.KeepRunningBatch(kCalls)) {  // A turn is a call, not sixteen.
        const auto number = [&numbers, first](std::size_t i) { return numbers[first + i].view(); };
        {
            const auto reading = book.read();
            for (std::size_t i = 0; i < kCalls; ++i)
                reading.fetch_place(number(i));
            for (std::size_t i = 0; i < kCalls; ++i)
                reading.fetch_longer(number(i));
            for (std::size_t i = 0; i < kCalls; ++i) {
                places[i] = reading.place(number(i));
                for (std::uint32_t level = 0; level < levels; ++level)
                    reading.fetch_entrance(static_cast<rating::TariffId>(level), places[i]);
            }
            for (std::size_t i = 0; i < kCalls; ++i) {
                for (std::uint32_t level = 0; level < levels; ++level)
                    reading.fetch_rate(static_cast<rating::TariffId>(level), places[i]);
            }
        }
        std::uint64_t sum = 0;
        for (std::size_t i = 0; i < kCalls; ++i) {
            const std::size_t call_count = find_rows(book, number(i), levels, calls);
            for (std::size_t call = 0; call < call_count; ++call)
                sum += cost_and_longest(calls[call]);
        }
        benchmark::DoNotOptimize(sum);
        first = (first + kCalls) % kNumbers;
    }
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_Rating_Pipeline)
    ->ArgNames({"prefixes", "levels"})
    ->Args({250'000, 1})
    ->Args({250'000, 3})
    ->Args({250'000, 8})
    ->Args({250'000, 16});

// Guess: a level more is 25 ns, as its loads overlap those of the others. A deck ten times as large is 20 to
// 50 % dearer: the caches hold less of it.
void levels_and_growth(benchmark::internal::Benchmark* benchmark) {
    benchmark->ArgNames({"prefixes", "levels", "dependent"});
    for (const int dependent : {0, 1}) {
        for (const int levels : {1, 3, 8, 16})
            benchmark->Args({250'000, levels, dependent});
        for (const int prefixes : {10'000, 100'000, 1'000'000})
            benchmark->Args({prefixes, 3, dependent});
    }
}
BENCHMARK(BM_Rating_FindRows)->Apply(levels_and_growth);
BENCHMARK(BM_Rating_Levels)->Apply(levels_and_growth);

}  // namespace
}  // namespace tollgate::bench
