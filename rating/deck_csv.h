/// Reads a rate deck from CSV (RFC 4180, with LF or CRLF, a byte-order mark and UTF-8 being ordinary).
///
/// Columns are found by name in the header, in any order; docs/money.md lists them. A deck with one fault is
/// refused whole, and every fault is reported with its line and column, up to `faults_max`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "rating/deck.h"

namespace tollgate::rating {

/// One thing that is wrong with a deck.
struct DeckFault {
    std::uint32_t line = 0;  ///< Of the row's beginning, from 1; 0 where the whole file is meant.
    std::string column;      ///< Name of the column; empty where the row is meant.
    std::string message;     ///< The value, and what was expected.
};

struct DeckLimits {
    std::size_t rows_max = 2'000'000;
    std::size_t faults_max = 100;
};

/// The longest destination name, in bytes.
inline constexpr std::size_t kDestinationBytesMax = 1024;

/// The heaviest and the lightest row; a weight may be negative.
inline constexpr std::int32_t kWeightMax = 1'000'000;

struct DeckReading {
    std::shared_ptr<const Deck> deck;  ///< nullptr where there are faults.
    /// The rows that are good by themselves, also where others are not, for whoever looks for more faults;
    /// nullptr where there is none.
    std::shared_ptr<const Deck> rows;
    std::vector<DeckFault> faults;  ///< The first `faults_max`.
    std::size_t fault_count = 0;    ///< All of them.
};

/// Reads a deck piece by piece, as it arrives; rows may be cut anywhere. One thread at a time.
class DeckReader {
  public:
    explicit DeckReader(const DeckLimits& limits);
    DeckReader(DeckReader&&) noexcept;
    DeckReader& operator=(DeckReader&&) noexcept;
    ~DeckReader();

    void feed(std::string_view piece);

    /// The end of the file: the deck, or what is wrong with it. The reader is spent.
    [[nodiscard]] DeckReading finish();

  private:
    class Parser;
    std::unique_ptr<Parser> parser_;
};

/// A deck that is there as a whole.
[[nodiscard]] DeckReading read_deck_csv(std::string_view csv, const DeckLimits& limits);

/// The tiers of a row as a deck writes them: `60:0.02/6;600:0.015/1`.
[[nodiscard]] std::string format_tiers(std::span<const Tier> tiers);

/// The deck as CSV, with every column, in the order of its rows: read again, it is the same deck.
[[nodiscard]] std::string write_deck_csv(const Deck& deck);

}  // namespace tollgate::rating
