#include "daemon/partners/online_payments.h"

#include <algorithm>
#include <array>
#include <mutex>

namespace tollgate::daemon {
namespace {

using balance::Transaction;
using balance::TransactionKind;
using rating::Money;

constexpr std::string_view kOpen = "open";
constexpr std::string_view kPaid = "paid";
constexpr std::string_view kFailed = "failed";
constexpr std::string_view kExpired = "expired";
constexpr std::string_view kOrder = "order";

}  // namespace

const PaymentGateway* OnlinePayments::gateway(std::string_view name) const noexcept {
    const auto found = std::find_if(gateways_.begin(), gateways_.end(), [name](const auto& gateway) {
        return name.empty() || gateway->name() == name;
    });
    return found == gateways_.end() ? nullptr : found->get();
}

OnlinePayments::Begun OnlinePayments::begin(PaymentIntent draft, const PaymentRequest& request) {
    const std::lock_guard lock{registry_.mutex};
    std::vector<Fault> faults;
    const auto fault = [&faults](std::string field, std::string message) {
        faults.push_back({.field = std::move(field), .message = std::move(message)});
        return PaymentCode::faulty;
    };
    const std::string asked{rating::format(draft.amount).view()};
    const std::array<std::string_view, 7> arguments = {
        "intent", draft.party, asked, draft.gateway, draft.purpose, draft.package, request.memo};
    const auto decide = [&](Transaction& transaction, std::vector<balance::Ledger::Funds>&) {
        const auto& parties = catalog_.parties();
        const auto party = parties.find(draft.party);
        if (party == balance::kNoParty || !parties.get(party).has_account() ||
            parties.get(party).status().closed())
            return PaymentCode::unknown_account;
        if (draft.purpose == kOrder) {
            const auto price =
                orders_.price ? orders_.price(draft.party, draft.package) : std::optional<Money>{};
            if (!price || *price == Money{}) return fault("package", "is not for sale to this customer");
            if (draft.amount == Money{}) draft.amount = *price;
            if (draft.amount != *price)
                return fault("amount",
                             "expected the price, \"" + std::string{rating::format(*price).view()} + '"');
        } else if (draft.amount == Money{}) {
            return fault("amount", "missing; expected an amount");
        }
        // Intents are never removed, so their count is their last number.
        draft.id = "pi-" + std::to_string(registry_.intents.size() + 1);
        draft.currency = parties.get(party).currency.view();
        draft.state = kOpen;
        draft.memo = request.memo;
        draft.made = request.now.wall;
        draft.expires = request.now.wall + kIntentLife;
        registry_.intents.put(*balance::JointEvent::current(), draft, request.now);
        transaction.subject = draft.id;
        return PaymentCode::ok;
    };
    Begun begun{
        payments_.transact(TransactionKind::payment, Payments::fingerprint(arguments), request, decide),
        std::move(faults)};
    if (begun.payment.code == PaymentCode::ok) begun.intent = find(begun.payment.subject, request.now.wall);
    return begun;
}

std::optional<PaymentIntent> OnlinePayments::find(std::string_view id, rating::Instant now) const {
    auto intent = registry_.intents.find(id);
    if (intent && intent->state == kOpen && now >= intent->expires) intent->state = kExpired;
    return intent;
}

OnlinePayments::Settled OnlinePayments::settle(const PaymentGateway& gateway, const GatewayNotice& notice,
                                               Moment now) {
    const std::lock_guard lock{registry_.mutex};
    auto intent = registry_.intents.find(notice.intent);
    if (!intent || intent->gateway != gateway.name()) return {.outcome = Outcome::unknown};
    const std::string paid_for = registry_.references.intent_of(gateway.name(), notice.reference);
    if (!paid_for.empty() && paid_for != intent->id) return {.outcome = Outcome::differs};
    if (notice.amount != intent->amount || notice.currency.view() != intent->currency)
        return {.outcome = Outcome::differs};
    if (intent->state == kPaid) {
        // Of a payment that was made, a failure that comes late says nothing.
        if (notice.paid && intent->reference != notice.reference) return {.outcome = Outcome::differs};
        return {.state = intent->state, .duplicate = true};
    }
    balance::JointEvent& joint = *balance::JointEvent::current();
    if (!notice.paid) {
        if (intent->state == kFailed) return {.state = intent->state, .duplicate = true};
        intent->state = kFailed;
        registry_.intents.put(joint, *intent, now);
        joint.write(events_, now);
        return {.state = intent->state};
    }
    intent->state = kPaid;
    intent->reference = notice.reference;
    const std::string scope = "gateway " + std::string{gateway.name()};
    const std::string request_id = "paid " + intent->id;
    const PaymentRequest request{request_id, intent->memo, now, scope, scope};
    const auto keep = [&](balance::JointEvent& with) { registry_.intents.put(with, *intent, now); };
    PaymentAnswer done{.code = PaymentCode::faulty};
    if (intent->purpose == kOrder && orders_.deliver)
        done = orders_.deliver(intent->party, intent->package, intent->amount, request, keep);
    const bool put_off = done.code == PaymentCode::busy || done.code == PaymentCode::no_room;
    if (done.code != PaymentCode::ok && !put_off) {
        // Also where what was ordered cannot be had any more: the money is there, so it is put on the
        // account.
        const std::string wallet_id = "wallet " + intent->id;
        const PaymentRequest to_wallet{intent->purpose == kOrder ? wallet_id : request_id, intent->memo, now,
                                       scope, scope};
        const auto decide = [&](Transaction& transaction, std::vector<balance::Ledger::Funds>&) {
            const PaymentCode code = sales_.post_payment(intent->party, intent->amount, transaction);
            if (code != PaymentCode::ok) return code;
            transaction.subject = intent->id;
            keep(joint);
            return code;
        };
        const std::array<std::string_view, 2> arguments = {"paid", notice.reference};
        done =
            payments_.transact(TransactionKind::payment, Payments::fingerprint(arguments), to_wallet, decide);
    }
    if (done.code != PaymentCode::ok) return {.outcome = Outcome::impossible, .code = done.code};
    return {.state = std::string{kPaid}, .duplicate = done.duplicate};
}

}  // namespace tollgate::daemon
