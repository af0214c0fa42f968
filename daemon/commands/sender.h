/// Who sent a command: what he may do, what exists for him, and what his ids mean.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "balance/session_key.h"
#include "daemon/commands/context.h"

namespace tollgate::daemon::commands {

/// What a command asks of whoever sends it. docs/access.md has the table.
enum class Need : std::uint8_t {
    nothing,  ///< Not even a login.
    login,
    calls,   ///< Roles switch and admin.
    prices,  ///< Every role.
    view,    ///< Every role but switch.
    money,   ///< Roles finance and admin.
    daemon,  ///< As view, of somebody who sees everything: it tells of the daemon as a whole.
};
/// Of the command of that name, in capitals.
[[nodiscard]] constexpr Need need_of(std::string_view command) noexcept {
    struct Row {
        std::string_view name;
        Need need;
    };
    constexpr Row kRows[] = {
        {"AUTH", Need::nothing},   {"HELLO", Need::nothing},   {"QUIT", Need::nothing},
        {"RESET", Need::nothing},  {"AUTHORIZE", Need::calls}, {"START", Need::calls},
        {"EXTEND", Need::calls},   {"STOP", Need::calls},      {"RELEASE", Need::calls},
        {"RATE", Need::calls},     {"RESYNC", Need::calls},    {"QUOTE", Need::prices},
        {"BALANCE", Need::prices}, {"EXPLAIN", Need::view},    {"SESSIONS", Need::view},
        {"TOPUP", Need::money},    {"DEBIT", Need::money},     {"REFUND", Need::money},
        {"PING", Need::login},     {"ECHO", Need::login},      {"INFO", Need::login},
        {"CLIENT", Need::login},   {"COMMAND", Need::login},   {"CONFIG", Need::login},
        {"SELECT", Need::login},   {"TIME", Need::login},      {"SENTINEL", Need::login},
        {"CLUSTER", Need::login},  {"FLUSHALL", Need::login},  {"FLUSHDB", Need::login},
        {"BGSAVE", Need::login},   {"EVAL", Need::login},      {"SHUTDOWN", Need::login},
    };
    for (const Row& row : kRows) {
        if (row.name == command) return row.need;
    }
    return Need::daemon;
}

/// Whether somebody who is let in may do what needs that.
[[nodiscard]] bool may(const Client& client, Need need) noexcept;
/// Who is not declared is the administrator.
[[nodiscard]] inline bool is_admin(const Client& client) noexcept {
    return client.user == nullptr || client.user->role() == config::Role::admin;
}

/// For the domain.
[[nodiscard]] Asker asker_of(const Context& context) noexcept;
/// Whether a party exists for him. kNoParty does not.
[[nodiscard]] bool sees(const Context& context, PartyId party) noexcept;
/// The party of that id that exists for him, or kNoParty.
[[nodiscard]] PartyId find_party(const Context& context, std::string_view id) noexcept;
/// The id of a party that exists for him, empty for any other.
[[nodiscard]] std::string_view seen_id(const Context& context, PartyId party) noexcept;
/// Leaves out the levels that do not exist for him.
void leave_out_unseen(const Context& context, Derivation& derivation);

/// Whose request ids are his, and who does it, for the books and the audit log; empty: nobody is declared.
[[nodiscard]] std::string_view sender_of(const Context& context) noexcept;

/// Only an administrator rates by prices of long ago: writes the refusal, where it is one.
[[nodiscard]] bool refused_as_old(const Context& context, std::optional<rating::Instant> at,
                                  std::string& out);

// ---- Session ids ----

/// Whose sessions are those of `/v1/calls` once users are declared; no user is called so.
inline constexpr std::string_view kHttpScope = "/v1";
/// Whose his session ids are; empty as long as nobody is declared.
[[nodiscard]] std::string_view scope_of(const Context& context) noexcept;
/// What the session is known by that he calls so.
[[nodiscard]] inline balance::SessionKey key_of(const Context& context, std::string_view id) noexcept {
    return {scope_of(context), id};
}
/// Whether a session of that id was begun without a user, before the first was declared, by a line that
/// exists for him: somebody must be able to end it.
[[nodiscard]] bool is_orphan(const Context& context, std::string_view id);

/// What `act`, given a session's key, says of the session he calls so; of an orphan where he has none.
template <typename Act>
auto on_session(const Context& context, std::string_view id, const Act& act) {
    const balance::SessionKey key = key_of(context, id);
    auto answer = act(key.view());
    if (answer.code != Code::unknown_session || !is_orphan(context, id)) return answer;
    const balance::SessionKey orphan{{}, id};
    return act(orphan.view());
}

}  // namespace tollgate::daemon::commands
