#include "daemon/admin/deck_upload.h"

#include <gtest/gtest.h>

#include "tests/daemon/admin/packed.h"

namespace tollgate::daemon::admin {
namespace {

constexpr std::string_view kUploaded = "prefix,rate_per_minute\n49,0.01\n4930,0.02\n";
constexpr std::size_t kAnySize = std::size_t{1} << 30;

DeckUpload::Result uploaded(std::string_view file, std::size_t piece_bytes, std::size_t bytes_max = kAnySize,
                            std::string_view encoding = {}) {
    DeckUpload upload{{}, encoding, bytes_max};
    for (std::size_t at = 0; at < file.size(); at += piece_bytes)
        upload.feed(file.substr(at, piece_bytes));
    return upload.finish();
}

// Goal: packed or not, cut anywhere, it is the same deck with the checksum of its text.
TEST(DeckUpload, TakesPieces) {
    const std::string file = packed(kUploaded);
    for (std::size_t size = 1; size <= file.size(); ++size) {
        for (const std::string_view sent : {kUploaded, std::string_view{file}}) {
            const auto result = uploaded(sent, size);
            ASSERT_FALSE(result.refusal);
            ASSERT_NE(result.reading.deck, nullptr);
            EXPECT_EQ(result.reading.deck->row_count(), 2U);
            EXPECT_EQ(result.checksum, checksum_of(kUploaded));
        }
    }
}

TEST(DeckUpload, OfLessThanTheMagicBytesIsRead) {
    EXPECT_EQ(uploaded("", 1).reading.fault_count, 1U);
    EXPECT_EQ(uploaded("p", 1).reading.fault_count, 3U);  // Unknown, and two are missing.
    EXPECT_EQ(uploaded("\x1F", 1).reading.deck, nullptr);
}

// Goal: what is packed badly, or too well, is refused and said so as soon as it is seen.
TEST(DeckUpload, RefusesWhatCannotBeUnpacked) {
    EXPECT_EQ(uploaded(kUploaded, 5, kAnySize, "gzip").refusal->status, 422U);
    EXPECT_EQ(uploaded(packed(kUploaded).substr(0, 30), 5).refusal->status, 422U);
    EXPECT_EQ(uploaded(packed(kUploaded), 5, kUploaded.size() - 1).refusal->status, 413U);
    EXPECT_FALSE(uploaded(packed(kUploaded), 5, kUploaded.size()).refusal);
    DeckUpload upload{{}, "gzip", kAnySize};
    EXPECT_FALSE(upload.feed(kUploaded));
}

}  // namespace
}  // namespace tollgate::daemon::admin
