#!/usr/bin/env python3
"""What stores behind the journal cost calls, and how fast they take what calls leave.

usage: bench/stores.py [--rounds 7] [--seconds 4] [--only decisions,sustained,backlog] [--rates 1000,2000,…]
                       [--sustained-seconds 8] [--backlog-seconds 10] [--json FILE]

A PostgreSQL and a Redis of the bench's own on the same machine, for the last two with Debian's settings. Three
questions:
decisions: p99 at 2,000 commands a second for `--seconds`, in turns: a daemon without stores; the same while the stores of
  another are killed, stopped and wiped; that other one. Medians and their ratios. Daemons and the load have one processor
  and the stores the others, with their files in memory, as if they had a machine of their own: a journal that shares its
  disk waits for whatever else is written there, and a worker that shares its processor for whatever is in the kernel
  there, whoever it is.
sustained: the highest of `--rates`, in pairs (AUTHORIZE, STOP) a second, that is answered for `--sustained-seconds` while
  neither store is ever 2 s behind.
backlog: calls that PostgreSQL has not, as many as are made in `--backlog-seconds`: how fast it takes them, against psql's
  binary \\copy of the same rows into tables with the same partitions and indexes. Both begin behind a checkpoint, on a
  server that has made the files of its WAL already. What is put off until PostgreSQL is level, a snapshot of the journal,
  is timed on its own. Once a round, with stores and a daemon of its own.
"""

import argparse
import sys
import tempfile
import threading
import time
from pathlib import Path

from measuring import GENERATOR, SERVER, Results, has_postgres, has_redis, load, text_of
from daemon import Daemon
from stores import Postgres, Redis, Server

MEMORY = Path("/dev/shm")
DISK = ("fsync=on", "shared_buffers=128MB", "max_wal_size=1GB")  # As Debian sets them.
CUSTOMERS = 1_000
QUIET_RATE = 2_000
PAIR_RATES = (1_000, 2_000, 5_000, 10_000, 15_000, 20_000, 30_000)
LAG_MAX_MS = 2_000
ANSWERED_LEAST = 0.99  # Of what was to be, for a rate that counts; calls end beyond the run.
LOOK_SECONDS = 0.1  # How often lag is looked at.
LEVEL_SECONDS = 600
RAW = (("psql", "tollgate", "\\copy"), ("the server", "postgres", "COPY"))  # Who copies, as which user, by what.
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


