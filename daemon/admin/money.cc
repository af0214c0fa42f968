#include "daemon/admin/money.h"

#include <algorithm>
#include <array>
#include <cstdlib>

#include "daemon/admin/bodies.h"
#include "daemon/admin/fields.h"
#include "daemon/admin/parties.h"
#include "daemon/partners/words.h"

namespace tollgate::daemon::admin {
/// What an operation's body said. Which fields it may have is the operation's table.
struct MoneyFields {
    std::optional<rating::Money> amount;
    bool amount_named = false;
    std::string memo;
    std::string target;
    std::string of;
    bool force = false;
    std::string party;
    std::string method;
    std::string collected_by;
    std::string distributor;
    std::optional<rating::Money> paid_amount;
    std::optional<rating::Currency> paid_currency;
    std::string rate;
};

namespace {

/// What is said of a transaction inside an open object.
void write_moved(JsonWriter& json, const PaymentAnswer& answer, bool tells_balance = true) {
    json.name("txn").text("t-" + std::to_string(answer.transaction));
    if (tells_balance) {
        json.name("balance").text(rating::format(answer.balance));
        json.name("available").text(rating::format(answer.available));
    }
    json.name("dup").flag(answer.duplicate);
}

}  // namespace

std::optional<Response> refusal_of_key(const Request& request) {
    if (is_request_id(request.idempotency_key)) return std::nullopt;
    return problem({.status = 400,
                    .detail = "Idempotency-Key: expected 1 to " + std::to_string(kRequestIdBytesMax) +
                              " bytes that do not begin with \"r-\""});
}

PaymentRequest request_of(const Services& services, const Request& request, std::string_view memo) {
    const Actor& actor = request.actor;
    PaymentRequest payment{request.idempotency_key, memo, now_of(services), actor.login, actor.login};
    if (!actor.login.empty()) {
        const auto since = payment.now.wall - actor.first_declared;
        payment.nobodys = {payment.now.steady - since, actor.party};
    }
    return payment;
}

Response refusal_of(std::span<const Fault> faults) {
    std::vector<RequestFault> all;
    for (const Fault& fault : faults)
        all.push_back({{}, fault.field, fault.message});
    return invalid(all);
}

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
        case PaymentCode::no_room:
            return try_later("the journal's disk is full, or memory is; try again later",
                             std::chrono::minutes{1});
        case PaymentCode::busy:
            return try_later("too many request ids are remembered; try again later", std::chrono::minutes{1});
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
    json.open_object();
    write_moved(json, answer);
    json.close_object();
    return json_response(201, json.take());
}

