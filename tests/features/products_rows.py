"""Packages, service plans, numbers, accounts in two steps: what is sold beside calls."""

import threading

from api import Api
from run import row
from wire import micros

NUMBER = "442071234567"


def provider(api, currency="EUR"):
    api.party("root", None, "provider", currency=currency)


def activate(api, customer, package, status=201, key=True, **fields):
    return api.post(f"/v1/parties/{customer}/subscriptions", {"package": package, **fields}, key).expect(status)


def balances(api, *parties):
    return [api.balance(party) for party in parties]


def revenue(daemon, currency="EUR"):
    return daemon.books()[currency]["revenue"]


@row("AP2")
def catalogues(daemon, api):
    """Two customers who came with one partner's code have different catalogues: each sees and pays its prices."""
    provider(api)
    api.party("partner", "root", "partner", code="P1")
    for package, price in (("basic", "10"), ("extra", "30")):
        api.post("/v1/packages", {"id": package, "name": package, "price": price}).expect(201)
    api.put("/v1/catalogues/gold", {"name": "Gold", "items": [{"package": "basic", "price": "8"}]}).expect(201)
    api.put("/v1/catalogues/iron", {"items": [{"package": "basic", "price": "12"},
                                              {"package": "extra", "price": None}]}).expect(201)
    for customer, catalogue in (("ann", "gold"), ("bob", "iron"), ("cy", None)):
        api.party(customer, "root", "customer", came_with="P1", catalogue=catalogue)
        api.topup(customer, "100")

    def prices(customer):
        return {item["package"]: item["price"] for item in api.get(f"/v1/parties/{customer}/catalogue")["items"]}

    assert prices("ann") == {"basic": "8"}
    assert prices("bob") == {"basic": "12", "extra": "30"}
    assert prices("cy") == {"basic": "10", "extra": "30"}
    for customer in ("ann", "bob", "cy"):
        activate(api, customer, "basic")
    assert balances(api, "ann", "bob", "cy") == ["92", "88", "90"]
    # What is not in the catalogue is not sold to him.
    assert activate(api, "ann", "extra", 422).fields() == {"package"}
    assert api.balance("ann") == "92"
    # Another catalogue, other prices: at once.
    api.patch("/v1/parties/ann", {"catalogue": "iron"}).expect(200)
    assert prices("ann") == {"basic": "12", "extra": "30"}
    assert [row["id"] for row in api.get("/v1/catalogues")["catalogues"]] == ["gold", "iron"]
    api.put("/v1/catalogues/bad", {"items": [{"package": "none"}]}).expect(422)


def reseller_with_package(api, billing, price="60", sell="80", **fields):
    """A reseller who buys `basic` at `price`, sells it at `sell`, and has three customers with money."""
    provider(api)
    api.post("/v1/packages", {"id": "basic", "name": "Basic", "price": price}).expect(201)
    api.party("shop", "root", "reseller", billing=billing, **fields)
    api.put("/v1/parties/shop/offers/basic", {"price": sell}).expect(201)
    for customer in ("ann", "bob", "cy"):
        api.party(customer, "shop", "customer")
        api.topup(customer, "1000")


@row("IB1")
def prepaid_reseller(daemon, api):
    """MO08: a prepaid reseller with 100 activates a package of 60: 40 are left; the second is refused."""
    reseller_with_package(api, "prepaid")
    api.topup("shop", "100")
    made = activate(api, "ann", "basic", key="first")
    assert (made["state"], made["price"], made["periods"], made["dup"]) == ("active", "80", 1, False)
    assert balances(api, "shop", "ann") == ["40", "920"]
    again = activate(api, "ann", "basic", key="first")
    assert again.json == {**made.json, "dup": True}
    refused = activate(api, "bob", "basic", 402)
    assert "shop" in refused["detail"], refused.text
    assert balances(api, "shop", "ann", "bob") == ["40", "920", "1000"]
    assert api.get("/v1/parties/bob/subscriptions")["subscriptions"] == []
    # A renewal is deducted as an activation is: 40 are not enough for it either.
    api.post(f"/v1/subscriptions/{made['id']}:renew", key=True).expect(402)
    api.topup("shop", "20")
    renewed = api.post(f"/v1/subscriptions/{made['id']}:renew", key=True).expect(201)
    assert (renewed["periods"], balances(api, "shop", "ann")) == (2, ["0", "840"])
    assert renewed["paid_until"] > made["paid_until"]
    # The customer pays 80 twice: the reseller's revenue; he pays 60 twice: the provider's.
    assert revenue(daemon) == micros("280")


