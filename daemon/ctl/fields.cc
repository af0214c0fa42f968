#include "daemon/ctl/fields.h"

#include <algorithm>
#include <array>
#include <string_view>

#include <boost/json/parse.hpp>

namespace tollgate::daemon::ctl {
namespace {

namespace json = boost::json;

// All others are texts.
constexpr std::array<std::string_view, 11> kWholeNumbers = {
    "max_calls", "calls_per_second", "max_seconds", "grace_days", "decimals",      "users",
    "seconds",   "priority",         "version",     "want",       "bundle_seconds"};
constexpr std::array<std::string_view, 6> kFlags = {"invoices_by_email", "code_inactive", "disabled",
                                                    "automatic",         "retired",       "force"};
constexpr std::array<std::string_view, 8> kLists = {"opened_countries", "permissions",    "countries",
                                                    "prefixes",         "distributors",   "bundle_countries",
                                                    "fields",           "bundle_prefixes"};

template <std::size_t kSize>
bool has(const std::array<std::string_view, kSize>& names, std::string_view name) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

json::array list_of(std::string_view text) {
    json::array list;
    while (!text.empty()) {
        const std::size_t comma = std::min(text.find(','), text.size());
        if (comma > 0) list.emplace_back(json::string_view{text.data(), comma});
        text.remove_prefix(std::min(comma + 1, text.size()));
    }
    return list;
}

}  // namespace

FieldWords read_fields(std::span<const std::string> words) {
    FieldWords read;
    for (const std::string& word : words) {
        const std::size_t equals = word.find('=');
        if (equals == std::string::npos || equals == 0) {
            read.fault = '"' + word + "\" is not FIELD=VALUE";
            return read;
        }
        const bool is_json = word[equals - 1] == ':';
        const std::string_view name = std::string_view{word}.substr(0, is_json ? equals - 1 : equals);
        const std::string_view text = std::string_view{word}.substr(equals + 1);
        json::value value;
        if (is_json) {
            json::error_code error;
            value = json::parse({text.data(), text.size()}, error);
            if (error) {
                read.fault =
                    std::string{name} + ": \"" + std::string{text} + "\" is not JSON: " + error.message();
                return read;
            }
        } else if (text.empty()) {
            value = nullptr;
        } else if (has(kLists, name)) {
            value = list_of(text);
        } else if (has(kWholeNumbers, name) || has(kFlags, name)) {
            json::error_code error;
            value = json::parse({text.data(), text.size()}, error);
            if (error || (has(kFlags, name) ? !value.is_bool() : !value.is_int64())) {
                read.fault = std::string{name} + ": \"" + std::string{text} + "\" is not " +
                             (has(kFlags, name) ? "true or false" : "a whole number");
                return read;
            }
        } else {
            value.emplace_string().assign(text.data(), text.size());
        }
        read.object[json::string_view{name.data(), name.size()}] = std::move(value);
    }
    return read;
}

}  // namespace tollgate::daemon::ctl
