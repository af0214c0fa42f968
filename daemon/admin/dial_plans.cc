#include "daemon/admin/dial_plans.h"

#include <array>
#include <utility>

#include "daemon/admin/bodies.h"
#include "daemon/admin/fields.h"
#include "daemon/dial_plan.h"

namespace tollgate::daemon::admin {
namespace {

using Kind = JsonValue::Kind;

void read_match(const JsonValue& value, DialRule& rule, FieldFaults& faults) {
    if (value.kind != Kind::string || !config::is_dial_match(value.text)) {
        faults.add("rules", "match " + shown(value) + ": expected a string of at most " +
                                std::to_string(config::kDialBytesMax) + " of 0-9 A-Z a-z * #");
        return;
    }
    rule.match = value.text;
}

void read_strip(const JsonValue& value, DialRule& rule, FieldFaults& faults) {
    const auto strip = whole_of(value, config::kDialBytesMax);
    if (!strip) {
        faults.add("rules", "strip " + shown(value) + ": expected a whole number from 0 to " +
                                std::to_string(config::kDialBytesMax));
        return;
    }
    rule.strip = static_cast<std::uint32_t>(*strip);
}

void read_prepend(const JsonValue& value, DialRule& rule, FieldFaults& faults) {
    if (value.kind != Kind::string || !config::is_dial_prepend(value.text)) {
        faults.add("rules", "prepend " + shown(value) + ": expected a string of at most " +
                                std::to_string(config::kDialBytesMax) + " digits");
        return;
    }
    rule.prepend = value.text;
}

constexpr std::array<Field<DialRule>, 3> kRuleFields = {
    {{"match", read_match}, {"strip", read_strip}, {"prepend", read_prepend}}};

struct PlanFields {
    std::vector<DialRule> rules;
    bool named = false;
};

void read_rules(const JsonValue& value, PlanFields& fields, FieldFaults& faults) {
    fields.named = true;
    if (value.kind != Kind::list) {
        faults.add("rules", shown(value) + ": expected a list of {\"match\",\"strip\",\"prepend\"}");
        return;
    }
    for (const JsonValue& object : value.children()) {
        read_fields(object, kRuleFields, Nulls::are_absent, fields.rules.emplace_back(), faults);
    }
    if (fields.rules.size() > config::kDialRulesMax) {
        faults.add("rules", std::to_string(fields.rules.size()) + " rules; expected at most " +
                                std::to_string(config::kDialRulesMax));
    }
}

constexpr std::array<Field<PlanFields>, 1> kPlanFields = {{{"rules", read_rules}}};

void write_plan(JsonWriter& json, std::string_view id, const DialPlan& plan) {
    json.open_object().name("id").text(id).name("rules").open_list();
    for (const DialRule& rule : plan.rules()) {
        json.open_object().name("match").text(rule.match).name("strip").whole(rule.strip);
        json.name("prepend").text(rule.prepend).close_object();
    }
    json.close_list().close_object();
}

Response shown_plan(unsigned status, std::string_view id, const DialPlan& plan) {
    JsonWriter json;
    write_plan(json, id, plan);
    return json_response(status, json.take());
}

Response unknown_plan(std::string_view id) {
    return problem({.status = 404,
                    .detail = "no dial plan \"" + std::string{id.substr(0, kShownBytesMax)} +
                              "\"; PUT /v1/dial-plans/{id} makes one"});
}

}  // namespace

Response DialPlanResource::list() const {
    const DialPlans& plans = services_.catalog.dial_plans();
    JsonWriter json;
    json.open_object().name("dial_plans").open_list();
    for (const std::string& id : plans.names()) {
        const auto place = plans.find(id);
        const DialPlan* const plan = place ? plans.get(*place) : nullptr;
        if (plan != nullptr) write_plan(json, id, *plan);  // It may have gone meanwhile.
    }
    json.close_list().close_object();
    return json_response(200, json.take());
}

Response DialPlanResource::get(std::string_view id) const {
    const DialPlans& plans = services_.catalog.dial_plans();
    const auto place = plans.find(id);
    const DialPlan* const plan = place ? plans.get(*place) : nullptr;
    return plan == nullptr ? unknown_plan(id) : shown_plan(200, id, *plan);
}

Response DialPlanResource::put(const Request& request, std::string_view id) const {
    JsonReader reader;
    const JsonValue* const object = reader.read(request.body);
    if (object == nullptr) return not_json(reader);
    std::vector<RequestFault> all;
    FieldFaults faults{all};
    check_id(id, faults);
    PlanFields fields;
    read_fields(*object, kPlanFields, Nulls::are_absent, fields, faults);
    if (!fields.named && object->kind == Kind::object) faults.add("rules", "missing; expected a list");
    if (!all.empty()) return invalid(all);

    const DialPlan plan{std::move(fields.rules)};
    switch (services_.catalog.put_dial_plan(id, plan, now_of(services_))) {
        case DialPlans::PutStatus::created:
            return shown_plan(201, id, plan);
        case DialPlans::PutStatus::replaced:
            return shown_plan(200, id, plan);
        case DialPlans::PutStatus::too_many:
            break;
    }
    faults.add("id",
               "there were " + std::to_string(kDialPlansMax) + " names of dial plans, which is the most");
    return invalid(all);
}

Response DialPlanResource::remove(std::string_view id) const {
    const DialPlans& plans = services_.catalog.dial_plans();
    const auto place = plans.find(id);
    const DialPlan* const plan = place ? plans.get(*place) : nullptr;
    if (plan == nullptr) return unknown_plan(id);
    if (const std::string user = services_.catalog.remove_dial_plan(*place, now_of(services_));
        !user.empty()) {
        return problem({.status = 409, .detail = "\"" + user + "\" has this dial plan"});
    }
    return shown_plan(200, id, *plan);
}

}  // namespace tollgate::daemon::admin
