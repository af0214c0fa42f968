#include "daemon/admin/money.h"

#include <algorithm>
#include <array>
#include <cstdlib>

#include "daemon/admin/bodies.h"
#include "daemon/admin/fields.h"
#include "daemon/admin/parties.h"

namespace tollgate::daemon::admin {
namespace {

using rating::Money;

/// What an operation's body said. Which fields it may have is the operation's table.
struct MoneyFields {
    std::optional<Money> amount;
    bool amount_named = false;
    std::string memo;
    std::string target;
    std::string of;
    bool force = false;
};

bool is_amount(Money amount) noexcept {
    return amount > Money{} && amount <= rating::kAmountMax;
}

void read_amount(const JsonValue& value, MoneyFields& fields, FieldFaults& faults) {
    fields.amount_named = true;
    fields.amount = money_of(value, faults);
    if (fields.amount && !is_amount(*fields.amount)) {
        faults.add("amount", shown(value) + ": expected more than 0 and at most " +
                                 std::string{rating::format(rating::kAmountMax).view()});
    }
}

void read_signed_amount(const JsonValue& value, MoneyFields& fields, FieldFaults& faults) {
    fields.amount_named = true;
    fields.amount = money_of(value, faults);
    if (fields.amount && (*fields.amount == Money{} || *fields.amount > rating::kAmountMax ||
                          *fields.amount < -rating::kAmountMax)) {
        const std::string most{rating::format(rating::kAmountMax).view()};
        faults.add("amount", shown(value) + ": expected -" + most + " to " + most + ", but not 0");
    }
}

void read_memo(const JsonValue& value, MoneyFields& fields, FieldFaults& faults) {
    fields.memo = text_of(value, faults);
    if (fields.memo.size() > kMemoBytesMax) {
        faults.add("memo", "longer than " + std::to_string(kMemoBytesMax) + " bytes");
    }
}

void read_target(const JsonValue& value, MoneyFields& fields, FieldFaults& faults) {
    fields.target = text_of(value, faults);
}

void read_of(const JsonValue& value, MoneyFields& fields, FieldFaults& faults) {
    fields.of = text_of(value, faults);
}

void read_force(const JsonValue& value, MoneyFields& fields, FieldFaults& faults) {
    fields.force = value.text == "true";
    if (value.kind != JsonValue::Kind::boolean)
        faults.add("force", shown(value) + ": expected true or false");
}

using MoneyField = Field<MoneyFields>;
constexpr std::array<MoneyField, 2> kTopUpFields = {{{"amount", read_amount}, {"memo", read_memo}}};
constexpr std::array<MoneyField, 3> kDebitFields = {
    {{"amount", read_amount}, {"memo", read_memo}, {"force", read_force}}};
constexpr std::array<MoneyField, 3> kAdjustmentFields = {
    {{"amount", read_signed_amount}, {"memo", read_memo}, {"force", read_force}}};
constexpr std::array<MoneyField, 3> kTransferFields = {
    {{"amount", read_amount}, {"memo", read_memo}, {"target", read_target}}};
constexpr std::array<MoneyField, 3> kRefundFields = {
    {{"of", read_of}, {"amount", read_amount}, {"memo", read_memo}}};

Response answer_of(const PaymentAnswer& answer, std::string_view id) {
    const auto faulty = [](std::string_view field, std::string message) {
        const RequestFault fault{{}, std::string{field}, std::move(message)};
        return invalid({&fault, 1});
    };
    switch (answer.code) {
        case PaymentCode::ok:
            break;
        case PaymentCode::unknown_account:
            return unknown_party(id);
        case PaymentCode::unknown_target:
            return faulty("target", "no such party, or one without an account");
        case PaymentCode::not_transferable:
            return faulty("target", "expected another party of the same seller and currency");
        case PaymentCode::credit_limit:
            return problem({.status = 402, .detail = "more than may be taken from the party"});
        case PaymentCode::unknown_original:
            return problem({.status = 404, .detail = "the party has no such record or payment, or no more"});
        case PaymentCode::not_refundable:
            return problem({.status = 409,
                            .detail = "it is a refund, or a call that has not ended, or less is left of it"});
        case PaymentCode::conflict:
            return problem({.status = 409, .detail = "this Idempotency-Key stands for another operation"});
        case PaymentCode::no_room: {
            Response full = problem({.status = 503, .detail = "the journal's disk is full; try again later"});
            full.headers.emplace_back("Retry-After", "60");
            return full;
        }
        case PaymentCode::busy: {
            Response busy =
                problem({.status = 503, .detail = "too many request ids are remembered; try again later"});
            busy.headers.emplace_back("Retry-After", "60");
            return busy;
        }
        case PaymentCode::out_of_bounds:
            return faulty("amount", "the balance would leave what an account can hold");
        case PaymentCode::faulty:
            return faulty("", "something is wrong with it");
        case PaymentCode::suspended:
            return problem({.status = 409, .detail = "the distributor is suspended"});
        case PaymentCode::refill_limit:
            return problem({.status = 402, .detail = "the reseller has put as much on accounts as he may"});
    }
    JsonWriter json;
    json.open_object().name("txn").text("t-" + std::to_string(answer.transaction));
    json.name("balance").text(rating::format(answer.balance));
    json.name("available").text(rating::format(answer.available));
    json.name("dup").flag(answer.duplicate).close_object();
    return json_response(201, json.take());
}

/// What all operations do before and after: key, party, fields. `required` names the fields that must stand
/// there.
template <std::size_t N, typename Run>
Response carry_out(const Services& services, const Request& request, std::string_view id,
                   const std::array<MoneyField, N>& table, std::string_view required, const Run& run) {
    if (!is_request_id(request.idempotency_key)) {
        return problem({.status = 400,
                        .detail = "Idempotency-Key: expected 1 to " + std::to_string(kRequestIdBytesMax) +
                                  " bytes that do not begin with \"r-\""});
    }
    const auto party = services.catalog.parties().find(id);
    if (party == balance::kNoParty || !services.catalog.parties().get(party).has_account())
        return unknown_party(id);
    JsonReader reader;
    const JsonValue* const object = reader.read(request.body);
    if (object == nullptr) return not_json(reader);
    std::vector<RequestFault> all;
    FieldFaults faults{all};
    MoneyFields fields;
    read_fields(*object, table, Nulls::are_absent, fields, faults);
    const bool is_object = object->kind == JsonValue::Kind::object;
    const bool amount_required = required == "amount" || required == "target";
    if (is_object && amount_required && !fields.amount_named)
        faults.add("amount", "missing; " + std::string{kAmountExpected});
    if (is_object && required == "target" && fields.target.empty())
        faults.add("target", "missing; expected a party's id");
    if (is_object && required == "of" && fields.of.empty())
        faults.add("of", "missing; expected a record r-… or the request id of a payment");
    if (!all.empty()) return invalid(all);
    const PaymentRequest payment{request.idempotency_key, fields.memo, now_of(services)};
    return answer_of(run(services.payments, fields, payment), id);
}

}  // namespace

Response MoneyResource::top_up(const Request& request, std::string_view id) const {
    return carry_out(services_, request, id, kTopUpFields, "amount",
                     [id](Payments& payments, const MoneyFields& fields, const PaymentRequest& payment) {
                         return payments.top_up(id, *fields.amount, payment);
                     });
}

Response MoneyResource::debit(const Request& request, std::string_view id) const {
    return carry_out(services_, request, id, kDebitFields, "amount",
                     [id](Payments& payments, const MoneyFields& fields, const PaymentRequest& payment) {
                         return payments.debit(id, *fields.amount, fields.force, payment);
                     });
}

Response MoneyResource::adjust(const Request& request, std::string_view id) const {
    return carry_out(services_, request, id, kAdjustmentFields, "amount",
                     [id](Payments& payments, const MoneyFields& fields, const PaymentRequest& payment) {
                         return payments.adjust(id, *fields.amount, fields.force, payment);
                     });
}

Response MoneyResource::transfer(const Request& request, std::string_view id) const {
    return carry_out(services_, request, id, kTransferFields, "target",
                     [id](Payments& payments, const MoneyFields& fields, const PaymentRequest& payment) {
                         return payments.transfer(id, fields.target, *fields.amount, payment);
                     });
}

Response MoneyResource::pay_out(const Request& request, std::string_view id) const {
    return carry_out(services_, request, id, kTopUpFields, "amount",
                     [id](Payments& payments, const MoneyFields& fields, const PaymentRequest& payment) {
                         return payments.pay_out(id, *fields.amount, payment);
                     });
}

Response MoneyResource::refund(const Request& request, std::string_view id) const {
    return carry_out(services_, request, id, kRefundFields, "of",
                     [id](Payments& payments, const MoneyFields& fields, const PaymentRequest& payment) {
                         return payments.refund({.of = fields.of, .amount = fields.amount, .party = id},
                                                payment);
                     });
}

Response MoneyResource::threshold_events(const Request& request) const {
    constexpr std::size_t kPage = 1000;
    std::uint64_t after = 0;
    for (const auto& [name, value] : request.query) {
        if (name != "after") continue;
        const auto number = rating::parse_unsigned(value, INT64_MAX);
        if (!number) {
            const RequestFault fault{
                {}, "after", '"' + value.substr(0, kShownBytesMax) + "\": expected the number of an event"};
            return invalid({&fault, 1});
        }
        after = *number;
    }
    JsonWriter json;
    json.open_object().name("events").open_list();
    for (const ThresholdEvent& event : services_.threshold_events.after(after, kPage)) {
        after = event.number;
        const auto& crossing = event.crossing;
        if (!services_.catalog.parties().is_in_subtree(crossing.party, request.actor.party)) continue;
        json.open_object().name("number").whole(event.number);
        json.name("party").text(services_.catalog.parties().get(crossing.party).id);
        json.name("threshold").text(daemon::text_of(crossing.warning));
        json.name("balance").text(rating::format(crossing.balance));
        json.name("owed").text(rating::format(crossing.owed()));
        json.name("at").text(rating::format(event.at.wall)).close_object();
    }
    json.close_list().name("next").whole(after).close_object();
    return json_response(200, json.take());
}

}  // namespace tollgate::daemon::admin
