/// How often a party is billed, and from when until when.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string_view>

#include "rating/instant.h"
#include "rating/time_zone.h"

namespace tollgate::balance {

using rating::Instant;

enum class BillingPeriod : std::uint8_t {
    daily,
    weekly,       ///< From Monday, where nothing else is said.
    semimonthly,  ///< From the 1st and from the 16th.
    monthly,      ///< From the 1st.
    anniversary,  ///< From the day of the month on which it began, the 28th at the latest.
    thirty_days,  ///< Thirty days of the calendar, whatever the months.
};

[[nodiscard]] std::string_view text_of(BillingPeriod period) noexcept;
[[nodiscard]] std::optional<BillingPeriod> parse_billing_period(std::string_view text) noexcept;

/// From `begin` on and before `until`.
struct Period {
    Instant begin{};
    Instant until{};
    [[nodiscard]] bool contains(Instant at) const noexcept { return begin <= at && at < until; }
    friend bool operator==(const Period&, const Period&) = default;
};

/// The periods of one party. They follow each other without a gap and without meeting: whatever clocks on the
/// wall do, each moment from `since` on is in exactly one of them.
///
/// A period begins and ends at midnight of the party's zone; where clocks skip midnight, at the first second
/// after it, and where they show it twice, at the first one. The first period begins when the party did.
///
/// Years from 1700 to 2200.
class BillingCalendar {
  public:
    /// `zone` must outlive this. `week_begins` is for weekly periods alone.
    BillingCalendar(BillingPeriod period, const rating::TimeZone& zone, Instant since,
                    std::chrono::weekday week_begins = std::chrono::Monday) noexcept;

    /// The period that a moment is in; the first one, for a moment before it.
    [[nodiscard]] Period at(Instant moment) const noexcept;
    [[nodiscard]] Period first() const noexcept { return at(since_); }
    [[nodiscard]] Period next(const Period& period) const noexcept { return at(period.until); }

  private:
    /// A day by the calendar on the wall.
    using Day = std::chrono::local_days;

    [[nodiscard]] Day day_of(Instant moment) const noexcept;
    [[nodiscard]] Instant midnight(Day day) const noexcept;
    /// The day with which the period begins that a day is in, and the one with which the next begins.
    [[nodiscard]] Day begin_of(Day day) const noexcept;
    [[nodiscard]] Day next_of(Day begin) const noexcept;

    BillingPeriod period_;
    const rating::TimeZone& zone_;
    Instant since_;
    std::chrono::weekday week_begins_;
    Day began_;  ///< The day that since_ is in.
};

}  // namespace tollgate::balance
