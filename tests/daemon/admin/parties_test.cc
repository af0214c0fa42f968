#include "daemon/admin/parties.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "tests/daemon/admin/house.h"
#include "tests/daemon/admin/packed.h"

namespace tollgate::daemon::admin {
namespace {

/// A customer `alice` of `root` with a line `desk`.
void furnish_with_customer(const House& house) {
    house.furnish();
    (void)house.send(
        "POST", "/v1/parties",
        R"({"id":"alice","kind":"customer","parent":"root","tariff":"retail","credit_limit":"5"})");
    (void)house.send("POST", "/v1/parties", R"({"id":"desk","kind":"line","parent":"alice"})");
}

Response top_up(const House& house, std::string_view id, std::string key, std::string_view body) {
    Request request;
    request.idempotency_key = std::move(key);
    return house.send("POST", "/v1/parties/" + std::string{id} + "/topups", body, std::move(request));
}

// Goal: the answer is the party as it is stored, every field of it, and where to find it.
TEST(Parties, AreCreated) {
    const House house;
    house.furnish();
    const Response created = house.send(
        "POST", "/v1/parties",
        R"({"id":"sip:al@x","kind":"customer","parent":"root","currency":"EUR","time_zone":"Europe/Berlin",)"
        R"("billing":"postpaid","credit_limit":"500.25","tariff":"retail","max_calls":2,"min_available":0.000001,)"
        R"("status":"overdue,admin","loss_policy":"allow","cap_day":null,"terms":null})");
    EXPECT_EQ(created.status, 201U);
    EXPECT_EQ(created.content_type, "application/json");
    ASSERT_EQ(created.headers.size(), 2U);
    EXPECT_EQ(created.headers[0].first, "ETag");
    EXPECT_EQ(created.headers[1], (std::pair<std::string, std::string>{"Location", "/v1/parties/sip:al@x"}));
    EXPECT_TRUE(
        has(created,
            "{\"id\":\"sip:al@x\",\"kind\":\"customer\",\"parent\":\"root\",\"status\":\"admin,overdue\","
            "\"currency\":\"EUR\",\"time_zone\":\"Europe/"
            "Berlin\",\"billing\":\"postpaid\",\"credit_limit\":\"500.25\","
            "\"tariff\":\"retail\",\"tariffs\":[{\"service\":\"voice\",\"from_prefixes\":[],\"tariff\":"
            "\"retail\"}],"
            "\"terms\":null,\"max_calls\":2,\"calls_per_second\":null,\"cap_call\":null,\"cap_day\":null,"
            "\"cap_month\":null,\"max_price\":null,\"max_seconds\":null,\"min_available\":\"0.000001\","
            "\"home_country\":null,\"opened_countries\":null,\"loss_policy\":\"allow\","
            "\"dial_plan\":null,\"suspended_calls\":\"end\",\"warn_percent\":null,\"warn_owed\":null,"
            "\"warn_balance\":null,\"name\":null,"))
        << created.body;
    EXPECT_TRUE(has(created, "\"balance\":\"0\",\"held\":\"0\",\"available\":\"500.25\"}\n"));
    EXPECT_EQ(house.send("GET", "/v1/parties/sip%3Aal@x").body, created.body);
}

// Goal: a line has no money and says so.
TEST(Parties, WithoutAnAccountShowNoMoney) {
    const House house;
    furnish_with_customer(house);
    const Response line = house.send("GET", "/v1/parties/desk");
    EXPECT_EQ(line.status, 200U);
    EXPECT_TRUE(has(line, "\"credit_limit\":null,\"tariff\":null,\"tariffs\":null")) << line.body;
    EXPECT_TRUE(has(line, "\"balance\":null,\"held\":null,\"available\":null}"));
    EXPECT_TRUE(has(line, "\"currency\":\"EUR\""));
    EXPECT_EQ(house.status("GET", "/v1/parties/nobody"), 404U);
}

TEST(Parties, AreNeverCreatedTwice) {
    const House house;
    furnish_with_customer(house);
    EXPECT_EQ(house.status("POST", "/v1/parties", R"({"id":"alice","kind":"customer","parent":"root"})"),
              409U);
    (void)house.send("DELETE", "/v1/parties/alice");
    EXPECT_EQ(house.status("POST", "/v1/parties", R"({"id":"alice","kind":"customer","parent":"root"})"),
              409U);
}

// Goal: every field has its no, the no names the field, and nobody is created.
TEST(Parties, AreRefusedWithTheFieldsName) {
    const House house;
    house.furnish();
    const std::vector<std::pair<std::string_view, std::string_view>> faulty = {
        {R"("id":7)", "id"},
        {R"("id":"a b")", "id"},
        {R"("id":"")", "id"},
        {R"("kind":"king")", "kind"},
        {R"("kind":null)", "kind"},
        {R"("parent":"nobody")", "parent"},
        {R"("parent":[])", "parent"},
        {R"("currency":"euro")", "currency"},
        {R"("time_zone":1)", "time_zone"},
        {R"("billing":"later")", "billing"},
        {R"("terms":"margin")", "terms"},
        {R"("terms":"good")", "terms"},
        {R"("credit_limit":"-1")", "credit_limit"},
        {R"("credit_limit":"0.0000001")", "credit_limit"},
        {R"("credit_limit":"1,5")", "credit_limit"},
        {R"("credit_limit":true)", "credit_limit"},
        {R"("min_available":"x")", "min_available"},
        {R"("tariff":"nothing")", "tariff"},
        {R"("tariff":5)", "tariff"},
        {R"("max_calls":-1)", "max_calls"},
        {R"("max_calls":"2")", "max_calls"},
        {R"("max_calls":268435456)", "max_calls"},
        {R"("status":"asleep")", "status"},
        {R"("status":"")", "status"},
        {R"("status":"closed")", "status"},
        {R"("status":["closed"])", "status"},
        {R"("status":[1])", "status"},
        {R"("status":1)", "status"},
        {R"("calls_per_second":1000001)", "calls_per_second"},
        {R"("calls_per_second":0.5)", "calls_per_second"},
        {R"("cap_call":"-1")", "cap_call"},
        {R"("cap_day":"10000000000.000001")", "cap_day"},
        {R"("cap_month":"much")", "cap_month"},
        {R"("max_price":"-0.1")", "max_price"},
        {R"("max_price":"0.0000000001")", "max_price"},
        {R"("max_seconds":1.5)", "max_seconds"},
        {R"("max_seconds":1000000001)", "max_seconds"},
        {R"("home_country":"de")", "home_country"},
        {R"("home_country":"DEU")", "home_country"},
        {R"("opened_countries":"DE")", "opened_countries"},
        {R"("opened_countries":["DE","X"])", "opened_countries"},
        {R"("refill_policy":"gift")", "refill_policy"},
        {R"("dial_plan":[])", "dial_plan"},
        {R"("loss_policy":"forbid")", "loss_policy"},
        {R"("balance":"5")", "balance"},
        {R"("held":"5")", "held"},
        {R"("available":"5")", "available"},
        {R"("credit-limit":"5")", "credit-limit"},
    };
    for (const auto& [pair, field] : faulty) {
        // The faulty field and, where it is another, those that a customer needs.
        std::string body = "{" + std::string{pair};
        if (field != "id") body += R"(,"id":"alice")";
        if (field != "kind") body += R"(,"kind":"customer")";
        if (field != "parent") body += R"(,"parent":"root")";
        const Response response = house.send("POST", "/v1/parties", body + "}");
        EXPECT_EQ(response.status, 422U) << body;
        EXPECT_TRUE(has(response, "\"errors\":[{\"field\":\"" + std::string{field} + "\",\"message\":\""))
            << response.body;
    }
    for (const std::string_view body : {"", "[]", "{", "\"alice\""}) {
        EXPECT_EQ(house.status("POST", "/v1/parties", body), 422U) << body;
    }
    EXPECT_EQ(house.parties.size(), 1U);
}

// Goal: limits are taken, shown, changed one by one, cleared by null, and are none where nobody said any.
TEST(Parties, HaveLimits) {
    const House house;
    house.furnish();
    EXPECT_EQ(house.status("POST", "/v1/parties",
                           R"({"id":"lea","kind":"customer","parent":"root","calls_per_second":5,)"
                           R"("cap_call":"1.5","cap_day":"20","cap_month":200,"max_price":"0.123456789",)"
                           R"("max_seconds":7200,"home_country":"DE","opened_countries":["FR","AT","FR"],)"
                           R"("loss_policy":"refuse"})"),
              201U);
    EXPECT_TRUE(has(house.send("GET", "/v1/parties/lea"),
                    "\"calls_per_second\":5,\"cap_call\":\"1.5\",\"cap_day\":\"20\",\"cap_month\":\"200\","
                    "\"max_price\":\"0.123456789\",\"max_seconds\":7200,\"min_available\":\"0\","
                    "\"home_country\":\"DE\",\"opened_countries\":[\"AT\",\"FR\"],"
                    "\"loss_policy\":\"refuse\""));
    EXPECT_TRUE(
        has(house.send("PATCH", "/v1/parties/lea",
                       R"({"cap_day":null,"max_seconds":60,"opened_countries":[],"loss_policy":null})"),
            "\"cap_call\":\"1.5\",\"cap_day\":null,\"cap_month\":\"200\",\"max_price\":\"0.123456789\","
            "\"max_seconds\":60,\"min_available\":\"0\",\"home_country\":\"DE\",\"opened_countries\":[],"
            "\"loss_policy\":\"allow\""));
    EXPECT_TRUE(has(house.send("PATCH", "/v1/parties/lea", R"({"opened_countries":null})"),
                    "\"opened_countries\":null"));
    EXPECT_EQ(house.status("PATCH", "/v1/parties/lea", R"({"cap_day":"1","home_country":"x"})"), 422U);
    EXPECT_TRUE(has(house.send("GET", "/v1/parties/lea"), "\"cap_day\":null")) << "all or nothing";
    EXPECT_TRUE(has(house.send("PATCH", "/v1/parties/root", R"({"max_price":"1"})"), "\"max_price\":\"1\""));
    // A line has caps, but its customer's countries.
    EXPECT_EQ(house.status("POST", "/v1/parties", R"({"id":"desk","kind":"line","parent":"lea"})"), 201U);
    EXPECT_EQ(house.status("PATCH", "/v1/parties/desk", R"({"cap_day":"1","max_seconds":5})"), 200U);
    EXPECT_EQ(house.status("PATCH", "/v1/parties/desk", R"({"home_country":"DE"})"), 422U);
    EXPECT_EQ(house.status("PATCH", "/v1/parties/desk", R"({"opened_countries":[]})"), 422U);
    EXPECT_EQ(house.status("PATCH", "/v1/parties/desk", R"({"loss_policy":"refuse"})"), 422U);
    EXPECT_EQ(house.status("PATCH", "/v1/parties/desk", R"({"loss_policy":"allow"})"), 200U);
}

TEST(Parties, SayWhatComesLater) {
    const House house;
    house.furnish();
    EXPECT_TRUE(has(house.send("POST", "/v1/parties", R"({"id":"a","kind":"customer","status":"closed"})"),
                    "DELETE /v1/parties/{id}"));
    for (const std::string_view target : {"/metrics", "/v1/calls/a:start"}) {
        EXPECT_EQ(house.status("GET", target), 404U) << target;
    }
}

// Goal: whoever names no id is given ten digits, one by one and in an import.
TEST(Parties, AreGivenAnId) {
    const House house;
    house.furnish();
    const Response created =
        house.send("POST", "/v1/parties", R"({"id":null,"kind":"customer","parent":"root"})");
    EXPECT_EQ(created.status, 201U) << created.body;
    EXPECT_EQ(house.status("POST", "/v1/parties:import",
                           "{\"kind\":\"customer\",\"parent\":\"root\"}\n"
                           "{\"kind\":\"customer\",\"parent\":\"root\",\"name\":\"Ann\"}\n"),
              200U);
    EXPECT_EQ(house.parties.child_count(house.parties.root()), 3U);
    for (balance::PartyId id = house.parties.first_child(house.parties.root()); id != balance::kNoParty;
         id = house.parties.next_sibling(id)) {
        const auto& text = house.parties.get(id).id;
        EXPECT_EQ(text.size(), 10U) << text;
        EXPECT_TRUE(std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; }));
    }
}

