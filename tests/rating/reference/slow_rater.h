/// The rating rules once more, walked step by step: what the product's closed forms are held against.
///
/// Shares no line with rating/, on purpose: a mistake would have to be made twice to stay unseen. Everything
/// here is plain data and may be filled in by hand; a price is added up step by step and rounded once, at the
/// end.
///
/// Any thread may call any function with a tariff that nobody changes meanwhile.
#pragma once

#include <chrono>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace tollgate::reference {

__extension__ typedef __int128 Exact;  // NOLINT(modernize-use-using): only a typedef takes __extension__.

/// UTC.
using Instant = std::chrono::sys_time<std::chrono::nanoseconds>;

/// A price per minute, a fee or a bound, in nano-units. Never negative.
struct Price {
    std::int64_t nanos = 0;
    friend auto operator<=>(Price, Price) = default;
};

/// An amount in micro-units. Wide enough for whatever the walk adds up: no cost is too large to be compared.
struct Amount {
    Exact micros = 0;
    friend bool operator==(Amount a, Amount b) { return a.micros == b.micros; }
    friend std::strong_ordering operator<=>(Amount a, Amount b) {
        return a.micros < b.micros   ? std::strong_ordering::less
               : a.micros > b.micros ? std::strong_ordering::greater
                                     : std::strong_ordering::equal;
    }
};

inline constexpr std::chrono::seconds kDay{86'400};

/// Bits of the fields of a ClockRange.
constexpr std::uint8_t day_bit(unsigned days_since_monday) {
    return static_cast<std::uint8_t>(1U << days_since_monday);
}
constexpr std::uint16_t month_bit(unsigned month) {
    return static_cast<std::uint16_t>(1U << month);
}
constexpr std::uint32_t month_day_bit(unsigned day) {
    return 1U << day;
}

/// Local times that belong together. A field that is 0 does not restrict.
struct ClockRange {
    std::uint8_t days = 0;             ///< day_bit() of 0 (Monday) to 6.
    std::uint16_t months = 0;          ///< month_bit() of 1 to 12.
    std::uint32_t month_days = 0;      ///< month_day_bit() of 1 to 31.
    std::chrono::seconds from{0};      ///< Of the local clock, not since midnight: 03:00 is 3 h on every day.
    std::chrono::seconds until{kDay};  ///< Exclusive, above `from`.
};

/// A named time of day: whatever one of its ranges holds.
struct Window {
    std::string name;
    std::vector<ClockRange> ranges;
};

struct Tier {
    std::chrono::seconds from{0};
    Price price;
    std::chrono::seconds increment{1};
};

/// One line of a deck. Names and defaults are those of the deck's columns.
struct Row {
    std::string prefix;  ///< Digits, or `*` for whatever no prefix matches.
    Price price;
    Price connect_fee;
    std::chrono::seconds initial_increment{1};  ///< 0: none.
    std::chrono::seconds increment{1};
    std::chrono::seconds grace{0};
    std::chrono::seconds included{0};
    Price disconnect_fee;
    std::chrono::seconds disconnect_after{0};
    Price min_charge;
    std::optional<Price> max_charge;
    std::optional<Instant> effective_from;
    std::optional<Instant> effective_until;  ///< Exclusive.
    std::optional<std::size_t> window;       ///< Index into Tariff::windows.
    std::int64_t weight = 0;
    std::vector<Tier> tiers;  ///< Ascending.
};

enum class Rounding : std::uint8_t { up, half_up, half_even, down };
enum class Anchor : std::uint8_t { end_of_initial, zero };

struct Tariff {
    int decimals = 6;
    Rounding rounding = Rounding::up;
    Anchor anchor = Anchor::end_of_initial;
    std::int64_t markup = 0;  ///< In 1e-4 percent: 1'000'000 doubles a price. At least -1'000'000.
    std::string time_zone = "UTC";
    std::vector<Window> windows;
    std::vector<Row> rows;  ///< Without ties; of rows that tie nevertheless the first one is taken.
};

/// Where a call begins. The pointers live as long as the tariff's rows.
struct Match {
    const Row* row = nullptr;           ///< The one that holds at the start.
    std::vector<const Row*> in_effect;  ///< All of its prefix that the call may go on with.
};

/// The row that a call begins with; nullopt where no row applies.
/// All functions: a time zone that does not exist ends in std::runtime_error.
[[nodiscard]] std::optional<Match> match(const Tariff& tariff, std::string_view digits, Instant start);

/// What a call of `used` seconds costs, rounded as the tariff says; nullopt where no row applies.
[[nodiscard]] std::optional<Amount> cost(const Tariff& tariff, std::string_view digits, Instant start,
                                         std::chrono::seconds used);

/// What it costs where its first seconds are bundled; nullopt where no row applies.
[[nodiscard]] std::optional<Amount> cost_after_bundle(const Tariff& tariff, std::string_view digits,
                                                      Instant start, std::chrono::seconds used,
                                                      std::chrono::seconds bundled);

/// The largest whole d <= cap with cost(d) <= funds; 0 where there is none; nullopt where no row applies.
[[nodiscard]] std::optional<std::chrono::seconds> max_seconds(const Tariff& tariff, std::string_view digits,
                                                              Instant start, Amount funds,
                                                              std::chrono::seconds cap);

/// How many steps the walk to `used` seconds takes: what a cost costs here. 0 where no row applies.
[[nodiscard]] std::int64_t step_count(const Tariff& tariff, std::string_view digits, Instant start,
                                      std::chrono::seconds used);

}  // namespace tollgate::reference
