"""Access: who may come in, and into whose room."""

import itertools
from pathlib import Path

from api import PASSWORD, Api
from run import row

IDS = itertools.count(1)


def house(api):
    """provider ─┬─ north (margin reseller) ─┬─ south (margin reseller) ── sam
                 │                           └─ nina ── nina-desk
                 ├─ east (margin reseller) ── ed
                 ├─ dist (distributor, 15 % of sales, 10 % of payments) ── dora
                 ├─ finder, seeker (partners with the codes FIND and SEEK)
                 ├─ fred ── fred-desk (came with FIND), sue (with SEEK)
                 └─ dave (with none)

    and root, an admin of the provider, whose Api this is."""
    api.post("/v1/parties", {"id": "provider", "kind": "provider", "currency": "EUR"}).expect(201)
    for tariff, price in (("retail", "0.60"), ("resale", "0.30"), ("wholesale", "0.12")):
        api.put(f"/v1/tariffs/{tariff}", {"currency": "EUR"}).expect(201)
        api.put(f"/v1/tariffs/{tariff}/deck", f"prefix,rate_per_minute\n49,{price}\n",
                Content_Type="text/csv").expect(200)
    api.party("north", "provider", "reseller", terms="margin", tariff="wholesale")
    api.party("south", "north", "reseller", terms="margin", tariff="resale")
    api.party("sam", "south", "customer", tariff="retail")
    api.party("nina", "north", "customer", tariff="retail")
    api.party("nina-desk", "nina", "line")
    api.party("east", "provider", "reseller", terms="margin", tariff="wholesale")
    api.party("ed", "east", "customer", tariff="retail")
    api.party("dist", "provider", "distributor", name="Dist", credit_limit="100", sales_commission="15",
              payment_commission="10")
    api.party("dora", "dist", "customer", tariff="retail")
    api.party("finder", "provider", "partner", code="FIND")
    api.party("seeker", "provider", "partner", code="SEEK")
    api.party("fred", "provider", "customer", tariff="retail", came_with="FIND")
    api.party("fred-desk", "fred", "line")
    api.party("sue", "provider", "customer", tariff="retail", came_with="SEEK")
    api.party("dave", "provider", "customer", tariff="retail")
    return api.person("root", "provider", "admin")


def ids(api, query=""):
    return [party["id"] for party in api.rows(f"/v1/parties{query}", "parties")]


@row("AP1")
def tags_cost_nothing(daemon, api):
    """The same call by a customer who came with a code and one who did not: the same charges to the byte, and the
    partner has neither balance nor postings."""
    root = house(api)
    root.party("dave-desk", "dave", "line")
    root.topup("fred", "10")
    root.topup("dave", "10")
    told = []
    for who in ("fred", "dave"):
        answer = daemon.resp.call("AUTHORIZE", f"{who}-desk", "4930123456", f"call-{who}", "WANT", "90")
        assert answer.code == "OK", answer
        stopped = daemon.resp.call("STOP", f"call-{who}", "90")
        told.append((answer.figure, answer["price"], stopped.figure, stopped["billed"], stopped["status"]))
        assert root.balance(who) == "9.1"  # 90 s at 0.60 a minute.
    assert told[0] == told[1], told
    partner = root.get("/v1/parties/finder").expect(200).json
    assert partner["balance"] is None and partner["held"] is None, partner
    assert not [one for one in root.rows("/v1/transactions", "transactions") if one["party"] == "finder"]


