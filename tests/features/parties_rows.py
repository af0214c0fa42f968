"""Rows about parties: who they are, where they stand, how they are found, and how they go."""

import csv
import io
import json
import threading
import time
from urllib.parse import quote

from api import Api
from daemon import scaled
from run import row

NUMBER = "442071234567"


def house(daemon, api, **fields):
    """A provider, and a tariff that everybody may have: 0.60 a minute."""
    api.party("provider", None, "provider", currency="EUR", **fields)
    daemon.tariff("retail", {}, "prefix,rate_per_minute\n44,0.60\n")


def customer(api, party, parent="provider", amount="10", **fields):
    """A customer with a line behind `-1` and funds."""
    api.party(party, parent, "customer", tariff="retail", **fields)
    api.party(f"{party}-1", party, "line")
    api.topup(party, amount)


def authorize(daemon, line, session, want=60):
    """(code, figure, reason) of an AUTHORIZE."""
    answer = daemon.resp.call("AUTHORIZE", line, NUMBER, session, "WANT", want)
    return answer.code, answer.figure, answer["reason"]


def export(api, query=""):
    """The rows of the CSV of a list."""
    reply = api.get(f"/v1/parties{query}", Accept="text/csv").expect(200)
    return list(csv.DictReader(io.StringIO(reply.text, newline="")))


@row("AP6")
def codes(daemon, api):
    """Customers come with a code: an unknown or inactive one is refused; none is the default code, or direct."""
    house(daemon, api)
    api.party("finder", "provider", "partner", code="FIND-1")
    api.party("seeker", "provider", "partner", code="SEEK-1")
    assert api.post("/v1/parties", {"kind": "partner", "parent": "provider", "code": "FIND-1"}).status == 409
    assert api.get("/v1/parties/finder")["code"] == "FIND-1"

    body = {"kind": "customer", "parent": "provider"}
    tagged = api.post("/v1/parties", {**body, "id": "ann", "came_with": "FIND-1"}).expect(201)
    assert tagged["came_with"] == "FIND-1"
    assert api.post("/v1/parties", {**body, "id": "x", "came_with": "FIND-2"}).fields() == {"came_with"}
    api.get("/v1/parties/x").expect(404)
    # Without a code: direct, as long as the provider has no default.
    assert api.post("/v1/parties", {**body, "id": "bob"}).expect(201)["came_with"] is None

    # Inactive: taken back, or of a partner that is suspended or closed.
    api.patch("/v1/parties/finder", {"code_inactive": True}).expect(200)
    assert api.post("/v1/parties", {**body, "came_with": "FIND-1"}).fields() == {"came_with"}
    api.patch("/v1/parties/finder", {"code_inactive": False}).expect(200)
    api.post("/v1/parties", {**body, "id": "cid", "came_with": "FIND-1"}).expect(201)
    api.patch("/v1/parties/finder", {"status": "admin"}).expect(200)
    assert api.post("/v1/parties", {**body, "came_with": "FIND-1"}).fields() == {"came_with"}
    api.patch("/v1/parties/finder", {"status": "active"}).expect(200)

    # The default code: only a code that is in force, and only where the customer names none.
    assert api.patch("/v1/parties/provider", {"default_code": "FIND-2"}).fields() == {"default_code"}
    api.patch("/v1/parties/provider", {"default_code": "SEEK-1"}).expect(200)
    assert api.post("/v1/parties", {**body, "id": "dan"}).expect(201)["came_with"] == "SEEK-1"
    assert api.post("/v1/parties", {**body, "id": "eve", "came_with": "FIND-1"}).expect(201)["came_with"] == "FIND-1"
    api.delete("/v1/parties/seeker").expect(200)
    assert api.post("/v1/parties", {**body, "id": "fay"}).expect(201)["came_with"] is None
    assert api.post("/v1/parties", {**body, "came_with": "SEEK-1"}).fields() == {"came_with"}

    # Once come with a code, always; only customers do; and whoever came is found by it.
    assert api.patch("/v1/parties/ann", {"came_with": "SEEK-1"}).fields() == {"came_with"}
    assert api.post("/v1/parties", {"kind": "reseller", "parent": "provider", "came_with": "FIND-1"}).fields() == {
        "came_with"}
    assert [party["id"] for party in api.rows("/v1/parties?came_with=FIND-1", "parties")] == ["ann", "cid", "eve"]
    # Many at once: codes of the same request count.
    lines = "\n".join(map(json.dumps, [
        {"id": "p3", "kind": "partner", "parent": "provider", "code": "THIRD"},
        {"id": "gus", "kind": "customer", "parent": "provider", "came_with": "THIRD"}]))
    api.post("/v1/parties:import", lines).expect(200)
    assert api.get("/v1/parties/gus")["came_with"] == "THIRD"


