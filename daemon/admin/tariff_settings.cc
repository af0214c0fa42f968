#include "daemon/admin/tariff_settings.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

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

constexpr std::string_view kZoneExpected = "expected an IANA name such as \"Europe/Berlin\"";

void read_time_zone(const JsonValue& value, TariffSettings& settings, FieldFaults& faults) {
    // Whether there is such a zone is seen when all fields are known.
    if (value.kind != Kind::string) {
        faults.add("time_zone", shown(value) + ": " + std::string{kZoneExpected});
        return;
    }
    settings.time_zone = value.text;
}

// ---- Windows ----

constexpr std::array<std::string_view, 7> kDays = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};

/// A list of `{days, from, until, months, month_days}`, and which window it belongs to.
struct RangeFields {
    rating::ClockRange range;
    std::string_view window;

    void fault(FieldFaults& faults, std::string_view field, const std::string& message) const {
        faults.add("windows", std::string{window.substr(0, kShownBytesMax)} + ": " + std::string{field} +
                                  ": " + message);
    }
};

/// The members of a list as bits; a fault for anything else, and for an empty list, which would mean never.
template <typename Bits, typename NumberOf>
void read_set(const JsonValue& value, RangeFields& fields, FieldFaults& faults, Bits& bits,
              std::string_view expected, const NumberOf& number_of) {
    Bits found = 0;
    bool good = value.kind == Kind::list;
    std::string faulty = shown(value);
    for (const JsonValue& member : value.children()) {
        const std::optional<unsigned> number = number_of(member);
        if (!number) faulty = shown(member);
        good = good && number;
        if (number) found = static_cast<Bits>(found | Bits{1} << *number);
    }
    if (good && found != 0) {
        bits = found;
    } else {
        fields.fault(faults, value.name, faulty + ": expected a list of " + std::string{expected});
    }
}

std::optional<unsigned> from_one(const JsonValue& value, unsigned most) noexcept {
    const auto number = whole_of(value, most);
    return number && *number > 0 ? std::optional{static_cast<unsigned>(*number - 1)} : std::nullopt;
}

void read_days(const JsonValue& value, RangeFields& fields, FieldFaults& faults) {
    read_set(value, fields, faults, fields.range.days, "mon, tue, wed, thu, fri, sat and sun",
             [](const JsonValue& day) -> std::optional<unsigned> {
                 const auto* const at = std::find(kDays.begin(), kDays.end(), day.text);
                 if (day.kind != Kind::string || at == kDays.end()) return std::nullopt;
                 return static_cast<unsigned>(at - kDays.begin());
             });
}
void read_months(const JsonValue& value, RangeFields& fields, FieldFaults& faults) {
    read_set(value, fields, faults, fields.range.months, "whole numbers from 1 to 12",
             [](const JsonValue& month) { return from_one(month, 12); });
}
void read_month_days(const JsonValue& value, RangeFields& fields, FieldFaults& faults) {
    read_set(value, fields, faults, fields.range.month_days, "whole numbers from 1 to 31",
             [](const JsonValue& day) { return from_one(day, 31); });
}

/// `HH:MM` or `HH:MM:SS` as seconds of the day; `24:00` is its end.
std::optional<std::int32_t> clock_of(const JsonValue& value) noexcept {
    const std::string_view text = value.text;
    if (value.kind != Kind::string || (text.size() != 5 && text.size() != 8)) return std::nullopt;
    const auto part = [text](std::size_t at, std::uint64_t most) -> std::optional<std::int32_t> {
        if (at >= text.size()) return 0;
        if (at > 0 && text[at - 1] != ':') return std::nullopt;
        const auto number = rating::parse_unsigned(text.substr(at, 2), most);
        return number ? std::optional{static_cast<std::int32_t>(*number)} : std::nullopt;
    };
    const auto hours = part(0, 24);
    const auto minutes = part(3, 59);
    const auto seconds = part(6, 59);
    if (!hours || !minutes || !seconds) return std::nullopt;
    const std::int32_t clock = *hours * 3600 + *minutes * 60 + *seconds;
    return clock <= rating::kDaySeconds ? std::optional{clock} : std::nullopt;
}
void read_clock(const JsonValue& value, RangeFields& fields, FieldFaults& faults, std::int32_t& clock) {
    if (const auto read = clock_of(value)) {
        clock = *read;
    } else {
        fields.fault(faults, value.name,
                     shown(value) + ": expected HH:MM or HH:MM:SS, from \"00:00\" to \"24:00\"");
    }
}
void read_from(const JsonValue& value, RangeFields& fields, FieldFaults& faults) {
    read_clock(value, fields, faults, fields.range.from);
}
void read_until(const JsonValue& value, RangeFields& fields, FieldFaults& faults) {
    read_clock(value, fields, faults, fields.range.until);
}

constexpr std::array<Field<RangeFields>, 5> kRangeFields = {{{"days", read_days},
                                                             {"months", read_months},
                                                             {"month_days", read_month_days},
                                                             {"from", read_from},
                                                             {"until", read_until}}};

std::string clock_text(std::int32_t clock) {
    std::string text;
    for (const std::int32_t part : {clock / 3600, clock / 60 % 60, clock % 60}) {
        if (!text.empty()) text.push_back(':');
        text.push_back(static_cast<char>('0' + part / 10));
        text.push_back(static_cast<char>('0' + part % 10));
    }
    return text.ends_with(":00") ? text.substr(0, 5) : text;
}

