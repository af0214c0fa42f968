"""Starts a tollgated of its own for a test, and ends it.

The binary is the one that the environment's TOLLGATED names, else build/release/tollgated.
"""

import itertools
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from wire import HttpClient, RespClient, micros, money

ROOT = Path(__file__).resolve().parents[2]
SANITIZER = os.environ.get("TOLLGATE_SANITIZER", "none")
SANITIZED = SANITIZER not in ("", "none")

START_SECONDS = 60
STOP_SECONDS = 60
# A start makes four segments ahead. Of 64 MiB, as by default, they take half a second of a processor, and so does a
# start that reads the last of them again.
SMALL_SEGMENTS = "journal.segment_bytes=4 MiB"
SERVES = re.compile(rb"RESP on 127\.0\.0\.1:(\d+).* HTTP on 127\.0\.0\.1:(\d+)")
SANITIZER_REPORT = re.compile(rb"ERROR: \w+Sanitizer|WARNING: ThreadSanitizer|runtime error:")


def binary():
    """The tollgated that is tested."""
    return Path(os.environ.get("TOLLGATED", ROOT / "build/release/tollgated")).resolve()


def scaled(plain, sanitized):
    """How much to do: a build with a sanitizer is ten to twenty times slower."""
    return sanitized if SANITIZED else plain


class Daemon:
    """A running tollgated on free ports of the loopback, in a temporary folder.

    with Daemon("session.longest=600h") as daemon:
        daemon.tariff("retail", {}, "prefix,rate_per_minute\\n44,0.6\\n")

    At the end it gets SIGTERM and must exit with 0; the report of a sanitizer is a failure. Its log is printed
    if anything went wrong.
    """

    running = []  # For the log of a test that fails while they run.
    before = ()  # What stands before its command: ("taskset", "-c", "0").
    usual = ()  # Settings of all of them, unless their own say otherwise.

    def __init__(self, *settings):
        self.settings = settings
        self.clients = []
        self.log_printed = False
        self.exit_expected = 0
        self.request_ids = itertools.count(1)

    # ---- Life ----

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="tollgate-test-")
        self.log = Path(self.folder.name) / "log"
        self.launch()
        Daemon.running.append(self)
        try:
            self.wait_until_it_serves()
        except BaseException:
            self.__exit__(*sys.exc_info())
            raise
        return self

    def launch(self):
        """Starts the process; does not wait for it."""
        command = [*self.before, str(binary())]
        for setting in ("resp.listen=127.0.0.1:0", "http.listen=127.0.0.1:0", *self.usual, *self.settings):
            command += ["--set", setting]
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                command, cwd=self.folder.name, stdin=subprocess.DEVNULL, stdout=log, stderr=log)

    def wait_until_it_serves(self):
        deadline = time.monotonic() + START_SECONDS
        while not (ports := SERVES.search(self.log.read_bytes())):
            assert self.process.poll() is None, f"tollgated ended with {self.process.returncode}"
            assert time.monotonic() < deadline, f"tollgated serves nothing after {START_SECONDS} s"
            time.sleep(0.01)
        self.resp_port, self.http_port = int(ports[1]), int(ports[2])
        self.resp = self.connect()
        self.http = self.connect_http()
        assert self.resp.call("PING") == "PONG"
        assert self.http.get("/healthz").status == 200

    def __exit__(self, failure, *_):
        for client in self.clients:
            client.close()
        self.process.send_signal(signal.SIGTERM)
        wrong = []
        try:
            self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            wrong.append(f"still there {STOP_SECONDS} s after SIGTERM")
            self.process.kill()
            self.process.wait()
        if not wrong and self.process.returncode != self.exit_expected:
            wrong.append(f"ended with {self.process.returncode}, expected {self.exit_expected}")
        if SANITIZER_REPORT.search(self.log.read_bytes()):
            wrong.append("a sanitizer has something to report")
        if failure or wrong:
            self.print_log()
        Daemon.running.remove(self)
        self.folder.cleanup()
        assert failure or not wrong, "tollgated: " + "; ".join(wrong)

    def print_log(self):
        """Once: what a second failure has to say is mostly what the first one said."""
        if self.log_printed:
            return
        self.log_printed = True
        print("---- log of tollgated", self.process.pid, file=sys.stderr)
        print(self.log.read_text(errors="replace")[-20_000:], file=sys.stderr)
        print("---- end of the log", file=sys.stderr, flush=True)

    # ---- Connections ----

    def connect(self):
        """Another RESP connection; self.resp is the first."""
        self.clients.append(RespClient(self.resp_port))
        return self.clients[-1]

    def connect_http(self):
        """Another HTTP connection; self.http is the first."""
        self.clients.append(HttpClient(self.http_port))
        return self.clients[-1]

    # ---- What nearly every test needs ----

    def tariff(self, tariff, settings, deck):
        """Makes a tariff, in EUR if `settings` do not say otherwise, and puts its deck (CSV) in force."""
        reply = self.http.request("PUT", f"/v1/tariffs/{tariff}", {"currency": "EUR", **settings})
        assert reply.status in (200, 201), reply
        reply = self.http.request(
            "PUT", f"/v1/tariffs/{tariff}/deck", deck, {"Content-Type": "text/csv"})
        assert reply.status == 200, reply
        return reply.json

    def parties(self, parties):
        """Adds parties, parents first, in one request."""
        lines = "\n".join(map(json.dumps, parties))
        reply = self.http.request(
            "POST", "/v1/parties:import", lines, {"Content-Type": "application/x-ndjson"})
        assert reply.status == 200 and reply.json == {"imported": len(parties)}, reply

    def topups(self, amounts):
        """Tops up parties: {party: micro-units}."""
        commands = [("TOPUP", party, money(amount), f"test-{next(self.request_ids)}")
                    for party, amount in amounts.items()]
        for command, answer in zip(commands, self.resp.pipeline(commands)):
            assert isinstance(answer, list) and answer.code == "OK", (command, answer)

    def topup(self, party, amount):
        """Tops up one party by an amount of micro-units."""
        self.topups({party: amount})

    def account(self, party):
        """(balance, held, available) of a party, in micro-units."""
        answer = self.resp.call("BALANCE", party)
        assert answer.code == "OK", (party, answer)
        return micros(answer.figure), micros(answer["held"]), micros(answer["available"])

    def info(self, section):
        """The lines of a section of INFO: {name: text}."""
        lines = self.resp.call("INFO", section).split("\r\n")
        return dict(line.split(":", 1) for line in lines if ":" in line)

    def books(self):
        """{currency: {"balances": micro-units, …, "sum": micro-units}}."""
        return {name.removeprefix("books_"): {key: micros(value) for key, value in
                                              (pair.split("=") for pair in line.split(","))}
                for name, line in self.info("books").items()}

    def assert_settled(self):
        """No call is open, nothing is held by anyone, and the books of every currency add up to zero."""
        assert self.info("tollgate")["sessions_open"] == "0", self.info("tollgate")
        for currency, book in self.books().items():
            assert book["held"] == 0 and book["sum"] == 0, (currency, book)
