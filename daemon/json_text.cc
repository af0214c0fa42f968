#include "daemon/json_text.h"

namespace tollgate::daemon {
namespace {

/// How many bytes at the beginning of a text are one character of UTF-8 beyond ASCII; 0: they are none.
std::size_t character_bytes(std::string_view text) noexcept {
    const auto byte = [text](std::size_t i) {
        return i < text.size() ? static_cast<unsigned char>(text[i]) : 0U;
    };
    const auto goes_on = [&byte](std::size_t i) { return (byte(i) & 0xc0U) == 0x80U; };
    const unsigned first = byte(0);
    if (first >= 0xc2 && first <= 0xdf) return goes_on(1) ? 2 : 0;
    if (first >= 0xe0 && first <= 0xef) {
        const bool overlong = first == 0xe0 && byte(1) < 0xa0;
        const bool surrogate = first == 0xed && byte(1) >= 0xa0;
        return goes_on(1) && goes_on(2) && !overlong && !surrogate ? 3 : 0;
    }
    if (first >= 0xf0 && first <= 0xf4) {
        const bool overlong = first == 0xf0 && byte(1) < 0x90;
        const bool beyond = first == 0xf4 && byte(1) >= 0x90;
        return goes_on(1) && goes_on(2) && goes_on(3) && !overlong && !beyond ? 4 : 0;
    }
    return 0;
}

}  // namespace

void add_json(std::string& out, std::string_view text) {
    constexpr std::string_view kHex = "0123456789abcdef";
    out += '"';
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        const auto byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') {
            out += '\\';
            out += c;
        } else if (byte < 0x20 || byte == 0x7f) {
            out += "\\u00";
            out += kHex[byte >> 4U];
            out += kHex[byte & 15U];
        } else if (const auto bytes = character_bytes(text.substr(i)); bytes != 0) {
            out += text.substr(i, bytes);
            i += bytes - 1;
        } else if (byte >= 0x80) {
            out += static_cast<char>(0xc0U | byte >> 6U);
            out += static_cast<char>(0x80U | (byte & 0x3fU));
        } else {
            out += c;
        }
    }
    out += '"';
}

}  // namespace tollgate::daemon
