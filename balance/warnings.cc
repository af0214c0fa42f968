#include "balance/warnings.h"

#include <cstdlib>

namespace tollgate::balance {

WarningSettings Warnings::settings() const noexcept {
    WarningSettings settings;
    settings.percent_hundredths = percent_hundredths_.load(std::memory_order_relaxed);
    settings.owed = Money::from_micros(owed_.load(std::memory_order_relaxed));
    const std::int64_t balance = balance_.load(std::memory_order_relaxed);
    if (balance != kNone) settings.balance = Money::from_micros(balance);
    return settings;
}

bool Warnings::beyond(Warning warning, Money balance, Money credit_limit) const noexcept {
    switch (warning) {
        case Warning::percent: {
            const std::uint32_t percent = percent_hundredths_.load(std::memory_order_relaxed);
            if (percent == 0 || credit_limit <= Money{}) return false;
            __extension__ typedef __int128 Wide;  // NOLINT(modernize-use-using)
            return Wide{-balance.micros()} * kWarnPercentMax > Wide{credit_limit.micros()} * percent;
        }
        case Warning::owed: {
            const std::int64_t owed = owed_.load(std::memory_order_relaxed);
            return owed != 0 && -balance.micros() > owed;
        }
        case Warning::balance: {
            const std::int64_t least = balance_.load(std::memory_order_relaxed);
            return least != kNone && balance.micros() < least;
        }
    }
    std::abort();  // Not an enumerator: memory is corrupt.
}

}  // namespace tollgate::balance
