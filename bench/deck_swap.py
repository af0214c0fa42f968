#!/usr/bin/env python3
"""What calls notice of decks that are swapped: latency, refusals, mixed prices, memory.

    bench/deck_swap.py [ROUNDS=10] [SWAPS=10] [ROWS=250000]

Starts build/release/tollgated with one worker and three levels of ROWS rows each, finds the highest rate of AUTHORIZE
and STOP, then in turn lets calls go on at half of it without swaps and with SWAPS uploads of the customers' whole deck
one after the other, ROUNDS times each. Prints the medians of the rounds, and the resident memory after each round of
swaps. Needs curl. tollgate-load checks every call: what STOP charges must be what AUTHORIZE held.
"""

import json
import os
import random
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests/support"))

from daemon import Daemon  # noqa: E402

LOAD = ROOT / "build/release/tollgate-load"
LEVELS = 3
VARIANTS = 4  # Decks that take turns, of the same prefixes with other prices.
LINES = 10_000
SECONDS_BETWEEN = 0.1
RECLAIM_SECONDS = 2.5  # Versions that calls pinned are freed within a second or two of their end.


def prefixes_of(rows):
    rng = random.Random(20261122)
    found = {str(digit) for digit in range(1, 10)}
    known = sorted(found)
    while len(found) < rows:
        prefix = rng.choice(known) + str(rng.randrange(1000))[:rng.randint(1, 3)]
        if len(prefix) <= 9 and prefix not in found:
            found.add(prefix)
            known.append(prefix)
    return sorted(found)


def write_deck(path, prefixes, seed):
    rng = random.Random(seed)
    with open(path, "w", encoding="utf-8") as out:
        out.write("prefix,destination,rate_per_minute\n")
        for prefix in prefixes:
            out.write(f"{prefix},Destination {prefix[:4]},0.{rng.randrange(1000, 9999)}{seed}\n")


def resident_kib(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))


class Bench:
    def __init__(self, daemon, folder, rows):
        self.daemon, self.folder = daemon, Path(folder)
        prefixes = prefixes_of(rows)
        for variant in range(VARIANTS):
            write_deck(self.folder / f"deck{variant}.csv", prefixes, variant + 1)
        rng = random.Random(7)
        (self.folder / "numbers").write_text("".join(
            f"{prefix}{rng.randrange(10 ** 11, 10 ** 12)}"[:13] + "\n" for prefix in rng.choices(prefixes, k=200_000)))
        self.swaps, self.milliseconds, self.resident = 0, [], {}
        for level in range(LEVELS):
            daemon.http.request("PUT", f"/v1/tariffs/t{level}", {"currency": "EUR"})
            self.put(f"t{level}", 0)
        daemon.parties(
            [{"id": "provider", "kind": "provider", "currency": "EUR"},
             {"id": "r2", "kind": "reseller", "parent": "provider", "tariff": "t2", "credit_limit": "10000000000"},
             {"id": "r1", "kind": "reseller", "parent": "r2", "tariff": "t1", "credit_limit": "10000000000"}]
            + [{"id": f"c{i}", "kind": "customer", "parent": "r1", "tariff": "t0", "credit_limit": "1000000"}
               for i in range(LINES)]
            + [{"id": f"u{i}", "kind": "line", "parent": f"c{i}"} for i in range(LINES)])

    def put(self, tariff, variant):
        answer = subprocess.run(
            # Whoever uploads is another machine in life, so here he gives way.
            ["nice", "-n", "19", "curl", "-sf", "-X", "PUT", "-H", "Content-Type: text/csv", "-T", self.folder / f"deck{variant}.csv",
             f"http://127.0.0.1:{self.daemon.http_port}/v1/tariffs/{tariff}/deck"],
            capture_output=True, check=True).stdout
        return json.loads(answer)["milliseconds"]

    def load(self, seconds, commands_a_second):
        how = ["--rate", str(round(commands_a_second / 2))] if commands_a_second else ["--saturate", "2"]
        return subprocess.Popen(
            ["taskset", "-c", str(max(os.sched_getaffinity(0))), LOAD, "--connect", f"127.0.0.1:{self.daemon.resp_port}",
             "--pair", "--want", "60s", "--lengths", "60s", "--lines", f"u{{0..{LINES - 1}}}",
             "--numbers", f"@{self.folder / 'numbers'}", "--for", f"{seconds}s", *how, "--json", "-", "--quiet"],
            stdout=subprocess.PIPE)

    def result(self, process):
        out, _ = process.communicate()
        assert process.returncode in (0, 1), "tollgate-load failed"  # 1: wrong answers, which are reported.
        return json.loads(out)

    def quiet(self, rate, seconds):
        return self.result(self.load(seconds, rate))

    def swapped(self, rate, seconds, swaps):
        process = self.load(seconds, rate)
        begun = time.monotonic()
        for i in range(swaps):
            # Spread over the run, so that each lands while calls go on.
            time.sleep(max(0, begun + 0.5 + i * (seconds - 1.5) / swaps - time.monotonic()))
            self.milliseconds.append(self.put("t0", 1 + self.swaps % (VARIANTS - 1)))
            self.swaps += 1
        assert process.poll() is None, "the load ended before the last swap"
        return self.result(process)


def main():
    words = sys.argv[1:] + ["10", "10", "250000"][len(sys.argv) - 1:]
    if len(words) != 3 or not all(word.isdigit() and int(word) > 0 for word in words):
        sys.exit("usage: bench/deck_swap.py [ROUNDS [SWAPS [ROWS]]], whole numbers above 0")
    rounds, swaps, rows = map(int, words)
    with tempfile.TemporaryDirectory() as folder, Daemon(
            "workers=1", "session.remember=1s", "session.repeat=1s") as daemon:
        bench = Bench(daemon, folder, rows)
        highest = bench.quiet(0, 3)["rate"]
        rate = highest / 2
        seconds = max(4, swaps * 0.8)
        quiet, swapped = [], []
        for _ in range(rounds):
            quiet.append(bench.quiet(rate, round(seconds)))
            swapped.append(bench.swapped(rate, round(seconds), swaps))
            time.sleep(RECLAIM_SECONDS)
            bench.resident[bench.swaps] = resident_kib(daemon.process.pid)

    print(f"highest rate {highest:,.0f}/s; at half of it, medians of {rounds} rounds of {round(seconds)} s:")
    for name in ("p50", "p99", "p999"):
        before, during = (statistics.median(result["latency"][f"{name}_us"] for result in results)
                          for results in (quiet, swapped))
        print(f"{name:5} {before:9.1f} us without swaps {during:9.1f} us with {swaps} swaps   ratio {during / before:.2f}")
    print(f"refused {sum(r['refused'] for r in quiet + swapped)}, wrong {sum(r['wrong'] for r in quiet + swapped)} "
          f"of {sum(r['operations'] for r in quiet + swapped):,} operations")
    print(f"an upload of {rows:,} rows: median {statistics.median(bench.milliseconds):.0f} ms until it is in force")
    print("resident: " + ", ".join(f"{kib / 1024:.0f} MiB after swap {swap}" for swap, kib in bench.resident.items()))


if __name__ == "__main__":
    main()
