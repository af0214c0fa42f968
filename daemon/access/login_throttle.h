/// How often a password may be guessed.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "balance/hash.h"

namespace tollgate::daemon::access {

/// Moments of the monotonic clock.
using Steady = std::chrono::nanoseconds;

/// When the next guess is allowed: a few wrong ones are free, then each doubles the wait up to a bound.
struct ThrottleRule {
    std::uint32_t free = 5;
    std::chrono::seconds first_wait{1};
    std::chrono::seconds wait_max{60};
    /// After so long without a guess everything is forgotten.
    std::chrono::seconds forget{std::chrono::hours{1}};

    /// After so many guesses in a row.
    [[nodiscard]] std::chrono::seconds wait_after(std::uint32_t guesses) const noexcept;
};

/// Counts guesses by name in memory that never grows: what somebody may invent without end (logins,
/// addresses) is not kept, but counted in four tables by a keyed hash. Names that share a place in all four,
/// which nobody can choose, count together; so an answer may be too strict, hardly ever too kind, and nothing
/// pushes a count out. One thread at a time.
class GuessCounts {
  public:
    GuessCounts(ThrottleRule rule, std::uint64_t hash_key);

    /// How long until the next guess is allowed; 0 is now.
    [[nodiscard]] Steady wait(std::string_view name, Steady now) const noexcept;
    /// A guess begins.
    void count(std::string_view name, Steady now) noexcept;
    /// A guess was right: it does not count, or none before it does.
    void take_back(std::string_view name) noexcept;
    void forget(std::string_view name) noexcept;

  private:
    static constexpr std::size_t kTables = 4;
    static constexpr std::size_t kPlaces = 16'384;
    struct Place {
        std::uint32_t guesses = 0;
        Steady last{};
    };

    [[nodiscard]] std::array<std::size_t, kTables> places_of(std::string_view name) const noexcept;

    ThrottleRule rule_;
    balance::KeyedHash hash_;
    std::vector<Place> places_;  // kTables times kPlaces of them.
};

/// Slows down whoever tries passwords: at one login from everywhere, and at all logins from one address.
///
/// A guess counts when it begins, not when it turns out wrong: a hundred at once are a hundred. Logins count
/// alike whether they exist or not. A right password clears its login, but not its address: with one password
/// of his own nobody gets to try many others'. The wait at a login is short, because whoever knows a login
/// may make its owner wait too. One thread at a time.
class LoginThrottle {
  public:
    static constexpr ThrottleRule kPerLogin{5, std::chrono::seconds{1}, std::chrono::seconds{60},
                                            std::chrono::hours{1}};
    /// Many people may share an address.
    static constexpr ThrottleRule kPerSource{20, std::chrono::seconds{1}, std::chrono::minutes{15},
                                             std::chrono::hours{1}};

    /// `hash_key` is random in a running daemon.
    explicit LoginThrottle(std::uint64_t hash_key, ThrottleRule per_login = kPerLogin,
                           ThrottleRule per_source = kPerSource);

    /// 0: the guess is allowed, and counts from now on. More: so long until the next one is.
    [[nodiscard]] Steady begin(std::string_view login, std::string_view source, Steady now) noexcept;
    /// It was right.
    void succeeded(std::string_view login, std::string_view source) noexcept;

  private:
    GuessCounts logins_;
    GuessCounts sources_;
};

/// What an address counts as: itself for IPv4, its /64 for IPv6, because whoever has one address of that has
/// all.
[[nodiscard]] std::string source_of(std::string_view address);

}  // namespace tollgate::daemon::access
