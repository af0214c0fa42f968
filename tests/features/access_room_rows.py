"""Access: what lies in somebody's room, and is not his to say or to read all the same."""

from api import PASSWORD
from run import row

from access_rows import FORM, house


@row("room_of_the_provider")
def nobody_above(daemon, api):
    """Nobody locks the provider out, not even its own people; an import, which may say everything, and closing those
    who sell need what saying it one by one needs."""
    root = house(api)
    oz = root.person("oz", "provider", "operator")
    for who in (root, oz):
        for field, value in (("status", "admin"), ("permissions", ["view"]), ("suspended_calls", "keep")):
            who.patch("/v1/parties/provider", {field: value}).expect(403)
        who.patch("/v1/parties/provider", {"phone": "+49 30 1"}).expect(200)
    oz.patch("/v1/parties/provider", {"max_calls": 0}).expect(403)
    root.patch("/v1/parties/provider", {"max_calls": 100}).expect(200)
    line = '{"id":"imp","kind":"customer","parent":"provider","credit_limit":"1000"}'
    oz.post("/v1/parties:import", line, Content_Type="application/x-ndjson").expect(403)
    root.post("/v1/people", {"login": "rob", "party": "provider", "role": "admin", "password": PASSWORD,
                             "permissions": ["view", "customers", "resellers", "people"]}).expect(201)
    api.log_in("rob").post("/v1/parties:import", line, Content_Type="application/x-ndjson").expect(403)
    root.post("/v1/parties:import", line, Content_Type="application/x-ndjson").expect(200)
    oz.delete("/v1/parties/east").expect(403)
    oz.post("/v1/parties:close", {"ids": ["east"]}).expect(403)
    oz.delete("/v1/parties/imp").expect(200)
    root.delete("/v1/parties/east").expect(200)
    # Names that stand in the audit log for who is nobody.
    for login in ("console", "gateway", "gateway.x"):
        made = root.post("/v1/people", {"login": login, "party": "north", "role": "viewer", "password": PASSWORD})
        assert made.fields() == {"login"}, made.json
    root.person("consoles", "north", "viewer")


@row("room_of_a_narrowed")
def not_given_back(daemon, api):
    """Permissions that somebody took away are given back only by who has them all; of none is all."""
    root = house(api)
    nora = root.person("nora", "north", "admin")
    root.patch("/v1/parties/south", {"permissions": ["view"]}).expect(200)
    root.post("/v1/people", {"login": "ned", "party": "north", "role": "admin", "password": PASSWORD,
                             "permissions": ["view", "customers", "people", "resellers"]}).expect(201)
    ned = api.log_in("ned")
    for every in (None, []):
        ned.patch("/v1/parties/south", {"permissions": every}).expect(403)
    ned.patch("/v1/parties/south", {"permissions": ["view", "customers"]}).expect(200)
    root.patch("/v1/parties/north", {"permissions": ["view", "customers", "people", "resellers"]}).expect(200)
    for every in (None, []):
        nora.patch("/v1/parties/south", {"permissions": every}).expect(403)
    root.patch("/v1/parties/north", {"permissions": None}).expect(200)
    nora.patch("/v1/parties/south", {"permissions": None}).expect(200)
    # By the way of a draft neither permissions nor prices.
    oz = root.person("oz", "north", "operator")
    for field, value in (("max_price", "1"), ("permissions", None)):
        oz.post("/v1/account-drafts", {"lines": [{"id": "x-desk"}, {"id": "y-desk", field: value}]}).expect(403)
    oz.post("/v1/account-drafts", {"lines": [{"id": "x-desk"}]}).expect(201)
    nora.post("/v1/account-drafts", {"lines": [{"id": "x-desk", "max_price": "1"}]}).expect(201)


@row("room_of_a_distributor")
def what_the_form_fixed(daemon, api):
    """A distributor says who his customers are; what the form fixed he does not change, nor does he read the balance
    of somebody who was assigned to him off what he records."""
    root = house(api)
    root.put("/v1/quick-forms/prepaid", FORM).expect(201)
    dan = root.person("dan", "dist", "admin")
    sold = dan.post("/v1/quick-forms/prepaid:submit", {"values": {"name": "Kim", "line": "4930777"}}, key=True)
    kim = sold.expect(201)["account"]["customer"]["id"]
    for party, field, value in ((kim, "credit_limit", "5"), (kim, "tariff", "wholesale"), (kim, "max_price", "9"),
                                (kim, "opened_countries", ["DE"]), (kim, "status", "active"),
                                ("4930777", "max_calls", 9)):
        dan.patch(f"/v1/parties/{party}", {field: value}).expect(403)
        dan.patch(f"/v1/parties/{party}", {"name": "Kim", field: value}).expect(403)
    dan.patch(f"/v1/parties/{kim}", {"name": "Kim K", "email": "kim@kim.example"}).expect(200)
    root.patch("/v1/parties/4930777", {"max_calls": 9}).expect(200)
    root.post("/v1/parties/dave/distributor", {"distributor": "dist"}, key=True).expect(201)
    for path, body in (("/v1/parties/dave/payments", {}), ("/v1/payments", {"party": "dave"})):
        told = dan.post(path, {"amount": "0.5", **body}, key=True).expect(201).json
        assert "balance" not in told and "available" not in told and told["collected_by"] == "dist", told
    told = dan.post("/v1/parties/dora/payments", {"amount": "0.5"}, key=True).expect(201)
    assert told["balance"] == "0.5", told.json
    assert root.post("/v1/parties/dave/payments", {"amount": "1"}, key=True).expect(201)["balance"] == "2"


