#!/usr/bin/env python3
"""Redis follows the journal, whatever happens to either of them.

Goal: once it has caught up, every party's hash says what the daemon says, and the stream has each event once, as the journal
has it.
Method: a real Redis that is away, killed, wiped, stopped and somebody else's meanwhile.
"""

import threading
import time
import unittest

from mortal import Mortal, scaled, seeded
from redis_rows import assert_same, pairs
from traffic import build_world

import runner

from stores import Redis, needs_redis  # noqa: I001

CATCH_UP_SECONDS = 120
CALLERS = 5
CALLS = scaled(250, 50)


@needs_redis()
class RedisStoreTest(unittest.TestCase):
    def setUp(self):
        self.redis = self.enterContext(Redis("--appendonly", "yes"))
        self.ended = []

    def daemon_with(self, *settings):
        return self.enterContext(Mortal(f"redis.url={self.redis.url}", "redis.timeout=1s",
                                        "stores.retry_longest=300ms", *settings))

    def store(self, daemon):
        """What INFO says of it: {"state": …, "lag_events": …}."""
        return dict(pair.split("=", 1) for pair in daemon.info("stores")["store_redis"].split(","))

    def wait_for(self, what, condition):
        deadline = time.monotonic() + CATCH_UP_SECONDS
        while not condition():
            self.assertLess(time.monotonic(), deadline, what)
            time.sleep(0.02)

    def wait_until_level(self, daemon):
        def level():
            store = self.store(daemon)
            return store["state"] == "following" and store["lag_events"] == "0"
        self.wait_for("the store never has all", level)
        # Not what it says of itself, but what stands there.
        last = int(daemon.info("persistence")["journal_durable_event"])
        position = pairs(self.redis.call("HGETALL", "tollgate:position"))
        self.assertEqual((int(position["sequence"]), position["filling"]), (last, "0"))

    def stream(self):
        return [pairs(entry[1]) for entry in self.redis.call("XRANGE", "tollgate:events", "-", "+")]

    def calls(self, daemon, prefix, count):
        """So many calls, one after the other on one connection."""
        client = daemon.connect()
        for number in range(count):
            caller = number % CALLERS
            session = f"{prefix}-{number}"
            self.assertEqual(client.call("AUTHORIZE", f"line-{caller}", "4930123", session, "WANT", 60).code, "OK")
            self.assertEqual(client.call("STOP", session, number % 50).code, "OK")
            self.ended.append(session)

    def parties(self):
        return ["root", "north", "office", *(f"{kind}-{caller}" for caller in range(CALLERS)
                                             for kind in ("customer", "line"))]

    def accounts(self):
        return [party for party in self.parties() if not party.startswith("line")]

    def test_it_has_what_the_journal_says_after_all_that_may_happen(self):
        random = seeded("redis")
        self.redis.kill()  # Away when the daemon starts.
        daemon = self.daemon_with()
        build_world(daemon, CALLERS)
        self.assertEqual(self.store(daemon)["position"], "unknown")
        self.redis.start()
        self.wait_until_level(daemon)
        for round_ in range(6):
            caller = threading.Thread(target=self.calls, args=(daemon, f"round-{round_}", CALLS))
            caller.start()
            time.sleep(random.uniform(0, 0.3))
            what = ("kill", "wipe", "stop", "position", "daemon", "none")[round_]
            if what == "kill":
                self.redis.kill()
                time.sleep(random.uniform(0, 0.3))
                self.redis.start()
            elif what == "wipe":
                self.redis.wipe()
            elif what == "stop":
                self.redis.stop()
                time.sleep(1.5)
                self.redis.cont()
            elif what == "position":
                self.redis.call("DEL", "tollgate:position")
                self.redis.call("HSET", "tollgate:party:stranger", "balance", "1")
            caller.join()
            if what == "daemon":
                daemon.kill()
                daemon.restart()
            daemon.resp.call("AUTHORIZE", "line-0", "4930123", f"open-{round_}", "WANT", 60)
            self.wait_until_level(daemon)
            with self.subTest(what):
                assert_same(daemon, self.redis)
        # No snapshot was made, so the stream begins with the first event, and has each exactly once.
        told = [event["session"] for event in self.stream() if event["event"] == "call_ended"]
        self.assertEqual(sorted(told), sorted(self.ended))

    def test_events_of_parties_are_told(self):
        daemon = self.daemon_with("redis.prefix=portal")
        build_world(daemon, 1)
        reply = daemon.http.request("PATCH", "/v1/parties/customer-0", {"warn_balance": "999999.9"})
        self.assertEqual(reply.status, 200, reply)
        self.assertEqual(daemon.resp.call("AUTHORIZE", "line-0", "4930123", "one", "WANT", 60).code, "OK")
        self.assertEqual(daemon.resp.call("STOP", "one", 30, "CAUSE", "16").code, "OK")
        for status in ("fraud", "active"):
            reply = daemon.http.request("PATCH", "/v1/parties/customer-0", {"status": status})
            self.assertEqual(reply.status, 200, reply)

        def events():
            return [pairs(entry[1]) for entry in self.redis.call("XRANGE", "portal:events", "-", "+")]
        self.wait_for("not all is told", lambda: len(events()) >= 4)
        by_kind = {event["event"]: event for event in events()}
        self.assertEqual(sorted(by_kind), ["call_ended", "party_resumed", "party_suspended", "threshold_crossed"])
        call = by_kind["call_ended"]
        self.assertEqual((call["party"], call["session"], call["used"], call["charged"], call["cause"]),
                         ("customer-0", "one", "30", "0.3", "16"))
        self.assertEqual(by_kind["threshold_crossed"]["balance"], "999999.7")
        self.assertEqual((by_kind["party_suspended"]["status"], by_kind["party_suspended"]["before"]),
                         ("fraud", "active"))
        self.assertEqual(self.redis.call("HGET", "portal:party:customer-0", "status"), "active")
        self.assertEqual(self.redis.call("EXISTS", "tollgate:position"), 0)

    def test_what_belongs_to_another_journal_is_left_alone(self):
        first = self.daemon_with()
        build_world(first, CALLERS)
        self.wait_until_level(first)
        before = self.redis.call("HGETALL", "tollgate:party:customer-0")
        first.stop()
        second = self.daemon_with()
        build_world(second, 1)
        second.topup("customer-0", 5)
        self.wait_for("it is taken for ours", lambda: self.store(second)["state"] == "foreign")
        self.assertIn("another journal", second.info("stores")["store_redis_failure"])
        self.assertEqual(self.redis.call("HGETALL", "tollgate:party:customer-0"), before)
        # Until its owner says otherwise.
        self.redis.call("DEL", "tollgate:position")
        self.wait_until_level(second)
        self.assertEqual(self.redis.call("EXISTS", "tollgate:party:customer-1"), 0)
        first.restart()
        self.wait_for("it is taken for ours", lambda: self.store(first)["state"] == "foreign")

    def test_the_journal_keeps_what_a_store_has_not_taken(self):
        daemon = self.daemon_with("journal.segment_bytes=4 MiB", "journal.snapshot_segments=1")
        build_world(daemon, CALLERS)
        self.calls(daemon, "before", 10)
        self.wait_until_level(daemon)
        self.redis.stop()
        oldest = daemon.segments()[0]
        segments = 3
        number = 0
        # A batch a command: a block of 4 KiB each.
        while int(daemon.info("persistence")["journal_segment"]) < segments or len(daemon.snapshots()) < 2:
            number += 1
            daemon.topup(f"customer-{number % CALLERS}", 10_000)
        self.assertEqual(daemon.segments()[0], oldest, "the store needs it")
        daemon.kill()
        daemon.restart()
        self.assertEqual(daemon.segments()[0], oldest)
        self.redis.cont()
        self.wait_until_level(daemon)
        for party in self.accounts():
            answer = daemon.resp.call("BALANCE", party)
            self.assertEqual(self.redis.call("HGET", f"tollgate:party:{party}", "balance"), answer.figure)
        # And lets it go once the store has it.
        deadline = time.monotonic() + CATCH_UP_SECONDS
        while daemon.segments()[0] == oldest:
            self.assertLess(time.monotonic(), deadline, "nothing is removed")
            number += 1
            daemon.topup(f"customer-{number % CALLERS}", 10_000)

    def test_a_stopped_store_does_not_hold_up_the_end(self):
        daemon = self.daemon_with("redis.timeout=60s")
        build_world(daemon, 1)
        self.wait_until_level(daemon)
        self.redis.stop()
        daemon.topup("customer-0", 1)
        time.sleep(0.2)  # So that it waits for an answer, most likely.
        began = time.monotonic()
        daemon.stop()
        self.assertLess(time.monotonic() - began, scaled(10, 30))
        daemon.restart()
        self.redis.cont()


@needs_redis()
class RedisSettingsTest(unittest.TestCase):
    def refuses(self, *settings):
        daemon = self.enterContext(Mortal())
        daemon.stop()
        daemon.settings = (*settings,) if "journal" in str(settings) else (*settings, f"journal.dir={daemon.journal}")
        return daemon.refuses_to_start()

    def test_what_cannot_be_is_said_at_the_start(self):
        for url, why in (("http://127.0.0.1", "of another kind"), ("redis://a:b@127.0.0.1", "password_file"),
                         ("redis://127.0.0.1:0", "port"), ("unix:redis.sock", "must begin with /")):
            status, text = self.refuses(f"redis.url={url}")
            self.assertEqual(status, 1, text)
            self.assertIn(why, text)


if __name__ == "__main__":
    runner.main()
