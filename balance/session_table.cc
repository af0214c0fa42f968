#include "balance/session_table.h"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <limits>
#include <mutex>
#include <new>
#include <thread>
#include <utility>

namespace tollgate::balance {
namespace {

/// Blocks of one size after another, taken from chunks and given back to a list. Never returns memory.
class Pool {
  public:
    static constexpr std::size_t kGranule = 64;

    static std::size_t rounded(std::size_t bytes) noexcept {
        return (bytes + kGranule - 1) / kGranule * kGranule;
    }

    void* take(std::size_t bytes) {
        FreeBlock*& list = lists_[bytes / kGranule];
        if (list != nullptr) return std::exchange(list, list->next);
        if (bytes > left_) {
            chunks_.push_back(
                static_cast<std::byte*>(::operator new (kChunkBytes, std::align_val_t{kGranule})));
            left_ = kChunkBytes;
        }
        left_ -= bytes;
        return chunks_.back() + left_;
    }
    void give_back(void* block, std::size_t bytes) noexcept {
        FreeBlock*& list = lists_[bytes / kGranule];
        list = new (block) FreeBlock{list};
    }
    [[nodiscard]] std::size_t bytes() const noexcept { return chunks_.size() * kChunkBytes; }

    /// What take() would give; nullptr: memory that nobody has yet.
    [[nodiscard]] const void* next(std::size_t bytes) const noexcept {
        if (const FreeBlock* const list = lists_[bytes / kGranule]) return list;
        return bytes > left_ ? nullptr : chunks_.back() + (left_ - bytes);
    }

    Pool() = default;
    Pool(const Pool&) = delete;
    Pool& operator=(const Pool&) = delete;
    ~Pool() {
        for (std::byte* const chunk : chunks_)
            ::operator delete (chunk, std::align_val_t{kGranule});
    }

  private:
    static constexpr std::size_t kChunkBytes = 16 * 1024;
    static constexpr std::size_t kBlockBytesMax = Session::bytes_for(
        kChainDepthMax, kSessionKeyBytesMax + kCallerBytesMax + kServiceBytesMax + kSwitchNameBytesMax,
        kChainDepthMax);
    static_assert(kBlockBytesMax < kChunkBytes);
    struct FreeBlock {
        FreeBlock* next;
    };
    std::array<FreeBlock*, kBlockBytesMax / kGranule + 2> lists_{};
    std::vector<std::byte*> chunks_;
    std::size_t left_ = 0;
};

/// A queue of sessions in the order in which they ended. A position stays good while the queue moves on.
class Ring {
  public:
    struct Entry {
        Session* session;  ///< nullptr: it has left.
        std::uint64_t record;
    };

    /// Records rise along the queue: one that was numbered before those in front of it goes before them. They
    /// are few, because who is numbered is pushed at once.
    void push(Entry entry) {
        if (tail_ - head_ == entries_.size()) grow();
        std::uint64_t position = tail_++;
        for (; position > head_ && at(position - 1).record > entry.record; --position)
            put(position, at(position - 1));
        put(position, entry);
    }
    [[nodiscard]] bool empty() const noexcept { return head_ == tail_; }
    [[nodiscard]] Entry& front() noexcept { return at(head_); }
    void pop() noexcept { ++head_; }
    void leave(std::uint64_t position) noexcept { at(position).session = nullptr; }
    [[nodiscard]] std::size_t size() const noexcept { return tail_ - head_; }
    [[nodiscard]] std::size_t bytes() const noexcept { return entries_.capacity() * sizeof(Entry); }

    template <typename Visitor>
    void visit(const Visitor& visitor) const {
        for (std::uint64_t i = head_; i < tail_; ++i) {
            const Session* const session = entries_[i & (entries_.size() - 1)].session;
            if (session != nullptr) visitor(*session);
        }
    }

