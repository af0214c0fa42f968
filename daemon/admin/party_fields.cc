#include "daemon/admin/party_fields.h"

#include <algorithm>
#include <array>
#include <utility>

#include "daemon/access/permission.h"
#include "daemon/admin/record_json.h"

namespace tollgate::daemon::admin {
namespace {

using rating::Money;
using Kind = JsonValue::Kind;

/// A tariff, or none.
using TariffName = std::optional<std::string>;

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
    // An absent one is drawn.
    if (value.kind == Kind::string && value.text.empty())
        faults.add("id", "\"\": expected 1 to 64 of A-Z a-z 0-9 . _ : @ + -");
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

void read_suspended_calls(const JsonValue& value, PartyFields& fields, FieldFaults& faults) {
    const bool keep = value.kind == Kind::string && value.text == "keep";
    if (!keep && !value.is_null() && !(value.kind == Kind::string && value.text == "end"))
        faults.add("suspended_calls", shown(value) + ": expected end or keep");
    fields.change.keeps_calls = keep;
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
                                                              {"suspended_calls", read_suspended_calls},
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

/// Reads every field of an object: those of `table`, and those of a profile. Unknown fields and fields that
/// stand there twice are faults.
void read_object(const JsonValue& object, const FieldTable& table, RecordUse use, PartyFields& fields,
                 FieldFaults& faults) {
    if (object.kind != Kind::object) {
        faults.add("", shown(object) + ": expected an object");
        return;
    }
    for (const JsonValue& value : object.children()) {
        auto& named = fields.named;
        if (std::find(named.begin(), named.end(), value.name) != named.end()) {
            faults.add(value.name, "stands there twice");
            continue;
        }
        named.push_back(value.name);
        const auto* const field = std::find_if(
            table.begin(), table.end(), [&value](const auto& known) { return known.name == value.name; });
        if (field != table.end()) {
            fields.says_party = true;
            if (!value.is_null() || use == RecordUse::change) field->read(value, fields, faults);
        } else if (read_field(value, fields.profile, use, faults)) {
            fields.says_profile = fields.says_profile || !value.is_null() || use == RecordUse::change;
        } else {
            faults.add(value.name.substr(0, kShownBytesMax), "no such field");
        }
    }
    if (!access::permissions_from(fields.profile.permissions)) {
        faults.add("permissions",
                   "expected some of view, customers, activate, renew, collect, prices, people, "
                   "resellers, numbers, tariffs and calls");
    }
}

}  // namespace

PartyFields read_party_draft(const JsonValue& object, FieldFaults& faults) {
    PartyFields fields;
    read_object(object, kDraftFields, RecordUse::make, fields, faults);
    join_tariffs(fields, faults);
    if (!fields.kind_named && object.kind == Kind::object) {
        faults.add("kind", "missing; expected provider, reseller, distributor, partner, customer or line");
    }
    fields.draft.status = fields.change.status;
    fields.draft.keeps_calls = fields.change.keeps_calls.value_or(false);
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
    return fields;
}

PartyFields read_party_change(const JsonValue& object, const Profile& profile, FieldFaults& faults) {
    PartyFields fields;
    fields.profile = profile;
    read_object(object, kChangeFields, RecordUse::change, fields, faults);
    join_tariffs(fields, faults);
    return fields;
}

}  // namespace tollgate::daemon::admin
