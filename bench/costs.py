#!/usr/bin/env python3
"""What the machine pays for a request of the pair mix, and for a party and an open session.

usage: bench/costs.py [--rounds 5] [--seconds 2] [--prefixes FILE] [--small] [--plots PREFIX] [--json FILE]

The daemon three times, in turn: without a journal (none), answering once the kernel (written) or the disk (synced) has the
events; one worker. The daemon has the first processor, tollgate-load the others.

  processor time   in user space, a request with P=64, of the worker's thread and of the whole process: utime of
                   /proc/PID/task/*/stat and /proc/PID/stat over the requests answered meanwhile
  durability       what synced adds to the p99 of none, with P=16 and at half the rate that synced has there, over the p99
                   of the disk's own sync (bench/disk_sync.py, as many blocks as the journal has in a sync), in turn
  system calls     a request with P=1, 16, 64: perf stat -e raw_syscalls:sys_enter, or strace -c -f where that is not
                   allowed, which makes the daemon so slow that it finds more commands at once
  memory           a party, of as many as the pair mix has; a session that is open: INFO
  latency          over the rate, open loop, synced: tollgate-load; --plots draws it, and the throughput over time

Medians of the rounds, least and greatest. `--small` is a small world, to see that all of it runs.
"""

import argparse
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from measuring import (GENERATOR, PREFIXES_FILE, ROOT, SERVER, Results, commands_of, load, load_command, text_of,
                       under_way)
from pair_mix import FULL, SMALL, World, fill_daemon
from daemon import Daemon

MODES = ("none", "written", "synced")
DEPTH_OF_PROCESSOR, DEPTH_OF_DURABILITY, DEPTHS_OF_CALLS = 64, 16, (1, 16, 64)
TICKS_A_SECOND = os.sysconf("SC_CLK_TCK")
BLOCK_BYTES = 4096             # kBlockBytes of balance/journal/settings.h
SESSION_ID_BYTES = 37          # As a switch's: a UUID and one more.
RATE_STEPS = 8                 # From an eighth of RATE_SHARE of what is answered with P=16 up to it.
RATE_SHARE = 0.8
STRACE_BEGIN_SECONDS = 0.5     # Until it has stopped every thread once.


# ---- Processor time ----

def user_ticks(stat):
    return int(Path(stat).read_text().rsplit(")", 1)[1].split()[11])


def user_seconds(process):
    """({thread: seconds}, of the whole process), in user space."""
    threads = {stat.parent.name: user_ticks(stat) / TICKS_A_SECOND
               for stat in Path(f"/proc/{process}/task").glob("*/stat")}
    return threads, user_ticks(f"/proc/{process}/stat") / TICKS_A_SECOND


def busiest(before, after):
    """(the thread that used most meanwhile, how much)."""
    thread = max(after, key=lambda thread: after[thread] - before.get(thread, 0))
    return thread, after[thread] - before.get(thread, 0)


def processor_time(daemon, traffic, seconds):
    """Microseconds in user space a request: of the worker, of the process."""
    with under_way(daemon, seconds, *traffic, "--saturate", DEPTH_OF_PROCESSOR):
        commands, (threads, process) = commands_of(daemon), user_seconds(daemon.process.pid)
        time.sleep(seconds)
        threads_after, process_after = user_seconds(daemon.process.pid)
        commands = commands_of(daemon) - commands
    return {"worker": busiest(threads, threads_after)[1] * 1e6 / commands,
            "process": (process_after - process) * 1e6 / commands}


# ---- Durability ----

def p99(daemon, seconds, *options):
    figures = load(daemon.resp_port, seconds, *options)
    return figures["latency"]["p99_us"], figures["rate"]


def durability(daemons, traffic, seconds, folder):
    """Of one round; microseconds, but for `blocks`, which is of a sync of the journal."""
    saturate = ["--saturate", DEPTH_OF_DURABILITY]
    before = daemons["synced"].info("persistence")
    synced, rate = p99(daemons["synced"], seconds, *traffic, *saturate)
    after = daemons["synced"].info("persistence")
    written, syncs = (int(after[name]) - int(before[name]) for name in ("journal_bytes", "journal_syncs"))
    blocks = max(1, round(written / max(1, syncs) / BLOCK_BYTES))
    none, _ = p99(daemons["none"], seconds, *traffic, *saturate)
    half = ["--rate", max(1, round(rate / 4))]  # Calls, each of two commands.
    synced_half, _ = p99(daemons["synced"], seconds, *traffic, *half)
    none_half, _ = p99(daemons["none"], seconds, *traffic, *half)
    disk = json.loads(subprocess.run(
        [*SERVER, sys.executable, ROOT / "bench/disk_sync.py", folder, "--blocks", str(blocks), "--seconds",
         str(min(1, seconds))], check=True, stdout=subprocess.PIPE).stdout)["p99_us"]
    return {"added": synced - none, "added at half": synced_half - none_half, "disk": disk, "blocks": blocks}


