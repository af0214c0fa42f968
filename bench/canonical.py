#!/usr/bin/env python3
"""Measures every figure that bench/rows.py has a goal for, in one run on one machine, and says what was met.

usage: bench/canonical.py [--quick] [--only PIECE,…] [--prefixes FILE] [--out FOLDER]

Runs the pieces one after the other, each a script that can be run alone, and writes into bench/results

  table.md         the table: ship, aim, measured, met or missed, and the command that repeats it
  latest.json      all of it for programs: machine, commit, date; of each ratio least, median, greatest and durability
  ratios.svg       the pair mix beside others, over P
  pair-latency.svg, pair-throughput.svg      latency over the rate, throughput over time

in place of what an earlier run left. What a piece needs and is not installed (Redis, PostgreSQL, perf, gnuplot) is left out
with a word, and so are rows that it would have measured. `--prefixes` names a file with a prefix at the beginning of each
line, or that packed with gzip; without it they are invented, which is harder. `--quick` does everything in a small world,
to see that it runs: its figures mean nothing, and go to build/bench-quick.

Ends with 1 where a piece failed; the others are written all the same.
"""

import argparse
import gzip
import json
import os
import platform
import shlex
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

import plots
from measuring import GROW, LOAD, PARTS, PREFIXES_FILE, PROCESSORS, ROOT
from rows import NOT_MEASURED, ROWS
from daemon import binary

PIECE_SECONDS_MAX = 1_200  # Of what should take two minutes.
FILES = ("table.md", "latest.json", "ratios.svg", "pair-latency.svg", "pair-throughput.svg")
DRAWN_ROWS = (1, 2, 3)
IN_MEMORY = ("tmpfs", "ramfs")  # File systems whose sync costs nothing.


@dataclass(frozen=True)
class Piece:
    script: str
    options: str
    quick: str
    draws: bool = False  # Takes --plots.

    def command(self, is_quick):
        return [self.script, *(self.quick if is_quick else self.options).split()]


PIECES = {
    "parts": Piece("bench/parts.py", "--rounds 5 --seconds 0.2", "--rounds 1 --seconds 0.001"),
    "side_by_side": Piece("bench/peers/side_by_side.py", "--rounds 5 --seconds 1.5", "--small --rounds 1 --seconds 0.2"),
    "costs": Piece("bench/costs.py", "--rounds 3 --seconds 1.5", "--small --rounds 1 --seconds 0.2", draws=True),
    "deck_swap": Piece("bench/deck_swap.py", "--rounds 3 --swaps 5",
                       "--rounds 1 --swaps 1 --rows 5000 --seconds 2"),
    "stores": Piece("bench/stores.py", "--only sustained,backlog --rounds 3 --backlog-seconds 4"
                                       " --rates 5000,10000,20000,30000",
                    "--only sustained,backlog --rounds 1 --sustained-seconds 0.5 --backlog-seconds 0.2 --rates 1000"),
    "recovery": Piece("bench/recovery.py", "1000000 100000 --only none", "10000 10000 --only none"),
    "growth": Piece("bench/growth.py", "--only levels,decks,parties --rounds 3 --seconds 1",
                    "--only levels,decks --quick"),
}


# ---- Where it was measured ----

def first_line(command):
    """What a program says; "unknown" where it does not."""
    try:
        return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\n")[0]
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def caches():
    found = []
    for cache in sorted(Path("/sys/devices/system/cpu/cpu0/cache").glob("index*")):
        level, kind, size = ((cache / name).read_text().strip() for name in ("level", "type", "size"))
        found.append(f"L{level} {kind} {size}")
    return found


def build_settings():
    """Of the build that is measured: compiler and flags."""
    cache = binary().parent / "CMakeCache.txt"
    if not cache.exists():
        return {"compiler": "unknown", "flags": "unknown"}
    said = dict(line.split("=", 1) for line in cache.read_text().splitlines() if "=" in line)
    kind = said.get("CMAKE_BUILD_TYPE:STRING", "")
    flags = (said.get(name, "") for name in ("CMAKE_CXX_FLAGS:STRING", f"CMAKE_CXX_FLAGS_{kind.upper()}:STRING"))
    compiler = next((value for name, value in said.items() if name.startswith("CMAKE_CXX_COMPILER:")), "c++")
    return {"compiler": first_line([compiler, "--version"]),
            "flags": " ".join(filter(None, ("" if kind == "None" else kind, *flags)))}


def machine():
    models = [line.split(":", 1)[1].strip() for line in Path("/proc/cpuinfo").read_text().splitlines()
              if line.startswith("model name")]
    memory = next(line for line in Path("/proc/meminfo").read_text().splitlines() if line.startswith("MemTotal"))
    temporary = tempfile.gettempdir()
    return {"processor": models[0] if models else platform.machine(), "processors": len(PROCESSORS), "caches": caches(),
            "memory_mib": int(memory.split()[1]) // 1024, "kernel": platform.release(), **build_settings(),
            "journal_file_system": first_line(["stat", "-f", "-c", "%T", temporary]),
            "load_before": os.getloadavg()[0]}


