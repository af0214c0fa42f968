/// JSON as administration reads and writes it: a number keeps the digits it was written with, so an amount
/// never passes through a double on its way to rating::Money.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tollgate::daemon::admin {

/// One JSON text: a request's body, or a line of an import. A deck is not JSON and may be larger.
inline constexpr std::size_t kJsonBytesMax = std::size_t{1024} * 1024;
inline constexpr std::size_t kJsonDepthMax = 8;
/// Objects, lists and single values together.
inline constexpr std::size_t kJsonValuesMax = 10'000;

/// A value as it was read. A list's or an object's children follow it in memory; it lives as long as its
/// reader says.
struct JsonValue {
    enum class Kind : std::uint8_t { null, boolean, number, string, list, object };

    Kind kind = Kind::null;
    std::uint32_t span = 1;  ///< Itself and everything below it, in values.
    std::string_view name;   ///< Of a field of an object; empty elsewhere.
    std::string_view text;   ///< A string's characters, a number's digits, `true`, `false` or `null`.

    [[nodiscard]] bool is_null() const noexcept { return kind == Kind::null; }

    class Children;
    /// Of a list or an object; none of anything else.
    [[nodiscard]] Children children() const noexcept;
    /// The first of an object's fields that is called so; nullptr: there is none, or this is no object.
    [[nodiscard]] const JsonValue* field(std::string_view wanted) const noexcept;
};

/// A range for `for`: the values directly below one.
class JsonValue::Children {
  public:
    class Iterator {
      public:
        explicit Iterator(const JsonValue* at) noexcept : at_(at) {}
        const JsonValue& operator*() const noexcept { return *at_; }
        Iterator& operator++() noexcept {
            at_ += at_->span;
            return *this;
        }
        friend bool operator==(Iterator, Iterator) noexcept = default;

      private:
        const JsonValue* at_;
    };
    explicit Children(const JsonValue& parent) noexcept : parent_(&parent) {}
    [[nodiscard]] Iterator begin() const noexcept { return Iterator{parent_ + 1}; }
    [[nodiscard]] Iterator end() const noexcept { return Iterator{parent_ + parent_->span}; }

  private:
    const JsonValue* parent_;
};

inline JsonValue::Children JsonValue::children() const noexcept {
    return Children{*this};
}

inline const JsonValue* JsonValue::field(std::string_view wanted) const noexcept {
    if (kind != Kind::object) return nullptr;
    for (const JsonValue& child : children()) {
        if (child.name == wanted) return &child;
    }
    return nullptr;
}

/// Reads one JSON text after the other with the same memory: a million lines allocate next to nothing.
/// For one thread at a time.
class JsonReader {
  public:
    JsonReader();
    JsonReader(const JsonReader&) = delete;
    JsonReader& operator=(const JsonReader&) = delete;
    ~JsonReader();

    /// The value of the whole text, valid until the next read; nullptr, and error() says why, where it is not
    /// JSON or goes beyond a limit above.
    [[nodiscard]] const JsonValue* read(std::string_view text);

    [[nodiscard]] const std::string& error() const noexcept { return error_; }

  private:
    struct State;
    std::unique_ptr<State> state_;
    std::string error_;
};

/// The exact value of a decimal string or a number in units of 10^-places. A number may have an exponent
/// (`1e-06` is what Python writes). nullopt: neither, more than `places` places, or beyond 64 bits.
[[nodiscard]] std::optional<std::int64_t> decimal_of(const JsonValue& value, int places);

/// A number without sign, point and exponent; nullopt for anything else and above `most`.
[[nodiscard]] std::optional<std::uint64_t> whole_of(const JsonValue& value, std::uint64_t most) noexcept;

/// A value for a message, in quotes if it was in quotes, cut after kShownBytesMax.
[[nodiscard]] std::string shown(const JsonValue& value);
inline constexpr std::size_t kShownBytesMax = 80;

/// Writes one JSON text from front to back. Bytes that are not UTF-8 become U+FFFD, so the result is always
/// JSON.
class JsonWriter {
  public:
    JsonWriter& open_object() { return open('{'); }
    JsonWriter& close_object() { return close('}'); }
    JsonWriter& open_list() { return open('['); }
    JsonWriter& close_list() { return close(']'); }

    /// Inside an object, before each value.
    JsonWriter& name(std::string_view name);

    JsonWriter& text(std::string_view value);
    JsonWriter& whole(std::uint64_t value);
    JsonWriter& flag(bool value) { return raw(value ? "true" : "false"); }
    JsonWriter& null() { return raw("null"); }
    /// Text, or null where it is empty.
    JsonWriter& text_or_null(std::string_view value) { return value.empty() ? null() : text(value); }
    /// A number that is text already. Requires: it is one.
    JsonWriter& number(std::string_view digits) { return raw(digits); }

    /// The text with a newline behind it; the writer is spent.
    [[nodiscard]] std::string take();

  private:
    JsonWriter& open(char bracket);
    JsonWriter& close(char bracket);
    JsonWriter& raw(std::string_view text);
    void separate();
    void quote(std::string_view text);

    std::string out_;
    bool first_ = true;  // Nothing stands before the next value in its list or object.
};

}  // namespace tollgate::daemon::admin
