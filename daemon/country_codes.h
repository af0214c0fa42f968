/// The country of a number by the public numbering plan, for decks that do not say it.
#pragma once

#include <functional>
#include <string_view>

namespace tollgate::daemon {

/// ISO 3166-1 alpha-2 of the country that a number of ITU E.164 belongs to, by the longest code it begins
/// with; `XK` for Kosovo. Countries that share a code are told apart where their area codes are well known:
/// +1 by area code, an unknown one is the United States; of +7, +39, +44, +47, +61, +262, +290, +358, +590,
/// +599 and +672 what belongs to the smaller ones. Empty for a code that nobody has, and for those of no
/// country (+800, +808, +870, +878, +881, +882, +883, +888, +979).
[[nodiscard]] std::string_view country_of(std::string_view number) noexcept;

/// Every code of the plan with its country: country_of() of a number is that of the longest it begins with.
void for_each_country_code(
    const std::function<void(std::string_view digits, std::string_view country)>& visit);

}  // namespace tollgate::daemon
