/// The tariffs that are in force: settings and deck under a name, replaced whole while calls go on.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "rating/deck.h"
#include "rating/tariff.h"

namespace tollgate::rating {

/// What a call is rated by: settings and deck as they were at one moment. Immutable.
struct TariffVersion {
    std::string_view tariff;  ///< The tariff's id.
    std::uint32_t number;     ///< 1, 2, 3 … of that tariff.
    TariffSettings settings;
    std::shared_ptr<const Deck> deck;  ///< nullptr until a first deck is put in force.

    /// Deck::find, or kNoRow without a deck.
    [[nodiscard]] Deck::RowIndex find(std::string_view digits, Instant start) const noexcept {
        return deck == nullptr ? Deck::kNoRow : deck->find(digits, start);
    }
};

/// Names a tariff of a book, for the book's life.
enum class TariffId : std::uint32_t {};
inline constexpr TariffId kNoTariff{UINT32_MAX};

/// How many tariffs a book holds at most.
inline constexpr std::size_t kTariffsMax = 65'536;

/// All tariffs. `current` may be called by any thread at any time and never blocks; the others take a lock
/// and are for administration.
///
/// A version lives as long as the book: a session may hold on to it and nobody counts. That is memory that a
/// later version of the program gives back; today it is bounded by how often decks are changed between two
/// starts.
class TariffBook {
  public:
    TariffBook();
    TariffBook(const TariffBook&) = delete;
    TariffBook& operator=(const TariffBook&) = delete;
    ~TariffBook();

    [[nodiscard]] std::optional<TariffId> find(std::string_view id) const;

    /// The version in force. Requires: an id this book gave out.
    [[nodiscard]] const TariffVersion& current(TariffId id) const noexcept {
        // Acquire pairs with the release in `publish`: whoever sees the pointer sees the whole version.
        return *slots_[static_cast<std::size_t>(id)].load(std::memory_order_acquire);
    }

    enum class PutStatus : std::uint8_t {
        created,
        replaced,
        currency_differs,  ///< A tariff's currency is fixed at its creation.
        too_many,          ///< kTariffsMax tariffs exist.
    };
    /// Makes a tariff or a new version of one, with the deck it had.
    PutStatus put_settings(std::string_view id, const TariffSettings& settings);

    /// Puts a deck in force; the number of the new version, or nullopt where the tariff is unknown.
    std::optional<std::uint32_t> put_deck(std::string_view id, std::shared_ptr<const Deck> deck);

    [[nodiscard]] std::size_t size() const;

  private:
    void publish(TariffId id, std::string_view name, TariffSettings settings,
                 std::shared_ptr<const Deck> deck, std::uint32_t number);

    mutable std::mutex mutex_;
    std::unordered_map<std::string, TariffId> ids_;
    std::vector<std::unique_ptr<const TariffVersion>> versions_;
    // Written under the mutex, read by every worker without it.
    std::unique_ptr<std::atomic<const TariffVersion*>[]> slots_;  // NOLINT(modernize-avoid-c-arrays)
};

}  // namespace tollgate::rating
