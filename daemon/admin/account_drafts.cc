#include "daemon/admin/account_drafts.h"

#include <array>
#include <memory>
#include <random>
#include <vector>

#include "daemon/admin/bundles.h"
#include "daemon/admin/json_copy.h"
#include "daemon/admin/numbers.h"
#include "daemon/admin/party_fields.h"
#include "daemon/admin/party_json.h"
#include "daemon/admin/plans.h"
#include "daemon/admin/record_json.h"
#include "daemon/admin/shop_answers.h"
#include "daemon/partners/party_rules.h"

namespace tollgate::daemon::admin {
namespace {

using Kind = JsonValue::Kind;

/// Of a draft that is being filled in: it stands in the journal at each step.
constexpr std::size_t kDraftBytesMax = std::size_t{64} * 1024;
constexpr std::size_t kDraftsMax = 10'000'000;
constexpr std::size_t kDraftListMax = 1'000;

constexpr std::array<std::string_view, 7> kFieldNames = {"seller", "customer", "lines",  "credit",
                                                         "plan",   "numbers",  "bundles"};

Response unknown_draft(std::string_view id) {
    return problem(
        {.status = 404, .detail = "no account draft \"" + std::string{id.substr(0, kShownBytesMax)} + '"'});
}

/// Nothing for null.
const JsonValue* given(const JsonValue& object, std::string_view name) noexcept {
    const JsonValue* const value = object.field(name);
    return value == nullptr || value->is_null() ? nullptr : value;
}

void check_names(const JsonValue& object, FieldFaults& faults) {
    read_each(object, faults, [](const JsonValue& value) {
        return std::find(kFieldNames.begin(), kFieldNames.end(), value.name) != kFieldNames.end();
    });
}

/// `after` in place of the fields of `before` that it names; as one JSON text.
std::string merged(const JsonValue* before, const JsonValue& after) {
    JsonWriter json;
    json.open_object();
    for (const std::string_view name : kFieldNames) {
        const JsonValue* value = nullptr;
        bool named = false;
        for (const JsonValue& field : after.children()) {
            if (field.name != name) continue;
            named = true;
            if (!field.is_null()) value = &field;
        }
        if (!named && before != nullptr) value = given(*before, name);
        if (value == nullptr) continue;
        json.name(name);
        write_value(json, *value);
    }
    json.close_object();
    std::string text = json.take();
    text.pop_back();  // The newline.
    return text;
}

/// The faults of a part, each behind the part's name.
void add_parts(const std::vector<RequestFault>& parts, const std::string& place, FieldFaults& faults) {
    for (const RequestFault& part : parts)
        faults.add(part.place.empty() ? place : place + '.' + part.place, part.message);
}

/// A party of a draft, whose kind goes without saying.
PartyFields read_member(const JsonValue& value, balance::PartyKind kind, const std::string& place,
                        FieldFaults& faults) {
    std::vector<RequestFault> parts;
    FieldFaults part_faults{parts};
    PartyFields fields = read_party_draft(value, part_faults);
    std::erase_if(parts,
                  [&](const RequestFault& part) { return part.place == "kind" && !fields.kind_named; });
    if (fields.kind_named && fields.draft.kind != kind)
        part_faults.add("kind", "expected a " + std::string{daemon::text_of(kind)});
    if (!fields.draft.parent.empty()) part_faults.add("parent", "goes without saying");
    fields.draft.kind = kind;
    add_parts(parts, place, faults);
    return fields;
}

std::string ten_digits() {
    std::random_device chance;
    return std::to_string(std::uniform_int_distribution<std::uint64_t>{1'000'000'000, 9'999'999'999}(chance));
}

}  // namespace

void AccountDrafts::add_to(Router& router) const {
    const auto self = std::make_shared<AccountDrafts>(*this);
    const auto lane = Lane::brief;
    router.add("POST", "/v1/account-drafts", lane,
               [self](const Request& request, std::string_view) { return self->create(request); });
    router.add("GET", "/v1/account-drafts/{id}", lane,
               [self](const Request&, std::string_view id) { return self->get(id); });
    router.add("PATCH", "/v1/account-drafts/{id}", lane,
               [self](const Request& request, std::string_view id) { return self->change(request, id); });
    router.add("DELETE", "/v1/account-drafts/{id}", lane,
               [self](const Request& request, std::string_view id) { return self->remove(request, id); });
    router.add("POST", "/v1/account-drafts/{id}:submit", lane,
               [self](const Request& request, std::string_view id) { return self->submit(request, id); });
}

std::optional<AccountDraft> AccountDrafts::find(std::string_view id) const {
    auto draft = services_.registry.drafts.find(id);
    if (draft && !draft->submitted.empty()) draft.reset();
    return draft;
}

// ---- Reading ----

Shop::Account AccountDrafts::read(const AccountDraft& draft, FieldFaults& faults) const {
    Shop::Account account;
    JsonReader reader;
    const JsonValue* const object = reader.read(draft.body);
    if (object == nullptr) {
        faults.add("", "the draft cannot be read");
        return account;
    }
    const auto& parties = services_.catalog.parties();
    const PartyRules rules{services_.registry, services_.profile_index, parties};
    const auto add_member = [&](PartyFields fields, balance::PartyId parent, const std::string& place) {
        PartyDraft& party = fields.draft;
        while (party.id.empty() || (account.drafts.size() > 1 && party.id == account.drafts.front().id))
            party.id = ten_digits();
        Profile& profile = fields.profile;
        const PartyRules::Place where{party.kind, parent, balance::kNoParty};
        profile.id = party.id;
        if (party.kind == balance::PartyKind::customer) rules.complete(profile, where);
        for (const Fault& fault : rules.faults_of(profile, {}, where))
            faults.add(place + '.' + fault.field, fault.message);
        Profile empty;
        empty.id = profile.id;
        if (image_of(profile) == image_of(empty)) profile.id.clear();
        account.drafts.push_back(std::move(party));
        account.profiles.push_back(std::move(profile));
    };

    const balance::PartyId seller = parties.find(draft.seller);
    if (const JsonValue* const customer = given(*object, "customer")) {
        PartyFields fields = read_member(*customer, balance::PartyKind::customer, "customer", faults);
        fields.draft.parent = draft.seller;
        if (fields.profile.name.empty()) faults.add("customer.name", "missing; expected the account's name");
        if (fields.profile.email.empty())
            faults.add("customer.email", "missing; expected an address such as ann@example.org");
        add_member(std::move(fields), seller, "customer");
    } else {
        faults.add("customer", "missing; expected who the account is for");
        return account;
    }
    const auto each = [&](std::string_view name, const auto& read_one) {
        const JsonValue* const list = given(*object, name);
        if (list == nullptr) return;
        if (list->kind != Kind::list) return faults.add(name, shown(*list) + ": expected a list");
        std::size_t place = 0;
        for (const JsonValue& value : list->children())
            read_one(value, std::string{name} + '[' + std::to_string(place++) + ']');
        if (place > kDraftListMax) faults.add(name, "expected at most " + std::to_string(kDraftListMax));
    };
    each("lines", [&](const JsonValue& value, const std::string& place) {
        PartyFields fields = read_member(value, balance::PartyKind::line, place, faults);
        fields.draft.parent = account.drafts.front().id;
        add_member(std::move(fields), seller, place);
    });
    if (const JsonValue* const credit = given(*object, "credit")) {
        const auto amount = money_of(*credit, faults);
        if (amount && (*amount < rating::Money{} || *amount > rating::kAmountMax))
            faults.add("credit", shown(*credit) + ": expected an amount from 0 to 10000000000");
        account.credit = amount.value_or(rating::Money{});
    }
    if (const JsonValue* const plan = given(*object, "plan")) {
        std::vector<RequestFault> parts;
        FieldFaults part_faults{parts};
        account.plan = read_plan(*plan, part_faults);
        if (parts.empty() && account.plan->name.empty()) part_faults.add("name", "missing");
        add_parts(parts, "plan", faults);
    }
    each("numbers", [&](const JsonValue& value, const std::string& place) {
        std::vector<RequestFault> parts;
        FieldFaults part_faults{parts};
        AssignmentFields fields = read_assignment(value, part_faults);
        if (parts.empty() && !is_number(fields.number)) part_faults.add("id", "expected 1 to 32 digits");
        add_parts(parts, place, faults);
        account.numbers.push_back(
            {std::move(fields.number), std::move(fields.line), std::move(fields.renewal)});
    });
    each("bundles", [&](const JsonValue& value, const std::string& place) {
        std::vector<RequestFault> parts;
        FieldFaults part_faults{parts};
        account.bundles.push_back(read_bundle(value, part_faults));
        add_parts(parts, place, faults);
    });
    return account;
}

// ---- Drafts ----

Response AccountDrafts::shown_draft(unsigned status, const AccountDraft& draft) const {
    std::vector<RequestFault> all;
    FieldFaults faults{all};
    (void)read(draft, faults);
    JsonWriter json;
    json.open_object();
    write_fields(json, draft);
    json.name("account").number(draft.body);
    json.name("faults").open_list();
    for (const RequestFault& fault : all) {
        json.open_object().name("field").text(fault.place).name("message").text(fault.message);
        json.close_object();
    }
    json.close_list().close_object();
    return json_response(status, json.take());
}

Response AccountDrafts::create(const Request& request) const {
    const ObjectBody body{request};
    if (body.refusal()) return *body.refusal();
    std::vector<RequestFault> all;
    FieldFaults faults{all};
    check_names(body.object(), faults);
    const auto& parties = services_.catalog.parties();
    AccountDraft draft;
    if (parties.size() == 0) {
        faults.add("", "there is no provider yet");
    } else {
        draft.seller = parties.get(request.actor.party).id;
    }
    if (const JsonValue* const seller = given(body.object(), "seller")) draft.seller = seller->text;
    const balance::PartyId seller = parties.find(draft.seller);
    if (all.empty() && (!is_in_reach(services_, request, draft.seller) ||
                        (parties.get(seller).kind != balance::PartyKind::provider &&
                         parties.get(seller).kind != balance::PartyKind::reseller)))
        faults.add("seller", "expected the provider or a reseller");
    draft.body = merged(nullptr, body.object());
    if (draft.body.size() > kDraftBytesMax)
        faults.add("", "expected at most " + std::to_string(kDraftBytesMax) + " bytes");
    if (!all.empty()) return invalid(all);

    const std::scoped_lock lock{services_.registry.mutex};
    if (services_.registry.drafts.size() >= kDraftsMax)
        return problem({.status = 409, .detail = "there are as many drafts as there may be"});
    const Moment now = now_of(services_);
    draft.id = services_.shop.next_draft_id();
    draft.made = now.wall;
    balance::JointEvent& joint = *balance::JointEvent::current();
    services_.registry.drafts.put(joint, draft, now);
    joint.write(services_.events, now);
    return shown_draft(201, draft);
}

Response AccountDrafts::get(std::string_view id) const {
    const auto draft = find(id);
    return draft ? shown_draft(200, *draft) : unknown_draft(id);
}

Response AccountDrafts::change(const Request& request, std::string_view id) const {
    const ObjectBody body{request};
    if (body.refusal()) return *body.refusal();
    std::vector<RequestFault> all;
    FieldFaults faults{all};
    check_names(body.object(), faults);

    const std::scoped_lock lock{services_.registry.mutex};
    auto draft = find(id);
    if (!draft) return unknown_draft(id);
    if (const JsonValue* const seller = given(body.object(), "seller");
        seller != nullptr && seller->text != draft->seller)
        faults.add("seller", "cannot be changed; throw the draft away and begin another");
    JsonReader reader;
    const JsonValue* const before = reader.read(draft->body);
    draft->body = merged(before, body.object());
    if (draft->body.size() > kDraftBytesMax)
        faults.add("", "expected at most " + std::to_string(kDraftBytesMax) + " bytes");
    if (!all.empty()) return invalid(all);
    const Moment now = now_of(services_);
    balance::JointEvent& joint = *balance::JointEvent::current();
    services_.registry.drafts.put(joint, *draft, now);
    joint.write(services_.events, now);
    return shown_draft(200, *draft);
}

Response AccountDrafts::remove(const Request& request, std::string_view id) const {
    (void)request;
    const std::scoped_lock lock{services_.registry.mutex};
    if (!find(id)) return unknown_draft(id);
    const Moment now = now_of(services_);
    balance::JointEvent& joint = *balance::JointEvent::current();
    services_.registry.drafts.remove(joint, id, now);
    joint.write(services_.events, now);
    return {204, {}, {}, {}};
}

// ---- Submitting ----

Response AccountDrafts::submit(const Request& request, std::string_view id) const {
    if (auto refusal = refusal_of_key(request)) return *std::move(refusal);
    const std::scoped_lock lock{services_.registry.mutex};
    std::vector<RequestFault> all;
    FieldFaults faults{all};
    Shop::Account account;
    // One that was submitted may be a repeat.
    if (const auto draft = find(id)) account = read(*draft, faults);
    if (!all.empty()) return invalid(all);
    const std::array<std::string_view, 2> arguments = {"submit", id};
    const auto answer =
        services_.shop.open(account, id, Payments::fingerprint(arguments), request_of(services_, request));
    if (auto refusal = refusal_of(services_, request, answer)) return *std::move(refusal);
    return shown_account(request, answer.payment);
}

Response AccountDrafts::shown_account(const Request& request, const PaymentAnswer& payment) const {
    const auto& parties = services_.catalog.parties();
    const balance::PartyId customer = parties.find(payment.subject);
    if (customer == balance::kNoParty) return unknown_draft(payment.subject);
    const auto write = [&](JsonWriter& json, balance::PartyId party) {
        const PartyView view = view_of(services_, request.actor, party);
        write_party(json, services_, party, view == PartyView::none ? PartyView::own : view);
    };
    JsonWriter json;
    json.open_object().name("customer");
    write(json, customer);
    json.name("lines").open_list();
    for (auto line = parties.first_child(customer); line != balance::kNoParty;
         line = parties.next_sibling(line))
        write(json, line);
    json.close_list().name("plan");
    const auto plans = services_.shop.plans_of(payment.subject);
    if (plans.empty()) {
        json.null();
    } else {
        json.open_object();
        write_fields(json, plans.front());
        json.close_object();
    }
    json.name("numbers").open_list();
    for (const PoolNumber& number : services_.shop.numbers_of(payment.subject)) {
        json.open_object();
        write_fields(json, number);
        json.close_object();
    }
    json.close_list();
    write_sale(json, payment);
    json.close_object();
    return json_response(201, json.take());
}

}  // namespace tollgate::daemon::admin
