#!/usr/bin/env python3
"""Runs postgres_sink_tests (the environment's POSTGRES_SINK_TESTS) against a PostgreSQL of its own."""

import os
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "support"))

import runner  # noqa: E402
from stores import Postgres, needs_postgres  # noqa: E402

TEST_SECONDS = 500


@needs_postgres()
class PostgresSinkTest(unittest.TestCase):
    def test_all(self):
        with Postgres() as postgres:
            done = subprocess.run([os.environ["POSTGRES_SINK_TESTS"]], timeout=TEST_SECONDS, check=False,
                                  env={**os.environ, "TOLLGATE_POSTGRES": postgres.url})
            self.assertEqual(done.returncode, 0)


if __name__ == "__main__":
    runner.main()
