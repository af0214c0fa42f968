#include "config/dial_rule.h"

#include <algorithm>

#include "rating/digits.h"

namespace tollgate::config {

bool is_dial_match(std::string_view text) noexcept {
    return text.size() <= kDialBytesMax && std::all_of(text.begin(), text.end(), [](char c) {
               return rating::is_digit(c) || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '*' ||
                      c == '#';
           });
}

bool is_dial_prepend(std::string_view text) noexcept {
    return text.size() <= kDialBytesMax && std::all_of(text.begin(), text.end(), rating::is_digit);
}

}  // namespace tollgate::config
