#include "daemon/access/token.h"

#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace tollgate::daemon::access {
namespace {

using std::chrono::hours;

TEST(FreshToken, IsThePrefixAndThirtyTwoBytesInBase64Url) {
    const FreshToken token = make_token();
    EXPECT_EQ(token.text.size(), 46U);
    EXPECT_TRUE(token.text.starts_with("tg_"));
    EXPECT_EQ(
        token.text.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"),
        std::string::npos);
}

TEST(FreshToken, IsAnotherEachTime) {
    std::set<std::string> texts;
    for (int i = 0; i < 1'000; ++i)
        texts.insert(make_token().text);
    EXPECT_EQ(texts.size(), 1'000U);
}

TEST(TokenHash, IsThatOfTheTextAndOfNoOther) {
    FreshToken token = make_token();
    EXPECT_EQ(hash_of_token(token.text), token.hash);
    token.text[10] = token.text[10] == 'A' ? 'B' : 'A';
    ASSERT_TRUE(hash_of_token(token.text));
    EXPECT_FALSE(*hash_of_token(token.text) == token.hash);
}

// BLAKE2b-256 of 32 bytes 0, as another implementation (Python's hashlib) has it.
TEST(TokenHash, IsBlake2b) {
    const auto hash = hash_of_token("tg_" + std::string(43, 'A'));
    ASSERT_TRUE(hash);
    EXPECT_EQ(hash->bytes[0], 0x89);
    EXPECT_EQ(hash->bytes[1], 0xeb);
    EXPECT_EQ(hash->bytes[31], 0xc3);
}

TEST(TokenHash, TextsReadBack) {
    const TokenHash hash = make_token().hash;
    EXPECT_EQ(hash.text().size(), 64U);
    EXPECT_EQ(TokenHash::parse(hash.text()), hash);
    EXPECT_FALSE(TokenHash::parse(hash.text().substr(2)));
    EXPECT_FALSE(TokenHash::parse(std::string(64, 'g')));
    EXPECT_FALSE(TokenHash::parse(""));
}

TEST(TokenHash, WhatIsNoTokenHasNone) {
    const std::string text = make_token().text;
    EXPECT_FALSE(hash_of_token(""));
    EXPECT_FALSE(hash_of_token("tg_"));
    EXPECT_FALSE(hash_of_token(text.substr(0, 45)));
    EXPECT_FALSE(hash_of_token(text + "A"));
    EXPECT_FALSE(hash_of_token("TG_" + text.substr(3)));
    EXPECT_FALSE(hash_of_token("tg_" + std::string(42, 'A') + "+"));
    EXPECT_FALSE(hash_of_token("tg_" + std::string(42, 'A') + "="));
    EXPECT_FALSE(hash_of_token("tg_" + std::string(42, 'A') + "B"));  // Bits beyond the 32nd byte.
}

class TokenIndexTest : public testing::Test {
  protected:
    TokenHash add(const std::string& id, const std::string& person, hours life = hours{1}) {
        const FreshToken fresh = make_token();
        index.add({id, person, fresh.hash, now + life});
        return fresh.hash;
    }
    using Ids = std::vector<std::string>;
    TokenIndex index;
    rating::Instant now{hours{1000}};
};

TEST_F(TokenIndexTest, FindsATokenUntilItExpires) {
    const TokenHash hash = add("k-1", "ann");
    ASSERT_NE(index.find(hash, now), nullptr);
    EXPECT_EQ(index.find(hash, now)->person, "ann");
    EXPECT_NE(index.find(hash, now + hours{1} - std::chrono::nanoseconds{1}), nullptr);
    EXPECT_EQ(index.find(hash, now + hours{1}), nullptr);
    EXPECT_EQ(index.find(make_token().hash, now), nullptr);
}

TEST_F(TokenIndexTest, ARemovedTokenIsFoundNoMore) {
    const TokenHash hash = add("k-1", "ann");
    const TokenHash other = add("k-2", "ann");
    index.remove("k-1");
    EXPECT_EQ(index.find(hash, now), nullptr);
    EXPECT_NE(index.find(other, now), nullptr);
    index.remove("k-1");  // Again is nothing.
    EXPECT_NE(index.find(other, now), nullptr);
}

TEST_F(TokenIndexTest, KnowsWhoseTheyAre) {
    (void)add("k-1", "ann", hours{1});
    (void)add("k-2", "ann", hours{2});
    (void)add("k-3", "bob");
    EXPECT_EQ(index.of_person("ann"), (Ids{"k-1", "k-2"}));
    EXPECT_EQ(index.of_person("bob"), (Ids{"k-3"}));
    EXPECT_TRUE(index.of_person("carol").empty());
    index.remove("k-1");
    EXPECT_EQ(index.of_person("ann"), (Ids{"k-2"}));
}

TEST_F(TokenIndexTest, KnowsWhatHasExpired) {
    (void)add("k-1", "ann", hours{1});
    (void)add("k-2", "ann", hours{2});
    EXPECT_TRUE(index.expired(now).empty());
    EXPECT_EQ(index.expired(now + hours{1}), (Ids{"k-1"}));
    EXPECT_EQ(index.expired(now + hours{2}), (Ids{"k-1", "k-2"}));
}

TEST_F(TokenIndexTest, BeyondTheMostThatAPersonMayHaveTheFirstToEndIsSurplus) {
    for (std::size_t number = 1; number < kTokensPerPersonMax; ++number)
        (void)add("k-" + std::to_string(number), "ann", number == 7 ? hours{1} : hours{2});
    EXPECT_EQ(index.surplus_of("ann"), std::nullopt);
    (void)add("k-1000", "ann", hours{2});
    EXPECT_EQ(index.surplus_of("ann"), "k-7");
    EXPECT_EQ(index.surplus_of("bob"), std::nullopt);
}

}  // namespace
}  // namespace tollgate::daemon::access
