#include "daemon/admin/csv.h"

#include <algorithm>

namespace tollgate::daemon::admin {
namespace {

/// `-12.5`: digits, with at most one point among them, behind an optional minus sign.
bool is_plain_number(std::string_view text) noexcept {
    if (text.starts_with('-')) text.remove_prefix(1);
    const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
    const std::size_t point = std::min(text.find('.'), text.size());
    const std::string_view whole = text.substr(0, point);
    const std::string_view rest = text.substr(std::min(point + 1, text.size()));
    return !whole.empty() && std::all_of(whole.begin(), whole.end(), is_digit) &&
           (point == text.size() || !rest.empty()) && std::all_of(rest.begin(), rest.end(), is_digit);
}

bool is_formula(std::string_view text) noexcept {
    constexpr std::string_view kBegins = "=+-@\t\r";
    return !text.empty() && kBegins.find(text.front()) != std::string_view::npos && !is_plain_number(text);
}

}  // namespace

void CsvWriter::cell(std::string_view text) {
    if (!first_) out_.push_back(',');
    first_ = false;
    const bool formula = is_formula(text);
    if (text.find_first_of(",\"\r\n") == std::string_view::npos) {
        if (formula) out_.push_back('\'');
        out_.append(text);
        return;
    }
    out_.push_back('"');
    if (formula) out_.push_back('\'');
    for (const char c : text) {
        if (c == '"') out_.push_back('"');
        out_.push_back(c);
    }
    out_.push_back('"');
}

void CsvWriter::end_row() {
    out_.push_back('\n');
    first_ = true;
}

}  // namespace tollgate::daemon::admin
