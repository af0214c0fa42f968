#include "daemon/admin/calls.h"

#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "daemon/commands/table.h"
#include "tests/daemon/admin/house.h"
#include "tests/daemon/world.h"

namespace tollgate::daemon::admin {
namespace {

/// The world of daemon/charging_test.cc, where alice-desk pays 0.60 a minute to 49; alice has 10.
class CallsTest : public ::testing::Test {
  protected:
    CallsTest() {
        world_.top_up("alice", "10");
        Calls{{.catalog = world_.catalog,
               .payments = world_.payments,
               .threshold_events = world_.state.threshold_events,
               .registry = world_.state.registry,
               .outbox = world_.state.outbox,
               .notices = world_.state.notices,
               .sessions = world_.sessions,
               .profile_index = world_.state.profile_index,
               .shop = world_.state.shop,
               .ledger = world_.ledger,
               .events = world_.state.events,
               .deck_limits = {},
               .steady_now = [this] { return world_.now.steady; },
               .wall_now = [this] { return world_.now.wall; },
               .commands = &services_,
               .call_counters = &counters_}}
            .add_to(router_);
    }

    Response send(std::string_view method, std::string_view target, std::string_view body = {},
                  Request request = {}) {
        request.method = method;
        EXPECT_TRUE(request.set_target(target)) << target;
        request.body = body;
        return router_.handle(request);
    }
    Response post(std::string_view target, std::string_view body = {}) { return send("POST", target, body); }
    /// What a declared user gets for a GET that accepts plain text.
    Response get(std::string_view target) {
        Request request;
        request.actor.login = "pbx";
        request.accept = "text/plain";
        return send("GET", target, {}, std::move(request));
    }