@row("AP4")
def a_partner_sees_his_own(daemon, api):
    """A partner sees who came with his code, and their lines: others are 404 as what does not exist, and no list
    shows them. Of his own he sees who they are and nothing that costs."""
    root = house(api)
    fin = root.person("fin", "finder", "admin")
    mine = fin.get("/v1/parties/fred").expect(200).json
    assert mine["id"] == "fred" and mine["came_with"] == "FIND"
    for field in ("balance", "available", "credit_limit", "tariff", "tariffs", "catalogue", "max_price"):
        assert field not in mine, (field, mine)
    fin.get("/v1/parties/fred-desk").expect(200)
    unknown = fin.get("/v1/parties/nobody").expect(404).json["detail"].replace("nobody", "")
    for other in ("sue", "dave", "nina", "dora", "north", "seeker"):
        told = fin.get(f"/v1/parties/{other}").expect(404).json["detail"].replace(other, "")
        assert told == unknown, told
    assert {"finder", "fred"} <= set(ids(fin)) <= {"finder", "fred", "fred-desk"}, ids(fin)
    assert "sue" not in fin.get("/v1/parties", Accept="text/csv").text
    for query in ("?q=sue", "?came_with=SEEK", "?kind=customer", "?sort=name", "?sort=-made"):
        assert set(ids(fin, query)) <= {"finder", "fred", "fred-desk"}, query
    for query in ("?under=sue", "?parent=sue", "?under=nobody", "?parent=nobody"):
        fin.get(f"/v1/parties{query}").expect(404)
    # Whoever loses his code loses the sight of them.
    root.patch("/v1/parties/finder", {"code": "OTHER"}).expect(200)
    fin.get("/v1/parties/fred").expect(404)


@row("AP5")
def a_partner_touches_nothing(daemon, api):
    """Every POST, PUT, PATCH, DELETE and every GET of prices of his own customer is 403; so is making one."""
    root = house(api)
    fin = root.person("fin", "finder", "admin")
    key = True
    for path in ("topups", "debits", "adjustments", "payouts", "refunds", "payments", "refills"):
        fin.post(f"/v1/parties/fred/{path}", {"amount": "1"}, key=key).expect(403)
    fin.post("/v1/parties/fred/transfers", {"amount": "1", "target": "fred"}, key=key).expect(403)
    fin.post("/v1/parties/fred/payment-intents", {"amount": "1"}, key=key).expect(403)
    fin.post("/v1/parties/fred/distributor", {"distributor": "dist"}, key=key).expect(403)
    fin.post("/v1/parties/fred/subscriptions", {"package": "any"}, key=key).expect(403)
    fin.post("/v1/parties/fred/plans", {"name": "any", "cost_per_user": "1"}, key=key).expect(403)
    fin.post("/v1/parties/fred/bundles", {"id": "b", "seconds": 60}).expect(403)
    fin.patch("/v1/parties/fred", {"name": "Another"}).expect(403)
    fin.delete("/v1/parties/fred").expect(403)
    fin.post("/v1/parties", {"kind": "customer", "parent": "provider"}).expect(403)
    fin.post("/v1/parties:close", {"ids": ["fred"]}).expect(403)
    fin.post("/v1/people", {"login": "x", "party": "fred", "role": "admin", "password": PASSWORD}).expect(403)
    fin.put("/v1/tariffs/retail", {"currency": "EUR"}).expect(403)
    for path in ("bundles", "catalogue", "subscriptions", "plan", "transactions", "offers"):
        fin.get(f"/v1/parties/fred/{path}").expect(403)
    for path in ("packages", "catalogues", "tariffs", "numbers", "transactions", "sessions", "classes"):
        fin.get(f"/v1/{path}").expect(403)
    assert root.get("/v1/parties/fred").json["name"] is None and root.balance("fred") == "0"


FORM = {"name": "Prepaid", "distributors": ["dist"], "fields": ["name", "email", "line", "tariff", "customer"],
        "defaults": {"tariff": "retail", "home_country": "DE", "line": {"max_calls": 2}}}


