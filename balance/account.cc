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

Money Account::post(Money amount) noexcept {
    const Money after = move_balance(amount);
    give_back(amount);
    return after;
}

std::optional<Money> Account::try_debit(Money amount) noexcept {
    if (!try_hold(amount)) return std::nullopt;
    return move_balance(-amount);
}

void Account::set_credit_limit(Money limit) noexcept {
    const std::int64_t before = credit_limit_.exchange(limit.micros(), std::memory_order_relaxed);
    available_.fetch_add(limit.micros() - before, std::memory_order_acq_rel);
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
