#include "daemon/json_text.h"

#include "daemon/utf8.h"

namespace tollgate::daemon {

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
        } else if (const auto bytes = utf8_bytes(text.substr(i)); bytes > 1) {
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
