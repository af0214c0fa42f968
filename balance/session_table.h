/// All sessions: open ones, and ended ones for as long as they are remembered.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "balance/hash.h"
#include "balance/session.h"
#include "balance/spin_lock.h"

namespace tollgate::balance {

struct SessionLimits {
    std::size_t sessions_max = 16'000'000;              ///< Open and remembered.
    std::size_t remember_bytes = std::size_t{1} << 30;  ///< For ended ones; the oldest are forgotten first.
    std::chrono::nanoseconds remember = std::chrono::hours{6};
    std::chrono::nanoseconds late = std::chrono::hours{72};      ///< For expired ones.
    std::chrono::nanoseconds repeat = std::chrono::seconds{32};  ///< For refused ones.
};

/// Any thread may call any member at any time.
///
/// One thread at a time owns a session: it claims it, works on it without a lock, and publishes it. Who else
/// wants it waits, which is as long as one command takes. The table is split into 1024 stripes, each under a
/// spin lock that is held for a search, an insertion or a move in a queue, never while a call is rated; two
/// different sessions meet at one lock once in 1024 times. Memory comes from pools that the stripes keep, so
/// that a request allocates nothing once the pools have grown.
class SessionTable {
    struct Stripe;

  public:
    static constexpr std::size_t kStripes = 1024;

    SessionTable(std::uint64_t hash_key, const SessionLimits& limits);
    SessionTable(const SessionTable&) = delete;
    SessionTable& operator=(const SessionTable&) = delete;
    ~SessionTable();

    /// The right to touch one session. Publish it, or let it go unchanged by destroying the claim.
    class Claim {
      public:
        Claim() noexcept = default;
        Claim(Claim&& other) noexcept : stripe_(other.stripe_), session_(other.session_) {
            other.session_ = nullptr;
        }
        Claim& operator=(Claim&& other) noexcept {
            std::swap(stripe_, other.stripe_);
            std::swap(session_, other.session_);
            return *this;
        }
        ~Claim();
        explicit operator bool() const noexcept { return session_ != nullptr; }
        Session* operator->() const noexcept { return session_; }
        Session& operator*() const noexcept { return *session_; }

      private:
        friend class SessionTable;
        Claim(Stripe* stripe, Session* session) noexcept : stripe_(stripe), session_(session) {}
        Session* take() noexcept { return std::exchange(session_, nullptr); }
        Stripe* stripe_ = nullptr;
        Session* session_ = nullptr;
    };

    // Sessions are found by their keys, which are SessionKey's: an id of nobody in particular is one.

    /// The session of that key, or an empty claim.
    [[nodiscard]] Claim claim(std::string_view key) noexcept;

    /// The session of that record number, while it is remembered.
    [[nodiscard]] Claim claim_record(std::uint64_t record) noexcept;

    struct Opening {
        Claim claim;         ///< Empty: the table is full.
        bool fresh = false;  ///< It was made just now, in state `deciding`.
    };
    /// The session of that key, or a fresh one with room for `levels` levels, of which `bundles` may have
    /// bundled seconds: beyond sessions_max too where `always`. Requires: 1 to kSessionKeyBytesMax bytes of
    /// key.
    [[nodiscard]] Opening claim_or_open(std::string_view key, std::size_t levels, bool always = false,
                                        const SessionTexts& texts = {}, std::size_t bundles = 0);

    /// Gives the claim up; the session is open and expires at its `deadline`.
    void publish_open(Claim claim);
    /// Gives a session that ends the number of its record.
    void give_record(const Claim& claim) noexcept;
    /// Gives the claim up; the session has ended, with a record, or is refused, and is remembered as long as
    /// its state asks for.
    void publish_ended(Claim claim, Steady now);
    /// Forgets a refused session before its time, if nobody has claimed it.
    void forget_refused(std::string_view key) noexcept;

    /// Whether it has ended so long ago that it is forgotten, be it that nobody has come to do that yet: it
    /// must not change any more, because a snapshot does not have it. Requires: claimed by the caller.
    [[nodiscard]] bool is_over(const Session& session, Steady now) const noexcept;

    /// Forgets what is due in one stripe and claims one open session whose deadline is over, if there is one.
    /// Requires: stripe < kStripes.
    [[nodiscard]] Claim claim_due(std::size_t stripe, Steady now) noexcept;
    /// The forgetting alone.
    void forget_due(std::size_t stripe, Steady now) noexcept;