def pairs(daemon, seconds, commands_a_second, before=()):
    """Of AUTHORIZE and STOP; 0: as many as are answered, 2 in flight on a connection."""
    how = ["--rate", commands_a_second // 2] if commands_a_second else ["--saturate", 2]
    return load(daemon.resp_port, seconds, "--pair", "--want", "60s", "--lengths", "60s", "--lines",
                f"l{{0..{CUSTOMERS - 1}}}", "--numbers", "4930{000000..000999}", *how, before=before)


def stores_of(daemon, client=None):
    """{name: {"state": …, "lag_ms": …}} as INFO says. `client`: whose connection asks, where it is another thread."""
    lines = (client or daemon.resp).call("INFO", "stores").split("\r\n")
    named = (line.split(":", 1) for line in lines if ":state=" in line)
    return {name.removeprefix("store_"): dict(pair.split("=", 1) for pair in line.split(",")) for name, line in named}


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


def decisions(folder, options, results):
    rounds, seconds = options.rounds, options.seconds
    print(f"## p99 of commands, {QUIET_RATE} a second, medians of {rounds} rounds of {seconds:g} s\n")
    Server.within = MEMORY if MEMORY.is_dir() else None
    Server.before, Daemon.before = GENERATOR, SERVER
    late = {"without stores": [], "without stores, beside stores that are hurt": [], "with stores that are hurt": []}
    with Postgres() as postgres, Redis("--appendonly", "yes") as redis, \
            Daemon(f"journal.dir={folder}/without") as without, \
            Daemon(f"journal.dir={folder}/with", f"postgres.url={postgres.url}", f"redis.url={redis.url}",
                   "postgres.timeout=2s", "redis.timeout=1s", "stores.retry_longest=500ms") as followed:
        for daemon in (without, followed):
            build_world(daemon)
            pairs(daemon, 1, QUIET_RATE, SERVER)
        for _ in range(rounds):
            for name, daemon in zip(late, (without, without, followed)):
                wait_until_level(followed)
                stop = threading.Event()
                hurting = threading.Thread(target=hurt_in_turns, args=(postgres, redis, stop))
                if "hurt" in name:
                    hurting.start()
                late[name].append(pairs(daemon, seconds, QUIET_RATE, SERVER)["latency"]["p99_us"])
                stop.set()
                if "hurt" in name:
                    hurting.join()
        wait_until_level(followed)
    Server.within, Server.before, Daemon.before = None, (), ()
    alone, beside, behind = late.values()
    for name, values in late.items():
        print(f"| {name} | {text_of(results.figure(f'p99 of a daemon {name}', values, 'us', 'synced'), '.0f')} us |")
    for what, others in (("the same daemon without them on the same machine (at most 1.5)", beside),
                         ("a quiet machine", alone)):
        found = results.ratio(f"p99 with stores / {what}", [with_them / without for with_them, without in
                                                            zip(behind, others)], "synced")
        print(f"ratio to {what}: {text_of(found)}", flush=True)
    print()


class LagWatch:
    """Looks how far each store is behind while the body of a `with` runs: `worst`, in milliseconds."""

    def __init__(self, daemon):
        self.daemon, self.worst = daemon, {}

    def __enter__(self):
        self.client, self.stop = self.daemon.connect(), threading.Event()
        self.thread = threading.Thread(target=self.look)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stop.set()
        self.thread.join()

    def look(self):
        while not self.stop.wait(LOOK_SECONDS):
            for name, store in stores_of(self.daemon, self.client).items():
                self.worst[name] = max(self.worst.get(name, 0), int(store["lag_ms"]))


def sustained(folder, options, results):
    seconds = options.sustained_seconds
    print(f"## Pairs a second with journal, PostgreSQL and Redis, {seconds:g} s each\n")
    highest = 0
    with Postgres(*DISK) as postgres, Redis("--appendonly", "yes") as redis, \
            Daemon(f"journal.dir={folder}/sustained", f"postgres.url={postgres.url}",
                   f"redis.url={redis.url}") as daemon:
        build_world(daemon)
        wait_until_level(daemon)
        for rate in options.rates:
            with LagWatch(daemon) as watch:
                figures = pairs(daemon, seconds, 2 * rate)
            done, behind = figures["rate"] / 2, max(watch.worst.values())
            print(f"| {rate} | {done:.0f} done | p99 {figures['latency']['p99_us']:.0f} us | "
                  + ", ".join(f"{name} {lag} ms behind" for name, lag in sorted(watch.worst.items())) + " |", flush=True)
            results.figure("lag of the store furthest behind", [behind], "ms", "synced", "pairs/s", rate)
            wait_until_level(daemon)
            if behind >= LAG_MAX_MS or done < ANSWERED_LEAST * rate:
                break
            highest = rate
    # 0 where the least was too much.
    results.figure("sustained pairs", [highest], "pairs/s", "synced")
    print()


def warm(postgres):
    """As a server is that has run for a while: it writes over the files of its WAL, and need not make them."""
    postgres.psql(f"CREATE TABLE warm AS SELECT repeat('x', 1000) FROM generate_series(1, {WARM_ROWS})", "postgres")
    postgres.psql("DROP TABLE warm", "postgres")
    postgres.psql("CHECKPOINT", "postgres")


def snapshot(daemon, postgres):
    """Seconds that it takes with the next call; None where none was due."""
    count = "SELECT count(*) FROM tollgate.journal_snapshots"
    before = postgres.value(count)
    daemon.resp.call("AUTHORIZE", "l0", "4930123", "snapshot")
    daemon.resp.call("STOP", "snapshot", "1")
    took = wait_until_level(daemon)
    return took if postgres.value(count) != before else None


def raw_copy(postgres):
    """{who: seconds} that nothing but COPY of the same rows takes: by psql, and by the server, which reads a file."""
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
                postgres.psql(f"CREATE TABLE tollgate.raw{number}_{partition} PARTITION OF tollgate.{into} {bounds}")
            postgres.psql("CHECKPOINT", "postgres")
            begun = time.monotonic()
            postgres.psql(f"{copy} tollgate.{into} FROM '{file}' WITH (FORMAT binary)", user)
            raw[who] += time.monotonic() - begun
            postgres.psql(f"DROP TABLE tollgate.{into}")
    return raw


def backlog_once(folder, seconds):
    """(rows, seconds that they took, those of the snapshot, {who: seconds of the bare COPY})."""
    with Postgres(*DISK) as postgres, Daemon(f"journal.dir={folder}", f"postgres.url={postgres.url}",
                                             "stores.retry_first=50ms", "stores.retry_longest=100ms") as daemon:
        build_world(daemon)
        wait_until_level(daemon)
        before = int(postgres.value("SELECT count(*) FROM tollgate.call_legs"))
        warm(postgres)
        postgres.stop()
        pairs(daemon, seconds, 0)
        postgres.cont()
        took = wait_until_level(daemon)
        put_off = snapshot(daemon, postgres)
        records = int(postgres.value("SELECT count(*) FROM tollgate.call_records"))
        legs = int(postgres.value("SELECT count(*) FROM tollgate.call_legs")) - before
        print(f"{records} call records with {legs} legs that PostgreSQL had not: {took:.1f} s", file=sys.stderr, flush=True)
        return records + legs, took, put_off, raw_copy(postgres)


def backlog(folder, options, results):
    print(f"## Call records that PostgreSQL had not, of {options.backlog_seconds:g} s\n")
    found = [backlog_once(folder / f"backlog-{number}", options.backlog_seconds) for number in range(options.rounds)]
    taken = results.figure("call records and legs taken", [rows / took for rows, took, _, _ in found], "rows/s", "synced")
    print(f"| taken, with sessions, balances and the journal itself | {text_of(taken, ',.0f')} rows/s |")
    if snapshots := [put_off for _, _, put_off, _ in found if put_off is not None]:
        seconds = results.figure("snapshot put off until PostgreSQL is level", snapshots, "s", "synced")
        print(f"| the snapshot that was put off, {len(snapshots)} times | {text_of(seconds, '.1f')} s |")
    for who, _, _ in RAW:
        copied = results.figure(f"raw binary COPY by {who}", [rows / raw[who] for rows, _, _, raw in found], "rows/s")
        print(f"| raw binary COPY of these rows alone, by {who} | {text_of(copied, ',.0f')} rows/s |")
    for who, _, _ in RAW:
        share = results.ratio(f"call records taken / COPY by {who}", [raw[who] / took for _, took, _, raw in found], "synced")
        print(f"ratio to {who}: {text_of(share)}", flush=True)


QUESTIONS = {"decisions": decisions, "sustained": sustained, "backlog": backlog}


def main():
    command = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    command.add_argument("--rounds", type=int, default=7)
    command.add_argument("--seconds", type=float, default=4)
    command.add_argument("--only", type=lambda text: text.split(","), default=list(QUESTIONS))
    command.add_argument("--rates", type=lambda text: [int(word) for word in text.split(",")], default=PAIR_RATES)
    command.add_argument("--sustained-seconds", type=float, default=8)
    command.add_argument("--backlog-seconds", type=float, default=10)
    command.add_argument("--json")
    options = command.parse_args()
    for name in options.only:
        if name not in QUESTIONS:
            command.error(f"--only: there is no '{name}'; there are {', '.join(QUESTIONS)}")
    results = Results()
    if has_postgres() and has_redis():
        with tempfile.TemporaryDirectory(prefix="tollgate-stores-") as name:
            for question in options.only:
                QUESTIONS[question](Path(name), options, results)
    else:
        results.skip("stores: postgresql and redis-server are needed, and one of them is not installed")
    results.write(options.json)


if __name__ == "__main__":
    main()
