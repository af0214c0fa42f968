"""One customer with money, below one reseller: what every client's test calls with.

A second to 49… costs alice 0.01 and north 0.001; alice has 1000, north 1000.
"""

import shutil
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from daemon import Daemon  # noqa: E402
from wire import MICROS  # noqa: E402

__all__ = ["World", "needs_program", "run"]

PROGRAM_SECONDS = 240


class World(Daemon):
    """A tollgated with one customer, alice, and her line a1."""

    def __enter__(self):
        super().__enter__()
        try:
            self.tariff("wholesale", {}, "prefix,rate_per_minute\n49,0.06\n")
            self.tariff("retail", {}, "prefix,rate_per_minute\n49,0.6\n")
            self.parties([
                {"id": "root", "kind": "provider", "currency": "EUR"},
                {"id": "north", "kind": "reseller", "parent": "root", "terms": "margin", "tariff": "wholesale"},
                {"id": "alice", "kind": "customer", "parent": "north", "tariff": "retail"},
                {"id": "a1", "kind": "line", "parent": "alice"},
            ])
            self.topups({"north": 1000 * MICROS, "alice": 1000 * MICROS})
        except BaseException:
            self.__exit__(*sys.exc_info())
            raise
        return self

    @property
    def unix_path(self):
        """Of the socket, where the setting `resp.unix=resp.sock` makes one."""
        return str(Path(self.folder.name) / "resp.sock")


def needs_program(name):
    """For a test of a program that may not be installed: skipped, saying so, without it."""
    return unittest.skipIf(shutil.which(name) is None, f"{name} is not installed")


def run(*command, **options):
    """Runs a program to its end; its output is text."""
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, errors="replace",
                          timeout=PROGRAM_SECONDS, **options)
