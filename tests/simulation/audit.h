/// Replays events one by one and holds what each does against the invariants that every prefix must keep.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "balance/event_log.h"
#include "daemon/state.h"

namespace tollgate::tests {

/// A state that is made of events alone, and books beside it that know nothing of accounts: what was charged
/// and posted, summed up event by event. One thread.
class Audit {
  public:
    using ReadAside = daemon::Catalog::ReadAside;
    /// Where threads append, what takes funds below zero by right may stand up to `window` events before what
    /// was done while they were there.
    Audit(const daemon::StateSettings& settings, ReadAside read_aside, balance::Sequence window = 0);

    /// Requests with this beginning take money by force: nothing else may take a balance below zero.
    static constexpr std::string_view kForced = "force-";

    /// The next event. Empty, or what does not hold after it.
    [[nodiscard]] std::string apply(std::span<const std::byte> event);
    /// All invariants of the state as it is now. Empty, or the first that does not hold.
    [[nodiscard]] std::string check() const;

    [[nodiscard]] balance::Sequence last() const noexcept { return last_; }
    [[nodiscard]] daemon::State& state() noexcept { return state_; }
    /// What transactions have moved of a party's balance.
    [[nodiscard]] rating::Money posted(balance::PartyId party) const;

  private:
    [[nodiscard]] std::string apply_session(std::span<const std::byte> event, balance::EventKind kind,
                                            std::string_view id);
    [[nodiscard]] std::string apply_transaction(std::span<const std::byte> event, balance::ByteReader in);
    [[nodiscard]] bool explained(const balance::Session& session) const;
    [[nodiscard]] bool excused(balance::PartyId party) const;
    [[nodiscard]] std::string apply_only(std::span<const std::byte> event);
    [[nodiscard]] std::string name(balance::PartyId party) const;

    daemon::State state_;
    ReadAside read_aside_;
    balance::Sequence window_;
    balance::Sequence last_ = 0;
    std::map<balance::PartyId, balance::Sequence> excuses_;  // The latest by which it may be below zero.
    std::map<balance::PartyId, rating::Money> charged_;
    std::map<balance::PartyId, rating::Money> posted_;
};

}  // namespace tollgate::tests
