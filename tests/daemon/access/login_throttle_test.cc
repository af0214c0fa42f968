#include "daemon/access/login_throttle.h"

#include <string>

#include <gtest/gtest.h>

namespace tollgate::daemon::access {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

TEST(ThrottleRule, DoublesFromTheLastFreeGuessToItsBound) {
    const ThrottleRule rule{5, seconds{1}, seconds{60}, hours{1}};
    EXPECT_EQ(rule.wait_after(0), seconds{0});
    EXPECT_EQ(rule.wait_after(4), seconds{0});
    EXPECT_EQ(rule.wait_after(5), seconds{1});
    EXPECT_EQ(rule.wait_after(6), seconds{2});
    EXPECT_EQ(rule.wait_after(10), seconds{32});
    EXPECT_EQ(rule.wait_after(11), seconds{60});
    EXPECT_EQ(rule.wait_after(UINT32_MAX), seconds{60});
}

class LoginThrottleTest : public testing::Test {
  protected:
    /// So many guesses, each as soon as it is allowed.
    void guess(const std::string& login, const std::string& source, int times) {
        for (int i = 0; i < times; ++i) {
            const Steady wait = throttle.begin(login, source, now);
            if (wait == Steady{0}) continue;
            now += wait;
            ASSERT_EQ(throttle.begin(login, source, now), Steady{0});
        }
    }
    LoginThrottle throttle{7};
    Steady now{hours{5}};
};

TEST_F(LoginThrottleTest, TheSixthGuessWaitsASecondAndTheSeventhTwo) {
    for (int i = 0; i < 5; ++i)
        EXPECT_EQ(throttle.begin("alice", "192.0.2.1", now), Steady{0});
    EXPECT_EQ(throttle.begin("alice", "192.0.2.1", now), seconds{1});
    EXPECT_EQ(throttle.begin("alice", "192.0.2.1", now + milliseconds{999}), milliseconds{1});
    EXPECT_EQ(throttle.begin("alice", "192.0.2.1", now + seconds{1}), Steady{0});
    EXPECT_EQ(throttle.begin("alice", "192.0.2.1", now + seconds{1}), seconds{2});
}

TEST_F(LoginThrottleTest, ARefusedGuessDoesNotLengthenTheWait) {
    guess("alice", "192.0.2.1", 5);
    for (int i = 0; i < 1000; ++i)
        EXPECT_EQ(throttle.begin("alice", "192.0.2.1", now), seconds{1});
}

TEST_F(LoginThrottleTest, ALoginIsGuessedFromManyAddressesAsFromOne) {
    for (int i = 0; i < 5; ++i)
        EXPECT_EQ(throttle.begin("alice", "192.0.2." + std::to_string(i), now), Steady{0});
    EXPECT_EQ(throttle.begin("alice", "198.51.100.1", now), seconds{1});
    EXPECT_EQ(throttle.begin("Alice", "198.51.100.1", now), seconds{1});  // Capitals are no other login.
    EXPECT_EQ(throttle.begin("bob", "198.51.100.1", now), Steady{0});
}

// Twenty different logins, one guess each: no login is slowed down, but the address is.
TEST_F(LoginThrottleTest, AnAddressThatTriesManyLoginsWaits) {
    for (int i = 0; i < 20; ++i)
        EXPECT_EQ(throttle.begin("person" + std::to_string(i), "192.0.2.1", now), Steady{0});
    EXPECT_EQ(throttle.begin("person20", "192.0.2.1", now), seconds{1});
    EXPECT_EQ(throttle.begin("person20", "192.0.2.2", now), Steady{0});
}

TEST_F(LoginThrottleTest, ARightPasswordClearsTheLoginButNotTheAddress) {
    guess("alice", "192.0.2.1", 5);
    EXPECT_EQ(throttle.begin("alice", "192.0.2.1", now), seconds{1});
    throttle.succeeded("ALICE", "192.0.2.1");
    EXPECT_EQ(throttle.begin("alice", "192.0.2.1", now), Steady{0});

    // Nineteen wrong ones and a right one of one's own, which alone is not counted: two more, and it waits.
    LoginThrottle other{8};
    for (int i = 0; i < 19; ++i)
        EXPECT_EQ(other.begin("person" + std::to_string(i), "192.0.2.1", now), Steady{0});
    EXPECT_EQ(other.begin("mallory", "192.0.2.1", now), Steady{0});
    other.succeeded("mallory", "192.0.2.1");
    EXPECT_EQ(other.begin("person20", "192.0.2.1", now), Steady{0});
    EXPECT_EQ(other.begin("person21", "192.0.2.1", now), seconds{1});
}

TEST_F(LoginThrottleTest, AnHourWithoutAGuessForgetsThem) {
    guess("alice", "192.0.2.1", 9);
    const Steady last = now;
    EXPECT_EQ(throttle.begin("alice", "192.0.2.1", last), seconds{16});
    now = last + hours{1};
    for (int i = 0; i < 5; ++i)
        EXPECT_EQ(throttle.begin("alice", "192.0.2.1", now), Steady{0});
    EXPECT_EQ(throttle.begin("alice", "192.0.2.1", now), seconds{1});
}

// However often it is guessed, whoever owns the login waits a minute at most.
TEST_F(LoginThrottleTest, NoLoginIsLockedForLong) {
    guess("alice", "192.0.2.1", 15);
    EXPECT_LE(throttle.begin("alice", "198.51.100.1", now), seconds{60});
    EXPECT_GT(throttle.begin("alice", "198.51.100.1", now), seconds{30});
}

// Invented logins from invented addresses, many more than anything is kept of: a count that was there before
// is not pushed out, and a newcomer among few is not taken for somebody else.
TEST_F(LoginThrottleTest, AFloodPushesNoCountOut) {
    guess("alice", "192.0.2.1", 8);
    const Steady expected = throttle.begin("alice", "203.0.113.1", now);
    EXPECT_EQ(expected, seconds{8});
    for (int i = 0; i < 4'000; ++i)
        (void)throttle.begin("nobody" + std::to_string(i), "source" + std::to_string(i), now);
    EXPECT_EQ(throttle.begin("alice", "203.0.113.1", now), expected);
    EXPECT_EQ(throttle.begin("bob", "203.0.113.2", now), Steady{0});
}

TEST(SourceOf, IsTheAddressOrItsNetwork) {
    EXPECT_EQ(source_of("192.0.2.1"), "192.0.2.1");
    EXPECT_EQ(source_of("::ffff:192.0.2.1"), "192.0.2.1");
    EXPECT_EQ(source_of("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
    EXPECT_EQ(source_of("2001:db8:1:2:ffff::1"), source_of("2001:db8:1:2::9"));
    EXPECT_NE(source_of("2001:db8:1:3::1"), source_of("2001:db8:1:2::1"));
    EXPECT_EQ(source_of("unix"), "unix");
}

}  // namespace
}  // namespace tollgate::daemon::access
