/// Tariffs, amounts and moments as the product reads them.
#pragma once

#include <string>
#include <string_view>

#include "tests/rating/reference/slow_rater.h"

namespace tollgate::reference {

/// `12.5`, `-0.000001`, without zeros at the end.
[[nodiscard]] std::string text(Amount amount);
[[nodiscard]] std::string text(Price price);
/// RFC 3339 in UTC with 0, 3, 6 or 9 decimals, as few as it takes.
[[nodiscard]] std::string text(Instant instant);
/// Seconds: `61.2`.
[[nodiscard]] std::string text(std::chrono::milliseconds duration);

/// A JSON string, quotes included. Requires: no control characters but line feeds.
[[nodiscard]] std::string json_string(std::string_view value);

/// The rows as a deck: a CSV with a header, one line a row, in the tariff's order.
[[nodiscard]] std::string deck_csv(const Tariff& tariff);
/// All else as a JSON object: decimals, rounding, anchor, markup_percent, time_zone, windows.
[[nodiscard]] std::string settings_json(const Tariff& tariff);

}  // namespace tollgate::reference
