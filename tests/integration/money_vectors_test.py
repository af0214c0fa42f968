#!/usr/bin/env python3
"""Money outside calls by the published cases: thresholds, and transfers while a call holds.

Goal: every row of money.csv that moves money, and AD44 of admission.csv, come out as they say, over the wire. Method:
a daemon for each; MO04 also with 100 postings at once. Every other row of money.csv is named below as one that belongs
elsewhere, so that a new one is noticed.
"""

import csv
import hashlib
import hmac
import json
import sys
import tempfile
import threading
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from api import Api  # noqa: E402
from daemon import Daemon  # noqa: E402
from runner import DATA, main, needs_data  # noqa: E402
from wire import MICROS  # noqa: E402

HERE = {"MO02", "MO04", "MO05", "MO06", "MO07", "MO09", "MO10", "MO11", "MO12", "MO13", "MO14", "MO16", "MO18", "MO19",
        "FX02"}
BUNDLES = {"MO21"}
PERIODS = {"TZ01", "TZ03", "TZ04", "TZ05", "TZ06", "TZ07", "TZ10", "TZ11", "TZ12", "TZ13"}  # tests/daemon
DOCUMENTS = {"TX02", "TX04"}  # tests/balance/billing: invoices are not in this version.


def rows_of(name):
    with open(DATA / name, encoding="utf-8", newline="") as file:
        return {row["id"]: row for row in csv.DictReader(file)}


def make_customer(daemon, **fields):
    daemon.parties([{"id": "root", "kind": "provider", "currency": "EUR"},
                    {"id": "customer", "kind": "customer", "parent": "root", **fields}])


def make_root(api):
    api.post("/v1/parties", {"id": "root", "kind": "provider", "currency": "EUR"}).expect(201)


def events(daemon):
    reply = daemon.http.get("/v1/threshold-events")
    assert reply.status == 200, reply
    return [(event["party"], event["threshold"], event["owed"]) for event in reply.json["events"]]


def debit(connection, amount, request):
    answer = connection.call("DEBIT", "customer", amount, request)
    assert answer.code == "OK", answer


