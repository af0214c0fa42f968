#include "balance/session_key.h"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace tollgate::balance {
namespace {

std::string key_of(std::string_view scope, std::string_view id) {
    return std::string{SessionKey{scope, id}.view()};
}

TEST(SessionKey, AnIdOfNobodyInParticularIsItsOwn) {
    EXPECT_EQ(key_of("", "call-1"), "call-1");
    EXPECT_EQ(SessionKey::id_offset("call-1"), 0U);
}

// Goal: no two pairs of scope and id have one key, whatever bytes a caller puts into the id.
TEST(SessionKey, TellsScopesAndIdsApart) {
    using namespace std::string_view_literals;
    const std::vector<std::string> keys = {key_of("", "b"),      key_of("a", "b"),  key_of("", "\0a\0b"sv),
                                           key_of("a", "\0b"sv), key_of("ab", "b"), key_of("a", "a\0b"sv)};
    for (std::size_t i = 0; i < keys.size(); ++i) {
        for (std::size_t j = 0; j < i; ++j)
            EXPECT_NE(keys[i], keys[j]) << i << ' ' << j;
    }
    const std::string key = key_of("kam", "\0x\0y"sv);
    const std::size_t at = SessionKey::id_offset(key);
    EXPECT_EQ(key.substr(at), "\0x\0y"sv);
    EXPECT_EQ(SessionKey::scope_before(key, at), "kam");
}

TEST(SessionKey, IsEmptyForWhatIsNoId) {
    EXPECT_EQ(key_of("kam", ""), "");
    EXPECT_EQ(key_of("", std::string(kSessionIdBytesMax + 1, 'x')), "");
    EXPECT_EQ(key_of(std::string(kSessionScopeBytesMax, 'k'), std::string(kSessionIdBytesMax, 'x')).size(),
              kSessionKeyBytesMax);
}

// Goal: what journals held before there were users reads as it did; the longest key is read again.
TEST(SessionKey, IsWrittenAsAShortTextWhereItIsOne) {
    for (const std::string& key :
         {std::string{"call"}, std::string(255, 'x'), key_of("kam", std::string(255, 'x'))}) {
        std::vector<std::byte> bytes;
        ByteWriter out{bytes};
        write_session_key(key, out);
        ByteReader in{bytes};
        EXPECT_EQ(read_session_key(in), key);
        EXPECT_TRUE(in.at_end());
        if (key.size() > 255) continue;
        ByteReader before{bytes};
        EXPECT_EQ(before.short_text(), key);
    }
}

}  // namespace
}  // namespace tollgate::balance
