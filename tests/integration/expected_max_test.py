#!/usr/bin/env python3
"""A grant is the longest call that the money at hand pays for, to the second.

Goal: for 1,941 prefixes of a real deck, each with a balance, AUTHORIZE grants exactly the longest affordable time.
Method: every row has a customer of its own, who is topped up by the row's balance and asks for 2,000,000 s at
2026-03-02T00:00:00Z. The row's -1 means that no duration costs more than the balance: all that was asked for is
granted. A time of 0, or one that lies within the row's grace and would buy no paid second, is CREDIT_LIMIT.
"""

import csv
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from daemon import Daemon  # noqa: E402
from decks import Deck  # noqa: E402
from runner import DATA, main, needs_data  # noqa: E402
from wire import micros  # noqa: E402

AT = "2026-03-02T00:00:00Z"
WANT = 2_000_000


class ExpectedMax(unittest.TestCase):
    @needs_data("sample_deck.csv", "expected_max_2k.csv")
    def test_every_row_is_granted_what_its_balance_pays_for(self):
        deck_text = (DATA / "sample_deck.csv").read_text(encoding="utf-8")
        deck = Deck(deck_text)
        with open(DATA / "expected_max_2k.csv", encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        self.assertGreater(len(rows), 1_900)

        with Daemon("session.longest=600h") as daemon:
            daemon.tariff("deck", {}, deck_text)
            parties = [{"id": "provider", "kind": "provider", "currency": "EUR"}]
            for at in range(len(rows)):
                parties.append({"id": f"c{at}", "kind": "customer", "parent": "provider", "tariff": "deck"})
                parties.append({"id": f"l{at}", "kind": "line", "parent": f"c{at}"})
            daemon.parties(parties)
            daemon.topups({f"c{at}": int(row["balance_micro"]) for at, row in enumerate(rows)
                           if row["balance_micro"] != "0"})
            answers = daemon.resp.pipeline([
                ("AUTHORIZE", f"l{at}", row["prefix"], f"s{at}", "WANT", WANT, "AT", AT)
                for at, row in enumerate(rows)])

            differing = []
            for at, (row, answer) in enumerate(zip(rows, answers)):
                longest = int(row["max_seconds"])
                grace = int(deck.match(row["prefix"], AT)["grace_seconds"])
                if 0 <= longest <= grace:
                    good = (answer.code == "CREDIT_LIMIT" and answer.figure == "0"
                            and answer["level"] == f"c{at}" and answer["reason"] == "funds")
                else:
                    granted = WANT if longest == -1 else min(longest, WANT)
                    good = answer.code in ("OK", "FREE") and answer.figure == str(granted)
                    # The money on hold is the price of the grant; one more second could not be paid.
                    held = deck.cost(row["prefix"], AT, granted)
                    good = good and micros(answer["held"]) == held <= int(row["balance_micro"])
                    if granted < WANT:
                        good = (good and answer["final"] == "1" and answer["level"] == f"c{at}"
                                and deck.cost(row["prefix"], AT, granted + 1) > int(row["balance_micro"]))
                if not good:
                    differing.append((row, list(answer)))
            self.assertEqual(len(differing), 0, f"row, answer: {differing[:10]}")

            granted = [f"s{at}" for at, answer in enumerate(answers) if answer.code != "CREDIT_LIMIT"]
            for answer in daemon.resp.pipeline([("RELEASE", session) for session in granted]):
                self.assertEqual(answer.code, "OK", answer)
            daemon.assert_settled()
            print(f"{len(rows)} rows, {len(granted)} of them granted", flush=True)


if __name__ == "__main__":
    main()