namespace {

using rating::Money;

/// How an operation may raise a balance.
enum class Raises : std::uint8_t {
    no,          ///< Not at all, or within the limits of who sells.
    yes,         ///< As whoever does it says.
    by_payment,  ///< By a payment that is recorded, which a distributor owes.
};

/// What was paid with, in bytes.
constexpr std::size_t kMethodBytesMax = 64;

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

void read_party(const JsonValue& value, MoneyFields& fields, FieldFaults& faults) {
    fields.party = text_of(value, faults);
}

void read_method(const JsonValue& value, MoneyFields& fields, FieldFaults& faults) {
    fields.method = text_of(value, faults);
    if (fields.method.size() > kMethodBytesMax || !is_plain_text(fields.method)) {
        faults.add("method", "expected at most " + std::to_string(kMethodBytesMax) +
                                 " bytes without control characters");
    }
}

void read_collected_by(const JsonValue& value, MoneyFields& fields, FieldFaults& faults) {
    fields.collected_by = text_of(value, faults);
}

void read_distributor(const JsonValue& value, MoneyFields& fields, FieldFaults& faults) {
    fields.distributor = text_of(value, faults);
}

void read_paid_amount(const JsonValue& value, MoneyFields& fields, FieldFaults& faults) {
    fields.paid_amount = money_of(value, faults);
    if (fields.paid_amount && !is_amount(*fields.paid_amount))
        faults.add("paid_amount", shown(value) + ": expected more than 0");
}

void read_paid_currency(const JsonValue& value, MoneyFields& fields, FieldFaults& faults) {
    fields.paid_currency = rating::Currency::parse(text_of(value, faults));
    if (!fields.paid_currency)
        faults.add("paid_currency", shown(value) + ": expected three capital letters, such as EUR");
}

void read_rate(const JsonValue& value, MoneyFields& fields, FieldFaults& faults) {
    const auto nanos = decimal_of(value, balance::ExchangeRate::kPlaces);
    if (nanos && *nanos > 0 && *nanos <= balance::ExchangeRate::kRateMax) {
        fields.rate = rating::format_decimal(*nanos, balance::ExchangeRate::kPlaces);
    } else {
        faults.add("rate", shown(value) + ": expected more than 0, with at most 9 places");
    }
}

using MoneyField = Field<MoneyFields>;
constexpr std::array<MoneyField, 7> kPaymentFields = {{{"amount", read_amount},
                                                       {"memo", read_memo},
                                                       {"method", read_method},
                                                       {"collected_by", read_collected_by},
                                                       {"paid_amount", read_paid_amount},
                                                       {"paid_currency", read_paid_currency},
                                                       {"rate", read_rate}}};
constexpr std::array<MoneyField, 8> kPaymentOfFields = {{{"party", read_party},
                                                         {"amount", read_amount},
                                                         {"memo", read_memo},
                                                         {"method", read_method},
                                                         {"collected_by", read_collected_by},
                                                         {"paid_amount", read_paid_amount},
                                                         {"paid_currency", read_paid_currency},
                                                         {"rate", read_rate}}};
constexpr std::array<MoneyField, 1> kAssignmentFields = {{{"distributor", read_distributor}}};
constexpr std::array<MoneyField, 2> kTopUpFields = {{{"amount", read_amount}, {"memo", read_memo}}};
constexpr std::array<MoneyField, 3> kDebitFields = {
    {{"amount", read_amount}, {"memo", read_memo}, {"force", read_force}}};
constexpr std::array<MoneyField, 3> kAdjustmentFields = {
    {{"amount", read_signed_amount}, {"memo", read_memo}, {"force", read_force}}};
constexpr std::array<MoneyField, 3> kTransferFields = {
    {{"amount", read_amount}, {"memo", read_memo}, {"target", read_target}}};
constexpr std::array<MoneyField, 3> kRefundFields = {
    {{"of", read_of}, {"amount", read_amount}, {"memo", read_memo}}};

using admin::answer_of;

/// `tells_balance`: not to a distributor who was assigned the customer of somebody else.
Response answer_of(const Sales::Answer& answer, std::string_view id, bool tells_balance = true) {
    if (!answer.faults.empty()) return refusal_of(answer.faults);
    if (answer.payment.code != PaymentCode::ok) return answer_of(answer.payment, id);
    JsonWriter json;
    json.open_object();
    write_moved(json, answer.payment, tells_balance);
    const auto write_money = [&json](std::string_view name, const std::optional<Money>& amount) {
        json.name(name);
        amount ? json.text(rating::format(*amount)) : json.null();
    };
    write_money("commission", answer.commission);
    write_money("owed", answer.owed);
    json.name("collected_by").text_or_null(answer.collected_by).close_object();
    return json_response(201, json.take());
}

/// Of a refill the transaction alone is told.
struct Refilled {
    Sales::Answer answer;
};

Response answer_of(const Refilled& refilled, std::string_view id) {
    if (!refilled.answer.faults.empty()) return refusal_of(refilled.answer.faults);
    return answer_of(refilled.answer.payment, id);
}

/// Why somebody may not move money in a way that goes round the limits of who sells: a distributor owes what
/// he collects, and a reseller whose refills are limited refills.
std::optional<Response> refusal_of_actor(const Services& services, const Request& request,
                                         balance::PartyId party, Raises raises) {
    const auto& parties = services.catalog.parties();
    if (request.actor.party == parties.root() || parties.size() == 0) return std::nullopt;
    if (parties.get(request.actor.party).kind == balance::PartyKind::distributor &&
        raises != Raises::by_payment)
        return problem({.status = 403, .detail = "a distributor records payments and sells accounts"});
    if (raises == Raises::no ||
        !Sales{services.catalog, services.payments, services.registry, services.ledger}.refills_are_limited(
            party))
        return std::nullopt;
    return problem({.status = 403, .detail = "the reseller's refills are limited: refill the account"});
}

/// What all operations do before and after: key, party, fields. `required` names the fields that must stand
/// there.
template <std::size_t N, typename Run>
Response carry_out(const Services& services, const Request& request, std::string_view id,
                   const std::array<MoneyField, N>& table, std::string_view required, const Run& run,
                   Raises raises = Raises::no) {
    if (auto refusal = refusal_of_key(request)) return *std::move(refusal);
    const auto party = services.catalog.parties().find(id);
    if (party == balance::kNoParty || !services.catalog.parties().get(party).has_account())
        return unknown_party(id);
    if (auto refusal = refusal_of_actor(services, request, party, raises)) return *std::move(refusal);
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
    if (is_object && required == "distributor" && fields.distributor.empty())
        faults.add("distributor", "missing; expected a distributor's id");
    if (!all.empty()) return invalid(all);
    return answer_of(run(services.payments, fields, request_of(services, request, fields.memo)), id);
}

}  // namespace

Response MoneyResource::top_up(const Request& request, std::string_view id) const {
    return carry_out(
        services_, request, id, kTopUpFields, "amount",
        [id](Payments& payments, const MoneyFields& fields, const PaymentRequest& payment) {
            return payments.top_up(id, *fields.amount, payment);
        },
        Raises::yes);
}

Response MoneyResource::debit(const Request& request, std::string_view id) const {
    return carry_out(services_, request, id, kDebitFields, "amount",
                     [id](Payments& payments, const MoneyFields& fields, const PaymentRequest& payment) {
                         return payments.debit(id, *fields.amount, fields.force, payment);
                     });
}

