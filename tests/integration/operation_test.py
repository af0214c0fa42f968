#!/usr/bin/env python3
"""What an operator does with a running tollgated: asks whether it is ready, reloads its configuration under load, stops
it, bounds its memory, reads its log and verifies its audit log; and what a service manager is told.

usage: operation_test.py [TOLLGATED] [-k PATTERN]…
"""

import contextlib
import http.client
import itertools
import json
import os
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from daemon import ROOT, Daemon, binary, scaled  # noqa: E402
from runner import main  # noqa: E402
from wire import RespError  # noqa: E402

SECONDS = 60
MIB = 1024 * 1024


def wait_until(condition, what):
    deadline = time.monotonic() + SECONDS
    while not (result := condition()):
        assert time.monotonic() < deadline, f"not within {SECONDS} s: {what}"
        time.sleep(0.02)
    return result


class Operated(Daemon):
    """A Daemon with a journal and a configuration file, which the test writes anew: Operated({"log.level": "debug"})."""

    def __init__(self, settings=None, environment=None):
        super().__init__()
        self.config = dict(settings or {})
        self.environment = environment or {}

    def write_config(self, **more):
        """`log__level="debug"`; all at once, as an editor that renames does."""
        self.config.update({name.replace("__", "."): value for name, value in more.items()})
        lines = [f"{name} = {json.dumps(value)}" for name, value in self.config.items()]
        fresh = self.path.with_suffix(".new")
        fresh.write_text("\n".join(lines) + "\n")
        fresh.rename(self.path)

    def launch(self):
        self.path = Path(self.folder.name) / "tollgate.toml"
        self.journal = Path(self.folder.name) / "journal"
        self.write_config(**{"resp.listen": "127.0.0.1:0", "http.listen": "127.0.0.1:0",
                             "journal.dir": str(self.journal)})
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(
                [str(binary()), "--config", str(self.path)], cwd=self.folder.name, stdin=subprocess.DEVNULL,
                stdout=log, stderr=self.standard_error() or log, env={**os.environ, **self.environment})

    def standard_error(self):
        """Where it goes, if not to the log."""
        return None

    def lines(self):
        return self.log.read_text().splitlines()

    def reload(self):
        """SIGHUP; the line that says what became of it."""
        def said():
            return [line for line in self.lines() if re.search(r"kind=reload(_refused)?\b", line)]
        before = len(said())
        self.process.send_signal(signal.SIGHUP)
        return wait_until(lambda: len(said()) > before and said()[-1], "the log says what became of the SIGHUP")

    def stop(self):
        """SIGTERM; (the exit status, the seconds it took)."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(SECONDS), time.monotonic() - began

    def tool(self, *words):
        done = subprocess.run([str(binary()), *words], capture_output=True, text=True, timeout=SECONDS, check=False)
        return done.returncode, done.stdout + done.stderr

    def world(self):
        """A line `l` of a customer with 1000, for 0.6 a minute."""
        self.tariff("retail", {}, "prefix,rate_per_minute\n44,0.6\n")
        self.parties([{"id": "root", "kind": "provider", "currency": "EUR"},
                      {"id": "alice", "kind": "customer", "parent": "root", "currency": "EUR", "tariff": "retail"},
                      {"id": "l", "kind": "line", "parent": "alice"}])
        self.topup("alice", 1_000_000_000)


class Unread(Operated):
    """One whose standard error is a pipe that nobody reads once it serves."""

    def launch(self):
        self.reader, self.writer = os.pipe()
        super().launch()

    def standard_error(self):
        return self.writer

    def wait_until_it_serves(self):
        with open(self.log, "ab") as log:
            deadline = time.monotonic() + SECONDS
            while b"kind=serving " not in self.log.read_bytes():
                # The write end is open here too: nothing says that the daemon has ended.
                ended = self.process.poll() is not None
                if select.select([self.reader], [], [], 0.1)[0]:
                    log.write(os.read(self.reader, 65536))
                    log.flush()
                elif ended or time.monotonic() > deadline:
                    raise AssertionError(f"it does not serve: {self.log.read_text()}")
        super().wait_until_it_serves()

    def fill_log(self):
        """By another open file, so that the daemon's goes on to block."""
        filler = os.open(f"/proc/self/fd/{self.writer}", os.O_WRONLY | os.O_NONBLOCK)
        try:
            while True:
                os.write(filler, b"." * 4095 + b"\n")
        except BlockingIOError:
            os.close(filler)

    def __exit__(self, *failure):
        try:
            super().__exit__(*failure)
        finally:
            os.close(self.reader)
            os.close(self.writer)


