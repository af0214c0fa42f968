"""Rows that are about e-mail: what is told, to whom, and once."""

from concurrent.futures import ThreadPoolExecutor

from api import Api
from run import row


def mails(api, query=""):
    return api.rows(f"/v1/outbox{query}", "mails")


def debit(api, party, amount, times, threads=1):
    """`times` postings of `amount`, by so many at once."""
    with ThreadPoolExecutor(threads) as pool:
        apis = [api] + [Api(api.daemon) for _ in range(threads - 1)]

        def post(number):
            # A connection for each thread that runs at this moment.
            mine = apis.pop()
            try:
                mine.post(f"/v1/parties/{party}/debits", {"amount": amount}, key=True).expect(201)
            finally:
                apis.append(mine)
            return number
        assert len(list(pool.map(post, range(times)))) == times


def make_distributor(api, party, **fields):
    return api.party(party, "root", "distributor", currency="EUR", credit_limit="1000", warn_percent="90", **fields)


@row("PB14")
def notification_by_email(daemon, api):
    """Exactly one outbox row under 100 concurrent postings that cross a threshold: limit 1000, warned at 90 %."""
    api.party("root", None, "provider", currency="EUR")
    make_distributor(api, "dist", name="Dorn & Söhne", accounting_email="books@example.test")
    debit(api, "dist", "10", 90, threads=10)
    assert api.balance("dist") == "-900"
    assert mails(api) == []  # 900.00 is not more than 90 % of 1000.

    # 100 at once, of which exactly one moves what is owed from 900.00 to beyond it.
    debit(api, "dist", "0.01", 100, threads=50)
    assert api.balance("dist") == "-901"
    [mail] = mails(api)
    assert mail["party"] == "dist" and mail["reason"] == "threshold" and mail["to"] == "books@example.test", mail
    assert mail["state"] == "waiting" and mail["attempts"] == 0 and mail["sent"] is None, mail
    assert mail["subject"] == "dist: more than 90 % of the credit limit is owed", mail
    assert "Dorn & Söhne" in mail["text"] and "Owed:          900.01 EUR" in mail["text"], mail
    [event] = api.get("/v1/threshold-events").expect(200)["events"]
    assert (event["party"], event["threshold"], event["owed"]) == ("dist", "percent", "900.01"), event

    # Armed again once it has fallen back, and not before.
    debit(api, "dist", "50", 1)
    assert len(mails(api)) == 1
    api.topup("dist", "500")
    assert len(mails(api)) == 1
    debit(api, "dist", "10", 50, threads=50)  # 451 + 500 = 951.
    assert api.balance("dist") == "-951"
    assert len(mails(api)) == 2

    # Whoever has no address gets an event and no mail; `email` is good where there is no `accounting_email`.
    make_distributor(api, "silent")
    make_distributor(api, "plain", email="plain@example.test")
    for party in ("silent", "plain"):
        debit(api, party, "901", 1)
    assert [mail["to"] for mail in mails(api)] == ["plain@example.test", "books@example.test", "books@example.test"]
    assert len(api.get("/v1/threshold-events").expect(200)["events"]) == 4

    # The list's own filters; what they do not know is refused.
    assert len(mails(api, "?party=dist&state=waiting&reason=threshold&limit=1")) == 2
    assert mails(api, "?party=silent") == [] and mails(api, "?state=sent") == []
    assert api.get("/v1/outbox?state=gone").fields() == {"state"}
    api.get("/v1/outbox?colour=red").expect(400, 422)


