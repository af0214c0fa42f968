#include "daemon/renewals.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <utility>

namespace tollgate::daemon {

Renewals::Renewals(Catalog& catalog, Shop& shop, Now now, Say say)
    : catalog_(catalog), shop_(shop), now_(std::move(now)), say_(std::move(say)) {}

bool Renewals::believes(Moment now) {
    const auto ahead = now.wall.time_since_epoch() - now.steady;
    const auto before = std::exchange(ahead_, ahead);
    if (before && ahead - *before > kAhead) {
        believed_from_ = now.steady + kBelievedAfter;
        const auto days = std::chrono::duration_cast<std::chrono::hours>(ahead - *before).count() / 24;
        say_("the clock on the wall went ahead by " + std::to_string(days) +
             " days: nothing is renewed for " + std::to_string(std::chrono::seconds{kBelievedAfter}.count()) +
             " s, or until it is set back");
    } else if (before && *before - ahead > kBack) {
        believed_from_ = {};
        catalog_.correct_renewals(now);
    }
    return now.steady >= believed_from_;
}

std::chrono::nanoseconds Renewals::step() {
    const Moment now = now_();
    if (!believes(now)) return kLook;
    const std::size_t renewed = catalog_.renew_bundles(now) + shop_.renew_due(now);
    const auto next = std::min(catalog_.next_renewal(), shop_.next_renewal());
    // Where nothing that is due can be renewed, as on a full disk, it is tried again.
    if (next <= now.wall) return renewed == 0 ? std::chrono::nanoseconds{kLook} : std::chrono::nanoseconds{0};
    return next - now.wall < kLook ? next - now.wall : std::chrono::nanoseconds{kLook};
}

void Renewals::catch_up() {
    catalog_.correct_renewals(now_());
    const balance::Steady until = now_().steady + kCatchUp;
    while (step() == std::chrono::nanoseconds{0} && now_().steady < until) {}
}

void Renewals::start() {
    thread_ = std::jthread{[this](const std::stop_token& stop) {
        std::mutex mutex;
        std::condition_variable_any bell;
        std::unique_lock lock{mutex};
        std::chrono::nanoseconds wait{0};
        while (!bell.wait_for(lock, stop, wait, [&stop] { return stop.stop_requested(); }))
            wait = step();
    }};
}

}  // namespace tollgate::daemon
