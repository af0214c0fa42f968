#!/usr/bin/env python3
"""What the parts of a request cost that performance.md has a row for, as build/release/bench/tollgate_bench measures them.

usage: bench/parts.py [--rounds 5] [--seconds 0.2] [--json FILE]

Processor time of one operation, in nanoseconds; with two threads that of one of them. Benchmarks are run in turns, each
round for `--seconds`; medians, least and greatest. The environment's TOLLGATE_BENCH_PREFIXES names a file with a prefix at
the beginning of each line; without it they are invented, which is harder. bench/README.md says what each teaches.
"""

import argparse
import json
import subprocess

from measuring import PARTS, Results, text_of

# "Overlapped" asks for one number after the other, "alone" waits for each answer before the next question; "a pipeline"
# is 16 at a time, as the daemon takes them.
TIMES = {
    "BM_PrefixTree_Longest/dependent:0": "longest prefix, overlapped",
    "BM_PrefixTree_Longest/dependent:1": "longest prefix, alone",
    "BM_TariffBook_Find/dependent:0": "lookup with its row, overlapped",
    "BM_TariffBook_Find/dependent:1": "lookup with its row, alone",
    "BM_Rating_Pipeline/prefixes:250000/levels:3": "rating three levels, a pipeline",
    "BM_Rating_Levels/prefixes:250000/levels:3/dependent:0": "rating three levels, overlapped",
    "BM_Rating_Levels/prefixes:250000/levels:3/dependent:1": "rating three levels, alone",
    "BM_Ledger_OpenClose/real_time/threads:1": "holding three levels, 1 thread",
    "BM_Ledger_OpenClose/real_time/threads:2": "holding three levels, 2 threads",
}
# (benchmark, counter): (name, unit).
COUNTERS = {
    ("BM_PrefixTree_Longest/dependent:0", "heap_bytes_per_prefix"): ("tree, a prefix", "B"),
    ("BM_TariffBook_Find/dependent:0", "tree_and_column_bytes_per_prefix"): ("tree and one tariff, a prefix", "B"),
    ("BM_Journal_Replay", "items_per_second"): ("journal read, events", "events/s"),
}
NANOSECONDS = {"ns": 1, "us": 1e3, "ms": 1e6, "s": 1e9}


def run(rounds, seconds):
    """{benchmark: [what each round said]}."""
    found = {name: [] for name in (*TIMES, *(benchmark for benchmark, _ in COUNTERS))}
    done = subprocess.run(
        [PARTS, f"--benchmark_filter=^({'|'.join(found)})$", f"--benchmark_min_time={seconds}",
         f"--benchmark_repetitions={rounds}", "--benchmark_enable_random_interleaving=true",
         "--benchmark_format=json"], check=True, stdout=subprocess.PIPE, text=True)
    for one in json.loads(done.stdout)["benchmarks"]:
        assert not one.get("error_occurred"), one
        if one["run_type"] == "iteration":
            found[one["run_name"]].append(one)
    return found


def main():
    command = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    command.add_argument("--rounds", type=int, default=5)
    command.add_argument("--seconds", type=float, default=0.2)
    command.add_argument("--json")
    options = command.parse_args()
    results = Results()
    found = run(options.rounds, options.seconds)
    print("| | ns of the processor |\n| --- | --- |")
    for benchmark, said in found.items():
        if not said:
            results.skip(f"{benchmark}: tollgate_bench has no such benchmark")
    for benchmark, name in TIMES.items():
        if not found[benchmark]:
            continue
        times = [one["cpu_time"] * NANOSECONDS[one["time_unit"]] for one in found[benchmark]]
        print(f"| {name} | {text_of(results.figure(name, times, 'ns'), ',.1f')} |")
    for (benchmark, counter), (name, unit) in COUNTERS.items():
        if not found[benchmark]:
            continue
        values = results.figure(name, [one[counter] for one in found[benchmark]], unit)
        print(f"| {name}, {unit} | {text_of(values, ',.1f')} |")
    results.write(options.json)


if __name__ == "__main__":
    main()
