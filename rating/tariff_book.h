/// The tariffs that are in force: settings and deck under a name, replaced whole while calls go on.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "rating/pins.h"
#include "rating/prefix_tree.h"
#include "rating/tariff_version.h"
#include "rating/thread_number.h"

namespace tollgate::rating {

/// How many tariffs a book holds at most.
inline constexpr std::size_t kTariffsMax = 65'536;

/// How many faults of windows a put reports at most.
inline constexpr std::size_t kWindowFaultsMax = 100;

/// All tariffs. Calls `read` it, from any thread, without ever waiting or writing what another thread reads;
/// everything else takes a lock and is for administration.
///
/// The prefixes of all decks in force are one PrefixTree, so that a call descends its digits once, however
/// many levels it has; beside it every tariff has a column that says which row of its deck a place of the
/// tree means. Tree, columns and versions are published as one immutable Edition. An edition is freed when
/// nobody reads it any more, a version when it is not in force, not kept and not pinned.
class TariffBook {
    struct Edition;

  public:
    /// `versions_kept`: of each tariff, how many versions stay for administration, the one in force included.
    explicit TariffBook(std::size_t versions_kept = 5);
    TariffBook(const TariffBook&) = delete;
    TariffBook& operator=(const TariffBook&) = delete;
    ~TariffBook();

    // ---- for calls ----

    /// All tariffs as they are in force at one moment, for as long as it lives; for one thread. Short: what
    /// is to be remembered is pinned. Several of a thread at once are one.
    class Reading {
      public:
        Reading(const Reading&) = delete;
        Reading& operator=(const Reading&) = delete;
        ~Reading() {
            // Release: whoever sees it sees that all reading is over.
            if (--reader_.depth == 0) reader_.edition.store(nullptr, std::memory_order_release);
        }

        /// The tariff of that name.
        [[nodiscard]] std::optional<TariffId> find(std::string_view name) const noexcept;

        /// Where a number's digits lead; good for this reading alone.
        [[nodiscard]] PrefixTree::Place place(std::string_view digits) const noexcept;

        [[nodiscard]] const TariffVersion& version(TariffId tariff) const noexcept;

        /// The row of a tariff that holds at `start`.
        [[nodiscard]] Deck::Found find(TariffId tariff, PrefixTree::Place place,
                                       Instant start) const noexcept;

        // For the caches: daemon/foresight.h. Each reads what the one before has fetched. The tariff may be
        // one that is younger than this reading. Inlined, because a compiler may take a function that does
        // nothing but fetch for one without effect.
        void fetch_place(std::string_view digits) const noexcept;
        void fetch_longer(std::string_view digits) const noexcept;
        void fetch_entrance(TariffId tariff, PrefixTree::Place place) const noexcept;
        void fetch_rate(TariffId tariff, PrefixTree::Place place) const noexcept;

      private:
        friend class TariffBook;
        struct alignas(64) Reader {
            std::atomic<const Edition*> edition{nullptr};
            std::size_t depth = 0;  // Its thread's alone.
        };
        /// nullptr where there is none to be fetched.
        [[nodiscard]] const Deck::Entrance* entrance_at(TariffId tariff,
                                                        PrefixTree::Place place) const noexcept;
        Reading(Reader& reader, const Edition& edition) noexcept : reader_(reader), edition_(edition) {}
        Reader& reader_;
        const Edition& edition_;
    };
    [[nodiscard]] Reading read() const;

    // ---- for administration ----

    using VersionPtr = std::shared_ptr<const TariffVersion>;

    [[nodiscard]] std::optional<TariffId> find(std::string_view id) const;
    /// Requires, here and below: an id this book gave out.
    [[nodiscard]] VersionPtr current(TariffId id) const;
    /// The name of a tariff; lives as long as the book.
    [[nodiscard]] std::string_view name(TariffId id) const;
    /// The versions that are kept, the oldest first; the last one is in force.
    [[nodiscard]] std::vector<VersionPtr> history(TariffId id) const;
    /// nullptr: never was, or is not kept any more.
    [[nodiscard]] VersionPtr version(TariffId id, std::uint32_t number) const;
    [[nodiscard]] std::size_t size() const;

