#include "daemon/admin/plans.h"

#include <memory>
#include <string>
#include <vector>

#include "daemon/admin/etag.h"
#include "daemon/admin/parties.h"
#include "daemon/admin/record_json.h"
#include "daemon/admin/shop_answers.h"

namespace tollgate::daemon::admin {
namespace {

constexpr std::string_view kUsers = "users";

Response unknown_plan(std::string_view id) {
    return problem({.status = 404, .detail = "no plan \"" + std::string{id.substr(0, kShownBytesMax)} + '"'});
}

Response shown(unsigned status, const ServicePlan& plan, const PaymentAnswer* payment) {
    JsonWriter json;
    json.open_object();
    write_fields(json, plan);
    if (payment != nullptr) write_sale(json, *payment);
    json.close_object();
    return with_etag(json_response(status, json.take()), etag_of(image_of(plan)));
}

}  // namespace

ServicePlan read_plan(const JsonValue& object, FieldFaults& faults) {
    ServicePlan plan;
    plan.change_policy = "prorate";
    plan.renewal = "suspend";
    read_record(object, plan, RecordUse::make, faults);
    bool costs = false;
    for (const JsonValue& value : object.children())
        costs = costs || (value.name == "cost_per_user" && !value.is_null());
    if (object.kind == JsonValue::Kind::object && !costs)
        faults.add("cost_per_user", "missing; " + std::string{kAmountExpected});
    // A null is as good as nothing.
    if (plan.users == 0) plan.users = 1;
    if (plan.change_policy.empty()) plan.change_policy = "prorate";
    if (plan.renewal.empty()) plan.renewal = "suspend";
    return plan;
}

void Plans::add_to(Router& router) const {
    const auto self = std::make_shared<Plans>(*this);
    router.add("GET", "/v1/parties/{id}/plan", Lane::brief,
               [self](const Request&, std::string_view id) { return self->show(id); });
    router.add("POST", "/v1/parties/{id}/plans", Lane::brief,
               [self](const Request& request, std::string_view id) { return self->create(request, id); });
    router.add("GET", "/v1/plans/{id}", Lane::brief,
               [self](const Request&, std::string_view id) { return self->get(id); });
    router.add("PATCH", "/v1/plans/{id}", Lane::brief,
               [self](const Request& request, std::string_view id) { return self->change(request, id); });
}

Response Plans::show(std::string_view customer) const {
    const auto& parties = services_.catalog.parties();
    const balance::PartyId id = parties.find(customer);
    if (id == balance::kNoParty) return unknown_party(customer);
    JsonWriter json;
    json.open_object().name("customer").text(customer);
    json.name("currency").text(parties.get(id).currency.view());
    rating::Money sum;
    json.name("lines").open_list();
    for (const Shop::PlanLine& line : services_.shop.monthly_lines(id)) {
        json.open_object().name("kind").text(line.kind).name("id").text(line.id);
        json.name("name").text_or_null(line.name);
        json.name("count").whole(static_cast<std::uint64_t>(line.count));
        json.name("price").text(rating::format(line.price));
        json.name("charge").text(rating::format(line.charge)).close_object();
        sum = sum + line.charge;
    }
    json.close_list().name("monthly_charge").text(rating::format(sum)).close_object();
    return json_response(200, json.take());
}

Response Plans::create(const Request& request, std::string_view customer) const {
    if (auto refusal = refusal_of_key(request)) return *std::move(refusal);
    const ObjectBody body{request};
    if (body.refusal()) return *body.refusal();
    std::vector<RequestFault> all;
    FieldFaults faults{all};
    const ServicePlan plan = read_plan(body.object(), faults);
    if (all.empty() && plan.name.empty()) faults.add("name", "missing; expected the plan's name");
    if (!all.empty()) return invalid(all);

    const std::scoped_lock lock{services_.registry.mutex};
    const auto& parties = services_.catalog.parties();
    const balance::PartyId party = parties.find(customer);
    if (party == balance::kNoParty || parties.get(party).kind != balance::PartyKind::customer)
        return unknown_party(customer);
    const auto answer = services_.shop.add_plan(party, plan, request_of(services_, request));
    if (auto refusal = refusal_of(services_, request, answer)) return *std::move(refusal);
    const auto made = services_.registry.plans.find(answer.payment.subject);
    return made ? shown(201, *made, &answer.payment) : unknown_plan(answer.payment.subject);
}

Response Plans::get(std::string_view id) const {
    const auto known = services_.registry.plans.find(id);
    return known ? shown(200, *known, nullptr) : unknown_plan(id);
}

Response Plans::change(const Request& request, std::string_view id) const {
    if (auto refusal = refusal_of_key(request)) return *std::move(refusal);
    const ObjectBody body{request};
    if (body.refusal()) return *body.refusal();
    const std::scoped_lock lock{services_.registry.mutex};
    const auto known = services_.registry.plans.find(id);
    if (!known) return unknown_plan(id);
    // The first one changed it: what is sent again gets that answer, and not that it came too late.
    if (!services_.payments.is_repeated(request_of(services_, request))) {
        if (auto stale = refusal_of(request, etag_of(image_of(*known)))) return *std::move(stale);
    }
    // Prices come from above.
    if (!request.actor.login.empty() &&
        services_.catalog.parties().get(request.actor.party).id == known->customer) {
        for (const JsonValue& value : body.object().children()) {
            if (value.name == kUsers) continue;
            return problem(
                {.status = 403, .detail = "of his own plan a customer changes the number of users alone"});
        }
    }
    std::vector<RequestFault> all;
    FieldFaults faults{all};
    ServicePlan wanted = *known;
    read_record(body.object(), wanted, RecordUse::change, faults);
    if (!all.empty()) return invalid(all);
    const auto answer =
        services_.shop.change_plan(*known, std::move(wanted), request.body, request_of(services_, request));
    if (auto refusal = refusal_of(services_, request, answer)) return *std::move(refusal);
    const auto changed = services_.registry.plans.find(id);
    return changed ? shown(200, *changed, &answer.payment) : unknown_plan(id);
}

}  // namespace tollgate::daemon::admin
