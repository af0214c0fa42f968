/// What a party may do beyond its funds: caps, rates of calls, countries. Most parties have none of it.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "balance/period_sums.h"
#include "rating/instant.h"
#include "rating/money.h"
#include "rating/time_zone.h"

namespace tollgate::balance {

/// The most that calls_per_second may be.
inline constexpr std::uint32_t kCallsPerSecondMax = 1'000'000;

/// How many different lists of countries there may be; the same list of a million parties is one.
inline constexpr std::size_t kCountryListsMax = 65'536;

/// An ISO 3166-1 alpha-2 code, as far as its form goes: two capital letters.
class Country {
  public:
    constexpr Country() noexcept = default;
    [[nodiscard]] static constexpr std::optional<Country> parse(std::string_view text) noexcept {
        const auto is_letter = [](char c) { return c >= 'A' && c <= 'Z'; };
        if (text.size() != 2 || !is_letter(text[0]) || !is_letter(text[1])) return std::nullopt;
        return Country{static_cast<std::uint16_t>((text[0] - 'A') * 26 + (text[1] - 'A') + 1)};
    }
    /// The reverse of number().
    static constexpr Country from_number(std::uint16_t number) noexcept { return Country{number}; }
    /// 1 to kNumberMax; 0: none.
    [[nodiscard]] constexpr std::uint16_t number() const noexcept { return number_; }
    [[nodiscard]] constexpr bool none() const noexcept { return number_ == 0; }
    [[nodiscard]] std::string text() const {
        if (none()) return {};
        return {static_cast<char>('A' + (number_ - 1) / 26), static_cast<char>('A' + (number_ - 1) % 26)};
    }
    friend constexpr bool operator==(Country, Country) noexcept = default;

    static constexpr std::uint16_t kNumberMax = 26 * 26;

  private:
    explicit constexpr Country(std::uint16_t number) noexcept : number_(number) {}
    std::uint16_t number_ = 0;
};

class CountrySet {
  public:
    void insert(Country country) noexcept { words_[country.number() / 64] |= bit(country); }
    /// Never true of none.
    [[nodiscard]] bool contains(Country country) const noexcept {
        return !country.none() && (words_[country.number() / 64] & bit(country)) != 0;
    }
    [[nodiscard]] std::vector<Country> all() const;
    // NOLINTNEXTLINE(modernize-use-nullptr): the comparison with 0 is the compiler's own.
    friend auto operator<=>(const CountrySet&, const CountrySet&) = default;

  private:
    static constexpr std::uint64_t bit(Country country) noexcept {
        return std::uint64_t{1} << (country.number() % 64);
    }
    std::array<std::uint64_t, Country::kNumberMax / 64 + 1> words_{};
};

/// Lists of countries, each kept once and for good, so that a call may look at one while administration gives
/// a party another. For one thread at a time.
class CountrySets {
  public:
    /// nullptr: there are kCountryListsMax others.
    [[nodiscard]] const CountrySet* intern(const CountrySet& set) {
        if (sets_.size() >= kCountryListsMax && !sets_.contains(set)) return nullptr;
        return &*sets_.insert(set).first;
    }

  private:
    std::set<CountrySet> sets_;
};

/// A party's limits as administration says them; absent is none.
struct LimitSettings {
    std::optional<Money> cap_call;           ///< The most that its leg of one call may cost.
    std::optional<Money> cap_day;            ///< The most that its legs of one day's calls may cost, ...
    std::optional<Money> cap_month;          ///< ... of one month's; open holds count.
    std::optional<rating::Price> max_price;  ///< Of its leg, per minute, with markup.
    std::optional<std::uint32_t> max_seconds;
    std::optional<std::uint32_t> calls_per_second;
    std::optional<Country> home_country;
    std::optional<std::vector<Country>> opened_countries;
    bool refuse_loss = false;

