#include "daemon/admin/people.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "daemon/access/sodium.h"
#include "daemon/admin/bodies.h"
#include "daemon/admin/etag.h"
#include "daemon/admin/listing.h"
#include "daemon/admin/record_json.h"

namespace tollgate::daemon::admin {

using access::Directory;
using access::PasswordHash;
using access::PasswordRule;
using balance::JointEvent;
using balance::kNoParty;
using balance::PartyId;

struct People::Throttled {
    std::mutex mutex;
    access::LoginThrottle throttle{access::random_number()};
};

namespace {

Response nothing(unsigned status) {
    return {status, {}, {}, {}};
}

Response refused(std::string detail) {
    return problem({.status = 403, .detail = std::move(detail)});
}

Response no_such_person() {
    return problem({.status = 404, .detail = "there is nobody of this login"});
}

/// One word for a login that is not there, a wrong password and somebody who is disabled.
Response wrong_login() {
    Response response = problem({.status = 401, .detail = "the login or the password is wrong"});
    response.headers.emplace_back("WWW-Authenticate", "Bearer");
    return response;
}

Response busy() {
    return try_later("no memory for a password now; try again later", std::chrono::seconds{1});
}

/// The texts of an object, each of which must be one of `names`.
class Texts {
  public:
    Texts(const JsonValue& object, std::span<const std::string_view> names, FieldFaults& faults) {
        read_each(object, faults, [&](const JsonValue& value) {
            if (std::find(names.begin(), names.end(), value.name) == names.end()) return false;
            if (value.kind == JsonValue::Kind::string) {
                texts_.emplace_back(value.name, value.text);
            } else {
                faults.add(value.name, "expected a string");
            }
            return true;
        });
    }
    [[nodiscard]] std::optional<std::string_view> find(std::string_view name) const {
        for (const auto& [known, text] : texts_) {
            if (known == name) return text;
        }
        return std::nullopt;
    }
    /// Empty, and a fault, where it is not there.
    [[nodiscard]] std::string_view need(std::string_view name, FieldFaults& faults) const {
        const auto text = find(name);
        if (!text) faults.add(name, "missing; expected a string");
        return text.value_or(std::string_view{});
    }