@row("PB1")
def create_distributor(daemon, api):
    """All that a distributor is created with is stored; his name is unique; his currency is never changed."""
    house(daemon, api)
    api.post("/v1/classes", {"id": "gold", "grace_days": 14}).expect(201)
    fields = {"name": "Kiosk South", "currency": "USD", "credit_limit": "1000.00", "class": "gold",
              "billing_period": "monthly", "time_zone": "America/New_York", "sales_commission": "15",
              "payment_commission": "12.5"}
    made = api.post("/v1/parties", {"id": "kiosk", "kind": "distributor", "parent": "provider", **fields}).expect(201)
    stored = {**fields, "credit_limit": "1000"}
    for shown in (made, api.get("/v1/parties/kiosk")):
        assert {name: shown[name] for name in fields} == stored, shown.text
    body = {"kind": "distributor", "parent": "provider", "name": "Kiosk South"}
    assert api.post("/v1/parties", {**body, "id": "other"}).status == 409
    api.get("/v1/parties/other").expect(404)
    api.post("/v1/parties", {**body, "id": "other", "name": "Kiosk North"}).expect(201)
    assert api.patch("/v1/parties/other", {"name": "Kiosk South"}).status == 409
    api.patch("/v1/parties/other", {"name": "Kiosk West"}).expect(200)
    api.patch("/v1/parties/kiosk", {"name": "Kiosk South"}).expect(200)  # It is his own.

    assert api.patch("/v1/parties/kiosk", {"currency": "EUR"}).fields() == {"currency"}
    assert api.get("/v1/parties/kiosk")["currency"] == "USD"
    for name, value in {"sales_commission": "100.1", "payment_commission": "-1", "billing_period": "hourly",
                        "time_zone": "Mars/Olympus", "class": "silver", "credit_limit": "-1",
                        "currency": "Dollar"}.items():
        refused = api.post("/v1/parties", {"id": "third", "kind": "distributor", "parent": "provider", name: value})
        assert refused.fields() == {name}, refused.text
    # A balance is never written.
    for name in ("balance", "held", "available"):
        assert api.patch("/v1/parties/kiosk", {name: "5"}).fields() == {name}


@row("PB2")
def customer_classes(daemon, api):
    """A class's value is that of every member without one of his own, at once; overrides stay."""
    house(daemon, api)
    made = api.post("/v1/classes", {"id": "gold", "name": "Gold", "payment_collection": "automatic",
                                    "grace_days": 14, "invoice_template": "blue", "statistics": "summary"})
    assert made.expect(201)["owner"] == "provider"
    assert api.post("/v1/classes", {"id": "gold"}).status == 409
    assert api.post("/v1/classes", {"id": "odd", "grace_days": -1}).fields() == {"grace_days"}
    api.party("one", "provider", "customer", **{"class": "gold"})
    api.party("two", "provider", "customer", **{"class": "gold", "grace_days": 30, "statistics": "none"})
    api.party("none", "provider", "customer")

    def effective(party):
        policy = api.get(f"/v1/parties/{party}").expect(200)["effective"]
        return (policy["payment_collection"], policy["grace_days"], policy["invoice_template"], policy["statistics"])

    assert effective("one") == ("automatic", 14, "blue", "summary")
    assert effective("two") == ("automatic", 30, "blue", "none")
    assert effective("none") == (None, None, None, None)

    tag = api.get("/v1/classes/gold").headers["ETag"]
    api.patch("/v1/classes/gold", {"grace_days": 7, "invoice_template": "red", "statistics": "full"},
              If_Match=tag).expect(200)
    assert effective("one") == ("automatic", 7, "red", "full")
    assert effective("two") == ("automatic", 30, "red", "none")
    # Who saw the class as it was does not overwrite what he has not seen.
    api.patch("/v1/classes/gold", {"grace_days": 1}, If_Match=tag).expect(412)
    assert effective("one")[1] == 7
    # An override that is taken away: the class's again.
    api.patch("/v1/parties/two", {"grace_days": None}).expect(200)
    assert effective("two") == ("automatic", 7, "red", "none")
    api.delete("/v1/classes/gold").expect(409)
    for party in ("one", "two"):
        api.patch(f"/v1/parties/{party}", {"class": None}).expect(200)
    assert effective("two") == (None, None, None, "none")
    api.delete("/v1/classes/gold").expect(204)
    api.get("/v1/classes/gold").expect(404)