def commit():
    return {"commit": first_line(["git", "rev-parse", "HEAD"]),
            # What a run writes is not what it measures.
            "changed": first_line(["git", "status", "--porcelain", "--", ".", ":!bench/results"]) != ""}


# ---- The pieces ----

def run_to_its_end(command, environment):
    """Raises where it failed or takes too long. It is never killed: it ends the servers that it started."""
    process = subprocess.Popen(command, cwd=ROOT, env=environment)
    try:
        code = process.wait(PIECE_SECONDS_MAX)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGINT)
        process.wait()
        raise
    except KeyboardInterrupt:  # Which it got as well.
        process.wait()
        raise
    if code != 0:
        raise subprocess.CalledProcessError(code, shlex.join(map(str, command)))


def run_piece(piece, is_quick, environment, folder):
    """Its results, how it went (`state`) and what repeats it (`command`)."""
    command = piece.command(is_quick)
    outcome = {"command": shlex.join(command), "state": "ran", "took_seconds": 0.0, "figures": [], "ratios": {},
               "notes": [], "skipped": []}
    print(f"\n==== {outcome['command']}", flush=True)
    if not (ROOT / piece.script).exists():
        return outcome | {"state": f"{piece.script} is not there"}
    results = folder / "results.json"
    results.unlink(missing_ok=True)
    drawn = ["--plots", str(folder / "pair")] if piece.draws else []
    begun = time.monotonic()
    try:
        run_to_its_end([sys.executable, *command, *drawn, "--json", str(results)], environment)
        outcome |= json.loads(results.read_text())
    except (subprocess.SubprocessError, OSError, ValueError) as failure:
        outcome["state"] = f"failed: {failure}"
        print(f"FAILED {outcome['command']}: {failure}", file=sys.stderr, flush=True)
    return outcome | {"took_seconds": round(time.monotonic() - begun, 1)}


def unpacked(prefixes, folder):
    """A file that every piece reads."""
    if prefixes is None or not prefixes.endswith(".gz"):
        return prefixes and str(Path(prefixes).resolve())
    plain = folder / "prefixes.csv"
    with gzip.open(prefixes, "rb") as packed, open(plain, "wb") as out:
        shutil.copyfileobj(packed, out)
    return str(plain)


# ---- What it comes to ----

def rows_of(pieces, is_quick):
    rows = []
    for row in ROWS:
        cells = []
        for cell in row.cells:
            found = cell.found_in(pieces)
            cells.append({"label": cell.label, "ship": cell.ship, "aim": cell.aim,
                          "goal": "at most" if cell.at_most else "at least", **(found or {}),
                          "verdict": cell.verdict(found)})
        commands = dict.fromkeys(shlex.join(PIECES[cell.piece].command(is_quick)) for cell in row.cells)
        rows.append({"row": row.number, "figure": row.figure, "cells": cells, "commands": list(commands),
                     "verdict": row.verdict([cell["verdict"] for cell in cells])})
    return rows


def spread_text(cell, show):
    if "median" not in cell:
        return NOT_MEASURED
    if cell["rounds"] == 1 or cell["least"] == cell["greatest"]:
        return show(cell["median"])
    return f"{show(cell['median'])} ({show(cell['least'])} to {show(cell['greatest'])})"


def lines_of(texts, labels):
    """What a row's cells say, a line each; one for all where they say the same."""
    if len(set(texts)) == 1:
        return texts[0] or "·"
    return "<br>".join(f"{label}: {text}" for text, label in zip(texts, labels) if text)


def row_line(row, wanted):
    """A row of the table in Markdown."""
    cells = list(zip(row["cells"], wanted.cells))
    labels = [cell["label"] for cell, _ in cells]

    def goals(name):
        return lines_of([f"{'≤' if source.at_most else '≥'} {source.show(cell[name])}" if cell[name] is not None else ""
                         for cell, source in cells], labels)

    measured = [f"{cell['label']}: " * (len(cells) > 1) + spread_text(cell, source.show) for cell, source in cells]
    is_measured = any("median" in cell for cell, _ in cells)
    verdicts = lines_of(["" if cell["verdict"] == NOT_MEASURED else cell["verdict"] for cell, _ in cells], labels)
    answers = ", ".join(dict.fromkeys(cell["durability"] for cell, _ in cells if cell.get("durability"))) or "·"
    commands = "<br>".join(f"`{command}`" for command in row["commands"])
    columns = (row["row"], row["figure"], goals("ship"), goals("aim"),
               "<br>".join(measured) if is_measured else NOT_MEASURED, verdicts, answers, commands)
    return f"| {' | '.join(map(str, columns))} |"


