"""What nobody is told: of those above him, beside him and elsewhere."""

from access_rows import house
from run import row


def audit_tells_nothing_from_above(root):
    nora = root.person("nora", "north", "admin")
    ned = root.person("ned", "nina", "admin")
    root.topup("north", "50")
    nora.patch("/v1/parties/nina", {"comment": "bad payer", "name": "Nina"}).expect(200)
    nora.post("/v1/parties/nina/topups", {"amount": "5", "memo": "as agreed"}, key=True).expect(201)
    nora.post("/v1/parties/nina/transfers", {"amount": "1", "target": "south", "memo": "m"}, key=True).expect(201, 422)
    # What those above did with a customer is theirs.
    assert {one["actor"] for one in ned.rows("/v1/audit?party=nina", "entries")} <= {"ned"}
    for reader, sees in ((nora, True), (root, True)):
        entries = reader.rows("/v1/audit?party=nina", "entries")
        changed = next(one for one in entries if one["operation"] == "changeParty")
        topped = next(one for one in entries if one["operation"] == "topUpParty")
        assert changed["after"]["name"] == "Nina" and topped["after"]["amount"] == "5", entries
        assert changed["after"].get("comment") == ("bad payer" if sees else None), changed
        assert ("comment" in changed["before"]) == sees, changed
        assert topped["after"].get("memo") == ("as agreed" if sees else None), topped
        told = [one for one in entries if "target" in (one["after"] or {})]
        assert sees or not told, told
    # What names no field was nothing before either.
    ned.patch("/v1/parties/nina", {}).expect(200)
    empty = ned.get("/v1/audit?actor=ned&operation=changeParty").json["entries"][0]
    assert not empty["before"] and "bad payer" not in str(ned.get("/v1/audit").json), empty
    return nora, ned


def partners_search_by_nothing_hidden(root):
    fin = root.person("fin", "finder", "admin")
    for query in ("sort=-balance", "sort=balance", "billing=prepaid", "class=gold"):
        fin.get(f"/v1/parties?{query}").expect(403)
        root.get(f"/v1/parties?{query}").expect(200)
    fin.get("/v1/parties?sort=-name").expect(200)


def distributors_see_no_balance_of_the_assigned(root):
    dan = root.person("dan", "dist", "admin")
    root.post("/v1/parties/dave/distributor", {"distributor": "dist"}, key=True).expect(200, 201)
    root.topup("dave", "7")
    paid = dan.post("/v1/parties/dave/payments", {"amount": "0.000001"}, key="small").expect(201).json
    assert "balance" not in paid and "available" not in paid and paid["collected_by"] == "dist", paid
    again = dan.post("/v1/parties/dave/payments", {"amount": "0.000001"}, key="small").expect(201).json
    assert again["dup"] and "balance" not in again, again
    of_all = dan.post("/v1/payments", {"party": "dave", "amount": "1"}, key=True).expect(201).json
    assert "balance" not in of_all, of_all
    assert dan.post("/v1/parties/dora/payments", {"amount": "1"}, key=True).expect(201)["balance"] == "1"
    assert root.post("/v1/parties/dave/payments", {"amount": "1"}, key=True).expect(201)["balance"] == "9.000001"


def what_is_elsewhere_is_not_there(root, nora):
    eve = root.person("eve", "east", "admin")
    eve.put("/v1/tariffs/easts", {"currency": "EUR", "owner": "east"}).expect(201)
    eve.patch("/v1/parties/ed", {"tariff": "easts"}).expect(200)

    def told(answer, name):
        return answer.expect(422).text.replace(name, "X")

    def of_tariff(name):
        return told(nora.patch("/v1/parties/nina", {"tariff": name}), name)

    def of_item(name):
        return told(nora.put("/v1/catalogues/norths", {"items": [{"package": name}]}), name)

    def of_activation(name):
        return told(nora.post("/v1/parties/nina/subscriptions", {"package": name}, key=True), name)

    eve.post("/v1/packages", {"id": "eastpack", "name": "East", "price": "1"}).expect(201)
    nora.post("/v1/packages", {"id": "northpack", "name": "North", "price": "1"}).expect(201)
    for words, there in ((of_tariff, "easts"), (of_item, "eastpack"), (of_activation, "eastpack")):
        assert words(there) == words("not-there"), words(there)
    nora.put("/v1/catalogues/norths", {"items": [{"package": "northpack"}]}).expect(201)
    nora.post("/v1/parties/nina/subscriptions", {"package": "northpack"}, key=True).expect(201)


def versions_say_who(root, nora):
    nora.put("/v1/tariffs/norths", {"currency": "EUR", "owner": "north"}).expect(201)
    deck = "prefix,rate_per_minute\n49,{}\n"
    nora.put("/v1/tariffs/norths/deck", deck.format("0.1"), Content_Type="text/csv").expect(200)
    root.put("/v1/tariffs/norths/deck", deck.format("0.2"), Content_Type="text/csv").expect(200)
    nora.post("/v1/tariffs/norths/deck:rollback", {"version": 2}).expect(200)
    versions = root.get("/v1/tariffs/norths/versions").json["versions"]
    assert [one["who"] for one in versions] == ["nora", "root", "nora", "nora"], versions
    # Before anybody was declared.
    assert {one["who"] for one in root.get("/v1/tariffs/retail/versions").json["versions"]} == {"admin"}


@row("leaks")
def nobody_is_told(daemon, api):
    """Audit, searches, receipts and messages tell nobody what he may not see; versions of decks say whose they are."""
    root = house(api)
    nora, _ = audit_tells_nothing_from_above(root)
    partners_search_by_nothing_hidden(root)
    distributors_see_no_balance_of_the_assigned(root)
    what_is_elsewhere_is_not_there(root, nora)
    versions_say_who(root, nora)
