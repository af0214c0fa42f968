/// Exact costs, before they are rounded. For rating/ alone.
#pragma once

#include "rating/money.h"
#include "rating/tariff.h"

namespace tollgate::rating {

// Costs are added up in units in which everything is whole: a nano-unit, over 60 seconds a minute, over the
// 1e6 parts of a markup. The largest exact cost is kPriceMax * (kMarkupMax + kMarkupUnit) * (2 *
// kDurationMax), 2^125.
__extension__ typedef __int128 Exact;  // NOLINT(modernize-use-using): only a typedef takes __extension__.
inline constexpr Exact kExactPerNano = Exact{60} * kMarkupUnit;
inline constexpr Exact kExactPerMicro = kExactPerNano * 1000;

[[nodiscard]] constexpr Exact exact(Price price) noexcept {
    return price.nanos() * kExactPerNano;
}

/// What so many seconds cost at a price per minute, with markup.
[[nodiscard]] constexpr Exact exact(Price price, std::int64_t seconds,
                                    const TariffSettings& settings) noexcept {
    return Exact{price.nanos()} * seconds * (kMarkupUnit + settings.markup);
}

}  // namespace tollgate::rating