def thresholds(api, party):
    events = api.get("/v1/threshold-events").expect(200)["events"]
    return [(event["threshold"], event["owed"]) for event in events if event["party"] == party]


def debit(api, party, amount):
    api.post(f"/v1/parties/{party}/debits", {"amount": amount}, key=True).expect(201)


@row("PB12")
def warning_in_percent(daemon, api):
    """Limit 1000 at 90 %: nothing at 900.00, one event at 900.01, and again after falling back; not without a limit."""
    house(daemon, api)
    api.party("kiosk", "provider", "distributor", credit_limit="1000", warn_percent="90")
    debit(api, "kiosk", "900.00")
    assert thresholds(api, "kiosk") == []
    debit(api, "kiosk", "0.01")
    assert thresholds(api, "kiosk") == [("percent", "900.01")]
    debit(api, "kiosk", "50")
    assert thresholds(api, "kiosk") == [("percent", "900.01")]
    api.topup("kiosk", "100")  # Back at 850.01: armed again.
    debit(api, "kiosk", "50")  # 900.01
    assert thresholds(api, "kiosk") == [("percent", "900.01")] * 2
    # Only for a positive credit limit.
    refused = api.post("/v1/parties", {"id": "prepaid", "kind": "distributor", "parent": "provider",
                                       "warn_percent": "90"})
    assert refused.fields() == {"warn_percent"}, refused.text


@row("PB13")
def warning_at_an_amount(daemon, api):
    """A threshold as an amount: when what is owed goes above it, once a crossing."""
    house(daemon, api)
    api.party("kiosk", "provider", "distributor", credit_limit="1000", warn_owed="250")
    debit(api, "kiosk", "250")
    assert thresholds(api, "kiosk") == []
    debit(api, "kiosk", "0.000001")
    assert thresholds(api, "kiosk") == [("owed", "250.000001")]
    debit(api, "kiosk", "100")
    api.topup("kiosk", "350.000001")
    assert thresholds(api, "kiosk") == [("owed", "250.000001")]
    debit(api, "kiosk", "251")
    assert thresholds(api, "kiosk") == [("owed", "250.000001"), ("owed", "251")]


@row("PB15")
def personal_info(daemon, api):
    """Name, contact and an e-mail address for accounting: checked, stored, and in the audit log with before and after."""
    house(daemon, api)
    api.party("kiosk", "provider", "distributor", name="Kiosk")
    info = {"company": "Kiosk & Söhne", "first_name": "Ann", "last_name": "O'Hara", "email": "ann@kiosk.example",
            "phone": "+49 30 1234-5", "address": "1 High Street", "accounting_email": "books@kiosk.example"}
    shown = api.patch("/v1/parties/kiosk", info).expect(200)
    assert {name: shown[name] for name in info} == info
    for name, value in {"email": "ann@", "accounting_email": "not an address", "phone": "call me",
                        "company": "a\nb", "first_name": 7, "address": "x" * 2000}.items():
        refused = api.patch("/v1/parties/kiosk", {name: value})
        assert refused.fields() == {name}, refused.text
    shown = api.get("/v1/parties/kiosk").expect(200)
    assert {name: shown[name] for name in info} == info
    api.patch("/v1/parties/kiosk", {"accounting_email": "new@kiosk.example"}).expect(200)
    entry = api.get("/v1/audit?party=kiosk").expect(200)["entries"][0]
    assert entry["operation"] == "changeParty", entry
    before, after = (value if isinstance(value, dict) else json.loads(value)
                     for value in (entry["before"], entry["after"]))
    assert before["accounting_email"] == "books@kiosk.example" and after["accounting_email"] == "new@kiosk.example"