    [[nodiscard]] Session* find_record(std::uint64_t record) noexcept {
        std::uint64_t low = head_;
        std::uint64_t high = tail_;
        while (low < high) {
            const std::uint64_t middle = low + (high - low) / 2;
            if (at(middle).record < record) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low < tail_ && at(low).record == record ? at(low).session : nullptr;
    }

  private:
    void put(std::uint64_t position, Entry entry) noexcept {
        at(position) = entry;
        if (entry.session != nullptr) entry.session->ring_position = position;
    }
    Entry& at(std::uint64_t position) noexcept { return entries_[position & (entries_.size() - 1)]; }
    void grow() {
        std::vector<Entry> larger(std::max<std::size_t>(entries_.size() * 2, 8));
        for (std::uint64_t i = head_; i < tail_; ++i)
            larger[i & (larger.size() - 1)] = at(i);
        entries_ = std::move(larger);
    }
    std::vector<Entry> entries_;  // A power of two of them.
    std::uint64_t head_ = 0;
    std::uint64_t tail_ = 0;
};

}  // namespace

struct alignas(64) SessionTable::Stripe {
    mutable SpinLock lock;
    std::uint32_t number = 0;
    std::size_t sessions_max = 0;
    std::size_t remember_bytes_max = 0;

    // The index: open addressing, at most three quarters full.
    struct Slot {
        std::uint64_t hash;
        Session* session;
    };
    std::vector<Slot> slots;
    std::size_t session_count = 0;

    // Open sessions, a binary heap by deadline.
    struct Due {
        Steady deadline;
        Session* session;
    };
    std::vector<Due> heap;

    Ring ended;
    Ring expired;
    Ring refused;
    std::uint64_t serial_last = 0;
    std::uint64_t record_last = 0;
    std::size_t remembered_bytes = 0;
    std::size_t session_bytes = 0;
    std::uint64_t forgotten_early = 0;
    Steady forgotten_until = kNothingForgotten;
    Pool pool;

    Stripe() = default;
    Stripe(const Stripe&) = delete;
    Stripe& operator=(const Stripe&) = delete;
    /// The pool gives back memory only.
    ~Stripe() {
        for (const Slot& slot : slots) {
            if (slot.session != nullptr) slot.session->~Session();
        }
    }

    static std::size_t bytes_of(const Session& session) noexcept {
        return Pool::rounded(
            Session::bytes_for(session.level_capacity, session.text_bytes(), session.bundles_capacity));
    }

    // ---- index ----

    [[nodiscard]] Session* find(std::uint64_t hash, std::string_view key) const noexcept {
        if (slots.empty()) return nullptr;
        const std::size_t mask = slots.size() - 1;
        for (std::size_t at = hash & mask;; at = (at + 1) & mask) {
            const Slot& slot = slots[at];
            if (slot.session == nullptr) return nullptr;
            if (slot.hash == hash && slot.session->key() == key) return slot.session;
        }
    }
    /// Whoever has that hash, whatever its key: most probably who is meant.
    [[nodiscard]] Session* likely(std::uint64_t hash) const noexcept {
        if (slots.empty()) return nullptr;
        const std::size_t mask = slots.size() - 1;
        std::size_t at = hash & mask;
        while (slots[at].session != nullptr && slots[at].hash != hash)
            at = (at + 1) & mask;
        return slots[at].session;
    }
    void place(Slot slot) noexcept {
        const std::size_t mask = slots.size() - 1;
        std::size_t at = slot.hash & mask;
        while (slots[at].session != nullptr)
            at = (at + 1) & mask;
        slots[at] = slot;
    }
    void insert(Session* session) {
        if ((session_count + 1) * 4 > slots.size() * 3) {
            std::vector<Slot> before(std::max<std::size_t>(slots.size() * 2, 16));
            std::swap(before, slots);
            for (const Slot& slot : before) {
                if (slot.session != nullptr) place(slot);
            }
        }
        place({session->hash, session});
        ++session_count;
    }
    void erase(const Session* session) noexcept {
        const std::size_t mask = slots.size() - 1;
        std::size_t hole = session->hash & mask;
        while (slots[hole].session != session)
            hole = (hole + 1) & mask;
        // Whatever could have stood in the hole moves back into it, so that no search ends too early.
        for (std::size_t at = (hole + 1) & mask; slots[at].session != nullptr; at = (at + 1) & mask) {
            const std::size_t wanted = slots[at].hash & mask;
            if (((at - wanted) & mask) >= ((at - hole) & mask)) {
                slots[hole] = slots[at];
                hole = at;
            }
        }
        slots[hole] = {};
        --session_count;
    }