    World world_;
    commands::ClientRegistry clients_;
    commands::ServerFacts facts_;
    commands::WorkerCounters counters_;
    std::vector<const commands::WorkerCounters*> all_counters_{&counters_};
    commands::Services services_{world_.charging, world_.catalog,       world_.payments, world_.resync,
                                 world_.ledger,   world_.sessions,      clients_,        facts_,
                                 all_counters_,   world_.state.registry};
    Router router_;
};

constexpr std::string_view kAuthorize = R"({"line":"alice-desk","destination":"+4930","want":60})";

// Goal: a whole call; the names are those of RESP's pairs, every figure is a string.
// Method: 60 s cost 0.60; 30 s of them 0.30, and 61.2 s are 62 s: 0.62.
TEST_F(CallsTest, CarriesACallFromAuthorizeToStop) {
    const Response granted = post("/v1/calls/c1:authorize", kAuthorize);
    EXPECT_EQ(granted.status, 200U);
    EXPECT_EQ(granted.content_type, "application/json");
    EXPECT_EQ(granted.body,
              R"({"code":"OK","granted":"60","final":"0","validity":"300","level":"","reason":"",)"
              R"("price":"0.6","held":"0.6","available":"9.4","currency":"EUR","number":"4930","dup":"0"})"
              "\n");
    EXPECT_EQ(post("/v1/calls/c1:start").body, "{\"code\":\"OK\",\"granted\":\"60\",\"dup\":\"0\"}\n");
    EXPECT_EQ(
        post("/v1/calls/c1:extend", R"({"used":"30","want":60})").body,
        R"({"code":"OK","granted":"90","final":"0","validity":"150","charged":"0.3","level":"","dup":"0"})"
        "\n");
    const Response stopped = post("/v1/calls/c1:stop", R"({"used":61.2,"cause":"16"})");
    EXPECT_TRUE(has(stopped, R"("code":"OK","charged":"0.62","billed":"62","status":"stopped")"))
        << stopped.body;
    EXPECT_EQ(world_.balance("alice"), "9.38");
    EXPECT_EQ(counters_.granted, 1U);
    EXPECT_EQ(counters_.ended, 1U);
    EXPECT_EQ(counters_.commands, 4U);
}

// Goal: what is sent again is answered again and does nothing twice, also where RESP had it first.
TEST_F(CallsTest, RepeatsHarmlessly) {
    EXPECT_TRUE(has(post("/v1/calls/c1:authorize", kAuthorize), R"("dup":"0")"));
    EXPECT_TRUE(has(post("/v1/calls/c1:authorize", kAuthorize), R"("granted":"60")"));
    EXPECT_TRUE(has(post("/v1/calls/c1:authorize", kAuthorize), R"("dup":"1")"));
    const Response other = post("/v1/calls/c1:authorize", R"({"line":"alice-desk","destination":"4931"})");
    EXPECT_EQ(other.status, 200U);
    EXPECT_TRUE(has(other, R"("code":"CONFLICT","granted":"0")")) << other.body;
    EXPECT_TRUE(has(other, R"("reason":"differs")")) << other.body;

    std::string answer;
    commands::Client client;
    commands::Context context{services_, client, counters_, world_.now};
    const std::vector<std::string_view> words = {"STOP", "c1", "30"};
    commands::execute(context, words, answer);
    EXPECT_NE(answer.find("stopped"), std::string::npos);
    const Response again = post("/v1/calls/c1:stop", R"({"s":"30"})");
    EXPECT_TRUE(has(again, R"("charged":"0.3")") && has(again, R"("dup":"1")")) << again.body;
    EXPECT_TRUE(has(post("/v1/calls/c1:stop", R"({"used":31})"), R"("code":"CONFLICT")"));
    EXPECT_EQ(world_.balance("alice"), "9.7");
}

// Goal: a session is any bytes: it is the same as RESP's.
TEST_F(CallsTest, TakesSessionsOfAnyBytes) {
    const std::string session{"\"%<>@:/? \0\xff:stop", 16};
    const std::string_view encoded = "%22%25%3C%3E%40%3A%2F%3F%20%00%FF%3Astop";
    EXPECT_TRUE(
        has(post(std::string{"/v1/calls/"}.append(encoded) + ":authorize", kAuthorize), "\"code\":\"OK\""));
    std::string answer;
    commands::Client client;
    commands::Context context{services_, client, counters_, world_.now};
    const std::vector<std::string_view> words = {"START", session};
    commands::execute(context, words, answer);
    EXPECT_EQ(answer, "*4\r\n$2\r\nOK\r\n$2\r\n60\r\n$3\r\ndup\r\n$1\r\n0\r\n");
    EXPECT_EQ(get(std::string{"/v1/calls/"}.append(encoded) + ":start").body, "OK 60 dup 1");
    EXPECT_TRUE(
        has(post(std::string{"/v1/calls/"}.append(encoded) + ":stop", R"({"used":0})"), "\"code\":\"OK\""));
    // None at all is an odd session, not an odd request.
    EXPECT_TRUE(has(post("/v1/calls/:authorize", kAuthorize), R"("code":"CONFLICT")"));
    EXPECT_TRUE(has(post("/v1/calls/:start"), R"("code":"UNKNOWN_SESSION")"));
}

TEST_F(CallsTest, AnswersGetsInWords) {
    EXPECT_EQ(get("/v1/calls/c1:authorize?line=alice-desk&destination=%2b4930&want=60").body,
              "OK 60 final 0 validity 300 level  reason  price 0.6 held 0.6 available 9.4 currency EUR "
              "number 4930 dup 0");
    EXPECT_EQ(get("/v1/calls/c1:extend?used=0.5&want=60").body,
              "OK 61 final 0 validity 121 charged 0.01 level  dup 0");
    EXPECT_EQ(get("/v1/calls/c1:release").body, "CONFLICT 0 dup 0");
    const Response stopped = get("/v1/calls/c1:stop?used=1");
    EXPECT_EQ(stopped.content_type, "text/plain; charset=utf-8");
    EXPECT_EQ(stopped.body.substr(0, 7), "OK 0.01");
    EXPECT_EQ(get("/v1/calls/c2:authorize?line=nobody&destination=4930").body.substr(0, 17),
              "UNKNOWN_ACCOUNT 0");
    // POST gets words too, and GET JSON, if they ask for it.
    Request request;
    request.accept = "text/plain";
    EXPECT_EQ(send("POST", "/v1/calls/c1:start", {}, request).body, "UNKNOWN_SESSION 0 dup 0");
    request.accept = {};
    request.actor.login = "pbx";
    EXPECT_TRUE(has(send("GET", "/v1/calls/c1:start", {}, request), R"("code":"UNKNOWN_SESSION")"));
}

// Goal: as long as anybody on this machine is served, a page in a browser there may end no call.
TEST_F(CallsTest, ServesNoGetToStrangers) {
    EXPECT_TRUE(has(post("/v1/calls/c1:authorize", kAuthorize), R"("code":"OK")"));
    const Response refused = send("GET", "/v1/calls/c1:release");
    EXPECT_EQ(refused.status, 403U);
    EXPECT_EQ(refused.content_type, "application/problem+json");
    EXPECT_EQ(send("HEAD", "/v1/calls/c1:release").status, 405U);
    EXPECT_EQ(world_.held("alice"), "0.6");
    EXPECT_EQ(send("DELETE", "/v1/calls/c1:release").status, 405U);
    EXPECT_EQ(post("/v1/calls/c1:forget").status, 404U);
}

// Goal: faulty arguments are named, all that this resource sees at once; nothing was changed.
TEST_F(CallsTest, NamesFaultyArguments) {
    struct Row {
        std::string_view target, body, expected;
    };
    for (const auto& [target, body, expected] : std::vector<Row>{
             {"authorize", R"({"line":"alice-desk"})", R"("field":"destination","message":"missing")"},
             {"authorize", R"({"line":null,"destination":"49"})", R"("field":"line","message":"missing")"},
             {"authorize", R"({"line":"a","destination":"49","want":0})", R"("field":"want")"},
             {"authorize", R"({"line":"a","destination":"49","colour":null})", R"("field":"colour")"},
             {"authorize", R"({"line":"a","destination":"49","want":["1"]})", R"("field":"want")"},
             {"authorize", R"({"line":true,"destination":"49"})", R"("field":"line")"},
             {"authorize", R"({"line":"a","destination":"49","explain":"maybe"})", R"("field":"explain")"},
             {"extend", R"({"want":1})", R"("field":"used")"},
             {"stop", R"({"used":1,"s":1})", R"("field":"s","message":"stands there twice")"},
             {"stop", R"({"used":"x"})", R"("field":"used")"},
             {"stop", "[1]", R"("field":"")"},
             {"stop", "{", "Unprocessable"},
             {"start?at=1", "", R"("field":"at")"},
             {"authorize", R"({"line":"a","destination":"49","service":"Big"})", R"("field":"service")"},
         }) {
        const Response response = post("/v1/calls/c1:" + std::string{target}, body);
        EXPECT_EQ(response.status, 422U) << body;
        EXPECT_TRUE(has(response, expected)) << body << response.body;
    }
    EXPECT_EQ(get("/v1/calls/c1:start?colour=red").status, 422U);
    EXPECT_EQ(world_.held("alice"), "0");
}

// Goal: what RESP says with -BUSY is a 503 with the time after which to ask again.
TEST_F(CallsTest, IsBusyWhereThereIsNoRoom) {
    EXPECT_TRUE(has(post("/v1/calls/c1:authorize", kAuthorize), R"("code":"OK")"));
    world_.log.admitted = balance::Admission::ends_only;
    const Response busy = post("/v1/calls/c2:authorize", kAuthorize);
    EXPECT_EQ(busy.status, 503U);
    ASSERT_EQ(busy.headers.size(), 1U);
    EXPECT_EQ(busy.headers.front(), (std::pair<std::string, std::string>{"Retry-After", "1"}));
    EXPECT_TRUE(has(busy, "the journal's disk is full")) << busy.body;
    EXPECT_TRUE(has(post("/v1/calls/c1:stop", R"({"used":1})"), R"("code":"OK")"));
}

// Goal: a derivation is an object a level, each with its own words.
TEST_F(CallsTest, ExplainsByLevel) {
    const Response explained = post(
        "/v1/calls/c1:authorize", R"({"line":"alice-desk","destination":"4930","want":"60","explain":true})");
    EXPECT_TRUE(has(explained, R"("levels":[{"party":"alice","tariff":"retail")")) << explained.body;
    EXPECT_TRUE(has(explained, R"({"party":"south","tariff":"resale")")) << explained.body;
    EXPECT_TRUE(has(explained, R"("margin":"0.3","derivation":")")) << explained.body;
    EXPECT_TRUE(
        has(post("/v1/calls/c1:release", R"({"cause":"busy"})"), R"("code":"OK","charged":"0","dup":"0")"));
}

}  // namespace
}  // namespace tollgate::daemon::admin
