#include "daemon/admin/classes.h"

#include <utility>

#include "daemon/admin/bodies.h"
#include "daemon/admin/etag.h"
#include "daemon/admin/record_json.h"

namespace tollgate::daemon::admin {
namespace {

/// Classes of one party: they are read by people, in a list without pages.
constexpr std::size_t kClassesMax = 1'000;

Response shown(unsigned status, const CustomerClass& customer_class) {
    JsonWriter json;
    json.open_object();
    write_fields(json, customer_class);
    json.close_object();
    return with_etag(json_response(status, json.take()), etag_of(image_of(customer_class)));
}

Response unknown_class(std::string_view id) {
    return problem(
        {.status = 404, .detail = "no class \"" + std::string{id.substr(0, kShownBytesMax)} + '"'});
}

}  // namespace

bool Classes::is_for(const Request& request, const CustomerClass& shown) const {
    const auto& parties = services_.catalog.parties();
    return request.actor.login.empty() ||
           parties.is_in_subtree(parties.find(shown.owner), request.actor.party);
}

std::optional<CustomerClass> Classes::find(const Request& request, std::string_view id) const {
    auto known = services_.registry.classes.find(id);
    if (known && !is_for(request, *known)) known.reset();
    return known;
}

Response Classes::list(const Request& request) const {
    JsonWriter json;
    json.open_object().name("classes").open_list();
    services_.registry.classes.visit([&](const CustomerClass& customer_class) {
        if (!is_for(request, customer_class)) return;
        json.open_object();
        write_fields(json, customer_class);
        json.close_object();
    });
    json.close_list().close_object();
    return json_response(200, json.take());
}

Response Classes::create(const Request& request) const {
    JsonReader reader;
    const JsonValue* const object = reader.read(request.body);
    if (object == nullptr) return not_json(reader);
    std::vector<RequestFault> all;
    FieldFaults faults{all};
    CustomerClass made;
    read_record(*object, made, RecordUse::make, faults);
    if (all.empty() && made.id.empty()) faults.add("id", "missing; members name the class by it");
    const auto& parties = services_.catalog.parties();
    if (parties.size() == 0) faults.add("", "there is no provider yet");
    if (!all.empty()) return invalid(all);

    const std::scoped_lock lock{services_.registry.mutex};
    if (services_.registry.classes.contains(made.id)) {
        return problem({.status = 409, .detail = "there is a class \"" + made.id + "\" already"});
    }
    if (services_.registry.classes.size() >= kClassesMax) {
        return problem(
            {.status = 409,
             .detail = "there are " + std::to_string(kClassesMax) + " classes, which is the most"});
    }
    made.owner = parties.get(request.actor.party).id;
    const Moment now = now_of(services_);
    balance::JointEvent& joint = *balance::JointEvent::current();
    services_.registry.classes.put(joint, made, now);
    joint.write(services_.events, now);
    Response response = shown(201, made);
    response.headers.emplace_back("Location", "/v1/classes/" + made.id);
    return response;
}

Response Classes::get(const Request& request, std::string_view id) const {
    const auto known = find(request, id);
    return known ? shown(200, *known) : unknown_class(id);
}

Response Classes::change(const Request& request, std::string_view id) const {
    const std::scoped_lock lock{services_.registry.mutex};
    const auto known = find(request, id);
    if (!known) return unknown_class(id);
    if (auto stale = refusal_of(request, etag_of(image_of(*known)))) return *std::move(stale);
    JsonReader reader;
    const JsonValue* const object = reader.read(request.body);
    if (object == nullptr) return not_json(reader);
    std::vector<RequestFault> all;
    FieldFaults faults{all};
    CustomerClass changed = *known;
    read_record(*object, changed, RecordUse::change, faults);
    if (!all.empty()) return invalid(all);
    const Moment now = now_of(services_);
    balance::JointEvent& joint = *balance::JointEvent::current();
    if (image_of(changed) != image_of(*known)) services_.registry.classes.put(joint, changed, now);
    joint.write(services_.events, now);
    return shown(200, changed);
}

Response Classes::remove(const Request& request, std::string_view id) const {
    const std::scoped_lock lock{services_.registry.mutex};
    const auto known = find(request, id);
    if (!known) return unknown_class(id);
    if (auto stale = refusal_of(request, etag_of(image_of(*known)))) return *std::move(stale);
    const std::size_t members = services_.profile_index.members_of(id);
    if (members > 0) {
        return problem({.status = 409,
                        .detail = "it has " + std::to_string(members) + " members; give them another class"});
    }
    const Moment now = now_of(services_);
    balance::JointEvent& joint = *balance::JointEvent::current();
    services_.registry.classes.remove(joint, id, now);
    joint.write(services_.events, now);
    return {204, {}, {}, {}};
}

}  // namespace tollgate::daemon::admin
