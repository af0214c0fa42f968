#include "daemon/admin/router.h"

#include <memory>
#include <stdexcept>
#include <utility>
#include <variant>

#include <gtest/gtest.h>

namespace tollgate::daemon::admin {
namespace {

Request request_for(std::string_view method, std::string_view target) {
    Request request;
    request.method = method;
    EXPECT_TRUE(request.set_target(target)) << target;
    return request;
}

Router small_router(std::string* unexpected = nullptr) {
    Router router{[unexpected](std::string_view what) {
        if (unexpected != nullptr) *unexpected = what;
    }};
    router.add("GET", "/things/{id}", Lane::brief, [](const Request&, std::string_view id) {
        return text_response(200, "thing " + std::string{id});
    });
    router.add("PUT", "/things/{id}", Lane::bulk,
               [](const Request&, std::string_view) -> Response { throw std::runtime_error{"no more"}; });
    router.add("POST", "/things:import", Lane::bulk,
               [](const Request&, std::string_view) { return text_response(201, ""); });
    return router;
}

TEST(Request, TakesATargetApart) {
    const Request request = request_for("GET", "/v1/parties/sip%3Aal%2fice@x?count=2&from=%2B49&flag#end");
    EXPECT_EQ(request.path, (std::vector<std::string>{"v1", "parties", "sip:al/ice@x"}));
    ASSERT_EQ(request.query.size(), 3U);
    EXPECT_EQ(request.query[1], (std::pair<std::string, std::string>{"from", "+49"}));
    EXPECT_EQ(request.query[2], (std::pair<std::string, std::string>{"flag", ""}));
    EXPECT_EQ(request_for("GET", "/").path, std::vector<std::string>{""});
    EXPECT_EQ(request_for("GET", "/a/").path, (std::vector<std::string>{"a", ""}));
}

TEST(Request, RefusesATargetThatIsNone) {
    Request request;
    for (const std::string_view target :
         {"", "*", "v1", "http://localhost/", "/%", "/%4", "/%4g", "/a?b=%zz"}) {
        EXPECT_FALSE(request.set_target(target)) << target;
    }
}

TEST(Router, FindsTheHandlerAndItsId) {
    const Router router = small_router();
    const Response found = router.handle(request_for("GET", "/things/a%20b"));
    EXPECT_EQ(found.status, 200U);
    EXPECT_EQ(found.body, "thing a b");
    EXPECT_EQ(router.handle(request_for("POST", "/things:import")).status, 201U);
    EXPECT_EQ(router.lane(request_for("PUT", "/things/a")), Lane::bulk);
    EXPECT_EQ(router.lane(request_for("HEAD", "/things/a")), Lane::brief);
}

/// What `{id}:verb` and two ids are found by.
Router router_of_ids() {
    const auto told = [](std::string_view name) {
        return [name](const Request&, std::string_view id, std::string_view second) {
            return text_response(
                200, std::string{name} + " [" + std::string{id} + "] [" + std::string{second} + "]");
        };
    };
    Router router;
    router.add("GET", "/parties/{id}", Lane::brief, told("show"));
    router.add("POST", "/parties/{id}:close", Lane::brief, told("close"));
    router.add("DELETE", "/parties/{id}/numbers/{number}", Lane::brief, told("return"));
    router.add("POST", "/parties/{id}/numbers/{number}:renew", Lane::brief, told("renew"));
    router.add("POST", "/parties/{id}/numbers/free", Lane::brief, told("free"));
    router.add("GET", "/calls/{session}:start", Lane::call, told("start"));
    return router;
}

TEST(Router, TakesAVerbOffAnId) {
    const Router router = router_of_ids();
    const auto body = [&router](std::string_view method, std::string_view target) {
        return router.handle(request_for(method, target)).body;
    };
    EXPECT_EQ(body("POST", "/parties/a:close"), "close [a] []");
    EXPECT_EQ(body("POST", "/parties/sip:a:close"), "close [sip:a] []");
    EXPECT_EQ(body("POST", "/parties/a%3Ab%2F:close"), "close [a:b/] []");
    EXPECT_EQ(body("POST", "/parties/:close"), "close [] []");
    EXPECT_EQ(router.handle(request_for("POST", "/parties/a:open")).status, 405U);
    EXPECT_EQ(router.handle(request_for("POST", "/parties/a:close:")).status, 405U);
    // Another method has no such verb, so it is part of the id; and so is one whose colon is encoded.
    EXPECT_EQ(body("GET", "/parties/a:close"), "show [a:close] []");
    EXPECT_EQ(router.handle(request_for("POST", "/parties/a%3Aclose")).status, 405U);
    EXPECT_EQ(router.handle(request_for("GET", "/calls/a%3Astart")).status, 404U);
}

TEST(Router, HasTwoIds) {
    const Router router = router_of_ids();
    const auto body = [&router](std::string_view method, std::string_view target) {
        return router.handle(request_for(method, target)).body;
    };
    EXPECT_EQ(body("DELETE", "/parties/a/numbers/4930"), "return [a] [4930]");
    EXPECT_EQ(body("POST", "/parties/a/numbers/4930:renew"), "renew [a] [4930]");
    EXPECT_EQ(body("POST", "/parties/a/numbers/free"), "free [a] []");
    EXPECT_EQ(router.handle(request_for("DELETE", "/parties/a/numbers")).status, 404U);
}

// Goal: HEAD, which changes nothing, is never a command of a call.
TEST(Router, HasNoHeadOfCalls) {
    const Router router = router_of_ids();
    EXPECT_EQ(router.handle(request_for("GET", "/calls/a:start")).status, 200U);
    const Response head = router.handle(request_for("HEAD", "/calls/a:start"));
    EXPECT_EQ(head.status, 405U);
    EXPECT_EQ(head.headers.front(), (std::pair<std::string, std::string>{"Allow", "GET"}));
}

TEST(Router, AnswersHeadAsGet) {
    EXPECT_EQ(small_router().handle(request_for("HEAD", "/things/a")).body, "thing a");
    EXPECT_EQ(small_router().handle(request_for("HEAD", "/things:import")).status, 405U);
}

TEST(Router, SaysThatThereIsNothing) {
    const Router router = small_router();
    for (const std::string_view target :
         {"/", "/things", "/things/", "/things/a/b", "/Things/a", "/things:export"}) {
        const Response response = router.handle(request_for("GET", target));
        EXPECT_EQ(response.status, target == "/things/" ? 200U : 404U)
            << target;  // An empty id is the handler's matter.
    }
    EXPECT_FALSE(router.lane(request_for("GET", "/things")));
    const Response missing = router.handle(request_for("GET", "/"));
    EXPECT_EQ(missing.content_type, "application/problem+json");
    EXPECT_EQ(
        missing.body,
        "{\"type\":\"about:blank\",\"title\":\"Not Found\",\"status\":404,\"detail\":\"nothing is served "
        "here\"}\n");
}

// Goal: a method that a path does not have is refused with those that it has.
TEST(Router, NamesTheMethodsThatAreAllowed) {
    const Router router = small_router();
    for (const std::string_view method : {"DELETE", "get", "OPTIONS"}) {
        const Response response = router.handle(request_for(method, "/things/a"));
        EXPECT_EQ(response.status, 405U);
        ASSERT_EQ(response.headers.size(), 1U);
        EXPECT_EQ(response.headers.front(), (std::pair<std::string, std::string>{"Allow", "GET, HEAD, PUT"}));
    }
    EXPECT_FALSE(router.lane(request_for("DELETE", "/things/a")));
}

// Goal: what a handler throws is told to whoever wants to know, never to the client.
TEST(Router, MakesAProblemOfWhatAHandlerThrows) {
    std::string unexpected;
    const Response response = small_router(&unexpected).handle(request_for("PUT", "/things/a"));
    EXPECT_EQ(response.status, 500U);
    EXPECT_EQ(unexpected, "no more");
    EXPECT_EQ(response.body.find("no more"), std::string::npos);
}

/// Remembers what it was told; throws where a body says so.
class EchoSink : public BodySink {
  public:
    void begin() override { text_ += "begun,"; }
    void feed(std::string_view piece) override {
        if (piece == "throw") throw std::runtime_error{"no more"};
        text_.append(piece).append(",");
    }
    Response finish() override {
        if (text_.ends_with("late,")) throw std::runtime_error{"no more"};
        return text_response(200, text_);
    }

