"""A tollgated with a journal that may die and comes back."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from daemon import STOP_SECONDS, Daemon, binary, scaled  # noqa: E402

__all__ = ["Mortal", "amount_of", "binary", "scaled", "seeded"]

TOOL_SECONDS = 300


def seeded(what):
    """A generator whose seed is printed; the environment's TOLLGATE_SEED repeats a run."""
    seed = int(os.environ.get("TOLLGATE_SEED") or time.time_ns() % 1_000_000_007)
    print(f"{what}: TOLLGATE_SEED={seed}", flush=True)
    return random.Random(seed)


def amount_of(name, quick, sanitized):
    """How much to do: what the environment says, else a quick profile."""
    return int(os.environ.get(name) or scaled(quick, sanitized))


class Mortal(Daemon):
    """A Daemon whose journal outlives its process.

    with Mortal() as daemon:
        daemon.kill()
        daemon.restart()

    `folder`: of the journal, where it is not to be a temporary one.
    """

    def __init__(self, *settings, folder=None):
        super().__init__(*settings)
        self.own_settings = settings
        self.given_folder = folder
        self.lives = 0

    def launch(self):
        if self.lives == 0:
            self.journal = Path(self.given_folder or Path(self.folder.name) / "journal")
            self.settings = (*self.own_settings, f"journal.dir={self.journal}")
        self.lives += 1
        self.log = Path(self.folder.name) / f"log-{self.lives}"
        self.log_printed = False
        self.exit_expected = 0
        self.launched = time.monotonic()
        super().launch()

    def close_connections(self):
        for client in self.clients:
            client.close()
        self.clients.clear()

    def kill(self):
        """As a crash of the process does it."""
        self.process.kill()
        self.exit_expected = self.process.wait()
        self.close_connections()

    def stop(self):
        """As an operator does it; must exit with 0."""
        self.process.send_signal(signal.SIGTERM)
        status = self.process.wait(STOP_SECONDS)
        assert status == 0, f"tollgated ended with {status} after SIGTERM"
        self.close_connections()

    def restart(self, *settings):
        """On the same folder, once the process has gone; the seconds until it served."""
        if settings:
            self.own_settings = settings
            self.settings = (*settings, f"journal.dir={self.journal}")
        began = time.monotonic()
        self.launch()
        self.wait_until_it_serves()
        return time.monotonic() - began

    def refuses_to_start(self):
        """Starts it where it must not: (exit status, what it said)."""
        self.launch()
        self.exit_expected = self.process.wait(STOP_SECONDS)
        return self.exit_expected, self.log.read_text()

    def tool(self, *words):
        """Runs the program beside the daemon: (exit status, what it said)."""
        done = subprocess.run([str(binary()), *words], capture_output=True, text=True, timeout=TOOL_SECONDS,
                              check=False)
        return done.returncode, done.stdout + done.stderr

    def assert_invariants_hold(self):
        """What `tollgated --verify` says of the folder, as it lies there."""
        status, text = self.tool("--set", f"journal.dir={self.journal}", "--verify")
        assert status == 0 and "every invariant holds" in text, (status, text)

    def segments(self):
        return sorted(self.journal.glob("segment-" + "[0-9]" * 12))

    def snapshots(self):
        return sorted(self.journal.glob("snapshot-*.dat"))
