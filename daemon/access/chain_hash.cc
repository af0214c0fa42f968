#include "daemon/access/chain_hash.h"

#include <sodium.h>

#include "daemon/access/hexadecimal.h"

namespace tollgate::daemon::access {

std::string ChainHash::text() const {
    return hexadecimal(bytes);
}

std::optional<ChainHash> ChainHash::parse(std::string_view text) {
    ChainHash hash;
    if (!from_hexadecimal(text, hash.bytes)) return std::nullopt;
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