def table_text(summary):
    where, pieces = summary["machine"], summary["pieces"]
    lines = ["# What was measured, and what was wanted", ""]
    if summary["quick"]:
        lines += ["**A quick run in a small world: it shows that everything runs, and its figures mean nothing.**", ""]
    lines += [
        f"{summary['date']}, commit {summary['commit']}{' with changes' if summary['changed'] else ''}, in "
        f"{summary['took_seconds'] / 60:.1f} minutes: {where['processors']} processors {where['processor']}, "
        f"{', '.join(where['caches'])}; Linux {where['kernel']}, {where['compiler']}, {where['flags']}; journals on "
        f"{where['journal_file_system']}; prefixes {summary['prefixes']}.", ""]
    if where["journal_file_system"] in IN_MEMORY:
        lines += ["**The journals were in memory: what waits for the disk waits for nothing.**", ""]
    lines += [
        "Median of the rounds (least to greatest). \"none\" answers without a journal, \"written\" once the kernel has the "
        "events, \"synced\" once the disk has them; \"·\": nobody is answered, or no goal.", "",
        "| # | figure | ship | aim | measured | | answers | again |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |"]
    lines += [row_line(row, wanted) for row, wanted in zip(summary["rows"], ROWS)]
    lines += call_lines(pieces.get("costs"))
    left_out = [f"{name}: {piece['state']}" for name, piece in pieces.items() if piece["state"] != "ran"]
    left_out += [f"{name}: {why}" for name, piece in pieces.items() for why in piece["skipped"]]
    if left_out:
        lines += ["", "Left out:", "", *(f"- {why}" for why in left_out)]
    for name in summary["plots"]:
        lines += ["", f"![{Path(name).stem}]({name})"]
    return "\n".join(lines) + "\n"


def call_lines(costs):
    """The system calls of a request, as a table of their own."""
    counted = {}
    for figure in (costs or {}).get("figures", []):
        if figure["name"].startswith("system calls of the "):
            who = figure["name"].removeprefix("system calls of the ")
            counted.setdefault(who, {})[figure["value"]] = figure["measured"]
    if not counted:
        return []
    depths = sorted({depth for of_who in counted.values() for depth in of_who})
    lines = ["", "| system calls a request | " + " | ".join(f"P={depth}" for depth in depths) + " |",
             "| --- |" + " --- |" * len(depths)]
    lines += [f"| {who} | " + " | ".join(f"{of_who[depth]:.3f}" if depth in of_who else "" for depth in depths) + " |"
              for who, of_who in counted.items()]
    return [*lines, "", *(note.strip() for note in costs["notes"])]


def draw(summary, folder):
    """The ratios over P, where they were measured."""
    panels = {}
    for row in summary["rows"]:
        points = [(int(cell["label"].removeprefix("P=")), cell["least"], cell["median"], cell["greatest"], cell["ship"],
                   cell["aim"]) for cell in row["cells"] if row["row"] in DRAWN_ROWS and "median" in cell]
        if points:
            panels[row["figure"]] = points
    if panels and plots.can_draw():
        plots.draw_ratios(folder / "ratios.svg", panels)


def write(summary, made, out):
    """In place of what an earlier run left there."""
    out.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        (out / name).unlink(missing_ok=True)
        if (made / name).exists():
            shutil.copyfile(made / name, out / name)
    (out / "latest.json").write_text(json.dumps(summary, indent=2) + "\n")
    (out / "table.md").write_text(table_text(summary))


def main():
    command = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    command.add_argument("--quick", action="store_true")
    command.add_argument("--only", type=lambda text: text.split(","), default=list(PIECES))
    command.add_argument("--prefixes", default=PREFIXES_FILE)
    command.add_argument("--out", type=Path)
    options = command.parse_args()
    out = options.out or ROOT / ("build/bench-quick" if options.quick else "bench/results")
    for name in options.only:
        if name not in PIECES:
            command.error(f"--only: there is no '{name}'; there are {', '.join(PIECES)}")
    for needed in (binary(), LOAD, PARTS, GROW):
        if not needed.exists():
            command.error(f"{needed} is not there; script/bench builds it")
    if options.prefixes and not Path(options.prefixes).exists():
        command.error(f"--prefixes: there is no {options.prefixes}")

    begun = time.monotonic()
    summary = {"date": datetime.now(timezone.utc).strftime("%Y-%m-%d %H:%M UTC"), **commit(), "machine": machine(),
               "quick": options.quick,
               "prefixes": f"of {Path(options.prefixes).name}" if options.prefixes else "invented"}
    with tempfile.TemporaryDirectory(prefix="tollgate-bench-") as name:
        folder = Path(name)
        environment = dict(os.environ)
        if options.prefixes:
            environment["TOLLGATE_BENCH_PREFIXES"] = unpacked(options.prefixes, folder)
        pieces = {piece: run_piece(PIECES[piece], options.quick, environment, folder) for piece in options.only}
        summary |= {"took_seconds": round(time.monotonic() - begun, 1), "rows": rows_of(pieces, options.quick),
                    "pieces": pieces}
        draw(summary, folder)
        summary["plots"] = [name for name in FILES if name.endswith(".svg") and (folder / name).exists()]
        write(summary, folder, out)
    print("\n" + table_text(summary) + f"\nwritten to {out}", flush=True)
    if any(piece["state"].startswith("failed") for piece in pieces.values()):
        sys.exit(1)


if __name__ == "__main__":
    main()
