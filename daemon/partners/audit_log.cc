#include "daemon/partners/audit_log.h"

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

namespace tollgate::daemon {
namespace {

std::vector<std::byte> event_of(const AuditEntry& entry, balance::Moment at) {
    std::vector<std::byte> event;
    balance::ByteWriter out{event};
    balance::EventHeader{balance::EventKind::audit, at}.write(out);
    out.put(entry.number);
    out.put(entry.at);
    for (const std::string* const text :
         {&entry.actor, &entry.operation, &entry.party, &entry.target, &entry.before, &entry.after})
        out.text(*text);
    return event;
}

}  // namespace

void AuditLog::add(balance::JointEvent& joint, AuditEntry entry, balance::Moment now) {
    {
        const std::lock_guard lock{mutex_};
        entry.number = ++last_;
    }
    entry.at = now.wall;
    const auto event = event_of(entry, now);
    joint.add(event, [this, kept = std::make_shared<AuditEntry>(std::move(entry))] {
        const std::lock_guard lock{mutex_};
        keep(std::move(*kept));
    });
}

void AuditLog::keep(AuditEntry&& entry) {
    // Two threads may write in another order than they were numbered.
    const auto place = std::partition_point(
        kept_.begin(), kept_.end(), [&entry](const auto& other) { return other.number < entry.number; });
    kept_.insert(place, std::move(entry));
    if (kept_.size() > kEntriesMax) kept_.pop_front();
}

bool AuditLog::apply(balance::ByteReader& in) {
    AuditEntry entry;
    in.get(entry.number);
    in.get(entry.at);
    for (std::string* const text :
         {&entry.actor, &entry.operation, &entry.party, &entry.target, &entry.before, &entry.after})
        *text = in.text();
    if (!in.at_end()) return false;
    const std::lock_guard lock{mutex_};
    last_ = std::max(last_, entry.number);
    keep(std::move(entry));
    return true;
}

void AuditLog::save(const std::function<void(std::span<const std::byte>)>& sink) const {
    const std::lock_guard lock{mutex_};
    for (const AuditEntry& entry : kept_)
        sink(event_of(entry, {}));
}

}  // namespace tollgate::daemon
