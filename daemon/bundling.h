/// The bundled seconds of a call: which bundles pay for it, what it takes from them, what it gives back.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>

#include "balance/bundle.h"
#include "balance/ledger.h"
#include "balance/session.h"
#include "daemon/destination_groups.h"

namespace tollgate::daemon {

/// By level of a session: seconds from the call's beginning. 0 for a level without bundles.
using BundledSeconds = std::array<std::uint32_t, balance::kChainDepthMax>;

/// Which bundles a call may use. Any thread may call any member at any time; none blocks or allocates.
class Bundling {
  public:
    /// Both must outlive this; without groups a bundle that names one pays for nothing by it.
    Bundling(const balance::PartyTable& parties, const DestinationGroups* groups) noexcept
        : parties_(parties), groups_(groups) {}

    /// For how many levels of a line's calls there must be room for bundled seconds.
    [[nodiscard]] std::size_t levels_with_bundles(balance::PartyId line) const noexcept;
    /// Gives the levels whose payer has bundles their part of that room. To be called once its levels and the
    /// instant by which it is rated are known.
    void attach(balance::Session& session) const noexcept;

    /// How many seconds each level could have, of a call of `target`, with those it has.
    [[nodiscard]] BundledSeconds reach(const balance::Session& session,
                                       std::chrono::seconds target) const noexcept;
    /// The same before there is a session: for a level of a call to `number`, rated at `at`.
    [[nodiscard]] std::uint32_t available(const balance::SessionLevel& level, std::string_view number,
                                          rating::Instant at, std::chrono::seconds target) const noexcept;
    /// Whether open calls hold seconds of bundles that would pay for this level too.
    [[nodiscard]] bool held_by_others(const balance::Session& session,
                                      const balance::SessionLevel& level) const noexcept;

    /// Whether a bundle may pay for a level of a call.
    [[nodiscard]] bool pays(const balance::Bundle& bundle, const balance::SessionLevel& level,
                            std::string_view number, rating::Instant at) const noexcept;

    [[nodiscard]] const balance::PartyTable& parties() const noexcept { return parties_; }

  private:
    const balance::PartyTable& parties_;
    const DestinationGroups* groups_;
};

/// What one command does to the bundled seconds of a session that it has claimed. Seconds are taken at once
/// and given back at the end: finish() makes the session say what it has afterwards, give_back() lets others
/// have the rest. Destroyed before finish(), it undoes all it did.
class BundleChange {
  public:
    BundleChange(const Bundling& bundling, balance::Session& session) noexcept;
    BundleChange(const BundleChange&) = delete;
    BundleChange& operator=(const BundleChange&) = delete;
    ~BundleChange();

    /// Takes more until each level has `wanted`, or nothing more and false where others were faster. A level
    /// that wants less than it has keeps it until finish(). On success the accounts of the levels that took
    /// some count an attempt, until confirm() or roll_back().
    [[nodiscard]] bool try_take(const BundledSeconds& wanted) noexcept;
    void confirm() noexcept;
    void roll_back() noexcept;

    /// Takes what is there for a call that lasted `used`, which may be longer than it was granted.
    void cover(std::chrono::seconds used) noexcept;

    /// A grant of that length stands, of which each level has `bundled` at most; `used` of it is charged.
    void finish(std::chrono::seconds grant, const BundledSeconds& bundled,
                std::chrono::seconds used) noexcept;
    /// The call is over: what was not used goes back.
    void finish_all(std::chrono::seconds used) noexcept;
    /// After finish(), when the event of the session has been written.
    void give_back() noexcept;

  private:
    using Level = balance::LevelBundles;
    void take(std::size_t index, std::uint32_t wanted) noexcept;
    void put_on_money(Level& mine, std::uint32_t bundled, std::chrono::seconds duration) const noexcept;
    void return_to(std::size_t index, const Level& target) noexcept;
    [[nodiscard]] balance::Party& payer(std::size_t index) const noexcept;

    const Bundling& bundling_;
    balance::Session& session_;  // Looked at only while there are bundled seconds to see to.
    const std::size_t count_;
    // What it had before the command, before the attempt that is under way, and what bundles count for it
    // now. Only as many as the session has are set.
    std::array<Level, balance::kChainDepthMax> before_;
    std::array<Level, balance::kChainDepthMax> attempted_;
    std::array<Level, balance::kChainDepthMax> counted_;
    std::uint32_t attempts_ = 0;  // Bits by index: an attempt is counted at the payer's account.
    bool finished_ = false;
};

}  // namespace tollgate::daemon
