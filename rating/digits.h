/// Dialled numbers.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace tollgate::rating {

/// The longest number that is rated. E.164 ends at 15; routing prefixes and national habits need more.
inline constexpr std::size_t kDigitsMax = 32;

/// Of ASCII, whatever the locale.
[[nodiscard]] constexpr bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}

/// A number of 1 to 32 decimal digits, held by value.
class Digits {
  public:
    constexpr Digits() noexcept = default;

    /// Drops one leading `+`. nullopt: empty, longer than kDigitsMax, or anything but 0 to 9.
    static std::optional<Digits> parse(std::string_view text) noexcept {
        if (!text.empty() && text.front() == '+') text.remove_prefix(1);
        if (text.empty() || text.size() > kDigitsMax) return std::nullopt;
        Digits digits;
        for (const char c : text) {
            if (!is_digit(c)) return std::nullopt;
            digits.text_[digits.size_++] = c;
        }
        return digits;
    }

    /// Empty for a default-made object only.
    [[nodiscard]] std::string_view view() const noexcept { return {text_.data(), size_}; }

  private:
    std::array<char, kDigitsMax> text_{};
    std::uint8_t size_ = 0;
};

}  // namespace tollgate::rating
