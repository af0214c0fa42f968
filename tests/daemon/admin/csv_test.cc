#include "daemon/admin/csv.h"

#include <gtest/gtest.h>

namespace tollgate::daemon::admin {
namespace {

std::string written(std::string_view text) {
    CsvWriter csv;
    csv.cell(text);
    return csv.take();
}

TEST(CsvWriter, WritesRowsOfCells) {
    CsvWriter csv;
    csv.cell("id");
    csv.cell("");
    csv.cell("name");
    csv.end_row();
    csv.cell("a");
    csv.end_row();
    EXPECT_EQ(csv.take(), "id,,name\na\n");
}

TEST(CsvWriter, QuotesWhatWouldEndACell) {
    EXPECT_EQ(written("a,b"), "\"a,b\"");
    EXPECT_EQ(written("say \"no\""), "\"say \"\"no\"\"\"");
    EXPECT_EQ(written("two\nlines"), "\"two\nlines\"");
    EXPECT_EQ(written("plain text; with 'marks'"), "plain text; with 'marks'");
}

TEST(CsvWriter, NoCellIsAFormula) {
    EXPECT_EQ(written("=1+1"), "'=1+1");
    EXPECT_EQ(written("@sum(a1)"), "'@sum(a1)");
    EXPECT_EQ(written("+49 30 1234"), "'+49 30 1234");
    EXPECT_EQ(written("-2+3"), "'-2+3");
    EXPECT_EQ(written("-"), "'-");
    EXPECT_EQ(written("-1.2.3"), "'-1.2.3");
    EXPECT_EQ(written("\t=1"), "'\t=1");
    EXPECT_EQ(written("\r=1"), "\"'\r=1\"");
    EXPECT_EQ(written("=cmd|' /C calc'!A0,\"x\""), "\"'=cmd|' /C calc'!A0,\"\"x\"\"\"");
    // Plain numbers and what has such a sign elsewhere are as they are.
    EXPECT_EQ(written("-12.5"), "-12.5");
    EXPECT_EQ(written("-0"), "-0");
    EXPECT_EQ(written("a=b"), "a=b");
}

}  // namespace
}  // namespace tollgate::daemon::admin
