#include "tests/rating/reference/random_tariff.h"

#include <algorithm>
#include <array>
#include <set>
#include <stdexcept>
#include <utility>

#include <cctz/civil_time.h>
#include <cctz/time_zone.h>

namespace tollgate::reference {
namespace {

using std::chrono::floor;
using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;
using std::chrono::sys_seconds;
using namespace std::chrono_literals;

constexpr std::array kZones = {"UTC",
                               "Europe/Berlin",
                               "Europe/London",
                               "Europe/Dublin",
                               "America/New_York",
                               "America/St_Johns",
                               "Asia/Kolkata",
                               "Asia/Kathmandu",
                               "Asia/Tehran",
                               "Pacific/Apia",
                               "Pacific/Chatham",
                               "Pacific/Kiritimati",
                               "Africa/Cairo",
                               "Africa/Casablanca",
                               "Antarctica/Troll",
                               "America/Sao_Paulo",
                               "America/Caracas",
                               "Asia/Pyongyang",
                               "Australia/Lord_Howe"};

constexpr Instant kFirst = std::chrono::sys_days{std::chrono::year{1980} / 1 / 1};
constexpr Instant kLast = std::chrono::sys_days{std::chrono::year{2050} / 1 / 1};
/// Samoa had no 30 December 2011.
constexpr Instant kApiaSkipsADay = std::chrono::sys_days{std::chrono::year{2011} / 12 / 30} + 10h;

constexpr std::uint8_t kAllDays = 0x7F;
constexpr std::uint8_t kWorkDays = 0x1F;
constexpr std::uint16_t kAllMonths = 0x1FFE;
constexpr std::uint32_t kAllMonthDays = 0xFFFF'FFFE;

constexpr std::size_t kWindowsMax = 8;
constexpr std::size_t kDigitsMax = 15;

/// Plain draws: the standard distributions differ from one library to the next.
class Dice {
  public:
    explicit Dice(std::mt19937_64& engine) : engine_(engine) {}

    std::int64_t between(std::int64_t least, std::int64_t most) {
        return least + static_cast<std::int64_t>(engine_() % static_cast<std::uint64_t>(most - least + 1));
    }
    seconds between(seconds least, seconds most) { return seconds{between(least.count(), most.count())}; }
    microseconds between(microseconds least, microseconds most) {
        return microseconds{between(least.count(), most.count())};
    }
    std::size_t below(std::size_t count) { return engine_() % count; }
    bool percent(std::int64_t chance) { return between(0, 99) < chance; }
    template <typename List>
    const auto& of(const List& list) {
        return list[below(list.size())];
    }
    template <typename List>
    void shuffle(List& list) {
        for (std::size_t size = list.size(); size > 1; --size)
            std::swap(list[size - 1], list[below(size)]);
    }
    /// Some of the bits, at least one.
    template <typename Bits>
    Bits some_of(Bits bits) {
        for (;;) {
            if (const auto some = static_cast<Bits>(bits & engine_()); some != 0) return some;
        }
    }

