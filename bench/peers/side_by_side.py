#!/usr/bin/env python3
"""The daemon beside what a user would take instead, on this machine, one after the other in every round.

usage: bench/peers/side_by_side.py [--rounds 5] [--seconds 3] [--depths 1,16,64] [--prefixes FILE] [--small] [--json FILE]
       bench/peers/side_by_side.py --check

The pair mix is half AUTHORIZE, half STOP: 100,000 lines below 1,000 resellers below one shared parent, three paying
levels with a deck of 250,000 prefixes each, 50 connections, P commands in flight on each (bench/pair_mix.py).

  none, written, synced   tollgated without a journal; answering once the kernel, or the disk, has the events
  get                     Redis GET of 100,000 keys: what one look into a store in memory costs
  script                  Redis doing the same work in a script: rating.lua
  postgres                PostgreSQL doing it in two functions, synchronous_commit on: rating.sql, by pgbench

All but PostgreSQL are asked by tollgate-load. The server has the first processor, the generator the others. `--prefixes`
names a file with a prefix at the beginning of each line; without it they are invented. Figures are medians of the rounds;
a ratio is of two figures of the same round: the median of the rounds, the least and the greatest. Who is not installed is
left out. `--small` is a small world, to see that all of it runs.

--check runs 300 calls through all three instead, and compares what each grants and charges.
"""

import argparse
import random
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent))

from measuring import (GENERATOR, PREFIXES_FILE, SERVER, Results, has_postgres, has_redis, load,  # noqa: E402
                       text_of)
from pair_mix import (CONNECTIONS, FULL, FUNDS_NANOS, SMALL, TALK_SECONDS_MAX, WANT_SECONDS, World,  # noqa: E402
                      fill_daemon)
from daemon import Daemon  # noqa: E402
from stores import Postgres, Redis, Server  # noqa: E402
from wire import RespClient, micros  # noqa: E402

PAIRS_A_LINE = 2  # In the file of the script, each connection going through its own part over and over.
PG_CLIENTS = 8
MODES = ("none", "written", "synced")
# What is divided by what; bench/rows.py says what the project wants of them.
RATIOS = (("written", "get"), ("synced", "get"), ("written", "script"), ("synced", "none"), ("synced", "postgres"))


# ---- The world, for the others ----

def party_rows(size):
    """(number, parent, level) of all who pay: the shared parent 1, resellers from 2 on, customers behind them."""
    yield 1, None, 3
    for reseller in range(size.resellers):
        yield 2 + reseller, 1, 2
    for line in range(size.lines):
        yield customer_of(size, line), 2 + line % size.resellers, 1


def customer_of(size, line):
    return 2 + size.resellers + line


def feed_redis(redis, commands):
    """Commands as lists of words, by the bulk interface."""
    encoded = []
    for words in commands:
        encoded.append(f"*{len(words)}\r\n" + "".join(f"${len(str(word))}\r\n{word}\r\n" for word in words))
    done = subprocess.run(["redis-cli", "-p", str(redis.port), "--pipe"], input="".join(encoded), text=True,
                          capture_output=True, check=True)
    assert "errors: 0" in done.stdout, done.stdout


def fill_redis(redis, world):
    feed_redis(redis, (["SET", f"k:{i:012d}", "0123456789"] for i in range(world.size.lines)))
    for level, deck in enumerate(world.decks, 1):
        feed_redis(redis, (["HSET", f"deck:{level}", prefix, f"{rate} {setup} {first} {step}"]
                           for prefix, rate, setup, first, step in deck))
    feed_redis(redis, (["HSET", f"party:{number}", "balance", FUNDS_NANOS, "held", 0, "deck", level]
                       + ([] if parent is None else ["parent", parent]) for number, parent, level in party_rows(world.size)))
    return redis.call("SCRIPT", "LOAD", (HERE / "rating.lua").read_text())


def fill_postgres(postgres, world):
    postgres.psql((HERE / "rating.sql").read_text())

    def copy(table, rows):
        text = "".join("\t".join("\\N" if value is None else str(value) for value in row) + "\n" for row in rows)
        postgres.psql(f"COPY {table} FROM STDIN;\n{text}\\.\n")

    for level, deck in enumerate(world.decks, 1):
        copy("deck_row", ((level, *row) for row in deck))
    copy("party (id, parent, deck, balance)",
         ((number, parent, level, FUNDS_NANOS) for number, parent, level in party_rows(world.size)))
    copy("dialled", enumerate(world.numbers, 1))
    postgres.psql("VACUUM ANALYZE")


