#include "balance/session_table.h"

#include <atomic>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace tollgate::balance {
namespace {

using std::chrono::hours;
using std::chrono::seconds;

Session& open(SessionTable& table, const std::string& id, Steady deadline, std::size_t levels = 2) {
    auto opening = table.claim_or_open(id, levels);
    EXPECT_TRUE(opening.fresh) << id;
    Session& session = *opening.claim;
    session.state = SessionState::authorized;
    session.deadline = deadline;
    table.publish_open(std::move(opening.claim));
    return session;
}

std::uint64_t stop(SessionTable& table, const std::string& id, Steady now) {
    auto claim = table.claim(id);
    EXPECT_TRUE(claim) << id;
    claim->state = SessionState::stopped;
    table.give_record(claim);
    const std::uint64_t record = claim->record;
    table.publish_ended(std::move(claim), now);
    return record;
}

std::size_t sweep(SessionTable& table, Steady now) {
    std::size_t due = 0;
    for (std::size_t stripe = 0; stripe < SessionTable::kStripes; ++stripe) {
        while (auto claim = table.claim_due(stripe, now)) {
            claim->state = SessionState::expired;
            claim->lapsed = true;
            table.give_record(claim);
            table.publish_ended(std::move(claim), now);
            ++due;
        }
    }
    return due;
}

TEST(SessionTable, RemembersIdsOfAnyBytes) {
    SessionTable table{1, {}};
    const std::string odd{"a\0\r\n\"%<>@\xFF", 10};
    open(table, odd, seconds{10});
    EXPECT_TRUE(table.claim(odd));
    EXPECT_EQ(table.claim(odd)->id(), odd);
    EXPECT_FALSE(table.claim("a"));
    const std::string longest(kSessionIdBytesMax, 'x');
    open(table, longest, seconds{10}, kChainDepthMax);
    EXPECT_EQ(table.claim(longest)->id(), longest);
    EXPECT_EQ(table.counts().open, 2U);
}

TEST(SessionTable, AnEndedSessionIsRememberedForItsTime) {
    SessionTable table{1, {.remember = hours{6}}};
    open(table, "call", seconds{100});
    const auto record = stop(table, "call", seconds{50});
    EXPECT_NE(record, 0U);
    EXPECT_EQ(table.claim_record(record)->id(), "call");
    EXPECT_FALSE(table.claim_record(record + SessionTable::kStripes));
    EXPECT_EQ(sweep(table, seconds{50} + hours{6}), 0U);
    EXPECT_TRUE(table.claim("call")) << "six hours are not over yet";
    sweep(table, seconds{51} + hours{6});
    EXPECT_FALSE(table.claim("call"));
    EXPECT_FALSE(table.claim_record(record));
    EXPECT_EQ(table.counts().bytes, 0U);
}

TEST(SessionTable, TheOldestAreForgottenFirstWhereMemoryEnds) {
    // One session a stripe at most: whatever else ends in the same stripe drives it out.
    SessionTable table{
        1,
        {.remember_bytes = SessionTable::kStripes * Session::bytes_for(0, 10) + 64 * SessionTable::kStripes}};
    constexpr int kCalls = 20'000;
    for (int i = 0; i < kCalls; ++i) {
        open(table, std::to_string(i), seconds{100}, 0);
        stop(table, std::to_string(i), seconds{i});
    }
    const auto counts = table.counts();
    EXPECT_LE(counts.remembered, SessionTable::kStripes);
    EXPECT_GT(counts.remembered, SessionTable::kStripes / 2);
    EXPECT_EQ(counts.remembered + counts.forgotten_early, static_cast<std::size_t>(kCalls));
    EXPECT_TRUE(table.claim(std::to_string(kCalls - 1))) << "the newest stays";
}

TEST(SessionTable, SessionsComeDueInTheOrderOfTheirDeadlines) {
    SessionTable table{1, {}};
    for (int i = 0; i < 5'000; ++i)
        open(table, std::to_string(i), seconds{1 + (i * 7'919) % 1'000});
    std::size_t due = 0;
    for (int now = 0; now <= 1'000; now += 100) {
        due += sweep(table, seconds{now});
        EXPECT_EQ(due, static_cast<std::size_t>(5 * now));
    }
    EXPECT_EQ(table.counts().open, 0U);
}

TEST(SessionTable, ADeadlineMovesBothWays) {
    SessionTable table{1, {}};
    open(table, "a", seconds{10});
    open(table, "b", seconds{20});
    for (const auto& [id, deadline] : {std::pair{"a", seconds{30}}, std::pair{"b", seconds{5}}}) {
        auto claim = table.claim(id);
        claim->deadline = deadline;
        table.publish_open(std::move(claim));
    }
    EXPECT_EQ(sweep(table, seconds{10}), 1U);
    EXPECT_EQ(table.claim("a")->state, SessionState::authorized);
    EXPECT_EQ(table.claim("b")->state, SessionState::expired);
}

TEST(SessionTable, AnExpiredSessionMayGoOnAndIsThenRememberedAnew) {
    SessionTable table{1, {}};
    open(table, "late", seconds{10});
    ASSERT_EQ(sweep(table, seconds{11}), 1U);
    const auto first = table.claim("late")->record;
    auto claim = table.claim("late");
    claim->state = SessionState::answered;
    claim->deadline = seconds{100};
    table.publish_open(std::move(claim));
    EXPECT_FALSE(table.claim_record(first));
    EXPECT_EQ(table.counts().open, 1U);
    EXPECT_NE(stop(table, "late", seconds{50}), first);
    sweep(table, seconds{11} + hours{73});
    EXPECT_FALSE(table.claim("late"));
}

TEST(SessionTable, ATableThatIsFullOpensNothing) {
    SessionTable table{1, {.sessions_max = SessionTable::kStripes}};
    std::size_t refused = 0;
    for (int i = 0; i < 4'000; ++i) {
        auto opening = table.claim_or_open(std::to_string(i), 0);
        if (!opening.claim) {
            ++refused;
            continue;
        }
        opening.claim->state = SessionState::authorized;
        table.publish_open(std::move(opening.claim));
    }
    EXPECT_EQ(table.counts().open + refused, 4'000U);
    EXPECT_LE(table.counts().open, SessionTable::kStripes);
}

TEST(SessionTable, RefusalsAreForgottenSoonOrWhenAsked) {
    SessionTable table{1, {.repeat = seconds{32}}};
    const auto refuse = [&](const char* id, Steady now) {
        auto opening = table.claim_or_open(id, 0);
        opening.claim->state = SessionState::refused;
        table.publish_ended(std::move(opening.claim), now);
    };
    refuse("a", seconds{0});
    refuse("b", seconds{0});
    table.forget_refused("a");
    EXPECT_FALSE(table.claim("a"));
    EXPECT_TRUE(table.claim("b"));
    sweep(table, seconds{33});
    EXPECT_FALSE(table.claim("b"));
}

TEST(SessionTable, AScanVisitsEveryOpenSessionOnce) {
    SessionTable table{1, {}};
    for (int i = 0; i < 3'000; ++i)
        open(table, std::to_string(i), seconds{100});
    stop(table, "17", seconds{1});
    std::multiset<std::string> seen;
    std::uint64_t cursor = 0;
    int pages = 0;
    do {
        cursor = table.scan(
            cursor, 7, [](const Session& session) { return session.id() != "18"; },
            [&seen](std::string_view id) { seen.emplace(id); });
        ++pages;
    } while (cursor != 0 && pages < 10'000);
    EXPECT_EQ(seen.size(), 2'998U);
    EXPECT_EQ(std::set<std::string>(seen.begin(), seen.end()).size(), 2'998U);
}

// Goal: one thread at a time owns a session, and a session is found at any time while others come and go.
// Method: threads claim one session and count in it without a lock, and open and end sessions of their own
// between.
TEST(SessionTableThreads, AClaimIsExclusive) {
    SessionTable table{1, {.remember = seconds{0}}};
    open(table, "shared", hours{1});
    constexpr std::uint32_t kRounds = 20'000;
    {
        std::vector<std::jthread> workers;
        for (int worker = 0; worker < 4; ++worker) {
            workers.emplace_back([&table, worker] {
                for (std::uint32_t i = 0; i < kRounds; ++i) {
                    auto claim = table.claim("shared");
                    ++claim->used_seconds;
                    table.publish_open(std::move(claim));
                    const std::string own = std::to_string(worker) + "-" + std::to_string(i);
                    open(table, own, hours{1});
                    stop(table, own, seconds{0});
                    if (i % 64 == 0) (void)table.claim_due(i % SessionTable::kStripes, seconds{1});
                }
            });
        }
    }
    EXPECT_EQ(table.claim("shared")->used_seconds, 4 * kRounds);
    sweep(table, seconds{2});
    EXPECT_EQ(table.counts().open, 1U);
    EXPECT_EQ(table.counts().remembered, 0U);
}

}  // namespace
}  // namespace tollgate::balance
