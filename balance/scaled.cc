#include "balance/scaled.h"

#include <cassert>
#include <cstdlib>

namespace tollgate::balance {
namespace {

__extension__ typedef __int128 Wide;  // NOLINT(modernize-use-using): only a typedef takes __extension__.

/// Whether a quotient with this remainder goes up to the next whole one.
bool goes_up(Wide quotient, Wide remainder, Wide divisor, Rounding rounding) noexcept {
    switch (rounding) {
        case Rounding::up:
            return remainder > 0;
        case Rounding::half_up:
            return 2 * remainder >= divisor;
        case Rounding::half_even:
            return 2 * remainder > divisor || (2 * remainder == divisor && quotient % 2 == 1);
        case Rounding::down:
            return false;
    }
    std::abort();  // Not an enumerator: memory is corrupt.
}

}  // namespace

std::optional<Money> checked_scaled(Money amount, std::int64_t factor, std::int64_t divisor,
                                    Rounding rounding) noexcept {
    assert(divisor > 0);
    const Wide product = Wide{amount.micros()} * factor;
    const bool negative = product < 0;
    const Wide magnitude = negative ? -product : product;
    Wide quotient = magnitude / divisor;
    if (goes_up(quotient, magnitude % divisor, divisor, rounding)) ++quotient;
    if (quotient > rating::kBalanceMax.micros()) return std::nullopt;
    const auto micros = static_cast<std::int64_t>(quotient);
    return Money::from_micros(negative ? -micros : micros);
}

Money scaled(Money amount, std::int64_t factor, std::int64_t divisor, Rounding rounding) noexcept {
    const auto result = checked_scaled(amount, factor, divisor, rounding);
    assert(result.has_value());
    return result.value_or(Money{});
}

}  // namespace tollgate::balance
