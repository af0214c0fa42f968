#!/usr/bin/env python3
"""Free seconds, and the calls that share them.

Goal: a call that outlasts its bundle pays for the rest alone (row MO21 of the worked charges), and calls at the same
time never use more free seconds than there are.
"""

import csv
import sys
import threading
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from daemon import Daemon  # noqa: E402
from runner import DATA, main, needs_data  # noqa: E402
from wire import MICROS  # noqa: E402

DECK = "prefix,rate_per_minute,initial_increment,increment\n44,0.30,60,60\n"
NUMBER = "442071234567"


def serve(daemon, seconds, funds):
    """A customer with a line, so many free seconds to the United Kingdom, and so much money."""
    daemon.tariff("retail", {}, DECK)
    daemon.parties([{"id": "root", "kind": "provider", "currency": "EUR"},
                    {"id": "carol", "kind": "customer", "parent": "root", "tariff": "retail"},
                    {"id": "line", "kind": "line", "parent": "carol"}])
    reply = daemon.http.request("POST", "/v1/parties/carol/bundles",
                                {"id": "uk", "seconds": seconds, "countries": ["GB"]})
    assert reply.status == 201, reply
    if funds:
        daemon.topup("carol", funds)


class Bundles(unittest.TestCase):
    @needs_data("vectors/money.csv")
    def test_ten_minutes_are_free_and_two_are_paid(self):
        with open(DATA / "vectors/money.csv", encoding="utf-8", newline="") as file:
            row = next(row for row in csv.DictReader(file) if row["id"] == "MO21")
        self.assertIn("bundle 10 min UK, rate .30 60/60; call 12 min", row["case"])
        self.assertIn("2 min billed = 0.60", row["expected"])
        with Daemon() as daemon:
            serve(daemon, 600, 1 * MICROS)
            opened = daemon.resp.call("AUTHORIZE", "line", NUMBER, "call", "WANT", 720)
            self.assertEqual((opened.code, opened.figure, opened["held"]), ("OK", "720", "0.6"))
            stopped = daemon.resp.call("STOP", "call", 720)
            self.assertEqual((stopped.code, stopped.figure, stopped["billed"]), ("OK", "0.6", "120"))
            self.assertEqual(daemon.resp.call("BALANCE", "carol")["seconds"], "0")
            daemon.assert_settled()

    # Method: a customer without money, so that whatever is granted is bundled; a hundred calls of 60 s by ten
    # connections at once, of 3000 s that there are. Fifty are granted; they use 10 s each.
    def test_a_hundred_calls_share_what_there_is(self):
        with Daemon() as daemon:
            serve(daemon, 3000, 0)
            granted = []
            lock = threading.Lock()

            def call(caller):
                resp = daemon.connect()
                for number in range(10):
                    answer = resp.call("AUTHORIZE", "line", NUMBER, f"{caller}-{number}", "WANT", 60)
                    with lock:
                        granted.append((f"{caller}-{number}", answer))

            threads = [threading.Thread(target=call, args=(caller,)) for caller in range(10)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            held = [session for session, answer in granted if answer.code == "OK"]
            self.assertEqual(sum(int(answer.figure) for _, answer in granted), 3000)
            self.assertEqual(len(held), 50)
            self.assertTrue(all(answer["reason"] == "held" for _, answer in granted if answer.code != "OK"))
            for session in held:
                self.assertEqual(daemon.resp.call("STOP", session, 10).figure, "0")
            self.assertEqual(daemon.resp.call("BALANCE", "carol")["seconds"], "2500")
            daemon.assert_settled()


if __name__ == "__main__":
    main()
