#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "config/config.h"

/// The kinds of value a key can take: text to type, type to text, and the range between.
///
/// Each kind has the same three members, so that the table in keys.cc can treat them alike:
/// - `expects()` ends the sentence "this key takes ..."; the manual quotes it word for word.
/// - `read(written)` gives the typed value, always within the range, or a Problem.
/// - `show(value)` writes the value as `--set` takes it: reading what was shown gives the same value.
namespace tollgate::config {

/// A value as the operator wrote it, before its key says what it has to be.
struct Written {
    enum class Form : std::uint8_t {
        plain,    ///< From `--set`: text that may stand for anything.
        string,   ///< A TOML string; `text` is without its quotes.
        integer,  ///< A TOML integer; `text` is decimal.
        list,     ///< A TOML array, or `--set` of a key that takes a list; see `elements`.
        other,    ///< A fraction, a boolean, a date, a table: no key takes one.
    };

    Form form = Form::plain;
    std::string text;               ///< Whatever the form, this is what a message shows.
    std::vector<Written> elements;  ///< Of a list.
};

/// What is wrong with a value and the way out, without the place: `"180" has no unit; write 180s, 3m or 1h`.
struct Problem {
    std::string text;
};

template <typename Value>
using Outcome = std::variant<Value, Problem>;

/// Text from outside made fit for one line of a message: control characters are escaped, and what is longer
/// than kShownBytesMax ends in `...`.
inline constexpr std::size_t kShownBytesMax = 80;
[[nodiscard]] std::string printable(std::string_view text);
[[nodiscard]] std::string quoted(std::string_view text);

/// A whole number.
struct Count {
    using Value = std::uint32_t;
    Value least;
    Value most;

    [[nodiscard]] std::string expects() const;
    [[nodiscard]] Outcome<Value> read(const Written& written) const;
    [[nodiscard]] static std::string show(Value count);
};

/// Bytes: `16384`, or with a unit, `16 KiB`. KB, MB and GB are refused, because people disagree about them.
struct Size {
    using Value = std::size_t;
    Value least;
    Value most;

    [[nodiscard]] std::string expects() const;
    [[nodiscard]] Outcome<Value> read(const Written& written) const;
    [[nodiscard]] static std::string show(Value bytes);
};

/// A whole number and its unit: `500ms`, `180s`, `3m`, `1h`, `35d`. Never a bare number: 180 of what?
struct Duration {
    using Value = std::chrono::milliseconds;
    Value least;
    Value most;

    [[nodiscard]] std::string expects() const;
    [[nodiscard]] Outcome<Value> read(const Written& written) const;
    [[nodiscard]] static std::string show(Value duration);
};

/// As Duration, but no part of a second: for what is granted to calls.
struct WholeSeconds {
    using Value = std::chrono::seconds;
    Value least;
    Value most;

    [[nodiscard]] std::string expects() const;
    [[nodiscard]] Outcome<Value> read(const Written& written) const;
    [[nodiscard]] static std::string show(Value duration);
};

/// `127.0.0.1:7379` or `[::1]:7379`.
struct Address {
    using Value = Endpoint;

    [[nodiscard]] static std::string expects();
    [[nodiscard]] static Outcome<Value> read(const Written& written);
    [[nodiscard]] static std::string show(const Value& endpoint);
};

/// As Address, or empty for none.
struct AddressOrNone {
    using Value = Endpoint;

    [[nodiscard]] static std::string expects();
    [[nodiscard]] static Outcome<Value> read(const Written& written);
    [[nodiscard]] static std::string show(const Value& endpoint);
};

/// A path of the file system, or empty. Whether anything is there is the business of whoever opens it.
struct Path {
    using Value = std::string;
    std::size_t bytes_max;

    [[nodiscard]] std::string expects() const;
    [[nodiscard]] Outcome<Value> read(const Written& written) const;
    [[nodiscard]] static std::string show(const Value& path);
};

/// A text on one line, or empty.
struct Text {
    using Value = std::string;
    std::size_t bytes_max;

    [[nodiscard]] std::string expects() const;
    [[nodiscard]] Outcome<Value> read(const Written& written) const;
    [[nodiscard]] static std::string show(const Value& text);
};

/// An amount of money: `2.50`.
struct Amount {
    using Value = rating::Money;
    Value least;
    Value most;

    [[nodiscard]] std::string expects() const;
    [[nodiscard]] Outcome<Value> read(const Written& written) const;
    [[nodiscard]] static std::string show(Value amount);
};

/// A mail server, or empty for none: `mail.example.com:25`, `192.0.2.1:587`, `[::1]:25`.
struct Relay {
    using Value = MailRelay;

    [[nodiscard]] static std::string expects();
    [[nodiscard]] static Outcome<Value> read(const Written& written);
    [[nodiscard]] static std::string show(const Value& relay);
};

/// An e-mail address.
struct MailAddress {
    using Value = std::string;

    [[nodiscard]] static std::string expects();
    [[nodiscard]] static Outcome<Value> read(const Written& written);
    [[nodiscard]] static std::string show(const Value& address);
};

/// Numbers to dial, as digits. They are texts, for `000` is one.
struct Numbers {
    using Value = std::vector<std::string>;
    std::size_t digits_max;
    std::size_t entries_max;

    [[nodiscard]] std::string expects() const;
    [[nodiscard]] Outcome<Value> read(const Written& written) const;
    [[nodiscard]] static std::string show(const Value& numbers);
};

/// Names of switches.
struct Names {
    using Value = std::vector<std::string>;
    std::size_t bytes_max;
    std::size_t entries_max;

    [[nodiscard]] std::string expects() const;
    [[nodiscard]] Outcome<Value> read(const Written& written) const;
    [[nodiscard]] static std::string show(const Value& names);
};

/// Rules of a dial plan, MATCH:STRIP:PREPEND each.
struct DialRules {
    using Value = std::vector<DialRule>;
    std::size_t entries_max;

    [[nodiscard]] std::string expects() const;
    [[nodiscard]] Outcome<Value> read(const Written& written) const;
    [[nodiscard]] static std::string show(const Value& rules);
};

/// Dial plans of switches, SWITCH=PLAN each.
struct SwitchPlans {
    using Value = std::vector<SwitchPlan>;
    std::size_t name_bytes_max;
    std::size_t entries_max;

    [[nodiscard]] std::string expects() const;
    [[nodiscard]] Outcome<Value> read(const Written& written) const;
    [[nodiscard]] static std::string show(const Value& switches);
};

/// One of a few words, each of which is an enumerator.
template <typename Enumeration>
struct Choice {
    using Value = Enumeration;
    std::vector<std::pair<std::string_view, Value>> words;

    [[nodiscard]] std::string expects() const;
    [[nodiscard]] Outcome<Value> read(const Written& written) const;
    [[nodiscard]] std::string show(Value value) const;
};

}  // namespace tollgate::config
