#include "bench/load/word_list.h"

#include <gtest/gtest.h>

#include "tests/bench/load/temporary_file.h"

namespace tollgate::bench::load {
namespace {

using Listed = std::vector<std::string>;

TEST(WordList, CountsThroughARange) {
    EXPECT_EQ(read_words("l{8..11}x").words, (Listed{"l8x", "l9x", "l10x", "l11x"}));
    EXPECT_EQ(read_words("49{098..101}").words, (Listed{"49098", "49099", "49100", "49101"}));
    EXPECT_EQ(read_words("{0..1}").words, (Listed{"0", "1"}));
}

TEST(WordList, OneNameIsThatName) {
    EXPECT_EQ(read_words("alice").words, (Listed{"alice"}));
}

TEST(WordList, AFileHasANameInEachLine) {
    const TemporaryFile file{"one\ntwo\r\nthree"};
    EXPECT_EQ(read_words("@" + file.path()).words, (Listed{"one", "two", "three"}));
}

TEST(WordList, SaysWhatIsWrong) {
    for (const std::string_view text :
         {"", "l{", "l{1}", "l{1..}", "l{2..1}", "l{a..b}", "l{0..20000000}", "@/nowhere"})
        EXPECT_NE(read_words(text).fault, "") << text;
    EXPECT_TRUE(
        read_words("l{2..1}").fault.starts_with("\"l{2..1}\" has no range of whole numbers; write one name"));
    const TemporaryFile file{"one\n\nthree\n"};
    EXPECT_EQ(read_words("@" + file.path()).fault, file.path() + ":2: expected a name of 1 to 255 bytes");
}

}  // namespace
}  // namespace tollgate::bench::load
