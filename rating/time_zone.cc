#include "rating/time_zone.h"

#include <algorithm>

namespace tollgate::rating {

TimeZone::Span TimeZone::at(std::int64_t second) const noexcept {
    const auto next = std::upper_bound(changes_.begin(), changes_.end(), second,
                                       [](std::int64_t s, const Change& change) { return s < change.at; });
    return {next == changes_.begin() ? first_ : std::prev(next)->offset,
            next == changes_.end() ? kForever : next->at};
}

}  // namespace tollgate::rating
