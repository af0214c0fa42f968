#!/usr/bin/env python3
"""How long a daemon takes from its start to its first answer, with a folder that grow_journal has made.

usage: bench/recovery.py [EVENTS [PARTIES [FOLDER]]]      (10000000, 1000000, a temporary one)
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests/faults"))

from mortal import Mortal  # noqa: E402

GROW = ROOT / "build/release/bench/grow_journal"
ROUNDS = 3
NEVER = 10_000  # Segments between snapshots: none is made.


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


def measure(folder, what):
    for cold in (False, True):
        times, used = [], []
        for _ in range(ROUNDS):
            seconds, processor, said = start_seconds(folder, cold)
            times.append(seconds)
            used.append(processor)
        own, kernels = min(used, key=sum)
        print(f"{what}, {'nothing' if cold else 'all'} in the kernel's memory: first answer after "
              f"{sorted(times)[len(times) // 2]:.2f} s ({min(times):.2f} to {max(times):.2f}), {own:.1f} s of the processor "
              f"and {kernels:.1f} s of the kernel's; {said}", flush=True)


def main():
    events, parties = [*sys.argv[1:3], "10000000", "1000000"][:2] if len(sys.argv) > 2 else (
        sys.argv[1] if len(sys.argv) > 1 else "10000000", "1000000")
    given = sys.argv[3] if len(sys.argv) > 3 else None
    with tempfile.TemporaryDirectory(prefix="tollgate-recovery-") as temporary:
        for name, snapshot_segments in (("snapshots as by default", 4), ("no snapshot", NEVER)):
            folder = Path(given or temporary) / str(snapshot_segments)
            if not folder.exists():
                began = time.monotonic()
                subprocess.run([str(GROW), str(folder), events, parties, str(snapshot_segments)], check=True)
                print(f"{name}: made in {time.monotonic() - began:.0f} s, "
                      f"{sum(file.stat().st_size for file in folder.iterdir()) >> 20} MiB", flush=True)
            measure(folder, name)
            if not given:
                shutil.rmtree(folder)


if __name__ == "__main__":
    main()
