#include "balance/journal/checksum.h"

#include <cstring>
#include <random>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

namespace tollgate::balance::journal {
namespace {

std::vector<std::byte> bytes_of(std::string_view text) {
    std::vector<std::byte> bytes(text.size());
    std::memcpy(bytes.data(), text.data(), text.size());
    return bytes;
}

// The check value of CRC-32C, and those of RFC 3720, B.4.
TEST(Checksum, IsTheOneThatIsPublished) {
    EXPECT_EQ(checksum(bytes_of("123456789")), 0xE306'9283U);
    EXPECT_EQ(checksum(std::vector<std::byte>(32)), 0x8A91'36AAU);
    EXPECT_EQ(checksum(std::vector<std::byte>(32, std::byte{0xFF})), 0x62A8'AB43U);
    EXPECT_EQ(checksum({}), 0U);
}

TEST(Checksum, InstructionAndTableAgreeAndPiecesMakeTheWhole) {
    std::mt19937_64 random{1};
    std::vector<std::byte> bytes(300);
    for (auto& byte : bytes)
        byte = static_cast<std::byte>(random() & 0xFFU);
    for (std::size_t size = 0; size <= bytes.size(); ++size) {
        const auto part = std::span{bytes}.first(size);
        EXPECT_EQ(checksum(part), checksum_by_table(part));
        EXPECT_EQ(checksum(part), checksum(part.subspan(size / 3), checksum(part.first(size / 3))));
    }
}

TEST(Checksum, NamesTheFlippedBit) {
    auto bytes = bytes_of("which of these bits is another one now?");
    const auto expected = checksum(bytes);
    for (std::size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
        bytes[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
        EXPECT_EQ(flipped_bit(bytes.size(), checksum(bytes), expected), bit);
        bytes[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
    }
    bytes[3] ^= std::byte{5};
    EXPECT_EQ(flipped_bit(bytes.size(), checksum(bytes), expected), std::nullopt);
}

}  // namespace
}  // namespace tollgate::balance::journal
