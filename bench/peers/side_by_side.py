#!/usr/bin/env python3
"""The daemon beside what a user would take instead, on this machine, one after the other in every round.

usage: bench/peers/side_by_side.py [--rounds 5] [--seconds 3] [--depths 1,16,64] [--prefixes FILE] [--json FILE]
       bench/peers/side_by_side.py --check

The pair mix is half AUTHORIZE, half STOP: 100,000 lines below 1,000 resellers below one shared parent, three paying
levels with a deck of 250,000 prefixes each, 50 connections, P commands in flight on each.

  none, written, synced   tollgated without a journal; answering once the kernel, or the disk, has the events
  get                     Redis GET of 100,000 keys: what one look into a store in memory costs
  script                  Redis doing the same work in a script: rating.lua
  postgres                PostgreSQL doing it in two functions, synchronous_commit on: rating.sql, by pgbench

All but PostgreSQL are asked by tollgate-load. The server has processor 0, the generator the others. `--prefixes` names
a file with a prefix at the beginning of each line; without it they are invented. Medians of the rounds, ratios of the
medians, and the least and greatest ratio of a round.

--check runs 300 calls through all three instead, and compares what each grants and charges.
"""

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
from bisect import bisect_left
from itertools import accumulate
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path.insert(0, str(ROOT / "tests/support"))

from daemon import Daemon  # noqa: E402
from stores import Postgres, Redis, Server  # noqa: E402
from wire import RespClient, micros  # noqa: E402

LOAD = ROOT / "build/release/tollgate-load"
LINES, RESELLERS, PREFIXES, NUMBERS = 100_000, 1_000, 250_000, 200_000
PREFIX_LONGEST = 9
CONNECTIONS = 50
PAIRS = 200_000           # In the file of the script, each connection going through its own part over and over.
WANT_SECONDS, TALK_SECONDS_MAX = 300, 300
LEVELS = (100, 90, 80)    # Per cent of the customer's price.
INCREMENTS = ((1, 1), (60, 1), (30, 6), (6, 6), (60, 60))
FUNDS_NANOS = 4 * 10**15
PG_CLIENTS = 8
MODES = ("none", "written", "synced")
# What is divided by what, and what the least is that the project wants at P = 1, 16, 64.
RATIOS = (("written", "get", (1.0, 2.0, 2.5)), ("synced", "get", (0.8, 1.6, 2.0)), ("written", "script", (5, 50, 60)),
          ("synced", "none", (0.75, 0.85, 0.85)), ("synced", "postgres", (35, 400, None)))
SERVER = ("taskset", "-c", "0")
GENERATOR = ["taskset", "-c", f"1-{(os.cpu_count() or 1) - 1}"] if (os.cpu_count() or 1) > 1 else []


# ---- The world ----

def some_prefixes(file):
    draw = random.Random(20261122)
    if file:
        found = {line.split(",")[0].strip() for line in open(file)}
        found = sorted(prefix for prefix in found if prefix.isdigit() and len(prefix) <= PREFIX_LONGEST)
        short = [prefix for prefix in found if len(prefix) <= 5]
        long = [prefix for prefix in found if len(prefix) > 5]
        draw.shuffle(long)
        return sorted((short + long)[:PREFIXES])
    known = [str(digit) for digit in range(1, 10)]
    seen = set(known)
    while len(known) < PREFIXES:
        # Most lie below one that is there already, as area codes below countries do.
        prefix = draw.choice(known) + str(draw.randrange(1_000))[:draw.randint(1, 3)]
        if len(prefix) <= PREFIX_LONGEST and prefix not in seen:
            seen.add(prefix)
            known.append(prefix)
    return sorted(known)


