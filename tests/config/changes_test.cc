#include "config/changes.h"

#include <array>
#include <string>
#include <string_view>

#include <gtest/gtest.h>

#include "config/keys.h"

namespace tollgate::config {
namespace {

using std::chrono::seconds;

// Goal: a reload says of each key whether it is in force now, and of no other key anything.
TEST(Changes, AreToldApartByWhatARunningDaemonTakesOver) {
    Config wanted;
    wanted.session.hold = seconds{60};
    wanted.log.level = LogLevel::debug;
    wanted.workers = 3;
    wanted.journal.dir = "/srv/journal";
    const auto found = changes(Config{}, wanted);
    ASSERT_EQ(found.live.size(), 2U);
    EXPECT_EQ(found.live[0].key, "session.hold");
    EXPECT_EQ(found.live[0].from, "3m");
    EXPECT_EQ(found.live[0].to, "1m");
    EXPECT_EQ(found.live[1].key, "log.level");
    ASSERT_EQ(found.restart.size(), 2U);
    EXPECT_EQ(found.restart[0].key, "workers");
    EXPECT_EQ(found.restart[0].to, "3");
    EXPECT_EQ(found.restart[1].key, "journal.dir");

    EXPECT_TRUE(changes(wanted, wanted).live.empty());
    EXPECT_TRUE(changes(wanted, wanted).restart.empty());
}

TEST(Changes, OfKeysThatNeedARestartAreNotTakenOver) {
    Config wanted;
    wanted.session.hold = seconds{60};
    wanted.workers = 3;
    const Config in_force = taken_over(Config{}, wanted);
    EXPECT_EQ(in_force.session.hold, seconds{60});
    EXPECT_EQ(in_force.workers, 0U);
    // Whoever reloads once more is told once more.
    const auto left = changes(in_force, wanted);
    EXPECT_TRUE(left.live.empty());
    ASSERT_EQ(left.restart.size(), 1U);
    EXPECT_EQ(left.restart[0].key, "workers");
}

// Goal: what is a secret is neither shown by a reload nor by the message about a fault.
TEST(Changes, OfSecretsAreNotShown) {
    for (const char* const name : {"redis.password", "webhook.secret", "http.token", "tls.passphrase"})
        EXPECT_TRUE(names_secret(name)) << name;
    for (const char* const name : {"redis.password_file", "gateway.secret_file", "session.hold"})
        EXPECT_FALSE(names_secret(name)) << name;
    const std::array<std::string, 1> overrides{"redis.password=hunter2"};
    try {
        (void)load({}, overrides);
        FAIL() << "there is no such key";
    } catch (const ConfigError& error) {
        const std::string_view said = error.what();
        EXPECT_NE(said.find("--set redis.password=***"), std::string_view::npos) << said;
        EXPECT_EQ(said.find("hunter2"), std::string_view::npos) << said;
    }
}

User user(std::string name) {
    User declared;
    declared.name = std::move(name);
    declared.password = "hash of " + declared.name;
    return declared;
}

/// `key from -> to`, each.
std::vector<std::string> told(const std::vector<Change>& changes) {
    std::vector<std::string> all;
    for (const Change& change : changes) {
        std::string& line = all.emplace_back(change.key);
        line.append(" ").append(change.from).append(" -> ").append(change.to);
    }
    return all;
}

// Goal: an operator reads in the log of everybody what he may now and did not before, and no secret.
TEST(Changes, OfUsersNameEachFieldAndNoSecret) {
    Config in_force;
    in_force.user = {user("kam"), user("gone"), user("same")};
    in_force.user[1].role = Role::admin;
    Config wanted;
    wanted.user = {user("new"), user("kam"), user("same")};
    wanted.user[0].under = "north";
    wanted.user[0].rate = 10;
    wanted.user[0].dial_plan = "national";
    User& kam = wanted.user[1];
    kam.password = "another hash";
    kam.role = Role::finance;
    kam.under = "south";
    kam.sources = {*Network::parse("192.0.2.0/24"), *Network::parse("2001:db8::1")};
    kam.rate = 100;
    kam.want = seconds{300};
    kam.our_clock = true;
    kam.start_required = true;

    const auto found = changes(in_force, wanted);
    EXPECT_EQ(told(found.live),
              (std::vector<std::string>{
                  "user.gone role=admin -> ", "user.new  -> role=switch under=north rate=10",
                  "user.kam.password *** -> changed", "user.kam.role switch -> finance",
                  "user.kam.under  -> south", "user.kam.sources  -> 192.0.2.0/24,2001:db8::1",
                  "user.kam.rate  -> 100", "user.kam.want  -> 300s", "user.kam.clock  -> ours"}));
    EXPECT_EQ(told(found.restart),
              (std::vector<std::string>{"user.new.dial_plan  -> national", "user.kam.start  -> required"}));
    // What waits for a restart is said until then, and nothing else.
    const auto left = changes(taken_over(in_force, wanted), wanted);
    EXPECT_TRUE(left.live.empty());
    EXPECT_EQ(told(left.restart), told(found.restart));
}

TEST(Changes, AreLiveOnlyForKeysThatThereAre) {
    EXPECT_TRUE(is_live("session.hold"));
    EXPECT_FALSE(is_live("session.max"));
    EXPECT_FALSE(is_live("session"));
    EXPECT_FALSE(is_live(""));
    std::size_t live = 0;
    for (const Key& key : keys())
        live += is_live(key.name) ? 1U : 0U;
    EXPECT_EQ(live, 23U) << "config/changes.cc names a key that the table does not have";
}

}  // namespace
}  // namespace tollgate::config
