/// Bytes of hashes as text.
#pragma once

#include <span>
#include <string>
#include <string_view>

namespace tollgate::daemon::access {

/// Two digits a byte, in small letters.
[[nodiscard]] std::string hexadecimal(std::span<const unsigned char> bytes);
/// The reverse, capitals or not. False for what is not the text of exactly so many bytes.
[[nodiscard]] bool from_hexadecimal(std::string_view text, std::span<unsigned char> bytes) noexcept;

}  // namespace tollgate::daemon::access
