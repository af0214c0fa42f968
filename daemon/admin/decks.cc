#include "daemon/admin/decks.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "daemon/admin/bodies.h"
#include "daemon/admin/deck_check.h"
#include "daemon/admin/deck_diff.h"
#include "daemon/admin/deck_upload.h"
#include "daemon/admin/fields.h"
#include "daemon/admin/tariffs.h"
#include "daemon/tariff_words.h"

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

Response without_deck(std::string_view id, std::uint64_t number) {
    return problem({.status = 404,
                    .detail = "version " + std::to_string(number) + " of \"" + std::string{id} +
                              "\" has no deck; PUT /v1/tariffs/{id}/deck puts one in force"});
}

// ---- Differences ----

/// A difference as both formats show it. The views live as long as the decks.
struct Difference {
    Difference(const rating::Deck& before, const rating::Deck& after, RowPair pair) {
        const bool has_old = pair.before != rating::Deck::kNoRow;
        const bool has_new = pair.after != rating::Deck::kNoRow;
        const rating::Row old_row = has_old ? before.row(pair.before) : rating::Row{};
        const rating::Row new_row = has_new ? after.row(pair.after) : rating::Row{};
        row = has_new ? new_row : old_row;
        if (row.effective_from != rating::kAlways) effective_from = rating::format(row.effective_from);
        if (has_old) old_price = rating::format(old_row.rate->price);
        if (has_new) new_price = rating::format(new_row.rate->price);
        if (!has_old || !has_new) return;
        columns = different_columns(old_row, new_row);
        if (old_row.rate->price > rating::Price{}) {
            percent = percent_of_change(old_row.rate->price, new_row.rate->price);
        }
    }

    rating::Row row;  ///< The new one, if there is one.
    // Empty where they do not apply.
    rating::ShortText effective_from;
    rating::ShortText old_price;
    rating::ShortText new_price;
    std::string percent;
    std::vector<std::string_view> columns;
};

std::string diff_json(const rating::TariffVersion& from, const rating::TariffVersion& to,
                      const DeckDiff& diff) {
    JsonWriter json;
    json.open_object().name("from").whole(from.number).name("to").whole(to.number);
    json.name("counts").open_object();
    for (std::size_t kind = 0; kind < kRowChanges; ++kind)
        json.name(kRowChangeWords[kind]).whole(diff.counts[kind]);
    json.name("same").whole(diff.same).close_object();
    for (std::size_t kind = 0; kind < kRowChanges; ++kind) {
        json.name(kRowChangeWords[kind]).open_list();
        for (const RowPair pair : diff.lists[kind]) {
            const Difference shown{*from.deck, *to.deck, pair};
            json.open_object().name("prefix").text(shown.row.prefix.text());
            json.name("destination").text(shown.row.destination);
            json.name("window").text_or_null(shown.row.window);
            json.name("effective_from").text_or_null(shown.effective_from);
            json.name("old").text_or_null(shown.old_price).name("new").text_or_null(shown.new_price);
            json.name("percent").text_or_null(shown.percent).name("columns").open_list();
            for (const auto column : shown.columns)
                json.text(column);
            json.close_list().close_object();
        }
        json.close_list();
    }
    json.close_object();
    return json.take();
}

void append_quoted(std::string& csv, std::string_view text) {
    csv.push_back('"');
    for (const char c : text) {
        if (c == '"') csv.push_back('"');
        csv.push_back(c);
    }
    csv.push_back('"');
}

