/// Who changed what: the newest of it, for whoever asks.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <span>
#include <string>
#include <string_view>

#include "balance/event.h"
#include "balance/event_log.h"

namespace tollgate::daemon {

/// One change by one person.
struct AuditEntry {
    std::uint64_t number = 0;  ///< 1, 2, 3 …
    rating::Instant at{};
    std::string actor{};      ///< The login; `console` while nobody is declared.
    std::string operation{};  ///< As docs/openapi.yaml names it: `changeParty`.
    std::string party{};      ///< Whose it is; empty: nobody's.
    std::string target{};     ///< The path that was asked for.
    std::string before{};  ///< JSON: the fields that were named, as they were; empty where nothing was there.
    std::string after{};   ///< JSON: what was sent, without secrets; empty where nothing is there any more.
};

/// Any thread may call any member.
class AuditLog {
  public:
    /// How many are kept in memory; the journal's own files keep more.
    static constexpr std::size_t kEntriesMax = 100'000;
    /// Of `before` and `after` each; what is longer is cut to `{"cut": …}` by whoever writes.
    static constexpr std::size_t kImageBytesMax = std::size_t{32} * 1024;

    /// It stands here as soon as `joint` is appended; its number is given now.
    void add(balance::JointEvent& joint, AuditEntry entry, balance::Moment now);

    /// Calls `visit(entry)` from the newest below `before` (0: the newest of all) on backwards, until it
    /// returns false.
    template <typename Visit>
    void visit_back(std::uint64_t before, const Visit& visit) const {
        const std::lock_guard lock{mutex_};
        for (auto at = kept_.rbegin(); at != kept_.rend(); ++at) {
            if (before != 0 && at->number >= before) continue;
            if (!visit(*at)) return;
        }
    }

    /// The rest of an event of the journal.
    [[nodiscard]] bool apply(balance::ByteReader& in);
    void save(const std::function<void(std::span<const std::byte>)>& sink) const;

  private:
    void keep(AuditEntry&& entry);

    mutable std::mutex mutex_;
    std::deque<AuditEntry> kept_;  // By number.
    std::uint64_t last_ = 0;
};

}  // namespace tollgate::daemon
