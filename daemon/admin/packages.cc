#include "daemon/admin/packages.h"

#include <array>
#include <memory>
#include <string>
#include <vector>

#include "daemon/admin/etag.h"
#include "daemon/admin/parties.h"
#include "daemon/admin/record_json.h"
#include "daemon/admin/shop_answers.h"

namespace tollgate::daemon::admin {
namespace {

constexpr std::size_t kPackagesMax = 10'000;
constexpr std::size_t kCataloguesMax = 1'000;

Response unknown(std::string_view what, std::string_view id) {
    return problem(
        {.status = 404,
         .detail = "no " + std::string{what} + " \"" + std::string{id.substr(0, kShownBytesMax)} + '"'});
}

template <typename T>
void write_object(JsonWriter& json, const T& record) {
    json.open_object();
    write_fields(json, record);
    json.close_object();
}

template <typename T>
Response shown(unsigned status, const T& record) {
    JsonWriter json;
    write_object(json, record);
    return with_etag(json_response(status, json.take()), etag_of(image_of(record)));
}

void write_offer(JsonWriter& json, const Services& services, const Offer& offer) {
    json.open_object();
    write_fields(json, offer);
    const auto package = services.registry.packages.find(offer.package);
    std::optional<ShopFault> fault;
    std::vector<Shop::Level> levels;
    if (package) {
        levels = services.shop.levels(*package, services.catalog.parties().find(offer.reseller),
                                      Shop::Buyer::known, fault);
    }
    const Shop::Level front = levels.empty() ? Shop::Level{} : levels.front();
    json.name("buy_price").text(rating::format(front.price));
    json.name("buy_setup").text(rating::format(front.setup));
    json.close_object();
}

void write_catalogue(JsonWriter& json, const Catalogue& catalogue) {
    json.open_object();
    write_fields(json, catalogue);
    json.name("items").open_list();
    for (std::size_t i = 0; i < catalogue.packages.size(); ++i) {
        json.open_object().name("package").text(catalogue.packages[i]);
        json.name("price").text_or_null(i < catalogue.prices.size() ? catalogue.prices[i] : std::string{});
        json.name("setup").text_or_null(i < catalogue.setups.size() ? catalogue.setups[i] : std::string{});
        json.close_object();
    }
    json.close_list().close_object();
}

/// One item of a catalogue: a package and, where it has one, a price of its own.
struct CatalogueItem {
    std::string package;
    std::optional<rating::Money> price;
    std::optional<rating::Money> setup;
};

std::optional<rating::Money> read_price(const JsonValue& value, FieldFaults& faults) {
    const auto price = money_of(value, faults);
    if (price && (*price < rating::Money{} || *price > rating::kAmountMax))
        faults.add(value.name, shown(value) + ": expected an amount from 0 to 10000000000");
    return price;
}

constexpr std::array<Field<CatalogueItem>, 3> kItemFields = {
    {{"package", [](const JsonValue& value, CatalogueItem& item,
                    FieldFaults& faults) { item.package = text_of(value, faults); }},
     {"price", [](const JsonValue& value, CatalogueItem& item,
                  FieldFaults& faults) { item.price = read_price(value, faults); }},
     {"setup", [](const JsonValue& value, CatalogueItem& item, FieldFaults& faults) {
          item.setup = read_price(value, faults);
      }}}};

std::string text_of(const std::optional<rating::Money>& amount) {
    return amount ? std::string{rating::format(*amount).view()} : std::string{};
}

/// `is_known(package)` says whether the reader knows of it.
template <typename IsKnown>
void read_items(const JsonValue& value, const IsKnown& is_known, Catalogue& catalogue, FieldFaults& faults) {
    catalogue.packages.clear();
    catalogue.prices.clear();
    catalogue.setups.clear();
    if (value.kind != JsonValue::Kind::list)
        return faults.add("items", shown(value) + ": expected a list of packages");
    for (const JsonValue& element : value.children()) {
        CatalogueItem item;
        read_fields(element, kItemFields, Nulls::are_absent, item, faults);
        if (!is_known(item.package))
            faults.add("items", '"' + item.package.substr(0, kShownBytesMax) + "\": no such package");
        catalogue.packages.push_back(std::move(item.package));
        catalogue.prices.push_back(text_of(item.price));
        catalogue.setups.push_back(text_of(item.setup));
    }
    if (catalogue.packages.size() > kRecordListMax)
        faults.add("items", "expected at most " + std::to_string(kRecordListMax));
}

/// What activating a package may say.
struct ActivationFields {
    std::string package;
    std::string renewal = "suspend";
    bool automatic = true;
};

constexpr std::array<Field<ActivationFields>, 3> kActivationFields = {
    {{"package", [](const JsonValue& value, ActivationFields& fields,
                    FieldFaults& faults) { fields.package = text_of(value, faults); }},
     {"renewal",
      [](const JsonValue& value, ActivationFields& fields, FieldFaults& faults) {
          fields.renewal = text_of(value, faults);
          if (!is_renewal(fields.renewal))
              faults.add("renewal", shown(value) + ": expected " + std::string{kRenewalExpected});
      }},
     {"automatic", [](const JsonValue& value, ActivationFields& fields, FieldFaults& faults) {
          fields.automatic = value.text == "true";
          if (value.kind != JsonValue::Kind::boolean)
              faults.add("automatic", shown(value) + ": expected true or false");
      }}}};

}  // namespace

void Packages::add_to(Router& router) const {
    const auto self = std::make_shared<Packages>(*this);
    const auto lane = Lane::brief;
    router.add("GET", "/v1/packages", lane,
               [self](const Request& request, std::string_view) { return self->list(request); });
    router.add("POST", "/v1/packages", lane,
               [self](const Request& request, std::string_view) { return self->create(request); });
    router.add("GET", "/v1/packages/{id}", lane,
               [self](const Request&, std::string_view id) { return self->get(id); });
    router.add("PATCH", "/v1/packages/{id}", lane,
               [self](const Request& request, std::string_view id) { return self->change(request, id); });
    router.add("GET", "/v1/parties/{id}/offers", lane,
               [self](const Request&, std::string_view id) { return self->offers(id); });
    router.add("PUT", "/v1/parties/{id}/offers/{package}", lane,
               [self](const Request& request, std::string_view id, std::string_view package) {
                   return self->put_offer(request, id, package);
               });
    router.add("DELETE", "/v1/parties/{id}/offers/{package}", lane,
               [self](const Request& request, std::string_view id, std::string_view package) {
                   return self->remove_offer(request, id, package);
               });
    router.add("GET", "/v1/catalogues", lane,
               [self](const Request& request, std::string_view) { return self->catalogues(request); });
    router.add("PUT", "/v1/catalogues/{id}", lane, [self](const Request& request, std::string_view id) {
        return self->put_catalogue(request, id);
    });
    router.add("GET", "/v1/parties/{id}/catalogue", lane,
               [self](const Request&, std::string_view id) { return self->catalogue_of(id); });
    router.add("GET", "/v1/parties/{id}/subscriptions", lane,
               [self](const Request&, std::string_view id) { return self->subscriptions(id); });
    router.add("POST", "/v1/parties/{id}/subscriptions", lane,
               [self](const Request& request, std::string_view id) { return self->activate(request, id); });
    router.add("POST", "/v1/subscriptions/{id}:renew", lane,
               [self](const Request& request, std::string_view id) { return self->renew(request, id); });
    router.add("DELETE", "/v1/subscriptions/{id}", lane,
               [self](const Request& request, std::string_view id) { return self->cancel(request, id); });
}

// ---- Packages ----

Response Packages::list(const Request& request) const {
    const auto& parties = services_.catalog.parties();
    JsonWriter json;
    json.open_object().name("packages").open_list();
    services_.registry.packages.visit([&](const Package& package) {
        const balance::PartyId owner = parties.find(package.owner);
        if (parties.is_in_subtree(owner, request.actor.party) ||
            parties.is_in_subtree(request.actor.party, owner))
            write_object(json, package);
    });
    json.close_list().close_object();
    return json_response(200, json.take());
}

Response Packages::create(const Request& request) const {
    const ObjectBody body{request};
    if (body.refusal()) return *body.refusal();
    std::vector<RequestFault> all;
    FieldFaults faults{all};
    Package package;
    package.period = "month";
    read_record(body.object(), package, RecordUse::make, faults);
    const auto& parties = services_.catalog.parties();
    if (parties.size() == 0) faults.add("", "there is no provider yet");
    if (all.empty() && package.id.empty()) faults.add("id", "missing; packages are sold by it");
    if (!all.empty()) return invalid(all);

    const std::scoped_lock lock{services_.registry.mutex};
    const auto& owner = parties.get(request.actor.party);
    package.owner = owner.id;
    if (package.currency.empty()) package.currency = owner.currency.view();
    if (package.period.empty()) package.period = "month";
    if (services_.registry.packages.contains(package.id))
        return problem({.status = 409, .detail = "there is a package \"" + package.id + "\" already"});
    if (services_.registry.packages.size() >= kPackagesMax) {
        return problem(
            {.status = 409,
             .detail = "there are " + std::to_string(kPackagesMax) + " packages, which is the most"});
    }
    if (const auto fault = services_.shop.fault_of(package)) return refused(*fault);
    const Moment now = now_of(services_);
    balance::JointEvent& joint = *balance::JointEvent::current();
    services_.registry.packages.put(joint, package, now);
    joint.write(services_.events, now);
    Response response = shown(201, package);
    response.headers.emplace_back("Location", "/v1/packages/" + package.id);
    return response;
}

Response Packages::get(std::string_view id) const {
    const auto known = services_.registry.packages.find(id);
    return known ? shown(200, *known) : unknown("package", id);
}

Response Packages::change(const Request& request, std::string_view id) const {
    const std::scoped_lock lock{services_.registry.mutex};
    const auto known = services_.registry.packages.find(id);
    if (!known) return unknown("package", id);
    if (auto stale = refusal_of(request, etag_of(image_of(*known)))) return *std::move(stale);
    const ObjectBody body{request};
    if (body.refusal()) return *body.refusal();
    std::vector<RequestFault> all;
    FieldFaults faults{all};
    Package changed = *known;
    read_record(body.object(), changed, RecordUse::change, faults);
    if (!all.empty()) return invalid(all);
    if (const auto fault = services_.shop.fault_of(changed)) return refused(*fault);
    const Moment now = now_of(services_);
    balance::JointEvent& joint = *balance::JointEvent::current();
    services_.registry.packages.put(joint, changed, now);
    joint.write(services_.events, now);
    return shown(200, changed);
}

// ---- Offers ----

Response Packages::offers(std::string_view reseller) const {
    const auto party = services_.catalog.parties().find(reseller);
    if (party == balance::kNoParty) return unknown_party(reseller);
    std::vector<Offer> found;
    const std::string first = std::string{reseller} + '/';
    services_.registry.offers.visit(first, [&](const Offer& offer) {
        if (offer.reseller != reseller) return false;
        found.push_back(offer);
        return true;
    });
    JsonWriter json;
    json.open_object().name("offers").open_list();
    for (const Offer& offer : found)
        write_offer(json, services_, offer);
    json.close_list().close_object();
    return json_response(200, json.take());
}

Response Packages::put_offer(const Request& request, std::string_view reseller,
                             std::string_view package) const {
    const ObjectBody body{request};
    if (body.refusal()) return *body.refusal();
    std::vector<RequestFault> all;
    FieldFaults faults{all};
    Offer offer;
    read_record(body.object(), offer, RecordUse::make, faults);
    if (!all.empty()) return invalid(all);

    const std::scoped_lock lock{services_.registry.mutex};
    if (services_.catalog.parties().find(reseller) == balance::kNoParty) return unknown_party(reseller);
    offer.id = std::string{reseller} + '/' + std::string{package};
    offer.reseller = reseller;
    offer.package = package;
    if (const auto fault = services_.shop.fault_of(offer)) return refused(*fault);
    const bool is_new = !services_.registry.offers.contains(offer.id);
    const Moment now = now_of(services_);
    balance::JointEvent& joint = *balance::JointEvent::current();
    services_.registry.offers.put(joint, offer, now);
    joint.write(services_.events, now);
    JsonWriter json;
    write_offer(json, services_, offer);
    return json_response(is_new ? 201 : 200, json.take());
}

Response Packages::remove_offer(const Request& request, std::string_view reseller,
                                std::string_view package) const {
    (void)request;
    const std::scoped_lock lock{services_.registry.mutex};
    const std::string id = std::string{reseller} + '/' + std::string{package};
    if (!services_.registry.offers.contains(id)) return unknown("offer", id);
    const Moment now = now_of(services_);
    balance::JointEvent& joint = *balance::JointEvent::current();
    services_.registry.offers.remove(joint, id, now);
    joint.write(services_.events, now);
    return {204, {}, {}, {}};
}

// ---- Catalogues ----

Response Packages::catalogues(const Request& request) const {
    JsonWriter json;
    json.open_object().name("catalogues").open_list();
    services_.registry.catalogues.visit([&](const Catalogue& catalogue) {
        if (is_in_reach(services_, request, catalogue.owner)) write_catalogue(json, catalogue);
    });
    json.close_list().close_object();
    return json_response(200, json.take());
}

Response Packages::put_catalogue(const Request& request, std::string_view id) const {
    const ObjectBody body{request};
    if (body.refusal()) return *body.refusal();
    const std::scoped_lock lock{services_.registry.mutex};
    const auto& parties = services_.catalog.parties();
    std::vector<RequestFault> all;
    FieldFaults faults{all};
    Catalogue catalogue;
    catalogue.id = id;
    check_id(id, faults);
    if (parties.size() == 0) {
        faults.add("", "there is no provider yet");
    } else {
        catalogue.owner = parties.get(request.actor.party).id;
    }
    // Those of somebody elsewhere are as if they were not there.
    const auto is_known = [&](const std::string& package) {
        const auto there = services_.registry.packages.find(package);
        if (!there) return false;
        const balance::PartyId owner = parties.find(there->owner);
        return parties.is_in_subtree(owner, request.actor.party) ||
               parties.is_in_subtree(request.actor.party, owner);
    };
    read_each(body.object(), faults, [&](const JsonValue& value) {
        if (value.name == "items") {
            read_items(value, is_known, catalogue, faults);
        } else if (value.name == "id") {
            if (value.text != id) faults.add("id", "is not that of the path");
        } else {
            return read_field(value, catalogue, RecordUse::make, faults);
        }
        return true;
    });
    if (!all.empty()) return invalid(all);
    const auto known = services_.registry.catalogues.find(id);
    if (known && known->owner != catalogue.owner) {
        // Of somebody below it is changed for him; of anybody else nothing is said but that the id is taken.
        if (!is_in_reach(services_, request, known->owner))
            return problem({.status = 409, .detail = "there is a catalogue of this id already"});
        catalogue.owner = known->owner;
    }
    if (!known && services_.registry.catalogues.size() >= kCataloguesMax) {
        return problem(
            {.status = 409,
             .detail = "there are " + std::to_string(kCataloguesMax) + " catalogues, which is the most"});
    }
    const Moment now = now_of(services_);
    balance::JointEvent& joint = *balance::JointEvent::current();
    services_.registry.catalogues.put(joint, catalogue, now);
    joint.write(services_.events, now);
    JsonWriter json;
    write_catalogue(json, catalogue);
    return json_response(known ? 200 : 201, json.take());
}

Response Packages::catalogue_of(std::string_view customer) const {
    const auto& parties = services_.catalog.parties();
    const balance::PartyId id = parties.find(customer);
    if (id == balance::kNoParty) return unknown_party(customer);
    JsonWriter json;
    json.open_object().name("items").open_list();
    for (const Shop::Sold& sold : services_.shop.sold_to(id)) {
        json.open_object().name("package").text(sold.package.id);
        json.name("name").text_or_null(sold.package.name);
        json.name("price").text(rating::format(sold.price));
        json.name("setup").text(rating::format(sold.setup));
        json.name("currency").text(sold.package.currency);
        json.name("period").text(sold.package.period).close_object();
    }
    json.close_list().close_object();
    return json_response(200, json.take());
}

// ---- Subscriptions ----

Response Packages::shown_subscription(unsigned status, std::string_view id,
                                      const PaymentAnswer* payment) const {
    const auto known = services_.registry.subscriptions.find(id);
    if (!known) return unknown("subscription", id);
    JsonWriter json;
    json.open_object();
    write_fields(json, *known);
    if (payment != nullptr) write_sale(json, *payment);
    json.close_object();
    return json_response(status, json.take());
}

Response Packages::subscriptions(std::string_view customer) const {
    if (services_.catalog.parties().find(customer) == balance::kNoParty) return unknown_party(customer);
    JsonWriter json;
    json.open_object().name("subscriptions").open_list();
    for (const Subscription& subscription : services_.shop.subscriptions_of(customer))
        write_object(json, subscription);
    json.close_list().close_object();
    return json_response(200, json.take());
}

Response Packages::activate(const Request& request, std::string_view customer) const {
    if (auto refusal = refusal_of_key(request)) return *std::move(refusal);
    const ObjectBody body{request};
    if (body.refusal()) return *body.refusal();
    std::vector<RequestFault> all;
    FieldFaults faults{all};
    ActivationFields fields;
    read_fields(body.object(), kActivationFields, Nulls::are_absent, fields, faults);
    if (all.empty() && fields.package.empty()) faults.add("package", "missing; expected a package's id");
    if (!all.empty()) return invalid(all);

    const std::scoped_lock lock{services_.registry.mutex};
    const auto& parties = services_.catalog.parties();
    const balance::PartyId party = parties.find(customer);
    if (party == balance::kNoParty || parties.get(party).kind != balance::PartyKind::customer)
        return unknown_party(customer);
    const auto answer = services_.shop.activate(party, {fields.package, fields.renewal, fields.automatic},
                                                request_of(services_, request));
    if (auto refusal = refusal_of(services_, request, answer)) return *std::move(refusal);
    return shown_subscription(201, answer.payment.subject, &answer.payment);
}

Response Packages::renew(const Request& request, std::string_view id) const {
    if (auto refusal = refusal_of_key(request)) return *std::move(refusal);
    const std::scoped_lock lock{services_.registry.mutex};
    const auto known = services_.registry.subscriptions.find(id);
    if (!known) return unknown("subscription", id);
    const auto answer = services_.shop.renew(*known, request_of(services_, request));
    if (auto refusal = refusal_of(services_, request, answer)) return *std::move(refusal);
    return shown_subscription(201, answer.payment.subject, &answer.payment);
}

Response Packages::cancel(const Request& request, std::string_view id) const {
    (void)request;
    const std::scoped_lock lock{services_.registry.mutex};
    auto known = services_.registry.subscriptions.find(id);
    if (!known) return unknown("subscription", id);
    const Moment now = now_of(services_);
    balance::JointEvent& joint = *balance::JointEvent::current();
    if (known->state != "cancelled") {
        known->state = "cancelled";
        services_.registry.subscriptions.put(joint, *known, now);
    }
    joint.write(services_.events, now);
    return shown_subscription(200, id, nullptr);
}

}  // namespace tollgate::daemon::admin
