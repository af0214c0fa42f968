/// Time-of-day windows: when a row of a rate deck holds, by the clock on the wall of the tariff's zone.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "rating/time_zone.h"

namespace tollgate::rating {

inline constexpr std::int32_t kDaySeconds = 86'400;

/// How many windows a tariff may have, and how many ranges a window.
inline constexpr std::size_t kWindowsMax = 64;
inline constexpr std::size_t kWindowRangesMax = 64;
inline constexpr std::size_t kWindowNameBytesMax = 64;

/// Part of certain days. Every set has all its members unless it is narrowed.
struct ClockRange {
    static constexpr std::uint8_t kAllDays = 0x7F;
    static constexpr std::uint16_t kAllMonths = 0x0FFF;
    static constexpr std::uint32_t kAllMonthDays = 0x7FFF'FFFF;

    std::uint8_t days = kAllDays;              ///< Bit 0 is Monday.
    std::uint16_t months = kAllMonths;         ///< Bit 0 is January.
    std::uint32_t month_days = kAllMonthDays;  ///< Bit 0 is the first of the month.
    std::int32_t from = 0;                     ///< Seconds of the local day.
    std::int32_t until = kDaySeconds;          ///< Exclusive; more than `from`.

    friend bool operator==(const ClockRange&, const ClockRange&) = default;
};

/// Holds whenever one of its ranges does.
struct Window {
    std::string name;
    std::vector<ClockRange> ranges;

    friend bool operator==(const Window&, const Window&) = default;
};

/// What a calendar and a clock on the wall show.
struct LocalTime {
    std::uint8_t weekday;    ///< 0 is Monday.
    std::uint8_t month;      ///< 0 is January.
    std::uint8_t month_day;  ///< 0 is the first.
    std::int32_t clock;      ///< Seconds of the day, less than kDaySeconds.
};

/// `second` counts from the epoch in local time: UTC plus the zone's offset.
[[nodiscard]] LocalTime local_time(std::int64_t second) noexcept;

[[nodiscard]] bool contains(const Window& window, const LocalTime& time) noexcept;

/// The next time of day after `clock` at which one of the window's ranges may begin or end; midnight, which
/// is kDaySeconds, at the latest.
[[nodiscard]] std::int32_t next_border(const Window& window, std::int32_t clock) noexcept;

/// Whether there is a moment, in any year, at which both hold.
[[nodiscard]] bool overlap(const Window& a, const Window& b) noexcept;

/// When the rows of one deck hold: its windows, found in the settings of its tariff, in the tariff's zone.
class Calendar {
  public:
    /// Nothing but UTC: for decks without windows.
    Calendar() = default;
    /// Window n of the deck is `windows[n - 1]`; a null zone is UTC.
    Calendar(std::shared_ptr<const TimeZone> zone, std::vector<Window> windows);

    [[nodiscard]] TimeZone::Span zone_at(std::int64_t second) const noexcept {
        return zone_ == nullptr ? TimeZone::Span{0, TimeZone::kForever} : zone_->at(second);
    }
    /// Requires: 1 <= number <= how many the deck names.
    [[nodiscard]] const Window& window(std::size_t number) const noexcept { return windows_[number - 1]; }

  private:
    std::shared_ptr<const TimeZone> zone_;
    std::vector<Window> windows_;
};

}  // namespace tollgate::rating
