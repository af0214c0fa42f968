/// libsodium, made ready before its first use.
#pragma once

namespace tollgate::daemon::access {

/// Any thread, any number of times. Throws std::runtime_error where the machine has no source of randomness.
void need_sodium();

}  // namespace tollgate::daemon::access
