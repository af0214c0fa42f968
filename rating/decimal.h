/// Decimal text to scaled integers and back: the one way in which money, prices and durations are read and
/// written. No floating point, no locale, no allocation, no sign but a leading '-', no exponent.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace tollgate::rating {

/// A short text that lives on the stack; what the format functions return.
class ShortText {
  public:
    static constexpr std::size_t kCapacity = 48;

    [[nodiscard]] std::string_view view() const noexcept { return {data_.data(), size_}; }
    // A ShortText is a text wherever a text is wanted.
    operator std::string_view() const noexcept { return view(); }  // NOLINT(google-explicit-constructor)

    void push_back(char c) noexcept { data_[size_++] = c; }
    void append(std::string_view text) noexcept {
        for (const char c : text)
            push_back(c);
    }
    void append_decimal(std::int64_t value, int places) noexcept;

  private:
    std::array<char, kCapacity> data_{};
    std::size_t size_ = 0;
};

/// Reads `-12.345` as -12345 where `places` is 3. Digits are required on both sides of a point; more than
/// `places` digits after it, a plus sign, an exponent, spaces, or a value beyond 64 bits give nullopt.
[[nodiscard]] std::optional<std::int64_t> parse_decimal(std::string_view text, int places) noexcept;

/// The longest text of format_decimal() and write_decimal(): a sign, 19 digits, a point, and a 0 before it.
inline constexpr std::size_t kDecimalBytesMax = 22;

/// As format_decimal(), into memory that has room for kDecimalBytesMax. Returns the end of what it wrote.
[[nodiscard]] char* write_decimal(char* at, std::int64_t value, int places) noexcept;

/// Writes -12345 as `-12.345` where `places` is 3, without trailing zeros and without a bare point: `12`,
/// `12.5`.
[[nodiscard]] inline ShortText format_decimal(std::int64_t value, int places) noexcept;

inline void ShortText::append_decimal(std::int64_t value, int places) noexcept {
    size_ = static_cast<std::size_t>(write_decimal(data_.data() + size_, value, places) - data_.data());
}

inline ShortText format_decimal(std::int64_t value, int places) noexcept {
    ShortText text;
    text.append_decimal(value, places);
    return text;
}

/// Reads a whole number without sign; nullopt for anything else and for a value above `most`.
[[nodiscard]] std::optional<std::uint64_t> parse_unsigned(std::string_view text, std::uint64_t most) noexcept;

}  // namespace tollgate::rating
