#include "balance/partner/commission.h"

#include <algorithm>
#include <cassert>
#include <cstddef>

namespace tollgate::balance {

CommissionSplit split_commission(Money amount, Percent percent) noexcept {
    assert(amount >= Money{} && percent <= kCommissionMax);
    const Money commission = share_of(amount, percent);
    return {commission, amount - commission};
}

std::vector<Money> share_commission(CommissionPolicy policy, Money sale, std::span<const Percent> percents) {
    std::vector<Money> shares(percents.size());
    share_commission(policy, sale, percents, shares);
    return shares;
}

void share_commission(CommissionPolicy policy, Money sale, std::span<const Percent> percents,
                      std::span<Money> shares) noexcept {
    assert(sale >= Money{} && shares.size() == percents.size());
    if (policy == CommissionPolicy::cascade) {
        Money got = sale;
        for (std::size_t i = 0; i < percents.size(); ++i) {
            got = split_commission(got, percents[i]).commission;
            shares[i] = got;
            if (i > 0) shares[i - 1] = shares[i - 1] - got;
        }
        return;
    }
    Money paid_below;
    for (std::size_t i = percents.size(); i-- > 0;) {
        const Money own = split_commission(sale, percents[i]).commission;
        shares[i] = std::max(own - paid_below, Money{});
        paid_below = paid_below + shares[i];
    }
}

std::vector<Money> margins(std::span<const Money> prices) {
    std::vector<Money> shares{prices.begin(), prices.end()};
    for (std::size_t i = 0; i + 1 < shares.size(); ++i)
        shares[i] = prices[i] - prices[i + 1];
    return shares;
}

}  // namespace tollgate::balance
