#include "daemon/resync.h"

namespace tollgate::daemon {

std::string Resync::key(std::string_view switch_name, std::string_view token) {
    return std::string{switch_name} + '\0' + std::string{token};
}

bool Resync::name(std::string_view switch_name, std::string_view token, std::span<const std::string_view> ids,
                  Moment now) {
    const std::lock_guard lock{mutex_};
    std::erase_if(under_way_,
                  [&](const auto& entry) { return now.steady - entry.second.last_word > kAbandonedAfter; });
    const std::string wanted = key(switch_name, token);
    if (!under_way_.contains(wanted) && under_way_.size() >= kUnderWayMax) return false;
    auto& [began, last_word, alive, closed] = under_way_[wanted];
    if (alive.size() + ids.size() > kIdsMax) return false;
    if (began == balance::Steady{}) began = now.steady;
    last_word = now.steady;
    for (const auto id : ids)
        alive.emplace(id);
    return true;
}

std::optional<std::size_t> Resync::end(std::string_view switch_name, std::string_view token, Moment now) {
    const std::lock_guard lock{mutex_};
    const auto found = under_way_.find(key(switch_name, token));
    if (found == under_way_.end()) return std::nullopt;
    UnderWay& resync = found->second;
    resync.last_word = now.steady;
    if (!resync.closed) {
        resync.closed = charging_.close_missing(switch_name, resync.began, resync.alive, now);
        resync.alive.clear();
    }
    return resync.closed;
}

}  // namespace tollgate::daemon
