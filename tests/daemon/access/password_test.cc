#include "daemon/access/password.h"

#include <string>

#include <gtest/gtest.h>

namespace tollgate::daemon::access {
namespace {

TEST(PasswordRule, TenCharactersAreEnoughAndNineAreNot) {
    EXPECT_EQ(rule_of("abcdefghij", "alice"), PasswordRule::kept);
    EXPECT_EQ(rule_of("abcdefghi", "alice"), PasswordRule::too_short);
    EXPECT_EQ(rule_of("", "alice"), PasswordRule::too_short);
}

// Ten letters with an accent are twenty bytes; five of them are ten bytes and too short.
TEST(PasswordRule, CountsCharactersAndNotBytes) {
    EXPECT_EQ(rule_of("äöüßéèêñçå", "alice"), PasswordRule::kept);
    EXPECT_EQ(rule_of("äöüßé", "alice"), PasswordRule::too_short);
}

TEST(PasswordRule, TheLoginIsNoPassword) {
    EXPECT_EQ(rule_of("alice.miller@example.com", "alice.miller@example.com"), PasswordRule::login);
    EXPECT_EQ(rule_of("ALICE.Miller@example.com", "alice.miller@example.com"), PasswordRule::login);
    EXPECT_EQ(rule_of("Alice.Miller", "alice.miller@example.com"), PasswordRule::login);
    EXPECT_EQ(rule_of("alice.miller1", "alice.miller@example.com"), PasswordRule::kept);
}

TEST(PasswordRule, OneCharacterAgainAndAgainIsNone) {
    EXPECT_EQ(rule_of("aaaaaaaaaaaa", "alice"), PasswordRule::one_sign);
    EXPECT_EQ(rule_of("ääääääääää", "alice"), PasswordRule::one_sign);
    EXPECT_EQ(rule_of("aaaaaaaaaaab", "alice"), PasswordRule::kept);
}

TEST(PasswordRule, AsksForTextOfBoundedLength) {
    EXPECT_EQ(rule_of(std::string(255, 'a') + "b", "alice"), PasswordRule::kept);
    EXPECT_EQ(rule_of(std::string(256, 'a') + "b", "alice"), PasswordRule::too_long);
    EXPECT_EQ(rule_of("abcdefghi\n", "alice"), PasswordRule::no_text);
    EXPECT_EQ(rule_of(std::string("abcdefghij\0k", 12), "alice"), PasswordRule::no_text);
    EXPECT_EQ(rule_of("abcdefghij\xC3", "alice"), PasswordRule::no_text);
    EXPECT_EQ(rule_of("abcdefghij\xC0\xAF", "alice"), PasswordRule::no_text);      // Longer than it must be.
    EXPECT_EQ(rule_of("abcdefghij\xED\xA0\x80", "alice"), PasswordRule::no_text);  // A half of a pair.
}

class PasswordsTest : public testing::Test {
  protected:
    Passwords passwords{PasswordCost::least()};
};

TEST_F(PasswordsTest, OnlyTheRightPasswordIsRight) {
    const auto hash = passwords.hash("correct horse");
    ASSERT_TRUE(hash);
    EXPECT_TRUE(passwords.verify(hash, "correct horse"));
    EXPECT_FALSE(passwords.verify(hash, "correct horsf"));
    EXPECT_FALSE(passwords.verify(hash, "Correct horse"));
    EXPECT_FALSE(passwords.verify(hash, "correct horse "));
    EXPECT_FALSE(passwords.verify(hash, ""));
}

TEST_F(PasswordsTest, NothingIsRightWhereThereIsNoHash) {
    EXPECT_FALSE(passwords.verify(std::nullopt, "correct horse"));
    EXPECT_FALSE(passwords.verify(std::nullopt, ""));
}

TEST_F(PasswordsTest, TwoHashesOfOnePasswordDiffer) {
    EXPECT_NE(passwords.hash("correct horse"), passwords.hash("correct horse"));
}

TEST_F(PasswordsTest, WhatIsTooLongIsWrongAndNotCut) {
    const std::string longest(kPasswordBytesMax, 'x');
    const auto hash = passwords.hash(longest);
    EXPECT_TRUE(passwords.verify(hash, longest));
    EXPECT_FALSE(passwords.verify(hash, longest + "x"));
    EXPECT_FALSE(passwords.verify(hash, std::string(1'000'000, 'x')));
}

TEST_F(PasswordsTest, AHashOfAnotherCostIsOutdatedAndStillRight) {
    const auto hash = passwords.hash("correct horse");
    EXPECT_FALSE(passwords.is_outdated(*hash));
    const Passwords dearer{{2, std::size_t{8} * 1024}};
    EXPECT_TRUE(dearer.is_outdated(*hash));
    EXPECT_TRUE(dearer.verify(hash, "correct horse"));
}

TEST(PasswordHash, SaysArgon2idAndItsCost) {
    const Passwords passwords;
    const auto hash = passwords.hash("correct horse");
    ASSERT_TRUE(hash);
    EXPECT_TRUE(hash->text.starts_with("$argon2id$v=19$m=65536,t=2,p=1$")) << hash->text;
    EXPECT_EQ(PasswordHash::parse(hash->text), hash);
}

TEST(PasswordHash, OthersAndDearerOnesAreNone) {
    const std::string rest = "$c2FsdHNhbHRzYWx0c2FsdA$aGFzaGhhc2hoYXNoaGFzaGhhc2hoYXNoaGFzaGhhc2g";
    EXPECT_TRUE(PasswordHash::parse("$argon2id$v=19$m=65536,t=2,p=1" + rest));
    EXPECT_TRUE(PasswordHash::parse("$argon2id$v=19$m=262144,t=16,p=1" + rest));
    EXPECT_FALSE(PasswordHash::parse("$argon2id$v=19$m=262145,t=2,p=1" + rest));
    EXPECT_FALSE(PasswordHash::parse("$argon2id$v=19$m=65536,t=17,p=1" + rest));
    EXPECT_FALSE(PasswordHash::parse("$argon2id$v=19$m=0,t=2,p=1" + rest));
    EXPECT_FALSE(PasswordHash::parse("$argon2i$v=19$m=65536,t=2,p=1" + rest));
    EXPECT_FALSE(PasswordHash::parse("$2b$12$abcdefghijklmnopqrstuv"));
    EXPECT_FALSE(PasswordHash::parse("correct horse"));
    EXPECT_FALSE(PasswordHash::parse(""));
}

TEST(Wipe, LeavesNothing) {
    std::string secret = "correct horse, and longer than any buffer inside a string";
    const char* const at = secret.data();
    wipe(secret);
    EXPECT_TRUE(secret.empty());
    EXPECT_EQ(at[0], '\0');
    EXPECT_EQ(at[1], '\0');
}

}  // namespace
}  // namespace tollgate::daemon::access
