#!/usr/bin/env python3
"""What the disk takes to have what was written, as the journal writes it, and nothing else.

usage: bench/disk_sync.py FOLDER [--blocks 1] [--seconds 1]

Writes so many blocks of 4096 bytes at once into a segment of zeros that is there already, in place, and waits for
fdatasync; again, behind the last. Prints {"count", "p50_us", "p99_us", "max_us"} of a write and its sync as JSON.
"""

import argparse
import json
import os
import tempfile
import time

BLOCK_BYTES = 4096               # kBlockBytes of balance/journal/settings.h
SEGMENT_BYTES = 64 * 1024 * 1024


def sync_times(folder, blocks, seconds):
    """Microseconds, sorted."""
    written = os.urandom(blocks * BLOCK_BYTES)
    with tempfile.TemporaryFile(dir=folder) as file:
        descriptor = file.fileno()
        os.write(descriptor, bytes(SEGMENT_BYTES))
        os.fsync(descriptor)
        times, at = [], 0
        deadline = time.perf_counter() + seconds
        while (begun := time.perf_counter()) < deadline:
            os.pwrite(descriptor, written, at)
            os.fdatasync(descriptor)
            times.append((time.perf_counter() - begun) * 1e6)
            at = at + len(written) if at + 2 * len(written) <= SEGMENT_BYTES else 0
    return sorted(times)


def main():
    command = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    command.add_argument("folder")
    command.add_argument("--blocks", type=int, default=1)
    command.add_argument("--seconds", type=float, default=1)
    options = command.parse_args()
    if not 0 < options.blocks * BLOCK_BYTES <= SEGMENT_BYTES:
        command.error(f"--blocks: 1 to {SEGMENT_BYTES // BLOCK_BYTES}, which is a segment")
    times = sync_times(options.folder, options.blocks, options.seconds)
    print(json.dumps({"count": len(times), "p50_us": times[len(times) // 2], "p99_us": times[len(times) * 99 // 100],
                      "max_us": times[-1]}))


if __name__ == "__main__":
    main()
