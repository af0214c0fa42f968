#!/usr/bin/env python3
"""A full deck is put in force while calls go on, and no call notices more than its price.

Goal: a deck of 315,553 rows replaces another over HTTP, plain and gzip; meanwhile every call is answered, and is
priced wholly by one version. A deck with one faulty row is refused whole, with its line and column, and the
calls go on with the one in force.
Method: several connections make calls without a pause. Each AUTHORIZE says which version decided (EXPLAIN), and
what it holds and what STOP charges must be that version's, worked out here from the deck's CSV. A call that begins
after the answer to a PUT has the new version or a later one; none has a version that nobody has sent yet.
"""

import gzip
import json
import random
import sys
import threading
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from daemon import Daemon, scaled  # noqa: E402
from decks import FULL_ROWS, Deck, full_deck  # noqa: E402
from runner import DATA, main  # noqa: E402
from wire import MICROS, RespError, micros  # noqa: E402

AT = "2026-03-02T12:00:00Z"
CONNECTIONS = 4
NUMBERS = 300
BATCH = 20  # Calls in flight on a connection: enough that every change meets some.
WANT = 120
VERSIONS_KEPT = 5  # deck.versions_kept as it comes.


def numbers_of(deck):
    """Numbers below prefixes from all over a deck."""
    rng = random.Random(1)
    prefixes = rng.sample(sorted(deck.rows), NUMBERS)
    return [prefix + "".join(rng.choices("0123456789", k=14 - len(prefix))) for prefix in prefixes]


class Calls:
    """Calls that go on over several connections until stop()."""

    def __init__(self, daemon, numbers, version, deck):
        self.numbers = numbers
        self.version_min = version    # Answered: a call that begins now has at least this one.
        self.version_max = version    # Sent: no call has a later one.
        self.decks = {version: deck}  # Of every version that was sent.
        self.done = 0
        self.by_version = {}
        self.slowest = 0.0
        self.faults = []
        self.lock = threading.Lock()
        self.ending = False
        self.threads = [threading.Thread(target=self.run, args=(daemon.connect(), f"t{n}"))
                        for n in range(CONNECTIONS)]

    def start(self):
        for thread in self.threads:
            thread.start()

    def stop(self):
        self.ending = True
        for thread in self.threads:
            thread.join()

    def run(self, client, name):
        rng = random.Random(name)
        count = 0
        try:
            while not self.ending and not self.faults:
                calls = []
                for _ in range(BATCH):
                    count += 1
                    calls.append((f"{name}-{count}", rng.choice(self.numbers), rng.randrange(1, WANT + 1)))
                commands = [("AUTHORIZE", "line", number, call, "WANT", WANT, "AT", AT, "EXPLAIN")
                            for call, number, _ in calls]
                # STOP right behind the AUTHORIZE of some, a round trip later of the others.
                at_once = [("STOP", call, seconds) for call, _, seconds in calls[::2]]
                later = [("STOP", call, seconds) for call, _, seconds in calls[1::2]]
                version_min = self.version_min
                begun = time.monotonic()
                answers = client.pipeline(commands + at_once, depth=2 * BATCH)
                slowest = time.monotonic() - begun
                version_max = self.version_max
                opened, stopped = answers[:BATCH], [None] * BATCH
                stopped[::2] = answers[BATCH:]
                stopped[1::2] = client.pipeline(later, depth=BATCH)
                for call, of_call, of_stop in zip(calls, opened, stopped):
                    self.check(call, of_call, of_stop, version_min, version_max)
                with self.lock:
                    self.done += len(calls)
                    self.slowest = max(self.slowest, slowest)
        except Exception as failure:  # pylint: disable=broad-except
            self.faults.append((name, repr(failure)))

    def check(self, call, opened, stopped, version_min, version_max):
        _, number, seconds = call
        if isinstance(opened, RespError) or isinstance(stopped, RespError):
            self.faults.append((call, repr(opened), repr(stopped)))
            return
        level = opened.levels()[0]
        version = int(level["version"])
        deck = self.decks[version]
        row = deck.match(number, AT)
        wanted = (version_min <= version <= version_max and opened.code in ("OK", "FREE")
                  and opened.figure == str(WANT)
                  and level["prefix"] == row["prefix"] and level["destination"] == row["destination"]
                  and micros(level["connect_fee"]) == micros(row["connect_fee"])
                  and micros(opened["held"]) == deck.cost(number, AT, WANT)
                  and stopped.code == "OK" and micros(stopped.figure) == deck.cost(number, AT, seconds))
        if not wanted:
            self.faults.append((call, version_min, version_max, row, list(opened), list(stopped)))
        with self.lock:
            self.by_version[version] = self.by_version.get(version, 0) + 1


