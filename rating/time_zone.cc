#include "rating/time_zone.h"

#include <algorithm>

namespace tollgate::rating {

TimeZone::Span TimeZone::at(std::int64_t second) const noexcept {
    const auto next = std::upper_bound(changes_.begin(), changes_.end(), second,
                                       [](std::int64_t s, const Change& change) { return s < change.at; });
    return {next == changes_.begin() ? first_ : std::prev(next)->offset,
            next == changes_.end() ? kForever : next->at};
}

std::int64_t TimeZone::first_second(std::int64_t local) const noexcept {
    // No zone is further from UTC than a day and a bit.
    constexpr std::int64_t kOffsetMax = std::int64_t{26} * 3'600;
    for (std::int64_t from = local - 2 * kOffsetMax;;) {
        const Span span = at(from);
        const std::int64_t second = local - span.offset;
        if (second < from) return from;  // Skipped at the change that this span begins with.
        if (second < span.until) return second;
        from = span.until;
    }
}

}  // namespace tollgate::rating
