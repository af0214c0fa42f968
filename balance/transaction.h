/// A movement of money outside calls, as it is kept: one event of the journal.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "balance/bytes.h"
#include "balance/party.h"
#include "balance/session.h"

namespace tollgate::balance {

/// What a posting moves: a party's balance, or one of its books.
/// The numbers stand in journals.
enum class PostingPlace : std::uint8_t {
    balance,
    revenue,
    cash,
    termination,
    commission,
    funds,  ///< Customer funds of a reseller who refills by `mint`.
    exchange,
};
inline constexpr PostingPlace kPostingPlaceLast = PostingPlace::exchange;

struct Posting {
    PartyId party = kNoParty;
    PostingPlace place = PostingPlace::balance;
    rating::Currency currency;
    Money amount;
    Money after{};  ///< Of a balance: what it was then. Absent in earlier journals: 0.
};

/// Whether the postings add up to zero in each currency.
[[nodiscard]] bool balanced(std::span<const Posting> postings) noexcept;

/// The numbers stand in journals.
enum class TransactionKind : std::uint8_t {
    top_up,
    debit,
    adjustment,
    transfer,
    payout,
    refund,
    sale,        ///< A distributor sells an account with an opening balance, or is assigned to one.
    payment,     ///< Somebody records what a customer or reseller paid.
    refill,      ///< A reseller puts money on his customer's account.
    activation,  ///< Of a package.
    renewal,     ///< Of a package, a service plan or a number.
    plan,        ///< A service plan, or more of its users.
    number,      ///< One of the pool.
    account,     ///< An account with all that it begins with.
    order,       ///< Paid online.
};
inline constexpr TransactionKind kTransactionKindLast = TransactionKind::order;
/// The word for it.
[[nodiscard]] std::string_view text_of(TransactionKind kind) noexcept;
[[nodiscard]] std::string_view text_of(PostingPlace place) noexcept;

/// All that is needed to do it again on an empty ledger, to answer its repeat and to refund it.
struct Transaction {
    std::uint64_t number = 0;  ///< In the order in which they were committed, from 1.
    TransactionKind kind = TransactionKind::top_up;
    std::string scope;    ///< Who sent it: request ids are his own. Empty: nobody is declared.
    std::string request;  ///< The id its sender chose.
    std::uint64_t fingerprint = 0;
    std::string memo;
    /// They add up to zero in each currency. The first is the balance that the answer tells; none where
    /// nothing was to be paid.
    std::vector<Posting> postings;
    Money balance;    ///< As answered: after it.
    Money available;  ///< As answered.
    Moment at{};
    std::uint8_t lifted = 0;  ///< Reasons of Status that it took away from the first posting's party.
    // What a refund refunds: a call's record, or the payment with this request id in the same scope.
    std::uint64_t refunded_record = 0;
    std::string refunded_request;
    std::string actor;    ///< Who did it; empty: nobody is declared.
    std::string subject;  ///< What it was about: a record's id. A repeat's answer shows it.
};

void write_transaction(const Transaction& transaction, ByteWriter& out);
/// False where these are not the bytes of one, or more than them.
[[nodiscard]] bool read_transaction(ByteReader& in, Transaction& transaction);

}  // namespace tollgate::balance
