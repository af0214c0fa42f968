"""What the scripts of bench/ have in common: the programs, who runs where, the generator, and figures with their spread.

Importing it makes the modules of tests/support importable: daemon, stores, wire.
"""

import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests/support"))

from stores import POSTGRES_PROGRAMS  # noqa: E402


def program(variable, name):
    """What the environment's `variable` names, else what script/build made."""
    return Path(os.environ.get(variable, ROOT / "build/release" / name)).resolve()


LOAD = program("TOLLGATE_LOAD", "tollgate-load")
PARTS = program("TOLLGATE_BENCH", "bench/tollgate_bench")
GROW = program("TOLLGATE_GROW_JOURNAL", "bench/grow_journal")
# A file with a prefix at the beginning of each line; without it they are invented.
PREFIXES_FILE = os.environ.get("TOLLGATE_BENCH_PREFIXES")

# Whoever serves has the first processor for himself, and whoever asks the others.
PROCESSORS = sorted(os.sched_getaffinity(0))
SERVER = ("taskset", "-c", str(PROCESSORS[0]))
GENERATOR = ("taskset", "-c", ",".join(map(str, PROCESSORS[1:]))) if len(PROCESSORS) > 1 else ()


def has_redis():
    return shutil.which("redis-server") is not None


def has_postgres():
    return bool(POSTGRES_PROGRAMS) and shutil.which("psql") is not None


# ---- The generator ----

def load_command(port, seconds, *options):
    return [LOAD, "--connect", f"127.0.0.1:{port}", "--for", f"{round(seconds * 1_000)}ms", "--json", "-", "--quiet",
            *map(str, options)]


def load(port, seconds, *options, before=GENERATOR):
    """What tollgate-load has measured (docs/load.md); nothing may have been refused, nor be wrong."""
    done = subprocess.run([*before, *load_command(port, seconds, *options)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr + done.stdout[-2_000:]
    figures = json.loads(done.stdout)
    assert figures["refused"] == 0, figures["refused_by_code"]
    return figures


BUSY_COMMANDS = 500  # So many in BUSY_LOOK_SECONDS: the generator has read its names, compared the books, and begun.
BUSY_LOOK_SECONDS, BUSY_WAIT_SECONDS = 0.05, 120
SETTLE_SECONDS = 0.2  # Between that and what is measured.


def commands_of(daemon):
    """So many it has answered so far."""
    return int(daemon.info("stats")["total_commands_processed"])


@contextmanager
def under_way(daemon, seconds, *options):
    """For who looks at a daemon, not at its answers: the load is under way for `seconds` at least."""
    lasts = seconds + 2 * SETTLE_SECONDS + 2 * BUSY_LOOK_SECONDS
    generator = subprocess.Popen([*GENERATOR, *load_command(daemon.resp_port, lasts, *options)],
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        deadline = time.monotonic() + BUSY_WAIT_SECONDS
        before = commands_of(daemon)
        while True:
            time.sleep(BUSY_LOOK_SECONDS)
            now = commands_of(daemon)
            if now - before > BUSY_COMMANDS:
                break
            before = now
            assert generator.poll() is None, generator.communicate()
            assert time.monotonic() < deadline, f"tollgate-load has not begun after {BUSY_WAIT_SECONDS} s"
        time.sleep(SETTLE_SECONDS)
        yield
        output, errors = generator.communicate()
    finally:
        if generator.poll() is None:
            generator.kill()
            generator.wait()
    assert generator.returncode == 0, errors + output[-2_000:]


# ---- Figures ----

def spread(values):
    """Of the rounds."""
    return {"least": min(values), "median": statistics.median(values), "greatest": max(values), "rounds": len(values)}


def text_of(found, form=".2f"):
    """A spread as people read it: 0.85 (0.55 to 0.91)."""
    middle = format(found["median"], form)
    return middle if found["rounds"] == 1 else f"{middle} ({found['least']:{form}} to {found['greatest']:{form}})"


class Results:
    """What a script found, as its --json has it and bench/canonical.py collects it.

    {"figures": [{"name", "parameter", "value", "unit", "measured" (the median), "least", "greatest", "rounds",
    "durability"}], "ratios": {name: {"least", "median", "greatest", "rounds", "durability"}}, "notes": [how it was
    measured], "skipped": [why it was not]}

    `durability` is when answers left: `none` (no journal), `written`, `synced`, or "" where nobody was answered; of a ratio
    it is that of what is divided.
    """

    def __init__(self):
        self.figures, self.ratios, self.notes, self.skipped = [], {}, [], []

    def figure(self, name, values, unit, durability="", parameter=None, value=None):
        """`values`: one of each round. Returns their spread."""
        found = spread(values)
        self.figures.append({"name": name, "parameter": parameter, "value": value, "unit": unit,
                             "measured": found["median"], **found, "durability": durability})
        return found

    def ratio(self, name, values, durability=""):
        self.ratios[name] = {**spread(values), "durability": durability}
        return self.ratios[name]

    def note(self, how):
        self.notes.append(how)
        print(how, flush=True)

    def skip(self, why):
        """Says what is left out, and why."""
        self.skipped.append(why)
        print(f"SKIPPED {why}", file=sys.stderr, flush=True)

    def write(self, path):
        """Nothing where nobody wants it."""
        if path:
            Path(path).write_text(json.dumps(vars(self), indent=2) + "\n")
