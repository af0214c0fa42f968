#include "daemon/admin/services.h"

#include <array>
#include <chrono>
#include <memory>
#include <utility>

#include "daemon/admin/account_drafts.h"
#include "daemon/admin/audit.h"
#include "daemon/admin/bundles.h"
#include "daemon/admin/calls.h"
#include "daemon/admin/classes.h"
#include "daemon/admin/decks.h"
#include "daemon/admin/destination_groups.h"
#include "daemon/admin/dial_plans.h"
#include "daemon/admin/events.h"
#include "daemon/admin/gate.h"
#include "daemon/admin/mails.h"
#include "daemon/admin/money.h"
#include "daemon/admin/numbers.h"
#include "daemon/admin/openapi.h"
#include "daemon/admin/packages.h"
#include "daemon/admin/parties.h"
#include "daemon/admin/payment_intents.h"
#include "daemon/admin/people.h"
#include "daemon/admin/plans.h"
#include "daemon/admin/quick_forms.h"
#include "daemon/admin/reserve.h"
#include "daemon/admin/sessions.h"
#include "daemon/admin/tariffs.h"
#include "daemon/admin/transactions.h"

namespace tollgate::daemon::admin {

namespace {

/// Orders of packages that are paid online.
Orders orders_of(const Services& services) {
    Orders orders;
    orders.price = [&shop = services.shop, &registry = services.registry,
                    &parties = services.catalog.parties()](
                       std::string_view customer, std::string_view package) -> std::optional<rating::Money> {
        const auto found = registry.packages.find(package);
        if (!found) return std::nullopt;
        std::optional<ShopFault> fault;
        const auto levels = shop.levels(*found, parties.find(customer), Shop::Buyer::fresh, fault);
        if (fault || levels.empty()) return std::nullopt;
        return levels.front().price + levels.front().setup;
    };
    orders.deliver = [&shop = services.shop, &parties = services.catalog.parties()](
                         std::string_view customer, std::string_view package, rating::Money paid,
                         const PaymentRequest& request,
                         const std::function<void(balance::JointEvent&)>& also) {
        Shop::Activation wanted;
        wanted.package = package;
        wanted.paid_online = paid;
        wanted.also = also;
        return shop.activate(parties.find(customer), wanted, request).payment;
    };
    return orders;
}

Response readiness_of(const Readiness* readiness) {
    std::string detail;
    if (readiness != nullptr) {
        for (const std::string& fault : readiness->faults())
            detail += (detail.empty() ? "" : "; ") + fault;
    }
    if (detail.empty()) return text_response(200, "ready\n");
    return try_later(std::move(detail), std::chrono::seconds{1});
}

/// The daemon itself: whether it lives, what it measures, what it promises.
void add_operation(Router& router, const Services& services) {
    router.add("GET", "/healthz", Lane::at_once,
               [](const Request&, std::string_view) { return text_response(200, "ok\n"); });

    router.add("GET", "/readyz", Lane::at_once,
               [readiness = services.readiness](const Request&, std::string_view) {
                   return readiness_of(readiness);
               });

    router.add("GET", "/openapi.yaml", Lane::at_once, [](const Request&, std::string_view) {
        return Response{200, "application/yaml", std::string{openapi_text()}, {}};
    });

    if (services.metrics) {
        router.add("GET", "/metrics", Lane::at_once,
                   [text = services.metrics, type = std::string{services.metrics_type}](const Request&,
                                                                                        std::string_view) {
                       return Response{200, type, text(), {}};
                   });
    }
}

void add_tariffs(Router& router, const Services& services) {
    const auto tariffs = std::make_shared<Tariffs>(services);
    router.add("GET", "/v1/tariffs", Lane::brief,
               [tariffs](const Request& request, std::string_view) { return tariffs->list(request); });
    router.add("GET", "/v1/tariffs/{id}", Lane::brief,
               [tariffs](const Request&, std::string_view id) { return tariffs->get(id); });
    router.add("PUT", "/v1/tariffs/{id}", Lane::brief,
               [tariffs](const Request& request, std::string_view id) { return tariffs->put(request, id); });
}

void add_decks(Router& router, const Services& services) {
    const auto decks = std::make_shared<Decks>(services);
    router.add("GET", "/v1/tariffs/{id}/versions", Lane::brief,
               [decks](const Request& request, std::string_view id) { return decks->versions(request, id); });
    router.add("GET", "/v1/tariffs/{id}/deck", Lane::bulk,
               [decks](const Request& request, std::string_view id) { return decks->get(request, id); });
    router.add_stream("PUT", "/v1/tariffs/{id}/deck", [decks](const Request& request, std::string_view id) {
        return decks->put(request, id);
    });
    router.add("GET", "/v1/tariffs/{id}/deck:diff", Lane::bulk,
               [decks](const Request& request, std::string_view id) { return decks->diff(request, id); });
    router.add_stream(
        "POST", "/v1/tariffs/{id}/deck:check",
        [decks](const Request& request, std::string_view id) { return decks->check(request, id); });
    // Brief, although it may take a tenth of a second: who goes back is in a hurry.
    router.add(
        "POST", "/v1/tariffs/{id}/deck:rollback", Lane::brief,
        [decks](const Request& request, std::string_view id) { return decks->roll_back(request, id); });
}

void add_dial_plans(Router& router, const Services& services) {
    const auto dial_plans = std::make_shared<DialPlanResource>(services);
    router.add("GET", "/v1/dial-plans", Lane::brief,
               [dial_plans](const Request&, std::string_view) { return dial_plans->list(); });
    router.add("GET", "/v1/dial-plans/{id}", Lane::brief,
               [dial_plans](const Request&, std::string_view id) { return dial_plans->get(id); });
    router.add(
        "PUT", "/v1/dial-plans/{id}", Lane::brief,
        [dial_plans](const Request& request, std::string_view id) { return dial_plans->put(request, id); });
    router.add("DELETE", "/v1/dial-plans/{id}", Lane::brief,
               [dial_plans](const Request&, std::string_view id) { return dial_plans->remove(id); });
}

void add_destination_groups(Router& router, const Services& services) {
    const auto groups = std::make_shared<DestinationGroupResource>(services);
    router.add("GET", "/v1/destination-groups", Lane::brief,
               [groups](const Request&, std::string_view) { return groups->list(); });
    router.add("GET", "/v1/destination-groups/{id}", Lane::brief,
               [groups](const Request& request, std::string_view id) { return groups->get(request, id); });
    router.add("PUT", "/v1/destination-groups/{id}", Lane::brief,
               [groups](const Request& request, std::string_view id) { return groups->put(request, id); });
    router.add("DELETE", "/v1/destination-groups/{id}", Lane::brief,
               [groups](const Request&, std::string_view id) { return groups->remove(id); });
}

/// What moves money, and what was crossed by it.
void add_money(Router& router, const Services& services) {
    const auto money = std::make_shared<MoneyResource>(services);
    using Operation = Response (MoneyResource::*)(const Request&, std::string_view) const;
    constexpr std::array<std::pair<std::string_view, Operation>, 9> kOperations = {{
        {"/v1/parties/{id}/topups", &MoneyResource::top_up},
        {"/v1/parties/{id}/debits", &MoneyResource::debit},
        {"/v1/parties/{id}/adjustments", &MoneyResource::adjust},
        {"/v1/parties/{id}/transfers", &MoneyResource::transfer},
        {"/v1/parties/{id}/payouts", &MoneyResource::pay_out},
        {"/v1/parties/{id}/refunds", &MoneyResource::refund},
        {"/v1/parties/{id}/payments", &MoneyResource::record_payment},
        {"/v1/parties/{id}/refills", &MoneyResource::refill},
        {"/v1/parties/{id}/distributor", &MoneyResource::assign_distributor},
    }};
    router.add("POST", "/v1/payments", Lane::brief, [money](const Request& request, std::string_view) {
        return money->record_payment_of(request);
    });
    for (const auto& row : kOperations) {
        router.add("POST", row.first, Lane::brief,
                   [money, run = row.second](const Request& request, std::string_view id) {
                       return ((*money).*run)(request, id);
                   });
    }
    router.add("GET", "/v1/threshold-events", Lane::brief, [money](const Request& request, std::string_view) {
        return money->threshold_events(request);
    });
}

void add_reserve(Router& router, const Services& services) {
    if (services.reserve == nullptr) return;
    const auto reserve = std::make_shared<ReserveResource>(services);
    router.add("GET", "/v1/reserve", Lane::brief,
               [reserve](const Request&, std::string_view) { return reserve->get(); });
    router.add("POST", "/v1/reserve:release", Lane::brief,
               [reserve](const Request&, std::string_view) { return reserve->release(); });
}

/// What happened, what was written to whom, which calls are open.
void add_events(Router& router, const Services& services) {
    const auto mails = std::make_shared<MailResource>(services);
    router.add("GET", "/v1/outbox", Lane::brief,
               [mails](const Request& request, std::string_view) { return mails->list(request); });
    const auto events = std::make_shared<Events>(services);
    router.add("GET", "/v1/events", Lane::brief,
               [events](const Request& request, std::string_view) { return events->list(request); });
    const auto sessions = std::make_shared<SessionResource>(services);
    router.add("GET", "/v1/sessions", Lane::brief,
               [sessions](const Request& request, std::string_view) { return sessions->list(request); });
}

void add_payment_intents(Router& router, const Services& services) {
    const auto intents = std::make_shared<PaymentIntents>(services, orders_of(services));
    router.add(
        "POST", "/v1/parties/{id}/payment-intents", Lane::brief,
        [intents](const Request& request, std::string_view id) { return intents->create(request, id); });
    router.add("GET", "/v1/payment-intents/{id}", Lane::brief,
               [intents](const Request& request, std::string_view id) { return intents->get(request, id); });
    router.add("POST", "/v1/gateways/{gateway}/callbacks", Lane::brief,
               [intents](const Request& request, std::string_view gateway) {
                   return intents->callback(request, gateway);
               });
}

void add_classes(Router& router, const Services& services) {
    const auto classes = std::make_shared<Classes>(services);
    router.add("GET", "/v1/classes", Lane::brief,
               [classes](const Request& request, std::string_view) { return classes->list(request); });
    router.add("POST", "/v1/classes", Lane::brief,
               [classes](const Request& request, std::string_view) { return classes->create(request); });
    router.add("GET", "/v1/classes/{id}", Lane::brief,
               [classes](const Request& request, std::string_view id) { return classes->get(request, id); });
    router.add(
        "PATCH", "/v1/classes/{id}", Lane::brief,
        [classes](const Request& request, std::string_view id) { return classes->change(request, id); });
    router.add(
        "DELETE", "/v1/classes/{id}", Lane::brief,
        [classes](const Request& request, std::string_view id) { return classes->remove(request, id); });
}

void add_transactions(Router& router, const Services& services) {
    const auto transactions = std::make_shared<Transactions>(services);
    router.add(
        "GET", "/v1/transactions", Lane::bulk,
        [transactions](const Request& request, std::string_view) { return transactions->list(request); });
    router.add("GET", "/v1/parties/{id}/transactions", Lane::brief,
               [transactions](const Request& request, std::string_view id) {
                   return transactions->list_of(request, id);
               });
    router.add("GET", "/v1/transactions/{id}", Lane::brief,
               [transactions](const Request& request, std::string_view id) {
                   return transactions->get(request, id);
               });
}

void add_audit(Router& router, const Services& services,
               const std::shared_ptr<access::Directory>& directory) {
    const auto audit = std::make_shared<Audit>(services, directory);
    router.add("GET", "/v1/audit", Lane::brief,
               [audit](const Request& request, std::string_view) { return audit->list(request); });
}

void add_parties(Router& router, const Services& services) {
    const auto parties = std::make_shared<Parties>(services);
    router.add("POST", "/v1/parties", Lane::brief,
               [parties](const Request& request, std::string_view) { return parties->create(request); });
    router.add("GET", "/v1/parties", Lane::brief,
               [parties](const Request& request, std::string_view) { return parties->list(request); });
    router.add("POST", "/v1/parties:close", Lane::brief, [parties](const Request& request, std::string_view) {
        return parties->close_several(request);
    });
    router.add("POST", "/v1/parties:import", Lane::bulk,
               [parties](const Request& request, std::string_view) { return parties->import(request); });
    router.add("GET", "/v1/parties/{id}", Lane::brief,
               [parties](const Request& request, std::string_view id) { return parties->get(request, id); });
    router.add(
        "PATCH", "/v1/parties/{id}", Lane::brief,
        [parties](const Request& request, std::string_view id) { return parties->change(request, id); });
    router.add(
        "DELETE", "/v1/parties/{id}", Lane::brief,
        [parties](const Request& request, std::string_view id) { return parties->close(request, id); });
}

void add_bundles(Router& router, const Services& services) {
    const auto bundles = std::make_shared<Bundles>(services);
    router.add("GET", "/v1/parties/{id}/bundles", Lane::brief,
               [bundles](const Request&, std::string_view id) { return bundles->list(id); });
    router.add("POST", "/v1/parties/{id}/bundles", Lane::brief,
               [bundles](const Request& request, std::string_view id) { return bundles->add(request, id); });
}

}  // namespace

Router make_router(const Services& services) {
    Router router{services.on_unexpected};
    router.set_figures(services.http_figures);
    add_operation(router, services);
    add_tariffs(router, services);
    add_decks(router, services);
    add_dial_plans(router, services);
    add_destination_groups(router, services);
    add_money(router, services);
    add_events(router, services);
    add_reserve(router, services);
    add_payment_intents(router, services);
    add_classes(router, services);
    add_transactions(router, services);
    if (services.commands != nullptr) Calls{services}.add_to(router);
    Packages{services}.add_to(router);
    Plans{services}.add_to(router);
    Numbers{services}.add_to(router);
    AccountDrafts{services}.add_to(router);
    const auto directory = std::make_shared<access::Directory>(services.registry, services.catalog.parties());
    People{services, directory}.add_to(router);
    QuickForms{services, directory}.add_to(router);
    add_audit(router, services, directory);
    add_parties(router, services);
    add_bundles(router, services);
    router.set_door(std::make_shared<Gate>(services, directory));
    return router;
}

}  // namespace tollgate::daemon::admin
