#include "daemon/resync.h"

#include <algorithm>
#include <utility>

namespace tollgate::daemon {

Resync::UnderWay* Resync::of(std::string_view switch_name, std::string_view token, Moment now) {
    std::erase_if(under_way_,
                  [&](const auto& entry) { return now.steady - entry.second.last_word > kAbandonedAfter; });
    const std::string key = std::string{switch_name} + '\0' + std::string{token};
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
    UnderWay& resync = under_way_[key];
    if (resync.began == balance::Steady{}) resync.began = now.steady;
    resync.last_word = now.steady;
    return &resync;
}

bool Resync::name(std::string_view switch_name, std::string_view token, std::span<const std::string_view> ids,
                  Moment now) {
    const std::lock_guard lock{mutex_};
    UnderWay* const resync = of(switch_name, token, now);
    if (resync == nullptr || resync->alive.size() + ids.size() > kIdsMax) return false;
    for (const auto id : ids)
        resync->alive.emplace(id);
    return true;
}

std::optional<std::size_t> Resync::end(std::string_view switch_name, std::string_view token, Moment now) {
    const std::lock_guard lock{mutex_};
    UnderWay* const resync = of(switch_name, token, now);
    if (resync == nullptr) return std::nullopt;
    if (!resync->closed) {
        const auto closed = charging_.close_missing(switch_name, resync->began, resync->alive, now);
        resync->count += closed.count;
        if (!closed.all) return std::nullopt;
        resync->closed = resync->count;
        resync->alive.clear();
    }
    return resync->closed;
}

}  // namespace tollgate::daemon
