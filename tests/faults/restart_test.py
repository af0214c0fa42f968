#!/usr/bin/env python3
"""What a restart keeps, and what goes on while no daemon runs."""

import csv
import time
import unittest

from mortal import Mortal
from traffic import OPENING, PRICE, build_world

import runner

from daemon import Daemon  # noqa: I001

EXPIRES_SECONDS = 60


class RestartTest(unittest.TestCase):
    def daemon_with(self, *settings):
        daemon = self.enterContext(Mortal(*settings))
        build_world(daemon, 1)
        return daemon

    def authorize(self, daemon, session, want=60):
        answer = daemon.resp.call("AUTHORIZE", "line-0", "4930123", session, "WANT", want)
        self.assertEqual(answer.code, "OK")
        return answer

    def wait_until_none_is_open(self, daemon):
        deadline = time.monotonic() + EXPIRES_SECONDS
        while daemon.info("tollgate")["sessions_open"] != "0":
            self.assertLess(time.monotonic(), deadline, "it never expires")
            time.sleep(0.05)

    def test_sigterm_keeps_everything(self):
        daemon = self.daemon_with()
        first = list(self.authorize(daemon, "open"))
        self.authorize(daemon, "answered")
        daemon.resp.call("START", "answered")
        daemon.resp.call("EXTEND", "answered", "USED", 10, "WANT", 60)
        self.authorize(daemon, "ended")
        stopped = list(daemon.resp.call("STOP", "ended", 30))
        before = daemon.account("customer-0"), daemon.account("north"), daemon.books()
        daemon.stop()
        daemon.assert_invariants_hold()
        daemon.restart()
        self.assertEqual((daemon.account("customer-0"), daemon.account("north"), daemon.books()), before)
        self.assertEqual(before[0], (OPENING - 40 * PRICE, 120 * PRICE, OPENING - 160 * PRICE))
        again = list(daemon.resp.call("AUTHORIZE", "line-0", "4930123", "open", "WANT", 60))
        self.assertEqual(again, first[:-1] + ["1"])
        self.assertEqual(list(daemon.resp.call("STOP", "ended", 30)), stopped[:-1] + ["1"])
        self.assertEqual(daemon.resp.call("STOP", "ended", 31).code, "CONFLICT")
        self.assertEqual(daemon.resp.call("STOP", "answered", 20).figure, "0.2")
        self.assertEqual(daemon.resp.call("RELEASE", "open").code, "OK")
        daemon.assert_settled()

    def test_a_start_that_does_nothing_else_leaves_the_same_state(self):
        daemon = self.daemon_with()
        self.authorize(daemon, "open")
        before = daemon.account("customer-0")
        for again in range(5):
            daemon.kill() if again % 2 else daemon.stop()
            daemon.restart()
            self.assertEqual(daemon.account("customer-0"), before)
            self.assertEqual(daemon.info("persistence")["journal_epoch"], str(again + 2))

    def test_two_daemons_on_one_folder(self):
        daemon = self.daemon_with()
        other = Mortal(folder=daemon.journal)
        other.folder = daemon.folder
        other.lives = 100  # Its log stands beside the other's.
        other.journal = daemon.journal
        other.settings = daemon.settings
        status, said = other.refuses_to_start()
        self.assertEqual(status, 1, said)
        self.assertIn(f"another process ({daemon.process.pid}) is at work on this journal", said)
        self.assertIn("lock", said)
        self.authorize(daemon, "the first one goes on")
        status, said = daemon.tool("--set", f"journal.dir={daemon.journal}", "--verify")  # Looking is allowed.
        self.assertEqual(status, 0, said)
        status, said = daemon.tool("journal", "repair", str(daemon.journal))
        self.assertNotEqual(status, 0, said)
        daemon.kill()  # The lock dies with its process.
        daemon.restart()
        daemon.resp.call("RELEASE", "the first one goes on")
        daemon.assert_settled()

    def test_nothing_expires_within_the_grace_of_a_restart(self):
        daemon = self.daemon_with("session.hold=1s", "session.grace=0s", "restart.grace=8s")
        self.authorize(daemon, "open", want=1)
        daemon.kill()
        time.sleep(2.5)  # It would have expired.
        began = time.monotonic()
        daemon.restart()
        self.assertEqual(daemon.account("customer-0")[1], PRICE)
        while daemon.info("tollgate")["sessions_open"] != "0":
            self.assertLess(time.monotonic(), began + EXPIRES_SECONDS)
            time.sleep(0.05)
        self.assertGreater(time.monotonic() - began, 7.9)
        self.assertEqual(daemon.account("customer-0"), (OPENING, 0, OPENING))

    def test_a_call_that_goes_on_after_the_restart_is_settled(self):
        daemon = self.daemon_with("session.hold=1s", "session.grace=0s")  # restart.grace is 300 s.
        self.authorize(daemon, "open", want=1)
        daemon.kill()
        time.sleep(2.5)
        daemon.restart()
        time.sleep(1.5)
        answer = daemon.resp.call("STOP", "open", 3)
        self.assertEqual((answer.code, answer["status"]), ("OK", "overrun"))
        daemon.assert_settled()

    def test_records_say_what_was_billed_and_what_was_said(self):
        daemon = self.daemon_with()
        made = daemon.http.request("POST", "/v1/parties/customer-0/bundles", {"id": "pack", "seconds": 100})
        self.assertEqual(made.status, 201, made)
        daemon.resp.call("AUTHORIZE", "line-0", "4930123", "call", "WANT", 150, "AT", "2026-03-02T12:00:00Z")
        daemon.resp.call("START", "call", "AT", "2026-03-02T12:00:01Z")
        answer = daemon.resp.call("STOP", "call", 120, "AT", "2026-03-02T12:02:01Z", "CAUSE", "normal", "TAGS", "t")
        self.assertEqual((answer.figure, answer["billed"]), ("0.2", "20"))
        daemon.stop()
        status, text = daemon.tool("journal", "dump", "--records", str(daemon.journal))
        self.assertEqual(status, 0, text)
        legs = list(csv.DictReader(text.splitlines()))
        self.assertEqual([(leg["party"], leg["billed"], leg["charged"]) for leg in legs],
                         [("customer-0", "20", "0.2"), ("north", "120", "0.12")])
        for leg in legs:
            self.assertEqual((leg["cause"], leg["tags"]), ("normal", "t"))
            self.assertEqual((leg["start_at"], leg["stop_at"]), ("2026-03-02T12:00:01Z", "2026-03-02T12:02:01Z"))
            self.assertEqual(leg["rated_at"], "2026-03-02T12:00:00Z")

    def test_time_passes_while_no_daemon_runs(self):
        settings = ("session.hold=8s", "session.grace=0s", "restart.grace=0s")
        daemon = self.daemon_with(*settings)
        self.authorize(daemon, "due", want=1)
        self.authorize(daemon, "not yet", want=600)
        daemon.stop()
        time.sleep(9)
        restarted = time.monotonic()
        daemon.restart()
        deadline = time.monotonic() + EXPIRES_SECONDS
        while daemon.info("tollgate")["sessions_open"] != "1":
            self.assertLess(time.monotonic(), deadline, "it does not expire")
            time.sleep(0.02)
        took = time.monotonic() - restarted
        self.assertLess(took, 7, "it lived on as if no time had passed")
        self.assertEqual(daemon.account("customer-0")[1], 600 * PRICE)
        late = daemon.resp.call("STOP", "due", 2)
        self.assertEqual((late.code, late["status"]), ("OK", "late"))
        self.assertEqual(daemon.resp.call("STOP", "not yet", 1)["status"], "stopped")
        daemon.assert_settled()

    def test_without_a_journal_nothing_is_kept_and_it_says_so(self):
        daemon = self.enterContext(Daemon())
        self.assertIn("no journal", daemon.log.read_text())
        self.assertIn("lost when the process ends", daemon.info("persistence")["durability"])


if __name__ == "__main__":
    runner.main()
