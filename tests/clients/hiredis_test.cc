// hiredis is what Kamailio, OpenSIPS and FreeSWITCH speak with: the same calls through it. hiredis_test.py
// starts the daemon with its parties (see world.py) and names its port in TOLLGATE_RESP_PORT.

#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>
#include <hiredis/hiredis.h>

namespace {

struct FreeReply {
    void operator()(redisReply* reply) const noexcept { freeReplyObject(reply); }
};
using Reply = std::unique_ptr<redisReply, FreeReply>;

std::string text(const redisReply* reply) {
    return reply == nullptr || reply->str == nullptr ? std::string{} : std::string{reply->str, reply->len};
}

/// The words of a flat answer; a fault where it holds anything but bulk strings, which switches lose.
std::vector<std::string> words(const Reply& reply) {
    std::vector<std::string> words;
    if (reply == nullptr || reply->type != REDIS_REPLY_ARRAY) {
        ADD_FAILURE() << "no array but " << (reply ? text(reply.get()) : "nothing");
        return words;
    }
    for (std::size_t i = 0; i < reply->elements; ++i) {
        EXPECT_EQ(reply->element[i]->type, REDIS_REPLY_STRING) << "element " << i;
        words.push_back(text(reply->element[i]));
    }
    return words;
}

/// The value behind a name.
std::string value_of(const std::vector<std::string>& words, std::string_view name) {
    for (std::size_t i = 2; i + 1 < words.size(); i += 2) {
        if (words[i] == name) return words[i + 1];
    }
    ADD_FAILURE() << "no " << name;
    return {};
}

class Hiredis : public testing::Test {
  protected:
    void SetUp() override {
        const char* const port = std::getenv("TOLLGATE_RESP_PORT");
        if (port == nullptr) GTEST_SKIP() << "TOLLGATE_RESP_PORT names no daemon";
        const timeval patience{60, 0};
        context_.reset(redisConnectWithTimeout("127.0.0.1", std::atoi(port), patience));
        ASSERT_NE(context_, nullptr);
        ASSERT_EQ(context_->err, 0) << context_->errstr;
        ASSERT_EQ(redisSetTimeout(context_.get(), patience), REDIS_OK);
    }

    /// `format` is hiredis' own: %s and %d as in printf, %b for bytes and their number.
    template <typename... Words>
    Reply command(const char* format, Words... words) {
        return Reply{static_cast<redisReply*>(redisCommand(context_.get(), format, words...))};
    }

    Reply next() {
        void* reply = nullptr;
        EXPECT_EQ(redisGetReply(context_.get(), &reply), REDIS_OK) << context_->errstr;
        return Reply{static_cast<redisReply*>(reply)};
    }

