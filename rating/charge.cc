#include "rating/charge.h"

#include <algorithm>
#include <array>
#include <cstdlib>

#include "rating/exact.h"

namespace tollgate::rating {
namespace {

constexpr std::array<std::int64_t, kDecimalsMax + 1> kMicrosPerUnit = {1'000'000, 100'000, 10'000, 1'000,
                                                                       100,       10,      1};

Exact bounded(const Rate& rate, Exact total) noexcept {
    total = std::max(total, exact(rate.min_charge));
    if (rate.max_charge) total = std::min(total, exact(*rate.max_charge));
    return total;
}

template <typename Integer>
Integer in_units(Integer total, Integer unit, Rounding rounding) noexcept {
    const Integer units = total / unit;
    const Integer rest = total % unit;
    switch (rounding) {
        case Rounding::down:
            return units;
        case Rounding::up:
            return units + (rest > 0 ? 1 : 0);
        case Rounding::half_up:
            return units + (rest >= unit - rest ? 1 : 0);
        case Rounding::half_even:
            return units + (rest > unit - rest || (rest == unit - rest && units % 2 != 0) ? 1 : 0);
    }
    std::abort();  // Not an enumerator: memory is corrupt.
}

Money rounded(Exact total, const TariffSettings& settings) noexcept {
    const std::int64_t unit_micros = kMicrosPerUnit[settings.decimals];
    // What most calls cost fits 64 bits, whose division is five times as fast; by what the compiler knows, as
    // where all places are kept, none is left of it.
    if (total <= INT64_MAX) {
        constexpr auto kPerMicro = static_cast<std::int64_t>(kExactPerMicro);
        const auto narrow = static_cast<std::int64_t>(total);
        return Money::from_micros(
            unit_micros == 1 ? in_units(narrow, kPerMicro, settings.rounding)
                             : in_units(narrow, unit_micros * kPerMicro, settings.rounding) * unit_micros);
    }
    if (total > kAmountMax.micros() * kExactPerMicro) return kCostTooLarge;
    const Exact units = in_units(total, unit_micros * kExactPerMicro, settings.rounding);
    const auto micros = static_cast<std::int64_t>(units * unit_micros);
    return micros > kAmountMax.micros() ? kCostTooLarge : Money::from_micros(micros);
}

/// The largest exact cost that is still rounded to at most `funds`. Requires: 0 <= funds <= kAmountMax.
Exact largest_within(Money funds, const TariffSettings& settings) noexcept {
    const std::int64_t unit_micros = kMicrosPerUnit[settings.decimals];
    const Exact unit = unit_micros * kExactPerMicro;  // Even, so half of it is whole.
    const Exact units = funds.micros() / unit_micros;
    switch (settings.rounding) {
        case Rounding::up:
            return units * unit;
        case Rounding::down:
            return (units + 1) * unit - 1;
        case Rounding::half_up:
            return units * unit + unit / 2 - 1;
        case Rounding::half_even:
            return units * unit + unit / 2 - (units % 2 != 0 ? 1 : 0);
    }
    std::abort();  // Not an enumerator: memory is corrupt.
}

/// Where nothing changes any more; beyond it no sum of steps overflows.
constexpr std::int64_t kNever64 = 4 * kDurationMax.count();

/// Goes through the paid part of a call from one change of price or step to the next.
class Walk {
  public:
    Walk(const RatedCall& call, const PaidPart& part) noexcept
        : call_(call),
          part_(part),
          rate_(part.rate),
          elapsed_(part.included),
          row_(part.row),
          row_until_(part.rate->may_change ? elapsed_ : kNever64) {
        find();
    }