class DeckSwap(unittest.TestCase):
    def setUp(self):
        self.daemon = self.enterContext(Daemon("session.remember=1s", "session.repeat=1s"))
        self.daemon.parties([{"id": "provider", "kind": "provider", "currency": "EUR"}])

    def put(self, body, **headers):
        return self.http.request("PUT", "/v1/tariffs/full/deck", body,
                                 {"Content-Type": "text/csv",
                                  **{name.replace("_", "-"): value for name, value in headers.items()}})

    def wait_for_calls(self, count):
        """Until so many more calls were made."""
        wanted = self.calls.done + count
        deadline = time.monotonic() + 120
        while self.calls.done < wanted:
            self.assertEqual(self.calls.faults, [], "first faults of the calls")
            self.assertLess(time.monotonic(), deadline, "the calls do not go on")
            time.sleep(0.01)

    def check_put(self, deck, body, **headers):
        """Puts a good deck in force while calls go on."""
        version = self.calls.version_max + 1
        self.calls.decks[version] = deck
        self.calls.version_max = version
        before, begun = self.calls.done, time.monotonic()
        reply = self.put(body, **headers)
        taken, meanwhile = time.monotonic() - begun, self.calls.done - before
        self.assertEqual(reply.status, 200, reply)
        answer = reply.json
        self.assertEqual((answer["version"], answer["rows"], answer["prefixes"]),
                         (version, deck.row_count, len(deck.rows)), answer)
        self.assertGreaterEqual(answer["milliseconds"], 0)
        self.assertGreater(meanwhile, 0, "no call was made meanwhile")
        self.calls.version_min = version
        self.wait_for_calls(scaled(4_000, 400))
        self.assertGreater(self.calls.by_version.get(version, 0), 0)
        print(f"{answer['rows']} rows in force after {taken:.2f} s, {answer['milliseconds']} ms of them in the "
              f"daemon; {meanwhile} calls meanwhile", flush=True)

    def check_refused(self, body, check_problem, **headers):
        """A deck that is refused leaves the one in force and the calls alone."""
        in_force = self.http.get("/v1/tariffs/full").json
        reply = self.put(body, **headers)
        self.assertEqual(reply.status, 422, reply)
        check_problem(reply.json)
        self.assertEqual(self.http.get("/v1/tariffs/full").json, in_force)
        self.wait_for_calls(scaled(2_000, 200))

    def test_a_hundred_swaps_leave_nothing_behind(self):
        """What is neither in force nor kept nor pinned by a call is freed."""
        swaps, rows = scaled(100, 10), scaled(50_000, 2_000)
        numbers = [f"49{at:06d}" for at in range(rows)]
        header = ",".join(("prefix", "destination", "rate_per_minute", "effective_from", "effective_until",
                           "connect_fee", "initial_increment", "increment", "grace_seconds"))
        texts = [header + "\n" + "".join(f"{number},Place,0.{price}{at % 97:02d},,,0,1,1,0\n"
                                         for at, number in enumerate(numbers)) for price in (11, 22, 33)]
        decks = [Deck(text) for text in texts]
        first = self.daemon.tariff("full", {}, texts[0])
        self.daemon.parties([{"id": "customer", "kind": "customer", "parent": "provider", "tariff": "full"},
                             {"id": "line", "kind": "line", "parent": "customer"}])
        self.daemon.topup("customer", 1_000_000_000 * MICROS)
        self.http = self.daemon.http
        self.calls = Calls(self.daemon, [number + "12345" for number in numbers[::97]], first["version"], decks[0])
        self.calls.start()
        try:
            for swap in range(1, swaps + 1):
                version = self.calls.version_max + 1
                self.calls.decks[version] = decks[swap % 3]
                self.calls.version_max = version
                reply = self.put(texts[swap % 3])
                self.assertEqual((reply.status, reply.json["version"]), (200, version), reply)
                self.calls.version_min = version
            self.wait_for_calls(scaled(1_000, 100))
        finally:
            self.calls.stop()
        self.assertEqual(self.calls.faults, [])
        # The calls are forgotten after a second, the versions they pinned at the next look.
        deadline = time.monotonic() + 30
        while (versions := int(self.daemon.info("tollgate")["tariff_versions"])) > VERSIONS_KEPT:
            self.assertLess(time.monotonic(), deadline, f"{versions} versions are still there")
            time.sleep(0.1)
        print(f"{swaps} swaps of {rows} rows, {self.calls.done} calls by {len(self.calls.by_version)} versions",
              flush=True)

    def test_full_decks_replace_each_other_while_calls_go_on(self):
        texts = [full_deck(DATA, tariff) for tariff in ("retail", "reseller", "wholesale")]
        decks = [Deck(text) for text in texts]
        self.assertEqual([deck.row_count for deck in decks], [FULL_ROWS] * 3)

        first = self.daemon.tariff("full", {}, texts[0])
        self.assertEqual((first["rows"], first["prefixes"]), (FULL_ROWS, len(decks[0].rows)))
        self.daemon.parties([{"id": "customer", "kind": "customer", "parent": "provider", "tariff": "full"},
                             {"id": "line", "kind": "line", "parent": "customer"}])
        self.daemon.topup("customer", 1_000_000_000 * MICROS)
        self.http = self.daemon.http

        self.calls = Calls(self.daemon, numbers_of(decks[0]), first["version"], decks[0])
        self.calls.start()
        try:
            self.wait_for_calls(scaled(2_000, 200))
            self.check_put(decks[1], texts[1])
            packed = gzip.compress(texts[2].encode(), compresslevel=1)
            self.check_put(decks[2], packed, Content_Encoding="gzip")

            at = FULL_ROWS - 1_000
            lines = texts[0].split("\n")
            fields = lines[at - 1].split(",")
            # Counted from behind: the destination may hold commas.
            columns = texts[0].split("\n", 1)[0].split(",")
            place = columns.index("rate_per_minute") - len(columns)
            fields[place] = "-0.01"
            faulty = "\n".join([*lines[:at - 1], ",".join(fields), *lines[at:]])

            def one_fault(problem):
                self.assertEqual(problem["error_count"], 1, json.dumps(problem))
                self.assertEqual([(fault["line"], fault["column"]) for fault in problem["errors"]],
                                 [(at, "rate_per_minute")])
                self.assertIn("-0.01", problem["errors"][0]["message"])

            self.check_refused(faulty, one_fault)
            self.check_refused(gzip.compress(faulty.encode(), compresslevel=1), one_fault,
                               Content_Encoding="gzip")
            self.check_refused(packed[:len(packed) // 2], lambda problem: self.assertIn("gzip", problem["detail"]),
                               Content_Encoding="gzip")
        finally:
            self.calls.stop()
        self.assertEqual(self.calls.faults, [], "first faults of the calls")
        self.daemon.assert_settled()
        print(f"{self.calls.done} calls by version {dict(sorted(self.calls.by_version.items()))}; slowest batch "
              f"of {2 * BATCH} commands {1000 * self.calls.slowest:.0f} ms", flush=True)


if __name__ == "__main__":
    main()
