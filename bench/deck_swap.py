#!/usr/bin/env python3
"""What calls notice of decks that are swapped: latency, refusals, mixed prices, memory.

usage: bench/deck_swap.py [--rounds 10] [--swaps 10] [--rows 250000] [--seconds S] [--prefixes FILE]
                          [--json FILE]

Starts build/release/tollgated with one worker and three levels of so many rows each. First nobody calls, and a deck is
uploaded by curl, in turn with another, so many times as all rounds swap: from the first byte that is sent until it is in
force. Then the highest rate of AUTHORIZE and STOP is found, and calls go on at half of it, in turn without swaps and with
uploads of the customers' whole deck one after the other. Prints the medians of the rounds, and the resident memory after
each round of swaps. Needs curl. tollgate-load checks every call: what STOP charges must be what AUTHORIZE held.
`--prefixes` names a file with a prefix at the beginning of each line; without it they are invented.
"""

import argparse
import json
import random
import subprocess
import tempfile
import time
from pathlib import Path

from measuring import PREFIXES_FILE, PROCESSORS, Results, load_command, text_of
from pair_mix import some_prefixes
from daemon import Daemon

LEVELS = 3
VARIANTS = 4  # Decks that take turns, of the same prefixes with other prices.
LINES = 10_000
SECONDS_A_SWAP, SECONDS_USUAL = 0.8, 4  # A round has at least those, where --seconds does not say how long it is.
SECONDS_LEAST = 2
HIGHEST_SECONDS = 3    # To find the highest rate.
RECLAIM_SECONDS = 2.5  # Versions that calls pinned are freed within a second or two of their end.


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
    def __init__(self, daemon, folder, prefixes):
        self.daemon, self.folder = daemon, Path(folder)
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
        """Milliseconds until it was in force: of all of it by curl's clock, and of the daemon's part."""
        answer = subprocess.run(
            # Whoever uploads is another machine in life, so here he gives way.
            ["nice", "-n", "19", "curl", "-sf", "-X", "PUT", "-H", "Content-Type: text/csv",
             "-T", self.folder / f"deck{variant}.csv", "-w", "\n%{time_total} %{time_pretransfer}",
             f"http://127.0.0.1:{self.daemon.http_port}/v1/tariffs/{tariff}/deck"],
            capture_output=True, check=True).stdout
        said, times = answer.decode().rsplit("\n", 1)
        end, begin = map(float, times.split())
        return (end - begin) * 1_000, json.loads(said)["milliseconds"]

    def put_next(self):
        self.swaps += 1
        return self.put("t0", 1 + self.swaps % (VARIANTS - 1))

    def load(self, seconds, commands_a_second):
        how = ["--rate", str(round(commands_a_second / 2))] if commands_a_second else ["--saturate", "2"]
        return subprocess.Popen(
            ["taskset", "-c", str(PROCESSORS[-1]),
             *load_command(self.daemon.resp_port, seconds, "--pair", "--want", "60s", "--lengths", "60s", "--lines",
                           f"u{{0..{LINES - 1}}}", "--numbers", f"@{self.folder / 'numbers'}", *how)],
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
            self.milliseconds.append(self.put_next()[1])
        assert process.poll() is None, "the load ended before the last swap"
        return self.result(process)


def main():
    command = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    command.add_argument("--rounds", type=int, default=10)
    command.add_argument("--swaps", type=int, default=10)
    command.add_argument("--rows", type=int, default=250_000)
    command.add_argument("--seconds", type=float)
    command.add_argument("--prefixes", default=PREFIXES_FILE)
    command.add_argument("--json")
    options = command.parse_args()
    if min(options.rounds, options.swaps, options.rows) < 1:
        command.error("--rounds, --swaps and --rows are above 0")
    seconds = options.seconds or max(SECONDS_USUAL, options.swaps * SECONDS_A_SWAP)
    if seconds < SECONDS_LEAST:
        command.error(f"--seconds: at least {SECONDS_LEAST}")
    results = Results()
    prefixes = some_prefixes(options.prefixes, options.rows)
    with tempfile.TemporaryDirectory() as folder, Daemon(
            "workers=1", "session.remember=1s", "session.repeat=1s") as daemon:
        bench = Bench(daemon, folder, prefixes)
        alone = [bench.put_next() for _ in range(options.rounds * options.swaps)]
        highest = bench.quiet(0, min(HIGHEST_SECONDS, seconds))["rate"]
        rate = highest / 2
        quiet, swapped = [], []
        for _ in range(options.rounds):
            quiet.append(bench.quiet(rate, seconds))
            swapped.append(bench.swapped(rate, seconds, options.swaps))
            time.sleep(RECLAIM_SECONDS)
            bench.resident[bench.swaps] = resident_kib(daemon.process.pid)
    report(bench, alone, quiet, swapped, highest, seconds, options, results)
    results.write(options.json)


def report(bench, alone, quiet, swapped, highest, seconds, options, results):
    rows = options.rows
    print(f"an upload of {rows:,} rows until it is in force, ms:")
    for name, times in (("by curl, nobody calls", [whole for whole, _ in alone]),
                        ("the daemon's part, nobody calls", [own for _, own in alone]),
                        ("the daemon's part, amid calls", bench.milliseconds)):
        print(f"  {name}: {text_of(results.figure(f'deck in force {name}', times, 'ms', 'none', 'rows', rows), '.0f')}")
    print(f"highest rate {highest:,.0f}/s; at half of it, {options.rounds} rounds of {seconds:.0f} s:")
    for name in ("p50", "p99", "p999"):
        before, during = ([result["latency"][f"{name}_us"] for result in runs] for runs in (quiet, swapped))
        results.figure(f"{name} without swaps", before, "us", "none")
        results.figure(f"{name} with {options.swaps} swaps", during, "us", "none")
        found = results.ratio(f"{name} with swaps / without", [with_them / without for with_them, without in
                                                               zip(during, before)], "none")
        print(f"  {name:5} ratio {text_of(found)}")
    print(f"refused {sum(r['refused'] for r in quiet + swapped)}, wrong {sum(r['wrong'] for r in quiet + swapped)} "
          f"of {sum(r['operations'] for r in quiet + swapped):,} operations")
    print("resident: " + ", ".join(f"{kib / 1024:.0f} MiB after swap {swap}" for swap, kib in bench.resident.items()))


if __name__ == "__main__":
    main()
