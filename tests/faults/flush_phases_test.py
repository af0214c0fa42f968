#!/usr/bin/env python3
"""The daemon, or a store, dies in every phase of a flush, and nothing is there twice or missing.

Goal: wherever in a batch, in the filling of an empty store or in the making of tables the daemon is killed, it goes on
after its restart, and PostgreSQL and Redis have row for row what the journal says. The same where the store is killed.
Method: between.py passes on what the two say to each other and kills in the middle of exactly that phase. The kill is
SIGKILL; the daemon is the one that is shipped.
"""

import http.client
import time
import unittest

from mortal import Mortal
from traffic import build_world

import postgres_rows
import redis_rows
import runner
from between import After, Amid, Before, Between, PostgresTalk, RedisTalk, Unanswered
from stores import Postgres, Redis, needs_postgres, needs_redis
from wire import micros, money

CALLERS = 3
PHASE_SECONDS = 60
OPEN_ROUNDS = 10  # A call is left open for as many rounds: half a second and more, longer than a batch waits.
SETTINGS = ("session.hold=4h", "session.repeat=30m", "stores.retry_first=20ms", "stores.retry_longest=100ms",
            "journal.snapshot_segments=1000", "postgres.timeout=5s", "redis.timeout=5s",
            "postgres.snapshot_bytes=1 MiB", "postgres.months_ahead=0")
MANY = 10_500  # Parties: more than a batch of a refill has.

# What a batch says to PostgreSQL.
MERGED = ("INSERT INTO tollgate.parties", "INSERT INTO tollgate.balances", "DELETE FROM tollgate.sessions",
          "INSERT INTO tollgate.sessions")
TABLES = ("tollgate.transactions", "tollgate.postings", "tollgate.call_records", "tollgate.call_legs",
          "tollgate.threshold_events", "tollgate.party_statuses", "tollgate.audit", "tollgate.journal_files",
          "tollgate.journal_events")
POSITION = r"INSERT INTO tollgate\.position"
POSTGRES_PHASES = {
    "before BEGIN": Before("^BEGIN$"),
    "after BEGIN": Unanswered("^BEGIN$"),
    "the position is locked": Unanswered(r"tollgate\.position FOR UPDATE"),
    **{f"amid the rows of {table}": Amid(rf"COPY {table}\b") for table in TABLES},
    **{f"amid {merge}": Amid(rf"^{merge}\b") for merge in MERGED},
    "before the rows are merged": Before("INSERT INTO tollgate.balances"),
    "before the position": Before(POSITION),
    "after the position": Unanswered(POSITION),
    "before COMMIT": Before("^COMMIT$"),
    "COMMIT is not answered": Unanswered("^COMMIT$"),
    "after COMMIT": After("^COMMIT$"),
}
# An empty database: its tables, a month, then batches of a refill, then events.
FILLING = 3  # The COMMIT of the first batch.
POSTGRES_FILLING = {
    "amid the making of tables": Unanswered("CREATE TABLE tollgate.schema_version"),
    "tables are made and that is not answered": Unanswered("^COMMIT$"),
    "amid the making of a month": Unanswered(r"ATTACH PARTITION tollgate\.call_records_"),
    "before it is emptied": Before("TRUNCATE"),
    "after it was emptied": Unanswered("TRUNCATE"),
    "amid the first rows": Amid("INSERT INTO tollgate.parties"),
    "before the first position": Before(POSITION, 1),
    "the first COMMIT is not answered": Unanswered("^COMMIT$", FILLING),
    "after the first COMMIT": After("^COMMIT$", FILLING),
    "amid the second rows": Amid("INSERT INTO tollgate.parties", 2),
    "before the second position": Before(POSITION, 2),
    "amid the snapshot that goes up": Amid(r"COPY tollgate\.journal_snapshots"),
    "the last COMMIT is not answered": Unanswered("^COMMIT$", behind=r"COPY tollgate\.journal_snapshots"),
}
# How far the filling is then, by the position that stands there: how many batches, 0 where it is whole. There are two
# batches or three, as fast as the journal came to its snapshot.
POSTGRES_FILLED = {
    "before the first position": None,
    "the first COMMIT is not answered": "1",
    "after the first COMMIT": "1",
    "amid the second rows": "1",
    "before the second position": "1",
    "the last COMMIT is not answered": "0",
}
REDIS_PHASES = {
    "before WATCH": Before("^WATCH"),
    "WATCH is not answered": Unanswered("^WATCH"),
    "before MULTI": Before("^MULTI"),
    "MULTI is not answered": Unanswered("^MULTI"),
    "amid the balances": Amid("^HSET tollgate:party:", 2),
    "amid the stream": Amid("^XADD", 2),
    "before the position": Before("^HSET tollgate:position"),
    "before EXEC": Before("^EXEC"),
    "EXEC is not answered": Unanswered("^EXEC"),
    "after EXEC": After("^EXEC"),
}
REDIS_FILLING = {
    "before it is emptied": Before("^DEL tollgate:events"),
    "amid the first rows": Amid("^HSET tollgate:party:", 50),
    "the first EXEC is not answered": Unanswered("^EXEC", 1),
    "amid the second rows": Amid("^HSET tollgate:party:", 10_500),
    "amid the search for strangers": Before("^SCAN"),
    "before the last EXEC": Before("^EXEC", 2),
    "the last EXEC is not answered": Unanswered("^EXEC", 2),
}


