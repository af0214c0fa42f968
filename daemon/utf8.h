/// Which bytes are text.
#pragma once

#include <cstddef>
#include <string_view>

namespace tollgate::daemon {

/// How many bytes the character of UTF-8 has that `text` begins with; 0 where it begins with none.
[[nodiscard]] std::size_t utf8_bytes(std::string_view text) noexcept;

}  // namespace tollgate::daemon