    /// Seconds since the paid part began, which is the answer where none are bundled, at a step's beginning.
    [[nodiscard]] std::int64_t elapsed() const noexcept { return elapsed_; }
    [[nodiscard]] Deck::RowIndex row() const noexcept { return row_; }
    [[nodiscard]] Price price() const noexcept { return price_; }
    [[nodiscard]] std::int64_t step() const noexcept { return step_; }
    /// Whether price and step stay as they are for good.
    [[nodiscard]] bool is_last() const noexcept { return until_ == kNever64; }
    /// How many such steps begin here before `end` or before something changes.
    [[nodiscard]] std::int64_t steps_before(std::int64_t end) const noexcept {
        const std::int64_t seconds = std::min(until_, end) - elapsed_;
        // Divisions are the dearest thing here, and most calls have few or one.
        return seconds <= step_ ? 1 : step_ == 1 ? seconds : (seconds + step_ - 1) / step_;
    }
    /// Beyond that many steps.
    void pass(std::int64_t steps) noexcept {
        elapsed_ += steps * step_;
        find();
    }

  private:
    /// Price, step and how long they hold, at elapsed_.
    void find() noexcept {
        if (elapsed_ >= row_until_) change_row();
        price_ = rate_->price;
        step_ = rate_->increment;
        until_ = row_until_;
        for (const Tier& tier : rate_->tiers) {
            if (tier.from > elapsed_) {
                until_ = std::min<std::int64_t>(until_, tier.from);
                break;
            }
            price_ = tier.price;
            step_ = tier.increment;
        }
        const std::int64_t paid = elapsed_ - part_.included;
        if (paid == 0 && part_.rate->initial_increment > 0) {
            step_ = part_.rate->initial_increment;
        } else if (call_.version->settings.anchor != IncrementAnchor::zero || step_ == 1 ||
                   paid % step_ == 0) {
            return;
        } else {
            step_ -= paid % step_;
        }
        until_ = elapsed_ + 1;  // One step of that length.
    }

    void change_row() noexcept {
        const Deck& deck = *call_.version->deck;
        std::int64_t until = 0;
        row_ = deck.at(row_, call_.start, part_.begins + elapsed_, call_.version->calendar, until);
        rate_ = &deck.rate(row_);
        row_until_ = std::min(until - part_.begins, kNever64);
    }

