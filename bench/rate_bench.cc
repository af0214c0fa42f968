#include <memory>
#include <string>

#include <benchmark/benchmark.h>

#include "rating/charge.h"
#include "rating/deck_csv.h"

namespace tollgate::bench {
namespace {

using rating::Money;
using std::chrono::seconds;

/// Kinds of rows, as arguments of the benchmarks. Finding a row is BM_TariffBook_Find.
enum Kind : std::int64_t { per_second, half_minute, tiered, windowed };

constexpr const char* kHeader =
    "prefix,rate_per_minute,connect_fee,initial_increment,increment,tiers,window\n";

/// The first row of a deck, in a tariff with a window `peak` from 8 to 19 o'clock; the call starts at 18:59.
struct Call {
    explicit Call(std::int64_t kind) {
        std::string csv = kHeader;
        switch (static_cast<Kind>(kind)) {
            case per_second:
                csv += "49,0.004512,0.01,1,1,,\n";
                break;
            case half_minute:
                csv += "49,0.004512,0.01,30,6,,\n";
                break;
            case tiered:
                csv += "49,0.004512,0.01,30,6,60:0.004/6;600:0.003/1;3600:0.002/1,\n";
                break;
            case windowed:
                csv += "49,0.004512,0.01,30,6,,peak\n49,0.003,0.01,1,1,,\n";
                break;
        }
        version.settings.windows = {{"peak", {rating::ClockRange{.from = 8 * 3'600, .until = 19 * 3'600}}}};
        version.deck = rating::read_deck_csv(csv, {}).deck;
        version.calendar = rating::calendar_of(*version.deck, version.settings);
        rated = {&version, &version.deck->rate(0), 0, *rating::parse_instant("2026-03-02T18:59:00Z")};
    }
    rating::TariffVersion version;
    rating::RatedCall rated;
};

void kinds_and_sizes(benchmark::internal::Benchmark* benchmark, const char* size_name,
                     const std::vector<std::int64_t>& sizes) {
    benchmark->ArgNames({"kind", size_name})
        ->ArgsProduct({{per_second, half_minute, tiered, windowed}, sizes});
}

// The cost of a call of up to that many seconds.
// Guess: 8 ns, nearly all of it the 128-bit divisions, for a minute and for three hours alike; 4 ns more for
// each tier or row that is passed, and 20 ns for a row's windows.
void BM_Rate_Cost(benchmark::State& state) {
    const Call call{state.range(0)};
    const std::int64_t longest = state.range(1);
    std::int64_t less = 0;
    for ([[maybe_unused]] auto _ : state) {
        benchmark::DoNotOptimize(rating::cost(call.rated, seconds{longest - less}));
        less = (less * 7 + 3) & 31;
    }
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_Rate_Cost)->Apply([](auto* benchmark) { kinds_and_sizes(benchmark, "seconds", {60, 10'800}); });

// How long a sum of about that many micro-units lasts: half a minute to minutes, or a day and a half.
// Guess: two divisions of 128 bits, 10 ns, the same for both; tiers and windows as above, and one window's
// border a day.
void BM_Rate_LongestAffordable(benchmark::State& state) {
    const Call call{state.range(0)};
    const std::int64_t funds = state.range(1);
    std::int64_t more = 0;
    for ([[maybe_unused]] auto _ : state) {
        benchmark::DoNotOptimize(
            rating::longest_affordable(call.rated, Money::from_micros(funds + more), seconds{10'800}));
        more = (more * 7 + 3) & 1'023;
    }
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_Rate_LongestAffordable)->Apply([](auto* benchmark) {
    kinds_and_sizes(benchmark, "funds", {20'000, 10'000'000});
});

}  // namespace
}  // namespace tollgate::bench
