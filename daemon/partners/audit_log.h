/// Who changed what: the newest of it, for whoever asks.
///
/// Entries are a chain: each carries the hash of the one before it, and its own over that and its bytes. Who
/// changes, adds or takes out one has to make all later ones anew, and then the last hash is another than the
/// one that somebody noted elsewhere. `tollgated audit verify` looks.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "balance/event.h"
#include "balance/event_log.h"
#include "daemon/access/chain_hash.h"

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

    /// Its place in the chain; entries of journals from before there was one have none.
    struct Link {
        access::ChainHash previous;  ///< Of the entry before; zero for the first.
        access::ChainHash hash;
    };
    std::optional<Link> link{};
};

/// Number and texts of an entry as they are hashed.
[[nodiscard]] std::vector<std::byte> hashed_bytes(const AuditEntry& entry);

/// Any thread may call any member.
class AuditLog {
  public:
    /// How many are kept in memory; the journal's own files keep more.
    static constexpr std::size_t kEntriesMax = 100'000;
    /// Of `before` and `after` each; what is longer is cut to `{"cut": …}` by whoever writes.
    static constexpr std::size_t kImageBytesMax = std::size_t{32} * 1024;

    /// It stands here as soon as `joint` is appended, which gives it its number and its place in the chain.
    /// At most one a joint.
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

    /// The last entry's number and hash, 0 and zero where there is none: what to note elsewhere.
    struct Head {
        std::uint64_t number = 0;
        access::ChainHash hash;
    };
    [[nodiscard]] Head head() const;

    /// What a look at the chain found.
    struct Chain {
        std::uint64_t entries = 0;
        std::uint64_t unchained = 0;  ///< Of them, those from before there was a chain.
        std::uint64_t first = 0;      ///< The number of the first that is chained; 0: none.
        Head head;
        bool expected_found = false;
        std::uint64_t broken_at = 0;  ///< The number of the first that does not fit; 0: all do.
        std::string fault;            ///< What is wrong with that one.
    };
    /// Looks at every entry that is kept. `expected` is a hash that somebody noted: is it one of the chain?
    [[nodiscard]] Chain verify(const std::optional<access::ChainHash>& expected = std::nullopt) const;

    /// The rest of an event of the journal.
    [[nodiscard]] bool apply(balance::ByteReader& in);
    void save(const std::function<void(std::span<const std::byte>)>& sink) const;

  private:
    class Waiting;

    // Held while an entry is appended, so that entries stand in the journal in the order of the chain. For
    // administration; nothing but the journal's queue is waited for. Taken before mutex_.
    std::mutex chain_;
    mutable std::mutex mutex_;
    std::deque<AuditEntry> kept_;  // By number.
    Head head_;
};

}  // namespace tollgate::daemon
