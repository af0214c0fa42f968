#include "balance/transaction.h"

#include <algorithm>
#include <cstdlib>

namespace tollgate::balance {

bool balanced(std::span<const Posting> postings) noexcept {
    // A transaction has two postings, or two a level: a quadratic look is a short one.
    return std::all_of(postings.begin(), postings.end(), [postings](const Posting& one) {
        __extension__ typedef __int128 Sum;  // NOLINT(modernize-use-using)
        Sum sum = 0;
        for (const Posting& other : postings) {
            if (other.currency == one.currency) sum += other.amount.micros();
        }
        return sum == 0;
    });
}

void write_transaction(const Transaction& transaction, ByteWriter& out) {
    out.put(transaction.number);
    out.put(transaction.kind);
    out.short_text(transaction.scope);
    out.short_text(transaction.request);
    out.put(transaction.fingerprint);
    out.text(transaction.memo);
    out.put(static_cast<std::uint8_t>(transaction.postings.size()));
    for (const Posting& posting : transaction.postings) {
        out.put(posting.party);
        out.put(posting.place);
        out.short_text(posting.currency.view());
        out.put(posting.amount);
    }
    out.put(transaction.balance);
    out.put(transaction.available);
    out.put(transaction.at.wall);
    out.put(transaction.at.steady);
    out.put(transaction.lifted);
    out.put(transaction.refunded_record);
    out.short_text(transaction.refunded_request);
    out.short_text(transaction.actor);
    out.short_text(transaction.subject);
    for (const Posting& posting : transaction.postings)
        out.put(posting.after);
}

bool read_transaction(ByteReader& in, Transaction& transaction) {
    in.get(transaction.number);
    in.get(transaction.kind);
    transaction.scope = in.short_text();
    transaction.request = in.short_text();
    in.get(transaction.fingerprint);
    transaction.memo = in.text();
    const auto count = in.get<std::uint8_t>();
    bool readable = true;
    for (std::size_t i = 0; i < count; ++i) {
        Posting& posting = transaction.postings.emplace_back();
        in.get(posting.party);
        in.get(posting.place);
        const auto currency = rating::Currency::parse(in.short_text());
        readable = readable && currency.has_value() && posting.place <= kPostingPlaceLast;
        posting.currency = currency.value_or(rating::Currency{});
        in.get(posting.amount);
    }
    in.get(transaction.balance);
    in.get(transaction.available);
    in.get(transaction.at.wall);
    in.get(transaction.at.steady);
    in.get(transaction.lifted);
    in.get(transaction.refunded_record);
    transaction.refunded_request = in.short_text();
    if (!in.at_end()) {  // Earlier versions wrote no more.
        transaction.actor = in.short_text();
        transaction.subject = in.short_text();
    }
    if (!in.at_end()) {
        for (Posting& posting : transaction.postings)
            in.get(posting.after);
    }
    return readable && in.at_end() && transaction.kind <= kTransactionKindLast;
}

std::string_view text_of(TransactionKind kind) noexcept {
    switch (kind) {
        case TransactionKind::top_up:
            return "topup";
        case TransactionKind::debit:
            return "debit";
        case TransactionKind::adjustment:
            return "adjustment";
        case TransactionKind::transfer:
            return "transfer";
        case TransactionKind::payout:
            return "payout";
        case TransactionKind::refund:
            return "refund";
        case TransactionKind::sale:
            return "sale";
        case TransactionKind::payment:
            return "payment";
        case TransactionKind::refill:
            return "refill";
        case TransactionKind::activation:
            return "activation";
        case TransactionKind::renewal:
            return "renewal";
        case TransactionKind::plan:
            return "plan";
        case TransactionKind::number:
            return "number";
        case TransactionKind::account:
            return "account";
        case TransactionKind::order:
            return "order";
    }
    std::abort();  // Not an enumerator: memory is corrupt.
}

std::string_view text_of(PostingPlace place) noexcept {
    switch (place) {
        case PostingPlace::balance:
            return "balance";
        case PostingPlace::revenue:
            return "revenue";
        case PostingPlace::cash:
            return "cash";
        case PostingPlace::termination:
            return "termination";
        case PostingPlace::commission:
            return "commission";
        case PostingPlace::funds:
            return "customer_funds";
        case PostingPlace::exchange:
            return "exchange";
    }
    std::abort();  // Not an enumerator: memory is corrupt.
}

}  // namespace tollgate::balance
