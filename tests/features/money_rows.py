"""Money that passes through those who sell: distributors, agents, resellers, gateways.

Figures are the documents' own, worked out by hand.
"""

import hashlib
import hmac
import json
import tempfile
import threading
from datetime import datetime, timezone
from zoneinfo import ZoneInfo

from run import row

SECRET = "not much of a secret"
# Each process has its own: others begin while this one's daemon reads it.
SECRET_FILE = tempfile.NamedTemporaryFile("w", prefix="tollgate-test-gateway-", suffix=".secret")
print(SECRET, file=SECRET_FILE, flush=True)
GATEWAY = f"gateway.secret_file={SECRET_FILE.name}"


def provider(api, **fields):
    api.post("/v1/parties", {"id": "root", "kind": "provider", "currency": "EUR", **fields}).expect(201)


def distributor(api, **fields):
    """bob: owes at most 1000, sells at 15 %, collects at 10 %."""
    api.party("bob", "root", "distributor",
              **{"credit_limit": "1000", "sales_commission": "15", "payment_commission": "10", **fields})


def pay(api, party, amount, **fields):
    return api.post(f"/v1/parties/{party}/payments", {"amount": amount, **fields}, key=True)


def postings(api, txn):
    return [(one["party"], one["place"], one["amount"]) for one in
            api.get(f"/v1/transactions/{txn}").expect(200)["postings"]]


def transactions(api, party=None):
    path = f"/v1/parties/{party}/transactions" if party else "/v1/transactions"
    return api.rows(path, "transactions")


def callback(api, **notice):
    """A gateway's callback, signed unless `signature` says otherwise."""
    signature = notice.pop("signature", None)
    body = json.dumps(notice)
    signed = hmac.new(SECRET.encode(), body.encode(), hashlib.sha256).hexdigest()
    return api.request("POST", "/v1/gateways/local/callbacks", body, Content_Type="application/json",
                       X_Signature=signature or signed)


# ---- Distributors ----

@row("PB5")
def pb5(daemon, api):
    """MO01: an account with 10 at 15 % puts +10 on it, he owes 8.50, 1.50 is his: one transaction; so with one that is
    assigned to him, once."""
    provider(api)
    distributor(api)
    api.put("/v1/quick-forms/basic", {"name": "Basic", "distributors": ["bob"], "fields": ["name"],
                                      "defaults": {}}).expect(201)
    root = api.person("boss", "root", "admin")
    bob = root.person("bob-login", "bob", "admin")
    body = {"values": {"name": "Ann"}, "opening_balance": "10"}
    sale = bob.post("/v1/quick-forms/basic:submit", body, key="first").expect(201)
    ann = sale["account"]["customer"]["id"]
    assert (sale["owed"], sale["commission"], sale["dup"]) == ("8.5", "1.5", False), sale.json
    again = bob.post("/v1/quick-forms/basic:submit", body, key="first").expect(201)
    assert (again["owed"], again["dup"]) == ("8.5", True), again.json
    assert root.balance(ann) == "10"
    assert root.balance("bob") == "-8.5"
    assert postings(root, sale["txn"]) == [(ann, "balance", "10"), ("bob", "balance", "-8.5"),
                                           ("root", "commission", "-1.5")]

    root.party("carl", "root", "customer")
    root.topup("carl", "10")
    assigned = root.post("/v1/parties/carl/distributor", {"distributor": "bob"}, key=True).expect(201)
    assert (assigned["owed"], assigned["commission"], assigned["collected_by"]) == ("17", "1.5", "bob"), assigned.json
    assert root.balance("carl") == "10"
    assert postings(root, assigned["txn"]) == [("carl", "balance", "0"), ("bob", "balance", "-8.5"),
                                               ("root", "commission", "-1.5"), ("root", "cash", "10")]
    root.post("/v1/parties/carl/distributor", {"distributor": "bob"}, key=True).expect(201)
    assert root.balance("bob") == "-17", "once"


