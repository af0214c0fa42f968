#include "balance/partner/sale.h"

#include <algorithm>
#include <cassert>

namespace tollgate::balance {
std::vector<Posting> postings_of(std::span<const SaleLevel> levels, rating::Currency currency,
                                 CommissionPolicy policy) {
    assert(!levels.empty());
    std::vector<Posting> postings;
    const auto move = [&](PartyId party, PostingPlace place, Money amount) {
        if (amount != Money{} || postings.empty()) postings.push_back({party, place, currency, amount});
    };
    std::vector<Percent> percents;
    for (const SaleLevel& level : levels) {
        move(level.payer, PostingPlace::balance, -level.price);
        move(level.seller, level.credits_seller ? PostingPlace::balance : PostingPlace::revenue, level.price);
        percents.clear();
        for (const SaleAgent& agent : level.agents)
            percents.push_back(agent.percent);
        const std::vector<Money> shares = share_commission(policy, level.price, percents);
        for (std::size_t i = 0; i < shares.size(); ++i) {
            move(level.agents[i].party, PostingPlace::balance, shares[i]);
            move(level.seller, level.credits_seller ? PostingPlace::balance : PostingPlace::commission,
                 -shares[i]);
        }
    }
    return postings;
}

bool can_be_merged(std::span<const Posting> postings) noexcept {
    __extension__ typedef __int128 Sum;  // NOLINT(modernize-use-using)
    Sum sum = 0;
    for (const Posting& posting : postings)
        sum += posting.amount < Money{} ? -Sum{posting.amount.micros()} : Sum{posting.amount.micros()};
    return sum <= rating::kBalanceMax.micros();
}

std::vector<Posting> merged(std::span<const Posting> postings) {
    std::vector<Posting> sums;
    for (const Posting& posting : postings) {
        const auto same = std::find_if(sums.begin(), sums.end(), [&posting](const Posting& sum) {
            return sum.party == posting.party && sum.place == posting.place &&
                   sum.currency == posting.currency;
        });
        if (same == sums.end()) {
            sums.push_back(posting);
        } else {
            same->amount = same->amount + posting.amount;
        }
    }
    if (sums.size() > 1) {
        sums.erase(std::remove_if(sums.begin() + 1, sums.end(),
                                  [](const Posting& sum) { return sum.amount == Money{}; }),
                   sums.end());
    }
    return sums;
}

}  // namespace tollgate::balance
