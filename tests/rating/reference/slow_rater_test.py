#!/usr/bin/env python3
"""The walk in C++ that the product is held against follows the definition of a charge.

Goal: slow_rater gives the cost, or the longest call, that the reference rater beside the repository gives.
Method: slow_rater_vectors makes up tariffs and calls and prints its results; the reference rater works each of them
out again. By hand, with other cases:
  SLOW_RATER_COUNT=20000 SLOW_RATER_SEED=7 python3 tests/rating/reference/slow_rater_test.py
"""

import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "support"))

from daemon import ROOT  # noqa: E402
from runner import DATA, main, needs_data  # noqa: E402

VECTORS = os.environ.get("SLOW_RATER_VECTORS",
                         ROOT / "build/release/tests/rating/reference/slow_rater_vectors")
COUNT = os.environ.get("SLOW_RATER_COUNT", "4000")
SEED = os.environ.get("SLOW_RATER_SEED", "20260105")


class SlowRater(unittest.TestCase):
    @needs_data("reference_rater.py")
    def test_random_calls_cost_what_the_definition_says(self):
        with tempfile.NamedTemporaryFile("w+", suffix=".jsonl") as vectors:
            subprocess.run([VECTORS, COUNT, SEED], stdout=vectors, check=True)
            checked = subprocess.run([sys.executable, DATA / "reference_rater.py", "vectors", vectors.name],
                                     capture_output=True, text=True, check=False)
        print(f"{COUNT} cases: {checked.stdout[:2000]}{checked.stderr}", flush=True)
        self.assertEqual(checked.returncode, 0, "the ids of the cases that differ, and the other result, are above")


if __name__ == "__main__":
    main()
