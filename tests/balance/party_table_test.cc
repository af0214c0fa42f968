#include "balance/party_table.h"

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace tollgate::balance {
namespace {

PartySource party(std::string id, PartyId parent = kNoParty) {
    PartySource source;
    source.id = std::move(id);
    source.parent = parent;
    source.currency = *rating::Currency::parse("EUR");
    return source;
}

TEST(PartyTable, FindsWhatWasAddedAndNothingElse) {
    PartyTable table{7, 100};
    EXPECT_EQ(table.find("root"), kNoParty);
    EXPECT_EQ(table.root(), kNoParty);
    const PartyId root = table.add(party("root"));
    const PartyId child = table.add(party("child", root));
    EXPECT_EQ(table.find("root"), root);
    EXPECT_EQ(table.find("child"), child);
    EXPECT_EQ(table.find("chil"), kNoParty);
    EXPECT_EQ(table.get(child).parent, root);
    EXPECT_EQ(table.get(child).depth, 1);
    EXPECT_EQ(table.root(), root);
    EXPECT_EQ(table.size(), 2U);
}

std::vector<std::string> children_of(const PartyTable& table, PartyId parent) {
    std::vector<std::string> ids;
    for (PartyId id = table.first_child(parent); id != kNoParty; id = table.next_sibling(id))
        ids.emplace_back(table.get(id).id);
    return ids;
}

/// The subtree of `top` from `at` on, which is what a page after another one shows.
std::vector<std::string> walk_from(const PartyTable& table, PartyId at, PartyId top) {
    std::vector<std::string> ids;
    for (; at != kNoParty; at = table.next_in_subtree(at, top))
        ids.emplace_back(table.get(at).id);
    return ids;
}

using Ids = std::vector<std::string>;

/// root { north { ann { 100 101 } bob } south { eve } }, but made in another order.
class PartyTableTree : public testing::Test {
  protected:
    PartyTable table_{7, 100};
    PartyId root_ = table_.add(party("root"));
    PartyId north_ = table_.add(party("north", root_));
    PartyId south_ = table_.add(party("south", root_));
    PartyId eve_ = table_.add(party("eve", south_));
    PartyId ann_ = table_.add(party("ann", north_));
    PartyId line_ = table_.add(party("100", ann_));
    PartyId bob_ = table_.add(party("bob", north_));
    PartyId second_ = table_.add(party("101", ann_));
};

TEST_F(PartyTableTree, ChildrenStandInTheOrderInWhichTheyWereMade) {
    EXPECT_EQ(children_of(table_, root_), (Ids{"north", "south"}));
    EXPECT_EQ(children_of(table_, north_), (Ids{"ann", "bob"}));
    EXPECT_EQ(children_of(table_, bob_), Ids{});
    EXPECT_EQ(table_.child_count(root_), 2U);
    EXPECT_EQ(table_.child_count(ann_), 2U);
    EXPECT_EQ(table_.child_count(bob_), 0U);
    EXPECT_EQ(table_.next_sibling(root_), kNoParty);
}

TEST_F(PartyTableTree, BelowIsEverybodyFurtherDownAndNobodyElse) {
    EXPECT_TRUE(table_.is_below(line_, ann_));
    EXPECT_TRUE(table_.is_below(line_, root_));
    EXPECT_FALSE(table_.is_below(line_, bob_));    // As deep as his parent, but not his parent.
    EXPECT_FALSE(table_.is_below(line_, south_));  // Another branch.
    EXPECT_FALSE(table_.is_below(ann_, line_));    // The other way round.
    EXPECT_FALSE(table_.is_below(ann_, ann_));
    EXPECT_FALSE(table_.is_below(kNoParty, root_));
    EXPECT_FALSE(table_.is_below(root_, kNoParty));

    EXPECT_TRUE(table_.is_in_subtree(ann_, ann_));
    EXPECT_TRUE(table_.is_in_subtree(line_, north_));
    EXPECT_FALSE(table_.is_in_subtree(eve_, north_));
    EXPECT_FALSE(table_.is_in_subtree(kNoParty, kNoParty));
}

TEST_F(PartyTableTree, SubtreesAreWalkedFromTheTopDown) {
    EXPECT_EQ(walk_from(table_, root_, root_),
              (Ids{"root", "north", "ann", "100", "101", "bob", "south", "eve"}));
    EXPECT_EQ(walk_from(table_, north_, north_), (Ids{"north", "ann", "100", "101", "bob"}));
    EXPECT_EQ(walk_from(table_, line_, line_), Ids{"100"});
    EXPECT_EQ(table_.next_beside(ann_, root_), bob_);
    EXPECT_EQ(table_.next_beside(bob_, root_), south_);
    EXPECT_EQ(table_.next_beside(bob_, north_), kNoParty);
    EXPECT_EQ(table_.next_beside(north_, north_), kNoParty);
}

// Goal: pages that are read while parties are made show everybody who was there once, and whoever was made
// behind the place where the reader is. Method: north { ann { 100 | 101 } bob } is read up to the bar, then
// one party is made before it and two behind.
TEST_F(PartyTableTree, WalksGoOnWhereTheyStoppedWhateverWasAdded) {
    ASSERT_EQ(table_.next_in_subtree(line_, north_), second_);
    table_.add(party("102", ann_));
    table_.add(party("201", bob_));
    table_.add(party("301", eve_));  // Not in it.
    const PartyId below_line = table_.add(party("100-1", line_));
    EXPECT_EQ(walk_from(table_, second_, north_), (Ids{"101", "102", "bob", "201"}));
    EXPECT_EQ(walk_from(table_, below_line, north_), (Ids{"100-1", "101", "102", "bob", "201"}));
}

// A path as long as there may be one, so that the way back up is the longest.
TEST(PartyTable, WalksClimbFromTheDeepestLevel) {
    PartyTable table{7, 100};
    const PartyId root = table.add(party("0"));
    PartyId deepest = root;
    for (std::size_t depth = 1; depth <= kChainDepthMax; ++depth)
        deepest = table.add(party(std::to_string(depth), deepest));
    const PartyId last = table.add(party("last", root));
    EXPECT_EQ(table.get(deepest).depth, kChainDepthMax);
    EXPECT_EQ(table.next_in_subtree(deepest, root), last);
    EXPECT_TRUE(table.is_below(deepest, root));
    EXPECT_FALSE(table.is_below(deepest, last));
}

// Goal: a walk among additions meets nobody twice and nobody of another subtree, and everybody who was there
// when it began. Method: one thread adds in turns below two parties, children and children of theirs; the
// others walk one of the two again and again.
TEST(PartyTableThreads, WalksGoOnWhileTheTreeGrows) {
    constexpr std::uint32_t kCount = 6'000;
    PartyTable table{11, kCount + 3};
    const PartyId root = table.add(party("root"));
    const PartyId walked = table.add(party("walked", root));
    const PartyId other = table.add(party("other", root));
    std::atomic<std::size_t> below{0};
    std::atomic<bool> done{false};
    std::atomic<int> wrong{0};
    std::vector<std::jthread> walkers;
    for (int i = 0; i < 2; ++i) {
        walkers.emplace_back([&] {
            std::vector<bool> met;
            for (bool last = false; !last;) {
                last = done;
                met.assign(kCount + 3, false);
                const std::size_t least = below;
                std::size_t count = 0;
                for (PartyId at = walked; at != kNoParty; at = table.next_in_subtree(at, walked)) {
                    if (!table.is_in_subtree(at, walked) || met[static_cast<std::size_t>(at)]) ++wrong;
                    met[static_cast<std::size_t>(at)] = true;
                    ++count;
                }
                if (count < least + 1) ++wrong;
                if (last && count != kCount / 2 + 1) ++wrong;
            }
        });
    }
    PartyId parents[2] = {walked, other};
    for (std::uint32_t i = 0; i < kCount; ++i) {
        const std::uint32_t side = i % 2;
        const bool starts_anew = i % 14 < 2;
        const PartyId top = side == 0 ? walked : other;
        parents[side] = table.add(party("party-" + std::to_string(i), starts_anew ? top : parents[side]));
        if (side == 0) ++below;
    }
    done = true;
    walkers.clear();
    EXPECT_EQ(wrong, 0);
}

// Goal: parties are found while others are being added, at every size of the index.
// Method: one thread adds; the others look for parties that are there and for one that never is.
TEST(PartyTableThreads, SearchesGoOnWhileTheTableGrows) {
    constexpr std::uint32_t kCount = 60'000;
    PartyTable table{11, kCount};
    std::atomic<bool> done{false};
    std::atomic<int> wrong{0};
    std::vector<std::jthread> searchers;
    for (std::uint32_t start = 0; start < 2; ++start) {
        searchers.emplace_back([&, start] {
            for (std::uint32_t i = start; !done; i += 7'919) {
                const auto size = static_cast<std::uint32_t>(table.size());
                if (size == 0) continue;
                const std::uint32_t wanted = i % size;
                const PartyId found = table.find("party-" + std::to_string(wanted));
                if (found != PartyId{wanted} || table.get(found).id != "party-" + std::to_string(wanted))
                    ++wrong;
                if (table.find("nobody-" + std::to_string(i)) != kNoParty) ++wrong;
            }
        });
    }
    for (std::uint32_t i = 0; i < kCount; ++i)
        table.add(party("party-" + std::to_string(i)));
    done = true;
    searchers.clear();
    EXPECT_EQ(wrong, 0);
    EXPECT_EQ(table.size(), kCount);
}

}  // namespace
}  // namespace tollgate::balance
