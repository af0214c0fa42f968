#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "bench/invented_deck.h"
#include "daemon/catalog.h"
#include "daemon/charging.h"
#include "daemon/state.h"

namespace tollgate::bench {
namespace {

using namespace daemon;
using std::chrono::seconds;

/// Lines below resellers below one shared parent; three paying levels with a deck each.
struct World {
    explicit World(std::size_t line_count)
        : state{{.parties_max = 3 * line_count + 10'000,
                 .sessions = {.remember_bytes = 64 * 1'024 * 1'024},
                 .hash_key = 1}} {
        const auto prefixes = invented_prefixes(250'000);
        numbers = invented_numbers(prefixes, 65'536);
        for (unsigned level = 1; level <= 3; ++level) {
            const std::string id = "deck" + std::to_string(level);
            rating::TariffSettings settings;
            settings.currency = *rating::Currency::parse("EUR");
            tariffs.put_settings(id, settings);
            tariffs.put_deck(id, invented_deck(prefixes, level));
        }
        std::vector<PartyDraft> drafts;
        const auto add = [&drafts](std::string id, std::string parent, balance::PartyKind kind,
                                   const char* tariff) {
            PartyDraft draft;
            draft.id = std::move(id);
            draft.parent = std::move(parent);
            draft.kind = kind;
            if (draft.parent.empty()) draft.currency = rating::Currency::parse("EUR");
            if (tariff != nullptr) draft.tariff = tariff;
            if (kind == balance::PartyKind::customer || kind == balance::PartyKind::reseller) {
                draft.credit_limit = rating::Money::from_micros(1'000'000'000'000'000);
            }
            drafts.push_back(std::move(draft));
        };
        add("provider", "", balance::PartyKind::provider, nullptr);
        add("shared", "provider", balance::PartyKind::reseller, "deck3");
        for (int i = 0; i < 1'000; ++i)
            add("r" + std::to_string(i), "shared", balance::PartyKind::reseller, "deck2");
        for (std::size_t i = 0; i < line_count; ++i) {
            const std::string number = std::to_string(i);
            add("c" + number, "r" + std::to_string(i % 1'000), balance::PartyKind::customer, "deck1");
            add("l" + number, "c" + number, balance::PartyKind::line, nullptr);
            lines.push_back("l" + number);
        }
        if (!catalog.add(drafts).empty()) std::abort();
    }
    State state;
    rating::TariffBook& tariffs = state.tariffs;
    Catalog& catalog = state.catalog;
    Charging charging{tariffs, state.parties, state.ledger, state.sessions, state.events, {}};
    std::vector<std::string> lines;
    std::vector<std::string> numbers;
};

// AUTHORIZE and STOP of one call without wire and sockets, lines and numbers in random order: rating three
// levels, the ledger and the session table, and the cache misses of all of them, one after the other. Guess:
// 3 us a pair with a hundred thousand lines, two thirds of it waiting for memory.
void BM_Charging_Pair(benchmark::State& state) {
    World world{static_cast<std::size_t>(state.range(0))};
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
