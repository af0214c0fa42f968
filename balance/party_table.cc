#include "balance/party_table.h"

#include <cassert>
#include <cstring>
#include <new>

namespace tollgate::balance {
namespace {

constexpr std::size_t kShardSlotsFirst = 8;

constexpr std::uint64_t slot_word(std::uint64_t hash, std::uint32_t index) noexcept {
    return (hash << 32) | (std::uint64_t{index} + 1);
}

}  // namespace

PartyTable::PartyTable(std::uint64_t hash_key, std::size_t parties_max)
    : hash_(hash_key),
      parties_max_(parties_max),
      chunks_((parties_max + kChunkParties - 1) / kChunkParties),
      link_chunks_(chunks_.size()) {
    bytes_ = chunks_.size() * (sizeof(chunks_[0]) + sizeof(link_chunks_[0])) + sizeof(*this);
}

PartyTable::~PartyTable() {
    const std::size_t count = size();
    for (std::size_t i = 0; i < count; ++i) {
        Party& party = get(static_cast<PartyId>(i));
        for (Book* book = party.books.load(); book != nullptr;) {
            Book* const next = book->next;
            delete book;
            book = next;
        }
        delete party.warnings.load();
        delete party.limits.load();
        party.~Party();
    }
    for (auto& chunk : chunks_)
        ::operator delete (chunk.load(), std::align_val_t{alignof(Party)});
    for (auto& chunk : link_chunks_)
        delete[] chunk.load();
}

template <typename IsMeant>
PartyId PartyTable::search(std::uint64_t hash, const IsMeant& is_meant) const noexcept {
    const Shard* const shard = shards_[shard_of(hash)].load(std::memory_order_acquire);
    if (shard == nullptr) return kNoParty;
    for (std::size_t at = hash & shard->mask;; at = (at + 1) & shard->mask) {
        // Acquire pairs with the release in insert(): the party behind the index is whole.
        const std::uint64_t word = shard->slots[at].tag_and_index.load(std::memory_order_acquire);
        if (word == 0) return kNoParty;
        if ((word >> 32) != (hash & 0xFFFF'FFFF)) continue;
        const auto found = static_cast<PartyId>(static_cast<std::uint32_t>(word) - 1);
        if (is_meant(found)) return found;
    }
}

PartyId PartyTable::find(std::string_view id) const noexcept {
    return search(hash_(id), [this, id](PartyId found) { return get(found).id == id; });
}

PartyId PartyTable::likely(std::uint64_t hash) const noexcept {
    return search(hash, [](PartyId) { return true; });
}

void PartyTable::fetch_slot(std::uint64_t hash) const noexcept {
    const Shard* const shard = shards_[shard_of(hash)].load(std::memory_order_acquire);
    if (shard != nullptr) __builtin_prefetch(&shard->slots[hash & shard->mask]);
}

bool PartyTable::is_below(PartyId party, PartyId above) const noexcept {
    if (party == kNoParty || above == kNoParty) return false;
    // Nobody who stands as high as `above`, or higher, is below it.
    for (const std::uint8_t depth = get(above).depth; get(party).depth > depth;) {
        party = get(party).parent;
        if (party == above) return true;
    }
    return false;
}

PartyId PartyTable::next_beside(PartyId at, PartyId top) const noexcept {
    for (; at != top; at = get(at).parent) {
        const PartyId next = next_sibling(at);
        if (next != kNoParty) return next;
    }
    return kNoParty;
}

void PartyTable::link(PartyId child, PartyId parent) noexcept {
    Links& above = links(parent);
    // Release pairs with the acquire of whoever walks: the child and its own links are whole.
    auto& end = above.last_child == kNoParty ? above.first_child : links(above.last_child).next_sibling;
    end.store(child, std::memory_order_release);
    above.last_child = child;
    above.child_count.fetch_add(1, std::memory_order_relaxed);
}

std::string_view PartyTable::keep(std::string_view text) {
    if (text.size() > text_left_) {
        texts_.push_back(std::make_unique<char[]>(kTextBytes));  // NOLINT(modernize-avoid-c-arrays)
        text_left_ = kTextBytes;
        bytes_ += kTextBytes;
    }
    char* const at = texts_.back().get() + (kTextBytes - text_left_);
    std::memcpy(at, text.data(), text.size());
    text_left_ -= text.size();
    return {at, text.size()};
}

void PartyTable::insert(Shard& shard, std::uint64_t hash, std::uint32_t index) noexcept {
    std::size_t at = hash & shard.mask;
    while (shard.slots[at].tag_and_index.load(std::memory_order_relaxed) != 0)
        at = (at + 1) & shard.mask;
    shard.slots[at].tag_and_index.store(slot_word(hash, index), std::memory_order_release);
}

PartyTable::Shard& PartyTable::grown(std::size_t number) {
    const Shard* const before = shards_[number].load(std::memory_order_relaxed);
    const std::size_t slots = before == nullptr ? kShardSlotsFirst : (before->mask + 1) * 2;
    all_shards_.push_back(std::make_unique<Shard>(Shard{slots - 1, std::make_unique<Slot[]>(slots)}));
    Shard& after = *all_shards_.back();
    bytes_ += sizeof(Shard) + slots * sizeof(Slot);
    if (before != nullptr) {
        for (std::size_t i = 0; i <= before->mask; ++i) {
            const std::uint64_t word = before->slots[i].tag_and_index.load(std::memory_order_relaxed);
            if (word == 0) continue;
            // Its place and its tag need no more of the hash than the tag has: nobody looks at the party.
            insert(after, word >> 32, static_cast<std::uint32_t>(word) - 1);
        }
    }
    shards_[number].store(&after, std::memory_order_release);
    return after;
}

PartyId PartyTable::add(const PartySource& source) {
    const std::uint32_t index = size_.load(std::memory_order_relaxed);
    assert(index < parties_max_);
    auto& chunk = chunks_[index / kChunkParties];
    if (index % kChunkParties == 0) {
        void* const memory = ::operator new (kChunkParties * sizeof(Party), std::align_val_t{alignof(Party)});
        chunk.store(static_cast<Party*>(memory), std::memory_order_release);
        // Chunks of links before the index that names the first party in them: release in insert().
        link_chunks_[index / kChunkParties].store(new Links[kChunkParties], std::memory_order_release);
        bytes_ += kChunkParties * (sizeof(Party) + sizeof(Links));
    }
    auto zone = zones_.find(source.time_zone);
    if (zone == zones_.end()) zone = zones_.insert(keep(source.time_zone)).first;
    auto* const party = new (chunk.load(std::memory_order_relaxed) + index % kChunkParties)
        Party{source, keep(source.id), *zone};
    party->set_warnings(source.warnings);
    if (source.parent != kNoParty) {
        party->depth = static_cast<std::uint8_t>(get(source.parent).depth + 1);
        assert(party->depth <= kChainDepthMax);
    }

    const std::uint64_t hash = hash_(source.id);
    const std::size_t number = shard_of(hash);
    Shard* shard = shards_[number].load(std::memory_order_relaxed);
    // At most three quarters full.
    if (shard == nullptr || (shard_sizes_[number] + 1) * 4 > (shard->mask + 1) * 3) shard = &grown(number);
    insert(*shard, hash, index);
    ++shard_sizes_[number];
    if (source.parent != kNoParty) link(static_cast<PartyId>(index), source.parent);
    size_.store(index + 1, std::memory_order_release);
    return static_cast<PartyId>(index);
}

}  // namespace tollgate::balance
