#include "daemon/admin/decks.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "daemon/admin/bodies.h"
#include "daemon/admin/deck_upload.h"
#include "daemon/admin/fields.h"
#include "daemon/admin/tariffs.h"

namespace tollgate::daemon::admin {
namespace {

using rating::TariffBook;
using VersionPtr = TariffBook::VersionPtr;
using PutStatus = TariffBook::PutStatus;

constexpr std::uint64_t kVersionMax = UINT32_MAX;

// ---- Queries ----

/// A parameter of a query that is a whole number.
struct Parameter {
    std::string_view name;
    std::uint64_t most = kVersionMax;
    std::optional<std::uint64_t> value = {};
};

/// 400 for a parameter that is none of these, stands there twice or is no number from 1 to its most.
std::optional<Response> read_query(const Request& request, std::span<Parameter> parameters) {
    for (const auto& [name, text] : request.query) {
        const auto parameter =
            std::find_if(parameters.begin(), parameters.end(),
                         [&name = name](const Parameter& known) { return known.name == name; });
        const auto refused = [&name = name](const std::string& message) {
            return problem(
                {.status = 400, .detail = '"' + name.substr(0, kShownBytesMax) + "\": " + message});
        };
        if (parameter == parameters.end()) return refused("no such parameter");
        if (parameter->value) return refused("stands there twice");
        parameter->value = rating::parse_unsigned(text, parameter->most);
        if (parameter->value.value_or(0) == 0) {
            return refused("expected a whole number from 1 to " + std::to_string(parameter->most));
        }
    }
    return std::nullopt;
}

// ---- Versions ----

std::string_view word_of(rating::Change change) noexcept {
    switch (change) {
        case rating::Change::settings:
            return "settings";
        case rating::Change::deck:
            return "deck";
        case rating::Change::rollback:
            return "rollback";
    }
    std::abort();  // Not an enumerator: memory is corrupt.
}

/// As `gzip -lv` and `crc32` show it.
std::string checksum_text(std::uint32_t checksum) {
    std::array<char, 9> text{};
    (void)std::snprintf(text.data(), text.size(), "%08x", checksum);
    return text.data();
}

Response not_kept(std::string_view id, std::uint64_t number, const std::vector<VersionPtr>& history) {
    std::string kept;
    for (const auto& version : history)
        kept += (kept.empty() ? "" : ", ") + std::to_string(version->number);
    return problem({.status = 404,
                    .detail = "version " + std::to_string(number) + " of \"" + std::string{id} +
                              "\" never was or is not kept any more (deck.versions_kept); kept are " + kept});
}

VersionPtr version_of(const std::vector<VersionPtr>& history, std::uint64_t number) {
    const auto found = std::find_if(history.begin(), history.end(), [number](const VersionPtr& version) {
        return version->number == number;
    });
    return found == history.end() ? nullptr : *found;
}

/// The newest version before `version` that has another deck; nullptr where none is kept.
VersionPtr deck_before(const std::vector<VersionPtr>& history, const rating::TariffVersion& version) {
    const auto found = std::find_if(history.rbegin(), history.rend(), [&version](const VersionPtr& other) {
        return other->number < version.number && other->deck != nullptr && other->deck != version.deck;
    });
    return found == history.rend() ? nullptr : *found;
}

// ---- Uploads ----

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

/// Faults of windows as those of a reading.
rating::DeckReading window_reading(const std::vector<rating::WindowFault>& faults) {
    rating::DeckReading reading;
    for (const auto& fault : faults)
        reading.faults.push_back({fault.line, "window", fault.message});
    reading.fault_count = faults.size();
    return reading;
}

// ---- Rolling back ----

struct RollBack {
    std::optional<std::uint64_t> version;
};

void read_version(const JsonValue& value, RollBack& target, FieldFaults& faults) {
    target.version = whole_of(value, kVersionMax);
    if (!target.version) faults.add("version", shown(value) + ": expected the number of a version");
}

constexpr std::array<Field<RollBack>, 1> kRollBackFields = {{{"version", read_version}}};

}  // namespace

Response Decks::versions(const Request& request, std::string_view id) const {
    const auto& tariffs = services_.catalog.tariffs();
    const auto tariff = tariffs.find(id);
    if (!tariff) return unknown_tariff(id);
    if (auto refusal = read_query(request, {})) return *std::move(refusal);
    auto history = tariffs.history(*tariff);
    std::reverse(history.begin(), history.end());
    JsonWriter json;
    json.open_object().name("versions").open_list();
    for (const auto& version : history) {
        const rating::Deck* const deck = version->deck.get();
        json.open_object().name("version").whole(version->number);
        json.name("change").text(word_of(version->change)).name("who").text_or_null(version->origin.who);
        json.name("when").text(rating::format(version->origin.when));
        json.name("rows").whole(deck == nullptr ? 0 : deck->row_count());
        json.name("prefixes").whole(deck == nullptr ? 0 : deck->prefix_count());
        json.name("checksum").text_or_null(deck == nullptr ? "" : checksum_text(version->checksum));
        json.name("in_force").flag(version == history.front()).close_object();
    }
    json.close_list().close_object();
    return json_response(200, json.take());
}

Response Decks::get(const Request& request, std::string_view id) const {
    const auto& tariffs = services_.catalog.tariffs();
    const auto tariff = tariffs.find(id);
    if (!tariff) return unknown_tariff(id);
    std::array<Parameter, 1> parameters = {{{"version"}}};
    if (auto refusal = read_query(request, parameters)) return *std::move(refusal);
    const auto history = tariffs.history(*tariff);
    const std::uint64_t number = parameters[0].value.value_or(history.back()->number);
    const auto version = version_of(history, number);
    if (version == nullptr) return not_kept(id, number, history);
    if (version->deck == nullptr) {
        return problem({.status = 404,
                        .detail = "version " + std::to_string(number) + " of \"" + std::string{id} +
                                  "\" has no deck; PUT /v1/tariffs/{id}/deck puts one in force"});
    }
    return {200, "text/csv; charset=utf-8", rating::write_deck_csv(*version->deck), {}};
}

Response Decks::put(const Request& request, std::string_view id) const {
    auto& tariffs = services_.catalog.tariffs();
    if (!tariffs.find(id)) return unknown_tariff(id);
    if (!is_deck_type(request.content_type)) {
        return problem({.status = 415,
                        .detail = "Content-Type \"" + request.content_type.substr(0, kShownBytesMax) +
                                  "\": expected text/csv"});
    }
    const balance::Steady begun = services_.steady_now();
    if (auto refusal = refusal_of_encoding(request.content_encoding)) return *std::move(refusal);
    DeckUpload upload{services_.deck_limits, request.content_encoding, services_.body_bytes_max};
    upload.feed(request.body);
    const auto [reading, checksum, refusal] = upload.finish();
    if (refusal) return *refusal;
    if (reading.deck == nullptr) return faulty_deck(reading);
    const auto result = tariffs.put_deck(id, reading.deck, origin_now(services_), checksum);
    if (result.status == PutStatus::too_many) return too_many_versions();
    if (!result.faults.empty()) return faulty_deck(window_reading(result.faults));
    return in_force(result, *reading.deck, begun);
}

Response Decks::in_force(const TariffBook::PutResult& result, const rating::Deck& deck,
                         balance::Steady begun) const {
    const auto taken = std::chrono::duration_cast<std::chrono::milliseconds>(services_.steady_now() - begun);
    JsonWriter json;
    json.open_object().name("version").whole(result.number);
    json.name("rows").whole(deck.row_count()).name("prefixes").whole(deck.prefix_count());
    json.name("milliseconds").whole(static_cast<std::uint64_t>(std::max<std::int64_t>(taken.count(), 0)));
    json.close_object();
    return json_response(200, json.take());
}

Response Decks::roll_back(const Request& request, std::string_view id) const {
    auto& tariffs = services_.catalog.tariffs();
    const auto tariff = tariffs.find(id);
    if (!tariff) return unknown_tariff(id);
    RollBack wanted;
    if (!request.body.empty()) {
        JsonReader reader;
        const JsonValue* const object = reader.read(request.body);
        if (object == nullptr) return not_json(reader);
        std::vector<RequestFault> all;
        FieldFaults faults{all};
        read_fields(*object, kRollBackFields, Nulls::are_absent, wanted, faults);
        if (!all.empty()) return invalid(all);
    }

    const balance::Steady begun = services_.steady_now();
    const auto conflict = [](std::string detail) {
        return problem({.status = 409, .detail = std::move(detail)});
    };
    const auto history = tariffs.history(*tariff);
    const auto version =
        wanted.version ? version_of(history, *wanted.version) : deck_before(history, *history.back());
    if (version == nullptr && wanted.version) return not_kept(id, *wanted.version, history);
    if (version == nullptr) {
        return conflict("no other deck is kept from before the one in force (deck.versions_kept)");
    }
    const std::string number = std::to_string(version->number);
    if (version->deck == nullptr) return conflict("version " + number + " had no deck");
    if (version->deck == history.back()->deck) {
        return conflict("the deck of version " + number + " is the one in force");
    }
    const auto result = tariffs.roll_back(id, version->number, origin_now(services_));
    switch (result.status) {
        case PutStatus::created:
        case PutStatus::replaced:
            return in_force(result, *version->deck, begun);
        case PutStatus::window_faults: {
            std::vector<RequestFault> faults;
            for (const auto& fault : result.faults)
                faults.push_back({fault.line, "window", fault.message});
            return problem({.status = 422,
                            .detail = "the deck in force stays; that of version " + number +
                                      " does not fit the settings there are now",
                            .errors = faults,
                            .place_name = "column"});
        }
        case PutStatus::too_many:
            return too_many_versions();
        case PutStatus::unknown_version:  // Others have put so many meanwhile.
            return not_kept(id, version->number, tariffs.history(*tariff));
        case PutStatus::unknown_tariff:
        case PutStatus::no_deck:
        case PutStatus::currency_differs:
            break;  // Seen above, or not what is asked here.
    }
    std::abort();
}

}  // namespace tollgate::daemon::admin
