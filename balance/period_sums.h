/// Sums of a few periods (days, months), counted by every thread and without a lock.
#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <limits>

#include "rating/money.h"

namespace tollgate::balance {

using rating::Money;

/// Two words that change together. Any thread, at any time; every access is sequentially consistent.
///
/// The processor's 16-byte compare-exchange (cmpxchg16b, which every x86-64 since 2006 has; balance/ is
/// compiled with -mcx16) through the compiler's own built-in: std::atomic of 16 bytes would call libatomic,
/// which may take a lock.
class alignas(16) AtomicPair {
  public:
    struct Pair {
        std::int64_t first = 0;
        std::int64_t second = 0;
        friend bool operator==(const Pair&, const Pair&) = default;
    };

    explicit AtomicPair(Pair pair) noexcept : bits_(bits_of(pair)) {}

    /// There is no 16-byte load that is sure to be one; an exchange of what stands there for itself is.
    [[nodiscard]] Pair load() noexcept { return pair_of(__sync_val_compare_and_swap(&bits_, 0, 0)); }
    /// Puts `desired` where `expected` stands; otherwise `expected` becomes what stands there.
    [[nodiscard]] bool compare_exchange(Pair& expected, Pair desired) noexcept {
        const Pair before = pair_of(__sync_val_compare_and_swap(&bits_, bits_of(expected), bits_of(desired)));
        return before == expected || (expected = before, false);
    }

  private:
    __extension__ typedef unsigned __int128 Bits;  // NOLINT(modernize-use-using)

    static Bits bits_of(Pair pair) noexcept {
        return (Bits{static_cast<std::uint64_t>(pair.first)} << 64) | static_cast<std::uint64_t>(pair.second);
    }
    static Pair pair_of(Bits bits) noexcept {
        return {static_cast<std::int64_t>(static_cast<std::uint64_t>(bits >> 64)),
                static_cast<std::int64_t>(static_cast<std::uint64_t>(bits))};
    }

    Bits bits_;
};

/// The sums of up to `N` periods, which are numbered without gaps. Period p has the place p modulo N: two
/// that meet at one place cannot both be kept, and the one nearer to the present stays, so that an odd
/// instant far from now never drives out the sum that counts today.
///
/// Any thread may call any member at any time; none of them blocks. No sum drops below 0: what is taken back
/// of a period that was not kept all along is lost.
template <std::size_t N>
class PeriodSums {
  public:
    /// 0 where the period is not kept.
    [[nodiscard]] Money sum(std::int64_t period) noexcept {
        const auto seen = place(period).load();
        return seen.first == period ? Money::from_micros(seen.second) : Money{};
    }

    /// Adds `amount` unless the sum would exceed `most`: false, with nothing added. Where the period cannot
    /// be kept, the amount alone must not. Requires: amount >= 0.
    [[nodiscard]] bool try_add(std::int64_t period, Money amount, Money most, std::int64_t present) noexcept {
        AtomicPair& at = place(period);
        auto seen = at.load();
        for (;;) {
            const bool kept = seen.first == period;
            const std::int64_t before = kept ? seen.second : 0;
            const std::int64_t after = sum_of(before, amount);
            if (after > most.micros()) return false;
            if (!kept && !goes_before(period, seen.first, present)) return true;
            if (at.compare_exchange(seen, {period, after})) return true;
        }
    }

    /// Adds `amount`, which may be negative, whatever the sum is then.
    void add(std::int64_t period, Money amount, std::int64_t present) noexcept {
        AtomicPair& at = place(period);
        auto seen = at.load();
        for (;;) {
            const bool kept = seen.first == period;
            if (!kept && (amount < Money{} || !goes_before(period, seen.first, present))) return;
            const std::int64_t after = std::max<std::int64_t>(sum_of(kept ? seen.second : 0, amount), 0);
            if (at.compare_exchange(seen, {period, after})) return;
        }
    }

    /// Calls `visitor(period, sum)` for every period that is kept and has a sum.
    template <typename Visitor>
    void visit(const Visitor& visitor) noexcept {
        for (AtomicPair& at : places_) {
            const auto seen = at.load();
            if (seen.first != kNone && seen.second != 0) visitor(seen.first, Money::from_micros(seen.second));
        }
    }
    /// The sum of a period as it stood.
    void restore(std::int64_t period, Money sum) noexcept {
        AtomicPair& at = place(period);
        auto seen = at.load();
        while (!at.compare_exchange(seen, {period, sum.micros()})) {}
    }

  private:
    static constexpr std::int64_t kNone = std::numeric_limits<std::int64_t>::min();

    [[nodiscard]] AtomicPair& place(std::int64_t period) noexcept {
        constexpr auto kPlaces = static_cast<std::int64_t>(N);
        return places_[static_cast<std::size_t>(((period % kPlaces) + kPlaces) % kPlaces)];
    }
    static bool goes_before(std::int64_t period, std::int64_t other, std::int64_t present) noexcept {
        const auto distance = [present](std::int64_t p) { return p < present ? present - p : p - present; };
        return other == kNone || distance(period) < distance(other);
    }
    /// A sum that leaves 64 bits stays at their end.
    static std::int64_t sum_of(std::int64_t sum, Money amount) noexcept {
        std::int64_t after = 0;
        return __builtin_add_overflow(sum, amount.micros(), &after) ? std::numeric_limits<std::int64_t>::max()
                                                                    : after;
    }

    static std::array<AtomicPair, N> empty() noexcept {
        return []<std::size_t... I>(std::index_sequence<I...>) {
            return std::array<AtomicPair, N>{((void)I, AtomicPair{{kNone, 0}})...};
        }
        (std::make_index_sequence<N>{});
    }
    std::array<AtomicPair, N> places_ = empty();
};

}  // namespace tollgate::balance