@row("IB2")
def nothing_left(daemon, api):
    """MO09: at a balance of exactly 0 nothing is activated or renewed, not even at price 0, until it is topped up."""
    reseller_with_package(api, "prepaid", price="10", sell="10")
    api.post("/v1/packages", {"id": "gift", "name": "Gift", "price": "0"}).expect(201)
    api.put("/v1/parties/shop/offers/gift", {}).expect(201)
    assert api.balance("shop") == "0"
    activate(api, "ann", "gift", 402)
    activate(api, "ann", "basic", 402)
    api.topup("shop", "10")
    gift = activate(api, "ann", "gift")
    basic = activate(api, "ann", "basic")
    assert balances(api, "shop", "ann") == ["0", "990"]
    for subscription in (gift, basic):
        api.post(f"/v1/subscriptions/{subscription['id']}:renew", key=True).expect(402)
    api.topup("shop", "0.000001")
    api.post(f"/v1/subscriptions/{gift['id']}:renew", key=True).expect(201)
    api.post(f"/v1/subscriptions/{basic['id']}:renew", key=True).expect(402)
    assert balances(api, "shop", "ann") == ["0.000001", "990"]


def owed(api, party):
    return -micros(api.balance(party))


@row("IB4")
def postpaid_reseller(daemon, api):
    """MO10: a collection limit of 500 with 450 owed allows an activation of 50; at 500 the next is refused."""
    reseller_with_package(api, "postpaid", price="50", sell="55", credit_limit="500")
    api.post("/v1/parties/shop/debits", {"amount": "450"}, key=True).expect(201)
    assert owed(api, "shop") == micros("450")
    activate(api, "ann", "basic")
    assert owed(api, "shop") == micros("500")
    activate(api, "bob", "basic", 402)
    assert (owed(api, "shop"), api.balance("bob")) == (micros("500"), "1000")


@row("IB5")
def limit_reached(daemon, api):
    """At the limit activations stop and services go on; the payment that reduces what is owed lifts the block."""
    reseller_with_package(api, "postpaid", price="50", sell="55", credit_limit="100")
    daemon.tariff("calls", {}, "prefix,rate_per_minute\n44,0\n")
    api.patch("/v1/parties/shop", {"tariff": "calls"}).expect(200)
    api.patch("/v1/parties/ann", {"tariff": "calls"}).expect(200)
    api.party("ann-line", "ann", "line")
    activate(api, "ann", "basic")
    activate(api, "bob", "basic")
    assert owed(api, "shop") == micros("100")
    activate(api, "cy", "basic", 402)
    # What runs goes on.
    assert daemon.resp.call("AUTHORIZE", "ann-line", NUMBER, "c1", "WANT", 60).code == "FREE"
    assert daemon.resp.call("RELEASE", "c1").code == "OK"
    assert api.get("/v1/parties/ann/subscriptions")["subscriptions"][0]["state"] == "active"
    # 1 paid: one of at most 1 more may be activated, and no other.
    api.post("/v1/packages", {"id": "one", "name": "One", "price": "1"}).expect(201)
    api.put("/v1/parties/shop/offers/one", {"price": "2"}).expect(201)
    activate(api, "cy", "one", 402)
    api.post("/v1/parties/shop/payments", {"amount": "1", "method": "cash"}, key=True).expect(201)
    activate(api, "cy", "basic", 402)
    activate(api, "cy", "one")
    assert owed(api, "shop") == micros("100")
    activate(api, "bob", "one", 402)


