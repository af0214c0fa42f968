/// A share of an amount, as agreements name it: `12.5` percent. Never a floating-point number.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "rating/decimal.h"
#include "rating/money.h"

namespace tollgate::rating {

/// 0 to 100,000 percent, in whole millionths of the whole: `12.5` is 125,000.
class Percent {
  public:
    static constexpr int kPlaces = 4;
    static constexpr std::int64_t kWhole = 1'000'000;  ///< 100 percent.

    constexpr Percent() noexcept = default;
    static constexpr Percent from_millionths(std::int64_t millionths) noexcept { return Percent{millionths}; }
    [[nodiscard]] constexpr std::int64_t millionths() const noexcept { return millionths_; }

    // NOLINTNEXTLINE(modernize-use-nullptr): the comparison with 0 is the compiler's own.
    friend constexpr auto operator<=>(Percent, Percent) noexcept = default;

  private:
    constexpr explicit Percent(std::int64_t millionths) noexcept : millionths_(millionths) {}
    std::int64_t millionths_ = 0;
};

inline constexpr Percent kPercentMax = Percent::from_millionths(1000 * Percent::kWhole);

/// `12.5`; up to 4 places. nullopt: not a decimal number, negative, or above kPercentMax.
[[nodiscard]] inline std::optional<Percent> parse_percent(std::string_view text) noexcept {
    const auto millionths = parse_decimal(text, Percent::kPlaces);
    if (!millionths || *millionths < 0 || text.front() == '-' || *millionths > kPercentMax.millionths())
        return std::nullopt;
    return Percent::from_millionths(*millionths);
}

[[nodiscard]] inline ShortText format(Percent percent) noexcept {
    return format_decimal(percent.millionths(), Percent::kPlaces);
}

/// That share of an amount, what is below a micro-unit rounded towards zero. Requires: the result fits.
[[nodiscard]] constexpr Money share_of(Money amount, Percent percent) noexcept {
    __extension__ typedef __int128 Wide;  // NOLINT(modernize-use-using)
    return Money::from_micros(
        static_cast<std::int64_t>(Wide{amount.micros()} * percent.millionths() / Percent::kWhole));
}

}  // namespace tollgate::rating
