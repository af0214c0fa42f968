#include "daemon/admin/quick_forms.h"

#include <algorithm>
#include <array>
#include <string>
#include <utility>
#include <vector>

#include "daemon/access/sodium.h"
#include "daemon/admin/bodies.h"
#include "daemon/admin/json_copy.h"
#include "daemon/admin/money.h"
#include "daemon/admin/party_fields.h"
#include "daemon/admin/party_json.h"
#include "daemon/admin/record_json.h"
#include "daemon/partners/party_rules.h"

namespace tollgate::daemon::admin {
namespace {

using balance::JointEvent;
using balance::kNoParty;
using balance::PartyId;
using balance::PartyKind;
using rating::Money;
using Kind = JsonValue::Kind;

constexpr std::size_t kDefaultsBytesMax = std::size_t{16} * 1024;
/// What no form may open or have a default for: where an account stands is the form's own business.
constexpr std::array<std::string_view, 8> kNeverOnAForm = {"kind",    "parent", "distributor", "permissions",
                                                           "balance", "held",   "available",   "status"};

template <typename Names>
bool is_in(const Names& names, std::string_view name) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

/// Defaults with what `customer` says beside what they say of a customer themselves: two ways to write one
/// thing.
std::string flat(const JsonValue& defaults) {
    JsonWriter json;
    json.open_object();
    for (const JsonValue& field : defaults.children()) {
        if (field.name == "customer" && field.kind == Kind::object) {
            for (const JsonValue& inner : field.children()) {
                json.name(inner.name);
                write_value(json, inner);
            }
            continue;
        }
        json.name(field.name);
        write_value(json, field);
    }
    json.close_object();
    std::string text = json.take();
    text.pop_back();  // The newline.
    return text;
}

void write_form(JsonWriter& json, const QuickForm& form) {
    json.open_object();
    write_fields(json, form);
    json.name("defaults").number(form.defaults.empty() ? "{}" : form.defaults);
    json.close_object();
}

Response no_form() {
    return problem({.status = 404, .detail = "there is no form of this id"});
}

Response faulty(std::vector<RequestFault> faults, std::string_view prefix) {
    for (RequestFault& fault : faults)
        fault.place = std::string{prefix} + fault.place;
    return invalid(faults);
}

/// What a customer or a line is made from: the defaults, and what was filled in where there is none.
std::string object_of(std::string_view kind, std::string_view parent, std::string_view id,
                      const JsonValue* defaults, const JsonValue* values) {
    JsonWriter json;
    json.open_object().name("kind").text(kind).name("parent").text(parent);
    if (!id.empty()) json.name("id").text(id);
    if (defaults != nullptr && defaults->kind == Kind::object) {
        for (const JsonValue& field : defaults->children()) {
            if (field.name == "line" || field.name == "id") continue;
            json.name(field.name);
            write_value(json, field);
        }
    }
    if (values != nullptr) {
        for (const JsonValue& field : values->children()) {
            const bool said = defaults != nullptr && defaults->field(field.name) != nullptr;
            if (said || field.name == "line" || field.name == "id" || field.name == "customer") continue;
            json.name(field.name);
            write_value(json, field);
        }
    }
    json.close_object();
    return json.take();
}

/// The digits of a number, as the pool has them.
std::string digits_of(std::string_view text) {
    std::string digits;
    for (const char c : text)
        if (c >= '0' && c <= '9') digits.push_back(c);
    return digits;
}

}  // namespace

void QuickForms::add_to(Router& router) {
    const auto forms = std::make_shared<const QuickForms>(*this);
    router.add("GET", "/v1/quick-forms", Lane::brief,
               [forms](const Request& request, std::string_view) { return forms->list(request); });
    router.add("GET", "/v1/quick-forms/{id}", Lane::brief,
               [forms](const Request&, std::string_view id) { return forms->get(id); });
    router.add("PUT", "/v1/quick-forms/{id}", Lane::brief,
               [forms](const Request& request, std::string_view id) { return forms->put(request, id); });
    router.add("DELETE", "/v1/quick-forms/{id}", Lane::brief,
               [forms](const Request&, std::string_view id) { return forms->remove(id); });
    router.add("POST", "/v1/quick-forms/{id}:submit", Lane::brief,
               [forms](const Request& request, std::string_view id) { return forms->submit(request, id); });
}

bool QuickForms::is_for(const Request& request, const QuickForm& form) const {
    const auto& parties = services_.catalog.parties();
    if (parties.root() == kNoParty) return false;
    if (is_in(form.distributors, parties.get(request.actor.party).id)) return true;
    const auto relation = directory_->relation(request.actor.party, parties.find(form.owner));
    return relation == access::Relation::self || relation == access::Relation::below;
}

Response QuickForms::list(const Request& request) const {
    JsonWriter json;
    json.open_object().name("quick_forms").open_list();
    services_.registry.forms.visit([&](const QuickForm& form) {
        if (is_for(request, form)) write_form(json, form);
    });
    json.close_list().close_object();
    return json_response(200, json.take());
}

Response QuickForms::get(std::string_view id) const {
    const auto form = services_.registry.forms.find(id);
    if (!form) return no_form();
    JsonWriter json;
    write_form(json, *form);
    return json_response(200, json.take());
}

Response QuickForms::put(const Request& request, std::string_view id) const {
    JsonReader reader;
    const JsonValue* const object = reader.read(request.body);
    if (object == nullptr) return not_json(reader);
    std::vector<RequestFault> all;
    FieldFaults faults{all};
    check_id(id, faults);
    const auto& parties = services_.catalog.parties();
    if (parties.root() == kNoParty) return problem({.status = 409, .detail = "there is no provider yet"});
    QuickForm form;
    read_each(*object, faults, [&](const JsonValue& value) {
        if (value.name == "id") return false;
        if (value.name != "defaults") return read_field(value, form, RecordUse::make, faults);
        form.defaults = flat(value);
        if (value.kind != Kind::object || form.defaults.size() > kDefaultsBytesMax) {
            faults.add("defaults",
                       "expected an object of at most " + std::to_string(kDefaultsBytesMax) + " bytes");
            return true;
        }
        for (const JsonValue& field : value.children()) {
            if (is_in(kNeverOnAForm, field.name) || field.name == "id" ||
                (field.name == "customer" && field.kind != Kind::object))
                faults.add("defaults", std::string{field.name} + ": is never said by a form");
        }
        // It is read as a customer would be, so that whoever fills it in meets no fault that is not his.
        const auto check = [&](std::string_view kind, const JsonValue& of) {
            std::vector<RequestFault> wrong;
            FieldFaults wrongs{wrong};
            JsonReader again;
            const std::string made = object_of(kind, "x", "x", &of, nullptr);
            (void)read_party_draft(*again.read(made), wrongs);
            for (const RequestFault& fault : wrong)
                faults.add("defaults", fault.place + ": " + fault.message);
        };
        JsonReader flattened;
        check("customer", *flattened.read(form.defaults));
        if (const JsonValue* const line = value.field("line")) {
            if (line->kind == Kind::object) {
                check("line", *line);
            } else {
                faults.add("defaults", "line: expected an object with a line's fields");
            }
        }
        return true;
    });
    for (const std::string& distributor : form.distributors) {
        const PartyId party = parties.find(distributor);
        if (party == kNoParty || parties.get(party).kind != PartyKind::distributor)
            faults.add("distributors", distributor + ": expected a distributor");
    }
    for (const std::string& field : form.fields_open) {
        if (is_in(kNeverOnAForm, field)) faults.add("fields", field + ": is never filled in");
    }
    if (!all.empty()) return invalid(all);
    form.id = id;
    const std::scoped_lock lock{services_.registry.mutex};
    const bool is_new = !services_.registry.forms.contains(id);
    form.owner = parties.get(parties.root()).id;
    const Moment now = now_of(services_);
    services_.registry.forms.put(*JointEvent::current(), form, now);
    JointEvent::current()->write(services_.events, now);
    JsonWriter json;
    write_form(json, form);
    return json_response(is_new ? 201 : 200, json.take());
}

Response QuickForms::remove(std::string_view id) const {
    const std::scoped_lock lock{services_.registry.mutex};
    if (!services_.registry.forms.contains(id)) return no_form();
    const Moment now = now_of(services_);
    services_.registry.forms.remove(*JointEvent::current(), id, now);
    JointEvent::current()->write(services_.events, now);
    return {204, {}, {}, {}};
}

Response QuickForms::submit(const Request& request, std::string_view id) const {
    if (auto refusal = refusal_of_key(request)) return *std::move(refusal);
    JsonReader reader;
    const JsonValue* const body = reader.read(request.body);
    if (body == nullptr) return not_json(reader);
    std::vector<RequestFault> all;
    FieldFaults faults{all};
    std::string distributor;
    const JsonValue* values = nullptr;
    std::optional<Money> opening = Money{};
    read_each(*body, faults, [&](const JsonValue& value) {
        if (value.name == "distributor") {
            distributor = admin::text_of(value, faults);
        } else if (value.name == "values") {
            if (value.kind != Kind::object) faults.add("values", "expected an object");
            values = &value;
        } else if (value.name == "opening_balance") {
            opening = money_of(value, faults);
            if (opening && (*opening < Money{} || *opening > rating::kAmountMax))
                faults.add("opening_balance", shown(value) + ": expected 0 or more");
        } else {
            return false;
        }
        return true;
    });
    if (values == nullptr && all.empty()) faults.add("values", "missing; expected an object");

    const std::scoped_lock lock{services_.registry.mutex};
    const auto& parties = services_.catalog.parties();
    const auto form = services_.registry.forms.find(id);
    if (!form) return no_form();
    const bool is_distributor = parties.root() != kNoParty && request.actor.kind == PartyKind::distributor;
    if (is_distributor) {
        const std::string_view own = parties.get(request.actor.party).id;
        if (!distributor.empty() && distributor != own)
            return problem({.status = 403, .detail = "you fill in forms for yourself"});
        distributor = own;
    }
    if (distributor.empty()) {
        faults.add("distributor", "missing; expected who sells it");
    } else if (!is_in(form->distributors, distributor)) {
        faults.add("distributor", "the form is not his");
    }
    if (!all.empty()) return invalid(all);

    // Nothing but what the form leaves open.
    JsonReader defaults_reader;
    const JsonValue* const defaults =
        defaults_reader.read(form->defaults.empty() ? std::string_view{"{}"} : form->defaults);
    std::string line;
    std::string wanted_id;
    std::string existing;
    for (const JsonValue& value : values->children()) {
        if (!is_in(form->fields_open, value.name)) {
            faults.add("values." + std::string{value.name.substr(0, kShownBytesMax)}, "is not on the form");
        } else if (value.name == "line" || value.name == "id" || value.name == "customer") {
            std::string& text = value.name == "line" ? line : value.name == "id" ? wanted_id : existing;
            text = admin::text_of(value, faults);
            if (!text.empty() && !balance::is_id(text))
                faults.add("values." + std::string{value.name},
                           shown(value) + ": expected " + std::string{kIdExpected});
        }
    }
    const std::string digits = digits_of(line);
    if (!digits.empty() && services_.registry.numbers.contains(digits))
        faults.add("values.line", "is a number of the pool; type one that is not");
    const PartyId of = existing.empty() ? kNoParty : parties.find(existing);
    if (!existing.empty()) {
        const bool his = of != kNoParty && parties.get(of).kind == PartyKind::customer &&
                         directory_->relation(parties.find(distributor), of) == access::Relation::below;
        if (!his) return problem({.status = 404, .detail = "there is no such customer"});
        if (line.empty()) faults.add("values.line", "missing; expected what is added to the customer");
        if (*opening != Money{}) faults.add("opening_balance", "record a payment of a customer who is there");
    }
    if (!all.empty()) return invalid(all);

    // The account.
    std::string customer = existing;
    while (customer.empty()) {
        customer = wanted_id;
        if (!customer.empty()) break;
        customer = std::to_string(1'000'000'000 + access::random_number() % 9'000'000'000);
        if (parties.find(customer) != kNoParty) customer.clear();
    }
    std::vector<PartyDraft> drafts;
    std::vector<Profile> profiles;
    const PartyRules rules{services_.registry, services_.profile_index, parties};
    const auto add = [&](std::string_view kind, std::string_view parent, std::string_view named,
                         const JsonValue* said, const JsonValue* filled_in) {
        const std::string made = object_of(kind, parent, named, said, filled_in);
        JsonReader object;
        PartyFields fields = read_party_draft(*object.read(made), faults);
        if (!all.empty()) return;
        fields.profile.id = fields.draft.id;
        const PartyRules::Place place{fields.draft.kind, parties.find(parent), kNoParty};
        if (fields.draft.kind == PartyKind::customer) rules.complete(fields.profile, place);
        for (const Fault& fault : rules.faults_of(fields.profile, {}, place))
            faults.add(fault.field, fault.message);
        fields.profile.made = now_of(services_).wall;
        drafts.push_back(std::move(fields.draft));
        profiles.push_back(std::move(fields.profile));
    };
    if (existing.empty()) add("customer", distributor, customer, defaults, values);
    if (!line.empty()) add("line", customer, line, defaults->field("line"), nullptr);
    if (!all.empty()) return faulty(std::move(all), "values.");

    const std::string opening_text{rating::format(*opening).view()};
    const std::array<std::string_view, 4> arguments{id, distributor, request.body, opening_text};
    const PaymentRequest payment = request_of(services_, request);
    const auto put_profiles = [&](JointEvent& joint) {
        for (const Profile& profile : profiles)
            services_.registry.profiles.put(joint, profile, payment.now);
    };
    Sales sales{services_.catalog, services_.payments, services_.registry, services_.ledger};
    Sales::Answer answer;
    if (existing.empty()) {
        answer = sales.sell({.distributor = distributor,
                             .drafts = drafts,
                             .opening = *opening,
                             .commission = form->sales_commission,
                             .also = put_profiles},
                            Payments::fingerprint(arguments), payment);
    } else {
        answer.payment = services_.payments.transact(
            balance::TransactionKind::sale, Payments::fingerprint(arguments), payment,
            [&](balance::Transaction& transaction, std::vector<balance::Ledger::Funds>&) {
                const PartyId seller = parties.find(distributor);
                if (!parties.get(seller).status().active()) return PaymentCode::suspended;
                answer.faults = services_.catalog.add(drafts, payment.now, *JointEvent::current());
                if (!answer.faults.empty()) return PaymentCode::faulty;
                put_profiles(*JointEvent::current());
                transaction.subject = existing;
                return PaymentCode::ok;
            });
    }
    if (!answer.faults.empty()) {
        const bool taken = std::any_of(answer.faults.begin(), answer.faults.end(),
                                       [](const Fault& fault) { return fault.exists; });
        for (const Fault& fault : answer.faults)
            faults.add("values." + (fault.item == 1 || !existing.empty() ? "line" : fault.field),
                       fault.message);
        if (taken) return problem({.status = 409, .detail = all[0].message, .errors = all});
        return invalid(all);
    }
    const PaymentCode code = answer.payment.code;
    if (code == PaymentCode::credit_limit)
        return problem({.status = 402, .detail = "the distributor would owe more than he may"});
    if (code == PaymentCode::conflict)
        return problem({.status = 409, .detail = "this Idempotency-Key stands for another operation"});
    if (code == PaymentCode::suspended)
        return problem({.status = 409, .detail = "the distributor is suspended"});
    if (code != PaymentCode::ok)
        return try_later("it cannot be written down now; try again later", std::chrono::seconds{1});

    const PartyId made = parties.find(answer.payment.subject);
    const auto write_money = [](JsonWriter& json, std::string_view name, const std::optional<Money>& amount) {
        json.name(name);
        amount ? json.text(rating::format(*amount)) : json.null();
    };
    const std::string transaction = "t-" + std::to_string(answer.payment.transaction);
    const std::string_view shown_transaction = *opening == Money{} ? std::string_view{} : transaction;
    JsonWriter json;
    json.open_object().name("txn").text_or_null(shown_transaction);
    json.name("dup").flag(answer.payment.duplicate).name("account").open_object().name("customer");
    write_party(json, services_, made, view_of(services_, request.actor, made));
    json.name("lines").open_list();
    for (PartyId at = parties.first_child(made); at != kNoParty; at = parties.next_beside(at, made))
        write_party(json, services_, at, view_of(services_, request.actor, at));
    json.close_list().name("plan").null().name("numbers").open_list().close_list();
    json.name("txn").text_or_null(shown_transaction);
    json.name("dup").flag(answer.payment.duplicate).close_object();
    write_money(json, "commission", answer.commission);
    write_money(json, "owed", answer.owed);
    json.close_object();
    return json_response(201, json.take());
}

}  // namespace tollgate::daemon::admin
