/// By which tariff a party pays: none, one for voice, or the first that matches of an ordered list.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "balance/prefix_set.h"
#include "rating/tariff_book.h"

namespace tollgate::balance {

/// What AUTHORIZE's SERVICE is where nobody says it.
inline constexpr std::string_view kVoice = "voice";
inline constexpr std::size_t kServiceBytesMax = 32;
/// Whether `text` is 1 to kServiceBytesMax of `a-z 0-9 _ -`.
[[nodiscard]] bool is_service(std::string_view text) noexcept;

/// Entries of one list.
inline constexpr std::size_t kTariffEntriesMax = 64;
/// Prefixes of one entry.
inline constexpr std::size_t kFromPrefixesMax = 1'000;
/// Different lists in all; the same list of a million parties is one.
inline constexpr std::size_t kTariffListsMax = 1'048'576;

/// What a party's tariffs come to, in 32 bits, so that a party's is one atomic.
class TariffChoice {
  public:
    /// None.
    constexpr TariffChoice() noexcept = default;
    /// One tariff, for voice, whoever calls: what `"tariff"` says shortly. kNoTariff is none.
    constexpr TariffChoice(rating::TariffId one) noexcept : word_(static_cast<std::uint32_t>(one)) {}
    /// A list, by its place in TariffLists.
    static constexpr TariffChoice list(std::uint32_t index) noexcept {
        TariffChoice choice;
        choice.word_ = index | kListBit;
        return choice;
    }

    [[nodiscard]] constexpr bool none() const noexcept { return word_ == kNone; }
    [[nodiscard]] constexpr bool is_list() const noexcept { return (word_ & kListBit) != 0 && !none(); }
    /// Requires: is_list().
    [[nodiscard]] constexpr std::uint32_t list_index() const noexcept { return word_ & ~kListBit; }
    /// kNoTariff for none. Requires: no list.
    [[nodiscard]] constexpr rating::TariffId one() const noexcept { return rating::TariffId{word_}; }

    friend constexpr bool operator==(TariffChoice, TariffChoice) noexcept = default;

  private:
    static constexpr std::uint32_t kNone = static_cast<std::uint32_t>(rating::kNoTariff);
    static constexpr std::uint32_t kListBit = 1U << 31;
    std::uint32_t word_ = kNone;
};
static_assert(rating::kTariffsMax < (1U << 31) && kTariffListsMax < (1U << 31));

/// One entry of a list as it was written.
struct TariffEntry {
    std::string service{kVoice};
    std::vector<std::string> from_prefixes;  ///< Empty: any caller.
    rating::TariffId tariff = rating::kNoTariff;
};

/// What a call is, as far as it decides by which tariff a party pays. Views into the request.
struct CallTraits {
    std::string_view service = kVoice;
    std::string_view caller;  ///< Digits; empty where nobody knows them: then only "any caller" matches.

    /// The caller's digits as FROM gives them: a leading `+` is dropped; empty where anything else is in it.
    [[nodiscard]] static std::string_view caller_of(std::string_view from) noexcept;
};

/// All lists, each kept once and as long as this.
///
/// `match` and `entries` may be called by any thread at any time and neither block nor allocate. `intern` is
/// for one thread at a time: its caller holds a lock.
class TariffLists {
  public:
    TariffLists() = default;
    TariffLists(const TariffLists&) = delete;
    TariffLists& operator=(const TariffLists&) = delete;
    ~TariffLists();

    /// The choice that stands for these entries: none, one, or a list that is kept from now on. nullopt:
    /// there are kTariffListsMax others. Requires: services, prefixes and numbers of them within the limits.
    [[nodiscard]] std::optional<TariffChoice> intern(std::vector<TariffEntry> entries);

    /// The tariff of the first entry that matches; kNoTariff where none does.
    [[nodiscard]] rating::TariffId match(TariffChoice choice, const CallTraits& call) const noexcept;

    /// The entries of a choice as they were written.
    [[nodiscard]] std::vector<TariffEntry> entries(TariffChoice choice) const;

    /// Whether some entry of the choice is `tariff`.
    [[nodiscard]] bool names(TariffChoice choice, rating::TariffId tariff) const noexcept;

  private:
    struct Matcher {
        TariffEntry entry;
        PrefixSet callers;
    };
    using List = std::vector<Matcher>;
    static constexpr std::size_t kChunkLists = 1'024;
    static constexpr std::size_t kChunks = kTariffListsMax / kChunkLists;
    using Chunk = std::array<std::unique_ptr<const List>, kChunkLists>;

    [[nodiscard]] const List& get(std::uint32_t index) const noexcept {
        // Acquire pairs with the release in intern(). That the list is in its place when somebody sees its
        // index is for whoever publishes the index: Party::tariff is stored with release, read with acquire.
        return *(*chunks_[index / kChunkLists].load(std::memory_order_acquire))[index % kChunkLists];
    }

    std::array<std::atomic<Chunk*>, kChunks> chunks_{};
    std::unordered_map<std::string, std::uint32_t> indexes_;  // By content.
};

}  // namespace tollgate::balance
