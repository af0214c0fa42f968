#include "daemon/partners/party_list.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace tollgate::daemon {
namespace {

using balance::kNoParty;
using balance::PartyId;
using Ids = std::vector<std::string>;
using Status = PartyPage::Status;

/// root { north { ann(3) { 100 } bob(-2) } south { eve(3) } }, balances in brackets, made in another order.
class PartyList : public testing::Test {
  protected:
    PartyList() {
        add("root", kNoParty, 0);
        add("north", id("root"), 0);
        add("south", id("root"), 0);
        add("eve", id("south"), 3);
        add("ann", id("north"), 3);
        add("100", id("ann"), 0);
        add("bob", id("north"), -2);
    }
    void add(const std::string& name, PartyId parent, std::int64_t balance) {
        balance::PartySource source;
        source.id = name;
        source.parent = parent;
        source.currency = *rating::Currency::parse("EUR");
        const PartyId made = parties_.add(source);
        parties_.get(made).account.restore(rating::Money::from_micros(balance),
                                           rating::Money::from_micros(balance), 0);
    }
    [[nodiscard]] PartyId id(std::string_view name) const { return parties_.find(name); }

    /// All pages of a list, each of so many, as one.
    [[nodiscard]] Ids listed(const PartySearch& search, std::size_t limit = 100) const {
        Ids ids;
        std::string cursor;
        do {
            const PartyPage page = page_of(parties_, search, cursor, limit);
            EXPECT_EQ(page.status, Status::done);
            EXPECT_LE(page.parties.size(), limit);
            for (const PartyId party : page.parties)
                ids.emplace_back(parties_.get(party).id);
            cursor = page.next;
        } while (!cursor.empty());
        return ids;
    }

    balance::PartyTable parties_{7, 200'000};
};

TEST_F(PartyList, ShowsASubtreeFromTheTopDownOnPagesOfAnySize) {
    const PartySearch all{.top = id("root")};
    for (const std::size_t limit : {1U, 2U, 3U, 7U, 100U})
        EXPECT_EQ(listed(all, limit), (Ids{"root", "north", "ann", "100", "bob", "south", "eve"})) << limit;
    EXPECT_EQ(listed({.top = id("north"), .with_top = false}), (Ids{"ann", "100", "bob"}));
    EXPECT_EQ(listed({.top = id("root"), .with_top = false, .children_only = true}, 1),
              (Ids{"north", "south"}));
    EXPECT_EQ(listed({.top = id("100"), .with_top = false}), Ids{});
    EXPECT_EQ(listed({.top = kNoParty}), Ids{});
}

TEST_F(PartyList, ShowsOthersInsteadOfASubtree) {
    const PartySearch search{.top = id("south"), .instead = {{id("ann"), id("bob")}}};
    for (const std::size_t limit : {1U, 2U, 100U})
        EXPECT_EQ(listed(search, limit), (Ids{"south", "ann", "bob"})) << limit;
}

TEST_F(PartyList, LeavesOutWhatDoesNotMatch) {
    PartySearch search{.top = id("root")};
    search.matches = [this](PartyId at) { return parties_.get(at).depth == 2; };
    for (const std::size_t limit : {1U, 3U, 100U})
        EXPECT_EQ(listed(search, limit), (Ids{"ann", "bob", "eve"})) << limit;
    search.matches = [](PartyId) { return false; };
    EXPECT_EQ(listed(search, 1), Ids{});
}

TEST_F(PartyList, IsSortedAsItIsAskedTo) {
    PartySearch search{.top = id("root"), .with_top = false};
    search.name_of = [this](PartyId at) { return std::string{parties_.get(at).id.substr(1)}; };
    for (const std::size_t limit : {1U, 2U, 100U}) {
        search.backwards = false;
        search.order = PartyOrder::id;
        EXPECT_EQ(listed(search, limit), (Ids{"100", "ann", "bob", "eve", "north", "south"}));
        search.order = PartyOrder::balance;  // Equal ones as they were made.
        EXPECT_EQ(listed(search, limit), (Ids{"bob", "north", "south", "100", "eve", "ann"}));
        search.order = PartyOrder::made;
        EXPECT_EQ(listed(search, limit), (Ids{"north", "south", "eve", "ann", "100", "bob"}));
        search.order = PartyOrder::name;  // 00 nn ob orth outh ve
        EXPECT_EQ(listed(search, limit), (Ids{"100", "ann", "bob", "north", "south", "eve"}));
        search.backwards = true;
        EXPECT_EQ(listed(search, limit), (Ids{"eve", "south", "north", "bob", "ann", "100"}));
        search.order = PartyOrder::balance;
        EXPECT_EQ(listed(search, limit), (Ids{"ann", "eve", "100", "south", "north", "bob"}));
        search.order = PartyOrder::tree;
        EXPECT_EQ(listed(search, limit), (Ids{"eve", "south", "bob", "100", "ann", "north"}));
    }
}

// Of everything that is no cursor of this list, nothing is shown: neither a party that does not exist nor one
// that the reader does not see.
TEST_F(PartyList, KnowsItsOwnCursors) {
    const PartySearch search{.top = id("north")};
    const std::string other = std::to_string(static_cast<std::uint32_t>(id("eve")));
    for (const std::string& cursor : {std::string{"x"}, std::string{"99.0"}, std::string{"1"},
                                      std::string{"1.x"}, std::string{"1.--1"}, other + ".0"}) {
        EXPECT_EQ(page_of(parties_, search, cursor, 10).status, Status::wrong_cursor) << cursor;
    }
    EXPECT_EQ(page_of(parties_, search, "1.0", 10).status, Status::done);
}

// What is sorted by changes between two pages: whoever moves is met twice or not at all, the others once.
TEST_F(PartyList, GoesOnWhereItStoppedWhateverMoved) {
    PartySearch search{.top = id("root"), .with_top = false, .order = PartyOrder::balance};
    const PartyPage page = page_of(parties_, search, {}, 3);  // bob north south
    parties_.get(id("south"))
        .account.restore(rating::Money::from_micros(9), rating::Money::from_micros(9), 0);
    const PartyPage next = page_of(parties_, search, page.next, 10);
    EXPECT_EQ(next.parties, (std::vector{id("100"), id("eve"), id("ann"), id("south")}));
}

// A page does not take longer because nothing matches: it ends early and says where to go on.
TEST_F(PartyList, EndsAPageThatFindsNothing) {
    for (std::size_t i = 0; i < kPageLooksMax; ++i)
        add("many-" + std::to_string(i), id("bob"), 0);
    add("last", id("bob"), 0);
    PartySearch search{.top = id("root")};
    search.matches = [this](PartyId at) { return at == id("last"); };
    const PartyPage page = page_of(parties_, search, {}, 10);
    EXPECT_TRUE(page.parties.empty());
    EXPECT_FALSE(page.next.empty());
    EXPECT_EQ(listed(search), Ids{"last"});
}

}  // namespace
}  // namespace tollgate::daemon
