#include "bench/load/session_check.h"

#include <initializer_list>
#include <string>

#include <gtest/gtest.h>

#include "bench/load/client.h"

namespace tollgate::bench::load {
namespace {

using namespace std::chrono_literals;
using Kind = Verdict::Kind;
using Words = std::initializer_list<std::string_view>;

constexpr std::chrono::seconds kWant{300};

/// A session and what is said to it. Answers are flat arrays, which are written as commands are.
class SessionCheck : public testing::Test {
  protected:
    Verdict said(Words words) {
        std::string text;
        append_command(text, words);
        return said_in_full(text);
    }
    Verdict said_in_full(const std::string& text) {
        Answer answer;
        EXPECT_EQ(answer.read(text), Answer::Status::complete);
        Verdict verdict = judge(session_, answer, kWant);
        verdict.code = {};  // It would look into what is gone.
        return verdict;
    }
    void ask(Verb verb, std::chrono::seconds says, std::uint8_t times = 1) {
        session_.verb = verb;
        session_.said = says;
        session_.asked = times;
        session_.answered = 0;
        session_.duplicates = 0;
    }
    Verdict authorized(std::string_view code, std::string_view granted, std::string_view is_final,
                       std::string_view held, std::string_view dup = "0", std::string_view available = "9") {
        return said({code,       granted, "final",  is_final, "validity", "400", "level",     "",
                     "reason",   "",      "price",  "0.6",    "held",     held,  "available", available,
                     "currency", "EUR",   "number", "49",     "dup",      dup});
    }
    Verdict stopped(std::string_view charged, std::string_view status = "stopped",
                    std::string_view dup = "0") {
        return said(
            {"OK", charged, "billed", "60", "status", status, "flags", "", "record", "r-1", "dup", dup});
    }
    /// Granted 300 s, for which 3 is held.
    void open() {
        ask(Verb::authorize, kWant);
        EXPECT_EQ(authorized("OK", "300", "0", "3").kind, Kind::good);
    }

