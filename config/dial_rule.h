/// One rule of a dial plan: how a number as it was dialled becomes the number that is rated.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace tollgate::config {

/// As long as a number that is rated.
inline constexpr std::size_t kDialBytesMax = 32;
/// Rules of one plan.
inline constexpr std::size_t kDialRulesMax = 256;

/// For a number that begins with `match`: the first `strip` characters go, and `prepend` comes before the
/// rest.
struct DialRule {
    std::string match;        ///< 0 to kDialBytesMax of `0-9 A-Z a-z * #`; empty: every number.
    std::uint32_t strip = 0;  ///< 0 to kDialBytesMax.
    std::string prepend;      ///< 0 to kDialBytesMax digits.

    friend bool operator==(const DialRule&, const DialRule&) = default;
};

[[nodiscard]] bool is_dial_match(std::string_view text) noexcept;
[[nodiscard]] bool is_dial_prepend(std::string_view text) noexcept;

}  // namespace tollgate::config
