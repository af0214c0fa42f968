#!/usr/bin/env python3
"""What stores behind the journal cost calls, and how fast they take what calls leave.

usage: bench/stores.py [ROUNDS [SECONDS]]      (7 rounds of 4 s)

A PostgreSQL and a Redis of the bench's own on the same machine, for the last two with Debian's settings. Three
questions:
1. p99 of decisions at 2,000 commands a second, in turns: a daemon without stores; the same while the stores of another
   are killed, stopped and wiped on its machine; that other one. Medians and their ratios. The stores' files are in
   memory, as if they had a disk of their own: a journal that shares its disk waits for whatever else is written there,
   whoever writes it.
2. The highest rate of pairs (AUTHORIZE, STOP) at which neither store is ever 2 s behind.
3. Calls that PostgreSQL has not: how fast it takes them, against psql's binary \\copy of the same rows into tables
   with the same partitions and indexes. Both begin behind a checkpoint, on a server that has made the files of its WAL
   already. What is put off until PostgreSQL is level, a snapshot of the journal, is timed on its own.
"""

import json
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests/support"))

from daemon import Daemon  # noqa: E402
from stores import Postgres, Redis, Server  # noqa: E402

LOAD = ROOT / "build/release/tollgate-load"
MEMORY = Path("/dev/shm")
DISK = ("fsync=on", "shared_buffers=128MB", "max_wal_size=1GB")  # As Debian sets them.
CUSTOMERS = 1_000
QUIET_RATE = 2_000
PAIR_RATES = (1_000, 2_000, 5_000, 10_000, 15_000, 20_000, 30_000)
LAG_MAX_MS = 2_000
LEVEL_SECONDS = 600
RAW = (("psql", "tollgate", "\\copy"), ("the server", "postgres", "COPY"))  # Who copies, as which user, by what.
BACKLOG_SECONDS = 10
WARM_ROWS = 1_500_000  # Of a kilobyte: more than max_wal_size.


def build_world(daemon):
    daemon.tariff("wholesale", {}, "prefix,rate_per_minute\n49,0.06\n")
    daemon.tariff("retail", {}, "prefix,rate_per_minute\n49,0.6\n")
    parties = [{"id": "root", "kind": "provider", "currency": "EUR"},
               {"id": "north", "kind": "reseller", "parent": "root", "terms": "margin", "tariff": "wholesale"}]
    for customer in range(CUSTOMERS):
        parties += [{"id": f"c{customer}", "kind": "customer", "parent": "north", "tariff": "retail"},
                    {"id": f"l{customer}", "kind": "line", "parent": f"c{customer}"}]
    daemon.parties(parties)
    daemon.topups({"north": 10**15, **{f"c{customer}": 10**12 for customer in range(CUSTOMERS)}})


