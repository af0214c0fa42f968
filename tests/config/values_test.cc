#include "config/values.h"

#include <string>
#include <variant>

#include <gtest/gtest.h>

namespace tollgate::config {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using Form = Written::Form;

Written plain(std::string text) {
    return {Form::plain, std::move(text), {}};
}
Written string(std::string text) {
    return {Form::string, std::move(text), {}};
}
Written integer(std::string text) {
    return {Form::integer, std::move(text), {}};
}
Written other(std::string text) {
    return {Form::other, std::move(text), {}};
}
Written list(std::string text, std::vector<Written> elements) {
    return {Form::list, std::move(text), std::move(elements)};
}

/// The problem's text, or `(none)` where the value was read.
template <typename Value>
std::string problem_of(const Outcome<Value>& outcome) {
    const Problem* problem = std::get_if<Problem>(&outcome);
    return problem == nullptr ? "(none)" : problem->text;
}

constexpr Duration kDuration{milliseconds{1}, std::chrono::hours{24 * 30}};
constexpr Size kSize{1024, 64 * kGiB};
constexpr Count kCount{1, 64};

// Goal: every unit means what it says, at both ends of the range.
TEST(Duration, ReadsEveryUnit) {
    EXPECT_EQ(std::get<milliseconds>(kDuration.read(string("500ms"))), milliseconds{500});
    EXPECT_EQ(std::get<milliseconds>(kDuration.read(string("180s"))), milliseconds{180'000});
    EXPECT_EQ(std::get<milliseconds>(kDuration.read(string("3m"))), milliseconds{180'000});
    EXPECT_EQ(std::get<milliseconds>(kDuration.read(string("48h"))), milliseconds{172'800'000});
    EXPECT_EQ(std::get<milliseconds>(kDuration.read(string("2d"))), milliseconds{172'800'000});
    EXPECT_EQ(std::get<milliseconds>(kDuration.read(plain("3 m"))), milliseconds{180'000});
    EXPECT_EQ(std::get<milliseconds>(kDuration.read(string("1ms"))), milliseconds{1});
    EXPECT_EQ(std::get<milliseconds>(kDuration.read(string("30d"))), milliseconds{2'592'000'000});
}

// Goal: a bare number is never guessed at, in whatever form it comes.
TEST(Duration, RefusesANumberWithoutUnit) {
    const std::string expected = R"("180" has no unit; write 180s, 3m or 1h)";
    EXPECT_EQ(problem_of(kDuration.read(integer("180"))), expected);
    EXPECT_EQ(problem_of(kDuration.read(string("180"))), expected);
    EXPECT_EQ(problem_of(kDuration.read(plain("180"))), expected);
    EXPECT_EQ(problem_of(kDuration.read(integer("-5"))), R"("-5" has no unit; write 180s, 3m or 1h)");
    EXPECT_EQ(problem_of(kDuration.read(integer("0"))), R"("0" has no unit; write 180s, 3m or 1h)");
}

TEST(Duration, RefusesWhatIsNoLengthOfTime) {
    const std::string way_out = R"( is not a length of time from 1ms to 30d; write 180s, 3m or 1h)";
    for (const char* text :
         {"", "s", "-5s", "+5s", "1.5h", "1h30m", "5S", "5 sec", "5s ", " 5s", "1e3s", "0x10s"}) {
        EXPECT_EQ(problem_of(kDuration.read(string(text))), '"' + std::string{text} + '"' + way_out);
    }
    EXPECT_EQ(problem_of(kDuration.read(other("1.5"))), R"("1.5")" + way_out);
    EXPECT_EQ(problem_of(kDuration.read(list("[ '5s' ]", {string("5s")}))), R"("[ '5s' ]")" + way_out);
}

// Goal: nothing outside the range comes through, not even a figure that overflows 64 bits on the way.
TEST(Duration, RefusesWhatIsOutOfRange) {
    for (const char* text : {"0s", "0ms", "31d", "2592000001ms", "18446744073709551615d",
                             "99999999999999999999ms", "213503982335d"}) {
        EXPECT_EQ(problem_of(kDuration.read(string(text))),
                  '"' + std::string{text} + R"(" is not a length of time from 1ms to 30d)");
    }
    const Duration from_zero{milliseconds{0}, seconds{1}};
    EXPECT_EQ(std::get<milliseconds>(from_zero.read(string("0s"))), milliseconds{0});
}

TEST(Duration, ShowsTheLargestUnitThatIsExact) {
    EXPECT_EQ(Duration::show(milliseconds{0}), "0s");
    EXPECT_EQ(Duration::show(milliseconds{1'500}), "1500ms");
    EXPECT_EQ(Duration::show(seconds{32}), "32s");
    EXPECT_EQ(Duration::show(seconds{180}), "3m");
    EXPECT_EQ(Duration::show(seconds{5'400}), "90m");
    EXPECT_EQ(Duration::show(std::chrono::hours{840}), "35d");
}

TEST(WholeSeconds, RefusesAPartOfASecond) {
    const WholeSeconds kind{seconds{1}, std::chrono::hours{1}};
    EXPECT_EQ(std::get<seconds>(kind.read(string("2000ms"))), seconds{2});
    EXPECT_EQ(std::get<seconds>(kind.read(string("1h"))), seconds{3'600});
    EXPECT_EQ(problem_of(kind.read(string("1500ms"))),
              R"("1500ms" is not a length of time in whole seconds from 1s to 1h)");
    EXPECT_EQ(problem_of(kind.read(string("61m"))),
              R"("61m" is not a length of time in whole seconds from 1s to 1h)");
    EXPECT_EQ(problem_of(kind.read(integer("60"))), R"("60" has no unit; write 180s, 3m or 1h)");
}

TEST(Size, ReadsBytesAndUnits) {
    EXPECT_EQ(std::get<std::size_t>(kSize.read(integer("16384"))), 16'384U);
    EXPECT_EQ(std::get<std::size_t>(kSize.read(plain("16384"))), 16'384U);
    EXPECT_EQ(std::get<std::size_t>(kSize.read(string("16 KiB"))), 16'384U);
    EXPECT_EQ(std::get<std::size_t>(kSize.read(string("1KiB"))), 1'024U);
    EXPECT_EQ(std::get<std::size_t>(kSize.read(string("64 MiB"))), 67'108'864U);
    EXPECT_EQ(std::get<std::size_t>(kSize.read(string("64 GiB"))), 68'719'476'736U);
    const Size large{0, 2048 * kGiB};
    EXPECT_EQ(std::get<std::size_t>(large.read(string("1 TiB"))), 1'099'511'627'776U);
    EXPECT_EQ(std::get<std::size_t>(large.read(integer("0"))), 0U);
}

TEST(Size, RefusesOtherUnitsFractionsAndWhatIsOutOfRange) {
    for (const char* text : {"1 GB", "1 kib", "1K", "1.5 GiB", "5 B"}) {
        EXPECT_EQ(problem_of(kSize.read(string(text))),
                  '"' + std::string{text} +
                      R"(" is not a size in bytes from 1 KiB to 64 GiB; write 65536, "64 KiB" or "1 GiB")");
    }
    for (const char* text : {"", "KiB", "-1 KiB", "1023", "0 KiB", "65 GiB", "18446744073709551616",
                             "17179869184 GiB", "16777216 TiB"}) {
        EXPECT_EQ(problem_of(kSize.read(string(text))),
                  '"' + std::string{text} + R"(" is not a size in bytes from 1 KiB to 64 GiB)");
    }
    EXPECT_EQ(problem_of(kSize.read(integer("-1"))), R"("-1" is not a size in bytes from 1 KiB to 64 GiB)");
    EXPECT_EQ(problem_of(kSize.read(other("1.5"))), R"("1.5" is not a size in bytes from 1 KiB to 64 GiB)");
}

TEST(Size, ShowsTheLargestUnitThatIsExact) {
    EXPECT_EQ(Size::show(0), "0");
    EXPECT_EQ(Size::show(512), "512");
    EXPECT_EQ(Size::show(1'536), "1536");
    EXPECT_EQ(Size::show(16'384), "16 KiB");
    EXPECT_EQ(Size::show(kGiB), "1 GiB");
}

TEST(Count, ReadsWholeNumbersInRange) {
    EXPECT_EQ(std::get<std::uint32_t>(kCount.read(integer("1"))), 1U);
    EXPECT_EQ(std::get<std::uint32_t>(kCount.read(plain("64"))), 64U);
    for (const char* text : {"0", "65", "-1", "4294967297", "18446744073709551617"}) {
        EXPECT_EQ(problem_of(kCount.read(integer(text))),
                  '"' + std::string{text} + R"(" is not a whole number from 1 to 64)");
    }
    for (const char* text : {"", "+8", " 8", "8 ", "eight", "0x8", "8.0"}) {
        EXPECT_EQ(problem_of(kCount.read(plain(text))),
                  '"' + std::string{text} + R"(" is not a whole number from 1 to 64)");
    }
    EXPECT_EQ(problem_of(kCount.read(string("8"))),
              R"("8" is not a whole number from 1 to 64 while it stands in quotes; write it without)");
    EXPECT_EQ(problem_of(kCount.read(other("true"))), R"("true" is not a whole number from 1 to 64)");
}

TEST(Address, ReadsBothFamiliesAndPortZero) {
    EXPECT_EQ(std::get<Endpoint>(Address::read(string("127.0.0.1:7379"))), (Endpoint{"127.0.0.1", 7379}));
    EXPECT_EQ(std::get<Endpoint>(Address::read(plain("0.0.0.0:0"))), (Endpoint{"0.0.0.0", 0}));
    EXPECT_EQ(std::get<Endpoint>(Address::read(string("[::1]:65535"))), (Endpoint{"::1", 65535}));
    EXPECT_EQ(std::get<Endpoint>(Address::read(string("[2001:db8::7]:80"))), (Endpoint{"2001:db8::7", 80}));
}

TEST(Address, RefusesNamesMissingPartsAndPortsThatAreNone) {
    for (const char* text : {"",
                             ":",
                             ":7379",
                             "127.0.0.1",
                             "127.0.0.1:",
                             "127.0.0.1:65536",
                             "127.0.0.1:000080",
                             "127.0.0.1:-1",
                             "127.0.0.1:http",
                             "127.0.0.1:7379 ",
                             "localhost:7379",
                             "256.0.0.1:1",
                             "127.1:1",
                             "::1:7379",
                             "[::1]",
                             "[::1:7379",
                             "::1]:7379",
                             "[127.0.0.1]:7379",
                             "[]:7379",
                             "[fe80::1%eth0]:7379",
                             "tcp://127.0.0.1:7379"}) {
        EXPECT_EQ(
            problem_of(Address::read(string(text))),
            '"' + std::string{text} +
                R"(" is not an IP address and a port from 0 to 65535, such as 127.0.0.1:7379 or [::1]:7379)");
    }
    EXPECT_NE(problem_of(Address::read(string(std::string{"127.0.0.1\0:7379", 15}))), "(none)");
    EXPECT_EQ(
        problem_of(Address::read(integer("7379"))),
        R"("7379" is not an IP address and a port from 0 to 65535, such as 127.0.0.1:7379 or [::1]:7379;)"
        " write it in quotes");
}

TEST(Path, TakesWhatTheSystemTakes) {
    const Path kind{8};
    EXPECT_EQ(std::get<std::string>(kind.read(string(""))), "");
    EXPECT_EQ(std::get<std::string>(kind.read(string("/run/a b"))), "/run/a b");
    EXPECT_EQ(problem_of(kind.read(string("/run/a bc"))),
              R"("/run/a bc" is not a path of at most 8 bytes, or empty for none)");
    EXPECT_EQ(problem_of(kind.read(string("a\nb"))),
              R"("a\x0ab" is not a path of at most 8 bytes, or empty for none)");
    EXPECT_EQ(problem_of(kind.read(string(std::string{"a\0b", 3}))),
              R"("a\x00b" is not a path of at most 8 bytes, or empty for none)");
    EXPECT_EQ(problem_of(kind.read(integer("5"))),
              R"("5" is not a path of at most 8 bytes, or empty for none; write it in quotes)");
}

TEST(Text, IsOneLine) {
    const Text kind{8};
    EXPECT_EQ(std::get<std::string>(kind.read(string(""))), "");
    EXPECT_EQ(std::get<std::string>(kind.read(string("a:/b?c=1"))), "a:/b?c=1");
    EXPECT_EQ(problem_of(kind.read(string("a:/b?c=12"))),
              R"("a:/b?c=12" is not a text of at most 8 bytes, or empty for none)");
    EXPECT_EQ(problem_of(kind.read(string("a\nb"))),
              R"("a\x0ab" is not a text of at most 8 bytes, or empty for none)");
}

/// The problem of a list with one entry; empty where there is none.
template <typename Kind>
std::string problem_of_entry(const Kind& kind, const std::string& text) {
    const auto outcome = kind.read({Written::Form::list, "", {{Written::Form::string, text, {}}}});
    const auto* const problem = std::get_if<Problem>(&outcome);
    return problem == nullptr ? "" : problem->text;
}

TEST(DialRules, TakesThreeParts) {
    const DialRules kind{2};
    const std::string longest(32, '9');
    const std::string all_longest = longest + ":32:" + longest;
    for (const std::string& text : {std::string{"00:2:"}, std::string{"0:1:49"}, std::string{":0:"},
                                    std::string{"aZ*#9:32:1"}, all_longest}) {
        EXPECT_EQ(problem_of_entry(kind, text), "") << text;
    }
    for (const std::string& text :
         {std::string{}, std::string{"00"}, std::string{"00:2"}, std::string{"00::49"}, std::string{"0:-1:"},
          std::string{"0:33:"}, std::string{"+49:1:"}, std::string{"0:1:4x"}, std::string{"0:1:4:9"},
          longest + "9:1:", "0:1:9" + longest}) {
        EXPECT_NE(problem_of_entry(kind, text).find("is not MATCH:STRIP:PREPEND"), std::string::npos) << text;
    }
    const Written rule{Written::Form::string, "0:1:49", {}};
    EXPECT_EQ(kind.read({Written::Form::list, "", {rule, rule, rule}}).index(), 1U);
    EXPECT_EQ(DialRules::show({{"00", 2, ""}, {"0", 1, "49"}}), R"(["00:2:", "0:1:49"])");
}

TEST(SwitchPlans, TakesEachSwitchOnce) {
    const SwitchPlans kind{8, 2};
    for (const char* text : {"sbc=uk", "a=b=uk", "12345678=12345678"}) {
        EXPECT_EQ(problem_of_entry(kind, text), "") << text;
    }
    for (const char* text : {"", "sbc", "=uk", "sbc=", "123456789=uk", "sbc=123456789", "s\tb=uk"}) {
        EXPECT_NE(problem_of_entry(kind, text).find("is not SWITCH=PLAN"), std::string::npos) << text;
    }
    const Written sbc{Written::Form::string, "sbc=uk", {}};
    EXPECT_EQ(kind.read({Written::Form::list, "", {sbc, sbc}}).index(), 1U);
    EXPECT_EQ(SwitchPlans::show({{"a=b", "uk"}}), R"(["a=b=uk"])");
}

TEST(Numbers, TakesTextsOfDigits) {
    const Numbers kind{3, 2};
    using List = std::vector<std::string>;
    EXPECT_EQ(std::get<List>(kind.read(list("[]", {}))), List{});
    EXPECT_EQ(std::get<List>(kind.read(list("", {string("000"), plain("1")}))), (List{"000", "1"}));
    EXPECT_EQ(problem_of(kind.read(list("", {string("112"), string("9110")}))),
              R"("9110" is not a number of 1 to 3 digits)");
    EXPECT_EQ(problem_of(kind.read(list("", {string("")}))), R"("" is not a number of 1 to 3 digits)");
    EXPECT_EQ(problem_of(kind.read(list("", {string("+1")}))), R"("+1" is not a number of 1 to 3 digits)");
    EXPECT_EQ(problem_of(kind.read(list("", {integer("112")}))),
              R"("112" is not a number of 1 to 3 digits; write it in quotes)");
    EXPECT_EQ(problem_of(kind.read(list("", {plain("1"), plain("2"), plain("3")}))),
              "3 entries are not a list of up to 2 numbers of 1 to 3 digits each");
    EXPECT_EQ(problem_of(kind.read(string("112"))),
              R"("112" is not a list of up to 2 numbers of 1 to 3 digits each; write ["112", "911"])");
}

TEST(Relay, TakesAHostAndAPort) {
    for (const char* text :
         {"", "mail.example.com:25", "localhost:2525", "192.0.2.1:587", "[::1]:25", "a-b.c:65535"}) {
        const Outcome<MailRelay> relay = Relay::read(string(text));
        ASSERT_EQ(problem_of(relay), "(none)") << text;
        EXPECT_EQ(Relay::show(std::get<MailRelay>(relay)), text);
    }
    EXPECT_EQ(std::get<MailRelay>(Relay::read(plain("[::1]:25"))), (MailRelay{"::1", 25}));
    for (const char* text : {"mail.example.com", ":25", "mail:0", "mail:65536", "mail:2x", "mail:", "-a:25",
                             "a b:25", "a/b:25", "::1:25", "user@mail:25", "smtp://mail:25", "a..b:25"}) {
        EXPECT_NE(problem_of(Relay::read(string(text))).find("is not a host and a port"), std::string::npos)
            << text;
    }
}

TEST(MailAddress, TakesOneAddress) {
    EXPECT_EQ(std::get<std::string>(MailAddress::read(string("a@example.com"))), "a@example.com");
    EXPECT_EQ(problem_of(MailAddress::read(string("a"))),
              R"("a" is not an e-mail address, such as tollgate@example.com)");
    EXPECT_NE(problem_of(MailAddress::read(string(""))), "(none)");
}

TEST(Choice, TakesItsWordsExactly) {
    const Choice<JournalReply> kind{{{"synced", JournalReply::synced}, {"written", JournalReply::written}}};
    EXPECT_EQ(std::get<JournalReply>(kind.read(string("synced"))), JournalReply::synced);
    EXPECT_EQ(std::get<JournalReply>(kind.read(plain("written"))), JournalReply::written);
    for (const char* text : {"", "Synced", "sync", "synced "}) {
        EXPECT_EQ(problem_of(kind.read(string(text))),
                  '"' + std::string{text} + R"(" is not one of synced, written)");
    }
    EXPECT_EQ(problem_of(kind.read(other("true"))), R"("true" is not one of synced, written)");
}

// Goal: whatever stands in a file, a message stays one line of bounded length and valid UTF-8.
TEST(Printable, EscapesControlsAndCutsBetweenCharacters) {
    EXPECT_EQ(printable("a\tb\x7f"), R"(a\x09b\x7f)");
    EXPECT_EQ(printable(std::string(80, 'a')), std::string(80, 'a'));
    EXPECT_EQ(printable(std::string(81, 'a')), std::string(80, 'a') + "...");
    EXPECT_EQ(printable(std::string(79, 'a') + "é"), std::string(79, 'a') + "...");
}

}  // namespace
}  // namespace tollgate::config