class Story:
    """Everything that a batch may hold, again and again, until the daemon is gone."""

    def __init__(self, daemon):
        self.daemon = daemon
        self.rounds = 0

    def tell(self):
        """Once. OSError where the daemon went away meanwhile."""
        self.rounds += 1
        name = f"story-{self.rounds}"
        client, http = self.daemon.connect(), self.daemon.connect_http()
        caller = self.rounds % CALLERS
        for call in range(3):
            client.call("AUTHORIZE", f"line-{caller}", "4930123", f"{name}-{call}", "WANT", 60)
        client.call("START", f"{name}-1")
        client.call("STOP", f"{name}-0", 7, "CAUSE", "16")
        client.call("STOP", f"{name}-1", 11)
        client.call("TOPUP", "customer-0", "1", name)
        # The next call takes five cents and crosses it.
        warning = money(micros(client.call("BALANCE", f"customer-{caller}").figure) - 10_000)
        for change in ({"warn_balance": warning}, {"status": "fraud"}, {"status": "active"}):
            http.request("PATCH", f"/v1/parties/customer-{caller}", change)
        deck = "prefix,rate_per_minute\n" + "".join(f"{1_000_000 + row},0.{self.rounds}\n" for row in range(50))
        http.request("PUT", "/v1/tariffs/spare/deck", deck, {"Content-Type": "text/csv"})
        client.call("AUTHORIZE", f"line-{caller}", "4930123", f"{name}-3", "WANT", 60)
        client.call("STOP", f"{name}-3", 5)
        if self.rounds > OPEN_ROUNDS:  # What a batch before this one left open, and is gone with this one.
            client.call("STOP", f"story-{self.rounds - OPEN_ROUNDS}-2", 60)

    def tell_until(self, happened):
        deadline = time.monotonic() + PHASE_SECONDS
        while not happened.wait(0.05):
            assert time.monotonic() < deadline, "that phase never comes"
            try:
                self.tell()
            except (OSError, EOFError, http.client.HTTPException):
                happened.wait(1)


