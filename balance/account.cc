#include "balance/account.h"

#include <cassert>

namespace tollgate::balance {

bool Account::try_hold(Money amount) noexcept {
    assert(amount >= Money{});
    std::int64_t available = available_.load(std::memory_order_acquire);
    do {
        if (available < amount.micros()) return false;
    } while (!available_.compare_exchange_weak(available, available - amount.micros(),
                                               std::memory_order_acq_rel, std::memory_order_acquire));
    return true;
}

bool Account::try_hold_own(Money amount) noexcept {
    assert(amount >= Money{});
    std::int64_t available = available_.load(std::memory_order_acquire);
    do {
        // Read after the available funds: a limit that has raised them is seen with them.
        if (available - credit_limit_.load(std::memory_order_relaxed) < amount.micros()) return false;
    } while (!available_.compare_exchange_weak(available, available - amount.micros(),
                                               std::memory_order_acq_rel, std::memory_order_acquire));
    return true;
}

void Account::set_credit_limit(Money limit) noexcept {
    // Whoever takes his own money only must never see what a limit lends without the limit: a higher limit
    // is there before its funds, a lower one after them.
    const Money more = limit - credit_limit();
    if (more > Money{}) credit_limit_.store(limit.micros(), std::memory_order_relaxed);
    available_.fetch_add(more.micros(), std::memory_order_acq_rel);
    if (more < Money{}) credit_limit_.store(limit.micros(), std::memory_order_relaxed);
}

bool Account::try_begin_call(std::uint32_t calls_max) noexcept {
    std::uint64_t word = calls_.load(std::memory_order_relaxed);
    do {
        if ((word & kOpenMask) >= calls_max) return false;
    } while (!calls_.compare_exchange_weak(word, word + kPendingOne + 1, std::memory_order_acq_rel,
                                           std::memory_order_relaxed));
    return true;
}

}  // namespace tollgate::balance