class MoneyVectors(unittest.TestCase):
    @needs_data("vectors/money.csv")
    def test_every_row_is_here_or_known_to_be_elsewhere(self):
        self.assertEqual(set(rows_of("vectors/money.csv")), HERE | BUNDLES | PERIODS | DOCUMENTS)

    @needs_data("vectors/money.csv")
    def test_mo04_a_percentage_of_the_credit_limit(self):
        row = rows_of("vectors/money.csv")["MO04"]
        self.assertEqual(row["case"], "credit limit 1000, warning 90%")
        self.assertIn("no warning at 900.00, exactly one at 900.01", row["expected"])
        with Daemon() as daemon:
            make_customer(daemon, credit_limit="1000", warn_percent="90")
            debit(daemon.resp, "900.00", "a")
            self.assertEqual(events(daemon), [])
            debit(daemon.resp, "0.01", "b")
            self.assertEqual(events(daemon), [("customer", "percent", "900.01")])
            debit(daemon.resp, "10", "c")
            self.assertEqual(len(events(daemon)), 1)

    @needs_data("vectors/money.csv")
    def test_mo04_by_a_hundred_postings_at_once(self):
        with Daemon() as daemon:
            make_customer(daemon, credit_limit="1000", warn_percent="90")
            connections = [daemon.connect() for _ in range(10)]

            def post(number):
                for i in range(10):
                    debit(connections[number], "9.0001", f"{number}-{i}")  # 900.01 in all.

            threads = [threading.Thread(target=post, args=(number,)) for number in range(10)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            self.assertEqual(events(daemon), [("customer", "percent", "900.01")])

    @needs_data("vectors/money.csv")
    def test_mo05_an_absolute_amount(self):
        row = rows_of("vectors/money.csv")["MO05"]
        self.assertEqual(row["case"], "absolute threshold 750")
        self.assertIn("no warning at 750.00, one at 750.01", row["expected"])
        self.assertIn("percentage rejected when limit is absent or 0", row["expected"])
        with Daemon() as daemon:
            make_customer(daemon, credit_limit="1000", warn_owed="750")
            debit(daemon.resp, "750.00", "a")
            self.assertEqual(events(daemon), [])
            debit(daemon.resp, "0.01", "b")
            self.assertEqual(events(daemon), [("customer", "owed", "750.01")])
            for limit in ({}, {"credit_limit": "0"}, {"credit_limit": None}):
                party = {"id": "other", "kind": "customer", "parent": "root", "warn_percent": "90", **limit}
                reply = daemon.http.request("POST", "/v1/parties", party)
                self.assertEqual(reply.status, 422, reply)
                self.assertEqual([error["field"] for error in reply.json["errors"]], ["warn_percent"])

    # ---- Distributors, agents, resellers ----

    @needs_data("vectors/money.csv")
    def test_mo02_mo07_payments_that_a_distributor_records(self):
        rows = rows_of("vectors/money.csv")
        self.assertEqual(rows["MO02"]["case"], "distributor records payment 10, payment commission 10%")
        self.assertEqual(rows["MO02"]["expected"], "customer available +10; distributor owes +9.00; profit 1.00")
        self.assertEqual(rows["MO07"]["case"], "payment 0.03 at 10%")
        self.assertIn("commission 0.003 kept exact in the ledger; owed 0.027", rows["MO07"]["expected"])
        with Daemon() as daemon:
            api = Api(daemon)
            make_root(api)
            api.party("bob", "root", "distributor", credit_limit="100", payment_commission="10")
            api.party("ann", "bob", "customer")
            paid = api.post("/v1/parties/ann/payments", {"amount": "10", "collected_by": "bob"}, key=True).expect(201)
            self.assertEqual((paid["available"], paid["owed"], paid["commission"]), ("10", "9", "1"))
            paid = api.post("/v1/parties/ann/payments", {"amount": "0.03", "collected_by": "bob"}, key=True).expect(201)
            self.assertEqual((paid["owed"], paid["commission"]), ("9.027", "0.003"))
            daemon.assert_settled()

    @needs_data("vectors/money.csv")
    def test_mo06_a_sale_beyond_the_distributors_limit(self):
        row = rows_of("vectors/money.csv")["MO06"]
        self.assertEqual(row["case"], "limit 20, owes 15, sells account 10 at 15% (8.50)")
        self.assertEqual(row["expected"], "refused: 23.50 > 20; account not created, no ledger row")
        with Daemon() as daemon:
            api = Api(daemon)
            make_root(api)
            api.party("bob", "root", "distributor", credit_limit="20", sales_commission="15")
            api.party("old", "bob", "customer")
            api.post("/v1/parties/old/payments", {"amount": "15", "collected_by": "bob"}, key=True).expect(201)
            api.put("/v1/quick-forms/basic", {"name": "Basic", "distributors": ["bob"], "fields": ["id"],
                                              "defaults": {"customer": {}}}).expect(201)
            sale = {"distributor": "bob", "values": {"id": "new"}, "opening_balance": "10"}
            api.post("/v1/quick-forms/basic:submit", sale, key=True).expect(402)
            api.get("/v1/parties/new").expect(404)
            self.assertEqual(len(api.rows("/v1/transactions", "transactions")), 1)
            sale["opening_balance"] = "5"  # 4.25.
            self.assertEqual(api.post("/v1/quick-forms/basic:submit", sale, key=True).expect(201)["owed"], "19.25")
            daemon.assert_settled()

    @needs_data("vectors/money.csv")
    def test_mo09_mo10_what_resellers_may_activate(self):
        rows = rows_of("vectors/money.csv")
        self.assertEqual(rows["MO09"]["case"], "prepaid balance exactly 0")
        self.assertEqual(rows["MO09"]["expected"], "activation and renewal refused")
        self.assertEqual(rows["MO10"]["case"], "postpaid collection limit 500, outstanding 450, activation 50")
        self.assertEqual(rows["MO10"]["expected"], "allowed, outstanding = 500; next refused (reached); cash received "
                                                   "1 -> next of <=1 allowed")
        with Daemon() as daemon:
            api = Api(daemon)
            make_root(api)
            for package, price in (("fifty", "50"), ("one", "1"), ("more", "1.01"), ("nothing", "0")):
                api.post("/v1/packages", {"id": package, "name": package, "price": price}).expect(201)
            api.party("pre", "root", "reseller", terms="margin", billing="prepaid")
            api.party("post", "root", "reseller", terms="margin", billing="postpaid", credit_limit="500")
            for reseller in ("pre", "post"):
                for package in ("fifty", "one", "more", "nothing"):
                    api.put(f"/v1/parties/{reseller}/offers/{package}", {}).expect(200, 201)
                for customer in range(3):
                    api.party(f"{reseller}-{customer}", reseller, "customer", credit_limit="1000")

            def activate(customer, package):
                return api.post(f"/v1/parties/{customer}/subscriptions", {"package": package}, key=True)

            api.topup("pre", "1")
            activated = activate("pre-0", "one").expect(201)
            self.assertEqual(api.balance("pre"), "0")
            activate("pre-1", "nothing").expect(402)
            api.post(f"/v1/subscriptions/{activated['id']}:renew", {}, key=True).expect(402)

            api.post("/v1/parties/post/debits", {"amount": "450"}, key=True).expect(201)
            activate("post-0", "fifty").expect(201)
            self.assertEqual(api.balance("post"), "-500")
            activate("post-1", "one").expect(402)
            api.post("/v1/parties/post/payments", {"amount": "1"}, key=True).expect(201)
            activate("post-1", "more").expect(402)
            activate("post-1", "one").expect(201)
            self.assertEqual(api.balance("post"), "-500")
            daemon.assert_settled()

    @needs_data("vectors/money.csv")
    def test_mo11_an_order_that_is_paid_online(self):
        row = rows_of("vectors/money.csv")["MO11"]
        self.assertEqual(row["case"], "customer price 1000, operator price 700, sub-operator price 800; online payment "
                                      "1000")
        self.assertEqual(row["expected"], "admin 700, operator 100, sub-operator 200")
        with tempfile.NamedTemporaryFile("w", suffix=".secret") as secret:
            secret.write("shared\n")
            secret.flush()
            with Daemon(f"gateway.secret_file={secret.name}") as daemon:
                api = Api(daemon)
                make_root(api)
                api.post("/v1/packages", {"id": "tv", "name": "TV", "price": "700"}).expect(201)
                api.party("operator", "root", "reseller", terms="margin")
                api.party("sub", "operator", "reseller", terms="margin")
                api.party("ann", "sub", "customer")
                api.put("/v1/parties/operator/offers/tv", {"price": "800"}).expect(200, 201)
                api.put("/v1/parties/sub/offers/tv", {"price": "1000"}).expect(200, 201)
                intent = api.post("/v1/parties/ann/payment-intents", {"purpose": "order", "package": "tv"},
                                  key=True).expect(201)
                self.assertEqual(intent["amount"], "1000")
                notice = json.dumps({"intent": intent["id"], "reference": "g-1", "state": "paid", "amount": "1000",
                                     "currency": "EUR"})
                signature = hmac.new(b"shared", notice.encode(), hashlib.sha256).hexdigest()
                for duplicate in (False, True):
                    paid = api.request("POST", "/v1/gateways/local/callbacks", notice, X_Signature=signature)
                    self.assertEqual(paid.expect(200)["dup"], duplicate)
                self.assertEqual([api.balance(party) for party in ("ann", "sub", "operator")], ["0", "200", "100"])
                book = daemon.books()["EUR"]
                self.assertEqual((book["revenue"], book["cash"]), (700 * MICROS, -1000 * MICROS))
                had = api.rows("/v1/parties/ann/subscriptions", "subscriptions")
                self.assertEqual([(one["package"], one["state"]) for one in had], [("tv", "active")])
                daemon.assert_settled()

    @needs_data("vectors/money.csv")
    def test_mo12_to_mo14_commissions_down_a_chain(self):
        rows = rows_of("vectors/money.csv")
        self.assertEqual(rows["MO12"]["case"], "commission cascade: price+setup 100, 10%, one reseller")
        self.assertEqual([rows[row]["expected"] for row in ("MO12", "MO13", "MO14")],
                         ["R0 +10", "R1 +1 (10% of 10), R0 +9", "R2 +0.1, R1 +0.9, R0 +9"])
        for expected in (["10"], ["9", "1"], ["9", "0.9", "0.1"]):
            with self.subTest(expected), Daemon() as daemon:
                api = Api(daemon)
                make_root(api)
                api.patch("/v1/parties/root", {"commission_split": "cascade"}).expect(200)
                api.post("/v1/packages", {"id": "p", "name": "P", "price": "90", "setup": "10"}).expect(201)
                above = "root"
                for level in range(len(expected)):
                    api.party(f"r{level}", above, "reseller", terms="commission", sales_commission="10",
                              credit_limit="1000", billing="postpaid")
                    above = f"r{level}"
                    api.put(f"/v1/parties/{above}/offers/p", {}).expect(200, 201)
                api.party("ann", above, "customer")
                api.topup("ann", "100")
                api.post("/v1/parties/ann/subscriptions", {"package": "p"}, key=True).expect(201)
                self.assertEqual([api.balance(f"r{level}") for level in range(len(expected))], expected)
                self.assertEqual(api.balance("ann"), "0")
                daemon.assert_settled()

    @needs_data("vectors/money.csv")
    def test_mo16_an_agents_commission_on_a_payment(self):
        row = rows_of("vectors/money.csv")["MO16"]
        self.assertEqual(row["case"], "payment 50, agent commission 12.5%")
        self.assertEqual(row["expected"], "agent com_balance +6.25 (round 6)")
        with Daemon() as daemon:
            api = Api(daemon)
            make_root(api)
            api.party("agent", "root", "reseller", terms="commission", payment_commission="12.5")
            api.party("ann", "agent", "customer")
            paid = api.post("/v1/parties/ann/payments", {"amount": "50"}, key=True).expect(201)
            self.assertEqual((paid["balance"], paid["commission"], api.balance("agent")), ("50", "6.25", "6.25"))
            api.post("/v1/parties/ann/debits", {"amount": "20"}, key=True).expect(201)
            self.assertEqual(api.balance("agent"), "6.25", "what is used pays nobody")
            daemon.assert_settled()

    @needs_data("vectors/money.csv")
    def test_mo18_mo19_what_a_reseller_may_put_on_accounts(self):
        rows = rows_of("vectors/money.csv")
        self.assertEqual(rows["MO18"]["case"], "agent_limit_refill 5, agent credit 100, its clients hold 480, refill 30")
        self.assertEqual(rows["MO18"]["expected"], "refused: 510 > 500; refill 20 allowed")
        self.assertEqual(rows["MO19"]["case"], "overcommit protection 10%, reseller balance 100")
        self.assertEqual(rows["MO19"]["expected"], "largest balance of one client account 110")
        with Daemon() as daemon:
            api = Api(daemon)
            make_root(api)
            for reseller, fields in (("limited", {"mint_limit": "5"}), ("over", {"overcommit_percent": "10"})):
                api.party(reseller, "root", "reseller", terms="margin", **fields)
                api.topup(reseller, "100")
            api.party("ann", "limited", "customer")
            api.party("carl", "limited", "customer")
            api.party("dora", "over", "customer")

            def refill(customer, amount):
                return api.post(f"/v1/parties/{customer}/refills", {"amount": amount}, key=True)

            refill("ann", "480").expect(201)
            refill("carl", "30").expect(402)
            refill("carl", "20").expect(201)
            refill("dora", "110.000001").expect(402)
            refill("dora", "110").expect(201)
            refill("dora", "0.000001").expect(402)
            self.assertEqual([api.balance(party) for party in ("carl", "dora")], ["20", "110"])
            daemon.assert_settled()

    @needs_data("vectors/money.csv")
    def test_fx02_a_rate_has_a_direction(self):
        row = rows_of("vectors/money.csv")["FX02"]
        self.assertIn("units of base currency per one unit of the currency", row["case"])
        self.assertIn("store pair and direction explicitly", row["expected"])
        with Daemon() as daemon:
            api = Api(daemon)
            make_root(api)
            api.party("ann", "root", "customer")
            # One dollar is 0.8 euro: the party's currency is the base.
            body = {"paid_amount": "100", "paid_currency": "USD", "rate": "0.8"}
            api.post("/v1/parties/ann/payments", {"amount": "125", **body}, key=True).expect(422)
            api.post("/v1/parties/ann/payments", {"amount": "80", **body}, key=True).expect(201)
            self.assertEqual(api.balance("ann"), "80")
            self.assertEqual({name: book["sum"] for name, book in daemon.books().items()}, {"EUR": 0, "USD": 0})

    @needs_data("vectors/admission.csv")
    def test_ad44_what_a_call_holds_is_not_transferred(self):
        row = rows_of("vectors/admission.csv")["AD44"]
        self.assertEqual(row["tollgate_expected"], "transfer limited to balance minus locked funds -> refused")
        with Daemon() as daemon:
            daemon.tariff("retail", {}, "prefix,rate_per_minute\n44,1\n")
            daemon.parties([{"id": "root", "kind": "provider", "currency": "EUR"},
                            {"id": "owner", "kind": "customer", "parent": "root", "tariff": "retail"},
                            {"id": "line", "kind": "line", "parent": "owner"},
                            {"id": "second", "kind": "customer", "parent": "root"}])
            daemon.topup("owner", 5 * MICROS)

            def transfer(amount, key):
                return daemon.http.request("POST", "/v1/parties/owner/transfers",
                                           {"target": "second", "amount": amount}, {"Idempotency-Key": key})

            opened = daemon.resp.call("AUTHORIZE", "line", "441", "call", "WANT", 240, "AT", "2026-03-02T12:00:00Z")
            self.assertEqual((opened.code, opened["held"]), ("OK", "4"))
            self.assertEqual(transfer("5", "a").status, 402)
            self.assertEqual(transfer("1.000001", "b").status, 402)
            self.assertEqual(transfer("1", "c").status, 201)
            self.assertEqual(daemon.account("owner"), (4 * MICROS, 4 * MICROS, 0))
            self.assertEqual(daemon.resp.call("STOP", "call", 240).figure, "4")
            self.assertEqual(daemon.account("second")[0], 1 * MICROS)
            daemon.assert_settled()


if __name__ == "__main__":
    main()