    friend bool operator==(const LimitSettings&, const LimitSettings&) = default;
};

/// Some limits as somebody changes them: what is named takes the value that stands there, none included.
struct LimitChange {
    enum Field : std::uint16_t {
        kCapCall = 1,
        kCapDay = 2,
        kCapMonth = 4,
        kMaxPrice = 8,
        kMaxSeconds = 16,
        kCallsPerSecond = 32,
        kHomeCountry = 64,
        kOpenedCountries = 128,
        kLossPolicy = 256,
    };
    std::uint16_t named = 0;  ///< Any of Field.
    LimitSettings values;

    void name(Field field) noexcept { named = static_cast<std::uint16_t>(named | field); }
    [[nodiscard]] bool names(Field field) const noexcept { return (named & field) != 0; }
    [[nodiscard]] LimitSettings applied_to(LimitSettings settings) const;
};

/// What a party's legs of calls come to by day and by month of its own zone: charged and held together.
///
/// Any thread may call any member at any time; none of them blocks or allocates. Eight days and four months
/// are kept, those nearest to the present: PeriodSums.
class Spending {
  public:
    explicit Spending(std::shared_ptr<const rating::TimeZone> zone) noexcept : zone_(std::move(zone)) {}

    static constexpr Money kNoCap = Money::from_micros(std::numeric_limits<std::int64_t>::max());
    struct Caps {
        Money day = kNoCap;
        Money month = kNoCap;
    };

    /// What may still be spent on the day and in the month of `at`, negative where it is too much already.
    /// kNoCap where there is no cap.
    [[nodiscard]] Money left(rating::Instant at, const Caps& caps) noexcept;
    /// Counts `amount` unless it is more than is left. Requires: amount >= 0.
    [[nodiscard]] bool try_spend(rating::Instant at, rating::Instant now, Money amount,
                                 const Caps& caps) noexcept;
    /// Counts `amount`, which may be negative, whatever is left.
    void spend(rating::Instant at, rating::Instant now, Money amount) noexcept;

    // ---- For snapshots and restarts, with no other thread ----

    enum class Unit : std::uint8_t { day, month };
    /// Calls `visitor(unit, period, sum)` for every period that is kept.
    template <typename Visitor>
    void visit(const Visitor& visitor) noexcept {
        days_.visit([&](std::int64_t period, Money sum) { visitor(Unit::day, period, sum); });
        months_.visit([&](std::int64_t period, Money sum) { visitor(Unit::month, period, sum); });
    }
    void restore(Unit unit, std::int64_t period, Money sum) noexcept {
        unit == Unit::day ? days_.restore(period, sum) : months_.restore(period, sum);
    }

    [[nodiscard]] Money spent_on_day(rating::Instant at) noexcept { return days_.sum(periods(at).day); }
    [[nodiscard]] Money spent_in_month(rating::Instant at) noexcept { return months_.sum(periods(at).month); }

  private:
    struct Periods {
        std::int64_t day;    ///< Since the epoch, by the zone's calendar.
        std::int64_t month;  ///< Since the year 0, likewise.
    };
    [[nodiscard]] Periods periods(rating::Instant at) const noexcept;

    std::shared_ptr<const rating::TimeZone> zone_;  ///< nullptr is UTC.
    PeriodSums<8> days_;
    PeriodSums<4> months_;
};

/// So many in a second: the first call after a pause begins a second of its own, in which at most `n` calls
/// begin. Any thread; never blocks; remembers nothing of before the process.
class CallRate {
  public:
    using Ticket = std::uint64_t;
    static constexpr Ticket kNoTicket = 0;
    /// Counts one more call, or kNoTicket where `n` were counted in this second.
    [[nodiscard]] Ticket try_take(std::chrono::nanoseconds now, std::uint32_t n) noexcept;
    /// The call did not begin after all.
    void give_back(Ticket ticket) noexcept;