class World:
    """Decks of nano-units a second, and numbers to dial: few prefixes get most calls."""

    def __init__(self, file):
        draw = random.Random(7)
        prefixes = some_prefixes(file)
        self.decks = [[], [], []]
        for prefix in prefixes:
            rate, setup = draw.randrange(50_000, 5_000_000), draw.choice((0, 0, 0, 10_000_000))
            first, step = draw.choice(INCREMENTS)
            for deck, share in zip(self.decks, LEVELS):
                deck.append((prefix, rate * share // 100, setup * share // 100, first, step))
        draw.shuffle(prefixes)
        weights = list(accumulate(1 / (place + 1) for place in range(len(prefixes))))
        self.numbers = []
        for _ in range(NUMBERS):
            prefix = prefixes[bisect_left(weights, draw.random() * weights[-1])]
            digits = max(12, len(prefix) + 4) - len(prefix)
            self.numbers.append(prefix + "".join(draw.choices("0123456789", k=digits)))


def fill_daemon(daemon, world):
    for level, deck in enumerate(world.decks, 1):
        rows = "".join(f"{prefix},{rate * 60 / 10**9:.9f},{setup / 10**9:.9f},{first},{step}\n"
                       for prefix, rate, setup, first, step in deck)
        daemon.tariff(f"deck{level}", {"decimals": 6},
                      "prefix,rate_per_minute,connect_fee,initial_increment,increment\n" + rows)
    funds = str(FUNDS_NANOS // 10**9)
    parties = [{"id": "provider", "kind": "provider", "currency": "EUR"},
               {"id": "shared", "kind": "reseller", "parent": "provider", "tariff": "deck3", "credit_limit": funds}]
    parties += [{"id": f"r{i}", "kind": "reseller", "parent": "shared", "tariff": "deck2", "credit_limit": funds}
                for i in range(RESELLERS)]
    for i in range(LINES):
        parties += [{"id": f"c{i}", "kind": "customer", "parent": f"r{i % RESELLERS}", "tariff": "deck1",
                     "credit_limit": funds}, {"id": f"u{i}", "kind": "line", "parent": f"c{i}"}]
    daemon.parties(parties)


def party_rows():
    """(number, parent, level) of all who pay: the shared parent 1, resellers from 2 on, customers behind them."""
    yield 1, None, 3
    for reseller in range(RESELLERS):
        yield 2 + reseller, 1, 2
    for line in range(LINES):
        yield customer_of(line), 2 + line % RESELLERS, 1


def customer_of(line):
    return 2 + RESELLERS + line


def feed_redis(redis, commands):
    """Commands as lists of words, by the bulk interface."""
    encoded = []
    for words in commands:
        encoded.append(f"*{len(words)}\r\n" + "".join(f"${len(str(word))}\r\n{word}\r\n" for word in words))
    done = subprocess.run(["redis-cli", "-p", str(redis.port), "--pipe"], input="".join(encoded), text=True,
                          capture_output=True, check=True)
    assert "errors: 0" in done.stdout, done.stdout


def fill_redis(redis, world):
    feed_redis(redis, (["SET", f"k:{i:012d}", "0123456789"] for i in range(LINES)))
    for level, deck in enumerate(world.decks, 1):
        feed_redis(redis, (["HSET", f"deck:{level}", prefix, f"{rate} {setup} {first} {step}"]
                           for prefix, rate, setup, first, step in deck))
    feed_redis(redis, (["HSET", f"party:{number}", "balance", FUNDS_NANOS, "held", 0, "deck", level]
                       + ([] if parent is None else ["parent", parent]) for number, parent, level in party_rows()))
    return redis.call("SCRIPT", "LOAD", (HERE / "rating.lua").read_text())


def fill_postgres(postgres, world):
    postgres.psql((HERE / "rating.sql").read_text())

    def copy(table, rows):
        text = "".join("\t".join("\\N" if value is None else str(value) for value in row) + "\n" for row in rows)
        postgres.psql(f"COPY {table} FROM STDIN;\n{text}\\.\n")

    for level, deck in enumerate(world.decks, 1):
        copy("deck_row", ((level, *row) for row in deck))
    copy("party (id, parent, deck, balance)",
         ((number, parent, level, FUNDS_NANOS) for number, parent, level in party_rows()))
    copy("dialled", enumerate(world.numbers, 1))
    postgres.psql("VACUUM ANALYZE")


# ---- One measurement each: commands a second ----

def load(port, options, seconds, depth):
    done = subprocess.run([*GENERATOR, LOAD, "--connect", f"127.0.0.1:{port}", "--connections", str(CONNECTIONS),
                           "--saturate", str(depth), "--for", f"{seconds}s", "--json", "-", "--quiet", *options],
                          capture_output=True, text=True)
    assert done.returncode == 0, done.stderr + done.stdout[-2_000:]
    figures = json.loads(done.stdout)
    assert figures["refused"] == 0, figures["refused_by_code"]
    return {"ops": figures["rate"], "p50_us": figures["latency"]["p50_us"], "p99_us": figures["latency"]["p99_us"]}


def pgbench(postgres, script, seconds):
    program = postgres.programs("pgbench")[-1]
    done = subprocess.run([*GENERATOR, program, "-h", "127.0.0.1", "-p", str(postgres.port), "-U", "tollgate", "-n",
                           "-M", "prepared", "-c", str(PG_CLIENTS), "-j", "1", "-T", str(seconds), "-f", str(script),
                           "tollgate"], capture_output=True, text=True, check=True)
    pairs = next(float(line.split("=")[1].split()[0]) for line in done.stdout.splitlines() if line.startswith("tps"))
    return {"ops": 2 * pairs}


# ---- Whether all do the same work ----

def check(daemon, redis, postgres, sha, world, count=300):
    draw = random.Random(11)
    switch, store = daemon.connect(), RespClient(redis.port)
    for i in range(count):
        line, number = draw.randrange(LINES), draw.choice(world.numbers)
        used = draw.randint(0, TALK_SECONDS_MAX)
        ours = switch.call("AUTHORIZE", f"u{line}", number, f"check-{i}", "WANT", str(WANT_SECONDS))
        theirs = store.call("EVALSHA", sha, "0", "AUTHORIZE", f"check-{i}", str(customer_of(line)), number,
                            str(WANT_SECONDS))
        opened, granted = postgres.rows(f"SELECT * FROM authorize({customer_of(line)}, '{number}', {WANT_SECONDS})")[0]
        assert ours.code == "OK" and int(ours.figure) == int(theirs[1]) == int(granted), (number, ours, theirs, granted)
        used = min(used, int(granted))
        charged = switch.call("STOP", f"check-{i}", str(used))
        nanos = int(store.call("EVALSHA", sha, "0", "STOP", f"check-{i}", str(used))[1])
        assert nanos == int(postgres.value(f"SELECT stop({opened}, {used})")), (number, used)
        # Ours rounds up to the tariff's places.
        assert micros(charged.figure) == -(-nanos // 1_000), (number, used, charged, nanos)
    print(f"{count} calls: tollgate, the script of Redis and the functions of PostgreSQL grant and charge the same")


def measure(daemons, redis, postgres, sha, world, options, folder):
    draw = random.Random(5)
    gets, script, bench = folder / "gets", folder / "script", folder / "pairs.sql"
    gets.write_text("".join(f"GET k:{draw.randrange(LINES):012d}\n" for _ in range(LINES)))
    with open(script, "w") as file:
        for pair in range(PAIRS):
            call = f"{pair:06d}-{{pass}}"
            line, number = customer_of(draw.randrange(LINES)), draw.choice(world.numbers)
            file.write(f"EVALSHA {sha} 0 AUTHORIZE {call} {line} {number} {WANT_SECONDS}\n"
                       f"EVALSHA {sha} 0 STOP {call} {draw.randint(1, TALK_SECONDS_MAX)}\n")
    bench.write_text(f"\\set line random({customer_of(0)}, {customer_of(LINES - 1)})\n"
                     f"\\set place random(1, {NUMBERS})\n"
                     f"\\set used random(1, {TALK_SECONDS_MAX})\n"
                     "SELECT opened FROM authorize(:line, (SELECT number FROM dialled WHERE id = :place), "
                     f"{WANT_SECONDS}) \\gset\nSELECT stop(:opened, :used);\n")
    numbers = folder / "numbers"
    numbers.write_text("\n".join(world.numbers) + "\n")
    pair = ["--pair", "--lines", f"u{{0..{LINES - 1}}}", "--numbers", f"@{numbers}", "--want", f"{WANT_SECONDS}s",
            "--lengths", f"1s..{TALK_SECONDS_MAX - 1}s"]
    figures = []  # Of each round: {(system, P): figures}.
    for number in range(1, options.rounds + 1):
        taken = {}
        for depth in options.depths:
            taken["get", depth] = load(redis.port, ["--commands", gets], options.seconds, depth)
            for mode in MODES:
                taken[mode, depth] = load(daemons[mode].resp_port, pair, options.seconds, depth)
            taken["script", depth] = load(redis.port, ["--commands", script], options.seconds, depth)
            # pgbench knows no P: one figure for all.
            taken["postgres", depth] = (taken["postgres", options.depths[0]] if depth != options.depths[0] else
                                        pgbench(postgres, bench, options.seconds))
        print(f"round {number} of {options.rounds}: " + ", ".join(
            f"P={depth} " + " ".join(f"{name} {taken[name, depth]['ops']:.0f}" for name in
                                     ("get", *MODES, "script", "postgres")) for depth in options.depths),
              file=sys.stderr, flush=True)
        figures.append(taken)
    return figures


def report(figures, options):
    names = ("get", *MODES, "script", "postgres")
    middle = {key: {name: statistics.median(taken[key][name] for taken in figures) for name in figures[0][key]}
              for key in figures[0]}
    print("| P | " + " | ".join(f"{name}, ops/s" for name in names) + " |")
    print("| --- |" + " --- |" * len(names))
    for depth in options.depths:
        print(f"| {depth} | " + " | ".join(f"{middle[name, depth]['ops']:,.0f}" for name in names) + " |")
    print("\n| ratio | " + " | ".join(f"P={depth}" for depth in options.depths) + " |")
    print("| --- |" + " --- |" * len(options.depths))
    ratios = {}
    for over, under, _ in RATIOS:
        cells = []
        for depth in options.depths:
            of_rounds = [taken[over, depth]["ops"] / taken[under, depth]["ops"] for taken in figures]
            ratio = middle[over, depth]["ops"] / middle[under, depth]["ops"]
            ratios[f"{over} / {under}, P={depth}"] = {
                "ratio": ratio, "least": min(of_rounds), "greatest": max(of_rounds)}
            cells.append(f"{ratio:.2f} ({min(of_rounds):.2f} to {max(of_rounds):.2f})")
        print(f"| {over} / {under} | " + " | ".join(cells) + " |")
    print("\n| p99, µs | " + " | ".join(f"P={depth}" for depth in options.depths) + " |")
    print("| --- |" + " --- |" * len(options.depths))
    for name in ("get", *MODES, "script"):
        print(f"| {name} | " + " | ".join(f"{middle[name, depth]['p99_us']:,.0f}" for depth in options.depths) + " |")
    if options.json:
        Path(options.json).write_text(json.dumps({
            "rounds": options.rounds, "seconds": options.seconds, "connections": CONNECTIONS, "lines": LINES,
            "prefixes": PREFIXES, "figures": {f"{name}, P={depth}": value for (name, depth), value in middle.items()},
            "ratios": ratios}, indent=2) + "\n")


def main():
    command = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    command.add_argument("--rounds", type=int, default=5)
    command.add_argument("--seconds", type=int, default=3)
    command.add_argument("--depths", type=lambda text: [int(word) for word in text.split(",")], default=[1, 16, 64])
    command.add_argument("--prefixes", default=os.environ.get("TOLLGATE_BENCH_PREFIXES"))
    command.add_argument("--json")
    command.add_argument("--check", action="store_true")
    options = command.parse_args()
    world = World(options.prefixes)
    Daemon.before = Server.before = SERVER
    with tempfile.TemporaryDirectory(prefix="tollgate-peers-") as name, \
            Redis("--save", "") as redis, \
            Postgres("fsync=on", "shared_buffers=1GB", "max_wal_size=4GB", "jit=off") as postgres:
        folder = Path(name)
        journals = {mode: [f"journal.dir={folder}/{mode}", f"journal.reply={mode}"] for mode in MODES[1:]} | {"none": []}
        sha = fill_redis(redis, world)
        fill_postgres(postgres, world)
        wanted = ("synced",) if options.check else MODES
        daemons = {mode: Daemon("workers=1", *journals[mode]) for mode in wanted}
        try:
            for daemon in daemons.values():
                daemon.__enter__()
                fill_daemon(daemon, world)
            if options.check:
                check(daemons["synced"], redis, postgres, sha, world)
            else:
                report(measure(daemons, redis, postgres, sha, world, options, folder), options)
        finally:
            for daemon in daemons.values():
                if daemon in Daemon.running:
                    daemon.__exit__(*sys.exc_info())


if __name__ == "__main__":
    main()