// Goal: what a party is called stands beside it, in an import too, and is refused line by line.
TEST(Parties, HaveProfiles) {
    const House house;
    house.furnish();
    EXPECT_EQ(house.status("POST", "/v1/parties:import",
                           R"({"id":"p","kind":"partner","parent":"root","code":"C1"})"
                           "\n"
                           R"({"id":"r","kind":"reseller","parent":"root","name":"Ann & Sons"})"
                           "\n"
                           R"({"id":"c","kind":"customer","parent":"r","came_with":"C1"})"),
              200U);
    EXPECT_TRUE(has(house.send("GET", "/v1/parties/r"), R"("name":"Ann & Sons")"));
    EXPECT_TRUE(has(house.send("GET", "/v1/parties/c"), R"("came_with":"C1")"));
    const Response refused = house.send("POST", "/v1/parties:import",
                                        R"({"id":"d","kind":"customer","parent":"r","email":"d@example.org"})"
                                        "\n"
                                        R"({"id":"e","kind":"customer","parent":"r","came_with":"C2"})"
                                        "\n"
                                        R"({"id":"q","kind":"partner","parent":"root","code":"C1"})");
    EXPECT_EQ(refused.status, 422U);
    EXPECT_TRUE(has(refused, R"("line":2,"field":"came_with")")) << refused.body;
    EXPECT_TRUE(has(refused, R"("line":3,"field":"code")")) << refused.body;
    EXPECT_EQ(house.status("GET", "/v1/parties/d"), 404U);
}