@row("mail_scopes")
def nobody_sees_what_others_are_told(daemon, api):
    """Mails, events and open calls are shown to whoever has the party in his subtree, and to nobody else."""
    api.party("root", None, "provider", currency="EUR")
    daemon.tariff("retail", {}, "prefix,rate_per_minute\n44,0.6\n")
    for name in ("one", "two"):
        api.party(name, "root", "reseller", currency="EUR", credit_limit="1000", warn_percent="90", terms="margin",
                  tariff="retail", email=f"{name}@example.test")
        debit(api, name, "901", 1)
    admin = api.person("boss", "root", "admin")
    ann = admin.person("ann", "one", "admin")
    eve = admin.person("eve", "two", "viewer")

    assert {mail["party"] for mail in mails(admin)} == {"one", "two"}
    assert {mail["party"] for mail in mails(ann)} == {"one"}
    assert ann.get("/v1/outbox?party=two").status == 404
    assert eve.get("/v1/outbox").status == 403  # Whoever looks after nobody sees no mail.
    for who, own in ((ann, "one"), (eve, "two")):
        crossed = who.get("/v1/threshold-events").expect(200)["events"]
        assert [event["party"] for event in crossed] == [own], crossed
        told = who.get("/v1/events").expect(200)
        assert {event["party"] for event in told["events"]} == {own}, told.json
        assert {event["kind"] for event in told["events"]} >= {"threshold", "money"}, told.json
        # Everything there is has been told: after it comes nothing, and what is new comes once.
        assert who.get(f"/v1/events?after={told['next']}").expect(200)["events"] == []
        assert who.get("/v1/events?after=latest").expect(200)["next"] == told["next"]
    before = ann.get("/v1/events?after=latest").expect(200)["next"]
    admin.topup("two", "1")
    admin.topup("one", "2")
    told = ann.get(f"/v1/events?after={before}").expect(200)["events"]
    assert {event["party"] for event in told} == {"one"}, told
    assert [event["text"] for event in told if event["kind"] == "money"] == ["topup 2 EUR: balance -899"], told
    assert [event["text"] for event in told if event["kind"] == "change"] == ["topUpParty /v1/parties/one/topups"]
    # One at a time is the same as all at once.
    everything = admin.get("/v1/events").expect(200)["events"]
    piecewise, after = [], "0.0.0"
    while page := admin.get(f"/v1/events?limit=1&after={after}").expect(200)["events"]:
        piecewise += page
        after = page[0]["number"]
    assert piecewise == everything
    assert admin.get("/v1/events?after=yesterday").fields() == {"after"}


@row("open_calls")
def open_calls(daemon, api):
    """GET /v1/sessions: every open call of the own subtree, each on exactly one page."""
    api.party("root", None, "provider", currency="EUR")
    daemon.tariff("retail", {}, "prefix,rate_per_minute\n44,0.6\n")
    for name in ("one", "two"):
        api.party(name, "root", "customer", currency="EUR", tariff="retail")
        api.party(f"line-{name}", name, "line")
        api.topup(name, "100")
    for i in range(25):
        name = "one" if i < 20 else "two"
        answer = daemon.resp.call("AUTHORIZE", f"line-{name}", "4420123", f"call-{i}", "WANT", "60")
        assert answer[0] == "OK", answer
    daemon.resp.call("START", "call-0")
    admin = api.person("boss", "root", "admin")
    ann = admin.person("ann", "one", "viewer")
    assert len(admin.rows("/v1/sessions?limit=7", "sessions")) == 25
    calls = ann.rows("/v1/sessions?limit=7", "sessions")
    assert {call["id"] for call in calls} == {f"call-{i}" for i in range(20)} and len(calls) == 20, calls
    assert [call["id"] for call in calls if call["state"] == "answered"] == ["call-0"]
    assert all(call["line"] == "line-one" and call["granted"] == 60 and call["charged"] == "0" for call in calls)
    assert len(admin.rows("/v1/sessions?party=two", "sessions")) == 5
    for other in ("two", "nobody"):
        assert ann.get(f"/v1/sessions?party={other}").status == 404
    assert ann.get("/v1/sessions?cursor=x").fields() == {"cursor"}
    for i in range(25):
        daemon.resp.call("RELEASE" if i else "STOP", f"call-{i}", *([] if i else ["0"]))
    assert admin.rows("/v1/sessions", "sessions") == []
