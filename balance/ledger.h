/// Moves money: holds at all levels or at none, charges, and the books on the other side.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <vector>

#include "balance/party_table.h"
#include "balance/session.h"

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

/// A stop to new calls below a party: a suspended distributor keeps his logins, not his customers, from
/// calling.
[[nodiscard]] inline bool stops_calls(const Party& party) noexcept {
    const Status status = party.status();
    return !status.active() && (status.closed() || party.kind != PartyKind::distributor);
}

/// Any thread may call any member at any time; none of them blocks. A session's levels belong to whoever has
/// claimed the session.
///
/// Invariants: no hold is taken at one level and not at another; what leaves a balance appears in a book of
/// the same currency, so that balances and books of a currency add up to zero whenever nothing moves.
class Ledger {
  public:
    explicit Ledger(const PartyTable& parties) noexcept : parties_(parties) {}

    enum class HoldStatus : std::uint8_t {
        held,
        stopped,         ///< A party of the path stops calls.
        too_many_calls,  ///< A party of the path has as many open calls as it may.
        lost_funds,      ///< A level no longer has what it had; compute the grant anew.
    };
    struct Holding {
        HoldStatus status = HoldStatus::held;
        std::size_t at = 0;  ///< Which party of the path, or which level.
    };

    /// Opens a call: one more open call at every party of the path and `amounts[i]` held at level i, or
    /// nothing at all. On success the levels say what they hold.
    [[nodiscard]] Holding try_open(const Path& path, std::span<SessionLevel> levels,
                                   std::span<const Money> amounts) noexcept;

    /// What levels get back once the event that says so has been appended: nobody else may use funds that a
    /// prefix of the events does not have. By level.
    struct Returns {
        std::array<Money, kChainDepthMax> amounts{};
    };

    /// Brings the hold of level i to `amounts[i]` at all levels, or at none. What is to come back is used
    /// first; what a smaller hold frees is added to it.
    [[nodiscard]] Holding try_extend(std::span<SessionLevel> levels, std::span<const Money> amounts,
                                     Returns& returns) noexcept;

    /// Charges every level `totals[i]` in all for the call so far, out of its hold first.
    void charge(std::span<SessionLevel> levels, std::span<const Money> totals, Returns& returns) noexcept;

    /// As charge, and frees what the levels still hold.
    void settle(std::span<SessionLevel> levels, std::span<const Money> totals, Returns& returns) noexcept;

    /// Gives back what there is to come back.
    void give_back(std::span<const SessionLevel> levels, const Returns& returns) noexcept;
    /// Takes a call off the path: others may have its place from now on.
    static void leave(const Path& path) noexcept;

    /// For a restart: what an open or ended session has done to the accounts and books of its chain, carried
    /// out or taken back.
    void redo(const Session& session) noexcept { move_all(session, 1); }
    void undo(const Session& session) noexcept { move_all(session, -1); }

    /// Whether every level and book can take a charge of `totals[i]` in all without leaving kBalanceMax.
    [[nodiscard]] bool can_charge(std::span<const SessionLevel> levels,
                                  std::span<const Money> totals) const noexcept;

    enum class PostStatus : std::uint8_t {
        posted,
        insufficient,   ///< More than is available, and not forced.
        out_of_bounds,  ///< A balance or a book would leave kBalanceMax.
    };
    struct Posting {
        PostStatus status = PostStatus::posted;
        Money balance{};  ///< After it, and before whatever came next.
    };
    /// Cash received: the party's balance rises, its seller's cash falls. Requires: amount > 0, an account.
    Posting top_up(PartyId party, Money amount) noexcept;
    /// A debit: the party's balance falls, its seller's revenue rises. Requires: amount > 0, an account.
    Posting debit(PartyId party, Money amount, bool force) noexcept;

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
        [[nodiscard]] Sum sum() const noexcept { return balances + revenue + cash + termination; }
    };
    /// Walks all parties: for checks and for INFO, not for every second.
    [[nodiscard]] std::vector<TrialBalance> trial_balance() const;

  private:
    /// Whether a level is held to what it has: the provider's balance is not checked.
    static bool checked(const Party& party) noexcept { return party.kind != PartyKind::provider; }
    [[nodiscard]] Party& payer(const SessionLevel& level) const noexcept { return parties_.get(level.payer); }
    std::atomic<std::int64_t>& earned(const SessionLevel& level, rating::Currency currency) const noexcept;
    void move_all(const Session& session, std::int64_t sign) noexcept;
    [[nodiscard]] Money settle(SessionLevel& level, Money total, bool free_hold) noexcept;

    const PartyTable& parties_;
};

}  // namespace tollgate::balance
