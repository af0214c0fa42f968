#!/usr/bin/env python3
"""A web server is told what happens: signed, at least once, in order per party, whatever it does.

Goal: each event arrives, those of a party in their order, a repeat with the same id, and a party whose events are not
taken holds up nobody else.
Method: a receiver that is away, hangs, answers 500, refuses one party, and then takes everything.
"""

import hashlib
import hmac
import json
import threading
import time
import unittest
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from mortal import Mortal, scaled
from traffic import build_world

import runner

SECRET = "a secret of two"
SECONDS = 120
CALLERS = 4
CALLS = scaled(60, 20)


class Receiver:
    """Takes posts on a port of its own; `mood(event)` gives the status, or None to say nothing."""

    def __init__(self):
        self.mood = lambda event: 200
        self.taken = []
        self.posts = 0
        self.wrong = []
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):  # noqa: N802
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.posts += 1
                event = json.loads(body)
                receiver.check(self.headers, body, event)
                status = receiver.mood(event)
                if status is None:
                    time.sleep(3)
                    self.close_connection = True
                    return
                if status == 200:
                    receiver.taken.append(event)
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        self.thread = threading.Thread(target=self.server.serve_forever, daemon=True)
        self.thread.start()

    def check(self, headers, body, event):
        fields = dict(part.split("=", 1) for part in headers["Tollgate-Signature"].split(","))
        expected = hmac.new(SECRET.encode(), f"{fields['t']}.".encode() + body, hashlib.sha256).hexdigest()
        if fields["v1"] != expected:
            self.wrong.append("the signature")
        if abs(int(fields["t"]) - time.time()) > 60:
            self.wrong.append("the time")
        if (headers["Tollgate-Id"], headers["Tollgate-Event"]) != (event["id"], event["event"]):
            self.wrong.append("the headers")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.server.server_close()