    struct FreeContext {
        void operator()(redisContext* context) const noexcept { redisFree(context); }
    };
    std::unique_ptr<redisContext, FreeContext> context_;
};

// Goal: a whole call, word by word as hiredis hands it over. 60 s at 0.01 are held, 30 and then 45 charged.
TEST_F(Hiredis, MakesAWholeCall) {
    const auto granted = words(
        command("AUTHORIZE %s %s %s WANT %d AT %s", "a1", "4930123", "h-whole", 60, "2026-03-02T10:00:00Z"));
    ASSERT_EQ(granted.size(), 22U);
    EXPECT_EQ(granted[0], "OK");
    EXPECT_EQ(granted[1], "60");
    EXPECT_EQ(value_of(granted, "held"), "0.6");
    EXPECT_EQ(value_of(granted, "reason"), "");
    EXPECT_EQ(words(command("START %s", "h-whole")), (std::vector<std::string>{"OK", "60", "dup", "0"}));
    EXPECT_EQ(words(command("START %s", "h-whole")), (std::vector<std::string>{"OK", "60", "dup", "1"}));
    const auto extended = words(command("EXTEND %s USED %d WANT %d", "h-whole", 30, 60));
    EXPECT_EQ(extended[1], "90");
    EXPECT_EQ(value_of(extended, "charged"), "0.3");
    const auto stopped = words(command("STOP %s %s CAUSE %s", "h-whole", "44.1", "normal clearing"));
    EXPECT_EQ(stopped[1], "0.45");
    EXPECT_EQ(value_of(stopped, "billed"), "45");
    EXPECT_EQ(value_of(stopped, "status"), "stopped");
}

// Goal: commands sent together are answered in order, each by its own answer.
TEST_F(Hiredis, AnswersAPipelineInOrder) {
    constexpr int kCalls = 1000;
    for (int call = 0; call < kCalls; ++call) {
        ASSERT_EQ(redisAppendCommand(context_.get(), "AUTHORIZE a1 49%d h-pipe-%d WANT %d", call, call,
                                     1 + call % 60),
                  REDIS_OK);
        ASSERT_EQ(redisAppendCommand(context_.get(), "ECHO %d", call), REDIS_OK);
        ASSERT_EQ(redisAppendCommand(context_.get(), "RELEASE h-pipe-%d", call), REDIS_OK);
    }
    for (int call = 0; call < kCalls; ++call) {
        const auto granted = words(next());
        ASSERT_EQ(granted.size(), 22U);
        EXPECT_EQ(granted[0], "OK");
        EXPECT_EQ(granted[1], std::to_string(1 + call % 60));
        EXPECT_EQ(value_of(granted, "number"), "49" + std::to_string(call));
        EXPECT_EQ(text(next().get()), std::to_string(call));
        EXPECT_EQ(words(next()), (std::vector<std::string>{"OK", "0", "dup", "0"}));
    }
}

// Goal: a session id is any bytes, with %b; %s cuts at the NUL and names another session.
TEST_F(Hiredis, KeepsTheBytesOfASessionId) {
    constexpr std::string_view kId{"\"h%<>@\r\n\0\xff end", 14};
    const auto granted = words(command("AUTHORIZE a1 4930123 %b WANT 10", kId.data(), kId.size()));
    EXPECT_EQ(granted[0], "OK");
    const Reply listed = command("SESSIONS PARTY a1");
    ASSERT_EQ(listed->type, REDIS_REPLY_ARRAY);
    ASSERT_EQ(listed->elements, 3U);
    ASSERT_EQ(listed->element[2]->type, REDIS_REPLY_ARRAY);
    EXPECT_EQ(text(listed->element[2]->element[0]), kId);
    EXPECT_EQ(words(command("RELEASE %s", kId.data()))[0], "UNKNOWN_SESSION");
    EXPECT_EQ(words(command("RELEASE %b", kId.data(), kId.size()))[0], "OK");
    const Reply echoed = command("ECHO %b", kId.data(), kId.size());
    EXPECT_EQ(text(echoed.get()), kId);
}

// Goal: an error is an error, a refusal is not, and the connection is good after both.
TEST_F(Hiredis, TellsErrorsFromRefusals) {
    const Reply wrong = command("STOP h-none nonsense");
    ASSERT_EQ(wrong->type, REDIS_REPLY_ERROR);
    EXPECT_EQ(text(wrong.get()).substr(0, 9), "BADARG s:");
    EXPECT_EQ(command("NOSUCH")->type, REDIS_REPLY_ERROR);
    EXPECT_EQ(words(command("STOP h-none 10"))[0], "UNKNOWN_SESSION");
    EXPECT_EQ(words(command("AUTHORIZE %s %s %s", "<null>", "4930123", "h-null"))[0], "UNKNOWN_ACCOUNT");
    const Reply pong = command("PING");
    EXPECT_EQ(pong->type, REDIS_REPLY_STATUS);
    EXPECT_EQ(text(pong.get()), "PONG");
    EXPECT_EQ(context_->err, 0);
}

// Goal: PLAIN is one bulk string, for clients that drop arrays.
TEST_F(Hiredis, GetsPlainAnswersAsOneString) {
    const Reply plain = command("AUTHORIZE a1 4930123 %s WANT 60 PLAIN", "h-plain");
    ASSERT_EQ(plain->type, REDIS_REPLY_STRING);
    EXPECT_EQ(text(plain.get()).substr(0, 14), "OK 60 final 0 ");
    EXPECT_EQ(text(command("RELEASE %s PLAIN", "h-plain").get()), "OK 0 dup 0");
}

// Goal: after a frame that is malformed, one error and then the end, which hiredis sees.
TEST_F(Hiredis, SeesTheEndAfterAMalformedFrame) {
    ASSERT_EQ(redisAppendFormattedCommand(context_.get(), "*1\r\n$-5\r\n", 9), REDIS_OK);
    EXPECT_EQ(next()->type, REDIS_REPLY_ERROR);
    void* reply = nullptr;
    EXPECT_EQ(redisGetReply(context_.get(), &reply), REDIS_ERR);
    EXPECT_EQ(context_->err, REDIS_ERR_EOF);
    ASSERT_EQ(redisReconnect(context_.get()), REDIS_OK);
    EXPECT_EQ(text(command("PING").get()), "PONG");
}

}  // namespace
