#!/usr/bin/env python3
"""PostgreSQL and Redis behind one journal, and everything that may happen to them.

Goal: after so many calls, during which each store was killed, stopped, wiped and restarted, and the daemon killed, at
random, both have row for row what the journal says, and no call noticed.
Method: real servers and callers who know to the micro-unit what must have come of their commands.

TOLLGATE_CALLS: at least so many sessions. TOLLGATE_SEED: what is decided by chance.
"""

import time
import unittest

from mortal import Mortal, amount_of, seeded
from postgres_rows import assert_same
from traffic import Traffic

import redis_rows
import runner
from stores import Postgres, Redis, needs_postgres, needs_redis
from wire import money

PATIENT = ("session.hold=4h", "session.repeat=30m")  # However slow the machine is, no call expires meanwhile.
EAGER = ("stores.retry_first=20ms", "stores.retry_longest=200ms", "postgres.timeout=2s", "redis.timeout=1s")
# Whole: a store that is wiped gets every record again.
KEPT = ("journal.snapshot_segments=1000",)


@needs_postgres()
@needs_redis()
class StoresTest(unittest.TestCase):
    def test_both_have_what_the_journal_says(self):
        rng = seeded("stores")
        wanted = amount_of("TOLLGATE_CALLS", 4_000, 400)
        happened = {}
        with Postgres() as postgres, Redis("--appendonly", "yes") as redis, \
                Mortal(*PATIENT, *EAGER, *KEPT, f"postgres.url={postgres.url}", f"redis.url={redis.url}") as daemon:
            traffic = Traffic(daemon, rng)
            sessions = 0
            began = time.monotonic()
            every = [(what, store) for what in ("kill", "stop", "wipe", "restart") for store in (postgres, redis)]
            every.append(("daemon", postgres))
            kinds = rng.sample(every, len(every))  # Each once, then by chance.
            while kinds or sessions < wanted:
                what, store = kinds.pop() if kinds else rng.choice((*every, ("nothing", postgres)))
                happened[what] = happened.get(what, 0) + 1
                self.administer(daemon)
                traffic.begin()
                time.sleep(rng.uniform(0.05, 0.3))
                self.hurt(what, store, daemon, rng)
                time.sleep(rng.uniform(0.05, 0.3))
                if what == "daemon":
                    daemon.process.kill()
                traffic.end()
                if what == "daemon":
                    daemon.kill()
                    daemon.restart()
                traffic.check()
                sessions = sum(caller.names for caller in traffic.callers)
            records, still_open = assert_same(daemon, postgres)
            parties, told = redis_rows.assert_same(daemon, redis)
            if told < redis_rows.STREAM_MAX:  # Else the cap may have taken them away.
                statuses = [entry["event"] for entry in redis_rows.entries_of(redis)]
                self.assertEqual([statuses.count(kind) for kind in ("party_suspended", "party_resumed")],
                                 2 * [sum(happened.values())])
            print(f"{sessions} sessions in {time.monotonic() - began:.0f} s: {records} records, {still_open} open, "
                  f"{parties} parties, {told} in the stream; "
                  + ", ".join(f"{what} {count}" for what, count in sorted(happened.items())), flush=True)

    @staticmethod
    def administer(daemon):
        """What there is an entry in the stream of: a status, and a warning that calls will cross."""
        for status in ("fraud", "active"):
            daemon.http.request("PATCH", "/v1/parties/customer-1", {"status": status})
        balance = daemon.account("customer-0")[0]
        daemon.http.request("PATCH", "/v1/parties/customer-0", {"warn_balance": money(balance - 1)})

    @staticmethod
    def hurt(what, store, daemon, rng):
        if what in ("kill", "restart"):
            store.kill()
            time.sleep(rng.uniform(0, 0.3) if what == "kill" else 0)
            store.start()
        elif what == "stop":
            store.stop()
            time.sleep(rng.uniform(0.1, 2.5))
            store.cont()
        elif what == "wipe":
            store.wipe()


if __name__ == "__main__":
    runner.main()
