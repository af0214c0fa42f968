#include "daemon/mail/mailer.h"

#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "tests/support/memory_log.h"

namespace tollgate::daemon::mail {
namespace {

using std::chrono::nanoseconds;
using std::chrono::seconds;

/// An outbox, a relay that answers as it is told, and a clock that stands still. Pauses are 60 s, 120 s, 240
/// s, 300 s; a mail is given up after 1000 s.
struct Post {
    tests::MemoryLog log;
    RecordBook<MailRecord> book;
    Outbox outbox{book, log, 100};
    seconds clock{1'000'000};
    SendResult answer{SendStatus::sent, {}};
    bool durable = true;
    std::vector<std::string> sent_to;
    std::vector<std::string> messages;
    Mailer mailer{outbox,
                  {"tollgate@example.com", seconds{60}, seconds{300}, seconds{1000}},
                  {.send =
                       [this](const std::string&, const std::string& to, const std::string& message,
                              const std::stop_token&) {
                           sent_to.push_back(to);
                           messages.push_back(message);
                           return answer;
                       },
                   .now = [this] { return now(); },
                   .is_durable = [this](balance::Sequence) { return durable; },
                   .on_attempt = {}}};

    [[nodiscard]] balance::Moment now() const { return {rating::Instant{clock}, clock}; }
    void make(const std::string& to) {
        balance::JointEvent joint;
        outbox.add(joint, {"acme", "threshold", to, "Hello", "One line.\n"}, now());
        joint.write(log, now());
    }
    [[nodiscard]] MailRecord mail(int number) const {
        return book.find("m-00000000000" + std::to_string(number)).value();
    }
};

/// Nothing is due: come again when there is a new one.
constexpr nanoseconds kNothing = nanoseconds::max();

TEST(Mailer, SendsWhatIsThereOnce) {
    Post post;
    EXPECT_EQ(post.mailer.step(), kNothing);
    post.make("a@b");
    post.make("c@d");
    for (int i = 0; i < 2; ++i)
        EXPECT_EQ(post.mailer.step(), nanoseconds{});
    EXPECT_EQ(post.mailer.step(), kNothing);
    EXPECT_EQ(post.sent_to, (std::vector<std::string>{"a@b", "c@d"}));
    EXPECT_EQ(post.mail(1).state, kMailSent);
    EXPECT_EQ(post.mail(2).state, kMailSent);
}

// Goal: no mail tells of what a crash could undo.
TEST(Mailer, WaitsForTheJournal) {
    Post post;
    post.make("a@b");
    post.durable = false;
    EXPECT_GT(post.mailer.step(), nanoseconds{});
    EXPECT_TRUE(post.sent_to.empty());
    post.durable = true;
    post.log.admitted = balance::Admission::ends_only;  // That it was sent could not be written.
    EXPECT_GT(post.mailer.step(), nanoseconds{});
    EXPECT_TRUE(post.sent_to.empty());
    post.log.admitted = balance::Admission::open;
    (void)post.mailer.step();
    EXPECT_EQ(post.sent_to.size(), 1U);
}

// Goal: what is tried again is the same mail, after pauses that double up to the longest, until it is given
// up. Method: 451 at 0, 60, 180, 420, 720 and 1020 s: 60 + 120 + 240 + 300 + 300; the last is beyond 1000 s.
TEST(Mailer, TriesAgainLater) {
    Post post;
    post.make("a@b");
    post.answer = {SendStatus::later, "451 later"};
    const seconds begin = post.clock;
    for (const int after : {0, 60, 180, 420, 720}) {
        post.clock = begin + seconds{after};
        (void)post.mailer.step();
        EXPECT_EQ(post.mail(1).state, kMailWaiting);
        EXPECT_EQ(post.mail(1).error, "451 later");
        post.clock += std::chrono::floor<seconds>(post.mailer.step()) - seconds{1};
        const std::size_t before = post.messages.size();
        (void)post.mailer.step();
        EXPECT_EQ(post.messages.size(), before) << "not a second earlier than " << after;
    }
    EXPECT_EQ(post.mail(1).attempts, 5);
    post.clock = begin + seconds{1020};
    (void)post.mailer.step();
    EXPECT_EQ(post.mail(1).state, kMailFailed);
    EXPECT_EQ(post.mailer.step(), kNothing);
    ASSERT_EQ(post.messages.size(), 6U);
    for (const std::string& message : post.messages)
        EXPECT_EQ(message, post.messages[0]);
    EXPECT_NE(post.messages[0].find("Message-ID: <m-000000000001.1000000000000000.tollgate@example.com>"),
              std::string::npos)
        << post.messages[0];
}

TEST(Mailer, ARefusalIsTheEnd) {
    Post post;
    post.make("a@b");
    post.make("c@d");
    post.answer = {SendStatus::never, "550 no"};
    (void)post.mailer.step();
    EXPECT_EQ(post.mail(1).state, kMailFailed);
    EXPECT_EQ(post.mail(1).error, "550 no");
    post.answer = {SendStatus::sent, {}};
    (void)post.mailer.step();
    EXPECT_EQ(post.mail(2).state, kMailSent);
    EXPECT_EQ(post.mail(1).state, kMailFailed);
}

// Goal: a mail that is not taken holds up no other; a relay that is not there is not asked for each of them.
TEST(Mailer, OnlyAnAbsentRelayHoldsUpAll) {
    Post post;
    post.make("a@b");
    post.make("c@d");
    post.answer = {SendStatus::later, "451"};
    (void)post.mailer.step();
    (void)post.mailer.step();
    EXPECT_EQ(post.sent_to, (std::vector<std::string>{"a@b", "c@d"}));

    post.clock += seconds{60};
    post.answer = {SendStatus::unreachable, "refused"};
    (void)post.mailer.step();
    EXPECT_EQ(post.mailer.step(), nanoseconds{seconds{60}});
    EXPECT_EQ(post.sent_to.size(), 3U);
    post.clock += seconds{60};
    (void)post.mailer.step();
    EXPECT_EQ(post.mailer.step(), nanoseconds{seconds{120}}) << "twice as long";
    post.clock += seconds{120};
    post.answer = {SendStatus::sent, {}};
    (void)post.mailer.step();
    (void)post.mailer.step();
    EXPECT_EQ(post.outbox.counts().waiting, 0U);
}

TEST(MailerThreads, SendsAsSoonAsThereIsOne) {
    Post post;
    post.mailer.start();
    for (int i = 0; i < 20; ++i) {
        post.make("a@b");
        while (post.outbox.counts().waiting != 0)
            std::this_thread::yield();
    }
    post.mailer.stop();
    EXPECT_EQ(post.sent_to.size(), 20U);
}

}  // namespace
}  // namespace tollgate::daemon::mail
