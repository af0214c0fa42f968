/// A payment that somebody is about to make through a gateway.
#pragma once

#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>

#include "daemon/partners/record.h"
#include "daemon/partners/record_book.h"
#include "daemon/partners/words.h"

namespace tollgate::daemon {

struct PaymentIntent {
    static constexpr RecordKind kKind = RecordKind::payment_intent;

    std::string id;  ///< `pi-1`, …
    std::string party;
    std::string gateway;
    rating::Money amount;
    std::string currency;
    std::string purpose;    ///< `wallet`, or `order`.
    std::string package;    ///< Of an order.
    std::string state;      ///< `open`, `paid`, `failed`, `expired`.
    std::string reference;  ///< The gateway's own, kept for ever.
    std::string memo;
    rating::Instant made{};
    rating::Instant expires{};
    std::int64_t transaction = 0;

    static constexpr auto fields() {
        using P = PaymentIntent;
        using W = Writable;
        return std::to_array<RecordField<P>>({
            {"id", &P::id, W::never},
            {"party", &P::party, W::never},
            {"gateway", &P::gateway, W::once, balance::is_id, kIdExpected},
            {"amount", &P::amount, W::once},
            {"currency", &P::currency, W::never},
            {"purpose", &P::purpose, W::once,
             +[](std::string_view text) noexcept {
                 return is_one_of(text, {"wallet", "order"});
             },
             "wallet or order"},
            {"package", &P::package, W::once, balance::is_id, kIdExpected},
            {"state", &P::state, W::never},
            {"reference", &P::reference, W::never},
            {"memo", &P::memo, W::once},
            {"made", &P::made, W::never},
            {"expires", &P::expires, W::never},
            {"transaction", &P::transaction, W::hidden},
        });
    }
};

/// Which intent a gateway's payment was for, for ever. Any thread may ask.
class PaymentReferences {
  public:
    /// Follows the book from now on: nothing stands in it yet. It must not move.
    explicit PaymentReferences(RecordBook<PaymentIntent>& intents) {
        intents.on_change = [this](const PaymentIntent* /*before*/, const PaymentIntent* after) {
            if (after == nullptr || after->reference.empty()) return;
            const std::lock_guard lock{mutex_};
            intents_.insert_or_assign({after->gateway, after->reference}, after->id);
        };
    }
    PaymentReferences(const PaymentReferences&) = delete;
    PaymentReferences& operator=(const PaymentReferences&) = delete;

    /// Empty: nobody's yet.
    [[nodiscard]] std::string intent_of(std::string_view gateway, std::string_view reference) const {
        const std::lock_guard lock{mutex_};
        const auto found = intents_.find({std::string{gateway}, std::string{reference}});
        return found == intents_.end() ? std::string{} : found->second;
    }

  private:
    mutable std::mutex mutex_;
    std::map<std::pair<std::string, std::string>, std::string> intents_;  // By gateway and reference.
};

}  // namespace tollgate::daemon
