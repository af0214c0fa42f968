// Random calls with what slow_rater makes of them, one JSON object a line, for another rater to check.
//
//   slow_rater_vectors COUNT SEED
//
// Most walks are short, since the one who checks may be slow; long ones are rarer the longer they are. Exit 1
// where a longest call is not the longest.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <stdexcept>
#include <string>

#include "tests/rating/reference/random_tariff.h"
#include "tests/rating/reference/slow_rater.h"

namespace {

using namespace tollgate::reference;
using std::chrono::seconds;

constexpr int kCallsPerTariff = 4;
constexpr std::int64_t kStepsFree = 600;
/// Whoever searches for the longest call walks about this often.
constexpr std::int64_t kWalksPerSearch = 12;

bool short_enough(std::mt19937_64& engine, std::int64_t steps) {
    return engine() % static_cast<std::uint64_t>(std::max<std::int64_t>(steps, 1)) < kStepsFree;
}

/// `cost(max) <= funds < cost(max + 1)`, as far as `want` allows.
void check_longest(const Tariff& tariff, const RandomCall& call, seconds longest) {
    const bool affordable =
        longest == seconds{0} || *cost(tariff, call.digits, call.start, longest) <= call.funds;
    const bool maximal = longest == call.want || call.funds < Amount{} ||
                         *cost(tariff, call.digits, call.start, longest + seconds{1}) > call.funds;
    if (!affordable || !maximal) {
        throw std::runtime_error("not the longest call: " + std::to_string(longest.count()) + " s from " +
                                 text(call.start) + " to " + call.digits + " with " + settings_json(tariff) +
                                 '\n' + deck_csv(tariff));
    }
}

void print_vectors(std::int64_t count, std::uint64_t seed) {
    std::mt19937_64 engine{seed};
    std::int64_t printed = 0;
    while (printed < count) {
        const RandomTariff random = random_tariff(engine);
        const Tariff& tariff = random.tariff;
        for (int i = 0; i < kCallsPerTariff && printed < count; ++i) {
            const RandomCall call = random_call(engine, random);
            const bool asks_longest = engine() % 3 == 0;
            std::string question;
            if (asks_longest) {
                const auto steps = step_count(tariff, call.digits, call.start, call.want);
                const auto longest = max_seconds(tariff, call.digits, call.start, call.funds, call.want);
                if (!longest || !short_enough(engine, steps * kWalksPerSearch)) continue;
                check_longest(tariff, call, *longest);
                question = "\"want\":" + std::to_string(call.want.count()) +
                           ",\"funds\":" + json_string(text(call.funds)) +
                           ",\"max_seconds\":" + std::to_string(longest->count());
            } else {
                if (!short_enough(engine, step_count(tariff, call.digits, call.start, call.seconds)))
                    continue;
                const auto price = cost(tariff, call.digits, call.start, call.seconds);
                question = "\"used\":" + json_string(text(call.used)) +
                           ",\"cost\":" + (price ? json_string(text(*price)) : "null");
            }
            std::cout << "{\"id\":\"" << seed << '-' << printed << "\",\"tariff\":" << settings_json(tariff)
                      << ",\"deck\":" << json_string(deck_csv(tariff)) << ",\"destination\":\"" << call.digits
                      << "\",\"start\":\"" << text(call.start) << "\"," << question << "}\n";
            ++printed;
        }
    }
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 3) {
        std::fputs("usage: slow_rater_vectors COUNT SEED\n", stderr);
        return EXIT_FAILURE;
    }
    try {
        print_vectors(std::stoll(argv[1]), std::stoull(argv[2]));
    } catch (const std::exception& error) {
        std::fprintf(stderr, "slow_rater_vectors: %s\n", error.what());
        return EXIT_FAILURE;
    }
    return std::cout.flush() ? EXIT_SUCCESS : EXIT_FAILURE;
}
