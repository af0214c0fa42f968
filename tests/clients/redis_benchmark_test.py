#!/usr/bin/env python3
"""redis-benchmark is a load tool nobody here wrote: it must find a server that it can measure."""

import re
import unittest

import world

import runner
from daemon import scaled

COMMANDS = scaled(5000, 2000)


@world.needs_program("redis-benchmark")
class RedisBenchmarkTest(unittest.TestCase):
    def setUp(self):
        self.daemon = self.enterContext(world.World("resp.unix=resp.sock"))

    def benchmark(self, *words):
        """Runs it with 20 connections and pipelines of 16, which ends with 1 at the first error it is answered."""
        ran = world.run("redis-benchmark", "-p", self.daemon.resp_port, "-n", COMMANDS, "-c", 20, "-P", 16,
                        "-r", 1_000_000, "-q", *words)
        self.assertEqual(ran.returncode, 0, ran)
        self.assertNotIn("Error", ran.stdout + ran.stderr)
        # Its only complaint: CONFIG GET is empty here.
        self.assertLessEqual(set(ran.stderr.split("\n")), {"WARNING: Could not fetch server CONFIG", ""})
        self.assertRegex(ran.stdout, r"[1-9][\d.]* requests per second")
        print(*re.findall(r".*requests per second.*", ran.stdout), sep="\n", flush=True)

    def test_ping(self):
        self.benchmark("-t", "ping")

    # A line that nobody has: every answer is a refusal, and none is an error.
    def test_refusals(self):
        before = int(self.daemon.info("stats")["calls_refused"])
        self.benchmark("AUTHORIZE", "line", "49__rand_int__", "c-__rand_int__")
        self.assertGreaterEqual(int(self.daemon.info("stats")["calls_refused"]) - before, COMMANDS)
        self.daemon.assert_settled()

    # Calls of 0.01, which alice can pay; then as many STOPs, of those sessions and of some that never were.
    def test_calls(self):
        self.benchmark("AUTHORIZE", "a1", "49__rand_int__", "c-__rand_int__", "WANT", "1")
        self.assertGreater(int(self.daemon.info("tollgate")["sessions_open"]), 0)
        self.benchmark("STOP", "c-__rand_int__", "1")
        self.benchmark("QUOTE", "a1", "49__rand_int__")
        self.benchmark("BALANCE", "alice", "PLAIN")
        book = self.daemon.books()["EUR"]
        self.assertEqual(book["sum"], 0, book)

    def test_unix_socket(self):
        self.benchmark("-s", self.daemon.unix_path, "-t", "ping_mbulk")

    # As a client that asks for RESP3, and one that names a database.
    def test_options(self):
        self.benchmark("-3", "-t", "ping_mbulk")
        self.benchmark("--dbnum", 0, "-t", "ping_mbulk")


if __name__ == "__main__":
    runner.main()
