#include "config/dial_rule.h"

#include <algorithm>

namespace tollgate::config {
namespace {

bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}

}  // namespace

bool is_dial_match(std::string_view text) noexcept {
    return text.size() <= kDialBytesMax && std::all_of(text.begin(), text.end(), [](char c) {
               return is_digit(c) || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '*' || c == '#';
           });
}

bool is_dial_prepend(std::string_view text) noexcept {
    return text.size() <= kDialBytesMax && std::all_of(text.begin(), text.end(), is_digit);
}

}  // namespace tollgate::config
