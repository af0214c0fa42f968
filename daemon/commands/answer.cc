#include "daemon/commands/answer.h"

#include "protocol/resp_writer.h"

namespace tollgate::daemon::commands {

// The room is not filled: it is written before it is read.
// NOLINTNEXTLINE(cppcoreguidelines-pro-type-member-init)
Answer::Answer(std::string& out, bool plain, std::string_view code, std::string_view figure,
               Elements elements)
    : out_(out), plain_(plain) {
    if (!plain_) {
        put(protocol::put_header(end(), '*', 2 + elements.count));
    }
    value(code);
    value(figure);
}

Answer::~Answer() {
    flush();
    if (plain_) protocol::RespWriter{out_}.bulk(plain_text_);
}

void Answer::flush() {
    out_.append(room_.data(), size_);
    size_ = 0;
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

void Answer::decimal(std::string_view name, std::int64_t number, int places) {
    if (!fits(name, rating::kDecimalBytesMax)) {
        return pair(name, std::string_view{rating::format_decimal(number, places)});
    }
    char* const header = protocol::put_bulk(end(), name);
    constexpr std::size_t kHeader = 4;  // Of a text of one digit's length, as most are.
    char* text_end = rating::write_decimal(header + kHeader, number, places);
    const auto size = static_cast<std::size_t>(text_end - header) - kHeader;
    if (size < 10) {
        (void)protocol::put_header(header, '$', size);
    } else {
        std::memmove(header + kHeader + 1, header + kHeader, size);
        ++text_end;
        (void)protocol::put_header(header, '$', size);
    }
    *text_end++ = '\r';
    *text_end++ = '\n';
    put(text_end);
}

void Answer::pair_elsewhere(std::string_view name, std::string_view text) {
    value(name);
    value(text);
}

void Answer::value_elsewhere(std::string_view text) {
    if (plain_) return word(text);
    flush();
    protocol::RespWriter{out_}.bulk(text);
}

void Answer::nested(std::size_t size) {
    if (plain_) return;
    flush();
    protocol::RespWriter{out_}.array(size);
}

}  // namespace tollgate::daemon::commands
