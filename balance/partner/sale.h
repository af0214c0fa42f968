/// A sale through a chain of resellers: who pays whom, and who earns a commission of it. Pure.
#pragma once

#include <span>
#include <vector>

#include "balance/partner/commission.h"
#include "balance/transaction.h"

namespace tollgate::balance {

/// A commission reseller through whom something is sold.
struct SaleAgent {
    PartyId party = kNoParty;
    Percent percent;
};

/// One level of a sale: somebody pays the nearest above who has a price of his own.
struct SaleLevel {
    PartyId payer = kNoParty;
    PartyId seller = kNoParty;
    Money price{};
    std::vector<SaleAgent> agents{};  ///< Commission resellers between the two, the topmost first.
    /// The seller's balance gets it in place of his revenue, and gives the commissions: his customers spend
    /// what was his money.
    bool credits_seller = false;
};

/// What a sale moves, the customer first: every payer pays his price into his seller's revenue, and every
/// agent gets his share of it as that seller's commission. Movements of nothing are left out, but for the
/// first.
///
/// Requires: at least one level, prices from 0 to rating::kAmountMax, percents up to kCommissionMax.
[[nodiscard]] std::vector<Posting> postings_of(std::span<const SaleLevel> levels, rating::Currency currency,
                                               CommissionPolicy policy);

/// Whether the movements, all one way, stay within rating::kBalanceMax: else they are not added up.
[[nodiscard]] bool can_be_merged(std::span<const Posting> postings) noexcept;

/// The same movements with one posting a place: what is paid at once is asked for at once, so credit that
/// comes with a sale pays for it. The first stays the first, also where it comes to nothing. Requires:
/// can_be_merged.
[[nodiscard]] std::vector<Posting> merged(std::span<const Posting> postings);

}  // namespace tollgate::balance
