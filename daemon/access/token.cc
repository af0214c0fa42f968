#include "daemon/access/token.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include <sodium.h>

#include "daemon/access/sodium.h"

namespace tollgate::daemon::access {
namespace {

constexpr int kAlphabet = sodium_base64_VARIANT_URLSAFE_NO_PADDING;

TokenHash hash_of(const std::array<unsigned char, kTokenBytes>& secret) {
    TokenHash hash;
    crypto_generichash(hash.bytes.data(), hash.bytes.size(), secret.data(), secret.size(), nullptr, 0);
    return hash;
}

}  // namespace

bool operator==(const TokenHash& a, const TokenHash& b) noexcept {
    return sodium_memcmp(a.bytes.data(), b.bytes.data(), a.bytes.size()) == 0;
}

FreshToken make_token() {
    need_sodium();
    std::array<unsigned char, kTokenBytes> secret{};
    randombytes_buf(secret.data(), secret.size());
    std::array<char, sodium_base64_ENCODED_LEN(kTokenBytes, kAlphabet)> text{};
    sodium_bin2base64(text.data(), text.size(), secret.data(), secret.size(), kAlphabet);
    FreshToken token{std::string{kTokenPrefix} + text.data(), hash_of(secret)};
    sodium_memzero(secret.data(), secret.size());
    sodium_memzero(text.data(), text.size());
    return token;
}

std::optional<TokenHash> hash_of_token(std::string_view text) {
    if (text.size() != kTokenTextBytes || !text.starts_with(kTokenPrefix)) return std::nullopt;
    text.remove_prefix(kTokenPrefix.size());
    std::array<unsigned char, kTokenBytes> secret{};
    std::size_t bytes = 0;
    if (sodium_base642bin(secret.data(), secret.size(), text.data(), text.size(), nullptr, &bytes, nullptr,
                          kAlphabet) != 0 ||
        bytes != kTokenBytes)
        return std::nullopt;
    const TokenHash hash = hash_of(secret);
    sodium_memzero(secret.data(), secret.size());
    return hash;
}

const Token* TokenTable::find(const TokenHash& hash, rating::Instant now) const noexcept {
    const auto found = by_hash_.find(hash);
    if (found == by_hash_.end() || found->second->expires <= now) return nullptr;
    return found->second;
}

const Token* TokenTable::find(TokenId id) const noexcept {
    const auto found = tokens_.find(id);
    return found == tokens_.end() ? nullptr : &found->second;
}

std::vector<const Token*> TokenTable::tokens_of(PersonId person, rating::Instant now) const {
    std::vector<const Token*> tokens;
    const auto found = by_person_.find(person);
    if (found == by_person_.end()) return tokens;
    for (const TokenId id : found->second) {
        const Token& token = tokens_.at(id);
        if (token.expires > now) tokens.push_back(&token);
    }
    return tokens;
}

std::optional<TokenId> TokenTable::surplus_of(PersonId person) const {
    const auto found = by_person_.find(person);
    if (found == by_person_.end() || found->second.size() < kTokensPerPersonMax) return std::nullopt;
    return *std::min_element(found->second.begin(), found->second.end(), [this](TokenId a, TokenId b) {
        return tokens_.at(a).expires < tokens_.at(b).expires;
    });
}

void TokenTable::add(Token token) {
    const TokenId id = token.id;
    const PersonId person = token.person;
    const auto [place, added] = tokens_.emplace(id, std::move(token));
    assert(added);
    by_hash_.emplace(place->second.hash, &place->second);
    by_person_[person].push_back(id);
}

bool TokenTable::remove(TokenId id) {
    const auto found = tokens_.find(id);
    if (found == tokens_.end()) return false;
    by_hash_.erase(found->second.hash);
    const auto owned = by_person_.find(found->second.person);
    std::erase(owned->second, id);
    if (owned->second.empty()) by_person_.erase(owned);
    tokens_.erase(found);
    return true;
}

std::size_t TokenTable::remove_all_of(PersonId person, std::optional<TokenId> but) {
    const auto found = by_person_.find(person);
    if (found == by_person_.end()) return 0;
    const std::vector<TokenId> ids = found->second;
    std::size_t removed = 0;
    for (const TokenId id : ids) {
        if (id != but && remove(id)) ++removed;
    }
    return removed;
}

std::size_t TokenTable::remove_expired(rating::Instant now) {
    std::vector<TokenId> ids;
    for (const auto& [id, token] : tokens_) {
        if (token.expires <= now) ids.push_back(id);
    }
    for (const TokenId id : ids)
        remove(id);
    return ids.size();
}

}  // namespace tollgate::daemon::access
