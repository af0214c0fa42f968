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
