#include "daemon/admin/gate.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>
#include <vector>

#include "daemon/admin/bodies.h"
#include "daemon/admin/json_copy.h"
#include "daemon/letters.h"
#include "rating/decimal.h"

namespace tollgate::daemon::admin {
namespace {

using access::Decision;
using access::Directory;
using access::Permission;
using access::Relation;
using balance::kNoParty;
using balance::PartyId;
using balance::PartyKind;
using Names = std::span<const std::string_view>;

/// Of its own party nobody changes more than this: who it is, how it wants to be written to.
constexpr std::array<std::string_view, 13> kContactFields = {
    "name",     "company",     "first_name",       "last_name",  "email",
    "phone",    "address",     "accounting_email", "statistics", "invoices_by_email",
    "language", "date_format", "time_format"};
/// What a customer does not change of his own lines: what a call may cost, and who said so.
constexpr std::array<std::string_view, 16> kFromAboveFields = {
    "max_calls",     "max_seconds", "cap_call",         "cap_day",      "cap_month", "max_price",
    "min_available", "tariff",      "calls_per_second", "credit_limit", "tariffs",   "home_country",
    "loss_policy",   "dial_plan",   "opened_countries", "permissions"};
/// What would lock everybody out for good.
constexpr std::array<std::string_view, 3> kNeverOfTheProvider = {"status", "suspended_calls", "permissions"};
/// What somebody who may not set prices does not touch, of no party.
constexpr std::array<std::string_view, 11> kPricedFields = {
    "credit_limit",       "min_available",    "sales_commission", "payment_commission",
    "calls_commission",   "commission_split", "refill_policy",    "mint_limit",
    "overcommit_percent", "grace_days",       "max_price"};
/// Fields of bodies that name another party, by operation.
struct Reference {
    std::string_view operation;
    std::string_view field;
};
constexpr std::array<Reference, 14> kReferences = {{{"transferMoney", "target"},
                                                    {"recordPayment", "collected_by"},
                                                    {"recordPaymentOf", "collected_by"},
                                                    {"assignDistributor", "distributor"},
                                                    {"assignNumber", "customer"},
                                                    {"assignNumber", "line"},
                                                    {"submitForm", "distributor"},
                                                    {"createParty", "distributor"},
                                                    {"changeParty", "distributor"},
                                                    {"createDraft", "parent"},
                                                    {"createDraft", "seller"},
                                                    {"changeDraft", "parent"},
                                                    {"changeDraft", "seller"},
                                                    {"putTariff", "owner"}}};
/// What everybody may do with his own record, without the permission for those of others.
constexpr std::array<std::string_view, 5> kOfOneself = {"getPerson", "changePerson", "changePassword",
                                                        "listTokens", "revokeToken"};
/// What a partner does not search by.
constexpr std::array<std::string_view, 2> kHiddenFilters = {"billing", "class"};
/// Names of parties in queries of lists.
constexpr std::array<std::string_view, 4> kQueryParties = {"party", "under", "parent", "customer"};
/// Operations that take money and may be told to take more than there is.
constexpr std::array<std::string_view, 2> kForcible = {"debitParty", "adjustParty"};
/// What a party may be made of in an import.
constexpr access::Permissions kOfAnImport{Permission::customers, Permission::resellers, Permission::prices,
                                          Permission::people};
/// What is never kept of a body.
constexpr std::array<std::string_view, 5> kSecretFields = {"password", "old", "new", "again", "token"};

bool is_in(Names names, std::string_view name) noexcept {
    return std::find(names.begin(), names.end(), name) != names.end();
}

Response missing() {
    return problem({.status = 404, .detail = "there is nothing of this name"});
}
Response forbidden(std::string detail) {
    return problem({.status = 403, .detail = std::move(detail)});
}
Response unauthorized(std::string detail) {
    Response response = problem({.status = 401, .detail = std::move(detail)});
    response.headers.emplace_back("WWW-Authenticate", "Bearer");
    return response;
}

/// A text's; empty for anything else.
std::string_view text_field(const JsonValue& object, std::string_view name) {
    const JsonValue* const value = object.field(name);
    return value != nullptr && value->kind == JsonValue::Kind::string ? value->text : std::string_view{};
}

bool is_seller_kind(std::string_view kind) noexcept {
    return kind == "provider" || kind == "reseller" || kind == "distributor" || kind == "partner";
}
bool is_seller_kind(PartyKind kind) noexcept {
    return kind != PartyKind::customer && kind != PartyKind::line;
}

/// The fields of an object that `wanted` says yes to.
template <typename Wanted>
std::string image_of(const JsonValue& object, const Wanted& wanted) {
    JsonWriter json;
    json.open_object();
    for (const JsonValue& field : object.children()) {
        if (!wanted(field.name)) continue;
        json.name(field.name);
        write_value(json, field);
    }
    json.close_object();
    std::string image = json.take();
    image.pop_back();  // The newline.
    if (image.size() <= AuditLog::kImageBytesMax) return image;
    return "{\"cut\":" + std::to_string(image.size()) + "}";
}

}  // namespace

// ---- Who it is ----

std::optional<Response> Gate::identify(Request& request) const {
    request.actor = {};
    constexpr std::string_view kBearer = "Bearer ";
    const std::string_view shown = request.authorization;
    if (shown.empty()) return unauthorized("a token is needed: Authorization: Bearer tg_…");
    const bool bearer =
        shown.size() > kBearer.size() && same_letters(shown.substr(0, kBearer.size()), kBearer);
    if (!bearer) return unauthorized("expected Authorization: Bearer tg_…");
    auto who = directory_->who(shown.substr(kBearer.size()), services_.wall_now());
    if (const auto* const refusal = std::get_if<Directory::Refusal>(&who)) {
        if (*refusal == Directory::Refusal::suspended) return forbidden("your party is suspended");
        return unauthorized("this token is worth nothing, or nothing any more");
    }
    auto& known = std::get<Directory::Who>(who);
    request.actor = {.login = std::move(known.login),
                     .party = known.party,
                     .kind = known.kind,
                     .permissions = known.permissions,
                     .token = std::move(known.token),
                     .first_declared = directory_->first_declared()};
    return std::nullopt;
}

// ---- What it is about ----

PartyId Gate::party(std::string_view id) const {
    return services_.catalog.parties().find(id);
}

Gate::Target Gate::target_of(const Request& request, const ContractOperation& operation,
                             std::string_view id) const {
    const Registry& registry = services_.registry;
    const auto owned_by = [this](const auto& record, auto member) {
        return Target{record ? party((*record).*member) : kNoParty};
    };
    const auto of_person = [&](std::string_view login) {
        const auto person = registry.people.find(login);
        return Target{person ? party(person->party) : kNoParty, person && login == request.actor.login};
    };
    switch (operation.record) {
        case RecordOf::none:
            return {party(id)};
        case RecordOf::person:
            return of_person(id);
        case RecordOf::token: {
            const auto token = registry.tokens.find(id);
            return token ? of_person(token->person) : Target{};
        }
        case RecordOf::form: {
            const auto form = registry.forms.find(id);
            if (!form) return {};
            const std::string_view own = services_.catalog.parties().get(request.actor.party).id;
            const bool may_use = std::find(form->distributors.begin(), form->distributors.end(), own) !=
                                 form->distributors.end();
            // A form belongs to each who may use it as well as to its owner; others know of none.
            if (may_use) return {request.actor.party};
            const PartyId owner = party(form->owner);
            const Relation relation = directory_->relation(request.actor.party, owner);
            return {relation == Relation::self || relation == Relation::below ? owner : kNoParty};
        }
        case RecordOf::customer_class:
            return owned_by(registry.classes.find(id), &CustomerClass::owner);
        case RecordOf::transaction: {
            const auto number =
                id.starts_with("t-") ? rating::parse_unsigned(id.substr(2), INT64_MAX) : std::nullopt;
            const auto found = number ? services_.payments.transactions().find(*number) : nullptr;
            if (found == nullptr) return {};
            // It belongs to each of whom it moves something.
            const auto& parties = services_.catalog.parties();
            const bool his =
                std::any_of(found->postings.begin(), found->postings.end(), [&](const auto& posting) {
                    return parties.is_in_subtree(posting.party, request.actor.party);
                });
            return {his ? request.actor.party : kNoParty};
        }
        case RecordOf::intent:
            return owned_by(registry.intents.find(id), &PaymentIntent::party);
        case RecordOf::package:
            return owned_by(registry.packages.find(id), &Package::owner);
        case RecordOf::subscription:
            return owned_by(registry.subscriptions.find(id), &Subscription::customer);
        case RecordOf::plan:
            return owned_by(registry.plans.find(id), &ServicePlan::customer);
        case RecordOf::number:
            return owned_by(registry.numbers.find(id), &PoolNumber::owner);
        case RecordOf::draft:
            return owned_by(registry.drafts.find(id), &AccountDraft::seller);
        case RecordOf::tariff: {
            auto& tariffs = services_.catalog.tariffs();
            const auto tariff = tariffs.find(id);
            // One that is not there yet becomes that of whoever puts it.
            if (!tariff) return {operation.name == "putTariff" ? request.actor.party : kNoParty};
            const auto current = tariffs.current(*tariff);
            return {current->settings.owner.empty() ? services_.catalog.parties().root()
                                                    : party(current->settings.owner)};
        }
    }
    return {};
}

// ---- Whether he may ----

std::optional<Response> Gate::admit(Request& request, const ContractOperation& operation, std::string_view id,
                                    Stage stage) const {
    if (directory_->is_empty()) {
        request.actor = {};
        if (operation.name.ends_with("ByGet"))
            return forbidden(
                "a page in a browser can have a GET sent: as long as nobody is declared, use POST");
        return std::nullopt;
    }
    if (operation.scope == Scope::open) return std::nullopt;
    if (auto refusal = identify(request)) return refusal;
    if (auto refusal = check(request, operation, id)) return refusal;
    if (auto refusal = check_query(request, operation)) return refusal;
    if (stage == Stage::whole) return check_body(request, operation, id);
    return std::nullopt;
}

std::optional<Response> Gate::check(const Request& request, const ContractOperation& operation,
                                    std::string_view id) const {
    const access::Actor actor{request.actor.kind, request.actor.permissions};
    switch (operation.scope) {
        case Scope::open:
        case Scope::self:
            return std::nullopt;
        case Scope::root:
        case Scope::list:
        case Scope::own:
        case Scope::body: {
            // Whoever it is about is looked at later; whether it can be at all, now.
            access::Need need = operation.need;
            need.relations = {Relation::self};
            if (access::decide(actor, Relation::self, need) != Decision::allowed)
                return forbidden(std::string{operation.name} + " is not for you");
            // A line of it may say all that createParty may.
            if (operation.name == "importParties" && !kOfAnImport.within(actor.permissions))
                return forbidden("an import needs the permissions customers, resellers, prices and people");
            return std::nullopt;
        }
        case Scope::party:
        case Scope::record: {
            const Target target = target_of(request, operation, id);
            const bool root = request.actor.party == services_.catalog.parties().root();
            const Relation relation = directory_->relation(request.actor.party, target.party);
            access::Need need = operation.need;
            if (target.himself && is_in(kOfOneself, operation.name)) {
                need.permissions = {};
            } else if (operation.name == "changePassword" || operation.name == "revokeToken") {
                need.permissions = {Permission::people};
            }
            if (operation.record == RecordOf::form) need.relations = {Relation::self, Relation::below};
            switch (access::decide(actor, relation, need)) {
                case Decision::allowed:
                    return operation.name == "closeParty" ? check_seller(request, id) : std::nullopt;
                case Decision::forbidden:
                    return forbidden(std::string{operation.name} + " is not for you");
                case Decision::missing:
                    // To the provider's people everything that exists is known, so the resource may say what
                    // is missing; if they may have it done at all.
                    if (root && access::decide(actor, Relation::below,
                                               {need.permissions, {Relation::below}, need.kinds}) ==
                                    Decision::allowed)
                        return std::nullopt;
                    return missing();
            }
        }
    }
    return missing();
}

std::optional<Response> Gate::visible(const Request& request, std::string_view id) const {
    const PartyId target = party(id);
    if (target == kNoParty && request.actor.party == services_.catalog.parties().root()) return std::nullopt;
    switch (directory_->relation(request.actor.party, target)) {
        case Relation::self:
        case Relation::below:
            return std::nullopt;
        case Relation::tagged:
        case Relation::above:
            return forbidden("this party is not yours to name here");
        case Relation::elsewhere:
        case Relation::none:
            return missing();
    }
    return missing();
}

std::optional<Response> Gate::check_query(const Request& request, const ContractOperation& operation) const {
    if (operation.scope != Scope::list) return std::nullopt;
    for (const auto& [name, value] : request.query) {
        // An order and a choice tell of what they go by.
        const bool tells = is_in(kHiddenFilters, name) || (name == "sort" && value.ends_with("balance"));
        if (request.actor.kind == PartyKind::partner && operation.name == "listParties" && tells)
            return forbidden(name + ": nothing that a partner knows of his customers");
        if (!is_in(kQueryParties, name)) continue;
        if (auto refusal = visible(request, value)) return refusal;
    }
    return std::nullopt;
}

std::optional<Response> Gate::check_body(const Request& request, const ContractOperation& operation,
                                         std::string_view id) const {
    const bool changes = request.method != "GET" && request.method != "HEAD";
    if (!changes || request.body.empty()) return std::nullopt;
    const auto is_of = [&](const Reference& reference) { return reference.operation == operation.name; };
    const bool references = std::any_of(kReferences.begin(), kReferences.end(), is_of);
    const bool looked_at = references || operation.scope == Scope::body || operation.name == "changeParty" ||
                           operation.name == "changePlan" || is_in(kForcible, operation.name);
    if (!looked_at) return std::nullopt;
    JsonReader reader;
    const JsonValue* const body = reader.read(request.body);
    // The resource says what is wrong with it.
    if (body == nullptr || body->kind != JsonValue::Kind::object) return std::nullopt;
    for (const Reference& reference : kReferences) {
        if (!is_of(reference)) continue;
        const JsonValue* const value = body->field(reference.field);
        if (value == nullptr || value->kind != JsonValue::Kind::string) continue;
        if (auto refusal = visible(request, value->text)) return refusal;
    }
    const std::string_view own = services_.catalog.parties().get(request.actor.party).id;
    if (operation.name == "createParty") return check_new_party(request, *body);
    if (operation.name == "changeParty") return check_party_change(request, id, *body);
    if (operation.name == "createPerson") {
        const std::string_view of = text_field(*body, "party");
        return of.empty() ? std::nullopt : visible(request, of);
    }
    if (operation.name == "closeParties") {
        const JsonValue* const ids = body->field("ids");
        if (ids == nullptr) return std::nullopt;
        for (const JsonValue& one : ids->children()) {
            if (auto refusal = visible(request, one.text)) return refusal;
            if (one.text == own) return forbidden("nobody closes his own party");
            if (auto refusal = check_seller(request, one.text)) return refusal;
        }
        return std::nullopt;
    }
    if (operation.name == "recordPaymentOf") {
        const std::string_view of = text_field(*body, "party");
        const bool assigned = request.actor.kind == PartyKind::distributor &&
                              directory_->relation(request.actor.party, party(of)) == Relation::tagged;
        if (!of.empty() && !assigned) {
            if (auto refusal = visible(request, of)) return refusal;
            if (of == own) return forbidden("what you paid yourself is recorded by those above you");
        }
    }
    if (operation.name.starts_with("recordPayment") && request.actor.kind == PartyKind::distributor) {
        const std::string_view by = text_field(*body, "collected_by");
        if (!by.empty() && by != own) return forbidden("you record what you collected yourself");
    }
    // What `available` does not cover is taken by an administrator alone.
    const JsonValue* const force = body->field("force");
    if (is_in(kForcible, operation.name) && force != nullptr && force->text == "true" &&
        !request.actor.permissions.has(Permission::people))
        return forbidden("force: only administrators; needs the permission people");
    if (operation.name == "createDraft" || operation.name == "changeDraft")
        return check_draft(request, *body);
    if (operation.name == "changePlan" && request.actor.kind == PartyKind::customer) {
        for (const JsonValue& field : body->children()) {
            if (field.name != "users") return forbidden("of your plan you change `users` and nothing else");
        }
    }
    if (operation.name == "putTariff" && request.actor.party != services_.catalog.parties().root() &&
        text_field(*body, "owner").empty())
        return forbidden("name the owner: yourself, or a reseller below you");
    return std::nullopt;
}

// ---- Parties: what only those above say ----

std::optional<Response> Gate::check_priced(const Request& request, const JsonValue& body) const {
    for (const JsonValue& field : body.children()) {
        if (is_in(kPricedFields, field.name) && !request.actor.permissions.has(Permission::prices))
            return forbidden(std::string{field.name} + ": needs the permission prices");
        if (field.name != "permissions") continue;
        if (!request.actor.permissions.has(Permission::people))
            return forbidden("permissions: needs the permission people");
        for (const JsonValue& name : field.children()) {
            const auto permission = access::parse_permission(name.text);
            // A word that is none is the resource's to refuse.
            if (permission && !request.actor.permissions.has(*permission))
                return forbidden("permissions: nobody gives what he does not have: " +
                                 std::string{name.text});
        }
    }
    return std::nullopt;
}

/// What an account begins with is said by whoever might say it of one that is there.
std::optional<Response> Gate::check_draft(const Request& request, const JsonValue& body) const {
    constexpr std::array<std::pair<std::string_view, Permission>, 4> kParts = {
        {{"credit", Permission::collect},
         {"plan", Permission::activate},
         {"numbers", Permission::numbers},
         {"bundles", Permission::prices}}};
    for (const auto& [name, permission] : kParts) {
        const JsonValue* const part = body.field(name);
        if (part != nullptr && !part->is_null() && !request.actor.permissions.has(permission))
            return forbidden(std::string{name} + ": needs the permission " +
                             std::string{access::text_of(permission)});
    }
    if (const JsonValue* const lines = body.field("lines")) {
        for (const JsonValue& line : lines->children()) {
            if (auto refusal = check_priced(request, line)) return refusal;
        }
    }
    const JsonValue* const customer = body.field("customer");
    return customer == nullptr ? std::nullopt : check_priced(request, *customer);
}

std::optional<Response> Gate::check_new_party(const Request& request, const JsonValue& body) const {
    const std::string_view parent = text_field(body, "parent");
    if (!parent.empty()) {
        if (auto refusal = visible(request, parent)) return refusal;
        const PartyId above = party(parent);
        // Accounts of distributors' customers come from quick forms or from a seller's own people; the form
        // of their parent says nothing of whether it may have them.
        if (above == kNoParty) return std::nullopt;
    }
    if (is_seller_kind(text_field(body, "kind")) && !request.actor.permissions.has(Permission::resellers))
        return forbidden("those who sell need the permission resellers");
    return check_priced(request, body);
}

std::optional<Response> Gate::check_party_change(const Request& request, std::string_view id,
                                                 const JsonValue& body) const {
    const bool root = request.actor.party == services_.catalog.parties().root();
    if (party(id) == request.actor.party) {
        for (const JsonValue& field : body.children()) {
            if (is_in(kContactFields, field.name)) continue;
            const std::string name{field.name.substr(0, kShownBytesMax)};
            if (!root) return forbidden(name + ": of your own party only those above you say that");
            // There is nobody above who could take it back.
            if (is_in(kNeverOfTheProvider, field.name))
                return forbidden(name + ": nobody says that of the provider");
            if (!request.actor.permissions.has(Permission::resellers))
                return forbidden(name + ": those who sell need the permission resellers");
        }
        return root ? check_priced(request, body) : std::nullopt;
    }
    for (const JsonValue& field : body.children()) {
        const std::string name{field.name.substr(0, kShownBytesMax)};
        // What the form fixed stays as it is.
        if (request.actor.kind == PartyKind::distributor && !is_in(kContactFields, field.name))
            return forbidden(name + ": a distributor says who his customers are, and a form the rest");
        if (request.actor.kind == PartyKind::customer && is_in(kFromAboveFields, field.name))
            return forbidden(name + ": of your lines only those above you say that");
        // None named is all: whoever gets them back gets them from somebody who has them.
        if (field.name == "permissions" && field.children().begin() == field.children().end() &&
            !access::Permissions::all().within(request.actor.permissions))
            return forbidden("permissions: nobody gives what he does not have: that is all of them");
        if (field.name != "status") continue;
        if (auto refusal = check_reasons(request, party(id), field)) return refusal;
    }
    if (auto refusal = check_seller(request, id)) return refusal;
    return check_priced(request, body);
}

/// Why somebody is suspended is said, and taken back, by who answers for it: `admin` by whoever may change
/// the party, the others by the provider and by the margin reseller who bears the loss.
std::optional<Response> Gate::check_reasons(const Request& request, PartyId target,
                                            const JsonValue& status) const {
    const auto& parties = services_.catalog.parties();
    const balance::Party& actor = parties.get(request.actor.party);
    const bool answers = request.actor.party == parties.root() ||
                         (actor.kind == PartyKind::reseller && actor.terms == balance::Terms::margin);
    if (answers || target == kNoParty) return std::nullopt;
    std::string text{status.kind == JsonValue::Kind::string ? status.text : std::string_view{}};
    for (const JsonValue& reason : status.children())
        text.append(text.empty() ? "" : ",").append(reason.text);
    if (text.empty()) text = "active";
    const auto wanted = balance::Status::parse(text);
    if (!wanted) return std::nullopt;  // The resource says so.
    constexpr auto kReasons = balance::Status::kFraud | balance::Status::kOverdue | balance::Status::kLimit;
    if (((wanted->bits() ^ parties.get(target).status().bits()) & kReasons) == 0) return std::nullopt;
    return forbidden(
        "status: fraud, overdue and limit are said and taken back by the provider and by resellers");
}

std::optional<Response> Gate::check_seller(const Request& request, std::string_view id) const {
    const PartyId target = party(id);
    if (target == kNoParty || target == request.actor.party ||
        request.actor.permissions.has(Permission::resellers))
        return std::nullopt;
    if (!is_seller_kind(services_.catalog.parties().get(target).kind)) return std::nullopt;
    return forbidden("those who sell need the permission resellers");
}

// ---- Who did what ----

void Gate::note(const Request& request, const ContractOperation& operation, std::string_view id,
                const Response* before) const {
    balance::JointEvent* const joint = balance::JointEvent::current();
    // Whoever logs in notes it himself, once it is known who he is.
    if (joint == nullptr || operation.name == "logIn") return;
    AuditEntry entry;
    entry.actor = request.actor.login.empty() ? "console" : request.actor.login;
    if (operation.scope == Scope::open) entry.actor = "gateway " + std::string{id};
    entry.operation = operation.name;
    entry.target = "/";
    for (const std::string& segment : request.path)
        entry.target += (entry.target.size() > 1 ? "/" : "") + segment;
    PartyId party_of = kNoParty;
    JsonReader reader;
    const bool is_text = request.content_type.find("ndjson") == std::string::npos &&
                         request.content_type.find("csv") == std::string::npos;
    const JsonValue* const body = is_text && !request.body.empty() ? reader.read(request.body) : nullptr;
    const bool object = body != nullptr && body->kind == JsonValue::Kind::object;
    if (operation.scope == Scope::party || operation.scope == Scope::record) {
        party_of = target_of(request, operation, id).party;
    } else if (operation.scope == Scope::body && object) {
        for (const std::string_view name : {"party", "parent"}) {
            if (party_of == kNoParty) party_of = party(text_field(*body, name));
        }
    }
    if (party_of == kNoParty && operation.scope != Scope::root && operation.scope != Scope::open)
        party_of = services_.catalog.parties().root() == kNoParty ? kNoParty : request.actor.party;
    // A tariff that was there before any party belongs to the provider that is to come.
    const auto& parties = services_.catalog.parties();
    if (static_cast<std::size_t>(party_of) < parties.size()) entry.party = parties.get(party_of).id;
    std::set<std::string, std::less<>> named;
    if (object) {
        entry.after = image_of(*body, [](std::string_view name) { return !is_in(kSecretFields, name); });
        for (const JsonValue& field : body->children())
            named.emplace(field.name);
    } else if (!request.body.empty()) {
        entry.after = "{\"bytes\":" + std::to_string(request.body.size()) + "}";
    }
    if (before != nullptr) {
        JsonReader shown;
        const JsonValue* const was = shown.read(before->body);
        if (was != nullptr && was->kind == JsonValue::Kind::object) {
            const bool money = named.contains("amount");
            entry.before = image_of(*was, [&](std::string_view name) {
                return !object || named.contains(name) ||
                       (money && (name == "balance" || name == "available"));
            });
        }
    }
    if (joint->room(entry.before.size() + entry.after.size() + 4096))
        services_.registry.audit.add(*joint, std::move(entry), now_of(services_));
}

}  // namespace tollgate::daemon::admin