  private:
    std::string text_;
};

// Goal: a sink is opened for its request, or refused; as a whole or piece by piece it gives the same answer.
TEST(Router, OpensSinks) {
    Router router;
    router.add_stream("PUT", "/streams/{id}", [](const Request&, std::string_view id) -> Router::Opened {
        if (id != "good") return text_response(404, "no");
        return std::make_unique<EchoSink>();
    });
    EXPECT_EQ(router.lane(request_for("PUT", "/streams/good")), Lane::stream);
    EXPECT_EQ(std::get<Response>(router.open(request_for("PUT", "/streams/bad"))).status, 404U);
    EXPECT_EQ(std::get<Response>(router.open(request_for("PUT", "/nothing"))).status, 404U);
    EXPECT_EQ(router.handle(request_for("PUT", "/streams/bad")).status, 404U);
    const auto opened = router.open(request_for("PUT", "/streams/good"));
    const auto& sink = std::get<std::unique_ptr<BodySink>>(opened);
    sink->begin();
    sink->feed("a");
    sink->feed("b");
    EXPECT_EQ(sink->finish().body, "begun,a,b,");
    Request whole = request_for("PUT", "/streams/good");
    whole.body = "ab";
    EXPECT_EQ(router.handle(whole).body, "begun,ab,");
}

// Goal: whatever a sink throws, and whenever, it is fed no more and a 500 at its end.
TEST(Router, MakesAProblemOfWhatASinkThrows) {
    std::string unexpected;
    Router router{[&unexpected](std::string_view what) { unexpected += what; }};
    router.add_stream("PUT", "/streams", [](const Request&, std::string_view) -> Router::Opened {
        return std::make_unique<EchoSink>();
    });
    for (const std::string_view piece : {"throw", "late"}) {
        const auto opened = router.open(request_for("PUT", "/streams"));
        const auto& sink = std::get<std::unique_ptr<BodySink>>(opened);
        sink->feed(piece);
        if (piece == "throw") sink->feed("throw");
        const Response response = sink->finish();
        EXPECT_EQ(response.status, 500U);
        EXPECT_EQ(std::exchange(unexpected, {}), "no more");
    }
}

TEST(Problem, ListsFaults) {
    const std::vector<RequestFault> faults = {{3, "prefix", "\"x\": expected digits"}, {{}, "", "odd"}};
    const Response response = problem(
        {.status = 422, .detail = "2 faults", .errors = faults, .place_name = "column", .error_count = 7});
    EXPECT_EQ(response.status, 422U);
    EXPECT_EQ(response.body,
              "{\"type\":\"about:blank\",\"title\":\"Unprocessable Content\",\"status\":422,\"detail\":\"2 "
              "faults\","
              "\"errors\":[{\"line\":3,\"column\":\"prefix\",\"message\":\"\\\"x\\\": expected digits\"},"
              "{\"column\":\"\",\"message\":\"odd\"}],\"error_count\":7}\n");
}

}  // namespace
}  // namespace tollgate::daemon::admin
