/// What a call costs one level, and how long a given sum lasts. docs/money.md has the rules in words.
///
/// Pure functions over immutable data; any thread may call them at any time. The rules are told as a walk
/// from step to step; what is done here takes the same time for a minute and for a day: while nothing changes
/// (row, tier), any number of steps is one multiplication.
#pragma once

#include <chrono>
#include <cstdint>
#include <vector>

#include "rating/bundle.h"

namespace tollgate::rating {

/// The cost of `duration`: exact over the whole call, rounded once to the tariff's decimals. Bundled seconds
/// cost nothing: rating/bundle.h.
///
/// Requires: 0 <= duration <= kDurationMax. Never negative, never falls as `duration` grows.
/// A cost above kAmountMax is answered as kCostTooLarge, which no account can pay.
[[nodiscard]] Money cost(const RatedCall& call, std::chrono::seconds duration) noexcept;

inline constexpr Money kCostTooLarge = Money::from_micros(INT64_MAX);

/// The seconds that are paid for after increments: without grace, included and bundled ones.
[[nodiscard]] std::chrono::seconds billed_seconds(const RatedCall& call,
                                                  std::chrono::seconds duration) noexcept;

/// Where the longest affordable time has no end.
inline constexpr std::chrono::seconds kUnlimited = std::chrono::seconds::max();

/// The largest whole number of seconds whose cost is at most `funds`, counting grace, included seconds and
/// the rest of the last paid step: cost(longest) <= funds < cost(longest + 1). kUnlimited where no duration
/// up to kDurationMax costs more than `funds`; 0 where not even one second is affordable. Bundled seconds ask
/// for no funds, so they are the least that comes back, even where `funds` is negative.
///
/// Where rows change with the time of day, the search ends beyond `limit`: the answer may then be any time
/// from there on that is affordable.
[[nodiscard]] std::chrono::seconds longest_affordable(const RatedCall& call, Money funds,
                                                      std::chrono::seconds limit = kDurationMax) noexcept;

/// Whether price, fees and minimum charge are 0 for every call up to `duration`, without bundles.
[[nodiscard]] bool is_free(const RatedCall& call, std::chrono::seconds duration) noexcept;

/// Some steps of a call that are alike.
struct Stretch {
    Deck::RowIndex row;
    std::int64_t from;  ///< Seconds since the answer.
    std::int64_t step;  ///< Seconds.
    std::int64_t steps;
    Price price;  ///< Per minute, before markup.
};

/// How cost() comes about, from the first paid second on; neighbours that are alike are one. Empty where
/// nothing but fees is due. At most `most` of them, for whoever shows them.
[[nodiscard]] std::vector<Stretch> stretches(const RatedCall& call, std::chrono::seconds duration,
                                             std::size_t most);

}  // namespace tollgate::rating
