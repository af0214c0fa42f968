// Random calls over random tariffs with every feature: what rating/ says against what the slow rater says.
//
//   rating_differential CALLS [SEED]
//
// Each call is compared in its matched prefix, its cost and its longest affordable time; and rating/ by
// itself in cost(longest) <= funds < cost(longest + 1). Uses all processors; the same seed gives the same
// calls. Exit 1 at the first difference, with a vector that shows it.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <iostream>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <unistd.h>

#include "daemon/time_zones.h"
#include "rating/charge.h"
#include "rating/deck_csv.h"
#include "rating/tariff_book.h"
#include "tests/rating/reference/random_tariff.h"
#include "tests/rating/reference/slow_rater.h"
#include "tests/rating/reference/tariff_text.h"

namespace {

namespace reference = tollgate::reference;
namespace rating = tollgate::rating;
using std::chrono::seconds;

constexpr std::int64_t kCallsPerTariff = 50;
/// The slow rater walks at most about so many steps for one answer; calls with more are left out.
constexpr std::int64_t kStepsMax = 20'000;

template <typename Bits>
Bits bits_or_all(std::uint32_t bits, unsigned first, Bits all) {
    return bits == 0 ? all : static_cast<Bits>(bits >> first);
}

rating::TariffSettings settings_of(const reference::Tariff& tariff,
                                   const tollgate::daemon::TimeZones& zones) {
    rating::TariffSettings settings;
    settings.currency = *rating::Currency::parse("EUR");
    settings.decimals = static_cast<std::uint8_t>(tariff.decimals);
    settings.rounding = static_cast<rating::Rounding>(tariff.rounding);
    settings.anchor = static_cast<rating::IncrementAnchor>(tariff.anchor);
    settings.markup = tariff.markup;
    settings.time_zone = tariff.time_zone;
    settings.zone = zones.find(tariff.time_zone);
    for (const auto& window : tariff.windows) {
        auto& mine = settings.windows.emplace_back(rating::Window{window.name, {}});
        for (const auto& range : window.ranges) {
            using Range = rating::ClockRange;
            mine.ranges.push_back({.days = bits_or_all(range.days, 0, Range::kAllDays),
                                   .months = bits_or_all(range.months, 1, Range::kAllMonths),
                                   .month_days = bits_or_all(range.month_days, 1, Range::kAllMonthDays),
                                   .from = static_cast<std::int32_t>(range.from.count()),
                                   .until = static_cast<std::int32_t>(range.until.count())});
        }
    }
    return settings;
}

std::string shown(std::optional<reference::Amount> amount) {
    return amount ? reference::text(*amount) : "none";
}
std::string shown(rating::Money amount) {
    return amount == rating::kCostTooLarge ? "too large" : std::string{rating::format(amount).view()};
}
bool same(reference::Amount expected, rating::Money found) {
    if (expected.micros > rating::kAmountMax.micros()) return found == rating::kCostTooLarge;
    return expected.micros == found.micros();
}

/// What is wrong with the answers for a call; empty: nothing. Throws what the slow rater throws.
std::string difference(const reference::Tariff& tariff, const rating::TariffBook::Reading& reading,
                       rating::TariffId id, const reference::RandomCall& call) {
    const auto match = reference::match(tariff, call.digits, call.start);
    const auto [row, rate] = reading.find(id, reading.place(call.digits), call.start);
    if ((row == rating::Deck::kNoRow) != !match) return match ? "found no row" : "found a row";
    if (!match) return {};
    const rating::TariffVersion& version = reading.version(id);
    const rating::RatedCall rated{&version, rate, row, call.start};
    if (version.deck->prefix(row).text().view() != match->row->prefix)
        return "matched " + std::string{version.deck->prefix(row).text().view()};

    const auto expected = reference::cost(tariff, call.digits, call.start, call.seconds);
    const rating::Money found = rating::cost(rated, call.seconds);
    if (!expected || !same(*expected, found)) return "cost " + shown(found) + ", expected " + shown(expected);

    const auto funds = rating::Money::from_micros(static_cast<std::int64_t>(call.funds.micros));
    const seconds longest = rating::longest_affordable(rated, funds);
    const auto expected_longest =
        reference::max_seconds(tariff, call.digits, call.start, call.funds, call.want);
    if (!expected_longest || std::min(longest, call.want) != *expected_longest) {
        return "longest " + std::to_string(longest.count()) + ", expected " +
               std::to_string(expected_longest.value_or(seconds{-1}).count());
    }
    const seconds limited = rating::longest_affordable(rated, funds, call.want);
    if (std::min(limited, call.want) != *expected_longest) return "longest differs with a limit";
    const bool affordable =
        longest == seconds{0} || longest == rating::kUnlimited || rating::cost(rated, longest) <= funds;
    const bool maximal = longest == rating::kUnlimited || funds < rating::Money{} ||
                         rating::cost(rated, longest + seconds{1}) > funds;
    if (!affordable || !maximal) return "longest " + std::to_string(longest.count()) + " is not the longest";
    return {};
}

/// What is wrong with the answers for a call that begins on bundled seconds; empty: nothing.
std::string bundle_difference(const reference::Tariff& tariff, const rating::TariffBook::Reading& reading,
                              rating::TariffId id, const reference::RandomCall& call, seconds bundled) {
    const auto [row, rate] = reading.find(id, reading.place(call.digits), call.start);
    if (rate == nullptr) return {};
    const rating::RatedCall rated{&reading.version(id), rate, row, call.start,
                                  static_cast<std::uint32_t>(bundled.count())};
    const std::string with = " with " + std::to_string(bundled.count()) + " s bundled";
    const auto expected =
        reference::cost_after_bundle(tariff, call.digits, call.start, call.seconds, bundled);
    const rating::Money found = rating::cost(rated, call.seconds);
    if (!expected || !same(*expected, found))
        return "cost " + shown(found) + ", expected " + shown(expected) + with;
    const auto funds = rating::Money::from_micros(static_cast<std::int64_t>(call.funds.micros));
    const seconds longest = rating::longest_affordable(rated, funds);
    const seconds limited = rating::longest_affordable(rated, funds, call.want);
    if (std::min(limited, call.want) != std::min(longest, call.want)) return "longest differs" + with;
    if (longest < bundled) return "bundled seconds are not granted" + with;
    const bool affordable =
        longest == rating::kUnlimited || funds < rating::Money{} || rating::cost(rated, longest) <= funds;
    const bool maximal = longest == rating::kUnlimited || rating::cost(rated, longest + seconds{1}) > funds;
    if (!affordable || !maximal)
        return "longest " + std::to_string(longest.count()) + " is not the longest" + with;
    return {};
}

/// Some bundled seconds for a call: none, a few, nearly all, more than it lasts.
seconds bundled_for(const reference::RandomCall& call) {
    const auto mixed =
        static_cast<std::uint64_t>(call.used.count() + call.want.count()) * 0x9E3779B97F4A7C15U;
    return seconds{
        static_cast<std::int64_t>((mixed >> 32) % static_cast<std::uint64_t>(call.seconds.count() + 5))};
}

/// The calls of one thread.
class Comparison {
  public:
    Comparison(std::int64_t calls, std::uint64_t seed, std::atomic<std::int64_t>& done)
        : calls_(calls), seed_(seed), engine_(seed), done_(done) {}

