#include "daemon/admin/json.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <utility>

#include <boost/json/basic_parser_impl.hpp>

#include "daemon/utf8.h"
#include "rating/decimal.h"

namespace tollgate::daemon::admin {
namespace {

namespace json = boost::json;

using Kind = JsonValue::Kind;

/// Takes Boost.JSON's events and lays the values out flat. Its numbers arrive with their text, which is all
/// that is kept of them.
class Collector {
  public:
    // Asked for by basic_parser; kJsonBytesMax and kJsonValuesMax bound everything before these do.
    static constexpr std::size_t max_array_size = kJsonValuesMax;   // NOLINT(readability-identifier-naming)
    static constexpr std::size_t max_object_size = kJsonValuesMax;  // NOLINT(readability-identifier-naming)
    static constexpr std::size_t max_string_size = kJsonBytesMax;   // NOLINT(readability-identifier-naming)
    static constexpr std::size_t max_key_size = kJsonBytesMax;      // NOLINT(readability-identifier-naming)

    void clear(std::size_t text_bytes) {
        values_.clear();
        open_.clear();
        texts_.clear();
        // What is decoded is never longer than what was written, so the views into texts_ stay where they
        // are.
        texts_.reserve(text_bytes);
        text_begin_ = 0;
        name_ = {};
    }
    [[nodiscard]] const JsonValue* root() const noexcept { return values_.data(); }

    bool on_document_begin(json::error_code& /*failure*/) noexcept { return true; }
    bool on_document_end(json::error_code& /*failure*/) noexcept { return true; }

    bool on_array_begin(json::error_code& failure) { return open(Kind::list, failure); }
    bool on_object_begin(json::error_code& failure) { return open(Kind::object, failure); }
    bool on_array_end(std::size_t /*count*/, json::error_code& /*failure*/) { return close(); }
    bool on_object_end(std::size_t /*count*/, json::error_code& /*failure*/) { return close(); }

    bool on_key_part(json::string_view part, std::size_t /*size*/, json::error_code& /*failure*/) {
        return keep(part);
    }
    bool on_key(json::string_view part, std::size_t /*size*/, json::error_code& /*failure*/) {
        keep(part);
        name_ = take_text();
        return true;
    }
    bool on_string_part(json::string_view part, std::size_t /*size*/, json::error_code& /*failure*/) {
        return keep(part);
    }
    bool on_string(json::string_view part, std::size_t /*size*/, json::error_code& failure) {
        keep(part);
        return add(Kind::string, take_text(), failure);
    }

    bool on_number_part(json::string_view part, json::error_code& /*failure*/) { return keep(part); }
    bool on_int64(std::int64_t /*value*/, json::string_view part, json::error_code& failure) {
        return on_number(part, failure);
    }
    bool on_uint64(std::uint64_t /*value*/, json::string_view part, json::error_code& failure) {
        return on_number(part, failure);
    }
    bool on_double(double /*value*/, json::string_view part, json::error_code& failure) {
        return on_number(part, failure);
    }

    bool on_bool(bool value, json::error_code& failure) {
        return add(Kind::boolean, value ? "true" : "false", failure);
    }
    bool on_null(json::error_code& failure) { return add(Kind::null, "null", failure); }

    bool on_comment_part(json::string_view /*part*/, json::error_code& /*failure*/) noexcept { return true; }
    bool on_comment(json::string_view /*part*/, json::error_code& /*failure*/) noexcept { return true; }

  private:
    bool on_number(json::string_view part, json::error_code& failure) {
        keep(part);
        return add(Kind::number, take_text(), failure);
    }
    bool keep(json::string_view part) {
        assert(texts_.size() + part.size() <= texts_.capacity());
        texts_.append(part.data(), part.size());
        return true;
    }
    std::string_view take_text() noexcept {
        const std::string_view text = std::string_view{texts_}.substr(text_begin_);
        text_begin_ = texts_.size();
        return text;
    }
    bool add(Kind kind, std::string_view text, json::error_code& failure) {
        if (values_.size() == kJsonValuesMax) {
            failure = json::make_error_code(json::error::array_too_large);
            return false;
        }
        values_.push_back({.kind = kind, .span = 1, .name = std::exchange(name_, {}), .text = text});
        return true;
    }
    bool open(Kind kind, json::error_code& failure) {
        open_.push_back(values_.size());
        return add(kind, {}, failure);
    }
    bool close() noexcept {
        values_[open_.back()].span = static_cast<std::uint32_t>(values_.size() - open_.back());
        open_.pop_back();
        return true;
    }

