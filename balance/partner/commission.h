/// Who earns what of a sale or a payment. Pure: whoever calls turns shares into postings.
///
/// Whatever lies below a micro-unit stays with whoever gives: shares always add up to the whole.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "rating/money.h"
#include "rating/percent.h"

namespace tollgate::balance {

using rating::Money;
using rating::Percent;

/// The most that anybody may be given of a sale or a payment: all of it.
inline constexpr Percent kCommissionMax = Percent::from_millionths(Percent::kWhole);

/// What becomes of cash that a distributor took, or of a payment that an agent brought.
struct CommissionSplit {
    Money commission;  ///< His, rounded down: below a micro-unit it is the provider's.
    Money rest;        ///< What he owes his seller of what he took.
};

/// Of 0.03 at 10 %: 0.003 and 0.027. Requires: amount >= 0, percent <= kCommissionMax.
[[nodiscard]] CommissionSplit split_commission(Money amount, Percent percent) noexcept;

/// How the commission of a sale is shared among commission resellers that stand below each other.
enum class CommissionPolicy : std::uint8_t {
    /// The topmost gets his percentage of the sale, everyone below his percentage of what the one above got,
    /// out of it.
    cascade,
    /// Each gets his percentage of the sale less what is paid to those below him, and never less than
    /// nothing: all of them together get the highest percentage.
    per_level,
};

/// What each reseller gets of a sale; the topmost stands first in `percents` and in the result. Requires:
/// sale >= 0, percents <= kCommissionMax.
[[nodiscard]] std::vector<Money> share_commission(CommissionPolicy policy, Money sale,
                                                  std::span<const Percent> percents);
/// The same into memory of the caller's. Requires: as many `shares` as `percents`.
void share_commission(CommissionPolicy policy, Money sale, std::span<const Percent> percents,
                      std::span<Money> shares) noexcept;

/// What everyone on the way earns of one price list after the other. `prices` begins with what the customer
/// pays and ends with the provider's price; the result has as many shares in the same order: the price less
/// the next one, and the provider's price whole. They add up to what the customer pays; whoever sells below
/// what he buys for has a share below zero.
[[nodiscard]] std::vector<Money> margins(std::span<const Money> prices);

}  // namespace tollgate::balance
