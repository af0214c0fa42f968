#!/usr/bin/env python3
"""kill -9 of the daemon under load: nothing that was answered is lost, nothing is doubled, nothing is half there.

TOLLGATE_ROUNDS: how often it is killed. TOLLGATE_SEED: what is decided by chance.
"""

import time
import unittest

from mortal import Mortal, amount_of, seeded
from traffic import Traffic

import runner

ROUNDS_PER_FOLDER = 20
PATIENT = ("session.hold=4h", "session.repeat=30m")  # However slow the machine is, no call expires meanwhile.


class KillTest(unittest.TestCase):
    def test_killed_under_load(self):
        rng = seeded("kill")
        rounds = amount_of("TOLLGATE_ROUNDS", 5, 2)
        done = commands = requests = torn = snapshots = 0
        slowest = 0.0
        began = time.monotonic()
        while done < rounds:
            settings = (f"journal.reply={rng.choice(('synced', 'synced', 'written'))}",
                        f"journal.segment_bytes={rng.choice(('4 MiB', '4 MiB', '64 MiB'))}",
                        f"journal.snapshot_segments={rng.choice((1, 2, 4))}", f"workers={rng.choice((1, 2))}")
            with Mortal(*PATIENT, *settings) as daemon:
                traffic = Traffic(daemon, rng)
                for _ in range(min(ROUNDS_PER_FOLDER, rounds - done)):
                    slowest = max(slowest, self.one_round(daemon, traffic, rng))
                    torn += int(daemon.info("persistence")["journal_torn_blocks"])
                    done += 1
                daemon.stop()
                daemon.assert_invariants_hold()
                snapshots += bool(daemon.snapshots())
                daemon.restart()
                traffic.check()
                commands += sum(caller.total for caller in traffic.callers)
                requests += traffic.office.requests
        print(f"killed {done} times in {time.monotonic() - began:.0f} s: {commands} commands and {requests} requests of "
              f"administration, {torn} torn blocks, {snapshots} folders with snapshots, slowest start {slowest:.2f} s",
              flush=True)

    def one_round(self, daemon, traffic, rng):
        traffic.begin()
        time.sleep(rng.uniform(0.02, 0.8))
        daemon.process.kill()
        traffic.end()
        daemon.kill()
        daemon.assert_invariants_hold()
        if rng.random() < 0.3:  # And again, while it comes up.
            daemon.launch()
            time.sleep(rng.uniform(0, 0.1))
            daemon.kill()
        took = daemon.restart()
        traffic.check()
        return took


if __name__ == "__main__":
    runner.main()
