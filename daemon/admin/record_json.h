/// Records as JSON, by their tables of fields.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "daemon/admin/fields.h"
#include "daemon/partners/record.h"

namespace tollgate::daemon::admin {

/// Why a record is read.
enum class RecordUse : std::uint8_t {
    make,    ///< POST: a null is as good as nothing.
    change,  ///< PATCH: what is named is changed, and a null takes away.
};

namespace record_detail {

/// What a field's table says of its value.
struct Rules {
    bool (*is_valid)(std::string_view) noexcept;
    std::string_view expected;
    std::int64_t least;
    std::int64_t most;
};

// Each takes the value in, or adds a fault and leaves the target as it was.
void read(const JsonValue& value, const Rules& rules, std::string& target, FieldFaults& faults);
void read(const JsonValue& value, const Rules& rules, bool& target, FieldFaults& faults);
void read(const JsonValue& value, const Rules& rules, std::int64_t& target, FieldFaults& faults);
void read(const JsonValue& value, const Rules& rules, rating::Money& target, FieldFaults& faults);
void read(const JsonValue& value, const Rules& rules, rating::Percent& target, FieldFaults& faults);
void read(const JsonValue& value, const Rules& rules, rating::Instant& target, FieldFaults& faults);
void read(const JsonValue& value, const Rules& rules, std::vector<std::string>& target, FieldFaults& faults);
template <typename V>
void read(const JsonValue& value, const Rules& rules, std::optional<V>& target, FieldFaults& faults) {
    V read_value{};
    read(value, rules, read_value, faults);
    target = read_value;
}

void write(JsonWriter& json, const std::string& value);
void write(JsonWriter& json, bool value);
void write(JsonWriter& json, std::int64_t value);
void write(JsonWriter& json, rating::Money value);
void write(JsonWriter& json, rating::Percent value);
void write(JsonWriter& json, rating::Instant value);
void write(JsonWriter& json, const std::vector<std::string>& values);
template <typename V>
void write(JsonWriter& json, const std::optional<V>& value) {
    if (value) {
        write(json, *value);
    } else {
        json.null();
    }
}

}  // namespace record_detail

/// Takes one field of an object into `record`. False where the record has no field of that name, or none that
/// is shown.
template <typename T>
bool read_field(const JsonValue& value, T& record, RecordUse use, FieldFaults& faults) {
    for (const RecordField<T>& field : T::fields()) {
        if (field.name != value.name || field.writable == Writable::hidden) continue;
        if (field.writable == Writable::never) {
            faults.add(value.name, "is never written");
        } else if (field.writable == Writable::once && use == RecordUse::change) {
            faults.add(value.name, "cannot be changed");
        } else {
            std::visit(
                [&](auto member) {
                    using Value = std::remove_reference_t<decltype(record.*member)>;
                    if (value.is_null()) {
                        record.*member = Value{};
                        return;
                    }
                    const record_detail::Rules rules{field.is_valid, field.expected, field.least, field.most};
                    record_detail::read(value, rules, record.*member, faults);
                },
                field.member);
        }
        return true;
    }
    return false;
}

/// Reads every field of an object.
template <typename T>
void read_record(const JsonValue& object, T& record, RecordUse use, FieldFaults& faults) {
    read_each(object, faults, [&](const JsonValue& value) { return read_field(value, record, use, faults); });
}

/// Writes every field that is shown, inside an object that is open.
template <typename T>
void write_fields(JsonWriter& json, const T& record) {
    for (const RecordField<T>& field : T::fields()) {
        if (field.writable == Writable::hidden) continue;
        json.name(field.name);
        std::visit([&](auto member) { record_detail::write(json, record.*member); }, field.member);
    }
}

}  // namespace tollgate::daemon::admin
