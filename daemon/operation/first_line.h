/// Small files of one line: secrets of the operator's, figures of the system's.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace tollgate::daemon {

/// Without its line feed; nullopt: the file cannot be read, or is empty.
[[nodiscard]] std::optional<std::string> first_line(const std::string& path);

/// The first line of the file that `key` names. Throws std::runtime_error where there is none.
[[nodiscard]] std::string secret_in(std::string_view key, const std::string& path);

}  // namespace tollgate::daemon
