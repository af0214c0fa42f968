/// What a tariff says beside its rate deck.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "rating/window.h"

namespace tollgate::rating {

/// Names a tariff of a book, for the book's life: given out from 0 on, in order of creation.
enum class TariffId : std::uint32_t {};
inline constexpr TariffId kNoTariff{UINT32_MAX};

/// An ISO 4217 code: three capital letters.
class Currency {
  public:
    constexpr Currency() noexcept = default;
    static std::optional<Currency> parse(std::string_view text) noexcept {
        if (text.size() != 3) return std::nullopt;
        Currency currency;
        for (std::size_t i = 0; i < 3; ++i) {
            if (text[i] < 'A' || text[i] > 'Z') return std::nullopt;
            currency.code_[i] = text[i];
        }
        return currency;
    }
    /// Empty for a default-made object only.
    [[nodiscard]] std::string_view view() const noexcept {
        return code_[0] == '\0' ? std::string_view{} : std::string_view{code_.data(), code_.size()};
    }
    friend constexpr bool operator==(Currency, Currency) noexcept = default;

  private:
    std::array<char, 3> code_{};
};

enum class Rounding : std::uint8_t { up, half_up, half_even, down };

/// From where increments are counted.
enum class IncrementAnchor : std::uint8_t {
    end_of_initial,  ///< Full steps after the initial increment.
    zero,            ///< Up to the next multiple, counted from the end of the included seconds.
};

inline constexpr std::uint8_t kDecimalsMax = 6;

/// A markup is a whole number of 1e-4 percent, so 100 % is 1'000'000.
inline constexpr std::int64_t kMarkupUnit = 1'000'000;
inline constexpr std::int64_t kMarkupMin = -kMarkupUnit;
/// A million percent; with kPriceMax and kDurationMax the exact cost of a call stays below 2^127.
inline constexpr std::int64_t kMarkupMax = 10'000 * kMarkupUnit;

struct TariffSettings {
    Currency currency;
    std::uint8_t decimals = kDecimalsMax;  ///< Places of the currency that a cost is rounded to, 0 to 6.
    Rounding rounding = Rounding::up;
    IncrementAnchor anchor = IncrementAnchor::end_of_initial;
    std::int64_t markup = 0;  ///< On the price per minute only, never on fees; kMarkupMin to kMarkupMax.
    std::string time_zone = "UTC";
    std::shared_ptr<const TimeZone> zone;  ///< What `time_zone` names; nullptr is UTC.
    std::vector<Window> windows;           ///< Unique names; at most kWindowsMax.

    /// nullptr where no window has that name.
    [[nodiscard]] const Window* window(std::string_view name) const noexcept {
        for (const Window& window : windows) {
            if (window.name == name) return &window;
        }
        return nullptr;
    }
    std::string owner;  ///< Whose it is to give away; empty: nobody's. Rating does not look at it.

    friend bool operator==(const TariffSettings&, const TariffSettings&) = default;
};

}  // namespace tollgate::rating
