/// Small and capital letters of ASCII; all other bytes are the same in both, whatever the locale.
#pragma once

#include <algorithm>
#include <string>
#include <string_view>

namespace tollgate::daemon {

[[nodiscard]] constexpr char in_small(char c) noexcept {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

[[nodiscard]] inline std::string in_small_letters(std::string_view text) {
    std::string small{text};
    std::transform(small.begin(), small.end(), small.begin(), in_small);
    return small;
}

/// Whether they differ in nothing but small and capital letters.
[[nodiscard]] constexpr bool same_letters(std::string_view a, std::string_view b) noexcept {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                      [](char x, char y) { return in_small(x) == in_small(y); });
}

}  // namespace tollgate::daemon
