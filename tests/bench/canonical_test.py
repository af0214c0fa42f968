#!/usr/bin/env python3
"""bench/canonical.py from its command line to its files, in a world so small that its figures mean nothing.

Goal: one run has every row of the table, measured or said not to be; what is not installed is left out with a word; what an
earlier run left is gone; a wrong command line is told before anything runs.
Method: the quick run of all pieces but growth; one of three pieces where only the programs that must be there are found;
figures beside goals, judged by hand.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))
sys.path.append(str(Path(__file__).resolve().parents[2] / "bench"))

from daemon import ROOT  # noqa: E402
from rows import AIM, MISSED, NO_GOAL, NOT_MEASURED, SHIP, Cell, Row  # noqa: E402
from runner import main  # noqa: E402

CANONICAL = ROOT / "bench/canonical.py"
ROWS = 16
PIECES = ("parts", "side_by_side", "costs", "deck_swap", "stores", "recovery")
MUST_BE_THERE = ("curl", "nice", "stat", "taskset")


def has(*programs):
    return all(map(shutil.which, programs))


class Canonical(unittest.TestCase):
    def setUp(self):
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory(prefix="tollgate-test-")))
        self.out = self.folder / "results"

    def run_it(self, *options, path=None):
        """(exit code, what it printed)."""
        done = subprocess.run([sys.executable, CANONICAL, "--quick", "--out", self.out, *options], capture_output=True,
                              text=True, env={**os.environ, **({"PATH": path} if path else {})})
        return done.returncode, done.stdout + done.stderr

    def results(self):
        table = (self.out / "table.md").read_text()
        numbers = [int(line.split("|")[1]) for line in table.splitlines() if line.startswith("| ")
                   and line.split("|")[1].strip().isdigit()]
        self.assertEqual(numbers, list(range(1, ROWS + 1)), table)
        summary = json.loads((self.out / "latest.json").read_text())
        self.assertEqual([row["row"] for row in summary["rows"]], numbers)
        return summary, table

    def test_every_row_is_measured_or_said_not_to_be(self):
        self.out.mkdir()
        (self.out / "ratios.svg").write_text("of an earlier run")
        code, said = self.run_it("--only", ",".join(PIECES))
        self.assertEqual(code, 0, said)
        summary, table = self.results()
        for name in ("commit", "date", "machine", "took_seconds"):
            self.assertTrue(summary[name], name)
        for row in summary["rows"]:
            for cell in row["cells"]:
                with self.subTest(row=row["row"], cell=cell["label"]):
                    if "median" in cell:
                        self.assertLessEqual(cell["least"], cell["median"])
                        self.assertLessEqual(cell["median"], cell["greatest"])
                        self.assertNotEqual(cell["verdict"], NOT_MEASURED)
                    else:
                        self.assertEqual(cell["verdict"], NOT_MEASURED)
        # Growth is not among the pieces; Redis and PostgreSQL may be missing.
        missing = {row["row"] for row in summary["rows"] if not any("median" in cell for cell in row["cells"])}
        self.assertLessEqual(missing, {16} if has("redis-server", "psql") else {1, 2, 3, 4, 11, 12, 16})
        self.assertIn(16, missing)
        self.assertIn(NOT_MEASURED, table)
        durable = summary["rows"][1]["cells"][0]
        if "median" in durable:
            self.assertEqual(durable["durability"], "synced")
        drawn = ["ratios.svg", "pair-latency.svg", "pair-throughput.svg"] if has("gnuplot", "redis-server") else []
        for name in drawn:
            self.assertIn("<svg", (self.out / name).read_text())

    def test_what_is_not_installed_is_left_out_with_a_word(self):
        found = self.folder / "found"
        found.mkdir()
        for name in MUST_BE_THERE:
            (found / name).symlink_to(shutil.which(name))
        code, said = self.run_it("--only", "side_by_side,costs,stores", path=str(found))
        self.assertEqual(code, 0, said)
        summary, table = self.results()
        for word in ("redis-server is not installed", "postgresql is not installed", "neither perf nor strace",
                     "gnuplot is not installed", "stores: postgresql and redis-server are needed"):
            self.assertIn(word, table)
        verdicts = {row["row"]: row["verdict"] for row in summary["rows"]}
        self.assertNotEqual(verdicts[5], NOT_MEASURED)
        self.assertNotEqual(verdicts[10], NOT_MEASURED)
        for row in (1, 2, 3, 4, 7, 11, 12, 13):
            self.assertEqual(verdicts[row], NOT_MEASURED, row)
        self.assertEqual([file.suffix for file in self.out.iterdir() if file.suffix == ".svg"], [])

    def test_a_wrong_command_line_is_told_at_once(self):
        for options, word in ((["--only", "everything"], "there is no 'everything'"),
                              (["--prefixes", str(self.folder / "none")], "--prefixes: there is no")):
            code, said = self.run_it(*options)
            self.assertEqual(code, 2, said)
            self.assertIn(word, said)
            self.assertFalse(self.out.exists())


class Verdicts(unittest.TestCase):
    def judged(self, cell, measured):
        found = cell.found_in({"piece": {"figures": [{"name": "it", "parameter": "P", "value": 16, "measured": measured}]}})
        return cell.verdict(found)

    def test_a_figure_meets_a_goal_that_it_reaches(self):
        more = Cell("", "piece", "it", ship=2.0, aim=3.0)
        self.assertEqual([self.judged(more, measured) for measured in (1.99, 2.0, 2.99, 3.0)], [MISSED, SHIP, SHIP, AIM])
        less = Cell("", "piece", "it", ship=3.0, aim=2.0, at_most=True)
        self.assertEqual([self.judged(less, measured) for measured in (3.01, 3.0, 2.01, 2.0)], [MISSED, SHIP, SHIP, AIM])
        self.assertEqual(self.judged(Cell("", "piece", "it"), 1.0), NO_GOAL)

    def test_only_what_was_asked_for_is_its_figure(self):
        self.assertEqual(self.judged(Cell("", "piece", "it", 16, ship=1.0), 1.0), SHIP)
        for other in (Cell("", "piece", "it", 64, ship=1.0), Cell("", "piece", "that", ship=1.0),
                      Cell("", "another", "it", ship=1.0)):
            self.assertEqual(self.judged(other, 1.0), NOT_MEASURED)

    def test_a_row_is_as_good_as_its_worst_figure(self):
        row = Row(1, "", ())
        self.assertEqual(row.verdict([AIM, NO_GOAL]), AIM)
        self.assertEqual(row.verdict([AIM, SHIP]), SHIP)
        self.assertEqual(row.verdict([SHIP, NOT_MEASURED]), NOT_MEASURED)
        self.assertEqual(row.verdict([NOT_MEASURED, MISSED]), MISSED)


if __name__ == "__main__":
    main()