    Session session_;
};

TEST_F(SessionCheck, BelievesAGrant) {
    open();
    EXPECT_TRUE(session_.is_granted);
    EXPECT_EQ(session_.granted, 300s);
    EXPECT_EQ(session_.held, rating::Money::from_micros(3'000'000));
}

TEST_F(SessionCheck, DoesNotBelieveAGrantOfMoreThanWasWanted) {
    ask(Verb::authorize, kWant);
    EXPECT_EQ(authorized("OK", "301", "0", "3").fault, "granted \"301\", expected 1 s to 300 s");
    ask(Verb::authorize, kWant);
    EXPECT_EQ(authorized("OK", "0", "1", "3").kind, Kind::wrong);
}

TEST_F(SessionCheck, AGrantOfLessIsFinal) {
    ask(Verb::authorize, kWant);
    EXPECT_EQ(authorized("OK", "299", "1", "3").kind, Kind::good);
    ask(Verb::authorize, kWant);
    EXPECT_EQ(authorized("OK", "299", "0", "3").kind, Kind::wrong);
}

TEST_F(SessionCheck, FreeHoldsNothing) {
    ask(Verb::authorize, kWant);
    EXPECT_EQ(authorized("FREE", "300", "0", "0").kind, Kind::good);
    ask(Verb::authorize, kWant);
    EXPECT_EQ(authorized("FREE", "300", "0", "0.000001").kind, Kind::wrong);
}

TEST_F(SessionCheck, ARefusalIsNothingWrong) {
    ask(Verb::authorize, kWant);
    EXPECT_EQ(authorized("CREDIT_LIMIT", "0", "", "").kind, Kind::refused);
    EXPECT_FALSE(session_.is_granted);
    ask(Verb::authorize, kWant);
    EXPECT_EQ(authorized("CREDIT_LIMIT", "5", "", "").kind, Kind::wrong);
    ask(Verb::authorize, kWant);
    EXPECT_EQ(authorized("CONFLICT", "0", "", "").kind, Kind::wrong);  // No two calls of a run share an id.
}

TEST_F(SessionCheck, ErrorsAreWrongButForBusy) {
    ask(Verb::authorize, kWant);
    EXPECT_EQ(said_in_full("-BUSY retry after 5 ms: full\r\n").kind, Kind::busy);
    ask(Verb::authorize, kWant);
    EXPECT_EQ(said_in_full("-NOPERM no\r\n").fault, "answered an error: \"NOPERM no\"");
}

TEST_F(SessionCheck, AnAnswerHasItsPairs) {
    ask(Verb::stop, 60s);
    EXPECT_EQ(said({"OK", "0.6", "status", "stopped"}).fault, "is no answer to \"STOP\"");
    ask(Verb::stop, 60s);
    EXPECT_EQ(said_in_full("+OK\r\n").kind, Kind::wrong);
}

TEST_F(SessionCheck, StartSaysTheGrantAgain) {
    open();
    ask(Verb::start, 0s);
    EXPECT_EQ(said({"OK", "300", "dup", "0"}).kind, Kind::good);
    ask(Verb::start, 0s);
    EXPECT_EQ(said({"OK", "299", "dup", "0"}).fault, "START says as granted \"299\", expected 300 s");
}

TEST_F(SessionCheck, ACallWithinItsGrantCostsAtMostWhatWasHeld) {
    open();
    ask(Verb::stop, 60s);
    EXPECT_EQ(stopped("3.000001").fault, "STOP charged \"3.000001\", expected at most what was held: 3");
    ask(Verb::stop, 60s);
    EXPECT_EQ(stopped("0.6").kind, Kind::good);
    EXPECT_EQ(session_.charged, rating::Money::from_micros(600'000));
}

TEST_F(SessionCheck, TheWholeGrantCostsWhatWasHeld) {
    open();
    ask(Verb::stop, 300s);
    EXPECT_EQ(stopped("2.999999").kind, Kind::wrong);
    ask(Verb::stop, 300s);
    EXPECT_EQ(stopped("3").kind, Kind::good);
}

TEST_F(SessionCheck, ACallThatWasNeverAnsweredCostsNothing) {
    open();
    ask(Verb::stop, 0s);
    EXPECT_EQ(stopped("0.01", "released").kind, Kind::wrong);
    ask(Verb::stop, 0s);
    EXPECT_EQ(stopped("0").kind, Kind::wrong);  // It was not stopped, it was released.
    ask(Verb::stop, 0s);
    EXPECT_EQ(stopped("0", "released").kind, Kind::good);
    EXPECT_TRUE(session_.is_ended);
}

TEST_F(SessionCheck, WhatIsChargedNeverFalls) {
    open();
    ask(Verb::extend, 100s);
    EXPECT_EQ(
        said({"OK", "400", "final", "0", "validity", "460", "charged", "1", "level", "", "dup", "0"}).kind,
        Kind::good);
    EXPECT_EQ(session_.granted, 400s);
    ask(Verb::extend, 200s);
    EXPECT_EQ(
        said({"OK", "500", "final", "0", "validity", "560", "charged", "0.9", "level", "", "dup", "0"}).fault,
        "EXTEND charged \"0.9\", expected 1 or more, as before");
    ask(Verb::extend, 200s);
    EXPECT_EQ(
        said({"OK", "501", "final", "0", "validity", "560", "charged", "2", "level", "", "dup", "0"}).fault,
        "EXTEND granted \"501\", expected at most 500 s");
    ask(Verb::stop, 250s);
    EXPECT_EQ(stopped("0.99").kind, Kind::wrong);
    ask(Verb::stop, 250s);
    EXPECT_EQ(stopped("2.5").kind, Kind::good);
}

TEST_F(SessionCheck, BeyondTheGrantIsAnOverrun) {
    open();
    ask(Verb::stop, 301s);
    EXPECT_EQ(stopped("4").kind, Kind::wrong);
    ask(Verb::stop, 301s);
    EXPECT_EQ(stopped("4", "overrun").kind, Kind::good);
}

TEST_F(SessionCheck, WhatWasSentOnceIsNoRepeat) {
    open();
    ask(Verb::stop, 60s);
    EXPECT_EQ(stopped("0.6", "stopped", "1").kind, Kind::wrong);
}

// The repeat may be answered first; what is available may have changed between the two.
TEST_F(SessionCheck, ARepeatGetsTheSameAnswer) {
    ask(Verb::authorize, kWant, 2);
    EXPECT_EQ(authorized("OK", "300", "0", "3", "1", "9").kind, Kind::good);
    EXPECT_EQ(authorized("OK", "300", "0", "3", "0", "8").kind, Kind::good);
    ask(Verb::stop, 60s, 2);
    EXPECT_EQ(stopped("0.6").kind, Kind::good);
    EXPECT_EQ(stopped("0.61", "stopped", "1").fault, "the repeat was answered otherwise: \"OK\"");
}

TEST_F(SessionCheck, ARepeatHasNoEffectOfItsOwn) {
    open();
    ask(Verb::stop, 60s, 2);
    EXPECT_EQ(stopped("0.6").kind, Kind::good);
    EXPECT_EQ(stopped("0.6").fault, "was sent twice and had not one effect: \"STOP\"");
    ask(Verb::stop, 60s, 2);
    EXPECT_EQ(stopped("0.6", "stopped", "1").kind, Kind::good);
    EXPECT_EQ(stopped("0.6", "stopped", "1").kind, Kind::wrong);
}

TEST_F(SessionCheck, ReleaseOfWhatWasRefusedIsUnknown) {
    ask(Verb::authorize, kWant);
    EXPECT_EQ(authorized("RATING_FAILED", "0", "", "").kind, Kind::refused);
    ask(Verb::release, 0s);
    EXPECT_EQ(said({"UNKNOWN_SESSION", "0", "dup", "0"}).kind, Kind::good);
    open();
    ask(Verb::release, 0s);
    EXPECT_EQ(said({"UNKNOWN_SESSION", "0", "dup", "0"}).kind, Kind::wrong);
    ask(Verb::release, 0s);
    EXPECT_EQ(said({"OK", "0", "dup", "0"}).kind, Kind::good);
}

}  // namespace
}  // namespace tollgate::bench::load
