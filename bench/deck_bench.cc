// A deck on its way into force: read from CSV, then put into a book that others' decks are in too.

#include <algorithm>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "bench/market.h"
#include "rating/deck_csv.h"

namespace tollgate::bench {
namespace {

constexpr std::size_t kRows = 250'000;

/// A price list as it comes: names in quotes, one for some twenty neighbours.
std::string make_csv(bool shuffled) {
    std::vector<std::string> rows;
    PriceList prices{4};
    for (const auto prefix : market_prefixes(kRows)) {
        const auto text = prefix.text();
        const auto price = prices.next(prefix);
        std::string row{text.view()};
        row.append(",\"Somewhere, ").append(text.view().substr(0, 4)).append("\",");
        row.append(rating::format(rating::Price::from_nanos(price.nanos)));
        rows.push_back(row + (price.half_minute_steps ? ",30,6\n" : ",1,1\n"));
    }
    if (shuffled) std::shuffle(rows.begin(), rows.end(), std::mt19937_64{3});
    std::string csv = "prefix,destination,rate_per_minute,initial_increment,increment\n";
    for (const auto& row : rows)
        csv += row;
    return csv;
}

// From CSV to a deck that can be put in force. Guess: 10 MB at 0.4 GB/s and 250,000 rows of 60 ns: 40 ms;
// twice that where the rows have to be sorted and neighbours have nothing in common.
void BM_Deck_Read(benchmark::State& state) {
    static const std::string sorted = make_csv(false);
    static const std::string shuffled = make_csv(true);
    const std::string& csv = state.range(0) != 0 ? shuffled : sorted;
    for ([[maybe_unused]] auto _ : state)
        benchmark::DoNotOptimize(rating::read_deck_csv(csv, {}).deck);
    state.SetItemsProcessed(state.iterations() * std::int64_t{kRows});
    state.SetBytesProcessed(state.iterations() * static_cast<std::int64_t>(csv.size()));
}
BENCHMARK(BM_Deck_Read)->ArgName("shuffled")->Arg(0)->Arg(1)->Unit(benchmark::kMillisecond);

/// A book in which `others` tariffs have large decks, and two decks for one more tariff to change between.
struct PutWorld {
    PutWorld(std::size_t others, bool new_prefixes) {
        std::vector<rating::Prefix> even;
        std::vector<rating::Prefix> odd;
        for (const auto prefix : market_prefixes(2 * kRows))
            (even.size() == odd.size() ? even : odd).push_back(prefix);
        for (std::size_t i = 0; i < others; ++i) {
            const std::string id = "other" + std::to_string(i);
            book.put_settings(id, {});
            book.put_deck(id, deck_of(even, i));
        }
        book.put_settings("tariff", {});
        decks = {deck_of(even, 100), deck_of(new_prefixes ? odd : even, 101)};
    }
    rating::TariffBook book{1};
    std::vector<std::shared_ptr<const rating::Deck>> decks;
};

// Arguments: how many other tariffs there are, and whether their decks have the prefixes already. Where they
// do, only this deck's column is made; else the tree and all columns are.
// Guess: 250,000 prefixes to count and a column to fill, 3 ms. With a tree of 500,000 prefixes: 10 ms, and
// 2 ms for each other column.
void BM_TariffBook_PutDeck(benchmark::State& state) {
    PutWorld world{static_cast<std::size_t>(state.range(0)), state.range(1) != 0};
    std::size_t i = 0;
    for ([[maybe_unused]] auto _ : state) {
        if (!world.book.put_deck("tariff", world.decks[i++ % 2]).done()) std::abort();
    }
}
BENCHMARK(BM_TariffBook_PutDeck)
    ->ArgNames({"others", "new"})
    ->ArgsProduct({{1, 20}, {0, 1}})
    ->Iterations(10)
    ->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace tollgate::bench