// Goal: several faults are told at once.
TEST(Parties, AreRefusedWithEveryFault) {
    const House house;
    house.furnish();
    const Response response = house.send(
        "POST", "/v1/parties", R"({"id":"a","kind":"customer","parent":"root","colour":1,"billing":2})");
    EXPECT_EQ(response.status, 422U);
    EXPECT_TRUE(has(response, "{\"field\":\"colour\",\"message\":\"no such field\"},{\"field\":\"billing\""))
        << response.body;
    EXPECT_TRUE(has(response, "2 faults"));
}

// Goal: `tariffs` with one plain entry is `tariff`; both together must say the same.
TEST(Parties, TakeAListOfOneTariff) {
    const House house;
    house.furnish();
    (void)house.send("PUT", "/v1/tariffs/other", R"({"currency":"EUR"})");
    int count = 0;
    const auto status_with = [&](const std::string& tariffs) {
        const std::string id = "c" + std::to_string(++count);
        const auto response =
            house.send("POST", "/v1/parties",
                       R"({"id":")" + id + R"(","kind":"customer","parent":"root",)" + tariffs + "}");
        return response.status == 201 && has(response, R"("tariff":"retail","tariffs":[)") ? 201U
                                                                                           : response.status;
    };
    EXPECT_EQ(status_with(R"("tariffs":[{"tariff":"retail"}])"), 201U);
    EXPECT_EQ(status_with(R"("tariffs":[{"service":"voice","from_prefixes":[],"tariff":"retail"}])"), 201U);
    EXPECT_EQ(status_with(R"("tariffs":[{"service":null,"from_prefixes":null,"tariff":"retail"}])"), 201U);
    EXPECT_EQ(status_with(R"("tariff":"retail","tariffs":[{"tariff":"retail"}])"), 201U);
    EXPECT_EQ(status_with(R"("tariff":"other","tariffs":[{"tariff":"retail"}])"), 422U);
    EXPECT_EQ(status_with(R"("tariff":"retail","tariffs":[{"service":"sms","tariff":"retail"}])"), 422U);
}

