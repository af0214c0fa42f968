// From what was dialled to the number that is rated, beside what else is done for it.

#include <array>
#include <cstdlib>
#include <optional>
#include <regex>
#include <string>
#include <string_view>
#include <vector>

#include <benchmark/benchmark.h>

#include "daemon/dial_plan.h"

namespace tollgate::bench {
namespace {

using daemon::DialPlan;
using daemon::DialRule;

constexpr std::array<std::string_view, 4> kDialled = {"00441632960123", "0301234567", "491712345678",
                                                      "1199003012345"};

/// International, national, and others behind them: a carrier selection code each.
std::vector<DialRule> rules(std::int64_t count) {
    std::vector<DialRule> made{{"00", 2, ""}, {"0", 1, "49"}};
    for (std::int64_t code = 0; std::int64_t{2} + code < count; ++code)
        made.push_back({"1" + std::to_string(100 + code), 4, ""});
    return made;
}

template <typename Apply>
void dial(benchmark::State& state, const Apply& apply) {
    std::size_t i = 0;
    for ([[maybe_unused]] auto _ : state)
        benchmark::DoNotOptimize(apply(kDialled[i++ % kDialled.size()]));
    state.SetItemsProcessed(state.iterations());
}

// A plan of so many rules; one in four numbers meets none of the first two. Guess: 15 ns with two rules, most
// of it the copy of the digits; 2 ns more for each rule that is looked at.
void BM_DialPlan_Apply(benchmark::State& state) {
    const DialPlan plan{rules(state.range(0))};
    dial(state, [&plan](std::string_view dialled) { return plan.apply(dialled); });
}
BENCHMARK(BM_DialPlan_Apply)->ArgName("rules")->Arg(2)->Arg(20)->Arg(200);

// The same rules as regular expressions, as most switches have them. Guess: 200 ns a rule, and strings.
void BM_Regex_Dial(benchmark::State& state) {
    struct Rule {
        std::regex match;
        std::string replacement;
    };
    std::vector<Rule> made;
    for (const DialRule& rule : rules(state.range(0))) {
        std::string kept = rule.prepend;
        kept.append("$1");
        made.push_back({std::regex{"^" + rule.match + "(.*)$", std::regex::optimize}, std::move(kept)});
    }
    dial(state, [&made](std::string_view dialled) {
        std::cmatch found;
        for (const Rule& rule : made) {
            if (std::regex_match(dialled.begin(), dialled.end(), found, rule.match))
                return found.format(rule.replacement);
        }
        return std::string{dialled};
    });
}
BENCHMARK(BM_Regex_Dial)->ArgName("rules")->Arg(2)->Arg(20)->Arg(200);

}  // namespace
}  // namespace tollgate::bench
