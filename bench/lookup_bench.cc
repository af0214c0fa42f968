// Longest prefix of a dialled number, beside what else there is for it.
//
// `dependent:0` asks for one number after the other, and the processor overlaps the loads of several: what a
// batch of commands pays. `dependent:1` asks for the next number only when the answer to this one is known:
// what a call pays that comes alone. `heap_bytes_per_prefix` is all that a structure holds.

#include <algorithm>
#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <benchmark/benchmark.h>
#include <darts.h>
#include <marisa.h>

#include "bench/market.h"
#include "rating/prefix_tree.h"

namespace tollgate::bench {
namespace {

using rating::Prefix;

constexpr std::size_t kPrefixes = 250'000;
constexpr std::uint32_t kNothing = INT32_MAX;

/// Runs `find`, which takes a number and returns less than 2^31.
template <typename Find>
void search(benchmark::State& state, std::size_t prefix_count, const Find& find) {
    const auto& numbers = market_numbers(prefix_count);
    const unsigned shift = state.range(0) != 0 ? 31 : 0;
    std::size_t i = 0;
    std::uint32_t found = 0;
    if (shift == 0) {
        for ([[maybe_unused]] auto _ : state)
            benchmark::DoNotOptimize(found = find(numbers[i++ % kNumbers].view()));
    } else {
        // The shift leaves 0, which neither compiler nor processor knows before `found` is there.
        for ([[maybe_unused]] auto _ : state)
            found = find(numbers[(i++ + (found >> shift)) % kNumbers].view());
        benchmark::DoNotOptimize(found);
    }
    state.SetItemsProcessed(state.iterations());
}

/// Something made of kPrefixes prefixes, once, and what it holds on to.
template <typename Index>
struct Made {
    const std::size_t bytes_before = heap_bytes();
    const Index index{market_prefixes(kPrefixes)};
    const std::size_t bytes = heap_bytes() - bytes_before;
};

template <typename Index>
void search_made(benchmark::State& state) {
    (void)market_prefixes(kPrefixes);  // Not part of what is made.
    static const Made<Index> made;
    search(state, kPrefixes, [](std::string_view number) { return made.index.longest(number); });
    state.counters["heap_bytes_per_prefix"] = static_cast<double>(made.bytes) / double{kPrefixes};
}

std::vector<std::string> texts_of(const std::vector<Prefix>& prefixes) {
    std::vector<std::string> texts;
    texts.reserve(prefixes.size());
    for (const Prefix prefix : prefixes)
        texts.emplace_back(prefix.text().view());
    return texts;
}

// The search alone.
// Guess: a load of the table for five digits, which is 400 KB and mostly in the second-level cache, and one
// or two blocks of 40 bytes that are not: 15 ns overlapped, 40 ns alone.
struct OurTree {
    explicit OurTree(const std::vector<Prefix>& prefixes) : tree{prefixes} {}
    [[nodiscard]] std::uint32_t longest(std::string_view number) const noexcept {
        return tree.longest(number);
    }
    rating::PrefixTree tree;
};
void BM_PrefixTree_Longest(benchmark::State& state) {
    search_made<OurTree>(state);
}
BENCHMARK(BM_PrefixTree_Longest)->ArgName("dependent")->Arg(0)->Arg(1);

// marisa-trie: a succinct trie, made to be small. Guess: bit counting at every digit, 400 ns.
class MarisaTrie {
  public:
    explicit MarisaTrie(const std::vector<Prefix>& prefixes) {
        marisa::Keyset keys;
        for (const auto& text : texts_of(prefixes))
            keys.push_back(text.data(), text.size());
        trie_.build(keys);
    }
    [[nodiscard]] std::uint32_t longest(std::string_view number) const {
        agent_.set_query(number.data(), number.size());
        std::uint32_t found = kNothing;
        while (trie_.common_prefix_search(agent_))
            found = static_cast<std::uint32_t>(agent_.key().id());
        return found;
    }

  private:
    marisa::Trie trie_;
    mutable marisa::Agent agent_;
};
void BM_Marisa_Longest(benchmark::State& state) {
    search_made<MarisaTrie>(state);
}
BENCHMARK(BM_Marisa_Longest)->ArgName("dependent")->Arg(0)->Arg(1);

// Darts: a double array, two loads a digit, one after the other. Guess: 100 ns.
class DartsArray {
  public:
    explicit DartsArray(const std::vector<Prefix>& prefixes) {
        const auto texts = texts_of(prefixes);
        std::vector<const char*> keys;
        for (const auto& text : texts)
            keys.push_back(text.c_str());
        darts_.build(keys.size(), keys.data());
    }
    [[nodiscard]] std::uint32_t longest(std::string_view number) const {
        std::array<int, rating::kPrefixDigitsMax> found{};
        const std::size_t count =
            darts_.commonPrefixSearch(number.data(), found.data(), found.size(), number.size());
        return count == 0 ? kNothing : static_cast<std::uint32_t>(found[count - 1]);
    }