    enum class PutStatus : std::uint8_t {
        created,
        replaced,
        unknown_tariff,
        unknown_version,
        no_deck,           ///< The version to go back to had none.
        currency_differs,  ///< A tariff's currency is fixed at its creation.
        window_faults,     ///< Deck and settings do not fit.
        too_many,          ///< kTariffsMax tariffs exist, or calls pin kPinnedMax versions.
    };
    struct PutResult {
        PutStatus status = PutStatus::replaced;
        std::uint32_t number = 0;         ///< Of the new version.
        std::vector<WindowFault> faults;  ///< Of the deck, at most kWindowFaultsMax.
        [[nodiscard]] bool done() const noexcept {
            return status == PutStatus::created || status == PutStatus::replaced;
        }
    };
    /// Told of a version that is sure to come into force, before it does; under the book's lock, so that
    /// nobody else puts anything between.
    using Announce = std::function<void(const TariffVersion& version)>;

    /// Makes a tariff or a new version of one, with the deck it had.
    PutResult put_settings(std::string_view id, const TariffSettings& settings, Origin origin = {},
                           const Announce& announce = {});
    /// Puts a deck in force, with the settings there are.
    PutResult put_deck(std::string_view id, std::shared_ptr<const Deck> deck, Origin origin = {},
                       DeckFile file = {}, const Announce& announce = {});
    /// Puts the deck of an earlier version in force again, with the settings there are now.
    PutResult roll_back(std::string_view id, std::uint32_t number, Origin origin = {},
                        const Announce& announce = {});

    // ---- for a restart, before any call ----

    /// From here to end_restoring() nothing comes into force and nothing is freed: one tree is built for all
    /// decks at the end. Puts may be mixed with restore().
    void begin_restoring();
    void end_restoring();
    /// A version as it was, with the number it had. Those of a tariff come in order of their numbers, and
    /// tariffs in order of creation. `deck` and `settings` fit, or it is not done().
    PutResult restore(std::string_view id, std::uint32_t number, TariffSettings settings,
                      std::shared_ptr<const Deck> deck, DeckFile file, Change change, Origin origin);
    /// Every version in memory, tariff by tariff, each in order of numbers.
    [[nodiscard]] std::vector<VersionPtr> all_versions() const;

    /// Frees what nobody uses any more. It is done at every put too; calls that end later need somebody to
    /// call it from time to time.
    void reclaim();

    struct Counts {
        std::size_t tariffs = 0;
        std::size_t versions = 0;  ///< In memory.
        std::size_t tree_prefixes = 0;
        std::size_t tree_bytes = 0;  ///< The tree and all columns.
    };
    /// Any thread, without waiting.
    [[nodiscard]] Counts counts() const;

  private:
    struct Column;
    struct Entry;
    struct Tariff;

    template <typename Put>
    PutResult change(std::string_view id, const Put& put);
    PutResult create(std::string_view id, const TariffSettings& settings, Origin origin,
                     const Announce& announce);
    PutResult publish(Tariff& tariff, TariffSettings settings, std::shared_ptr<const Deck> deck,
                      DeckFile file, Change change, Origin origin, const Announce& announce);
    [[nodiscard]] std::shared_ptr<const Column> column_of(const Deck& deck) const;
    bool count_prefixes(const Deck* gone, const Deck& fresh);
    void rebuild_tree(const Deck& fresh);
    void publish_edition();
    [[nodiscard]] bool being_read(const Edition* edition) const noexcept;

    const std::size_t versions_kept_;
    std::unique_ptr<std::array<Reading::Reader, kThreadsMax>> readers_;
    std::atomic<const Edition*> edition_{nullptr};  // Written under the mutex, read by calls without it.

    mutable std::mutex mutex_;
    PinCounts pins_;
    std::unordered_map<std::string, TariffId> ids_;
    std::vector<std::unique_ptr<Tariff>> tariffs_;  // By id.
    std::shared_ptr<const std::vector<std::pair<std::string_view, TariffId>>> names_;
    std::vector<VersionPtr> versions_;           // All that are in memory.
    std::atomic<std::size_t> version_count_{0};  // Of them.
    std::shared_ptr<const PrefixTree> tree_;
    std::vector<Prefix> prefixes_;     // What the tree was built from: at least those of all decks in force.
    std::vector<std::uint32_t> uses_;  // By prefix: how many decks in force have it.
    std::vector<std::unique_ptr<const Edition>> editions_;  // The last one is in force.
    bool restoring_ = false;
};

// ---- What calls do, many times a second ----

/// What a call needs to know of a tariff, in one place.
struct TariffBook::Entry {
    const TariffVersion* version = nullptr;
    const Deck* deck = nullptr;                 ///< nullptr: no deck yet.
    const Deck::Entrance* entrances = nullptr;  ///< By place of the tree; nullptr: ask the column.
    const Column* column = nullptr;
};

/// What a place of the tree means in one deck: the entrance of the longest prefix of the deck that numbers of
/// that place have. A list by place; or, for a deck that has few of all prefixes, runs of places
/// that mean the same.
struct TariffBook::Column {
    std::vector<Deck::Entrance> entrances;  ///< By place, or by run.
    std::vector<PrefixTree::Place> begins;  ///< Of the runs; empty for a list by place.