// Goal: a list is kept and shown as it was written, and is refused with the entry that is wrong.
TEST(Parties, TakeAListOfTariffsInItsOrder) {
    const House house;
    house.furnish();
    (void)house.send("PUT", "/v1/tariffs/other", R"({"currency":"EUR"})");
    (void)house.send("PUT", "/v1/tariffs/dollars", R"({"currency":"USD"})");
    const std::string list = R"([{"service":"voice","from_prefixes":["49","4930"],"tariff":"other"},)"
                             R"({"service":"toll-free","from_prefixes":[],"tariff":"other"},)"
                             R"({"service":"voice","from_prefixes":[],"tariff":"retail"}])";
    const Response created = house.send(
        "POST", "/v1/parties", R"({"id":"bob","kind":"customer","parent":"root","tariffs":)" + list + "}");
    EXPECT_EQ(created.status, 201U) << created.body;
    EXPECT_TRUE(has(created, R"("tariff":null,"tariffs":)" + list + ",")) << created.body;
    EXPECT_EQ(house.send("GET", "/v1/parties/bob").body, created.body);
    EXPECT_EQ(house.status("POST", "/v1/parties:import",
                           R"({"id":"carl","kind":"customer","parent":"root","tariffs":)" + list + "}"),
              200U);
    EXPECT_TRUE(has(house.send("GET", "/v1/parties/carl"), list));

    const auto refusal = [&](const std::string& tariffs) {
        return house.send("PATCH", "/v1/parties/bob", R"({"tariffs":)" + tariffs + "}").body;
    };
    const auto names = [](const std::string& body, std::string_view text) {
        return body.find(R"("errors":[{"field":"tariffs","message":")") != std::string::npos &&
               body.find(text) != std::string::npos;
    };
    EXPECT_TRUE(names(refusal(R"([{"tariff":"retail"},{"tariff":"none"}])"), "entry 2: "));
    EXPECT_TRUE(names(refusal(R"([{"tariff":"retail"},{"tariff":"dollars"}])"), "is in USD"));
    EXPECT_TRUE(names(refusal(R"([{"service":"Voice","tariff":"retail"}])"), "of a-z 0-9 _ -"));
    EXPECT_TRUE(names(refusal(R"([{"service":5,"tariff":"retail"}])"), "expected a string"));
    EXPECT_TRUE(names(refusal(R"([{"from_prefixes":["+49"],"tariff":"retail"}])"), "1 to 15 digits"));
    EXPECT_TRUE(names(refusal(R"([{"from_prefixes":[49],"tariff":"retail"}])"), "list of strings"));
    EXPECT_TRUE(names(refusal(R"([{"from_prefixes":"49","tariff":"retail"}])"), "list of strings"));
    EXPECT_TRUE(names(refusal(R"([{"service":"voice"}])"), "names no tariff"));
    EXPECT_TRUE(names(refusal(R"([{"tariff":null}])"), "names no tariff"));
    EXPECT_NE(refusal(R"([{"tariff":"retail","colour":1}])").find("no such field"), std::string::npos);
    EXPECT_NE(refusal(R"(["retail"])").find("expected an object"), std::string::npos);
    EXPECT_TRUE(names(refusal(R"("retail")"), "expected a list"));
    EXPECT_EQ(house.send("GET", "/v1/parties/bob").body, created.body) << "nothing has changed";

    EXPECT_TRUE(
        has(house.send("PATCH", "/v1/parties/bob", R"({"tariff":"retail"})"),
            R"("tariff":"retail","tariffs":[{"service":"voice","from_prefixes":[],"tariff":"retail"}])"));
    EXPECT_TRUE(has(house.send("PATCH", "/v1/parties/bob", R"({"tariffs":)" + list + "}"), list));
    EXPECT_TRUE(
        has(house.send("PATCH", "/v1/parties/bob", R"({"tariffs":[]})"), R"("tariff":null,"tariffs":null)"));
}

