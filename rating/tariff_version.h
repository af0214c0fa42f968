/// What calls are rated by: the settings of a tariff and its deck as they were at one moment.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "rating/deck.h"
#include "rating/instant.h"
#include "rating/pins.h"
#include "rating/tariff.h"
#include "rating/window.h"

namespace tollgate::rating {

/// What made a version.
enum class Change : std::uint8_t { settings, deck, rollback };

/// Whose doing a version was, and when.
struct Origin {
    std::string who;
    Instant when{};
};

/// Where a deck came from, as whoever put it has said.
struct DeckFile {
    std::uint32_t checksum = 0;
    std::string name;  ///< Where it is kept; empty: nowhere.
};

/// Immutable. It lives while it is in force, kept for its tariff's history, or pinned by a call.
struct TariffVersion {
    std::string_view tariff;   ///< The tariff's id; lives as long as the book.
    TariffId id = kNoTariff;   ///< Its place in the book.
    std::uint32_t number = 0;  ///< 1, 2, 3 … of that tariff.
    TariffSettings settings;
    std::shared_ptr<const Deck> deck;  ///< nullptr until a first deck is put in force.
    DeckFile file;                     ///< Goes where the deck goes.
    Calendar calendar;                 ///< The deck's windows as the settings have them.
    Change change = Change::settings;
    Origin origin;
    Pins pins;  ///< Calls that hold on to it.
};

}  // namespace tollgate::rating