    [[nodiscard]] Deck::Entrance at(PrefixTree::Place place) const noexcept;
    [[nodiscard]] std::size_t bytes() const noexcept {
        return entrances.capacity() * sizeof(entrances[0]) + begins.capacity() * sizeof(begins[0]);
    }
};

/// Everything calls are rated by, at one moment.
struct TariffBook::Edition {
    using Name = std::pair<std::string_view, TariffId>;

    std::shared_ptr<const PrefixTree> tree;
    std::shared_ptr<const std::vector<Name>> names;  ///< In order.
    std::vector<Entry> entries;                      ///< By tariff.
    // What the entries point to.
    std::vector<VersionPtr> versions;
    std::vector<std::shared_ptr<const Column>> columns;
    std::size_t tree_prefixes = 0;
    std::size_t tree_bytes = 0;
};

inline TariffBook::Reading TariffBook::read() const {
    Reading::Reader& reader = (*readers_)[thread_number()];
    if (reader.depth++ > 0) return {reader, *reader.edition.load(std::memory_order_relaxed)};
    // Say which edition is read, then make sure that it was in force after that was said: whoever frees it
    // looks at what readers say after he has put another one in force. Both need the one order of all
    // sequentially consistent operations.
    const Edition* edition = edition_.load(std::memory_order_acquire);
    for (;;) {
        reader.edition.store(edition, std::memory_order_seq_cst);
        const Edition* const now = edition_.load(std::memory_order_seq_cst);
        if (now == edition) return {reader, *edition};
        edition = now;
    }
}

inline PrefixTree::Place TariffBook::Reading::place(std::string_view digits) const noexcept {
    return edition_.tree->longest(digits);
}

inline const TariffVersion& TariffBook::Reading::version(TariffId tariff) const noexcept {
    return *edition_.entries[static_cast<std::size_t>(tariff)].version;
}

inline Deck::Found TariffBook::Reading::find(TariffId tariff, PrefixTree::Place place,
                                             Instant start) const noexcept {
    const Entry& entry = edition_.entries[static_cast<std::size_t>(tariff)];
    if (entry.deck == nullptr) return {};
    const Deck::Entrance entrance =
        entry.entrances != nullptr ? entry.entrances[place] : entry.column->at(place);
    return entry.deck->in_effect(entrance, start, entry.version->calendar);
}

[[gnu::always_inline]] inline void TariffBook::Reading::fetch_place(std::string_view digits) const noexcept {
    edition_.tree->fetch(digits);
}

[[gnu::always_inline]] inline void TariffBook::Reading::fetch_longer(std::string_view digits) const noexcept {
    edition_.tree->fetch_longer(digits);
}

[[gnu::always_inline]] inline const Deck::Entrance* TariffBook::Reading::entrance_at(
    TariffId tariff, PrefixTree::Place place) const noexcept {
    const auto number = static_cast<std::size_t>(tariff);
    if (number >= edition_.entries.size() || edition_.entries[number].entrances == nullptr) return nullptr;
    return &edition_.entries[number].entrances[place];
}

[[gnu::always_inline]] inline void TariffBook::Reading::fetch_entrance(
    TariffId tariff, PrefixTree::Place place) const noexcept {
    if (const Deck::Entrance* const entrance = entrance_at(tariff, place)) __builtin_prefetch(entrance);
}

[[gnu::always_inline]] inline void TariffBook::Reading::fetch_rate(TariffId tariff,
                                                                   PrefixTree::Place place) const noexcept {
    const Deck::Entrance* const entrance = entrance_at(tariff, place);
    if (entrance == nullptr) return;
    const Deck* const deck = edition_.entries[static_cast<std::size_t>(tariff)].deck;
    if (deck != nullptr) deck->fetch_rate(*entrance);
}

}  // namespace tollgate::rating