    void run(const std::atomic<bool>& stop) {
        while (compared_ < calls_ && !stop)
            one_tariff();
    }

  private:
    void one_tariff() {
        const reference::RandomTariff random = reference::random_tariff(engine_);
        rating::TariffBook book{1};
        book.put_settings("t", settings_of(random.tariff, zones_));
        const auto deck = rating::read_deck_csv(reference::deck_csv(random.tariff), {});
        const auto put =
            deck.deck == nullptr ? rating::TariffBook::PutResult{} : book.put_deck("t", deck.deck);
        if (deck.deck == nullptr || !put.done()) {
            fail(random.tariff, deck.deck == nullptr ? deck.faults[0].message : put.faults[0].message);
        }
        const auto reading = book.read();
        for (std::int64_t i = 0; i < kCallsPerTariff && compared_ < calls_; ++i) {
            const reference::RandomCall call = reference::random_call(engine_, random);
            const auto longest = std::max(call.seconds, call.want);
            if (reference::step_count(random.tariff, call.digits, call.start, longest) > kStepsMax) continue;
            std::string wrong = difference(random.tariff, reading, *book.find("t"), call);
            if (wrong.empty()) {
                wrong = bundle_difference(random.tariff, reading, *book.find("t"), call, bundled_for(call));
            }
            if (!wrong.empty()) {
                fail(random.tariff, wrong + "\n" + call.digits + " from " + reference::text(call.start) +
                                        ", " + std::to_string(call.seconds.count()) + " s; " +
                                        reference::text(call.funds) + " for at most " +
                                        std::to_string(call.want.count()) + " s");
            }
            ++compared_;
            done_.fetch_add(1, std::memory_order_relaxed);
        }
    }
    [[noreturn]] void fail(const reference::Tariff& tariff, const std::string& what) const {
        throw std::runtime_error("seed " + std::to_string(seed_) + ": " + what + "\n" +
                                 reference::settings_json(tariff) + "\n" + reference::deck_csv(tariff));
    }

    std::int64_t calls_;
    std::uint64_t seed_;
    std::mt19937_64 engine_;
    std::atomic<std::int64_t>& done_;
    std::int64_t compared_ = 0;
    tollgate::daemon::TimeZones zones_;
};

/// The number of processors' parts, each in a thread of its own; what went wrong in one of them, or nothing.
std::string compare_all(std::int64_t calls, std::uint64_t seed) {
    const auto threads = static_cast<std::int64_t>(std::max(std::thread::hardware_concurrency(), 1U));
    std::atomic<std::int64_t> done{0};
    std::atomic<std::int64_t> running{threads};
    std::atomic<bool> stop{false};
    std::mutex mutex;
    std::string wrong;
    std::vector<std::jthread> workers;
    for (std::int64_t i = 0; i < threads; ++i) {
        const std::int64_t part = calls / threads + (i < calls % threads ? 1 : 0);
        workers.emplace_back([&, part, i] {
            try {
                Comparison{part, seed * 1'000 + static_cast<std::uint64_t>(i), done}.run(stop);
            } catch (const std::exception& failure) {
                const std::lock_guard lock{mutex};
                wrong = failure.what();
                stop = true;
            }
            --running;
        });
    }
    const bool terminal = ::isatty(STDERR_FILENO) != 0;
    while (running > 0) {
        std::this_thread::sleep_for(std::chrono::milliseconds{200});
        if (terminal) {
            std::fprintf(stderr, "\r%lld of %lld calls ", static_cast<long long>(done.load()),
                         static_cast<long long>(calls));
        }
    }
    if (terminal) std::fputs("\n", stderr);
    return wrong;
}

}  // namespace

int main(int argc, char** argv) {
    const std::int64_t calls = argc > 1 ? std::atoll(argv[1]) : 0;
    if (calls <= 0 || argc > 3) {
        std::cerr << "usage: rating_differential CALLS [SEED]\n";
        return 1;
    }
    const std::uint64_t seed = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 1;
    const std::string wrong = compare_all(calls, seed);
    if (!wrong.empty()) {
        std::cerr << wrong << '\n';
        return 1;
    }
    std::cout << calls << " calls, 0 differences\n";
    return 0;
}
