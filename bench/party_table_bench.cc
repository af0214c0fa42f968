#include <cstdlib>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>

#include <benchmark/benchmark.h>

#include "balance/party_table.h"

namespace tollgate::bench {
namespace {

using namespace balance;

/// Customers with a line each below resellers below one provider. TOLLGATE_BENCH_PARTIES says how many
/// parties the large table has, 100,000 where nobody says: ten million take 2 GB.
struct Tree {
    explicit Tree(std::size_t parties) : table{1, parties + kRoom}, count(parties) {
        add("provider", kNoParty, PartyKind::provider);
        for (std::size_t i = 0; i < kResellers && table.size() < parties; ++i)
            add("reseller-" + std::to_string(i), table.root(), PartyKind::reseller);
        const std::size_t resellers = table.size() - 1;
        for (std::size_t i = 0; table.size() < parties; ++i) {
            const auto reseller = static_cast<PartyId>(1 + i % resellers);
            const PartyId customer = add("customer-" + std::to_string(i), reseller, PartyKind::customer);
            if (table.size() < parties) add("line-" + std::to_string(i), customer, PartyKind::line);
        }
    }
    PartyId add(std::string id, PartyId parent, PartyKind kind) {
        PartySource source;
        source.id = std::move(id);
        source.parent = parent;
        source.kind = kind;
        source.currency = *rating::Currency::parse("EUR");
        return table.add(source);
    }

    static constexpr std::size_t kResellers = 1'000;
    static constexpr std::size_t kRoom = 2'000'000;  ///< For what a benchmark adds.
    PartyTable table;
    std::size_t count;
};

std::size_t large() {
    const char* const text = std::getenv("TOLLGATE_BENCH_PARTIES");
    return text == nullptr ? 100'000 : std::strtoull(text, nullptr, 10);
}

/// One of ten parties and the large one, each made when it is first wanted.
Tree& tree(bool is_large) {
    static std::unique_ptr<Tree> trees[2];
    auto& wanted = trees[is_large ? 1 : 0];
    if (wanted == nullptr) wanted = std::make_unique<Tree>(is_large ? large() : 10);
    return *wanted;
}

void name(benchmark::State& state, const Tree& tree) {
    state.SetLabel(std::to_string(tree.count) + " parties");
    state.SetItemsProcessed(state.iterations());
}

// One customer more. Guess: 150 ns with ten parties, most of it fresh memory; 500 ns with ten million, where
// a slot of the index, the parent and the sibling before are cache misses.
void BM_PartyTable_Add(benchmark::State& state) {
    Tree& among = tree(state.range(0) != 0);
    PartySource source;
    source.currency = *rating::Currency::parse("EUR");
    static std::size_t number = 0;
    for ([[maybe_unused]] auto _ : state) {
        source.id = "added-" + std::to_string(++number);
        source.parent = static_cast<PartyId>(1 + number % std::min<std::size_t>(among.count - 1, 1'000));
        benchmark::DoNotOptimize(among.table.add(source));
    }
    name(state, among);
}
BENCHMARK(BM_PartyTable_Add)->Arg(0)->Arg(1)->Iterations(200'000);

// Guess: 25 ns with ten parties, three misses of 100 ns with ten million: slot, party, text of its id.
void BM_PartyTable_Find(benchmark::State& state) {
    Tree& among = tree(state.range(0) != 0);
    std::size_t number = 0;
    for ([[maybe_unused]] auto _ : state) {
        number = (number + 7'919) % among.count;
        const auto& id = among.table.get(static_cast<PartyId>(number)).id;
        benchmark::DoNotOptimize(among.table.find(id));
    }
    name(state, among);
}
BENCHMARK(BM_PartyTable_Find)->Arg(0)->Arg(1);

// What the standard library has for it: which must not be asked while another thread adds. Guess: 30 ns with
// ten parties; with ten million a miss more than ours, its nodes being of one party each: 400 ns.
void BM_UnorderedMap_FindParty(benchmark::State& state) {
    Tree& among = tree(state.range(0) != 0);
    struct Hash {
        using is_transparent = void;
        std::size_t operator()(std::string_view id) const noexcept {
            return std::hash<std::string_view>{}(id);
        }
    };
    static std::unordered_map<std::string, PartyId, Hash, std::equal_to<>> indexes[2];
    auto& index = indexes[state.range(0) != 0 ? 1 : 0];
    for (std::size_t i = index.size(); i < among.count; ++i)
        index.emplace(among.table.get(static_cast<PartyId>(i)).id, static_cast<PartyId>(i));
    std::size_t number = 0;
    for ([[maybe_unused]] auto _ : state) {
        number = (number + 7'919) % among.count;
        const auto& id = among.table.get(static_cast<PartyId>(number)).id;
        benchmark::DoNotOptimize(&among.table.get(index.find(id)->second));
    }
    name(state, among);
}
BENCHMARK(BM_UnorderedMap_FindParty)->Arg(0)->Arg(1);

// A page of 100 parties, read from a place in the middle of the provider's subtree. Guess: 2 ns a party with
// ten (there are 10 of them on a page), 150 ns a party with ten million: links and party are a miss each.
void BM_PartyTable_Page(benchmark::State& state) {
    Tree& among = tree(state.range(0) != 0);
    std::size_t number = 0;
    for ([[maybe_unused]] auto _ : state) {
        number = (number + 7'919) % among.count;
        auto at = static_cast<PartyId>(number);
        std::size_t bytes = 0;
        for (int i = 0; i < 100 && at != kNoParty; ++i) {
            bytes += among.table.get(at).id.size();
            at = among.table.next_in_subtree(at, among.table.root());
        }
        benchmark::DoNotOptimize(bytes);
    }
    name(state, among);
}
BENCHMARK(BM_PartyTable_Page)->Arg(0)->Arg(1);

// Whether a line stands below the provider: two steps up. Guess: 5 ns, and two misses.
void BM_PartyTable_IsBelow(benchmark::State& state) {
    Tree& among = tree(state.range(0) != 0);
    std::size_t number = 0;
    for ([[maybe_unused]] auto _ : state) {
        number = (number + 7'919) % among.count;
        benchmark::DoNotOptimize(among.table.is_below(static_cast<PartyId>(number), among.table.root()));
    }
    name(state, among);
}
BENCHMARK(BM_PartyTable_IsBelow)->Arg(0)->Arg(1);

}  // namespace
}  // namespace tollgate::bench
