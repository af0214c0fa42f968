#include "tests/rating/reference/slow_rater.h"

#include <algorithm>
#include <cassert>
#include <stdexcept>

#include <cctz/time_zone.h>

namespace tollgate::reference {
namespace {

using std::chrono::days;
using std::chrono::floor;
using std::chrono::seconds;
using std::chrono::sys_seconds;
using std::chrono::year_month_day;

// A price per minute with markup, for some seconds, is whole in units of a nano-unit / 60 / 1e6.
constexpr std::int64_t kMarkupOne = 1'000'000;
constexpr Exact kExactPerNano = Exact{60} * kMarkupOne;
constexpr Exact kExactPerMicro = 1'000 * kExactPerNano;

constexpr Exact exact(Price fee) {
    return fee.nanos * kExactPerNano;
}

/// What the clocks of a time zone show. Remembers the offset until it changes next.
class LocalClock {
  public:
    explicit LocalClock(const std::string& time_zone) {
        if (!cctz::load_time_zone(time_zone, &zone_)) throw std::runtime_error("no time zone " + time_zone);
    }

    /// The local date and time of day, written as if it were UTC.
    sys_seconds at(sys_seconds instant) {
        if (instant < first_ || instant >= last_) {
            offset_ = seconds{zone_.lookup(instant).offset};
            cctz::time_zone::civil_transition change;
            first_ = instant;
            last_ =
                zone_.next_transition(instant, &change) ? zone_.lookup(change.to).trans : sys_seconds::max();
        }
        return instant + offset_;
    }

  private:
    cctz::time_zone zone_;
    seconds offset_{0};
    sys_seconds first_;  // offset_ holds from here,
    sys_seconds last_;   // and until here, exclusive.
};

bool holds(const Window& window, sys_seconds local) {
    const auto midnight = floor<days>(local);
    const year_month_day date{midnight};
    const seconds clock = local - midnight;
    const auto day = day_bit(std::chrono::weekday{midnight}.iso_encoding() - 1);
    const auto month = month_bit(static_cast<unsigned>(date.month()));
    const auto month_day = month_day_bit(static_cast<unsigned>(date.day()));
    return std::any_of(window.ranges.begin(), window.ranges.end(), [&](const ClockRange& range) {
        return (range.days == 0 || (range.days & day) != 0) &&
               (range.months == 0 || (range.months & month) != 0) &&
               (range.month_days == 0 || (range.month_days & month_day) != 0) &&  //
               range.from <= clock && clock < range.until;
    });
}

bool goes_before(const Row& row, const Row& other) {
    if (row.weight != other.weight) return row.weight > other.weight;
    if (row.window.has_value() != other.window.has_value()) return row.window.has_value();
    return row.effective_from > other.effective_from;  // No beginning is the earliest of all.
}

/// The row that holds at a second; nullptr where none does.
const Row* best(const Tariff& tariff, const std::vector<const Row*>& rows, LocalClock& clock,
                sys_seconds instant) {
    const sys_seconds local = clock.at(instant);
    const Row* found = nullptr;
    for (const Row* row : rows) {
        if (row->window && !holds(tariff.windows[*row->window], local)) continue;
        if (found == nullptr || goes_before(*row, *found)) found = row;
    }
    return found;
}

bool in_effect(const Row& row, Instant start) {
    return (!row.effective_from || *row.effective_from <= start) &&
           (!row.effective_until || start < *row.effective_until);
}

std::optional<Match> match(const Tariff& tariff, std::string_view digits, Instant start, LocalClock& clock) {
    const auto try_prefix = [&](std::string_view prefix) {
        Match found;
        for (const Row& row : tariff.rows) {
            if (row.prefix == prefix && in_effect(row, start)) found.in_effect.push_back(&row);
        }
        found.row = best(tariff, found.in_effect, clock, floor<seconds>(start));
        return found;
    };
    for (std::size_t length = digits.size(); length > 0; --length) {
        if (Match found = try_prefix(digits.substr(0, length)); found.row != nullptr) return found;
    }
    if (Match found = try_prefix("*"); found.row != nullptr) return found;
    return std::nullopt;
}

/// A call on its way: after each step, how long it has paid for and how much.
class Walk {
  public:
    Walk(const Tariff& tariff, const Match& match, LocalClock& clock, Instant start)
        : tariff_(tariff),
          match_(match),
          clock_(clock),
          start_(floor<seconds>(start)),
          row_(match.row),
          paid_until_(match.row->included),
          total_(exact(match.row->connect_fee)) {}

    /// Every call up to this long has been paid for,
    [[nodiscard]] seconds paid_until() const { return paid_until_; }
    /// and this much, not counting what depends on when it ends.
    [[nodiscard]] Exact total() const { return total_; }

