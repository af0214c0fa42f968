#!/usr/bin/env python3
"""redis-cli is the console: one-shot, interactive on a terminal, --pipe, RESP3, over the Unix socket."""

import fcntl
import os
import pty
import re
import select
import struct
import subprocess
import termios
import time
import unittest

import world

import runner
from wire import encode

# What linenoise draws: colours, moves of the cursor, and the line anew at every key.
ESCAPE = re.compile(rb"\x1b\[[0-9;]*[A-Za-z]")
BEGUN_ESCAPE = re.compile(rb"(\x1b(\[[0-9;]*)?)?$")
PATIENCE_SECONDS = 60


class Terminal:
    """redis-cli on a pseudo-terminal of 200 columns, with somebody typing."""

    def __init__(self, daemon, *options):
        self.prompt = f"127.0.0.1:{daemon.resp_port}> "
        self.text, self.begun_escape = "", b""
        try:
            self.pid, self.descriptor = pty.fork()
        except OSError as error:  # A bare chroot has no /dev/pts.
            raise unittest.SkipTest(f"no pseudo-terminal here: {error}") from error
        if self.pid == 0:
            os.environ.update(TERM="xterm", HOME=daemon.folder.name)  # Where it keeps its history.
            os.execvp("redis-cli", ["redis-cli", "-p", str(daemon.resp_port), *options])
        fcntl.ioctl(self.descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", 50, 200, 0, 0))

    def close(self):
        try:
            os.kill(self.pid, 9)
            os.waitpid(self.pid, 0)
        except (ProcessLookupError, ChildProcessError):
            pass
        os.close(self.descriptor)

    def read_until(self, wanted):
        """What it shows up to and with `wanted`, without colours and moves; the rest is kept for the next time."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while wanted not in self.text:
            ready, _, _ = select.select([self.descriptor], [], [], max(0, deadline - time.monotonic()))
            assert ready, f"redis-cli does not show {wanted!r} but {self.text!r}"
            try:
                read = os.read(self.descriptor, 65536)
            except OSError:  # It has ended.
                read = b""
            assert read, f"redis-cli has ended without {wanted!r}: {self.text!r}"
            shown = self.begun_escape + read
            self.begun_escape = BEGUN_ESCAPE.search(shown)[0]
            shown = shown[:len(shown) - len(self.begun_escape)]
            self.text += ESCAPE.sub(b"", shown).decode(errors="replace")
        before, wanted, self.text = self.text.partition(wanted)
        return before + wanted

    def type(self, text):
        os.write(self.descriptor, text.encode())

    def answer(self, line):
        """Types a line; the lines of the answer."""
        self.type(line + "\r")
        self.read_until("\r\n")
        shown = self.read_until(self.prompt).removesuffix(self.prompt)
        return shown.replace("\r", "").strip("\n").split("\n")

    def wait(self):
        """The exit code."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            ended, status = os.waitpid(self.pid, os.WNOHANG)
            if ended:
                return os.waitstatus_to_exitcode(status)
            try:
                select.select([self.descriptor], [], [], 0.05)
                os.read(self.descriptor, 65536)
            except OSError:
                time.sleep(0.02)
        raise AssertionError("redis-cli does not end")


def quoted(*words):
    """How redis-cli shows an array of bulk strings to a person."""
    width = len(str(len(words)))
    return [f'{at:>{width}}) "{word}"' for at, word in enumerate(words, 1)]


GRANTED = ("OK", "60", "final", "0", "validity", "300", "level", "", "reason", "", "price", "0.6", "held", "0.6",
           "available", "999.4", "currency", "EUR", "number", "4930123", "dup", "0")


@world.needs_program("redis-cli")
class RedisCliTest(unittest.TestCase):
    def setUp(self):
        self.daemon = self.enterContext(world.World("resp.unix=resp.sock"))

    def cli(self, *words, **options):
        return world.run("redis-cli", "-p", self.daemon.resp_port, *words, **options)

    def assert_says(self, ran, *lines):
        self.assertEqual((ran.returncode, ran.stderr, ran.stdout.rstrip("\n").split("\n")), (0, "", list(lines)))

    # ---- One command ----

    # A whole call, a line a value, as scripts read it.
    def test_one_shot(self):
        self.assert_says(self.cli("PING"), "PONG")
        self.assert_says(self.cli("PING", "hello there"), "hello there")
        self.assert_says(self.cli("AUTHORIZE", "a1", "4930123", "one", "WANT", "60"), *GRANTED)
        self.assert_says(self.cli("START", "one"), "OK", "60", "dup", "0")
        stopped = self.cli("STOP", "one", "5").stdout.split("\n")
        self.assertEqual(stopped[:8], ["OK", "0.05", "billed", "5", "status", "stopped", "flags", ""])
        self.assert_says(self.cli("BALANCE", "alice"), "OK", "999.95", "currency", "EUR", "held", "0", "available",
                         "999.95", "credit_limit", "0", "status", "active")
        self.assert_says(self.cli("BALANCE", "alice", "PLAIN"),
                         "OK 999.95 currency EUR held 0 available 999.95 credit_limit 0 status active")
        self.daemon.assert_settled()

    # As a person sees it. A refusal is an answer: redis-cli ends well, also with -e.
    def test_one_shot_for_a_person(self):
        ran = self.cli("--no-raw", "AUTHORIZE", "a1", "4930123", "two", "WANT", "60")
        self.assert_says(ran, *quoted(*GRANTED))
        ran = self.cli("-e", "--no-raw", "RELEASE", "three")
        self.assert_says(ran, *quoted("UNKNOWN_SESSION", "0", "dup", "0"))
        ran = self.cli("-e", "STOP", "two", "nonsense")
        self.assertEqual(ran.returncode, 1)
        self.assertIn("BADARG s:", ran.stdout + ran.stderr)
        ran = self.cli("--no-raw", "FLUSHALL")
        self.assertTrue(ran.stdout.startswith("(error) ERR "), ran)
        self.assert_says(self.cli("RELEASE", "two"), "OK", "0", "dup", "0")

    # -n 0 sends SELECT 0; -x takes the last word, of any bytes, from standard input.
    def test_options(self):
        self.assert_says(self.cli("-n", "0", "PING"), "PONG")
        call_id = b'"%<>@\r\n\t\0\xff'
        ran = subprocess.run(["redis-cli", "-p", str(self.daemon.resp_port), "-x", "AUTHORIZE", "a1", "4930123"],
                             input=call_id, stdout=subprocess.PIPE, check=True)
        self.assertEqual(ran.stdout.split(b"\n")[:2], [b"OK", b"3600"])
        ran = subprocess.run(["redis-cli", "-p", str(self.daemon.resp_port), "-x", "RELEASE"],
                             input=call_id, stdout=subprocess.PIPE, check=True)
        self.assertEqual(ran.stdout, b"OK\n0\ndup\n0\n")
        ran = self.cli("-r", "3", "PING")
        self.assert_says(ran, "PONG", "PONG", "PONG")

    # HELLO 3 first; answers keep their RESP2 shape afterwards.
    def test_resp3(self):
        self.assert_says(self.cli("-3", "PING"), "PONG")
        self.assert_says(self.cli("-3", "--no-raw", "AUTHORIZE", "a1", "4930123", "three", "WANT", "60"),
                         *quoted(*GRANTED))
        hello = self.cli("-3", "--no-raw", "HELLO", "3").stdout
        self.assertRegex(hello, r'(?m)^\s*1# "server" => ')
        self.assertRegex(hello, r'(?m)# "proto" => \(integer\) 3$')
        self.assertEqual(self.cli("-3", "RELEASE", "three").stdout.split(), ["OK", "0", "dup", "0"])

    def test_unix_socket(self):
        def unix(*words):
            return world.run("redis-cli", "-s", self.daemon.unix_path, *words)
        self.assert_says(unix("PING"), "PONG")
        self.assert_says(unix("AUTHORIZE", "a1", "4930123", "four", "WANT", "60"), *GRANTED)
        # It is the same daemon on both.
        self.assert_says(self.cli("RELEASE", "four"), "OK", "0", "dup", "0")

    # ---- Many commands ----

    # A few thousand commands in RESP from a file: as many answers, no error.
    def test_pipe(self):
        commands = []
        for call in range(1500):
            commands += [
                ("TOPUP", "alice", "0.1", f"pipe-{call}"),
                ("AUTHORIZE", "a1", f"4930{call}", f"pipe-{call}", "WANT", "60", "AT", "2026-03-02T10:00:00Z"),
                ("STOP", f"pipe-{call}", "10"),
            ]
        ran = world.run("redis-cli", "-p", self.daemon.resp_port, "--pipe",
                        input=b"".join(map(encode, commands)).decode())
        self.assertEqual(ran.returncode, 0, ran)
        self.assertIn("All data transferred. Waiting for the last reply...", ran.stdout)
        self.assertIn("Last reply received from server.", ran.stdout)
        self.assertIn(f"errors: 0, replies: {len(commands)}", ran.stdout)
        # 1500 calls of 10 s at 0.01 are just what was paid in.
        self.assertEqual(self.daemon.account("alice")[:2], (1000_000_000, 0))
        self.daemon.assert_settled()

    # Lines as a person writes them, and one that is wrong: it is counted, the rest is done.
    def test_pipe_of_lines(self):
        ran = world.run("redis-cli", "-p", self.daemon.resp_port, "--pipe", input=(
            "PING\r\nAUTHORIZE a1 4930123 'a line' WANT 60\r\nSTOP 'a line' nonsense\r\nRELEASE 'a line'\r\n"))
        self.assertIn("errors: 1, replies: 4", ran.stdout)
        self.assertEqual(ran.returncode, 1)
        self.daemon.assert_settled()

    # ---- On a terminal ----

    def test_interactive(self):
        terminal = Terminal(self.daemon)
        self.addCleanup(terminal.close)
        terminal.read_until(terminal.prompt)
        self.assertEqual(terminal.answer("PING"), ["PONG"])
        self.assertEqual(terminal.answer("authorize a1 4930123 tty WANT 60"), quoted(*GRANTED))
        self.assertEqual(terminal.answer("START tty"), quoted("OK", "60", "dup", "0"))
        self.assertEqual(terminal.answer("START tty AT noon")[0][:22], "(error) BADARG AT: \"no")
        self.assertEqual(terminal.answer('RELEASE "never\\x00was"'), quoted("UNKNOWN_SESSION", "0", "dup", "0"))
        self.assertEqual(terminal.answer("STOP tty 5")[:6],
                         quoted("OK", "0.05", "billed", "5", "status", "stopped", *[""] * 6)[:6])
        self.assertEqual(terminal.answer("SESSIONS"), quoted("OK", "0"))
        terminal.type("exit\r")
        self.assertEqual(terminal.wait(), 0)
        self.daemon.assert_settled()

    # "hints need COMMAND DOCS": what a command takes stands behind the cursor while one types.
    def test_hints(self):
        terminal = Terminal(self.daemon)
        self.addCleanup(terminal.close)
        terminal.read_until(terminal.prompt)
        for command, hint in (("AUTHORIZE", "line destination session"), ("STOP", "session s"),
                              ("TOPUP", "party amount request")):
            with self.subTest(command):
                terminal.type(command + " x\x15")  # Control-U takes the line away.
                shown = terminal.read_until(f"{terminal.prompt}{command} x")
                terminal.read_until(terminal.prompt + "\r")
                self.assertIn(f"{command} {hint}", shown)

    # `help COMMAND` comes from the same place.
    def test_help(self):
        terminal = Terminal(self.daemon)
        self.addCleanup(terminal.close)
        terminal.read_until(terminal.prompt)
        told = "\n".join(terminal.answer("help authorize"))
        self.assertIn("AUTHORIZE", told)
        self.assertIn("line destination session", told)
        self.assertIn("summary:", told)

    def test_interactive_resp3(self):
        terminal = Terminal(self.daemon, "-3")
        self.addCleanup(terminal.close)
        terminal.read_until(terminal.prompt)
        self.assertEqual(terminal.answer("PING"), ["PONG"])
        self.assertEqual(terminal.answer("RELEASE never"), quoted("UNKNOWN_SESSION", "0", "dup", "0"))
        terminal.type("quit\r")
        self.assertEqual(terminal.wait(), 0)


if __name__ == "__main__":
    runner.main()
