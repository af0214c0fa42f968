#!/usr/bin/env python3
"""What a request costs as everything around it grows.

usage: bench/growth.py [--only levels,decks,parties,connections,sessions,workers] [--rounds 5] [--seconds 2]
                       [--prefixes FILE] [--full] [--quick] [--json FILE]

The pair mix of bench/peers/side_by_side.py: half AUTHORIZE, half STOP, 100,000 lines below 1,000 resellers below one
shared parent, three paying levels with a deck of 250,000 prefixes each, 50 connections with 16 commands in flight on
each, one worker, no journal. One thing at a time is made larger:

  levels       1, 3, 8, 16 that pay, each with a deck of its own
  decks        10,000 to 1,000,000 rows each
  parties      1,000 to 1,000,000; --full: 10,000,000
  connections  1 to 10,000
  sessions     calls that are open beside those that are measured: none to 1,000,000; --full: 5,000,000
  workers      1 and 2, and what a model of the lines of memory they share says about more

All sizes of one thing are there at once, each with a daemon of its own, and are measured in turn in every round.
Medians of the rounds, and the least and greatest.

What is compared is the daemon's processor time a request, /proc/PID/stat over the requests it counted meanwhile: where
others use the machine too, the rate says more of them. The server has processor 0, the generator the others; with more
workers the server has one more each, and shares them with the generator where there are no others.
`--prefixes` names a file with a prefix at the beginning of each line; what it lacks is invented below those it has.
--quick: everything small, to see whether it runs.
"""

import argparse
import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from bisect import bisect_left
from contextlib import ExitStack
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests/support"))

from daemon import Daemon  # noqa: E402
from pair_mix import some_prefixes  # noqa: E402
from wire import encode  # noqa: E402

LOAD = Path(os.environ.get("TOLLGATE_LOAD", ROOT / "build/release/tollgate-load"))
BENCH = Path(os.environ.get("TOLLGATE_BENCH", ROOT / "build/release/bench/tollgate_bench"))
PROCESSORS = os.cpu_count() or 1
TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")

LEVELS_MAX = 16           # The provider pays too where there are so many.
CREDIT_LIMIT = "1000000000"
WANT_SECONDS = 300
DEPTH = 16
IMPORT_PARTIES = 1_000_000  # In one request.
BUSY_COMMANDS = 200       # So many in BUSY_LOOK_SECONDS: the generator has begun.
BUSY_LOOK_SECONDS, BUSY_WAIT_SECONDS = 0.05, 120
SETTLE_SECONDS = 0.2      # Between its beginning and what is measured.
OPEN_IN_FLIGHT = 20_000   # AUTHORIZE commands, where calls are opened to stand.


@dataclass
class Sizes:
    """How large everything is, but for what is being made larger."""
    levels: int = 3
    prefixes: int = 250_000
    resellers: int = 1_000
    lines: int = 100_000
    numbers: int = 200_000
    connections: int = 50
    workers: int = 1
    standing: int = 0


# What is tried of each dimension: usually, with --full, with --quick.
DIMENSIONS = {
    "levels": ((1, 3, 8, 16), (1, 3, 8, 16), (1, 3, 8, 16)),
    "decks": ((10_000, 100_000, 1_000_000), (10_000, 100_000, 1_000_000), (1_000, 10_000)),
    "parties": ((1_000, 10_000, 100_000, 1_000_000), (1_000, 10_000, 100_000, 1_000_000, 10_000_000), (1_000, 10_000)),
    "connections": ((1, 10, 100, 1_000, 10_000), (1, 10, 100, 1_000, 10_000), (1, 10, 100)),
    "sessions": ((0, 10_000, 100_000, 1_000_000), (0, 10_000, 100_000, 1_000_000, 5_000_000), (0, 10_000)),
    "workers": ((1, 2), (1, 2), (1, 2)),
}
QUICK = Sizes(prefixes=10_000, resellers=100, lines=1_000, numbers=10_000)


