#include "daemon/commands/answer.h"

#include "rating/decimal.h"

namespace tollgate::daemon::commands {

Answer::Answer(std::string& out, bool plain, std::string_view code, std::string_view figure,
               Elements elements)
    : writer_(out), plain_(plain) {
    if (!plain_) writer_.array(2 + elements.count);
    value(code);
    value(figure);
}

Answer::~Answer() {
    if (plain_) writer_.bulk(plain_text_);
}

void Answer::word(std::string_view text) {
    constexpr std::string_view kHex = "0123456789ABCDEF";
    if (!plain_text_.empty()) plain_text_.push_back(' ');
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte <= ' ' || byte == '%' || byte == 0x7F) {
            plain_text_.push_back('%');
            plain_text_.push_back(kHex[byte >> 4]);
            plain_text_.push_back(kHex[byte & 0xF]);
        } else {
            plain_text_.push_back(c);
        }
    }
}

void Answer::value(std::string_view value) {
    if (plain_) {
        word(value);
    } else {
        writer_.bulk(value);
    }
}

void Answer::pair(std::string_view name, std::string_view text) {
    value(name);
    value(text);
}

void Answer::pair(std::string_view name, std::int64_t number) {
    if (plain_) {
        pair(name, rating::format_decimal(number, 0).view());
    } else {
        writer_.bulk(name);
        writer_.bulk_integer(number);
    }
}

void Answer::nested(std::size_t size) {
    if (!plain_) writer_.array(size);
}

}  // namespace tollgate::daemon::commands
