#include "balance/billing/tax.h"

#include <cassert>
#include <cstdint>

#include "balance/scaled.h"

namespace tollgate::balance {

Money tax_on(Money net, const Tax& tax) noexcept {
    return scaled(net, tax.percent.millionths(), Percent::kWhole, Rounding::half_up) + tax.fixed;
}

Money taxes_on(Money net, std::span<const Tax> taxes) noexcept {
    Money sum;
    for (const Tax& tax : taxes)
        sum = sum + tax_on(net, tax);
    return sum;
}

TaxSplit split_inclusive(Money gross, std::span<const Tax> taxes) noexcept {
    assert(gross >= Money{});
    std::int64_t percents = Percent::kWhole;
    Money fixed;
    for (const Tax& tax : taxes) {
        percents += tax.percent.millionths();
        fixed = fixed + tax.fixed;
    }
    if (fixed >= gross) return {{}, gross};
    const Money net = scaled(gross - fixed, Percent::kWhole, percents, Rounding::half_up);
    return {net, gross - net};
}

}  // namespace tollgate::balance
