#include "daemon/access/decision.h"

#include <map>
#include <string>

#include <gtest/gtest.h>

namespace tollgate::daemon::access {
namespace {

using balance::kNoParty;
using balance::PartyId;
using balance::PartyKind;
using enum Permission;

constexpr std::array kAllRelations = {Relation::self,  Relation::below,     Relation::tagged,
                                      Relation::above, Relation::elsewhere, Relation::none};
constexpr std::array kAllKinds = {PartyKind::provider, PartyKind::reseller, PartyKind::distributor,
                                  PartyKind::partner,  PartyKind::customer, PartyKind::line};

// provider ─┬─ north ── south ── alice ── alice-desk
//           ├─ east ── bob
//           ├─ finder (a partner), seeker (another)
//           └─ carol (came with finder's code) ── carol-desk
class RelationTest : public testing::Test {
  protected:
    RelationTest() {
        add("provider", "", PartyKind::provider);
        add("north", "provider", PartyKind::reseller);
        add("south", "north", PartyKind::reseller);
        add("alice", "south", PartyKind::customer);
        add("alice-desk", "alice", PartyKind::line);
        add("east", "provider", PartyKind::reseller);
        add("bob", "east", PartyKind::customer);
        add("finder", "provider", PartyKind::partner);
        add("seeker", "provider", PartyKind::partner);
        add("carol", "provider", PartyKind::customer);
        add("carol-desk", "carol", PartyKind::line);
        partners["carol"] = "finder";
    }
    void add(const std::string& id, const std::string& parent, PartyKind kind) {
        balance::PartySource source;
        source.id = id;
        source.parent = parent.empty() ? kNoParty : parties.find(parent);
        source.kind = kind;
        source.currency = *rating::Currency::parse("EUR");
        parties.add(source);
    }
    [[nodiscard]] Relation relation(const std::string& actor, const std::string& target) const {
        return relation_of(parties, parties.find(actor), parties.find(target), [this](PartyId party) {
            const auto found = partners.find(std::string{parties.get(party).id});
            return found == partners.end() ? kNoParty : parties.find(found->second);
        });
    }
    balance::PartyTable parties{3, 100};
    std::map<std::string, std::string> partners;
};

TEST_F(RelationTest, OneselfAndWhoIsBelow) {
    EXPECT_EQ(relation("north", "north"), Relation::self);
    EXPECT_EQ(relation("north", "south"), Relation::below);
    EXPECT_EQ(relation("north", "alice"), Relation::below);
    EXPECT_EQ(relation("north", "alice-desk"), Relation::below);
    EXPECT_EQ(relation("provider", "bob"), Relation::below);
}

TEST_F(RelationTest, WhoIsAbove) {
    EXPECT_EQ(relation("alice", "south"), Relation::above);
    EXPECT_EQ(relation("alice", "provider"), Relation::above);
    EXPECT_EQ(relation("finder", "provider"), Relation::above);
}

TEST_F(RelationTest, OthersAreElsewhere) {
    EXPECT_EQ(relation("north", "east"), Relation::elsewhere);
    EXPECT_EQ(relation("north", "bob"), Relation::elsewhere);
    EXPECT_EQ(relation("bob", "north"),
              Relation::elsewhere);  // No deeper than bob's parent, yet not above him.
    EXPECT_EQ(relation("alice", "bob"), Relation::elsewhere);
    EXPECT_EQ(relation("north", "nobody"), Relation::none);
}

TEST_F(RelationTest, APartnersCustomersAreTaggedAndOtherPartnersAreNot) {
    EXPECT_EQ(relation("finder", "carol"), Relation::tagged);
    EXPECT_EQ(relation("finder", "carol-desk"), Relation::tagged);
    EXPECT_EQ(relation("finder", "alice"), Relation::elsewhere);
    EXPECT_EQ(relation("finder", "seeker"), Relation::elsewhere);
    EXPECT_EQ(relation("seeker", "carol"), Relation::elsewhere);
    EXPECT_EQ(relation("carol", "finder"), Relation::elsewhere);
}

TEST_F(RelationTest, WhoWasAssignedToADistributorIsTaggedAndOthersAreNot) {
    add("dist", "provider", PartyKind::distributor);
    add("dora", "dist", PartyKind::customer);
    partners["alice"] = "dist";
    EXPECT_EQ(relation("dist", "dora"), Relation::below);
    EXPECT_EQ(relation("dist", "alice"), Relation::tagged);
    EXPECT_EQ(relation("dist", "carol"), Relation::elsewhere);
    EXPECT_EQ(relation("alice", "dist"), Relation::elsewhere);
}

TEST(Decision, WhatIsElsewhereIsMissingAsIfItDidNotExist) {
    const Need anything{{}, {Relation::self, Relation::below, Relation::tagged, Relation::above}, kAnybody};
    const Need nothing{Permissions::all(), {}, {}};
    for (const PartyKind kind : kAllKinds) {
        for (const Relation relation : {Relation::elsewhere, Relation::none}) {
            EXPECT_EQ(decide({kind, Permissions::all()}, relation, anything), Decision::missing);
            EXPECT_EQ(decide({kind, {}}, relation, nothing), Decision::missing);
        }
    }
}

// Of every relation, kind and permission one at a time: all right is yes, any one wrong is 403.
TEST(Decision, EachThingThatAnOperationNeedsIsNeeded) {
    for (const Relation relation : kAllRelations) {
        if (relation == Relation::elsewhere || relation == Relation::none) continue;
        for (const PartyKind kind : kAllKinds) {
            const Need need{{collect, customers}, {relation}, {kind}};
            EXPECT_EQ(decide({kind, {collect, customers}}, relation, need), Decision::allowed);
            EXPECT_EQ(decide({kind, Permissions::all()}, relation, need), Decision::allowed);
            EXPECT_EQ(decide({kind, {collect}}, relation, need), Decision::forbidden);
            EXPECT_EQ(decide({kind, {}}, relation, need), Decision::forbidden);
            for (const Relation other :
                 {Relation::self, Relation::below, Relation::tagged, Relation::above}) {
                if (other == relation) continue;
                EXPECT_EQ(decide({kind, Permissions::all()}, other, need), Decision::forbidden);
            }
            for (const PartyKind other : kAllKinds) {
                if (other == kind) continue;
                EXPECT_EQ(decide({other, Permissions::all()}, relation, need), Decision::forbidden);
            }
        }
    }
}

TEST(SetOf, HasWhatIsInIt) {
    const Relations near{Relation::self, Relation::below};
    EXPECT_TRUE(near.has(Relation::self));
    EXPECT_FALSE(near.has(Relation::above));
    EXPECT_EQ(near.without({Relation::self}), Relations{Relation::below});
    EXPECT_FALSE(kAnybody.has(PartyKind::line));
    EXPECT_FALSE(kSellers.has(PartyKind::distributor));
    EXPECT_TRUE(kProvider.has(PartyKind::provider));
}

}  // namespace
}  // namespace tollgate::daemon::access
