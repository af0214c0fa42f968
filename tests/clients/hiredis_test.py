#!/usr/bin/env python3
"""hiredis 0.14, which switches link: starts the daemon for the program of hiredis_test.cc.

The environment's HIREDIS_TEST is the program.
"""

import os
import sys
import unittest

import world

import runner


@unittest.skipIf("HIREDIS_TEST" not in os.environ, "HIREDIS_TEST names no program: libhiredis-dev is not installed")
class HiredisTest(unittest.TestCase):
    def test_program(self):
        with world.World() as daemon:
            ran = world.run(os.environ["HIREDIS_TEST"], "--gtest_color=no",
                            env={**os.environ, "TOLLGATE_RESP_PORT": str(daemon.resp_port)})
            sys.stdout.write(ran.stdout)
            sys.stderr.write(ran.stderr)
            self.assertEqual(ran.returncode, 0)
            self.assertRegex(ran.stdout, r"\[  PASSED  \] [1-9]")
            self.assertNotIn("SKIPPED", ran.stdout)
            daemon.assert_settled()


if __name__ == "__main__":
    runner.main()
