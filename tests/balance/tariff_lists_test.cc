#include "balance/tariff_lists.h"

#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace tollgate::balance {
namespace {

constexpr rating::TariffId kHome{0};
constexpr rating::TariffId kAway{1};
constexpr rating::TariffId kTexts{2};

TEST(TariffLists, TheFirstEntryThatMatchesPays) {
    TariffLists lists;
    const auto choice = *lists.intern({{"voice", {"49", "43"}, kHome},
                                       {"sms", {}, kTexts},
                                       {"voice", {"4930"}, kTexts},
                                       {"voice", {}, kAway}});
    EXPECT_EQ(lists.match(choice, {"voice", "4930123"}), kHome);
    EXPECT_EQ(lists.match(choice, {"voice", "43"}), kHome);
    EXPECT_EQ(lists.match(choice, {"voice", "33"}), kAway);
    EXPECT_EQ(lists.match(choice, {"voice", ""}), kAway) << "nobody knows who calls";
    EXPECT_EQ(lists.match(choice, {"sms", "4930123"}), kTexts);
    EXPECT_EQ(lists.match(choice, {"tollfree", "4930123"}), rating::kNoTariff);
}

TEST(TariffLists, OneTariffIsForVoiceWhoeverCalls) {
    TariffLists lists;
    EXPECT_EQ(*lists.intern({}), TariffChoice{});
    EXPECT_EQ(*lists.intern({{"voice", {}, kHome}}), TariffChoice{kHome});
    EXPECT_EQ(lists.match(kHome, {"voice", ""}), kHome);
    EXPECT_EQ(lists.match(kHome, {"sms", "49"}), rating::kNoTariff);
    EXPECT_EQ(lists.match(TariffChoice{}, {"voice", "49"}), rating::kNoTariff);
    EXPECT_TRUE(lists.intern({{"sms", {}, kHome}})->is_list());
    EXPECT_TRUE(lists.intern({{"voice", {"49"}, kHome}})->is_list());
    const auto only_from_49 = *lists.intern({{"voice", {"49"}, kHome}});
    EXPECT_EQ(lists.match(only_from_49, {"voice", ""}), rating::kNoTariff);
}

TEST(TariffLists, EqualListsAreKeptOnce) {
    TariffLists lists;
    const auto first = *lists.intern({{"voice", {"49"}, kHome}, {"voice", {}, kAway}});
    EXPECT_EQ(*lists.intern({{"voice", {"49"}, kHome}, {"voice", {}, kAway}}), first);
    EXPECT_NE(*lists.intern({{"voice", {}, kAway}, {"voice", {"49"}, kHome}}), first) << "order counts";
    EXPECT_NE(*lists.intern({{"voice", {"4", "9"}, kHome}, {"voice", {}, kAway}}), first);
    const auto entries = lists.entries(first);
    ASSERT_EQ(entries.size(), 2U);
    EXPECT_EQ(entries[0].from_prefixes, std::vector<std::string>{"49"});
    EXPECT_EQ(entries[1].tariff, kAway);
    EXPECT_TRUE(lists.names(first, kAway));
    EXPECT_FALSE(lists.names(first, kTexts));
    EXPECT_TRUE(lists.names(kHome, kHome));
    EXPECT_FALSE(lists.names(TariffChoice{}, kHome));
}

TEST(TariffLists, ACallerIsDigitsOrUnknown) {
    EXPECT_EQ(CallTraits::caller_of("+4930"), "4930");
    EXPECT_EQ(CallTraits::caller_of("4930"), "4930");
    for (const char* from : {"", "+", "++49", "49 30", "anonymous", "sip:49@x"}) {
        EXPECT_EQ(CallTraits::caller_of(from), "") << from;
    }
}

TEST(TariffLists, ServicesHaveAForm) {
    for (const char* text : {"voice", "toll-free", "sms_2", "a", "12345678901234567890123456789012"}) {
        EXPECT_TRUE(is_service(text)) << text;
    }
    for (const char* text : {"", "Voice", "a b", "ä", "123456789012345678901234567890123"}) {
        EXPECT_FALSE(is_service(text)) << text;
    }
}

// Goal: whoever sees a list's index finds the whole list, while others are being added.
// Method: one thread adds more lists than a chunk holds and publishes the newest; others match by it.
TEST(TariffListsThreads, AreReadWhileTheyGrow) {
    TariffLists lists;
    std::atomic<TariffChoice> newest{TariffChoice{kHome}};
    std::atomic<bool> done{false};
    std::atomic<int> wrong{0};
    {
        std::vector<std::jthread> readers;
        for (int reader = 0; reader < 3; ++reader) {
            readers.emplace_back([&] {
                while (!done) {
                    const auto tariff = lists.match(newest.load(std::memory_order_acquire), {"voice", "49"});
                    if (tariff != kHome) ++wrong;
                }
            });
        }
        for (int i = 0; i < 5'000; ++i) {
            newest.store(*lists.intern({{"voice", {"33" + std::to_string(i)}, kAway}, {"voice", {}, kHome}}),
                         std::memory_order_release);
        }
        done = true;
    }
    EXPECT_EQ(wrong, 0);
}

}  // namespace
}  // namespace tollgate::balance
