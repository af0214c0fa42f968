#include "daemon/resync.h"

#include <algorithm>

namespace tollgate::daemon {

std::string Resync::key_of(std::string_view switch_name, std::string_view token, std::string_view scope) {
    const std::string key = std::string{switch_name} + '\0' + std::string{token};
    return scope.empty() ? key : '\0' + std::string{scope} + '\0' + key;
}

void Resync::forget_abandoned(Moment now) {
    std::erase_if(under_way_,
                  [&](const auto& entry) { return now.steady - entry.second.last_word > kAbandonedAfter; });
}

void Resync::sweep(Moment now) {
    const std::lock_guard lock{mutex_};
    forget_abandoned(now);
}

std::optional<std::size_t> Resync::ended(const std::string& key) const {
    const ResyncTokens::Token* const known = tokens_.find(key);
    if (known == nullptr || !known->closed) return std::nullopt;
    return static_cast<std::size_t>(*known->closed);
}

bool Resync::has_place_for(std::string_view scope) const {
    const auto his = std::count_if(under_way_.begin(), under_way_.end(),
                                   [scope](const auto& entry) { return entry.second.scope == scope; });
    return under_way_.size() < kUnderWayMax &&
           (scope.empty() || static_cast<std::size_t>(his) < kUnderWayOfUserMax);
}

bool Resync::has_room_for(std::size_t bytes, std::string_view scope) const {
    std::size_t all = bytes;
    std::size_t his = bytes;
    for (const auto& [key, resync] : under_way_) {
        all += resync.bytes;
        if (resync.scope == scope) his += resync.bytes;
    }
    return all <= kBytesMax && (scope.empty() || his <= kBytesOfUserMax);
}

Resync::UnderWay* Resync::of(const std::string& key, std::string_view scope, Moment now) {
    forget_abandoned(now);
    if (const auto there = under_way_.find(key); there != under_way_.end()) {
        there->second.last_word = now.steady;
        return &there->second;
    }
    // What it named is not in memory any more: it must not close calls that are alive.
    if (tokens_.find(key) != nullptr) return nullptr;
    if (!has_place_for(scope) || events_.admission() == balance::Admission::closed) return nullptr;
    tokens_.note(key, {now, std::nullopt}, events_);
    UnderWay& resync = under_way_[key];
    resync.scope = scope;
    resync.began = resync.last_word = now.steady;
    return &resync;
}

void Resync::refuse(const std::string& key, Moment now) {
    under_way_.erase(key);
    if (tokens_.find(key) == nullptr) tokens_.refuse(key, now, events_);
}

bool Resync::name(std::string_view switch_name, std::string_view token, std::span<const std::string_view> ids,
                  Moment now, std::string_view scope) {
    const std::lock_guard lock{mutex_};
    const std::string key = key_of(switch_name, token, scope);
    if (ended(key)) return true;  // Came late: there is nothing left to close.
    UnderWay* const resync = of(key, scope, now);
    std::size_t bytes = 0;
    for (const auto id : ids)
        bytes += id.size() + kIdBytesMore;
    if (resync == nullptr || (memory_is_full_ && memory_is_full_()) ||
        resync->alive.size() + ids.size() > kIdsMax || !has_room_for(bytes, scope)) {
        refuse(key, now);
        return false;
    }
    for (const auto id : ids) {
        if (resync->alive.emplace(id).second) resync->bytes += id.size() + kIdBytesMore;
    }
    return true;
}

std::optional<std::size_t> Resync::end(std::string_view switch_name, std::string_view token, Moment now,
                                       std::string_view scope) {
    const std::lock_guard lock{mutex_};
    const std::string key = key_of(switch_name, token, scope);
    if (const auto closed = ended(key)) return closed;
    UnderWay* const resync = of(key, scope, now);
    if (resync == nullptr) return std::nullopt;
    const auto closed = charging_.close_missing(scope, switch_name, resync->began, resync->alive, now);
    resync->count += closed.count;
    if (!closed.all || events_.admission() == balance::Admission::closed) return std::nullopt;
    const std::size_t count = resync->count;
    tokens_.note(key, {now, count}, events_);
    under_way_.erase(key);
    return count;
}

}  // namespace tollgate::daemon
