#include "daemon/admin/payment_intents.h"

#include <string>
#include <utility>
#include <vector>

#include "daemon/admin/bodies.h"
#include "daemon/admin/money.h"
#include "daemon/admin/parties.h"
#include "daemon/admin/record_json.h"

namespace tollgate::daemon::admin {
namespace {

Response no_intent(std::string_view id) {
    return problem(
        {.status = 404,
         .detail = "there is no payment intent \"" + std::string{id.substr(0, kShownBytesMax)} + '"'});
}

}  // namespace

PaymentIntents::PaymentIntents(Services services, Orders orders)
    : services_(std::move(services)),
      online_(services_.catalog, services_.payments, services_.registry, services_.events,
              Sales{services_.catalog, services_.payments, services_.registry, services_.ledger},
              services_.gateways, std::move(orders)) {}

Response PaymentIntents::shown(const PaymentIntent& intent, unsigned status) const {
    const PaymentGateway* const gateway = online_.gateway(intent.gateway);
    JsonWriter json;
    json.open_object();
    write_fields(json, intent);
    json.name("url").text_or_null(gateway == nullptr ? std::string{} : gateway->url_of(intent));
    json.close_object();
    return json_response(status, json.take());
}

Response PaymentIntents::create(const Request& request, std::string_view party) const {
    if (auto refusal = refusal_of_key(request)) return *std::move(refusal);
    const auto& parties = services_.catalog.parties();
    const auto payer = parties.find(party);
    if (payer == balance::kNoParty || !parties.get(payer).has_account()) return unknown_party(party);
    JsonReader reader;
    const JsonValue* const object = reader.read(request.body);
    if (object == nullptr) return not_json(reader);
    std::vector<RequestFault> all;
    FieldFaults faults{all};
    PaymentIntent draft;
    draft.purpose = "wallet";
    read_record(*object, draft, RecordUse::make, faults);
    if (draft.amount < rating::Money{} || draft.amount > rating::kAmountMax)
        faults.add("amount", "expected more than 0 and at most " +
                                 std::string{rating::format(rating::kAmountMax).view()});
    if (draft.memo.size() > kMemoBytesMax)
        faults.add("memo", "longer than " + std::to_string(kMemoBytesMax) + " bytes");
    if ((draft.purpose == "order") != !draft.package.empty())
        faults.add("package", "is what an order is for, and nothing else");
    const PaymentGateway* const any = online_.gateway({});
    const PaymentGateway* const gateway = online_.gateway(draft.gateway);
    if (any != nullptr && gateway == nullptr) faults.add("gateway", "there is no such gateway");
    if (!all.empty()) return invalid(all);
    if (gateway == nullptr)
        return problem({.status = 409, .detail = "nobody can pay online here: there is no gateway"});
    draft.party = party;
    draft.gateway = gateway->name();
    const std::string memo = std::exchange(draft.memo, {});
    const auto begun = online_.begin(std::move(draft), request_of(services_, request, memo));
    if (!begun.faults.empty()) return refusal_of(begun.faults);
    if (begun.payment.code != PaymentCode::ok) return answer_of(begun.payment, party);
    return begun.intent ? shown(*begun.intent, 201) : no_intent(begun.payment.subject);
}

Response PaymentIntents::get(const Request& /*request*/, std::string_view id) const {
    const auto intent = online_.find(id, services_.wall_now());
    return intent ? shown(*intent, 200) : no_intent(id);
}

Response PaymentIntents::callback(const Request& request, std::string_view name) const {
    const PaymentGateway* const gateway = name.empty() ? nullptr : online_.gateway(name);
    if (gateway == nullptr) return problem({.status = 404, .detail = "there is no such gateway"});
    if (!gateway->is_signed(request.signature, request.body))
        return problem({.status = 401, .detail = "X-Signature: the gateway did not sign this"});
    const auto notice = gateway->read(request.body);
    if (!notice) return problem({.status = 422, .detail = "nothing that this gateway says"});
    const auto settled = online_.settle(*gateway, *notice, now_of(services_));
    switch (settled.outcome) {
        case OnlinePayments::Outcome::done:
            break;
        case OnlinePayments::Outcome::unknown:
            return no_intent(notice->intent);
        case OnlinePayments::Outcome::differs:
            return problem({.status = 409, .detail = "not what was meant: amount, currency or reference"});
        case OnlinePayments::Outcome::impossible: {
            Response refused = answer_of(PaymentAnswer{.code = settled.code}, notice->intent);
            if (refused.status < 500)
                return problem({.status = 409, .detail = "it cannot be put on the account now"});
            return refused;
        }
    }
    JsonWriter json;
    json.open_object().name("intent").text(notice->intent).name("state").text(settled.state);
    json.name("dup").flag(settled.duplicate).close_object();
    return json_response(200, json.take());
}

}  // namespace tollgate::daemon::admin
