#include "daemon/partners/audit_log.h"

#include <algorithm>
#include <array>
#include <utility>

namespace tollgate::daemon {
namespace {

/// What an entry says, in the order in which it stands in the journal.
template <typename Entry>
auto texts_of(Entry& entry) {
    return std::array{&entry.actor,  &entry.operation, &entry.party,
                      &entry.target, &entry.before,    &entry.after};
}

void write_hash(const access::ChainHash& hash, balance::ByteWriter& out) {
    out.short_text({reinterpret_cast<const char*>(hash.bytes.data()), hash.bytes.size()});
}
bool read_hash(balance::ByteReader& in, access::ChainHash& hash) {
    const std::string_view bytes = in.short_text();
    if (bytes.size() != hash.bytes.size()) return false;
    std::copy(bytes.begin(), bytes.end(), hash.bytes.begin());
    return true;
}

std::vector<std::byte> event_of(const AuditEntry& entry, balance::Moment at) {
    std::vector<std::byte> event;
    balance::ByteWriter out{event};
    balance::EventHeader{balance::EventKind::audit, at}.write(out);
    const auto bytes = hashed_bytes(entry);
    event.insert(event.end(), bytes.begin(), bytes.end());
    if (entry.link) {
        write_hash(entry.link->previous, out);
        write_hash(entry.link->hash, out);
    }
    return event;
}

}  // namespace

std::vector<std::byte> hashed_bytes(const AuditEntry& entry) {
    std::vector<std::byte> bytes;
    balance::ByteWriter out{bytes};
    out.put(entry.number);
    out.put(entry.at);
    for (const std::string* const text : texts_of(entry))
        out.text(*text);
    return bytes;
}

/// An entry on its way into the journal.
class AuditLog::Waiting final : public balance::ChainedEvent {
  public:
    Waiting(AuditLog& log, AuditEntry entry, balance::Moment now)
        : log_(log), entry_(std::move(entry)), now_(now) {}

    [[nodiscard]] std::vector<std::byte> take_place() override {
        std::unique_lock place{log_.chain_};
        const Head before = log_.head();
        entry_.number = before.number + 1;
        entry_.link = {before.hash, access::chain_hash(before.hash, hashed_bytes(entry_))};
        auto bytes = event_of(entry_, now_);
        place_ = std::move(place);
        return bytes;
    }
    void settle(bool appended) noexcept override {
        if (appended) {
            const std::lock_guard lock{log_.mutex_};
            log_.head_ = {entry_.number, entry_.link->hash};
            log_.kept_.push_back(std::move(entry_));
            if (log_.kept_.size() > kEntriesMax) log_.kept_.pop_front();
        }
        place_.unlock();
    }

  private:
    AuditLog& log_;
    AuditEntry entry_;
    balance::Moment now_;
    std::unique_lock<std::mutex> place_;
};

void AuditLog::add(balance::JointEvent& joint, AuditEntry entry, balance::Moment now) {
    entry.at = now.wall;
    joint.add_chained(std::make_unique<Waiting>(*this, std::move(entry), now));
}

AuditLog::Head AuditLog::head() const {
    const std::lock_guard lock{mutex_};
    return head_;
}

AuditLog::Chain AuditLog::verify(const std::optional<access::ChainHash>& expected) const {
    Chain chain;
    const AuditEntry* before = nullptr;  // The last that is chained.
    const std::lock_guard lock{mutex_};
    for (const AuditEntry& entry : kept_) {
        ++chain.entries;
        const auto is_broken = [&](std::string fault) {
            chain.broken_at = entry.number;
            chain.fault = std::move(fault);
            return chain;
        };
        if (!entry.link) {
            ++chain.unchained;
            if (before != nullptr) return is_broken("it carries no hash, but entries before it do");
            continue;
        }
        if (before != nullptr && entry.number != before->number + 1) {
            return is_broken("it follows entry " + std::to_string(before->number) +
                             ": what was between them is gone");
        }
        if (before == nullptr && (chain.unchained > 0 || entry.number == 1) &&
            entry.link->previous != access::ChainHash{})
            return is_broken("it was written behind an entry with a hash, and that has none any more");
        if (before != nullptr && entry.link->previous != before->link->hash)
            return is_broken("it was written behind another entry than the one that stands before it");
        if (access::chain_hash(entry.link->previous, hashed_bytes(entry)) != entry.link->hash)
            return is_broken("its hash is not that of what it says");
        if (before == nullptr) chain.first = entry.number;
        before = &entry;
        chain.head = {entry.number, entry.link->hash};
        if (expected && entry.link->hash == *expected) chain.expected_found = true;
    }
    return chain;
}

bool AuditLog::apply(balance::ByteReader& in) {
    AuditEntry entry;
    in.get(entry.number);
    in.get(entry.at);
    for (std::string* const text : texts_of(entry))
        *text = in.text();
    if (in.good() && !in.at_end()) {
        AuditEntry::Link link;
        if (!read_hash(in, link.previous) || !read_hash(in, link.hash)) return false;
        entry.link = link;
    }
    if (!in.at_end()) return false;
    const std::lock_guard lock{mutex_};
    if (entry.link) head_.hash = entry.link->hash;
    head_.number = std::max(head_.number, entry.number);
    // Before there was a chain, two threads could write in another order than they were numbered.
    const auto place = std::partition_point(
        kept_.begin(), kept_.end(), [&entry](const auto& other) { return other.number < entry.number; });
    kept_.insert(place, std::move(entry));
    if (kept_.size() > kEntriesMax) kept_.pop_front();
    return true;
}

void AuditLog::save(const std::function<void(std::span<const std::byte>)>& sink) const {
    const std::lock_guard lock{mutex_};
    for (const AuditEntry& entry : kept_)
        sink(event_of(entry, {}));
}

}  // namespace tollgate::daemon
