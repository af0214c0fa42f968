/// All parties, found by id and walked as a tree, without a lock while others are being added.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
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
/// Whatever only looks may be called by any thread at any time and never blocks. `add` is for one thread
/// at a time: its caller holds a lock. Adding costs the same with ten parties and with ten million: the index
/// is split into 4096 small tables that grow one by one, and a new child is tied to the last one.
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

    // ---- The tree ----
    //
    // Children stand in the order in which they were made, and a subtree is walked from the top down: a
    // party, then each child with all below it. Whoever is added changes nothing of the order of the others,
    // so a walk may stop at any party and go on from it later; who was added behind it meanwhile is met. A
    // step costs the same in every tree: at most kChainDepthMax looks up.

    /// The one made first; kNoParty without children.
    [[nodiscard]] PartyId first_child(PartyId id) const noexcept {
        return links(id).first_child.load(std::memory_order_acquire);
    }
    /// The one made next under the same parent; kNoParty for the last.
    [[nodiscard]] PartyId next_sibling(PartyId id) const noexcept {
        return links(id).next_sibling.load(std::memory_order_acquire);
    }
    [[nodiscard]] std::size_t child_count(PartyId id) const noexcept {
        return links(id).child_count.load(std::memory_order_relaxed);
    }

    /// Whether `party` stands anywhere below `above`; nobody stands below himself. Both may be kNoParty.
    [[nodiscard]] bool is_below(PartyId party, PartyId above) const noexcept;
    /// Whether `party` is `top` or stands below it. Both may be kNoParty.
    [[nodiscard]] bool is_in_subtree(PartyId party, PartyId top) const noexcept {
        return party != kNoParty && (party == top || is_below(party, top));
    }

    /// The party after `at` on a walk of the subtree of `top`, which begins with `top`; kNoParty after the
    /// last. Requires: is_in_subtree(at, top).
    [[nodiscard]] PartyId next_in_subtree(PartyId at, PartyId top) const noexcept {
        const PartyId child = first_child(at);
        return child != kNoParty ? child : next_beside(at, top);
    }
    /// The same, but nobody below `at` is met.
    [[nodiscard]] PartyId next_beside(PartyId at, PartyId top) const noexcept;

    /// The provider, or kNoParty before there is one.
    [[nodiscard]] PartyId root() const noexcept { return size() == 0 ? kNoParty : PartyId{0}; }

    /// The lists that Party::tariff names. Adding to them is for one thread at a time, as `add` is.
    [[nodiscard]] const TariffLists& tariff_lists() const noexcept { return tariff_lists_; }
    [[nodiscard]] TariffLists& tariff_lists() noexcept { return tariff_lists_; }

    /// The lists of countries that parties' limits name, likewise.
    [[nodiscard]] CountrySets& country_sets() noexcept { return country_sets_; }

    // ---- For the caches: daemon/foresight.h. Each reads what the one before has fetched. ----

    [[nodiscard]] std::uint64_t hash_of(std::string_view id) const noexcept { return hash_(id); }
    void fetch_slot(std::uint64_t hash) const noexcept;
    /// Who has an id of that hash, most probably; kNoParty: nobody.
    [[nodiscard]] PartyId likely(std::uint64_t hash) const noexcept;
    /// Requires: an id this table gave out.
    void fetch(PartyId id) const noexcept {
        const Party* const party = &get(id);
        __builtin_prefetch(party, 1);
        __builtin_prefetch(reinterpret_cast<const std::byte*>(party) + sizeof(Party) / 2);
    }

    /// Memory that parties, their ids and the index take.
    [[nodiscard]] std::size_t bytes() const noexcept { return bytes_.load(std::memory_order_relaxed); }

  private:
    static constexpr std::size_t kChunkParties = 4096;
    static constexpr std::size_t kShards = 4096;
    static constexpr std::size_t kTextBytes = 64 * 1024;

    /// Where a party stands in the tree. Beside the parties, not in them: calls only ever look up. Written by
    /// add(), with release: whoever reads a party here sees it whole.
    struct Links {
        std::atomic<PartyId> first_child{kNoParty};
        std::atomic<PartyId> next_sibling{kNoParty};
        std::atomic<std::uint32_t> child_count{0};
        PartyId last_child{kNoParty};  // Of add() only.
    };
    static_assert(sizeof(Links) == 16);

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

    [[nodiscard]] Links& links(PartyId id) const noexcept {
        const auto index = static_cast<std::uint32_t>(id);
        return link_chunks_[index / kChunkParties].load(std::memory_order_acquire)[index % kChunkParties];
    }
    /// The first party whose slot bears that hash's tag and whom `is_meant` accepts; kNoParty.
    template <typename IsMeant>
    [[nodiscard]] PartyId search(std::uint64_t hash, const IsMeant& is_meant) const noexcept;
    void link(PartyId child, PartyId parent) noexcept;
    std::string_view keep(std::string_view text);
    void insert(Shard& shard, std::uint64_t hash, std::uint32_t index) noexcept;
    Shard& grown(std::size_t number);
    static std::size_t shard_of(std::uint64_t hash) noexcept { return hash >> 52; }

    KeyedHash hash_;
    TariffLists tariff_lists_;
    CountrySets country_sets_;
    std::size_t parties_max_;
    std::vector<std::atomic<Party*>> chunks_;
    std::vector<std::atomic<Links*>> link_chunks_;
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