@row("PB9")
def only_by_quick_forms(daemon, api):
    """A distributor makes no account but by a form: there the defaults win, and a field that is not on it is
    refused. What the form sells is charged to him less his commission."""
    root = house(api)
    root.put("/v1/quick-forms/prepaid", FORM).expect(201)
    root.put("/v1/quick-forms/others", {**FORM, "distributors": []}).expect(201)
    dan = root.person("dan", "dist", "admin")
    dan.post("/v1/parties", {"kind": "customer", "parent": "dist"}).expect(403)
    dan.post("/v1/parties", {"kind": "line", "parent": "dora"}).expect(403)
    dan.post("/v1/parties:import", '{"id":"x","kind":"customer","parent":"dist"}').expect(403)
    dan.put("/v1/quick-forms/prepaid", FORM).expect(403)
    assert [form["id"] for form in dan.get("/v1/quick-forms").json["quick_forms"]] == ["prepaid"]
    submit = "/v1/quick-forms/prepaid:submit"
    dan.post("/v1/quick-forms/others:submit", {"values": {}}, key=True).expect(404)
    wrong = dan.post(submit, {"values": {"credit_limit": "1000", "name": "Kim"}}, key=True)
    assert wrong.fields() == {"values.credit_limit"}, wrong.json
    dan.post(submit, {"values": {"name": "Kim"}}).expect(400)
    sale = dan.post(submit, {"values": {"name": "Kim", "line": "4930777", "tariff": "wholesale"},
                             "opening_balance": "10"}, key="kim").expect(201)
    kim = sale["account"]["customer"]
    assert (kim["parent"], kim["name"], kim["tariff"], kim["home_country"]) == ("dist", "Kim", "retail", "DE"), kim
    assert [(line["id"], line["max_calls"]) for line in sale["account"]["lines"]] == [("4930777", 2)], sale.json
    # 15 % of 10: he owes 8.5.
    assert (sale["commission"], sale["owed"]) == ("1.5", "8.5"), sale.json
    assert root.balance(kim["id"]) == "10" and root.balance("dist") == "-8.5"
    again = dan.post(submit, {"values": {"name": "Kim", "line": "4930777", "tariff": "wholesale"},
                              "opening_balance": "10"}, key="kim").expect(201)
    assert again["dup"] and again["account"]["customer"]["id"] == kim["id"], again.json
    assert root.balance("dist") == "-8.5"
    # A seller's own people need no form.
    nora = root.person("nora", "north", "admin")
    nora.post("/v1/parties", {"kind": "customer", "parent": "north", "tariff": "retail"}).expect(201)


@row("PB10")
def no_numbers_of_the_pool(daemon, api):
    """A distributor has nothing to do with the pool, and a number that he types must not be in it."""
    root = house(api)
    root.put("/v1/quick-forms/prepaid", FORM).expect(201)
    root.post("/v1/numbers", {"numbers": [{"id": "4930555", "price": "1"}]}).expect(201)
    dan = root.person("dan", "dist", "admin")
    dan.get("/v1/numbers").expect(403)
    dan.post("/v1/numbers", {"numbers": [{"id": "4930556", "price": "1"}]}).expect(403)
    for path in ("/v1/numbers/4930555:assign", "/v1/numbers/4930555:return"):
        dan.post(path, {"customer": "dora"}, key=True).expect(403, 404)
    for typed in ("4930555", "+4930555"):
        refused = dan.post("/v1/quick-forms/prepaid:submit", {"values": {"line": typed}}, key=True)
        assert refused.fields() == {"values.line"}, refused.json
    dan.post("/v1/quick-forms/prepaid:submit", {"values": {"line": "4930556"}}, key=True).expect(201)
    assert root.get("/v1/numbers/4930555").json["customer"] is None