@row("PB6")
def pb6(daemon, api):
    """MO02: a payment of 10 at 10 % puts +10 on the account, he owes 9 more, 1 is his; a customer's own percentage
    goes before his."""
    provider(api)
    distributor(api)
    api.party("ann", "bob", "customer")
    paid = pay(api, "ann", "10", collected_by="bob").expect(201)
    assert (paid["balance"], paid["owed"], paid["commission"], paid["collected_by"]) == ("10", "9", "1", "bob"), paid.json
    assert postings(api, paid["txn"]) == [("ann", "balance", "10"), ("bob", "balance", "-9"), ("root", "commission", "-1")]
    assert pay(api, "ann", "0.03", collected_by="bob")["commission"] == "0.003"
    assert api.balance("bob") == "-9.027"
    api.party("carl", "bob", "customer", payment_commission="0")
    assert pay(api, "carl", "10", collected_by="bob")["commission"] == "0"
    assert api.balance("bob") == "-19.027"
    # The no beside it: he collects from those he sells to, and from nobody else.
    api.party("dora", "root", "customer")
    assert pay(api, "dora", "10", collected_by="bob").fields() == {"collected_by"}
    assert api.balance("dora") == "0"
    assert pay(api, "dora", "10").expect(201)["commission"] is None


@row("PB7")
def pb7(daemon, api):
    """MO03: a customer with no credit and no opening balance costs nobody anything: no ledger rows."""
    provider(api)
    distributor(api)
    api.put("/v1/quick-forms/basic", {"name": "Basic", "distributors": ["bob"], "fields": ["name"],
                                      "defaults": {}}).expect(201)
    root = api.person("boss", "root", "admin")
    bob = root.person("bob-login", "bob", "admin")
    sale = bob.post("/v1/quick-forms/basic:submit", {"values": {"name": "Ann"}}, key=True).expect(201)
    assert (sale["txn"], sale["commission"]) == (None, None), sale.json
    assert root.balance(sale["account"]["customer"]["id"]) == "0"
    assert root.balance("bob") == "0"
    assert transactions(root) == []
    assert daemon.books()["EUR"]["commission"] == 0


@row("PB8")
def pb8(daemon, api):
    """Postpaid: what is used pays no commission, what is collected for it does: 100 used 0, 100 paid 10."""
    provider(api)
    distributor(api)
    api.party("ann", "bob", "customer", billing="postpaid", credit_limit="500")
    api.post("/v1/parties/ann/debits", {"amount": "100"}, key=True).expect(201)
    assert (api.balance("ann"), api.balance("bob")) == ("-100", "0")
    assert daemon.books()["EUR"]["commission"] == 0
    paid = pay(api, "ann", "100", collected_by="bob").expect(201)
    assert (paid["balance"], paid["commission"], paid["owed"]) == ("0", "10", "90"), paid.json
    assert daemon.books()["EUR"]["commission"] == -10_000_000


@row("PB11")
def pb11(daemon, api):
    """MO06: at his limit a distributor neither sells nor collects, and nothing is half-done; near it he is warned."""
    provider(api)
    distributor(api, credit_limit="20", warn_percent="70", payment_commission="0")
    api.put("/v1/quick-forms/basic", {"name": "Basic", "distributors": ["bob"], "fields": ["id"],
                                      "defaults": {}}).expect(201)
    api.party("old", "bob", "customer")
    root = api.person("boss", "root", "admin")
    bob = root.person("bob-login", "bob", "admin")
    pay(root, "old", "14", collected_by="bob").expect(201)
    assert root.get("/v1/threshold-events")["events"] == [], "70 % of 20 are 14"
    pay(root, "old", "1", collected_by="bob").expect(201)
    assert [(one["party"], one["owed"]) for one in root.get("/v1/threshold-events")["events"]] == [("bob", "15")]
    rows = transactions(root)
    sale = {"values": {"id": "new"}, "opening_balance": "10"}
    bob.post("/v1/quick-forms/basic:submit", sale, key=True).expect(402)  # 15 + 8.50 > 20
    root.get("/v1/parties/new").expect(404)
    pay(bob, "old", "5.01").expect(402)
    assert (root.balance("bob"), root.balance("old")) == ("-15", "15")
    assert transactions(root) == rows
    pay(root, "bob", "15").expect(201)
    bob.post("/v1/quick-forms/basic:submit", sale, key=True).expect(201)
    assert (root.balance("new"), root.balance("bob")) == ("10", "-8.5")


