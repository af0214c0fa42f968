/// The funds of one party, and the calls that are open on it.
#pragma once

#include <atomic>
#include <cstdint>
#include <optional>

#include "rating/money.h"

namespace tollgate::balance {

using rating::Money;

/// The funds of one party, shared by every worker thread.
///
/// Any thread may call any member at any time; none of them blocks.
///
/// Invariant: available() never drops below zero because of try_hold(), not even between two threads that
/// hold at the same instant, because the check and the subtraction are one compare-exchange.
///
/// An Account knows sums, not calls: which session holds what is in SessionTable, and Ledger keeps the two in
/// step. Talk to Ledger unless you are Ledger.
class Account {
  public:
    explicit Account(Money credit_limit) noexcept
        : available_(credit_limit.micros()), credit_limit_(credit_limit.micros()) {}

    // ---- Money ----

    /// Takes `amount` out of the available funds, or leaves them untouched and returns false. Requires:
    /// amount >= 0.
    [[nodiscard]] bool try_hold(Money amount) noexcept;

    /// Takes `amount` whatever is available: for the provider, whose balance is not checked, and for what a
    /// call cost beyond its hold.
    void hold_unchecked(Money amount) noexcept {
        available_.fetch_sub(amount.micros(), std::memory_order_acq_rel);
    }
    /// Ends a hold, or a part of one.
    void give_back(Money amount) noexcept {
        available_.fetch_add(amount.micros(), std::memory_order_acq_rel);
    }
    /// The balance alone: what is available moves by give_back and hold_unchecked. The balance after it.
    Money move_balance(Money amount) noexcept {
        return Money::from_micros(balance_.fetch_add(amount.micros(), std::memory_order_relaxed)) + amount;
    }

    /// Moves the balance by `amount`, either way, with no regard to what is available. The balance after it.
    Money post(Money amount) noexcept;

    /// Takes `amount` off the balance if that much is available: the balance after it, or nullopt.
    [[nodiscard]] std::optional<Money> try_debit(Money amount) noexcept;

    void set_credit_limit(Money limit) noexcept;

    /// For a restart, before any other thread: sums as they stood.
    void restore(Money available, Money balance, std::uint32_t open_calls) noexcept {
        available_.store(available.micros(), std::memory_order_relaxed);
        balance_.store(balance.micros(), std::memory_order_relaxed);
        calls_.store(open_calls, std::memory_order_relaxed);
    }

    [[nodiscard]] Money available() const noexcept {
        return Money::from_micros(available_.load(std::memory_order_acquire));
    }
    [[nodiscard]] Money balance() const noexcept {
        return Money::from_micros(balance_.load(std::memory_order_relaxed));
    }
    [[nodiscard]] Money credit_limit() const noexcept {
        return Money::from_micros(credit_limit_.load(std::memory_order_relaxed));
    }
    /// The difference of the others, which are read one after the other while other threads go on: good for
    /// display, and exact when nothing moves. Unsigned, because the provider's holds are bounded by nothing
    /// and may wrap.
    [[nodiscard]] Money held() const noexcept {
        const auto bits = [](Money amount) { return static_cast<std::uint64_t>(amount.micros()); };
        return Money::from_micros(
            static_cast<std::int64_t>(bits(balance()) + bits(credit_limit()) - bits(available())));
    }

    // ---- Calls ----

    /// What is known of attempts to open or extend a call here. A refusal stands only if no attempt was under
    /// way before and after the look at the funds and none was rolled back between: see Ledger.
    struct Attempts {
        std::uint64_t word = 0;
        [[nodiscard]] bool none_pending() const noexcept { return (word & kPendingMask) == 0; }
        /// No roll-back lies between the two looks. Calls that were confirmed in between are no matter.
        [[nodiscard]] bool same_roll_backs(Attempts other) const noexcept {
            return word / kRollbackOne == other.word / kRollbackOne;
        }
    };
    // Acquire: the funds that are read after this are at least as new.
    [[nodiscard]] Attempts attempts() const noexcept { return {calls_.load(std::memory_order_acquire)}; }

    /// Open calls, those of pending attempts included.
    [[nodiscard]] std::uint32_t open_calls() const noexcept {
        return static_cast<std::uint32_t>(calls_.load(std::memory_order_relaxed) & kOpenMask);
    }

    /// Begins an attempt to open a call; false, with nothing taken, where `calls_max` calls are open.
    [[nodiscard]] bool try_begin_call(std::uint32_t calls_max) noexcept;
    /// Begins an attempt to hold more for a call that is open.
    void begin_extension() noexcept { calls_.fetch_add(kPendingOne, std::memory_order_acq_rel); }
    /// The attempt's holds stand.
    void confirm() noexcept { calls_.fetch_sub(kPendingOne, std::memory_order_acq_rel); }
    /// The attempt's holds have been given back.
    void roll_back_call() noexcept {
        calls_.fetch_add(kRollbackOne - kPendingOne - 1, std::memory_order_acq_rel);
    }
    void roll_back_extension() noexcept {
        calls_.fetch_add(kRollbackOne - kPendingOne, std::memory_order_acq_rel);
    }
    /// A call that was opened has ended.
    void close_call() noexcept { calls_.fetch_sub(1, std::memory_order_acq_rel); }
    /// A call that had ended goes on (a late EXTEND); no limit is asked.
    void reopen_call() noexcept { calls_.fetch_add(1, std::memory_order_acq_rel); }

  private:
    // calls_: open calls in bits 0-27, pending attempts in 28-39, roll-backs (wrapping) in 40-63.
    static constexpr std::uint64_t kOpenMask = (std::uint64_t{1} << 28) - 1;
    static constexpr std::uint64_t kPendingOne = std::uint64_t{1} << 28;
    static constexpr std::uint64_t kPendingMask = ((std::uint64_t{1} << 40) - 1) & ~kOpenMask;
    static constexpr std::uint64_t kRollbackOne = std::uint64_t{1} << 40;

    // balance + credit limit - holds, in micro-units: the one figure that decides. Every worker writes it; a
    // release on each change and an acquire on each look order it with calls_ and with what a refusal reads.
    std::atomic<std::int64_t> available_;
    // Every worker adds to it when it charges; nobody decides by it, so relaxed is enough.
    std::atomic<std::int64_t> balance_{0};
    // Written by administration, read for display only; a change moves available_ too.
    std::atomic<std::int64_t> credit_limit_;
    std::atomic<std::uint64_t> calls_{0};
};

}  // namespace tollgate::balance