    // ---- For a restart, before any other thread ----

    [[nodiscard]] Steady forgotten_until(std::size_t stripe) const noexcept;
    void set_forgotten_until(std::size_t stripe, Steady until) noexcept;
    /// The last number of a record that the stripe has given, in its own count: none is given again, though
    /// nobody remembers the session that had it.
    [[nodiscard]] std::uint64_t record_last(std::size_t stripe) const noexcept;
    void set_record_last(std::size_t stripe, std::uint64_t last) noexcept;

    /// By which ids are spread over stripes; records are found by it, so it outlives the process. Requires:
    /// no session yet.
    void set_hash_key(std::uint64_t key) noexcept { hash_ = KeyedHash{key}; }
    [[nodiscard]] std::uint64_t hash_key() const noexcept { return hash_.key(); }
    /// A fresh session of that key, whatever was remembered under it, or the one there is; nullptr where
    /// there is none.
    [[nodiscard]] Session* restore_fresh(std::string_view key, std::size_t levels,
                                         const SessionTexts& texts = {}, std::size_t bundles = 0);
    [[nodiscard]] Session* restore_known(std::string_view key) noexcept;
    /// The session of that key, or nullptr.
    [[nodiscard]] const Session* find(std::string_view key) const noexcept;
    /// It is as it should be: open ones expire at their deadline, ended ones are remembered.
    void restored(Session& session);
    /// Visits every session but refused ones, stripe by stripe, the oldest first among those that have ended.
    /// Requires: no other thread.
    void visit(const std::function<void(const Session&)>& visitor) const;

    /// When the last one of the ended sessions that are forgotten had ended, as far as that of this key could
    /// be among them: whatever began later is known, if there was any. kNothingForgotten: all are known.
    [[nodiscard]] Steady forgotten_until(std::string_view key) const noexcept;
    static constexpr Steady kNothingForgotten = Steady::min();

    // ---- For the caches: daemon/foresight.h. Each reads what the one before has fetched. ----
    // Where somebody has the stripe, nothing is fetched: nobody waits for this.

    [[nodiscard]] std::uint64_t hash_of(std::string_view key) const noexcept { return hash_(key); }
    void fetch_stripe(std::uint64_t hash) const noexcept;
    void fetch_slot(std::uint64_t hash) const noexcept;
    /// False: there is none whose key has that hash.
    bool fetch_session(std::uint64_t hash) const noexcept;
    /// The memory of the next session of so many levels.
    void fetch_room(std::uint64_t hash, std::size_t levels) const noexcept;
    /// What a session is rated by. Returns its line; kNoParty where that is not to be known without waiting.
    PartyId fetch_rates(std::uint64_t hash) const noexcept;

    [[nodiscard]] const SessionLimits& limits() const noexcept { return limits_; }

    struct Counts {
        Steady forgotten_until = kNothingForgotten;  ///< The latest, of any id.
        std::size_t open = 0;
        std::size_t remembered = 0;
        std::size_t bytes = 0;              ///< Of all sessions, index and pools excluded.
        std::size_t memory_bytes = 0;       ///< Pools and index.
        std::uint64_t forgotten_early = 0;  ///< Ended ones that remember_bytes did not keep for `remember`.
    };
    [[nodiscard]] Counts counts() const noexcept;

    /// Visits up to `count` open sessions after `cursor` (0: from the beginning) that `wanted` accepts;
    /// returns the next cursor, 0 at the end. Looks at no more than kScanSessionsMax at a time, so a page may
    /// be short or empty before the end. A session that is open all along is visited exactly once, by its
    /// key: claim it to see more. `wanted` runs under the stripe's lock while others may own the session: it
    /// must be short and look at nothing but what never changes, which is key, line, switch_hash and
    /// opened_at.
    std::uint64_t scan(std::uint64_t cursor, std::size_t count,
                       const std::function<bool(const Session&)>& wanted,
                       const std::function<void(std::string_view)>& visit) const;
    static constexpr std::size_t kScanSessionsMax = 100'000;

  private:
    [[nodiscard]] Stripe& stripe_of(std::uint64_t hash) const noexcept;

    KeyedHash hash_;
    SessionLimits limits_;
    std::unique_ptr<Stripe[]> stripes_;  // NOLINT(modernize-avoid-c-arrays)
};

}  // namespace tollgate::balance