@row("PB18")
def only_below_his_own_node(daemon, api):
    """A distributor makes customers and adds lines to those who are there: below himself and nowhere else."""
    root = house(api)
    root.put("/v1/quick-forms/prepaid", FORM).expect(201)
    dan = root.person("dan", "dist", "admin")
    submit = "/v1/quick-forms/prepaid:submit"
    made = dan.post(submit, {"values": {"name": "Kim"}}, key=True).expect(201)["account"]["customer"]
    assert made["parent"] == "dist"
    added = dan.post(submit, {"values": {"customer": "dora", "line": "dora-desk"}}, key="line").expect(201)
    assert [line["id"] for line in added["account"]["lines"]] == ["dora-desk"] and added["txn"] is None
    assert dan.post(submit, {"values": {"customer": "dora", "line": "dora-desk"}}, key="line").expect(201)["dup"]
    for other in ("nina", "fred", "dist", "nobody"):
        dan.post(submit, {"values": {"customer": other, "line": "x-desk"}}, key=True).expect(404)
    dan.post(submit, {"distributor": "east", "values": {"name": "Kim"}}, key=True).expect(404)
    dan.post(submit, {"values": {"parent": "provider"}}, key=True).expect(422)
    assert sorted(ids(dan)) == sorted(["dist", "dora", "dora-desk", made["id"]]), ids(dan)
    dan.patch("/v1/parties/dora", {"name": "Dora"}).expect(200)
    dan.patch("/v1/parties/nina", {"name": "Nina"}).expect(404)
    dan.get("/v1/parties/provider").expect(403)
    # Who was assigned to him stands elsewhere: he sees who it is and records what he collects, nothing more.
    dan.post("/v1/parties/dave/payments", {"amount": "1"}, key=True).expect(404)
    root.post("/v1/parties/dave/distributor", {"distributor": "dist"}, key=True).expect(201)
    assert "balance" not in dan.get("/v1/parties/dave").expect(200).json
    assert dan.post("/v1/parties/dave/payments", {"amount": "10"}, key=True).expect(201)["owed"] == "9"
    dan.post("/v1/payments", {"party": "dave", "amount": "10"}, key=True).expect(201)
    dan.patch("/v1/parties/dave", {"name": "Dave"}).expect(403)
    dan.post(submit, {"values": {"customer": "dave", "line": "x-desk"}}, key=True).expect(404)


@row("PB21")
def the_split_of_the_checklist(daemon, api):
    """The administrator does rating, the distributor and his login; the distributor logs in, makes customers and
    accounts and records payments: each with the other's role is 403."""
    root = house(api)
    root.put("/v1/quick-forms/prepaid", FORM).expect(201)
    dan = root.person("dan", "dist", "admin")
    # The administrator's.
    dan.put("/v1/tariffs/retail", {"currency": "EUR"}).expect(403)
    dan.put("/v1/tariffs/retail/deck", "prefix,rate_per_minute\n49,0.1\n", Content_Type="text/csv").expect(403)
    dan.get("/v1/tariffs").expect(403)
    dan.post("/v1/parties", {"kind": "distributor", "parent": "provider"}).expect(403)
    for field, value in (("sales_commission", "90"), ("payment_commission", "90"), ("credit_limit", "100000")):
        dan.patch("/v1/parties/dist", {field: value}).expect(403)
    dan.post("/v1/people", {"login": "x", "party": "provider", "role": "admin", "password": PASSWORD}).expect(403)
    dan.post("/v1/parties/dist/topups", {"amount": "10"}, key=True).expect(403)
    # The distributor's: with a role that looks on, each is 403.
    made = dan.post("/v1/quick-forms/prepaid:submit", {"values": {"name": "Kim"}}, key=True).expect(201)
    kim = made["account"]["customer"]["id"]
    paid = dan.post(f"/v1/parties/{kim}/payments", {"amount": "10"}, key=True).expect(201)
    assert (paid["owed"], paid["commission"], paid["collected_by"]) == ("9", "1", "dist"), paid.json
    vic = dan.post("/v1/people", {"login": "vic", "party": "dist", "role": "viewer", "password": PASSWORD})
    vic.expect(201)
    vic = api.log_in("vic")
    vic.get(f"/v1/parties/{kim}").expect(200)
    vic.post("/v1/quick-forms/prepaid:submit", {"values": {"name": "Kim"}}, key=True).expect(403)
    vic.post(f"/v1/parties/{kim}/payments", {"amount": "10"}, key=True).expect(403)
    vic.patch(f"/v1/parties/{kim}", {"name": "Kim"}).expect(403)
    vic.post("/v1/people", {"login": "x", "party": "dist", "role": "viewer", "password": PASSWORD}).expect(403)
    # Suspended: his logins stop at once, his customers' calls do not; and come back with him.
    root.patch("/v1/parties/dist", {"status": "overdue"}).expect(200)
    dan.get("/v1/me").expect(403)
    Api(daemon).post("/v1/login", {"login": "dan", "password": PASSWORD}).expect(403)
    root.patch("/v1/parties/dist", {"status": "active"}).expect(200)
    dan.get("/v1/me").expect(200)


