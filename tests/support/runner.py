"""Runs the tests of a script and says how it went: exit 0 passed, 1 failed, 77 skipped.

usage of every script: NAME_test.py [TOLLGATED] [-k PATTERN]…
"""

import argparse
import os
import sys
import unittest

from daemon import ROOT, SMALL_SEGMENTS, Daemon

SKIPPED = 77
Daemon.usual = (SMALL_SEGMENTS,)
DATA = ROOT.parent / "shared" / "data"  # Beside the repository, and not part of it.


def needs_data(*names):
    """For a test that reads files of the data beside the repository: skipped, saying so, without them."""
    missing = [name for name in names if not (DATA / name).exists()]
    return unittest.skipIf(missing, f"../shared/data has no {', '.join(missing)}")


class Result(unittest.TextTestResult):
    """Shows the daemon's log beside a failure."""

    def addFailure(self, test, err):  # noqa: N802
        super().addFailure(test, err)
        self.print_logs()

    def addError(self, test, err):  # noqa: N802
        super().addError(test, err)
        self.print_logs()

    def addSubTest(self, test, subtest, err):  # noqa: N802
        super().addSubTest(test, subtest, err)
        if err is not None and len(self.failures) + len(self.errors) == 1:
            self.print_logs()

    @staticmethod
    def print_logs():
        for daemon in Daemon.running:
            daemon.print_log()


def main():
    parser = argparse.ArgumentParser(description=sys.modules["__main__"].__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tollgated", nargs="?", help="the binary, instead of the environment's TOLLGATED")
    parser.add_argument("-k", dest="patterns", action="append", help="only tests whose names hold this")
    arguments = parser.parse_args()
    if arguments.tollgated:
        os.environ["TOLLGATED"] = arguments.tollgated

    loader = unittest.TestLoader()
    loader.testNamePatterns = [f"*{pattern}*" for pattern in arguments.patterns or []] or None
    tests = loader.loadTestsFromModule(sys.modules["__main__"])
    result = unittest.TextTestRunner(resultclass=Result, verbosity=2).run(tests)
    for test, reason in result.skipped:
        print(f"SKIPPED {test}: {reason}", flush=True)
    if not result.wasSuccessful():
        sys.exit(1)
    if result.testsRun == len(result.skipped):
        sys.exit(SKIPPED)
