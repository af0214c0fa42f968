#include "balance/limits.h"

#include <algorithm>

namespace tollgate::balance {

std::vector<Country> CountrySet::all() const {
    std::vector<Country> countries;
    for (std::uint16_t number = 1; number <= Country::kNumberMax; ++number) {
        if (contains(Country::from_number(number))) countries.push_back(Country::from_number(number));
    }
    return countries;
}

LimitSettings LimitChange::applied_to(LimitSettings settings) const {
    if (names(kCapCall)) settings.cap_call = values.cap_call;
    if (names(kCapDay)) settings.cap_day = values.cap_day;
    if (names(kCapMonth)) settings.cap_month = values.cap_month;
    if (names(kMaxPrice)) settings.max_price = values.max_price;
    if (names(kMaxSeconds)) settings.max_seconds = values.max_seconds;
    if (names(kCallsPerSecond)) settings.calls_per_second = values.calls_per_second;
    if (names(kHomeCountry)) settings.home_country = values.home_country;
    if (names(kOpenedCountries)) settings.opened_countries = values.opened_countries;
    if (names(kLossPolicy)) settings.refuse_loss = values.refuse_loss;
    return settings;
}

Spending::Periods Spending::periods(rating::Instant at) const noexcept {
    const auto second = std::chrono::floor<std::chrono::seconds>(at).time_since_epoch().count();
    const std::int64_t offset = zone_ == nullptr ? 0 : zone_->at(second).offset;
    const std::chrono::sys_seconds local{std::chrono::seconds{second + offset}};
    const auto day = std::chrono::floor<std::chrono::days>(local);
    const std::chrono::year_month_day date{day};
    return {day.time_since_epoch().count(),
            std::int64_t{static_cast<int>(date.year())} * 12 + static_cast<unsigned>(date.month()) - 1};
}

Money Spending::left(rating::Instant at, const Caps& caps) noexcept {
    Money left = kNoCap;
    if (caps.day == kNoCap && caps.month == kNoCap) return left;
    const Periods mine = periods(at);
    if (caps.day != kNoCap) left = std::min(left, caps.day - days_.sum(mine.day));
    if (caps.month != kNoCap) left = std::min(left, caps.month - months_.sum(mine.month));
    return left;
}

bool Spending::try_spend(rating::Instant at, rating::Instant now, Money amount, const Caps& caps) noexcept {
    const Periods mine = periods(at);
    const Periods present = at == now ? mine : periods(now);
    if (!days_.try_add(mine.day, amount, caps.day, present.day)) return false;
    if (months_.try_add(mine.month, amount, caps.month, present.month)) return true;
    days_.add(mine.day, -amount, present.day);
    return false;
}

void Spending::spend(rating::Instant at, rating::Instant now, Money amount) noexcept {
    if (amount == Money{}) return;
    const Periods mine = periods(at);
    const Periods present = at == now ? mine : periods(now);
    days_.add(mine.day, amount, present.day);
    months_.add(mine.month, amount, present.month);
}

CallRate::Ticket CallRate::try_take(std::chrono::nanoseconds now, std::uint32_t n) noexcept {
    if (n == 0) return kNoTicket;
    // A moment before the second began belongs to it: threads read the clock before they come here.
    const auto moment =
        static_cast<std::uint64_t>(std::chrono::floor<std::chrono::milliseconds>(now).count() + 1);
    std::uint64_t word = word_.load(std::memory_order_relaxed);
    for (;;) {
        const std::uint64_t began = word >> kCountBits;
        std::uint64_t after = word + 1;
        if (word == 0 || moment >= began + 1'000) {
            after = (moment << kCountBits) | 1;
        } else if ((word & kCountMask) >= n) {
            return kNoTicket;
        }
        if (word_.compare_exchange_weak(word, after, std::memory_order_relaxed)) return after >> kCountBits;
    }
}

void CallRate::give_back(Ticket ticket) noexcept {
    std::uint64_t word = word_.load(std::memory_order_relaxed);
    while (word >> kCountBits == ticket && (word & kCountMask) > 0) {
        if (word_.compare_exchange_weak(word, word - 1, std::memory_order_relaxed)) return;
    }
}

void Limits::count_spending(const std::shared_ptr<const rating::TimeZone>& zone) {
    if (spending() == nullptr) spending_.store(new Spending{zone}, std::memory_order_release);
}

void Limits::set(const LimitSettings& settings, const std::shared_ptr<const rating::TimeZone>& zone,
                 const CountrySet* opened) {
    // What counts is there before the cap that asks it.
    if (settings.cap_day || settings.cap_month) count_spending(zone);
    const auto relaxed = std::memory_order_relaxed;
    cap_call_.store(settings.cap_call.value_or(Spending::kNoCap).micros(), relaxed);
    cap_day_.store(settings.cap_day.value_or(Spending::kNoCap).micros(), relaxed);
    cap_month_.store(settings.cap_month.value_or(Spending::kNoCap).micros(), relaxed);
    max_price_.store(settings.max_price ? settings.max_price->nanos() : kNoPrice, relaxed);
    max_seconds_.store(settings.max_seconds.value_or(kNoCount), relaxed);
    calls_per_second_.store(settings.calls_per_second.value_or(kNoCount), relaxed);
    home_country_.store(settings.home_country.value_or(Country{}).number(), relaxed);
    refuse_loss_.store(settings.refuse_loss, relaxed);
    opened_.store(opened, std::memory_order_release);
}

LimitSettings Limits::settings() const {
    LimitSettings settings;
    const auto money = [](Money cap) { return cap == Spending::kNoCap ? std::nullopt : std::optional{cap}; };
    const auto count = [](std::uint32_t n) { return n == kNoCount ? std::nullopt : std::optional{n}; };
    settings.cap_call = money(cap_call());
    settings.cap_day = money(caps().day);
    settings.cap_month = money(caps().month);
    if (max_price_nanos() != kNoPrice) settings.max_price = rating::Price::from_nanos(max_price_nanos());
    settings.max_seconds = count(max_seconds());
    settings.calls_per_second = count(calls_per_second());
    const auto home = Country::from_number(home_country_.load(std::memory_order_relaxed));
    if (!home.none()) settings.home_country = home;
    const CountrySet* const opened = opened_.load(std::memory_order_acquire);
    if (opened != nullptr) settings.opened_countries = opened->all();
    settings.refuse_loss = refuse_loss();
    return settings;
}

}  // namespace tollgate::balance
