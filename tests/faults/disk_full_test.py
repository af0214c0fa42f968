#!/usr/bin/env python3
"""The journal's disk is full: no new calls, running ones end, nothing is lost, and it heals by itself.

TOLLGATE_ROUNDS: how often a disk of its own is filled. TOLLGATE_SEED: what is decided by chance, such as when.
Needs the right to mount; where it is missing this is skipped.
"""

import ctypes
import os
import subprocess
import tempfile
import time
import unittest
from pathlib import Path

from mortal import Mortal, amount_of, seeded
from traffic import MICROS, PRICE, OPENING, build_world

import runner

from wire import RespError  # noqa: I001

MIB = 1024 * 1024
DISK_MIB = 48
SEGMENTS_BYTES = 4 * 4 * MIB  # What the journal takes at its start.
OPEN_CALLS = 100
HEALS_SECONDS = 60  # It tries again every second; the machine may be busy.
CLONE_NEWNS = 0x20000


def own_mounts():
    """Mounts of this process and its children that nobody else sees; the reason if it may not have any."""
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.unshare(CLONE_NEWNS) != 0:
        return os.strerror(ctypes.get_errno())
    done = subprocess.run(["mount", "--make-rprivate", "/"], capture_output=True, text=True, check=False)
    return done.stderr.strip() if done.returncode else None


class SmallDisk:
    """A file system of DISK_MIB, and a file that fills it."""

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="tollgate-disk-")
        self.path = Path(self.folder.name)
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={DISK_MIB}m", "tmpfs", str(self.path)], check=True)
        return self

    def __exit__(self, *_):
        subprocess.run(["umount", str(self.path)], check=True)
        self.folder.cleanup()

    def fill(self, leave=0):
        """But for `leave` bytes."""
        with open(self.path / "filler", "wb") as filler:
            statistics = os.statvfs(self.path)
            left = max(0, statistics.f_bavail * statistics.f_frsize - leave)
            while left > 0:
                try:
                    left -= filler.write(bytes(min(left, MIB)))
                    filler.flush()
                except OSError:
                    return

    def free(self):
        (self.path / "filler").unlink()


class DiskFullTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        reason = own_mounts()
        if reason:
            raise unittest.SkipTest(f"no mounts of its own: {reason}")

    def test_disk_full(self):
        rng = seeded("disk full")
        rounds = amount_of("TOLLGATE_ROUNDS", 3, 1)
        self.calls = 0
        self.healed_after = []
        began = time.monotonic()
        for number in range(rounds):
            with self.subTest(round=number):
                # The first fills it to the last byte; others leave something, at most two segments.
                self.one_round(rng, 0 if number == 0 else rng.randrange(8 * MIB), kill=number % 3)
        print(f"{rounds} full disks in {time.monotonic() - began:.0f} s: {self.calls} calls, healed after at most "
              f"{max(self.healed_after, default=0):.1f} s", flush=True)

    def one_round(self, rng, leave, kill):
        with SmallDisk() as disk, Mortal("journal.segment_bytes=4 MiB", "journal.snapshot_segments=10000",
                                         "session.hold=4h", folder=disk.path / "journal") as daemon:
            build_world(daemon, 1)
            self.expected = OPENING
            self.number = 0
            self.open_calls(daemon)
            disk.fill(leave)
            self.call_until_full(daemon, rng)
            self.check_full(daemon)
            if kill == 1:  # Comes back on a disk that is still full.
                daemon.kill()
                daemon.assert_invariants_hold()
                daemon.restart()
                self.assertEqual(daemon.account("customer-0")[0], self.expected)
                self.check_still_there(daemon, self.open)
                self.call_until_full(daemon, rng)
                self.check_full(daemon)
            ended = self.end(daemon, self.open[:OPEN_CALLS // 2])
            if kill == 2:  # Space is there again only when it comes back.
                daemon.kill()
                disk.free()
                daemon.restart()
                self.repeat_ends(daemon, ended)
            else:
                disk.free()
            self.healed_after.append(self.wait_until_healed(daemon))
            if kill == 0:
                self.wait_for_line(daemon, "kind=disk_full")
                self.wait_for_line(daemon, "kind=disk_free")
            self.end(daemon, self.open[OPEN_CALLS // 2:])
            self.repeat_ends(daemon, ended)
            self.assertEqual(daemon.account("customer-0"), (self.expected, 0, self.expected))
            daemon.assert_settled()
            daemon.kill()
            daemon.assert_invariants_hold()
            daemon.restart()
            self.assertEqual(daemon.account("customer-0"), (self.expected, 0, self.expected))
            self.repeat_ends(daemon, ended)
            self.calls += self.number

    def wait_for_line(self, daemon, words):
        deadline = time.monotonic() + HEALS_SECONDS
        while words not in daemon.log.read_text():
            self.assertLess(time.monotonic(), deadline, words)
            time.sleep(0.05)

    def name(self):
        self.number += 1
        return f"call-{self.number}"

    def open_calls(self, daemon):
        self.open = [self.name() for _ in range(OPEN_CALLS)]
        for answer in daemon.resp.pipeline([("AUTHORIZE", "line-0", "4930123", id, "WANT", 60) for id in self.open]):
            self.assertEqual(answer.code, "OK")
        for answer in daemon.resp.pipeline([("START", id) for id in self.open[::2]]):
            self.assertEqual(answer.code, "OK")

    def call_until_full(self, daemon, rng):
        """Calls of a second, some at once, until new ones are refused."""
        deadline = time.monotonic() + HEALS_SECONDS
        while True:
            self.assertLess(time.monotonic(), deadline, "the disk never filled")
            ids = [self.name() for _ in range(rng.choice((1, 5, 20, 100)))]
            commands = [words for id in ids
                        for words in (("AUTHORIZE", "line-0", "4930123", id, "WANT", 60), ("STOP", id, 1))]
            answers = daemon.resp.pipeline(commands)
            refused = False
            for authorized, stopped in zip(answers[::2], answers[1::2]):
                if isinstance(authorized, RespError):
                    self.assertRegex(str(authorized), "^BUSY retry after [0-9]+ ms: .*full")
                    self.assertEqual(stopped.code, "UNKNOWN_SESSION")
                    refused = True
                else:
                    self.assertEqual((authorized.code, stopped.code), ("OK", "OK"))
                    self.expected -= PRICE
            if refused:
                return

    def check_full(self, daemon):
        """What is refused, and how."""
        resp = daemon.resp
        for words in (("AUTHORIZE", "line-0", "4930123", self.name()), ("TOPUP", "customer-0", 1, "when-full"),
                      ("DEBIT", "customer-0", 1, "when-full"), ("EXTEND", self.open[0], "USED", 1, "WANT", 3600)):
            with self.assertRaisesRegex(RespError, "^BUSY retry after [0-9]+ ms", msg=words):
                resp.call(*words)
        for method, path, body in (("PATCH", "/v1/parties/customer-0", {"credit_limit": "1"}),
                                   ("POST", "/v1/parties", {"id": "new", "kind": "customer", "parent": "north"}),
                                   ("PUT", "/v1/tariffs/new", {"currency": "EUR"})):
            reply = daemon.http.request(method, path, body)
            self.assertEqual(reply.status, 503, (path, reply))
            self.assertIn("Retry-After", reply.headers)
        self.assertEqual(daemon.http.get("/v1/parties/customer-0").json["credit_limit"], "0")
        self.assertIn("full", daemon.info("persistence")["journal_disk"])
        ready = daemon.http.get("/readyz")
        self.assertEqual(ready.status, 503)
        self.assertIn("the journal's disk is full", ready.json["detail"])
        self.assertEqual(daemon.http.get("/healthz").status, 200)
        # What only looks goes on.
        self.assertEqual(resp.call("QUOTE", "line-0", "4930123").code, "OK")
        self.assertEqual(daemon.account("customer-0")[0], self.expected)

    def check_still_there(self, daemon, ids):
        self.assertEqual(daemon.info("tollgate")["sessions_open"], str(len(ids)))
        self.assertEqual(daemon.account("customer-0")[1], 60 * PRICE * len(ids))

    def end(self, daemon, ids):
        """STOP and RELEASE of calls that are up: (words, answer) of each."""
        commands = []
        for number, id in enumerate(ids):
            if number % 4 == 1:  # It was never answered.
                commands.append(("RELEASE", id))
            else:
                commands.append(("STOP", id, number + 1))
                self.expected -= PRICE * (number + 1)
        answers = daemon.resp.pipeline(commands, 10)
        for words, answer in zip(commands, answers):
            self.assertFalse(isinstance(answer, RespError), (words, answer))
            self.assertEqual((answer.code, answer["dup"]), ("OK", "0"), words)
        return list(zip(commands, answers))

    def repeat_ends(self, daemon, ended):
        for words, answer in ended:
            again = list(daemon.resp.call(*words))
            self.assertEqual(again[-2:], ["dup", "1"], words)
            self.assertEqual(again[:-1], list(answer)[:-1])

    def wait_until_healed(self, daemon):
        began = time.monotonic()
        while True:
            id = self.name()
            daemon.resp.send([("AUTHORIZE", "line-0", "4930123", id)])
            answer = daemon.resp.read()
            if not isinstance(answer, RespError):
                self.assertEqual(answer.code, "OK")
                self.assertEqual(daemon.resp.call("RELEASE", id).code, "OK")
                break
            self.assertLess(time.monotonic() - began, HEALS_SECONDS, answer)
            time.sleep(0.05)
        took = time.monotonic() - began
        self.assertEqual(daemon.info("persistence")["journal_disk"], "good")
        self.assertEqual(daemon.http.get("/readyz").status, 200)
        self.assertEqual(daemon.resp.call("TOPUP", "customer-0", 1, "healed").code, "OK")
        self.expected += MICROS
        return took


if __name__ == "__main__":
    runner.main()
