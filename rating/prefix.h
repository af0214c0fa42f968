/// Prefixes of numbers, as one word each.
#pragma once

#include <algorithm>
#include <array>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

namespace tollgate::rating {

/// The longest prefix a deck may hold.
inline constexpr std::size_t kPrefixDigitsMax = 15;

/// 1 to 15 digits, or none: the fallback for whatever no prefix matches, written `*`.
///
/// Four bits a digit, from the top: the digit plus one, so that a prefix sorts directly before everything
/// below it; the length in the last four.
class Prefix {
  public:
    /// The fallback.
    constexpr Prefix() noexcept = default;

    /// Digits or `*`; nullopt for anything else.
    static constexpr std::optional<Prefix> parse(std::string_view text) noexcept {
        if (text == "*") return Prefix{};
        if (text.empty() || text.size() > kPrefixDigitsMax) return std::nullopt;
        Prefix prefix;
        for (const char c : text) {
            if (c < '0' || c > '9') return std::nullopt;
            prefix = prefix.child(static_cast<unsigned>(c - '0'));
        }
        return prefix;
    }

    [[nodiscard]] constexpr std::size_t size() const noexcept { return bits_ & 15; }
    /// Requires: i < size().
    [[nodiscard]] constexpr unsigned digit(std::size_t i) const noexcept {
        return static_cast<unsigned>(bits_ >> (60 - 4 * i) & 15) - 1;
    }
    /// One digit longer. Requires: digit <= 9, size() < kPrefixDigitsMax.
    [[nodiscard]] constexpr Prefix child(unsigned digit) const noexcept {
        return Prefix{(bits_ | std::uint64_t{digit + 1} << (60 - 4 * size())) + 1};
    }
    /// Requires: size <= size().
    [[nodiscard]] constexpr Prefix first(std::size_t size) const noexcept {
        const std::uint64_t kept = size == 0 ? 0 : bits_ & ~std::uint64_t{0} << (64 - 4 * size);
        return Prefix{kept | size};
    }
    /// Whether `longer` begins with these digits; true for itself too.
    [[nodiscard]] constexpr bool begins(Prefix longer) const noexcept {
        return longer.size() >= size() && longer.first(size()) == *this;
    }

    /// The order of texts: a prefix before what lies below it, the fallback before all.
    // NOLINTNEXTLINE(modernize-use-nullptr): the comparison with 0 is the compiler's own.
    friend constexpr auto operator<=>(Prefix, Prefix) noexcept = default;

    /// A prefix as text, held by value.
    class Text {
      public:
        explicit constexpr Text(Prefix prefix) noexcept : size_(prefix.size()) {
            for (std::size_t i = 0; i < size_; ++i)
                data_[i] = static_cast<char>('0' + prefix.digit(i));
            if (size_ == 0) data_[size_++] = '*';
        }
        [[nodiscard]] constexpr std::string_view view() const noexcept { return {data_.data(), size_}; }
        // NOLINTNEXTLINE(google-explicit-constructor): a text wherever a text is wanted.
        constexpr operator std::string_view() const noexcept { return view(); }

      private:
        std::array<char, kPrefixDigitsMax> data_{};
        std::size_t size_;
    };
    [[nodiscard]] constexpr Text text() const noexcept { return Text{*this}; }

  private:
    explicit constexpr Prefix(std::uint64_t bits) noexcept : bits_(bits) {}
    std::uint64_t bits_ = 0;
};

}  // namespace tollgate::rating