// ---- Changing ----

TEST(PartyChange, TakesWhatMayChange) {
    const House house;
    furnish_with_customer(house);
    (void)house.send("PUT", "/v1/tariffs/other", R"({"currency":"EUR"})");
    const Response changed = house.send(
        "PATCH", "/v1/parties/alice",
        R"({"status":["admin","fraud"],"credit_limit":7.5,"min_available":"1","tariff":"other","max_calls":0})");
    EXPECT_EQ(changed.status, 200U);
    EXPECT_TRUE(has(changed, "\"status\":\"admin,fraud\"")) << changed.body;
    EXPECT_TRUE(has(changed, "\"credit_limit\":\"7.5\",\"tariff\":\"other\""));
    EXPECT_TRUE(has(changed, "\"max_calls\":0,"));
    EXPECT_TRUE(has(changed, "\"min_available\":\"1\""));
    EXPECT_TRUE(has(changed, "\"available\":\"7.5\""));
    EXPECT_EQ(house.send("PATCH", "/v1/parties/alice", "{}").body, changed.body);
}

TEST(PartyChange, ClearsByNull) {
    const House house;
    furnish_with_customer(house);
    (void)house.send("PATCH", "/v1/parties/alice", R"({"status":"limit","min_available":"1","max_calls":3})");
    const Response cleared = house.send(
        "PATCH", "/v1/parties/alice",
        R"({"status":null,"credit_limit":null,"min_available":null,"tariff":null,"max_calls":null})");
    EXPECT_EQ(cleared.status, 200U) << cleared.body;
    EXPECT_TRUE(has(cleared, "\"status\":\"active\""));
    EXPECT_TRUE(has(cleared, "\"credit_limit\":\"0\",\"tariff\":null,\"tariffs\":null"));
    EXPECT_TRUE(has(cleared, "\"max_calls\":null"));
    EXPECT_TRUE(has(cleared, "\"min_available\":\"0\""));
    EXPECT_TRUE(has(house.send("PATCH", "/v1/parties/alice", R"({"tariffs":[{"tariff":"retail"}]})"),
                    "\"tariff\":\"retail\""));
    EXPECT_TRUE(has(house.send("PATCH", "/v1/parties/alice", R"({"status":[]})"), "\"status\":\"active\""));
}

