#include "daemon/ctl/output.h"

#include <sstream>

#include <gtest/gtest.h>

namespace tollgate::daemon::ctl {
namespace {

using std::chrono::milliseconds;

// Goal: what somebody named a party does nothing to the terminal of whoever lists it.
TEST(Printable, EscapesWhatControlsATerminal) {
    EXPECT_EQ(printable("plain ü €"), "plain ü €");
    EXPECT_EQ(printable("\x1b[2J\n\t\x7f"), R"(\x1b[2J\x0a\x09\x7f)");
    EXPECT_EQ(printable("\xc2\x9b"
                        "2J"),
              "\\xc2\x9b"
              "2J");  // CSI in UTF-8: its first byte is gone.
    EXPECT_EQ(printable("\xc2\xa9"), "\xc2\xa9");
}

TEST(PrintLines, EndsEachLineAndEscapesWhatIsInIt) {
    const auto printed = [](std::string_view text) {
        std::ostringstream out;
        print_lines(out, text);
        return out.str();
    };
    EXPECT_EQ(printed("ok\n"), "ok\n");
    EXPECT_EQ(printed("ok"), "ok\n");
    EXPECT_EQ(printed("one\r\n\ntwo"), "one\n\ntwo\n");
    EXPECT_EQ(printed("a\x1b[2J\rb\n"), "a\\x1b[2J\\x0db\n");
    EXPECT_EQ(printed(""), "");
}

TEST(Table, AlignsByCharacters) {
    Table table{{{"ID", false}, {"BALANCE", true}, {"NAME", false}}};
    EXPECT_TRUE(table.empty());
    table.add({"zürich", "-900.01", "Zoë"});
    table.add({"b", "7", "a\nb"});
    std::ostringstream out;
    table.print(out);
    EXPECT_EQ(out.str(),
              "ID      BALANCE  NAME\n"
              "zürich  -900.01  Zoë\n"
              "b             7  a\\x0ab\n");
}

TEST(SizeText, HasOneDecimal) {
    EXPECT_EQ(size_text(0), "0 B");
    EXPECT_EQ(size_text(999), "999 B");
    EXPECT_EQ(size_text(1'000), "1.0 kB");
    EXPECT_EQ(size_text(26'149'999), "26.1 MB");
    EXPECT_EQ(size_text(1'999'999'999'999), "1999.9 GB");
}

TEST(ProgressBar, SaysHowFarItIs) {
    std::ostringstream out;
    const ProgressBar bar{out, "retail.csv"};
    EXPECT_EQ(bar.line(0, 2'000'000, milliseconds{0}),
              "retail.csv  [                              ]   0 %  0 B of 2.0 MB");
    EXPECT_EQ(bar.line(1'000'000, 2'000'000, milliseconds{500}),
              "retail.csv  [###############               ]  50 %  1.0 MB of 2.0 MB  2.0 MB/s");
    EXPECT_EQ(bar.line(2'000'000, 2'000'000, milliseconds{1'000}),
              "retail.csv  [##############################] 100 %  2.0 MB of 2.0 MB  2.0 MB/s  waiting for "
              "the answer");
}

TEST(ProgressBar, IsDrawnNowAndThenAndAtTheEnd) {
    std::ostringstream out;
    ProgressBar bar{out, "f"};
    const ProgressBar::Time begin{milliseconds{1'000'000}};
    bar.show(0, 0, begin);  // Of nothing there is nothing to show.
    bar.finish();
    EXPECT_EQ(out.str(), "");
    bar.show(1, 10, begin);
    bar.show(2, 10, begin + milliseconds{50});
    bar.show(3, 10, begin + milliseconds{100});
    bar.show(10, 10, begin + milliseconds{101});
    bar.show(10, 10, begin + milliseconds{500});
    bar.finish();
    const std::string drawn = out.str();
    EXPECT_EQ(std::count(drawn.begin(), drawn.end(), '\r'), 3) << drawn;
    EXPECT_NE(drawn.find("100 %"), std::string::npos);
    EXPECT_TRUE(drawn.ends_with("\n"));
}

}  // namespace
}  // namespace tollgate::daemon::ctl