Response MoneyResource::adjust(const Request& request, std::string_view id) const {
    return carry_out(
        services_, request, id, kAdjustmentFields, "amount",
        [id](Payments& payments, const MoneyFields& fields, const PaymentRequest& payment) {
            return payments.adjust(id, *fields.amount, fields.force, payment);
        },
        Raises::yes);
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
    const auto& parties = services_.catalog.parties();
    const std::string_view asker = parties.size() == 0 || request.actor.party == parties.root()
                                       ? std::string_view{}
                                       : parties.get(request.actor.party).id;
    return carry_out(services_, request, id, kRefundFields, "of",
                     [&](Payments& payments, const MoneyFields& fields, const PaymentRequest& payment) {
                         return payments.refund(
                             {.of = fields.of, .amount = fields.amount, .party = id, .asker = asker},
                             payment);
                     });
}

// ---- Payments that are recorded, refills, distributors ----

Response MoneyResource::record(const Request& request, std::string_view id, const MoneyFields& fields) const {
    const auto& parties = services_.catalog.parties();
    std::vector<RequestFault> all;
    FieldFaults faults{all};
    Sales::Payment payment{
        .party = id, .amount = *fields.amount, .method = fields.method, .collected_by = fields.collected_by};
    const balance::Party& actor = parties.get(request.actor.party);
    if (actor.kind == balance::PartyKind::distributor) {
        // What he records he has collected.
        if (payment.collected_by.empty()) payment.collected_by = actor.id;
        if (payment.collected_by != actor.id) faults.add("collected_by", "expected nobody else");
    }
    if (fields.paid_amount.has_value() != fields.paid_currency.has_value() ||
        fields.paid_amount.has_value() == fields.rate.empty()) {
        faults.add("rate", "expected paid_amount, paid_currency and rate, or none of them");
    } else if (fields.paid_amount) {
        payment.paid = fields.paid_amount;
        payment.rate = balance::ExchangeRate::parse(*fields.paid_currency,
                                                    parties.get(parties.find(id)).currency, fields.rate);
        if (!payment.rate)
            faults.add("paid_currency", "expected another than the party's own, which needs no rate");
    }
    if (!all.empty()) return invalid(all);
    const bool tells_balance = parties.is_in_subtree(parties.find(id), request.actor.party);
    return answer_of(sales_.record_payment(payment, request_of(services_, request, fields.memo)), id,
                     tells_balance);
}

Response MoneyResource::record_payment(const Request& request, std::string_view id) const {
    return record_by(request, id, kPaymentFields);
}

Response MoneyResource::record_payment_of(const Request& request) const {
    return record_by(request, {}, kPaymentOfFields);
}

template <typename Table>
Response MoneyResource::record_by(const Request& request, std::string_view id, const Table& table) const {
    if (auto refusal = refusal_of_key(request)) return *std::move(refusal);
    JsonReader reader;
    const JsonValue* const object = reader.read(request.body);
    if (object == nullptr) return not_json(reader);
    std::vector<RequestFault> all;
    FieldFaults faults{all};
    MoneyFields fields;
    read_fields(*object, table, Nulls::are_absent, fields, faults);
    if (object->kind == JsonValue::Kind::object) {
        if (!fields.amount_named) faults.add("amount", "missing; " + std::string{kAmountExpected});
        if (id.empty() && fields.party.empty()) faults.add("party", "missing; expected a party's id");
    }
    if (!all.empty()) return invalid(all);
    if (id.empty()) id = fields.party;
    const auto& parties = services_.catalog.parties();
    const auto party = parties.find(id);
    if (!parties.is_in_subtree(party, request.actor.party) && !sells_to(request.actor, party))
        return unknown_party(id);
    if (!parties.get(party).has_account()) return unknown_party(id);
    if (auto refusal = refusal_of_actor(services_, request, party, Raises::by_payment))
        return *std::move(refusal);
    return record(request, id, fields);
}

bool MoneyResource::sells_to(const Actor& actor, balance::PartyId party) const {
    const auto& parties = services_.catalog.parties();
    if (party == balance::kNoParty) return false;
    const auto profile = services_.registry.profiles.find(parties.get(party).id);
    return profile && profile->distributor == parties.get(actor.party).id;
}

Response MoneyResource::refill(const Request& request, std::string_view id) const {
    return carry_out(services_, request, id, kTopUpFields, "amount",
                     [&](Payments&, const MoneyFields& fields, const PaymentRequest& payment) {
                         return Refilled{sales_.refill(id, *fields.amount, payment)};
                     });
}

Response MoneyResource::assign_distributor(const Request& request, std::string_view id) const {
    return carry_out(services_, request, id, kAssignmentFields, "distributor",
                     [&](Payments&, const MoneyFields& fields, const PaymentRequest& payment) {
                         return sales_.assign_distributor(id, fields.distributor, payment);
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