class Phases:
    """What the two stores have in common: `store`, `between`, `same(daemon)`."""

    def daemon_with(self, *settings):
        self.daemon = self.enterContext(Mortal(*SETTINGS, *settings, self.url()))
        build_world(self.daemon, CALLERS)
        return Story(self.daemon)

    def kill_daemon(self):
        self.daemon.process.kill()
        self.daemon.process.wait()

    def die_in(self, phases):
        """The daemon does, in each; then the store has what the journal says."""
        story = self.daemon_with()
        for phase, moment in phases.items():
            with self.subTest(phase):
                self.between.at(moment, self.kill_daemon)
                story.tell_until(self.between.happened)
                self.daemon.kill()
                self.daemon.restart()
                self.same(self.daemon)

    def store_dies_in(self, phases):
        story = self.daemon_with()
        for phase, moment in phases.items():
            with self.subTest(phase):
                self.between.at(moment, self.store.kill)
                story.tell_until(self.between.happened)
                self.store.start()
                self.same(self.daemon)

    def die_filling(self, phases, who):
        """An empty store is filled with more than a batch has, from a snapshot that was made before any call. `who`
        is killed meanwhile: "daemon" or "store"."""
        story = self.daemon_with()
        self.daemon.parties([{"id": f"many-{number}", "kind": "line", "parent": "office"} for number in range(MANY)])
        # Only now are snapshots made: one that was begun amid the import would have none of it.
        self.daemon.stop()
        self.daemon.restart(*SETTINGS, "journal.segment_bytes=4 MiB", "journal.snapshot_segments=1", self.url())
        deadline = time.monotonic() + PHASE_SECONDS
        while not self.daemon.snapshots():  # A command that waits for its answer is a block of 4 KiB.
            assert time.monotonic() < deadline, "there is no snapshot"
            self.daemon.topup("office", 1)
        self.daemon.stop()
        self.daemon.restart(*SETTINGS, self.url())
        story.tell()
        self.same(self.daemon)
        for phase, moment in phases.items():
            with self.subTest(phase):
                self.daemon.stop()
                self.store.wipe()
                self.between.at(moment, self.kill_daemon if who == "daemon" else self.store.kill)
                self.daemon.launch()
                assert self.between.wait(PHASE_SECONDS), "that phase never comes"
                if who == "daemon":
                    self.is_filled_so_far(phase)
                    self.daemon.kill()
                    self.daemon.restart()
                else:
                    self.store.start()
                    self.daemon.wait_until_it_serves()
                story.tell()
                self.same(self.daemon)


@needs_postgres()
class PostgresPhasesTest(Phases, unittest.TestCase):
    def setUp(self):
        self.store = self.enterContext(Postgres())
        self.between = self.enterContext(Between(self.store.port, PostgresTalk))

    def url(self):
        return (f"postgres.url=postgresql://tollgate@127.0.0.1:{self.between.port}/tollgate"
                "?sslmode=disable&gssencmode=disable")

    def same(self, daemon):
        postgres_rows.assert_same(daemon, self.store)

    def test_daemon_dies_in_a_batch(self):
        self.die_in(POSTGRES_PHASES)

    def is_filled_so_far(self, phase):
        if phase in POSTGRES_FILLED:
            there = self.store.rows("SELECT filling FROM tollgate.position")
            self.assertEqual(there[0][0] if there else None, POSTGRES_FILLED[phase])

    def test_daemon_dies_in_a_refill(self):
        self.die_filling(POSTGRES_FILLING, "daemon")

    def test_store_dies_in_a_refill(self):
        self.die_filling(POSTGRES_FILLING, "store")

    def test_store_dies_in_a_batch(self):
        self.store_dies_in(POSTGRES_PHASES)


@needs_redis()
class RedisPhasesTest(Phases, unittest.TestCase):
    def setUp(self):
        self.store = self.enterContext(Redis("--appendonly", "yes"))
        self.between = self.enterContext(Between(self.store.port, RedisTalk))

    def url(self):
        return f"redis.url=redis://127.0.0.1:{self.between.port}"

    def same(self, daemon):
        redis_rows.assert_same(daemon, self.store)

    def test_daemon_dies_in_a_batch(self):
        self.die_in(REDIS_PHASES)

    def is_filled_so_far(self, phase):
        pass

    def test_daemon_dies_in_a_refill(self):
        self.die_filling(REDIS_FILLING, "daemon")

    def test_store_dies_in_a_refill(self):
        self.die_filling(REDIS_FILLING, "store")

    def test_store_dies_in_a_batch(self):
        self.store_dies_in(REDIS_PHASES)


if __name__ == "__main__":
    runner.main()