std::string diff_csv(const rating::TariffVersion& from, const rating::TariffVersion& to,
                     const DeckDiff& diff) {
    std::string csv = "change,prefix,destination,window,effective_from,old,new,percent,columns\n";
    for (std::size_t kind = 0; kind < kRowChanges; ++kind) {
        for (const RowPair pair : diff.lists[kind]) {
            const Difference shown{*from.deck, *to.deck, pair};
            const auto next = [&csv](std::string_view text) { csv.append(text).push_back(','); };
            next(kRowChangeWords[kind]);
            next(shown.row.prefix.text());
            append_quoted(csv, shown.row.destination);
            csv.push_back(',');
            append_quoted(csv, shown.row.window);
            csv.push_back(',');
            next(shown.effective_from);
            next(shown.old_price);
            next(shown.new_price);
            next(shown.percent);
            for (std::size_t i = 0; i < shown.columns.size(); ++i)
                csv.append(i == 0 ? "" : " ").append(shown.columns[i]);
            csv.push_back('\n');
        }
    }
    return csv;
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

// ---- Checking ----

std::string warnings_json(const rating::Deck& deck, const DeckWarnings& warnings) {
    JsonWriter json;
    json.open_object().name("rows").whole(deck.row_count()).name("prefixes").whole(deck.prefix_count());
    json.name("faults").whole(0).name("warnings").open_list();
    for (const Warning& warning : warnings.list) {
        const rating::Row row = deck.row(warning.row);
        const bool compared = warning.kind != WarningKind::shadowed;
        json.open_object().name("line").whole(row.line).name("prefix").text(row.prefix.text());
        json.name("destination").text(row.destination);
        json.name("warning").text(kWarningWords[static_cast<std::size_t>(warning.kind)]);
        json.name("price").text(rating::format(warning.price));
        json.name("tariff").text_or_null(warning.other == nullptr ? "" : warning.other->tariff);
        json.name("other_prefix");
        compared ? json.text(warning.other_prefix.text()) : json.null();
        json.name("other_price");
        compared ? json.text(rating::format(warning.other_price)) : json.null();
        json.close_object();
    }
    json.close_list().name("warning_counts").open_object();
    for (std::size_t kind = 0; kind < kWarningKinds; ++kind)
        json.name(kWarningWords[kind]).whole(warnings.counts[kind]);
    json.close_object().close_object();
    return json.take();
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
        json.name("change")
            .text(daemon::text_of(version->change))
            .name("who")
            .text_or_null(version->origin.who);
        json.name("when").text(rating::format(version->origin.when));
        json.name("rows").whole(deck == nullptr ? 0 : deck->row_count());
        json.name("prefixes").whole(deck == nullptr ? 0 : deck->prefix_count());
        json.name("checksum").text_or_null(deck == nullptr ? "" : checksum_text(version->file.checksum));
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
    if (version->deck == nullptr) return without_deck(id, number);
    return {200, "text/csv; charset=utf-8", rating::write_deck_csv(*version->deck), {}};
}

/// A deck that arrives. It lives no longer than the resource and the request.
class Decks::Sink : public BodySink {
  public:
    Sink(const Decks& decks, std::string_view id, const Request& request, Use use)
        : decks_(decks),
          id_(id),
          login_(request.actor.login),
          use_(use),
          upload_(decks.services_.deck_limits, request.content_encoding, decks.services_.body_bytes_max) {}

    [[nodiscard]] std::string_view id() const noexcept { return id_; }
    [[nodiscard]] std::string_view login() const noexcept { return login_; }
    [[nodiscard]] balance::Steady begun() const noexcept { return begun_; }

    void begin() override { begun_ = decks_.services_.steady_now(); }
    void feed(std::string_view piece) override { upload_.feed(piece); }
    Response finish() override {
        auto [reading, checksum, refusal] = upload_.finish();
        if (refusal) return *std::move(refusal);
        if (reading.deck == nullptr) return decks_.refused(id_, reading);
        return (decks_.*use_)(*this, reading.deck, checksum);
    }

  private:
    const Decks& decks_;
    const std::string id_;
    const std::string login_;
    const Use use_;
    DeckUpload upload_;
    balance::Steady begun_{};
};

/// Every fault there is, in the order of lines: what is wrong with fields and rows, and with the windows of
/// the rows that are good.
Response Decks::refused(std::string_view id, rating::DeckReading reading) const {
    const auto& tariffs = services_.catalog.tariffs();
    if (reading.rows != nullptr) {
        const auto settings = tariffs.current(*tariffs.find(id))->settings;  // A tariff never goes.
        for (const auto& fault : rating::window_faults(*reading.rows, settings, rating::kWindowFaultsMax)) {
            ++reading.fault_count;
            if (reading.faults.size() < services_.deck_limits.faults_max)
                reading.faults.push_back({fault.line, "window", fault.message});
        }
    }
    std::stable_sort(reading.faults.begin(), reading.faults.end(),
                     [](const auto& a, const auto& b) { return a.line < b.line; });
    return faulty_deck(reading);
}

Router::Opened Decks::put(const Request& request, std::string_view id) const {
    return open(request, id, &Decks::put_in_force);
}

Router::Opened Decks::check(const Request& request, std::string_view id) const {
    return open(request, id, &Decks::warn);
}

Router::Opened Decks::open(const Request& request, std::string_view id, Use use) const {
    if (!services_.catalog.tariffs().find(id)) return unknown_tariff(id);
    if (!is_deck_type(request.content_type)) {
        return problem({.status = 415,
                        .detail = "Content-Type \"" + request.content_type.substr(0, kShownBytesMax) +
                                  "\": expected text/csv"});
    }
    if (auto refusal = refusal_of_encoding(request.content_encoding)) return *std::move(refusal);
    return std::make_unique<Sink>(*this, id, request, use);
}

Response Decks::put_in_force(const Sink& sink, const std::shared_ptr<const rating::Deck>& deck,
                             std::uint32_t checksum) const {
    const auto result = services_.catalog.put_deck(sink.id(), deck, checksum,
                                                   origin_now(services_, sink.login()), now_of(services_));
    if (result.status == PutStatus::too_many) return too_many_versions();
    if (!result.faults.empty()) return faulty_deck(window_reading(result.faults));
    return in_force(result, *deck, sink.begun());
}

Response Decks::warn(const Sink& sink, const std::shared_ptr<const rating::Deck>& deck,
                     std::uint32_t checksum) const {
    const auto& tariffs = services_.catalog.tariffs();
    const rating::TariffId tariff = *tariffs.find(sink.id());  // A tariff never goes.
    const VersionPtr now = tariffs.current(tariff);
    const auto faults = rating::window_faults(*deck, now->settings, rating::kWindowFaultsMax);
    if (!faults.empty()) return faulty_deck(window_reading(faults));
    const rating::TariffVersion version{.tariff = now->tariff,
                                        .settings = now->settings,
                                        .deck = deck,
                                        .file = {checksum, {}},
                                        .calendar = rating::calendar_of(*deck, now->settings),
                                        .origin = {},
                                        .pins = {}};
    std::vector<VersionPtr> above;
    for (const rating::TariffId other : services_.catalog.tariffs_above(tariff))
        above.push_back(tariffs.current(other));
    std::vector<const rating::TariffVersion*> others;
    for (const auto& other : above)
        others.push_back(other.get());
    return json_response(200, warnings_json(*deck, check_deck(version, *now, others, services_.wall_now())));
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

Response Decks::diff(const Request& request, std::string_view id) const {
    const auto& tariffs = services_.catalog.tariffs();
    const auto tariff = tariffs.find(id);
    if (!tariff) return unknown_tariff(id);
    std::array<Parameter, 3> parameters = {{{"from"}, {"to"}, {"limit", kDifferencesListedMax}}};
    if (auto refusal = read_query(request, parameters)) return *std::move(refusal);
    const auto& [from_number, to_number, limit] = parameters;
    const auto history = tariffs.history(*tariff);
    const auto to = to_number.value ? version_of(history, *to_number.value) : history.back();
    if (to == nullptr) return not_kept(id, *to_number.value, history);
    if (to->deck == nullptr) return without_deck(id, to->number);
    const auto from = from_number.value ? version_of(history, *from_number.value) : deck_before(history, *to);
    if (from == nullptr && from_number.value) return not_kept(id, *from_number.value, history);
    if (from == nullptr) {
        return problem({.status = 404,
                        .detail = "no other deck is kept from before version " + std::to_string(to->number) +
                                  " (deck.versions_kept)"});
    }
    if (from->deck == nullptr) return without_deck(id, from->number);
    // A CSV has no counts that would say that it stops early.
    const bool csv = request.accept.find("text/csv") != std::string::npos;
    const DeckDiff diff = compare(*from->deck, *to->deck,
                                  limit.value.value_or(csv ? kDifferencesListedMax : kDifferencesListed));
    if (csv) {
        return {200, "text/csv; charset=utf-8", diff_csv(*from, *to, diff), {}};
    }
    return json_response(200, diff_json(*from, *to, diff));
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
    const auto result = services_.catalog.roll_back(
        id, version->number, origin_now(services_, request.actor.login), now_of(services_));
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
