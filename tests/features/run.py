"""What the features of partners do against a running daemon, each row by its name.

  python3 tests/features/run.py PB5 [binary]

The rows stand in *_rows.py beside this: a function each, which gets a Daemon with a journal and an Api. After
it the daemon is stopped, its journal is verified and a new one starts on it: balances must be what they were.
"""

import importlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "support")]

if len(sys.argv) > 2:
    os.environ["TOLLGATED"] = sys.argv[2]

from api import Api  # noqa: E402
from daemon import SMALL_SEGMENTS, Daemon, binary  # noqa: E402

ROWS = {}


def row(name, *settings):
    """Makes a function the test of a row; `settings` are for its daemon."""
    def register(function):
        assert name not in ROWS, f"{name} is there twice"
        ROWS[name] = (function, settings)
        return function
    return register


def run(name):
    function, settings = ROWS[name]
    with tempfile.TemporaryDirectory(prefix="tollgate-feature-") as folder:
        journal = f"journal.dir={folder}/journal"
        Daemon.usual = (SMALL_SEGMENTS,)
        # Somebody's connection may be idle for as long as a slow machine takes for all the others.
        patient = "http.timeout=1h"
        with Daemon(journal, patient, *settings) as daemon:
            function(daemon, Api(daemon))
            for currency, book in daemon.books().items():
                assert book["sum"] == 0, (currency, book)
            books = daemon.books()
        verified = subprocess.run([binary(), "--set", journal, "--verify"], capture_output=True, text=True)
        assert verified.returncode == 0, verified.stdout + verified.stderr
        with Daemon(journal, *settings) as daemon:
            assert daemon.books() == books, (daemon.books(), books)


if __name__ == "__main__":
    sys.modules["run"] = sys.modules["__main__"]
    for module in sorted(HERE.glob("*_rows.py")):
        importlib.import_module(module.stem)
    if sys.argv[1] not in ROWS:
        sys.exit(f"no row {sys.argv[1]}; there are {' '.join(sorted(ROWS))}")
    run(sys.argv[1])
    print(f"{sys.argv[1]}: {ROWS[sys.argv[1]][0].__doc__ or ''}")