@row("AS2")
def margin_reseller(daemon, api):
    """A margin reseller opts in and sets his price: the customer pays it, he pays his parent's, the difference is his."""
    provider(api)
    api.post("/v1/packages", {"id": "basic", "name": "Basic", "price": "700", "setup": "10"}).expect(201)
    api.party("operator", "root", "reseller")
    api.party("sub", "operator", "reseller")
    api.party("ann", "sub", "customer")
    for party, funds in (("operator", "5000"), ("sub", "5000"), ("ann", "2000")):
        api.topup(party, funds)
    # Nobody sells what the one above him does not.
    api.put("/v1/parties/sub/offers/basic", {"price": "1000"}).expect(404)
    activate(api, "ann", "basic", 422)
    offer = api.put("/v1/parties/operator/offers/basic", {"price": "800"}).expect(201)
    assert (offer["price"], offer["buy_price"], offer["buy_setup"]) == ("800", "700", "10")
    offer = api.put("/v1/parties/sub/offers/basic", {"price": "1000", "setup": "0"}).expect(201)
    assert (offer["price"], offer["buy_price"], offer["buy_setup"]) == ("1000", "800", "10")
    activate(api, "ann", "basic")
    # Setup passes through the operator; the sub-operator gives it away.
    assert balances(api, "ann", "sub", "operator") == ["1000", "4190", "4290"]
    assert revenue(daemon) == micros("1000") + micros("810") + micros("710")
    # A price he changes is what the next customer pays.
    assert api.put("/v1/parties/sub/offers/basic", {"price": "900"}).expect(200)["price"] == "900"
    assert [offer["price"] for offer in api.get("/v1/parties/sub/offers")["offers"]] == ["900"]
    api.party("bob", "sub", "customer")
    api.topup("bob", "2000")
    activate(api, "bob", "basic")
    assert api.balance("bob") == "1090"  # 900 and, as he names none now, the operator's setup.
    # He opts out: no more activations, what is active is renewed.
    api.delete("/v1/parties/sub/offers/basic").expect(204)
    api.party("cy", "sub", "customer")
    api.topup("cy", "2000")
    activate(api, "cy", "basic", 422)
    first = api.get("/v1/parties/bob/subscriptions")["subscriptions"][0]
    api.post(f"/v1/subscriptions/{first['id']}:renew", key=True).expect(201)
    assert api.balance("bob") == "290"


@row("AS3")
def commission_reseller(daemon, api):
    """A commission reseller opts in, a price in the body is 422, and what he sells pays him the commission."""
    provider(api)
    api.post("/v1/packages", {"id": "basic", "name": "Basic", "price": "90", "setup": "10"}).expect(201)
    api.party("agent", "root", "reseller", terms="commission", sales_commission="10")
    api.party("ann", "agent", "customer")
    api.topup("ann", "150")
    assert api.put("/v1/parties/agent/offers/basic", {"price": "95"}).fields() == {"price"}
    assert api.put("/v1/parties/agent/offers/basic", {"setup": "1"}).fields() == {"setup"}
    activate(api, "ann", "basic", 422)
    offer = api.put("/v1/parties/agent/offers/basic", {}).expect(201)
    assert (offer["price"], offer["buy_price"]) == (None, "90")
    activate(api, "ann", "basic", key="order")
    # MO12: price and setup are 100, 10 % of it is his; the provider gives it.
    assert balances(api, "ann", "agent") == ["50", "10"]
    book = daemon.books()["EUR"]
    assert (book["revenue"], book["commission"]) == (micros("100"), micros("-10")), book
    assert activate(api, "ann", "basic", key="order")["dup"] is True
    assert balances(api, "ann", "agent") == ["50", "10"]
    # The next order cannot be paid: no commission either.
    api.party("bob", "agent", "customer")
    activate(api, "bob", "basic", 402)
    assert api.balance("agent") == "10"


@row("AS4")
def cascade(daemon, api):
    """MO12 to MO14, and the other way of sharing: three commission resellers below each other at 10 % of 100."""
    provider(api)
    api.post("/v1/packages", {"id": "basic", "name": "Basic", "price": "100"}).expect(201)
    parent = "root"
    for depth, percent in enumerate(("10", "10", "10")):
        api.party(f"r{depth}", parent, "reseller", terms="commission", sales_commission=percent)
        api.put(f"/v1/parties/r{depth}/offers/basic", {}).expect(201)
        parent = f"r{depth}"
        api.party(f"c{depth}", parent, "customer")
        api.topup(f"c{depth}", "200")
    activate(api, "c0", "basic")
    assert balances(api, "r0", "r1", "r2") == ["10", "0", "0"]
    activate(api, "c1", "basic")
    assert balances(api, "r0", "r1", "r2") == ["19", "1", "0"]
    activate(api, "c2", "basic")
    assert balances(api, "r0", "r1", "r2") == ["28", "1.9", "0.1"]
    # Each his own percentage of the sale less that of the one below: 5 for r2, 8 - 5, 10 - 8.
    api.patch("/v1/parties/root", {"commission_split": "per_level"}).expect(200)
    api.patch("/v1/parties/r1", {"sales_commission": "8"}).expect(200)
    api.patch("/v1/parties/r2", {"sales_commission": "5"}).expect(200)
    api.party("d2", "r2", "customer")
    api.topup("d2", "100")
    activate(api, "d2", "basic")
    assert balances(api, "d2", "r0", "r1", "r2") == ["0", "30", "4.9", "5.1"]
    # Each level repeats the model: a margin reseller above commission resellers gives the commission himself.
    api.party("margin", "root", "reseller")
    api.topup("margin", "100")
    api.put("/v1/parties/margin/offers/basic", {"price": "150"}).expect(201)
    api.party("agent", "margin", "reseller", terms="commission", sales_commission="20")
    assert api.put("/v1/parties/agent/offers/basic", {}).expect(201)["buy_price"] == "150"
    api.party("eve", "agent", "customer")
    api.topup("eve", "150")
    activate(api, "eve", "basic")
    assert balances(api, "eve", "agent", "margin") == ["0", "30", "0"]


