#!/usr/bin/env python3
"""RESP and HTTP by TLS.

Goal: what comes by TLS is answered as what comes without, with the certificate of the operator, 1.2 and later; a client
without the certificate that is asked of him does not come in; plain listeners go on beside it.
Method: openssl makes an authority and certificates; Python's own TLS, redis-cli and curl speak with the daemon.
"""

import http.client
import os
import re
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from daemon import binary, scaled  # noqa: E402
from runner import main  # noqa: E402
from users import PASSWORD, GuardedDaemon, declare  # noqa: E402
from wire import HOST, RespClient, RespError  # noqa: E402


def openssl(*arguments, **named):
    subprocess.run(["openssl", *map(str, arguments)], check=True, capture_output=True, timeout=60, **named)


def make_certificate(folder, name, authority=None):
    """name.pem and name.key; signed by itself without an authority."""
    key, certificate, request = folder / f"{name}.key", folder / f"{name}.pem", folder / f"{name}.csr"
    common = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", key,
              "-subj", f"/CN={name}"]
    if authority is None:
        openssl("req", "-x509", *common, "-days", 2, "-out", certificate)
        return
    openssl("req", *common, "-out", request)
    extensions = folder / "extensions"
    extensions.write_text("subjectAltName=IP:127.0.0.1,DNS:localhost\n")
    openssl("x509", "-req", "-in", request, "-CA", folder / f"{authority}.pem", "-CAkey",
            folder / f"{authority}.key", "-CAcreateserial", "-days", 2, "-extfile", extensions,
            "-out", certificate)


class TlsClient(RespClient):
    """As a RespClient, by TLS."""

    def __init__(self, port, context):
        raw = socket.create_connection((HOST, port), timeout=60)
        try:
            self.socket = context.wrap_socket(raw, server_hostname=HOST)
        except BaseException:
            raw.close()
            raise
        self.input = self.socket.makefile("rb", buffering=256 * 1024)