    Session* make(std::uint64_t hash, std::string_view key, std::size_t levels, SessionTexts texts,
                  std::size_t bundles) {
        texts.caller = texts.caller.substr(0, kCallerBytesMax);
        assert(texts.service.size() <= kServiceBytesMax && texts.switch_name.size() <= kSwitchNameBytesMax);
        const std::size_t bytes = Pool::rounded(Session::bytes_for(
            levels, key.size() + texts.caller.size() + texts.service.size() + texts.switch_name.size(),
            bundles));
        auto* const session = new (pool.take(bytes)) Session;
        session->hash = hash;
        session->level_capacity = static_cast<std::uint8_t>(levels);
        session->bundles_capacity = static_cast<std::uint8_t>(bundles);
        session->key_size = static_cast<std::uint16_t>(key.size());
        session->id_offset = static_cast<std::uint8_t>(SessionKey::id_offset(key));
        session->serial = ++serial_last;
        session->caller_size = static_cast<std::uint8_t>(texts.caller.size());
        session->service_size = static_cast<std::uint8_t>(texts.service.size());
        session->switch_size = static_cast<std::uint8_t>(texts.switch_name.size());
        char* at = session->key_memory();
        for (const std::string_view text : {key, texts.caller, texts.service, texts.switch_name})
            at = std::copy(text.begin(), text.end(), at);
        session_bytes += bytes;
        insert(session);
        return session;
    }
    void forget(Session* session) noexcept {
        erase(session);
        for (const SessionLevel& level : session->levels()) {
            if (level.tariff != nullptr) level.tariff->pins.remove();
        }
        const std::size_t bytes = bytes_of(*session);
        session_bytes -= bytes;
        session->~Session();
        pool.give_back(session, bytes);
    }

    // ---- heap ----

    static constexpr std::uint32_t kNotInHeap = std::numeric_limits<std::uint32_t>::max();

    void put(std::size_t at, Due due) noexcept {
        heap[at] = due;
        due.session->heap_index = static_cast<std::uint32_t>(at);
    }
    void sift_up(std::size_t at) noexcept {
        const Due due = heap[at];
        for (std::size_t parent = (at - 1) / 2; at > 0 && due.deadline < heap[parent].deadline;
             parent = (at - 1) / 2) {
            put(at, heap[parent]);
            at = parent;
        }
        put(at, due);
    }
    void sift_down(std::size_t at) noexcept {
        const Due due = heap[at];
        for (std::size_t child = 2 * at + 1; child < heap.size(); child = 2 * at + 1) {
            if (child + 1 < heap.size() && heap[child + 1].deadline < heap[child].deadline) ++child;
            if (due.deadline <= heap[child].deadline) break;
            put(at, heap[child]);
            at = child;
        }
        put(at, due);
    }
    [[nodiscard]] bool in_heap(const Session* session) const noexcept {
        return session->heap_index < heap.size() && heap[session->heap_index].session == session;
    }
    void schedule(Session* session) {
        if (in_heap(session)) {
            heap[session->heap_index].deadline = session->deadline;
            sift_up(session->heap_index);
            sift_down(session->heap_index);
        } else {
            heap.push_back({session->deadline, session});
            sift_up(heap.size() - 1);
        }
    }
    void unschedule(Session* session) noexcept {
        if (!in_heap(session)) return;
        const std::size_t at = session->heap_index;
        const Due last = heap.back();
        heap.pop_back();
        session->heap_index = kNotInHeap;
        if (last.session == session) return;
        put(at, last);
        sift_up(at);
        sift_down(last.session->heap_index);
    }

    // ---- memory of ended sessions ----