def load(daemon, seconds, commands_a_second):
    """Pairs of AUTHORIZE and STOP by tollgate-load; 0: as many as are answered, 2 in flight on a connection."""
    how = ["--rate", str(commands_a_second // 2)] if commands_a_second else ["--saturate", "2"]
    done = subprocess.run(
        [LOAD, "--connect", f"127.0.0.1:{daemon.resp_port}", "--pair", "--want", "60s", "--lengths", "60s",
         "--lines", f"l{{0..{CUSTOMERS - 1}}}", "--numbers", "4930{000000..000999}", "--for", f"{seconds}s", *how,
         "--json", "-", "--quiet"], check=True, capture_output=True, text=True)
    figures = json.loads(done.stdout)
    assert figures["refused"] == 0 and figures["good"], figures
    return figures


def stores_of(daemon):
    """{name: {"state": …, "lag_ms": …}} as INFO says."""
    return {name.removeprefix("store_"): dict(pair.split("=", 1) for pair in line.split(","))
            for name, line in daemon.info("stores").items() if "=" in line and line.startswith("state=")}


def wait_until_level(daemon):
    begun = time.monotonic()
    while any(store["state"] != "following" or store["lag_events"] != "0" for store in stores_of(daemon).values()):
        assert time.monotonic() - begun < LEVEL_SECONDS, stores_of(daemon)
        time.sleep(0.05)
    return time.monotonic() - begun


def hurt_in_turns(postgres, redis, stop):
    while not stop.is_set():
        for store, what in ((postgres, "stop"), (redis, "kill"), (postgres, "kill"), (redis, "stop"), (redis, "wipe"),
                            (postgres, "wipe")):
            if stop.wait(0.4):
                return
            if what == "stop":
                store.stop()
                stop.wait(0.4)
                store.cont()
            elif what == "kill":
                store.kill()
                store.start()
            else:
                store.wipe()


def decisions(folder, rounds, seconds):
    print(f"## p99 of commands, {QUIET_RATE} a second, medians of {rounds} rounds of {seconds} s\n")
    Server.within = MEMORY if MEMORY.is_dir() else None
    late = {"without stores": [], "without stores, beside stores that are hurt": [], "with stores that are hurt": []}
    with Postgres() as postgres, Redis("--appendonly", "yes") as redis, \
            Daemon(f"journal.dir={folder}/without") as without, \
            Daemon(f"journal.dir={folder}/with", f"postgres.url={postgres.url}", f"redis.url={redis.url}",
                   "postgres.timeout=2s", "redis.timeout=1s", "stores.retry_longest=500ms") as followed:
        for daemon in (without, followed):
            build_world(daemon)
            load(daemon, 1, QUIET_RATE)
        for _ in range(rounds):
            for name, daemon in zip(late, (without, without, followed)):
                wait_until_level(followed)
                stop = threading.Event()
                hurting = threading.Thread(target=hurt_in_turns, args=(postgres, redis, stop))
                if "hurt" in name:
                    hurting.start()
                late[name].append(load(daemon, seconds, QUIET_RATE)["latency"]["p99_us"])
                stop.set()
                if "hurt" in name:
                    hurting.join()
        wait_until_level(followed)
    Server.within = None
    alone, beside, behind = (statistics.median(values) for values in late.values())
    for name, values in late.items():
        print(f"| {name} | {statistics.median(values):.0f} us | {min(values):.0f} to {max(values):.0f} |")
    print(f"\nratio {behind / beside:.2f} to the same daemon without them on the same machine (at most 1.5), "
          f"{behind / alone:.2f} to a quiet machine\n", flush=True)


def sustained(folder, seconds):
    print(f"## Pairs a second with journal, PostgreSQL and Redis, {seconds} s each\n")
    with Postgres(*DISK) as postgres, Redis("--appendonly", "yes") as redis, \
            Daemon(f"journal.dir={folder}/sustained", f"postgres.url={postgres.url}",
                   f"redis.url={redis.url}") as daemon:
        build_world(daemon)
        wait_until_level(daemon)
        for rate in PAIR_RATES:
            worst = {}
            stop = threading.Event()

            def look():
                client = daemon.connect()
                while not stop.wait(0.1):
                    lines = client.call("INFO", "stores").split("\r\n")
                    for line in lines:
                        if ":state=" in line:
                            name, pairs = line.split(":", 1)
                            lag = int(dict(pair.split("=", 1) for pair in pairs.split(","))["lag_ms"])
                            worst[name] = max(worst.get(name, 0), lag)

            looking = threading.Thread(target=look)
            looking.start()
            figures = load(daemon, seconds, 2 * rate)
            stop.set()
            looking.join()
            print(f"| {rate} | {figures['rate'] / 2:.0f} done | p99 {figures['latency']['p99_us']:.0f} us | "
                  + ", ".join(f"{name.removeprefix('store_')} {lag} ms behind" for name, lag in sorted(worst.items()))
                  + " |", flush=True)
            wait_until_level(daemon)
            if max(worst.values()) >= LAG_MAX_MS:
                break
    print()


def warm(postgres):
    """As a server is that has run for a while: it writes over the files of its WAL, and need not make them."""
    postgres.psql(f"CREATE TABLE warm AS SELECT repeat('x', 1000) FROM generate_series(1, {WARM_ROWS})", "postgres")
    postgres.psql("DROP TABLE warm", "postgres")
    postgres.psql("CHECKPOINT", "postgres")


def backlog(folder):
    with Postgres(*DISK) as postgres, Daemon(f"journal.dir={folder}/backlog", f"postgres.url={postgres.url}",
                                                  "stores.retry_first=50ms", "stores.retry_longest=100ms") as daemon:
        build_world(daemon)
        wait_until_level(daemon)
        before = int(postgres.value("SELECT count(*) FROM tollgate.call_legs"))
        warm(postgres)
        postgres.stop()
        load(daemon, BACKLOG_SECONDS, 0)
        postgres.cont()
        took = wait_until_level(daemon)
        put_off = snapshot(daemon, postgres)
        records = int(postgres.value("SELECT count(*) FROM tollgate.call_records"))
        legs = int(postgres.value("SELECT count(*) FROM tollgate.call_legs")) - before
        # The same rows by nothing but COPY: by psql, and by the server, which reads them from a file.
        raw = {who: 0.0 for who, _, _ in RAW}
        for table in ("call_records", "call_legs"):
            file = postgres.folder / f"{table}.copy"
            postgres.psql(f"COPY (SELECT * FROM tollgate.{table}) TO '{file}' WITH (FORMAT binary)", "postgres")
            partitions = postgres.rows(
                "SELECT relname, pg_get_expr(relpartbound, oid) FROM pg_inherits JOIN pg_class ON oid = inhrelid"
                f" WHERE inhparent = 'tollgate.{table}'::regclass")
            for number, (who, user, copy) in enumerate(RAW):
                into = f"raw{number}_{table}"
                postgres.psql(f"CREATE TABLE tollgate.{into} (LIKE tollgate.{table} INCLUDING ALL)"
                              " PARTITION BY RANGE (ended);")
                for partition, bounds in partitions:
                    postgres.psql(
                        f"CREATE TABLE tollgate.raw{number}_{partition} PARTITION OF tollgate.{into} {bounds}")
                postgres.psql("CHECKPOINT", "postgres")
                begun = time.monotonic()
                postgres.psql(f"{copy} tollgate.{into} FROM '{file}' WITH (FORMAT binary)", user)
                raw[who] += time.monotonic() - begun
                postgres.psql(f"DROP TABLE tollgate.{into}")
    print(f"## {records} call records with {legs} legs that PostgreSQL had not\n")
    rows = records + legs
    print(f"| taken, with sessions, balances and the journal itself | {took:.1f} s | {rows / took:.0f} rows/s |")
    print(f"| the snapshot that was put off | {put_off:.1f} s | |")
    for who, seconds in raw.items():
        print(f"| raw binary COPY of these rows alone, by {who} | {seconds:.1f} s | {rows / seconds:.0f} rows/s |")
    print(f"\nratio {raw['psql'] / took:.2f} (at least 0.8), beside the server's own reading "
          f"{raw['the server'] / took:.2f}", flush=True)


def snapshot(daemon, postgres):
    """How long it takes with the next call. There is one: more events are there than one may be put off for."""
    count = "SELECT count(*) FROM tollgate.journal_snapshots"
    before = postgres.value(count)
    daemon.resp.call("AUTHORIZE", "l0", "4930123", "snapshot")
    daemon.resp.call("STOP", "snapshot", "1")
    took = wait_until_level(daemon)
    return took if postgres.value(count) != before else 0.0


def main(rounds=7, seconds=4):
    with tempfile.TemporaryDirectory(prefix="tollgate-stores-") as name:
        folder = Path(name)
        decisions(folder, rounds, seconds)
        sustained(folder, seconds + 4)
        backlog(folder)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
