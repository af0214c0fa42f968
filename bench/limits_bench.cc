// What a party's limits cost a call that they let through.

#include <chrono>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <mutex>

#include <benchmark/benchmark.h>

#include "balance/limits.h"
#include "bench/own_processor.h"

namespace tollgate::bench {
namespace {

using balance::CallRate;
using balance::Money;
using balance::Spending;
using std::chrono::nanoseconds;

constexpr std::uint32_t kCallsPerSecond = balance::kCallsPerSecondMax;
constexpr nanoseconds kBegin = std::chrono::hours{1};

// One call counted in its second and given back, by each thread at the same party. Guess: two
// compare-exchanges, 12 ns; with two threads the line's way between their processors, 80 ns and more.
void BM_CallRate_TakeAndGiveBack(benchmark::State& state) {
    const OwnProcessor own{state};
    static CallRate rate;
    for ([[maybe_unused]] auto _ : state) {
        const auto ticket = rate.try_take(kBegin, kCallsPerSecond);
        if (ticket == CallRate::kNoTicket) state.SkipWithError("refused");
        rate.give_back(ticket);
    }
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_CallRate_TakeAndGiveBack)->Threads(1)->Threads(2)->UseRealTime();

// The textbook's: when each call of the last second began, under a mutex. It is exact, and takes memory for
// every call of a second. Guess: 40 ns alone, several times that with two threads.
void BM_MutexWindow_TakeAndGiveBack(benchmark::State& state) {
    const OwnProcessor own{state};
    static std::mutex mutex;
    static std::deque<nanoseconds> begun;
    for ([[maybe_unused]] auto _ : state) {
        {
            const std::lock_guard lock{mutex};
            while (!begun.empty() && begun.front() + std::chrono::seconds{1} <= kBegin)
                begun.pop_front();
            if (begun.size() >= kCallsPerSecond) state.SkipWithError("refused");
            begun.push_back(kBegin);
        }
        const std::lock_guard lock{mutex};
        begun.pop_back();
    }
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_MutexWindow_TakeAndGiveBack)->Threads(1)->Threads(2)->UseRealTime();

const rating::Instant kInstant{std::chrono::seconds{1'772'409'600}};
constexpr Spending::Caps kCaps{Money::from_micros(1'000'000'000'000'000'000),
                               Money::from_micros(1'000'000'000'000'000'000)};

// An amount counted on its day and in its month under a cap of each, and given back. Guess: the calendar 15
// ns, two compare-exchanges of 16 bytes each way 10 ns: 70 ns a pair.
void BM_Spending_SpendAndGiveBack(benchmark::State& state) {
    const OwnProcessor own{state};
    static Spending spending{nullptr};
    const Money amount = Money::from_micros(300'000);
    for ([[maybe_unused]] auto _ : state) {
        if (!spending.try_spend(kInstant, kInstant, amount, kCaps)) state.SkipWithError("refused");
        spending.spend(kInstant, kInstant, -amount);
    }
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_Spending_SpendAndGiveBack)->Threads(1)->Threads(2)->UseRealTime();

// What one would write first: sums by day and by month in maps under a mutex. Guess: 80 ns a pair, and
// threads wait for each other.
void BM_MutexMaps_SpendAndGiveBack(benchmark::State& state) {
    const OwnProcessor own{state};
    static std::mutex mutex;
    static std::map<std::chrono::sys_days, std::int64_t> days;
    static std::map<std::chrono::year_month, std::int64_t> months;
    const auto spend = [](std::int64_t amount) {
        const auto day = std::chrono::floor<std::chrono::days>(kInstant);
        const std::chrono::year_month_day date{day};
        const std::lock_guard lock{mutex};
        std::int64_t& of_day = days[day];
        std::int64_t& of_month = months[date.year() / date.month()];
        if (of_day + amount > kCaps.day.micros() || of_month + amount > kCaps.month.micros()) return false;
        of_day += amount;
        of_month += amount;
        return true;
    };
    for ([[maybe_unused]] auto _ : state) {
        if (!spend(300'000)) state.SkipWithError("refused");
        benchmark::DoNotOptimize(spend(-300'000));
    }
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_MutexMaps_SpendAndGiveBack)->Threads(1)->Threads(2)->UseRealTime();

}  // namespace
}  // namespace tollgate::bench
