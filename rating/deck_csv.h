/// Reads a rate deck from CSV (RFC 4180, with LF or CRLF, a byte-order mark and UTF-8 being ordinary).
///
/// Columns are found by name in the header, in any order; docs/money.md lists them. A deck with one fault is
/// refused whole, and every fault is reported with its line and column, up to `faults_max`.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "rating/deck.h"

namespace tollgate::rating {

/// One thing that is wrong with a deck.
struct DeckFault {
    std::uint64_t line = 0;  ///< Of the row's beginning, from 1; 0 where the whole file is meant.
    std::string column;      ///< Name of the column; empty where the row is meant.
    std::string message;     ///< The value, and what was expected.
};

struct DeckLimits {
    std::size_t rows_max = 2'000'000;
    std::size_t faults_max = 100;
};

/// The longest destination name, in bytes.
inline constexpr std::size_t kDestinationBytesMax = 1024;

struct DeckReading {
    std::shared_ptr<const Deck> deck;  ///< nullptr where there are faults.
    std::vector<DeckFault> faults;     ///< The first `faults_max`.
    std::size_t fault_count = 0;       ///< All of them.
};

[[nodiscard]] DeckReading read_deck_csv(std::string_view csv, const DeckLimits& limits);

}  // namespace tollgate::rating
