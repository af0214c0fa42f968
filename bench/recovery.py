#!/usr/bin/env python3
"""How long a daemon takes from its start to its first answer, with a folder that grow_journal has made.

usage: bench/recovery.py [EVENTS [PARTIES [FOLDER]]] [--only default,none] [--json FILE]

10,000,000 events, 1,000,000 parties and a temporary folder where nothing is said. Snapshots are made as by default, or
there is none, so that every event is applied; each is started with all of its files in the kernel's memory, and with
nothing.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from measuring import GROW, ROOT, Results

sys.path.insert(0, str(ROOT / "tests/faults"))

from mortal import Mortal  # noqa: E402

ROUNDS = 3
NEVER = 10_000  # Segments between snapshots: none is made.
SNAPSHOTS = {"default": ("snapshots as by default", 4), "none": ("no snapshot", NEVER)}


def forget_cached(folder):
    """The next reader of the files finds nothing in the kernel's memory."""
    os.sync()
    for file in Path(folder).iterdir():
        descriptor = os.open(file, os.O_RDONLY)
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(descriptor)


def processor_seconds(process):
    """What the process has used so far, its own and the kernel's."""
    fields = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()
    return [int(field) / os.sysconf("SC_CLK_TCK") for field in fields[11:13]]


def start_seconds(folder, cold):
    """From the start of the process to the answer of a BALANCE; of the processor; and what the log said."""
    if cold:
        forget_cached(folder)
    with Mortal(f"journal.snapshot_segments={NEVER}", folder=folder) as daemon:
        assert daemon.resp.call("BALANCE", "c1").code == "OK"
        answered = time.monotonic() - daemon.launched
        used = processor_seconds(daemon.process.pid)
        said = next(line for line in daemon.log.read_text().splitlines() if "events read" in line)
    return answered, used, said.split("journal: ")[-1].split(": ")[-1]


def measure(folder, what, events, results):
    for cold in (False, True):
        times, used = [], []
        for _ in range(ROUNDS):
            seconds, processor, said = start_seconds(folder, cold)
            times.append(seconds)
            used.append(processor)
        own, kernels = min(used, key=sum)
        where = f"{what}, {'nothing' if cold else 'all'} in the kernel's memory"
        found = results.figure(f"first answer, {where}", times, "s", parameter="events", value=events)
        if what == SNAPSHOTS["none"][0]:
            results.figure(f"events applied, {where}", [events / seconds for seconds in times], "events/s",
                           parameter="events", value=events)
        print(f"{where}: first answer after {found['median']:.2f} s ({found['least']:.2f} to {found['greatest']:.2f}), "
              f"{own:.1f} s of the processor and {kernels:.1f} s of the kernel's; {said}", flush=True)


def main():
    command = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    command.add_argument("events", type=int, nargs="?", default=10_000_000)
    command.add_argument("parties", type=int, nargs="?", default=1_000_000)
    command.add_argument("folder", nargs="?")
    command.add_argument("--only", type=lambda text: text.split(","), default=list(SNAPSHOTS))
    command.add_argument("--json")
    options = command.parse_args()
    for key in options.only:
        if key not in SNAPSHOTS:
            command.error(f"--only: there is no '{key}'; there are {', '.join(SNAPSHOTS)}")
    results = Results()
    with tempfile.TemporaryDirectory(prefix="tollgate-recovery-") as temporary:
        for name, snapshot_segments in (SNAPSHOTS[key] for key in options.only):
            folder = Path(options.folder or temporary) / str(snapshot_segments)
            if not folder.exists():
                began = time.monotonic()
                subprocess.run([str(GROW), str(folder), str(options.events), str(options.parties),
                                str(snapshot_segments)], check=True)
                print(f"{name}: made in {time.monotonic() - began:.0f} s, "
                      f"{sum(file.stat().st_size for file in folder.iterdir()) >> 20} MiB", flush=True)
            measure(folder, name, options.events, results)
            if not options.folder:
                shutil.rmtree(folder)
    results.write(options.json)


if __name__ == "__main__":
    main()
