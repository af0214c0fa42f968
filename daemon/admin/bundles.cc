#include "daemon/admin/bundles.h"

#include <array>
#include <cstdlib>
#include <utility>

#include "balance/bundle.h"
#include "daemon/admin/bodies.h"
#include "daemon/admin/fields.h"

namespace tollgate::daemon::admin {
namespace {

using AddStatus = balance::BundleBook::AddStatus;
using Kind = JsonValue::Kind;

struct BundleFields {
    BundleDraft draft;
    bool id_named = false;
    bool seconds_named = false;
};

void read_id(const JsonValue& value, BundleFields& fields, FieldFaults& faults) {
    fields.id_named = true;
    if (value.kind == Kind::string && balance::is_id(value.text)) {
        fields.draft.id = value.text;
    } else {
        faults.add("id", shown(value) + ": expected 1 to 64 of A-Z a-z 0-9 . _ : @ + -");
    }
}

void read_seconds(const JsonValue& value, BundleFields& fields, FieldFaults& faults) {
    fields.seconds_named = true;
    const auto seconds = whole_of(value, balance::kBundleSecondsMax);
    if (seconds && *seconds > 0) {
        fields.draft.seconds = static_cast<std::uint32_t>(*seconds);
    } else {
        faults.add("seconds", shown(value) + ": expected a whole number from 1 to " +
                                  std::to_string(balance::kBundleSecondsMax));
    }
}

void read_prefixes(const JsonValue& value, BundleFields& fields, FieldFaults& faults) {
    fields.draft.prefixes = read_texts(value, balance::kBundlePrefixesMax, balance::is_prefix,
                                       "strings of 1 to 15 digits without +, such as \"44\"", faults);
}

void read_countries(const JsonValue& value, BundleFields& fields, FieldFaults& faults) {
    fields.draft.countries = read_texts(value, balance::kBundleCountriesMax, is_country,
                                        "ISO 3166-1 alpha-2 codes, such as \"GB\"", faults);
}

void read_groups(const JsonValue& value, BundleFields& fields, FieldFaults& faults) {
    fields.draft.groups =
        read_texts(value, balance::kBundleGroupsMax, balance::is_id, "ids of destination groups", faults);
}

void read_expires(const JsonValue& value, BundleFields& fields, FieldFaults& faults) {
    const bool readable = value.kind == Kind::string || value.kind == Kind::number;
    fields.draft.expires = readable ? rating::parse_instant(value.text) : std::nullopt;
    if (!fields.draft.expires) {
        faults.add("expires", shown(value) + ": expected an instant such as \"2027-01-01T00:00:00Z\"");
    }
}

void read_renew(const JsonValue& value, BundleFields& fields, FieldFaults& faults) {
    const bool word = value.kind == Kind::string;
    if ((word && value.text == "monthly") || (value.kind == Kind::boolean && value.text == "true")) {
        fields.draft.monthly = true;
    } else if ((word && value.text == "none") || (value.kind == Kind::boolean && value.text == "false")) {
        fields.draft.monthly = false;
    } else {
        faults.add("renew", shown(value) + ": expected \"monthly\" or \"none\"");
    }
}

void read_priority(const JsonValue& value, BundleFields& fields, FieldFaults& faults) {
    const auto priority = value.kind == Kind::number ? decimal_of(value, 0) : std::nullopt;
    if (priority && std::abs(*priority) <= balance::kBundlePriorityMax) {
        fields.draft.priority = static_cast<std::int32_t>(*priority);
    } else {
        const std::string most = std::to_string(balance::kBundlePriorityMax);
        faults.add("priority", shown(value) + ": expected a whole number from -" + most + " to " + most);
    }
}

constexpr std::array<Field<BundleFields>, 8> kBundleFields = {{{"id", read_id},
                                                               {"seconds", read_seconds},
                                                               {"prefixes", read_prefixes},
                                                               {"countries", read_countries},
                                                               {"groups", read_groups},
                                                               {"expires", read_expires},
                                                               {"renew", read_renew},
                                                               {"priority", read_priority}}};

void write_bundle(JsonWriter& json, const Catalog& catalog, const balance::Bundle& bundle) {
    const BundleDraft draft = catalog.draft_of(bundle);
    const balance::Bundle::Stand stand = bundle.stand();
    json.open_object().name("id").text(draft.id).name("seconds").whole(draft.seconds);
    write_texts(json, "prefixes", draft.prefixes);
    write_texts(json, "countries", draft.countries);
    write_texts(json, "groups", draft.groups);
    json.name("expires").text_or_null(draft.expires ? rating::format(*draft.expires).view()
                                                    : std::string_view{});
    json.name("renew").text_or_null(draft.monthly ? "monthly" : "");
    json.name("priority").number(std::to_string(draft.priority));
    json.name("held").whole(stand.held).name("available").whole(stand.available);
    json.close_object();
}

Response shown_bundle(unsigned status, const Catalog& catalog, const balance::Party& party,
                      std::string_view id) {
    JsonWriter json;
    for (const balance::Bundle& bundle : balance::BundlesOf{party}) {
        if (bundle.source().id != id) continue;
        write_bundle(json, catalog, bundle);
        break;
    }
    return json_response(status, json.take());
}

Response unknown_party(std::string_view id) {
    return problem(
        {.status = 404, .detail = "no party \"" + std::string{id.substr(0, kShownBytesMax)} + '"'});
}

}  // namespace

BundleDraft read_bundle(const JsonValue& object, FieldFaults& faults) {
    BundleFields fields;
    read_fields(object, kBundleFields, Nulls::are_absent, fields, faults);
    if (object.kind == Kind::object) {
        if (!fields.id_named) faults.add("id", "missing; a party's bundles are told apart by it");
        if (!fields.seconds_named) faults.add("seconds", "missing; expected how many seconds are free");
    }
    return std::move(fields.draft);
}

Response Bundles::add(const Request& request, std::string_view id) const {
    Catalog& catalog = services_.catalog;
    const balance::PartyId party_id = catalog.parties().find(id);
    if (party_id == balance::kNoParty) return unknown_party(id);
    const balance::Party& party = catalog.parties().get(party_id);
    JsonReader reader;
    const JsonValue* const object = reader.read(request.body);
    if (object == nullptr) return not_json(reader);
    std::vector<RequestFault> all;
    FieldFaults faults{all};
    const BundleDraft draft = read_bundle(*object, faults);
    if (!all.empty()) return invalid(all);
    if (party.status().closed()) {
        return problem({.status = 409, .detail = "the party is closed; it gets no bundles any more"});
    }

    const auto added = catalog.add_bundle(party_id, draft, now_of(services_));
    for (const Fault& fault : added.faults)
        faults.add(fault.field, fault.message);
    if (!all.empty()) return invalid(all);
    switch (added.status) {
        case AddStatus::added:
            return shown_bundle(201, catalog, party, draft.id);
        case AddStatus::known:
            return shown_bundle(200, catalog, party, draft.id);
        case AddStatus::differs:
            return problem({.status = 409,
                            .detail = "the party has another bundle \"" + draft.id +
                                      "\"; give this one an id of its own"});
        case AddStatus::too_many:
            break;
    }
    faults.add("", "the party has " + std::to_string(balance::kBundlesOfPartyMax) +
                       " bundles, which is the most; those that expired 30 days ago are not counted");
    return invalid(all);
}

Response Bundles::list(std::string_view id) const {
    const balance::PartyId party = services_.catalog.parties().find(id);
    if (party == balance::kNoParty) return unknown_party(id);
    JsonWriter json;
    json.open_object().name("bundles").open_list();
    for (const balance::Bundle& bundle : balance::BundlesOf{services_.catalog.parties().get(party)})
        write_bundle(json, services_.catalog, bundle);
    json.close_list().close_object();
    return json_response(200, json.take());
}

}  // namespace tollgate::daemon::admin
