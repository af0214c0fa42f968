#include "daemon/admin/tariffs.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <utility>

#include "daemon/admin/bodies.h"
#include "daemon/admin/fields.h"

namespace tollgate::daemon::admin {
namespace {

using rating::IncrementAnchor;
using rating::Rounding;
using rating::TariffSettings;
using Kind = JsonValue::Kind;

/// A markup has 4 places of a percent: rating::kMarkupUnit is 100.
constexpr int kMarkupPlaces = 4;

constexpr std::array<std::pair<Rounding, std::string_view>, 4> kRoundings = {
    {{Rounding::up, "up"},
     {Rounding::half_up, "half_up"},
     {Rounding::half_even, "half_even"},
     {Rounding::down, "down"}}};
constexpr std::array<std::pair<IncrementAnchor, std::string_view>, 2> kAnchors = {
    {{IncrementAnchor::end_of_initial, "end_of_initial"}, {IncrementAnchor::zero, "zero"}}};

template <typename Words, typename Enum>
std::string_view word_of(const Words& words, Enum value) noexcept {
    const auto found =
        std::find_if(words.begin(), words.end(), [&](const auto& word) { return word.first == value; });
    return found == words.end() ? std::string_view{} : found->second;
}

template <typename Words, typename Enum>
bool read_word(const Words& words, const JsonValue& value, Enum& target) noexcept {
    for (const auto& [known, word] : words) {
        if (value.kind != Kind::string || value.text != word) continue;
        target = known;
        return true;
    }
    return false;
}

/// The form of an IANA name; the zone itself is looked up where local time is needed.
bool is_zone_name(std::string_view text) noexcept {
    return !text.empty() && text.size() <= balance::kIdBytesMax &&
           std::all_of(text.begin(), text.end(), [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      std::string_view{"/_-+"}.find(c) != std::string_view::npos;
           });
}

void read_currency(const JsonValue& value, TariffSettings& settings, FieldFaults& faults) {
    const auto currency = value.kind == Kind::string ? rating::Currency::parse(value.text) : std::nullopt;
    if (!currency) {
        faults.add("currency", shown(value) + ": expected an ISO 4217 code such as \"EUR\"");
        return;
    }
    settings.currency = *currency;
}

void read_decimals(const JsonValue& value, TariffSettings& settings, FieldFaults& faults) {
    const auto decimals = whole_of(value, rating::kDecimalsMax);
    if (!decimals) {
        faults.add("decimals", shown(value) + ": expected a whole number from 0 to " +
                                   std::to_string(rating::kDecimalsMax));
        return;
    }
    settings.decimals = static_cast<std::uint8_t>(*decimals);
}

void read_rounding(const JsonValue& value, TariffSettings& settings, FieldFaults& faults) {
    if (!read_word(kRoundings, value, settings.rounding)) {
        faults.add("rounding", shown(value) + ": expected \"up\", \"half_up\", \"half_even\" or \"down\"");
    }
}

void read_anchor(const JsonValue& value, TariffSettings& settings, FieldFaults& faults) {
    if (!read_word(kAnchors, value, settings.anchor)) {
        faults.add("anchor", shown(value) + ": expected \"end_of_initial\" or \"zero\"");
    }
}

void read_markup(const JsonValue& value, TariffSettings& settings, FieldFaults& faults) {
    const auto markup = decimal_of(value, kMarkupPlaces);
    if (!markup || *markup < rating::kMarkupMin || *markup > rating::kMarkupMax) {
        faults.add("markup_percent",
                   shown(value) + ": expected a percentage from -100 to 1000000 with at most 4 places");
        return;
    }
    settings.markup = *markup;
}

void read_time_zone(const JsonValue& value, TariffSettings& settings, FieldFaults& faults) {
    if (value.kind != Kind::string || !is_zone_name(value.text)) {
        faults.add("time_zone", shown(value) + ": expected an IANA name such as \"Europe/Berlin\"");
        return;
    }
    settings.time_zone = value.text;
}

void read_windows(const JsonValue& value, TariffSettings& /*settings*/, FieldFaults& faults) {
    const bool none = value.kind == Kind::object && value.children().begin() == value.children().end();
    if (!none) faults.add("windows", "time-of-day windows are not available yet");
}

void read_owner(const JsonValue& value, TariffSettings& settings, FieldFaults& faults) {
    if (value.kind != Kind::string || value.text.empty()) {
        faults.add("owner", shown(value) + ": expected the id of the provider or of a margin reseller");
        return;
    }
    settings.owner = value.text;
}

constexpr std::array<Field<TariffSettings>, 8> kFields = {{{"currency", read_currency},
                                                           {"decimals", read_decimals},
                                                           {"rounding", read_rounding},
                                                           {"anchor", read_anchor},
                                                           {"markup_percent", read_markup},
                                                           {"time_zone", read_time_zone},
                                                           {"windows", read_windows},
                                                           {"owner", read_owner}}};

void write_settings(JsonWriter& json, const rating::TariffVersion& version) {
    const TariffSettings& settings = version.settings;
    json.name("id").text(version.tariff).name("version").whole(version.number);
    json.name("currency").text(settings.currency.view()).name("decimals").whole(settings.decimals);
    json.name("rounding").text(word_of(kRoundings, settings.rounding));
    json.name("anchor").text(word_of(kAnchors, settings.anchor));
    json.name("markup_percent").number(rating::format_decimal(settings.markup, kMarkupPlaces));
    json.name("time_zone").text(settings.time_zone).name("windows").null();
    json.name("owner").text_or_null(settings.owner);
}

Response unknown_tariff(std::string_view id) {
    return problem({.status = 404,
                    .detail = "no tariff \"" + std::string{id.substr(0, kShownBytesMax)} +
                              "\"; PUT /v1/tariffs/{id} makes one"});
}

/// None, anything with csv, what says no more than "bytes", "text" or "packed", and what clients say that
/// were told nothing (curl, Python): the deck's header tells what it is.
bool is_deck_type(std::string_view content_type) noexcept {
    constexpr std::array<std::string_view, 5> kWords = {"csv", "gzip", "octet-stream", "text/plain",
                                                        "form-urlencoded"};
    return content_type.empty() ||
           std::any_of(kWords.begin(), kWords.end(), [content_type](std::string_view word) {
               return content_type.find(word) != std::string_view::npos;
           });
}

Response faulty_deck(const rating::DeckReading& reading) {
    std::vector<RequestFault> faults;
    faults.reserve(reading.faults.size());
    for (const auto& fault : reading.faults)
        faults.push_back({fault.line, fault.column, fault.message});
    return problem({.status = 422,
                    .detail = "the deck in force stays; faults: " + std::to_string(reading.fault_count),
                    .errors = faults,
                    .place_name = "column",
                    .error_count = reading.fault_count});
}

}  // namespace

Response Tariffs::get(std::string_view id) const {
    auto& tariffs = services_.catalog.tariffs();
    const auto tariff = tariffs.find(id);
    if (!tariff) return unknown_tariff(id);
    const auto& version = tariffs.current(*tariff);
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
    if (!balance::is_id(id)) faults.add("id", "expected 1 to 64 of A-Z a-z 0-9 . _ : @ + -");
    TariffSettings settings;
    read_fields(*object, kFields, Nulls::are_absent, settings, faults);
    const bool currency_faulty =
        std::any_of(all.begin(), all.end(), [](const auto& fault) { return fault.place == "currency"; });
    if (settings.currency.view().empty() && !currency_faulty && object->kind == Kind::object) {
        faults.add("currency", "missing; expected an ISO 4217 code such as \"EUR\"");
    }
    if (!all.empty()) return invalid(all);

    auto& tariffs = services_.catalog.tariffs();
    unsigned status = 200;
    const auto put = services_.catalog.put_tariff(id, settings);
    for (const Fault& fault : put.faults)
        faults.add(fault.field, fault.message);
    if (!all.empty()) return invalid(all);
    switch (put.status) {
        case rating::TariffBook::PutStatus::created:
            status = 201;
            break;
        case rating::TariffBook::PutStatus::replaced:
            break;
        case rating::TariffBook::PutStatus::currency_differs:
            faults.add("currency", "\"" + std::string{settings.currency.view()} +
                                       "\": a tariff keeps the currency it was made with");
            return invalid(all);
        case rating::TariffBook::PutStatus::too_many:
            faults.add("id",
                       "there are " + std::to_string(rating::kTariffsMax) + " tariffs, which is the most");
            return invalid(all);
    }
    JsonWriter json;
    json.open_object();
    write_settings(json, tariffs.current(*tariffs.find(id)));
    json.close_object();
    return json_response(status, json.take());
}

Response Tariffs::put_deck(const Request& request, std::string_view id) const {
    auto& tariffs = services_.catalog.tariffs();
    if (!tariffs.find(id)) return unknown_tariff(id);
    if (!is_deck_type(request.content_type)) {
        return problem({.status = 415,
                        .detail = "Content-Type \"" + request.content_type.substr(0, kShownBytesMax) +
                                  "\": expected text/csv"});
    }
    const balance::Steady begun = services_.steady_now();
    const PlainBody body{request, services_.body_bytes_max};
    if (body.refusal()) return *body.refusal();
    const auto reading = rating::read_deck_csv(body.text(), services_.deck_limits);
    if (reading.deck == nullptr) return faulty_deck(reading);
    const auto version = tariffs.put_deck(id, reading.deck);
    if (!version) return unknown_tariff(id);

    const auto taken = std::chrono::duration_cast<std::chrono::milliseconds>(services_.steady_now() - begun);
    JsonWriter json;
    json.open_object().name("version").whole(*version);
    json.name("rows").whole(reading.deck->row_count()).name("prefixes").whole(reading.deck->prefix_count());
    json.name("milliseconds").whole(static_cast<std::uint64_t>(std::max<std::int64_t>(taken.count(), 0)));
    json.close_object();
    return json_response(200, json.take());
}

}  // namespace tollgate::daemon::admin
