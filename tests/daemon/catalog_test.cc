#include "daemon/catalog.h"

#include <gtest/gtest.h>

#include "tests/daemon/world.h"

namespace tollgate::daemon {
namespace {

using balance::PartyKind;

PartyDraft draft(const std::string& id, const std::string& parent, PartyKind kind) {
    PartyDraft made;
    made.id = id;
    made.parent = parent;
    made.kind = kind;
    return made;
}

/// The field of the one fault that a draft has.
std::string fault_of(World& world, const PartyDraft& party) {
    const auto faults = world.catalog.add({&party, 1});
    EXPECT_EQ(faults.size(), 1U) << party.id;
    return faults.empty() ? "" : faults[0].field;
}

TEST(Catalog, PartiesStandWhereTheirKindMay) {
    World world;
    EXPECT_EQ(fault_of(world, draft("x", "alice", PartyKind::customer)), "parent");
    EXPECT_EQ(fault_of(world, draft("x", "north", PartyKind::partner)), "parent");
    EXPECT_EQ(fault_of(world, draft("x", "south", PartyKind::line)), "parent");
    EXPECT_EQ(fault_of(world, draft("x", "nobody", PartyKind::customer)), "parent");
    EXPECT_EQ(fault_of(world, draft("x", "", PartyKind::customer)), "parent");
    PartyDraft second_root = draft("x", "", PartyKind::provider);
    second_root.currency = rating::Currency::parse("EUR");
    EXPECT_EQ(fault_of(world, second_root), "kind");
    EXPECT_EQ(fault_of(world, draft("alice", "south", PartyKind::customer)), "id");
    EXPECT_EQ(fault_of(world, draft("a b", "south", PartyKind::customer)), "id");
    EXPECT_TRUE(world.catalog
                    .add(std::vector{draft("kiosk", "south", PartyKind::distributor),
                                     draft("bob", "kiosk", PartyKind::customer)})
                    .empty());
}

TEST(Catalog, ATreeHasALimitedDepth) {
    World world;
    std::string parent = "provider";
    for (std::size_t level = 1; level < balance::kChainDepthMax; ++level) {
        const std::string id = "r" + std::to_string(level);
        world.add(id, parent, PartyKind::reseller);
        parent = id;
    }
    world.add("deep", parent, PartyKind::customer);
    EXPECT_EQ(fault_of(world, draft("deep-line", "deep", PartyKind::line)), "parent");
}

TEST(Catalog, TariffsFitTheirParties) {
    World world;
    PartyDraft party = draft("bob", "south", PartyKind::customer);
    party.tariff = "nothing";
    EXPECT_EQ(fault_of(world, party), "tariff");
    party.tariff = "retail";
    party.currency = rating::Currency::parse("USD");
    EXPECT_EQ(fault_of(world, party), "tariff");
    PartyDraft line = draft("bob-line", "alice", PartyKind::line);
    line.tariff = "retail";
    EXPECT_EQ(fault_of(world, line), "tariff");
    PartyDraft agent = draft("agent", "south", PartyKind::reseller);
    agent.terms = balance::Terms::commission;
    agent.tariff = "retail";
    EXPECT_EQ(fault_of(world, agent), "tariff");
}

TEST(Catalog, AListOfTariffsHasLimits) {
    World world;
    PartyDraft party = draft("bob", "south", PartyKind::customer);
    const TariffEntryDraft entry{.service = "sms", .from_prefixes = {}, .tariff = "retail"};
    party.tariffs.emplace(balance::kTariffEntriesMax + 1, entry);
    EXPECT_EQ(fault_of(world, party), "tariffs");
    party.tariffs.emplace(1, entry).front().from_prefixes.assign(balance::kFromPrefixesMax + 1, "49");
    EXPECT_EQ(fault_of(world, party), "tariffs");
    PartyDraft line = draft("bob-line", "alice", PartyKind::line);
    line.tariffs = {entry};
    EXPECT_EQ(fault_of(world, line), "tariffs");
    party.tariffs.emplace(balance::kTariffEntriesMax, entry)
        .front()
        .from_prefixes.assign(balance::kFromPrefixesMax, "49");
    EXPECT_TRUE(world.catalog.add({&party, 1}).empty());
    EXPECT_EQ(world.catalog.tariffs_of(world.party("bob")), *party.tariffs);
    EXPECT_EQ(world.catalog.tariff_of(world.party("bob")), "");
}

TEST(Catalog, AListIsAddedWholeOrNotAtAll) {
    World world;
    const std::vector list = {draft("c1", "south", PartyKind::customer),
                              draft("c1-line", "c1", PartyKind::line),
                              draft("c1", "south", PartyKind::customer)};
    const auto faults = world.catalog.add(list);
    ASSERT_EQ(faults.size(), 1U);
    EXPECT_EQ(faults[0].item, 2U);
    EXPECT_TRUE(faults[0].exists);
    EXPECT_EQ(world.parties.find("c1"), balance::kNoParty);
    EXPECT_TRUE(world.catalog.add(std::span{list}.first(2)).empty());
    EXPECT_EQ(world.party("c1-line").depth, 4);
}

TEST(Catalog, AChangeIsMadeWholeOrNotAtAll) {
    World world;
    PartyChange change;
    change.credit_limit = *rating::parse_money("5");
    change.tariff = std::optional<std::string>{"nothing"};
    EXPECT_EQ(world.catalog.change(world.parties.find("alice"), change).size(), 1U);
    EXPECT_EQ(world.party("alice").account.credit_limit(), Money{});
    change.tariff = std::optional<std::string>{};
    EXPECT_TRUE(world.catalog.change(world.parties.find("alice"), change).empty());
    EXPECT_EQ(world.party("alice").account.available(), *rating::parse_money("5"));
    EXPECT_EQ(world.authorize("call", 60).reason, Reason::tariff);
}

TEST(Catalog, ClosingIsForGoodAndNotForTheProvider) {
    World world;
    EXPECT_FALSE(world.catalog.close(world.parties.find("provider")));
    EXPECT_TRUE(world.catalog.close(world.parties.find("south")));
    EXPECT_EQ(world.authorize("call", 60).reason, Reason::closed);
    EXPECT_EQ(world.catalog.change(world.parties.find("south"), {}).size(), 1U);
    EXPECT_EQ(fault_of(world, draft("late", "south", PartyKind::customer)), "parent");
}

}  // namespace
}  // namespace tollgate::daemon
