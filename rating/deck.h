/// A rate deck: the rows of a price list.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "rating/instant.h"
#include "rating/prefix.h"
#include "rating/rate.h"
#include "rating/window.h"

namespace tollgate::rating {

/// How many rows one prefix may have.
inline constexpr std::size_t kRowsPerPrefixMax = 1'000;

/// One row of a deck, as a caller sees it. The views live as long as the deck.
struct Row {
    const Rate* rate = nullptr;
    Prefix prefix;
    std::string_view destination;
    std::string_view country;  ///< ISO 3166-1 alpha-2, or empty.
    std::string_view window;   ///< The name of a time-of-day window, or empty: always.
    std::int32_t weight = 0;
    Instant effective_from = kAlways;
    Instant effective_until = kNever;
    std::uint32_t line = 0;  ///< Where it stood in its file.
};

/// Immutable once built; any thread may read it. Equal rates and equal names are kept once.
///
/// Rows are numbered by prefix, in the order of texts and the fallback first; among those of one prefix what
/// goes before comes first: the highest weight, then a windowed row, then the latest effective_from. Which
/// prefixes match a number is for a PrefixTree to say: a deck is asked from the first row of one of its
/// prefixes on.
class Deck {
  public:
    /// A row of this deck: what a session remembers.
    using RowIndex = std::uint32_t;
    static constexpr RowIndex kNoRow = UINT32_MAX;

    /// Where the rows of a prefix begin, in one word: what a search of all decks keeps of this one. Most
    /// prefixes have one row that always holds, and then the word says its rate too.
    struct Entrance {
        RowIndex first = kNoRow;
        std::uint32_t rate = kLook;
        static constexpr std::uint32_t kLook = UINT32_MAX;  ///< What holds is to be looked for.

        friend bool operator==(const Entrance&, const Entrance&) = default;
    };
    /// By the prefix's place among prefixes().
    [[nodiscard]] Entrance entrance(std::size_t prefix) const noexcept;

    /// What a call is rated by.
    struct Found {
        RowIndex row = kNoRow;
        const Rate* rate = nullptr;  ///< That of the row; nullptr where there is none.
    };
    /// The row that holds at `start` for numbers whose longest prefix in this deck has that entrance: of that
    /// prefix, or of the next shorter one that has a row in effect.
    [[nodiscard]] Found in_effect(Entrance entrance, Instant start, const Calendar& calendar) const noexcept {
        if (entrance.rate != Entrance::kLook) return {entrance.first, &rates_[entrance.rate]};
        const RowIndex row = look(entrance.first, start, calendar);
        return {row, row == kNoRow ? nullptr : &rate(row)};
    }

    /// Asks the caches for what in_effect() reads of the rate, where the entrance says it.
    [[gnu::always_inline]] void fetch_rate(Entrance entrance) const noexcept {
        if (entrance.rate != Entrance::kLook) __builtin_prefetch(&rates_[entrance.rate]);
    }

    /// The row that takes over from `row` at `second` since the epoch, for a call that began at `start`;
    /// `row` itself where no row of the prefix holds then. `until` becomes the second up to which that is
    /// sure.
    [[nodiscard]] RowIndex at(RowIndex row, Instant start, std::int64_t second, const Calendar& calendar,
                              std::int64_t& until) const noexcept;

    /// Requires: a row of this deck, not kNoRow; so for all that take one.
    [[nodiscard]] Row row(RowIndex index) const noexcept;
    [[nodiscard]] const Rate& rate(RowIndex index) const noexcept { return rates_[rows_[index].rate]; }
    [[nodiscard]] Prefix prefix(RowIndex index) const noexcept { return prefixes_[rows_[index].prefix]; }

    /// All prefixes, in order; the fallback, if there is one, is the first.
    [[nodiscard]] std::span<const Prefix> prefixes() const noexcept { return prefixes_; }
    /// The first row of a prefix, by the prefix's place among prefixes().
    [[nodiscard]] RowIndex first_row(std::size_t prefix) const noexcept { return first_rows_[prefix]; }
    /// One past the last row of that prefix.
    [[nodiscard]] RowIndex end_row(std::size_t prefix) const noexcept { return first_rows_[prefix + 1]; }
    /// The first row of the next shorter prefix that numbers below this one match, or kNoRow.
    [[nodiscard]] RowIndex shorter(std::size_t prefix) const noexcept { return shorter_[prefix]; }
    /// The place of a prefix among prefixes(), or their count.
    [[nodiscard]] std::size_t find(Prefix prefix) const noexcept;
    /// The entrance of the longest prefix of `number`, the fallback's where none matches, or of none: by
    /// binary search, for administration.
    [[nodiscard]] Entrance longest(std::string_view number) const noexcept;

