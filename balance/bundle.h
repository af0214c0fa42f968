/// Bundles: free seconds that a party holds for some destinations.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <queue>
#include <string>
#include <utility>
#include <vector>

#include "balance/party.h"
#include "balance/prefix_set.h"
#include "rating/instant.h"
#include "rating/time_zone.h"

namespace tollgate::balance {

/// The seconds of one bundle: 4.4 million minutes.
inline constexpr std::uint32_t kBundleSecondsMax = (std::uint32_t{1} << 28) - 1;
/// Bundles of one party that have not expired long ago.
inline constexpr std::size_t kBundlesOfPartyMax = 32;
/// An expired bundle stays in its party's list for so long: no call that it may still pay for is older.
inline constexpr std::chrono::hours kBundleKeptExpired{24 * 30};
/// Prefixes, countries and groups of one bundle.
inline constexpr std::size_t kBundlePrefixesMax = 1'000;
inline constexpr std::size_t kBundleCountriesMax = 300;
inline constexpr std::size_t kBundleGroupsMax = 16;
inline constexpr std::int32_t kBundlePriorityMax = 1'000'000;

/// What a bundle is made from. Validated by whoever makes it: daemon/catalog.
struct BundleSource {
    std::string id;
    std::uint32_t seconds = 0;  ///< At a time: once, or each month. At most kBundleSecondsMax.
    // Where calls must go: to one of any of these; anywhere where all are empty.
    std::vector<std::string> prefixes;
    std::vector<std::string> countries;
    std::vector<std::uint16_t> groups;  ///< Places of daemon::DestinationGroups.
    rating::Instant expires = rating::kNever;
    bool monthly = false;  ///< The seconds are there anew at the beginning of each month.
    std::int32_t priority = 0;

    friend bool operator==(const BundleSource&, const BundleSource&) = default;
};

/// One bundle and the seconds that are left of it. Any thread may call any member at any time; none blocks.
///
/// Invariant: the seconds that were taken in one generation and not given back are never more than the
/// bundle has, because the look and the subtraction are one compare-exchange. So no two calls have the same
/// second.
class Bundle {
  public:
    /// Counts renewals, wrapping. Seconds that are given back to a generation that is over lapse.
    using Generation = std::uint8_t;

    Bundle(PartyId party, BundleSource source, std::uint16_t number)
        : source_(std::move(source)),
          prefixes_(source_.prefixes),
          party_(party),
          number_(number),
          word_(word({0, 0, source_.seconds})) {}

    [[nodiscard]] const BundleSource& source() const noexcept { return source_; }
    [[nodiscard]] const PrefixSet& prefixes() const noexcept { return prefixes_; }
    [[nodiscard]] PartyId party() const noexcept { return party_; }
    /// What sessions name it by, among those of its party.
    [[nodiscard]] std::uint16_t number() const noexcept { return number_; }
    [[nodiscard]] bool everywhere() const noexcept {
        return source_.prefixes.empty() && source_.countries.empty() && source_.groups.empty();
    }
    /// When its seconds are there anew; kNever: not again. Under the book's lock, or while nobody changes it.
    [[nodiscard]] rating::Instant renews_at() const noexcept { return renews_at_; }
    [[nodiscard]] bool pays_at(rating::Instant instant) const noexcept { return instant < source_.expires; }

    struct Stand {
        Generation generation = 0;
        std::uint32_t held = 0;       ///< By open calls, not used yet.
        std::uint32_t available = 0;  ///< For another call.
    };
    // Acquire: what is decided by it is at least as new as what was read before.
    [[nodiscard]] Stand stand() const noexcept { return stand(word_.load(std::memory_order_acquire)); }
    /// For a recovery: what the figures were. Requires: no call has them now.
    void restore(Stand stand) noexcept { word_.store(word(stand), std::memory_order_release); }

    struct Taken {
        Generation generation;
        std::uint32_t seconds;
    };
    /// Holds up to `most` seconds: as many as are there.
    Taken take(std::uint32_t most) noexcept;
    /// Moves seconds that were taken in a generation, if it is not over: so many more or fewer are available,
    /// so many more or fewer are held; the difference is used up.
    void settle(Generation generation, std::int64_t available, std::int64_t held) noexcept;
    /// All seconds are there again; what is held belongs to the generation that is over now.
    void renew() noexcept;

    /// The next in its party's list, which is in the order in which they pay: the lowest priority first, then
    /// the one that expires first. Acquire pairs with the release of whoever put it there.
    [[nodiscard]] Bundle* next() const noexcept { return next_.load(std::memory_order_acquire); }
    /// Whether this one pays before another.
    [[nodiscard]] bool before(const Bundle& other) const noexcept;

  private:
    friend class BundleBook;

    static constexpr unsigned kSecondsBits = 28;
    static constexpr std::uint64_t word(Stand stand) noexcept {
        return std::uint64_t{stand.generation} << (2 * kSecondsBits) |
               std::uint64_t{stand.held} << kSecondsBits | stand.available;
    }
    static constexpr Stand stand(std::uint64_t word) noexcept {
        return {static_cast<Generation>(word >> (2 * kSecondsBits)),
                static_cast<std::uint32_t>(word >> kSecondsBits & kBundleSecondsMax),
                static_cast<std::uint32_t>(word & kBundleSecondsMax)};
    }

