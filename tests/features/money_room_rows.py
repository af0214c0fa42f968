"""Money: what nobody gets by an order of things that nobody thought of."""

from run import row

from money_rows import GATEWAY, callback, postings, provider, transactions
from products_rows import activate, balances, voifinity


@row("money_by_force")
def by_force(daemon, api):
    """Beyond what is available only administrators take."""
    provider(api)
    api.party("ann", "root", "customer")
    api.topup("ann", "5")
    root = api.person("boss", "root", "admin")
    fin = root.person("fin", "root", "finance")
    for path, amount in (("debits", "6"), ("adjustments", "-6")):
        fin.post(f"/v1/parties/ann/{path}", {"amount": amount, "force": True}, key=True).expect(403)
        fin.post(f"/v1/parties/ann/{path}", {"amount": amount, "force": False}, key=True).expect(402)
    fin.post("/v1/parties/ann/debits", {"amount": "2"}, key=True).expect(201)
    assert root.balance("ann") == "3"
    root.post("/v1/parties/ann/debits", {"amount": "6", "force": True}, key=True).expect(201)
    assert root.balance("ann") == "-3"


@row("money_back_from_above")
def back_from_above(daemon, api):
    """A reseller refunds what those below him paid him, and not what he paid those above in the same sale."""
    provider(api)
    api.post("/v1/packages", {"id": "basic", "name": "Basic", "price": "60"}).expect(201)
    api.party("shop", "root", "reseller")
    api.put("/v1/parties/shop/offers/basic", {"price": "80"}).expect(201)
    api.party("ann", "shop", "customer")
    api.topup("shop", "100")
    api.topup("ann", "100")
    root = api.person("boss", "root", "admin")
    sam = root.person("sam", "shop", "admin")
    sold = activate(root, "ann", "basic")
    assert balances(root, "ann", "shop") == ["20", "40"]
    refused = sam.post("/v1/parties/ann/refunds", {"of": sold["txn"]}, key=True)
    assert refused.status in (403, 404, 409), refused.text
    assert balances(root, "ann", "shop") == ["20", "40"]
    root.post("/v1/parties/ann/refunds", {"of": sold["txn"]}, key=True).expect(201)
    assert balances(root, "ann", "shop") == ["100", "100"]
    # What he gave himself he takes back.
    given = sam.post("/v1/parties/ann/topups", {"amount": "7"}, key=True).expect(201)
    sam.post("/v1/parties/ann/refunds", {"of": given["txn"]}, key=True).expect(201)
    assert root.balance("ann") == "100"


@row("money_of_an_agent", GATEWAY)
def of_an_agent(daemon, api):
    """An order paid online through an agent below a margin reseller: 150 come in, 100 are the provider's, 20 % of 150
    the agent's, and the 20 that are left his reseller's."""
    provider(api)
    api.post("/v1/packages", {"id": "basic", "name": "Basic", "price": "100"}).expect(201)
    api.party("margin", "root", "reseller")
    api.put("/v1/parties/margin/offers/basic", {"price": "150"}).expect(201)
    api.party("agent", "margin", "reseller", terms="commission", sales_commission="20")
    api.put("/v1/parties/agent/offers/basic", {}).expect(201)
    api.party("eve", "agent", "customer")
    order = api.post("/v1/parties/eve/payment-intents", {"purpose": "order", "package": "basic"}, key=True).expect(201)
    assert order["amount"] == "150"
    notice = {"intent": order["id"], "reference": "g-1", "state": "paid", "amount": "150", "currency": "EUR"}
    for duplicate in (False, True):
        assert callback(api, **notice).expect(200)["dup"] is duplicate
    assert balances(api, "eve", "agent", "margin") == ["0", "30", "20"]
    sold, = transactions(api, "eve")
    assert sorted(postings(api, sold["txn"])) == sorted([
        ("root", "cash", "-150"), ("root", "revenue", "100"), ("agent", "balance", "30"),
        ("margin", "balance", "20"), ("eve", "balance", "0")]), postings(api, sold["txn"])
    assert len(api.get("/v1/parties/eve/subscriptions")["subscriptions"]) == 1


@row("money_of_another_currency")
def of_another_currency(daemon, api):
    """Nobody earns, and no number is sold, in a currency that is not his."""
    voifinity(daemon, api)
    api.post("/v1/packages", {"id": "basic", "name": "Basic", "price": "100"}).expect(201)
    # What is sold in euros is not offered to an agent in dollars, so nobody below him buys it through him.
    api.party("above", "root", "reseller", terms="commission", sales_commission="10")
    api.put("/v1/parties/above/offers/basic", {}).expect(201)
    api.party("yank", "above", "reseller", terms="commission", sales_commission="10", currency="USD")
    api.put("/v1/parties/yank/offers/basic", {}).expect(404)
    api.party("eve", "yank", "customer", currency="EUR")
    api.topup("eve", "100")
    activate(api, "eve", "basic", 422)
    assert balances(api, "eve", "above", "yank") == ["100", "0", "0"]
    # A number of a pool in euros is not for somebody in dollars.
    api.party("joe", "reseller", "customer", currency="USD")
    api.topup("joe", "100")
    api.post("/v1/numbers/4930111:assign", {"customer": "joe"}, key=True).expect(409)
    assert api.get("/v1/numbers/4930111")["customer"] is None and api.balance("joe") == "100"
    assert all(book["sum"] == 0 for book in daemon.books().values()), daemon.books()
