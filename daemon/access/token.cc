#include "daemon/access/token.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include <sodium.h>

#include "daemon/access/hexadecimal.h"
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

std::string TokenHash::text() const {
    return hexadecimal(bytes);
}

std::optional<TokenHash> TokenHash::parse(std::string_view text) {
    TokenHash hash;
    if (!from_hexadecimal(text, hash.bytes)) return std::nullopt;
    return hash;
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

const KnownToken* TokenIndex::find(const TokenHash& hash, rating::Instant now) const noexcept {
    const auto found = by_hash_.find(hash);
    if (found == by_hash_.end() || found->second->expires <= now) return nullptr;
    return found->second;
}

std::vector<std::string> TokenIndex::of_person(std::string_view person) const {
    std::vector<std::string> ids;
    const auto found = by_person_.find(person);
    if (found == by_person_.end()) return ids;
    for (const KnownToken* const token : found->second)
        ids.push_back(token->id);
    return ids;
}

std::optional<std::string> TokenIndex::surplus_of(std::string_view person) const {
    const auto found = by_person_.find(person);
    if (found == by_person_.end() || found->second.size() < kTokensPerPersonMax) return std::nullopt;
    return (*std::min_element(
                found->second.begin(), found->second.end(),
                [](const KnownToken* a, const KnownToken* b) { return a->expires < b->expires; }))
        ->id;
}

std::vector<std::string> TokenIndex::expired(rating::Instant now) const {
    std::vector<std::string> ids;
    for (const auto& [id, token] : tokens_) {
        if (token.expires <= now) ids.push_back(id);
    }
    return ids;
}

void TokenIndex::add(KnownToken token) {
    std::string id = token.id;
    const auto [place, added] = tokens_.emplace(std::move(id), std::move(token));
    assert(added);
    const KnownToken& kept = place->second;
    by_hash_.emplace(kept.hash, &kept);
    by_person_[kept.person].push_back(&kept);
}

void TokenIndex::remove(std::string_view id) {
    const auto found = tokens_.find(id);
    if (found == tokens_.end()) return;
    by_hash_.erase(found->second.hash);
    const auto owned = by_person_.find(found->second.person);
    std::erase(owned->second, &found->second);
    if (owned->second.empty()) by_person_.erase(owned);
    tokens_.erase(found);
}

}  // namespace tollgate::daemon::access
