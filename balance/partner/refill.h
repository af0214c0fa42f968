/// How much a reseller may put on his customers' balances out of nothing, and how much one of them may hold.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string_view>

#include "balance/scaled.h"
#include "rating/decimal.h"
#include "rating/money.h"
#include "rating/percent.h"

namespace tollgate::balance {

using rating::Percent;

/// So many times an amount, in millionths: 2.5 times is 2'500'000.
class Multiple {
  public:
    static constexpr int kPlaces = 6;
    static constexpr std::int64_t kOne = 1'000'000;

    constexpr Multiple() noexcept = default;
    static constexpr Multiple from_millionths(std::int64_t millionths) noexcept {
        return Multiple{millionths};
    }
    [[nodiscard]] constexpr std::int64_t millionths() const noexcept { return millionths_; }
    // NOLINTNEXTLINE(modernize-use-nullptr): the comparison with 0 is the compiler's own.
    friend constexpr auto operator<=>(Multiple, Multiple) noexcept = default;

  private:
    constexpr explicit Multiple(std::int64_t millionths) noexcept : millionths_(millionths) {}
    std::int64_t millionths_ = 0;
};

inline constexpr Multiple kMultipleMax = Multiple::from_millionths(1'000'000 * Multiple::kOne);

/// `2.5`; up to 6 places. nullopt: not a decimal number, negative, or above kMultipleMax.
[[nodiscard]] inline std::optional<Multiple> parse_multiple(std::string_view text) noexcept {
    const auto millionths = rating::parse_decimal(text, Multiple::kPlaces);
    if (!millionths || text.front() == '-' || *millionths > kMultipleMax.millionths()) return std::nullopt;
    return Multiple::from_millionths(*millionths);
}

[[nodiscard]] inline rating::ShortText format(Multiple multiple) noexcept {
    return rating::format_decimal(multiple.millionths(), Multiple::kPlaces);
}

/// Whether a reseller's customers may have `balances` between them, the positive ones added up as they would
/// be after the refill, where he has `available`.
[[nodiscard]] inline bool within_mint_limit(Money balances, Multiple limit, Money available) noexcept {
    if (available < Money{}) return balances <= Money{};
    const auto most = checked_scaled(available, limit.millionths(), Multiple::kOne, Rounding::down);
    return !most || balances <= *most;  // Beyond all bounds is no bound.
}

/// The most that one customer's balance may be after a refill where his reseller's is `balance`: of 100 at 10
/// % it is 110.
[[nodiscard]] inline Money overcommit_ceiling(Money balance, Percent beyond) noexcept {
    if (balance <= Money{}) return {};
    return checked_scaled(balance, Percent::kWhole + beyond.millionths(), Percent::kWhole, Rounding::down)
        .value_or(rating::kBalanceMax);
}

}  // namespace tollgate::balance