@row("AS8")
def prepaid_funds(daemon, api):
    """AD01 to AD04: a prepaid customer pays from his funds, for calls as for everything else, and never beyond them."""
    provider(api)
    daemon.tariff("retail", {}, "prefix,rate_per_minute,connect_fee\n44,0.30,0.05\n49,0.30,0\n")
    seconds = []
    for customer, funds, number in (("a1", "10", NUMBER), ("a2", "0.34", NUMBER), ("a3", "0.35", NUMBER)):
        api.party(customer, "root", "customer", tariff="retail")
        api.party(f"{customer}-line", customer, "line")
        api.topup(customer, funds)
        answer = daemon.resp.call("AUTHORIZE", f"{customer}-line", number, customer, "WANT", 86400)
        assert (answer.code, answer["final"]) == ("OK", "1"), answer
        seconds.append(int(answer.figure))
        daemon.resp.call("RELEASE", customer)
    assert seconds == [1990, 58, 60], seconds
    # AD04: 0.10 in 6 s steps at 0.30 a minute are 18 s.
    daemon.tariff("steps", {}, "prefix,rate_per_minute,initial_increment,increment\n44,0.30,6,6\n")
    api.party("a4", "root", "customer", tariff="steps")
    api.party("a4-line", "a4", "line")
    api.topup("a4", "0.10")
    answer = daemon.resp.call("AUTHORIZE", "a4-line", NUMBER, "a4", "WANT", 86400)
    assert answer.figure == "18", answer
    # What a call holds pays for nothing else: 0.01 is left.
    api.post("/v1/packages", {"id": "small", "name": "Small", "price": "0.02"}).expect(201)
    activate(api, "a4", "small", 402)
    api.post("/v1/parties/a4/plans", {"name": "p", "cost_per_user": "0.02"}, key=True).expect(402)
    daemon.resp.call("RELEASE", "a4")
    activate(api, "a4", "small")
    assert api.balance("a4") == "0.08"


DRAFT = {"customer": {"id": "acme", "name": "Acme Ltd", "email": "ann@example.org", "first_name": "Ann",
                      "last_name": "Lee", "phone": "+44 20 7946 0000", "tariff": "retail",
                      "home_country": "DE", "opened_countries": ["GB"]},
         "lines": [{"id": "acme-1"}, {"id": "acme-2"}],
         "credit": "100",
         "plan": {"name": "Acme plan", "users": 3, "cost_per_user": "10"},
         "numbers": [{"id": "4930111", "line": "acme-1"}, "4930112"],
         "bundles": [{"id": "uk", "seconds": 600, "countries": ["GB"]}]}


def voifinity(daemon, api, **reseller):
    """A reseller with a rate sheet and a pool of numbers, as the accounts manager has them."""
    provider(api)
    daemon.tariff("wholesale", {}, "prefix,rate_per_minute\n*,0\n")
    daemon.tariff("retail", {},
                  "prefix,destination,rate_per_minute,initial_increment,increment\n"
                  "44,United Kingdom,0.30,60,60\n447,UK mobile,0.60,60,60\n33,France,0.20,60,60\n49,Germany,0.10,60,60\n")
    api.party("reseller", "root", "reseller", tariff="wholesale", **reseller)
    api.topup("reseller", "1000")
    api.post("/v1/numbers", {"owner": "reseller", "numbers": [
        {"id": "4930111", "country": "DE", "price": "5"}, {"id": "4930112", "country": "DE", "price": "2.5"},
        {"id": "4930113", "price": "1", "period": "once"}]}).expect(201)


