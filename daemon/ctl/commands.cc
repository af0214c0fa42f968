#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <iostream>
#include <stdexcept>
#include <string>
#include <thread>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <unistd.h>

#include "daemon/ctl/command.h"
#include "daemon/ctl/exchange.h"
#include "daemon/ctl/fields.h"
#include "daemon/ctl/token_file.h"

namespace tollgate::daemon::ctl {
namespace {

namespace json = boost::json;
using Parameters = std::vector<std::pair<std::string, std::string>>;

constexpr std::array<std::string_view, 6> kKinds = {"reseller", "distributor", "partner",
                                                    "customer", "line",        "provider"};
constexpr std::array<std::string_view, 4> kRoles = {"viewer", "operator", "finance", "admin"};
constexpr std::array<std::string_view, 2> kShells = {"bash", "zsh"};
constexpr std::array<std::string_view, 3> kMailStates = {"waiting", "sent", "failed"};
constexpr std::array<std::string_view, 10> kSorts = {"tree",  "id",  "name",  "balance",  "made",
                                                     "-tree", "-id", "-name", "-balance", "-made"};

// ---- What several commands take ----

constexpr Argument kParty{"PARTY", "the id of a party"};
constexpr Argument kTariff{"TARIFF", "the id of a tariff"};
constexpr Argument kLogin{"LOGIN", "whom it is about"};
constexpr Argument kAmount{"AMOUNT", "a decimal number, such as 12.50"};
constexpr Argument kDeckFile{"FILE", "a price list as CSV, packed where its name ends with .gz", true, false,
                             Words::file};
constexpr Argument kFields{
    "FIELD=VALUE", "as the contract has them; FIELD= takes a value away, FIELD:=JSON is JSON", false, true};

constexpr Option kMemo{"memo", "TEXT", "what it is for"};
constexpr Option kKey{"key", "KEY", "the idempotency key; without it one is drawn"};
constexpr Option kLimit{"limit", "N", "so many rows, at most 1000"};
constexpr Option kAll{"all", "", "all rows, whatever it takes"};
constexpr Option kCursor{"cursor", "CURSOR", "where an earlier list ended"};
constexpr Option kIfMatch{"if-match", "ETAG", "only if it is still that version"};

constexpr std::array<Argument, 1> kOneParty = {kParty};
constexpr std::array<Argument, 1> kOneLogin = {kLogin};
constexpr std::array<Argument, 1> kOneTariff = {kTariff};
constexpr std::array<Argument, 2> kPartyAndAmount = {kParty, kAmount};
constexpr std::array<Option, 2> kOfMoney = {kMemo, kKey};

std::string party_path(const Call& call) {
    return "/v1/parties/" + encoded(call.argument("PARTY"));
}
std::string tariff_path(const Call& call) {
    return "/v1/tariffs/" + encoded(call.argument("TARIFF"));
}
std::string person_path(const Call& call) {
    return "/v1/people/" + encoded(call.argument("LOGIN"));
}

void put_text(json::object& object, const char* field, const std::string& text) {
    if (!text.empty()) object[field] = text;
}

/// A whole list as CSV to the output, or a refusal.
int write_csv(Call& call, const std::string& target) {
    const Answer answer = call.client.download(target, call.out, {{"Accept", "text/csv"}});
    return answer.good() ? kExitDone : refused(call, answer);
}

/// What was searched as CSV: all of it, or so much as the options `limit` and `cursor` leave.
int write_csv_list(Call& call, const std::string& path, Parameters parameters) {
    if (!call.has("all")) parameters.emplace_back("limit", call.option("limit"));
    parameters.emplace_back("cursor", call.option("cursor"));
    return write_csv(call, path + query_of(parameters));
}

Headers if_match(const Call& call) {
    return call.has("if-match") ? Headers{{"If-Match", call.option("if-match")}} : Headers{};
}

// ---- Access ----

int log_in(Call& call) {
    if (!is_private_way(call.url))
        call.errors << "tollgatectl: the password goes unencrypted to another machine; use https\n";
    const std::string password = ask_password("Password of " + call.argument("LOGIN") + ": ");
    json::object body;
    body["login"] = call.argument("LOGIN");
    body["password"] = password;
    const Answer answer = ask(call, "POST", "/v1/login", body);
    if (!answer.good()) return refused(call, answer);
    const json::value said = json_of(answer);
    const std::string token = said.is_object() ? text_of(said.get_object(), "token") : std::string{};
    if (token.empty() || token == "-") return wrong_usage(call, "the answer has no token");
    if (const std::string fault = write_token(call.token_file, token); !fault.empty()) {
        call.errors << "tollgatectl: " << printable(fault) << '\n';
        return kExitRefused;
    }
    if (call.json) {
        json::object shown = said.get_object();
        shown.erase("token");  // It is in the file, and nowhere else.
        call.out << json::serialize(shown) << '\n';
    } else {
        call.out << "logged in as " << printable(call.argument("LOGIN")) << " until "
                 << printable(text_of(said.get_object(), "expires")) << "; the token is in "
                 << printable(call.token_file) << '\n';
    }
    return kExitDone;
}

int log_out(Call& call) {
    const Answer answer = call.client.send("POST", "/v1/logout");
    // One that is worth nothing is as good as none.
    if (!answer.good() && answer.status != 401) return refused(call, answer);
    if (const std::string fault = remove_token(call.token_file); !fault.empty()) {
        call.errors << "tollgatectl: " << printable(fault) << '\n';
        return kExitRefused;
    }
    return kExitDone;
}

int who_am_i(Call& call) {
    return show(call, call.client.send("GET", "/v1/me"));
}

// ---- Parties ----

constexpr std::array<Option, 15> kListParties = {{
    {"under", "PARTY", "only below this one"},
    {"parent", "PARTY", "only right below this one"},
    {"kind", "KIND", "of this kind", Words::listed, kKinds},
    {"status", "STATUS", "active, closed, or a reason to be suspended"},
    {"q", "TEXT", "in id, name, company or e-mail"},
    {"name", "TEXT", "in the name"},
    {"email", "TEXT", "in the e-mail address"},
    {"class", "CLASS", "members of this class"},
    {"came-with", "CODE", "who came with this code"},
    {"currency", "CUR", "in this currency"},
    {"sort", "FIELD", "the order; with a minus sign backwards", Words::listed, kSorts},
    {"csv", "", "as CSV: all that was searched, or --limit rows"},
    kLimit,
    kAll,
    kCursor,
}};
constexpr std::array<Shown, 8> kPartyColumns = {{{"id", "ID"},
                                                 {"kind", "KIND"},
                                                 {"parent", "PARENT"},
                                                 {"status", "STATUS"},
                                                 {"name", "NAME"},
                                                 {"currency", "CUR"},
                                                 {"balance", "BALANCE", true},
                                                 {"available", "AVAILABLE", true}}};

int list_parties(Call& call) {
    Parameters parameters;
    for (const char* name :
         {"under", "parent", "kind", "status", "q", "name", "email", "class", "currency", "sort"})
        parameters.emplace_back(name, call.option(name));
    parameters.emplace_back("came_with", call.option("came-with"));
    if (call.has("csv")) return write_csv_list(call, "/v1/parties", parameters);
    return show_list(call, "/v1/parties", parameters, "parties", kPartyColumns);
}

int show_party(Call& call) {
    const Answer answer = call.client.send("GET", party_path(call));
    const int code = show(call, answer);
    if (code == kExitDone && !call.json && !answer.etag.empty())
        call.out << "(etag " << printable(answer.etag) << ")\n";
    return code;
}

constexpr std::array<Argument, 2> kCreateParty = {
    {{"KIND", "what it is", true, false, Words::listed, kKinds}, kFields}};

int create_party(Call& call) {
    FieldWords fields = read_fields(call.all("FIELD=VALUE"));
    if (!fields.fault.empty()) return wrong_usage(call, fields.fault);
    fields.object["kind"] = call.argument("KIND");
    return show(call, ask(call, "POST", "/v1/parties", fields.object));
}

constexpr std::array<Argument, 2> kSetParty = {{kParty, kFields}};
constexpr std::array<Option, 1> kSet = {kIfMatch};

int set_party(Call& call) {
    const FieldWords fields = read_fields(call.all("FIELD=VALUE"));
    if (!fields.fault.empty()) return wrong_usage(call, fields.fault);
    if (fields.object.empty()) return wrong_usage(call, "nothing is to be set; write FIELD=VALUE");
    return show(call, ask(call, "PATCH", party_path(call), fields.object, if_match(call)));
}

constexpr std::array<Argument, 1> kCloseParties = {{{"PARTY", "the ids of parties", true, true}}};
constexpr std::array<Option, 1> kYes = {{{"yes", "", "do not ask; needed where no terminal is there"}}};

int close_parties(Call& call) {
    const auto ids = call.all("PARTY");
    if (!call.has("yes")) {
        // What is not to be undone is not done because nobody was there to say no.
        if (::isatty(STDIN_FILENO) != 1)
            return wrong_usage(call, "this closes for ever, and nobody is there to be asked; say --yes");
        call.errors << "Close " << ids.size() << (ids.size() == 1 ? " party" : " parties")
                    << " and everyone below, for ever? [yes/no] " << std::flush;
        std::string said;
        std::getline(std::cin, said);
        if (said != "yes") {
            call.errors << "tollgatectl: nothing was closed\n";
            return kExitRefused;
        }
    }
    if (ids.size() == 1) return show(call, call.client.send("DELETE", party_path(call)));
    json::object body;
    json::array& list = body["ids"].emplace_array();
    for (const std::string& id : ids)
        list.emplace_back(id);
    return show(call, ask(call, "POST", "/v1/parties:close", body));
}

constexpr std::array<Argument, 1> kImportFile = {
    {{"FILE", "one party a line, as JSON, packed where its name ends with .gz", true, false, Words::file}}};

int import_parties(Call& call) {
    return send_file(call, "POST", "/v1/parties:import", call.argument("FILE"), "application/x-ndjson", show);
}

// ---- Money ----

json::object amount_of(const Call& call) {
    json::object body;
    body["amount"] = call.argument("AMOUNT");
    put_text(body, "memo", call.option("memo"));
    return body;
}

int top_up(Call& call) {
    return move_money(call, party_path(call) + "/topups", amount_of(call));
}

int refill(Call& call) {
    return move_money(call, party_path(call) + "/refills", amount_of(call));
}

constexpr std::array<Option, 3> kDebit = {kMemo, kKey, {"force", "", "whatever funds there are"}};

int debit(Call& call) {
    json::object body = amount_of(call);
    if (call.has("force")) body["force"] = true;
    return move_money(call, party_path(call) + "/debits", body);
}

constexpr std::array<Argument, 3> kTransfer = {
    {{"PARTY", "whose money it is"}, {"TARGET", "who gets it"}, kAmount}};

int transfer(Call& call) {
    json::object body = amount_of(call);
    body["target"] = call.argument("TARGET");
    return move_money(call, party_path(call) + "/transfers", body);
}

constexpr std::array<Option, 4> kPay = {kMemo,
                                        kKey,
                                        {"method", "TEXT", "how it was paid, such as cash"},
                                        {"collected-by", "PARTY", "the distributor who has the money"}};

int record_payment(Call& call) {
    json::object body = amount_of(call);
    put_text(body, "method", call.option("method"));
    put_text(body, "collected_by", call.option("collected-by"));
    return move_money(call, party_path(call) + "/payments", body);
}

constexpr std::array<Argument, 1> kMaybeParty = {{{"PARTY", "only of this one", false}}};
constexpr std::array<Option, 8> kListTransactions = {
    {{"kind", "KIND", "of this kind"},
     {"actor", "LOGIN", "by this person; not with a party"},
     {"from", "TIME", "not before this instant (RFC 3339)"},
     {"until", "TIME", "before this instant"},
     {"csv", "", "as CSV: all that was searched, or --limit rows"},
     kLimit,
     kAll,
     kCursor}};
constexpr std::array<Shown, 8> kTransactionColumns = {{{"txn", "TXN"},
                                                       {"at", "AT"},
                                                       {"kind", "KIND"},
                                                       {"party", "PARTY"},
                                                       {"amount", "AMOUNT", true},
                                                       {"currency", "CUR"},
                                                       {"balance", "BALANCE", true},
                                                       {"memo", "MEMO"}}};

int list_transactions(Call& call) {
    const bool is_of_one = !call.argument("PARTY").empty();
    Parameters parameters;
    for (const char* name : {"kind", "from", "until"})
        parameters.emplace_back(name, call.option(name));
    if (is_of_one && call.has("actor")) return wrong_usage(call, "--actor is for the list of all parties");
    parameters.emplace_back("actor", call.option("actor"));
    const std::string path = is_of_one ? party_path(call) + "/transactions" : std::string{"/v1/transactions"};
    if (call.has("csv")) return write_csv_list(call, path, parameters);
    return show_list(call, path, parameters, "transactions", kTransactionColumns);
}

// ---- Tariffs and decks ----

constexpr std::array<Shown, 5> kTariffColumns = {{{"id", "ID"},
                                                  {"owner", "OWNER"},
                                                  {"currency", "CUR"},
                                                  {"version", "VERSION", true},
                                                  {"rows", "ROWS", true}}};

int list_tariffs(Call& call) {
    return show_rows(call, call.client.send("GET", "/v1/tariffs"), "tariffs", kTariffColumns);
}

int show_tariff(Call& call) {
    return show(call, call.client.send("GET", tariff_path(call)));
}

constexpr std::array<Argument, 2> kSetTariff = {{kTariff, kFields}};

int set_tariff(Call& call) {
    const FieldWords fields = read_fields(call.all("FIELD=VALUE"));
    if (!fields.fault.empty()) return wrong_usage(call, fields.fault);
    return show(call, ask(call, "PUT", tariff_path(call), fields.object));
}

constexpr std::array<Argument, 2> kTariffAndFile = {{kTariff, kDeckFile}};

int put_deck(Call& call) {
    return send_file(call, "PUT", tariff_path(call) + "/deck", call.argument("FILE"), "text/csv", show);
}

constexpr std::array<Shown, 8> kWarningColumns = {{{"line", "LINE", true},
                                                   {"prefix", "PREFIX"},
                                                   {"destination", "DESTINATION"},
                                                   {"warning", "WARNING"},
                                                   {"price", "PRICE", true},
                                                   {"tariff", "TARIFF"},
                                                   {"other_prefix", "PREFIX"},
                                                   {"other_price", "PRICE", true}}};

int show_check(Call& call, const Answer& answer) {
    if (!answer.good() || call.json) return show(call, answer);
    const json::value said = json_of(answer);
    if (!said.is_object()) return show(call, answer);
    const json::object& object = said.get_object();
    call.out << "rows " << printable(text_of(object, "rows")) << ", prefixes "
             << printable(text_of(object, "prefixes")) << ", faults " << printable(text_of(object, "faults"))
             << ", warnings " << printable(text_of(object, "warning_counts")) << '\n';
    const json::value* const warnings = object.if_contains("warnings");
    if (warnings == nullptr || !warnings->is_array() || warnings->get_array().empty()) return kExitDone;
    return show_rows(call, answer, "warnings", kWarningColumns);
}

int check_deck(Call& call) {
    return send_file(call, "POST", tariff_path(call) + "/deck:check", call.argument("FILE"), "text/csv",
                     show_check);
}

constexpr std::array<Option, 3> kDiff = {
    {{"from", "VERSION", "the one before; without it, that before the one in force"},
     {"to", "VERSION", "the one after; without it, the one in force"},
     {"csv", "", "as CSV"}}};
constexpr std::array<Shown, 8> kDiffColumns = {{{"change", "CHANGE"},
                                                {"prefix", "PREFIX"},
                                                {"destination", "DESTINATION"},
                                                {"window", "WINDOW"},
                                                {"old", "OLD", true},
                                                {"new", "NEW", true},
                                                {"percent", "%", true},
                                                {"columns", "COLUMNS"}}};

int diff_deck(Call& call) {
    const std::string target = tariff_path(call) + "/deck:diff" +
                               query_of({{"from", call.option("from")}, {"to", call.option("to")}});
    if (call.has("csv")) return write_csv(call, target);
    const Answer answer = call.client.send("GET", target);
    if (!answer.good() || call.json) return show(call, answer);
    // One list a kind of change; people read one table.
    const json::value said = json_of(answer);
    json::object whole;
    json::array& rows = whole["rows"].emplace_array();
    if (said.is_object()) {
        const json::object& diff = said.get_object();
        call.out << "version " << printable(text_of(diff, "to")) << " after "
                 << printable(text_of(diff, "from")) << ": " << printable(text_of(diff, "counts")) << '\n';
        for (const auto& list : diff) {
            if (!list.value().is_array()) continue;
            for (const json::value& row : list.value().get_array()) {
                if (!row.is_object()) continue;
                rows.push_back(row);
                rows.back().get_object()["change"] = list.key();
            }
        }
    }
    if (rows.empty()) return kExitDone;
    Answer made;
    made.status = answer.status;
    made.body = json::serialize(whole);
    return show_rows(call, made, "rows", kDiffColumns);
}

constexpr std::array<Argument, 2> kRollBack = {
    {kTariff,
     {"VERSION", "the version whose deck comes back; without it, that before the one in force", false}}};

int roll_back(Call& call) {
    const std::string& version = call.argument("VERSION");
    json::value body;
    if (!version.empty()) {
        const std::array<std::string, 1> words = {"version=" + version};
        const FieldWords fields = read_fields(words);
        if (!fields.fault.empty()) return wrong_usage(call, fields.fault);
        body = fields.object;
    }
    return show(call, ask(call, "POST", tariff_path(call) + "/deck:rollback", body));
}

constexpr std::array<Shown, 8> kVersionColumns = {{{"version", "VERSION", true},
                                                   {"change", "CHANGE"},
                                                   {"when", "WHEN"},
                                                   {"who", "WHO"},
                                                   {"rows", "ROWS", true},
                                                   {"prefixes", "PREFIXES", true},
                                                   {"checksum", "CHECKSUM"},
                                                   {"in_force", "IN FORCE"}}};

int list_versions(Call& call) {
    return show_rows(call, call.client.send("GET", tariff_path(call) + "/versions"), "versions",
                     kVersionColumns);
}

constexpr std::array<Option, 1> kGetDeck = {{{"of", "VERSION", "of another one than that in force"}}};

int get_deck(Call& call) {
    return write_csv(call, tariff_path(call) + "/deck" + query_of({{"version", call.option("of")}}));
}

// ---- Calls and events ----

constexpr std::array<Option, 4> kListSessions = {
    {{"party", "PARTY", "only below this one"}, kLimit, kAll, kCursor}};
constexpr std::array<Shown, 7> kSessionColumns = {{{"id", "SESSION"},
                                                   {"line", "LINE"},
                                                   {"destination", "DESTINATION"},
                                                   {"state", "STATE"},
                                                   {"granted", "GRANTED", true},
                                                   {"charged", "CHARGED", true},
                                                   {"age", "AGE", true}}};

int list_sessions(Call& call) {
    return show_list(call, "/v1/sessions", {{"party", call.option("party")}}, "sessions", kSessionColumns);
}

constexpr std::array<Option, 4> kTail = {{{"follow", "", "go on until it is interrupted"},
                                          {"after", "NUMBER", "what comes after this one"},
                                          {"all", "", "from the oldest that is kept, as without --follow"},
                                          {"every", "SECONDS", "how often is asked; 1 without it"}}};

/// A word of an answer's field, empty where there is none.
std::string word_of(const json::value& said, const char* field) {
    const json::value* const value = said.is_object() ? said.get_object().if_contains(field) : nullptr;
    return value == nullptr || value->is_null() ? std::string{} : text_of(*value);
}

int tail_events(Call& call) {
    // Without a number: all there is; who goes on from there begins at the end.
    std::string after = call.has("all")      ? std::string{}
                        : call.has("after")  ? call.option("after")
                        : call.has("follow") ? std::string{"latest"}
                                             : std::string{};
    const long pause = call.has("every") ? std::strtol(call.option("every").c_str(), nullptr, 10) : 1;
    if (pause < 1) return wrong_usage(call, "--every takes a number of seconds from 1 on");
    for (;;) {
        const Answer answer =
            call.client.send("GET", "/v1/events" + query_of({{"after", after}, {"limit", "1000"}}));
        if (!answer.good()) return refused(call, answer);
        const json::value said = json_of(answer);
        const json::value* const events =
            said.is_object() ? said.get_object().if_contains("events") : nullptr;
        const bool has_some = events != nullptr && events->is_array() && !events->get_array().empty();
        if (has_some) {
            for (const json::value& event : events->get_array()) {
                if (call.json) {
                    call.out << json::serialize(event) << '\n';
                } else if (event.is_object()) {
                    const json::object& told = event.get_object();
                    call.out << printable(text_of(told, "at") + "  " + text_of(told, "kind") + "  " +
                                          text_of(told, "party") + "  " + text_of(told, "text"))
                             << '\n';
                }
            }
            call.out << std::flush;
        }
        if (const std::string next = word_of(said, "next"); !next.empty()) after = next;
        if (!call.out.good()) return kExitDone;  // Nobody reads any more.
        if (has_some) continue;
        if (!call.has("follow")) return kExitDone;
        std::this_thread::sleep_for(std::chrono::seconds{pause});
    }
}

// ---- People, mails, audit ----

constexpr std::array<Option, 4> kListPeople = {
    {{"party", "PARTY", "only of this one"}, kLimit, kAll, kCursor}};
constexpr std::array<Shown, 6> kPersonColumns = {{{"login", "LOGIN"},
                                                  {"party", "PARTY"},
                                                  {"role", "ROLE"},
                                                  {"name", "NAME"},
                                                  {"email", "E-MAIL"},
                                                  {"disabled", "DISABLED"}}};

int list_people(Call& call) {
    return show_list(call, "/v1/people", {{"party", call.option("party")}}, "people", kPersonColumns);
}

int show_person(Call& call) {
    return show(call, call.client.send("GET", person_path(call)));
}

constexpr std::array<Argument, 4> kCreatePerson = {
    {kLogin, kParty, {"ROLE", "what he may do", true, false, Words::listed, kRoles}, kFields}};

int create_person(Call& call) {
    FieldWords fields = read_fields(call.all("FIELD=VALUE"));
    if (!fields.fault.empty()) return wrong_usage(call, fields.fault);
    fields.object["login"] = call.argument("LOGIN");
    fields.object["party"] = call.argument("PARTY");
    fields.object["role"] = call.argument("ROLE");
    // Never on the command line, where everybody on the machine can read it.
    fields.object["password"] = ask_password("Password of " + call.argument("LOGIN") + ": ");
    return show(call, ask(call, "POST", "/v1/people", fields.object));
}

constexpr std::array<Argument, 2> kSetPerson = {{kLogin, kFields}};

int set_person(Call& call) {
    const FieldWords fields = read_fields(call.all("FIELD=VALUE"));
    if (!fields.fault.empty()) return wrong_usage(call, fields.fault);
    if (fields.object.empty()) return wrong_usage(call, "nothing is to be set; write FIELD=VALUE");
    return show(call, ask(call, "PATCH", person_path(call), fields.object, if_match(call)));
}

int remove_person(Call& call) {
    return show(call, call.client.send("DELETE", person_path(call)));
}

constexpr std::array<Option, 1> kPassword = {
    {{"own", "", "the old one is asked for too, as it is for one's own"}}};

int change_password(Call& call) {
    json::object body;
    if (call.has("own")) body["old"] = ask_password("Old password: ");
    body["new"] = ask_password("New password: ");
    body["again"] = ask_password("Again: ");
    return show(call, ask(call, "POST", person_path(call) + "/password", body));
}

constexpr std::array<Option, 6> kListMails = {
    {{"party", "PARTY", "only of this one"},
     {"state", "STATE", "in this state", Words::listed, kMailStates},
     {"reason", "REASON", "made for this reason, such as threshold"},
     kLimit,
     kAll,
     kCursor}};
constexpr std::array<Shown, 7> kMailColumns = {{{"id", "ID"},
                                                {"made", "MADE"},
                                                {"party", "PARTY"},
                                                {"to", "TO"},
                                                {"subject", "SUBJECT"},
                                                {"state", "STATE"},
                                                {"error", "ERROR"}}};

int list_mails(Call& call) {
    return show_list(
        call, "/v1/outbox",
        {{"party", call.option("party")}, {"state", call.option("state")}, {"reason", call.option("reason")}},
        "mails", kMailColumns);
}

constexpr std::array<Option, 6> kListAudit = {{{"actor", "LOGIN", "by this person"},
                                               {"party", "PARTY", "about this one"},
                                               {"operation", "NAME", "this operation"},
                                               kLimit,
                                               kAll,
                                               kCursor}};
constexpr std::array<Shown, 6> kAuditColumns = {{{"number", "NUMBER", true},
                                                 {"at", "AT"},
                                                 {"actor", "ACTOR"},
                                                 {"operation", "OPERATION"},
                                                 {"party", "PARTY"},
                                                 {"target", "TARGET"}}};

int list_audit(Call& call) {
    return show_list(call, "/v1/audit",
                     {{"actor", call.option("actor")},
                      {"party", call.option("party")},
                      {"operation", call.option("operation")}},
                     "entries", kAuditColumns);
}

// ---- Anything else ----

constexpr std::array<std::string_view, 5> kMethods = {"GET", "POST", "PUT", "PATCH", "DELETE"};
constexpr std::array<Argument, 3> kApi = {{{"METHOD", "of the request", true, false, Words::listed, kMethods},
                                           {"TARGET", "path and query, encoded: /v1/parties?kind=line"},
                                           {"JSON", "the body", false}}};
constexpr std::array<Option, 2> kOfApi = {kKey, kIfMatch};

int call_api(Call& call) {
    if (!call.argument("TARGET").starts_with('/')) return wrong_usage(call, "TARGET begins with a slash");
    json::value body;
    if (!call.argument("JSON").empty()) {
        json::error_code error;
        body = json::parse(call.argument("JSON"), error);
        if (error) return wrong_usage(call, "the body is not JSON: " + error.message());
    }
    Headers headers = if_match(call);
    if (call.has("key")) headers.emplace_back("Idempotency-Key", call.option("key"));
    return show(call, ask(call, call.argument("METHOD"), call.argument("TARGET"), body, headers));
}

// ---- After a restore ----

int show_reserve(Call& call) {
    return show(call, call.client.send("GET", "/v1/reserve"));
}

int release_reserve(Call& call) {
    return show(call, call.client.send("POST", "/v1/reserve:release"));
}

constexpr std::array<Argument, 1> kShell = {
    {{"SHELL", "for which one", true, false, Words::listed, kShells}}};

int complete(Call& call) {
    call.out << completion_script(call.argument("SHELL"));
    return kExitDone;
}

constexpr std::array<Command, 39> kCommands = {{
    {"",
     "login",
     "logs in and keeps the token; the password is asked for, or read from the input",
     kOneLogin,
     {},
     log_in},
    {"", "logout", "ends the token and removes it", {}, {}, log_out},
    {"", "whoami", "who the token belongs to and what he may do", {}, {}, who_am_i},

    {"parties", "list", "searches parties", {}, kListParties, list_parties},
    {"parties", "show", "one party", kOneParty, {}, show_party},
    {"parties", "create", "makes a party", kCreateParty, {}, create_party},
    {"parties", "set", "changes what is named", kSetParty, kSet, set_party},
    {"parties", "close", "closes parties with everyone below them", kCloseParties, kYes, close_parties},
    {"parties", "import", "makes many at once, all or none", kImportFile, {}, import_parties},

    {"money", "topup", "cash received by the seller", kPartyAndAmount, kOfMoney, top_up},
    {"money", "refill", "puts money on a customer's account, as the reseller's policy says", kPartyAndAmount,
     kOfMoney, refill},
    {"money", "debit", "takes money for the seller", kPartyAndAmount, kDebit, debit},
    {"money", "transfer", "moves money between two parties of one seller", kTransfer, kOfMoney, transfer},
    {"money", "pay", "records what somebody paid", kPartyAndAmount, kPay, record_payment},
    {"money", "list", "money outside calls, the newest first", kMaybeParty, kListTransactions,
     list_transactions},

    {"tariffs", "list", "all tariffs", {}, {}, list_tariffs},
    {"tariffs", "show", "the settings of one", kOneTariff, {}, show_tariff},
    {"tariffs", "set", "makes one, or gives it other settings: all of them", kSetTariff, {}, set_tariff},

    {"decks",
     "put",
     "puts a price list in force, once it was found to be without faults",
     kTariffAndFile,
     {},
     put_deck},
    {"decks", "check", "everything but putting it in force", kTariffAndFile, {}, check_deck},
    {"decks", "get", "the price list in force, as CSV", kOneTariff, kGetDeck, get_deck},
    {"decks", "diff", "what one version changes of another", kOneTariff, kDiff, diff_deck},
    {"decks", "rollback", "an earlier price list comes into force again", kRollBack, {}, roll_back},
    {"decks", "versions", "versions that are kept", kOneTariff, {}, list_versions},

    {"", "sessions", "open calls", {}, kListSessions, list_sessions},
    {"", "tail", "what happens: thresholds, changes, money", {}, kTail, tail_events},

    {"people", "list", "who may log in", {}, kListPeople, list_people},
    {"people", "show", "one of them", kOneLogin, {}, show_person},
    {"people",
     "create",
     "somebody who may log in; the password is asked for",
     kCreatePerson,
     {},
     create_person},
    {"people", "set", "changes what is named", kSetPerson, kSet, set_person},
    {"people", "password", "another password; it is asked for", kOneLogin, kPassword, change_password},
    {"people", "remove", "he logs in no more", kOneLogin, {}, remove_person},

    {"reserve", "show", "what is held back since a restore", {}, {}, show_reserve},
    {"reserve", "release", "gives it back: it is available again", {}, {}, release_reserve},

    {"", "outbox", "mails, the newest first", {}, kListMails, list_mails},
    {"", "audit", "who changed what, the newest first", {}, kListAudit, list_audit},
    {"", "api", "any request of the contract", kApi, kOfApi, call_api},
    {"",
     "completion",
     "a script that completes commands; docs/tollgatectl.md says where to put it",
     kShell,
     {},
     complete},
    {"",
     "health",
     "whether the daemon is there",
     {},
     {},
     [](Call& call) { return show(call, call.client.send("GET", "/healthz")); }},
}};

constexpr std::array<Option, 5> kCommon = {{
    {"url", "URL", "where the daemon is; else TOLLGATE_URL, else http://127.0.0.1:7380"},
    {"token-file", "FILE", "where the token is; else TOLLGATE_TOKEN_FILE, else ~/.config/tollgate/token",
     Words::file},
    {"json", "", "for programs: answers as the daemon gives them"},
    {"timeout", "SECONDS", "how long an answer may take; 60 without it"},
    {"progress", "", "shows how far a file is, also where nobody seems to look"},
}};

}  // namespace

const std::string& Call::argument(std::string_view name) const {
    static const std::string none;
    const auto found = arguments.find(name);
    return found == arguments.end() || found->second.empty() ? none : found->second.front();
}

std::span<const std::string> Call::all(std::string_view name) const {
    const auto found = arguments.find(name);
    return found == arguments.end() ? std::span<const std::string>{} : std::span{found->second};
}

const std::string& Call::option(std::string_view name) const {
    static const std::string none;
    const auto found = options.find(name);
    return found == options.end() ? none : found->second;
}

std::span<const Command> commands() {
    return kCommands;
}

std::span<const Option> common_options() {
    return kCommon;
}

std::string_view about_group(std::string_view group) {
    if (group == "parties") return "who pays, sells and calls";
    if (group == "money") return "what moves outside calls";
    if (group == "tariffs") return "settings of price lists";
    if (group == "decks") return "price lists";
    if (group == "people") return "who may log in";
    if (group == "reserve") return "what is held back of everybody since a lost journal was restored";
    std::abort();  // The table has a group that nobody has told of.
}

}  // namespace tollgate::daemon::ctl