class Load(threading.Thread):
    """Calls, one after the other, until it is stopped; what it was answered that was no OK."""

    def __init__(self, daemon, name):
        super().__init__()
        self.client = daemon.connect()
        self.name = name
        self.calls = 0
        self.wrong = []
        self.ended = threading.Event()

    def run(self):
        try:
            while not self.ended.is_set():
                session = f"{self.name}-{self.calls}"
                for words in (("AUTHORIZE", "l", "4420", session), ("STOP", session, "1")):
                    answer = self.client.call(*words)
                    if answer.code != "OK":
                        self.wrong.append((words, answer))
                self.calls += 1
        except Exception as error:  # It is what the test asks for.
            self.wrong.append(error)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.join()


class Ready(unittest.TestCase):
    def test_it_is_ready_until_it_is_told_to_stop_and_serves_meanwhile(self):
        with Operated({"shutdown.delay": "1m"}) as daemon:
            daemon.world()
            reply = daemon.http.get("/readyz")
            self.assertEqual((reply.status, reply.text), (200, "ready\n"))
            daemon.process.send_signal(signal.SIGTERM)
            reply = wait_until(lambda: (r := daemon.http.get("/readyz")).status != 200 and r, "readyz says no")
            self.assertEqual((reply.status, reply.json["detail"]), (503, "it is stopping"))
            self.assertEqual(reply.headers["Content-Type"], "application/problem+json")
            self.assertEqual(daemon.http.get("/healthz").status, 200)
            self.assertEqual(daemon.resp.call("AUTHORIZE", "l", "4420", "late").code, "OK")
            self.assertEqual(daemon.connect().call("PING"), "PONG")
            began = time.monotonic()
            daemon.process.send_signal(signal.SIGTERM)  # A second one takes the delay away.
            self.assertEqual(daemon.process.wait(SECONDS), 0)
            self.assertLess(time.monotonic() - began, 30)


    def test_a_store_that_lags_makes_it_not_ready_and_hurts_no_call(self):
        with Operated({"redis.url": "redis://127.0.0.1:1", "stores.lag_max": "200ms"}) as daemon:
            daemon.world()
            reply = wait_until(lambda: (r := daemon.http.get("/readyz")).status != 200 and r, "readyz says no")
            self.assertRegex(reply.json["detail"], r"^redis is \d+ s behind \(")
            self.assertEqual(daemon.resp.call("AUTHORIZE", "l", "4420", "a").code, "OK")
            daemon.write_config(stores__lag_max="0s")
            daemon.reload()
            self.assertEqual(daemon.http.get("/readyz").status, 200)


