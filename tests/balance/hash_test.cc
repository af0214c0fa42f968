#include "balance/hash.h"

#include <bitset>
#include <set>
#include <string>

#include <gtest/gtest.h>

namespace tollgate::balance {
namespace {

// Goal: inputs that differ little hash apart, under any key: 0 is one that tests and fingerprints use.
// Method: short and long strings that differ in one byte or in length; all hashes and their upper bits differ
// enough.
TEST(KeyedHash, TellsLikeInputsApart) {
    for (const std::uint64_t key :
         {std::uint64_t{0}, std::uint64_t{1}, ~std::uint64_t{0}, std::uint64_t{0x9E37'79B9'7F4A'7C15}}) {
        const KeyedHash hash{key};
        std::set<std::uint64_t> hashes;
        std::set<std::uint64_t> stripes;
        constexpr std::size_t kCount = 20'000;
        for (std::size_t i = 0; i < kCount; ++i) {
            const std::string text = std::to_string(i) + std::string(i % 40, 'x');
            hashes.insert(hash(text));
            stripes.insert(hash(text) >> 54);
        }
        EXPECT_EQ(hashes.size(), kCount) << key;
        EXPECT_EQ(stripes.size(), 1'024U) << key;
        EXPECT_NE(hash(std::string(1, '\0')), hash(std::string(2, '\0')));
        EXPECT_NE(hash.mix(hash("a"), 1), hash.mix(hash("a"), 2));
    }
    EXPECT_NE(KeyedHash{1}("same"), KeyedHash{2}("same"));
    EXPECT_EQ(KeyedHash{1}(std::string_view{}), KeyedHash{1}("")) << "nothing is nothing, wherever it points";
}

// Goal: a hash is the same in every version of the program: fingerprints stand in journals.
// Method: texts of all lengths that hash in ways of their own, under key 0; what the first version made of
// them.
TEST(KeyedHash, NeverChanges) {
    const KeyedHash hash{0};
    std::uint64_t all = 0;
    std::string text;
    for (std::size_t i = 0; i <= 40; ++i) {
        all = hash.mix(all, hash(text));
        text.push_back(static_cast<char>(i % 3 == 0 ? 0x80 + i : 'a' + i % 26));
    }
    EXPECT_EQ(all, 0x8EF8'C55C'7DFD'73D1U);
}

}  // namespace
}  // namespace tollgate::balance
