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

// Goal: an owned tariff goes to those whose nearest provider or margin reseller is the owner, and to nobody
// else.
TEST(Catalog, AnOwnedTariffIsGivenOnlyToThoseWhoBuyFromItsOwner) {
    World world;
    rating::TariffSettings settings;
    settings.currency = *rating::Currency::parse("EUR");
    settings.owner = "north";
    ASSERT_TRUE(world.catalog.put_tariff("norths", settings).faults.empty());
    settings.owner = "provider";
    ASSERT_TRUE(world.catalog.put_tariff("providers", settings).faults.empty());

    const auto message_of = [&](const char* id, const char* tariff) {
        PartyChange change;
        change.tariff = std::optional<std::string>{tariff};
        const auto faults = world.catalog.change(world.parties.find(id), change);
        return faults.empty() ? std::string{} : faults[0].field + ": " + faults[0].message;
    };
    // As of a tariff that is not there: whose it is concerns only those who buy from him.
    const std::string norths = "tariff: \"norths\": no such tariff; PUT /v1/tariffs/{id} makes one";
    EXPECT_EQ(message_of("south", "norths"), "");
    EXPECT_EQ(message_of("alice", "norths"), norths);
    EXPECT_EQ(message_of("north", "norths"), norths);
    EXPECT_EQ(message_of("provider", "norths"), norths);
    EXPECT_EQ(message_of("north", "providers"), "");
    EXPECT_NE(message_of("provider", "providers"), "");
    EXPECT_NE(message_of("south", "providers"), "");

    // Commission resellers and distributors are passed over, in the table and within one list.
    PartyDraft agent = draft("agent", "north", PartyKind::reseller);
    agent.terms = balance::Terms::commission;
    PartyDraft bob = draft("bob", "kiosk", PartyKind::customer);
    bob.tariff = "norths";
    PartyDraft carl = draft("carl", "agent", PartyKind::customer);
    carl.tariffs = {{"sms", {}, "norths"}, {"voice", {}, "retail"}};
    EXPECT_TRUE(
        world.catalog.add(std::vector{agent, draft("kiosk", "agent", PartyKind::distributor), bob, carl})
            .empty());
    PartyDraft dora = draft("dora", "kiosk", PartyKind::customer);
    dora.tariff = "norths";
    EXPECT_TRUE(world.catalog.add({&dora, 1}).empty());
    PartyDraft east = draft("east", "north", PartyKind::reseller);
    PartyDraft emil = draft("emil", "east", PartyKind::customer);
    emil.tariff = "norths";
    const auto refused = world.catalog.add(std::vector{east, emil});
    ASSERT_EQ(refused.size(), 1U);
    EXPECT_EQ(refused[0].item, 1U);
}

// Goal: settings never make a tariff somebody's whose holders he could not have given it to.
TEST(Catalog, AnOwnerIsASellerAndTheHoldersBuyFromHim) {
    World world;
    world.add("kiosk", "south", PartyKind::distributor);
    rating::TariffSettings settings;
    settings.currency = *rating::Currency::parse("EUR");
    const auto message_of = [&](const char* tariff, const char* owner) {
        settings.owner = owner;
        const auto put = world.catalog.put_tariff(tariff, settings);
        return put.faults.empty() ? std::string{} : put.faults[0].field + ": " + put.faults[0].message;
    };
    EXPECT_EQ(message_of("fresh", "nobody"), "owner: \"nobody\": no such party");
    EXPECT_EQ(message_of("fresh", "alice"),
              "owner: \"alice\" is a customer; expected the provider or a margin reseller");
    EXPECT_NE(message_of("fresh", "kiosk"), "");
    EXPECT_FALSE(world.tariffs.find("fresh"));

    EXPECT_EQ(message_of("retail", "south"), "");
    EXPECT_EQ(message_of("retail", "north"),
              "owner: \"retail\" belongs to \"north\" and may be given only to those who buy from \"north\"; "
              "\"alice\" buys from \"south\" and has it");
    EXPECT_EQ(world.tariffs.current(*world.tariffs.find("retail"))->settings.owner, "south");
    EXPECT_EQ(message_of("retail", ""), "");
    ASSERT_TRUE(world.catalog.close(world.parties.find("alice")));
    EXPECT_EQ(message_of("retail", "north"), "") << "who is closed does not count";
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

// Several at once, each with everyone below: one event, those that were open in the order of the tree, and
// nothing where the provider is among them.
TEST(Catalog, ClosesWholeSubtreesAsOneEvent) {
    World world;
    world.add("bob", "north", PartyKind::customer);
    world.add("eve", "provider", PartyKind::customer);
    const auto id = [&world](const char* name) { return world.parties.find(name); };
    const auto count_closed = [&world] {
        std::size_t closed = 0;
        for (std::size_t i = 0; i < world.parties.size(); ++i) {
            if (world.parties.get(static_cast<balance::PartyId>(i)).status().closed()) ++closed;
        }
        return closed;
    };
    EXPECT_FALSE(world.catalog.close(std::vector{id("south"), id("provider")}).has_value());
    EXPECT_EQ(count_closed(), 0U);
    ASSERT_TRUE(world.catalog.close(id("alice-desk")));
    const std::size_t events = world.log.events().size();
    const auto closed = world.catalog.close(std::vector{id("eve"), id("north"), id("south")});
    EXPECT_EQ(closed, (std::vector{id("eve"), id("north"), id("south"), id("alice"), id("bob")}));
    EXPECT_EQ(count_closed(), 6U);
    EXPECT_EQ(world.log.events().size(), events + 1);
    // Once more there is nobody, and nothing happens.
    EXPECT_EQ(world.catalog.close(std::vector{id("north")}), std::vector<balance::PartyId>{});
    EXPECT_EQ(world.log.events().size(), events + 1);
}

}  // namespace
}  // namespace tollgate::daemon