/// An object of windows by name, each a list of ranges, or one range.
void read_windows(const JsonValue& value, TariffSettings& settings, FieldFaults& faults) {
    constexpr std::string_view kExpected =
        "expected an object of names, each with a list of "
        "{\"days\",\"from\",\"until\",\"months\",\"month_days\"}";
    if (value.kind != Kind::object) {
        faults.add("windows", shown(value) + ": " + std::string{kExpected});
        return;
    }
    for (const JsonValue& named : value.children()) {
        rating::Window window{std::string{named.name}, {}};
        const auto fault = [&](const std::string& message) {
            faults.add("windows", window.name.substr(0, kShownBytesMax) + ": " + message);
        };
        if (window.name.empty() || window.name.size() > rating::kWindowNameBytesMax) {
            fault("expected a name of 1 to " + std::to_string(rating::kWindowNameBytesMax) + " bytes");
        }
        if (settings.window(window.name) != nullptr) fault("stands there twice");
        if (settings.windows.size() == rating::kWindowsMax) {
            fault("expected at most " + std::to_string(rating::kWindowsMax) + " windows");
            return;
        }
        if (named.kind != Kind::list) fault(shown(named) + ": " + std::string{kExpected});
        for (const JsonValue& range : named.children()) {
            if (named.kind != Kind::list) break;
            if (window.ranges.size() == rating::kWindowRangesMax) {
                fault("expected at most " + std::to_string(rating::kWindowRangesMax) + " ranges");
                break;
            }
            RangeFields fields{{}, named.name};
            read_fields(range, kRangeFields, Nulls::are_absent, fields, faults);
            if (fields.range.from >= fields.range.until) {
                fault("from " + clock_text(fields.range.from) + " is not before until " +
                      clock_text(fields.range.until) +
                      "; a range over midnight is two, up to \"24:00\" and from \"00:00\" on");
            }
            window.ranges.push_back(fields.range);
        }
        settings.windows.push_back(std::move(window));
    }
}

template <typename Bits, typename Write>
void write_set(JsonWriter& json, std::string_view name, Bits bits, Bits all, const Write& write) {
    json.name(name);
    if (bits == all) {
        json.null();
        return;
    }
    json.open_list();
    for (unsigned number = 0; (all >> number) != 0; ++number) {
        if ((std::uint32_t{bits} >> number & 1U) != 0) write(number);
    }
    json.close_list();
}

void write_windows(JsonWriter& json, const TariffSettings& settings) {
    using Range = rating::ClockRange;
    const auto write_number = [&json](unsigned number) { json.whole(number + 1); };
    json.name("windows").open_object();
    for (const rating::Window& window : settings.windows) {
        json.name(window.name).open_list();
        for (const Range& range : window.ranges) {
            json.open_object();
            write_set(json, "days", range.days, Range::kAllDays,
                      [&json](unsigned day) { json.text(kDays[day]); });
            json.name("from").text(clock_text(range.from)).name("until").text(clock_text(range.until));
            write_set(json, "months", range.months, Range::kAllMonths, write_number);
            write_set(json, "month_days", range.month_days, Range::kAllMonthDays, write_number);
            json.close_object();
        }
        json.close_list();
    }
    json.close_object();
}

void read_owner(const JsonValue& value, TariffSettings& settings, FieldFaults& faults) {
    if (value.kind != Kind::string || value.text.empty()) {
        faults.add("owner", shown(value) + ": expected the id of the provider or of a margin reseller");
        return;
    }
    settings.owner = value.text;
}

constexpr std::array<Field<TariffSettings>, 8> kSettingsFields = {{{"currency", read_currency},
                                                                   {"decimals", read_decimals},
                                                                   {"rounding", read_rounding},
                                                                   {"anchor", read_anchor},
                                                                   {"markup_percent", read_markup},
                                                                   {"time_zone", read_time_zone},
                                                                   {"windows", read_windows},
                                                                   {"owner", read_owner}}};

}  // namespace

void read_settings(const JsonValue& object, rating::TariffSettings& settings, FieldFaults& faults) {
    read_fields(object, kSettingsFields, Nulls::are_absent, settings, faults);
}

void find_zone(const TimeZones& zones, rating::TariffSettings& settings, FieldFaults& faults) {
    settings.zone = zones.find(settings.time_zone);
    if (settings.zone == nullptr) {
        faults.add("time_zone",
                   '"' + settings.time_zone.substr(0, kShownBytesMax) + "\": " + std::string{kZoneExpected});
    }
}

void write_settings(JsonWriter& json, const rating::TariffVersion& version) {
    const TariffSettings& settings = version.settings;
    json.name("id").text(version.tariff).name("version").whole(version.number);
    json.name("currency").text(settings.currency.view()).name("decimals").whole(settings.decimals);
    json.name("rounding").text(word_of(kRoundings, settings.rounding));
    json.name("anchor").text(word_of(kAnchors, settings.anchor));
    json.name("markup_percent").number(rating::format_decimal(settings.markup, kMarkupPlaces));
    json.name("time_zone").text(settings.time_zone);
    write_windows(json, settings);
    json.name("owner").text_or_null(settings.owner);
}

}  // namespace tollgate::daemon::admin
