/// An object's fields by a table: one row a field, with the function that reads it. What a resource
/// understands is then one list, and everything it does not understand is refused by name.
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "daemon/admin/json.h"
#include "daemon/admin/router.h"
#include "rating/money.h"

namespace tollgate::daemon::admin {

/// Collects what is wrong with one object.
class FieldFaults {
  public:
    /// `line` goes into each fault; nullopt for a body that is one object.
    explicit FieldFaults(std::vector<RequestFault>& faults, std::optional<std::uint64_t> line = {}) noexcept
        : faults_(faults), line_(line) {}

    void add(std::string_view field, std::string message) {
        faults_.push_back({line_, std::string{field}, std::move(message)});
    }

  private:
    std::vector<RequestFault>& faults_;
    std::optional<std::uint64_t> line_;
};

/// A list of at most `most` strings that pass `is_one`; a fault names the first that does not.
std::vector<std::string> read_texts(const JsonValue& value, std::size_t most,
                                    bool (*is_one)(std::string_view) noexcept, std::string_view expected,
                                    FieldFaults& faults);

/// A field with a list of strings.
void write_texts(JsonWriter& json, std::string_view name, const std::vector<std::string>& texts);

template <typename Target>
struct Field {
    std::string_view name;
    /// Takes the value into `target`, or adds a fault.
    void (*read)(const JsonValue& value, Target& target, FieldFaults& faults);
};

/// A string's text; a fault, and empty, for anything else.
inline std::string text_of(const JsonValue& value, FieldFaults& faults) {
    if (value.kind == JsonValue::Kind::string) return std::string{value.text};
    faults.add(value.name, shown(value) + ": expected a string");
    return {};
}

inline constexpr std::string_view kAmountExpected =
    "expected an amount with at most 6 places, such as \"12.5\"";

/// An amount, of whatever sign; a fault for anything else.
inline std::optional<rating::Money> money_of(const JsonValue& value, FieldFaults& faults) {
    const auto micros = decimal_of(value, rating::Money::kPlaces);
    if (micros) return rating::Money::from_micros(*micros);
    faults.add(value.name, shown(value) + ": " + std::string{kAmountExpected});
    return std::nullopt;
}

enum class Nulls : bool {
    are_absent,  ///< A null is skipped, as if the field were not there.
    are_values,  ///< A null is handed to the field's function: it clears.
};

/// Gives every field of an object to `read`, which says whether it knows one of that name. Fields that it
/// does not know and fields that stand there twice are faults, and so is what is no object.
template <typename Read>
void read_each(const JsonValue& object, FieldFaults& faults, const Read& read) {
    if (object.kind != JsonValue::Kind::object) {
        faults.add("", shown(object) + ": expected an object");
        return;
    }
    std::vector<std::string_view> seen;  // No more than are known.
    for (const JsonValue& value : object.children()) {
        if (std::find(seen.begin(), seen.end(), value.name) != seen.end()) {
            faults.add(value.name, "stands there twice");
        } else if (read(value)) {
            seen.push_back(value.name);
        } else {
            faults.add(value.name.substr(0, kShownBytesMax), "no such field");
        }
    }
}

/// Reads every field of `object` by `table`.
template <typename Target, std::size_t N>
void read_fields(const JsonValue& object, const std::array<Field<Target>, N>& table, Nulls nulls,
                 Target& target, FieldFaults& faults) {
    read_each(object, faults, [&](const JsonValue& value) {
        const auto field = std::find_if(table.begin(), table.end(),
                                        [&](const Field<Target>& known) { return known.name == value.name; });
        if (field == table.end()) return false;
        if (!value.is_null() || nulls == Nulls::are_values) field->read(value, target, faults);
        return true;
    });
}

}  // namespace tollgate::daemon::admin
