"""What the tests of hostile peers share: a daemon with one call's worth of parties, raw connections, and somebody
who goes on making calls meanwhile."""

import multiprocessing
import os
import random
import re
import resource
import socket
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from daemon import SANITIZED, Daemon, scaled  # noqa: E402
from wire import HOST, MICROS, RespClient, encode  # noqa: E402

__all__ = ["AT", "HOST", "PATIENCE_SECONDS", "SANITIZED", "MIB", "Memory", "OtherCaller", "Raw", "Victim",
           "descriptors_for", "encode", "scaled", "seeded"]

PATIENCE_SECONDS = 120
MIB = 1024 * 1024
AT = ("AT", "2026-03-02T10:00:00Z")


def descriptors_for(wanted):
    """Raises the limit of open files for this process and the daemons it starts, as far as it may; how many of
    `wanted` there can be."""
    spare = 500
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard != resource.RLIM_INFINITY and hard < wanted + spare:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted + spare, wanted + spare))
        except (ValueError, PermissionError):
            pass
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return wanted if hard == resource.RLIM_INFINITY else min(wanted, hard - spare)


def seeded(what):
    """A generator whose seed is printed; the environment's TOLLGATE_SEED repeats a run."""
    seed = int(os.environ.get("TOLLGATE_SEED") or time.time_ns() % 1_000_000_007)
    print(f"{what}: TOLLGATE_SEED={seed}", flush=True)
    return random.Random(seed)


class Victim(Daemon):
    """A tollgated with customers: alice, with the line a1, is attacked; zoe, with z1, wants to make calls. A second
    to 49… costs them 0.01, and north 0.001."""

    def __enter__(self):
        super().__enter__()
        try:
            self.tariff("wholesale", {}, "prefix,rate_per_minute\n49,0.06\n")
            self.tariff("retail", {}, "prefix,rate_per_minute\n49,0.6\n")
            self.parties([
                {"id": "root", "kind": "provider", "currency": "EUR"},
                {"id": "north", "kind": "reseller", "parent": "root", "terms": "margin", "tariff": "wholesale"},
                {"id": "alice", "kind": "customer", "parent": "north", "tariff": "retail"},
                {"id": "a1", "kind": "line", "parent": "alice"},
                {"id": "zoe", "kind": "customer", "parent": "north", "tariff": "retail"},
                {"id": "z1", "kind": "line", "parent": "zoe"},
            ])
            self.topups({party: 100_000 * MICROS for party in ("north", "alice", "zoe")})
        except BaseException:
            self.__exit__(*sys.exc_info())
            raise
        return self

    def make_a_whole_call(self):
        """On a new connection, with the right sums at both levels."""
        client = RespClient(self.resp_port)
        before = self.account("zoe"), self.account("north")
        assert client.call("AUTHORIZE", "z1", "4930123", "whole call", "WANT", 60, *AT)[:2] == ["OK", "60"]
        assert client.call("START", "whole call")[:2] == ["OK", "60"]
        assert client.call("EXTEND", "whole call", "USED", 30, "WANT", 60)[:2] == ["OK", "90"]
        answer = client.call("STOP", "whole call", 45)
        assert answer[:2] == ["OK", "0.45"] and answer["status"] == "stopped", answer
        client.close()
        after = self.account("zoe"), self.account("north")
        assert before[0][0] - after[0][0] == 450_000 and before[1][0] - after[1][0] == 45_000, (before, after)

    def end_all_sessions(self):
        """Ends whatever an attacker left open, whatever its id is made of."""
        raw = Raw(self)
        cursor = b"0"
        while True:
            raw.send(encode(["SESSIONS", "COUNT", "1000", "CURSOR", cursor]))
            _, cursor, *rows = raw.read()
            for session, *_ in rows:
                raw.send(encode(["STOP", session, "0"]))
                assert raw.read()[0] == b"OK", session
            if cursor == b"0":
                break
        raw.close()


