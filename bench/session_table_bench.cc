#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include <benchmark/benchmark.h>

#include "balance/session_table.h"
#include "bench/own_processor.h"

namespace tollgate::bench {
namespace {

using namespace balance;

// Opening, publishing and ending a session of three levels, of which so many are open: two searches, two
// moves in a heap, four times a stripe's lock. Guess: 200 ns with a thousand open sessions, 500 with a
// million, all of the difference cache misses. With two threads the same a thread: that is what says the
// stripes' locks are free.
void BM_SessionTable_OpenEnd(benchmark::State& state) {
    const OwnProcessor own{state};
    static SessionTable* table = nullptr;
    if (state.thread_index() == 0) {
        table = new SessionTable{1, {.remember_bytes = 0}};
        for (std::int64_t i = 0; i < state.range(0); ++i) {
            auto opening = table->claim_or_open("standing-" + std::to_string(i), 3);
            opening.claim->state = SessionState::authorized;
            opening.claim->deadline = std::chrono::hours{1} + std::chrono::microseconds{i};
            table->publish_open(std::move(opening.claim));
        }
    }
    char id[] = "bench-0-00000000";
    id[6] = static_cast<char>('0' + state.thread_index());
    std::uint32_t number = 0;
    for ([[maybe_unused]] auto _ : state) {
        std::uint32_t rest = ++number;
        for (int digit = 15; digit > 7; --digit, rest /= 10)
            id[digit] = static_cast<char>('0' + rest % 10);
        const std::string_view name{id, 16};
        auto opening = table->claim_or_open(name, 3);
        opening.claim->state = SessionState::authorized;
        opening.claim->deadline = std::chrono::hours{2} + std::chrono::microseconds{number};
        table->publish_open(std::move(opening.claim));
        auto claim = table->claim(name);
        claim->state = SessionState::stopped;
        table->publish_ended(std::move(claim), std::chrono::hours{1});
    }
    state.SetItemsProcessed(state.iterations());
    if (state.thread_index() == 0) {
        const auto counts = table->counts();
        state.counters["bytes_per_session"] =
            static_cast<double>(counts.bytes) / static_cast<double>(state.range(0));
        state.counters["bytes_with_index"] =
            static_cast<double>(counts.memory_bytes) / static_cast<double>(state.range(0));
        delete table;
        table = nullptr;
    }
}
BENCHMARK(BM_SessionTable_OpenEnd)->Arg(1'000)->Threads(1)->Threads(2)->UseRealTime();
BENCHMARK(BM_SessionTable_OpenEnd)->Arg(1'000'000)->Iterations(1'000'000)->UseRealTime();

/// Sessions of the standard library's: a hash table by id, and those that are open in the order of their
/// deadlines.
struct MapOfSessions {
    struct Entry {
        std::array<std::byte, 512> session;  ///< As large as one of three levels.
        std::multimap<std::chrono::nanoseconds, const std::string*>::iterator expires;
    };
    void open(std::string_view id, std::chrono::nanoseconds deadline) {
        const std::lock_guard lock{mutex};
        const auto [at, fresh] = sessions.try_emplace(std::string{id});
        if (!fresh) std::abort();
        at->second.expires = deadlines.emplace(deadline, &at->first);
    }
    void end(std::string_view id) {
        const std::lock_guard lock{mutex};
        const auto at = sessions.find(std::string{id});
        deadlines.erase(at->second.expires);
        sessions.erase(at);
    }
    std::mutex mutex;
    std::unordered_map<std::string, Entry> sessions;
    std::multimap<std::chrono::nanoseconds, const std::string*> deadlines;
};

// The same with what the standard library has, under one mutex. Guess: 300 ns with a thousand open sessions,
// four allocations among them; with a million 1 us, and two threads are slower than one.
void BM_MutexMap_OpenEnd(benchmark::State& state) {
    const OwnProcessor own{state};
    static std::unique_ptr<MapOfSessions> table;
    if (state.thread_index() == 0) {
        table = std::make_unique<MapOfSessions>();
        for (std::int64_t i = 0; i < state.range(0); ++i)
            table->open("standing-" + std::to_string(i),
                        std::chrono::hours{1} + std::chrono::microseconds{i});
    }
    char id[] = "bench-0-00000000";
    id[6] = static_cast<char>('0' + state.thread_index());
    std::uint32_t number = 0;
    for ([[maybe_unused]] auto _ : state) {
        std::uint32_t rest = ++number;
        for (int digit = 15; digit > 7; --digit, rest /= 10)
            id[digit] = static_cast<char>('0' + rest % 10);
        const std::string_view name{id, 16};
        table->open(name, std::chrono::hours{2} + std::chrono::microseconds{number});
        table->end(name);
    }
    state.SetItemsProcessed(state.iterations());
    if (state.thread_index() == 0) table.reset();
}
BENCHMARK(BM_MutexMap_OpenEnd)->Arg(1'000)->Threads(1)->Threads(2)->UseRealTime();
BENCHMARK(BM_MutexMap_OpenEnd)->Arg(1'000'000)->Iterations(1'000'000)->UseRealTime();

}  // namespace
}  // namespace tollgate::bench