  private:
    // Its search is not const.
    mutable Darts::DoubleArray darts_;
};
void BM_Darts_Longest(benchmark::State& state) {
    search_made<DartsArray>(state);
}
BENCHMARK(BM_Darts_Longest)->ArgName("dependent")->Arg(0)->Arg(1);

// A sorted list: the last prefix not behind the number, and from it on to the next shorter one it lies below.
// (Searching for every length on its own takes four times as long.)
// Guess: 18 steps of which six miss the caches, and mispredicted branches: 200 ns.
class SortedList {
  public:
    explicit SortedList(const std::vector<Prefix>& prefixes) : prefixes_(prefixes) {
        shorter_.reserve(prefixes.size());
        for (std::size_t i = 0; i < prefixes.size(); ++i) {
            std::uint32_t above = i == 0 ? kNothing : static_cast<std::uint32_t>(i - 1);
            while (above != kNothing && !prefixes[above].begins(prefixes[i]))
                above = shorter_[above];
            shorter_.push_back(above);
        }
    }
    [[nodiscard]] std::uint32_t longest(std::string_view number) const {
        const auto digits = Prefix::parse(number.substr(0, rating::kPrefixDigitsMax));
        const auto behind = std::upper_bound(prefixes_.begin(), prefixes_.end(), *digits);
        if (behind == prefixes_.begin()) return kNothing;
        auto at = static_cast<std::uint32_t>(behind - prefixes_.begin() - 1);
        while (at != kNothing && !prefixes_[at].begins(*digits))
            at = shorter_[at];
        return at;
    }

  private:
    std::vector<Prefix> prefixes_;
    std::vector<std::uint32_t> shorter_;
};
void BM_SortedList_Longest(benchmark::State& state) {
    search_made<SortedList>(state);
}
BENCHMARK(BM_SortedList_Longest)->ArgName("dependent")->Arg(0)->Arg(1);

// A hash table for every length, the longest first: what is written first. Guess: five tables asked, each a
// bucket and a node that are in no cache: 200 ns overlapped, 400 ns alone.
class HashTables {
  public:
    explicit HashTables(const std::vector<Prefix>& prefixes) {
        std::array<std::size_t, rating::kPrefixDigitsMax + 1> counts{};
        for (const Prefix prefix : prefixes)
            ++counts[prefix.size()];
        for (std::size_t size = 0; size < counts.size(); ++size)
            tables_[size].reserve(counts[size]);
        std::uint32_t place = 0;
        for (const Prefix prefix : prefixes)
            tables_[prefix.size()].emplace(value_of(prefix.text().view()), place++);
        while (longest_ > 0 && tables_[longest_].empty())
            --longest_;
    }
    [[nodiscard]] std::uint32_t longest(std::string_view number) const {
        const std::size_t most = std::min(number.size(), longest_);
        std::uint64_t value = value_of(number.substr(0, most));
        for (std::size_t size = most; size > 0; --size, value /= 10) {
            const auto found = tables_[size].find(value);
            if (found != tables_[size].end()) return found->second;
        }
        return kNothing;
    }

  private:
    static std::uint64_t value_of(std::string_view digits) noexcept {
        std::uint64_t value = 0;
        for (const char digit : digits)
            value = value * 10 + static_cast<std::uint64_t>(digit - '0');
        return value;
    }
    std::array<std::unordered_map<std::uint64_t, std::uint32_t>, rating::kPrefixDigitsMax + 1> tables_;
    std::size_t longest_ = rating::kPrefixDigitsMax;
};
void BM_HashTables_Longest(benchmark::State& state) {
    search_made<HashTables>(state);
}
BENCHMARK(BM_HashTables_Longest)->ArgName("dependent")->Arg(0)->Arg(1);

// One lookup with its row, as a call does it: the edition in force, the place of the number, the tariff's row
// there, and its price.
// Guess: the search, and three loads more that miss: column, row and rate. 35 ns overlapped, 100 ns alone.
void BM_TariffBook_Find(benchmark::State& state) {
    static const auto book = [] {
        auto made = std::make_unique<rating::TariffBook>(1);
        made->put_settings("tariff", {});
        made->put_deck("tariff", deck_of(market_prefixes(kPrefixes), 1));
        return made;
    }();
    const auto tariff = *book->find("tariff");
    search(state, kPrefixes, [tariff](std::string_view number) {
        const auto reading = book->read();
        const auto found = reading.find(tariff, reading.place(number), {});
        return found.rate == nullptr ? kNothing : static_cast<std::uint32_t>(found.rate->price.nanos());
    });
    const auto counts = book->counts();
    state.counters["tree_and_column_bytes_per_prefix"] =
        static_cast<double>(counts.tree_bytes) / double{kPrefixes};
}
BENCHMARK(BM_TariffBook_Find)->ArgName("dependent")->Arg(0)->Arg(1);

}  // namespace
}  // namespace tollgate::bench
