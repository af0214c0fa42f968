#include "daemon/access/token.h"

#include <set>
#include <string>

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

class TokenTableTest : public testing::Test {
  protected:
    TokenHash add(std::uint64_t id, std::uint32_t person, hours life = hours{1}) {
        const FreshToken fresh = make_token();
        table.add({TokenId{id}, PersonId{person}, fresh.hash, now, now + life, ""});
        return fresh.hash;
    }
    TokenTable table;
    rating::Instant now{hours{1000}};
};

TEST_F(TokenTableTest, FindsATokenUntilItExpires) {
    const TokenHash hash = add(1, 5);
    ASSERT_NE(table.find(hash, now), nullptr);
    EXPECT_EQ(table.find(hash, now)->person, PersonId{5});
    EXPECT_NE(table.find(hash, now + hours{1} - std::chrono::nanoseconds{1}), nullptr);
    EXPECT_EQ(table.find(hash, now + hours{1}), nullptr);
    EXPECT_EQ(table.find(make_token().hash, now), nullptr);
}

TEST_F(TokenTableTest, ARemovedTokenIsFoundNoMore) {
    const TokenHash hash = add(1, 5);
    const TokenHash other = add(2, 5);
    EXPECT_TRUE(table.remove(TokenId{1}));
    EXPECT_EQ(table.find(hash, now), nullptr);
    EXPECT_NE(table.find(other, now), nullptr);
    EXPECT_FALSE(table.remove(TokenId{1}));
}

TEST_F(TokenTableTest, RemovesAllOfAPersonButOneAndNobodyElses) {
    const TokenHash first = add(1, 5);
    const TokenHash kept = add(2, 5);
    const TokenHash others = add(3, 6);
    EXPECT_EQ(table.remove_all_of(PersonId{5}, TokenId{2}), 1U);
    EXPECT_EQ(table.find(first, now), nullptr);
    EXPECT_NE(table.find(kept, now), nullptr);
    EXPECT_NE(table.find(others, now), nullptr);
    EXPECT_EQ(table.remove_all_of(PersonId{5}), 1U);
    EXPECT_EQ(table.find(kept, now), nullptr);
    EXPECT_EQ(table.remove_all_of(PersonId{5}), 0U);
}

TEST_F(TokenTableTest, ListsAPersonsThatAreGood) {
    (void)add(1, 5, hours{1});
    (void)add(2, 5, hours{2});
    (void)add(3, 6);
    EXPECT_EQ(table.tokens_of(PersonId{5}, now).size(), 2U);
    const auto later = table.tokens_of(PersonId{5}, now + hours{1});
    ASSERT_EQ(later.size(), 1U);
    EXPECT_EQ(later[0]->id, TokenId{2});
    EXPECT_TRUE(table.tokens_of(PersonId{7}, now).empty());
}

TEST_F(TokenTableTest, RemovesWhatHasExpired) {
    (void)add(1, 5, hours{1});
    (void)add(2, 5, hours{2});
    EXPECT_EQ(table.remove_expired(now), 0U);
    EXPECT_EQ(table.remove_expired(now + hours{1}), 1U);
    EXPECT_EQ(table.find(TokenId{1}), nullptr);
    EXPECT_NE(table.find(TokenId{2}), nullptr);
    EXPECT_EQ(table.all().size(), 1U);
}

TEST_F(TokenTableTest, BeyondTheMostThatAPersonMayHaveTheFirstToEndIsSurplus) {
    for (std::uint64_t id = 1; id < kTokensPerPersonMax; ++id)
        (void)add(id, 5, id == 7 ? hours{1} : hours{2});
    EXPECT_EQ(table.surplus_of(PersonId{5}), std::nullopt);
    (void)add(kTokensPerPersonMax, 5, hours{2});
    EXPECT_EQ(table.surplus_of(PersonId{5}), TokenId{7});
    EXPECT_EQ(table.surplus_of(PersonId{6}), std::nullopt);
}

}  // namespace
}  // namespace tollgate::daemon::access
