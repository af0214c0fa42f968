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

/// A list of strings that pass `is_one`; faults name the first that does not.
std::vector<std::string> read_list(const JsonValue& value, std::size_t most,
                                   bool (*is_one)(std::string_view) noexcept, std::string_view expected,
                                   FieldFaults& faults) {
    std::vector<std::string> texts;
    if (value.kind != Kind::list) {
        faults.add(value.name, shown(value) + ": expected a list of " + std::string{expected});
        return texts;
    }
    for (const JsonValue& text : value.children()) {
        if (text.kind != Kind::string || !is_one(text.text)) {
            faults.add(value.name, shown(text) + ": expected " + std::string{expected});
            return texts;
        }
        texts.emplace_back(text.text);
    }
    if (texts.size() > most) {
        faults.add(value.name,
                   std::to_string(texts.size()) + " of them; expected at most " + std::to_string(most));
    }
    return texts;
}

void read_prefixes(const JsonValue& value, GroupFields& fields, FieldFaults& faults) {
    fields.prefixes = read_list(value, kGroupPrefixesMax, balance::is_prefix,
                                "strings of 1 to 15 digits without +, such as \"4915\"", faults);
}

void read_countries(const JsonValue& value, GroupFields& fields, FieldFaults& faults) {
    fields.countries =
        read_list(value, kGroupCountriesMax, is_country, "ISO 3166-1 alpha-2 codes, such as \"DE\"", faults);
}

constexpr std::array<Field<GroupFields>, 2> kFields = {
    {{"prefixes", read_prefixes}, {"countries", read_countries}}};

void write_list(JsonWriter& json, std::string_view name, const std::vector<std::string>& texts) {
    json.name(name).open_list();
    for (const auto& text : texts)
        json.text(text);
    json.close_list();
}

void write_group(JsonWriter& json, std::string_view id, const DestinationGroup& group) {
    json.open_object().name("id").text(id);
    write_list(json, "prefixes", group.prefixes());
    write_list(json, "countries", group.countries());
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
    read_fields(*object, kFields, Nulls::are_absent, fields, faults);
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
