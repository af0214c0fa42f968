#include "daemon/admin/gzip.h"

#include <gtest/gtest.h>

#include "tests/daemon/admin/packed.h"

namespace tollgate::daemon::admin {
namespace {

constexpr std::size_t kAny = std::size_t{1} << 30;

TEST(Gunzip, GivesBackWhatWasPacked) {
    std::string text;
    for (int i = 0; i < 100'000; ++i)
        text += std::to_string(i) + ",0.01\n";
    const auto result = gunzip(packed(text), kAny);
    EXPECT_EQ(result.status, GunzipStatus::unpacked);
    EXPECT_EQ(result.text, text);
    EXPECT_EQ(gunzip(packed(""), kAny).status, GunzipStatus::unpacked);
}

// Goal: several files behind each other are one, as gzip says.
TEST(Gunzip, JoinsMembers) {
    EXPECT_EQ(gunzip(packed("one,") + packed("two"), kAny).text, "one,two");
}

// Goal: whatever is cut off, flipped or added, nothing is unpacked.
// Method: every prefix of a packed text, one changed byte of its checksum, and bytes behind its end.
TEST(Gunzip, RefusesWhatIsDamaged) {
    const std::string whole = packed("prefix,rate_per_minute\n49,0.01\n");
    for (std::size_t size = 0; size < whole.size(); ++size) {
        EXPECT_EQ(gunzip(whole.substr(0, size), kAny).status, GunzipStatus::damaged) << size;
    }
    std::string flipped = whole;
    flipped[flipped.size() - 6] = static_cast<char>(flipped[flipped.size() - 6] ^ 1);
    EXPECT_EQ(gunzip(flipped, kAny).status, GunzipStatus::damaged);
    EXPECT_EQ(gunzip(whole + "more", kAny).status, GunzipStatus::damaged);
    EXPECT_EQ(gunzip("prefix,rate_per_minute\n", kAny).status, GunzipStatus::damaged);
}

// Goal: a small file that unpacks to a huge one stops at the limit; one that just fits does not.
TEST(Gunzip, StopsAtTheLimit) {
    std::string zeros;
    zeros.resize(10'000'000, '0');
    const std::string bomb = packed(zeros);
    EXPECT_LT(bomb.size(), 100'000U);
    EXPECT_EQ(gunzip(bomb, 1'000'000).status, GunzipStatus::too_large);
    EXPECT_EQ(gunzip(bomb, 9'999'999).status, GunzipStatus::too_large);
    EXPECT_EQ(gunzip(bomb, 10'000'000).status, GunzipStatus::unpacked);
}

// Goal: where the pieces end makes no difference, neither to the text nor to its checksum.
// Method: three files behind each other, one of them empty, in pieces of 1 to 40 bytes and with limits around
// their size; the checksum is that of the whole text, and of "123456789" it is the one in CRC-32's
// definition.
TEST(Gunzip, TakesPieces) {
    const std::string text = "prefix,rate_per_minute\n49,0.01\n" + std::string(200'000, '1');
    const std::string whole = packed(text.substr(0, 20)) + packed("") + packed(text.substr(20));
    for (std::size_t size = 1; size <= 40; ++size) {
        Gunzip unpacker{text.size()};
        std::string unpacked;
        for (std::size_t at = 0; at < whole.size(); at += size) {
            ASSERT_EQ(unpacker.feed(std::string_view{whole}.substr(at, size),
                                    [&](std::string_view piece) { unpacked += piece; }),
                      GunzipStatus::unpacked);
        }
        EXPECT_EQ(unpacker.finish(), GunzipStatus::unpacked);
        EXPECT_EQ(unpacked, text);
        EXPECT_EQ(unpacker.checksum(), checksum_of(text));
    }
    EXPECT_EQ(gunzip(whole, text.size() - 1).status, GunzipStatus::too_large);
    EXPECT_EQ(checksum_of({}, 7), 7U);
    EXPECT_EQ(checksum_of("6789", checksum_of("12345")), 0xCBF43926U);
}

TEST(Gunzip, KnowsItsMagicBytes) {
    EXPECT_TRUE(is_gzip(packed("x")));
    EXPECT_FALSE(is_gzip("\x1F"));
    EXPECT_FALSE(is_gzip("prefix"));
}

}  // namespace
}  // namespace tollgate::daemon::admin
