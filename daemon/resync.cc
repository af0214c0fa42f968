#include "daemon/resync.h"

#include <algorithm>
#include <utility>

namespace tollgate::daemon {

std::string Resync::key_of(std::string_view switch_name, std::string_view token, std::string_view scope) {
    const std::string key = std::string{switch_name} + '\0' + std::string{token};
    return scope.empty() ? key : '\0' + std::string{scope} + '\0' + key;
}

Resync::UnderWay* Resync::of(const std::string& key, Moment now) {
    std::erase_if(under_way_,
                  [&](const auto& entry) { return now.steady - entry.second.last_word > kAbandonedAfter; });
    const ResyncTokens::Token* const known = under_way_.contains(key) ? nullptr : tokens_.find(key);
    // What it named is not in memory any more: it must not close calls that are alive.
    if (known != nullptr && !known->closed) return nullptr;
    if (!under_way_.contains(key) && under_way_.size() >= kUnderWayMax) {
        // One that has ended is kept for its repeats only.
        const auto oldest =
            std::min_element(under_way_.begin(), under_way_.end(), [](const auto& a, const auto& b) {
                return std::pair{!a.second.closed, a.second.last_word} <
                       std::pair{!b.second.closed, b.second.last_word};
            });
        if (!oldest->second.closed) return nullptr;
        under_way_.erase(oldest);
    }
    if (events_.admission() == balance::Admission::closed) return nullptr;
    UnderWay& resync = under_way_[key];
    if (known != nullptr) {
        resync.began = known->at.steady;
        resync.closed = static_cast<std::size_t>(*known->closed);
    } else if (resync.began == balance::Steady{}) {
        resync.began = now.steady;
        tokens_.note(key, {now, std::nullopt}, events_);
    }
    resync.last_word = now.steady;
    return &resync;
}

bool Resync::name(std::string_view switch_name, std::string_view token, std::span<const std::string_view> ids,
                  Moment now, std::string_view scope) {
    const std::lock_guard lock{mutex_};
    UnderWay* const resync = of(key_of(switch_name, token, scope), now);
    if (resync == nullptr || resync->alive.size() + ids.size() > kIdsMax) return false;
    for (const auto id : ids)
        resync->alive.emplace(id);
    return true;
}

std::optional<std::size_t> Resync::end(std::string_view switch_name, std::string_view token, Moment now,
                                       std::string_view scope) {
    const std::lock_guard lock{mutex_};
    const std::string key = key_of(switch_name, token, scope);
    UnderWay* const resync = of(key, now);
    if (resync == nullptr) return std::nullopt;
    if (!resync->closed) {
        const auto closed = charging_.close_missing(scope, switch_name, resync->began, resync->alive, now);
        resync->count += closed.count;
        if (!closed.all || events_.admission() == balance::Admission::closed) return std::nullopt;
        resync->closed = resync->count;
        tokens_.note(key, {now, resync->count}, events_);
        resync->alive.clear();
    }
    return resync->closed;
}

}  // namespace tollgate::daemon
