/// Who somebody is and what he may do, as of this very moment.
#pragma once

#include <atomic>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "balance/party_table.h"
#include "daemon/access/decision.h"
#include "daemon/access/permission.h"
#include "daemon/access/token.h"
#include "daemon/partners/registry.h"

namespace tollgate::daemon::access {

/// Nothing is remembered between two questions but which token is whose: a role, a bit or a status that
/// changes is in force with the next question.
///
/// Any thread may call any member at any time.
class Directory {
  public:
    /// After a restart and before there is another thread. Both must outlive it.
    Directory(Registry& registry, const balance::PartyTable& parties);
    Directory(const Directory&) = delete;
    Directory& operator=(const Directory&) = delete;
    ~Directory();

    /// Nobody is declared: this machine is the administrator.
    [[nodiscard]] bool is_empty() const { return registry_.people.size() == 0; }
    /// When the first person was made, of those who are there. Requires: not empty.
    [[nodiscard]] rating::Instant first_declared() const;

    struct Who {
        std::string login;
        std::string token;  ///< Its id.
        balance::PartyId party = balance::kNoParty;
        balance::PartyKind kind = balance::PartyKind::customer;
        Permissions permissions;
    };
    enum class Refusal : std::uint8_t {
        unknown,    ///< No such token, expired, its person gone or disabled, or the party closed.
        suspended,  ///< Known, but his party is suspended: for as long as it is.
    };
    [[nodiscard]] std::variant<Who, Refusal> who(std::string_view token, rating::Instant now) const;

    /// Whether people of a party are let in. Closed, or below somebody who is: never again. A distributor who
    /// is suspended for whatever reason, and anybody suspended by `admin` or `fraud`: not now. Who is
    /// suspended for money that he owes is let in, to pay it.
    enum class Door : std::uint8_t { open, suspended, closed };
    [[nodiscard]] Door door_of(balance::PartyId party) const noexcept;

    /// What a party's people may do at most: what those above allow it, level by level.
    [[nodiscard]] Permissions limit_of(balance::PartyId party) const;
    /// What somebody may do; nothing for a role or a permission that is none, and where his party is none.
    [[nodiscard]] Permissions permissions_of(const Person& person) const;

    [[nodiscard]] Relation relation(balance::PartyId actor, balance::PartyId target) const;

    // ---- Tokens, by their ids ----

    [[nodiscard]] std::vector<std::string> tokens_of(std::string_view person) const;
    [[nodiscard]] std::optional<std::string> surplus_of(std::string_view person) const;
    [[nodiscard]] std::vector<std::string> expired(rating::Instant now) const;

  private:
    Registry& registry_;
    const balance::PartyTable& parties_;
    mutable std::shared_mutex mutex_;  // For the index; never held while a book is asked.
    TokenIndex tokens_;
    // Once there is one, nobody is made before him. Relaxed: whoever misses it finds it himself.
    mutable std::atomic<rating::Instant> first_declared_{rating::Instant::max()};
};

}  // namespace tollgate::daemon::access
