#include "daemon/flush/redis_sink.h"

#include <stdexcept>

#include <gtest/gtest.h>

namespace tollgate::daemon::flush {
namespace {

TEST(RedisUrl, SaysWhereItIs) {
    EXPECT_EQ(parse_redis_url("redis://db.example.com"), (RedisAddress{"db.example.com", 6379, "", 0}));
    EXPECT_EQ(parse_redis_url("redis://127.0.0.1:6380/3"), (RedisAddress{"127.0.0.1", 6380, "", 3}));
    EXPECT_EQ(parse_redis_url("redis://[::1]:6380/"), (RedisAddress{"::1", 6380, "", 0}));
    EXPECT_EQ(parse_redis_url("unix:/run/redis.sock"), (RedisAddress{"", 6379, "/run/redis.sock", 0}));
    EXPECT_EQ(parse_redis_url("unix:///run/redis.sock?db=2"), (RedisAddress{"", 6379, "/run/redis.sock", 2}));
}

TEST(RedisUrl, RefusesWhatIsNone) {
    for (const char* const url :
         {"", "127.0.0.1", "rediss://127.0.0.1", "redis://", "redis://:6379", "redis://a:0",
          "redis://a:65536", "redis://a:x", "redis://a:", "redis://a/x", "redis://a/65536", "redis://[::1",
          "redis://user@a", "redis://:secret@a", "unix:redis.sock", "unix:", "unix:/a?db=x"})
        EXPECT_THROW((void)parse_redis_url(url), std::runtime_error) << url;
}

// Goal: a secret in a URL is not repeated into the log.
TEST(RedisUrl, NeverShowsAPassword) {
    for (const char* const url :
         {"redis://user:secret@db.example.com", "redis://:sec/ret@db", "redis://secret@db",
          "redis:/user:secret@db", "rediss://user:secret@db/x"}) {
        try {
            (void)parse_redis_url(url);
            FAIL() << url;
        } catch (const std::runtime_error& error) {
            const std::string said{error.what()};
            EXPECT_EQ(said.find("sec"), std::string::npos) << said;
            EXPECT_EQ(said.find("ret@"), std::string::npos) << said;
            EXPECT_EQ(said.find("redis.url: \""), 0U) << said;
        }
    }
}

}  // namespace
}  // namespace tollgate::daemon::flush
