#include "daemon/access/decision.h"

namespace tollgate::daemon::access {

using balance::kNoParty;
using balance::PartyId;
using balance::PartyTable;

namespace {

/// `above` is one of those over `party`, which is never over itself.
bool is_above(const PartyTable& parties, PartyId above, PartyId party) {
    const auto depth = parties.get(above).depth;
    while (parties.get(party).depth > depth) {
        party = parties.get(party).parent;
        if (party == above) return true;
    }
    return false;
}

}  // namespace

Relation relation_of(const PartyTable& parties, PartyId actor, PartyId target,
                     const std::function<PartyId(PartyId)>& tagged_to) {
    if (target == kNoParty) return Relation::none;
    if (target == actor) return Relation::self;
    if (is_above(parties, actor, target)) return Relation::below;
    const balance::PartyKind kind = parties.get(actor).kind;
    if (kind == balance::PartyKind::partner || kind == balance::PartyKind::distributor) {
        for (PartyId at = target; at != kNoParty; at = parties.get(at).parent) {
            if (tagged_to(at) == actor) return Relation::tagged;
        }
    }
    if (is_above(parties, target, actor)) return Relation::above;
    return Relation::elsewhere;
}

}  // namespace tollgate::daemon::access