@row("AS1")
def chain_of_resellers(daemon, api):
    """Resellers make resellers, eight deep; one call is rated and posted at every level."""
    api.party("provider", None, "provider", currency="EUR")
    admin = api.person("boss", "provider", "admin")
    makers, parent = {"provider": admin}, "provider"
    # r1 pays 0.02 a minute to the provider, r2 0.03 to r1, …, r8 0.09 to r7, the customer 0.10 to r8.
    for level in range(1, 9):
        maker, party = makers[parent], f"r{level}"
        daemon_tariff(admin, f"t{level}", parent, f"0.{level + 1:02}")
        maker.party(party, parent, "reseller", terms="margin", tariff=f"t{level}", name=f"Level {level}")
        makers[party] = admin.person(f"boss-{level}", party, "admin")
        admin.topup(party, "1")
        parent = party
    # Nobody makes one beside or above himself.
    makers["r4"].post("/v1/parties", {"kind": "reseller", "parent": "r3"}).expect(403)
    daemon_tariff(admin, "t9", "r8", "0.10")
    makers["r8"].party("ann", "r8", "customer", tariff="t9")
    makers["r8"].party("ann-1", "ann", "line")
    admin.topup("ann", "1")
    # AUTHORIZE over HTTP or RESP is the same; the switch is not one of these people.
    assert daemon.resp.call("AUTHORIZE", "ann-1", NUMBER, "call", "WANT", 60).code == "OK"
    assert daemon.resp.call("STOP", "call", 60).code == "OK"
    paid = {"ann": "0.9", **{f"r{level}": f"0.{99 - level}" for level in range(1, 9)}}
    assert {party: admin.balance(party) for party in paid} == paid
    daemon.assert_settled()


def daemon_tariff(api, tariff, owner, rate):
    api.put(f"/v1/tariffs/{tariff}", {"currency": "EUR", "owner": owner}).expect(200, 201)
    api.put(f"/v1/tariffs/{tariff}/deck", f"prefix,rate_per_minute\n44,{rate}\n", Content_Type="text/csv").expect(200)