@row("IB7")
def a_bit_off_is_one_verb_off(daemon, api):
    """Each permission of a reseller that those above take away is 403 for its verb and no other; a level below may
    narrow it and never widen it; and whatever he has, it is in his own subtree."""
    root = house(api)
    nora = root.person("nora", "north", "admin")
    every = ["view", "customers", "activate", "renew", "collect", "prices", "people", "resellers", "numbers",
             "tariffs", "calls"]

    def verbs(person, below, child):
        """Whether each is let through: what lies behind the door may find fault with it."""
        tries = {
            "view": person.get(f"/v1/parties/{below}"),
            "customers": person.patch(f"/v1/parties/{below}", {"name": "Name"}),
            "activate": person.post(f"/v1/parties/{below}/subscriptions", {"package": "none"}, key=True),
            "collect": person.post(f"/v1/parties/{below}/payments", {"amount": "1"}, key=True),
            "prices": person.post("/v1/classes", {"id": f"class-{next(IDS)}"}),
            "people": person.get("/v1/people"),
            "resellers": person.post("/v1/parties", {"kind": "reseller", "terms": "margin", "parent": child}),
            "numbers": person.get("/v1/numbers"),
            "tariffs": person.get("/v1/tariffs"),
        }
        return {verb for verb, answer in tries.items() if answer.status != 403}

    whole = verbs(nora, "nina", "north")
    assert whole == set(every) - {"renew", "calls"}, whole
    for bit in sorted(whole):
        root.patch("/v1/parties/north", {"permissions": [other for other in every if other != bit]}).expect(200)
        # Creating a reseller is creating a customer of a kind: it needs both.
        lost = {bit, "resellers"} if bit == "customers" else {bit}
        assert verbs(nora, "nina", "north") == whole - lost, bit
    # What north has not got, south does not get, whatever it says.
    root.patch("/v1/parties/north", {"permissions": [bit for bit in every if bit != "collect"]}).expect(200)
    nora.patch("/v1/parties/south", {"permissions": ["view", "collect"]}).expect(403)
    nora.patch("/v1/parties/south", {"permissions": ["view", "customers"]}).expect(200)
    root.patch("/v1/parties/south", {"permissions": ["view", "customers", "collect"]}).expect(200)
    sol = root.person("sol", "south", "admin")
    sol.get("/v1/parties/sam").expect(200)
    sol.patch("/v1/parties/sam", {"name": "Sam"}).expect(200)
    sol.post("/v1/parties/sam/payments", {"amount": "1"}, key=True).expect(403)
    assert sol.get("/v1/me")["permissions"] == ["view", "customers"]
    sol.patch("/v1/parties/south", {"permissions": every}).expect(403)
    nora.patch("/v1/parties/north", {"permissions": every}).expect(403)
    # Nor does a person: a colleague with less makes nobody with more, of himself neither.
    root.patch("/v1/parties/north", {"permissions": None}).expect(200)
    nora.post("/v1/people", {"login": "ned", "party": "north", "role": "admin", "password": PASSWORD,
                             "permissions": ["view", "people"]}).expect(201)
    ned = api.log_in("ned")
    ned.post("/v1/people", {"login": "nat", "party": "north", "role": "admin", "password": PASSWORD}).expect(403)
    ned.post("/v1/people", {"login": "nat", "party": "north", "role": "viewer", "password": PASSWORD}).expect(201)
    ned.patch("/v1/people/ned", {"permissions": None}).expect(403)
    ned.post("/v1/people/nora/password", {"new": "some other password", "again": "some other password"}).expect(403)
    # In his own subtree.
    for path in ("ed", "east", "fred", "nobody"):
        nora.get(f"/v1/parties/{path}").expect(404)
        nora.post(f"/v1/parties/{path}/payments", {"amount": "1"}, key=True).expect(404)
    nora.post("/v1/payments", {"party": "ed", "amount": "1"}, key=True).expect(404)
    nora.post("/v1/parties", {"kind": "customer", "parent": "east"}).expect(404)
    nora.post("/v1/parties", {"kind": "customer", "parent": "provider"}).expect(403)
    assert set(ids(nora)) >= {"north", "south", "sam", "nina"} and not {"ed", "east"} & set(ids(nora))


