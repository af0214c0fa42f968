#include "daemon/admin/http_server.h"

#include <array>
#include <atomic>
#include <cstdio>
#include <memory>
#include <stdexcept>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "daemon/admin/gzip.h"
#include "tests/daemon/admin/house.h"
#include "tests/daemon/admin/packed.h"
#include "tests/daemon/admin/raw_client.h"

namespace tollgate::daemon::admin {
namespace {

using std::chrono::milliseconds;

config::Config::Http settings() {
    config::Config::Http http;
    http.listen = {"127.0.0.1", 0};
    http.body_bytes_max = kTestBodyBytesMax;
    return http;
}

/// A house that is served.
struct ServedHouse : House {
    explicit ServedHouse(const config::Config::Http& http = settings()) : server(http, router) {
        server.start();
    }
    HttpServer server;
};

/// A request's bytes with everything that it must have.
std::string request(std::string_view method, std::string_view target, std::string_view body = {},
                    std::string_view headers = {}) {
    std::string text;
    text.append(method).append(" ").append(target).append(" HTTP/1.1\r\nHost: localhost\r\n").append(headers);
    if (!body.empty()) text.append("Content-Length: ").append(std::to_string(body.size())).append("\r\n");
    return text.append("\r\n").append(body);
}

bool has_header(const RawResponse& response, std::string_view line) {
    return response.head.find("\r\n" + std::string{line} + "\r\n") != std::string::npos;
}

// Goal: one connection serves one request after the other, and closes when it is asked to.
TEST(HttpServer, KeepsConnections) {
    const ServedHouse house;
    RawClient client{house.server.port()};
    for (int i = 0; i < 3; ++i) {
        const RawResponse response = client.ask(request("GET", "/healthz"));
        EXPECT_EQ(response.status, 200);
        EXPECT_EQ(response.body, "ok\n");
        EXPECT_TRUE(has_header(response, "Connection: keep-alive"));
        EXPECT_TRUE(has_header(response, "Content-Type: text/plain; charset=utf-8"));
    }
    const RawResponse last = client.ask(request("GET", "/healthz", {}, "Connection: close\r\n"));
    EXPECT_TRUE(has_header(last, "Connection: close"));
    EXPECT_TRUE(client.closed());
}

TEST(HttpServer, AnswersPipelinedRequestsInOrder) {
    const ServedHouse house;
    RawClient client{house.server.port()};
    ASSERT_TRUE(client.send(request("PUT", "/v1/tariffs/a", R"({"currency":"EUR"})") +
                            request("GET", "/v1/tariffs/a") + request("GET", "/healthz")));
    EXPECT_EQ(client.receive().status, 201);
    EXPECT_EQ(client.receive().status, 200);
    EXPECT_EQ(client.receive().body, "ok\n");
}

// Goal: where packets end makes no difference.
TEST(HttpServer, ReadsSplitPackets) {
    const ServedHouse house;
    RawClient client{house.server.port()};
    const std::string text = request("PUT", "/v1/tariffs/a", R"({"currency":"EUR"})");
    for (const char byte : text) {
        ASSERT_TRUE(client.send({&byte, 1}));
        std::this_thread::sleep_for(milliseconds{1});
    }
    EXPECT_EQ(client.receive().status, 201);
}

TEST(HttpServer, ReadsChunkedBodies) {
    const ServedHouse house;
    RawClient client{house.server.port()};
    const RawResponse response = client.ask(
        "PUT /v1/tariffs/a HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
        "5\r\n{\"cur\r\nd\r\nrency\":\"EUR\"}\r\n0\r\n\r\n");
    EXPECT_EQ(response.status, 201) << response.body;
}

TEST(HttpServer, TakesAPackedDeck) {
    const ServedHouse house;
    house.furnish();
    RawClient client{house.server.port()};
    std::string deck = "prefix,rate_per_minute\n";
    for (int i = 0; i < 900; ++i)
        deck += std::to_string(1'000 + i) + ",0.01\n";
    const RawResponse response = client.ask(request("PUT", "/v1/tariffs/retail/deck", packed(deck),
                                                    "Content-Type: text/CSV\r\nContent-Encoding: GZIP\r\n"));
    EXPECT_EQ(response.status, 200);
    EXPECT_EQ(response.body, "{\"version\":2,\"rows\":900,\"prefixes\":900,\"milliseconds\":0}\n");
}

// ---- Bodies that are taken piece by piece ----

/// A deck of 900 rows and about a megabyte: several pieces.
std::string large_deck() {
    std::string deck = "prefix,rate_per_minute,destination\n";
    for (int i = 0; i < 900; ++i)
        deck += std::to_string(1'000 + i) + ",0.01," + std::string(1'000, 'x') + std::to_string(i) + "\n";
    return deck;
}

// Goal: whatever pieces it comes in, announced or chunked, plain or packed, it is the same deck.
TEST(HttpServer, TakesALargeDeckInPieces) {
    const ServedHouse house;
    house.furnish();
    RawClient client{house.server.port()};
    const std::string deck = large_deck();
    for (const std::string& body : {deck, packed(deck)}) {
        EXPECT_EQ(client.ask(request("PUT", "/v1/tariffs/retail/deck", body)).status, 200);
    }
    ASSERT_TRUE(
        client.send("PUT /v1/tariffs/retail/deck HTTP/1.1\r\nHost: localhost\r\n"
                    "Transfer-Encoding: chunked\r\n\r\n"));
    constexpr std::size_t kChunk = 10'000;
    for (std::size_t at = 0; at < deck.size(); at += kChunk) {
        const std::string chunk = deck.substr(at, kChunk);
        std::array<char, 16> size{};
        (void)std::snprintf(size.data(), size.size(), "%zx\r\n", chunk.size());
        ASSERT_TRUE(client.send(size.data() + chunk + "\r\n"));
    }
    ASSERT_TRUE(client.send("0\r\n\r\n"));
    EXPECT_EQ(client.receive().status, 200);
    const std::string shown = client.ask(request("GET", "/v1/tariffs/retail/deck")).body;
    for (int version = 2; version <= 4; ++version) {
        const auto target = "/v1/tariffs/retail/deck?version=" + std::to_string(version);
        EXPECT_EQ(client.ask(request("GET", target)).body, shown);
    }
    const std::string versions = client.ask(request("GET", "/v1/tariffs/retail/versions")).body;
    std::array<char, 32> checksum{};
    (void)std::snprintf(checksum.data(), checksum.size(), "\"checksum\":\"%08x\"", checksum_of(deck));
    for (std::size_t at = 0, count = 0; count < 3; ++count, ++at) {
        at = versions.find(checksum.data(), at);
        ASSERT_NE(at, std::string::npos) << versions;
    }
}

// Goal: uploads are independent: one that has stopped in its middle holds up neither another one nor a check,
// and goes on where it was.
TEST(HttpServer, TakesSeveralDecksAtATime) {
    const ServedHouse house;
    house.furnish();
    const std::string deck = large_deck();
    const std::string slow = request("PUT", "/v1/tariffs/retail/deck", deck);
    RawClient slow_client{house.server.port()};
    ASSERT_TRUE(slow_client.send(std::string_view{slow}.substr(0, slow.size() / 2)));
    std::this_thread::sleep_for(milliseconds{50});
    RawClient client{house.server.port()};
    EXPECT_EQ(client.ask(request("PUT", "/v1/tariffs/retail/deck", deck)).status, 200);
    EXPECT_EQ(client.ask(request("POST", "/v1/tariffs/retail/deck:check", deck)).status, 200);
    ASSERT_TRUE(slow_client.send(std::string_view{slow}.substr(slow.size() / 2)));
    EXPECT_EQ(slow_client.receive().body.find("{\"version\":3,\"rows\":900,"), 0U);
}

// Goal: an upload is used whole: its last piece is never left out, however pieces and turns fall.
// Method: decks that differ in their last row only, sent in two pieces a moment apart; what is in force ends
// with that row. A body that ended early would be refused or lack it.
TEST(HttpServer, UsesADeckToItsLastByte) {
    const ServedHouse house;
    house.furnish();
    for (int round = 0; round < 200; ++round) {
        const std::string last = "99" + std::to_string(1'000 + round);
        const std::string deck =
            "prefix,rate_per_minute\n49,0.1\n" + std::string(70'000, '\n') + last + ",0.25\n";
        const std::string whole = request("PUT", "/v1/tariffs/retail/deck", deck);
        RawClient client{house.server.port()};
        const std::size_t cut = whole.size() - 3;
        ASSERT_TRUE(client.send(std::string_view{whole}.substr(0, cut)));
        if (round % 2 == 0) std::this_thread::sleep_for(std::chrono::microseconds{100 * (round % 7)});
        ASSERT_TRUE(client.send(std::string_view{whole}.substr(cut)));
        ASSERT_EQ(client.receive().status, 200);
        const auto version = house.tariffs.current(*house.tariffs.find("retail"));
        ASSERT_EQ(version->deck->row_count(), 2U);
        ASSERT_EQ(version->deck->prefix(1).text().view(), last);
        ASSERT_EQ(version->deck->rate(1).price.nanos(), 250'000'000);
    }
}

// Goal: uploads under way are bounded, because each builds a deck; one that ends makes room.
TEST(HttpServer, LimitsUploadsAtOnce) {
    const ServedHouse house;
    house.furnish();
    const std::string deck = request("PUT", "/v1/tariffs/retail/deck", large_deck());
    std::vector<std::unique_ptr<RawClient>> slow;
    for (std::size_t i = 0; i < kStreamsAtOnce; ++i) {
        slow.push_back(std::make_unique<RawClient>(house.server.port()));
        ASSERT_TRUE(slow.back()->send(std::string_view{deck}.substr(0, deck.size() / 2)));
    }
    std::this_thread::sleep_for(milliseconds{50});
    RawClient client{house.server.port()};
    EXPECT_EQ(client.ask(deck).status, 503);
    ASSERT_TRUE(slow[0]->send(std::string_view{deck}.substr(deck.size() / 2)));
    EXPECT_EQ(slow[0]->receive().status, 200);
    RawClient again{house.server.port()};
    EXPECT_EQ(again.ask(deck).status, 200);
}

// Goal: who hangs up in the middle of a deck has changed nothing, however good its rows were so far.
TEST(HttpServer, ForgetsADeckThatDoesNotCome) {
    const ServedHouse house;
    house.furnish();
    const std::string deck = request("PUT", "/v1/tariffs/retail/deck", large_deck());
    for (const std::size_t missing : {1U, 400'000U, 900'000U}) {
        RawClient client{house.server.port()};
        ASSERT_TRUE(client.send(std::string_view{deck}.substr(0, deck.size() - missing)));
        client.finish_sending();
        EXPECT_EQ(client.receive().status, 400);
    }
    RawClient client{house.server.port()};
    const RawResponse shown = client.ask(request("GET", "/v1/tariffs/retail"));
    EXPECT_NE(shown.body.find("\"version\":1,"), std::string::npos);
}

// Goal: what nobody wants is refused before it is sent, and what is too long as soon as that is known.
TEST(HttpServer, RefusesADeckBeforeItComes) {
    const ServedHouse house;
    house.furnish();
    const auto refused = [&](std::string_view tariff, std::string_view headers) {
        RawClient client{house.server.port()};
        const int status =
            client
                .ask("PUT /v1/tariffs/" + std::string{tariff} + "/deck HTTP/1.1\r\nHost: localhost\r\n" +
                     std::string{headers} + "Expect: 100-continue\r\n\r\n")
                .status;
        EXPECT_TRUE(client.closed());
        return status;
    };
    EXPECT_EQ(refused("nobody", "Content-Length: 1000000\r\n"), 404);
    EXPECT_EQ(refused("retail", "Content-Type: text/html\r\nContent-Length: 1000000\r\n"), 415);
    EXPECT_EQ(refused("retail", "Content-Encoding: br\r\nContent-Length: 1000000\r\n"), 415);
    EXPECT_EQ(refused("retail", "Content-Length: 9000000000\r\n"), 413);
    RawClient client{house.server.port()};
    EXPECT_EQ(client.ask(request("PUT", "/v1/tariffs/nobody/deck")).status, 404);
    EXPECT_EQ(client.ask(request("PUT", "/v1/tariffs/retail/deck")).status, 422);  // Empty.
    EXPECT_EQ(client.ask(request("GET", "/healthz")).status, 200);                 // It goes on.
}

TEST(HttpServer, CarriesTheIdempotencyKey) {
    const ServedHouse house;
    house.furnish();
    RawClient client{house.server.port()};
    const auto ask = [&](std::string_view headers) {
        return client.ask(request("POST", "/v1/parties/root/topups", R"({"amount":"1"})", headers));
    };
    EXPECT_EQ(ask("").status, 400);
    EXPECT_EQ(ask("idempotency-key: k-1\r\n").status, 201);
    EXPECT_NE(ask("Idempotency-Key: k-1\r\n").body.find("\"dup\":true"), std::string::npos);
}

TEST(HttpServer, AnswersHeadWithoutABody) {
    const ServedHouse house;
    RawClient client{house.server.port()};
    ASSERT_TRUE(client.send(request("HEAD", "/healthz") + request("GET", "/healthz")));
    const RawResponse head = client.receive(false);
    EXPECT_EQ(head.status, 200);
    EXPECT_TRUE(has_header(head, "Content-Length: 3"));
    EXPECT_EQ(client.receive().body, "ok\n");  // Nothing stood between the two.
}

TEST(HttpServer, RefusesUnknownPathsAndMethods) {
    const ServedHouse house;
    RawClient client{house.server.port()};
    EXPECT_EQ(client.ask(request("GET", "/metrics")).status, 404);
    const RawResponse refused = client.ask(request("DELETE", "/healthz"));
    EXPECT_EQ(refused.status, 405);
    EXPECT_TRUE(has_header(refused, "Allow: GET, HEAD"));
    EXPECT_TRUE(has_header(refused, "Content-Type: application/problem+json"));
    EXPECT_EQ(client.ask(request("GET", "/healthz")).status, 200);  // The connection goes on.
}

// Goal: a page whose name was made to point here gets nothing, nor does a form of another site.
TEST(HttpServer, ServesOnlyItsOwnNames) {
    const ServedHouse house;
    const auto status_of = [&](std::string_view headers) {
        return RawClient{house.server.port()}
            .ask("GET /healthz HTTP/1.1\r\n" + std::string{headers} + "\r\n")
            .status;
    };
    EXPECT_EQ(status_of("Host: localhost:7380\r\n"), 200);
    EXPECT_EQ(status_of("Host: [::1]:7380\r\n"), 200);
    EXPECT_EQ(status_of("Host: evil.example\r\n"), 403);
    EXPECT_EQ(status_of("Host: evil.example:7380\r\n"), 403);
    EXPECT_EQ(status_of("Host: localhost\r\nOrigin: http://evil.example\r\n"), 403);
    EXPECT_EQ(status_of(""), 400);
    EXPECT_EQ(status_of("Host: localhost\r\nHost: evil.example\r\n"), 400);
}

TEST(HttpServer, RefusesWhatIsNoHttp) {
    const ServedHouse house;
    const std::string two_lengths = request("PUT", "/v1/tariffs/a", "{}", "Transfer-Encoding: chunked\r\n");
    const std::string no_length = request("PUT", "/v1/tariffs/a", {}, "Content-Length: x\r\n");
    for (const std::string_view text :
         {std::string_view{two_lengths}, std::string_view{no_length}, std::string_view{"hello\r\n\r\n"},
          std::string_view{"\x16\x03\x01\x02 tls"},
          std::string_view{"GET healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"},
          std::string_view{"GET /%zz HTTP/1.1\r\nHost: localhost\r\n\r\n"},
          std::string_view{"GET / HTTP/3.0\r\nHost: localhost\r\n\r\n"}}) {
        RawClient client{house.server.port()};
        const RawResponse response = client.ask(text);
        EXPECT_EQ(response.status, 400) << text;
        EXPECT_TRUE(has_header(response, "Content-Type: application/problem+json")) << text;
        EXPECT_TRUE(client.closed());
    }
}

// ---- Limits ----

TEST(HttpServer, LimitsHeaders) {
    auto http = settings();
    http.header_bytes_max = 1'024;
    const ServedHouse house{http};
    const auto status_with = [&](std::size_t bytes) {
        return RawClient{house.server.port()}
            .ask(request("GET", "/healthz", {}, "X-Long: " + std::string(bytes, 'x') + "\r\n"))
            .status;
    };
    EXPECT_EQ(status_with(900), 200);
    EXPECT_EQ(status_with(1'024), 431);
    EXPECT_EQ(status_with(200'000), 431);
}

// Goal: a body over the limit is refused by its announcement alone, and the refusal can be read although the
// body was sent.
TEST(HttpServer, LimitsBodies) {
    auto http = settings();
    http.body_bytes_max = 2 * kBriefBodyBytesMax;
    const ServedHouse house{http};
    const auto status_with = [&](std::string_view target, std::size_t bytes) {
        return RawClient{house.server.port()}.ask(request("POST", target, std::string(bytes, '\n'))).status;
    };
    EXPECT_EQ(status_with("/v1/parties:import", 2 * kBriefBodyBytesMax), 200);
    EXPECT_EQ(status_with("/v1/parties:import", 2 * kBriefBodyBytesMax + 1), 413);
    EXPECT_EQ(status_with("/v1/parties", kBriefBodyBytesMax + 1), 413);
    EXPECT_EQ(status_with("/v1/parties", kBriefBodyBytesMax), 422);
    RawClient liar{house.server.port()};
    EXPECT_EQ(liar.ask("POST /v1/parties:import HTTP/1.1\r\nHost: localhost\r\nContent-Length: "
                       "9223372036854775807\r\n\r\n")
                  .status,
              413);
}

TEST(HttpServer, LimitsChunkedBodies) {
    auto http = settings();
    http.body_bytes_max = 1'024;
    const ServedHouse house{http};
    RawClient client{house.server.port()};
    ASSERT_TRUE(client.send(
        "POST /v1/parties:import HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"));
    for (int i = 0; i < 5; ++i)
        (void)client.send("100\r\n" + std::string(256, '\n') + "\r\n");
    EXPECT_EQ(client.receive().status, 413);
}

// Goal: curl asks before it sends a large body; it is told to go on, or not to.
TEST(HttpServer, AnswersExpectContinue) {
    const ServedHouse house;
    const std::string body = R"({"currency":"EUR"})";
    const std::string headers =
        "Expect: 100-continue\r\nContent-Length: " + std::to_string(body.size()) + "\r\n";
    RawClient client{house.server.port()};
    EXPECT_EQ(client.ask(request("PUT", "/v1/tariffs/a", {}, headers)).status, 100);
    EXPECT_EQ(client.ask(body).status, 201);
    EXPECT_EQ(RawClient{house.server.port()}.ask(request("PUT", "/v1/nothing", {}, headers)).status, 404);
    EXPECT_EQ(RawClient{house.server.port()}
                  .ask("PUT /v1/tariffs/a HTTP/1.1\r\nHost: evil.example\r\n" + headers + "\r\n")
                  .status,
              403);
}

// Goal: who begins a request and does not go on is told so and disconnected; who says nothing is
// disconnected.
TEST(HttpServer, TimesOut) {
    auto http = settings();
    http.timeout = milliseconds{200};
    const ServedHouse house{http};
    RawClient half_head{house.server.port()};
    RawClient half_body{house.server.port()};
    RawClient silent{house.server.port()};
    ASSERT_TRUE(half_head.send("GET /healthz HT"));
    ASSERT_TRUE(
        half_body.send("PUT /v1/tariffs/a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{"));
    EXPECT_EQ(half_head.receive().status, 408);
    EXPECT_TRUE(half_head.closed());
    EXPECT_EQ(half_body.receive().status, 408);
    EXPECT_TRUE(half_body.closed());
    EXPECT_TRUE(silent.closed());
}

// Goal: a client that has said all and closed its side still gets its answer; one that closed in the middle a
// refusal.
TEST(HttpServer, AnswersHalfOpenConnections) {
    const ServedHouse house;
    RawClient whole{house.server.port()};
    ASSERT_TRUE(whole.send(request("GET", "/healthz")));
    whole.finish_sending();
    EXPECT_EQ(whole.receive().status, 200);
    EXPECT_TRUE(whole.closed());

    RawClient half{house.server.port()};
    ASSERT_TRUE(half.send("PUT /v1/tariffs/a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{"));
    half.finish_sending();
    EXPECT_EQ(half.receive().status, 400);
    EXPECT_TRUE(half.closed());
}

// Goal: one connection more than the limit is turned away; when one is gone, the next is served.
TEST(HttpServer, LimitsConnections) {
    auto http = settings();
    http.connections_max = 2;
    const ServedHouse house{http};
    RawClient first{house.server.port()};
    EXPECT_EQ(first.ask(request("GET", "/healthz")).status, 200);
    {
        RawClient second{house.server.port()};
        EXPECT_EQ(second.ask(request("GET", "/healthz")).status, 200);
        RawClient third{house.server.port()};
        EXPECT_EQ(third.receive().status, 503);
        EXPECT_TRUE(third.closed());
    }
    int status = 503;
    for (int attempt = 0; attempt < 200 && status != 200; ++attempt) {
        std::this_thread::sleep_for(milliseconds{10});
        status = RawClient{house.server.port()}.ask(request("GET", "/healthz")).status;
    }
    EXPECT_EQ(status, 200);
}

// ---- Threads ----

/// A router whose `/slow` waits until it is let go.
struct SlowRouter {
    std::atomic<int> begun{0};
    std::atomic<bool> go{false};
    Router router;

    SlowRouter() {
        const auto wait = [this](const Request&, std::string_view) {
            ++begun;
            while (!go)
                std::this_thread::sleep_for(milliseconds{1});
            return text_response(200, "done\n");
        };
        router.add("POST", "/slow", Lane::bulk, wait);
        router.add("POST", "/login", Lane::slow, wait);
        router.add("GET", "/brief", Lane::brief,
                   [](const Request&, std::string_view) { return text_response(200, "b"); });
        router.add("GET", "/healthz", Lane::at_once,
                   [](const Request&, std::string_view) { return text_response(200, "h"); });
    }
    void wait_until_begun() const {
        while (begun == 0)
            std::this_thread::sleep_for(milliseconds{1});
    }
};

// Goal: imports under way and waiting hold up nothing but each other.
TEST(HttpServer, ServesOthersDuringAnImport) {
    SlowRouter slow;
    HttpServer server{settings(), slow.router};
    server.start();
    RawClient first{server.port()};
    RawClient second{server.port()};
    RawClient third{server.port()};
    ASSERT_TRUE(first.send(request("POST", "/slow")));
    ASSERT_TRUE(second.send(request("POST", "/slow")));
    ASSERT_TRUE(third.send(request("POST", "/slow")));
    slow.wait_until_begun();
    RawClient other{server.port()};
    EXPECT_EQ(other.ask(request("GET", "/healthz")).body, "h");
    EXPECT_EQ(other.ask(request("GET", "/brief")).body, "b");
    EXPECT_EQ(slow.begun, 1);
    slow.go = true;
    EXPECT_EQ(first.receive().status, 200);
    EXPECT_EQ(second.receive().status, 200);
    EXPECT_EQ(third.receive().status, 200);
}

// Goal: logins take their turns; who comes when too many are under way is turned away at once, and nobody
// else notices.
TEST(HttpServer, TurnsLoginsAwayWhenTooManyAreUnderWay) {
    SlowRouter slow;
    HttpServer server{settings(), slow.router};
    server.start();
    constexpr std::size_t kLogins = kSlowAtOnce + 8;
    std::vector<std::unique_ptr<RawClient>> clients;
    for (std::size_t i = 0; i < kLogins; ++i) {
        clients.push_back(std::make_unique<RawClient>(server.port()));
        ASSERT_TRUE(clients.back()->send(request("POST", "/login")));
    }
    slow.wait_until_begun();
    RawClient other{server.port()};
    for (int i = 0; i < 50; ++i) {
        EXPECT_EQ(other.ask(request("GET", "/brief")).status, 200);
        std::this_thread::sleep_for(milliseconds{4});
    }
    EXPECT_EQ(slow.begun, 1);
    slow.go = true;
    std::size_t served = 0;
    for (const auto& client : clients) {
        const RawResponse response = client->receive();
        if (response.status == 200) {
            ++served;
        } else {
            EXPECT_EQ(response.status, 503);
            EXPECT_TRUE(has_header(response, "Retry-After: 3"));
        }
    }
    EXPECT_EQ(served, kSlowAtOnce);
}

// Goal: stop() lets a request under way have its answer, ends idle connections and takes no new ones.
TEST(HttpServer, FinishesWhatIsUnderWayWhenItStops) {
    SlowRouter slow;
    HttpServer server{settings(), slow.router};
    server.start();
    RawClient busy{server.port()};
    RawClient idle{server.port()};
    EXPECT_EQ(idle.ask(request("GET", "/healthz")).status, 200);
    ASSERT_TRUE(busy.send(request("POST", "/slow")));
    slow.wait_until_begun();
    std::jthread stopping{[&] { server.stop(); }};
    EXPECT_TRUE(idle.closed());
    slow.go = true;
    const RawResponse response = busy.receive();
    EXPECT_EQ(response.status, 200);
    EXPECT_TRUE(has_header(response, "Connection: close"));
    EXPECT_TRUE(busy.closed());
    stopping.join();
    EXPECT_FALSE(RawClient{server.port()}.connected());
    server.stop();  // Nothing is left to do.
}

// Goal: a request whose body never comes does not hold up stop() for longer than kStopWait; neither does one
// that waits behind a handler that is under way, which is waited for.
TEST(HttpServer, StopsInBoundedTime) {
    SlowRouter slow;
    HttpServer server{settings(), slow.router};
    server.start();
    RawClient never{server.port()};
    RawClient running{server.port()};
    RawClient waiting{server.port()};
    ASSERT_TRUE(running.send(request("POST", "/slow")));
    slow.wait_until_begun();
    ASSERT_TRUE(waiting.send(request("POST", "/slow")));
    ASSERT_TRUE(never.send("POST /slow HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\n{"));
    const auto begun = std::chrono::steady_clock::now();
    std::jthread letting_go{[&] {
        std::this_thread::sleep_for(kStopWait + milliseconds{500});
        slow.go = true;
    }};
    server.stop();
    const auto taken = std::chrono::steady_clock::now() - begun;
    EXPECT_GE(taken, kStopWait);
    EXPECT_LT(taken, kStopWait + std::chrono::seconds{10});
    EXPECT_EQ(slow.begun, 1);
}

TEST(HttpServer, NamesTheAddressItCannotHave) {
    const ServedHouse house;
    auto http = settings();
    http.listen.port = house.server.port();
    try {
        const HttpServer second{http, Router{}};
        FAIL() << "two servers on one port";
    } catch (const std::runtime_error& failure) {
        EXPECT_EQ(std::string{failure.what()},
                  "http.listen 127.0.0.1:" + std::to_string(http.listen.port) + ": Address already in use");
    }
    http.listen = {"not an address", 0};
    EXPECT_THROW((HttpServer{http, Router{}}), std::runtime_error);
}

TEST(HttpServer, NeedNotBeStarted) {
    const HttpServer server{settings(), Router{}};
    EXPECT_NE(server.port(), 0);
}

// Goal: many clients at once see whole answers; parties are created while others are being read.
TEST(HttpServer, ServesManyClients) {
    const ServedHouse house;
    house.furnish();
    std::atomic<int> created{0};
    {
        std::vector<std::jthread> clients;
        clients.reserve(8);
        for (int number = 0; number < 8; ++number) {
            clients.emplace_back([&, number] {
                RawClient client{house.server.port()};
                for (int i = 0; i < 50; ++i) {
                    const std::string id = "c" + std::to_string(number) + "-" + std::to_string(i);
                    const std::string body = R"({"id":")" + id + R"(","kind":"customer","parent":"root"})";
                    const int status = client.ask(request("POST", "/v1/parties", body)).status;
                    const RawResponse shown = client.ask(request("GET", "/v1/parties/" + id));
                    if (status == 201 && shown.status == 200 && shown.body.find(id) != std::string::npos)
                        ++created;
                }
            });
        }
    }
    EXPECT_EQ(created, 400);
    EXPECT_EQ(house.parties.size(), 401U);
}

}  // namespace
}  // namespace tollgate::daemon::admin