  private:
    std::vector<std::pair<std::string_view, std::string_view>> texts_;
};

void write_token(JsonWriter& json, const Token& token, std::string_view text) {
    json.open_object();
    write_fields(json, token);
    if (!text.empty()) json.name("token").text(text);
    json.close_object();
}

/// What everybody may change of himself.
constexpr std::array<std::string_view, 6> kOwnFields = {"name",      "email",       "language",
                                                        "time_zone", "date_format", "time_format"};

}  // namespace

People::People(Services services, std::shared_ptr<const Directory> directory)
    : services_(std::move(services)),
      directory_(std::move(directory)),
      passwords_(std::make_shared<const access::Passwords>(services_.password_cost)),
      throttled_(std::make_shared<Throttled>()) {}

void People::add_to(Router& router) {
    const auto people = std::make_shared<const People>(*this);
    using One = Response (People::*)(const Request&) const;
    using Named = Response (People::*)(const Request&, std::string_view) const;
    const auto add = [&](std::string_view method, std::string_view pattern, Lane lane, One run) {
        router.add(method, pattern, lane, [people, run](const Request& request, std::string_view) {
            return (*people.*run)(request);
        });
    };
    const auto add_named = [&](std::string_view method, std::string_view pattern, Lane lane, Named run) {
        router.add(method, pattern, lane, [people, run](const Request& request, std::string_view id) {
            return (*people.*run)(request, id);
        });
    };
    add("POST", "/v1/login", Lane::slow, &People::log_in);
    add("POST", "/v1/logout", Lane::brief, &People::log_out);
    add("GET", "/v1/me", Lane::brief, &People::me);
    add("GET", "/v1/people", Lane::brief, &People::list);
    add("POST", "/v1/people", Lane::slow, &People::create);
    router.add("GET", "/v1/people/{login}", Lane::brief,
               [people](const Request&, std::string_view login) { return people->get(login); });
    add_named("PATCH", "/v1/people/{login}", Lane::brief, &People::change);
    add_named("DELETE", "/v1/people/{login}", Lane::brief, &People::remove);
    add_named("POST", "/v1/people/{login}/password", Lane::slow, &People::change_password);
    router.add("GET", "/v1/people/{login}/tokens", Lane::brief,
               [people](const Request&, std::string_view login) { return people->list_tokens(login); });
    add_named("POST", "/v1/people/{login}/tokens", Lane::brief, &People::create_token);
    add_named("DELETE", "/v1/tokens/{id}", Lane::brief, &People::revoke_token);
}

// ---- Guesses ----

std::optional<Response> People::throttled(std::string_view login, const Request& request) const {
    access::Steady wait{};
    {
        const std::lock_guard lock{throttled_->mutex};
        wait = throttled_->throttle.begin(login, access::source_of(request.peer), services_.steady_now());
    }
    if (wait == access::Steady{}) return std::nullopt;
    Response response = problem({.status = 429, .detail = "too many wrong passwords; try again later"});
    response.headers.emplace_back("Retry-After",
                                  std::to_string(std::chrono::ceil<std::chrono::seconds>(wait).count()));
    return response;
}

void People::guessed_right(std::string_view login, const Request& request) const {
    const std::lock_guard lock{throttled_->mutex};
    throttled_->throttle.succeeded(login, access::source_of(request.peer));
}

// ---- Tokens ----

People::Made People::add_token(const Person& person, std::string name, rating::Instant expires,
                               Moment now) const {
    JointEvent& joint = *JointEvent::current();
    for (const std::string& id : directory_->expired(now.wall))
        if (joint.room(256)) services_.registry.tokens.remove(joint, id, now);
    if (const auto surplus = directory_->surplus_of(person.id))
        services_.registry.tokens.remove(joint, *surplus, now);
    auto fresh = access::make_token();
    Token token;
    token.id = "k-" + std::to_string(access::random_number() >> 16);
    token.hash = fresh.hash.text();
    token.person = person.id;
    token.name = std::move(name);
    token.made = now.wall;
    token.expires = expires;
    services_.registry.tokens.put(joint, token, now);
    return {std::move(token), std::move(fresh.text)};
}

void People::end_tokens(std::string_view login, std::string_view but, Moment now) const {
    for (const std::string& id : directory_->tokens_of(login))
        if (id != but) services_.registry.tokens.remove(*JointEvent::current(), id, now);
}

Response People::log_in(const Request& request) const {
    JsonReader reader;
    const JsonValue* const object = reader.read(request.body);
    if (object == nullptr) return not_json(reader);
    std::vector<RequestFault> all;
    FieldFaults faults{all};
    const Texts texts{*object, std::array<std::string_view, 2>{"login", "password"}, faults};
    const std::string_view login = texts.need("login", faults);
    const std::string_view password = texts.need("password", faults);
    if (!all.empty()) return invalid(all);
    if (auto wait = throttled(login, request)) return *std::move(wait);

    Registry& registry = services_.registry;
    const auto known = registry.people.find(login);
    const auto hash = known && !known->disabled ? PasswordHash::parse(known->password) : std::nullopt;
    if (!passwords_->verify(hash, password)) return wrong_login();
    guessed_right(login, request);
    const auto renewed = passwords_->is_outdated(*hash) ? passwords_->hash(password) : std::nullopt;

    const std::scoped_lock lock{registry.mutex};
    auto person = registry.people.find(login);
    if (!person || person->disabled || person->password != known->password) return wrong_login();
    const PartyId party = services_.catalog.parties().find(person->party);
    switch (party == kNoParty ? Directory::Door::closed : directory_->door_of(party)) {
        case Directory::Door::open:
            break;
        case Directory::Door::suspended:
            return refused("your party is suspended");
        case Directory::Door::closed:
            return refused("your party is closed");
    }
    const Moment now = now_of(services_);
    JointEvent& joint = *JointEvent::current();
    if (renewed) {
        person->password = renewed->text;
        registry.people.put(joint, *person, now);
    }
    const Made made = add_token(*person, {}, now.wall + kLoginTokenLife, now);
    AuditEntry entry;
    entry.actor = person->id;
    entry.operation = "logIn";
    entry.party = person->party;
    entry.target = "/v1/login";
    entry.after = "{\"token\":\"" + made.token.id + "\"}";
    registry.audit.add(joint, std::move(entry), now);
    joint.write(services_.events, now);
    JsonWriter json;
    write_token(json, made.token, made.text);
    return json_response(200, json.take());
}

Response People::log_out(const Request& request) const {
    if (request.actor.token.empty()) return nothing(204);
    const std::scoped_lock lock{services_.registry.mutex};
    const Moment now = now_of(services_);
    services_.registry.tokens.remove(*JointEvent::current(), request.actor.token, now);
    JointEvent::current()->write(services_.events, now);
    return nothing(204);
}

Response People::list_tokens(std::string_view login) const {
    if (!services_.registry.people.contains(login)) return no_such_person();
    const rating::Instant now = services_.wall_now();
    JsonWriter json;
    json.open_object().name("tokens").open_list();
    for (const std::string& id : directory_->tokens_of(login)) {
        const auto token = services_.registry.tokens.find(id);
        if (token && token->expires > now) write_token(json, *token, {});
    }
    json.close_list().close_object();
    return json_response(200, json.take());
}

Response People::create_token(const Request& request, std::string_view login) const {
    JsonReader reader;
    const JsonValue* const object = reader.read(request.body);
    if (object == nullptr) return not_json(reader);
    std::vector<RequestFault> all;
    FieldFaults faults{all};
    Token wanted;
    read_record(*object, wanted, RecordUse::make, faults);
    const Moment now = now_of(services_);
    const rating::Instant latest = now.wall + kTokenLifeMax;
    if (all.empty() && (wanted.expires <= now.wall || wanted.expires > latest)) {
        faults.add("expires", "expected a time to come, at most " +
                                  std::to_string(kTokenLifeMax.count() / 24) + " days away");
    }
    if (all.empty() && wanted.name.empty()) faults.add("name", "missing; expected what it is for");
    if (!all.empty()) return invalid(all);
    const std::scoped_lock lock{services_.registry.mutex};
    const auto person = services_.registry.people.find(login);
    if (!person) return no_such_person();
    if (auto refusal = refusal_to_touch(request, *person)) return *std::move(refusal);
    if (person->disabled) return problem({.status = 409, .detail = "this person is disabled"});
    const Made made = add_token(*person, wanted.name, wanted.expires, now);
    JointEvent::current()->write(services_.events, now);
    JsonWriter json;
    write_token(json, made.token, made.text);
    return json_response(201, json.take());
}

Response People::revoke_token(const Request& request, std::string_view id) const {
    const std::scoped_lock lock{services_.registry.mutex};
    const auto token = services_.registry.tokens.find(id);
    const auto person = token ? services_.registry.people.find(token->person) : std::nullopt;
    if (!token) return problem({.status = 404, .detail = "there is no token of this id"});
    if (person) {
        if (auto refusal = refusal_to_touch(request, *person)) return *std::move(refusal);
    }
    const Moment now = now_of(services_);
    services_.registry.tokens.remove(*JointEvent::current(), id, now);
    JointEvent::current()->write(services_.events, now);
    return nothing(204);
}

// ---- Who may do what to whom ----

bool People::is_of_provider(const Person& person) const {
    const auto& parties = services_.catalog.parties();
    const PartyId party = parties.find(person.party);
    return party != kNoParty && party == parties.root();
}

std::optional<Response> People::refusal_to_touch(const Request& request, const Person& person) const {
    if (person.id == request.actor.login || request.actor.login.empty()) return std::nullopt;
    if (directory_->permissions_of(person).within(request.actor.permissions)) return std::nullopt;
    return refused("this person may do more than you");
}

std::optional<Response> People::refusal_to_give(const Request& request, const Person& person) const {
    if (request.actor.login.empty()) return std::nullopt;
    if (directory_->permissions_of(person).within(request.actor.permissions)) return std::nullopt;
    return refused("nobody gives what he does not have himself");
}

/// Without one there would be nobody left who could make another.
bool People::is_last_admin(const Person& person) const {
    const auto is_admin = [this](const Person& one) {
        return is_of_provider(one) && one.role == "admin" && one.permissions.empty() && !one.disabled;
    };
    if (!is_admin(person)) return false;
    std::size_t admins = 0;
    services_.registry.people.visit([&](const Person& one) {
        if (is_admin(one)) ++admins;
    });
    return admins == 1;
}

namespace {

Response last_admin() {
    return problem({.status = 409,
                    .detail = "the provider's last admin; make another first, or nobody could do anything"});
}

void check_permissions(const Person& person, FieldFaults& faults) {
    if (access::permissions_from(person.permissions)) return;
    faults.add("permissions",
               "expected some of view, customers, activate, renew, collect, prices, people, resellers, "
               "numbers, tariffs and calls");
}

/// The first who is declared is alone until there are others.
constexpr std::string_view kFirst = "the first of all belongs to the provider and is an admin";

}  // namespace

// ---- People ----

Response People::shown(unsigned status, const Person& person) const {
    JsonWriter json;
    json.open_object();
    write_fields(json, person);
    json.close_object();
    return with_etag(json_response(status, json.take()), etag_of(image_of(person)));
}

Response People::me(const Request& request) const {
    const auto& parties = services_.catalog.parties();
    if (parties.root() == kNoParty) return problem({.status = 404, .detail = "there is no provider yet"});
    const auto person = services_.registry.people.find(request.actor.login);
    JsonWriter json;
    json.open_object().name("login").text_or_null(request.actor.login);
    json.name("party").text(parties.get(request.actor.party).id);
    json.name("role").text(person ? std::string_view{person->role} : "admin");
    json.name("permissions").open_list();
    for (const std::string& name : access::names_of(request.actor.permissions))
        json.text(name);
    json.close_list().close_object();
    return json_response(200, json.take());
}

Response People::list(const Request& request) const {
    auto listing = Listing::read(request, {"party"});
    if (listing.refusal) return *std::move(listing.refusal);
    const auto& parties = services_.catalog.parties();
    const std::string_view wanted = listing.filter("party");
    const auto belongs = [&](const Person& person) {
        if (!wanted.empty() && person.party != wanted) return false;
        const auto relation = directory_->relation(request.actor.party, parties.find(person.party));
        return relation == access::Relation::self || relation == access::Relation::below;
    };
    return book_page(services_.registry.people, listing, "people", belongs,
                     [](JsonWriter& json, const Person& person) {
                         json.open_object();
                         write_fields(json, person);
                         json.close_object();
                     });
}

Response People::get(std::string_view login) const {
    const auto person = services_.registry.people.find(login);
    return person ? shown(200, *person) : no_such_person();
}

Response People::create(const Request& request) const {
    JsonReader reader;
    const JsonValue* const object = reader.read(request.body);
    if (object == nullptr) return not_json(reader);
    std::vector<RequestFault> all;
    FieldFaults faults{all};
    Person person;
    std::optional<std::string> password;
    read_each(*object, faults, [&](const JsonValue& value) {
        if (value.name != "password") return read_field(value, person, RecordUse::make, faults);
        password = text_of(value, faults);
        return true;
    });
    const auto& parties = services_.catalog.parties();
    const PartyId party = parties.find(person.party);
    if (all.empty()) {
        if (person.id.empty()) faults.add("login", "missing; expected " + std::string{kIdExpected});
        // So are those called in the audit log who are no people.
        if (person.id == "console" || person.id.starts_with("gateway"))
            faults.add("login", "console and what begins with gateway are nobody's logins");
        if (person.role.empty()) faults.add("role", "missing; expected viewer, operator, finance or admin");
        if (!password) faults.add("password", "missing; expected a string");
        check_permissions(person, faults);
        if (person.party.empty()) {
            faults.add("party", "missing; expected a party's id");
        } else if (party == kNoParty) {
            faults.add("party", "no such party");
        } else if (parties.get(party).kind == balance::PartyKind::line) {
            faults.add("party", "nobody logs in as a line; expected its customer");
        } else if (parties.get(party).status().closed()) {
            faults.add("party", "is closed");
        }
    }
    if (password && all.empty()) {
        const PasswordRule rule = access::rule_of(*password, person.id);
        if (rule != PasswordRule::kept) faults.add("password", std::string{access::text_of(rule)});
    }
    if (!all.empty()) return invalid(all);
    if (services_.registry.people.contains(person.id))
        return problem({.status = 409, .detail = "there is somebody of this login"});
    const auto hash = passwords_->hash(*password);
    access::wipe(*password);
    if (!hash) return busy();
    person.password = hash->text;

    const std::scoped_lock lock{services_.registry.mutex};
    const bool first = services_.registry.people.size() == 0;
    // Since it was let in, somebody else was the first.
    if (request.actor.login.empty() && !first) return wrong_login();
    if (services_.registry.people.contains(person.id))
        return problem({.status = 409, .detail = "there is somebody of this login"});
    if (first && (!is_of_provider(person) || person.role != "admin" || !person.permissions.empty() ||
                  person.disabled)) {
        faults.add(is_of_provider(person) ? "role" : "party", std::string{kFirst});
        return invalid(all);
    }
    if (auto refusal = refusal_to_give(request, person)) return *std::move(refusal);
    const Moment now = now_of(services_);
    person.made = now.wall;
    services_.registry.people.put(*JointEvent::current(), person, now);
    JointEvent::current()->write(services_.events, now);
    Response response = shown(201, person);
    response.headers.emplace_back("Location", "/v1/people/" + person.id);
    return response;
}

Response People::change(const Request& request, std::string_view login) const {
    JsonReader reader;
    const JsonValue* const object = reader.read(request.body);
    if (object == nullptr) return not_json(reader);
    const std::scoped_lock lock{services_.registry.mutex};
    const auto before = services_.registry.people.find(login);
    if (!before) return no_such_person();
    if (auto refusal = refusal_of(request, etag_of(image_of(*before)))) return *std::move(refusal);
    if (auto refusal = refusal_to_touch(request, *before)) return *std::move(refusal);
    std::vector<RequestFault> all;
    FieldFaults faults{all};
    Person after = *before;
    read_record(*object, after, RecordUse::change, faults);
    check_permissions(after, faults);
    if (after.role.empty()) faults.add("role", "expected viewer, operator, finance or admin");
    if (!all.empty()) return invalid(all);
    const bool rights = after.role != before->role || after.permissions != before->permissions ||
                        after.disabled != before->disabled;
    const bool may_people = request.actor.permissions.has(access::Permission::people);
    if (!may_people) {
        for (const JsonValue& value : object->children()) {
            if (std::find(kOwnFields.begin(), kOwnFields.end(), value.name) == kOwnFields.end())
                return refused(std::string{value.name} + ": needs the permission people");
        }
    }
    if (rights) {
        if (auto refusal = refusal_to_give(request, after)) return *std::move(refusal);
        const bool stays = after.role == "admin" && after.permissions.empty() && !after.disabled;
        if (is_last_admin(*before) && !stays) return last_admin();
    }
    const Moment now = now_of(services_);
    JointEvent& joint = *JointEvent::current();
    // What was taken away is taken from tokens too: they end.
    if (after.disabled || !directory_->permissions_of(*before).within(directory_->permissions_of(after)))
        end_tokens(login, {}, now);
    services_.registry.people.put(joint, after, now);
    joint.write(services_.events, now);
    return shown(200, after);
}

Response People::remove(const Request& request, std::string_view login) const {
    const std::scoped_lock lock{services_.registry.mutex};
    const auto person = services_.registry.people.find(login);
    if (!person) return no_such_person();
    if (auto refusal = refusal_to_touch(request, *person)) return *std::move(refusal);
    if (is_last_admin(*person)) return last_admin();
    const Moment now = now_of(services_);
    end_tokens(login, {}, now);
    services_.registry.people.remove(*JointEvent::current(), login, now);
    JointEvent::current()->write(services_.events, now);
    return nothing(204);
}

Response People::change_password(const Request& request, std::string_view login) const {
    JsonReader reader;
    const JsonValue* const object = reader.read(request.body);
    if (object == nullptr) return not_json(reader);
    std::vector<RequestFault> all;
    FieldFaults faults{all};
    const Texts texts{*object, std::array<std::string_view, 3>{"old", "new", "again"}, faults};
    const std::string_view chosen = texts.need("new", faults);
    const std::string_view again = texts.need("again", faults);
    const auto old = texts.find("old");
    const bool himself = login == request.actor.login;
    if (himself && !old) faults.add("old", "missing; expected the password as it is");
    if (all.empty() && chosen != again) faults.add("again", "is not the same as new");
    const PasswordRule rule = access::rule_of(chosen, login);
    if (all.empty() && rule != PasswordRule::kept) faults.add("new", std::string{access::text_of(rule)});
    if (all.empty() && old && *old == chosen) faults.add("new", "is the old one");
    if (!all.empty()) return invalid(all);

    Registry& registry = services_.registry;
    const auto known = registry.people.find(login);
    if (!known) return no_such_person();
    if (himself) {
        if (auto wait = throttled(login, request)) return *std::move(wait);
        if (!passwords_->verify(PasswordHash::parse(known->password), *old))
            return refused("the old password is wrong");
        guessed_right(login, request);
    }
    const auto hash = passwords_->hash(chosen);
    if (!hash) return busy();

    const std::scoped_lock lock{registry.mutex};
    auto person = registry.people.find(login);
    if (!person) return no_such_person();
    if (person->password != known->password)
        return problem({.status = 409, .detail = "the password was changed meanwhile"});
    if (auto refusal = refusal_to_touch(request, *person)) return *std::move(refusal);
    const Moment now = now_of(services_);
    JointEvent& joint = *JointEvent::current();
    person->password = hash->text;
    registry.people.put(joint, *person, now);
    end_tokens(login, himself ? std::string_view{request.actor.token} : std::string_view{}, now);
    services_.notices.password_changed(*person, request.actor.login.empty() ? "console" : request.actor.login,
                                       joint, now);
    joint.write(services_.events, now);
    return nothing(204);
}

}  // namespace tollgate::daemon::admin