    const BundleSource source_;
    const PrefixSet prefixes_;
    const PartyId party_;
    const std::uint16_t number_;
    // Every worker whose call it pays for writes it, with compare-exchange; release and acquire order it with
    // the attempts that its party's account counts.
    std::atomic<std::uint64_t> word_;
    std::atomic<Bundle*> next_{nullptr};  // Written under the book's lock.
    rating::Instant renews_at_ = rating::kNever;
    std::shared_ptr<const rating::TimeZone> zone_;  // nullptr is UTC.
};

/// A party's bundles, for a range-for. Walks a list that only ever changes whole entries.
class BundlesOf {
  public:
    class Iterator {
      public:
        explicit Iterator(Bundle* at) noexcept : at_(at) {}
        Bundle& operator*() const noexcept { return *at_; }
        Iterator& operator++() noexcept {
            at_ = at_->next();
            return *this;
        }
        friend bool operator==(Iterator, Iterator) noexcept = default;

      private:
        Bundle* at_;
    };
    explicit BundlesOf(const Party& party) noexcept : head_(party.bundles.load(std::memory_order_acquire)) {}
    [[nodiscard]] Iterator begin() const noexcept { return Iterator{head_}; }
    [[nodiscard]] Iterator end() const noexcept { return Iterator{nullptr}; }
    /// nullptr: no bundle of the list has that number.
    [[nodiscard]] Bundle* find(std::uint16_t number) const noexcept;

  private:
    Bundle* head_;
};

/// The first instant of the month that follows `now` on a zone's clocks; nullptr is UTC. Where midnight is
/// skipped, the first instant after it.
[[nodiscard]] rating::Instant next_month(const rating::TimeZone* zone, rating::Instant now) noexcept;

/// All bundles. Any thread may call any member; they take a lock, calls never do.
class BundleBook {
  public:
    BundleBook() = default;
    BundleBook(const BundleBook&) = delete;
    BundleBook& operator=(const BundleBook&) = delete;

    enum class AddStatus : std::uint8_t {
        added,
        known,     ///< The same one is there already; nothing has changed.
        differs,   ///< Another one of that id is there.
        too_many,  ///< kBundlesOfPartyMax of this party.
    };
    /// Gives a party a bundle; calls that are authorised from now on may use it. `zone`: whose months count.
    /// `announce` is told of a bundle before calls can see it.
    using Announce = std::function<void(const Bundle&)>;
    AddStatus add(Party& party, PartyId id, BundleSource source, std::shared_ptr<const rating::TimeZone> zone,
                  rating::Instant now, const Announce& announce);

    /// As add, of several at once and in two steps, so that one event can tell of them and of more.
    struct Prepared {
        AddStatus status = AddStatus::added;  ///< Else there are no bundles.
        std::vector<std::unique_ptr<Bundle>> bundles;
    };
    /// `party`: nullptr for one that is about to be made.
    [[nodiscard]] Prepared prepare(const Party* party, PartyId id, std::vector<BundleSource> sources,
                                   const std::shared_ptr<const rating::TimeZone>& zone, rating::Instant now);
    /// Calls that are authorised from now on may use them. Requires: nothing was added to the party since
    /// they were prepared.
    void enter(Party& party, Prepared prepared, rating::Instant now);

    /// Renews the bundles whose month is over, each once, however many months have gone by. How many.
    /// `announce` is told of each before.
    std::size_t renew_due(rating::Instant now, const Announce& announce);
    /// When the next is due; kNever where there is none.
    [[nodiscard]] rating::Instant next_renewal() const;
    /// One that was renewed when the clock was ahead is due at the next month that really comes.
    void correct_renewals(rating::Instant now);

    // ---- For a restart, before any other thread ----

    /// One as it stood, or as it was given at `now`.
    void restore(Party& party, PartyId id, BundleSource source, std::shared_ptr<const rating::TimeZone> zone,
                 std::uint16_t number, Bundle::Stand stand, rating::Instant renews_at, rating::Instant now);
    /// It was renewed then.
    void restore_renewal(Bundle& bundle, rating::Instant now);

  private:
    struct Renewal {
        rating::Instant at;
        Bundle* bundle;
        friend bool operator<(const Renewal& a, const Renewal& b) noexcept { return a.at > b.at; }
    };
    static void enter(Party& party, Bundle& bundle) noexcept;
    void plan_renewal(Bundle& bundle, rating::Instant now);
    static void drop_expired(Party& party, rating::Instant now) noexcept;

    mutable std::mutex mutex_;
    // A bundle stays in memory as long as the book: a call may be reading it.
    std::vector<std::unique_ptr<Bundle>> bundles_;
    std::priority_queue<Renewal> renewals_;  // The next one first.
};

}  // namespace tollgate::balance