@row("VF1")
def two_steps(daemon, api):
    """An account in two steps: before it is submitted nothing exists and nothing is billed; then all of it at once."""
    voifinity(daemon, api)
    books = daemon.books()
    draft = api.post("/v1/account-drafts", {"seller": "reseller", "customer": {"name": "Acme Ltd"}}).expect(201)
    assert {fault["field"] for fault in draft["faults"]} == {"customer.email"}, draft.text
    api.post(f"/v1/account-drafts/{draft['id']}:submit", key=True).expect(422)
    changed = api.patch(f"/v1/account-drafts/{draft['id']}", DRAFT).expect(200)
    assert changed["faults"] == [] and changed["account"]["credit"] == "100"
    # Nothing of it is there.
    api.get("/v1/parties/acme").expect(404)
    assert daemon.resp.call("AUTHORIZE", "acme-1", NUMBER, "c0").code == "UNKNOWN_ACCOUNT"
    assert api.get("/v1/numbers/4930111")["customer"] is None
    assert daemon.books() == books
    made = api.post(f"/v1/account-drafts/{draft['id']}:submit", key="submit").expect(201)
    assert [line["id"] for line in made["lines"]] == ["acme-1", "acme-2"]
    # 100 of credit, less 3 x 10, less 5 and 2.5.
    assert (made["customer"]["balance"], made["plan"]["users"], made["dup"]) == ("62.5", 3, False)
    assert {number["id"]: number["line"] for number in made["numbers"]} == {"4930111": "acme-1", "4930112": None}
    assert daemon.resp.call("AUTHORIZE", "acme-1", NUMBER, "c1", "WANT", 60).code == "OK"
    assert daemon.resp.call("RELEASE", "c1").code == "OK"
    again = api.post(f"/v1/account-drafts/{draft['id']}:submit", key="submit").expect(201)
    assert (again["dup"], again["txn"], api.balance("acme")) == (True, made["txn"], "62.5")
    api.post(f"/v1/account-drafts/{draft['id']}:submit", key=True).expect(404)
    api.get(f"/v1/account-drafts/{draft['id']}").expect(404)
    # One part that cannot be had keeps all of it from being made.
    other = {**DRAFT, "seller": "reseller", "customer": {**DRAFT["customer"], "id": "beta"}, "lines": [],
             "plan": {"name": "Beta plan", "cost_per_user": "10"}, "numbers": ["4930113", "4930111"]}
    draft = api.post("/v1/account-drafts", other).expect(201)
    api.post(f"/v1/account-drafts/{draft['id']}:submit", key=True).expect(409)
    api.get("/v1/parties/beta").expect(404)
    assert api.get("/v1/numbers/4930113")["customer"] is None
    api.patch(f"/v1/account-drafts/{draft['id']}", {"numbers": ["4930113"], "credit": "10.99"}).expect(200)
    api.post(f"/v1/account-drafts/{draft['id']}:submit", key=True).expect(402)
    api.patch(f"/v1/account-drafts/{draft['id']}", {"credit": 11}).expect(200)
    api.post(f"/v1/account-drafts/{draft['id']}:submit", key=True).expect(201)
    assert api.balance("beta") == "0"
    thrown = api.post("/v1/account-drafts", {"customer": {"name": "Nobody"}}).expect(201)
    api.delete(f"/v1/account-drafts/{thrown['id']}").expect(204)
    api.get(f"/v1/account-drafts/{thrown['id']}").expect(404)


def customers(api, *names, funds="1000", **fields):
    for name in names:
        api.party(name, "reseller", "customer", **fields)
        if funds:
            api.topup(name, funds)


def plan(api, customer, status=201, key=True, **fields):
    body = {"name": f"{customer} plan", "users": 1, "cost_per_user": "10", **fields}
    return api.post(f"/v1/parties/{customer}/plans", body, key).expect(status)


@row("VF2")
def plan_names(daemon, api):
    """A plan's name is one customer's under his reseller: a second use is 409; another reseller may use it too."""
    voifinity(daemon, api)
    customers(api, "ann", "bob")
    plan(api, "ann", name="Gold")
    plan(api, "bob", 409, name="Gold")
    assert api.balance("bob") == "1000"
    assert api.get("/v1/parties/bob/plan")["lines"] == []
    plan(api, "bob", name="gold")
    plan(api, "ann", 409, name="Other")  # He has one.
    api.party("elsewhere", "root", "reseller")
    api.party("cy", "elsewhere", "customer")
    api.topup("cy", "100")
    plan(api, "cy", name="Gold")


