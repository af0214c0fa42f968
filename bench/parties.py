#!/usr/bin/env python3
"""What one party more, finding one, and a page of a list take over /v1, with ten parties and with very many.

usage: bench/parties.py [PARTIES]      (10000000)

The many are a provider, 1,001 resellers, and customers with a line each below them, as grow_journal makes them; the
daemon reads them from its journal, which is synced before every answer. Each request is sent 300 times over one
connection; medians and 99th percentiles, in milliseconds.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

from measuring import GROW
from daemon import Daemon

PARTIES_MAX = 20_000_000
ROUNDS = 300


def grow(folder, parties):
    """A journal with so many parties, and next to no calls."""
    command = [GROW, f"{folder}/journal", "1", str(parties), "1000"]
    begun = time.perf_counter()
    subprocess.run(command, check=True, stderr=subprocess.DEVNULL)
    print(f"\n{parties} parties, made in {time.perf_counter() - begun:.0f} s")


def resident_bytes(daemon):
    status = Path(f"/proc/{daemon.process.pid}/status").read_text(encoding="ascii")
    return int(next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1]) * 1024


def timed(daemon, method, path_of, body_of=lambda at: None):
    """(median, 99th percentile) in milliseconds."""
    seconds = []
    for at in range(ROUNDS):
        path, body = path_of(at), body_of(at)
        begun = time.perf_counter()
        reply = daemon.http.request(method, path, body)
        seconds.append(time.perf_counter() - begun)
        assert reply.status in (200, 201), reply
    seconds.sort()
    return seconds[ROUNDS // 2] * 1_000, seconds[ROUNDS * 99 // 100] * 1_000


def measure(daemon, resellers, above, customers):
    """`above`: the parent of the resellers r0, r1, …; `customers`: how many c0, c1, … there are."""
    one_of = (lambda at: f"c{at * 7_919 % customers}") if customers else (lambda at: f"r{at % resellers}")
    middle = daemon.http.get(f"/v1/parties?parent={above}&limit={resellers // 2}").json["next"]
    rows = {
        "POST a customer with a name": timed(
            daemon, "POST", lambda at: "/v1/parties",
            lambda at: {"kind": "customer", "parent": f"r{at * 7 % resellers}", "name": f"New {at}"}),
        "GET one": timed(daemon, "GET", lambda at: f"/v1/parties/{one_of(at)}"),
        "PATCH a name": timed(daemon, "PATCH", lambda at: f"/v1/parties/{one_of(at)}",
                              lambda at: {"name": f"Renamed {at}"}),
        "GET 10 below a reseller": timed(
            daemon, "GET", lambda at: f"/v1/parties?under=r{at % resellers}&limit=10"),
        "GET 100 below a reseller": timed(
            daemon, "GET", lambda at: f"/v1/parties?under=r{at % resellers}&limit=100"),
        "GET 100 from the middle of all": timed(
            daemon, "GET", lambda at: f"/v1/parties?limit=100&cursor={middle}"),
    }
    for what, (median, late) in rows.items():
        print(f"| {what} | {median:.2f} | {late:.2f} |", flush=True)
    print(f"{resident_bytes(daemon) / 2**20:.0f} MiB resident")


def main(parties):
    with tempfile.TemporaryDirectory(prefix="tollgate-parties-") as folder:
        with Daemon(f"journal.dir={folder}/journal") as daemon:
            daemon.parties([{"id": "provider", "kind": "provider", "currency": "EUR"},
                            *({"id": f"r{at}", "kind": "reseller", "parent": "provider"} for at in range(9))])
            print("ten parties")
            measure(daemon, 9, "provider", 0)
    with tempfile.TemporaryDirectory(prefix="tollgate-parties-") as folder:
        grow(folder, parties)
        begun = time.perf_counter()
        with Daemon(f"journal.dir={folder}/journal", f"party.max={PARTIES_MAX}") as daemon:
            print(f"started in {time.perf_counter() - begun:.1f} s")
            measure(daemon, 1_000, "shared", (parties - 1_002) // 2)


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000_000)