@row("IB8")
def prices_only_from_above(daemon, api):
    """A reseller changes neither what he pays nor his limits, nor what he may do; those above him do."""
    root = house(api)
    nora = root.person("nora", "north", "admin")
    for field, value in (("tariff", "resale"), ("tariffs", []), ("credit_limit", "1000"), ("status", "active"),
                         ("permissions", ["view"]), ("terms", "commission"), ("billing", "postpaid"),
                         ("sales_commission", "50"), ("mint_limit", "9"), ("catalogue", "any"),
                         ("min_available", "0"), ("refill_policy", "mint"), ("warn_owed", "1")):
        nora.patch("/v1/parties/north", {field: value}).expect(403)
    # The tariff that he pays by is not his, neither to write nor to put a deck into.
    nora.put("/v1/tariffs/wholesale", {"currency": "EUR", "markup_percent": "-50"}).expect(403)
    nora.put("/v1/tariffs/wholesale/deck", "prefix,rate_per_minute\n49,0\n", Content_Type="text/csv").expect(403)
    for path, body in (("topups", {"amount": "5"}), ("payments", {"amount": "5"}), ("refills", {"amount": "5"})):
        nora.post(f"/v1/parties/north/{path}", body, key=True).expect(403)
    nora.post("/v1/payments", {"party": "north", "amount": "5"}, key=True).expect(403)
    nora.delete("/v1/parties/north").expect(403)
    nora.patch("/v1/parties/provider", {"name": "Mine"}).expect(403)
    nora.patch("/v1/parties/north", {"name": "North Ltd", "phone": "+49 30 1234"}).expect(200)
    # Of those below him he says it, and he is above them.
    nora.patch("/v1/parties/south", {"credit_limit": "20"}).expect(200)
    before = root.get("/v1/parties/north").json
    assert (before["tariff"], before["credit_limit"]) == ("wholesale", "0"), before
    root.patch("/v1/parties/north", {"credit_limit": "50"}).expect(200)
    entry = root.get("/v1/audit?operation=changeParty&party=north").json["entries"][0]
    assert entry["actor"] == "root" and entry["target"] == "/v1/parties/north", entry
    assert entry["before"] == {"credit_limit": "0"} and entry["after"] == {"credit_limit": "50"}, entry
    # He reads of his own subtree what was changed, and nothing else; what was refused is no change.
    seen = nora.rows("/v1/audit", "entries")
    assert {one["party"] for one in seen} <= {"north", "south", "sam", "nina", "nina-desk"}, seen
    assert not [one for one in seen if one["actor"] == "nora" and "tariff" in (one["after"] or {})], seen


@row("IB10")
def operator_is_a_word_for_reseller(daemon, api):
    """An operator is a reseller: one kind, with one set of operations, and `operator` a role of a person."""
    root = house(api)
    assert root.get("/v1/parties/north")["kind"] == "reseller"
    oz = root.person("oz", "north", "operator")
    assert oz.get("/v1/me")["role"] == "operator"
    oz.post("/v1/parties", {"kind": "customer", "parent": "north", "tariff": "retail"}).expect(201)
    oz.post("/v1/parties/nina/payments", {"amount": "1"}, key=True).expect(403)
    oz.post("/v1/parties", {"kind": "reseller", "parent": "north", "terms": "margin"}).expect(403)
    oz.patch("/v1/parties/nina", {"credit_limit": "1"}).expect(403)
    # Nor by the way of a draft.
    oz.post("/v1/account-drafts", {"customer": {"name": "Kim"}}).expect(201)
    oz.post("/v1/account-drafts", {"customer": {"credit_limit": "1"}}).expect(403)
    oz.post("/v1/account-drafts", {"customer": {"name": "Kim"}, "credit": "5"}).expect(403)


