#include "daemon/admin/numbers.h"

#include <array>
#include <memory>
#include <set>
#include <vector>

#include "daemon/admin/listing.h"
#include "daemon/admin/parties.h"
#include "daemon/admin/record_json.h"
#include "daemon/admin/shop_answers.h"

namespace tollgate::daemon::admin {
namespace {

/// Of one request: its event is one, and so is its answer.
constexpr std::size_t kNumbersAtOnce = 2'000;

Response unknown_number(std::string_view id) {
    return problem(
        {.status = 404, .detail = "no number \"" + std::string{id.substr(0, kShownBytesMax)} + '"'});
}

template <std::string AssignmentFields::*member>
void read_text(const JsonValue& value, AssignmentFields& fields, FieldFaults& faults) {
    fields.*member = text_of(value, faults);
}
void read_renewal(const JsonValue& value, AssignmentFields& fields, FieldFaults& faults) {
    fields.renewal = text_of(value, faults);
    if (!is_renewal(fields.renewal))
        faults.add("renewal", shown(value) + ": expected " + std::string{kRenewalExpected});
}

constexpr std::array<Field<AssignmentFields>, 3> kAssignFields = {
    {{"customer", read_text<&AssignmentFields::customer>},
     {"line", read_text<&AssignmentFields::line>},
     {"renewal", read_renewal}}};
constexpr std::array<Field<AssignmentFields>, 3> kEntryFields = {
    {{"id", read_text<&AssignmentFields::number>},
     {"line", read_text<&AssignmentFields::line>},
     {"renewal", read_renewal}}};

/// What a request to add numbers says.
struct NewNumbers {
    std::string owner;  ///< Empty: the reader's own party.
    std::vector<PoolNumber> numbers;
};

void read_numbers(const JsonValue& value, NewNumbers& fresh, FieldFaults& faults) {
    if (value.kind != JsonValue::Kind::list)
        return faults.add("numbers", shown(value) + ": expected a list of numbers");
    std::set<std::string> ids;
    for (const JsonValue& element : value.children()) {
        PoolNumber number;
        number.period = "month";
        if (element.kind == JsonValue::Kind::string) {
            number.id = element.text;
        } else {
            read_record(element, number, RecordUse::make, faults);
        }
        if (number.period.empty()) number.period = "month";
        number.renewal.clear();
        if (!is_number(number.id)) {
            faults.add("numbers", '"' + number.id.substr(0, kShownBytesMax) + "\": expected 1 to 32 digits");
        } else if (!ids.insert(number.id).second) {
            faults.add("numbers", '"' + number.id + "\" stands there twice");
        }
        if (number.price < rating::Money{} || number.price > rating::kAmountMax)
            faults.add("price", "of " + number.id + ": expected an amount from 0 to 10000000000");
        fresh.numbers.push_back(std::move(number));
    }
    if (fresh.numbers.empty() || fresh.numbers.size() > kNumbersAtOnce)
        faults.add("numbers", "expected 1 to " + std::to_string(kNumbersAtOnce) + " of them");
}

constexpr std::array<Field<NewNumbers>, 2> kNewFields = {
    {{"owner", [](const JsonValue& value, NewNumbers& fresh,
                  FieldFaults& faults) { fresh.owner = text_of(value, faults); }},
     {"numbers", read_numbers}}};

}  // namespace

AssignmentFields read_assignment(const JsonValue& value, FieldFaults& faults) {
    AssignmentFields fields;
    if (value.kind == JsonValue::Kind::string) {
        fields.number = value.text;
    } else {
        read_fields(value, kEntryFields, Nulls::are_absent, fields, faults);
    }
    return fields;
}

void Numbers::add_to(Router& router) const {
    const auto self = std::make_shared<Numbers>(*this);
    const auto lane = Lane::brief;
    router.add("GET", "/v1/numbers", lane,
               [self](const Request& request, std::string_view) { return self->list(request); });
    router.add("POST", "/v1/numbers", lane,
               [self](const Request& request, std::string_view) { return self->add(request); });
    router.add("GET", "/v1/numbers/{id}", lane,
               [self](const Request&, std::string_view id) { return self->get(id); });
    router.add("DELETE", "/v1/numbers/{id}", lane,
               [self](const Request& request, std::string_view id) { return self->remove(request, id); });
    router.add("POST", "/v1/numbers/{id}:assign", lane,
               [self](const Request& request, std::string_view id) { return self->assign(request, id); });
    router.add("POST", "/v1/numbers/{id}:return", lane,
               [self](const Request& request, std::string_view id) { return self->give_back(request, id); });
}

/// One whose customer is closed is spare, and shown so.
void Numbers::write_number(JsonWriter& json, const PoolNumber& number) const {
    if (number.customer.empty() || !services_.shop.is_spare(number)) return write_fields(json, number);
    PoolNumber spare = number;
    spare.customer.clear();
    spare.line.clear();
    spare.renewal.clear();
    spare.assigned = spare.paid_until = {};
    write_fields(json, spare);
}

Response Numbers::shown(unsigned status, const PoolNumber& number, const PaymentAnswer* payment) const {
    JsonWriter json;
    json.open_object();
    write_number(json, number);
    if (payment != nullptr) write_sale(json, *payment);
    json.close_object();
    return json_response(status, json.take());
}

Response Numbers::list(const Request& request) const {
    const Listing listing = Listing::read(request, {"state", "country", "customer"});
    if (listing.refusal) return *listing.refusal;
    const std::string_view state = listing.filter("state");
    if (!state.empty() && state != "spare" && state != "assigned")
        return wrong_filter("state", "expected spare or assigned");
    const std::string_view country = listing.filter("country");
    const std::string_view customer = listing.filter("customer");
    const auto belongs = [&](const PoolNumber& number) {
        if (!is_in_reach(services_, request, number.owner)) return false;
        if (!country.empty() && number.country != country) return false;
        if (state.empty() && customer.empty()) return true;
        const bool spare = services_.shop.is_spare(number);
        return (state.empty() || spare == (state == "spare")) &&
               (customer.empty() || (!spare && number.customer == customer));
    };
    return book_page(services_.registry.numbers, listing, "numbers", belongs,
                     [this](JsonWriter& json, const PoolNumber& number) {
                         json.open_object();
                         write_number(json, number);
                         json.close_object();
                     });
}

Response Numbers::add(const Request& request) const {
    const ObjectBody body{request};
    if (body.refusal()) return *body.refusal();
    std::vector<RequestFault> all;
    FieldFaults faults{all};
    NewNumbers fresh;
    read_fields(body.object(), kNewFields, Nulls::are_absent, fresh, faults);
    if (all.empty() && fresh.numbers.empty()) faults.add("numbers", "missing; expected a list of numbers");
    const auto& parties = services_.catalog.parties();
    if (parties.size() == 0) faults.add("", "there is no provider yet");
    if (!all.empty()) return invalid(all);

    const std::scoped_lock lock{services_.registry.mutex};
    if (fresh.owner.empty()) fresh.owner = parties.get(request.actor.party).id;
    const balance::PartyId owner = parties.find(fresh.owner);
    const bool sells = is_in_reach(services_, request, fresh.owner) &&
                       (parties.get(owner).kind == balance::PartyKind::provider ||
                        parties.get(owner).kind == balance::PartyKind::reseller);
    if (!sells) {
        const RequestFault fault{{}, "owner", "expected the provider or a reseller, which have pools"};
        return invalid({&fault, 1});
    }
    for (PoolNumber& number : fresh.numbers) {
        if (services_.registry.numbers.contains(number.id))
            return problem({.status = 409, .detail = "number " + number.id + " is in a pool already"});
        number.owner = fresh.owner;
    }
    const Moment now = now_of(services_);
    balance::JointEvent& joint = *balance::JointEvent::current();
    for (const PoolNumber& number : fresh.numbers)
        services_.registry.numbers.put(joint, number, now);
    joint.write(services_.events, now);
    JsonWriter json;
    json.open_object().name("added").whole(fresh.numbers.size()).close_object();
    return json_response(201, json.take());
}

Response Numbers::get(std::string_view id) const {
    const auto known = services_.registry.numbers.find(id);
    return known ? shown(200, *known, nullptr) : unknown_number(id);
}

Response Numbers::remove(const Request& request, std::string_view id) const {
    (void)request;
    const std::scoped_lock lock{services_.registry.mutex};
    const auto known = services_.registry.numbers.find(id);
    if (!known) return unknown_number(id);
    if (!services_.shop.is_spare(*known))
        return problem({.status = 409, .detail = "number " + known->id + " is assigned"});
    const Moment now = now_of(services_);
    balance::JointEvent& joint = *balance::JointEvent::current();
    services_.registry.numbers.remove(joint, id, now);
    joint.write(services_.events, now);
    return {204, {}, {}, {}};
}

Response Numbers::assign(const Request& request, std::string_view id) const {
    if (auto refusal = refusal_of_key(request)) return *std::move(refusal);
    const ObjectBody body{request};
    if (body.refusal()) return *body.refusal();
    std::vector<RequestFault> all;
    FieldFaults faults{all};
    AssignmentFields fields;
    read_fields(body.object(), kAssignFields, Nulls::are_absent, fields, faults);
    if (all.empty() && fields.customer.empty()) faults.add("customer", "missing; expected a customer's id");
    if (!all.empty()) return invalid(all);

    const std::scoped_lock lock{services_.registry.mutex};
    if (!services_.registry.numbers.contains(id)) return unknown_number(id);
    const auto& parties = services_.catalog.parties();
    const balance::PartyId customer = parties.find(fields.customer);
    if (!parties.is_in_subtree(customer, request.actor.party) ||
        parties.get(customer).kind != balance::PartyKind::customer) {
        const RequestFault fault{{}, "customer", "expected a customer below"};
        return invalid({&fault, 1});
    }
    const auto answer = services_.shop.assign(id, {fields.customer, fields.line, fields.renewal},
                                              request_of(services_, request));
    if (auto refusal = refusal_of(services_, request, answer)) return *std::move(refusal);
    const auto assigned = services_.registry.numbers.find(id);
    return assigned ? shown(201, *assigned, &answer.payment) : unknown_number(id);
}

Response Numbers::give_back(const Request& request, std::string_view id) const {
    (void)request;
    const std::scoped_lock lock{services_.registry.mutex};
    const auto known = services_.registry.numbers.find(id);
    if (!known) return unknown_number(id);
    const Moment now = now_of(services_);
    if (!known->customer.empty()) services_.shop.give_back(*known, now);
    balance::JointEvent::current()->write(services_.events, now);
    const auto spare = services_.registry.numbers.find(id);
    return spare ? shown(200, *spare, nullptr) : unknown_number(id);
}

}  // namespace tollgate::daemon::admin
