#include <benchmark/benchmark.h>

#include "rating/charge.h"

namespace tollgate::bench {
namespace {

using rating::Money;
using std::chrono::seconds;

rating::Rate half_minute_steps() {
    rating::Rate rate;
    rate.price = rating::Price::from_nanos(4'512'000);
    rate.connect_fee = rating::Price::from_nanos(10'000'000);
    rate.initial_increment = 30;
    rate.increment = 6;
    return rate;
}

// The price of one chain level once its row is known; finding it is BM_PrefixTree_Longest.
// Guess: about 40 ns, nearly all of it the 128-bit divisions.
void BM_Rate_Cost(benchmark::State& state) {
    const auto rate = half_minute_steps();
    const rating::TariffVersion version;
    const rating::RatedCall call{&version, &rate, 0, {}};
    std::int64_t talked = 1;
    for ([[maybe_unused]] auto _ : state) {
        benchmark::DoNotOptimize(rating::cost(call, seconds{talked}));
        talked = (talked * 7 + 3) % 3'600;
    }
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_Rate_Cost);

// How long a sum lasts. Guess: two divisions of 128 bits, 50 ns; the same for a minute and for a day.
void BM_Rate_LongestAffordable(benchmark::State& state) {
    const auto rate = half_minute_steps();
    const rating::TariffVersion version;
    const rating::RatedCall call{&version, &rate, 0, {}};
    std::int64_t funds = state.range(0);
    for ([[maybe_unused]] auto _ : state) {
        benchmark::DoNotOptimize(rating::longest_affordable(call, Money::from_micros(funds)));
        funds = state.range(0) + (funds * 7 + 3) % 1'000;
    }
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_Rate_LongestAffordable)->Arg(20'000)->Arg(10'000'000);

}  // namespace
}  // namespace tollgate::bench