class WebhookTest(unittest.TestCase):
    def setUp(self):
        self.receiver = self.enterContext(Receiver())

    def daemon_with(self, *settings):
        daemon = self.enterContext(Mortal())
        daemon.stop()
        secret = daemon.journal.parent / "secret"
        secret.write_text(SECRET + "\nmore\n")
        daemon.restart(f"webhook.url=http://127.0.0.1:{self.receiver.port}/hook", f"webhook.secret_file={secret}",
                       "webhook.timeout=500ms", "stores.retry_first=20ms", "stores.retry_longest=200ms", *settings)
        build_world(daemon, CALLERS)
        return daemon

    def wait_for(self, what, condition):
        deadline = time.monotonic() + SECONDS
        while not condition():
            self.assertLess(time.monotonic(), deadline, what)
            time.sleep(0.02)

    def store(self, daemon):
        return dict(pair.split("=", 1) for pair in daemon.info("stores")["store_webhook"].split(","))

    def calls(self, daemon, prefix, count):
        """Each caller's calls are numbered in his own order."""
        for number in range(count):
            for caller in range(CALLERS):
                session = f"{prefix}-{number}-{caller}"
                self.assertEqual(daemon.resp.call("AUTHORIZE", f"line-{caller}", "4930123", session, "WANT", 60).code,
                                 "OK")
                self.assertEqual(daemon.resp.call("STOP", session, 1).code, "OK")

    def sessions_of(self, caller):
        """As they arrived, repeats left out."""
        sessions = [event["session"] for event in self.receiver.taken
                    if event["event"] == "call_ended" and event["party"] == f"customer-{caller}"]
        return list(dict.fromkeys(sessions))

    def assert_all(self, prefixes, count):
        wanted = [[f"{prefix}-{number}-{caller}" for prefix in prefixes for number in range(count)]
                  for caller in range(CALLERS)]
        self.wait_for("not all arrives", lambda: all(len(self.sessions_of(caller)) >= len(wanted[caller])
                                                     for caller in range(CALLERS)))
        for caller in range(CALLERS):
            self.assertEqual(self.sessions_of(caller), wanted[caller])
        ids = {}
        for event in self.receiver.taken:
            self.assertEqual(ids.setdefault(event["id"], event), event, "an id stands for one event")
        self.assertEqual(self.receiver.wrong, [])

    def test_each_event_once_it_fails_hangs_and_recovers(self):
        daemon = self.daemon_with()
        self.calls(daemon, "well", CALLS)
        moods = {"500": lambda event: 500, "hang": lambda event: None}
        for name, mood in moods.items():
            self.receiver.mood = mood
            before = self.receiver.posts
            self.calls(daemon, name, CALLS)
            self.wait_for("nothing is tried", lambda: self.receiver.posts > before + CALLERS)
            self.receiver.mood = lambda event: 200
        self.assert_all(["well", *moods], CALLS)
        self.wait_for("it never has all", lambda: self.store(daemon)["lag_events"] == "0")

    def test_a_restart_tells_what_was_not_taken(self):
        daemon = self.daemon_with()
        self.calls(daemon, "well", 5)
        self.assert_all(["well"], 5)
        self.receiver.mood = lambda event: 503
        self.calls(daemon, "lost", CALLS)
        daemon.kill()
        self.receiver.mood = lambda event: 200
        daemon.restart()
        self.wait_for("not all arrives", lambda: all(len(self.sessions_of(caller)) >= 5 + CALLS
                                                     for caller in range(CALLERS)))
        for caller in range(CALLERS):
            self.assertEqual(self.sessions_of(caller), [f"well-{number}-{caller}" for number in range(5)] +
                             [f"lost-{number}-{caller}" for number in range(CALLS)])
        self.assertEqual(self.receiver.wrong, [])

    def test_one_party_holds_up_nobody_else(self):
        daemon = self.daemon_with()
        self.receiver.mood = lambda event: 500 if event["party"] == "customer-0" else 200
        self.calls(daemon, "one", CALLS)
        self.wait_for("the others wait", lambda: all(len(self.sessions_of(caller)) == CALLS
                                                     for caller in range(1, CALLERS)))
        self.assertEqual(self.sessions_of(0), [])
        self.assertNotEqual(self.store(daemon)["lag_events"], "0")
        self.receiver.mood = lambda event: 200
        self.assert_all(["one"], CALLS)

    def test_what_is_bounded_waits_in_the_journal_and_what_is_old_is_given_up(self):
        # Those that are taken are taken at once, however slow the machine is.
        daemon = self.daemon_with("webhook.pending_max=10", "webhook.give_up=1s", "webhook.timeout=10s")
        self.receiver.mood = lambda event: 500 if event["session"].startswith("bad") else 200
        self.calls(daemon, "bad", 5)
        self.calls(daemon, "good", 5)
        self.wait_for("they are never given up", lambda: all(len(self.sessions_of(caller)) == 5
                                                             for caller in range(CALLERS)))
        self.assertTrue(all(event["session"].startswith("good") for event in self.receiver.taken))
        self.wait_for("nobody says so", lambda: "is given up after" in daemon.log.read_text())
        self.wait_for("INFO does not say so", lambda: int(self.store(daemon)["given_up"]) >= 5 * CALLERS)
        self.wait_for("something is pending", lambda: self.store(daemon)["pending"] == "0")

    def test_failures_are_shown_until_they_are_over(self):
        daemon = self.daemon_with()
        self.assertEqual((self.store(daemon)["failures"], self.store(daemon)["pending"]), ("0", "0"))
        self.receiver.mood = lambda event: 500
        self.calls(daemon, "bad", 2)
        self.wait_for("INFO does not say so", lambda: "store_webhook_failure" in daemon.info("stores"))
        self.assertEqual(daemon.info("stores")["store_webhook_failure"], "webhook: the server answers 500")
        self.wait_for("they are not counted", lambda: int(self.store(daemon)["failures"]) >= CALLERS)
        self.wait_for("they do not wait", lambda: self.store(daemon)["pending"] == str(2 * CALLERS))
        metrics = daemon.http.get("/metrics").text
        self.assertIn(f'tollgate_store_pending_events{{store="webhook"}} {2 * CALLERS}\n', metrics)
        self.assertIn('tollgate_store_given_up_events_total{store="webhook"} 0\n', metrics)
        self.assertRegex(metrics, r'tollgate_store_failures_total\{store="webhook"\} [1-9]')
        self.receiver.mood = lambda event: 200
        self.wait_for("they wait", lambda: self.store(daemon)["pending"] == "0")
        self.assertNotIn("store_webhook_failure", daemon.info("stores"))
        self.wait_for("nobody says so", lambda: "no other is being tried again" in daemon.log.read_text())

    def test_one_of_another_journal_begins_anew_once_it_is_told_to(self):
        other = self.daemon_with()
        self.wait_for("it never begins", lambda: self.store(other)["state"] == "following")
        other.stop()
        daemon = self.daemon_with()
        self.wait_for("it never begins", lambda: self.store(daemon)["state"] == "following")
        daemon.stop()
        position = daemon.journal / "webhook-position"
        position.write_bytes((other.journal / "webhook-position").read_bytes())
        daemon.restart()
        self.wait_for("it takes another's", lambda: self.store(daemon)["state"] == "foreign")
        position.unlink()
        self.wait_for("it does not notice", lambda: self.store(daemon)["state"] == "following")
        self.calls(daemon, "after", 1)
        self.assert_all(["after"], 1)

    def test_what_was_before_is_not_told(self):
        daemon = self.enterContext(Mortal())
        build_world(daemon, CALLERS)
        self.calls(daemon, "before", 3)
        daemon.stop()
        secret = daemon.journal.parent / "secret"
        secret.write_text(SECRET + "\n")
        daemon.restart(f"webhook.url=http://127.0.0.1:{self.receiver.port}/hook", f"webhook.secret_file={secret}")
        self.wait_for("it never begins", lambda: self.store(daemon)["state"] == "following")
        self.calls(daemon, "after", 3)
        self.assert_all(["after"], 3)


if __name__ == "__main__":
    runner.main()
