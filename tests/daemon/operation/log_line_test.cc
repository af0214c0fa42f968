#include "daemon/operation/log_line.h"

#include <chrono>
#include <string>

#include <gtest/gtest.h>

namespace tollgate::daemon::logging {
namespace {

using config::LogFormat;
using std::chrono::milliseconds;
using std::chrono::seconds;

// 2026-03-01T00:00:00.007Z
const std::chrono::system_clock::time_point at{seconds{1'772'323'200} + milliseconds{7}};

TEST(LogLine, IsLogfmtOrJsonWithTheSameNames) {
    const Line line{at, "info", "reloaded", "session.hold: \"3m\" -> \"1m\"", {{"key", "session.hold"}}};
    EXPECT_EQ(line_of(line, LogFormat::logfmt, Reader::plain),
              "time=2026-03-01T00:00:00.007Z level=info kind=reloaded "
              "msg=\"session.hold: \\\"3m\\\" -> \\\"1m\\\"\" key=session.hold\n");
    EXPECT_EQ(line_of(line, LogFormat::json, Reader::plain),
              "{\"time\":\"2026-03-01T00:00:00.007Z\",\"level\":\"info\",\"kind\":\"reloaded\","
              "\"msg\":\"session.hold: \\\"3m\\\" -> \\\"1m\\\"\",\"key\":\"session.hold\"}\n");
}

TEST(LogLine, LeavesTheTimeToJournaldAndTellsItThePriority) {
    const auto of = [](std::string_view level) {
        return line_of({at, level, {}, "stopped"}, LogFormat::logfmt, Reader::journald);
    };
    EXPECT_EQ(of("info"), "<6>level=info msg=stopped\n");
    EXPECT_EQ(of("warn"), "<4>level=warn msg=stopped\n");
    EXPECT_EQ(of("error"), "<3>level=error msg=stopped\n");
    EXPECT_EQ(of("critical"), "<2>level=critical msg=stopped\n");
    EXPECT_EQ(of("debug"), "<7>level=debug msg=stopped\n");
}

// Goal: what a caller can put into a name makes no second line and no second field.
TEST(LogLine, IsOneLineWhateverIsSaid) {
    const std::string line = line_of({at, "warn", {}, "party \"a\nlevel=info msg=forged\x01\xc3\xa4"},
                                     LogFormat::logfmt, Reader::journald);
    EXPECT_EQ(line, "<4>level=warn msg=\"party \\\"a\\nlevel=info msg=forged\\u0001\xc3\xa4\"\n");
    EXPECT_EQ(line_of({at, "warn", {}, ""}, LogFormat::logfmt, Reader::journald), "<4>level=warn msg=\"\"\n");
}

TEST(Redacted, HidesWhatFollowsTheNameOfASecret) {
    EXPECT_EQ(redacted("host=db password=hunter2 dbname=x"), "host=db password=*** dbname=x");
    EXPECT_EQ(redacted("password = \"hunter 2\" x"), "password = \"***\" x");
    EXPECT_EQ(redacted("password='a b' x"), "password='***' x");
    EXPECT_EQ(redacted("{\"password\":\"hunter2\",\"login\":\"ann\"}"),
              "{\"password\":\"***\",\"login\":\"ann\"}");
    EXPECT_EQ(redacted("Authorization: Bearer abc"), "Authorization: Bearer ***");
    EXPECT_EQ(redacted("--set redis.PASSWORD=x"), "--set redis.PASSWORD=***");
}

TEST(Redacted, HidesPasswordsInUrlsTokensAndHashes) {
    EXPECT_EQ(redacted("postgresql://ann:hunter2@db:5432/x?y=z"), "postgresql://ann:***@db:5432/x?y=z");
    EXPECT_EQ(redacted("redis://:p@ss@cache/0"), "redis://:***@cache/0");
    EXPECT_EQ(redacted("it was tg_0123456789abcdefghijklmnopqrstuvwxyzABCDEFG."), "it was tg_***");
    EXPECT_EQ(redacted("hash $argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$aGFzaA end"), "hash $ar*** end");
}

// Goal: letters that should have been written %XX, or quoted, do not end what is hidden.
TEST(Redacted, HidesPasswordsWithLettersThatTheyShouldNotHave) {
    EXPECT_EQ(redacted("at postgresql://ann:hun/ter2@db:5432/x now"),
              "at postgresql://ann:***@db:5432/x now");
    EXPECT_EQ(redacted("postgresql://ann:h@n/t?r#2@db/x?y=z"), "postgresql://ann:***@db/x?y=z");
    EXPECT_EQ(redacted("redis://:12/34@cache/0"), "redis://:***@cache/0");
    EXPECT_EQ(redacted("https://bob:a/b?c@hooks/x, refused"), "https://bob:***@hooks/x, refused");
    EXPECT_EQ(redacted("postgresql://db/x?user=ann&password=a/b@c&sslmode=prefer"),
              "postgresql://db/x?user=ann&password=***&sslmode=prefer");
    EXPECT_EQ(redacted("postgresql://db/x?sslpassword=ab;c&y=z"), "postgresql://db/x?sslpassword=***&y=z");
    EXPECT_EQ(redacted("host=db password=a&b;c dbname=x"), "host=db password=*** dbname=x");
    EXPECT_EQ(redacted("host=db password=a\\ b dbname=x"), "host=db password=*** dbname=x");
    EXPECT_EQ(redacted("password=hunter2; next"), "password=***; next");
}

TEST(RedactedUrl, HidesWhatMayBeAPasswordHoweverFaultyItIs) {
    EXPECT_EQ(redacted_url("postgresql://ann@db:5432/x"), "postgresql://***@db:5432/x");
    EXPECT_EQ(redacted_url("postgresql://ann:a b\"c/d@e@db/x?password=f&g=h"),
              "postgresql://ann:***@db/x?***");
    EXPECT_EQ(redacted_url("host=db password = 'a b' dbname=x"), "host=db password=***");
    EXPECT_EQ(redacted_url("host=db PassWord=a b"), "host=db password=***");
    EXPECT_EQ(redacted_url("postgresql:/ann:hunter2@db/x"), "postgresql:***@db/x");
    EXPECT_EQ(redacted_url("redis://127.0.0.1:6379/0"), "redis://127.0.0.1:6379/0");
    EXPECT_EQ(redacted_url("redis://:a@[::1]:6379/0"), "redis://:***@[::1]:6379/0");
    EXPECT_EQ(redacted_url("redis://:a/b@127.0.0.1"), "redis://:***@127.0.0.1");
    EXPECT_EQ(redacted_url("postgresql://ann:hunter2"), "postgresql://ann:***") << "its host was forgotten";
    EXPECT_EQ(redacted_url("ann:hun,t/er2"), "ann:***");
    EXPECT_EQ(redacted_url("postgresql://ann:12:34"), "postgresql://ann:***");
    EXPECT_EQ(redacted_url("postgresql://a:1,b:,[::1]:2,[::1]/x:y"), "postgresql://a:1,b:,[::1]:2,[::1]/x:y");
    EXPECT_EQ(redacted_url("postgresql://a:1,[::1]:d/x"), "postgresql://a:1,[::1]:***");
    EXPECT_EQ(redacted_url("postgresql://[ann:hunter2"), "postgresql://[ann:***");
    EXPECT_EQ(redacted_url(""), "");
}

TEST(Redacted, LeavesAloneWhatIsNoSecret) {
    for (const std::string_view text :
         {"gateway.secret_file: /etc/tollgate/secret has no secret in its first line",
          "the password was changed", "RESP on 127.0.0.1:7379 and HTTP on 127.0.0.1:7380",
          "http://127.0.0.1:7380/v1/x", "mail to a@example.com", "tg_short",
          "redis.password: no such key for the value x", ""}) {
        EXPECT_EQ(redacted(text), text);
    }
}

TEST(KindOf, IsWhatIsSaidUpToWhatDiffers) {
    EXPECT_EQ(kind_of("threshold 17: party a"), "threshold ");
    EXPECT_EQ(kind_of("HTTP: bad"), "HTTP");
    EXPECT_EQ(kind_of("stopped"), "stopped");
}

// Goal: of a flood so many lines are written as may be, and the rest is counted; other kinds go on.
TEST(Limiter, LetsSoManyLinesOfAKindThroughAndCountsTheRest) {
    Limiter limiter{3};
    const Limiter::Time began{};
    int written = 0;
    for (int i = 0; i < 1'000; ++i)
        written += limiter.admit("flood", began + milliseconds{i}) ? 1 : 0;
    EXPECT_EQ(written, 3);
    EXPECT_TRUE(limiter.admit("other", began + seconds{1}));
    EXPECT_TRUE(limiter.settle(began + seconds{59}).empty()) << "its minute is not over";

    const auto told = limiter.settle(began + seconds{60});
    ASSERT_EQ(told.size(), 1U);
    EXPECT_EQ(told[0].kind, "flood");
    EXPECT_EQ(told[0].lines, 997U);
    EXPECT_TRUE(limiter.admit("flood", began + seconds{60})) << "a new minute";
    EXPECT_TRUE(limiter.settle(began + seconds{200}).empty()) << "nothing was suppressed";
}

TEST(Limiter, SaysWhatIsLeftAtTheEnd) {
    Limiter limiter{1};
    const Limiter::Time now{};
    EXPECT_TRUE(limiter.admit("a", now));
    EXPECT_FALSE(limiter.admit("a", now));
    const auto told = limiter.settle_all();
    ASSERT_EQ(told.size(), 1U);
    EXPECT_EQ(told[0].lines, 1U);
}

TEST(Limiter, CanBeWithoutLimitAndKnowsAtMostSoManyKinds) {
    Limiter none{0};
    for (int i = 0; i < 1'000; ++i)
        EXPECT_TRUE(none.admit("flood", {}));

    Limiter limiter{1};
    std::size_t written = 0;
    for (std::size_t i = 0; i < 2 * Limiter::kKindsMax; ++i)
        written += limiter.admit("kind " + std::to_string(i), {}) ? 1U : 0U;
    EXPECT_EQ(written, Limiter::kKindsMax + 1) << "what is beyond shares one";
}

}  // namespace
}  // namespace tollgate::daemon::logging