@row("VF3")
def users_of_a_plan(daemon, api):
    """Users: 1 where nothing is said, 0 is 422, changed at any time: charged pro rata, or with the next month."""
    voifinity(daemon, api)
    customers(api, "ann", "bob")
    body = {"name": "Ann plan", "cost_per_user": "30"}
    made = api.post("/v1/parties/ann/plans", body, key=True).expect(201)
    assert (made["users"], api.balance("ann")) == (1, "970")
    assert plan(api, "bob", 422, users=0).fields() == {"users"}
    path = f"/v1/plans/{made['id']}"
    for users in (0, -1):
        assert api.patch(path, {"users": users}, key=True).fields() == {"users"}
    # The month began today: all of it is left.
    more = api.patch(path, {"users": 3}, key="more").expect(200)
    assert (more["users"], more["dup"], api.balance("ann")) == (3, False, "910")
    assert api.patch(path, {"users": 3}, key="more").expect(200)["dup"] is True
    assert api.balance("ann") == "910"
    # Fewer are paid for until the month is over, and may come back.
    api.patch(path, {"users": 2}, key=True).expect(200)
    api.patch(path, {"users": 3}, key=True).expect(200)
    assert api.balance("ann") == "910"
    # Lines are at most the users.
    for line in ("ann-1", "ann-2", "ann-3"):
        api.party(line, "ann", "line")
    api.post("/v1/parties", {"id": "ann-4", "kind": "line", "parent": "ann"}).expect(422)
    assert api.patch(path, {"users": 2}, key=True).fields() == {"users"}
    tag = api.get(path).headers["ETag"]
    for duplicate in (False, True):
        assert api.patch(path, {"users": 4}, key="four", If_Match=tag).expect(200)["dup"] is duplicate
    api.patch(path, {"users": 5}, key=True, If_Match=tag).expect(412)
    api.party("ann-4", "ann", "line")
    # By the other policy they come with the next month.
    later = plan(api, "bob", users=2, change_policy="next")
    changed = api.patch(f"/v1/plans/{later['id']}", {"users": 5}, key=True).expect(200)
    assert (changed["users"], changed["users_next"], api.balance("bob")) == (2, 5, "980")
    assert api.get("/v1/parties/bob/plan")["monthly_charge"] == "50"
    # Beyond his funds nothing changes.
    api.patch(path, {"users": 1000}, key=True).expect(402)
    assert api.get(path)["users"] == 4


@row("VF4")
def users_times_cost(daemon, api):
    """MO20: users times cost are deducted when the plan is made, once however often it is sent."""
    voifinity(daemon, api)
    customers(api, "ann", funds="50")
    made = plan(api, "ann", users=4, cost_per_user="12.5", key="plan")
    assert (made["users"], made["cost_per_user"], api.balance("ann")) == (4, "12.5", "0")
    assert plan(api, "ann", users=4, cost_per_user="12.5", key="plan")["dup"] is True
    assert api.balance("ann") == "0"
    customers(api, "bob", funds="49.99")
    plan(api, "bob", 402, users=4, cost_per_user="12.5")
    assert (api.balance("bob"), api.get("/v1/parties/bob/plan")["lines"]) == ("49.99", [])
    assert plan(api, "bob", 422, cost_per_user="-1").fields() == {"cost_per_user"}


@row("VF5")
def credit_at_creation(daemon, api):
    """Credit of a new account: from the reseller's own money where he refills by transfer, else minted; audited."""
    voifinity(daemon, api, refill_policy="transfer")
    api.party("minter", "root", "reseller", refill_policy="mint", mint_limit="2")
    api.topup("minter", "100")

    def submit(seller, name, credit, status=201):
        draft = api.post("/v1/account-drafts", {"seller": seller, "credit": credit, "customer": {
            "id": name, "name": name, "email": "a@example.org"}}).expect(201)
        return api.post(f"/v1/account-drafts/{draft['id']}:submit", key=True).expect(status)

    assert submit("reseller", "ann", "30")["customer"]["balance"] == "30"
    assert api.balance("reseller") == "970"
    submit("reseller", "bob", "970.01", 402)
    assert api.balance("reseller") == "970"
    api.get("/v1/parties/bob").expect(404)
    # Twice what he has may be on his customers' accounts: 200.
    submit("minter", "cy", "150")
    assert (api.balance("cy"), api.balance("minter")) == ("150", "100")
    submit("minter", "dan", "50.01", 402)
    submit("minter", "dan", "50")
    funds = daemon.books()["EUR"]["customer_funds"]
    assert funds == micros("-200"), funds
    assert [entry["operation"] for entry in api.get("/v1/audit?operation=submitDraft")["entries"]] == ["submitDraft"] * 3
    # What the customer then spends is credited to who gave him the money.
    plan(api, "ann", cost_per_user="12")
    assert balances(api, "ann", "reseller") == ["18", "982"]


