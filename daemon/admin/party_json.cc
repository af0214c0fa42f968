#include "daemon/admin/party_json.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <optional>

#include "balance/billing/period.h"
#include "daemon/admin/etag.h"
#include "daemon/admin/record_json.h"
#include "daemon/partners/party_rules.h"

namespace tollgate::daemon::admin {
namespace {

using balance::kNoParty;
using balance::Party;
using balance::PartyId;
using rating::Money;

void write_tariffs(JsonWriter& json, const std::vector<TariffEntryDraft>& tariffs) {
    json.name("tariffs");
    if (tariffs.empty()) {
        json.null();
        return;
    }
    json.open_list();
    for (const auto& entry : tariffs) {
        json.open_object().name("service").text(entry.service).name("from_prefixes").open_list();
        for (const auto& prefix : entry.from_prefixes)
            json.text(prefix);
        json.close_list().name("tariff").text(entry.tariff).close_object();
    }
    json.close_list();
}

void write_countries(JsonWriter& json, const std::optional<std::vector<balance::Country>>& countries) {
    json.name("opened_countries");
    if (!countries) {
        json.null();
        return;
    }
    json.open_list();
    for (const balance::Country country : *countries)
        json.text(country.text());
    json.close_list();
}

void write_money(JsonWriter& json, std::string_view name, std::optional<Money> amount) {
    json.name(name);
    amount ? json.text(rating::format(*amount)) : json.null();
}

std::optional<Money> only_with_account(const Party& party, Money amount) {
    return party.has_account() ? std::optional{amount} : std::nullopt;
}

/// What calls are decided by.
void write_settings(JsonWriter& json, const Catalog& catalog, const Party& party) {
    const auto max_calls = party.max_calls.load(std::memory_order_relaxed);
    json.name("time_zone").text(party.time_zone);
    json.name("billing").text_or_null(party.has_account() ? daemon::text_of(party.billing)
                                                          : std::string_view{});
    write_money(json, "credit_limit", only_with_account(party, party.account.credit_limit()));
    json.name("tariff").text_or_null(catalog.tariff_of(party));
    write_tariffs(json, catalog.tariffs_of(party));
    json.name("terms").text_or_null(party.kind == balance::PartyKind::reseller ? daemon::text_of(party.terms)
                                                                               : std::string_view{});
    json.name("max_calls");
    max_calls == balance::kCallsUnlimited ? json.null() : json.whole(max_calls);
    const balance::LimitSettings limits = Catalog::limits_of(party);
    const auto write_count = [&json](std::string_view name, std::optional<std::uint32_t> count) {
        json.name(name);
        count ? json.whole(*count) : json.null();
    };
    write_count("calls_per_second", limits.calls_per_second);
    write_money(json, "cap_call", limits.cap_call);
    write_money(json, "cap_day", limits.cap_day);
    write_money(json, "cap_month", limits.cap_month);
    json.name("max_price");
    limits.max_price ? json.text(rating::format(*limits.max_price)) : json.null();
    write_count("max_seconds", limits.max_seconds);
    write_money(json, "min_available",
                Money::from_micros(party.min_available.load(std::memory_order_relaxed)));
    json.name("home_country").text_or_null(limits.home_country.value_or(balance::Country{}).text());
    write_countries(json, limits.opened_countries);
    json.name("loss_policy").text(limits.refuse_loss ? "refuse" : "allow");
    json.name("dial_plan").text_or_null(catalog.dial_plan_of(party));
    json.name("suspended_calls").text(party.status().keeps_calls() ? "keep" : "end");
    const balance::WarningSettings warnings = party.warning_settings();
    json.name("warn_percent");
    warnings.percent_hundredths == 0 ? json.null()
                                     : json.text(rating::format_decimal(warnings.percent_hundredths, 2));
    write_money(json, "warn_owed", warnings.owed == Money{} ? std::nullopt : std::optional{warnings.owed});
    write_money(json, "warn_balance", warnings.balance);
}

void write_effective(JsonWriter& json, const EffectivePolicy& policy) {
    json.name("effective").open_object();
    json.name("billing_period").text_or_null(policy.billing_period);
    json.name("payment_collection").text_or_null(policy.payment_collection);
    json.name("grace_days");
    policy.grace_days ? json.whole(static_cast<std::uint64_t>(*policy.grace_days)) : json.null();
    json.name("invoice_template").text_or_null(policy.invoice_template);
    json.name("statistics").text_or_null(policy.statistics);
    json.name("invoices_by_email");
    policy.invoices_by_email ? json.flag(*policy.invoices_by_email) : json.null();
    json.name("language").text_or_null(policy.language);
    json.close_object();
}

/// The billing period that it is in, by its own clocks; null where it has none.
void write_period(JsonWriter& json, const Services& services, const Party& party,
                  const EffectivePolicy& policy, rating::Instant since) {
    json.name("billing_period_now");
    const auto kind = balance::parse_billing_period(policy.billing_period);
    const auto zone = services.catalog.time_zones().find(party.time_zone);
    if (!kind || zone == nullptr) {
        json.null();
        return;
    }
    const auto period = balance::BillingCalendar{*kind, *zone, since}.at(services.wall_now());
    json.open_object().name("from").text(rating::format(period.begin));
    json.name("until").text(rating::format(period.until)).close_object();
}

/// What a partner may know of a customer: no price, no money, no limit.
constexpr std::array<std::string_view, 9> kTaggedFields = {
    "name", "company", "first_name", "last_name", "email", "phone", "address", "came_with", "made"};

bool is_shown(const RecordField<Profile>& field, PartyView view) noexcept {
    if (field.writable == Writable::hidden || field.name == "id") return false;
    if (view == PartyView::own) return field.name != "comment";
    return view == PartyView::whole ||
           std::find(kTaggedFields.begin(), kTaggedFields.end(), field.name) != kTaggedFields.end();
}

void write_profile(JsonWriter& json, const Profile& profile, PartyView view) {
    for (const RecordField<Profile>& field : Profile::fields()) {
        if (!is_shown(field, view)) continue;
        json.name(field.name);
        std::visit([&](auto member) { record_detail::write(json, profile.*member); }, field.member);
    }
}

constexpr std::array<std::string_view, 25> kColumnsBefore = {"id",
                                                             "kind",
                                                             "parent",
                                                             "status",
                                                             "currency",
                                                             "time_zone",
                                                             "billing",
                                                             "credit_limit",
                                                             "tariff",
                                                             "tariffs",
                                                             "terms",
                                                             "max_calls",
                                                             "calls_per_second",
                                                             "cap_call",
                                                             "cap_day",
                                                             "cap_month",
                                                             "max_price",
                                                             "max_seconds",
                                                             "min_available",
                                                             "home_country",
                                                             "opened_countries",
                                                             "loss_policy",
                                                             "dial_plan",
                                                             "suspended_calls",
                                                             "warn_percent"};
constexpr std::array<std::string_view, 5> kColumnsAfter = {"warn_owed", "warn_balance", "balance", "held",
                                                           "available"};

std::vector<std::string_view> columns() {
    std::vector<std::string_view> names{kColumnsBefore.begin(), kColumnsBefore.end()};
    for (const RecordField<Profile>& field : Profile::fields()) {
        if (is_shown(field, PartyView::whole)) names.push_back(field.name);
    }
    names.insert(names.end(), kColumnsAfter.begin(), kColumnsAfter.end());
    return names;
}

/// A value as one cell.
std::string cell_of(const JsonValue& value) {
    if (value.is_null()) return {};
    if (value.kind != JsonValue::Kind::list && value.kind != JsonValue::Kind::object)
        return std::string{value.text};
    std::string text;
    for (const JsonValue& element : value.children()) {
        if (!text.empty()) text.push_back(value.kind == JsonValue::Kind::list ? ';' : ' ');
        text.append(cell_of(element));
    }
    return text;
}

}  // namespace

PartyView view_of(const Services& services, const Actor& reader, PartyId id) {
    const auto& parties = services.catalog.parties();
    if (id == kNoParty) return PartyView::none;
    if (reader.login.empty() || parties.is_below(id, reader.party)) return PartyView::whole;
    if (id == reader.party) return id == parties.root() ? PartyView::whole : PartyView::own;
    const Party& party = parties.get(id);
    const Party& customer = party.kind == balance::PartyKind::line ? parties.get(party.parent) : party;
    const auto profile = services.registry.profiles.find(customer.id);
    const bool tagged = profile && !profile->came_with.empty() &&
                        services.profile_index.with_code(profile->came_with) == reader.party &&
                        parties.get(reader.party).kind == balance::PartyKind::partner;
    const bool assigned = profile && profile->distributor == parties.get(reader.party).id;
    return tagged || assigned ? PartyView::tagged : PartyView::none;
}

void write_party(JsonWriter& json, const Services& services, PartyId id, PartyView view) {
    assert(view != PartyView::none);
    const Catalog& catalog = services.catalog;
    const Party& party = catalog.parties().get(id);
    const Profile profile = services.registry.profiles.find(party.id).value_or(Profile{});
    json.open_object();
    json.name("id").text(party.id).name("kind").text(daemon::text_of(party.kind));
    if (view != PartyView::tagged) {
        json.name("parent").text_or_null(party.parent == kNoParty ? std::string_view{}
                                                                  : catalog.parties().get(party.parent).id);
    }
    json.name("status").text(party.status().text()).name("currency").text(party.currency.view());
    if (view != PartyView::tagged) write_settings(json, catalog, party);
    write_profile(json, profile, view);
    if (view != PartyView::tagged) {
        const PartyRules rules{services.registry, services.profile_index, catalog.parties()};
        const EffectivePolicy policy = rules.effective(profile);
        write_effective(json, policy);
        write_period(json, services, party, policy, profile.made);
        write_money(json, "balance", only_with_account(party, party.account.balance()));
        write_money(json, "held", only_with_account(party, party.account.held()));
        write_money(json, "available", only_with_account(party, party.account.available()));
    }
    json.close_object();
}

std::string etag_of_party(const Services& services, PartyId id) {
    const Party& party = services.catalog.parties().get(id);
    std::string bytes = services.catalog.image_of(party);
    if (const auto profile = services.registry.profiles.find(party.id)) bytes += image_of(*profile);
    return etag_of(bytes);
}

void write_party_columns(CsvWriter& csv) {
    for (const std::string_view name : columns())
        csv.cell(name);
    csv.end_row();
}

void write_party_row(CsvWriter& csv, JsonReader& reader, const Services& services, PartyId id,
                     PartyView view) {
    static const std::vector<std::string_view> shown = columns();
    JsonWriter json;
    write_party(json, services, id, view);
    const std::string text = json.take();
    const JsonValue* const object = reader.read(text);
    assert(object != nullptr);
    for (const std::string_view name : shown) {
        std::string cell;
        for (const JsonValue& value : object->children()) {
            if (value.name == name) cell = cell_of(value);
        }
        csv.cell(cell);
    }
    csv.end_row();
}

}  // namespace tollgate::daemon::admin
