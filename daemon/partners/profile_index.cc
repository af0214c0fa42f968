#include "daemon/partners/profile_index.h"

#include <utility>

namespace tollgate::daemon {
namespace {

using balance::kNoParty;
using balance::PartyId;

void take(std::map<std::string, std::set<PartyId>, std::less<>>& index, const std::string& text, PartyId id) {
    const auto found = index.find(text);
    if (found == index.end()) return;
    found->second.erase(id);
    if (found->second.empty()) index.erase(found);
}

}  // namespace

ProfileIndex::ProfileIndex(Registry& registry, const balance::PartyTable& parties) : parties_(parties) {
    registry.profiles.on_change = [this, next = std::move(registry.profiles.on_change)](
                                      const Profile* before, const Profile* after) {
        if (next) next(before, after);
        change(before, after);
    };
}

PartyId ProfileIndex::with_code(std::string_view code) const {
    const std::lock_guard lock{mutex_};
    const auto found = codes_.find(code);
    return found == codes_.end() ? kNoParty : found->second;
}

std::vector<PartyId> ProfileIndex::came_with(std::string_view code) const {
    const std::lock_guard lock{mutex_};
    const auto found = customers_.find(code);
    if (found == customers_.end()) return {};
    return {found->second.begin(), found->second.end()};
}

PartyId ProfileIndex::distributor_named(PartyId parent, std::string_view name) const {
    const std::lock_guard lock{mutex_};
    const auto found = distributors_.find(name);
    if (found == distributors_.end()) return kNoParty;
    for (const PartyId id : found->second) {
        const balance::Party& party = parties_.get(id);
        if (party.parent == parent && !party.status().closed()) return id;
    }
    return kNoParty;
}

std::size_t ProfileIndex::members_of(std::string_view customer_class) const {
    const std::lock_guard lock{mutex_};
    const auto found = members_.find(customer_class);
    return found == members_.end() ? 0 : found->second;
}

void ProfileIndex::change(const Profile* before, const Profile* after) {
    const std::lock_guard lock{mutex_};
    if (before != nullptr) take_out(*before);
    if (after != nullptr) put_in(*after);
}

void ProfileIndex::take_out(const Profile& profile) {
    const PartyId id = parties_.find(profile.id);
    if (!profile.code.empty()) codes_.erase(profile.code);
    if (!profile.came_with.empty()) take(customers_, profile.came_with, id);
    if (!profile.name.empty()) take(distributors_, profile.name, id);
    if (profile.customer_class.empty()) return;
    const auto members = members_.find(profile.customer_class);
    if (--members->second == 0) members_.erase(members);
}

void ProfileIndex::put_in(const Profile& profile) {
    const PartyId id = parties_.find(profile.id);
    if (!profile.code.empty()) codes_[profile.code] = id;
    if (!profile.came_with.empty()) customers_[profile.came_with].insert(id);
    const bool is_distributor = id != kNoParty && parties_.get(id).kind == balance::PartyKind::distributor;
    if (!profile.name.empty() && is_distributor) distributors_[profile.name].insert(id);
    if (!profile.customer_class.empty()) ++members_[profile.customer_class];
}

}  // namespace tollgate::daemon
