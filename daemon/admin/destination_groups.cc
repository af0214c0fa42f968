#include "daemon/admin/destination_groups.h"

#include <algorithm>
#include <array>
#include <utility>

#include "daemon/admin/bodies.h"
#include "daemon/admin/fields.h"
#include "daemon/destination_groups.h"
#include "rating/digits.h"

namespace tollgate::daemon::admin {
namespace {

using Kind = JsonValue::Kind;

struct GroupFields {
    std::vector<std::string> prefixes;
    std::vector<std::string> countries;
};

void read_prefixes(const JsonValue& value, GroupFields& fields, FieldFaults& faults) {
    fields.prefixes = read_texts(value, kGroupPrefixesMax, balance::is_prefix,
                                 "strings of 1 to 15 digits without +, such as \"4915\"", faults);
}

void read_countries(const JsonValue& value, GroupFields& fields, FieldFaults& faults) {
    fields.countries =
        read_texts(value, kGroupCountriesMax, is_country, "ISO 3166-1 alpha-2 codes, such as \"DE\"", faults);
}

constexpr std::array<Field<GroupFields>, 2> kGroupFields = {
    {{"prefixes", read_prefixes}, {"countries", read_countries}}};

void write_group(JsonWriter& json, std::string_view id, const DestinationGroup& group) {
    json.open_object().name("id").text(id);
    write_texts(json, "prefixes", group.prefixes());
    write_texts(json, "countries", group.countries());
    json.close_object();
}

Response shown_group(unsigned status, std::string_view id, const DestinationGroup& group) {
    JsonWriter json;
    write_group(json, id, group);
    return json_response(status, json.take());
}

Response shown_belonging(const DestinationGroup::Belonging& belonging) {
    JsonWriter json;
    json.open_object().name("contains").flag(belonging.reason != DestinationGroup::Reason::none);
    switch (belonging.reason) {
        case DestinationGroup::Reason::none:
            break;
        case DestinationGroup::Reason::prefix:
            json.name("prefix").text(belonging.by);
            break;
        case DestinationGroup::Reason::country:
            json.name("country").text(belonging.by);
            break;
    }
    json.close_object();
    return json_response(200, json.take());
}

Response unknown_group(std::string_view id) {
    return problem({.status = 404,
                    .detail = "no destination group \"" + std::string{id.substr(0, kShownBytesMax)} +
                              "\"; PUT /v1/destination-groups/{id} makes one"});
}

const DestinationGroup* find_group(const DestinationGroups& groups, std::string_view id) {
    const auto place = groups.find(id);
    return place ? groups.get(*place) : nullptr;
}

}  // namespace

Response DestinationGroupResource::list() const {
    const DestinationGroups& groups = services_.catalog.destination_groups();
    JsonWriter json;
    json.open_object().name("destination_groups").open_list();
    for (const std::string& id : groups.names()) {
        const DestinationGroup* const group = find_group(groups, id);
        if (group != nullptr) write_group(json, id, *group);  // It may have gone meanwhile.
    }
    json.close_list().close_object();
    return json_response(200, json.take());
}

Response DestinationGroupResource::get(const Request& request, std::string_view id) const {
    const DestinationGroup* const group = find_group(services_.catalog.destination_groups(), id);
    if (group == nullptr) return unknown_group(id);
    const auto asked = std::find_if(request.query.begin(), request.query.end(),
                                    [](const auto& pair) { return pair.first == "number"; });
    if (asked == request.query.end()) return shown_group(200, id, *group);
    const auto number = rating::Digits::parse(asked->second);
    if (!number) {
        const RequestFault fault{
            {}, "number", '"' + asked->second.substr(0, kShownBytesMax) + "\": expected 1 to 32 digits"};
        return invalid({&fault, 1});
    }
    return shown_belonging(group->find(number->view()));
}

Response DestinationGroupResource::put(const Request& request, std::string_view id) const {
    JsonReader reader;
    const JsonValue* const object = reader.read(request.body);
    if (object == nullptr) return not_json(reader);
    std::vector<RequestFault> all;
    FieldFaults faults{all};
    check_id(id, faults);
    GroupFields fields;
    read_fields(*object, kGroupFields, Nulls::are_absent, fields, faults);
    if (!all.empty()) return invalid(all);

    const DestinationGroup group{std::move(fields.prefixes), std::move(fields.countries)};
    switch (services_.catalog.put_group(id, group, now_of(services_))) {
        case DestinationGroups::PutStatus::created:
            return shown_group(201, id, group);
        case DestinationGroups::PutStatus::replaced:
            return shown_group(200, id, group);
        case DestinationGroups::PutStatus::too_many:
            break;
    }
    faults.add("id", "there were " + std::to_string(kDestinationGroupsMax) +
                         " names of destination groups, which is the most");
    return invalid(all);
}

Response DestinationGroupResource::remove(std::string_view id) const {
    DestinationGroups& groups = services_.catalog.destination_groups();
    const auto place = groups.find(id);
    const DestinationGroup* const group = place ? groups.get(*place) : nullptr;
    if (group == nullptr) return unknown_group(id);
    services_.catalog.remove_group(*place, now_of(services_));
    return shown_group(200, id, *group);
}

}  // namespace tollgate::daemon::admin
