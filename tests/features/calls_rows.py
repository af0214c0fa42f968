"""Rows about what others than those who pay have of a call."""

import signal

from api import Api
from run import row

NUMBER = "4930123456"


def house(daemon, api):
    """root sells through top and, below him, sub, who both earn commission, to bob: 0.60 a minute."""
    api.party("root", None, "provider", currency="EUR")
    daemon.tariff("retail", {}, "prefix,rate_per_minute\n49,0.60\n")
    api.party("top", "root", "reseller", terms="commission")
    api.party("sub", "top", "reseller", terms="commission")
    api.party("bob", "sub", "customer", tariff="retail")
    api.party("bob-1", "bob", "line")
    api.topup("bob", "10")


def call(daemon, session, used):
    """The record of a call of so many seconds."""
    granted = daemon.resp.call("AUTHORIZE", "bob-1", NUMBER, session, "WANT", 300, "AT", "2026-03-02T10:00:00Z")
    assert granted.code == "OK", granted
    stopped = daemon.resp.call("STOP", session, used)
    assert stopped.code == "OK", stopped
    return stopped["record"]


@row("CC1")
def commission_on_calls(daemon, api):
    """Commission resellers earn at STOP a percentage of the customer's leg, out of the next level's revenue."""
    house(daemon, api)

    def revenue():
        return daemon.books()["EUR"]["revenue"]

    def balances():
        return [api.balance(party) for party in ("bob", "top", "sub")]

    # Nobody earns who has agreed on nothing, nor while the call lasts.
    call(daemon, "none", 60)
    assert balances() == ["9.4", "0", "0"] and revenue() == 600_000, (balances(), revenue())
    api.patch("/v1/parties/top", {"calls_commission": "10"}).expect(200)
    daemon.resp.call("AUTHORIZE", "bob-1", NUMBER, "ten", "WANT", 300, "AT", "2026-03-02T10:00:00Z")
    daemon.resp.call("EXTEND", "ten", "USED", 60)
    assert balances() == ["8.8", "0", "0"], balances()
    daemon.resp.call("STOP", "ten", 60)
    assert balances() == ["8.8", "0.06", "0"] and revenue() == 1_140_000, (balances(), revenue())

    # Two of them: a cascade, unless the seller splits per level.
    api.patch("/v1/parties/sub", {"calls_commission": "10"}).expect(200)
    record = call(daemon, "cascade", 60)
    assert balances() == ["8.2", "0.114", "0.006"] and revenue() == 1_680_000, (balances(), revenue())
    api.patch("/v1/parties/root", {"commission_split": "per_level"}).expect(200)
    call(daemon, "per-level", 60)
    assert balances() == ["7.6", "0.114", "0.066"], balances()

    # A refund takes the commission back too: a third of 0.054 and of 0.006.
    daemon.resp.call("REFUND", record, "refund-1", "AMOUNT", "0.2")
    assert balances() == ["7.8", "0.096", "0.064"] and revenue() == 2_040_000, (balances(), revenue())

    # What was earned is there after a crash, and what was agreed on is in force.
    daemon.process.send_signal(signal.SIGKILL)
    daemon.process.wait()
    daemon.launch()
    daemon.wait_until_it_serves()
    api = Api(daemon)
    assert balances() == ["7.8", "0.096", "0.064"] and revenue() == 2_040_000, (balances(), revenue())
    call(daemon, "after", 60)
    assert balances() == ["7.2", "0.096", "0.124"], balances()