  private:
    static constexpr int kCountBits = 24;
    static constexpr std::uint64_t kCountMask = (std::uint64_t{1} << kCountBits) - 1;
    static_assert(kCallsPerSecondMax < kCountMask);
    // When the second began, in milliseconds, and how many calls began in it. All that is decided is decided
    // by this one word, so relaxed is enough.
    std::atomic<std::uint64_t> word_{0};
};

/// The limits of one party that has or had some: behind Party::limits, made once, never replaced.
///
/// Administration changes them one by one while calls read them: each is decided by alone, so relaxed is
/// enough but for what is pointed to.
class Limits {
  public:
    Limits() = default;
    Limits(const Limits&) = delete;
    Limits& operator=(const Limits&) = delete;
    ~Limits() { delete spending_.load(); }

    /// `zone` is the party's; `opened` the list that settings.opened_countries says, of CountrySets. What is
    /// spent is counted from the first time on that there is a cap of a day or a month. For one thread at a
    /// time.
    void set(const LimitSettings& settings, const std::shared_ptr<const rating::TimeZone>& zone,
             const CountrySet* opened);
    [[nodiscard]] LimitSettings settings() const;
    /// Counts what is spent, cap or no cap. For one thread at a time.
    void count_spending(const std::shared_ptr<const rating::TimeZone>& zone);

    /// kNoCap: none.
    [[nodiscard]] Money cap_call() const noexcept {
        return Money::from_micros(cap_call_.load(std::memory_order_relaxed));
    }
    [[nodiscard]] Spending::Caps caps() const noexcept {
        return {Money::from_micros(cap_day_.load(std::memory_order_relaxed)),
                Money::from_micros(cap_month_.load(std::memory_order_relaxed))};
    }
    static constexpr std::int64_t kNoPrice = std::numeric_limits<std::int64_t>::max();
    static constexpr std::uint32_t kNoCount = std::numeric_limits<std::uint32_t>::max();
    [[nodiscard]] std::int64_t max_price_nanos() const noexcept {
        return max_price_.load(std::memory_order_relaxed);
    }
    [[nodiscard]] std::uint32_t max_seconds() const noexcept {
        return max_seconds_.load(std::memory_order_relaxed);
    }
    [[nodiscard]] std::uint32_t calls_per_second() const noexcept {
        return calls_per_second_.load(std::memory_order_relaxed);
    }
    [[nodiscard]] bool refuse_loss() const noexcept { return refuse_loss_.load(std::memory_order_relaxed); }
    /// Whether calls to a country are open: where there is no list, all are.
    [[nodiscard]] bool restricts_countries() const noexcept {
        return opened_.load(std::memory_order_acquire) != nullptr;
    }
    /// nullptr: no list.
    [[nodiscard]] const CountrySet* opened() const noexcept {
        return opened_.load(std::memory_order_acquire);
    }
    [[nodiscard]] bool opens(Country country) const noexcept {
        const CountrySet* const opened = opened_.load(std::memory_order_acquire);
        return opened == nullptr || opened->contains(country) ||
               (!country.none() && country.number() == home_country_.load(std::memory_order_relaxed));
    }

    /// nullptr where nothing is counted.
    [[nodiscard]] Spending* spending() const noexcept { return spending_.load(std::memory_order_acquire); }
    [[nodiscard]] CallRate& call_rate() noexcept { return call_rate_; }

  private:
    std::atomic<std::int64_t> cap_call_{Spending::kNoCap.micros()};
    std::atomic<std::int64_t> cap_day_{Spending::kNoCap.micros()};
    std::atomic<std::int64_t> cap_month_{Spending::kNoCap.micros()};
    std::atomic<std::int64_t> max_price_{kNoPrice};
    std::atomic<std::uint32_t> max_seconds_{kNoCount};
    std::atomic<std::uint32_t> calls_per_second_{kNoCount};
    std::atomic<std::uint16_t> home_country_{0};
    std::atomic<bool> refuse_loss_{false};
    std::atomic<const CountrySet*> opened_{
        nullptr};                               ///< Release and acquire: who sees it sees what is in it.
    std::atomic<Spending*> spending_{nullptr};  ///< Likewise.
    CallRate call_rate_;
};

}  // namespace tollgate::balance
