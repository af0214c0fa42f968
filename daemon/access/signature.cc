#include "daemon/access/signature.h"

#include <array>

#include <sodium.h>

#include "daemon/access/sodium.h"

namespace tollgate::daemon::access {
namespace {

const unsigned char* bytes_of(std::string_view text) noexcept {
    return reinterpret_cast<const unsigned char*>(text.data());
}

}  // namespace

std::string signature_of(std::string_view text, std::string_view secret) {
    need_sodium();
    crypto_auth_hmacsha256_state state;
    std::array<unsigned char, crypto_auth_hmacsha256_BYTES> mac{};
    crypto_auth_hmacsha256_init(&state, bytes_of(secret), secret.size());
    crypto_auth_hmacsha256_update(&state, bytes_of(text), text.size());
    crypto_auth_hmacsha256_final(&state, mac.data());
    std::array<char, 2 * crypto_auth_hmacsha256_BYTES + 1> digits{};
    sodium_bin2hex(digits.data(), digits.size(), mac.data(), mac.size());
    return digits.data();
}

bool is_signature(std::string_view signature, std::string_view text, std::string_view secret) {
    const std::string expected = signature_of(text, secret);
    return signature.size() == expected.size() &&
           sodium_memcmp(signature.data(), expected.data(), expected.size()) == 0;
}

}  // namespace tollgate::daemon::access
