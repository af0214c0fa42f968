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
    assert api.get("/v1/outbox?colour=red").fields() == {"colour"}
