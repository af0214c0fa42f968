#include "daemon/destination_groups.h"

#include <algorithm>
#include <utility>

#include "daemon/country_codes.h"

namespace tollgate::daemon {

bool is_country(std::string_view text) noexcept {
    return text.size() == 2 &&
           std::all_of(text.begin(), text.end(), [](char c) { return c >= 'A' && c <= 'Z'; });
}

DestinationGroup::DestinationGroup(std::vector<std::string> prefixes, std::vector<std::string> countries)
    : prefixes_(std::move(prefixes)),
      countries_(std::move(countries)),
      prefix_set_(prefixes_),
      sorted_countries_(countries_) {
    std::sort(sorted_countries_.begin(), sorted_countries_.end());
}

DestinationGroup::Belonging DestinationGroup::find(std::string_view number,
                                                   std::string_view row_country) const noexcept {
    if (const auto prefix = prefix_set_.find(number); !prefix.empty()) return {Reason::prefix, prefix};
    const std::string_view country = row_country.empty() ? country_of(number) : row_country;
    const auto found = std::lower_bound(sorted_countries_.begin(), sorted_countries_.end(), country);
    if (found == sorted_countries_.end() || *found != country) return {};
    return {Reason::country, *found};
}

}  // namespace tollgate::daemon
