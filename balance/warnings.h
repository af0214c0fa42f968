/// Thresholds of one party: whoever runs the business is told once when a balance crosses one.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <limits>
#include <optional>

#include "rating/money.h"

namespace tollgate::balance {

using rating::Money;

/// Which threshold was crossed.
enum class Warning : std::uint8_t {
    percent,  ///< More is owed than so much of the credit limit.
    owed,     ///< More is owed than an amount.
    balance,  ///< The balance is below an amount.
};
inline constexpr std::array kWarnings = {Warning::percent, Warning::owed, Warning::balance};

/// 100 %, in hundredths of a percent.
inline constexpr std::uint32_t kWarnPercentMax = 10'000;

struct WarningSettings {
    std::uint32_t percent_hundredths = 0;  ///< Of the credit limit; 0: none.
    Money owed{};                          ///< 0: none.
    std::optional<Money> balance{};

    [[nodiscard]] bool any() const noexcept {
        return percent_hundredths != 0 || owed != Money{} || balance.has_value();
    }
};

/// The thresholds of a party that has some. Administration writes, any thread reads; each is decided by
/// alone.
///
/// There is nothing to arm: a movement of the balance knows what it was and what it is, the movements of a
/// balance are in one order, and so exactly one of them crosses a threshold, each time it is crossed.
class Warnings {
  public:
    void set(const WarningSettings& settings) noexcept {
        percent_hundredths_.store(settings.percent_hundredths, std::memory_order_relaxed);
        owed_.store(settings.owed.micros(), std::memory_order_relaxed);
        balance_.store(settings.balance ? settings.balance->micros() : kNone, std::memory_order_relaxed);
    }
    [[nodiscard]] WarningSettings settings() const noexcept;

    /// Whether a party with this balance and credit limit is beyond a threshold that is set.
    [[nodiscard]] bool beyond(Warning warning, Money balance, Money credit_limit) const noexcept;

  private:
    static constexpr std::int64_t kNone = std::numeric_limits<std::int64_t>::min();
    std::atomic<std::uint32_t> percent_hundredths_{0};
    std::atomic<std::int64_t> owed_{0};
    std::atomic<std::int64_t> balance_{kNone};
};

}  // namespace tollgate::balance
