/// What an e-mail address looks like, for whoever reads one from outside.
#pragma once

#include <cstddef>
#include <string_view>

namespace tollgate::config {

/// As much as a path of SMTP holds (RFC 5321, 4.5.3.1.3, without its angle brackets).
inline constexpr std::size_t kMailAddressBytesMax = 254;

/// Whether `text` is `local@domain` as RFC 5321 has it, in its everyday form: ASCII, no quotes, no comments,
/// no address literal. A domain of other letters is written as `xn--…`. What passes holds no space, no line
/// break and no angle bracket, so it can stand in a command of SMTP and in a header as it is.
///
/// That somebody reads what is sent there is more than its looks can tell.
[[nodiscard]] bool is_mail_address(std::string_view text) noexcept;

/// Whether `text` is the name of a host: labels of letters, digits and hyphens with dots between.
[[nodiscard]] bool is_host_name(std::string_view text) noexcept;

}  // namespace tollgate::config