# ---- The world ----

class Market:
    """Decks of one size, a cheaper one for each level, and numbers to dial: few prefixes get most calls."""

    def __init__(self, options, prefixes, numbers, folder):
        draw = random.Random(7)
        known = some_prefixes(options.prefixes, prefixes)
        self.rows = [(prefix, draw.randrange(3_000, 300_000), draw.choice(("1,1", "60,1", "30,6", "6,6", "60,60")))
                     for prefix in known]
        draw.shuffle(known)
        weights = list(accumulate(1 / (place + 1) for place in range(len(known))))
        self.numbers = folder / f"numbers-{prefixes}"
        self.some = []
        for _ in range(numbers):
            prefix = known[bisect_left(weights, draw.random() * weights[-1])]
            self.some.append(prefix + "".join(draw.choices("0123456789", k=max(12, len(prefix) + 4) - len(prefix))))
        self.numbers.write_text("\n".join(self.some) + "\n")

    def deck(self, level):
        share = 100 - 4 * level
        return "prefix,rate_per_minute,initial_increment,increment\n" + "".join(
            f"{prefix},0.{rate * share // 100:06d},{steps}\n" for prefix, rate, steps in self.rows)


def party_rows(sizes):
    """JSON, parents first. The levels from the customer up: he, a reseller, and the chain that all share."""
    shared = [f"s{place}" for place in range(sizes.levels - 2, 0, -1)]
    provider_pays = sizes.levels == LEVELS_MAX
    if provider_pays:
        shared = shared[1:]
    tariff = f', "tariff": "deck{LEVELS_MAX}"' if provider_pays else ""
    yield f'{{"id": "provider", "kind": "provider", "currency": "EUR"{tariff}}}\n'
    above = "provider"
    for place, name in enumerate(shared):
        level = sizes.levels - place - (1 if provider_pays else 0)
        yield (f'{{"id": "{name}", "kind": "reseller", "parent": "{above}", "tariff": "deck{level}", '
               f'"credit_limit": "{CREDIT_LIMIT}"}}\n')
        above = name
    resellers = sizes.resellers if sizes.levels > 1 else 0
    for number in range(resellers):
        yield (f'{{"id": "r{number}", "kind": "reseller", "parent": "{above}", "tariff": "deck2", '
               f'"credit_limit": "{CREDIT_LIMIT}"}}\n')
    for number in range(sizes.lines):
        parent = f"r{number % resellers}" if resellers else above
        yield (f'{{"id": "c{number}", "kind": "customer", "parent": "{parent}", "tariff": "deck1", '
               f'"credit_limit": "{CREDIT_LIMIT}"}}\n{{"id": "u{number}", "kind": "line", "parent": "c{number}"}}\n')


def import_parties(daemon, rows):
    def send():
        reply = daemon.http.request("POST", "/v1/parties:import", "".join(batch),
                                    {"Content-Type": "application/x-ndjson"})
        assert reply.status == 200, reply

    batch = []
    for row in rows:
        batch.append(row)
        if len(batch) == IMPORT_PARTIES // 2:  # A customer's row is two.
            send()
            batch = []
    if batch:
        send()


