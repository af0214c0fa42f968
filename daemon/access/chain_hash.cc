#include "daemon/access/chain_hash.h"

#include <sodium.h>

namespace tollgate::daemon::access {

std::string ChainHash::text() const {
    std::array<char, 2 * sizeof bytes + 1> text{};
    sodium_bin2hex(text.data(), text.size(), bytes.data(), bytes.size());
    return text.data();
}

std::optional<ChainHash> ChainHash::parse(std::string_view text) {
    ChainHash hash;
    std::size_t size = 0;
    if (text.size() != 2 * hash.bytes.size() ||
        sodium_hex2bin(hash.bytes.data(), hash.bytes.size(), text.data(), text.size(), nullptr, &size,
                       nullptr) != 0 ||
        size != hash.bytes.size())
        return std::nullopt;
    return hash;
}

ChainHash chain_hash(const ChainHash& previous, std::span<const std::byte> entry) noexcept {
    crypto_generichash_state state;
    crypto_generichash_init(&state, nullptr, 0, sizeof previous.bytes);
    crypto_generichash_update(&state, previous.bytes.data(), previous.bytes.size());
    crypto_generichash_update(&state, reinterpret_cast<const unsigned char*>(entry.data()), entry.size());
    ChainHash hash;
    crypto_generichash_final(&state, hash.bytes.data(), hash.bytes.size());
    return hash;
}

}  // namespace tollgate::daemon::access