TEST(PartyChange, IsRefusedWhole) {
    const House house;
    furnish_with_customer(house);
    const std::string before = house.send("GET", "/v1/parties/alice").body;
    for (const std::string_view field :
         {R"("id":"bob")", R"("kind":"line")", R"("parent":"root")", R"("currency":"EUR")",
          R"("time_zone":"UTC")", R"("billing":"prepaid")", R"("terms":null)"}) {
        const Response response =
            house.send("PATCH", "/v1/parties/alice", "{\"credit_limit\":\"9\"," + std::string{field} + "}");
        EXPECT_EQ(response.status, 422U) << field;
        EXPECT_TRUE(has(response, "cannot be changed")) << response.body;
    }
    for (const std::string_view field : {R"("balance":"9")", R"("held":null)", R"("available":9)"}) {
        const Response response =
            house.send("PATCH", "/v1/parties/alice", "{\"credit_limit\":\"9\"," + std::string{field} + "}");
        EXPECT_EQ(response.status, 422U) << field;
        EXPECT_TRUE(has(response, "is never written; only transactions move it")) << response.body;
    }
    for (const std::string_view field : {R"("status":"closed")", R"("tariff":"nothing")", R"("colour":1)",
                                         R"("cap_day":"-1")", R"("credit_limit":"-1")"}) {
        EXPECT_EQ(house.status("PATCH", "/v1/parties/alice", "{\"max_calls\":9," + std::string{field} + "}"),
                  422U)
            << field;
    }
    EXPECT_EQ(house.send("GET", "/v1/parties/alice").body, before);
    EXPECT_EQ(house.status("PATCH", "/v1/parties/desk", R"({"credit_limit":"1"})"), 422U);
    EXPECT_EQ(house.status("PATCH", "/v1/parties/nobody", "{}"), 404U);
    EXPECT_EQ(house.status("PATCH", "/v1/parties/alice", "no json"), 422U);
}

TEST(PartyClosing, IsForGood) {
    const House house;
    furnish_with_customer(house);
    const Response closed = house.send("DELETE", "/v1/parties/alice");
    EXPECT_EQ(closed.status, 200U);
    EXPECT_TRUE(has(closed, "\"status\":\"closed\""));
    EXPECT_EQ(house.status("DELETE", "/v1/parties/alice"), 200U);
    EXPECT_EQ(house.status("PATCH", "/v1/parties/alice", R"({"status":"active"})"), 409U);
    EXPECT_EQ(house.status("GET", "/v1/parties/alice"), 200U);
    EXPECT_EQ(house.status("DELETE", "/v1/parties/nobody"), 404U);
    EXPECT_EQ(house.status("DELETE", "/v1/parties/root"), 409U);
    EXPECT_TRUE(has(house.send("GET", "/v1/parties/root"), "\"status\":\"active\""));
}

// ---- Import ----

TEST(PartyImport, TakesATreeInOneRequest) {
    const House house;
    const Response imported =
        house.send("POST", "/v1/parties:import",
                   "\xEF\xBB\xBF{\"id\":\"root\",\"kind\":\"provider\",\"currency\":\"EUR\"}\r\n"
                   "\n  \t\r\n"
                   "{\"id\":\"alice\",\"kind\":\"customer\",\"parent\":\"root\"}\n"
                   "{\"id\":\"desk\",\"kind\":\"line\",\"parent\":\"alice\"}");
    EXPECT_EQ(imported.status, 200U) << imported.body;
    EXPECT_EQ(imported.body, "{\"imported\":3}\n");
    EXPECT_TRUE(has(house.send("GET", "/v1/parties/desk"), "\"parent\":\"alice\""));
    EXPECT_EQ(house.send("POST", "/v1/parties:import", "\n").body, "{\"imported\":0}\n");
}

