/// Local time: a table of when a zone's distance from UTC changes.
#pragma once

#include <cstdint>
#include <limits>
#include <utility>
#include <vector>

namespace tollgate::rating {

/// Immutable; any thread may ask it. Seconds are counted from the epoch, UTC. Where the table comes from is
/// the business of whoever makes one: daemon/time_zones reads the system's time zone database.
class TimeZone {
  public:
    /// From `at` on, local time is UTC plus `offset` seconds.
    struct Change {
        std::int64_t at;
        std::int32_t offset;
    };

    /// UTC.
    TimeZone() = default;
    /// `first` is the offset before the first change. Requires: changes in ascending order.
    TimeZone(std::int32_t first, std::vector<Change> changes) : first_(first), changes_(std::move(changes)) {}

    /// The offset at a second, and the second at which it next changes.
    struct Span {
        std::int32_t offset;
        std::int64_t until;
    };
    static constexpr std::int64_t kForever = std::numeric_limits<std::int64_t>::max();
    [[nodiscard]] Span at(std::int64_t second) const noexcept;

    /// The first second at which local clocks show `local`, itself counted as if it were UTC; where they skip
    /// it, the second at which they do.
    [[nodiscard]] std::int64_t first_second(std::int64_t local) const noexcept;

  private:
    std::int32_t first_ = 0;
    std::vector<Change> changes_;
};

}  // namespace tollgate::rating
