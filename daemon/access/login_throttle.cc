#include "daemon/access/login_throttle.h"

#include <algorithm>

#include <arpa/inet.h>

#include "daemon/letters.h"

namespace tollgate::daemon::access {

std::chrono::seconds ThrottleRule::wait_after(std::uint32_t guesses) const noexcept {
    if (guesses < free) return std::chrono::seconds{0};
    std::chrono::seconds wait = first_wait;
    for (std::uint32_t doubled = free; doubled < guesses && wait < wait_max; ++doubled)
        wait *= 2;
    return std::min(wait, wait_max);
}

GuessCounts::GuessCounts(ThrottleRule rule, std::uint64_t hash_key)
    : rule_(rule), hash_(hash_key), places_(kTables * kPlaces) {}

std::array<std::size_t, GuessCounts::kTables> GuessCounts::places_of(std::string_view name) const noexcept {
    const std::uint64_t hash = hash_(name);
    std::array<std::size_t, kTables> places{};
    for (std::size_t table = 0; table < kTables; ++table)
        places[table] = table * kPlaces + hash_.mix(hash, table + 1) % kPlaces;
    return places;
}

Steady GuessCounts::wait(std::string_view name, Steady now) const noexcept {
    Steady least = Steady::max();
    for (const std::size_t place : places_of(name)) {
        const auto& [guesses, last] = places_[place];
        const bool forgotten = guesses == 0 || now - last >= rule_.forget;
        const Steady wait = forgotten ? Steady{0} : last + rule_.wait_after(guesses) - now;
        least = std::min(least, std::max(wait, Steady{0}));
    }
    return least;
}

void GuessCounts::count(std::string_view name, Steady now) noexcept {
    for (const std::size_t at : places_of(name)) {
        Place& place = places_[at];
        if (now - place.last >= rule_.forget) place.guesses = 0;
        if (place.guesses < UINT32_MAX) ++place.guesses;
        place.last = std::max(place.last, now);
    }
}

void GuessCounts::take_back(std::string_view name) noexcept {
    for (const std::size_t at : places_of(name)) {
        if (places_[at].guesses > 0) --places_[at].guesses;
    }
}

void GuessCounts::forget(std::string_view name) noexcept {
    for (const std::size_t at : places_of(name))
        places_[at].guesses = 0;
}

LoginThrottle::LoginThrottle(std::uint64_t hash_key, ThrottleRule per_login, ThrottleRule per_source)
    : logins_(per_login, hash_key), sources_(per_source, ~hash_key) {}

Steady LoginThrottle::begin(std::string_view login, std::string_view source, Steady now) noexcept {
    // Logins are the same in capitals: as people type them, and as they are looked up.
    const std::string name = in_small_letters(login);
    const Steady wait = std::max(logins_.wait(name, now), sources_.wait(source, now));
    if (wait > Steady{0}) return wait;
    logins_.count(name, now);
    sources_.count(source, now);
    return Steady{0};
}

void LoginThrottle::succeeded(std::string_view login, std::string_view source) noexcept {
    logins_.forget(in_small_letters(login));
    sources_.take_back(source);
}

std::string source_of(std::string_view address) {
    std::string text{address};
    in6_addr six{};
    if (::inet_pton(AF_INET6, text.c_str(), &six) != 1) return text;
    const unsigned char* const bytes = &six.s6_addr[0];
    constexpr std::array<unsigned char, 12> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
    if (std::equal(kMapped.begin(), kMapped.end(), bytes)) {
        std::array<char, INET_ADDRSTRLEN> four{};
        return ::inet_ntop(AF_INET, bytes + kMapped.size(), four.data(), four.size());
    }
    constexpr std::size_t kNetworkBytes = 8;
    std::fill(&six.s6_addr[kNetworkBytes], &six.s6_addr[0] + sizeof six.s6_addr, 0);
    std::array<char, INET6_ADDRSTRLEN> network{};
    return ::inet_ntop(AF_INET6, &six, network.data(), network.size());
}

}  // namespace tollgate::daemon::access