@row("VF6")
def rate_sheets(daemon, api):
    """The rate sheet that is chosen for a customer is what his calls cost; the longest code wins (44, 447)."""
    voifinity(daemon, api)
    customers(api, "ann", tariff="retail")
    api.party("ann-1", "ann", "line")
    rows = {tariff["id"]: tariff["rows"] for tariff in api.get("/v1/tariffs")["tariffs"]}
    assert rows == {"retail": 4, "wholesale": 1}, rows
    prices = {}
    for number in ("442071234567", "447911123456", "33140000000"):
        answer = daemon.resp.call("QUOTE", "ann-1", number)
        level = answer.levels()[0]
        prices[level["prefix"]] = (level["destination"], level["price"])
    assert prices == {"44": ("United Kingdom", "0.3"), "447": ("UK mobile", "0.6"), "33": ("France", "0.2")}, prices
    assert daemon.resp.call("AUTHORIZE", "ann-1", "1212555", "c1")["reason"] == "prefix"
    # Another sheet, other prices, with the next call.
    daemon.tariff("cheap", {}, "prefix,rate_per_minute\n44,0.01\n")
    api.patch("/v1/parties/ann", {"tariff": "cheap"}).expect(200)
    assert daemon.resp.call("QUOTE", "ann-1", "447911123456").figure == "0.01"
    api.patch("/v1/parties/ann", {"tariff": "none"}).expect(422)


@row("VF7")
def pool_of_numbers(daemon, api):
    """Numbers from the reseller's spare pool: paid by their price, 409 where they are not spare, one of two racing wins."""
    voifinity(daemon, api)
    customers(api, "ann", "bob", "cy")
    path = "/v1/numbers/4930111"
    taken = api.post(f"{path}:assign", {"customer": "ann"}, key="a").expect(201)
    assert (taken["customer"], taken["price"], api.balance("ann")) == ("ann", "5", "995")
    assert api.post(f"{path}:assign", {"customer": "ann"}, key="a").expect(201)["dup"] is True
    assert api.balance("ann") == "995"
    api.post(f"{path}:assign", {"customer": "bob"}, key=True).expect(409)
    assert api.balance("bob") == "1000"
    api.delete(path).expect(409)
    spare = [number["id"] for number in api.rows("/v1/numbers?state=spare", "numbers")]
    assert spare == ["4930112", "4930113"]
    # It comes back, and goes to another.
    assert api.post(f"{path}:return").expect(200)["customer"] is None
    api.post(f"{path}:assign", {"customer": "bob"}, key=True).expect(201)
    assert balances(api, "ann", "bob") == ["995", "995"]
    # One of another's pool is not spare for him, one that there is not neither; without funds it stays.
    api.post("/v1/numbers", {"numbers": [{"id": "4999", "price": "1"}]}).expect(201)
    api.party("other", "root", "reseller")
    api.party("dan", "other", "customer")
    api.post("/v1/numbers/4930112:assign", {"customer": "dan"}, key=True).expect(409)
    customers(api, "eve", funds="0.99")
    api.post("/v1/numbers/4930113:assign", {"customer": "eve"}, key=True).expect(402)
    assert api.get("/v1/numbers/4930113")["customer"] is None
    api.post("/v1/numbers", {"numbers": ["4998", "4999"]}).expect(409)
    api.get("/v1/numbers/4998").expect(404)

    # Two race for each of twenty.
    api.post("/v1/numbers", {"owner": "reseller", "numbers": [
        {"id": str(70000 + n), "price": "1"} for n in range(20)]}).expect(201)
    results = {"ann": [], "cy": []}

    def take(customer):
        mine = Api(daemon)
        for n in range(20):
            answer = mine.post(f"/v1/numbers/{70000 + n}:assign", {"customer": customer}, key=True)
            results[customer].append(answer.expect(201, 409).status)

    racers = [threading.Thread(target=take, args=(customer,)) for customer in results]
    for racer in racers:
        racer.start()
    for racer in racers:
        racer.join()
    assert all(sorted(pair) == [201, 409] for pair in zip(*results.values())), results
    for customer, before in (("ann", 995), ("cy", 1000)):
        assert micros(api.balance(customer)) == micros(before) - micros(results[customer].count(201))
    # A deleted customer's numbers are spare again.
    api.delete("/v1/parties/bob").expect(200)
    assert api.get(path)["customer"] is None
    api.post(f"{path}:assign", {"customer": "cy"}, key=True).expect(201)


