#include "daemon/time_zones.h"

#include <algorithm>
#include <chrono>
#include <utility>
#include <vector>

#include <cctz/time_zone.h>

#include "rating/instant.h"

namespace tollgate::daemon {
namespace {

/// Letters, digits and what stands between them: nothing that leads out of the database's folder.
bool is_zone_name(std::string_view name) noexcept {
    return !name.empty() && name.size() <= kZoneNameBytesMax && name.front() != '/' &&
           std::all_of(name.begin(), name.end(), [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                      c == '/' || c == '_' || c == '-' || c == '+';
           });
}

std::shared_ptr<const rating::TimeZone> load(const std::string& name) {
    using Seconds = cctz::time_point<cctz::seconds>;
    cctz::time_zone zone;
    if (!cctz::load_time_zone(name, &zone)) return nullptr;
    // As far as an Instant goes.
    const auto edge = [](rating::Instant instant) {
        return std::chrono::floor<std::chrono::seconds>(instant);
    };
    Seconds at = edge(rating::kAlways);
    const auto first = zone.lookup(at).offset;
    std::vector<rating::TimeZone::Change> changes;
    cctz::time_zone::civil_transition change;
    while (zone.next_transition(at, &change)) {
        at = zone.lookup(change.to).trans;
        if (at > edge(rating::kNever)) break;
        changes.push_back({at.time_since_epoch().count(), zone.lookup(at).offset});
    }
    return std::make_shared<const rating::TimeZone>(first, std::move(changes));
}

}  // namespace

std::shared_ptr<const rating::TimeZone> TimeZones::find(std::string_view name) const {
    if (!is_zone_name(name)) return nullptr;
    const std::lock_guard lock{mutex_};
    std::string key{name};
    if (const auto found = known_.find(key); found != known_.end()) return found->second;
    auto zone = load(key);
    if (zone != nullptr) known_.emplace(std::move(key), zone);
    return zone;
}

}  // namespace tollgate::daemon
