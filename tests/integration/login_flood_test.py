#!/usr/bin/env python3
"""A flood of wrong passwords, and switches that go on.

Goal: 10,000 wrong passwords a second make nobody wait but those who send them: the p99 of good clients is at most
twice what it is without them, and good clients still log in.
Method: a good connection asks one request after the other while four others send wrong passwords in turns of so many a
second; with and without the flood in turns, medians of the p99s. A round in which fewer wrong passwords were answered
says nothing and is done again. A user who was here before comes back in the middle of it.
"""

import statistics
import subprocess
import sys
import textwrap
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from daemon import scaled  # noqa: E402
from runner import main  # noqa: E402
from users import PASSWORD, GuardedDaemon  # noqa: E402
from wire import RespError, encode  # noqa: E402

ROUNDS = scaled(5, 1)
# How long they are done again because the machine had something else to do.
PATIENCE = scaled(150, 300)
SECONDS = 0.7  # Of one measurement.
RATE = scaled(10_000, 1_000)
# A p99 of a tenth of a millisecond is mostly how soon the kernel wakes a process that waits for a socket: by so much two
# measurements of the same quiet daemon differ.
NOISE_US = scaled(50, 1_000)

# A process of its own, which takes the processor from nobody: those who flood have machines of their own.
FLOOD = textwrap.dedent("""
    import os, socket, sys, time
    os.nice(10)
    port, rate = int(sys.argv[1]), int(sys.argv[2])
    def command(*words):
        return b"*%d\\r\\n" % len(words) + b"".join(b"$%d\\r\\n%s\\r\\n" % (len(w), w) for w in words)
    batch = b"".join(command(b"AUTH", b"guess%d" % i, b"wrong") for i in range(25))
    sockets = [socket.create_connection(("127.0.0.1", port)) for _ in range(4)]
    sent, begin = 0, time.monotonic()
    print("ready", flush=True)
    while True:
        for one in sockets:
            one.sendall(batch)
        for one in sockets:
            left = 25
            while left > 0:
                left -= one.recv(65536).count(b"\\r\\n")
        sent += 100
        ahead = sent / rate - (time.monotonic() - begin)
        if ahead > 0:
            time.sleep(ahead)
        elif ahead < -1:
            sent, begin = 0, time.monotonic()
""")


class Flood(unittest.TestCase):
    def p99(self, client):
        """Of a request at a time, in microseconds."""
        command = encode(["QUOTE", "nobody", "49"])
        times = []
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            begin = time.perf_counter_ns()
            client.socket.sendall(command)
            client.read()
            times.append(time.perf_counter_ns() - begin)
        return statistics.quantiles(times, n=100)[98] / 1000

    def test_wrong_passwords_make_good_clients_wait_no_longer(self):
        with GuardedDaemon({"kam": {"role": "switch"}}) as daemon:
            good = daemon.as_user("kam")
            self.p99(good)
            quiet, loud, rates = [], [], []
            patient_until = time.monotonic() + PATIENCE
            while len(rates) < ROUNDS and time.monotonic() < patient_until:
                alone = self.p99(good)
                # A little more than is asked for, so that a pause does not make it less.
                flood = subprocess.Popen([sys.executable, "-c", FLOOD, str(daemon.resp_port), str(RATE * 5 // 4)],
                                         stdout=subprocess.PIPE)
                try:
                    flood.stdout.readline()
                    # The first guesses are looked at, one after the other.
                    refused = self.refused(daemon)
                    while self.refused(daemon) < refused + 1000 and time.monotonic() < patient_until:
                        time.sleep(0.05)
                    before = self.refused(daemon)
                    began = time.monotonic()
                    beside = self.p99(good)
                    rate = (self.refused(daemon) - before) / (time.monotonic() - began)
                    self.assertEqual(daemon.stranger().call("AUTH", "kam", PASSWORD), "OK")
                finally:
                    flood.kill()
                    flood.wait()
                    flood.stdout.close()
                print(f"p99 {alone:.0f} us alone, {beside:.0f} us beside {rate:.0f} wrong passwords a second",
                      file=sys.stderr)
                if rate >= RATE:
                    quiet.append(alone)
                    loud.append(beside)
                    rates.append(rate)
            self.assertEqual(len(rates), ROUNDS, f"there were not {RATE} wrong passwords a second so often")
            self.assertLessEqual(statistics.median(loud), 2 * statistics.median(quiet) + NOISE_US)

    def refused(self, daemon):
        info = daemon.info("clients")
        return sum(int(info[name]) for name in ("logins_wrong", "logins_throttled", "logins_busy"))

    def test_who_guesses_too_often_waits_and_is_let_in_again(self):
        with GuardedDaemon({"kam": {"role": "switch"}, "far": {"role": "switch", "sources": ["192.0.2.1"]}}) as daemon:
            client = daemon.stranger()
            answers = []
            # Five, and a few more where a hash takes longer than the first waits.
            while len(answers) < 20 and not (answers and answers[-1].startswith("BUSY retry after ")):
                client.send([("AUTH", "kam", "wrong")])
                answers.append(str(client.read()))
            self.assertGreater(len(answers), 5, answers)
            self.assertLess(len(answers), 20, answers)
            self.assertTrue(all(text.startswith("WRONGPASS") for text in answers[:-1]), answers)
            # Others are not in his way, and neither is he in a second.
            self.assertEqual(daemon.stranger().call("AUTH", "root", PASSWORD), "OK")
            deadline = time.monotonic() + 20
            while True:
                try:
                    self.assertEqual(client.call("AUTH", "kam", PASSWORD), "OK")
                    break
                except RespError as error:
                    self.assertTrue(str(error).startswith("BUSY") and time.monotonic() < deadline, error)
                    time.sleep(0.1)
            # Who was right once is never in the way of guesses.
            for _ in range(10):
                client.send([("AUTH", "kam", "wrong")])
                client.read()
            self.assertEqual(daemon.stranger().call("AUTH", "kam", PASSWORD), "OK")
            figures = daemon.info("clients")
            self.assertGreaterEqual(int(figures["logins_wrong"]), 5)
            self.assertGreaterEqual(int(figures["logins_throttled"]), 1)


if __name__ == "__main__":
    main()