    /// The names of the windows that rows use, each once: window n is `window_names()[n - 1]`.
    [[nodiscard]] std::span<const std::string> window_names() const noexcept { return windows_; }
    /// The number of a row's window; 0: always.
    [[nodiscard]] std::size_t window(RowIndex index) const noexcept { return rows_[index].window; }

    [[nodiscard]] std::size_t row_count() const noexcept { return rows_.size(); }
    [[nodiscard]] std::size_t prefix_count() const noexcept { return prefixes_.size(); }
    /// Memory it holds, roughly.
    [[nodiscard]] std::size_t bytes() const noexcept;

  private:
    friend class DeckBuilder;

    struct Text {
        std::uint32_t offset;
        std::uint32_t size;
    };
    /// What a call looks at: four to a cache line.
    struct StoredRow {
        std::uint32_t rate;
        std::uint32_t prefix;
        std::uint32_t validity;  ///< Into validities_; 0 is always.
        std::uint16_t window;    ///< 0 is always.
        std::uint16_t more;      ///< How many rows of the same prefix follow.
    };
    struct RowDetails {
        std::uint32_t destination;
        std::uint32_t line;
        std::int32_t weight;
        std::array<char, 2> country;
    };
    struct Validity {
        Instant from = kAlways;
        Instant until = kNever;
    };

    [[nodiscard]] RowIndex look(RowIndex first, Instant start, const Calendar& calendar) const noexcept;
    [[nodiscard]] bool effective(const StoredRow& row, Instant at) const noexcept {
        return row.validity == 0 ||
               (validities_[row.validity].from <= at && at < validities_[row.validity].until);
    }

    std::vector<StoredRow> rows_;
    std::vector<Rate> rates_;
    std::vector<Validity> validities_;
    std::vector<Prefix> prefixes_;
    std::vector<RowIndex> first_rows_;  ///< By prefix, and the row count behind the last.
    std::vector<RowIndex> shorter_;     ///< By prefix.
    std::vector<RowDetails> details_;   ///< By row.
    std::vector<Text> destinations_;
    std::vector<std::string> windows_;
    std::string texts_;
};

/// Two rows of one prefix of which neither goes before the other.
struct RowTie {
    std::uint32_t line = 0;
    std::uint32_t other_line = 0;
    Prefix prefix;
};

/// A row as it comes from a reader, before the deck is built. The views need not outlive the call it is given
/// to.
struct RowSource {
    Rate rate;
    Prefix prefix;
    std::string_view destination;
    std::array<char, 2> country{};  ///< Zeroes: none.
    std::string_view window;
    std::int32_t weight = 0;
    Instant effective_from = kAlways;
    Instant effective_until = kNever;
    std::uint32_t line = 0;  ///< Where it stood, for messages.
};

/// Collects rows and makes a Deck of them.
class DeckBuilder {
  public:
    DeckBuilder();
    ~DeckBuilder();
    DeckBuilder(DeckBuilder&&) noexcept;
    DeckBuilder& operator=(DeckBuilder&&) noexcept;

    /// Throws std::length_error where the names take more than 4 GiB.
    void add(const RowSource& row);
    [[nodiscard]] std::size_t row_count() const noexcept;
    [[nodiscard]] std::size_t window_count() const noexcept;

    /// Rows of one prefix, up to `most` of them.
    struct Problems {
        std::vector<RowTie> ties;
        std::vector<RowTie> too_many;  ///< The first row beyond kRowsPerPrefixMax of a prefix.
        [[nodiscard]] bool empty() const noexcept { return ties.empty() && too_many.empty(); }
    };
    /// Builds the deck; where `problems` are found it must not be put in force. Rows whose windows may
    /// overlap are not told apart here: settings say when windows hold. The builder is empty afterwards.
    [[nodiscard]] std::shared_ptr<const Deck> build(Problems& problems);

  private:
    struct State;
    std::unique_ptr<State> state_;
};

/// What is wrong with a deck under certain settings.
struct WindowFault {
    std::uint32_t line = 0;
    std::string message;
};

/// Windows that the settings do not have, and rows of one prefix that could hold at the same time without one
/// going before the other. The first `most` of them; empty: the deck fits the settings.
[[nodiscard]] std::vector<WindowFault> window_faults(const Deck& deck, const TariffSettings& settings,
                                                     std::size_t most);

/// The deck's windows as the settings have them. Requires: no window_faults.
[[nodiscard]] Calendar calendar_of(const Deck& deck, const TariffSettings& settings);

}  // namespace tollgate::rating
