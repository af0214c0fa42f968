/// What administration keeps beside parties and their money (who they are, what they sell, who may log in):
/// plain structs, each with one table of its fields. The table is all there is to say of a field: it makes
/// the bytes in the journal, the JSON and CSV of the interface, and what is wrong with what somebody sent.
///
///     struct CustomerClass {
///         static constexpr RecordKind kKind = RecordKind::customer_class;
///         std::string id;
///         std::int64_t grace_days = 0;
///         static constexpr auto fields() { … }
///     };
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "balance/bytes.h"
#include "rating/instant.h"
#include "rating/money.h"
#include "rating/percent.h"

namespace tollgate::daemon {

/// The numbers stand in journals: none is ever used for something else.
enum class RecordKind : std::uint8_t {
    profile = 1,
    customer_class = 2,
    package = 3,
    offer = 4,
    subscription = 5,
    service_plan = 6,
    pool_number = 7,
    catalogue = 8,
    account_draft = 9,
    person = 10,
    token = 11,
    quick_form = 12,
    payment_intent = 13,
    mail = 14,
};

/// What a field may be. An optional without a value, an empty text or list and a 0 are nothing, which takes
/// no room and is shown as null.
template <typename T>
using RecordMember =
    std::variant<std::string T::*, bool T::*, std::int64_t T::*, std::optional<std::int64_t> T::*,
                 rating::Money T::*, std::optional<rating::Money> T::*, std::optional<rating::Percent> T::*,
                 rating::Instant T::*, std::optional<bool> T::*, std::vector<std::string> T::*>;

/// Who gives a field its value, and when.
enum class Writable : std::uint8_t {
    always,
    once,    ///< When the record is made.
    never,   ///< The daemon alone.
    hidden,  ///< The daemon alone, and it is never shown.
};

template <typename T>
struct RecordField {
    /// Its place in the table stands in journals: fields are only ever added at the end.
    std::string_view name;
    RecordMember<T> member;
    Writable writable = Writable::always;
    /// Of a text, or of each of a list: whether it is one. nullptr: any of up to kRecordTextMax bytes without
    /// control characters.
    bool (*is_valid)(std::string_view) noexcept = nullptr;
    std::string_view expected = {};  ///< In words, for the fault: `active or closed`.
    std::int64_t least = 0;          ///< Of a whole number, as the next; of an amount in micro-units.
    std::int64_t most = INT64_MAX;
};

inline constexpr std::size_t kRecordTextMax = 1024;
inline constexpr std::size_t kRecordListMax = 1000;

namespace record_detail {

inline void write(balance::ByteWriter& out, const std::string& value) {
    out.text(value);
}
inline void write(balance::ByteWriter& out, bool value) {
    out.put(value);
}
inline void write(balance::ByteWriter& out, std::int64_t value) {
    out.put(value);
}
inline void write(balance::ByteWriter& out, rating::Money value) {
    out.put(value);
}
inline void write(balance::ByteWriter& out, rating::Percent value) {
    out.put(value.millionths());
}
inline void write(balance::ByteWriter& out, rating::Instant value) {
    out.put(value);
}
inline void write(balance::ByteWriter& out, const std::vector<std::string>& values) {
    out.put(static_cast<std::uint32_t>(values.size()));
    for (const std::string& value : values)
        out.text(value);
}
template <typename V>
void write(balance::ByteWriter& out, const std::optional<V>& value) {
    write(out, *value);
}

inline void read(balance::ByteReader& in, std::string& value) {
    value = in.text();
}
inline void read(balance::ByteReader& in, bool& value) {
    in.get(value);
}
inline void read(balance::ByteReader& in, std::int64_t& value) {
    in.get(value);
}
inline void read(balance::ByteReader& in, rating::Money& value) {
    in.get(value);
}
inline void read(balance::ByteReader& in, rating::Percent& value) {
    value = rating::Percent::from_millionths(in.get<std::int64_t>());
}
inline void read(balance::ByteReader& in, rating::Instant& value) {
    in.get(value);
}
inline void read(balance::ByteReader& in, std::vector<std::string>& values) {
    for (auto count = in.get<std::uint32_t>(); count > 0 && in.good(); --count)
        values.emplace_back(in.text());
}
template <typename V>
void read(balance::ByteReader& in, std::optional<V>& value) {
    read(in, value.emplace());
}

/// Whether a value is nothing.
template <typename V>
bool is_nothing(const V& value) {
    return value == V{};
}

}  // namespace record_detail

/// The record's fields that are something: each as its place in the table and its value.
template <typename T>
[[nodiscard]] std::string image_of(const T& record) {
    std::vector<std::byte> bytes;
    balance::ByteWriter out{bytes};
    std::uint8_t place = 0;
    for (const RecordField<T>& field : T::fields()) {
        std::visit(
            [&](auto member) {
                if (record_detail::is_nothing(record.*member)) return;
                out.put(place);
                record_detail::write(out, record.*member);
            },
            field.member);
        ++place;
    }
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

/// The reverse. nullopt: not what image_of made, by this version or an earlier one.
template <typename T>
[[nodiscard]] std::optional<T> record_of(std::string_view image) {
    balance::ByteReader in{{reinterpret_cast<const std::byte*>(image.data()), image.size()}};
    T record;
    constexpr auto kFields = T::fields();
    while (in.good() && !in.at_end()) {
        const auto place = in.get<std::uint8_t>();
        if (place >= kFields.size()) return std::nullopt;
        std::visit([&](auto member) { record_detail::read(in, record.*member); }, kFields[place].member);
    }
    if (!in.good()) return std::nullopt;
    return record;
}

}  // namespace tollgate::daemon
