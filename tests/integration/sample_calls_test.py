#!/usr/bin/env python3
"""Thousands of calls on a deck of thousands of real prefixes cost what an independent rater says.

Goal: prefix, billed seconds and cost of every call are right, and a number without a price gets no call.
Method: every call is authorised at its start time and stopped with its duration, on a line of its account,
through the running daemon; calls that nobody answered end with STOP 0 and RELEASE by turns. The figures to
compare with were worked out elsewhere: a file of 10,000 of them, and an exact, slow rater for 5,000 more calls
of another seed on another deck.
"""

import csv
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from daemon import Daemon  # noqa: E402
from runner import DATA, main, needs_data  # noqa: E402
from wire import MICROS, micros  # noqa: E402


def run_calls(daemon, calls):
    """What became of every call: {call_id: (prefix, billed seconds or None, charge or None)}."""
    accounts = sorted({call["account_id"] for call in calls})
    parties = [{"id": "provider", "kind": "provider", "currency": "EUR"}]
    for account in accounts:
        parties.append({"id": account, "kind": "customer", "parent": "provider", "tariff": "deck"})
        parties.append({"id": f"{account}-line", "kind": "line", "parent": account})
    daemon.parties(parties)
    daemon.topups({account: 1_000_000 * MICROS for account in accounts})

    commands = []
    for number, call in enumerate(calls):
        seconds = int(call["duration_seconds"]) if call["answered"] == "1" else 0
        commands.append(("AUTHORIZE", f"{call['account_id']}-line", call["destination"], call["call_id"],
                         "WANT", max(seconds, 1), "AT", call["start_time"], "EXPLAIN"))
        if call["answered"] == "0" and number % 2 == 0:
            commands.append(("RELEASE", call["call_id"]))
        else:
            commands.append(("STOP", call["call_id"], seconds))
    begun = time.monotonic()
    answers = daemon.resp.pipeline(commands)
    print(f"{len(calls)} calls in {time.monotonic() - begun:.1f} s", flush=True)

    outcome = {}
    for call, opened, ended in zip(calls, answers[0::2], answers[1::2]):
        assert isinstance(opened, list) and isinstance(ended, list), (call, opened, ended)
        prefix = opened.levels()[0]["prefix"]
        if opened.code == "RATING_FAILED":
            assert opened["reason"] == "prefix" and ended.code == "UNKNOWN_SESSION", (call, opened, ended)
            outcome[call["call_id"]] = (prefix, None, None)
            continue
        assert opened.code in ("OK", "FREE") and ended.code == "OK", (call, opened, ended)
        billed = 0 if len(ended) == 4 else int(ended["billed"])  # A RELEASE says nothing of seconds.
        outcome[call["call_id"]] = (prefix, billed, micros(ended.figure))
    return outcome


class SampleCalls(unittest.TestCase):
    def check(self, deck, calls, expected):
        """`expected`: {call_id: (prefix, billed seconds or None where nobody says, micro-units or None)}."""
        with Daemon() as daemon:
            daemon.tariff("deck", {}, deck)
            outcome = run_calls(daemon, calls)
            self.assertEqual(len(calls), len(expected))
            differing = [(call, outcome[call], wanted) for call, wanted in expected.items()
                         if outcome[call] != (wanted[0], outcome[call][1] if wanted[1] is None else wanted[1],
                                              wanted[2])]
            self.assertEqual(len(differing), 0, f"call, got, expected: {differing[:10]}")
            spent = sum(charge or 0 for _, _, charge in outcome.values())
            book = daemon.books()["EUR"]
            self.assertEqual(book["revenue"], spent)
            daemon.assert_settled()

    @needs_data("sample_deck.csv", "sample_calls.csv", "expected_10k.csv")
    def test_ten_thousand_calls_cost_what_is_expected(self):
        with open(DATA / "sample_calls.csv", encoding="utf-8", newline="") as file:
            calls = list(csv.DictReader(file))
        expected = {}
        with open(DATA / "expected_10k.csv", encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                rated = row["matched_prefix"] != ""
                expected[row["call_id"]] = (row["matched_prefix"],
                                            int(row["billed_seconds"]) if rated else None,
                                            int(row["cost_micro"]) if rated else None)
        self.assertEqual(len(calls), 10_000)
        self.check((DATA / "sample_deck.csv").read_bytes(), calls, expected)

    @needs_data("make_deck.py", "make_calls.py", "reference_rater.py", "prefixes.csv.gz", "number_lengths.csv")
    def test_other_calls_on_another_deck_cost_what_the_reference_says(self):
        with tempfile.TemporaryDirectory() as folder:
            def made_by(script, *arguments):
                file = Path(folder) / f"{script}.csv"
                with open(file, "wb") as out:
                    subprocess.run([sys.executable, str(DATA / script), *arguments], check=True, stdout=out)
                return file

            deck = made_by("make_deck.py", "--rows", "3000", "--tariff", "wholesale")
            calls_file = made_by("make_calls.py", "-n", "5000", "--seed", "20260302")
            rated = made_by("reference_rater.py", "rate", str(deck), str(calls_file))
            with open(calls_file, encoding="utf-8", newline="") as file:
                calls = list(csv.DictReader(file))
            expected = {}
            with open(rated, encoding="utf-8", newline="") as file:
                for row in csv.DictReader(file):
                    cost = micros(row["cost"]) if row["matched_prefix"] else None
                    expected[row["call_id"]] = (row["matched_prefix"], None, cost)
            self.check(deck.read_bytes(), calls, expected)


if __name__ == "__main__":
    main()
