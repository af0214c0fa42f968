/// Whether somebody may do something to something.
#pragma once

#include <cstdint>
#include <functional>
#include <initializer_list>

#include "balance/party.h"
#include "balance/party_table.h"
#include "daemon/access/permission.h"

namespace tollgate::daemon::access {

/// How a target party lies, seen from the party of whoever acts.
enum class Relation : std::uint8_t {
    self,       ///< The party itself.
    below,      ///< In its subtree.
    tagged,     ///< Came with the code of this partner, or is a line of somebody who did; or stands elsewhere
                ///< and was assigned to this distributor.
    above,      ///< Its parent, or somebody further up.
    elsewhere,  ///< Exists, but not for him.
    none,       ///< Does not exist.
};
inline constexpr std::size_t kRelations = 6;

/// Any thread. `tagged_to` says whose code a customer came with, or which distributor sells to him; kNoParty
/// for nobody. Asked for partners and distributors alone.
[[nodiscard]] Relation relation_of(const balance::PartyTable& parties, balance::PartyId actor,
                                   balance::PartyId target,
                                   const std::function<balance::PartyId(balance::PartyId)>& tagged_to);

/// A small set of enumerators.
template <typename Enum>
class SetOf {
  public:
    constexpr SetOf() noexcept = default;
    constexpr SetOf(std::initializer_list<Enum> members) noexcept {
        for (const Enum member : members)
            bits_ |= 1U << static_cast<unsigned>(member);
    }
    [[nodiscard]] constexpr bool has(Enum member) const noexcept {
        return (bits_ >> static_cast<unsigned>(member) & 1U) != 0;
    }
    [[nodiscard]] constexpr SetOf without(SetOf others) const noexcept {
        SetOf left;
        left.bits_ = bits_ & ~others.bits_;
        return left;
    }
    friend constexpr bool operator==(SetOf, SetOf) noexcept = default;

  private:
    unsigned bits_ = 0;
};
using Relations = SetOf<Relation>;
using Kinds = SetOf<balance::PartyKind>;

/// What an operation asks of whoever wants it done.
struct Need {
    Permissions permissions;  ///< All of these.
    Relations relations;      ///< The target is one of these to the actor.
    Kinds kinds;              ///< The actor's party is one of these.
};

/// Those who sell and those who buy; a line's owner is its customer, and nobody logs in as a line.
inline constexpr Kinds kAnybody{balance::PartyKind::provider, balance::PartyKind::reseller,
                                balance::PartyKind::distributor, balance::PartyKind::partner,
                                balance::PartyKind::customer};
inline constexpr Kinds kSellers{balance::PartyKind::provider, balance::PartyKind::reseller};
inline constexpr Kinds kProvider{balance::PartyKind::provider};

enum class Decision : std::uint8_t {
    allowed,
    forbidden,  ///< 403: he may know that it exists.
    missing,    ///< 404: as if it did not.
};

/// Who acts.
struct Actor {
    balance::PartyKind kind = balance::PartyKind::customer;
    Permissions permissions;  ///< effective().
};

/// What somebody may know of comes before what he may do: a target elsewhere is `missing` whatever he wanted
/// with it, exactly as one that does not exist. Of what he may know (himself, those below, his tagged
/// customers, those above) a no is `forbidden`.
[[nodiscard]] constexpr Decision decide(const Actor& actor, Relation relation, const Need& need) noexcept {
    if (relation == Relation::none || relation == Relation::elsewhere) return Decision::missing;
    const bool may = need.kinds.has(actor.kind) && need.permissions.within(actor.permissions) &&
                     need.relations.has(relation);
    return may ? Decision::allowed : Decision::forbidden;
}

}  // namespace tollgate::daemon::access
