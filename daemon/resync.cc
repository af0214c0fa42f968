#include "daemon/resync.h"

namespace tollgate::daemon {

Resync::UnderWay* Resync::of(std::string_view switch_name, std::string_view token, Moment now) {
    std::erase_if(under_way_,
                  [&](const auto& entry) { return now.steady - entry.second.last_word > kAbandonedAfter; });
    const std::string key = std::string{switch_name} + '\0' + std::string{token};
    if (!under_way_.contains(key) && under_way_.size() >= kUnderWayMax) return nullptr;
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
        resync->closed = charging_.close_missing(switch_name, resync->began, resync->alive, now);
        resync->alive.clear();
    }
    return resync->closed;
}

}  // namespace tollgate::daemon
