/// A rate deck: the rows of a price list, ready to be searched.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "rating/digits.h"
#include "rating/instant.h"
#include "rating/prefix_tree.h"
#include "rating/rate.h"

namespace tollgate::rating {

/// One row of a deck, as a caller sees it. The views live as long as the deck.
struct Row {
    const Rate* rate = nullptr;
    std::string_view prefix;  ///< Digits, or `*` for whatever no prefix matches.
    std::string_view destination;
    std::string_view country;  ///< ISO 3166-1 alpha-2, or empty.
    Instant effective_from = kAlways;
    Instant effective_until = kNever;
};

/// A row as it comes from a reader, before the deck is built.
struct RowSource {
    Rate rate;
    std::string prefix;
    std::string destination;
    std::string country;
    Instant effective_from = kAlways;
    Instant effective_until = kNever;
    std::uint64_t line = 0;  ///< Where it stood, for messages.
};

/// Immutable once built; any thread may search it. Equal rates and equal names are kept once.
class Deck {
  public:
    /// A row of this deck: what a session remembers.
    using RowIndex = std::uint32_t;
    static constexpr RowIndex kNoRow = UINT32_MAX;

    /// The row of the longest prefix of `number` that has one in effect at `start`; of several, the one that
    /// came into effect last. kNoRow where there is none.
    [[nodiscard]] RowIndex find(std::string_view number, Instant start) const noexcept;

    /// Requires: a row of this deck, not kNoRow.
    [[nodiscard]] Row row(RowIndex index) const noexcept;
    [[nodiscard]] const Rate& rate(RowIndex index) const noexcept { return rates_[rows_[index].rate]; }

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
    struct StoredRow {
        Instant effective_from;
        Instant effective_until;
        std::uint32_t rate;
        std::uint32_t prefix;
        std::uint32_t destination;
        std::array<char, 2> country;
    };
    struct StoredPrefix {
        Text text;
        RowIndex first_row;
        std::uint32_t row_count;
    };
    [[nodiscard]] std::string_view view(Text text) const noexcept {
        return std::string_view{texts_}.substr(text.offset, text.size);
    }

    PrefixTree tree_;
    std::vector<StoredPrefix> prefixes_;
    std::vector<StoredRow> rows_;  ///< By prefix, then latest effective_from first.
    std::vector<Rate> rates_;
    std::vector<Text> destinations_;
    std::string texts_;
};

/// Two rows of one prefix of which neither goes before the other.
struct RowTie {
    std::uint64_t line = 0;
    std::uint64_t other_line = 0;
    std::string prefix;
};

/// Collects rows and makes a Deck of them.
class DeckBuilder {
  public:
    DeckBuilder();
    ~DeckBuilder();
    DeckBuilder(DeckBuilder&&) noexcept;
    DeckBuilder& operator=(DeckBuilder&&) noexcept;

    void add(const RowSource& row);
    [[nodiscard]] std::size_t row_count() const noexcept;

    /// Builds the deck, or leaves `ties` non-empty and returns nullptr. The builder is empty afterwards.
    [[nodiscard]] std::shared_ptr<const Deck> build(std::vector<RowTie>& ties);

  private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace tollgate::rating
