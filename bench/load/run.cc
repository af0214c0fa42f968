#include "bench/load/run.h"

#include <algorithm>
#include <atomic>
#include <exception>
#include <iomanip>
#include <memory>
#include <ostream>
#include <thread>

namespace tollgate::bench::load {
namespace {

using Clock = Generator::Clock;

constexpr std::chrono::milliseconds kHeadStart{50};  ///< For all threads to be there when it begins.
constexpr std::chrono::milliseconds kLookEvery{20};
/// A rate is too high if it does not hold so often: on a shared machine once may be chance.
constexpr int kTries = 2;

double milliseconds(std::chrono::nanoseconds time) {
    return std::chrono::duration<double, std::milli>{time}.count();
}

struct Seen {
    std::uint64_t sent = 0;
    std::uint64_t answered = 0;
    std::uint64_t refused = 0;
    std::uint64_t wrong = 0;
    std::uint64_t open = 0;
    Histogram recent;
};

Seen look(const std::vector<std::unique_ptr<Generator>>& generators) {
    Seen seen;
    for (const auto& generator : generators) {
        Progress& progress = generator->progress();
        seen.answered += progress.answered.load(std::memory_order_relaxed);
        seen.sent += progress.sent.load(std::memory_order_relaxed);
        seen.refused += progress.refused.load(std::memory_order_relaxed);
        seen.wrong += progress.wrong.load(std::memory_order_relaxed);
        seen.open += progress.open.load(std::memory_order_relaxed);
        seen.recent.add(progress.take_recent());
    }
    return seen;
}

void show(std::ostream& out, std::chrono::seconds at, const Settings& settings, const Seen& seen,
          const Seen& before) {
    out << std::setw(4) << at.count() << " s  ";
    const std::uint64_t rate =
        settings.schedule.get().rate(settings.schedule.get().step_at(at - std::chrono::seconds{1}));
    if (settings.saturate == 0) out << rate << " calls/s wanted  ";
    out << seen.answered - before.answered << " answers/s  " << std::fixed << std::setprecision(2) << "p50 "
        << milliseconds(seen.recent.percentile(kP50)) << "  p99 "
        << milliseconds(seen.recent.percentile(kP99)) << "  max " << milliseconds(seen.recent.longest())
        << " ms  in flight " << seen.sent - std::min(seen.sent, seen.answered) << "  open calls " << seen.open
        << "  refused " << seen.refused << "  wrong " << seen.wrong << std::endl;
}

}  // namespace

Figures make_calls(const Settings& settings, std::ostream* progress) {
    std::vector<std::unique_ptr<Generator>> generators;
    for (unsigned thread = 0; thread < settings.threads; ++thread)
        generators.push_back(std::make_unique<Generator>(settings, thread));

    const auto begin = Clock::now() + kHeadStart;
    std::atomic<unsigned> running{
        settings.threads};  // Each thread takes itself off at its end; release, to show its work.
    std::vector<std::exception_ptr> failures(settings.threads);
    std::vector<std::jthread> threads;
    for (unsigned thread = 0; thread < settings.threads; ++thread) {
        threads.emplace_back([&, thread] {
            try {
                generators[thread]->run(begin);
            } catch (...) {
                failures[thread] = std::current_exception();
            }
            running.fetch_sub(1, std::memory_order_release);
        });
    }
    Seen before;
    std::chrono::seconds next{1};
    while (running.load(std::memory_order_acquire) > 0) {
        std::this_thread::sleep_for(kLookEvery);
        if (progress == nullptr || Clock::now() < begin + next) continue;
        Seen seen = look(generators);
        show(*progress, next, settings, seen, before);
        before = std::move(seen);
        ++next;
    }
    threads.clear();
    for (const auto& failure : failures) {
        if (failure) std::rethrow_exception(failure);
    }
    Figures figures;
    for (const auto& generator : generators)
        figures.add(generator->figures());
    return figures;
}

bool holds(const Figures& figures, std::chrono::nanoseconds p99_max) {
    return figures.latency.count() > 0 && figures.latency.percentile(kP99) <= p99_max && !figures.is_behind &&
           figures.lost == 0 && figures.busy == 0 && figures.wrong == 0;
}

Limit find_limit(const Search& search, const std::function<Figures(std::uint64_t rate)>& probe) {
    Limit limit;
    std::uint64_t too_high = 0;  // 0: none known yet.
    for (std::uint64_t rate = search.rate_first;;) {
        bool held = false;
        for (int tries = 0; tries < kTries && !held; ++tries) {
            Figures figures = probe(rate);
            held = holds(figures, search.p99_max);
            const bool is_false = figures.wrong > 0;
            limit.probes.push_back({rate, held, std::move(figures)});
            if (is_false) return limit;  // Nothing is worth knowing of a daemon that lies.
        }
        (held ? limit.rate : too_high) = rate;
        if (too_high == 0) {
            if (rate == search.rate_last) return limit;
            rate = std::min(rate * 2, search.rate_last);
            continue;
        }
        if (too_high - limit.rate <= std::max<std::uint64_t>(1, limit.rate * search.precision_percent / 100))
            return limit;
        rate = limit.rate + (too_high - limit.rate) / 2;
    }
}

}  // namespace tollgate::bench::load
