/// What may stand in a party's profile, and what it comes to together with its class.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "balance/party_table.h"
#include "daemon/catalog.h"
#include "daemon/partners/profile_index.h"
#include "daemon/partners/registry.h"

namespace tollgate::daemon {

/// A party's own value, else its class's, else none.
struct EffectivePolicy {
    std::string billing_period;
    std::string payment_collection;
    std::optional<std::int64_t> grace_days;
    std::string invoice_template;
    std::string statistics;
    std::optional<bool> invoices_by_email;
    std::string language;
};

/// Whoever changes something by what it says holds Registry::mutex.
class PartyRules {
  public:
    /// All must outlive this.
    PartyRules(const Registry& registry, const ProfileIndex& index, const balance::PartyTable& parties)
        : registry_(registry), index_(index), parties_(parties) {}

    /// Where a profile belongs.
    struct Place {
        balance::PartyKind kind = balance::PartyKind::customer;
        balance::PartyId parent = balance::kNoParty;
        balance::PartyId id = balance::kNoParty;  ///< kNoParty: it is about to be made.
    };

    /// Gives a customer of the provider who names no code the provider's default code, where it is in force.
    void complete(Profile& profile, const Place& place) const;
    /// What is wrong with a profile. `before`: as it is now, empty for a party that is about to be made; what
    /// it says already is not looked at again.
    [[nodiscard]] std::vector<Fault> faults_of(const Profile& profile, const Profile& before,
                                               const Place& place) const;

    /// Whether customers may come with a code now: its party is not suspended or closed, and it was not taken
    /// back.
    [[nodiscard]] bool is_in_force(std::string_view code) const;

    /// Whether a party that stands below `parent` may have a class, a catalogue of this owner.
    [[nodiscard]] bool is_above(std::string_view owner, balance::PartyId parent) const noexcept;

    [[nodiscard]] EffectivePolicy effective(const Profile& profile) const;

  private:
    const Registry& registry_;
    const ProfileIndex& index_;
    const balance::PartyTable& parties_;
};

}  // namespace tollgate::daemon