class Reload(unittest.TestCase):
    def test_what_can_be_reloaded_is_in_force_at_once_under_load(self):
        with Operated({"session.want": "1h"}) as daemon:
            daemon.world()
            self.assertEqual(daemon.resp.call("AUTHORIZE", "l", "4420", "a").figure, "3600")
            with Load(daemon, "x") as one, Load(daemon, "y") as other:
                for minutes in range(1, scaled(11, 4)):
                    daemon.write_config(session__want=f"{minutes}m", resp__unread_bytes_max=f"{minutes} MiB",
                                        resp__arguments_max=32 + minutes)
                    line = daemon.reload()
                    self.assertIn(" changed=", line)
                    self.assertIn(" need_restart=0", line)
                    answer = daemon.resp.call("AUTHORIZE", "l", "4420", f"b-{minutes}")
                    self.assertEqual(answer.figure, str(60 * minutes))
                for load in (one, other):
                    before = load.calls
                    wait_until(lambda load=load, before=before: load.calls > before or load.wrong, "calls go on")
            for load in (one, other):
                self.assertEqual(load.wrong, [])
                self.assertGreater(load.calls, 0)
            self.assertIn('key=session.want', daemon.log.read_text())
            self.assertIn('session.want: \\"1h\\" -> \\"1m\\"', daemon.log.read_text())

    def test_limits_that_are_shown_are_those_in_force(self):
        with Operated({"resp.connections_max": 200}) as daemon:
            def shown():
                return re.search(r"^tollgate_connections_limit (.*)$", daemon.http.get("/metrics").text, re.M)[1]
            self.assertEqual(float(shown()), 200)
            daemon.write_config(resp__connections_max=123)
            daemon.reload()
            self.assertEqual(float(shown()), 123)

    def test_what_needs_a_restart_is_said_each_time_and_not_done(self):
        with Operated({"workers": 1}) as daemon:
            for _ in range(2):
                daemon.write_config(workers=2, log__level="debug")
                line = daemon.reload()
                self.assertIn("need_restart=1", line)
            said = [line for line in daemon.lines() if "kind=needs_restart" in line]
            self.assertEqual(len(said), 2)
            self.assertIn('workers: \\"1\\" -> \\"2\\"; a restart is needed for it', said[0])
            self.assertEqual(daemon.info("server")["worker_threads"], "1")
            self.assertEqual(len([line for line in daemon.lines() if "key=log.level" in line]), 1)

    def test_a_faulty_file_changes_nothing_and_its_secrets_are_not_shown(self):
        with Operated({"session.want": "1h"}) as daemon:
            daemon.world()
            daemon.write_config(**{"session.want": "2h", "session.hold": "180", "redis.password": "hunter2"})
            daemon.path.write_text(daemon.path.read_text() + 'url = "redis://ann:hunter2@cache"\n')
            line = daemon.reload()
            self.assertIn("level=error", line)
            self.assertIn("nothing was changed", line)
            self.assertIn('has no unit', line)
            self.assertNotIn("hunter2", daemon.log.read_text())
            self.assertEqual(daemon.resp.call("AUTHORIZE", "l", "4420", "a").figure, "3600")
            daemon.path.unlink()
            self.assertIn("cannot be opened", daemon.reload())
            self.assertEqual(daemon.http.get("/readyz").status, 200)


