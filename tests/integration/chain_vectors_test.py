#!/usr/bin/env python3
"""One call, and what every level of the chain above it pays.

Goal: customer, resellers and provider are each charged by their own tariff, exactly once, and the books balance.
Method: for each row a daemon with the row's chain, tariffs of 4 decimals half up (CH24: 6); one call of the row's
length; the charges are read as differences of the balances, the provider's own leg included. The customer of rows
with a package holds a bundle of as many seconds.
"""

import csv
import json
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from daemon import Daemon  # noqa: E402
from runner import DATA, main, needs_data  # noqa: E402
from wire import MICROS, micros  # noqa: E402

# What is left of the customer's package: enough, and one second.
BUNDLES = {"CH10": 120, "CH11": 1}
AT = "2026-03-02T12:00:00Z"
NUMBER = "442071234567"
FUNDS = 100_000 * MICROS


class Level:
    """One level of a row, from either of the two ways in which rows are written."""

    def __init__(self, source, name=None):
        self.name = name or str(source.get("lvl", source.get("id")))
        rate = source.get("rate", source.get("cost"))
        initial = source.get("init_s", source.get("init", 1))
        increment = source.get("inc_s", source.get("inc", 1))
        # Free below 6 s: 5 s is the longest call that costs nothing.
        grace = max(source.get("free_below_s", 0) - 1, 0)
        self.deck = ("prefix,rate_per_minute,connect_fee,initial_increment,increment,included_seconds,grace_seconds\n"
                     f"44,{rate},{source.get('connect', 0)},{initial},{increment},{source.get('incl', 0)},{grace}\n")


def chain_of(row):
    """The customer, the resellers upwards, and the provider's own level or None."""
    levels = [Level(level) for level in json.loads(row["levels_json"])]
    if row["termination_json"]:
        termination = json.loads(row["termination_json"])
        return levels, Level(termination, f"provider_{termination['id']}")
    if levels[-1].name == "provider":
        return levels[:-1], levels[-1]
    return levels, None


def charges_of(row):
    """Runs the row's call: what each level paid, in micro-units."""
    levels, provider = chain_of(row)
    root = provider.name if provider else "provider"
    settings = {"decimals": 6 if row["id"] == "CH24" else 4, "rounding": "half_up"}
    seconds = int(row["duration_s"])
    with Daemon() as daemon:
        for level in levels + ([provider] if provider else []):
            daemon.tariff(f"tariff-{level.name}", settings, level.deck)
        parties = [{"id": root, "kind": "provider", "currency": "EUR"}]
        if provider:
            parties[0]["tariff"] = f"tariff-{root}"
        for at, level in reversed(list(enumerate(levels))):
            parties.append({"id": level.name, "kind": "customer" if at == 0 else "reseller",
                            "parent": levels[at + 1].name if at + 1 < len(levels) else root,
                            "tariff": f"tariff-{level.name}"})
        parties.append({"id": "line", "kind": "line", "parent": levels[0].name})
        daemon.parties(parties)
        daemon.topups({level.name: FUNDS for level in levels})

        if row["id"] in BUNDLES:
            reply = daemon.http.request("POST", f"/v1/parties/{levels[0].name}/bundles",
                                        {"id": "package", "seconds": BUNDLES[row["id"]]})
            assert reply.status == 201, reply

        names = [level.name for level in levels] + ([root] if provider else [])
        before = {name: daemon.account(name)[0] for name in names}
        opened = daemon.resp.call("AUTHORIZE", "line", NUMBER, "call", "WANT", max(seconds, 60), "AT", AT)
        assert opened.code == "OK" and int(opened.figure) == max(seconds, 60), (row["id"], opened)
        stopped = daemon.resp.call("STOP", "call", seconds)
        assert stopped.code == "OK", (row["id"], stopped)
        charges = {name: before[name] - daemon.account(name)[0] for name in names}

        assert micros(stopped.figure) == charges[levels[0].name], (row["id"], stopped, charges)
        daemon.assert_settled()
        book = daemon.books()["EUR"]
        paid_to_sellers = sum(charges[level.name] for level in levels)
        assert book["revenue"] == paid_to_sellers, (row["id"], book, charges)
        assert book["termination"] == (charges[root] if provider else 0), (row["id"], book, charges)
        return charges


class ChainVectors(unittest.TestCase):
    @needs_data("vectors/chain.csv")
    def test_every_level_pays_what_the_row_says(self):
        with open(DATA / "vectors/chain.csv", encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        self.assertGreaterEqual(len(rows), 10)
        for row in rows:
            with self.subTest(row["id"], what=row["description"]):
                expected = json.loads(row["tollgate_expected_per_level_json"])
                # A profit is what a level gets less what it pays: no posting of its own.
                profits = {name: expected.pop(name) for name in list(expected) if name.endswith("_profit")}
                charges = charges_of(row)
                self.assertEqual(charges, {name: micros(amount) for name, amount in expected.items()})
                got = list(charges.values())
                kept = [below - above for below, above in zip(got, got[1:])]
                self.assertEqual(kept[:len(profits)], [micros(profit) for profit in profits.values()])


if __name__ == "__main__":
    main()
