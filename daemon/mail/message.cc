#include "daemon/mail/message.h"

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdio>

namespace tollgate::daemon::mail {
namespace {

/// Of the text, without CRLF; RFC 2045 allows no more.
constexpr std::size_t kLineBytesMax = 76;
/// An encoded word has at most 75 bytes, 12 of which say what it is; base64 makes 4 bytes of 3.
constexpr std::size_t kBytesInEncodedWord = (75 - 12) / 4 * 3;
/// A plain subject fits onto one line with its name.
constexpr std::size_t kPlainSubjectBytesMax = 60;

bool is_control(char c) noexcept {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
}

/// Whether a character of UTF-8 goes on with this byte.
bool goes_on(char c) noexcept {
    return (static_cast<unsigned char>(c) & 0xc0U) == 0x80U;
}

/// The first bytes of it, at most `bytes_max`, that end where a character does.
std::string_view cut(std::string_view text, std::size_t bytes_max) noexcept {
    if (text.size() <= bytes_max) return text;
    std::size_t size = bytes_max;
    while (size > 0 && goes_on(text[size]))
        --size;
    return text.substr(0, size == 0 ? bytes_max : size);  // Nothing but such bytes: no UTF-8, cut anywhere.
}

void append_base64(std::string_view bytes, std::string& out) {
    constexpr std::string_view kLetters = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (std::size_t i = 0; i < bytes.size(); i += 3) {
        std::uint32_t group = 0;
        for (std::size_t j = 0; j < 3; ++j)
            group = (group << 8U) | (i + j < bytes.size() ? static_cast<unsigned char>(bytes[i + j]) : 0U);
        for (std::size_t j = 0; j < 4; ++j)
            out += i + j > bytes.size() ? '=' : kLetters[(group >> (18U - 6U * j)) & 0x3fU];
    }
}

/// What stands behind `Subject: `, without its CRLF: as it is where that is possible, else in encoded words
/// of RFC 2047, one a line.
std::string header_text(std::string_view text) {
    std::string clean{cut(text, kSubjectBytesMax)};
    std::replace_if(clean.begin(), clean.end(), is_control, ' ');
    const bool is_plain =
        clean.size() <= kPlainSubjectBytesMax && clean.find("=?") == std::string::npos &&
        !clean.starts_with(' ') && !clean.ends_with(' ') &&
        std::all_of(clean.begin(), clean.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
    if (is_plain) return clean;
    std::string words;
    for (std::string_view left = clean; !left.empty();) {
        const std::string_view word = cut(left, kBytesInEncodedWord);
        left.remove_prefix(word.size());
        if (!words.empty()) words += "\r\n ";
        words += "=?UTF-8?B?";
        append_base64(word, words);
        words += "?=";
    }
    return words;
}

/// One line of the text in quoted-printable, without its end. A blank at the end of a line would be lost on
/// the way.
void append_line(std::string_view line, std::string& out) {
    constexpr std::string_view kHex = "0123456789ABCDEF";
    std::size_t width = 0;
    for (std::size_t i = 0; i < line.size(); ++i) {
        const char c = line[i];
        const bool is_blank = c == ' ' || c == '\t';
        const bool is_last = i + 1 == line.size();
        const bool is_plain = is_blank ? !is_last : c > ' ' && c < 0x7f && c != '=';
        const std::size_t takes = is_plain ? 1 : 3;
        if (width + takes + (is_last ? 0 : 1) > kLineBytesMax) {
            out += "=\r\n";
            width = 0;
        }
        if (is_plain) {
            out += c;
        } else {
            const auto byte = static_cast<unsigned char>(c);
            out += '=';
            out += kHex[byte >> 4U];
            out += kHex[byte & 0xfU];
        }
        width += takes;
    }
}

void append_text(std::string_view text, std::string& out) {
    while (!text.empty()) {
        const std::size_t end = std::min(text.find_first_of("\r\n"), text.size());
        append_line(text.substr(0, end), out);
        out += "\r\n";
        const bool is_pair = text.substr(end).starts_with("\r\n");
        text.remove_prefix(std::min(end + (is_pair ? 2 : 1), text.size()));
    }
}

}  // namespace

std::string mail_date(rating::Instant instant) {
    constexpr std::array kDays = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
    constexpr std::array kMonths = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                    "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const auto day = std::chrono::floor<std::chrono::days>(instant);
    const std::chrono::year_month_day date{day};
    const std::chrono::hh_mm_ss time{std::chrono::floor<std::chrono::seconds>(instant - day)};
    std::array<char, 64> text{};
    const int size =
        std::snprintf(text.data(), text.size(), "%s, %u %s %d %02d:%02d:%02d +0000",
                      kDays[std::chrono::weekday{day}.c_encoding()], static_cast<unsigned>(date.day()),
                      kMonths[static_cast<unsigned>(date.month()) - 1], static_cast<int>(date.year()),
                      static_cast<int>(time.hours().count()), static_cast<int>(time.minutes().count()),
                      static_cast<int>(time.seconds().count()));
    return {text.data(), static_cast<std::size_t>(size)};
}

std::string compose(const Message& message) {
    std::string out;
    out.reserve(message.text.size() + message.text.size() / 4 + 1024);
    const auto header = [&out](std::string_view name, std::string_view value) {
        out += name;
        out += ": ";
        out += value;
        out += "\r\n";
    };
    const std::string_view domain = std::string_view{message.from}.substr(message.from.rfind('@') + 1);
    header("Date", mail_date(message.made_at));
    header("From", message.from);
    header("To", message.to);
    header("Message-ID", '<' + message.id + '@' + std::string{domain} + '>');
    header("Subject", header_text(message.subject));
    header("Auto-Submitted", "auto-generated");  // So that nobody's absence answers it.
    header("MIME-Version", "1.0");
    header("Content-Type", "text/plain; charset=UTF-8");
    header("Content-Transfer-Encoding", "quoted-printable");
    out += "\r\n";
    append_text(message.text, out);
    return out;
}

}  // namespace tollgate::daemon::mail
