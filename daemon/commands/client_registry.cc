#include <algorithm>

#include "daemon/commands/client.h"

namespace tollgate::daemon::commands {
namespace {

auto find(auto& entries, std::uint64_t id) {
    const auto found = std::lower_bound(
        entries.begin(), entries.end(), id,
        [](const ClientRegistry::Entry& entry, std::uint64_t wanted) { return entry.id < wanted; });
    return found != entries.end() && found->id == id ? found : entries.end();
}

}  // namespace

std::uint64_t ClientRegistry::enter(const std::string& address, balance::Steady now,
                                    std::size_t clients_max) {
    const std::lock_guard lock{mutex_};
    if (entries_.size() >= clients_max) return 0;
    entries_.push_back({++id_last_, address, {}, now});
    return id_last_;
}

void ClientRegistry::leave(std::uint64_t id) {
    const std::lock_guard lock{mutex_};
    if (const auto found = find(entries_, id); found != entries_.end()) entries_.erase(found);
}

void ClientRegistry::rename(std::uint64_t id, const std::string& name) {
    const std::lock_guard lock{mutex_};
    if (const auto found = find(entries_, id); found != entries_.end()) found->name = name;
}

std::vector<ClientRegistry::Entry> ClientRegistry::list() const {
    const std::lock_guard lock{mutex_};
    return entries_;
}

std::size_t ClientRegistry::size() const {
    const std::lock_guard lock{mutex_};
    return entries_.size();
}

std::uint64_t ClientRegistry::entered() const {
    const std::lock_guard lock{mutex_};
    return id_last_;
}

}  // namespace tollgate::daemon::commands
