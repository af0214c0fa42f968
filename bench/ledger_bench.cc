#include <benchmark/benchmark.h>

#include "balance/ledger.h"

namespace tollgate::bench {
namespace {

using namespace balance;

/// A provider, one shared reseller, and for each thread a reseller, a customer and a line of its own.
struct Chains {
    Chains() {
        const auto add = [this](const std::string& id, PartyKind kind, PartyId parent) {
            PartySource source;
            source.id = id;
            source.kind = kind;
            source.parent = parent;
            source.currency = *rating::Currency::parse("EUR");
            source.credit_limit = rating::kAmountMax;
            return parties.add(source);
        };
        root = add("root", PartyKind::provider, kNoParty);
        shared = add("shared", PartyKind::reseller, root);
        for (int i = 0; i < 8; ++i) {
            const std::string number = std::to_string(i);
            resellers[i] = add("r" + number, PartyKind::reseller, shared);
            customers[i] = add("c" + number, PartyKind::customer, resellers[i]);
            lines[i] = add("l" + number, PartyKind::line, customers[i]);
        }
    }
    PartyTable parties{1, 100};
    Ledger ledger{parties};
    PartyId root, shared;
    PartyId resellers[8], customers[8], lines[8];
};

// Holding three levels and closing the call, slots of a five-party path included: 5 compare-exchanges and 5
// adds to begin and confirm, 3 + 3 to hold, 3 x 3 to settle, 5 to close: 33 locked operations of 5 ns. Guess:
// 165 ns with one thread; with two that share the reseller and the root, twice that or more.
void BM_Ledger_OpenClose(benchmark::State& state) {
    static Chains chains;
    const auto own = static_cast<std::size_t>(state.thread_index());
    const Path path{chains.parties, chains.lines[own]};
    SessionLevel levels[3];
    levels[0].payer = chains.customers[own];
    levels[0].seller = levels[1].payer = chains.resellers[own];
    levels[1].seller = levels[2].payer = chains.shared;
    levels[2].seller = chains.root;
    const Money holds[3] = {Money::from_micros(300), Money::from_micros(200), Money::from_micros(100)};
    const Money nothing[3] = {};
    for ([[maybe_unused]] auto _ : state) {
        if (chains.ledger.try_open(path, levels, holds).status != Ledger::HoldStatus::held)
            state.SkipWithError("refused");
        Ledger::Returns returns;
        chains.ledger.settle(levels, nothing, returns);
        chains.ledger.give_back(levels, returns);
        Ledger::leave(path);
    }
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_Ledger_OpenClose)->Threads(1)->Threads(2)->UseRealTime();

}  // namespace
}  // namespace tollgate::bench
