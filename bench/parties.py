#!/usr/bin/env python3
"""What one party more, finding one, and a page of a list take over /v1, with ten parties and with very many.

usage: bench/parties.py [PARTIES]      (10000000)

A provider, 1,000 resellers, and customers with a line each below them, imported a million at a time; the journal is
synced before every answer. Each request is sent 300 times over one connection; medians and 99th percentiles.
"""

import json
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests/support"))

from daemon import Daemon  # noqa: E402

RESELLERS = 1_000
LOT = 1_000_000
ROUNDS = 300


def lines(first, last):
    """Parties `first` to `last` of the tree, as an import has them."""
    for at in range(first, last):
        if at < RESELLERS:
            yield json.dumps({"id": f"r{at}", "kind": "reseller", "parent": "provider", "name": f"Reseller {at}"})
        elif at % 2 == 0:
            yield json.dumps({"id": f"c{at}", "kind": "customer", "parent": f"r{at // 2 % RESELLERS}"})
        else:
            yield json.dumps({"id": f"l{at}", "kind": "line", "parent": f"c{at - 1}"})


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


def measure(parties):
    with tempfile.TemporaryDirectory(prefix="tollgate-parties-") as folder:
        with Daemon(f"journal.dir={folder}/journal", f"party.max={parties + 10_000}") as daemon:
            daemon.parties([{"id": "provider", "kind": "provider", "currency": "EUR"}])
            begun = time.perf_counter()
            for first in range(0, parties, LOT):
                body = "\n".join(lines(first, min(parties, first + LOT)))
                reply = daemon.http.request("POST", "/v1/parties:import", body,
                                            {"Content-Type": "application/x-ndjson"})
                assert reply.status == 200, reply
            print(f"\n{parties} parties, imported in {time.perf_counter() - begun:.0f} s of which Python has a part; "
                  f"{resident_bytes(daemon) / 2**20:.0f} MiB", flush=True)
            resellers = min(RESELLERS, parties)
            middle = f"{resellers // 2}.0"
            rows = {
                "POST a customer with a name": timed(
                    daemon, "POST", lambda at: "/v1/parties",
                    lambda at: {"kind": "customer", "parent": f"r{at * 7 % resellers}", "name": f"New {at}"}),
                "GET one": timed(daemon, "GET", lambda at: f"/v1/parties/{'r' if at % 2 else 'c' if parties > RESELLERS else 'r'}"
                                 f"{(at * 2 + RESELLERS if parties > RESELLERS and at % 2 == 0 else at % resellers)}"),
                "GET 100 below a reseller": timed(
                    daemon, "GET", lambda at: f"/v1/parties?under=r{at % resellers}&limit=100"),
                "GET 100 from the middle of all": timed(
                    daemon, "GET", lambda at: f"/v1/parties?limit=100&cursor={middle}"),
                "GET 100 children of the provider": timed(
                    daemon, "GET", lambda at: "/v1/parties?parent=provider&limit=100"),
                "PATCH a name": timed(daemon, "PATCH", lambda at: f"/v1/parties/r{at % resellers}",
                                      lambda at: {"name": f"Renamed {at}"}),
            }
            for what, (median, late) in rows.items():
                print(f"| {what} | {median:.2f} ms | {late:.2f} ms |", flush=True)


if __name__ == "__main__":
    for count in (10, int(sys.argv[1]) if len(sys.argv) > 1 else 10_000_000):
        measure(count)