@row("PB19")
def pb19(daemon, api):
    """A distributor records cash: both balances move in one transaction, and his comment is not the customer's."""
    provider(api)
    distributor(api)
    api.party("ann", "bob", "customer")
    root = api.person("boss", "root", "admin")
    bob = root.person("bob-login", "bob", "admin")
    ann = root.person("ann-login", "ann", "admin")
    paid = pay(bob, "ann", "10", method="cash", memo="came late again").expect(201)
    assert (paid["balance"], paid["owed"], paid["collected_by"]) == ("10", "9", "bob"), paid.json
    mine = transactions(bob, "bob")
    assert [(one["txn"], one["amount"], one["balance"], one["memo"]) for one in mine] == [
        (paid["txn"], "-9", "-9", "came late again")]
    hers = transactions(ann, "ann")
    assert [(one["txn"], one["amount"], one["balance"], one["memo"], one["subject"]) for one in hers] == [
        (paid["txn"], "10", "10", None, "cash")]
    assert ann.get(f"/v1/transactions/{paid['txn']}").expect(200)["memo"] is None
    assert postings(ann, paid["txn"]) == [("ann", "balance", "10")], "nobody sees what others earn"
    assert "late" not in ann.get("/v1/transactions", Accept="text/csv").expect(200).text
    assert "late" in root.get("/v1/transactions", Accept="text/csv").expect(200).text
    # The no: others' customers, and ways round what he owes.
    root.party("eve", "root", "customer")
    pay(bob, "eve", "10").expect(404)
    bob.post("/v1/parties/ann/topups", {"amount": "10"}, key=True).expect(403)
    root.patch("/v1/parties/bob", {"status": "admin"}).expect(200)
    pay(root, "ann", "10", collected_by="bob").expect(409)


