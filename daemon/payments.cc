#include "daemon/payments.h"

namespace tollgate::daemon {
namespace {

constexpr balance::KeyedHash kFingerprint{0};

std::uint64_t fingerprint_of(char operation, std::string_view party, rating::Money amount,
                             std::string_view memo) {
    std::uint64_t hash =
        kFingerprint.mix(static_cast<unsigned char>(operation), static_cast<std::uint64_t>(amount.micros()));
    hash = kFingerprint.mix(hash, kFingerprint(party));
    return kFingerprint.mix(hash, kFingerprint(memo));
}

constexpr std::chrono::minutes kSweepEvery{10};

}  // namespace

void Payments::forget_old(Stripe& stripe, balance::Steady now) const {
    if (now - stripe.swept < kSweepEvery) return;
    stripe.swept = now;
    std::erase_if(stripe.requests, [&](const auto& entry) { return now - entry.second.at > remember_; });
}

template <typename Post>
PaymentAnswer Payments::once(std::string_view party_id, std::string_view request, std::uint64_t fingerprint,
                             balance::Steady now, const Post& post) {
    Stripe& stripe = stripes_[kFingerprint(request) % kStripes];
    const std::lock_guard lock{stripe.mutex};
    forget_old(stripe, now);
    std::string key{request};
    if (const auto known = stripe.requests.find(key); known != stripe.requests.end()) {
        if (known->second.fingerprint != fingerprint) return {.code = PaymentCode::conflict};
        PaymentAnswer answer = known->second.answer;
        answer.duplicate = true;
        return answer;
    }
    const balance::PartyId id = parties_.find(party_id);
    if (id == balance::kNoParty) return {.code = PaymentCode::unknown_account};
    const balance::Party& party = parties_.get(id);
    if (!party.has_account() || party.status().closed()) return {.code = PaymentCode::unknown_account};
    if (stripe.requests.size() >= kRequestsMax / kStripes) return {.code = PaymentCode::busy};
    const balance::Ledger::Posting posting = post(id);
    switch (posting.status) {
        case balance::Ledger::PostStatus::insufficient:
            return {.code = PaymentCode::credit_limit};
        case balance::Ledger::PostStatus::out_of_bounds:
            return {.code = PaymentCode::out_of_bounds};
        case balance::Ledger::PostStatus::posted:
            break;
    }
    PaymentAnswer answer;
    answer.balance = posting.balance;
    answer.available = party.account.available();
    answer.transaction = transaction_last_.fetch_add(1, std::memory_order_relaxed) + 1;
    stripe.requests.emplace(std::move(key), Remembered{fingerprint, now, answer});
    return answer;
}

PaymentAnswer Payments::top_up(std::string_view party, rating::Money amount, std::string_view request,
                               std::string_view memo, balance::Steady now) {
    return once(party, request, fingerprint_of('T', party, amount, memo), now, [&](balance::PartyId id) {
        const auto posted = ledger_.top_up(id, amount);
        // Only an operator lifts the other reasons. Nothing else is decided by the order of the two.
        constexpr auto kLifted =
            static_cast<std::uint8_t>(balance::Status::kOverdue | balance::Status::kLimit);
        if (posted.status == balance::Ledger::PostStatus::posted) {
            parties_.get(id).status_bits.fetch_and(static_cast<std::uint8_t>(~kLifted),
                                                   std::memory_order_relaxed);
        }
        return posted;
    });
}

PaymentAnswer Payments::debit(std::string_view party, rating::Money amount, std::string_view request,
                              std::string_view memo, bool force, balance::Steady now) {
    return once(party, request, fingerprint_of(force ? 'F' : 'D', party, amount, memo), now,
                [&](balance::PartyId id) { return ledger_.debit(id, amount, force); });
}

}  // namespace tollgate::daemon
