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
    for (const char* const name : {"redis.password", "webhook.secret", "http.token", "tls.passphrase",
                                   "postgres.url", "redis.url", "webhook.url"})
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

TEST(Changes, AreLiveOnlyForKeysThatThereAre) {
    EXPECT_TRUE(is_live("session.hold"));
    EXPECT_FALSE(is_live("session.max"));
    EXPECT_FALSE(is_live("session"));
    EXPECT_FALSE(is_live(""));
    std::size_t live = 0;
    for (const Key& key : keys())
        live += is_live(key.name) ? 1U : 0U;
    EXPECT_EQ(live, 22U) << "config/changes.cc names a key that the table does not have";
}

}  // namespace
}  // namespace tollgate::config