# ---- One measurement each: commands a second ----

def asked(port, options, seconds, depth):
    figures = load(port, seconds, *options, "--saturate", depth)
    return {"ops": figures["rate"], "p99_us": figures["latency"]["p99_us"]}


def pgbench(postgres, script, seconds):
    program = postgres.programs("pgbench")[-1]
    done = subprocess.run([*GENERATOR, program, "-h", "127.0.0.1", "-p", str(postgres.port), "-U", "tollgate", "-n",
                           "-M", "prepared", "-c", str(PG_CLIENTS), "-j", "1", "-T", str(max(1, round(seconds))),
                           "-f", str(script), "tollgate"], capture_output=True, text=True, check=True)
    pairs = next(float(line.split("=")[1].split()[0]) for line in done.stdout.splitlines() if line.startswith("tps"))
    return {"ops": 2 * pairs}


# ---- Whether all do the same work ----

def check(daemon, redis, postgres, sha, world, count=300):
    draw = random.Random(11)
    switch, store = daemon.connect(), RespClient(redis.port)
    for i in range(count):
        line, number = draw.randrange(world.size.lines), draw.choice(world.numbers)
        used = draw.randint(0, TALK_SECONDS_MAX)
        ours = switch.call("AUTHORIZE", f"u{line}", number, f"check-{i}", "WANT", str(WANT_SECONDS))
        payer = customer_of(world.size, line)
        theirs = store.call("EVALSHA", sha, "0", "AUTHORIZE", f"check-{i}", str(payer), number, str(WANT_SECONDS))
        opened, granted = postgres.rows(f"SELECT * FROM authorize({payer}, '{number}', {WANT_SECONDS})")[0]
        assert ours.code == "OK" and int(ours.figure) == int(theirs[1]) == int(granted), (number, ours, theirs, granted)
        used = min(used, int(granted))
        charged = switch.call("STOP", f"check-{i}", str(used))
        nanos = int(store.call("EVALSHA", sha, "0", "STOP", f"check-{i}", str(used))[1])
        assert nanos == int(postgres.value(f"SELECT stop({opened}, {used})")), (number, used)
        # Ours rounds up to the tariff's places.
        assert micros(charged.figure) == -(-nanos // 1_000), (number, used, charged, nanos)
    print(f"{count} calls: tollgate, the script of Redis and the functions of PostgreSQL grant and charge the same")


def write_traffic(folder, world, sha):
    """The files that the others are asked by: GETs, calls of the script, and pgbench's script."""
    size, draw = world.size, random.Random(5)
    gets, script, bench = folder / "gets", folder / "script", folder / "pairs.sql"
    gets.write_text("".join(f"GET k:{draw.randrange(size.lines):012d}\n" for _ in range(size.lines)))
    with open(script, "w") as file:
        for pair in range(PAIRS_A_LINE * size.lines):
            call = f"{pair:06d}-{{pass}}"
            line, number = customer_of(size, draw.randrange(size.lines)), draw.choice(world.numbers)
            file.write(f"EVALSHA {sha} 0 AUTHORIZE {call} {line} {number} {WANT_SECONDS}\n"
                       f"EVALSHA {sha} 0 STOP {call} {draw.randint(1, TALK_SECONDS_MAX)}\n")
    bench.write_text(f"\\set line random({customer_of(size, 0)}, {customer_of(size, size.lines - 1)})\n"
                     f"\\set place random(1, {size.numbers})\n"
                     f"\\set used random(1, {TALK_SECONDS_MAX})\n"
                     "SELECT opened FROM authorize(:line, (SELECT number FROM dialled WHERE id = :place), "
                     f"{WANT_SECONDS}) \\gset\nSELECT stop(:opened, :used);\n")
    return gets, script, bench


def measure(daemons, redis, postgres, sha, world, options, folder):
    """Of each round: {(system, P): figures}."""
    gets, script, bench = write_traffic(folder, world, sha)
    pair = world.traffic(folder)
    commands = ["--connections", CONNECTIONS, "--commands"]
    rounds = []
    for number in range(1, options.rounds + 1):
        taken = {}
        for depth in options.depths:
            if redis:
                taken["get", depth] = asked(redis.port, [*commands, gets], options.seconds, depth)
            for mode in MODES:
                taken[mode, depth] = asked(daemons[mode].resp_port, pair, options.seconds, depth)
            if redis:
                taken["script", depth] = asked(redis.port, [*commands, script], options.seconds, depth)
            if postgres:
                # pgbench knows no P: one figure for all.
                taken["postgres", depth] = (taken["postgres", options.depths[0]] if depth != options.depths[0] else
                                            pgbench(postgres, bench, options.seconds))
        print(f"round {number} of {options.rounds}: " + ", ".join(
            f"{name} P={depth} {figures['ops']:.0f}" for (name, depth), figures in taken.items()),
            file=sys.stderr, flush=True)
        rounds.append(taken)
    return rounds


def durability_of(name):
    return name if name in MODES else ""


def table(title, names, columns, cell):
    print(f"\n| {title} | " + " | ".join(columns) + " |")
    print("| --- |" + " --- |" * len(columns))
    for name in names:
        print(f"| {name} | " + " | ".join(cell(name)) + " |")


def report(rounds, options, results):
    names = list(dict.fromkeys(name for name, _ in rounds[0]))
    columns = [f"P={depth}" for depth in options.depths]

    def figures(what, unit, name):
        """Its cells, and the figures in the results."""
        return [text_of(results.figure(f"{name}, {unit}", [taken[name, depth][what] for taken in rounds], unit,
                                       durability_of(name), "P", depth), ",.0f") for depth in options.depths]

    def ratio(over, under):
        return [text_of(results.ratio(f"{over} / {under}, P={depth}",
                                      [taken[over, depth]["ops"] / taken[under, depth]["ops"] for taken in rounds],
                                      durability_of(over))) for depth in options.depths]

    table("commands/s", names, columns, lambda name: figures("ops", "commands/s", name))
    ratios = {f"{over} / {under}": (over, under) for over, under in RATIOS if over in names and under in names}
    table("ratio", ratios, columns, lambda name: ratio(*ratios[name]))
    # pgbench tells no percentiles.
    table("p99, µs", [name for name in names if name != "postgres"], columns,
          lambda name: figures("p99_us", "p99 in us", name))


def main():
    command = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    command.add_argument("--rounds", type=int, default=5)
    command.add_argument("--seconds", type=float, default=3)
    command.add_argument("--depths", type=lambda text: [int(word) for word in text.split(",")], default=[1, 16, 64])
    command.add_argument("--prefixes", default=PREFIXES_FILE)
    command.add_argument("--small", action="store_true")
    command.add_argument("--json")
    command.add_argument("--check", action="store_true")
    options = command.parse_args()
    results = Results()
    if not has_redis():
        results.skip("get and script: redis-server is not installed")
    if not has_postgres():
        results.skip("postgres: postgresql is not installed")
    if options.check and results.skipped:
        sys.exit("--check compares all three")
    world = World(options.prefixes, SMALL if options.small else FULL)
    Daemon.before = Server.before = SERVER
    with ExitStack() as running:
        folder = Path(running.enter_context(tempfile.TemporaryDirectory(prefix="tollgate-peers-")))
        redis = postgres = sha = None
        if has_redis():
            redis = running.enter_context(Redis("--save", ""))
            sha = fill_redis(redis, world)
        if has_postgres():
            postgres = running.enter_context(
                Postgres("fsync=on", "shared_buffers=1GB", "max_wal_size=4GB", "jit=off"))
            fill_postgres(postgres, world)
        journals = {mode: [f"journal.dir={folder}/{mode}", f"journal.reply={mode}"] for mode in MODES[1:]} | {"none": []}
        daemons = {}
        for mode in ("synced",) if options.check else MODES:
            daemons[mode] = running.enter_context(Daemon("workers=1", *journals[mode]))
            fill_daemon(daemons[mode], world)
        if options.check:
            check(daemons["synced"], redis, postgres, sha, world)
        else:
            report(measure(daemons, redis, postgres, sha, world, options, folder), options, results)
    results.write(options.json)


if __name__ == "__main__":
    main()