@row("AS5")
def account_numbers(daemon, api):
    """Ten digits are drawn, unique under 10,000 parallel creates; a phone number or another text may be given instead."""
    house(daemon, api)
    count, threads = scaled(10_000, 1_000), 8
    ids, wrong = [], []

    def create():
        http = daemon.connect_http()
        for _ in range(count // threads):
            reply = http.request("POST", "/v1/parties", {"kind": "reseller", "parent": "provider"})
            (ids if reply.status == 201 else wrong).append(reply.json.get("id", reply))

    workers = [threading.Thread(target=create) for _ in range(threads)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert not wrong, wrong[:3]
    assert len(ids) == len(set(ids)) == count
    assert all(len(number) == 10 and number.isdigit() and number[0] != "0" for number in ids), ids[:10]
    assert len(api.rows("/v1/parties?parent=provider&limit=1000", "parties")) == count

    assert api.party("+493012345678", "provider", "reseller") == "+493012345678"
    assert api.party("South-West_7", "provider", "reseller") == "South-West_7"
    for taken in (ids[0], "South-West_7"):
        assert api.post("/v1/parties", {"id": taken, "kind": "reseller", "parent": "provider"}).status == 409
    for odd in ("", "a b", "x" * 65, "a/b", 7):
        assert api.post("/v1/parties", {"id": odd, "kind": "reseller", "parent": "provider"}).fields() == {"id"}
    # Kind of reseller, password and login are said when he and his people are made.
    made = api.post("/v1/parties", {"kind": "reseller", "parent": "provider", "terms": "commission",
                                    "sales_commission": "10", "email": "r@example.org"}).expect(201)
    assert (made["terms"], made["sales_commission"]) == ("commission", "10")


@row("AS6")
def csv_export(daemon, api):
    """The CSV is what was searched: as many rows as the list, whatever the page; no cell is a formula."""
    house(daemon, api)
    names = ["=1+1", "+1", "-1+1", "@sum(a1)", "\tx", "plain, with a comma", 'say "no"', "ACME", "acme two"]
    refused = [name for name in names if "\t" in name]
    for index, name in enumerate(name for name in names if name not in refused):
        api.party(f"r{index}", "provider", "reseller", name=name, phone="+49 30 1234")
    assert api.post("/v1/parties", {"kind": "reseller", "parent": "provider", "name": refused[0]}).fields() == {"name"}
    for index in range(250):
        api.party(f"c{index}", "r0" if index % 2 else "r1", "customer", billing="postpaid" if index % 5 else "prepaid")
    for query in ("", "?kind=reseller", "?under=r0", "?q=acme", "?kind=customer&billing=postpaid", "?parent=r1",
                  "?sort=-id&kind=customer", "?name=acme%20two", "?kind=line"):
        listed = [party["id"] for party in api.rows(f"/v1/parties{query}", "parties")]
        rows = export(api, query)
        assert [row["id"].removeprefix("'") for row in rows] == listed, query
    assert len(export(api)) == 1 + 8 + 250
    assert [party["id"] for party in api.rows("/v1/parties?q=acme", "parties")] == ["r6", "r7"]
    # 125 below each, every fifth of the 250 prepaid: 200.
    assert len(export(api, "?kind=customer&billing=postpaid")) == 200

    rows = {row["id"]: row for row in export(api, "?kind=reseller")}
    assert [rows[f"r{index}"]["name"] for index in range(8)] == [
        "'=1+1", "'+1", "'-1+1", "'@sum(a1)", "plain, with a comma", 'say "no"', "ACME", "acme two"]
    assert rows["r0"]["phone"] == "'+49 30 1234"
    text = api.get("/v1/parties?kind=reseller", Accept="text/csv").text
    for line in csv.reader(io.StringIO(text, newline="")):
        for cell in line:
            assert cell[:1] not in ("=", "+", "@", "\t", "\r"), cell
            assert cell[:1] != "-" or cell[1:].replace(".", "", 1).isdigit(), cell
    # Pages: every row once, in the same order; a limit holds for the CSV too.
    assert len(export(api, "?limit=3")) == 3
    pages = [party["id"] for party in api.rows("/v1/parties?limit=7&sort=name", "parties")]
    assert len(pages) == len(set(pages)) == 1 + 8 + 250
    for query in ("?sort=colour", "?kind=uncle", "?limit=0", "?cursor=abc", "?status=odd"):
        api.get(f"/v1/parties{query}").expect(422)
    api.get("/v1/parties?nonsense=1").expect(400)
    api.get("/v1/parties?under=nobody").expect(404)


@row("AS7")
def delete_with_all_below(daemon, api):
    """Closed with all below them, all or nothing: calls and logins are refused at once, all of it stays readable."""
    house(daemon, api)
    admin = api.person("boss", "provider", "admin")
    for name in ("north", "south", "west"):
        admin.party(name, "provider", "reseller", terms="margin", tariff="retail")
        admin.topup(name, "5")
        customer(admin, f"{name}-ann", name, amount="7")
    person = admin.person("ann", "north-ann", "admin")
    person.get("/v1/parties/north-ann").expect(200)
    assert authorize(daemon, "north-ann-1", "running") == ("OK", "60", "")

    def closed():
        return sorted(party["id"] for party in admin.rows("/v1/parties?status=closed", "parties"))

    # One that is not there, or the provider: nothing is closed.
    admin.post("/v1/parties:close", {"ids": ["north", "nobody"]}).expect(404)
    admin.post("/v1/parties:close", {"ids": ["north", "provider"]}).expect(403, 409)
    admin.post("/v1/parties:close", {"ids": []}).expect(422)
    assert closed() == []

    before = {name: admin.get(f"/v1/parties/{name}").json for name in ("north", "north-ann", "north-ann-1")}
    done = admin.post("/v1/parties:close", {"ids": ["north", "south"]}).expect(200)
    gone = sorted(f"{name}{rest}" for name in ("north", "south") for rest in ("", "-ann", "-ann-1"))
    assert done["closed"] == 6 and closed() == gone
    # What is left of anybody's money is named, not lost.
    assert {left["party"]: left["balance"] for left in done["left"]} == {
        "north": "5", "north-ann": "7", "south": "5", "south-ann": "7"}

    assert authorize(daemon, "north-ann-1", "new")[::2] == ("SERVICE_DENIED", "closed")
    assert authorize(daemon, "south-ann-1", "new-2")[::2] == ("SERVICE_DENIED", "closed")
    assert authorize(daemon, "west-ann-1", "new-3")[0] == "OK"
    person.get("/v1/me").expect(401, 403)
    api_login = Api(daemon).post("/v1/login", {"login": "ann", "password": "correct horse battery"})
    api_login.expect(401, 403)
    # The call that ran ends with what was granted, and is charged.
    assert daemon.resp.call("EXTEND", "running", "USED", 30, "WANT", 60)["final"] == "1"
    assert daemon.resp.call("STOP", "running", 60).figure == "0.6"
    assert daemon.resp.call("RELEASE", "new-3").code == "OK"

    for name, was in before.items():
        now = admin.get(f"/v1/parties/{name}").expect(200).json
        assert now == {**was, "status": "closed", **{field: now[field] for field in ("balance", "held", "available")}}
    assert admin.balance("north-ann") == "6.4"
    assert admin.get("/v1/parties/north-ann/transactions").expect(200)["transactions"]
    # An id is never used again, and nobody is made or changed below a closed party.
    for name in gone:
        admin.post("/v1/parties", {"id": name, "kind": "customer", "parent": "provider"}).expect(409)
        admin.patch(f"/v1/parties/{name}", {"name": "again"}).expect(409)
    admin.post("/v1/parties", {"kind": "customer", "parent": "north"}).expect(422)
    # One alone is the same, and twice is once.
    admin.delete("/v1/parties/west").expect(200)
    assert admin.post("/v1/parties:close", {"ids": ["west"]}).expect(200).json == {"closed": 0, "left": []}
    assert authorize(daemon, "west-ann-1", "new-4")[::2] == ("SERVICE_DENIED", "closed")
    admin.delete("/v1/parties/provider").expect(403, 409)


@row("VF10")
def edit_and_delete_account(daemon, api):
    """An account is edited, by whoever saw it as it is, and deleted as AS7 has it."""
    house(daemon, api)
    customer(api, "acme", name="Acme", email="a@acme.example")
    shown = api.get("/v1/parties/acme").expect(200)
    tag = shown.headers["ETag"]
    api.topup("acme", "1")  # Money is no change of the account.
    changed = api.patch("/v1/parties/acme", {"name": "Acme Ltd", "first_name": "Ann", "max_calls": 2}, If_Match=tag)
    assert (changed.expect(200)["name"], changed["first_name"], changed["max_calls"]) == ("Acme Ltd", "Ann", 2)
    assert changed.headers["ETag"] != tag
    # Somebody else has changed it since: nothing of this is done.
    api.patch("/v1/parties/acme", {"name": "Old"}, If_Match=tag).expect(412)
    api.delete("/v1/parties/acme", If_Match=tag).expect(412)
    assert api.get("/v1/parties/acme")["name"] == "Acme Ltd"
    # All of a change or nothing of it.
    assert api.patch("/v1/parties/acme", {"name": "New", "max_calls": -1}).fields() == {"max_calls"}
    assert api.patch("/v1/parties/acme", {"name": "New", "kind": "line"}).fields() == {"kind"}
    assert api.get("/v1/parties/acme")["name"] == "Acme Ltd"
    api.patch("/v1/parties/acme", {"first_name": None}).expect(200)
    assert api.get("/v1/parties/acme")["first_name"] is None

    tag = api.get("/v1/parties/acme").headers["ETag"]
    assert api.delete("/v1/parties/acme", If_Match=tag).expect(200)["status"] == "closed"
    assert authorize(daemon, "acme-1", "call")[::2] == ("SERVICE_DENIED", "closed")
    assert api.get("/v1/parties/acme").expect(200)["name"] == "Acme Ltd"
    assert api.balance("acme") == "11"
    api.patch("/v1/parties/acme", {"name": "Again"}).expect(409)


@row("VF11")
def disable_and_enable(daemon, api):
    """Disabled: new calls are refused within a second; running ones end with their grant, or go on, as it is set."""
    house(daemon, api)
    for name in ("end", "keep"):
        customer(api, name)
        assert authorize(daemon, f"{name}-1", f"{name}-running") == ("OK", "60", "")
    assert api.get("/v1/parties/end")["suspended_calls"] == "end"
    assert api.patch("/v1/parties/keep", {"suspended_calls": "keep"}).expect(200)["suspended_calls"] == "keep"
    assert api.patch("/v1/parties/keep", {"suspended_calls": "perhaps"}).fields() == {"suspended_calls"}
    for name in ("end", "keep"):
        api.patch(f"/v1/parties/{name}", {"status": "admin"}).expect(200)
        answered = time.monotonic()
        assert authorize(daemon, f"{name}-1", f"{name}-new")[::2] == ("SERVICE_DENIED", "suspended")
        assert time.monotonic() - answered < 1

    ended = daemon.resp.call("EXTEND", "end-running", "USED", 30, "WANT", 60)
    assert (ended.figure, ended["final"], ended["level"]) == ("60", "1", "end")
    kept = daemon.resp.call("EXTEND", "keep-running", "USED", 30, "WANT", 60)
    assert (kept.figure, kept["final"]) == ("90", "0")
    assert daemon.resp.call("STOP", "end-running", 60).figure == "0.6"
    assert daemon.resp.call("STOP", "keep-running", 90).figure == "0.9"

    for name in ("end", "keep"):
        enabled = api.patch(f"/v1/parties/{name}", {"status": "active"}).expect(200)
        assert (enabled["status"], enabled["suspended_calls"]) == ("active", name)
        answered = time.monotonic()
        assert authorize(daemon, f"{name}-1", f"{name}-again")[0] == "OK"
        assert time.monotonic() - answered < 1
        assert daemon.resp.call("RELEASE", f"{name}-again").code == "OK"
    daemon.assert_settled()


@row("VF14")
def account_info(daemon, api):
    """An account's information: name, realm, contact; found by it, and in the form in which it was given."""
    house(daemon, api)
    info = {"name": "Söhne GmbH", "realm": "soehne.example.net", "email": "info@soehne.example",
            "phone": "+49 (30) 1234-5", "first_name": "Jörg", "last_name": "Maß", "language": "de-DE",
            "date_format": "%d.%m.%Y", "time_format": "%H:%M"}
    made = api.post("/v1/parties", {"id": "soehne", "kind": "customer", "parent": "provider", **info}).expect(201)
    shown = api.get("/v1/parties/soehne").expect(200)
    for answer in (made, shown):
        assert {name: answer[name] for name in info} == info, answer.text
    for query in ("q=info@soehne", "name=" + quote("Söhne"), "email=soehne.example", "q=SOEHNE"):
        assert [party["id"] for party in api.rows(f"/v1/parties?{query}", "parties")] == ["soehne"], query
    assert api.rows("/v1/parties?q=nobody", "parties") == []
    for name, value in {"language": "german", "date_format": "%Q", "email": "x", "phone": "12"}.items():
        assert api.patch("/v1/parties/soehne", {name: value}).fields() == {name}
