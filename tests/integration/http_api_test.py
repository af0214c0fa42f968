#!/usr/bin/env python3
"""A walk through the HTTP routes, as an administrator with curl would take it.

Goal: tariffs and parties are made, shown, changed and closed, top-ups are done once, faults are named, and what HTTP
says of a party is at once what AUTHORIZE goes by.
Method: one daemon, and one story a test, each with parties of its own.
"""

import http.client
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from daemon import Daemon  # noqa: E402
from runner import main  # noqa: E402
from wire import HOST, MICROS, Reply  # noqa: E402

NUMBER = "442071234567"
DECK = "prefix,rate_per_minute\n44,0.6\n"
CSV = {"Content-Type": "text/csv"}


class HttpApi(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.daemon = cls.enterClassContext(Daemon())
        cls.daemon.tariff("retail", {}, DECK)
        cls.daemon.parties([{"id": "provider", "kind": "provider", "currency": "EUR"}])
        cls.http, cls.resp = cls.daemon.http, cls.daemon.resp

    def expect(self, status, method, path, body=None, **headers):
        """The answer's JSON; a problem must say so in the form of RFC 9457."""
        reply = self.http.request(method, path, body, {name.replace("_", "-"): value
                                                       for name, value in headers.items()})
        self.assertEqual(reply.status, status, reply)
        if status >= 400:
            self.assertEqual(reply.headers["Content-Type"], "application/problem+json")
            self.assertEqual(reply.json["status"], status)
            self.assertTrue(reply.json["title"] and reply.json["detail"], reply)
        return reply.json

    def authorize(self, line, session):
        answer = self.resp.call("AUTHORIZE", line, NUMBER, session, "WANT", 60)
        return (answer.code, answer.figure, answer["level"], answer["reason"])

    def subtree(self, name):
        """A reseller with a customer with a line, all with money."""
        self.daemon.parties([
            {"id": f"{name}-reseller", "kind": "reseller", "parent": "provider", "tariff": "retail"},
            {"id": name, "kind": "customer", "parent": f"{name}-reseller", "tariff": "retail"},
            {"id": f"{name}-line", "kind": "line", "parent": name}])
        self.daemon.topups({f"{name}-reseller": 100 * MICROS, name: 100 * MICROS})

    def test_a_party_is_made_shown_and_changed(self):
        made = self.http.request("POST", "/v1/parties", {
            "id": "anna", "kind": "customer", "parent": "provider", "currency": "EUR", "time_zone": "Europe/Vienna",
            "billing": "postpaid", "credit_limit": "12.5", "tariff": "retail", "max_calls": 3})
        self.assertEqual(made.status, 201, made)
        self.assertEqual(made.headers["Location"], "/v1/parties/anna")
        shown = self.expect(200, "GET", "/v1/parties/anna")
        self.assertEqual(made.json, shown)
        for field, value in {"id": "anna", "kind": "customer", "parent": "provider", "status": "active",
                             "currency": "EUR", "time_zone": "Europe/Vienna", "billing": "postpaid",
                             "tariff": "retail", "max_calls": 3, "min_available": "0",
                             "loss_policy": "allow"}.items():
            self.assertEqual(shown[field], value, field)
        self.assertEqual([float(shown[field]) for field in ("credit_limit", "balance", "held", "available")],
                         [12.5, 0, 0, 12.5])

        changed = self.expect(200, "PATCH", "/v1/parties/anna", {"credit_limit": "20", "max_calls": None})
        self.assertEqual((float(changed["credit_limit"]), float(changed["available"]), changed["max_calls"]),
                         (20, 20, None))
        self.assertEqual(self.expect(200, "GET", "/v1/parties/anna"), changed)
        problem = self.expect(422, "PATCH", "/v1/parties/anna", {"credit_limit": "30", "currency": "USD"})
        self.assertEqual([fault["field"] for fault in problem["errors"]], ["currency"])
        self.expect(422, "PATCH", "/v1/parties/anna", {"balance": "1000"})
        self.assertEqual(self.expect(200, "GET", "/v1/parties/anna"), changed)

        self.expect(409, "POST", "/v1/parties", {"id": "anna", "kind": "customer", "parent": "provider"})
        self.expect(404, "GET", "/v1/parties/nobody")
        self.expect(404, "PATCH", "/v1/parties/nobody", {"max_calls": 1})
        self.expect(404, "DELETE", "/v1/parties/nobody")

    def test_a_faulty_party_is_refused_with_its_fields(self):
        for body, fields in (
                ({"id": "x y", "kind": "customer", "parent": "provider"}, ["id"]),
                ({"id": "fine", "kind": "customer", "parent": "nobody"}, ["parent"]),
                ({"id": "fine", "kind": "line", "parent": "provider"}, ["parent"]),
                ({"id": "fine", "kind": "customer", "parent": "provider", "tariff": "nowhere"}, ["tariff"]),
                ({"id": "fine", "kind": "customer", "parent": "provider", "colour": "red"}, ["colour"]),
                ({"id": "fine", "kind": "customer", "parent": "provider", "credit_limit": "1e3"}, ["credit_limit"]),
                ({"id": "fine", "parent": "provider", "max_calls": -1}, ["kind", "max_calls"])):
            with self.subTest(body=body):
                problem = self.expect(422, "POST", "/v1/parties", body)
                self.assertEqual(sorted(fault["field"] for fault in problem["errors"]), fields)
        self.expect(422, "POST", "/v1/parties", '{"id": "fine", ')
        self.expect(404, "GET", "/v1/parties/fine")

    def test_a_field_that_stands_there_twice_is_a_fault(self):
        self.subtree("twice")
        self.expect(201, "PUT", "/v1/quick-forms/twice", {"fields": ["name"]})
        for method, path, field in (
                ("POST", "/v1/login", "login"), ("POST", "/v1/people", "login"), ("POST", "/v1/people", "password"),
                ("POST", "/v1/parties", "parent"), ("PATCH", "/v1/parties/twice", "name"),
                ("POST", "/v1/parties/twice/bundles", "id"), ("POST", "/v1/parties/twice/topups", "amount"),
                ("POST", "/v1/parties/twice/debits", "force"), ("POST", "/v1/parties/twice/transfers", "target"),
                ("POST", "/v1/payments", "party"), ("POST", "/v1/classes", "id"), ("POST", "/v1/packages", "id"),
                ("PUT", "/v1/parties/twice-reseller/offers/p", "price"), ("PUT", "/v1/catalogues/twice", "items"),
                ("PUT", "/v1/catalogues/twice", "id"), ("POST", "/v1/account-drafts", "seller"),
                ("PUT", "/v1/tariffs/retail", "currency"), ("POST", "/v1/tariffs/retail/deck:rollback", "version"),
                ("PUT", "/v1/dial-plans/twice", "rules"), ("PUT", "/v1/destination-groups/twice", "prefixes"),
                ("PUT", "/v1/quick-forms/twice", "defaults"), ("PUT", "/v1/quick-forms/twice", "fields"),
                ("POST", "/v1/quick-forms/twice:submit", "distributor"),
                ("POST", "/v1/quick-forms/twice:submit", "values"),
                ("POST", "/v1/numbers", "numbers")):
            with self.subTest(f"{method} {path} {field}"):
                problem = self.expect(422, method, path, f'{{"{field}": "x", "{field}": "y"}}',
                                      Idempotency_Key=f"twice {path} {field}", Content_Type="application/json")
                self.assertIn((field, "stands there twice"),
                              [(fault["field"], fault["message"]) for fault in problem["errors"]])

    def test_an_import_is_taken_whole_or_not_at_all(self):
        lines = ['{"id": "shop", "kind": "customer", "parent": "provider", "tariff": "retail"}',
                 '{"id": "shop-line", "kind": "line", "parent": "shop"}',
                 '{"id": "shop-fax", "kind": "line", "parent": "shop", "kind": "fax"}']
        problem = self.expect(422, "POST", "/v1/parties:import", "\n".join(lines),
                              Content_Type="application/x-ndjson")
        self.assertEqual([(fault["line"], fault["field"]) for fault in problem["errors"]], [(3, "kind")])
        self.expect(404, "GET", "/v1/parties/shop")
        answer = self.expect(200, "POST", "/v1/parties:import", "\r\n".join(lines[:2]) + "\n",
                             Content_Type="application/x-ndjson")
        self.assertEqual(answer, {"imported": 2})
        self.expect(200, "GET", "/v1/parties/shop-line")

    def test_a_topup_is_done_once(self):
        self.subtree("tom")
        path, body = "/v1/parties/tom/topups", {"amount": "12.500001", "memo": "cash"}
        self.expect(400, "POST", path, body)
        first = self.expect(201, "POST", path, body, Idempotency_Key="receipt-1")
        self.assertEqual((float(first["balance"]), float(first["available"]), first["dup"]),
                         (112.500001, 112.500001, False))
        again = self.expect(201, "POST", path, body, Idempotency_Key="receipt-1")
        self.assertEqual(again, {**first, "dup": True})
        # The key is that of RESP's request too.
        answer = self.resp.call("TOPUP", "tom", "12.500001", "receipt-1", "MEMO", "cash")
        self.assertEqual((answer.code, answer["txn"], answer["dup"]), ("OK", first["txn"], "1"))
        self.assertEqual(self.daemon.account("tom")[0], 112_500_001)
        self.expect(409, "POST", path, {**body, "amount": "12.6"}, Idempotency_Key="receipt-1")
        for amount in ("0", "-1", "0.0000001", "NaN", "1e3"):
            with self.subTest(amount=amount):
                problem = self.expect(422, "POST", path, {"amount": amount}, Idempotency_Key=f"odd{amount}")
                self.assertEqual([fault["field"] for fault in problem["errors"]], ["amount"])
        self.expect(422, "POST", path, {}, Idempotency_Key="nothing")
        self.expect(404, "POST", "/v1/parties/nobody/topups", body, Idempotency_Key="receipt-2")
        self.assertEqual(self.daemon.account("tom")[0], 112_500_001)
        self.assertEqual(self.daemon.books()["EUR"]["sum"], 0)

    def test_suspended_parties_make_no_calls(self):
        self.subtree("sue")
        for party in ("sue-line", "sue", "sue-reseller"):
            with self.subTest(party=party):
                self.assertEqual(self.authorize("sue-line", f"{party}-before")[:2], ("OK", "60"))
                changed = self.expect(200, "PATCH", f"/v1/parties/{party}", {"status": "admin"})
                self.assertEqual(changed["status"], "admin")
                self.assertEqual(self.authorize("sue-line", f"{party}-meanwhile"),
                                 ("SERVICE_DENIED", "0", party, "suspended"))
                # The call that runs ends as any other.
                self.assertEqual(self.resp.call("STOP", f"{party}-before", 5).code, "OK")
                changed = self.expect(200, "PATCH", f"/v1/parties/{party}", {"status": "active"})
                self.assertEqual(changed["status"], "active")
                self.assertEqual(self.authorize("sue-line", f"{party}-after")[:2], ("OK", "60"))
                self.assertEqual(self.resp.call("RELEASE", f"{party}-after").code, "OK")
        self.expect(422, "PATCH", "/v1/parties/sue", {"status": "tired"})

    def test_a_closed_party_stays_closed(self):
        self.subtree("cleo")
        self.assertEqual(self.expect(200, "DELETE", "/v1/parties/cleo")["status"], "closed")
        self.assertEqual(self.expect(200, "GET", "/v1/parties/cleo")["status"], "closed")
        self.assertEqual(self.authorize("cleo-line", "closed-1"), ("SERVICE_DENIED", "0", "cleo", "closed"))
        self.expect(409, "PATCH", "/v1/parties/cleo", {"status": "active"})
        self.expect(409, "POST", "/v1/parties", {"id": "cleo", "kind": "customer", "parent": "provider"})
        self.expect(422, "POST", "/v1/parties", {"id": "cleo-fax", "kind": "line", "parent": "cleo"})
        self.expect(409, "DELETE", "/v1/parties/provider")
        # An emergency call goes through whatever else holds.
        self.assertEqual(self.resp.call("AUTHORIZE", "cleo-line", "112", "closed-2").code, "FREE")
        self.assertEqual(self.resp.call("STOP", "closed-2", 5).code, "OK")

    def test_a_tariff_is_made_and_its_deck_replaced(self):
        settings = {"currency": "EUR", "decimals": 2, "rounding": "half_up", "anchor": "zero",
                    "markup_percent": 12.5, "time_zone": "Europe/Vienna"}
        self.expect(404, "PUT", "/v1/tariffs/night/deck", DECK, **CSV)
        self.expect(404, "GET", "/v1/tariffs/night")
        made = self.expect(201, "PUT", "/v1/tariffs/night", settings)
        for field, value in settings.items():
            self.assertEqual(made[field], value, field)
        self.assertGreater(self.expect(200, "PUT", "/v1/tariffs/night", settings)["version"], made["version"])
        put = self.expect(200, "PUT", "/v1/tariffs/night/deck", DECK, **CSV)
        shown = self.expect(200, "GET", "/v1/tariffs/night")
        self.assertEqual((shown["version"], shown["rows"], shown["prefixes"]), (put["version"], 1, 1))

        self.expect(422, "PUT", "/v1/tariffs/night", {**settings, "decimals": 7})
        self.expect(422, "PUT", "/v1/tariffs/night", {**settings, "currency": "USD"})
        self.expect(415, "PUT", "/v1/tariffs/night/deck", DECK, Content_Type="text/html")
        problem = self.expect(422, "PUT", "/v1/tariffs/night/deck",
                              "prefix,rate_per_minute\n44,0.6\n45,cheap\n46a,0.1\n", **CSV)
        self.assertEqual([(fault["line"], fault["column"]) for fault in problem["errors"]],
                         [(3, "rate_per_minute"), (4, "prefix")])
        self.assertEqual(self.expect(200, "GET", "/v1/tariffs/night"), shown)

    def test_what_is_not_served_says_so(self):
        self.expect(404, "GET", "/v1/nothing")
        reply = self.http.request("PATCH", "/v1/parties")
        self.assertEqual((reply.status, reply.headers["Allow"]), (405, "POST, GET, HEAD"))
        reply = self.http.get("/healthz")
        self.assertEqual((reply.status, reply.text.strip()), (200, "ok"))

    def test_a_page_of_another_site_is_not_served(self):
        """A browser that was tricked sends a foreign Host, or an Origin of its own."""
        for header, value in (("Host", "evil.example"), ("Host", "127.0.0.1.evil.example"),
                              ("Host", f"{HOST}:{self.daemon.http_port}@evil.example"),
                              ("Origin", "http://evil.example"), ("Origin", "null")):
            with self.subTest(header=header, value=value):
                connection = http.client.HTTPConnection(HOST, self.daemon.http_port, timeout=60)
                connection.putrequest("POST", "/v1/parties", skip_host=header == "Host")
                connection.putheader(header, value)
                body = b'{"id": "tricked", "kind": "customer", "parent": "provider"}'
                connection.putheader("Content-Length", str(len(body)))
                connection.endheaders(body)
                self.assertEqual(Reply(connection.getresponse()).status, 403)
                connection.close()
        self.expect(404, "GET", "/v1/parties/tricked")
        for host in ("localhost", f"localhost:{self.daemon.http_port}", "[::1]"):
            self.assertEqual(self.http.get("/healthz", Host=host).status, 200, host)


if __name__ == "__main__":
    main()