def open_calls(daemon, sizes, market):
    """Calls that stand open while others are measured: as many AUTHORIZE as it takes, at full rate."""
    draw = random.Random(3)
    switch = daemon.connect()
    sent = answered = 0
    granted = b"\r\nOK\r\n"
    kept = b""
    while answered < sizes.standing:
        if sent < sizes.standing and sent - answered < OPEN_IN_FLIGHT:
            count = min(OPEN_IN_FLIGHT // 2, sizes.standing - sent)
            switch.socket.sendall(b"".join(
                encode(("AUTHORIZE", f"u{draw.randrange(sizes.lines)}", draw.choice(market.some), f"standing-{number}",
                        "WANT", str(WANT_SECONDS))) for number in range(sent, sent + count)))
            sent += count
        bytes_read = switch.socket.recv(1 << 20)
        assert bytes_read, "the daemon hung up"
        kept += bytes_read
        answered += kept.count(granted)
        kept = kept[-(len(granted) - 1):]
    assert int(daemon.info("tollgate")["sessions_open"]) == sizes.standing, daemon.info("tollgate")


# ---- One measurement ----

@dataclass
class Scene:
    """A daemon in its world, and how it is asked."""
    daemon: Daemon
    sizes: Sizes
    market: Market
    generator: list = field(default_factory=list)  # What stands before its command.


def processor_seconds(process):
    """What the process has used so far, its own and the kernel's."""
    fields = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
    return [int(ticks) / TICKS_A_SECOND for ticks in fields[11:13]]


def resident_mib(process):
    status = Path(f"/proc/{process}/status").read_text(encoding="ascii")
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1]) / 1024


def look(daemon):
    requests = int(daemon.info("stats")["total_commands_processed"])
    return time.perf_counter(), requests, processor_seconds(daemon.process.pid)


def wait_until_busy(daemon, generator):
    """Until the generator has read its names, compared the books and begun."""
    deadline = time.monotonic() + BUSY_WAIT_SECONDS
    while True:
        before = look(daemon)[1]
        time.sleep(BUSY_LOOK_SECONDS)
        if look(daemon)[1] - before > BUSY_COMMANDS:
            return
        assert generator.poll() is None, generator.communicate()
        assert time.monotonic() < deadline, "the generator does not begin"


