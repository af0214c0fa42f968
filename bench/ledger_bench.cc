#include <array>
#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>

#include <benchmark/benchmark.h>

#include "balance/ledger.h"
#include "bench/own_processor.h"

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
// adds to begin and confirm, 3 to hold, 3 to give back, 5 to close: 21 locked operations. Guess, by counting
// 33 of 5 ns: 165 ns with one thread; with two that share the reseller and the root, twice that or more.
void BM_Ledger_OpenClose(benchmark::State& state) {
    const OwnProcessor own_processor{state};
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

/// A party as the simplest ledger has it.
struct alignas(64) PlainParty {
    std::int64_t available = INT64_C(1'000'000'000'000);
    std::int64_t balance = 0;
    std::int64_t revenue = 0;
    std::uint32_t calls = 0;
};
/// The same chains: the provider, the shared reseller, and a reseller, a customer and a line for each thread.
struct PlainChain {
    explicit PlainChain(std::size_t own)
        : path{&parties[2 + 3 * own], &parties[3 + 3 * own], &parties[4 + 3 * own], &parties[1],
               &parties[0]} {}
    static inline std::array<PlainParty, 2 + 3 * 8> parties;
    std::array<PlainParty*, 5> path;  ///< From the line up; those at 1, 2 and 3 pay.
};
constexpr std::array<std::int64_t, 3> kPlainHolds = {300, 200, 100};

// All of it under one mutex: what one would write first. Guess: 50 ns with one thread, two locks of 15 ns and
// plain additions; with two threads whoever wants the lock sleeps, 300 ns.
void BM_MutexLedger_OpenClose(benchmark::State& state) {
    const OwnProcessor own_processor{state};
    static std::mutex mutex;
    const PlainChain chain{static_cast<std::size_t>(state.thread_index())};
    for ([[maybe_unused]] auto _ : state) {
        {
            const std::lock_guard lock{mutex};
            bool has_funds = true;
            for (std::size_t level = 0; level < kPlainHolds.size(); ++level)
                has_funds = has_funds && chain.path[level + 1]->available >= kPlainHolds[level];
            if (!has_funds) state.SkipWithError("refused");
            for (PlainParty* const party : chain.path)
                ++party->calls;
            for (std::size_t level = 0; level < kPlainHolds.size(); ++level)
                chain.path[level + 1]->available -= kPlainHolds[level];
        }
        const std::lock_guard lock{mutex};
        for (std::size_t level = 0; level < kPlainHolds.size(); ++level) {
            chain.path[level + 1]->available += kPlainHolds[level];
            benchmark::DoNotOptimize(chain.path[level + 1]->balance -= 0);
            benchmark::DoNotOptimize(chain.path[level + 2]->revenue += 0);
        }
        for (PlainParty* const party : chain.path)
            --party->calls;
    }
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_MutexLedger_OpenClose)->Threads(1)->Threads(2)->UseRealTime();

// Only the funds of three levels, by compare-exchange, and back by addition: the least that atomics can do.
// It limits no calls, and a refusal may be one that nobody would have got alone. Guess: 6 locked operations
// of 5 ns; with two threads the shared reseller's line goes to and fro, 150 ns.
void BM_AtomicFunds_OpenClose(benchmark::State& state) {
    const OwnProcessor own_processor{state};
    const PlainChain chain{static_cast<std::size_t>(state.thread_index())};
    for ([[maybe_unused]] auto _ : state) {
        for (std::size_t level = 0; level < kPlainHolds.size(); ++level) {
            const std::atomic_ref<std::int64_t> available{chain.path[level + 1]->available};
            std::int64_t before = available.load(std::memory_order_relaxed);
            do {
                if (before < kPlainHolds[level]) state.SkipWithError("refused");
            } while (!available.compare_exchange_weak(before, before - kPlainHolds[level],
                                                      std::memory_order_acq_rel, std::memory_order_relaxed));
        }
        for (std::size_t level = 0; level < kPlainHolds.size(); ++level) {
            const std::atomic_ref<std::int64_t> available{chain.path[level + 1]->available};
            available.fetch_add(kPlainHolds[level], std::memory_order_acq_rel);
        }
    }
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_AtomicFunds_OpenClose)->Threads(1)->Threads(2)->UseRealTime();

}  // namespace
}  // namespace tollgate::bench