// Goal: one faulty line and nobody is created; lines are counted with the blank ones.
TEST(PartyImport, IsAllOrNothing) {
    const House house;
    house.furnish();
    const Response refused = house.send("POST", "/v1/parties:import",
                                        "{\"id\":\"alice\",\"kind\":\"customer\",\"parent\":\"root\"}\n"
                                        "\n"
                                        "{\"id\":\"bob\",\"kind\":\"customer\",\"parent\":\"nobody\"}\n"
                                        "{\"id\":\"alice\",\"kind\":\"customer\",\"parent\":\"root\"}\n");
    EXPECT_EQ(refused.status, 422U);
    EXPECT_TRUE(has(refused, "\"errors\":[{\"line\":3,\"field\":\"parent\",\"message\":")) << refused.body;
    EXPECT_TRUE(has(refused, "{\"line\":4,\"field\":\"id\",\"message\":")) << refused.body;
    EXPECT_EQ(house.parties.size(), 1U);

    const Response unreadable =
        house.send("POST", "/v1/parties:import",
                   "{\"id\":\"alice\",\"kind\":\"customer\",\"parent\":\"root\"}\n"
                   "{\"id\":\"bob\",\n"
                   "{\"id\":\"carol\",\"kind\":\"customer\",\"parent\":\"root\",\"colour\":1}\n");
    EXPECT_EQ(unreadable.status, 422U);
    EXPECT_TRUE(has(unreadable, "\"errors\":[{\"line\":2,\"field\":\"\",\"message\":\"not JSON"))
        << unreadable.body;
    EXPECT_TRUE(has(unreadable, "{\"line\":3,\"field\":\"colour\"")) << unreadable.body;
    EXPECT_EQ(house.parties.size(), 1U);
}