def measure(scene, seconds):
    """Figures of one run: microseconds of the processor a request, requests a second, milliseconds."""
    sizes = scene.sizes
    lasts = SETTLE_SECONDS + 2 * BUSY_LOOK_SECONDS + seconds + SETTLE_SECONDS
    generator = subprocess.Popen(
        [*scene.generator, LOAD, "--connect", f"127.0.0.1:{scene.daemon.resp_port}", "--connections",
         str(sizes.connections), "--saturate", str(DEPTH), "--for", f"{round(lasts * 1_000)}ms", "--pair", "--lines",
         f"u{{0..{sizes.lines - 1}}}", "--numbers", f"@{scene.market.numbers}", "--want", f"{WANT_SECONDS}s",
         "--lengths", f"1s..{WANT_SECONDS - 1}s", "--seed", str(random.randrange(1, 1 << 30)), "--json", "-",
         "--quiet"],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        wait_until_busy(scene.daemon, generator)
        time.sleep(SETTLE_SECONDS)
        begin = look(scene.daemon)
        time.sleep(seconds)
        end = look(scene.daemon)
        output, errors = generator.communicate()
    finally:
        if generator.poll() is None:
            generator.kill()
            generator.wait()
    assert generator.returncode == 0, errors + output[-2_000:]
    said = json.loads(output)
    assert said["refused"] == 0, said["refused_by_code"]
    requests = end[1] - begin[1]
    own, kernels = (after - before for before, after in zip(begin[2], end[2]))
    return {"us/request": (own + kernels) * 1e6 / requests, "user us/request": own * 1e6 / requests,
            "requests/s": requests / (end[0] - begin[0]), "p99 ms": said["latency"]["p99_us"] / 1_000,
            "resident MiB": resident_mib(scene.daemon.process.pid)}


# ---- The dimensions ----

class Stage:
    """Makes daemons, and ends them all."""

    def __init__(self, options, folder, running):
        self.options, self.folder, self.running = options, folder, running
        self.markets = {}

    def market(self, sizes):
        if sizes.prefixes not in self.markets:
            self.markets[sizes.prefixes] = Market(self.options, sizes.prefixes, sizes.numbers, self.folder)
        return self.markets[sizes.prefixes]

    def scene(self, sizes, processors=1):
        """`processors`: how many the server may run on, from 0 on."""
        server = ["taskset", "-c", f"0-{min(processors, PROCESSORS) - 1}"]
        rest = PROCESSORS - processors
        generator = ["taskset", "-c", f"{processors}-{PROCESSORS - 1}"] if rest > 0 else []
        market = self.market(sizes)
        Daemon.before = server
        # Ended calls are remembered in little memory: after the warm-up there is no fresh memory to take.
        daemon = self.running.enter_context(Daemon(
            f"workers={sizes.workers}", "session.hold=1d", "session.longest=24h", "session.remember_bytes=256 MiB",
            "session.max=40000000", "party.max=20000000"))
        for level in range(1, sizes.levels + 1):
            daemon.tariff(f"deck{level}", {"decimals": 6}, market.deck(level))
        import_parties(daemon, party_rows(sizes))
        if sizes.standing:
            open_calls(daemon, sizes, market)
        return Scene(daemon, sizes, market, generator)


def changed(sizes, **changes):
    return Sizes(**{**vars(sizes), **changes})


def scenes_of(name, values, usual, stage):
    """{value: scene}."""
    if name == "levels":
        return {value: stage.scene(changed(usual, levels=value)) for value in values}
    if name == "decks":
        return {value: stage.scene(changed(usual, prefixes=value)) for value in values}
    if name == "parties":
        scenes = {}
        for value in values:
            resellers = max(1, min(usual.resellers, value // 20))
            scenes[value] = stage.scene(changed(usual, resellers=resellers, lines=(value - resellers - 2) // 2))
        return scenes
    if name == "connections":
        scene = stage.scene(usual)  # One for all: nothing is left of those that are closed.
        return {value: Scene(scene.daemon, changed(usual, connections=value), scene.market, scene.generator)
                for value in values}
    if name == "sessions":
        return {value: stage.scene(changed(usual, standing=value)) for value in values}
    assert name == "workers", name
    return {value: stage.scene(changed(usual, workers=value), processors=max(values)) for value in values}


def run(name, values, options, usual, folder):
    """{value: [figures of each round]}."""
    taken = {value: [] for value in values}
    with ExitStack() as running:
        scenes = scenes_of(name, values, usual, Stage(options, folder, running))
        for scene in scenes.values():
            measure(scene, options.seconds)  # The first run takes fresh memory.
        for number in range(1, options.rounds + 1):
            # From the least to the greatest and back, so that what changes slowly touches all alike.
            for value in values if number % 2 else reversed(values):
                taken[value].append(measure(scenes[value], options.seconds))
            print(f"{name}, round {number} of {options.rounds}: " + ", ".join(
                f"{value:,}: {taken[value][-1]['us/request']:.3f} us" for value in values), file=sys.stderr, flush=True)
    return taken


# ---- What follows from it ----

def middle(rounds, what):
    return statistics.median(figures[what] for figures in rounds)


def ratio(over, under, share=lambda quotient: quotient, what="us/request"):
    """Of the medians, and the least and greatest of a round."""
    quotients = [share(above[what] / below[what]) for above, below in zip(over, under)]
    return {"ratio": share(middle(over, what) / middle(under, what)), "least": min(quotients),
            "greatest": max(quotients)}


def dearest(ratios):
    return max(ratios, key=lambda one: one["ratio"])


def times_larger(taken, factor):
    """The ratios of all sizes that are so many times another."""
    return [ratio(taken[value], taken[value // factor]) for value in taken
            if value % factor == 0 and value // factor in taken]


def ratios_of(taken_of):
    """{what grows: ratio}; where two neighbours say it, the dearer."""
    ratios = {}

    def add(name, found):
        if found:
            ratios[name] = dearest(found)

    if levels := taken_of.get("levels"):
        # From one level to the next, as a share of what one level costs, and of what three do.
        add("one more level", [ratio(levels[3], levels[1], lambda quotient: 1 + (quotient - 1) / 2)])
        add("one more level than three", [ratio(levels[8], levels[3], lambda quotient: 1 + (quotient - 1) / 5)])
        add("sixteen levels instead of one", [ratio(levels[16], levels[1])])
    if decks := taken_of.get("decks"):
        add("ten times the deck", times_larger(decks, 10))
    if parties := taken_of.get("parties"):
        add("a thousand times the parties", times_larger(parties, 1_000))
        add("ten times the parties", times_larger(parties, 10))
    if connections := taken_of.get("connections"):
        add("a hundred times the connections", times_larger(connections, 100))
    if sessions := taken_of.get("sessions"):
        values = list(sessions)
        add("so many open calls instead of none", [ratio(sessions[values[-1]], sessions[values[0]])])
    if workers := taken_of.get("workers"):
        add("two workers instead of one", [ratio(workers[2], workers[1])])
    return ratios


# ---- What workers share ----

@dataclass(frozen=True)
class SharedLine:
    """A cache line that every worker writes. `runs` and `operations`: how often a pair of AUTHORIZE and STOP needs it
    anew, if nobody takes it away between operations that follow each other, and if somebody always does."""
    name: str
    runs: int
    operations: int


# Read off balance/ledger.cc, balance/account.h and daemon/charging.cc for the pair mix: a line, its customer and
# reseller, the shared parent who pays the third level, the provider who pays nothing. AUTHORIZE begins a call at all
# five, holds at three levels and confirms at all five; STOP charges three levels, each to the book of the one above,
# gives back what is left, and leaves all five. Of these locked operations 5 and 6 are on lines that all calls share. A
# look before a write comes with it: that is how a hand-over is measured too.
SHARED_LINES = (
    SharedLine("the shared parent's account", 2, 6),  # Begin, hold, confirm; charge, give back, leave.
    SharedLine("the provider's account", 2, 3),  # Begin, confirm; leave.
    SharedLine("the shared parent's book", 1, 1),  # What the reseller is charged.
    SharedLine("the provider's book", 1, 1),  # What the shared parent is charged.
)
# Where there is a journal: the place in its queue, one compare-exchange an event.
QUEUE_LINE = SharedLine("the journal's queue", 2, 2)
# Lines that seldom meet two workers at once, but were mostly written by another one last. They come from his cache
# instead of the own one; nobody waits for anybody. A stripe of the session table (its lock, index and queue) for each
# command; the reseller's account for each, and his book for STOP.
SCATTERED_LINES = 6 + 3
# Where there are so few lines and customers that they stay in the caches, as in bench/contention_bench.cc: they too.
SCATTERED_LINES_OF_FEW = SCATTERED_LINES + 4


def contention(workers, alone, transfer, visits, scattered=SCATTERED_LINES):
    """(pairs a second of all, share of the time that a worker waits for lines, share of the time that the busiest line
    is under way), by mean value analysis.

    A worker needs `alone` seconds of the processor for a pair where no other works. Each shared line is a server: it
    can be in one cache at a time, and each of its `visits` a pair takes `transfer` seconds during which no other worker
    has it. A line is elsewhere unless this worker was the last to have it: (workers - 1) / workers. Workers are the
    customers of this closed network, one request each; a line that is under way to another is waited for.
    """
    elsewhere = (workers - 1) / workers
    demands = [count * transfer * elsewhere for count in visits]
    own = alone + scattered * transfer * elsewhere
    queued = [0.0] * len(demands)
    pairs = waited = 0.0
    for present in range(1, workers + 1):
        times = [demand * (1 + length) for demand, length in zip(demands, queued)]
        waited = sum(times)
        pairs = present / (own + waited)
        queued = [pairs * spent for spent in times]
    return pairs, waited / (own + waited), max((pairs * demand for demand in demands), default=0.0)


def saturation(alone, transfer, visits, scattered=SCATTERED_LINES):
    """(pairs a second that no number of workers exceeds, how many workers would do that if they never met)."""
    busiest = max(visits) * transfer
    return 1 / busiest, (alone + (scattered + sum(visits)) * transfer) / busiest


def visits_of(kind, lines=SHARED_LINES):
    return [getattr(line, kind) for line in lines]


def contention_figures(quick):
    """{benchmark of bench/contention_bench.cc: its medians}; {} where they are not built."""
    if not BENCH.exists():
        return {}
    done = subprocess.run(
        [BENCH, "--benchmark_filter=^BM_Contention_(HandOver|Pair)", "--benchmark_format=json",
         f"--benchmark_repetitions={2 if quick else 9}", f"--benchmark_min_time={0.01 if quick else 0.3}",
         "--benchmark_enable_random_interleaving=true", "--benchmark_report_aggregates_only=true"],
        capture_output=True, text=True, check=True)
    return {one["run_name"].replace("/real_time", ""): one for one in json.loads(done.stdout)["benchmarks"]
            if one["aggregate_name"] == "median"}


def check_model(benches, transfer, figures):
    """What sharing costs two threads without sockets, beside what the model says of them."""
    print("| a pair by one of two threads, without sockets | us of the processor | by the model |\n| --- | --- | --- |")
    alone = benches["BM_Contention_Pair/shares:0/threads:2"]["cpu_time"] * 1e-9
    for place, what in enumerate(("nothing is shared", "the parents and the sessions", "everything")):
        took = benches[f"BM_Contention_Pair/shares:{place}/threads:2"]["cpu_time"] / 1_000
        scattered = (0, 6, SCATTERED_LINES_OF_FEW)[place]
        of_two = [2e6 / contention(2, alone, transfer, visits_of(kind) if place else [], scattered)[0]
                  for kind in ("runs", "operations")]
        print(f"| {what} | {took:.2f} | {of_two[0]:.2f} to {of_two[1]:.2f} |")
        figures.append({"name": f"pair of one of two threads, {what}", "parameter": "workers", "value": 2,
                        "unit": "us/pair", "measured": took, "predicted": of_two})
    print()


def show_model(workers, figures, quick):
    """Prints what the model says of many workers, and how right it is with two."""
    benches = contention_figures(quick)
    if not benches or PROCESSORS < 2:
        print("the model needs two processors and build/release/bench/tollgate_bench\n")
        return
    transfer = benches["BM_Contention_HandOver/threads:2"].get("hand_over_ns", 0) * 1e-9
    alone = 2 * middle(workers[1], "us/request") * 1e-6
    print(f"a line changes processors in {transfer * 1e9:.0f} ns; a pair takes one worker {alone * 1e6:.2f} us\n")
    if transfer == 0:
        return
    figures.append({"name": "hand-over of a cache line", "parameter": "workers", "value": 2, "unit": "ns",
                    "measured": transfer * 1e9})
    check_model(benches, transfer, figures)
    print("| workers | requests/s by the model | to one worker | waiting for shared lines | the busiest line "
          "| with a journal, to one worker |\n| --- | --- | --- | --- | --- | --- |")
    kinds = ("operations", "runs")
    for count in (1, 2, 4, 8, 16, 32, 64):
        worst, best = (contention(count, alone, transfer, visits_of(kind)) for kind in kinds)
        queued = [contention(count, alone, transfer, visits_of(kind, (*SHARED_LINES, QUEUE_LINE)))[0] for kind in kinds]
        print(f"| {count} | {2 * worst[0]:,.0f} to {2 * best[0]:,.0f} | "
              f"{worst[0] * alone:.1f} to {best[0] * alone:.1f} | {worst[1]:.0%} to {best[1]:.0%} | "
              f"{worst[2]:.0%} to {best[2]:.0%} | {queued[0] * alone:.1f} to {queued[1] * alone:.1f} |")
        figures.append({"name": "model of contention", "parameter": "workers", "value": count, "unit": "requests/s",
                        "predicted": [2 * worst[0], 2 * best[0]]})
    print()
    for kind in kinds:
        most, many = saturation(alone, transfer, visits_of(kind))
        print(f"{kind}: the busiest line allows {2 * most:,.0f} requests/s, which {many:.1f} workers would do if they "
              "never met")
    free = {count: contention(count, alone, transfer, [])[0] * alone for count in (16, 64)}
    print("without shared lines (no parent that all calls have, or slices of his funds for each worker) "
          + " and ".join(f"{count} workers would do {times:.1f} times" for count, times in free.items())
          + " what one does")
    of_two = [1e6 / contention(2, alone, transfer, visits_of(kind))[0] for kind in reversed(kinds)]
    print(f"two workers: {middle(workers[2], 'us/request'):.3f} us/request measured, {of_two[0]:.3f} to "
          f"{of_two[1]:.3f} by the model if both run all the time, which they cannot where the generator needs a processor\n")


def show(name, taken, figures):
    print(f"## {name}\n")
    print(f"| {name} | us/request | to the one before | of it its own | requests/s | p99, ms | resident, MiB |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    before = None
    for value, rounds in taken.items():
        cell = "" if before is None else "{ratio:.2f} ({least:.2f} to {greatest:.2f})".format(**ratio(rounds, before))
        costs = [figures_of_round["us/request"] for figures_of_round in rounds]
        print(f"| {value:,} | {middle(rounds, 'us/request'):.3f} ({min(costs):.3f} to {max(costs):.3f}) | {cell} | "
              f"{middle(rounds, 'user us/request'):.3f} | {middle(rounds, 'requests/s'):,.0f} | "
              f"{middle(rounds, 'p99 ms'):.1f} | {middle(rounds, 'resident MiB'):,.0f} |")
        for what in rounds[0]:
            found = [figures_of_round[what] for figures_of_round in rounds]
            unit = what.split()[-1]
            figures.append({"name": "pair mix" if what == unit else f"pair mix, {what.removesuffix(unit).strip()}",
                            "parameter": name, "value": value, "unit": unit, "measured": statistics.median(found),
                            "least": min(found), "greatest": max(found)})
        before = rounds
    print(flush=True)


def main():
    command = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    command.add_argument("--only", type=lambda text: text.split(","), default=list(DIMENSIONS))
    command.add_argument("--rounds", type=int, default=5)
    command.add_argument("--seconds", type=float, default=2)
    command.add_argument("--prefixes", default=os.environ.get("TOLLGATE_BENCH_PREFIXES"))
    command.add_argument("--full", action="store_true")
    command.add_argument("--quick", action="store_true")
    command.add_argument("--json")
    options = command.parse_args()
    for name in options.only:
        if name not in DIMENSIONS:
            command.error(f"--only: there is no '{name}'; there are {', '.join(DIMENSIONS)}")
    usual = Sizes()
    if options.quick:
        usual, options.rounds, options.seconds = QUICK, 1, 0.3
    taken_of, figures = {}, []
    with tempfile.TemporaryDirectory(prefix="tollgate-growth-") as name:
        for dimension in options.only:
            values = DIMENSIONS[dimension][2 if options.quick else 1 if options.full else 0]
            taken_of[dimension] = run(dimension, values, options, usual, Path(name))
            show(dimension, taken_of[dimension], figures)
            if dimension == "workers":
                show_model(taken_of["workers"], figures, options.quick)
    ratios = ratios_of(taken_of)
    print("| what grows | us/request, ratio (least to greatest of a round) |\n| --- | --- |")
    for what, found in ratios.items():
        print(f"| {what} | {found['ratio']:.2f} ({found['least']:.2f} to {found['greatest']:.2f}) |")
    if options.json:
        Path(options.json).write_text(json.dumps({
            "rounds": options.rounds, "seconds": options.seconds, "depth": DEPTH, "usual": vars(usual),
            "figures": figures, "ratios": ratios}, indent=2) + "\n")


if __name__ == "__main__":
    main()