class Tls(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = Path(cls.enterClassContext(tempfile.TemporaryDirectory(prefix="tollgate-tls-")))
        make_certificate(cls.folder, "authority")
        for name in ("server", "client"):
            make_certificate(cls.folder, name, "authority")
        make_certificate(cls.folder, "stranger")

    def daemon(self, *settings):
        daemon = GuardedDaemon({"kam": {"role": "switch"}}, *settings)
        self.enterContext(daemon)
        log = daemon.log.read_text()
        self.resp_port = int(match[1]) if (match := re.search(r"RESP by TLS on .*:(\d+)", log)) else 0
        self.http_port = int(match[1]) if (match := re.search(r"HTTPS on .*:(\d+)", log)) else 0
        return daemon

    def files(self, section, name="server"):
        return [f"{section}.tls_listen=127.0.0.1:0", f"{section}.tls_certificate={self.folder}/{name}.pem",
                f"{section}.tls_key={self.folder}/{name}.key"]

    def context(self, client=None):
        context = ssl.create_default_context(cafile=self.folder / "authority.pem")
        if client:
            context.load_cert_chain(self.folder / f"{client}.pem", self.folder / f"{client}.key")
        return context

    def test_resp_by_tls_is_resp(self):
        daemon = self.daemon(*self.files("resp"))
        client = TlsClient(self.resp_port, self.context())
        self.addCleanup(client.close)
        self.assertEqual(str((client.send([("PING",)]), client.read())[1]), "NOAUTH Authentication required.")
        self.assertEqual(client.call("AUTH", "kam", PASSWORD), "OK")
        long = "x" * 12_000
        self.assertEqual(client.pipeline([("ECHO", long)] * 300), [long] * 300)
        self.assertEqual(client.call("QUIT"), "OK")
        with self.assertRaises(ConnectionError):
            client.read()
        self.assertEqual(daemon.as_user("kam").call("PING"), "PONG", "without TLS beside it")
        # What is not TLS is no reason to stop.
        with socket.create_connection((HOST, self.resp_port), timeout=60) as raw:
            raw.sendall(b"PING\r\n" * 10)
            try:
                self.assertNotIn(b"PONG", raw.recv(100))
            except ConnectionError:
                pass
        old = self.context()
        old.minimum_version = ssl.TLSVersion.MINIMUM_SUPPORTED
        old.maximum_version = ssl.TLSVersion.TLSv1_1
        with self.assertRaises((ssl.SSLError, OSError)):
            TlsClient(self.resp_port, old)
        again = TlsClient(self.resp_port, self.context())
        self.addCleanup(again.close)
        self.assertEqual(again.call("AUTH", "kam", PASSWORD), "OK")

    def test_what_has_arrived_by_tls_is_answered_when_it_stops(self):
        """The daemon is held while everything is sent, so that it finds it all, and the SIGTERM, at once: clients
        it has met, and some that only its socket has."""
        daemon = self.daemon(*self.files("resp"))
        clients = [TlsClient(self.resp_port, self.context()) for _ in range(8)]
        for client in clients:
            self.addCleanup(client.close)
            self.assertEqual(client.call("AUTH", "kam", PASSWORD), "OK")
        said = ["x" * 1000] * 90
        new = []

        def come():
            client = TlsClient(self.resp_port, self.context())
            self.addCleanup(client.close)
            client.send([("AUTH", "kam", PASSWORD), ("ECHO", "new")])
            new.append((client.read(), client.read()))

        daemon.process.send_signal(signal.SIGSTOP)
        for client in clients:
            client.send([("ECHO", text) for text in said])
        comers = [threading.Thread(target=come) for _ in range(scaled(3, 2))]
        for comer in comers:
            comer.start()
        time.sleep(0.3)
        daemon.process.send_signal(signal.SIGTERM)
        daemon.process.send_signal(signal.SIGCONT)
        began = time.monotonic()
        for client in clients:
            self.assertEqual([client.read() for _ in said], said)
            with self.assertRaises(ConnectionError):
                client.read()
        for comer in comers:
            comer.join()
        self.assertEqual(new, [("OK", "new")] * len(comers))
        self.assertEqual(daemon.process.wait(60), 0)
        self.assertLess(time.monotonic() - began, 20)

    def test_what_has_arrived_by_https_is_answered_when_it_stops(self):
        daemon = self.daemon(*self.files("http"))
        context = self.context()

        def asked():
            connection = http.client.HTTPSConnection(HOST, self.http_port, context=context, timeout=60)
            self.addCleanup(connection.close)
            connection.request("GET", "/healthz")
            return connection

        known = [asked() for _ in range(12)]
        for connection in known:
            self.assertEqual(connection.getresponse().read(), b"ok\n")
        new = []
        daemon.process.send_signal(signal.SIGSTOP)
        for connection in known:
            connection.request("GET", "/healthz")
        comers = [threading.Thread(target=lambda: new.append(asked().getresponse().read())) for _ in range(scaled(6, 2))]
        for comer in comers:
            comer.start()
        time.sleep(0.3)
        daemon.process.send_signal(signal.SIGTERM)
        daemon.process.send_signal(signal.SIGCONT)
        for connection in known:
            self.assertEqual(connection.getresponse().read(), b"ok\n")
        for comer in comers:
            comer.join()
        self.assertEqual(new, [b"ok\n"] * len(comers))
        self.assertEqual(daemon.process.wait(60), 0)

    def test_nobody_holds_up_the_end_by_tls(self):
        """One that is idle, one that has sent half a record, one that never shakes hands."""
        daemon = self.daemon(*self.files("resp"), *self.files("http"))
        idle = TlsClient(self.resp_port, self.context())
        self.addCleanup(idle.close)
        self.assertEqual(idle.call("AUTH", "kam", PASSWORD), "OK")
        half = TlsClient(self.resp_port, self.context())
        self.addCleanup(half.close)
        self.assertEqual(half.call("AUTH", "kam", PASSWORD), "OK")
        os.write(half.socket.fileno(), b"\x17\x03\x03\x40\x00" + b"x" * 100)
        for port in (self.resp_port, self.http_port):
            self.addCleanup(socket.create_connection((HOST, port), timeout=60).close)
        reader = http.client.HTTPSConnection(HOST, self.http_port, context=self.context(), timeout=60)
        self.addCleanup(reader.close)
        reader.request("GET", "/healthz")
        self.assertEqual(reader.getresponse().read(), b"ok\n")
        began = time.monotonic()
        daemon.process.send_signal(signal.SIGTERM)
        self.assertEqual(daemon.process.wait(60), 0)
        self.assertLess(time.monotonic() - began, scaled(5, 20))

    @unittest.skipUnless(shutil.which("redis-cli"), "redis-cli is not installed")
    def test_redis_cli_comes_by_tls(self):
        self.daemon(*self.files("resp"))
        answer = subprocess.run(
            ["redis-cli", "--tls", "--cacert", self.folder / "authority.pem", "-h", HOST, "-p",
             str(self.resp_port), "--user", "kam", "--pass", PASSWORD, "--no-auth-warning", "ECHO", "there"],
            capture_output=True, text=True, timeout=60)
        self.assertEqual(answer.stdout, "there\n", answer)

    def test_a_client_certificate_is_needed_where_one_is_asked_for(self):
        self.daemon(*self.files("resp"), f"resp.tls_client_ca={self.folder}/authority.pem")
        client = TlsClient(self.resp_port, self.context("client"))
        self.addCleanup(client.close)
        self.assertEqual(client.call("AUTH", "kam", PASSWORD), "OK")
        for name in (None, "stranger"):
            with self.assertRaises((ssl.SSLError, OSError)):
                other = TlsClient(self.resp_port, self.context(name))
                self.addCleanup(other.close)
                other.call("PING")  # By 1.3 the client hears of it with the first answer.

    @unittest.skipUnless(shutil.which("curl"), "curl is not installed")
    def test_http_by_tls_is_http(self):
        daemon = self.daemon(*self.files("http"))
        daemon.tariff("retail", {}, "prefix,rate_per_minute\n44,0.6\n")
        url = f"https://127.0.0.1:{self.http_port}"

        def curl(*arguments, **named):
            return subprocess.run(["curl", "-sS", "--cacert", self.folder / "authority.pem", *arguments],
                                  capture_output=True, timeout=60, **named)
        # Two requests on one connection.
        self.assertEqual(curl(url + "/healthz", url + "/healthz").stdout.count(b"ok"), 2)
        deck = b"prefix,rate_per_minute\n" + b"".join(b"%d,0.5\n" % prefix for prefix in range(100_000, 300_000))
        put = curl("-X", "PUT", "-H", "Content-Type: text/csv", "--data-binary", "@-",
                   url + "/v1/tariffs/retail/deck", input=deck)
        self.assertIn(b'"rows":200000', put.stdout, put)
        shown = curl("-H", "Accept: text/csv", url + "/v1/tariffs/retail/deck")
        self.assertGreater(len(shown.stdout), 1_000_000)
        plain = subprocess.run(["curl", "-sS", f"http://127.0.0.1:{self.http_port}/healthz"],
                               capture_output=True, timeout=60)
        self.assertNotEqual(plain.returncode, 0)
        self.assertEqual(daemon.http.get("/healthz").status, 200)

    def test_a_peer_that_never_shakes_hands_is_let_go(self):
        self.daemon(*self.files("resp"), *self.files("http"), "http.timeout=1s")
        for port in (self.resp_port, self.http_port):
            with socket.create_connection((HOST, port), timeout=60) as raw:
                began = time.monotonic()
                self.assertEqual(raw.recv(100), b"")
                self.assertLess(time.monotonic() - began, 30)

    def test_a_reload_takes_certificates_and_users_over_or_none_of_them(self):
        for name in ("one", "two"):
            make_certificate(self.folder, name, "authority")
        daemon = self.daemon(*self.files("resp", "one"), *self.files("http", "two"))

        def reload():
            told = re.compile(r"kind=reload(_refused)? .*")
            before = len(told.findall(daemon.log.read_text()))
            daemon.process.send_signal(signal.SIGHUP)
            while len(lines := [m[0] for m in told.finditer(daemon.log.read_text())]) == before:
                time.sleep(0.02)
            return lines[-1]

        def shown():
            client = TlsClient(self.resp_port, self.context())
            self.addCleanup(client.close)
            return client.socket.getpeercert(True)
        first = shown()
        self.assertEqual(shown(), first)
        make_certificate(self.folder, "one", "authority")
        key = self.folder / "two.key"
        good = key.read_text()
        key.write_text("nothing")
        daemon.users_file.write_text(declare({"root": {"role": "admin"}}))
        self.assertIn("http.tls_key", reload())
        self.assertEqual(shown(), first, "nothing was changed")
        self.assertEqual(daemon.as_user("kam").call("PING"), "PONG")
        key.write_text(good)
        self.assertIn("kind=reload ", reload())
        self.assertNotEqual(shown(), first)
        with self.assertRaises(RespError):
            daemon.stranger().call("AUTH", "kam", PASSWORD)

    def test_a_faulty_certificate_stops_the_start(self):
        settings = self.files("resp")
        for wrong, expected in ((f"resp.tls_key={self.folder}/stranger.key", "resp.tls_key: "),
                                (f"resp.tls_certificate={self.folder}/none.pem", "resp.tls_certificate: "),
                                ("resp.tls_key=", "resp.tls_key")):
            command = [str(binary())]
            for setting in ("resp.listen=127.0.0.1:0", "http.listen=127.0.0.1:0", *settings, wrong):
                command += ["--set", setting]
            ended = subprocess.run(command, capture_output=True, text=True, timeout=60)
            self.assertEqual(ended.returncode, 1, ended)
            self.assertIn(expected, ended.stderr)


if __name__ == "__main__":
    main()
