// What it costs that several workers write the same lines of memory. bench/growth.py makes a model of it.

#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include <benchmark/benchmark.h>
#include <immintrin.h>

#include "bench/charging_world.h"
#include "bench/own_processor.h"

namespace tollgate::bench {
namespace {

using std::chrono::seconds;

struct alignas(64) Word {
    std::atomic<std::uint64_t> value{0};
};

// One locked addition, by each thread to a word of its own or by all to one. Guess: 5 ns alone. Two on one
// word: the line goes to and fro, but whoever has it adds more than once before it leaves: 20 ns.
void BM_Contention_Add(benchmark::State& state) {
    const OwnProcessor own{state};
    static std::array<Word, 2> words;
    auto& word = words[state.range(0) != 0 ? 0 : static_cast<std::size_t>(state.thread_index())].value;
    for ([[maybe_unused]] auto _ : state)
        word.fetch_add(1, std::memory_order_acq_rel);
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_Contention_Add)->ArgName("shared")->Arg(0)->Arg(1)->Threads(1)->Threads(2)->UseRealTime();

/// So often a thread looks before it lets others have the processor, which is all that helps where there is
/// one.
constexpr int kLooksMax = 10'000;

/// Hand-overs whose time is taken together: far fewer than fit the time that a thread keeps its processor.
constexpr std::size_t kBlock = 512;
/// Where others want both processors all the time, the two threads hardly ever run together.
constexpr std::chrono::seconds kHandOversMax{1};

// A line on its way from one processor to the other, and no second addition before it goes back: two threads
// take turns. `hand_over_ns` is the median of blocks, so that those in which somebody lost his processor do
// not count; it has the look that sees the line come. Guess: 60 ns between two cores of a chip, 20 where both
// are one core in truth, up to 200 where they are not on the same chip.
void BM_Contention_HandOver(benchmark::State& state) {
    using Clock = std::chrono::steady_clock;
    const OwnProcessor own{state};
    static Word turns;
    static std::atomic<bool> given_up;  // Whoever waits for nobody any more says so; decides nothing else.
    const auto mine = static_cast<std::uint64_t>(state.thread_index());
    if (mine == 0) {
        turns.value = 0;
        given_up = false;
    }
    const auto deadline = Clock::now() + kHandOversMax;
    const auto wait_for_turn = [&] {
        int looks = 0;
        while (turns.value.load(std::memory_order_acquire) % 2 != mine) {
            _mm_pause();
            if (++looks % kLooksMax != 0) continue;
            if (Clock::now() > deadline) given_up.store(true, std::memory_order_relaxed);
            if (given_up.load(std::memory_order_relaxed)) return;
            std::this_thread::yield();
        }
    };
    std::vector<double> blocks;
    std::size_t done = 0;
    Clock::time_point begin;
    for ([[maybe_unused]] auto _ : state) {
        if (given_up.load(std::memory_order_relaxed)) continue;
        if (done++ % kBlock == 0) {
            const auto now = Clock::now();
            if (done > 1) blocks.push_back(std::chrono::duration<double, std::nano>(now - begin).count());
            begin = now;
        }
        wait_for_turn();
        turns.value.fetch_add(1, std::memory_order_acq_rel);
    }
    state.SetItemsProcessed(state.iterations());
    if (mine != 0 || blocks.empty()) return;
    const auto middle = blocks.begin() + static_cast<std::ptrdiff_t>(blocks.size() / 2);
    std::nth_element(blocks.begin(), middle, blocks.end());
    constexpr double kHandOversATurn = 2;
    state.counters["hand_over_ns"] = *middle / kBlock / kHandOversATurn;
}
BENCHMARK(BM_Contention_HandOver)->Threads(2)->UseRealTime();

// AUTHORIZE and STOP without wire and sockets, as BM_Charging_Pair in a world that fits the caches. Threads
// share nothing (each has a world of its own), the parents (each has lines and resellers of its own below one
// parent, and all use one table of sessions), or everything: each calls from all lines. What two threads need
// more of the processor than two that share nothing is what sharing costs. Guess: 1.5 us where nothing is
// shared. The parents are 6 hand-overs, the table of sessions 6, lines and resellers 7, each needed in half
// of all cases: at 100 ns 0.6 and 0.35 us more.
void BM_Contention_Pair(benchmark::State& state) {
    enum Shares : std::int64_t { kNothing, kParents, kEverything };
    constexpr std::size_t kLines = 1'000;
    constexpr std::size_t kDeckRows = 10'000;
    const OwnProcessor own{state};
    static std::array<std::unique_ptr<ChargingWorld>, 2> worlds;
    const auto threads = static_cast<std::size_t>(state.threads());
    const auto thread = static_cast<std::size_t>(state.thread_index());
    if (thread == 0) {
        for (std::size_t i = 0; i < (state.range(0) == kNothing ? threads : 1); ++i)
            worlds[i] = std::make_unique<ChargingWorld>(kLines, kDeckRows);
    }
    const std::size_t lines_apart = state.range(0) == kParents ? threads : 1;
    const daemon::Moment now{rating::Instant{seconds{1'772'409'600}}, std::chrono::hours{1}};
    std::size_t call = 0;
    for ([[maybe_unused]] auto _ : state) {
        ChargingWorld& world = *worlds[state.range(0) == kNothing ? thread : 0];
        ++call;
        const std::string id = std::to_string(call * threads + thread);
        daemon::AuthorizeRequest request;
        // Not the same ones at the same time.
        const std::size_t place = call * (7'919 + 4 * thread) % (kLines / lines_apart);
        request.line = world.lines[place * lines_apart + (lines_apart > 1 ? thread : 0)];
        request.destination = world.numbers[(call + thread) * 104'729 % world.numbers.size()];
        request.session = id;
        request.want = seconds{300};
        if (!world.charging.authorize(request, now).granted_any()) state.SkipWithError("refused");
        benchmark::DoNotOptimize(
            world.charging.stop({.session = id, .used = seconds{60}, .at = {}, .cause = {}}, now));
    }
    state.SetItemsProcessed(state.iterations());
    if (thread == 0) worlds = {};
}
BENCHMARK(BM_Contention_Pair)
    ->ArgName("shares")
    ->Arg(0)
    ->Arg(1)
    ->Arg(2)
    ->Threads(1)
    ->Threads(2)
    ->UseRealTime();

}  // namespace
}  // namespace tollgate::bench