# ---- System calls ----

def by_perf(process, command):
    """({thread: calls}, what the command printed)."""
    with tempfile.NamedTemporaryFile("r") as counts:
        done = subprocess.run(["perf", "stat", "-x,", "-o", counts.name, "--per-thread", "-e", "raw_syscalls:sys_enter",
                               "-p", str(process), "--", *command], check=True, capture_output=True, text=True)
        rows = [line.split(",") for line in counts.read().splitlines() if "raw_syscalls" in line]
    # The first is NAME-THREAD.
    return {row[0].rsplit("-", 1)[1]: int(row[1]) for row in rows if row[1].isdigit()}, done.stdout


def by_strace(process, command):
    """({"": calls of all threads}, what the command printed)."""
    with tempfile.NamedTemporaryFile("r") as counts:
        watching = subprocess.Popen(["strace", "-c", "-f", "-q", "-o", counts.name, "-p", str(process)],
                                    stderr=subprocess.DEVNULL)
        time.sleep(STRACE_BEGIN_SECONDS)
        try:
            done = subprocess.run(command, check=True, capture_output=True, text=True)
        finally:
            watching.send_signal(signal.SIGINT)
            watching.wait()
        total = next(line for line in counts.read().splitlines() if line.endswith(" total"))
    return {"": int(total.split()[3])}, done.stdout


COUNTERS = {"perf stat -e raw_syscalls:sys_enter": by_perf, "strace -c -f": by_strace}


def may_count(count):
    """Whether it counts those of another process here."""
    with subprocess.Popen([sys.executable, "-c", "import time\nwhile True: time.sleep(0.01)"]) as other:
        try:
            return bool(count(other.pid, [sys.executable, "-c", ""])[0])
        except (subprocess.CalledProcessError, StopIteration):
            return False
        finally:
            other.kill()


def counter():
    """(how system calls are counted here, by what); None where they cannot be."""
    return next(((name, count) for name, count in COUNTERS.items()
                 if shutil.which(name.split()[0]) and may_count(count)), None)


def system_calls(daemon, traffic, seconds, depth, count):
    """A request, by everybody and by the busiest thread (None where they are not told apart)."""
    threads, _ = user_seconds(daemon.process.pid)
    command = [*GENERATOR, *load_command(daemon.resp_port, seconds, *traffic, "--saturate", depth)]
    calls, printed = count(daemon.process.pid, list(map(str, command)))
    requests = json.loads(printed)["commands"]
    worker, _ = busiest(threads, user_seconds(daemon.process.pid)[0])
    return {"process": sum(calls.values()) / requests,
            "worker": calls[worker] / requests if worker in calls else None}


# ---- Memory ----

def memory(world):
    """Bytes a party, bytes an open session of three levels."""
    with Daemon("workers=1") as daemon:
        fill_daemon(daemon, world)
        before = daemon.info("tollgate")
        switch = daemon.connect()
        answers = switch.pipeline([
            ("AUTHORIZE", f"u{line}", number, f"{line:012d}-".ljust(SESSION_ID_BYTES, "0"))
            for line, number in zip(range(world.size.lines), world.numbers)])
        assert all(isinstance(answer, list) and answer.code == "OK" for answer in answers), answers[:3]
        after = daemon.info("tollgate")
        opened = int(after["sessions_open"]) - int(before["sessions_open"])
        return (int(before["party_bytes"]) / int(before["parties"]),
                (int(after["session_bytes"]) - int(before["session_bytes"])) / opened)


# ---- The run ----

def measure_rounds(daemons, traffic, options, folder, results):
    used = {(mode, who): [] for mode in MODES for who in ("worker", "process")}
    added = []
    for number in range(1, options.rounds + 1):
        for mode in MODES:
            for who, micros in processor_time(daemons[mode], traffic, options.seconds).items():
                used[mode, who].append(micros)
        added.append(durability(daemons, traffic, options.seconds, folder))
        print(f"round {number} of {options.rounds}: " + ", ".join(
            f"{mode} {used[mode, 'process'][-1]:.2f} us" for mode in MODES) + f", {added[-1]}", file=sys.stderr, flush=True)

    print(f"| user space, us a request, P={DEPTH_OF_PROCESSOR} | worker | process |\n| --- | --- | --- |")
    for mode in MODES:
        cells = [text_of(results.figure(f"user time of the {who}, {mode}", used[mode, who], "us/request", mode, "P",
                                        DEPTH_OF_PROCESSOR)) for who in ("worker", "process")]
        print(f"| {mode} | {' | '.join(cells)} |")

    print(f"\n| p99, us, P={DEPTH_OF_DURABILITY} | |\n| --- | --- |")
    for name, what, unit in (("added by durability", "added", "us"),
                             ("added by durability at half the rate", "added at half", "us"),
                             ("the disk's own sync", "disk", "us"), ("blocks in a sync", "blocks", "blocks")):
        found = results.figure(name, [of_round[what] for of_round in added], unit, "synced", "P", DEPTH_OF_DURABILITY)
        print(f"| {name} | {text_of(found, ',.0f')} |")
    for name, what in (("p99 added / the disk's", "added"), ("p99 added at half the rate / the disk's", "added at half")):
        found = results.ratio(name, [of_round[what] / of_round["disk"] for of_round in added], "synced")
        print(f"| {name} | {text_of(found)} |")