class Raw:
    """A connection of bytes."""

    class Error(bytes):
        pass

    def __init__(self, daemon, timeout=PATIENCE_SECONDS):
        self.socket = socket.create_connection((HOST, daemon.resp_port), timeout=timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.input = self.socket.makefile("rb")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.input.close()
        self.socket.close()

    def send(self, data):
        """Sends all, unless the daemon closes before; what it answered is still to be read then."""
        try:
            self.socket.sendall(data)
        except (BrokenPipeError, ConnectionResetError):
            pass

    def rest(self):
        """Everything until the daemon closes."""
        return self.input.read()

    def read(self):
        """The next answer, in bytes; lists for arrays, Error for errors, and b"" at the end."""
        line = self.input.readline()
        if not line:
            return b""
        assert line.endswith(b"\r\n"), line
        kind, text = line[:1], line[1:-2]
        if kind == b"$":
            if text == b"-1":
                return None
            data = self.input.read(int(text) + 2)
            assert data[-2:] == b"\r\n", data
            return data[:-2]
        if kind == b"*":
            return [self.read() for _ in range(int(text))]
        if kind == b"-":
            return self.Error(text)
        assert kind in b"+:", line
        return text

    def call(self, *words):
        self.send(encode(words))
        return self.read()


class Memory:
    """How much more memory than now a process has come to have resident at most, in bytes."""

    def __init__(self, pid):
        self.pid = pid
        Path(f"/proc/{pid}/clear_refs").write_text("5", encoding="ascii")  # The peak begins anew.
        self.before = self.field("VmRSS")

    def field(self, name):
        status = Path(f"/proc/{self.pid}/status").read_text(encoding="ascii")
        return int(re.search(rf"{name}:\s+(\d+) kB", status)[1]) * 1024

    def grown(self):
        return self.field("VmHWM") - self.before


def make_calls(port, stop, report):
    """A caller of his own process, so that nothing but the daemon can keep him waiting."""
    # What the test has open is not ours: a connection that it closes must be closed.
    os.closerange(3, report.fileno())
    os.closerange(report.fileno() + 1, resource.getrlimit(resource.RLIMIT_NOFILE)[0])
    client = RespClient(port, timeout=PATIENCE_SECONDS)
    latencies, wrong, call, own = [], [], 0, os.getpid()
    while not stop.is_set():
        call += 1
        for words, expected in ((("AUTHORIZE", "z1", "4930123", f"other-{own}-{call}", "WANT", 60, *AT), ["OK", "60"]),
                                (("STOP", f"other-{own}-{call}", 10), ["OK", "0.1"])):
            begun = time.perf_counter()
            answer = client.call(*words)
            latencies.append(time.perf_counter() - begun)
            if answer[:2] != expected:
                wrong.append((words, list(answer)))
        time.sleep(0.002)
    client.close()
    report.send((call, latencies, wrong[:3]))


class OtherCaller:
    """Makes calls on a connection of its own for as long as the block lasts: all must be answered, each in time."""

    def __init__(self, daemon, meanwhile):
        self.daemon, self.meanwhile = daemon, meanwhile

    def __enter__(self):
        context = multiprocessing.get_context("fork")
        self.stop = context.Event()
        self.report, child = context.Pipe()
        self.process = context.Process(target=make_calls, args=(self.daemon.resp_port, self.stop, child))
        self.process.start()
        child.close()
        return self

    def __exit__(self, failure, *_):
        time.sleep(0.3)  # Enough calls for a percentile, however short the attack was.
        self.stop.set()
        told = self.report.recv() if self.report.poll(PATIENCE_SECONDS) else None
        self.process.join(10)
        if self.process.is_alive():
            self.process.terminate()
            self.process.join()
        if failure:
            return
        assert told is not None, f"the other caller was not answered during {self.meanwhile}"
        calls, latencies, wrong = told
        assert not wrong, wrong
        assert calls >= 10, f"only {calls} calls during {self.meanwhile}"
        latencies.sort()
        at = {share: latencies[min(len(latencies) - 1, int(share * len(latencies)))] * 1000
              for share in (0.5, 0.99, 1)}
        print(f"{calls} calls of another connection during {self.meanwhile}: all answered, "
              f"p50 {at[0.5]:.2f} ms, p99 {at[0.99]:.2f} ms, longest {at[1]:.2f} ms", flush=True)
        assert latencies[-1] < scaled(5, 30), "an answer took too long"
