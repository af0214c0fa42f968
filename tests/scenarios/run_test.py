#!/usr/bin/env python3
"""The runner of stories sees what is wrong in one: for every form of expectation, a story that is not so."""

import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

import run  # noqa: E402
import runner  # noqa: E402

WORLD = Path(__file__).resolve().parent / "world.setup"


class RunnerTest(unittest.TestCase):
    def play(self, story):
        """The faults of a story over the common world."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "told.scn"
            path.write_text(WORLD.read_text(encoding="utf-8") + story, encoding="utf-8")
            return run.Story(path, verbose=False).play()

    def assert_wrong(self, story, *words):
        faults = self.play(story)
        self.assertEqual(len(faults), 1, faults)
        for word in words:
            self.assertIn(word, faults[0])

    # Every right form at once, so that the wrong ones below are wrong for the reason they should be.
    def test_a_true_story_has_no_faults(self):
        self.assertEqual(self.play(
            '> AUTHORIZE a1 49 "c \\x31" WANT 60\n'
            "<~ OK 60 held={held} validity=290..310\n"
            "> BALANCE alice\n"
            "< OK 10 currency EUR held {held} available * credit_limit\n"
            "    0 status active\n"
            "> SESSIONS\n"
            '<= "c 1" a1 49 authorized 60 0 0..9\n'
            ">> SESSIONS COUNT 1\n"
            '<= "c 1" a1 49 authorized 60 0 0..9\n'
            "> STOP x nonsense\n"
            "<- BADARG s\n"
            '> RELEASE "c 1"\n'
            "<~ OK 0\n"
            "settled\n"), [])

    def test_another_word_is_a_fault(self):
        self.assert_wrong("> BALANCE alice\n"
                          "< OK 10 currency EUR held 1 available 10 credit_limit 0 status active\n", "at 5")

    def test_a_missing_word_is_a_fault(self):
        self.assert_wrong("> BALANCE alice\n< OK 10 currency EUR\n", "expected 4 words")

    def test_another_code_is_a_fault(self):
        self.assert_wrong("> BALANCE alice\n<~ CONFLICT 10\n", "another code")

    def test_another_figure_is_a_fault(self):
        self.assert_wrong("> BALANCE alice\n<~ OK 10.0\n", "another figure")

    def test_another_value_of_a_pair_is_a_fault(self):
        self.assert_wrong("> BALANCE alice\n<~ OK 10 currency=EUR held=1\n", "held=1")

    def test_a_pair_that_is_not_there_is_a_fault(self):
        self.assert_wrong("> BALANCE alice\n<~ OK 10 flags=\n", "flags=")
        self.assert_wrong("> BALANCE alice\n<~ OK 10 held.2=0\n", "held.2=0")

    def test_a_number_outside_the_range_is_a_fault(self):
        self.assert_wrong("> BALANCE alice\n<~ OK 11..12\n", "another figure")
        self.assert_wrong("> BALANCE alice\n<~ OK 10 currency=1..2\n", "currency")

    def test_a_name_that_stands_for_something_else_is_a_fault(self):
        self.assert_wrong("> BALANCE alice\n<~ OK {sum} held={sum}\n", "held")

    def test_an_error_in_place_of_an_answer_is_a_fault(self):
        self.assert_wrong("> STOP x nonsense\n<~ OK\n", "BADARG")

    def test_an_answer_in_place_of_an_error_is_a_fault(self):
        self.assert_wrong("> BALANCE alice\n<- BADARG\n", "expected an error")

    def test_rows_are_all_there_and_no_other(self):
        calls = "> AUTHORIZE a1 49 c1 WANT 6\n<~ OK 6\n> AUTHORIZE a1 49 c2 WANT 6\n<~ OK 6\n"
        row = "<= c{} a1 49 authorized 6 0 *\n"
        self.assert_wrong(calls + "> SESSIONS\n" + row.format(1), "1 rows more")
        self.assert_wrong(calls + ">> SESSIONS COUNT 1\n" + row.format(2), "1 rows more")
        self.assertTrue(self.play(calls + "> SESSIONS\n" + row.format(1) + row.format(3)))

    def test_an_open_call_is_not_settled(self):
        self.assert_wrong("> AUTHORIZE a1 49 c1 WANT 6\n<~ OK 6\nsettled\n", "not settled")

    def test_what_cannot_be_read_stops_the_story(self):
        for story in ("?? what\n", "> PING\nsettled\n", '> PING "open\n', "> BALANCE {unknown}\n",
                      "! GET /v1/parties/nobody\n", "! 404 GET /v1/parties/alice\n"):
            with self.subTest(story), self.assertRaises(run.Fault):
                self.play(story)


if __name__ == "__main__":
    runner.main()
