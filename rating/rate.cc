#include "rating/rate.h"

#include <algorithm>
#include <array>
#include <cstdlib>

namespace tollgate::rating {
namespace {

// Costs are added up in units in which everything is whole: a nano-unit, over 60 seconds a minute, over the
// 1e6 parts of a markup. The largest exact cost is kPriceMax * (kMarkupMax + kMarkupUnit) * (2 *
// kDurationMax), 2^125.
__extension__ typedef __int128 Exact;  // NOLINT(modernize-use-using): only a typedef takes __extension__.
constexpr Exact kExactPerNano = Exact{60} * kMarkupUnit;
constexpr Exact kExactPerMicro = kExactPerNano * 1000;

constexpr std::array<std::int64_t, kDecimalsMax + 1> kMicrosPerUnit = {1'000'000, 100'000, 10'000, 1'000,
                                                                       100,       10,      1};

constexpr Exact exact(Price price) noexcept {
    return price.nanos() * kExactPerNano;
}

/// The exact cost of one second, with markup.
constexpr Exact exact_per_second(const Rate& rate, const TariffSettings& settings) noexcept {
    return Exact{rate.price.nanos()} * (kMarkupUnit + settings.markup);
}

Exact bounded(const Rate& rate, Exact total) noexcept {
    total = std::max(total, exact(rate.min_charge));
    if (rate.max_charge) total = std::min(total, exact(*rate.max_charge));
    return total;
}

Money rounded(Exact total, const TariffSettings& settings) noexcept {
    if (total > kAmountMax.micros() * kExactPerMicro) return kCostTooLarge;
    const std::int64_t unit_micros = kMicrosPerUnit[settings.decimals];
    const Exact unit = unit_micros * kExactPerMicro;
    Exact units = total / unit;
    const Exact rest = total % unit;
    switch (settings.rounding) {
        case Rounding::down:
            break;
        case Rounding::up:
            units += rest > 0 ? 1 : 0;
            break;
        case Rounding::half_up:
            units += 2 * rest >= unit ? 1 : 0;
            break;
        case Rounding::half_even:
            units += 2 * rest > unit || (2 * rest == unit && units % 2 != 0) ? 1 : 0;
            break;
    }
    const auto micros = static_cast<std::int64_t>(units * unit_micros);
    return micros > kAmountMax.micros() ? kCostTooLarge : Money::from_micros(micros);
}

/// The largest exact cost that is still rounded to at most `funds`. Requires: 0 <= funds <= kAmountMax.
Exact largest_within(Money funds, const TariffSettings& settings) noexcept {
    const std::int64_t unit_micros = kMicrosPerUnit[settings.decimals];
    const Exact unit = unit_micros * kExactPerMicro;  // Even, so half of it is whole.
    const Exact units = funds.micros() / unit_micros;
    switch (settings.rounding) {
        case Rounding::up:
            return units * unit;
        case Rounding::down:
            return (units + 1) * unit - 1;
        case Rounding::half_up:
            return units * unit + unit / 2 - 1;
        case Rounding::half_even:
            return units * unit + unit / 2 - (units % 2 != 0 ? 1 : 0);
    }
    std::abort();  // Not an enumerator: memory is corrupt.
}

constexpr std::int64_t rounded_up(std::int64_t value, std::int64_t step) noexcept {
    return (value + step - 1) / step * step;
}

/// Seconds paid for where `seconds` > 0 remain after the included ones.
std::int64_t billed_of(const Rate& rate, IncrementAnchor anchor, std::int64_t seconds) noexcept {
    const std::int64_t initial = rate.initial_increment;
    const std::int64_t step = rate.increment;
    if (seconds <= initial) return initial;
    if (anchor == IncrementAnchor::zero) return rounded_up(seconds, step);
    return initial + rounded_up(seconds - initial, step);
}

/// The most seconds after the included ones for which at most `paid` > 0 seconds are billed; 0: none.
std::int64_t longest_billed(const Rate& rate, IncrementAnchor anchor, std::int64_t paid) noexcept {
    const std::int64_t initial = rate.initial_increment;
    const std::int64_t step = rate.increment;
    if (paid < initial) return 0;
    if (anchor == IncrementAnchor::zero) return std::max(initial, paid / step * step);
    return initial + (paid - initial) / step * step;
}

/// The longest duration, in seconds, with connect fee plus `fees` plus price at most `most`; -1: not even the
/// fees. INT64_MAX: without end.
std::int64_t longest_within(const Rate& rate, const TariffSettings& settings, Exact fees,
                            Exact most) noexcept {
    const Exact left = most - exact(rate.connect_fee) - fees;
    if (left < 0) return -1;
    const Exact per_second = exact_per_second(rate, settings);
    if (per_second == 0) return INT64_MAX;
    const Exact paid = std::min(left / per_second, Exact{4} * kDurationMax.count());
    return rate.included_seconds + longest_billed(rate, settings.anchor, static_cast<std::int64_t>(paid));
}

}  // namespace

std::chrono::seconds billed_seconds(const Rate& rate, IncrementAnchor anchor,
                                    std::chrono::seconds duration) noexcept {
    const std::int64_t used = duration.count();
    if (used == 0 || used <= rate.grace_seconds || used <= rate.included_seconds)
        return std::chrono::seconds{0};
    return std::chrono::seconds{billed_of(rate, anchor, used - rate.included_seconds)};
}

Money cost(const Rate& rate, const TariffSettings& settings, std::chrono::seconds duration) noexcept {
    const std::int64_t used = duration.count();
    if (used == 0 || used <= rate.grace_seconds) return Money{};
    Exact total = exact(rate.connect_fee) +
                  exact_per_second(rate, settings) * billed_seconds(rate, settings.anchor, duration).count();
    if (used >= rate.disconnect_after) total += exact(rate.disconnect_fee);
    return rounded(bounded(rate, total), settings);
}

std::chrono::seconds longest_affordable(const Rate& rate, const TariffSettings& settings,
                                        Money funds) noexcept {
    if (funds < Money{}) return std::chrono::seconds{0};
    // What rounds to kAmountMax but lies above it is kCostTooLarge.
    const Exact most =
        std::min(largest_within(std::min(funds, kAmountMax), settings), kAmountMax.micros() * kExactPerMicro);
    const std::chrono::seconds within_grace{rate.grace_seconds};
    if (rate.max_charge && exact(*rate.max_charge) <= most) return kUnlimited;
    if (exact(rate.min_charge) > most) return within_grace;

    std::int64_t longest = longest_within(rate, settings, 0, most);
    const std::int64_t fee_from = rate.disconnect_after;
    if (rate.disconnect_fee != Price{} && longest >= fee_from) {
        // Below `fee_from` the fee is not due; from there on it must be affordable too.
        longest = std::max(longest_within(rate, settings, exact(rate.disconnect_fee), most), fee_from - 1);
    }
    if (longest >= kDurationMax.count()) return kUnlimited;
    return std::max(std::chrono::seconds{longest}, within_grace);
}

Price price_with_markup(const Rate& rate, const TariffSettings& settings) noexcept {
    const Exact nanos = Exact{rate.price.nanos()} * (kMarkupUnit + settings.markup) / kMarkupUnit;
    return Price::from_nanos(static_cast<std::int64_t>(std::min(nanos, Exact{INT64_MAX})));
}

}  // namespace tollgate::rating
