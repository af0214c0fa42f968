#include "config/mail_address.h"

#include <algorithm>

namespace tollgate::config {
namespace {

constexpr std::size_t kLocalPartBytesMax = 64;
constexpr std::size_t kHostNameBytesMax = 253;
constexpr std::size_t kLabelBytesMax = 63;

bool is_letter_or_digit(char c) noexcept {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/// What RFC 5322 calls atext.
bool is_atom_character(char c) noexcept {
    return is_letter_or_digit(c) || std::string_view{"!#$%&'*+-/=?^_`{|}~"}.find(c) != std::string_view::npos;
}

bool is_atom(std::string_view text) noexcept {
    return !text.empty() && std::all_of(text.begin(), text.end(), is_atom_character);
}

bool is_label(std::string_view text) noexcept {
    return !text.empty() && text.size() <= kLabelBytesMax && text.front() != '-' && text.back() != '-' &&
           std::all_of(text.begin(), text.end(), [](char c) { return is_letter_or_digit(c) || c == '-'; });
}

template <typename Part>
bool is_dotted(std::string_view text, Part is_part) noexcept {
    for (;;) {
        const std::size_t dot = text.find('.');
        if (!is_part(text.substr(0, dot))) return false;
        if (dot == std::string_view::npos) return true;
        text.remove_prefix(dot + 1);
    }
}

}  // namespace

bool is_host_name(std::string_view text) noexcept {
    return text.size() <= kHostNameBytesMax && is_dotted(text, is_label);
}

bool is_mail_address(std::string_view text) noexcept {
    const std::size_t at = text.rfind('@');
    if (at == std::string_view::npos || text.size() > kMailAddressBytesMax) return false;
    const std::string_view local = text.substr(0, at);
    return local.size() <= kLocalPartBytesMax && is_dotted(local, is_atom) &&
           is_host_name(text.substr(at + 1));
}

}  // namespace tollgate::config
