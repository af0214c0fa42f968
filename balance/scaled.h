/// Parts and multiples of an amount, rounded once.
#pragma once

#include <cstdint>
#include <optional>

#include "rating/money.h"
#include "rating/tariff.h"

namespace tollgate::balance {

using rating::Money;
using rating::Rounding;

/// `amount * factor / divisor` in whole micro-units; nullopt where that is beyond rating::kBalanceMax.
/// Rounding goes by magnitude: `up` is away from zero, `down` towards it. Requires: divisor > 0, and a
/// product below 2^125.
[[nodiscard]] std::optional<Money> checked_scaled(Money amount, std::int64_t factor, std::int64_t divisor,
                                                  Rounding rounding) noexcept;

/// As above, where the result cannot be that large.
[[nodiscard]] Money scaled(Money amount, std::int64_t factor, std::int64_t divisor,
                           Rounding rounding) noexcept;

}  // namespace tollgate::balance