@row("PB4")
def pb4(daemon, api):
    """A month in New York begins at its own midnight, not at that of UTC (TZ01)."""
    provider(api)
    api.party("bob", "root", "distributor", time_zone="America/New_York", billing_period="monthly")
    now = datetime.now(ZoneInfo("America/New_York"))
    first = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    nearly_next = datetime(first.year + first.month // 12, first.month % 12 + 1, 1, tzinfo=ZoneInfo("America/New_York"))
    shown = api.get("/v1/parties/bob").expect(200)
    period = shown["billing_period_now"]
    # He began in the midst of it.
    assert period["from"] == shown["made"], period
    until = nearly_next.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert period["until"] == until and until[11:13] in ("04", "05"), period
    api.party("none", "root", "distributor")
    assert api.get("/v1/parties/none")["billing_period_now"] is None


# ---- Resellers ----

@row("IB3")
def ib3(daemon, api):
    """Add Balance: once for a reference, whatever is repeated, and the audit says who did it."""
    provider(api)
    api.party("west", "root", "reseller", terms="commission", billing="prepaid")
    boss = api.person("boss", "root", "admin")
    ann = boss.person("ann", "root", "finance")
    first = ann.post("/v1/parties/west/topups", {"amount": "100", "memo": "bank 7"}, key="bank-7").expect(201)
    again = ann.post("/v1/parties/west/topups", {"amount": "100", "memo": "bank 7"}, key="bank-7").expect(201)
    assert (first["txn"], first["dup"]) == (again["txn"], not again["dup"])
    ann.post("/v1/parties/west/topups", {"amount": "101", "memo": "bank 7"}, key="bank-7").expect(409)
    assert boss.balance("west") == "100"
    rows = [entry for entry in boss.rows("/v1/audit", "entries") if entry["operation"] == "topUpParty"]
    assert [(entry["actor"], entry["party"]) for entry in rows] == [("ann", "west")], rows
    assert [(one["actor"], one["request"]) for one in transactions(boss, "west")] == [("ann", "bank-7")]


@row("IB6")
def ib6(daemon, api):
    """Cash received, from two menus: the same result, and one ledger row for one reference."""
    provider(api)
    for reseller in ("west", "east"):
        api.party(reseller, "root", "reseller", terms="commission", billing="postpaid", credit_limit="500")
        api.post(f"/v1/parties/{reseller}/debits", {"amount": "450"}, key=True).expect(201)
        api.patch(f"/v1/parties/{reseller}", {"status": "limit,overdue"}).expect(200)
    one = api.post("/v1/parties/west/payments", {"amount": "200", "method": "cash"}, key="w").expect(201)
    other = api.post("/v1/payments", {"party": "east", "amount": "200", "method": "cash"}, key="e").expect(201)
    for answer in (one, other):
        assert (answer["balance"], answer["available"]) == ("-250", "250"), answer.json
    strip = ("txn", "at", "party", "request")
    west, east = ([{name: value for name, value in entry.items() if name not in strip}
                   for entry in transactions(api, reseller)] for reseller in ("west", "east"))
    assert west == east and len(west) == 2, (west, east)
    assert api.get("/v1/parties/west")["status"] == api.get("/v1/parties/east")["status"] == "active"
    # The same reference by the other way is the same payment.
    again = api.post("/v1/payments", {"party": "west", "amount": "200", "method": "cash"}, key="w").expect(201)
    assert (again["txn"], again["dup"]) == (one["txn"], True)
    assert len(transactions(api, "west")) == 2


@row("IB9", GATEWAY)
def ib9(daemon, api):
    """A reseller pays online: signed by the gateway, once whatever it repeats."""
    provider(api)
    api.party("west", "root", "reseller", terms="commission", billing="prepaid")
    intent = api.post("/v1/parties/west/payment-intents", {"amount": "25"}, key="a").expect(201)
    assert (intent["state"], intent["gateway"], intent["currency"]) == ("open", "local", "EUR"), intent.json
    assert api.post("/v1/parties/west/payment-intents", {"amount": "25"}, key="a").expect(201)["id"] == intent["id"]
    notice = {"intent": intent["id"], "reference": "g-1", "state": "paid", "amount": "25", "currency": "EUR"}
    callback(api, **notice, signature="0" * 64).expect(401)
    callback(api, **{**notice, "amount": "26"}).expect(409)
    callback(api, **{**notice, "currency": "USD"}).expect(409)
    callback(api, **{**notice, "intent": "pi-9"}).expect(404)
    assert api.balance("west") == "0"
    paid = callback(api, **notice).expect(200)
    assert paid.json == {"intent": intent["id"], "state": "paid", "dup": False}
    assert callback(api, **notice).expect(200)["dup"] is True
    callback(api, **{**notice, "reference": "g-2"}).expect(409)
    assert api.balance("west") == "25"
    assert len(transactions(api, "west")) == 1
    # A reference is for ever: it pays for nothing else.
    second = api.post("/v1/parties/west/payment-intents", {"amount": "25"}, key="b").expect(201)
    callback(api, **{**notice, "intent": second["id"]}).expect(409)
    failed = callback(api, **{**notice, "intent": second["id"], "reference": "g-3", "state": "failed"}).expect(200)
    assert failed["state"] == "failed" and api.balance("west") == "25"
    assert api.get(f"/v1/payment-intents/{second['id']}").expect(200)["state"] == "failed"
    assert api.get(f"/v1/payment-intents/{intent['id']}").expect(200)["reference"] == "g-1"


@row("IB9_undeliverable", GATEWAY)
def ib9_undeliverable(daemon, api):
    """What was paid for an order that cannot be had any more is put on the account, once, and can be refunded."""
    provider(api)
    api.party("ann", "root", "customer")
    api.post("/v1/packages", {"id": "pk", "name": "P", "price": "7"}).expect(201)
    order = api.post("/v1/parties/ann/payment-intents", {"purpose": "order", "package": "pk"}, key=True).expect(201)
    api.patch("/v1/packages/pk", {"retired": True}).expect(200)
    notice = {"intent": order["id"], "reference": "g-1", "state": "paid", "amount": "7", "currency": "EUR"}
    for duplicate in (False, True):
        assert callback(api, **notice).expect(200)["dup"] is duplicate
    assert api.balance("ann") == "7"
    assert api.get(f"/v1/payment-intents/{order['id']}").expect(200)["state"] == "paid"
    # By its name, whoever had it done.
    paid, = transactions(api, "ann")
    api.post("/v1/parties/ann/refunds", {"of": paid["txn"]}, key=True).expect(201)
    assert api.balance("ann") == "0"
    api.post("/v1/parties/ann/refunds", {"of": paid["txn"]}, key=True).expect(409)


@row("IB9_without_a_gateway")
def ib9_without(daemon, api):
    """Where there is no gateway nobody pays online."""
    provider(api)
    api.party("west", "root", "reseller", terms="commission")
    api.post("/v1/parties/west/payment-intents", {"amount": "25"}, key=True).expect(409)
    callback(api, intent="pi-1", reference="g", state="paid", amount="25", currency="EUR").expect(404)


# ---- Payments ----

@row("AP8", GATEWAY)
def ap8(daemon, api):
    """A customer pays into his wallet himself: +X, once."""
    provider(api)
    api.party("ann", "root", "customer", status="overdue")
    api.party("eve", "root", "customer")
    root = api.person("boss", "root", "admin")
    ann = root.person("ann-login", "ann", "admin")
    intent = ann.post("/v1/parties/ann/payment-intents", {"amount": "40", "purpose": "wallet"}, key=True).expect(201)
    notice = {"intent": intent["id"], "reference": "g-1", "state": "paid", "amount": "40", "currency": "EUR"}
    for duplicate in (False, True):
        assert callback(root, **notice).expect(200)["dup"] is duplicate
    assert root.balance("ann") == "40"
    assert root.get("/v1/parties/ann")["status"] == "active"
    assert [(one["kind"], one["amount"], one["subject"]) for one in transactions(ann, "ann")] == [
        ("payment", "40", intent["id"])]
    ann.post("/v1/parties/eve/payment-intents", {"amount": "40"}, key=True).expect(404)
    assert ann.post("/v1/parties/ann/payment-intents", {"amount": "0"}, key=True).fields() == {"amount"}


@row("AP9")
def ap9(daemon, api):
    """An offline transaction needs somebody who may, says who it was, and stands in both lists."""
    provider(api)
    api.party("ann", "root", "customer")
    boss = api.person("boss", "root", "admin")
    viewer = boss.person("vera", "root", "viewer")
    pay(viewer, "ann", "12.5").expect(403)
    paid = pay(boss, "ann", "12.5", method="bank", memo="statement 4, line 2").expect(201)
    of_all = boss.post("/v1/payments", {"party": "ann", "amount": "1", "method": "bank"}, key=True).expect(201)
    for rows in (transactions(boss, "ann"), transactions(boss)):
        assert [(one["txn"], one["actor"], one["memo"], one["balance"]) for one in rows] == [
            (of_all["txn"], "boss", None, "13.5"), (paid["txn"], "boss", "statement 4, line 2", "12.5")], rows
    entries = [(entry["actor"], entry["party"]) for entry in boss.rows("/v1/audit", "entries")
               if entry["operation"] in ("recordPayment", "recordPaymentOf")]
    assert entries == [("boss", "ann"), ("boss", "ann")], entries
    assert transactions(viewer) == transactions(boss)
    only = boss.rows("/v1/transactions?actor=boss&kind=payment&limit=1", "transactions")
    assert [one["txn"] for one in only] == [of_all["txn"], paid["txn"]]


@row("exchange")
def exchange(daemon, api):
    """FX02: what is paid in another currency goes through the seller's exchange account, at the rate that is said."""
    provider(api)
    api.party("ann", "root", "customer")
    body = {"amount": "80", "paid_amount": "100", "paid_currency": "USD", "rate": "0.8"}
    paid = api.post("/v1/parties/ann/payments", body, key=True).expect(201)
    assert paid["balance"] == "80"
    assert [(one["party"], one["place"], one["currency"], one["amount"])
            for one in api.get(f"/v1/transactions/{paid['txn']}")["postings"]] == [
        ("ann", "balance", "EUR", "80"), ("root", "exchange", "EUR", "-80"),
        ("root", "exchange", "USD", "100"), ("root", "cash", "USD", "-100")]
    assert api.post("/v1/parties/ann/payments", {**body, "amount": "125"}, key=True).fields() == {"amount"}
    assert api.post("/v1/parties/ann/payments", {**body, "paid_currency": "EUR"}, key=True).fields() == {"paid_currency"}
    assert api.post("/v1/parties/ann/payments", {"amount": "80", "rate": "0.8"}, key=True).fields() == {"rate"}
    assert {name: book["sum"] for name, book in daemon.books().items()} == {"EUR": 0, "USD": 0}


@row("refills")
def refills(daemon, api):
    """MO18, MO19: a reseller mints within his limits, or gives his own money and has it back as it is spent."""
    provider(api)
    daemon.tariff("wholesale", {}, "prefix,rate_per_minute\n49,0.30\n")
    api.party("west", "root", "reseller", terms="margin", tariff="wholesale", mint_limit="5")
    daemon.tariff("retail", {"owner": "west"}, "prefix,rate_per_minute\n49,0.60\n")
    api.topup("west", "100")
    for customer in ("ann", "carl"):
        api.party(customer, "west", "customer", tariff="retail")
    api.party("ann-1", "ann", "line")
    refill = lambda customer, amount: api.post(  # noqa: E731
        f"/v1/parties/{customer}/refills", {"amount": amount}, key=True)
    refill("ann", "480").expect(201)
    refill("carl", "30").expect(402)  # 510 > 500
    refilled = refill("carl", "20").expect(201)
    assert postings(api, refilled["txn"]) == [("carl", "balance", "20"), ("west", "customer_funds", "-20")]
    refill("carl", "0.000001").expect(402)
    refill("west", "1").expect(422)  # He is nobody's customer.

    api.party("east", "root", "reseller", terms="margin", tariff="wholesale", refill_policy="transfer")
    daemon.tariff("east-retail", {"owner": "east"}, "prefix,rate_per_minute\n49,0.60\n")
    api.topup("east", "100")
    api.party("dora", "east", "customer", tariff="east-retail")
    api.party("dora-1", "dora", "line")
    refill("dora", "101").expect(402)
    moved = refill("dora", "60").expect(201)
    assert postings(api, moved["txn"]) == [("dora", "balance", "60"), ("east", "balance", "-60")]
    assert daemon.resp.call("AUTHORIZE", "dora-1", "49301", "call", "WANT", 60).code == "OK"
    assert daemon.resp.call("STOP", "call", 60).code == "OK"
    # She paid 0.60, which is his again; he paid 0.30.
    assert (api.balance("dora"), api.balance("east")) == ("59.4", "40.3")
    # What was minted never becomes his own by another policy.
    assert api.patch("/v1/parties/west", {"refill_policy": "transfer"}).fields() == {"refill_policy"}
    api.patch("/v1/parties/west", {"refill_policy": "mint", "mint_limit": "6"}).expect(200)
    refill("carl", "30").expect(201)


# ---- Many at once ----

@row("parallel")
def parallel(daemon, api):
    """A hundred at once on one distributor: his limit holds to the last cent, and the books are zero."""
    provider(api)
    distributor(api, credit_limit="50", payment_commission="0", warn_percent="90")
    for customer in range(10):
        api.party(f"c-{customer}", "bob", "customer")
    codes = []
    lock = threading.Lock()

    def work(number):
        mine = type(api)(daemon)
        for i in range(10):
            kind = (number + i) % 3
            if kind == 0:
                answer = pay(mine, f"c-{number}", "1.5", collected_by="bob")
            elif kind == 1:
                answer = mine.post("/v1/parties/bob/payouts", {"amount": "1"}, key=True)
            else:
                answer = mine.post("/v1/parties/bob/debits", {"amount": "1.25"}, key=True)
            with lock:
                codes.append((kind, answer.expect(201, 402).status))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    taken = {kind: sum(1 for one, status in codes if (one, status) == (kind, 201)) for kind in range(3)}
    assert taken[1] == 0, "credit is not cash"
    owed = 1_500_000 * taken[0] + 1_250_000 * taken[2]
    assert daemon.account("bob") == (-owed, 0, 50_000_000 - owed)
    assert 50_000_000 - 1_500_000 < owed <= 50_000_000, owed
    assert sum(daemon.account(f"c-{number}")[0] for number in range(10)) == 1_500_000 * taken[0]
    assert len(api.get("/v1/threshold-events")["events"]) == 1
    daemon.assert_settled()
