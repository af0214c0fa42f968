#include "daemon/access/password.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstdlib>

#include <sodium.h>

#include "daemon/access/sodium.h"
#include "daemon/letters.h"
#include "daemon/utf8.h"

namespace tollgate::daemon::access {
namespace {

constexpr std::string_view kHashBegin = "$argon2id$v=19$m=";

/// A number and the sign behind it, taken off the front.
std::optional<std::uint64_t> take_number(std::string_view& text, std::string_view behind) noexcept {
    std::uint64_t number = 0;
    const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (failure != std::errc{}) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(end - text.data()));
    if (!text.starts_with(behind)) return std::nullopt;
    text.remove_prefix(behind.size());
    return number;
}

}  // namespace

PasswordRule rule_of(std::string_view password, std::string_view login) noexcept {
    if (password.size() > kPasswordBytesMax) return PasswordRule::too_long;
    std::size_t characters = 0;
    for (std::string_view rest = password; !rest.empty(); ++characters) {
        const std::size_t bytes = utf8_bytes(rest);
        const auto first = static_cast<unsigned char>(rest.front());
        if (bytes == 0 || first < 0x20 || first == 0x7F) return PasswordRule::no_text;
        rest.remove_prefix(bytes);
    }
    if (characters < kPasswordCharactersMin) return PasswordRule::too_short;
    if (same_letters(password, login) || same_letters(password, login.substr(0, login.find('@'))))
        return PasswordRule::login;
    const std::string_view first = password.substr(0, utf8_bytes(password));
    std::string_view rest = password;
    while (rest.starts_with(first))
        rest.remove_prefix(first.size());
    return rest.empty() ? PasswordRule::one_sign : PasswordRule::kept;
}

std::string_view text_of(PasswordRule rule) noexcept {
    switch (rule) {
        case PasswordRule::kept:
            return {};
        case PasswordRule::too_short:
            return "too short: expected at least 10 characters";
        case PasswordRule::too_long:
            return "too long: expected at most 256 bytes";
        case PasswordRule::no_text:
            return "expected UTF-8 without control characters";
        case PasswordRule::login:
            return "is the login, which everybody may know";
        case PasswordRule::one_sign:
            return "is one character again and again";
    }
    std::abort();  // Not an enumerator: memory is corrupt.
}

std::optional<PasswordHash> PasswordHash::parse(std::string_view text) {
    if (text.size() >= crypto_pwhash_STRBYTES || !text.starts_with(kHashBegin)) return std::nullopt;
    std::string_view rest = text.substr(kHashBegin.size());
    const auto kibibytes = take_number(rest, ",t=");
    if (!kibibytes || *kibibytes == 0 || *kibibytes > kHashMemoryBytesMax / 1024) return std::nullopt;
    const auto passes = take_number(rest, ",p=");
    if (!passes || *passes == 0 || *passes > kHashPassesMax) return std::nullopt;
    const auto lanes = take_number(rest, "$");
    if (lanes != 1 || rest.find('$') == std::string_view::npos) return std::nullopt;
    return PasswordHash{std::string{text}};
}

Passwords::Passwords(PasswordCost cost) : cost_(cost) {
    need_sodium();
}

std::optional<PasswordHash> Passwords::hash(std::string_view password) const {
    std::array<char, crypto_pwhash_STRBYTES> text{};
    if (crypto_pwhash_str_alg(text.data(), password.data(), password.size(), cost_.passes, cost_.memory_bytes,
                              crypto_pwhash_ALG_ARGON2ID13) != 0)
        return std::nullopt;
    return PasswordHash{text.data()};
}

bool Passwords::verify(const std::optional<PasswordHash>& hash, std::string_view password) const {
    std::call_once(made_, [this] {
        std::array<char, 32> unknown{};
        randombytes_buf(unknown.data(), unknown.size());
        nobodys_ = this->hash({unknown.data(), unknown.size()});
    });
    if (!hash && !nobodys_) return false;
    const PasswordHash& compared = hash ? *hash : *nobodys_;
    const std::string_view given = password.substr(0, std::min(password.size(), kPasswordBytesMax + 1));
    const bool right = crypto_pwhash_str_verify(compared.text.c_str(), given.data(), given.size()) == 0;
    return right && hash.has_value() && password.size() <= kPasswordBytesMax;
}

bool Passwords::is_outdated(const PasswordHash& hash) const noexcept {
    return crypto_pwhash_str_needs_rehash(hash.text.c_str(), cost_.passes, cost_.memory_bytes) != 0;
}

void wipe(std::string& secret) noexcept {
    sodium_memzero(secret.data(), secret.size());
    secret.clear();
}

}  // namespace tollgate::daemon::access
