/// All parties, found by id without a lock while others are being added.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "balance/hash.h"
#include "balance/party.h"
#include "balance/tariff_lists.h"

namespace tollgate::balance {

/// Parties are never removed and never move.
///
/// `find`, `get` and `size` may be called by any thread at any time and never block. `add` is for one thread
/// at a time: its caller holds a lock. Adding costs the same with ten parties and with ten million: the index
/// is split into 4096 small tables that grow one by one.
class PartyTable {
  public:
    /// `hash_key` should be random in a running daemon. At most `parties_max` parties are taken.
    PartyTable(std::uint64_t hash_key, std::size_t parties_max);
    PartyTable(const PartyTable&) = delete;
    PartyTable& operator=(const PartyTable&) = delete;
    ~PartyTable();

    /// kNoParty where there is none.
    [[nodiscard]] PartyId find(std::string_view id) const noexcept;

    /// Requires: an id this table gave out.
    [[nodiscard]] Party& get(PartyId id) const noexcept {
        const auto index = static_cast<std::uint32_t>(id);
        // Acquire pairs with the release in add(): chunks are published before the ids in them.
        return chunks_[index / kChunkParties].load(std::memory_order_acquire)[index % kChunkParties];
    }

    /// Requires: an id not yet taken, a parent of this table or none for the first party, and size() <
    /// parties_max().
    PartyId add(const PartySource& source);

    /// Every party with a lower index exists.
    [[nodiscard]] std::size_t size() const noexcept { return size_.load(std::memory_order_acquire); }
    [[nodiscard]] std::size_t parties_max() const noexcept { return parties_max_; }

    /// The provider, or kNoParty before there is one.
    [[nodiscard]] PartyId root() const noexcept { return size() == 0 ? kNoParty : PartyId{0}; }

    /// The lists that Party::tariff names. Adding to them is for one thread at a time, as `add` is.
    [[nodiscard]] const TariffLists& tariff_lists() const noexcept { return tariff_lists_; }
    [[nodiscard]] TariffLists& tariff_lists() noexcept { return tariff_lists_; }

    /// The lists of countries that parties' limits name, likewise.
    [[nodiscard]] CountrySets& country_sets() noexcept { return country_sets_; }

    /// Memory that parties, their ids and the index take.
    [[nodiscard]] std::size_t bytes() const noexcept { return bytes_.load(std::memory_order_relaxed); }

  private:
    static constexpr std::size_t kChunkParties = 4096;
    static constexpr std::size_t kShards = 4096;
    static constexpr std::size_t kTextBytes = 64 * 1024;

    struct Slot {
        // 0 is empty. The tag is the hash's lower half; both are read by searchers while add() writes them.
        std::atomic<std::uint64_t> tag_and_index{0};
    };
    /// An open-addressing table. Replaced by one of twice the size; the old ones stay, because a searcher may
    /// still be in them, and all of them together are smaller than the newest.
    struct Shard {
        std::size_t mask;
        std::unique_ptr<Slot[]> slots;  // NOLINT(modernize-avoid-c-arrays)
    };

    std::string_view keep(std::string_view text);
    void insert(Shard& shard, std::uint64_t hash, std::uint32_t index) noexcept;
    Shard& grown(std::size_t number);
    static std::size_t shard_of(std::uint64_t hash) noexcept { return hash >> 52; }

    KeyedHash hash_;
    TariffLists tariff_lists_;
    CountrySets country_sets_;
    std::size_t parties_max_;
    std::vector<std::atomic<Party*>> chunks_;
    std::array<std::atomic<Shard*>, kShards> shards_{};
    std::array<std::uint32_t, kShards> shard_sizes_{};
    std::vector<std::unique_ptr<Shard>> all_shards_;
    std::atomic<std::uint32_t> size_{0};
    std::vector<std::unique_ptr<char[]>> texts_;  // NOLINT(modernize-avoid-c-arrays)
    std::size_t text_left_ = 0;
    std::unordered_set<std::string_view> zones_;
    std::atomic<std::size_t> bytes_{0};  // Written by add(), read for display.
};

}  // namespace tollgate::balance
