#include <benchmark/benchmark.h>

#include "bench/invented_deck.h"
#include "rating/prefix_tree.h"

namespace tollgate::bench {
namespace {

// One search among that many prefixes for numbers in random order.
// Guess: one load of the table for the first five digits, then one or two blocks of 40 bytes: 30 ns.
void BM_PrefixTree_Longest(benchmark::State& state) {
    const auto prefixes = invented_prefixes(static_cast<std::size_t>(state.range(0)));
    const auto numbers = invented_numbers(prefixes, 65'536);
    std::vector<rating::Prefix> words;
    for (const auto& prefix : prefixes)
        words.push_back(*rating::Prefix::parse(prefix));
    const rating::PrefixTree tree{words};
    std::size_t i = 0;
    for ([[maybe_unused]] auto _ : state) {
        benchmark::DoNotOptimize(tree.longest(numbers[i++ & 65'535]));
    }
    state.SetItemsProcessed(state.iterations());
    state.counters["bytes_per_prefix"] =
        static_cast<double>(tree.bytes()) / static_cast<double>(prefixes.size());
}
BENCHMARK(BM_PrefixTree_Longest)->Arg(1'000)->Arg(250'000);

// A deck from CSV to what can be searched.
// Guess: 250,000 rows at a microsecond each for reading and sorting: 250 ms.
void BM_Deck_Read(benchmark::State& state) {
    const auto prefixes = invented_prefixes(static_cast<std::size_t>(state.range(0)));
    std::string csv = "prefix,destination,rate_per_minute,initial_increment,increment\n";
    for (const auto& prefix : prefixes)
        csv += prefix + ",\"Somewhere, " + prefix.substr(0, 3) + "\",0.0123,30,6\n";
    for ([[maybe_unused]] auto _ : state) {
        benchmark::DoNotOptimize(rating::read_deck_csv(csv, {}).deck);
    }
    state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(BM_Deck_Read)->Arg(250'000)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace tollgate::bench
