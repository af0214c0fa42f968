#include <string>

#include <benchmark/benchmark.h>

#include "bench/charging_world.h"

namespace tollgate::bench {
namespace {

using namespace daemon;
using std::chrono::seconds;

// AUTHORIZE and STOP of one call without wire and sockets, lines and numbers in random order: rating three
// levels, the ledger and the session table, and the cache misses of all of them, one after the other. Guess:
// 3 us a pair with a hundred thousand lines, two thirds of it waiting for memory.
void BM_Charging_Pair(benchmark::State& state) {
    ChargingWorld world{static_cast<std::size_t>(state.range(0))};
    Moment now{rating::Instant{seconds{1'772'409'600}}, std::chrono::hours{1}};
    std::uint64_t call = 0;
    for ([[maybe_unused]] auto _ : state) {
        ++call;
        const std::string id = std::to_string(call);
        AuthorizeRequest request;
        request.line = world.lines[call * 7'919 % world.lines.size()];
        request.destination = world.numbers[call * 104'729 % world.numbers.size()];
        request.session = id;
        request.want = seconds{300};
        if (!world.charging.authorize(request, now).granted_any()) state.SkipWithError("refused");
        benchmark::DoNotOptimize(
            world.charging.stop({.session = id, .used = seconds{60}, .at = {}, .cause = {}}, now));
    }
    state.SetItemsProcessed(state.iterations());
}
BENCHMARK(BM_Charging_Pair)->Arg(100)->Arg(100'000);

}  // namespace
}  // namespace tollgate::bench