    void step() {
        if (const Row* row = best(tariff_, match_.in_effect, clock_, start_ + paid_until_)) row_ = row;
        Price price = row_->price;
        seconds length = row_->increment;
        for (const Tier& tier : row_->tiers) {
            if (paid_until_ < tier.from) break;
            price = tier.price;
            length = tier.increment;
        }
        const seconds paid = paid_until_ - match_.row->included;
        if (paid == seconds{0} && match_.row->initial_increment > seconds{0}) {
            length = match_.row->initial_increment;
        } else if (tariff_.anchor == Anchor::zero) {
            length -= paid % length;
        }
        total_ += Exact{price.nanos} * (kMarkupOne + tariff_.markup) * length.count();
        paid_until_ += length;
    }

  private:
    const Tariff& tariff_;
    const Match& match_;
    LocalClock& clock_;
    sys_seconds start_;
    const Row* row_;
    seconds paid_until_;
    Exact total_;
};

Amount rounded(const Tariff& tariff, Exact total) {
    assert(total >= 0);
    Exact unit_micros = 1;
    for (int places = tariff.decimals; places < 6; ++places)
        unit_micros *= 10;
    const Exact unit = unit_micros * kExactPerMicro;
    const Exact rest = total % unit;
    Exact units = total / unit;
    switch (tariff.rounding) {
        case Rounding::up:
            if (rest > 0) ++units;
            break;
        case Rounding::half_up:
            if (rest >= unit - rest) ++units;
            break;
        case Rounding::half_even:
            if (rest > unit - rest || (rest == unit - rest && units % 2 == 1)) ++units;
            break;
        case Rounding::down:
            break;
    }
    return Amount{units * unit_micros};
}

/// The cost of a call that has to pay for some steps and whose last fee and bounds are known now.
Amount final_cost(const Tariff& tariff, const Row& first, Exact total, seconds used) {
    if (used >= first.disconnect_after) total += exact(first.disconnect_fee);
    total = std::max(total, exact(first.min_charge));
    if (first.max_charge) total = std::min(total, exact(*first.max_charge));
    return rounded(tariff, total);
}

}  // namespace

std::optional<Match> match(const Tariff& tariff, std::string_view digits, Instant start) {
    LocalClock clock{tariff.time_zone};
    return match(tariff, digits, start, clock);
}

std::optional<Amount> cost(const Tariff& tariff, std::string_view digits, Instant start, seconds used) {
    LocalClock clock{tariff.time_zone};
    const auto found = match(tariff, digits, start, clock);
    if (!found) return std::nullopt;
    if (used == seconds{0} || used <= found->row->grace) return Amount{};
    Walk walk{tariff, *found, clock, start};
    while (walk.paid_until() < used)
        walk.step();
    return final_cost(tariff, *found->row, walk.total(), used);
}

std::optional<Amount> cost_after_bundle(const Tariff& tariff, std::string_view digits, Instant start,
                                        seconds used, seconds bundled) {
    LocalClock clock{tariff.time_zone};
    const auto found = match(tariff, digits, start, clock);
    if (!found) return std::nullopt;
    if (used <= found->row->grace || used <= bundled) return Amount{};
    // A call that begins where the bundle ends, of the rows that the whole call may go on with.
    const Instant begins = start + bundled;
    const Row* const there = best(tariff, found->in_effect, clock, floor<seconds>(begins));
    Row first = there != nullptr ? *there : *found->row;
    first.included = std::max(seconds{0}, first.included - bundled);
    const Match rest{&first, found->in_effect};
    Walk walk{tariff, rest, clock, begins};
    while (walk.paid_until() < used - bundled)
        walk.step();
    return final_cost(tariff, first, walk.total(), used - bundled);
}

std::optional<seconds> max_seconds(const Tariff& tariff, std::string_view digits, Instant start, Amount funds,
                                   seconds cap) {
    LocalClock clock{tariff.time_zone};
    const auto found = match(tariff, digits, start, clock);
    if (!found) return std::nullopt;
    const Row& first = *found->row;
    if (funds < Amount{}) return seconds{0};

    // Between two borders of the walk, the cost can change only where the disconnect fee sets in.
    seconds longest = std::min(first.grace, cap);
    Walk walk{tariff, *found, clock, start};
    while (longest < cap) {
        for (const seconds border : {first.disconnect_after - seconds{1}, walk.paid_until()}) {
            const seconds last = std::min({border, walk.paid_until(), cap});
            if (last <= longest) continue;
            if (final_cost(tariff, first, walk.total(), last) > funds) return longest;
            longest = last;
        }
        walk.step();
    }
    return longest;
}

std::int64_t step_count(const Tariff& tariff, std::string_view digits, Instant start, seconds used) {
    LocalClock clock{tariff.time_zone};
    const auto found = match(tariff, digits, start, clock);
    if (!found || used <= found->row->grace) return 0;
    std::int64_t steps = 0;
    for (Walk walk{tariff, *found, clock, start}; walk.paid_until() < used; walk.step())
        ++steps;
    return steps;
}

}  // namespace tollgate::reference
