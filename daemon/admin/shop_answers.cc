#include "daemon/admin/shop_answers.h"

#include <string>

namespace tollgate::daemon::admin {

Response refused(const ShopFault& fault) {
    switch (fault.kind) {
        case ShopFault::Kind::unknown:
            return problem({.status = 404, .detail = fault.message});
        case ShopFault::Kind::conflict:
            return problem({.status = 409, .detail = fault.message});
        case ShopFault::Kind::invalid:
            break;
    }
    const RequestFault field{{}, fault.field, fault.message};
    return invalid({&field, 1});
}

std::optional<Response> refusal_of(const Services& services, const Request& request,
                                   const Shop::Answer& answer) {
    switch (answer.payment.code) {
        case PaymentCode::ok:
            return std::nullopt;
        case PaymentCode::faulty:
            return answer.fault ? refused(*answer.fault)
                                : problem({.status = 422, .detail = "something is wrong with it"});
        case PaymentCode::credit_limit: {
            const auto& parties = services.catalog.parties();
            std::string who = "somebody on the way";
            if (parties.is_in_subtree(answer.level, request.actor.party)) who = parties.get(answer.level).id;
            return problem({.status = 402, .detail = who + " cannot pay for it"});
        }
        case PaymentCode::refill_limit:
            return problem({.status = 402, .detail = "the reseller has put as much on accounts as he may"});
        case PaymentCode::conflict:
            return problem({.status = 409, .detail = "this Idempotency-Key stands for another operation"});
        case PaymentCode::no_room:
            return try_later("the journal's disk is full; try again later", std::chrono::minutes{1});
        case PaymentCode::busy:
            return try_later("too many request ids are remembered; try again later", std::chrono::minutes{1});
        case PaymentCode::out_of_bounds:
            return problem({.status = 422, .detail = "a balance would leave what an account can hold"});
        case PaymentCode::unknown_account:
        case PaymentCode::unknown_target:
        case PaymentCode::not_transferable:
        case PaymentCode::unknown_original:
        case PaymentCode::not_refundable:
        case PaymentCode::suspended:
            break;
    }
    return problem({.status = 409, .detail = "it cannot be done as things stand"});
}

void write_sale(JsonWriter& json, const PaymentAnswer& payment) {
    json.name("txn").text("t-" + std::to_string(payment.transaction));
    json.name("dup").flag(payment.duplicate);
}

bool is_in_reach(const Services& services, const Request& request, std::string_view party) {
    const auto& parties = services.catalog.parties();
    return parties.is_in_subtree(parties.find(party), request.actor.party);
}

ObjectBody::ObjectBody(const Request& request) {
    object_ = reader_.read(request.body.empty() ? std::string_view{"{}"} : request.body);
    if (object_ == nullptr) {
        refusal_ = not_json(reader_);
    } else if (object_->kind != JsonValue::Kind::object) {
        const RequestFault fault{{}, {}, shown(*object_) + ": expected an object"};
        refusal_ = invalid({&fault, 1});
    }
}

}  // namespace tollgate::daemon::admin
