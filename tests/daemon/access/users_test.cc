#include "daemon/access/users.h"

#include <atomic>
#include <chrono>
#include <future>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "daemon/access/authenticator.h"

namespace tollgate::daemon::access {
namespace {

using namespace std::chrono_literals;

config::User declared(const std::string& name, const std::string& password,
                      config::Role role = config::Role::switch_) {
    config::User user;
    user.name = name;
    user.password = Passwords{PasswordCost::least()}.hash(password)->text;
    user.role = role;
    return user;
}

// Method: by hand: 10 a second are 100 ms each, and ten at once.
TEST(RequestRate, AllowsASecondsWorthAtOnceThenOneAtATime) {
    RequestRate rate{10};
    const balance::Steady begin = 100s;
    for (int i = 0; i < 10; ++i)
        EXPECT_EQ(rate.take(begin), 0ns) << i;
    EXPECT_EQ(rate.take(begin), 100ms);
    EXPECT_EQ(rate.take(begin), 100ms) << "who is turned away does not wait longer for it";
    EXPECT_EQ(rate.take(begin + 99ms), 1ms);
    EXPECT_EQ(rate.take(begin + 100ms), 0ns);
    EXPECT_GT(rate.take(begin + 100ms), 0ns);
    for (int i = 0; i < 10; ++i)
        EXPECT_EQ(rate.take(begin + 10s), 0ns) << i;
    EXPECT_GT(rate.take(begin + 10s), 0ns);
}

TEST(RequestRate, HasNoneWithoutABound) {
    RequestRate rate{0};
    for (int i = 0; i < 1'000; ++i)
        EXPECT_EQ(rate.take(1s), 0ns);
}

TEST(RequestRateThreads, TwoThreadsHaveNoMoreThanOne) {
    RequestRate rate{100};
    std::atomic<int> allowed{0};
    {
        std::vector<std::jthread> senders;
        senders.reserve(4);
        for (int i = 0; i < 4; ++i) {
            senders.emplace_back([&] {
                for (int request = 0; request < 1'000; ++request) {
                    if (rate.take(5s) == 0ns) ++allowed;
                }
            });
        }
    }
    EXPECT_EQ(allowed, 100);
}

TEST(User, MayComeFromHisNetworks) {
    config::User user = declared("far", "secret");
    EXPECT_TRUE(User{user}.may_come_from("203.0.113.1")) << "he has none";
    user.sources = {*config::Network::parse("192.0.2.0/24")};
    EXPECT_TRUE(User{user}.may_come_from("192.0.2.9"));
    EXPECT_FALSE(User{user}.may_come_from("127.0.0.1"));
    EXPECT_FALSE(User{user}.may_come_from("unix"));
    EXPECT_FALSE(User{user}.may_come_from("unknown"));
    user.sources = {*config::Network::parse("127.0.0.0/8")};
    EXPECT_TRUE(User{user}.may_come_from("unix")) << "this machine";
}

TEST(User, NeedsAHash) {
    config::User user;
    user.name = "a";
    user.password = "$argon2id$v=19$m=99999999,t=2,p=1$c2FsdA$aGFzaA";
    EXPECT_THROW(User{user}, std::runtime_error) << "it would cost too much";
}

TEST(Users, ArePublishedAnewAndOldOnesStay) {
    Users users{{}};
    EXPECT_TRUE(users.is_empty());
    users.replace({declared("b", "x"), declared("a", "x")}, 7s);
    EXPECT_EQ(users.first_declared(), 8s) << "what somebody does meanwhile as nobody is before it";
    const User* const before = users.current().find("a");
    ASSERT_NE(before, nullptr);
    EXPECT_EQ(users.current().find("c"), nullptr);
    EXPECT_EQ(users.current().nameless(), nullptr) << "there are two";
    users.replace({declared("default", "x"), declared("a", "y")}, 9s);
    EXPECT_EQ(users.first_declared(), 8s);
    EXPECT_EQ(before->name(), "a") << "a connection may still look at it";
    EXPECT_EQ(users.current().nameless()->name(), "default");
    EXPECT_NE(users.current().find("a")->password(), before->password());
}

// Goal: a reload forgets nothing of those who stay as they are.
TEST(Users, WhoKeepsHisPasswordKeepsWhatIsKnownOfHim) {
    const config::User kam = declared("kam", "x");
    config::User slow = declared("slow", "x");
    slow.rate = 1;
    Users users{{kam, slow, declared("gone", "x")}};
    const auto now = [&users](const char* name) { return users.current().find(name); };
    now("kam")->known().remember("x");
    now("slow")->known().remember("x");
    EXPECT_EQ(now("slow")->rate().take(1h), 0ns);
    config::User changed = kam;
    changed.role = config::Role::admin;
    users.replace({changed, slow, declared("new", "x")}, 1h);
    EXPECT_EQ(now("kam")->role(), config::Role::admin);
    EXPECT_TRUE(now("kam")->known().is("x"));
    EXPECT_FALSE(now("new")->known().is("x"));
    EXPECT_GT(now("slow")->rate().take(1h), 0ns) << "he has had what he may";

    slow.rate = 2;
    users.replace({declared("kam", "x"), slow, declared("gone", "x")}, 1h);
    EXPECT_FALSE(now("kam")->known().is("x")) << "another hash, whatever it was made of";
    EXPECT_FALSE(now("gone")->known().is("x")) << "he was not there in between";
    EXPECT_EQ(now("slow")->rate().take(1h), 0ns) << "as often as he may from now on";
    EXPECT_TRUE(now("slow")->known().is("x"));
}

class AuthenticatorTest : public ::testing::Test {
  protected:
    /// What becomes of a guess in the end; a Wait is told by its time.
    std::string guess(const std::string& name, const std::string& password,
                      const std::string& from = "192.0.2.1") {
        std::promise<const User*> promise;
        auto later = promise.get_future();
        auto begun = authenticator_.begin(name, password, from, now_,
                                          [&promise](const User* user) { promise.set_value(user); });
        const User* user = nullptr;
        if (const auto* const wait = std::get_if<Authenticator::Wait>(&begun)) {
            EXPECT_GT(wait->time, 0ns);
            return "wait";
        }
        const bool at_once = std::holds_alternative<Authenticator::Result>(begun);
        user = at_once ? std::get<Authenticator::Result>(begun) : later.get();
        return (at_once ? "at once " : "") +
               (user == nullptr ? std::string{"nobody"} : std::string{user->name()});
    }

    static config::User confined() {
        config::User user = declared("far", "far secret");
        user.sources = {*config::Network::parse("198.51.100.0/24")};
        return user;
    }

    balance::Steady now_ = 1h;
    Users users_{{declared("kam", "kam secret"), confined()}};
    Authenticator authenticator_{users_, 42, PasswordCost::least()};
};

TEST_F(AuthenticatorTest, KnowsARightPasswordFromThenOn) {
    EXPECT_EQ(guess("kam", "kam secret"), "kam");
    EXPECT_EQ(guess("kam", "kam secret"), "at once kam");
    EXPECT_EQ(guess("kam", "kam secreT"), "nobody");
    EXPECT_EQ(guess("nobody", "kam secret"), "nobody");
    users_.replace({declared("kam", "another secret")}, now_);
    EXPECT_EQ(guess("kam", "kam secret"), "nobody")
        << "what was known of the one before is not known of this";
    EXPECT_EQ(guess("kam", "another secret"), "kam");
}

TEST_F(AuthenticatorTest, AllowsAFewGuessesThenOneAfterAWait) {
    for (int i = 0; i < 5; ++i)
        EXPECT_EQ(guess("kam", "wrong"), "nobody") << i;
    EXPECT_EQ(guess("kam", "kam secret"), "wait") << "nothing is compared";
    EXPECT_EQ(guess("far", "far secret", "198.51.100.7"), "far") << "another user, from elsewhere";
    now_ += 1s;
    EXPECT_EQ(guess("kam", "kam secret"), "kam");
    EXPECT_EQ(guess("kam", "wrong"), "nobody") << "he was right: nothing counts any more";
}

TEST_F(AuthenticatorTest, WhoIsKnownIsLetInWhateverOthersGuess) {
    EXPECT_EQ(guess("kam", "kam secret"), "kam");
    for (int i = 0; i < 6; ++i)
        (void)guess("kam", "wrong", "203.0.113." + std::to_string(i));
    EXPECT_EQ(guess("kam", "wrong"), "wait");
    EXPECT_EQ(guess("kam", "kam secret"), "at once kam");
}

TEST_F(AuthenticatorTest, NobodyFromElsewhereMakesAUserWait) {
    EXPECT_EQ(guess("far", "far secret"), "nobody") << "not from there";
    for (int i = 0; i < 30; ++i)
        (void)guess("far", "wrong", "203.0.113." + std::to_string(i));
    EXPECT_EQ(guess("far", "far secret", "198.51.100.7"), "far");
}

// Goal: nobody elsewhere can tell that there is a user. Method: the same guesses at one that there is not.
TEST_F(AuthenticatorTest, WhoIsElsewhereIsAnsweredAsIfThereWereNoSuchUser) {
    const auto answers = [this](const std::string& name) {
        std::vector<std::string> all;
        for (int i = 0; i < 7; ++i)
            all.push_back(guess(name, "far secret", "203.0.113." + std::to_string(i)));
        return all;
    };
    const auto of_nobody = answers("bar");
    EXPECT_EQ(of_nobody.back(), "wait") << "five guesses at a name, wherever they come from";
    EXPECT_EQ(answers("far"), of_nobody);
    // Nor can anybody say the name that those who come from there are counted by.
    for (int i = 0; i < 7; ++i)
        (void)guess("far" + std::string(config::kUserNameBytesMax - 2, ' '), "wrong",
                    "203.0.113.1" + std::to_string(i));
    EXPECT_EQ(guess("far", "far secret", "198.51.100.7"), "far");
}

// Goal: who is expected waits for nobody else, and the first to come is the first to be looked at. Method:
// both threads are held by the answer to a guess until all others wait; then first the one is let go, which
// is of those who are expected, and when they are all answered the other.
TEST_F(AuthenticatorTest, TheFirstToComeIsTheFirstToBeLookedAt) {
    struct Guesses {
        std::promise<void> all_wait;
        std::vector<std::string> order;  // Of its own thread until all are answered.
        std::promise<void> done;
    };
    Guesses expected;
    Guesses elsewhere;
    const auto hold = [this](const char* user, const char* from, Guesses& of) {
        (void)authenticator_.begin(user, "wrong", from, now_,
                                   [&of](const User*) { of.all_wait.get_future().wait(); });
    };
    const auto begin = [this](const std::string& password, const char* from, Guesses& of, std::size_t last) {
        const auto begun =
            authenticator_.begin("far", password, from, now_, [&of, password, last](const User*) {
                of.order.push_back(password);
                if (of.order.size() == last) of.done.set_value();
            });
        EXPECT_TRUE(std::holds_alternative<Authenticator::Pending>(begun)) << password;
    };
    hold("kam", "192.0.2.9", elsewhere);
    hold("far", "198.51.100.9", expected);
    begin("elsewhere 1", "192.0.2.1", elsewhere, 2);
    begin("elsewhere 2", "192.0.2.2", elsewhere, 2);
    begin("expected 1", "198.51.100.1", expected, 3);
    begin("expected 2", "198.51.100.2", expected, 3);
    begin("expected 3", "198.51.100.3", expected, 3);
    expected.all_wait.set_value();
    expected.done.get_future().wait();
    EXPECT_EQ(expected.order, (std::vector<std::string>{"expected 1", "expected 2", "expected 3"}));
    elsewhere.all_wait.set_value();
    elsewhere.done.get_future().wait();
    EXPECT_EQ(elsewhere.order, (std::vector<std::string>{"elsewhere 1", "elsewhere 2"}));
}

TEST_F(AuthenticatorTest, AnAddressHasSoManyGuessesForAllUsers) {
    int looked_at = 0;
    for (int i = 0; i < 50; ++i)
        looked_at += guess("guess" + std::to_string(i), "wrong") == "nobody" ? 1 : 0;
    EXPECT_EQ(looked_at, 20);
    EXPECT_EQ(guess("kam", "kam secret"), "wait");
    EXPECT_EQ(guess("kam", "kam secret", "192.0.2.2"), "kam");
    EXPECT_EQ(authenticator_.figures().wrong, 20U);
    EXPECT_EQ(authenticator_.figures().throttled, 31U);
}

// Goal: what cannot be hashed in time is turned away, and memory stays bounded.
// Method: far more guesses at once than may wait, from as many addresses; every one is answered or turned
// away.
TEST_F(AuthenticatorTest, TurnsAwayWhatCannotWait) {
    std::atomic<std::size_t> answered{0};
    std::size_t pending = 0;
    std::size_t waits = 0;
    for (unsigned i = 0; i < 10'000; ++i) {
        const auto begun =
            authenticator_.begin("g" + std::to_string(i), "wrong",
                                 "10." + std::to_string(i / 65'536) + "." + std::to_string(i / 256 % 256) +
                                     "." + std::to_string(i % 256),
                                 now_, [&answered](const User*) { ++answered; });
        pending += std::holds_alternative<Authenticator::Pending>(begun) ? 1U : 0U;
        waits += std::holds_alternative<Authenticator::Wait>(begun) ? 1U : 0U;
    }
    EXPECT_EQ(pending + waits, 10'000U);
    EXPECT_GE(pending, kLoginsWaitingMax);
    const auto deadline = std::chrono::steady_clock::now() + 60s;
    while (answered < pending && std::chrono::steady_clock::now() < deadline)
        std::this_thread::sleep_for(1ms);
    EXPECT_EQ(answered, pending);
}

}  // namespace
}  // namespace tollgate::daemon::access
