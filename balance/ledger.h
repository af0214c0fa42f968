/// Moves money: holds at all levels or at none, charges, and the books on the other side.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "balance/crossing.h"
#include "balance/party_table.h"
#include "balance/session.h"
#include "balance/transaction.h"

namespace tollgate::balance {

/// A line and everyone above it, the line first, the provider last.
class Path {
  public:
    Path(const PartyTable& parties, PartyId line) noexcept;

    [[nodiscard]] std::span<Party* const> parties() const noexcept { return {parties_.data(), size_}; }
    [[nodiscard]] PartyId id(std::size_t index) const noexcept { return ids_[index]; }

  private:
    std::array<Party*, kPathMax> parties_{};
    std::array<PartyId, kPathMax> ids_{};
    std::size_t size_ = 0;
};

/// How a call counts against the caps of days and months on its path: charged and held together, at its day;
/// and who has what its customer is charged.
struct Spend {
    const Path* path = nullptr;  ///< nullptr: it does not count.
    rating::Instant at{};        ///< The rating instant, of whose day and month it is.
    rating::Instant now{};
    std::uint32_t* counted = nullptr;  ///< Session::spend_counted.
    bool credits_seller = false;       ///< Session::credits_seller.
};
/// Everybody who counts: of a call that is charged without having been opened.
inline constexpr std::uint32_t kCountedByAll = (1U << kPathMax) - 1;

/// Whose leg of a call stands for a party of its path: the customer's for the line and the customer, else the
/// party's own. `levels.size()` where it has none: who earns by it has none.
[[nodiscard]] std::size_t leg_of(const Path& path, std::size_t place,
                                 std::span<const SessionLevel> levels) noexcept;

/// A stop to new calls below a party: a suspended distributor keeps his logins, not his customers, from
/// calling.
[[nodiscard]] inline bool stops_calls(const Party& party) noexcept {
    const Status status = party.status();
    return !status.active() && (status.closed() || party.kind != PartyKind::distributor);
}
/// A stop to running calls below a party, once they have used what was granted.
[[nodiscard]] inline bool ends_calls(const Party& party) noexcept {
    return stops_calls(party) && !party.status().keeps_calls();
}

/// Any thread may call any member at any time; none of them blocks. A session's levels belong to whoever has
/// claimed the session.
///
/// Invariants: no hold is taken at one level and not at another; what leaves a balance appears in a book of
/// the same currency, so that balances and books of a currency add up to zero whenever nothing moves.
class Ledger {
  public:
    /// Both must outlive this. `crossings` is told of thresholds; nullptr: nobody is.
    explicit Ledger(const PartyTable& parties, CrossingSink* crossings = nullptr) noexcept
        : parties_(parties), crossings_(crossings) {}

    enum class HoldStatus : std::uint8_t {
        held,
        stopped,         ///< A party of the path stops calls.
        too_many_calls,  ///< A party of the path has as many open calls as it may.
        lost_funds,      ///< A level no longer has what it had; compute the grant anew.
        lost_cap,        ///< A cap of a party of the path no longer has that room; likewise.
    };
    struct Holding {
        HoldStatus status = HoldStatus::held;
        std::size_t at = 0;  ///< Which party of the path, or which level.
    };

    /// Opens a call: one more open call at every party of the path and `amounts[i]` held at level i, or
    /// nothing at all. On success the levels say what they hold, and `spend` who counts it.
    [[nodiscard]] Holding try_open(const Path& path, std::span<SessionLevel> levels,
                                   std::span<const Money> amounts, const Spend& spend = {}) noexcept;

    /// What levels get back, and parties' counts of what is spent, once the event that says so has been
    /// appended: nobody else may use funds that a prefix of the events does not have.
    struct Returns {
        std::array<Money, kChainDepthMax> amounts{};  ///< By level.
        std::array<Money, kPathMax> uncounted{};      ///< By place on the path.
        Money credited;                               ///< To the customer's seller.
    };

    /// Brings the hold of level i to `amounts[i]` at all levels, or at none. What is to come back is used
    /// first; what a smaller hold frees is added to it. Whoever did not count the call yet and counts now,
    /// counts the whole of it.
    [[nodiscard]] Holding try_extend(std::span<SessionLevel> levels, std::span<const Money> amounts,
                                     Returns& returns, const Spend& spend = {}) noexcept;

    /// Charges every level `totals[i]` in all for the call so far, out of its hold first.
    void charge(std::span<SessionLevel> levels, std::span<const Money> totals, Returns& returns,
                const Spend& spend = {}) noexcept {
        settle_all(levels, totals, false, returns, spend);
    }
    /// As charge, and frees what the levels still hold.
    void settle(std::span<SessionLevel> levels, std::span<const Money> totals, Returns& returns,
                const Spend& spend = {}) noexcept {
        settle_all(levels, totals, true, returns, spend);
    }

    /// Gives back what there is to come back.
    void give_back(std::span<const SessionLevel> levels, const Returns& returns,
                   const Spend& spend = {}) noexcept;
    /// Takes a call off the path: others may have its place from now on.
    static void leave(const Path& path) noexcept;

