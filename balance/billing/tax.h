/// Taxes on an amount: each is reckoned from the same net amount, none from another tax.
#pragma once

#include <span>

#include "rating/money.h"
#include "rating/percent.h"

namespace tollgate::balance {

using rating::Money;
using rating::Percent;

struct Tax {
    Percent percent;
    Money fixed;  ///< On top, once; >= 0.
};

/// One tax on a net amount, rounded half up to a micro-unit.
[[nodiscard]] Money tax_on(Money net, const Tax& tax) noexcept;
/// The sum of the taxes one by one: on 100, of 10 % and of 5 % + 0.50, it is 15.50.
[[nodiscard]] Money taxes_on(Money net, std::span<const Tax> taxes) noexcept;

struct TaxSplit {
    Money net;
    Money tax;
};

/// What a price with its taxes is made of: 1.80 at 20 % is 1.50 and 0.30. The two add up to it; where fixed
/// taxes alone are more, all of it is tax. Requires: gross >= 0.
[[nodiscard]] TaxSplit split_inclusive(Money gross, std::span<const Tax> taxes) noexcept;

}  // namespace tollgate::balance
