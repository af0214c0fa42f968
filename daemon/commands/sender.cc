#include "daemon/commands/sender.h"

#include <algorithm>
#include <chrono>
#include <cstdlib>

#include "daemon/commands/words.h"
#include "protocol/resp_writer.h"

namespace tollgate::daemon::commands {
namespace {

constexpr std::chrono::hours kAtAgeMax{24};

}  // namespace

bool may(const Client& client, Need need) noexcept {
    using config::Role;
    if (is_admin(client))
        return need != Need::daemon || client.user == nullptr || !client.user->is_confined();
    const Role role = client.user->role();
    switch (need) {
        case Need::nothing:
        case Need::login:
        case Need::prices:
            return true;
        case Need::calls:
            return role == Role::switch_;
        case Need::view:
            return role != Role::switch_;
        case Need::money:
            return role == Role::finance;
        case Need::daemon:
            return role != Role::switch_ && !client.user->is_confined();
    }
    std::abort();  // Not an enumerator: memory is corrupt.
}

Asker asker_of(const Context& context) noexcept {
    Asker asker;
    const access::User* const user = context.client.user;
    if (user == nullptr) return asker;
    asker.confined = user->is_confined();
    if (asker.confined) asker.under = user->under(context.services.catalog.parties());
    asker.want = user->declared().want;
    asker.our_clock = user->declared().our_clock;
    asker.name = user->name();
    return asker;
}

bool sees(const Context& context, PartyId party) noexcept {
    const access::User* const user = context.client.user;
    return user == nullptr ? party != balance::kNoParty
                           : user->sees(context.services.catalog.parties(), party);
}

PartyId find_party(const Context& context, std::string_view id) noexcept {
    const PartyId party = context.services.catalog.parties().find(id);
    return sees(context, party) ? party : balance::kNoParty;
}

std::string_view seen_id(const Context& context, PartyId party) noexcept {
    return sees(context, party) ? id_of(context.services.catalog.parties(), party) : std::string_view{};
}

void leave_out_unseen(const Context& context, Derivation& derivation) {
    if (context.client.user == nullptr || !context.client.user->is_confined()) return;
    std::erase_if(derivation, [&context](const LevelView& level) {
        return find_party(context, level.party->id) == balance::kNoParty;
    });
}

std::string_view sender_of(const Context& context) noexcept {
    return context.client.user == nullptr ? std::string_view{} : context.client.user->sender();
}

bool refused_as_old(const Context& context, std::optional<rating::Instant> at, std::string& out) {
    if (is_admin(context.client) || !at || *at >= context.now.wall - kAtAgeMax) return false;
    protocol::RespWriter{out}.error(
        "NOPERM AT: is more than 24 hours ago; only an administrator goes back so far");
    return true;
}

std::string_view scope_of(const Context& context) noexcept {
    if (context.client.user != nullptr) return context.client.user->name();
    const access::Users* const users = context.services.users;
    return context.client.over_http && users != nullptr && !users->is_empty() ? kHttpScope
                                                                              : std::string_view{};
}

bool is_orphan(const Context& context, std::string_view id) {
    if (scope_of(context).empty()) return false;
    const balance::SessionKey key{{}, id};
    if (key.view().empty()) return false;
    const auto claim = context.services.sessions.claim(key.view());
    return claim && claim->opened_at < context.services.users->first_declared() && sees(context, claim->line);
}

}  // namespace tollgate::daemon::commands