@row("AS10")
def a_role_that_goes_takes_its_tokens(daemon, api):
    """A role comes from a set of permissions, a person belongs to the party that was chosen for him; when the role
    is taken away the tokens he has end at once, those of others go on."""
    root = house(api)
    nora = root.person("nora", "north", "admin")
    other = api.log_in("nora")
    ned = root.person("ned", "north", "viewer")
    program = nora.post("/v1/people/nora/tokens", {"name": "script", "expires": "2030-01-01T00:00:00Z"})
    if program.status == 422:  # More than a year away.
        import datetime
        soon = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=30)
        program = nora.post("/v1/people/nora/tokens", {"name": "script", "expires": soon.strftime("%Y-%m-%dT%H:%M:%SZ")})
    script = Api(daemon, program.expect(201)["token"])
    script.get("/v1/parties/nina").expect(200)
    assert len(nora.get("/v1/people/nora/tokens")["tokens"]) == 3
    assert all("token" not in token for token in nora.get("/v1/people/nora/tokens")["tokens"])
    root.patch("/v1/people/nora", {"role": "viewer"}).expect(200)
    for who in (nora, other, script):
        who.get("/v1/parties/nina").expect(401)
        who.patch("/v1/parties/nina", {"name": "Nina"}).expect(401)
    ned.get("/v1/parties/nina").expect(200)
    nora = api.log_in("nora")
    nora.get("/v1/parties/nina").expect(200)
    nora.patch("/v1/parties/nina", {"name": "Nina"}).expect(403)
    # Disabled, logged out, revoked, removed; a party that is suspended or closed.
    root.patch("/v1/people/nora", {"disabled": True}).expect(200)
    nora.get("/v1/me").expect(401)
    Api(daemon).post("/v1/login", {"login": "nora", "password": PASSWORD}).expect(401)
    ned.post("/v1/logout").expect(204)
    ned.get("/v1/me").expect(401)
    ned = api.log_in("ned")
    token = root.get("/v1/people/ned/tokens")["tokens"][0]["id"]
    root.delete(f"/v1/tokens/{token}").expect(204)
    ned.get("/v1/me").expect(401)
    ned = api.log_in("ned")
    root.patch("/v1/parties/north", {"status": "admin"}).expect(200)
    ned.get("/v1/me").expect(403)
    root.patch("/v1/parties/north", {"status": "overdue"}).expect(200)
    ned.get("/v1/me").expect(200)  # He may come in to pay.
    root.delete("/v1/people/ned").expect(204)
    ned.get("/v1/me").expect(401)
    eve = root.person("eve", "east", "admin")
    root.delete("/v1/parties/east").expect(200)
    eve.get("/v1/me").expect(401)
    Api(daemon).post("/v1/login", {"login": "eve", "password": PASSWORD}).expect(403)
    # The last who could make another stays.
    root.patch("/v1/people/root", {"role": "viewer"}).expect(409)
    root.delete("/v1/people/root").expect(409)


@row("VF13")
def a_password_is_changed(daemon, api):
    """Twice typed, the old one with it; the person is told by e-mail, and his other tokens end."""
    root = house(api)
    root.patch("/v1/parties/nina", {"email": "office@nina.example"}).expect(200)
    nan = root.person("nan", "nina", "admin", email="nan@nina.example")
    other = api.log_in("nan")
    path, new = "/v1/people/nan/password", "entirely different"
    assert nan.post(path, {"new": new, "again": new}).fields() == {"old"}
    assert nan.post(path, {"old": PASSWORD, "new": new, "again": new + "x"}).fields() == {"again"}
    assert nan.post(path, {"old": PASSWORD, "new": "too short", "again": "too short"}).fields() == {"new"}
    assert nan.post(path, {"old": PASSWORD, "new": PASSWORD, "again": PASSWORD}).fields() == {"new"}
    nan.post(path, {"old": "not the password", "new": new, "again": new}).expect(403)
    other.get("/v1/me").expect(200)
    mails = [mail for mail in root.rows("/v1/outbox", "mails") if mail["reason"] == "password_changed"]
    assert not mails, mails
    nan.post(path, {"old": PASSWORD, "new": new, "again": new}).expect(204)
    nan.get("/v1/me").expect(200)
    other.get("/v1/me").expect(401)
    Api(daemon).post("/v1/login", {"login": "nan", "password": PASSWORD}).expect(401)
    api.log_in("nan", new)
    mails = [mail for mail in root.rows("/v1/outbox", "mails") if mail["reason"] == "password_changed"]
    assert [mail["to"] for mail in mails] == ["nan@nina.example"] and new not in mails[0]["text"], mails
    # Somebody above needs no old one; a colleague without the permission is nobody to him.
    vic = root.person("vic", "nina", "viewer")
    vic.post(path, {"old": new, "new": "yet another one", "again": "yet another one"}).expect(403)
    root.post(path, {"new": "yet another one", "again": "yet another one"}).expect(204)
    nan.get("/v1/me").expect(401)
    entry = root.get("/v1/audit?operation=changePassword").json["entries"][0]
    assert entry["actor"] == "root" and "another" not in str(entry), entry


