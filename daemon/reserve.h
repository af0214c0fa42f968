/// What is held back of every active party since a lost journal was restored.
///
/// The last calls before the loss may not be known: as long as nobody has looked, each party that is active
/// then has so much less available. Nothing is charged, no balance is moved, and an operator gives all of it
/// back in one event.
#pragma once

#include <cstddef>
#include <functional>
#include <mutex>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

#include "balance/event.h"
#include "balance/event_log.h"
#include "balance/party_table.h"

namespace tollgate::daemon {

/// Any thread may call any member, but for those of a restart.
class Reserve {
  public:
    /// Both must outlive this.
    Reserve(balance::PartyTable& parties, balance::EventLog& events) : parties_(parties), events_(events) {}

    struct Standing {
        rating::Money amount;     ///< Of each party, in its own currency.
        std::size_t parties = 0;  ///< Of how many.
        rating::Instant since{};  ///< When the journal was restored.
    };
    /// nullopt: nothing is held back.
    [[nodiscard]] std::optional<Standing> standing() const;

    /// Gives all of it back. What it was; nullopt where there was nothing.
    std::optional<Standing> release(balance::Moment now);

    // ---- For a restart, for snapshots and for whoever restores, with no other thread ----

    /// The first event of a restored journal: `amount` of each party that is active, 0 of none.
    static void write_restored(rating::Money amount, balance::Moment now, std::vector<std::byte>& event);
    /// The rest of such an event, of one that gave back, and of a snapshot's record.
    [[nodiscard]] bool apply_restored(balance::Moment at, balance::ByteReader& in);
    [[nodiscard]] bool apply_released(balance::ByteReader& in);
    [[nodiscard]] bool apply_standing(balance::Moment at, balance::ByteReader& in);
    /// Records that say it, in accounts from which it is taken already.
    void save(const std::function<void(std::span<const std::byte>)>& sink) const;
    /// Calls `visit(party)` for each that it was taken from.
    template <typename Visit>
    void visit(const Visit& visit) const {
        const std::lock_guard lock{mutex_};
        for (const balance::PartyId party : from_)
            visit(party);
    }

  private:
    [[nodiscard]] Standing standing_now() const { return {amount_, from_.size(), since_}; }
    void give_back();

    balance::PartyTable& parties_;
    balance::EventLog& events_;
    mutable std::mutex mutex_;  // Calls never come here.
    rating::Money amount_;
    rating::Instant since_{};
    std::vector<balance::PartyId> from_;
};

}  // namespace tollgate::daemon