@row("room_of_a_customer")
def not_lifted(daemon, api):
    """A customer takes away neither why his line is suspended nor what limits it; a reseller does, and a distributor's
    or a viewer's way there is closed. In the audit log he reads what his own people did."""
    root = house(api)
    nan, nora = root.person("nan", "nina", "admin"), root.person("nora", "north", "admin")
    nora.patch("/v1/parties/nina-desk", {"status": "fraud", "max_calls": 1, "cap_day": "5"}).expect(200)
    for change in ({"status": "active"}, {"status": "admin"}, {"status": None}, {"status": []},
                   {"status": "fraud,limit"}, {"max_calls": 2}, {"max_calls": None}, {"cap_day": None},
                   {"cap_call": "9"}, {"max_price": None}, {"max_seconds": 9}, {"calls_per_second": 9},
                   {"tariff": "wholesale"}, {"opened_countries": ["DE"]}):
        nan.patch("/v1/parties/nina-desk", change).expect(403)
    nan.patch("/v1/parties/nina-desk", {"status": ["fraud", "admin"], "name": "Desk"}).expect(200)
    nan.patch("/v1/parties/nina-desk", {"status": "fraud"}).expect(200)
    nora.patch("/v1/parties/nina-desk", {"status": "active", "max_calls": 2}).expect(200)
    nan.patch("/v1/parties/nina-desk", {"status": "admin"}).expect(200)
    nan.patch("/v1/parties/nina-desk", {"status": "active"}).expect(200)
    # A reseller for a commission bears no loss.
    root.party("agent", "provider", "reseller", terms="commission", sales_commission="5")
    root.party("alma", "agent", "customer", tariff="retail")
    ag = root.person("ag", "agent", "admin")
    root.patch("/v1/parties/alma", {"status": "fraud"}).expect(200)
    ag.patch("/v1/parties/alma", {"status": "active"}).expect(403)
    ag.patch("/v1/parties/alma", {"status": "fraud,admin"}).expect(200)
    # The audit log.
    nora.patch("/v1/parties/nina", {"comment": "pays late"}).expect(200)
    nora.post("/v1/parties/nina/payments", {"amount": "5", "memo": "in an envelope"}, key=True).expect(201)
    root.patch("/v1/parties/north", {"comment": "watch him", "phone": "+49 30 2"}).expect(200)
    nan.patch("/v1/parties/nina-desk", {}).expect(200)
    seen = nan.rows("/v1/audit", "entries")
    assert seen and {entry["actor"] for entry in seen} == {"nan"}, seen
    empty = [entry for entry in seen if entry["after"] == {}]
    assert empty and not any(entry["before"] for entry in empty), empty
    told = nora.get("/v1/audit?operation=changeParty&party=north").expect(200)["entries"][0]
    assert told["after"] == {"phone": "+49 30 2"} and set(told["before"]) == {"phone"}, told
    memos = nora.get("/v1/audit?operation=recordPayment&party=nina").expect(200)["entries"]
    assert memos[0]["after"]["memo"] == "in an envelope", memos
    whole = root.get("/v1/audit?operation=changeParty&party=north").expect(200)["entries"][0]
    assert whole["after"]["comment"] == "watch him", whole


@row("room_of_a_partner")
def not_by_the_order(daemon, api):
    """What a partner does not read of his customers he neither sorts nor searches by."""
    root = house(api)
    root.topup("fred", "5")
    fin = root.person("fin", "finder", "admin")
    for query in ("sort=balance", "sort=-balance", "billing=prepaid", "class=any", "limit=1&sort=-balance"):
        fin.get(f"/v1/parties?{query}").expect(403)
        root.get(f"/v1/parties?{query}").expect(200)
    fin.get("/v1/parties?sort=-name").expect(200)