    /// For a restart: what an open or ended session has done to the accounts and books of its chain and to
    /// what is counted of days and months, carried out or taken back.
    void redo(const Session& session, rating::Instant now) noexcept { move_all(session, 1, now); }
    void undo(const Session& session, rating::Instant now) noexcept { move_all(session, -1, now); }

    /// Whether every level and book can take a charge of `totals[i]` in all without leaving kBalanceMax.
    [[nodiscard]] bool can_charge(std::span<const SessionLevel> levels,
                                  std::span<const Money> totals) const noexcept;

    enum class PostStatus : std::uint8_t {
        posted,
        insufficient,   ///< More than is available, and not forced.
        out_of_bounds,  ///< A balance or a book would leave kBalanceMax.
    };
    /// What a balance may be taken down to.
    enum class Funds : std::uint8_t {
        available,  ///< As far as balance and credit limit go, less what is held.
        own,        ///< As `available`, without the credit limit: credit is not cash.
        any,        ///< Below zero too.
    };
    struct Posted {
        PostStatus status = PostStatus::posted;
        // Of the first posting's party, once all is done.
        Money balance{};  ///< After it, and before whatever came next.
        Money available{};
        std::size_t parties =
            0;  ///< How many there were: postings of later ones are left to the second half.
    };
    /// The first half of a transaction: everything that can fail, and everything that lowers what anybody has
    /// available. All of it, or nothing. `funds` is one for each posting, or one for all. The first posting
    /// must be one of a balance; none at all is a transaction too. A posting may put money on the balance of
    /// a party that is added between the two halves.
    /// Each posting of a balance is told what the balance was after it.
    [[nodiscard]] Posted begin_posting(std::span<Posting> postings, std::span<const Funds> funds) noexcept;
    [[nodiscard]] Posted begin_posting(std::span<Posting> postings, Funds funds) noexcept {
        return begin_posting(postings, {&funds, 1});
    }
    /// The second half, once the transaction is written down: what raises what anybody has available.
    void finish_posting(std::span<const Posting> postings, const Posted& posted) noexcept;
    /// Both halves of what had been decided and told before a restart: nothing is asked, nobody is told.
    void replay_posting(std::span<const Posting> postings) noexcept;

    /// Who sells to a party: the nearest reseller or the provider above it; the provider itself has itself.
    [[nodiscard]] PartyId seller_of(PartyId party) const noexcept;

    /// All balances and books of one currency, in micro-units. The sum is zero whenever nothing moves.
    /// Millions of parties may hold kBalanceMax each, so the sums are 128 bits wide.
    struct TrialBalance {
        __extension__ typedef __int128
            Sum;  // NOLINT(modernize-use-using): only a typedef takes __extension__.
        rating::Currency currency;
        Sum balances = 0;
        Sum held = 0;
        Sum revenue = 0;
        Sum cash = 0;
        Sum termination = 0;
        Sum commission = 0;
        Sum funds = 0;
        Sum exchange = 0;
        [[nodiscard]] Sum sum() const noexcept {
            return balances + revenue + cash + termination + commission + funds + exchange;
        }
    };
    /// Walks all parties: for checks and for INFO, not for every second.
    [[nodiscard]] std::vector<TrialBalance> trial_balance() const;

  private:
    /// Whether a level is held to what it has: the provider's balance is not checked.
    static bool checked(const Party& party) noexcept { return party.kind != PartyKind::provider; }
    [[nodiscard]] Party& payer(const SessionLevel& level) const noexcept { return parties_.get(level.payer); }
    std::atomic<std::int64_t>& earned(const SessionLevel& level, rating::Currency currency) const noexcept;
    void move_all(const Session& session, std::int64_t sign, rating::Instant now) noexcept;
    /// `credited` is what the seller's balance has got and is not available yet; nullptr: his revenue gets
    /// it.
    [[nodiscard]] Money settle(SessionLevel& level, Money total, bool free_hold, Money* credited) noexcept;
    void credit_seller(const SessionLevel& level, Money charged, Money& credited) noexcept;
    void settle_all(std::span<SessionLevel> levels, std::span<const Money> totals, bool free_holds,
                    Returns& returns, const Spend& spend) noexcept;

    [[nodiscard]] std::atomic<std::int64_t>& book_of(const Posting& posting) const noexcept;
    /// Tells of each threshold that lies between the two.
    void note_crossings(PartyId id, const Party& party, Money before, Money after) noexcept {
        // Acquire pairs with the release in Party::set_warnings.
        const Warnings* const warnings = party.warnings.load(std::memory_order_acquire);
        if (warnings != nullptr && crossings_ != nullptr) tell_crossings(id, party, *warnings, before, after);
    }
    void tell_crossings(PartyId id, const Party& party, const Warnings& warnings, Money before,
                        Money after) noexcept;

    const PartyTable& parties_;
    CrossingSink* crossings_;
};

}  // namespace tollgate::balance
