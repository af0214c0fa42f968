/// Signatures of texts that two sides share a secret for: what a payment gateway sends.
#pragma once

#include <string>
#include <string_view>

namespace tollgate::daemon::access {

/// HMAC-SHA256 of a text, as 64 hexadecimal digits in small letters.
[[nodiscard]] std::string signature_of(std::string_view text, std::string_view secret);

/// Whether that is a text's signature, compared in constant time.
[[nodiscard]] bool is_signature(std::string_view signature, std::string_view text, std::string_view secret);

}  // namespace tollgate::daemon::access