    std::vector<JsonValue> values_;
    std::vector<std::size_t> open_;
    std::string texts_;
    std::size_t text_begin_ = 0;
    std::string_view name_;
};

json::parse_options options() {
    json::parse_options options;
    options.max_depth = kJsonDepthMax;
    return options;
}

/// How far an exponent may move the point; beyond it nothing fits 64 bits.
constexpr std::uint64_t kExponentMax = 40;

/// `1.5e-3` as `0.0015`, exactly. Requires: a number by JSON's grammar with an exponent.
std::optional<std::string> without_exponent(std::string_view number) {
    const std::size_t e = number.find_first_of("eE");
    std::string_view exponent_text = number.substr(e + 1);
    const bool up = exponent_text.front() != '-';
    if (exponent_text.front() == '-' || exponent_text.front() == '+') exponent_text.remove_prefix(1);
    const auto exponent = rating::parse_unsigned(exponent_text, kExponentMax);
    if (!exponent) return std::nullopt;

    std::string_view mantissa = number.substr(0, e);
    const bool negative = mantissa.front() == '-';
    if (negative) mantissa.remove_prefix(1);
    const std::size_t point = std::min(mantissa.find('.'), mantissa.size());
    std::string digits{mantissa.substr(0, point)};
    std::size_t digits_before = digits.size();
    if (point < mantissa.size()) digits.append(mantissa.substr(point + 1));

    if (up) {
        digits_before += *exponent;
        if (digits.size() < digits_before) digits.append(digits_before - digits.size(), '0');
    } else {
        digits.insert(0, *exponent, '0');
    }
    std::string fraction = digits.substr(digits_before);
    fraction.erase(fraction.find_last_not_of('0') + 1);
    return (negative ? "-" : "") + digits.substr(0, digits_before) + (fraction.empty() ? "" : "." + fraction);
}

}  // namespace

struct JsonReader::State {
    json::basic_parser<Collector> parser{options()};
};

JsonReader::JsonReader() : state_(std::make_unique<State>()) {}
JsonReader::~JsonReader() = default;

const JsonValue* JsonReader::read(std::string_view text) {
    if (text.size() > kJsonBytesMax) {
        error_ = "longer than " + std::to_string(kJsonBytesMax) + " bytes";
        return nullptr;
    }
    auto& parser = state_->parser;
    parser.reset();
    parser.handler().clear(text.size());
    json::error_code failure;
    const std::size_t used = parser.write_some(false, text.data(), text.size(), failure);
    if (!failure && used < text.size()) failure = json::make_error_code(json::error::extra_data);
    if (failure) {
        error_ = "not JSON: " + failure.message();
        return nullptr;
    }
    return parser.handler().root();
}

std::optional<std::int64_t> decimal_of(const JsonValue& value, int places) {
    if (value.kind != Kind::string && value.kind != Kind::number) return std::nullopt;
    if (value.kind == Kind::number && value.text.find_first_of("eE") != std::string_view::npos) {
        const auto plain = without_exponent(value.text);
        return plain ? rating::parse_decimal(*plain, places) : std::nullopt;
    }
    return rating::parse_decimal(value.text, places);
}

std::optional<std::uint64_t> whole_of(const JsonValue& value, std::uint64_t most) noexcept {
    return value.kind == Kind::number ? rating::parse_unsigned(value.text, most) : std::nullopt;
}

std::string shown(const JsonValue& value) {
    switch (value.kind) {
        case Kind::string:
            return '"' + std::string{value.text.substr(0, kShownBytesMax)} + '"';
        case Kind::list:
            return "a list";
        case Kind::object:
            return "an object";
        case Kind::null:
        case Kind::boolean:
        case Kind::number:
            break;
    }
    return std::string{value.text.substr(0, kShownBytesMax)};
}

JsonWriter& JsonWriter::open(char bracket) {
    separate();
    out_.push_back(bracket);
    first_ = true;
    return *this;
}

JsonWriter& JsonWriter::close(char bracket) {
    out_.push_back(bracket);
    first_ = false;
    return *this;
}

JsonWriter& JsonWriter::name(std::string_view name) {
    separate();
    quote(name);
    out_.push_back(':');
    first_ = true;  // The value that follows needs no comma.
    return *this;
}

JsonWriter& JsonWriter::text(std::string_view value) {
    separate();
    quote(value);
    return *this;
}

JsonWriter& JsonWriter::whole(std::uint64_t value) {
    return raw(std::to_string(value));
}

JsonWriter& JsonWriter::raw(std::string_view text) {
    separate();
    out_.append(text);
    return *this;
}

std::string JsonWriter::take() {
    out_.push_back('\n');
    return std::move(out_);
}

void JsonWriter::separate() {
    if (!first_) out_.push_back(',');
    first_ = false;
}

void JsonWriter::quote(std::string_view text) {
    static constexpr std::string_view kHex = "0123456789abcdef";
    out_.push_back('"');
    while (!text.empty()) {
        const std::size_t size = utf8_bytes(text);
        const char c = text.front();
        if (size == 0) {
            out_.append("\xEF\xBF\xBD");  // U+FFFD
        } else if (c == '"' || c == '\\') {
            out_.push_back('\\');
            out_.push_back(c);
        } else if (c == '\n') {
            out_.append("\\n");
        } else if (static_cast<unsigned char>(c) < 0x20) {
            out_.append("\\u00");
            out_.push_back(kHex[static_cast<unsigned char>(c) >> 4]);
            out_.push_back(kHex[static_cast<unsigned char>(c) & 0xF]);
        } else {
            out_.append(text.substr(0, size));
        }
        text.remove_prefix(std::max<std::size_t>(size, 1));
    }
    out_.push_back('"');
}

}  // namespace tollgate::daemon::admin
