#include "rating/csv.h"

#include <gtest/gtest.h>

namespace tollgate::rating {
namespace {

using Status = CsvReader::Status;

// What CsvReader makes of quotes, line ends and faults is shown by the decks of deck_csv_test.cc.

// Goal: a file may be read in parts by several readers.
// Method: a byte-order mark is dropped at the beginning of a file; where a reader begins at a later row, the
// same bytes are text.
TEST(CsvReader, ByteOrderMarkIsDroppedAtTheBeginningOfAFileOnly) {
    constexpr std::string_view kText =
        "\xEF\xBB\xBF"
        "44,uk\n";
    CsvReader file;
    ASSERT_EQ(file.next(kText, true), Status::row);
    EXPECT_EQ(file.fields()[0], "44");
    CsvReader row{CsvReader::Begin::row};
    ASSERT_EQ(row.next(kText, true), Status::row);
    EXPECT_EQ(row.fields()[0],
              "\xEF\xBB\xBF"
              "44");
    EXPECT_EQ(row.line(), 1U);
}

// Goal: a written field is read as it was.
TEST(CsvReader, ReadsWhatAppendFieldWrites) {
    for (const std::string_view text : {"", "plain", "a,b", "\"", "say \"no\"", "two\nlines", "cr\r\n"}) {
        std::string csv = "before,";
        append_field(csv, text);
        csv += ",behind\n";
        CsvReader reader;
        ASSERT_EQ(reader.next(csv, true), Status::row);
        ASSERT_EQ(reader.fields().size(), 3U);
        EXPECT_EQ(reader.fields()[1], text);
        EXPECT_EQ(reader.consumed(), csv.size());
    }
}

}  // namespace
}  // namespace tollgate::rating
