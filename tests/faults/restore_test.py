#!/usr/bin/env python3
"""A journal folder that is lost and comes back from PostgreSQL: every balance, every open call; and what is held back."""

import re
import shutil
import time
import unittest

from mortal import Mortal, seeded
from postgres_rows import assert_same_balances, assert_same_sessions, position, wait_until_level
from postgres_test import following, wait_for
from traffic import Traffic

import runner
from api import Api
from stores import Postgres, needs_postgres
from wire import MICROS

RESERVE = 2 * MICROS


def digest_of(text):
    return re.search(r"digest ([0-9a-f]+)", text)[1]


def restore(daemon, postgres, *settings):
    return daemon.tool("restore", "--from-postgres", postgres.url, "--set", f"journal.dir={daemon.journal}", *settings)


def lose(daemon):
    """The disk is gone. What was on it, moved away."""
    lost = daemon.journal.with_name("lost")
    shutil.move(daemon.journal, lost)
    return lost


@needs_postgres()
class RestoreTest(unittest.TestCase):
    def world(self, daemon, name, seconds=0.4):
        traffic = Traffic(daemon, seeded(name))
        traffic.begin()
        time.sleep(seconds)
        traffic.end()
        # One call that is surely open, and a party that is suspended.
        answer = daemon.resp.call("AUTHORIZE", "line-0", "4930123", "open-call", "WANT", "60")
        self.assertEqual(answer.code, "OK", answer)
        daemon.http.request("PATCH", "/v1/parties/customer-3", {"status": "admin"})
        return traffic

    def test_all_of_it_comes_back(self):
        with Postgres() as postgres, following(postgres) as daemon:
            self.world(daemon, "restore")
            wait_until_level(daemon, postgres)
            before = {party: daemon.account(party) for party in ("north", "office", "customer-0", "customer-1")}
            sessions = {row["id"] for row in daemon.http.get("/v1/sessions?limit=1000").json["sessions"]}
            instance = postgres.value("SELECT instance FROM tollgate.position")
            daemon.kill()
            last = position(postgres)
            status, text = daemon.tool("--set", f"journal.dir={daemon.journal}", "--verify")
            self.assertEqual(status, 0, text)
            digest = digest_of(text)
            lost = lose(daemon)

            status, text = restore(daemon, postgres)
            self.assertEqual(status, 0, text)
            self.assertIn(f"up to event {last} ", text)
            self.assertEqual(digest_of(text), digest, text)
            self.assertNotIn("held back", text)
            daemon.assert_invariants_hold()

            daemon.restart()
            self.assertEqual({party: daemon.account(party) for party in before}, before)
            self.assertEqual({row["id"] for row in daemon.http.get("/v1/sessions?limit=1000").json["sessions"]}, sessions)
            answer = daemon.resp.call("STOP", "open-call", "10")
            self.assertEqual(answer.code, "OK", answer)
            # PostgreSQL follows the new one: nothing was filled again, and nothing is missing.
            wait_until_level(daemon, postgres)
            self.assertNotEqual(postgres.value("SELECT instance FROM tollgate.position"), instance)
            assert_same_balances(daemon, postgres)
            assert_same_sessions(daemon, postgres)
            self.assertNotIn("filled", daemon.log.read_text())
            self.assertEqual(postgres.value("SELECT used FROM tollgate.call_records WHERE session = 'open-call'"), "10")
            daemon.stop()

            # The old one turns up again: it is a stranger, and writes nothing.
            after = postgres.rows("SELECT instance, sequence FROM tollgate.position")
            shutil.move(daemon.journal, daemon.journal.with_name("new"))
            shutil.move(lost, daemon.journal)
            daemon.restart()
            wait_for("said", lambda: "another journal" in daemon.log.read_text())
            self.assertEqual(postgres.rows("SELECT instance, sequence FROM tollgate.position"), after)

    def test_what_is_held_back_until_somebody_releases_it(self):
        # With snapshots there, so that both ways are gone.
        with Postgres() as postgres, following(postgres, "postgres.snapshot_bytes=64 KiB") as daemon:
            self.world(daemon, "reserve", 0.8)
            wait_until_level(daemon, postgres)
            self.assertGreater(int(postgres.value("SELECT count(*) FROM tollgate.journal_snapshots")), 0)
            parties = ("north", "office", "customer-0", "customer-1", "customer-2")
            before = {party: daemon.account(party) for party in (*parties, "customer-3", "root")}
            daemon.kill()
            lose(daemon)
            status, text = restore(daemon, postgres, "--set", "restore.reserve=2")
            self.assertEqual(status, 0, text)
            self.assertIn("2 of each of 5 active parties is held back", text)
            daemon.assert_invariants_hold()

            def assert_held_back(reserve):
                for party, (balance, held, available) in before.items():
                    of_it = reserve if party in parties else 0  # Neither the suspended one nor the provider.
                    self.assertEqual(daemon.account(party), (balance, held + of_it, available - of_it), party)

            daemon.restart()
            api = Api(daemon)
            assert_held_back(RESERVE)
            shown = api.get("/v1/reserve").expect(200)
            self.assertEqual((shown["amount"], shown["parties"]), ("2", 5))
            wait_until_level(daemon, postgres)
            assert_same_balances(daemon, postgres)
            daemon.stop()
            daemon.assert_invariants_hold()
            daemon.restart()
            assert_held_back(RESERVE)

            # It holds in a second restore, too, where it is set anew and not added.
            wait_until_level(daemon, postgres)
            daemon.kill()
            shutil.rmtree(daemon.journal)
            status, text = restore(daemon, postgres, "--set", "restore.reserve=3")
            self.assertEqual(status, 0, text)
            daemon.restart()
            assert_held_back(3 * MICROS)

            api = Api(daemon)
            released = api.post("/v1/reserve:release").expect(200)
            self.assertEqual((released["amount"], released["parties"]), ("3", 5))
            assert_held_back(0)
            api.post("/v1/reserve:release").expect(409)
            self.assertEqual(api.get("/v1/reserve").expect(200)["parties"], 0)
            self.assertEqual(api.get("/v1/audit?operation=releaseReserve").expect(200)["entries"][0]["actor"], "console")
            wait_until_level(daemon, postgres)
            assert_same_balances(daemon, postgres)
            daemon.stop()
            daemon.assert_invariants_hold()
            daemon.restart()
            assert_held_back(0)

    def test_only_into_an_empty_folder_and_only_whole(self):
        with Postgres() as postgres, following(postgres) as daemon:
            status, text = restore(daemon, postgres, "--set", "journal.dir=")
            self.assertEqual((status, "journal.dir" in text), (1, True), text)
            self.world(daemon, "empty", 0.1)
            wait_until_level(daemon, postgres)
            daemon.stop()
            before = sorted(path.name for path in daemon.journal.iterdir())
            status, text = restore(daemon, postgres)
            self.assertEqual((status, "is not empty" in text), (1, True), text)
            self.assertEqual(sorted(path.name for path in daemon.journal.iterdir()), before)

            # What PostgreSQL has not all of is not restored, and nothing is left in the folder.
            shutil.rmtree(daemon.journal)
            postgres.sql("DELETE FROM tollgate.journal_events WHERE first = "
                         "(SELECT min(first) FROM tollgate.journal_events)")
            status, text = restore(daemon, postgres)
            self.assertEqual((status, "missing" in text or "does not fit" in text), (1, True), text)
            self.assertEqual(list(daemon.journal.iterdir()), [])

            # One that was not finished is not used.
            (daemon.journal / "restoring").touch()
            status, text = daemon.refuses_to_start()
            self.assertEqual((status, "was not finished" in text), (78, True), text)


if __name__ == "__main__":
    runner.main()