    [[nodiscard]] Ring* ring_of(const Session& session) noexcept {
        if (session.lapsed) return &expired;
        switch (session.state) {
            case SessionState::refused:
                return &refused;
            case SessionState::stopped:
            case SessionState::released:
                return &ended;
            case SessionState::expired:
                return &expired;
            case SessionState::deciding:
            case SessionState::authorized:
            case SessionState::answered:
                return nullptr;
        }
        std::abort();  // Not an enumerator: memory is corrupt.
    }
    void remember(Session* session) {
        ring_of(*session)->push({session, session->record});
        session->remembered = true;
        remembered_bytes += bytes_of(*session);
    }
    /// Out of the queue of those that ended: it goes on.
    void recall(Session* session, Ring& ring) noexcept {
        ring.leave(session->ring_position);
        session->remembered = false;
        remembered_bytes -= bytes_of(*session);
    }
    /// False where the oldest cannot go now because someone has claimed it.
    bool forget_oldest(Ring& ring) noexcept {
        Session* const session = ring.front().session;
        if (session != nullptr && session->claimed) return false;
        ring.pop();
        if (session == nullptr) return true;
        remembered_bytes -= bytes_of(*session);
        if (&ring != &refused) forgotten_until = std::max(forgotten_until, session->ended_at);
        forget(session);
        return true;
    }
    void forget_older(Ring& ring, Steady than) noexcept {
        while (!ring.empty()) {
            const Session* const session = ring.front().session;
            if (session != nullptr && session->ended_at >= than) return;
            if (!forget_oldest(ring)) return;
        }
    }
    void forget_old(const SessionLimits& limits, Steady now) noexcept {
        forget_older(refused, now - limits.repeat);
        forget_older(ended, now - limits.remember);
        forget_older(expired, now - limits.late);
    }
    void forget_beyond_bytes() noexcept {
        for (Ring* const ring : {&refused, &ended, &expired}) {
            while (remembered_bytes > remember_bytes_max && !ring->empty()) {
                if (!forget_oldest(*ring)) break;
                if (ring != &refused) ++forgotten_early;
            }
        }
    }
};

SessionTable::SessionTable(std::uint64_t hash_key, const SessionLimits& limits)
    : hash_(hash_key), limits_(limits), stripes_(std::make_unique<Stripe[]>(kStripes)) {  // NOLINT
    for (std::size_t i = 0; i < kStripes; ++i) {
        stripes_[i].number = static_cast<std::uint32_t>(i);
        stripes_[i].sessions_max = std::max<std::size_t>(limits.sessions_max / kStripes, 1);
        stripes_[i].remember_bytes_max = limits.remember_bytes / kStripes;
    }
}

SessionTable::~SessionTable() = default;

SessionTable::Stripe& SessionTable::stripe_of(std::uint64_t hash) const noexcept {
    return stripes_[hash >> 54];
}

// ---- For the caches ----

namespace {

/// How long ids are, mostly: who has a longer one waits for its end.
constexpr std::size_t kKeyBytesLikely = 40;

void fetch_lines(const void* from, std::size_t bytes) noexcept {
    constexpr std::size_t kLine = 64;
    for (std::size_t at = 0; at < bytes; at += kLine)
        __builtin_prefetch(static_cast<const std::byte*>(from) + at, 1);
}

}  // namespace

void SessionTable::fetch_stripe(std::uint64_t hash) const noexcept {
    constexpr std::size_t kFront = 128;  // Lock, index and heap: what every command needs.
    fetch_lines(&stripe_of(hash), kFront);
}

void SessionTable::fetch_slot(std::uint64_t hash) const noexcept {
    const Stripe& stripe = stripe_of(hash);
    const std::unique_lock lock{stripe.lock, std::try_to_lock};
    if (lock && !stripe.slots.empty()) __builtin_prefetch(&stripe.slots[hash & (stripe.slots.size() - 1)], 1);
}

bool SessionTable::fetch_session(std::uint64_t hash) const noexcept {
    const Stripe& stripe = stripe_of(hash);
    const std::unique_lock lock{stripe.lock, std::try_to_lock};
    const Session* const session = lock ? stripe.likely(hash) : nullptr;
    if (session != nullptr) fetch_lines(session, Session::bytes_for(3, kKeyBytesLikely));
    return session != nullptr;
}

void SessionTable::fetch_room(std::uint64_t hash, std::size_t levels) const noexcept {
    const Stripe& stripe = stripe_of(hash);
    const std::unique_lock lock{stripe.lock, std::try_to_lock};
    const std::size_t bytes = Pool::rounded(Session::bytes_for(levels, kKeyBytesLikely));
    if (!lock) return;
    if (const void* const room = stripe.pool.next(bytes)) fetch_lines(room, bytes);
}

PartyId SessionTable::fetch_rates(std::uint64_t hash) const noexcept {
    const Stripe& stripe = stripe_of(hash);
    const std::unique_lock lock{stripe.lock, std::try_to_lock};
    const Session* const session = lock ? stripe.likely(hash) : nullptr;
    // Who has claimed it may be changing it.
    if (session == nullptr || session->claimed) return kNoParty;
    for (const SessionLevel& level : session->levels())
        __builtin_prefetch(level.rate);
    return session->line;
}

SessionTable::Claim::~Claim() {
    if (session_ == nullptr) return;
    const std::lock_guard lock{stripe_->lock};
    session_->claimed = false;
}

namespace {

/// Waits until nobody else has the session that `look` finds, and claims it. `look` runs under the lock.
template <typename Lock, typename Look>
Session* claim_found(Lock& lock, const Look& look) noexcept {
    for (;;) {
        {
            const std::lock_guard guard{lock};
            Session* const session = look();
            if (session == nullptr) return nullptr;
            if (!session->claimed) {
                session->claimed = true;
                return session;
            }
        }
        std::this_thread::yield();
    }
}

}  // namespace

SessionTable::Claim SessionTable::claim(std::string_view key) noexcept {
    const std::uint64_t hash = hash_(key);
    Stripe& stripe = stripe_of(hash);
    return {&stripe, claim_found(stripe.lock, [&] { return stripe.find(hash, key); })};
}

SessionTable::Claim SessionTable::claim_record(std::uint64_t record) noexcept {
    Stripe& stripe = stripes_[record % kStripes];
    return {&stripe, claim_found(stripe.lock, [&] {
                Session* const session = stripe.ended.find_record(record);
                return session != nullptr ? session : stripe.expired.find_record(record);
            })};
}

SessionTable::Opening SessionTable::claim_or_open(std::string_view key, std::size_t levels, bool always,
                                                  const SessionTexts& texts, std::size_t bundles) {
    assert(!key.empty() && key.size() <= kSessionKeyBytesMax);
    const std::uint64_t hash = hash_(key);
    Stripe& stripe = stripe_of(hash);
    bool fresh = false;
    Session* const session = claim_found(stripe.lock, [&]() -> Session* {
        if (Session* const known = stripe.find(hash, key)) return known;
        if (stripe.session_count >= stripe.sessions_max && !always) return nullptr;
        fresh = true;
        return stripe.make(hash, key, levels, texts, bundles);
    });
    return {Claim{&stripe, session}, fresh};
}

void SessionTable::publish_open(Claim claim) {
    Stripe& stripe = *claim.stripe_;
    Session* const session = claim.take();
    const std::lock_guard lock{stripe.lock};
    // One that had expired and goes on leaves the memory of expired ones.
    if (session->remembered) stripe.recall(session, stripe.expired);
    stripe.schedule(session);
    session->claimed = false;
}

void SessionTable::give_record(const Claim& claim) noexcept {
    Stripe& stripe = *claim.stripe_;
    const std::lock_guard lock{stripe.lock};
    claim.session_->record = ++stripe.record_last * kStripes + stripe.number;
}

void SessionTable::publish_ended(Claim claim, Steady now) {
    Stripe& stripe = *claim.stripe_;
    Session* const session = claim.take();
    const std::lock_guard lock{stripe.lock};
    stripe.unschedule(session);
    if (!session->remembered) {  // Else a late STOP: it keeps its place among the expired ones.
        session->ended_at = now;
        stripe.remember(session);
        stripe.forget_beyond_bytes();
    }
    session->claimed = false;
}

// ---- For a restart ----

Steady SessionTable::forgotten_until(std::size_t stripe) const noexcept {
    return stripes_[stripe].forgotten_until;
}

std::uint64_t SessionTable::record_last(std::size_t stripe) const noexcept {
    return stripes_[stripe].record_last;
}

void SessionTable::set_record_last(std::size_t stripe, std::uint64_t last) noexcept {
    stripes_[stripe].record_last = last;
}

void SessionTable::set_forgotten_until(std::size_t stripe, Steady until) noexcept {
    stripes_[stripe].forgotten_until = until;
}

Session* SessionTable::restore_fresh(std::string_view key, std::size_t levels, const SessionTexts& texts,
                                     std::size_t bundles) {
    const std::uint64_t hash = hash_(key);
    Stripe& stripe = stripe_of(hash);
    if (Session* const known = stripe.find(hash, key)) {
        if (known->remembered) stripe.recall(known, *stripe.ring_of(*known));
        stripe.unschedule(known);
        stripe.forget(known);
    }
    return stripe.make(hash, key, levels, texts, bundles);
}

Session* SessionTable::restore_known(std::string_view key) noexcept {
    const std::uint64_t hash = hash_(key);
    return stripe_of(hash).find(hash, key);
}

const Session* SessionTable::find(std::string_view key) const noexcept {
    const std::uint64_t hash = hash_(key);
    return stripe_of(hash).find(hash, key);
}

void SessionTable::restored(Session& session) {
    Stripe& stripe = stripe_of(session.hash);
    stripe.record_last = std::max(stripe.record_last, session.record / kStripes);
    if (session.open()) {
        if (session.remembered) stripe.recall(&session, stripe.expired);
        stripe.schedule(&session);
    } else if (!session.remembered) {
        stripe.unschedule(&session);
        stripe.remember(&session);
    }
}

void SessionTable::visit(const std::function<void(const Session&)>& visitor) const {
    for (std::size_t i = 0; i < kStripes; ++i) {
        for (const auto& due : stripes_[i].heap)
            visitor(*due.session);
        stripes_[i].ended.visit(visitor);
        stripes_[i].expired.visit(visitor);
    }
}

void SessionTable::forget_due(std::size_t number, Steady now) noexcept {
    Stripe& stripe = stripes_[number];
    const std::lock_guard lock{stripe.lock};
    stripe.forget_old(limits_, now);
    stripe.forget_beyond_bytes();
}

void SessionTable::forget_refused(std::string_view key) noexcept {
    const std::uint64_t hash = hash_(key);
    Stripe& stripe = stripe_of(hash);
    const std::lock_guard lock{stripe.lock};
    Session* const session = stripe.find(hash, key);
    if (session == nullptr || session->claimed || session->state != SessionState::refused) return;
    stripe.refused.leave(session->ring_position);
    stripe.remembered_bytes -= Stripe::bytes_of(*session);
    stripe.forget(session);
}

bool SessionTable::is_over(const Session& session, Steady now) const noexcept {
    if (session.open()) return false;
    const bool expired = session.lapsed || session.state == SessionState::expired;
    return session.ended_at < now - (expired ? limits_.late : limits_.remember);
}

SessionTable::Claim SessionTable::claim_due(std::size_t number, Steady now) noexcept {
    Stripe& stripe = stripes_[number];
    const std::lock_guard lock{stripe.lock};
    stripe.forget_old(limits_, now);
    if (stripe.heap.empty() || stripe.heap.front().deadline > now) return {};
    Session* const session = stripe.heap.front().session;
    // Whoever has it will publish it; the next sweep sees what became of it.
    if (session->claimed) return {};
    session->claimed = true;
    return {&stripe, session};
}

Steady SessionTable::forgotten_until(std::string_view key) const noexcept {
    const Stripe& stripe = stripe_of(hash_(key));
    const std::lock_guard lock{stripe.lock};
    return stripe.forgotten_until;
}

SessionTable::Counts SessionTable::counts() const noexcept {
    Counts counts;
    for (std::size_t i = 0; i < kStripes; ++i) {
        Stripe& stripe = stripes_[i];
        const std::lock_guard lock{stripe.lock};
        counts.open += stripe.heap.size();
        counts.remembered += stripe.session_count - stripe.heap.size();
        counts.bytes += stripe.session_bytes;
        counts.forgotten_early += stripe.forgotten_early;
        counts.forgotten_until = std::max(counts.forgotten_until, stripe.forgotten_until);
        counts.memory_bytes += stripe.pool.bytes() + stripe.slots.capacity() * sizeof(Stripe::Slot) +
                               stripe.heap.capacity() * sizeof(Stripe::Due) + stripe.ended.bytes() +
                               stripe.expired.bytes() + stripe.refused.bytes() + sizeof(Stripe);
    }
    return counts;
}

std::uint64_t SessionTable::scan(std::uint64_t cursor, std::size_t count,
                                 const std::function<bool(const Session&)>& wanted,
                                 const std::function<void(std::string_view)>& visit) const {
    std::size_t looked_at = 0;
    std::uint64_t serial = cursor / kStripes;
    for (std::size_t number = cursor % kStripes; number < kStripes; ++number, serial = 0) {
        // Between stripes only, so that no stripe is left half looked at.
        if (looked_at >= kScanSessionsMax) return number;
        Stripe& stripe = stripes_[number];
        const std::lock_guard lock{stripe.lock};
        std::vector<const Session*> found;
        for (const auto& due : stripe.heap) {
            if (due.session->serial > serial && wanted(*due.session)) found.push_back(due.session);
        }
        looked_at += stripe.heap.size();
        const std::size_t taken = std::min(count, found.size());
        const auto end = found.begin() + static_cast<std::ptrdiff_t>(taken);
        std::partial_sort(found.begin(), end, found.end(),
                          [](const Session* a, const Session* b) { return a->serial < b->serial; });
        std::for_each(found.begin(), end, [&](const Session* session) { visit(session->key()); });
        count -= taken;
        if (taken < found.size() || (count == 0 && taken > 0)) {
            return (taken == 0 ? serial : (*(end - 1))->serial) * kStripes + number;
        }
    }
    return 0;
}

}  // namespace tollgate::balance