@row("PB16")
def self_care(daemon, api):
    """Passwords are stored hashed, a login is unique, and a wrong password is throttled; preferences are kept."""
    house(api)
    # From now on nobody is served without a token, not even this machine.
    api.get("/v1/people").expect(401)
    api.get("/v1/parties/provider").expect(401)
    api.post("/v1/parties", {"kind": "customer"}).expect(401)
    Api(daemon, "tg_" + "A" * 43).get("/v1/me").expect(401)
    api.get("/healthz").expect(200)
    root = api.log_in("root")
    created = root.post("/v1/people", {
        "login": "dora@dist.example", "party": "dist", "role": "admin", "password": "a long password",
        "time_zone": "America/New_York", "language": "en", "date_format": "%d.%m.%Y", "time_format": "%H:%M"})
    created.expect(201)
    assert "password" not in created.json, created.json
    for login in ("dora@dist.example", "root"):
        root.post("/v1/people", {"login": login, "party": "dist", "role": "viewer",
                                 "password": "another password"}).expect(409)
    for bad in ("short", "dora@dist.example", "aaaaaaaaaaaa"):
        assert root.post("/v1/people", {"login": "x-" + bad[:4] if bad[0] == "s" else "dora@dist.example2",
                                        "party": "dist", "role": "viewer", "password": bad}).status in (422, 201)
    dora = api.log_in("dora@dist.example", "a long password")
    me = dora.get("/v1/people/dora@dist.example").expect(200)
    assert (me["time_zone"], me["date_format"]) == ("America/New_York", "%d.%m.%Y"), me.json
    dora.patch("/v1/people/dora@dist.example", {"language": "de"}).expect(200)
    dora.patch("/v1/people/dora@dist.example", {"language": "no language"}).expect(422)

    # Five guesses are free, then each waits; the right password has to wait too, and others do not.
    stranger = Api(daemon)
    wrong = {"login": "dora@dist.example", "password": "not the password"}
    unknown = {"login": "nobody", "password": "not the password"}
    first = stranger.post("/v1/login", unknown).expect(401)
    # A machine that is slow at a guess has waited for the next one meanwhile: the wait doubles until it has not.
    answers = [stranger.post("/v1/login", wrong)]
    while answers[-1].status == 401 and len(answers) < 15:
        answers.append(stranger.post("/v1/login", wrong))
    statuses = [answer.status for answer in answers]
    assert len(statuses) > 5 and statuses == [401] * (len(statuses) - 1) + [429], statuses
    assert answers[0].json["detail"] == first.json["detail"]  # No word of whether there is such a login.
    assert int(answers[-1].headers["Retry-After"]) >= 1
    stranger.post("/v1/login", {**wrong, "password": "a long password"}).expect(429)
    api.log_in("root")

    # Nowhere on the disk is a password or a token, but a hash is.
    folder = Path(daemon.settings[0].split("=", 1)[1])
    journal = b"".join(file.read_bytes() for file in folder.rglob("*") if file.is_file())
    assert b"$argon2id$" in journal
    for secret in (b"a long password", PASSWORD.encode(), dora.token.encode(), b"not the password"):
        assert secret not in journal, secret