  private:
    std::mt19937_64& engine_;
};

cctz::time_zone zone_of(const Tariff& tariff) {
    cctz::time_zone zone;
    if (!cctz::load_time_zone(tariff.time_zone, &zone))
        throw std::runtime_error("no time zone " + tariff.time_zone);
    return zone;
}

Instant random_instant(Dice& dice) {
    return kFirst + dice.between(microseconds{0}, std::chrono::duration_cast<microseconds>(kLast - kFirst));
}

Instant random_focus(Dice& dice, const Tariff& tariff) {
    if (tariff.time_zone == "Pacific/Apia" && dice.percent(30)) return kApiaSkipsADay;
    const Instant any = random_instant(dice);
    cctz::time_zone::civil_transition change;
    const auto zone = zone_of(tariff);
    if (dice.percent(60) && zone.next_transition(floor<seconds>(any), &change)) {
        if (const sys_seconds changes = zone.lookup(change.to).trans; changes < kLast) return changes;
    }
    return floor<seconds>(any);
}

// Windows.

seconds random_clock(Dice& dice) {
    constexpr std::array kUsual = {1h + 0min, 2h + 0min,   2h + 30min, 3h + 0min,  7h + 0min,
                                   8h + 0min, 18h + 30min, 19h + 0min, 23h + 59min};
    switch (dice.below(4)) {
        case 0:
            return dice.of(kUsual);
        case 1:
            return hours{dice.between(1, 23)};
        case 2:
            return minutes{dice.between(1, 24 * 60 - 1)};
        default:
            return dice.between(1s, kDay - 1s);
    }
}

constexpr ClockRange kWhole{kAllDays, kAllMonths, kAllMonthDays, 0s, kDay};

/// Cuts off a part of the range in one of its fields and returns the other part; false where nothing is left
/// to cut.
template <typename Bits>
bool cut_bits(Dice& dice, Bits& bits, Bits& other) {
    if ((bits & (bits - 1)) == 0) return false;  // Only one.
    const Bits all = bits;
    do {
        bits = dice.some_of(all);
    } while (bits == all);
    other = static_cast<Bits>(all & ~bits);
    return true;
}

bool cut(Dice& dice, ClockRange& range, ClockRange& other) {
    other = range;
    switch (dice.below(6)) {
        case 0:
            return cut_bits(dice, range.days, other.days);
        case 1:
            return cut_bits(dice, range.months, other.months);
        case 2:
            return cut_bits(dice, range.month_days, other.month_days);
        default: {
            const seconds clock = dice.percent(30) ? range.from + dice.between(1s, 900s) : random_clock(dice);
            if (clock <= range.from || clock >= range.until) return false;
            range.until = other.from = clock;
            return true;
        }
    }
}

/// Windows that share no second, each of them with one range or more.
std::vector<std::vector<ClockRange>> disjoint_windows(Dice& dice) {
    if (dice.percent(35)) {
        const seconds from = random_clock(dice);
        const seconds until = std::min(kDay, from + dice.between(60s, 12h));
        ClockRange peak = kWhole;
        ClockRange weekend = kWhole;
        peak.days = dice.percent(50) ? kWorkDays : dice.some_of(static_cast<std::uint8_t>(kAllDays & ~1U));
        weekend.days = static_cast<std::uint8_t>(kAllDays & ~peak.days);
        ClockRange early = peak;
        ClockRange late = peak;
        early.until = peak.from = from;
        late.from = peak.until = until;
        std::vector<ClockRange> offpeak{weekend, early};
        if (late.from < late.until) offpeak.push_back(late);
        return {{peak}, offpeak};
    }
    std::vector<ClockRange> ranges{kWhole};
    for (std::int64_t cuts = dice.between(1, 6); cuts > 0;) {
        ClockRange other;
        if (!cut(dice, ranges[dice.below(ranges.size())], other)) continue;
        ranges.push_back(other);
        --cuts;
    }
    dice.shuffle(ranges);
    std::vector<std::vector<ClockRange>> windows(std::min(ranges.size(), 2 + dice.below(3)));
    for (std::size_t i = 0; i < ranges.size(); ++i) {
        if (i >= windows.size() && dice.percent(10)) continue;  // A time that is no window's.
        windows[i < windows.size() ? i : dice.below(windows.size())].push_back(ranges[i]);
    }
    return windows;
}

ClockRange any_range(Dice& dice) {
    ClockRange range = kWhole;
    if (dice.percent(40)) range.days = dice.some_of(kAllDays);
    if (dice.percent(15)) range.months = dice.some_of(kAllMonths);
    if (dice.percent(15)) range.month_days = dice.some_of(kAllMonthDays);
    if (dice.percent(75)) {
        const seconds clock = random_clock(dice);
        if (dice.percent(30)) {
            range.until = clock;
        } else {
            range.from = clock;
            if (dice.percent(70))
                range.until = std::min(kDay, clock + dice.between(1s, dice.percent(50) ? 600s : 43'200s));
        }
    }
    return range;
}

/// A list of all days may be left out as well.
void leave_out(Dice& dice, ClockRange& range) {
    if (range.days == kAllDays && dice.percent(80)) range.days = 0;
    if (range.months == kAllMonths && dice.percent(90)) range.months = 0;
    if (range.month_days == kAllMonthDays && dice.percent(90)) range.month_days = 0;
}

using WindowGroup = std::vector<std::size_t>;  // Windows of which no two hold at the same second.

std::vector<WindowGroup> add_windows(Dice& dice, Tariff& tariff) {
    constexpr std::array kNames = {"peak",   "offpeak", "night",      "weekend",
                                   "summer", "holiday", "happy-hour", "rest"};
    static_assert(kNames.size() == kWindowsMax);
    std::vector<WindowGroup> groups;
    for (std::int64_t wanted = dice.between(dice.percent(80) ? 1 : 0, 3); wanted > 0; --wanted) {
        std::vector<std::vector<ClockRange>> windows;
        if (dice.percent(60)) {
            windows = disjoint_windows(dice);
        } else {
            windows.emplace_back();
            for (std::int64_t ranges = dice.between(1, 3); ranges > 0; --ranges) {
                windows.front().push_back(any_range(dice));
            }
        }
        if (tariff.windows.size() + windows.size() > kWindowsMax) break;
        WindowGroup group;
        for (auto& ranges : windows) {
            for (ClockRange& range : ranges)
                leave_out(dice, range);
            group.push_back(tariff.windows.size());
            tariff.windows.push_back({kNames[tariff.windows.size()], std::move(ranges)});
        }
        groups.push_back(std::move(group));
    }
    return groups;
}

// Rows.

Price random_price(Dice& dice, std::int64_t free_chance) {
    if (dice.percent(free_chance)) return {};
    switch (dice.below(5)) {
        case 0:
            return {dice.between(1, 99) * 10'000'000};  // Cents.
        case 1:
            return {dice.between(1, 9'999) * 100'000};
        case 2:
            return {dice.between(1, 999) * 1'000};  // Some micro-units.
        case 3:
            return {dice.between(1, dice.percent(10) ? 1'000'000'000'000 : 10'000'000'000)};
        default:
            return {dice.between(1, 500'000'000)};
    }
}

seconds random_increment(Dice& dice) {
    constexpr std::array kUsual = {1s, 1s, 6s, 10s, 30s, 60s};
    if (dice.percent(65)) return dice.of(kUsual);
    return dice.between(1s, dice.percent(70) ? 90s : 3600s);
}

std::vector<Tier> random_tiers(Dice& dice) {
    std::set<seconds> thresholds;
    for (std::int64_t count = dice.between(1, 4); count > 0; --count) {
        thresholds.insert(dice.percent(40)   ? seconds{60 * dice.between(0, 15)}
                          : dice.percent(70) ? dice.between(1s, 600s)
                                             : dice.between(1s, 7200s));
    }
    std::vector<Tier> tiers;
    for (const seconds from : thresholds)
        tiers.push_back({from, random_price(dice, 15), random_increment(dice)});
    return tiers;
}

Row random_row(Dice& dice, const std::string& prefix) {
    Row row;
    row.prefix = prefix;
    row.price = random_price(dice, 8);
    row.connect_fee = random_price(dice, 65);
    row.increment = random_increment(dice);
    if (dice.percent(60)) row.initial_increment = dice.percent(25) ? 0s : random_increment(dice);
    if (dice.percent(25)) row.grace = dice.between(1s, dice.percent(80) ? 10s : 300s);
    if (dice.percent(25))
        row.included = dice.percent(50) ? 60s : dice.between(1s, dice.percent(80) ? 300s : 7200s);
    if (dice.percent(25)) row.disconnect_fee = random_price(dice, 5);
    if (dice.percent(35)) row.disconnect_after = dice.between(1s, 600s);
    if (dice.percent(20)) row.min_charge = random_price(dice, 0);
    if (dice.percent(20)) row.max_charge = Price{row.min_charge.nanos + random_price(dice, 10).nanos};
    if (dice.percent(30)) row.tiers = random_tiers(dice);
    return row;
}

/// Mostly within hours of the focus, so that calls around it meet both sides.
Instant near(Dice& dice, Instant focus) {
    const auto distance = dice.percent(70) ? 6h : 24h * 40;
    const Instant exact = focus + dice.between(microseconds{-distance}, microseconds{distance});
    return dice.percent(30) ? exact : floor<seconds>(exact);
}

void end_some(Dice& dice, Instant focus, Row& row) {
    if (!dice.percent(25)) return;
    const Instant until = near(dice, focus);
    if (!row.effective_from || *row.effective_from < until) row.effective_until = until;
}

/// Rows that share weight and effective_from: one without a window, or some whose windows are disjoint, or
/// both.
void add_rows(Dice& dice, RandomTariff& random, const std::vector<WindowGroup>& groups,
              const std::string& prefix) {
    std::set<std::pair<std::int64_t, std::optional<Instant>>> taken;
    for (std::int64_t wanted = dice.percent(40) ? 1 : dice.between(1, 4); wanted > 0; --wanted) {
        const std::int64_t weight = dice.percent(50) ? 0 : dice.between(1, dice.percent(50) ? 3 : 100);
        std::optional<Instant> from;
        if (dice.percent(35)) from = near(dice, random.focus);
        if (!taken.emplace(weight, from).second) continue;

        std::vector<std::optional<std::size_t>> windows;
        if (!groups.empty() && dice.percent(80)) {
            for (const std::size_t window : dice.of(groups)) {
                if (dice.percent(90)) windows.emplace_back(window);
            }
        }
        if (windows.empty() || dice.percent(30)) windows.emplace_back();
        const Row alike = random_row(dice, prefix);
        const bool same_fees = dice.percent(40);
        for (const auto window : windows) {
            Row row = same_fees ? alike : random_row(dice, prefix);
            if (same_fees) row.price = random_price(dice, 8);
            row.window = window;
            row.weight = weight;
            row.effective_from = from;
            end_some(dice, random.focus, row);
            random.tariff.rows.push_back(std::move(row));
        }
    }
}

std::string random_digits(Dice& dice, std::size_t count) {
    std::string digits;
    while (digits.size() < count)
        digits += static_cast<char>('0' + dice.below(10));
    return digits;
}

std::set<std::string> random_prefixes(Dice& dice) {
    std::set<std::string> prefixes;
    std::string prefix = random_digits(dice, 1 + dice.below(4));
    for (std::int64_t count = dice.between(1, 5); count > 0; --count) {
        prefixes.insert(prefix);
        if (dice.percent(75)) {
            prefix += random_digits(dice, 1 + dice.below(2));
        } else {
            prefix = random_digits(dice, 1 + dice.below(6));
        }
    }
    if (dice.percent(1)) prefixes.insert(random_digits(dice, kDigitsMax));
    if (dice.percent(40)) prefixes.insert("*");
    return prefixes;
}

// Calls.

seconds random_length(Dice& dice) {
    const std::int64_t kind = dice.between(0, 99);
    if (kind < 3) return 0s;
    if (kind < 45) return dice.between(1s, 120s);
    if (kind < 75) return dice.between(1s, 900s);
    if (kind < 98) return dice.between(1s, seconds{4h});
    return dice.between(seconds{4h}, 30h);
}

std::string random_destination(Dice& dice, const Tariff& tariff) {
    if (dice.percent(8)) return random_digits(dice, 1 + dice.below(kDigitsMax));
    const std::string& prefix = dice.of(tariff.rows).prefix;
    std::string digits = prefix == "*" ? "" : prefix;
    const std::size_t free = kDigitsMax - digits.size();
    if (dice.percent(5) && digits.size() > 1)
        return digits.substr(0, digits.size() - 1);  // Only the shorter ones.
    if (dice.percent(15) && !digits.empty()) return digits;
    return digits + random_digits(dice, std::max<std::size_t>(digits.empty() ? 1 : 0, dice.below(free + 1)));
}

/// Windows of the rows that a call to `digits` may meet, of all rows where there are none.
std::vector<std::size_t> windows_of(const Tariff& tariff, const std::string& digits) {
    std::vector<std::size_t> met;
    std::vector<std::size_t> all;
    for (const Row& row : tariff.rows) {
        if (!row.window) continue;
        all.push_back(*row.window);
        if (row.prefix == "*" || digits.starts_with(row.prefix)) met.push_back(*row.window);
    }
    return met.empty() ? all : met;
}

bool holds_on(const ClockRange& range, cctz::civil_day day) {
    const auto weekday = static_cast<unsigned>(cctz::get_weekday(day));  // From Monday, which is 0.
    return (range.days == 0 || (range.days & day_bit(weekday)) != 0) &&
           (range.months == 0 || (range.months & month_bit(static_cast<unsigned>(day.month()))) != 0) &&
           (range.month_days == 0 ||
            (range.month_days & month_day_bit(static_cast<unsigned>(day.day()))) != 0);
}

/// Where a window begins or ends, on the local day of `around` or the next one on which it does.
Instant window_border(Dice& dice, const Tariff& tariff, const Window& window, Instant around) {
    const ClockRange& range = dice.of(window.ranges);
    const auto zone = zone_of(tariff);
    cctz::civil_day day{cctz::convert(floor<seconds>(around), zone)};
    for (int tries = 0; tries < 40 && !holds_on(range, day); ++tries)
        ++day;
    const seconds clock = dice.percent(50) ? range.from : range.until;
    const auto border = zone.lookup(cctz::civil_second{day} + clock.count());
    return dice.percent(50) ? border.pre : border.post;
}

Instant random_start(Dice& dice, const RandomTariff& random, const std::string& digits, seconds length) {
    const Tariff& tariff = random.tariff;
    const std::int64_t kind = dice.between(0, 99);
    if (kind < 5) return random_instant(dice);
    Instant start = near(dice, random.focus);
    if (kind < 15) {
        const Row& row = dice.of(tariff.rows);
        const auto& border = dice.percent(50) ? row.effective_from : row.effective_until;
        if (border) return *border + dice.between(microseconds{-1}, microseconds{1});
    }
    const auto windows = windows_of(tariff, digits);
    if (kind < 65 && !windows.empty()) {
        start = window_border(dice, tariff, tariff.windows[dice.of(windows)], start);
    } else if (kind < 85) {
        start = random.focus;
    }
    // The border lies within the call, a little after it, or just before.
    start -= dice.between(-10s, length + (dice.percent(80) ? 5s : 120s));
    return dice.percent(30) ? start + dice.between(microseconds{0}, microseconds{999'999}) : start;
}

}  // namespace

RandomTariff random_tariff(std::mt19937_64& engine) {
    Dice dice{engine};
    RandomTariff random;
    Tariff& tariff = random.tariff;
    if (dice.percent(50)) tariff.decimals = static_cast<int>(dice.between(0, 6));
    tariff.rounding =
        dice.of(std::array{Rounding::up, Rounding::half_up, Rounding::half_even, Rounding::down});
    if (dice.percent(40)) tariff.anchor = Anchor::zero;
    if (dice.percent(50)) tariff.markup = dice.between(-1'000'000, dice.percent(80) ? 1'000'000 : 5'000'000);
    if (dice.percent(2)) tariff.markup = -1'000'000;
    tariff.time_zone = dice.of(kZones);
    random.focus = random_focus(dice, tariff);
    const auto groups = add_windows(dice, tariff);
    for (const std::string& prefix : random_prefixes(dice))
        add_rows(dice, random, groups, prefix);
    dice.shuffle(tariff.rows);
    return random;
}

RandomCall random_call(std::mt19937_64& engine, const RandomTariff& random) {
    Dice dice{engine};
    RandomCall call;
    call.seconds = random_length(dice);
    call.used = call.seconds;
    if (call.seconds > 0s && dice.percent(40)) call.used -= milliseconds{dice.between(0, 999)};
    call.digits = random_destination(dice, random.tariff);
    call.start = random_start(dice, random, call.digits, call.seconds);
    call.want = std::max(1s, random_length(dice));

    const auto fair = cost(random.tariff, call.digits, call.start, dice.between(0s, call.want));
    if (fair && dice.percent(85)) {
        call.funds = Amount{std::max<Exact>(0, fair->micros + dice.between(-1, 1))};
    } else {
        call.funds = Amount{dice.between(dice.percent(20) ? -1'000'000 : 0, 100'000'000)};
    }
    return call;
}

}  // namespace tollgate::reference
