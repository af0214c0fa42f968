#include "daemon/admin/parties.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cstdlib>
#include <utility>

#include "daemon/admin/bodies.h"
#include "daemon/admin/fields.h"

namespace tollgate::daemon::admin {
namespace {

using balance::kNoParty;
using balance::Party;
using balance::PartyId;
using rating::Money;
using Kind = JsonValue::Kind;

/// A tariff, or none.
using TariffName = std::optional<std::string>;

/// What an object said of a party. What may be changed later stands in `change`, the rest in `draft`.
struct PartyFields {
    PartyDraft draft;
    PartyChange change;
    bool kind_named = false;
    std::optional<std::vector<TariffEntryDraft>> from_list;  ///< What `tariffs` says.
};

// ---- One field each ----

template <typename Enum>
std::optional<Enum> word_of(const JsonValue& value, std::optional<Enum> (*parse)(std::string_view) noexcept,
                            std::string_view expected, FieldFaults& faults) {
    const auto word = value.kind == Kind::string ? parse(value.text) : std::nullopt;
    if (!word) faults.add(value.name, shown(value) + ": expected " + std::string{expected});
    return word;
}

void read_id(const JsonValue& value, PartyFields& fields, FieldFaults& faults) {
    fields.draft.id = text_of(value, faults);
}

void read_parent(const JsonValue& value, PartyFields& fields, FieldFaults& faults) {
    fields.draft.parent = text_of(value, faults);
}

void read_kind(const JsonValue& value, PartyFields& fields, FieldFaults& faults) {
    fields.kind_named = true;
    const auto kind =
        word_of(value, parse_kind, "provider, reseller, distributor, partner, customer or line", faults);
    if (kind) fields.draft.kind = *kind;
}

void read_terms(const JsonValue& value, PartyFields& fields, FieldFaults& faults) {
    fields.draft.terms = word_of(value, parse_terms, "margin or commission", faults);
}

void read_billing(const JsonValue& value, PartyFields& fields, FieldFaults& faults) {
    fields.draft.billing = word_of(value, parse_billing, "prepaid or postpaid", faults);
}

void read_currency(const JsonValue& value, PartyFields& fields, FieldFaults& faults) {
    fields.draft.currency =
        word_of(value, rating::Currency::parse, "an ISO 4217 code such as \"EUR\"", faults);
}

void read_time_zone(const JsonValue& value, PartyFields& fields, FieldFaults& faults) {
    fields.draft.time_zone = text_of(value, faults);
}

/// `active`, reasons behind commas, or a list of reasons, of which none is active.
void read_status(const JsonValue& value, PartyFields& fields, FieldFaults& faults) {
    std::string text{value.kind == Kind::string ? value.text : ""};
    bool readable = value.kind != Kind::number && value.kind != Kind::boolean && value.kind != Kind::object;
    for (const JsonValue& reason : value.children()) {
        if (!text.empty()) text.push_back(',');
        text.append(reason.text);
        readable = readable && reason.kind == Kind::string;
    }
    const bool none = value.is_null() || (value.kind == Kind::list && text.empty());
    if (none) text = "active";
    const auto status = readable ? balance::Status::parse(text) : std::nullopt;
    if (status) {
        fields.change.status = *status;
    } else if (text == "closed") {
        faults.add("status", "\"closed\": DELETE /v1/parties/{id} closes a party");
    } else {
        faults.add("status",
                   (value.kind == Kind::list ? '"' + text.substr(0, kShownBytesMax) + '"' : shown(value)) +
                       ": expected active, or some of admin, fraud, overdue and limit");
    }
}

void read_credit_limit(const JsonValue& value, PartyFields& fields, FieldFaults& faults) {
    fields.change.credit_limit = value.is_null() ? Money{} : money_of(value, faults);
}

void read_min_available(const JsonValue& value, PartyFields& fields, FieldFaults& faults) {
    fields.change.min_available = value.is_null() ? Money{} : money_of(value, faults);
}

void read_max_calls(const JsonValue& value, PartyFields& fields, FieldFaults& faults) {
    fields.change.max_calls = std::optional<std::uint32_t>{};
    if (value.is_null()) return;
    const auto calls = whole_of(value, balance::kCallsMax);
    if (!calls) {
        faults.add("max_calls", shown(value) + ": expected a whole number from 0 to " +
                                    std::to_string(balance::kCallsMax));
        return;
    }
    fields.change.max_calls = static_cast<std::uint32_t>(*calls);
}

/// A percentage of the credit limit with at most two places.
void read_warn_percent(const JsonValue& value, PartyFields& fields, FieldFaults& faults) {
    fields.change.warn_percent_hundredths = 0;
    if (value.is_null()) return;
    const auto hundredths = decimal_of(value, 2);
    if (!hundredths || *hundredths <= 0 || *hundredths > balance::kWarnPercentMax) {
        faults.add("warn_percent",
                   shown(value) + ": expected a percentage above 0 and up to 100 with at most 2 places");
        return;
    }
    fields.change.warn_percent_hundredths = static_cast<std::uint32_t>(*hundredths);
}

void read_warn_owed(const JsonValue& value, PartyFields& fields, FieldFaults& faults) {
    fields.change.warn_owed = value.is_null() ? Money{} : money_of(value, faults);
    if (!value.is_null() && fields.change.warn_owed == Money{})
        faults.add("warn_owed", shown(value) + ": expected more than 0");
}

void read_warn_balance(const JsonValue& value, PartyFields& fields, FieldFaults& faults) {
    fields.change.warn_balance = value.is_null() ? std::optional<Money>{} : money_of(value, faults);
}

void read_tariff(const JsonValue& value, PartyFields& fields, FieldFaults& faults) {
    fields.change.tariff = value.is_null() ? TariffName{} : TariffName{text_of(value, faults)};
}

void read_entry_service(const JsonValue& value, TariffEntryDraft& entry, FieldFaults& faults) {
    if (value.kind == Kind::string) {
        entry.service = value.text;
    } else {
        faults.add("tariffs", "service " + shown(value) + ": expected a string such as \"voice\"");
    }
}

void read_entry_prefixes(const JsonValue& value, TariffEntryDraft& entry, FieldFaults& faults) {
    bool readable = value.kind == Kind::list;
    for (const JsonValue& prefix : value.children()) {
        readable = readable && prefix.kind == Kind::string;
        entry.from_prefixes.emplace_back(prefix.text);
    }
    if (!readable) faults.add("tariffs", "from_prefixes: expected a list of strings such as \"49\"");
}

void read_entry_tariff(const JsonValue& value, TariffEntryDraft& entry, FieldFaults& faults) {
    if (value.kind == Kind::string && !value.text.empty()) {
        entry.tariff = value.text;
    } else {
        faults.add("tariffs", "tariff " + shown(value) + ": expected a string");
    }
}

constexpr std::array<Field<TariffEntryDraft>, 3> kEntryFields = {
    {{"service", read_entry_service}, {"from_prefixes", read_entry_prefixes}, {"tariff", read_entry_tariff}}};

/// In its order: the first entry that matches a call pays. An empty list is none.
void read_tariffs(const JsonValue& value, PartyFields& fields, FieldFaults& faults) {
    auto& list = fields.from_list.emplace();
    if (value.is_null()) return;
    if (value.kind != Kind::list) {
        faults.add("tariffs",
                   shown(value) + ": expected a list of {\"service\",\"from_prefixes\",\"tariff\"}");
        return;
    }
    for (const JsonValue& object : value.children()) {
        TariffEntryDraft entry;
        bool named = false;
        for (const JsonValue& field : object.children())
            named = named || (field.name == "tariff" && !field.is_null());
        read_fields(object, kEntryFields, Nulls::are_absent, entry, faults);
        if (!named) faults.add("tariffs", "an entry names no tariff");
        list.push_back(std::move(entry));
    }
}

void read_dial_plan(const JsonValue& value, PartyFields& fields, FieldFaults& faults) {
    fields.change.dial_plan = std::optional<std::string>{};
    if (!value.is_null()) fields.change.dial_plan = std::optional{text_of(value, faults)};
}

// ---- Limits: a null is none ----

using balance::Country;
using balance::LimitChange;

/// Reads an amount into one of the caps.
template <LimitChange::Field kField, auto kCap>
void read_cap(const JsonValue& value, PartyFields& fields, FieldFaults& faults) {
    fields.change.limits.name(kField);
    if (!value.is_null()) fields.change.limits.values.*kCap = money_of(value, faults);
}

void read_max_price(const JsonValue& value, PartyFields& fields, FieldFaults& faults) {
    fields.change.limits.name(LimitChange::kMaxPrice);
    if (value.is_null()) return;
    const auto nanos = decimal_of(value, rating::Price::kPlaces);
    if (nanos && *nanos >= 0 && *nanos <= rating::kPriceMax.nanos()) {
        fields.change.limits.values.max_price = rating::Price::from_nanos(*nanos);
    } else {
        faults.add("max_price", shown(value) +
                                    ": expected a price per minute from 0 to 1000000000 with at most 9 "
                                    "places, such as \"0.35\"");
    }
}

/// Reads a whole number up to `kMost` into one of the counts.
template <LimitChange::Field kField, auto kCount, std::uint32_t kMost>
void read_count(const JsonValue& value, PartyFields& fields, FieldFaults& faults) {
    fields.change.limits.name(kField);
    if (value.is_null()) return;
    const auto count = whole_of(value, kMost);
    if (count) {
        fields.change.limits.values.*kCount = static_cast<std::uint32_t>(*count);
    } else {
        faults.add(value.name, shown(value) + ": expected a whole number from 0 to " + std::to_string(kMost));
    }
}

constexpr std::string_view kCountryExpected =
    ": expected an ISO 3166-1 code of two capital letters such as \"DE\"";

void read_home_country(const JsonValue& value, PartyFields& fields, FieldFaults& faults) {
    fields.change.limits.name(LimitChange::kHomeCountry);
    if (value.is_null()) return;
    const auto country = value.kind == Kind::string ? Country::parse(value.text) : std::nullopt;
    if (!country) faults.add("home_country", shown(value) + std::string{kCountryExpected});
    fields.change.limits.values.home_country = country;
}

void read_opened_countries(const JsonValue& value, PartyFields& fields, FieldFaults& faults) {
    fields.change.limits.name(LimitChange::kOpenedCountries);
    if (value.is_null()) return;
    auto& opened = fields.change.limits.values.opened_countries.emplace();
    if (value.kind != Kind::list) {
        faults.add("opened_countries", shown(value) + ": expected a list such as [\"DE\",\"AT\"]");
        return;
    }
    for (const JsonValue& element : value.children()) {
        const auto country = element.kind == Kind::string ? Country::parse(element.text) : std::nullopt;
        if (country) {
            opened.push_back(*country);
        } else {
            faults.add("opened_countries", shown(element) + std::string{kCountryExpected});
        }
    }
}

void read_loss_policy(const JsonValue& value, PartyFields& fields, FieldFaults& faults) {
    fields.change.limits.name(LimitChange::kLossPolicy);
    const bool refuse = value.kind == Kind::string && value.text == "refuse";
    if (!refuse && !value.is_null() && !(value.kind == Kind::string && value.text == "allow")) {
        faults.add("loss_policy", shown(value) + ": expected allow or refuse");
    }
    fields.change.limits.values.refuse_loss = refuse;
}

void refuse_unavailable(const JsonValue& value, PartyFields& /*fields*/, FieldFaults& faults) {
    if (!value.is_null()) faults.add(value.name, shown(value) + ": not available yet in this version");
}

void refuse_money(const JsonValue& value, PartyFields& /*fields*/, FieldFaults& faults) {
    faults.add(value.name, "is never written; only transactions move it");
}

void refuse_fixed(const JsonValue& value, PartyFields& /*fields*/, FieldFaults& faults) {
    faults.add(value.name, "cannot be changed");
}

// ---- The fields of a party ----

/// What is said once, when a party is made.
constexpr std::array<Field<PartyFields>, 7> kFixedFields = {{{"id", read_id},
                                                             {"kind", read_kind},
                                                             {"parent", read_parent},
                                                             {"currency", read_currency},
                                                             {"time_zone", read_time_zone},
                                                             {"billing", read_billing},
                                                             {"terms", read_terms}}};
using balance::LimitSettings;
constexpr auto kReadCapCall = read_cap<LimitChange::kCapCall, &LimitSettings::cap_call>;
constexpr auto kReadCapDay = read_cap<LimitChange::kCapDay, &LimitSettings::cap_day>;
constexpr auto kReadCapMonth = read_cap<LimitChange::kCapMonth, &LimitSettings::cap_month>;
constexpr auto kReadMaxSeconds = read_count<LimitChange::kMaxSeconds, &LimitSettings::max_seconds,
                                            static_cast<std::uint32_t>(rating::kDurationMax.count())>;
constexpr auto kReadCallsPerSecond =
    read_count<LimitChange::kCallsPerSecond, &LimitSettings::calls_per_second, balance::kCallsPerSecondMax>;

/// What may be said at any time.
constexpr std::array<Field<PartyFields>, 23> kOtherFields = {{{"status", read_status},
                                                              {"credit_limit", read_credit_limit},
                                                              {"tariff", read_tariff},
                                                              {"tariffs", read_tariffs},
                                                              {"max_calls", read_max_calls},
                                                              {"min_available", read_min_available},
                                                              {"warn_percent", read_warn_percent},
                                                              {"warn_owed", read_warn_owed},
                                                              {"warn_balance", read_warn_balance},
                                                              {"loss_policy", read_loss_policy},
                                                              {"calls_per_second", kReadCallsPerSecond},
                                                              {"cap_call", kReadCapCall},
                                                              {"cap_day", kReadCapDay},
                                                              {"cap_month", kReadCapMonth},
                                                              {"max_price", read_max_price},
                                                              {"max_seconds", kReadMaxSeconds},
                                                              {"home_country", read_home_country},
                                                              {"opened_countries", read_opened_countries},
                                                              {"refill_policy", refuse_unavailable},
                                                              {"dial_plan", read_dial_plan},
                                                              {"balance", refuse_money},
                                                              {"held", refuse_money},
                                                              {"available", refuse_money}}};

using FieldTable = std::array<Field<PartyFields>, kFixedFields.size() + kOtherFields.size()>;

/// POST and import.
constexpr FieldTable kDraftFields = [] {
    FieldTable table{};
    std::copy(kFixedFields.begin(), kFixedFields.end(), table.begin());
    std::copy(kOtherFields.begin(), kOtherFields.end(), table.begin() + kFixedFields.size());
    return table;
}();

/// PATCH.
constexpr FieldTable kChangeFields = [] {
    FieldTable table = kDraftFields;
    for (std::size_t i = 0; i < kFixedFields.size(); ++i)
        table[i].read = refuse_fixed;
    return table;
}();

/// `tariff` and `tariffs` may say the same in two ways: afterwards one of them says it, `tariff` where it
/// can.
void join_tariffs(PartyFields& fields, FieldFaults& faults) {
    if (!fields.from_list) return;
    auto& tariff = fields.change.tariff;
    auto& list = *fields.from_list;
    const bool is_short = list.empty() || (list.size() == 1 && list[0].service == balance::kVoice &&
                                           list[0].from_prefixes.empty());
    TariffName only;
    if (is_short && !list.empty()) only = std::move(list[0].tariff);
    if (tariff && (!is_short || *tariff != only)) {
        faults.add("tariffs", "names another tariff than \"tariff\"; expected one of the two");
        return;
    }
    if (is_short) {
        tariff = std::move(only);
    } else {
        fields.change.tariffs = std::move(list);
    }
}

/// The draft of one object. Worth something only where no fault was added.
PartyDraft read_draft(const JsonValue& object, FieldFaults& faults) {
    PartyFields fields;
    read_fields(object, kDraftFields, Nulls::are_absent, fields, faults);
    join_tariffs(fields, faults);
    if (!fields.kind_named && object.kind == Kind::object) {
        faults.add("kind", "missing; expected provider, reseller, distributor, partner, customer or line");
    }
    fields.draft.status = fields.change.status;
    fields.draft.credit_limit = fields.change.credit_limit;
    fields.draft.min_available = fields.change.min_available;
    fields.draft.warnings = {fields.change.warn_percent_hundredths.value_or(0),
                             fields.change.warn_owed.value_or(Money{}),
                             fields.change.warn_balance.value_or(std::nullopt)};
    if (fields.change.tariff) fields.draft.tariff = std::move(*fields.change.tariff);
    fields.draft.tariffs = std::move(fields.change.tariffs);
    if (fields.change.dial_plan) fields.draft.dial_plan = std::move(*fields.change.dial_plan);
    if (fields.change.max_calls) fields.draft.max_calls = *fields.change.max_calls;
    if (fields.change.limits.named != 0) {
        LimitSettings limits = fields.change.limits.applied_to({});
        // Most parties that name some say that they have none.
        if (!(limits == LimitSettings{}))
            fields.draft.limits = std::make_shared<const LimitSettings>(std::move(limits));
    }
    return std::move(fields.draft);
}

// ---- A party as it is shown ----

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

void write_party(JsonWriter& json, const Catalog& catalog, const Party& party) {
    const bool has_account = party.has_account();
    const auto write_money = [&json](std::string_view name, std::optional<Money> amount) {
        json.name(name);
        amount ? json.text(rating::format(*amount)) : json.null();
    };
    const auto only_with_account = [has_account](Money amount) {
        return has_account ? std::optional{amount} : std::nullopt;
    };
    const auto max_calls = party.max_calls.load(std::memory_order_relaxed);

    json.open_object();
    json.name("id").text(party.id).name("kind").text(daemon::text_of(party.kind));
    json.name("parent").text_or_null(party.parent == kNoParty ? std::string_view{}
                                                              : catalog.parties().get(party.parent).id);
    json.name("status").text(party.status().text());
    json.name("currency").text(party.currency.view()).name("time_zone").text(party.time_zone);
    json.name("billing").text_or_null(has_account ? daemon::text_of(party.billing) : std::string_view{});
    write_money("credit_limit", only_with_account(party.account.credit_limit()));
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
    write_money("cap_call", limits.cap_call);
    write_money("cap_day", limits.cap_day);
    write_money("cap_month", limits.cap_month);
    json.name("max_price");
    limits.max_price ? json.text(rating::format(*limits.max_price)) : json.null();
    write_count("max_seconds", limits.max_seconds);
    write_money("min_available", Money::from_micros(party.min_available.load(std::memory_order_relaxed)));
    json.name("home_country").text_or_null(limits.home_country.value_or(balance::Country{}).text());
    write_countries(json, limits.opened_countries);
    json.name("loss_policy").text(limits.refuse_loss ? "refuse" : "allow").name("refill_policy").null();
    json.name("dial_plan").text_or_null(catalog.dial_plan_of(party));
    const balance::WarningSettings warnings = party.warning_settings();
    json.name("warn_percent");
    warnings.percent_hundredths == 0 ? json.null()
                                     : json.text(rating::format_decimal(warnings.percent_hundredths, 2));
    write_money("warn_owed", warnings.owed == Money{} ? std::nullopt : std::optional{warnings.owed});
    write_money("warn_balance", warnings.balance);
    write_money("balance", only_with_account(party.account.balance()));
    write_money("held", only_with_account(party.account.held()));
    write_money("available", only_with_account(party.account.available()));
    json.close_object();
}

/// The catalog's faults as a response's. `lines[i]` is the line of draft i; empty for a body that is one
/// object.
std::vector<RequestFault> request_faults(const std::vector<Fault>& faults,
                                         std::span<const std::uint64_t> lines) {
    std::vector<RequestFault> result;
    result.reserve(faults.size());
    for (const auto& fault : faults) {
        const auto line = fault.item < lines.size() ? std::optional{lines[fault.item]} : std::nullopt;
        result.push_back({line, fault.field, fault.message});
    }
    return result;
}

/// The next line without its end and without blanks around it, taken off the front of `text`.
std::string_view take_line(std::string_view& text) noexcept {
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    constexpr std::string_view kBlanks = " \t\r";
    line.remove_prefix(std::min(line.find_first_not_of(kBlanks), line.size()));
    return line.substr(0, line.find_last_not_of(kBlanks) + 1);
}

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

}  // namespace

Response unknown_party(std::string_view id) {
    return problem(
        {.status = 404, .detail = "no party \"" + std::string{id.substr(0, kShownBytesMax)} + '"'});
}

Response Parties::shown_party(unsigned status, PartyId id) const {
    const Party& party = services_.catalog.parties().get(id);
    JsonWriter json;
    write_party(json, services_.catalog, party);
    return json_response(status, json.take());
}

Response Parties::create(const Request& request) const {
    JsonReader reader;
    const JsonValue* const object = reader.read(request.body);
    if (object == nullptr) return not_json(reader);
    std::vector<RequestFault> all;
    FieldFaults faults{all};
    const PartyDraft draft = read_draft(*object, faults);
    if (!all.empty()) return invalid(all);

    const auto refused = services_.catalog.add({&draft, 1}, now_of(services_));
    const auto taken =
        std::find_if(refused.begin(), refused.end(), [](const Fault& fault) { return fault.exists; });
    if (taken != refused.end()) return problem({.status = 409, .detail = taken->message});
    if (!refused.empty()) return invalid(request_faults(refused, {}));
    Response response = shown_party(201, services_.catalog.parties().find(draft.id));
    // An id has no byte that would have to be encoded in a path.
    response.headers.emplace_back("Location", "/v1/parties/" + draft.id);
    return response;
}

Response Parties::import(const Request& request) const {
    const PlainBody body{request, services_.body_bytes_max};
    if (body.refusal()) return *body.refusal();
    std::string_view rest = body.text();
    if (rest.starts_with(kByteOrderMark)) rest.remove_prefix(kByteOrderMark.size());

    JsonReader reader;
    std::vector<PartyDraft> drafts;
    std::vector<std::uint64_t> lines;  // Of each draft.
    std::vector<RequestFault> all;
    // Beyond what the table takes nothing more is read: the catalog will say so.
    const std::size_t drafts_max = services_.catalog.parties().parties_max() + 1;
    for (std::uint64_t line = 1;
         !rest.empty() && all.size() < Catalog::kFaultsMax && drafts.size() < drafts_max; ++line) {
        const std::string_view text = take_line(rest);
        if (text.empty()) continue;
        FieldFaults faults{all, line};
        const JsonValue* const object = reader.read(text);
        if (object == nullptr) {
            faults.add("", reader.error());
            continue;
        }
        PartyDraft draft = read_draft(*object, faults);
        if (!all.empty()) continue;  // Only faults are of interest from the first one on.
        drafts.push_back(std::move(draft));
        lines.push_back(line);
    }
    if (all.empty()) all = request_faults(services_.catalog.add(drafts, now_of(services_)), lines);
    if (!all.empty()) return invalid(all);
    JsonWriter json;
    json.open_object().name("imported").whole(drafts.size()).close_object();
    return json_response(200, json.take());
}

Response Parties::get(std::string_view id) const {
    const PartyId party = services_.catalog.parties().find(id);
    return party == kNoParty ? unknown_party(id) : shown_party(200, party);
}

Response Parties::change(const Request& request, std::string_view id) const {
    const PartyId party_id = services_.catalog.parties().find(id);
    if (party_id == kNoParty) return unknown_party(id);
    const Party& party = services_.catalog.parties().get(party_id);
    JsonReader reader;
    const JsonValue* const object = reader.read(request.body);
    if (object == nullptr) return not_json(reader);
    std::vector<RequestFault> all;
    FieldFaults faults{all};
    PartyFields fields;
    read_fields(*object, kChangeFields, Nulls::are_values, fields, faults);
    join_tariffs(fields, faults);
    if (!all.empty()) return invalid(all);

    if (party.status().closed()) {
        return problem({.status = 409, .detail = "the party is closed; nothing of it can be changed"});
    }
    all = request_faults(services_.catalog.change(party_id, fields.change, now_of(services_)), {});
    return all.empty() ? shown_party(200, party_id) : invalid(all);
}

Response Parties::close(std::string_view id) const {
    const PartyId party = services_.catalog.parties().find(id);
    if (party == kNoParty) return unknown_party(id);
    if (!services_.catalog.close(party, now_of(services_))) {
        return problem({.status = 409, .detail = "the provider is the root of the tree and is never closed"});
    }
    return shown_party(200, party);
}

}  // namespace tollgate::daemon::admin