def measure_calls(daemons, traffic, seconds, results):
    how = counter()
    if how is None:
        results.skip("system calls: neither perf nor strace may count them here")
        return
    results.note(f"\nsystem calls are counted by {how[0]}")
    print("\n| system calls a request | " + " | ".join(f"P={depth}" for depth in DEPTHS_OF_CALLS) + " |")
    print("| --- |" + " --- |" * len(DEPTHS_OF_CALLS))
    for mode in MODES:
        cells = []
        for depth in DEPTHS_OF_CALLS:
            calls = system_calls(daemons[mode], traffic, seconds, depth, how[1])
            for who, count in calls.items():
                if count is not None:
                    results.figure(f"system calls of the {who}, {mode}", [count], "calls/request", mode, "P", depth)
            cells.append(f"{calls['process']:.3f}"
                         + (f", {calls['worker']:.3f} its worker's" if calls["worker"] is not None else ""))
        print(f"| {mode} | {' | '.join(cells)} |")


def measure_latency(daemon, traffic, options, results):
    saturated = load(daemon.resp_port, options.seconds, *traffic, "--saturate", DEPTH_OF_DURABILITY)["rate"]
    step = max(1, round(saturated / 2 * RATE_SHARE / RATE_STEPS))
    plots = ["--plots", options.plots] if options.plots else []
    if plots and not shutil.which("gnuplot"):
        results.skip("plots of latency and throughput: gnuplot is not installed")
        plots = []
    how = ["--rate", f"{step}..{RATE_STEPS * step}/{step}:{round(options.seconds * 1_000)}ms", *plots]
    # --rate says how long.
    command = [word for word in load_command(daemon.resp_port, 0, *traffic, *how) if word not in ("--for", "0ms")]
    done = subprocess.run([*GENERATOR, *command], capture_output=True, text=True)
    if done.returncode != 0:
        results.skip(f"latency over the rate: {done.stderr.strip() or 'the daemon fell behind'}")
        return
    print("\n| calls/s | p50, us | p99, us |\n| --- | --- | --- |")
    for reached in json.loads(done.stdout)["steps"]:
        for name in ("p50", "p99"):
            results.figure(f"{name} over the rate", [reached[f"{name}_us"]], "us", "synced", "calls/s",
                           reached["calls_wanted"])
        print(f"| {reached['calls_wanted']:,} | {reached['p50_us']:,.0f} | {reached['p99_us']:,.0f} |")


def main():
    command = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    command.add_argument("--rounds", type=int, default=5)
    command.add_argument("--seconds", type=float, default=2)
    command.add_argument("--prefixes", default=PREFIXES_FILE)
    command.add_argument("--small", action="store_true")
    command.add_argument("--plots")
    command.add_argument("--json")
    options = command.parse_args()
    results = Results()
    world = World(options.prefixes, SMALL if options.small else FULL)
    Daemon.before = SERVER
    party, session = memory(world)
    results.figure("memory of a party", [party], "B")
    results.figure("memory of an open session", [session], "B")
    print(f"a party {party:.0f} B of {world.size.lines:,} lines and who is above them, an open session {session:.0f} B\n")
    with ExitStack() as running:
        folder = Path(running.enter_context(tempfile.TemporaryDirectory(prefix="tollgate-costs-")))
        traffic = world.traffic(folder)
        daemons = {}
        for mode in MODES:
            journal = [] if mode == "none" else [f"journal.dir={folder}/{mode}", f"journal.reply={mode}"]
            daemons[mode] = running.enter_context(Daemon("workers=1", *journal))
            fill_daemon(daemons[mode], world)
        measure_rounds(daemons, traffic, options, folder, results)
        measure_calls(daemons, traffic, options.seconds, results)
        measure_latency(daemons["synced"], traffic, options, results)
    results.write(options.json)


if __name__ == "__main__":
    main()
