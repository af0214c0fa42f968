/// The transactions that are remembered, in the order of their numbers, and by whose balance they moved.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <vector>

#include "balance/transaction.h"

namespace tollgate::daemon {

/// Any thread may call any member at any time. Locks are held for a few rows, never for a whole visit.
class TransactionList {
  public:
    /// What it says never changes.
    using Entry = std::shared_ptr<const balance::Transaction>;

    void add(Entry transaction);
    /// Forgets the oldest ones for which `is_due(transaction)`.
    template <typename IsDue>
    void forget(const IsDue& is_due) {
        const std::lock_guard lock{mutex_};
        while (!entries_.empty() && is_due(*entries_.front()))
            entries_.pop_front();
    }

    /// nullptr: there is none of that number, or no more.
    [[nodiscard]] Entry find(std::uint64_t number) const;

    static constexpr std::uint64_t kNewest = UINT64_MAX;
    /// Calls `visit(transaction)` from the newest below the number `before` on backwards, until it returns
    /// false.
    template <typename Visit>
    void visit_back(std::uint64_t before, const Visit& visit) const {
        for (auto rows = rows_before(before); !rows.empty(); rows = rows_before(rows.back()->number)) {
            for (const Entry& row : rows) {
                if (!visit(*row)) return;
            }
        }
    }
    /// The same of those that moved a party's balance.
    template <typename Visit>
    void visit_back(balance::PartyId party, std::uint64_t before, const Visit& visit) const {
        for (auto rows = rows_before(party, before); !rows.empty();
             rows = rows_before(party, rows.back()->number)) {
            for (const Entry& row : rows) {
                if (!visit(*row)) return;
            }
        }
    }

  private:
    static constexpr std::size_t kRowsAtOnce = 256;

    using Entries = std::deque<Entry>;
    /// The first that is not below a number. Requires: the lock.
    [[nodiscard]] Entries::const_iterator place_of(std::uint64_t number) const;
    [[nodiscard]] std::vector<Entry> rows_before(std::uint64_t before) const;
    [[nodiscard]] std::vector<Entry> rows_before(balance::PartyId party, std::uint64_t before) const;

    mutable std::mutex mutex_;
    Entries entries_;  // By number.
    /// Numbers, ascending; those that are forgotten leave when a party gets more.
    std::unordered_map<balance::PartyId, std::vector<std::uint64_t>> by_party_;
};

}  // namespace tollgate::daemon
