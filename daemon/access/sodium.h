/// libsodium, made ready before its first use.
#pragma once

#include <cstdint>

namespace tollgate::daemon::access {

/// Any thread, any number of times. Throws std::runtime_error where the machine has no source of randomness.
void need_sodium();

/// Nobody guesses it.
[[nodiscard]] std::uint64_t random_number();

}  // namespace tollgate::daemon::access
