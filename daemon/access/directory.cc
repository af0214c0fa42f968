#include "daemon/access/directory.h"

#include <algorithm>
#include <mutex>

namespace tollgate::daemon::access {

using balance::kNoParty;
using balance::PartyId;
using balance::Status;

namespace {

std::optional<KnownToken> known(const Token& token) {
    const auto hash = TokenHash::parse(token.hash);
    if (!hash) return std::nullopt;
    return KnownToken{token.id, token.person, *hash, token.expires};
}

}  // namespace

Directory::Directory(Registry& registry, const balance::PartyTable& parties)
    : registry_(registry), parties_(parties) {
    registry_.tokens.visit([this](const Token& token) {
        if (auto one = known(token)) tokens_.add(*std::move(one));
    });
    registry_.tokens.on_change = [this](const Token* before, const Token* after) {
        const std::unique_lock lock{mutex_};
        if (before != nullptr) tokens_.remove(before->id);
        if (after == nullptr) return;
        if (auto one = known(*after)) tokens_.add(*std::move(one));
    };
}

Directory::~Directory() {
    registry_.tokens.on_change = nullptr;
}

rating::Instant Directory::first_declared() const {
    rating::Instant first = first_declared_.load(std::memory_order_relaxed);
    if (first != rating::Instant::max()) return first;
    registry_.people.visit([&first](const Person& person) { first = std::min(first, person.made); });
    first_declared_.store(first, std::memory_order_relaxed);
    return first;
}

std::variant<Directory::Who, Directory::Refusal> Directory::who(std::string_view token,
                                                                rating::Instant now) const {
    const auto hash = hash_of_token(token);
    if (!hash) return Refusal::unknown;
    Who who;
    {
        const std::shared_lock lock{mutex_};
        const KnownToken* const found = tokens_.find(*hash, now);
        if (found == nullptr) return Refusal::unknown;
        who.login = found->person;
        who.token = found->id;
    }
    const auto person = registry_.people.find(who.login);
    if (!person || person->disabled) return Refusal::unknown;
    who.party = parties_.find(person->party);
    if (who.party == kNoParty) return Refusal::unknown;
    switch (door_of(who.party)) {
        case Door::open:
            break;
        case Door::suspended:
            return Refusal::suspended;
        case Door::closed:
            return Refusal::unknown;
    }
    who.kind = parties_.get(who.party).kind;
    who.permissions = permissions_of(*person);
    return who;
}

Directory::Door Directory::door_of(PartyId party) const noexcept {
    for (PartyId at = party; at != kNoParty; at = parties_.get(at).parent) {
        if (parties_.get(at).status().closed()) return Door::closed;
    }
    const bool distributor = parties_.get(party).kind == balance::PartyKind::distributor;
    const std::uint8_t reasons = parties_.get(party).status().bits();
    const bool shut = distributor ? reasons != 0 : (reasons & (Status::kAdmin | Status::kFraud)) != 0;
    return shut ? Door::suspended : Door::open;
}

Permissions Directory::limit_of(PartyId party) const {
    Permissions left = Permissions::all();
    for (PartyId at = party; at != kNoParty; at = parties_.get(at).parent) {
        const auto profile = registry_.profiles.find(parties_.get(at).id);
        if (profile) left = left & permissions_from(profile->permissions).value_or(Permissions{});
    }
    return left;
}

Permissions Directory::permissions_of(const Person& person) const {
    const auto role = parse_role(person.role);
    const auto own = permissions_from(person.permissions);
    const PartyId party = parties_.find(person.party);
    if (!role || !own || party == kNoParty) return {};
    const Permissions limit = limit_of(party);
    return effective(*role, *own, {&limit, 1});
}

Relation Directory::relation(PartyId actor, PartyId target) const {
    if (actor == kNoParty) return Relation::none;
    const balance::Party& own = parties_.get(actor);
    std::string code;
    if (own.kind == balance::PartyKind::partner) {
        if (const auto profile = registry_.profiles.find(own.id)) code = profile->code;
    }
    return relation_of(parties_, actor, target, [&](PartyId party) {
        const auto profile = registry_.profiles.find(parties_.get(party).id);
        if (!profile) return kNoParty;
        const bool came = !code.empty() && profile->came_with == code;
        const bool assigned = own.kind == balance::PartyKind::distributor && profile->distributor == own.id;
        return came || assigned ? actor : kNoParty;
    });
}

std::vector<std::string> Directory::tokens_of(std::string_view person) const {
    const std::shared_lock lock{mutex_};
    return tokens_.of_person(person);
}

std::optional<std::string> Directory::surplus_of(std::string_view person) const {
    const std::shared_lock lock{mutex_};
    return tokens_.surplus_of(person);
}

std::vector<std::string> Directory::expired(rating::Instant now) const {
    const std::shared_lock lock{mutex_};
    return tokens_.expired(now);
}

}  // namespace tollgate::daemon::access
