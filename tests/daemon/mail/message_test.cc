#include "daemon/mail/message.h"

#include <sstream>
#include <string>

#include <gtest/gtest.h>

namespace tollgate::daemon::mail {
namespace {

Message message() {
    return {"tollgate@example.com",
            "ops@example.net",
            "outbox-7",
            rating::Instant{std::chrono::seconds{1'795'330'364}},
            "Hello",
            "One line.\n"};
}

std::string subject_of(const std::string& subject) {
    Message made = message();
    made.subject = subject;
    const std::string mail = compose(made);
    const std::size_t begin = mail.find("Subject: ") + 9;
    return mail.substr(begin, mail.find("\r\nAuto-Submitted:") - begin);
}

std::string text_of(const std::string& text) {
    Message made = message();
    made.text = text;
    const std::string mail = compose(made);
    return mail.substr(mail.find("\r\n\r\n") + 4);
}

// 1795330364 s after the epoch: 20779 days and 24764 s, 06:52:44.
TEST(Message, IsWhatRfc5322Says) {
    EXPECT_EQ(compose(message()),
              "Date: Sun, 22 Nov 2026 06:52:44 +0000\r\n"
              "From: tollgate@example.com\r\n"
              "To: ops@example.net\r\n"
              "Message-ID: <outbox-7@example.com>\r\n"
              "Subject: Hello\r\n"
              "Auto-Submitted: auto-generated\r\n"
              "MIME-Version: 1.0\r\n"
              "Content-Type: text/plain; charset=UTF-8\r\n"
              "Content-Transfer-Encoding: quoted-printable\r\n"
              "\r\n"
              "One line.\r\n");
}

TEST(Message, SentAgainIsTheSame) {
    EXPECT_EQ(compose(message()), compose(message()));
    Message other = message();
    other.id = "outbox-8";
    EXPECT_NE(compose(other), compose(message()));
}

TEST(Message, DatesAreUtc) {
    EXPECT_EQ(mail_date(rating::Instant{}), "Thu, 1 Jan 1970 00:00:00 +0000");
    EXPECT_EQ(mail_date(rating::Instant{std::chrono::milliseconds{951'782'399'999}}),
              "Mon, 28 Feb 2000 23:59:59 +0000");
}

// Goal: a subject of other letters than ASCII arrives, whatever relays are on the way.
// Method: "Zürich" in base64 by hand: 5a c3 bc 72 69 63 68 -> WsO8 cmlj aA==.
TEST(Subject, IsEncodedWhereItMustBe) {
    EXPECT_EQ(subject_of("Zürich"), "=?UTF-8?B?WsO8cmljaA==?=");
    EXPECT_EQ(subject_of("Zurich"), "Zurich");
    EXPECT_EQ(subject_of("ü"), "=?UTF-8?B?w7w=?=");
    EXPECT_EQ(subject_of("=?UTF-8?B?WsO8cmljaA==?="), "=?UTF-8?B?PT9VVEYtOD9CP1dzTzhjbWxqYUE9PT89?=");
}

// Goal: a long one is folded: no line beyond 76 bytes, and no character is torn.
// Method: each encoded word holds at most 45 bytes: 22 of 2 bytes each, and then the 23rd does not fit.
TEST(Subject, IsFoldedBetweenCharacters) {
    std::string subject;
    for (int i = 0; i < 40; ++i)
        subject += "ü";
    const std::string encoded = subject_of(subject);
    std::istringstream lines{encoded};
    int count = 0;
    for (std::string line; std::getline(lines, line); ++count) {
        EXPECT_LE(line.size(), 77U) << line;
        EXPECT_EQ(line.starts_with(' '), count > 0);
    }
    EXPECT_EQ(count, 2);
    // 44 bytes are 14 groups of three and two bytes: 60 letters, the last an equals sign.
    EXPECT_TRUE(encoded.starts_with("=?UTF-8?B?w7zDvMO8")) << encoded;
    EXPECT_EQ(encoded.find("?=\r\n =?UTF-8?B?"), 70U) << encoded;
}

TEST(Subject, IsCutBetweenCharacters) {
    EXPECT_EQ(subject_of(std::string(199, 'a') + "ü"), subject_of(std::string(199, 'a')));
    EXPECT_NE(subject_of(std::string(198, 'a') + "ü"), subject_of(std::string(198, 'a')));
    EXPECT_EQ(subject_of(std::string(300, '\x80')),
              subject_of(std::string(200, '\x80')));  // No UTF-8, no harm.
}

// Goal: nobody who names a party adds a header or a recipient.
TEST(Subject, CannotAddAHeader) {
    EXPECT_EQ(subject_of("a\r\nBcc: all@example.org"), "a  Bcc: all@example.org");
    EXPECT_EQ(subject_of("a\nb\rc"), "a b c");
    EXPECT_EQ(subject_of(std::string{"a\0b", 3}), "a b");
    EXPECT_EQ(compose(message()).find("Bcc"), std::string::npos);
}

TEST(Text, IsQuotedPrintable) {
    EXPECT_EQ(text_of("1 = 1 \xe2\x82\xac\n"), "1 =3D 1 =E2=82=AC\r\n");
    EXPECT_EQ(text_of("blank \nat\t\n"), "blank=20\r\nat=09\r\n");
    EXPECT_EQ(text_of("a\r\nb\rc\nd"), "a\r\nb\r\nc\r\nd\r\n");
    EXPECT_EQ(text_of("a\n\nb\n"), "a\r\n\r\nb\r\n");
    EXPECT_EQ(text_of(""), "");
    EXPECT_EQ(text_of(std::string{"a\0\x07", 3}), "a=00=07\r\n");
}

TEST(Text, HasNoLongLines) {
    EXPECT_EQ(text_of(std::string(76, 'a')), std::string(76, 'a') + "\r\n");
    EXPECT_EQ(text_of(std::string(77, 'a')), std::string(75, 'a') + "=\r\naa\r\n");
    EXPECT_EQ(text_of(std::string(26, '=')).find("=\r\n"),
              75U);  // 25 of 3 bytes, and the sign for "goes on".
}

// Goal: a text is the text, whatever it looks like; dots are the client's business (see smtp_client_test.py).
TEST(Text, CannotEndTheMail) {
    EXPECT_EQ(text_of("a\r\n.\r\nQUIT\r\n"), "a\r\n.\r\nQUIT\r\n");
}

}  // namespace
}  // namespace tollgate::daemon::mail
