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
enum class PostingPlace : std::uint8_t { balance, revenue, cash, termination };

struct Posting {
    PartyId party = kNoParty;
    PostingPlace place = PostingPlace::balance;
    rating::Currency currency;
    Money amount;
};

/// Whether the postings add up to zero in each currency.
[[nodiscard]] bool balanced(std::span<const Posting> postings) noexcept;

enum class TransactionKind : std::uint8_t { top_up, debit, adjustment, transfer, payout, refund };

/// All that is needed to do it again on an empty ledger, to answer its repeat and to refund it.
struct Transaction {
    std::uint64_t number = 0;  ///< In the order in which they were committed, from 1.
    TransactionKind kind = TransactionKind::top_up;
    std::string scope;    ///< Who sent it: request ids are his own. Empty: nobody is declared.
    std::string request;  ///< The id its sender chose.
    std::uint64_t fingerprint = 0;
    std::string memo;
    /// They add up to zero in each currency. The first is the balance that the answer tells.
    std::vector<Posting> postings;
    Money balance;    ///< As answered: after it.
    Money available;  ///< As answered.
    Moment at{};
    std::uint8_t lifted = 0;  ///< Reasons of Status that it took away from the first posting's party.
    // What a refund refunds: a call's record, or the payment with this request id in the same scope.
    std::uint64_t refunded_record = 0;
    std::string refunded_request;
};

void write_transaction(const Transaction& transaction, ByteWriter& out);
/// False where these are not the bytes of one, or more than them.
[[nodiscard]] bool read_transaction(ByteReader& in, Transaction& transaction);

}  // namespace tollgate::balance
