// What it costs to count a command and to time it.

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

#include <benchmark/benchmark.h>

#include "balance/session_table.h"
#include "bench/own_processor.h"
#include "daemon/commands/counters.h"
#include "daemon/commands/stopwatch.h"
#include "daemon/metrics/call_figures.h"

namespace tollgate::bench {
namespace {

using daemon::commands::LatencyHistogram;
using daemon::commands::Ticks;
using daemon::commands::WorkerCounters;
using std::chrono::nanoseconds;

/// Some command took so long, as they come: mostly a microsecond or two.
constexpr std::array<nanoseconds, 8> kTook = {nanoseconds{640},   nanoseconds{1'900}, nanoseconds{810},
                                              nanoseconds{2'400}, nanoseconds{950},   nanoseconds{14'000},
                                              nanoseconds{1'100}, nanoseconds{700}};

template <typename Add>
void count(benchmark::State& state, const Add& add) {
    const OwnProcessor own_processor{state};
    std::size_t i = 0;
    for ([[maybe_unused]] auto _ : state)
        add(kTook[i++ % kTook.size()]);
    state.SetItemsProcessed(state.iterations());
}

// A histogram of the worker's own: two plain loads and stores. Guess: 2 ns, with two threads too.
void BM_LatencyHistogram_Add(benchmark::State& state) {
    const auto own = std::make_unique<LatencyHistogram>();
    count(state, [&own](nanoseconds took) { own->add(took); });
    benchmark::DoNotOptimize(own->sum_ns());
}
BENCHMARK(BM_LatencyHistogram_Add)->Threads(1)->Threads(2)->UseRealTime();

/// The same buckets, shared by all threads.
struct SharedHistogram {
    std::array<std::atomic<std::uint64_t>, LatencyHistogram::kBuckets> counts{};
    std::atomic<std::uint64_t> sum_ns{0};
};

// One for all, by atomic additions. Guess: 10 ns, and with two threads a line that goes to and fro, 60 ns.
void BM_AtomicHistogram_Add(benchmark::State& state) {
    static SharedHistogram shared;
    count(state, [](nanoseconds took) {
        shared.counts[LatencyHistogram::bucket_of(took)].fetch_add(1, std::memory_order_relaxed);
        shared.sum_ns.fetch_add(static_cast<std::uint64_t>(took.count()), std::memory_order_relaxed);
    });
}
BENCHMARK(BM_AtomicHistogram_Add)->Threads(1)->Threads(2)->UseRealTime();

// One for all under a mutex. Guess: 15 ns, and 100 with two threads.
void BM_MutexHistogram_Add(benchmark::State& state) {
    static std::mutex mutex;
    static std::array<std::uint64_t, LatencyHistogram::kBuckets> counts;
    static std::int64_t sum_ns;
    count(state, [](nanoseconds took) {
        const std::lock_guard lock{mutex};
        ++counts[LatencyHistogram::bucket_of(took)];
        sum_ns += took.count();
    });
}
BENCHMARK(BM_MutexHistogram_Add)->Threads(1)->Threads(2)->UseRealTime();

// All that is counted of a command that was granted, AUTHORIZE and STOP in turn: commands, its answer, its
// time. Guess: 3 ns.
void BM_WorkerCounters_Command(benchmark::State& state) {
    const auto counters = std::make_unique<WorkerCounters>();
    std::size_t i = 0;
    count(state, [&](nanoseconds took) {
        WorkerCounters::add(counters->commands);
        WorkerCounters::add(i % 2 == 0 ? counters->granted : counters->ended);
        WorkerCounters::OfCommand& mine = counters->by_command[i++ % 2];
        WorkerCounters::add(mine.answers[static_cast<std::size_t>(daemon::commands::AnswerCode::ok)]);
        mine.latency.add(took);
    });
    benchmark::DoNotOptimize(counters->commands.load());
}
BENCHMARK(BM_WorkerCounters_Command);

/// A call of three levels that has ended, and who paid for it.
struct EndedWorld {
    EndedWorld() {
        balance::PartySource source;
        source.currency = *rating::Currency::parse("EUR");
        for (const auto kind : {balance::PartyKind::provider, balance::PartyKind::reseller,
                                balance::PartyKind::reseller, balance::PartyKind::customer}) {
            source.kind = kind;
            source.id = "party-" + std::to_string(parties.size());
            source.parent = parties.add(source);
        }
        claim = std::move(sessions.claim_or_open("call", 3).claim);
        claim->state = balance::SessionState::stopped;
        claim->number = *rating::Digits::parse("493012345678");
        claim->used_seconds = 60;
        claim->level_count = 3;
        std::uint32_t payer = 3;
        for (balance::SessionLevel& level : claim->levels()) {
            level = balance::SessionLevel{};
            level.payer = balance::PartyId{payer--};
            level.charged = rating::Money::from_micros(450'000);
        }
        groups.put("berlin", daemon::DestinationGroup{{"4930"}, {}});
        groups.put("london", daemon::DestinationGroup{{"4420"}, {}});
    }
    balance::PartyTable parties{1, 10};
    balance::SessionTable sessions{1, {}};
    balance::SessionTable::Claim claim;
    daemon::DestinationGroups groups;
};

// A call that has ended, counted by level and destination group in memory of the thread's own. Guess: 60 ns:
// the group of its number 20, four rows of a hash table 10 each.
void BM_CallFigures_Ended(benchmark::State& state) {
    const OwnProcessor own_processor{state};
    static const EndedWorld world;
    static daemon::metrics::CallFigures figures{world.parties, {}};
    if (state.thread_index() == 0) figures.refresh(world.groups);
    for ([[maybe_unused]] auto _ : state)
        figures.ended({*world.claim});
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_CallFigures_Ended)->Threads(1)->Threads(2)->UseRealTime();

// The same sums in a map under a mutex, the group being known. Guess: 100 ns, and 400 with two threads.
void BM_MutexMap_Ended(benchmark::State& state) {
    const OwnProcessor own_processor{state};
    static const EndedWorld world;
    struct Sums {
        std::uint64_t calls = 0;
        std::uint64_t seconds = 0;
        std::int64_t micros = 0;
    };
    using Key = std::tuple<std::size_t, balance::PartyKind, std::string_view>;
    static std::mutex mutex;
    static std::map<Key, Sums> rows;
    for ([[maybe_unused]] auto _ : state) {
        const std::lock_guard lock{mutex};
        ++rows[{0, balance::PartyKind::line, "berlin"}].calls;
        std::size_t place = 0;
        for (const balance::SessionLevel& level : world.claim->levels()) {
            Sums& sums = rows[{++place, world.parties.get(level.payer).kind, "berlin"}];
            ++sums.calls;
            sums.seconds += world.claim->used_seconds;
            sums.micros += level.charged.micros();
        }
    }
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_MutexMap_Ended)->Threads(1)->Threads(2)->UseRealTime();

// What time it is, for a command to be timed by. Guess: 13 ns, the reading of the time stamp counter in a
// virtual machine.
void BM_Ticks_Now(benchmark::State& state) {
    Ticks::calibrate();
    for ([[maybe_unused]] auto _ : state)
        benchmark::DoNotOptimize(Ticks::now());
}
BENCHMARK(BM_Ticks_Now);

// The system's. Guess: 35 ns.
void BM_SteadyClock_Now(benchmark::State& state) {
    for ([[maybe_unused]] auto _ : state)
        benchmark::DoNotOptimize(std::chrono::steady_clock::now());
}
BENCHMARK(BM_SteadyClock_Now);

}  // namespace
}  // namespace tollgate::bench