TEST(PartyImport, TellsTheFirstFaults) {
    const House house;
    std::string lines;
    for (int i = 0; i < 1'000; ++i)
        lines += "{}\n";
    const Response refused = house.send("POST", "/v1/parties:import", lines);
    EXPECT_EQ(refused.status, 422U);
    EXPECT_TRUE(has(refused, "\"line\":100,"));
    EXPECT_FALSE(has(refused, "\"line\":101,"));
}

TEST(PartyImport, MayBePacked) {
    const House house;
    const std::string lines = "{\"id\":\"root\",\"kind\":\"provider\",\"currency\":\"EUR\"}\n";
    EXPECT_EQ(house.status("POST", "/v1/parties:import", packed(lines).substr(0, 40)), 422U);
    EXPECT_EQ(house.status("POST", "/v1/parties:import", packed(lines)), 200U);
}

// Goal: a hundred thousand parties are one ordinary request; the table's limit (200'000) refuses all of a
// request.
TEST(PartyImport, TakesAHundredThousand) {
    const House house;
    house.furnish();
    const auto lines_of = [](std::string_view name) {
        std::string lines;
        for (int i = 0; i < 50'000; ++i) {
            const std::string number = std::to_string(i);
            lines.append("{\"id\":\"").append(name).append(number);
            lines.append(
                "\",\"kind\":\"customer\",\"parent\":\"root\",\"tariff\":\"retail\",\"credit_limit\":\"5\"}"
                "\n");
            lines.append("{\"id\":\"")
                .append(name)
                .append(number)
                .append("-line\",\"kind\":\"line\",\"parent\":\"");
            lines.append(name).append(number).append("\"}\n");
        }
        return lines;
    };
    EXPECT_EQ(house.send("POST", "/v1/parties:import", lines_of("c")).body, "{\"imported\":100000}\n");
    EXPECT_EQ(house.parties.size(), 100'001U);
    EXPECT_TRUE(has(house.send("GET", "/v1/parties/c49999-line"), "\"parent\":\"c49999\""));
    EXPECT_TRUE(has(house.send("GET", "/v1/parties/c0"), "\"available\":\"5\""));

    const Response refused = house.send("POST", "/v1/parties:import", lines_of("d"));
    EXPECT_EQ(refused.status, 422U);
    EXPECT_TRUE(has(refused, "party.max")) << refused.body;
    EXPECT_EQ(house.parties.size(), 100'001U);
}

// ---- Top-ups ----

TEST(TopUps, MoveMoneyOnce) {
    const House house;
    furnish_with_customer(house);
    const Response first = top_up(house, "alice", "k-1", R"({"amount":"12.5","memo":"cash"})");
    EXPECT_EQ(first.status, 201U);
    EXPECT_EQ(first.body, "{\"txn\":\"t-1\",\"balance\":\"12.5\",\"available\":\"17.5\",\"dup\":false}\n");
    const Response second = top_up(house, "alice", "k-2", R"({"amount":0.000001})");
    EXPECT_EQ(second.body,
              "{\"txn\":\"t-2\",\"balance\":\"12.500001\",\"available\":\"17.500001\",\"dup\":false}\n");
    const Response again = top_up(house, "alice", "k-1", R"({"amount":12.5,"memo":"cash"})");
    EXPECT_EQ(again.status, 201U);
    EXPECT_EQ(again.body, "{\"txn\":\"t-1\",\"balance\":\"12.5\",\"available\":\"17.5\",\"dup\":true}\n");
    EXPECT_TRUE(has(house.send("GET", "/v1/parties/alice"), "\"balance\":\"12.500001\""));
}

TEST(TopUps, RefuseAKeyThatStandsForSomethingElse) {
    const House house;
    furnish_with_customer(house);
    (void)top_up(house, "alice", "k", R"({"amount":"1"})");
    EXPECT_EQ(top_up(house, "alice", "k", R"({"amount":"2"})").status, 409U);
    EXPECT_EQ(top_up(house, "alice", "k", R"({"amount":"1","memo":"x"})").status, 409U);
    EXPECT_EQ(top_up(house, "root", "k", R"({"amount":"1"})").status, 409U);
    EXPECT_TRUE(has(house.send("GET", "/v1/parties/alice"), "\"balance\":\"1\""));
}

TEST(TopUps, NeedAKey) {
    const House house;
    furnish_with_customer(house);
    for (const std::string& key : {std::string{}, std::string{"r-1"}, std::string(256, 'k')}) {
        EXPECT_EQ(top_up(house, "alice", key, R"({"amount":"1"})").status, 400U) << key;
    }
    EXPECT_EQ(top_up(house, "alice", std::string(255, 'k'), R"({"amount":"1"})").status, 201U);
}

TEST(TopUps, NeedAnAccount) {
    const House house;
    furnish_with_customer(house);
    EXPECT_EQ(top_up(house, "nobody", "k", R"({"amount":"1"})").status, 404U);
    EXPECT_EQ(top_up(house, "desk", "k", R"({"amount":"1"})").status, 404U);
    (void)house.send("DELETE", "/v1/parties/alice");
    EXPECT_EQ(top_up(house, "alice", "k", R"({"amount":"1"})").status, 404U);
}

TEST(TopUps, RefuseFaultyContents) {
    const House house;
    furnish_with_customer(house);
    for (const std::string_view body :
         {R"({})", R"({"amount":null})", R"({"amount":"0"})", R"({"amount":"-1"})",
          R"({"amount":"0.0000001"})", R"({"amount":"10000000000.000001"})", R"({"amount":true})",
          R"({"amount":"1","note":"x"})", R"({"amount":"1","memo":5})", R"([])", R"(amount=1)"}) {
        EXPECT_EQ(top_up(house, "alice", "k", body).status, 422U) << body;
    }
    const std::string memo(256, 'm');
    EXPECT_EQ(top_up(house, "alice", "k", R"({"amount":"1","memo":"x)" + memo + "\"}").status, 422U);
    EXPECT_EQ(top_up(house, "alice", "k", R"({"amount":"10000000000","memo":")" + memo + "\"}").status, 201U);
}

// Goal: a balance stays within what an account can hold: 4e12, which 400 top-ups of 1e10 reach.
TEST(TopUps, RefuseWhatAnAccountCannotHold) {
    const House house;
    furnish_with_customer(house);
    unsigned status = 201;
    int count = 0;
    while (status == 201 && count < 1'000) {
        status = top_up(house, "alice", "k" + std::to_string(count), R"({"amount":"10000000000"})").status;
        count += status == 201 ? 1 : 0;
    }
    EXPECT_EQ(status, 422U);
    EXPECT_EQ(count, 400);
}

TEST(Health, IsOk) {
    const House house;
    const Response response = house.send("GET", "/healthz");
    EXPECT_EQ(response.status, 200U);
    EXPECT_EQ(response.body, "ok\n");
    EXPECT_TRUE(response.content_type.starts_with("text/plain"));
}

}  // namespace
}  // namespace tollgate::daemon::admin
