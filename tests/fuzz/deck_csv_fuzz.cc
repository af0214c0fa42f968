// What must hold of DeckReader whatever bytes arrive, in whatever pieces.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "rating/deck_csv.h"

namespace tollgate::rating {
namespace {

/// The reader's own limits, and narrow ones that short inputs pass often.
constexpr std::array<DeckLimits, 2> kLimitsTried{DeckLimits{}, DeckLimits{3, 2}};

void require(bool holds, const char* property) {
    if (holds) return;
    std::fprintf(stderr, "property broken: %s\n", property);
    std::abort();
}

/// What a deck holds beyond its rows and their names is small: a rate with its tiers is the largest part.
constexpr std::size_t kBytesBesideRows = 64 * std::size_t{1024};
constexpr std::size_t kBytesAnInputByte = 256;

/// Reads the input in pieces of a size, and checks all that one reading says about itself.
DeckReading read(std::string_view input, std::size_t piece_size, const DeckLimits& limits) {
    DeckReader reader{limits};
    for (std::size_t at = 0; at < input.size(); at += piece_size) {
        // On the heap and gone afterwards, so that AddressSanitizer sees a view that is kept too long.
        const auto piece = input.substr(at, piece_size);
        const std::vector<char> bytes{piece.begin(), piece.end()};
        reader.feed({bytes.data(), bytes.size()});
    }
    DeckReading reading = reader.finish();

    require((reading.deck == nullptr) == (reading.fault_count > 0), "a deck, or faults");
    require(reading.faults.size() == std::min(reading.fault_count, limits.faults_max),
            "the first faults are told, and all are counted");
    const auto lines = static_cast<std::size_t>(std::count(input.begin(), input.end(), '\n')) + 1;
    for (const DeckFault& fault : reading.faults) {
        require(!fault.message.empty(), "a fault says what was expected");
        require(fault.line <= lines, "a fault lies inside the file");
        require(std::none_of(fault.message.begin(), fault.message.end(),
                             [](char c) { return (c >= 0 && c < ' ') || c == '\x7F'; }),
                "a message is one printable line");
    }
    if (reading.deck != nullptr) {
        const Deck& deck = *reading.deck;
        require(deck.row_count() > 0 && deck.row_count() <= limits.rows_max, "as many rows as allowed");
        require(deck.prefix_count() <= deck.row_count(), "no prefix without a row");
        require(std::is_sorted(deck.prefixes().begin(), deck.prefixes().end()), "prefixes stand in order");
        require(deck.bytes() <= kBytesBesideRows + kBytesAnInputByte * input.size(),
                "memory follows the size of the input");
    }
    return reading;
}

bool says_the_same(const DeckFault& a, const DeckFault& b) {
    return a.line == b.line && a.column == b.column && a.message == b.message;
}

void check_same(const DeckReading& whole, const DeckReading& pieces) {
    require(whole.fault_count == pieces.fault_count, "pieces have as many faults as the whole");
    require(std::equal(whole.faults.begin(), whole.faults.end(), pieces.faults.begin(), pieces.faults.end(),
                       says_the_same),
            "pieces have the faults of the whole");
    if (whole.deck == nullptr) return;
    require(write_deck_csv(*whole.deck) == write_deck_csv(*pieces.deck), "pieces make the deck of the whole");
    for (Deck::RowIndex row = 0; row < whole.deck->row_count(); ++row)
        require(whole.deck->row(row).line == pieces.deck->row(row).line, "pieces are counted as lines are");
}

/// What was read is written and read again, and stays what it is.
void check_rewritten(const Deck& deck) {
    const std::string text = write_deck_csv(deck);
    const DeckReading again = read(text, text.size(), {});
    require(again.deck != nullptr, "a deck that was written can be read");
    require(again.deck->row_count() == deck.row_count(), "no row is lost");
    require(write_deck_csv(*again.deck) == text, "a deck has one spelling");
}

/// Derived from the input, so that the same file is always cut alike.
std::size_t piece_size(std::string_view input) {
    std::size_t sum = input.size();
    for (const char c : input)
        sum = sum * 31 + static_cast<unsigned char>(c);
    return 1 + sum % 97;
}

void check(std::string_view input) {
    for (const DeckLimits& limits : kLimitsTried) {
        const DeckReading whole = read(input, std::max<std::size_t>(input.size(), 1), limits);
        check_same(whole, read(input, piece_size(input), limits));
        // A row is looked at anew with every piece: byte by byte, long ones would take time by the square.
        if (input.size() <= 256) check_same(whole, read(input, 1, limits));
        if (whole.deck != nullptr) check_rewritten(*whole.deck);
    }
}

}  // namespace
}  // namespace tollgate::rating

// NOLINTNEXTLINE(readability-identifier-naming): the name is libFuzzer's.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    // A span of chars may look at any bytes; the reader never writes through this one.
    tollgate::rating::check({reinterpret_cast<const char*>(data), size});
    return 0;
}
