#!/usr/bin/env python3
"""PostgreSQL behind the journal: whatever dies, every event is there once, and row for row what the journal says.

TOLLGATE_ROUNDS: how often something is killed. TOLLGATE_SEED: what is decided by chance.
"""

import contextlib
import subprocess
import tempfile
import threading
import time
import unittest
from pathlib import Path

from mortal import Mortal, amount_of, seeded
from postgres_rows import assert_same, position, wait_until_level
from traffic import Traffic

import runner
from stores import PSQL, Postgres, free_port, needs_postgres

PATIENT = ("session.hold=4h", "session.repeat=30m")  # However slow the machine is, no call expires meanwhile.
EAGER = ("stores.retry_first=20ms", "stores.retry_longest=200ms", "postgres.timeout=2s")
WAIT_SECONDS = 60


def following(postgres, *settings):
    return Mortal(*PATIENT, *EAGER, *settings, f"postgres.url={postgres.url}")


def wait_for(what, condition):
    deadline = time.monotonic() + WAIT_SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"{what}: not after {WAIT_SECONDS} s"
        time.sleep(0.02)


def calls(traffic, seconds):
    """Lets its callers go on for so long."""
    traffic.begin()
    time.sleep(seconds)
    traffic.end()


@needs_postgres()
class PostgresTest(unittest.TestCase):
    def test_rows_are_what_the_journal_says(self):
        with Postgres() as postgres, following(postgres) as daemon:
            traffic = Traffic(daemon, seeded("postgres"))
            # Of what both have it is the longer prefix that counts, and not the first by name.
            for group, prefix in (("anywhere", "4"), ("germany", "49")):
                daemon.http.request("PUT", f"/v1/destination-groups/{group}", {"prefixes": [prefix]})
            calls(traffic, 0.5)
            records, sessions = assert_same(daemon, postgres)
            self.assertGreater(records, 10)
            print(f"{records} records, {sessions} open sessions")
            # Each in the partition of its month, and the next months are there ahead.
            [(month,)] = postgres.rows("SELECT DISTINCT relname FROM tollgate.call_legs l"
                                     " JOIN pg_class c ON c.oid = l.tableoid")
            self.assertEqual(month, postgres.value("SELECT 'call_legs_' || to_char(now(), 'YYYY_MM')"))
            partitions = postgres.rows("SELECT relname FROM pg_inherits JOIN pg_class c ON c.oid = inhrelid"
                                       " WHERE inhparent = 'tollgate.call_records'::regclass ORDER BY 1")
            self.assertEqual(len(partitions), 4)
            self.assertEqual(partitions[-1][0], postgres.value(
                "SELECT 'call_records_' || to_char(date_trunc('month', now()) + interval '3 months', 'YYYY_MM')"))
            # What a record's first leg and its group say.
            self.assertEqual(postgres.rows(
                "SELECT count(*) FROM tollgate.call_records r LEFT JOIN tollgate.call_legs l ON l.record = r.record"
                " AND l.level = 1 WHERE r.customer IS DISTINCT FROM l.party OR r.charged IS DISTINCT FROM l.charged"
                " OR r.destination IS DISTINCT FROM l.destination"), [("0",)])
            self.assertGreater(int(postgres.value(
                "SELECT count(*) FROM tollgate.call_records WHERE destination_group = 'germany'")), 0)
            self.assertEqual(postgres.value(
                "SELECT count(*) FROM tollgate.call_records WHERE destination_group = 'anywhere'"), "0")
            self.assertNotIn('destination_group="anywhere"', daemon.http.get("/metrics").text)
            # Administration.
            self.assertEqual(postgres.rows("SELECT id, kind, parent FROM tollgate.parties WHERE id IN ('root', 'line-0')"
                                           " ORDER BY 1"), [("line-0", "line", "customer-0"), ("root", "provider", None)])
            self.assertEqual(postgres.rows("SELECT id, currency FROM tollgate.tariffs WHERE id = 'retail'"),
                             [("retail", "EUR")])
            entries = daemon.http.get("/v1/audit?limit=1").json["entries"]
            self.assertEqual(postgres.value("SELECT max(number) FROM tollgate.audit"), str(entries[0]["number"]))
            # With its chain: whoever noted a hash finds it, and the journal has the same.
            status, said = daemon.tool("audit", "verify", str(daemon.journal))
            self.assertEqual(status, 0, said)
            self.assertIn(postgres.value("SELECT hash FROM tollgate.audit ORDER BY number DESC LIMIT 1"), said)
            self.assertEqual(postgres.value("SELECT count(*) FROM tollgate.audit WHERE hash IS NULL"), "0")

    def test_every_text_comes_through(self):
        with Postgres() as postgres, following(postgres) as daemon:
            Traffic(daemon, seeded("texts"))
            ids = [b"plain@host", "größe".encode(), b"\xff\xfe", b"\\x00", b"nul\x00", b"back\\slash", b"quo'te\"", b" "]
            for number, session in enumerate(ids):
                answer = daemon.resp.call("AUTHORIZE", "line-0", "4930123", session, "WANT", "60")
                self.assertEqual(answer.code, "OK", answer)
                if number % 2 == 0:
                    daemon.resp.call("STOP", session, "10", "TAGS", session)
            wait_until_level(daemon, postgres)
            there = {row[0] for row in postgres.rows("SELECT session FROM tollgate.call_records UNION ALL"
                                                     " SELECT id FROM tollgate.sessions")}
            self.assertEqual(there, {"plain@host", "größe", "\\xfffe", "\\x5c783030", "\\x6e756c00", "back\\slash",
                                     "quo'te\"", " "})

    def test_killed_at_any_moment(self):
        rng = seeded("postgres")
        with Postgres() as postgres, following(postgres, "journal.segment_bytes=4 MiB", "journal.snapshot_segments=1000",
                                               "postgres.snapshot_bytes=256 KiB") as daemon:
            traffic = Traffic(daemon, rng)
            for _ in range(amount_of("TOLLGATE_ROUNDS", 6, 2)):
                kind = rng.choice(("daemon", "postgres", "both", "stopped"))
                traffic.begin()
                time.sleep(rng.uniform(0.05, 0.5))
                if kind == "stopped":
                    postgres.stop()
                    time.sleep(rng.uniform(0.1, 0.5))
                if kind in ("postgres", "both"):
                    postgres.kill()
                    time.sleep(rng.uniform(0, 0.2))
                if kind in ("daemon", "both", "stopped"):
                    daemon.process.kill()
                traffic.end()
                if kind == "stopped":
                    postgres.cont()
                if kind in ("daemon", "both", "stopped"):
                    daemon.kill()
                    daemon.restart()
                if kind in ("postgres", "both"):
                    postgres.start()
                traffic.check()
            records, sessions = assert_same(daemon, postgres)
            print(f"{records} records, {sessions} open sessions")
            self.assertGreater(int(postgres.value("SELECT count(*) FROM tollgate.journal_snapshots")), 0)

    def test_a_server_that_is_stopped_keeps_nobody(self):
        with Postgres() as postgres, following(postgres, "postgres.timeout=30s") as daemon:
            traffic = Traffic(daemon, seeded("stopped"))
            wait_until_level(daemon, postgres)
            postgres.stop()
            calls(traffic, 0.3)
            began = time.monotonic()
            daemon.stop()
            self.assertLess(time.monotonic() - began, 10)
            postgres.cont()
            daemon.restart()
            assert_same(daemon, postgres)

    def test_a_month_that_was_detached_is_attached_when_something_comes(self):
        with Postgres() as postgres, following(postgres) as daemon:
            traffic = Traffic(daemon, seeded("detached"))
            calls(traffic, 0.2)
            records, _ = assert_same(daemon, postgres)
            month = postgres.value("SELECT to_char(now(), 'YYYY_MM')")
            for tables in (("call_records", "call_legs"), ("call_legs",)):
                for table in tables:
                    postgres.sql(f"ALTER TABLE tollgate.{table} DETACH PARTITION tollgate.{table}_{month}")
                calls(traffic, 0.2)
                more, _ = assert_same(daemon, postgres)
                self.assertGreater(more, records)
                records = more

    def test_what_somebody_has_to_mend_is_refused(self):
        """A login that is wrong is no server that is away: it is said, and tried again now and then."""
        with Postgres() as postgres, tempfile.TemporaryDirectory() as folder:
            postgres.psql("ALTER ROLE tollgate PASSWORD 'right'; CREATE ROLE nobody NOLOGIN PASSWORD 'right'",
                          "postgres", "postgres")
            (postgres.data / "pg_hba.conf").write_text("host all postgres 127.0.0.1/32 trust\n"
                                                       "host all all 127.0.0.1/32 scram-sha-256\n")
            postgres.psql("SELECT pg_reload_conf()", "postgres", "postgres")
            password = Path(folder) / "password"
            place = f"127.0.0.1:{postgres.port}"

            def said(url, text, **settings):
                """(state, what it says) of a store with that login."""
                postgres.psql("DROP SCHEMA IF EXISTS tollgate CASCADE", "postgres")  # It was another journal's.
                password.write_text(text) if text else password.unlink(missing_ok=True)
                file = settings.get("file", f"postgres.password_file={password}")
                with Mortal(*EAGER, "stores.lag_max=1ms", f"postgres.url={url}", *([file] if file else [])) as daemon:
                    daemon.parties([{"id": "root", "kind": "provider", "currency": "EUR"}])
                    store = lambda: dict(  # noqa: E731
                        pair.split("=", 1) for pair in daemon.info("stores")["store_postgresql"].split(","))
                    wait_for("tried", lambda: store()["state"] not in ("connecting", "filling"))
                    state, failure = store()["state"], daemon.info("stores").get("store_postgresql_failure", "")
                    if state == "refused":
                        ready = daemon.http.get("/readyz")
                        self.assertEqual(ready.status, 503)
                        self.assertIn("(refused)", str(ready.json))
                        # Once it is mended, it goes on by itself.
                        if text == "wrong\n":
                            password.write_text("right\n")
                            wait_for("followed", lambda: store()["state"] == "following")
                    return state, failure

            good = f"postgresql://tollgate@{place}/tollgate"
            self.assertEqual(said(good, "right\n")[0], "following")
            for url, text, settings, words in (
                    (good, "wrong\n", {}, "password authentication failed"),
                    (good, "", {"file": None}, "no password supplied"),
                    (good, "", {}, "has no secret in its first line"),
                    (f"postgresql://tollgate@{place}/other", "right\n", {}, '"other" does not exist'),
                    (f"postgresql://stranger@{place}/tollgate", "right\n", {}, "password authentication failed"),
                    (f"postgresql://nobody@{place}/tollgate", "right\n", {}, "not permitted to log in")):
                with self.subTest(words):
                    state, failure = said(url, text, **settings)
                    self.assertEqual(state, "refused", failure)
                    self.assertIn(words, failure)
                    self.assertNotRegex(failure, r"LOCATION|28000|28P01|3D000|right")
            state, failure = said(f"postgresql://tollgate@127.0.0.1:{free_port()}/tollgate", "right\n")
            self.assertEqual(state, "waiting", failure)

    def test_wiped_and_filled_again(self):
        with Postgres() as postgres, following(postgres, "postgres.months_ahead=0") as daemon:
            traffic = Traffic(daemon, seeded("wiped"))
            calls(traffic, 0.3)
            assert_same(daemon, postgres)
            postgres.wipe()  # The daemon notices by itself.
            calls(traffic, 0.2)
            wait_for("filled again", lambda: position(postgres) > 0)
            assert_same(daemon, postgres)
            postgres.sql("DELETE FROM tollgate.position")  # As good as wiped.
            wait_for("noticed", lambda: position(postgres) > 0)
            assert_same(daemon, postgres)
            daemon.stop()
            postgres.wipe()
            daemon.restart()
            assert_same(daemon, postgres)

    def test_the_database_of_another_journal_is_left_alone(self):
        with Postgres() as postgres:
            with following(postgres) as daemon:
                Traffic(daemon, seeded("first"))
                wait_until_level(daemon, postgres)
            before = postgres.rows("SELECT instance, sequence FROM tollgate.position")
            with following(postgres) as daemon:
                traffic = Traffic(daemon, seeded("second"))
                wait_for("said", lambda: "another journal" in daemon.log.read_text())
                calls(traffic, 0.2)
                self.assertEqual(postgres.rows("SELECT instance, sequence FROM tollgate.position"), before)

    # ---- The schema ----

    DOWNGRADE = """
        ALTER TABLE tollgate.call_records DROP COLUMN destination, DROP COLUMN destination_group;
        ALTER TABLE tollgate.audit DROP COLUMN hash;
        ALTER TABLE tollgate.position DROP COLUMN event_bytes, DROP COLUMN snapshot_bytes;
        DELETE FROM tollgate.schema_version WHERE version > 1;"""

    def test_an_older_schema_is_brought_up_to_date_with_its_rows(self):
        with Postgres() as postgres, following(postgres) as daemon:
            traffic = Traffic(daemon, seeded("schema"))
            calls(traffic, 0.3)
            records, _ = assert_same(daemon, postgres)
            daemon.stop()
            # As version 1 left it: what came later goes.
            postgres.sql(self.DOWNGRADE)
            self.assertEqual(postgres.value("SELECT count(*) FROM tollgate.call_records"), str(records))
            # While somebody reads for long: he is not waited for, and nobody waits behind us.
            reader = subprocess.Popen(
                [PSQL, "--no-psqlrc", "--quiet", f"--dbname={postgres.url}"], stdin=subprocess.PIPE,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            reader.stdin.write("BEGIN; SELECT 'in' FROM tollgate.call_records LIMIT 1;\n")
            reader.stdin.flush()
            while "in" not in reader.stdout.readline():
                pass
            daemon.restart()
            slowest = 0.0
            until = time.monotonic() + 3
            while time.monotonic() < until:
                slowest = max(slowest, self.seconds_to_read(postgres))
            self.assertLess(slowest, 1.5)  # Locks that are waited for 0.9 s.
            self.assertEqual(postgres.value("SELECT max(version) FROM tollgate.schema_version"), "1")
            reader.communicate("COMMIT;\n")
            wait_for("version 4", lambda: postgres.value("SELECT max(version) FROM tollgate.schema_version") == "4")
            calls(traffic, 0.2)
            self.assertGreater(assert_same(daemon, postgres)[0], records)
            wait_for("the index", lambda: self.is_indexed(postgres))
            self.assertIn("Index", postgres.psql(
                "SET enable_seqscan = off; EXPLAIN SELECT * FROM tollgate.call_records WHERE destination_group = 'x'"
                " AND ended >= now() - interval '1 day'"))

    @staticmethod
    def seconds_to_read(postgres):
        """As the server sees it: however long a client takes to start."""
        return float(postgres.value("SELECT extract(epoch FROM clock_timestamp() - statement_timestamp())"
                                    " FROM (SELECT count(*) FROM tollgate.call_records) AS counted"))

    @staticmethod
    def is_indexed(postgres):
        return postgres.rows("SELECT indisvalid FROM pg_index WHERE indexrelid ="
                             " to_regclass('tollgate.call_records_group_ended')") == [("t",)]

    @staticmethod
    @contextlib.contextmanager
    def reader(postgres, *statements):
        """Somebody who has done that and stays in his transaction until he is let go: end()."""
        process = subprocess.Popen([PSQL, "--no-psqlrc", "--quiet", f"--dbname={postgres.url}"], text=True,
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        process.stdin.write("\n".join(("BEGIN ISOLATION LEVEL REPEATABLE READ;", *statements, "SELECT 'in';\n")))
        process.stdin.flush()
        if not any(line.strip() == "in" for line in process.stdout):
            raise AssertionError("psql went away")
        end = lambda: process.poll() is None and process.communicate("COMMIT;\n")  # noqa: E731
        try:
            yield end
        finally:
            end()

    def test_nobody_waits_a_second_for_a_migration(self):
        """However many partitions there are, and whoever holds them one after the other."""
        with Postgres() as postgres, following(postgres, "stores.retry_longest=10s") as daemon:
            wait_until_level(daemon, postgres)
            daemon.stop()
            postgres.sql(self.DOWNGRADE)
            # In the order in which they are locked.
            [(first,), (second,), *_] = postgres.rows("SELECT inhrelid::regclass FROM pg_inherits WHERE inhparent ="
                                                      " 'tollgate.call_records'::regclass ORDER BY inhrelid")
            with self.reader(postgres, f"SELECT count(*) FROM {first};") as end_first, \
                    self.reader(postgres, f"SELECT count(*) FROM {second};") as end_second:
                daemon.launch()
                wait_for("the migration waits", lambda: postgres.value(
                    "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'tollgate'"
                    " AND wait_event_type = 'Lock'") == "1")
                threading.Timer(0.6, end_first).start()
                self.assertLess(self.seconds_to_read(postgres), 1.2)  # Locks that are waited for 0.9 s.
                end_second()
            daemon.wait_until_it_serves()
            wait_for("version 2", lambda: postgres.value("SELECT max(version) FROM tollgate.schema_version") != "1")

    def test_nothing_waits_for_an_index(self):
        """What reads for long holds the building up, which waits for it; calls come in meanwhile."""
        with Postgres() as postgres, following(postgres) as daemon:
            traffic = Traffic(daemon, seeded("index"))
            calls(traffic, 0.2)
            wait_until_level(daemon, postgres)
            daemon.stop()
            postgres.sql(self.DOWNGRADE)
            with self.reader(postgres, "SELECT count(*) FROM tollgate.tariffs;") as end:
                daemon.restart()
                wait_for("it is begun", lambda: postgres.value(
                    "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'CREATE INDEX CONCURRENTLY%'"
                    " AND wait_event_type = 'Lock'") == "1")
                calls(traffic, 0.2)
                assert_same(daemon, postgres)
                self.assertFalse(self.is_indexed(postgres))
                # Nor does the end of the daemon, which leaves it half done.
                began = time.monotonic()
                daemon.stop()
                self.assertLess(time.monotonic() - began, 10)
                end()
            daemon.restart()
            wait_for("the index", lambda: self.is_indexed(postgres))

    def test_a_newer_schema_is_refused(self):
        with Postgres() as postgres, following(postgres) as daemon:
            traffic = Traffic(daemon, seeded("newer"))
            wait_until_level(daemon, postgres)
            daemon.stop()
            postgres.sql("INSERT INTO tollgate.schema_version (version) VALUES (99)")
            before = position(postgres)
            daemon.restart()
            wait_for("said", lambda: "version 99" in daemon.log.read_text())
            self.assertIn("state=refused", daemon.info("stores")["store_postgresql"])
            calls(traffic, 0.2)  # They go on.
            self.assertEqual(position(postgres), before)
            postgres.sql("DELETE FROM tollgate.schema_version WHERE version = 99")
            daemon.stop()
            daemon.restart()
            assert_same(daemon, postgres)

    def test_two_at_once_make_the_tables_once(self):
        with Postgres() as postgres:
            daemons = [following(postgres) for _ in range(2)]
            starting = [threading.Thread(target=daemon.__enter__) for daemon in daemons]
            for thread in starting:
                thread.start()
            for thread in starting:
                thread.join()
            try:
                for daemon in daemons:
                    daemon.parties([{"id": "root", "kind": "provider", "currency": "EUR"}])
                wait_for("followed", lambda: position(postgres) > 0)
                wait_for("the other one leaves it alone", lambda: any(
                    "another journal" in daemon.log.read_text() for daemon in daemons))
                self.assertEqual(postgres.value("SELECT count(*) FROM tollgate.position"), "1")
            finally:
                for daemon in daemons:
                    daemon.__exit__(None)


if __name__ == "__main__":
    runner.main()
