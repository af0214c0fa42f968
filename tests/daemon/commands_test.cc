#include "daemon/commands/commands.h"

#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "daemon/access/password.h"
#include "daemon/commands/arguments.h"
#include "daemon/commands/table.h"
#include "daemon/commands/words.h"
#include "tests/daemon/world.h"

namespace tollgate::daemon::commands {
namespace {

class CommandsTest : public ::testing::Test {
  protected:
    CommandsTest() { world_.top_up("alice", "10"); }

    /// Runs words that are apart by spaces; the answer as RESP.
    std::string run(std::string_view line) {
        std::vector<std::string_view> words;
        while (!line.empty()) {
            const std::size_t space = line.find(' ');
            words.push_back(line.substr(0, space));
            line.remove_prefix(space == std::string_view::npos ? line.size() : space + 1);
        }
        std::string out;
        Context context{services_, client_, counters_, world_.now};
        execute(context, words, out);
        return out;
    }
    /// The bulk string that a PLAIN command answers.
    std::string plain(const std::string& line) {
        const std::string out = run(line + " PLAIN");
        const std::size_t head = out.find("\r\n");
        return out[0] == '$' ? out.substr(head + 2, out.size() - head - 4) : out;
    }

    World world_;
    ClientRegistry clients_;
    ServerFacts facts_;
    WorkerCounters counters_;
    std::vector<const WorkerCounters*> all_counters_{&counters_};
    Services services_{world_.charging, world_.catalog,       world_.payments, world_.resync,
                       world_.ledger,   world_.sessions,      clients_,        facts_,
                       all_counters_,   world_.state.registry};
    Client client_;
};

// Goal: who waits for his hash is a request like any other in the end.
TEST_F(CommandsTest, ALoginIsCountedWhenItIsAnswered) {
    config::User kam;
    kam.name = "kam";
    kam.password = access::Passwords{access::PasswordCost::least()}.hash("secret")->text;
    access::Users users{{kam}};
    services_.users = &users;
    client_.let_in = false;
    const auto counted = [this](const char* command, AnswerCode code) {
        const auto& answers = counters_.by_command[place_of(command)].answers;
        return answers[static_cast<std::size_t>(code)].load();
    };
    const auto answer = [this](const access::User* user) {
        std::string out;
        Context context{services_, client_, counters_, world_.now};
        answer_login(context, user, {}, out);
        return out;
    };
    EXPECT_EQ(run("AUTH kam wrong"), "");
    EXPECT_EQ(counters_.commands, 0U);
    EXPECT_EQ(answer(nullptr).substr(0, 10), "-WRONGPASS");
    EXPECT_EQ(counted("AUTH", AnswerCode::wrongpass), 1U);
    EXPECT_EQ(counters_.errors, 1U);
    EXPECT_EQ(run("HELLO 2 AUTH kam secret"), "");
    EXPECT_EQ(answer(users.current().find("kam")).front(), '*');
    EXPECT_EQ(counted("HELLO", AnswerCode::ok), 1U);
    EXPECT_EQ(counters_.commands, 2U);
    const auto& latency = counters_.by_command[place_of("AUTH")].latency;
    std::uint64_t timed = 0;
    for (std::size_t i = 0; i < LatencyHistogram::kBuckets; ++i)
        timed += latency.count(i);
    EXPECT_EQ(timed, 1U);
    EXPECT_EQ(place_of("no-such-command"), kUnknownCommand);
}

TEST_F(CommandsTest, AnswersAreFlatArraysOfBulkStrings) {
    EXPECT_EQ(run("release none"), "*4\r\n$15\r\nUNKNOWN_SESSION\r\n$1\r\n0\r\n$3\r\ndup\r\n$1\r\n0\r\n");
    EXPECT_EQ(plain("AUTHORIZE alice-desk +4930 call WANT 60"),
              "OK 60 final 0 validity 300 level  reason  price 0.6 held 0.6 available 9.4 currency EUR "
              "number 4930 dup 0");
    EXPECT_EQ(plain("START call"), "OK 60 dup 0");
    EXPECT_EQ(plain("EXTEND call USED 0.5 WANT 60"), "OK 61 final 0 validity 121 charged 0.01 level  dup 0");
    EXPECT_EQ(plain("BALANCE alice"),
              "OK 9.99 currency EUR held 0.6 available 9.39 credit_limit 0 status active");
}

TEST_F(CommandsTest, RefusalsAreAnswersWithTheSamePairs) {
    EXPECT_EQ(
        plain("AUTHORIZE nobody 4930 a"),
        "UNKNOWN_ACCOUNT 0 final  validity  level  reason  price  held  available  currency  number  dup 0");
    EXPECT_EQ(plain("AUTHORIZE alice-desk 49x b"),
              "RATING_FAILED 0 final  validity  level  reason number price  held  available 10 currency EUR "
              "number  dup 0");
    EXPECT_EQ(plain("AUTHORIZE alice-desk 33 c"),
              "RATING_FAILED 0 final  validity  level alice reason prefix price  held  available 10 currency "
              "EUR number 33 "
              "dup 0");
    EXPECT_EQ(plain("AUTHORIZE alice-desk 44901 d").substr(0, 16), "SERVICE_DENIED 0");
    EXPECT_EQ(plain("AUTHORIZE alice 4930 e").substr(0, 15), "UNKNOWN_ACCOUNT") << "a customer is no line";
}

TEST_F(CommandsTest, AFreeCallIsGrantedWithoutAHold) {
    EXPECT_EQ(plain("AUTHORIZE alice-desk 8001 call WANT 60"),
              "FREE 60 final 0 validity 300 level  reason  price 0 held 0 available 10 currency EUR number "
              "8001 dup 0");
}

TEST_F(CommandsTest, FiguresAreJudged) {
    for (const char* text :
         {"-1", "+1", "1e3", "NaN", "inf", "9223372036854775808", "1000000001", "1.0001", "0x10", "1,5"}) {
        const std::string value{text};
        for (const std::string& line : {"AUTHORIZE alice-desk 4930 call WANT " + value, "STOP call " + value,
                                        "EXTEND call USED " + value, "QUOTE alice-desk 4930 USED " + value}) {
            EXPECT_EQ(run(line).substr(0, 8), "-BADARG ") << line;
        }
    }
    EXPECT_EQ(run("AUTHORIZE alice-desk 4930 call WANT 0").substr(0, 14), "-BADARG WANT: ");
    EXPECT_EQ(run("AUTHORIZE alice-desk 4930 call AT tomorrow").substr(0, 12), "-BADARG AT: ");
    EXPECT_EQ(run("EXTEND call WANT 5").substr(0, 14), "-BADARG USED: ");
    for (const char* amount : {"0", "-1", "1e5", "0.0000001", "10000000000.000001"}) {
        EXPECT_EQ(run("TOPUP alice " + std::string{amount} + " r").substr(0, 16), "-BADARG amount: ")
            << amount;
    }
    EXPECT_EQ(run("TOPUP alice 1 r-1").substr(0, 17), "-BADARG request: ");
    EXPECT_EQ(plain("BALANCE alice").substr(0, 5), "OK 10") << "nothing has changed";
}

TEST_F(CommandsTest, ARefundNamesARecordOrARequest) {
    EXPECT_EQ(plain("TOPUP alice 5 paid").substr(0, 5), "OK 15");
    EXPECT_EQ(plain("REFUND paid back AMOUNT 2"), "OK 13 available 13 txn t-5 dup 0");
    EXPECT_EQ(plain("REFUND paid back AMOUNT 2"), "OK 13 available 13 txn t-5 dup 1");
    EXPECT_EQ(plain("REFUND paid more AMOUNT 3.1"), "CONFLICT 0 available  txn  dup 0");
    EXPECT_EQ(plain("REFUND r-1 x"), "UNKNOWN_SESSION 0 available  txn  dup 0");
    EXPECT_EQ(plain("REFUND r-1 x"), "UNKNOWN_SESSION 0 available  txn  dup 1");
    EXPECT_EQ(run("REFUND paid r-2").substr(0, 17), "-BADARG request: ");
    EXPECT_EQ(run("REFUND paid y AMOUNT 0").substr(0, 16), "-BADARG amount: ");
    EXPECT_EQ(run("REFUND <null> y").substr(0, 27), "-BADARG record-or-request: ");
    EXPECT_EQ(plain("REFUND t-" + std::string(10'000, '0') + "4 by-number AMOUNT 1").substr(0, 5), "OK 12");
    world_.state.registry.audit.visit_back(0, [](const AuditEntry& entry) {
        EXPECT_EQ(entry.operation, "refund");
        EXPECT_LT(entry.after.size(), 300U) << "a request id, and the amount";
        return false;
    });
}

TEST_F(CommandsTest, WhatComesLaterIsRefusedClearly) {
    for (const char* line : {"AUTH secret", "HELLO 3 AUTH someone secret"}) {
        EXPECT_NE(run(line).find("-ERR AUTH called without any user declared"), std::string::npos) << line;
        EXPECT_EQ(run(line)[0], '-') << line;
    }
}

TEST_F(CommandsTest, AServiceHasAFormAndTellsARepeatFromAConflict) {
    for (const char* command :
         {"AUTHORIZE alice-desk 4930 call SERVICE ", "QUOTE alice-desk 4930 SERVICE "}) {
        for (const char* name : {"Voice", "toll.free", "123456789012345678901234567890123"}) {
            EXPECT_EQ(run(command + std::string{name}).substr(0, 17), "-BADARG SERVICE: ") << name;
        }
    }
    EXPECT_NE(plain("AUTHORIZE alice-desk 4930 call SERVICE sms").find("level alice reason tariff"),
              std::string::npos);
    EXPECT_EQ(plain("AUTHORIZE alice-desk 4930 call SERVICE fax").substr(0, 8), "CONFLICT");
    EXPECT_EQ(plain("QUOTE alice-desk 4930 SERVICE sms FROM +49").substr(0, 13), "RATING_FAILED");
    EXPECT_EQ(plain("QUOTE alice-desk 4930 SERVICE voice FROM +49").substr(0, 6), "OK 0.6");
}

TEST_F(CommandsTest, ViaIsATariffAndItsFlagIsShown) {
    world_.replays = false;  // What is put by hand has no event.
    rating::TariffSettings settings;
    settings.currency = *rating::Currency::parse("EUR");
    world_.tariffs.put_settings("empty", settings);
    EXPECT_EQ(plain("AUTHORIZE alice-desk 4930 call WANT 60").substr(0, 5), "OK 60");
    EXPECT_EQ(run("STOP call 5 VIA nothing"),
              "-BADARG via: \"nothing\": no such tariff; expected one of a carrier\r\n");
    EXPECT_EQ(plain("STOP call 5 VIA empty").substr(0, 52),
              "OK 0.05 billed 5 status stopped flags via_unrated re");
    EXPECT_EQ(plain("AUTHORIZE alice-desk 4930 long WANT 60").substr(0, 5), "OK 60");
    EXPECT_NE(plain("STOP long 6 VIA empty").find("flags implausible,via_unrated "), std::string::npos);
}

TEST_F(CommandsTest, KeywordsComeInAnyOrderAndCaseAndNullIsAbsent) {
    EXPECT_EQ(plain("authorize alice-desk 4930 call explain From <null> want <null> <null>").substr(0, 7),
              "OK 1000");
    EXPECT_EQ(run("AUTHORIZE alice-desk 4930 x WANT 5 WANT 6").substr(0, 14), "-BADARG WANT: ");
    EXPECT_EQ(run("AUTHORIZE alice-desk 4930 x WANT").substr(0, 14), "-BADARG WANT: ");
    EXPECT_EQ(run("AUTHORIZE alice-desk 4930 x COLOUR red").substr(0, 17), "-BADARG keyword: ");
    EXPECT_EQ(run("AUTHORIZE alice-desk 4930"),
              "-BADARG session: missing; expected line destination session\r\n");
    EXPECT_EQ(run("BALANCE alice x"), "-BADARG keyword: \"x\": expected PLAIN as the last word\r\n");
    EXPECT_EQ(run("STOP call 1 CAUSE " + std::string(257, 'x')),
              "-BADARG CAUSE: has 257 bytes; expected at most 256\r\n");
    EXPECT_EQ(plain("AUTHORIZE <null> 4930 y").substr(0, 15), "UNKNOWN_ACCOUNT");
}

TEST_F(CommandsTest, PlainIsAnOrdinaryWordWhereAnArgumentIsDue) {
    EXPECT_EQ(run("RELEASE PLAIN").substr(0, 4), "*4\r\n") << "a session of that name";
    EXPECT_EQ(run("PING PLAIN"), "$5\r\nPLAIN\r\n");
}

TEST_F(CommandsTest, SessionIdsAreOneTo255Bytes) {
    EXPECT_EQ(plain("AUTHORIZE alice-desk 4930 " + std::string(255, 's')).substr(0, 3), "OK ");
    EXPECT_NE(plain("AUTHORIZE alice-desk 4930 " + std::string(256, 's')).find("CONFLICT 0"),
              std::string::npos);
    EXPECT_EQ(plain("STOP " + std::string(256, 's') + " 5").substr(0, 17), "UNKNOWN_SESSION 0");
}

TEST_F(CommandsTest, QuoteShowsEveryLevelAndReservesNothing) {
    EXPECT_EQ(
        plain("QUOTE alice-desk 4930 USED 90"),
        "OK 0.9 levels 3 "
        "party alice tariff retail version 2 prefix 49 destination  price 0.6 connect_fee 0 billed 90 "
        "cost 0.9 "
        "affordable 1000 margin  "
        "party south tariff resale version 2 prefix 49 destination  price 0.3 connect_fee 0 billed 90 "
        "cost 0.45 "
        "affordable 200000 margin 0.45 "
        "party north tariff wholesale version 2 prefix 49 destination  price 0.12 connect_fee 0 billed "
        "90 cost 0.18 "
        "affordable 500000 margin 0.27 "
        "derivation prefix%2049,%20line%202;%2090%20steps%20of%201%20s%20from%200%20s%20on%20at%200.6%20a"
        "%20minute%20=%200.9;%20sum%200.9;%20rounded%20up%20to%206%20places:%200.9 "
        "derivation prefix%2049,%20line%202;%2090%20steps%20of%201%20s%20from%200%20s%20on%20at%200.3%20a"
        "%20minute%20=%200.45;%20sum%200.45;%20rounded%20up%20to%206%20places:%200.45 "
        "derivation prefix%2049,%20line%202;%2090%20steps%20of%201%20s%20from%200%20s%20on%20at%200.12%20a"
        "%20minute%20=%200.18;%20sum%200.18;%20rounded%20up%20to%206%20places:%200.18");
    EXPECT_EQ(world_.held("alice"), "0");
}

TEST_F(CommandsTest, ExplainKnowsASessionAndItsRecord) {
    run("AUTHORIZE alice-desk 4930 call WANT 60");
    const std::string derivation = plain("EXPLAIN call");
    EXPECT_EQ(derivation.substr(0, 14), "OK 60 levels 3");
    const std::string stopped = plain("STOP call 30");
    const std::size_t at = stopped.find("record ") + 7;
    const std::string record = stopped.substr(at, stopped.find(' ', at) - at);
    EXPECT_EQ(plain("EXPLAIN " + record), derivation) << record;
    EXPECT_EQ(plain("EXPLAIN r-999999999"), "UNKNOWN_SESSION 0 levels 0");
}

TEST_F(CommandsTest, SessionsListsOpenOnes) {
    run("AUTHORIZE alice-desk 4930 call WANT 60");
    EXPECT_EQ(plain("SESSIONS"), "OK 0 call alice-desk 4930 authorized 60 0 0");
    EXPECT_EQ(run("SESSIONS PARTY north").substr(0, 4), "*3\r\n");
    EXPECT_EQ(plain("SESSIONS PARTY nobody"), "UNKNOWN_ACCOUNT 0");
    EXPECT_EQ(run("SESSIONS COUNT 0").substr(0, 15), "-BADARG COUNT: ");
    run("STOP call 5");
    EXPECT_EQ(plain("SESSIONS"), "OK 0");
}

TEST_F(CommandsTest, UnknownCommandsAreErrorsThatCannotBreakFraming) {
    EXPECT_EQ(run("SET"), "-ERR unknown command 'SET'\r\n");
    std::string out;
    Context context{services_, client_, counters_, world_.now};
    const std::vector<std::string_view> words = {"BAD\r\n+OK"};
    execute(context, words, out);
    EXPECT_EQ(out.find("\r\n"), out.size() - 2);
}

TEST_F(CommandsTest, WordsTooManyAreErrors) {
    EXPECT_EQ(run("ECHO a b"), "-ERR wrong number of arguments for 'ECHO'; expected ECHO text\r\n");
    EXPECT_EQ(run("PING a b"), "-ERR wrong number of arguments for 'PING'; expected PING [text]\r\n");
    EXPECT_EQ(run("TIME a"), "-ERR wrong number of arguments for 'TIME'; expected TIME\r\n");
    for (const char* const one : {"SELECT 0 0", "RESET x"})
        EXPECT_EQ(run(one).substr(0, 27), "-ERR wrong number of argume") << one;
    EXPECT_NE(run("COMMAND INFO ECHO").find("echo\r\n:2\r\n"), std::string::npos);
    EXPECT_NE(run("COMMAND INFO PING").find("ping\r\n:-1\r\n"), std::string::npos);
}

TEST_F(CommandsTest, HousekeepingIsAsClientsNeedIt) {
    EXPECT_EQ(run("PING"), "+PONG\r\n");
    EXPECT_EQ(run("PING x"), "$1\r\nx\r\n");
    EXPECT_EQ(run("SELECT 0"), "+OK\r\n");
    EXPECT_EQ(run("SELECT 1")[0], '-');
    EXPECT_EQ(run("CLUSTER NODES")[0], '-');
    EXPECT_EQ(run("CONFIG GET save"), "*0\r\n");
    EXPECT_EQ(run("FLUSHALL")[0], '-');
    EXPECT_EQ(run("HELLO 4").substr(0, 9), "-NOPROTO ");
    EXPECT_EQ(run("HELLO 3")[0], '%');
    EXPECT_EQ(run("COMMAND DOCS PING")[0], '*') << "later answers keep the shape that they had";
    EXPECT_EQ(run("HELLO 2")[0], '*');
    EXPECT_EQ(run("CLIENT SETINFO LIB-NAME x"), "+OK\r\n");
    EXPECT_EQ(run("CLIENT SETNAME portal"), "+OK\r\n");
    EXPECT_EQ(run("CLIENT GETNAME"), "$6\r\nportal\r\n");
    EXPECT_EQ(run("RESET"), "+RESET\r\n");
    EXPECT_EQ(run("CLIENT GETNAME"), "$-1\r\n");
    EXPECT_EQ(run("COMMAND COUNT")[0], ':');
    EXPECT_NE(run("INFO").find("durability:none"), std::string::npos);
    EXPECT_NE(run("INFO books").find("sum=0"), std::string::npos);
}

}  // namespace
}  // namespace tollgate::daemon::commands
