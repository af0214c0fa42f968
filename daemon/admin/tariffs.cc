#include "daemon/admin/tariffs.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

#include "daemon/admin/bodies.h"
#include "daemon/admin/fields.h"
#include "daemon/admin/tariff_settings.h"

namespace tollgate::daemon::admin {
namespace {

using rating::TariffSettings;
using Kind = JsonValue::Kind;

}  // namespace

Response unknown_tariff(std::string_view id) {
    return problem({.status = 404,
                    .detail = "no tariff \"" + std::string{id.substr(0, kShownBytesMax)} +
                              "\"; PUT /v1/tariffs/{id} makes one"});
}

Response too_many_versions() {
    return try_later(
        "there are as many tariffs, or versions that calls hold on to, as there may be; try again when "
        "calls have ended",
        std::chrono::minutes{1});
}

rating::Origin origin_now(const Services& services, std::string_view login) {
    return {std::string{login.empty() ? "admin" : login}, services.wall_now()};
}

Response Tariffs::list(const Request& request) const {
    auto& tariffs = services_.catalog.tariffs();
    const auto& parties = services_.catalog.parties();
    std::vector<rating::TariffBook::VersionPtr> shown;
    for (std::size_t i = 0; i < tariffs.size(); ++i) {
        auto current = tariffs.current(static_cast<rating::TariffId>(i));
        const std::string& owner = current->settings.owner;
        if (parties.is_in_subtree(owner.empty() ? parties.root() : parties.find(owner),
                                  request.actor.party) ||
            (parties.size() == 0 && request.actor.login.empty()))
            shown.push_back(std::move(current));
    }
    std::sort(shown.begin(), shown.end(), [](const auto& a, const auto& b) { return a->tariff < b->tariff; });
    JsonWriter json;
    json.open_object().name("tariffs").open_list();
    for (const auto& version : shown) {
        json.open_object().name("id").text(version->tariff);
        json.name("owner").text_or_null(version->settings.owner);
        json.name("currency").text(version->settings.currency.view());
        json.name("version").whole(version->number);
        json.name("rows").whole(version->deck == nullptr ? 0 : version->deck->row_count()).close_object();
    }
    json.close_list().close_object();
    return json_response(200, json.take());
}

Response Tariffs::get(std::string_view id) const {
    auto& tariffs = services_.catalog.tariffs();
    const auto tariff = tariffs.find(id);
    if (!tariff) return unknown_tariff(id);
    const auto current = tariffs.current(*tariff);
    const auto& version = *current;
    JsonWriter json;
    json.open_object();
    write_settings(json, version);
    json.name("rows").whole(version.deck == nullptr ? 0 : version.deck->row_count());
    json.name("prefixes").whole(version.deck == nullptr ? 0 : version.deck->prefix_count());
    json.close_object();
    return json_response(200, json.take());
}

Response Tariffs::put(const Request& request, std::string_view id) const {
    JsonReader reader;
    const JsonValue* const object = reader.read(request.body);
    if (object == nullptr) return not_json(reader);
    std::vector<RequestFault> all;
    FieldFaults faults{all};
    check_id(id, faults);
    TariffSettings settings;
    read_settings(*object, settings, faults);
    const bool currency_faulty =
        std::any_of(all.begin(), all.end(), [](const auto& fault) { return fault.place == "currency"; });
    if (settings.currency.view().empty() && !currency_faulty && object->kind == Kind::object) {
        faults.add("currency", "missing; expected an ISO 4217 code such as \"EUR\"");
    }
    if (object->kind == Kind::object) find_zone(services_.catalog.time_zones(), settings, faults);
    if (!all.empty()) return invalid(all);

    auto& tariffs = services_.catalog.tariffs();
    const auto put = services_.catalog.put_tariff(id, settings, origin_now(services_, request.actor.login),
                                                  now_of(services_));
    const auto& result = put.result;
    using Status = rating::TariffBook::PutStatus;
    if (put.faults.empty() && result.status == Status::too_many) return too_many_versions();
    for (const Fault& fault : put.faults)
        faults.add(fault.field, fault.message);
    if (result.status == Status::currency_differs) {
        faults.add("currency", "\"" + std::string{settings.currency.view()} +
                                   "\": a tariff keeps the currency it was made with");
    }
    for (const auto& fault : result.faults) {
        faults.add("windows", "the deck in force, line " + std::to_string(fault.line) + ": " + fault.message);
    }
    if (!all.empty()) return invalid(all);
    JsonWriter json;
    json.open_object();
    write_settings(json, *tariffs.current(*tariffs.find(id)));
    json.close_object();
    return json_response(result.status == Status::created ? 201 : 200, json.take());
}

}  // namespace tollgate::daemon::admin