@row("VF8")
def opened_countries(daemon, api):
    """Calls go to opened countries and home; anywhere else they are refused with the reason, and nothing is held."""
    voifinity(daemon, api)
    customers(api, "ann", tariff="retail", home_country="DE", opened_countries=["GB"])
    api.party("ann-1", "ann", "line")
    for number, code in ((NUMBER, "OK"), ("4930123456", "OK"), ("33140000000", "SERVICE_DENIED")):
        answer = daemon.resp.call("AUTHORIZE", "ann-1", number, number, "WANT", 60)
        assert answer.code == code, (number, answer)
        if code == "OK":
            daemon.resp.call("RELEASE", number)
        else:
            assert (answer["reason"], daemon.account("ann")[1]) == ("country", 0)
    api.patch("/v1/parties/ann", {"opened_countries": ["GB", "FR"]}).expect(200)
    assert daemon.resp.call("AUTHORIZE", "ann-1", "33140000000", "again", "WANT", 60).code == "OK"
    daemon.resp.call("RELEASE", "again")


@row("VF9")
def minutes_per_country(daemon, api):
    """MO21: 10 free minutes to the UK at 0.30 60/60: a call of 12 min pays 2, 0.60; then the rate sheet. No two calls
    have the same second."""
    voifinity(daemon, api)
    customers(api, "ann", tariff="retail", funds="10")
    for line in ("ann-1", "ann-2"):
        api.party(line, "ann", "line")
    api.post("/v1/parties/ann/bundles", {"id": "uk", "seconds": 600, "countries": ["GB"]}).expect(201)
    assert daemon.resp.call("AUTHORIZE", "ann-1", NUMBER, "c1", "WANT", 720).figure == "720"
    stopped = daemon.resp.call("STOP", "c1", 720)
    assert (stopped.figure, stopped["billed"]) == ("0.6", "120"), stopped
    assert api.balance("ann") == "9.4"
    # Nothing is left: by the rate sheet. France was never bundled.
    daemon.resp.call("AUTHORIZE", "ann-1", NUMBER, "c2", "WANT", 60)
    assert daemon.resp.call("STOP", "c2", 60).figure == "0.3"
    # Two calls at a time share what another bundle has.
    api.post("/v1/parties/ann/bundles", {"id": "uk2", "seconds": 600, "countries": ["GB"]}).expect(201)
    for line, session in (("ann-1", "p1"), ("ann-2", "p2")):
        assert daemon.resp.call("AUTHORIZE", line, NUMBER, session, "WANT", 420).figure == "420"
    costs = [micros(daemon.resp.call("STOP", session, 420).figure) for session in ("p1", "p2")]
    # 840 s, 600 of them free: 240 s are 4 minutes.
    assert sum(costs) == micros("1.2"), costs
    assert api.get("/v1/parties/ann/bundles")["bundles"][0]["available"] == 0


@row("VF15")
def plan_view(daemon, api):
    """What a customer has, what each of it costs, and the monthly charge, which is the sum of the lines."""
    voifinity(daemon, api)
    customers(api, "ann")
    api.post("/v1/packages", {"id": "basic", "name": "Basic", "price": "7", "setup": "3"}).expect(201)
    api.post("/v1/packages", {"id": "device", "name": "Device", "price": "99", "period": "once"}).expect(201)
    for package, price in (("basic", "8"), ("device", "100")):
        api.put(f"/v1/parties/reseller/offers/{package}", {"price": price}).expect(201)
    assert api.get("/v1/parties/ann/plan")["monthly_charge"] == "0"
    plan(api, "ann", users=3, cost_per_user="12.5")
    api.post("/v1/numbers/4930111:assign", {"customer": "ann"}, key=True).expect(201)
    api.post("/v1/numbers/4930113:assign", {"customer": "ann"}, key=True).expect(201)
    activate(api, "ann", "basic")
    activate(api, "ann", "device")
    shown = api.get("/v1/parties/ann/plan").expect(200)
    lines = {line["kind"]: (line["count"], line["price"], line["charge"]) for line in shown["lines"]}
    # What is paid once is no monthly charge.
    assert lines == {"plan": (3, "12.5", "37.5"), "number": (1, "5", "5"), "package": (1, "8", "8")}, lines
    assert shown["monthly_charge"] == "50.5"
    assert micros(shown["monthly_charge"]) == sum(micros(line["charge"]) for line in shown["lines"])
    # 37.5 for users, 5 and 1 for numbers, 8 + 3 and 100 for packages.
    assert api.balance("ann") == "845.5"
    subscription = next(row for row in api.get("/v1/parties/ann/subscriptions")["subscriptions"]
                        if row["package"] == "basic")
    assert api.delete(f"/v1/subscriptions/{subscription['id']}").expect(200)["state"] == "cancelled"
    assert api.get("/v1/parties/ann/plan")["monthly_charge"] == "42.5"
