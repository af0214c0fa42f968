#include "daemon/access/sodium.h"

#include <stdexcept>

#include <sodium.h>

namespace tollgate::daemon::access {

void need_sodium() {
    // Negative is failure; 1 says that it was ready before.
    static const bool ready = sodium_init() >= 0;
    if (!ready) throw std::runtime_error{"libsodium: sodium_init failed; is there no source of randomness?"};
}

std::uint64_t random_number() {
    need_sodium();
    std::uint64_t number = 0;
    randombytes_buf(&number, sizeof number);
    return number;
}

}  // namespace tollgate::daemon::access