class Check(unittest.TestCase):
    """What would not start is said by --check, and by the start, without secrets."""

    def test_where_stores_are_is_checked(self):
        with tempfile.TemporaryDirectory(prefix="tollgate-check-") as folder:
            journal = f"journal.dir={folder}/journal"
            for setting, expected in (
                    ("postgres.url=postgresql://ann:hun/ter2@db/x", 'postgres.url: "postgresql://ann:***@db/x": '),
                    ("postgres.url=postgresql://ann@db:port/x", "the port is none"),
                    ("redis.url=redis://:hunter2@cache", 'redis.url: "redis://:***@cache": '),
                    ("redis.url=cache:6379", "expected redis://HOST"),
                    ("webhook.url=hooks.example.com", "expected http://HOST")):
                for words in (["--check"], []):
                    with self.subTest(setting=setting, words=words):
                        status, text = self.tollgated(*words, journal, setting)
                        self.assertEqual(status, 1, text)
                        self.assertIn(expected, text)
                        self.assertNotIn("ter2", text)
            self.assertEqual(os.listdir(folder), [], "nothing was begun")
            status, text = self.tollgated("--check", "redis.url=redis://cache:6379")
            self.assertEqual((status, "set journal.dir" in text), (1, True), text)
            Path(folder, "secret").write_text("of two\n", encoding="utf-8")
            status, text = self.tollgated("--check", journal, "redis.url=redis://cache:6379",
                                          "postgres.url=host=db password=hunter2", "webhook.url=https://hooks/x",
                                          f"webhook.secret_file={folder}/secret")
            self.assertEqual(status, 0, text)

    def test_files_that_are_named_are_looked_at(self):
        with tempfile.TemporaryDirectory(prefix="tollgate-check-") as folder:
            Path(folder, "file").write_text("", encoding="utf-8")
            Path(folder, "mails").mkdir()
            Path(folder, "mails", "threshold.txt").write_text("no subject\n", encoding="utf-8")
            journal = f"journal.dir={folder}/journal"
            for settings, expected in (
                    ([journal, "webhook.url=https://hooks/x"], "webhook.secret_file is not set"),
                    ([journal, "webhook.url=https://hooks/x", f"webhook.secret_file={folder}/none"],
                     f"webhook.secret_file: {folder}/none"),
                    ([f"gateway.secret_file={folder}/file"], f"gateway.secret_file: {folder}/file"),
                    ([journal, f"postgres.password_file={folder}/none"], "postgres.password_file"),
                    ([journal, f"redis.password_file={folder}/none"], "redis.password_file"),
                    (["http.tls_listen=127.0.0.1:0", f"http.tls_certificate={folder}/none",
                      f"http.tls_key={folder}/none"], f"{folder}/none"),
                    (["resp.tls_listen=127.0.0.1:0", f"resp.tls_certificate={folder}/file",
                      f"resp.tls_key={folder}/file"], f"{folder}/file"),
                    ([f"mail.templates={folder}/mails"], "threshold.txt"),
                    ([f"journal.dir={folder}/file"], "is no folder that can be written"),
                    ([f"journal.dir={folder}/none/journal"], "is no folder that can be written")):
                with self.subTest(settings=settings):
                    status, text = self.tollgated("--check", *settings)
                    self.assertEqual(status, 1, text)
                    self.assertIn(expected, text)
            status, text = self.tollgated("--check", journal)
            self.assertEqual(status, 0, text)
            self.assertEqual(sorted(os.listdir(folder)), ["file", "mails"])

    def test_an_answer_that_cannot_be_written_is_no_success(self):
        with open("/dev/full", "w", encoding="utf-8") as full:
            done = subprocess.run([str(binary()), "--check"], stdout=full, stderr=subprocess.PIPE, text=True,
                                  timeout=SECONDS, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("standard output cannot be written", done.stderr)

    def test_a_reload_says_it_too(self):
        with Operated() as daemon:
            daemon.write_config(mail__templates="/nowhere")
            self.assertIn("reload_refused", daemon.reload())
        with Operated() as daemon:
            daemon.write_config(redis__url="redis://:hunter2@cache")
            self.assertIn("reload_refused", said := daemon.reload())
            self.assertIn("redis.url", said)
            self.assertNotIn("hunter2", daemon.log.read_text())

    @staticmethod
    def tollgated(*words):
        command = [str(binary()), "--set", "resp.listen=127.0.0.1:0", "--set", "http.listen=127.0.0.1:0"]
        for word in words:
            command += [word] if word.startswith("--") else ["--set", word]
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
        return done.returncode, done.stdout + done.stderr


class Stop(unittest.TestCase):
    def test_what_has_arrived_is_answered_and_the_journal_is_sealed(self):
        connections, each = scaled(20, 8), 50
        with Operated() as daemon:
            daemon.world()
            clients = [daemon.connect() for _ in range(connections)]
            for number, client in enumerate(clients):
                client.send([("TOPUP", "alice", "1", f"t-{number}-{i}") for i in range(each)])
            status, seconds = daemon.stop()
            self.assertEqual(status, 0)
            self.assertLess(seconds, 20)
            for client in clients:
                self.assertEqual([client.read().code for _ in range(each)], ["OK"] * each)
                with self.assertRaises(ConnectionError):
                    client.read()
            status, text = daemon.tool("journal", "verify", str(daemon.journal))
            self.assertEqual(status, 0, text)
            self.assertIn("; sealed", text)
            daemon.log.write_text("")
            daemon.launch()
            daemon.wait_until_it_serves()
            self.assertEqual(daemon.account("alice")[0], (1000 + connections * each) * 1_000_000)

    def test_calls_end_with_it_and_none_is_lost(self):
        with Operated() as daemon:
            daemon.world()
            loads = [Load(daemon, f"x{i}") for i in range(4)]
            for load in loads:
                load.start()
            wait_until(lambda: all(load.calls > 5 or load.wrong for load in loads), "calls are under way")
            status, _ = daemon.stop()
            self.assertEqual(status, 0)
            for load in loads:
                load.join()
                # The one answer it did not get is that of a closed connection.
                self.assertEqual([type(wrong) for wrong in load.wrong if not isinstance(wrong, OSError)], [])
            daemon.log.write_text("")
            daemon.launch()
            daemon.wait_until_it_serves()
            answered = sum(load.calls for load in loads)
            spent = 1_000_000_000 - daemon.account("alice")[0]
            # 0.01 a call of a second; of each thread, one more may have been carried out whose answer was not read.
            self.assertGreaterEqual(spent, answered * 10_000)
            self.assertLessEqual(spent, (answered + len(loads)) * 10_000)

    def test_under_load_whatever_is_answered_is_kept_and_whatever_has_arrived_is_answered(self):
        """Over both ports: busy clients go on until they are cut off; quiet ones have asked one thing each by the time
        that the daemon, which is held meanwhile, finds the SIGTERM."""
        busy, quiet = scaled(6, 2), scaled(20, 6)
        with Operated() as daemon:
            daemon.world()
            answered = {}
            failures = []

            @contextlib.contextmanager
            def until_it_ends(*ends):
                try:
                    yield
                except ends:
                    pass
                except Exception as failure:  # A thread that raises it would only end.
                    failures.append(failure)

            def ask(name, client):
                """Top-ups in pipelines of ten, until the connection ends."""
                with until_it_ends(OSError):
                    for first in itertools.count(0, 10):
                        ids = [f"{name}-{first + i}" for i in range(10)]
                        client.send([("TOPUP", "alice", "1", request) for request in ids])
                        for request in ids:
                            answer = client.read()
                            if isinstance(answer, RespError):
                                raise answer
                            answered[request] = answer["txn"]

            def post(name):
                with until_it_ends(OSError, http.client.HTTPException):
                    connection = http.client.HTTPConnection("127.0.0.1", daemon.http_port, timeout=SECONDS)
                    for number in itertools.count():
                        self.send_topup(connection, f"{name}-{number}")
                        answered[f"{name}-{number}"] = self.read_topup(connection)

            threads = [threading.Thread(target=ask, args=(f"r{i}", daemon.connect())) for i in range(busy)]
            threads += [threading.Thread(target=post, args=(f"h{i}",)) for i in range(2)]
            for thread in threads:
                thread.start()
            clients = [daemon.connect() for _ in range(quiet)]
            connections = [http.client.HTTPConnection("127.0.0.1", daemon.http_port, timeout=SECONDS)
                           for _ in range(quiet)]
            for i, connection in enumerate(connections):
                if i % 2:  # Every other one is new to the daemon when it stops.
                    connection.request("GET", "/healthz")
                    connection.getresponse().read()
            wait_until(lambda: len(answered) > 100, "there is a load")
            daemon.process.send_signal(signal.SIGSTOP)
            for i, client in enumerate(clients):
                client.send([("TOPUP", "alice", "1", f"q{i}")])
            for i, connection in enumerate(connections):
                self.send_topup(connection, f"p{i}")
            daemon.process.send_signal(signal.SIGTERM)
            daemon.process.send_signal(signal.SIGCONT)
            answered.update({f"q{i}": client.read()["txn"] for i, client in enumerate(clients)})
            answered.update({f"p{i}": self.read_topup(connection) for i, connection in enumerate(connections)})
            self.assertEqual(daemon.process.wait(SECONDS), 0)
            for thread in threads:
                thread.join()
            self.assertEqual(failures, [])

            daemon.log.write_text("")
            daemon.launch()
            daemon.wait_until_it_serves()
            for request, txn in answered.items():
                again = daemon.resp.call("TOPUP", "alice", "1", request)
                self.assertEqual((again.code, again["txn"], again["dup"]), ("OK", txn, "1"), request)

    @staticmethod
    def send_topup(connection, key):
        connection.request("POST", "/v1/parties/alice/topups", json.dumps({"amount": "1"}),
                           {"Content-Type": "application/json", "Idempotency-Key": key})

    def read_topup(self, connection):
        response = connection.getresponse()
        body = json.loads(response.read())
        self.assertEqual(response.status, 201, body)
        return body["txn"]

    def test_who_goes_on_asking_for_what_does_not_exist_does_not_hold_it_up(self):
        with Operated({"shutdown.timeout": "30s"}) as daemon:
            client = socket.create_connection(("127.0.0.1", daemon.http_port), timeout=SECONDS)

            def ask():
                with contextlib.suppress(OSError):
                    while True:
                        client.sendall(b"GET /nothing HTTP/1.1\r\nHost: localhost\r\n\r\n" * 100)

            asking = threading.Thread(target=ask)
            asking.start()
            got = []

            def read():
                with contextlib.suppress(OSError):
                    while piece := client.recv(1 << 16):
                        got.append(len(piece))

            reading = threading.Thread(target=read)
            reading.start()
            wait_until(lambda: sum(got) > 100_000, "it is answered")
            status, took = daemon.stop()
            self.assertEqual(status, 0)
            self.assertLess(took, 15)
            reading.join()
            asking.join()
            client.close()

    def test_a_client_that_reads_nothing_holds_it_up_for_a_named_time(self):
        with Operated({"shutdown.timeout": "2s"}) as daemon:
            deaf = daemon.connect()
            deaf.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            deaf.socket.settimeout(2)
            try:
                while True:
                    deaf.send([("ECHO", "x" * 8000)] * 100)
            except TimeoutError:
                pass
            status, seconds = daemon.stop()
            self.assertEqual(status, 0)
            self.assertLess(seconds, 15)

    def test_a_second_signal_hurries(self):
        with Operated({"shutdown.timeout": "1h"}) as daemon:
            # A request whose body does not come: five seconds of patience, but for the second signal.
            half = socket.create_connection(("127.0.0.1", daemon.http_port))
            half.sendall(b"PUT /v1/tariffs/t HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n")
            time.sleep(0.1)
            began = time.monotonic()
            daemon.process.send_signal(signal.SIGTERM)
            wait_until(lambda: "kind=stopping" in daemon.log.read_text(), "it drains")
            daemon.process.send_signal(signal.SIGTERM)
            self.assertEqual(daemon.process.wait(SECONDS), 0)
            self.assertLess(time.monotonic() - began, scaled(4, 20))
            self.assertIn("kind=hurrying", daemon.log.read_text())
            half.close()


class Log(unittest.TestCase):
    def test_each_line_is_an_object(self):
        with Operated({"log.format": "json"}) as daemon:
            daemon.write_config(log__lines_a_minute=100)
            daemon.process.send_signal(signal.SIGHUP)
            wait_until(lambda: '"kind":"reload"' in daemon.log.read_text(), "it was reloaded")
            kinds = set()
            for line in daemon.lines():
                said = json.loads(line)
                self.assertRegex(said["time"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$")
                self.assertIn(said["level"], ("debug", "info", "warn", "error"))
                self.assertTrue(said["msg"])
                kinds.add(said["kind"])
            self.assertLessEqual({"serving", "recovered", "reloaded", "reload"}, kinds)

    def test_a_flood_of_one_kind_is_cut_and_counted(self):
        with Operated({"log.lines_a_minute": 5}) as daemon:
            for i in range(20):
                daemon.write_config(session__want=f"{i + 1}m")
                daemon.process.send_signal(signal.SIGHUP)
                wait_until(lambda i=i: daemon.resp.call("PING") and self.reloads(daemon) == i + 1, "it was reloaded")
            status, _ = daemon.stop()
            self.assertEqual(status, 0)
            lines = daemon.lines()
            self.assertEqual(len([line for line in lines if "kind=reload " in line]), 5)
            told = [line for line in lines if "kind=suppressed" in line and "of_kind=reload" in line]
            self.assertTrue(any(line.endswith("lines=15 of_kind=reload") for line in told), told)

    def test_a_log_that_nobody_reads_holds_up_neither_calls_nor_the_end(self):
        with Unread({"shutdown.timeout": "10s"}) as daemon:
            daemon.world()
            daemon.fill_log()
            for i in range(20):
                daemon.write_config(session__want=f"{i + 1}m")
                daemon.process.send_signal(signal.SIGHUP)
                wait_until(lambda i=i: self.reloads(daemon) == i + 1, "it was reloaded")
            self.assertEqual(daemon.resp.call("AUTHORIZE", "l", "4420", "s").code, "OK")
            wait_until(lambda: self.lines_suppressed(daemon) >= 20, "lines are lost, and counted")
            status, seconds = daemon.stop()
            self.assertEqual(status, 0)
            self.assertLess(seconds, scaled(9, 20))

    def test_whoever_reads_again_is_told_what_he_missed(self):
        with Unread() as daemon:
            daemon.fill_log()
            for i in range(5):
                daemon.write_config(session__want=f"{i + 1}m")
                daemon.process.send_signal(signal.SIGHUP)
                wait_until(lambda i=i: self.reloads(daemon) == i + 1, "it was reloaded")
            lost = wait_until(lambda: self.lines_suppressed(daemon), "lines are lost")
            said = b""
            while b"nobody read standard error" not in said:
                said += os.read(daemon.reader, 65536)
            line = said[said.index(b"nobody read"):].split(b"\n")[0]
            self.assertGreaterEqual(int(re.search(rb"lines=(\d+)", line)[1]), lost)
            daemon.write_config(session__want="9m")
            daemon.process.send_signal(signal.SIGHUP)
            while b"SIGHUP: " not in said.split(b"nobody read")[1]:
                said += os.read(daemon.reader, 65536)

    @staticmethod
    def lines_suppressed(daemon):
        text = daemon.http.get("/metrics").text
        return int(re.search(r"^tollgate_log_lines_suppressed_total (\d+)", text, re.MULTILINE)[1])

    @staticmethod
    def reloads(daemon):
        return len(daemon.http.get("/v1/audit?operation=reloadConfiguration&limit=100").json["entries"])

    def test_journald_gets_a_priority_and_no_time(self):
        with Operated(environment={"JOURNAL_STREAM": "8:1"}) as daemon:
            self.assertTrue(daemon.lines()[0].startswith("<6>level=info kind=serving msg="), daemon.lines())


class Manager(unittest.TestCase):
    def test_systemd_is_told_what_it_does(self):
        address = f"\0tollgate-operation-{os.getpid()}"
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
            manager.bind(address)
            manager.settimeout(SECONDS)

            def heard(word):
                while not (said := manager.recv(4096).decode()).startswith(word):
                    self.assertTrue(said.startswith("WATCHDOG=1"), said)
                return said

            environment = {"NOTIFY_SOCKET": "@" + address[1:], "WATCHDOG_USEC": "900000"}
            with Operated(environment=environment) as daemon:
                self.assertIn("STATUS=serving", heard("READY=1"))
                heard("WATCHDOG=1")
                heard("WATCHDOG=1")
                daemon.process.send_signal(signal.SIGHUP)
                self.assertRegex(heard("RELOADING=1"), r"MONOTONIC_USEC=\d+")
                heard("READY=1")
                daemon.process.send_signal(signal.SIGTERM)
                heard("STOPPING=1")
                self.assertEqual(daemon.process.wait(SECONDS), 0)

    @unittest.skipUnless(shutil.which("systemd-analyze"), "there is no systemd-analyze")
    def test_the_service_is_well_sandboxed(self):
        done = subprocess.run(["systemd-analyze", "security", "--offline=true", ROOT / "config/tollgate.service"],
                              capture_output=True, text=True, check=False)
        found = re.search(r"Overall exposure level for tollgate\.service: (\d+\.\d+)", done.stdout)
        self.assertTrue(found, done.stdout + done.stderr)
        self.assertLessEqual(float(found[1]), 1.5, done.stdout)


class Memory(unittest.TestCase):
    def test_near_its_ceiling_it_is_busy_and_calls_end(self):
        with Operated() as daemon:
            daemon.world()
            self.assertEqual(daemon.resp.call("AUTHORIZE", "l", "4420", "open").code, "OK")
            ceiling = self.resident(daemon) + scaled(96, 512) * MIB
            daemon.write_config(memory__max=f"{ceiling // MIB} MiB")
            daemon.reload()
            parties = 0
            refused = None
            while refused is None:
                lines = "".join(json.dumps({"id": f"c-{parties + i}-" + "x" * 40, "kind": "customer", "parent": "root",
                                            "currency": "EUR", "tariff": "retail"}) + "\n" for i in range(20_000))
                try:
                    reply = daemon.connect_http().request("POST", "/v1/parties:import", lines,
                                                          {"Content-Type": "application/x-ndjson"})
                except (ConnectionError, BrokenPipeError):
                    continue  # It was refused while it was being sent.
                if reply.status == 503:
                    refused = reply
                else:
                    self.assertEqual(reply.status, 200, reply)
                    parties += 20_000
                    self.assertLess(self.resident(daemon), ceiling)
            self.assertGreater(parties, 0)
            self.assertIn("memory.max", refused.json["detail"])
            self.assertLess(self.resident(daemon), ceiling)
            daemon.http.close()  # It was quiet for long, and may not be kept open any more.
            reply = daemon.http.get("/readyz")
            self.assertEqual(reply.status, 503)
            self.assertIn("memory.max", reply.json["detail"])
            with self.assertRaisesRegex(RespError, "^BUSY"):
                daemon.resp.call("AUTHORIZE", "l", "4420", "new")
            with self.assertRaisesRegex(RespError, "^BUSY"):
                daemon.resp.call("TOPUP", "alice", "1", "t-busy")
            self.assertEqual(daemon.resp.call("STOP", "open", "60").code, "OK")
            self.assertEqual(daemon.resp.call("BALANCE", "alice").code, "OK")
            self.assertIn("kind=memory_full", daemon.log.read_text())

            daemon.write_config(memory__max=f"{4 * ceiling // MIB} MiB")
            daemon.reload()
            wait_until(lambda: daemon.http.get("/readyz").status == 200, "there is memory again")
            self.assertEqual(daemon.resp.call("AUTHORIZE", "l", "4420", "new").code, "OK")
            self.assertIn("kind=memory_free", daemon.log.read_text())

    @staticmethod
    def resident(daemon):
        status = Path(f"/proc/{daemon.process.pid}/status").read_text()
        return int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) * 1024


class Audit(unittest.TestCase):
    def test_every_change_is_an_entry_of_a_chain_that_can_be_verified(self):
        with Operated() as daemon:
            daemon.world()
            daemon.resp.call("DEBIT", "alice", "2000", "d-1", "FORCE")
            daemon.resp.call("REFUND", "d-1", "f-1")
            daemon.write_config(session__want="5m")
            daemon.reload()
            entries = daemon.http.get("/v1/audit?limit=100").json["entries"]
            by_operation = {entry["operation"]: entry for entry in entries}
            self.assertEqual(by_operation["debitParty"]["after"], {"amount": "2000", "force": True})
            self.assertEqual(by_operation["reloadConfiguration"]["before"], {"session.want": "1h"})
            self.assertEqual(by_operation["reloadConfiguration"]["after"], {"session.want": "5m"})
            self.assertEqual(by_operation["reloadConfiguration"]["actor"], "system")
            self.assertEqual([entry["number"] for entry in entries], list(range(len(entries), 0, -1)))

            status, text = daemon.tool("audit", "verify", str(daemon.journal))  # A daemon may be at work.
            self.assertEqual(status, 0, text)
            noted = re.search(rf"1 to {len(entries)} are a chain that ends with ([0-9a-f]{{64}})", text)
            self.assertTrue(noted, text)
            daemon.resp.call("TOPUP", "alice", "1", "t-1")
            self.assertEqual(daemon.stop()[0], 0)
            status, text = daemon.tool("audit", "verify", str(daemon.journal), "--expect", noted[1])
            self.assertEqual(status, 0, text)
            self.assertIn("is one of them", text)
            status, text = daemon.tool("audit", "verify", str(daemon.journal), "--expect", "0" * 64)
            self.assertEqual(status, 78, text)
            self.assertIn("is none of them", text)
            self.assertEqual(daemon.tool("audit", "verify", str(daemon.journal), "--expect", "x")[0], 1)


if __name__ == "__main__":
    main()
