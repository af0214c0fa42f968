#include "daemon/admin/record_json.h"

#include "daemon/partners/words.h"

namespace tollgate::daemon::admin::record_detail {
namespace {

using Kind = JsonValue::Kind;

std::string expected_of(const Rules& rules, std::string_view otherwise) {
    return ": expected " + std::string{rules.expected.empty() ? otherwise : rules.expected};
}

bool passes(std::string_view text, const Rules& rules) noexcept {
    return rules.is_valid == nullptr ? is_plain_text(text) : rules.is_valid(text);
}

}  // namespace

void read(const JsonValue& value, const Rules& rules, std::string& target, FieldFaults& faults) {
    if (value.kind == Kind::string && (value.text.empty() || passes(value.text, rules))) {
        target = value.text;
        return;
    }
    faults.add(value.name,
               shown(value) + expected_of(rules, "a text of up to " + std::to_string(kRecordTextMax) +
                                                     " bytes without control characters"));
}

void read(const JsonValue& value, const Rules& /*rules*/, bool& target, FieldFaults& faults) {
    if (value.kind == Kind::boolean) {
        target = value.text == "true";
    } else {
        faults.add(value.name, shown(value) + ": expected true or false");
    }
}

void read(const JsonValue& value, const Rules& rules, std::int64_t& target, FieldFaults& faults) {
    const auto whole = whole_of(value, static_cast<std::uint64_t>(rules.most));
    if (whole && static_cast<std::int64_t>(*whole) >= rules.least) {
        target = static_cast<std::int64_t>(*whole);
        return;
    }
    faults.add(value.name, shown(value) + ": expected a whole number from " + std::to_string(rules.least) +
                               " to " + std::to_string(rules.most));
}

void read(const JsonValue& value, const Rules& /*rules*/, rating::Money& target, FieldFaults& faults) {
    const auto amount = money_of(value, faults);
    if (!amount) return;
    if (*amount < rating::Money{} || *amount > rating::kAmountMax) {
        faults.add(value.name, shown(value) + ": expected 0 to " +
                                   std::string{rating::format(rating::kAmountMax).view()});
        return;
    }
    target = *amount;
}

void read(const JsonValue& value, const Rules& rules, rating::Percent& target, FieldFaults& faults) {
    const auto most =
        rating::Percent::from_millionths(std::min(rules.most, rating::kPercentMax.millionths()));
    const auto millionths = decimal_of(value, rating::Percent::kPlaces);
    if (millionths && *millionths >= 0 && *millionths <= most.millionths()) {
        target = rating::Percent::from_millionths(*millionths);
        return;
    }
    faults.add(value.name, shown(value) + ": expected a percentage from 0 to " +
                               std::string{rating::format(most).view()} + " with at most 4 places");
}

void read(const JsonValue& value, const Rules& /*rules*/, rating::Instant& target, FieldFaults& faults) {
    const auto instant = value.kind == Kind::string ? rating::parse_instant(value.text) : std::nullopt;
    if (instant) {
        target = *instant;
    } else {
        faults.add(value.name, shown(value) + ": expected a time such as 2026-03-01T00:00:00Z");
    }
}

void read(const JsonValue& value, const Rules& rules, std::vector<std::string>& target, FieldFaults& faults) {
    std::vector<std::string> texts;
    bool readable = value.kind == Kind::list;
    for (const JsonValue& element : value.children()) {
        readable = readable && element.kind == Kind::string && !element.text.empty() &&
                   passes(element.text, rules) && texts.size() < kRecordListMax;
        if (!readable) break;
        texts.emplace_back(element.text);
    }
    if (readable) {
        target = std::move(texts);
    } else {
        faults.add(value.name, shown(value) + ": expected a list of at most " +
                                   std::to_string(kRecordListMax) + " texts, each " +
                                   std::string{rules.expected.empty() ? "not empty" : rules.expected});
    }
}

void write(JsonWriter& json, const std::string& value) {
    json.text_or_null(value);
}
void write(JsonWriter& json, bool value) {
    json.flag(value);
}
void write(JsonWriter& json, std::int64_t value) {
    json.number(std::to_string(value));
}
void write(JsonWriter& json, rating::Money value) {
    json.text(rating::format(value));
}
void write(JsonWriter& json, rating::Percent value) {
    json.text(rating::format(value));
}
void write(JsonWriter& json, rating::Instant value) {
    if (value == rating::Instant{}) {
        json.null();
    } else {
        json.text(rating::format(value));
    }
}
void write(JsonWriter& json, const std::vector<std::string>& values) {
    if (values.empty()) {
        json.null();
        return;
    }
    json.open_list();
    for (const std::string& value : values)
        json.text(value);
    json.close_list();
}

}  // namespace tollgate::daemon::admin::record_detail