    const RatedCall& call_;
    const PaidPart& part_;
    const Rate* rate_;
    std::int64_t elapsed_;
    Deck::RowIndex row_;
    std::int64_t row_until_;  ///< Seconds since the part began; so are all here.
    Price price_{};
    std::int64_t step_ = 1;
    std::int64_t until_ = 0;
};

/// Whether a call of that length is charged nothing at all.
bool charged_nothing(const RatedCall& call, std::int64_t used) noexcept {
    return used <= call.rate->grace_seconds || used <= call.bundled;
}

/// `left` over `divisor`, or what is above it where that is more than kNever64. Requires: both are positive.
std::int64_t times_within(Exact left, Exact divisor) noexcept {
    if (divisor <= INT64_MAX) {  // So that the product has room.
        if (left >= divisor * kNever64) return kNever64;
        if (left <= INT64_MAX) return static_cast<std::int64_t>(left) / static_cast<std::int64_t>(divisor);
    }
    return static_cast<std::int64_t>(std::min(left / divisor, Exact{kNever64}));
}

/// The longest paid part, in seconds, with connect fee plus `fees` plus price at most `most`; -1: not even
/// the fees. INT64_MAX: without end, or none was found up to `limit`.
std::int64_t longest_within(const RatedCall& call, const PaidPart& part, Exact fees, Exact most,
                            std::int64_t limit) noexcept {
    Exact left = most - exact(part.rate->connect_fee) - fees;
    if (left < 0) return -1;
    for (Walk walk{call, part};;) {
        const Exact of_step = exact(walk.price(), walk.step(), call.version->settings);
        if (walk.elapsed() > limit || (walk.is_last() && of_step == 0)) return INT64_MAX;
        if (walk.is_last()) {
            return walk.elapsed() + times_within(left, of_step) * walk.step();
        }
        const std::int64_t steps = walk.steps_before(kNever64);
        if (steps == 1 ? left < of_step : of_step > 0 && left / of_step < steps) {
            const auto affordable = steps == 1 ? 0 : static_cast<std::int64_t>(left / of_step);
            return walk.elapsed() + affordable * walk.step();
        }
        left -= of_step * steps;
        walk.pass(steps);
    }
}

/// Whether a call is rated by price, connect fee, increments and grace alone.
bool is_plain(const RatedCall& call) noexcept {
    return call.rate->plain && call.bundled == 0;
}

/// What a plain call of that length, beyond grace, is billed for, in seconds.
std::int64_t plain_billed(const RatedCall& call, std::int64_t used) noexcept {
    const std::int64_t initial = call.rate->initial_increment;
    const std::int64_t step = call.rate->increment;
    if (used <= initial) return initial;
    if (step == 1) return used;
    const std::int64_t from = call.version->settings.anchor == IncrementAnchor::zero ? 0 : initial;
    return from + (used - from + step - 1) / step * step;
}

}  // namespace

std::chrono::seconds billed_seconds(const RatedCall& call, std::chrono::seconds duration) noexcept {
    if (charged_nothing(call, duration.count())) return std::chrono::seconds{0};
    if (is_plain(call)) return std::chrono::seconds{plain_billed(call, duration.count())};
    const std::int64_t used = duration.count() - call.bundled;
    const PaidPart part = paid_part(call);
    if (used <= part.included) return std::chrono::seconds{0};
    Walk walk{call, part};
    while (walk.elapsed() < used)
        walk.pass(walk.steps_before(used));
    return std::chrono::seconds{walk.elapsed() - part.included};
}

Money cost(const RatedCall& call, std::chrono::seconds duration) noexcept {
    if (charged_nothing(call, duration.count())) return Money{};
    if (is_plain(call)) {
        const TariffSettings& settings = call.version->settings;
        return rounded(exact(call.rate->connect_fee) +
                           exact(call.rate->price, plain_billed(call, duration.count()), settings),
                       settings);
    }
    const std::int64_t used = duration.count() - call.bundled;
    const PaidPart part = paid_part(call);
    const Rate& rate = *part.rate;
    Exact total = exact(rate.connect_fee);
    if (used > part.included) {
        Walk walk{call, part};
        do {
            const std::int64_t steps = walk.steps_before(used);
            total += exact(walk.price(), steps * walk.step(), call.version->settings);
            if (walk.elapsed() + steps * walk.step() >= used) break;
            walk.pass(steps);
        } while (true);
    }
    if (used >= rate.disconnect_after) total += exact(rate.disconnect_fee);
    return rounded(bounded(rate, total), call.version->settings);
}

namespace {

/// The longest time of a plain call that costs at most `most`, in seconds. Requires: what follows the first
/// step is whole steps.
std::chrono::seconds longest_plain(const RatedCall& call, Exact most) noexcept {
    const Rate& rate = *call.rate;
    const Exact of_second = exact(rate.price, 1, call.version->settings);
    const Exact left = most - exact(rate.connect_fee) - of_second * rate.initial_increment;
    if (left < 0) return std::chrono::seconds{0};
    if (of_second == 0) return kUnlimited;
    const std::int64_t longest =
        rate.initial_increment + times_within(left, of_second * rate.increment) * rate.increment;
    return longest >= kDurationMax.count() ? kUnlimited : std::chrono::seconds{longest};
}

/// The longest affordable time of the paid part alone, which knows no grace. Requires: 0 <= funds.
std::chrono::seconds longest_paid(const RatedCall& call, Money funds, std::chrono::seconds limit) noexcept {
    // What rounds to kAmountMax but lies above it is kCostTooLarge.
    const Exact most = std::min(largest_within(std::min(funds, kAmountMax), call.version->settings),
                                kAmountMax.micros() * kExactPerMicro);
    if (is_plain(call) && (call.version->settings.anchor == IncrementAnchor::end_of_initial ||
                           call.rate->initial_increment % call.rate->increment == 0)) {
        return longest_plain(call, most);
    }
    const PaidPart part = paid_part(call);
    const Rate& rate = *part.rate;
    if (rate.max_charge && exact(*rate.max_charge) <= most) return kUnlimited;
    if (exact(rate.min_charge) > most) return std::chrono::seconds{0};

    // Only where rows change is there more than a handful of stretches to go through.
    const std::int64_t end = rate.may_change ? limit.count() : kDurationMax.count();
    std::int64_t longest = longest_within(call, part, 0, most, end);
    const std::int64_t fee_from = rate.disconnect_after;
    if (rate.disconnect_fee != Price{} && longest >= fee_from) {
        // Below `fee_from` the fee is not due; from there on it must be affordable too.
        if (fee_from <= end) {
            longest =
                std::max(longest_within(call, part, exact(rate.disconnect_fee), most, end), fee_from - 1);
        } else if (longest != INT64_MAX) {
            longest = fee_from - 1;
        }
    }
    if (longest == INT64_MAX && end < kDurationMax.count()) return limit;
    if (longest >= kDurationMax.count()) return kUnlimited;
    return std::max(std::chrono::seconds{longest}, std::chrono::seconds{0});
}

}  // namespace

std::chrono::seconds longest_affordable(const RatedCall& call, Money funds,
                                        std::chrono::seconds limit) noexcept {
    const std::chrono::seconds bundled{call.bundled};
    const std::chrono::seconds within_grace{call.rate->grace_seconds};
    if (funds < Money{}) return bundled > std::chrono::seconds{0} ? std::max(bundled, within_grace) : bundled;
    const auto paid = longest_paid(call, funds, std::max(limit - bundled, std::chrono::seconds{0}));
    if (paid == kUnlimited || bundled + paid >= kDurationMax) return kUnlimited;
    return std::max(bundled + paid, within_grace);
}

bool is_free(const RatedCall& call, std::chrono::seconds duration) noexcept {
    const Rate& rate = *call.rate;
    if (rate.max_charge == Price{}) return true;
    if (rate.connect_fee != Price{} || rate.disconnect_fee != Price{} || rate.min_charge != Price{})
        return false;
    if (call.version->settings.markup == kMarkupMin) return true;
    if (rate.plain) return rate.price == Price{};
    RatedCall without_bundles = call;
    without_bundles.bundled = 0;
    const PaidPart part = paid_part(without_bundles);
    Walk walk{without_bundles, part};
    while (walk.price() == Price{} && !walk.is_last() && walk.elapsed() < duration.count())
        walk.pass(walk.steps_before(duration.count()));
    return walk.price() == Price{} || (walk.elapsed() >= duration.count() && rate.price == Price{});
}

std::vector<Stretch> stretches(const RatedCall& call, std::chrono::seconds duration, std::size_t most) {
    std::vector<Stretch> result;
    if (charged_nothing(call, duration.count())) return result;
    const std::int64_t used = duration.count() - call.bundled;
    const PaidPart part = paid_part(call);
    for (Walk walk{call, part}; walk.elapsed() < used;) {
        const std::int64_t steps = walk.steps_before(used);
        auto* const last = result.empty() ? nullptr : &result.back();
        if (last != nullptr && last->row == walk.row() && last->step == walk.step() &&
            last->price == walk.price()) {
            last->steps += steps;
        } else if (result.size() == most) {
            break;
        } else {
            result.push_back({walk.row(), call.bundled + walk.elapsed(), walk.step(), steps, walk.price()});
        }
        walk.pass(steps);
    }
    return result;
}

Price price_with_markup(Price price, const TariffSettings& settings) noexcept {
    const Exact nanos = Exact{price.nanos()} * (kMarkupUnit + settings.markup) / kMarkupUnit;
    return Price::from_nanos(static_cast<std::int64_t>(std::min(nanos, Exact{INT64_MAX})));
}

}  // namespace tollgate::rating
