#include "daemon/partners/words.h"

#include "daemon/partners/record.h"
#include "rating/digits.h"

namespace tollgate::daemon {
namespace {

constexpr bool is_letter(char c) noexcept {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
}

template <typename Is>
bool all(std::string_view text, const Is& is) noexcept {
    return std::all_of(text.begin(), text.end(), is);
}

/// Dotted words of letters, digits and `extra`, none of them empty.
bool is_dotted(std::string_view text, std::string_view extra) noexcept {
    if (text.empty() || text.front() == '.' || text.back() == '.') return false;
    if (text.find("..") != std::string_view::npos) return false;
    return all(text, [extra](char c) {
        return is_letter(c) || rating::is_digit(c) || c == '.' || extra.find(c) != std::string_view::npos;
    });
}

}  // namespace

bool is_plain_text(std::string_view text) noexcept {
    return text.size() <= kRecordTextMax &&
           all(text, [](char c) { return static_cast<unsigned char>(c) >= ' ' && c != 0x7F; });
}

bool is_email(std::string_view text) noexcept {
    const std::size_t at = text.find('@');
    if (text.size() > 254 || at == std::string_view::npos || at > 64) return false;
    const std::string_view domain = text.substr(at + 1);
    return is_dotted(text.substr(0, at), "!#$%&'*+-/=?^_`{|}~") && is_dotted(domain, "-") &&
           domain.front() != '-' && domain.back() != '-';
}

bool is_phone(std::string_view text) noexcept {
    if (text.starts_with('+')) text.remove_prefix(1);
    const auto digits = std::count_if(text.begin(), text.end(), rating::is_digit);
    return digits >= 3 && digits <= 32 && text.size() <= 64 && all(text, [](char c) {
               return rating::is_digit(c) || c == ' ' || c == '-' || c == '(' || c == ')';
           });
}

bool is_number(std::string_view text) noexcept {
    return !text.empty() && text.size() <= 32 && all(text, rating::is_digit);
}

bool is_billing_period(std::string_view text) noexcept {
    return is_one_of(text, {"daily", "weekly", "semimonthly", "monthly", "anniversary"});
}

bool is_statistics(std::string_view text) noexcept {
    return is_one_of(text, {"none", "summary", "full"});
}

bool is_payment_collection(std::string_view text) noexcept {
    return is_one_of(text, {"manual", "automatic"});
}

bool is_renewal(std::string_view text) noexcept {
    return is_one_of(text, {"suspend", "owe", "drop"});
}

bool is_language(std::string_view text) noexcept {
    const std::size_t end = std::min(text.find('-'), text.size());
    return text.size() <= 35 && end >= 2 && end <= 3 && text.back() != '-' &&
           all(text.substr(0, end), is_letter) &&
           all(text, [](char c) { return is_letter(c) || rating::is_digit(c) || c == '-'; });
}

bool is_time_pattern(std::string_view text) noexcept {
    if (text.empty() || text.size() > 32 || !is_plain_text(text)) return false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] != '%') continue;
        constexpr std::string_view kLetters = "aAbBdeHIjmMpSyYZz%";
        if (++i == text.size() || kLetters.find(text[i]) == std::string_view::npos) return false;
    }
    return true;
}

}  // namespace tollgate::daemon
