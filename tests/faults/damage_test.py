#!/usr/bin/env python3
"""What a start does with a folder that is not as it was left: it refuses damage, naming file and offset, and cuts
what a crash left. And what the tools make of it."""

import subprocess
import time
import unittest

from mortal import Mortal, binary
from traffic import MICROS, build_world

import runner

KIB = 1024
EXIT_DAMAGED = 78
SMALL = ("journal.segment_bytes=4 MiB", "workers=1")


def flip(file, offset):
    """Turns one bit; the byte it is in."""
    with open(file, "r+b") as stream:
        stream.seek(offset)
        byte = stream.read(1)[0]
        stream.seek(offset)
        stream.write(bytes([byte ^ 0x10]))


def batches_of(segment):
    """The offsets of the batches, in order."""
    content = segment.read_bytes()
    return [at for at in range(4 * KIB, len(content), 4 * KIB) if content[at:at + 8] == b"TGBATCH1"]


class DamageTest(unittest.TestCase):
    def setUp(self):
        self.daemon = self.enterContext(Mortal(*SMALL))
        build_world(self.daemon, 1)

    def topup(self, amount, request):
        return self.daemon.resp.call("TOPUP", "customer-0", amount, request)

    def balance(self):
        return self.daemon.account("customer-0")[0]

    def damage_in_the_middle(self):
        """A flipped bit in a batch with others behind it: (segment, offset of the batch)."""
        for count in range(20):
            self.topup(1, f"before-{count}")
        self.balance_before = self.balance()
        self.daemon.stop()
        segment = self.daemon.segments()[0]
        batches = batches_of(segment)
        offset = batches[len(batches) // 2]
        flip(segment, offset + 100)
        return segment, offset

    def assert_refused(self, file, offset):
        status, said = self.daemon.refuses_to_start()
        self.assertEqual(status, EXIT_DAMAGED, said)
        self.assertIn(str(file), said)
        if offset is not None:
            self.assertRegex(said, rf"\b{offset}\b")
        self.assertNotIn("serves", said)

    def test_a_flipped_bit_is_refused_and_repaired(self):
        segment, offset = self.damage_in_the_middle()
        self.assert_refused(segment, offset)
        self.assert_refused(segment, offset)  # Being refused changes nothing.
        status, said = self.daemon.tool("journal", "verify", str(self.daemon.journal))
        self.assertEqual(status, EXIT_DAMAGED, said)
        self.assertIn(str(segment), said)
        status, said = self.daemon.tool("--set", f"journal.dir={self.daemon.journal}", "--verify")
        self.assertEqual(status, EXIT_DAMAGED, said)

        status, said = self.daemon.tool("journal", "repair", str(self.daemon.journal))
        self.assertEqual(status, 0, said)
        self.assertIn("the journal is good", said)
        self.assertTrue(list(self.daemon.journal.glob("*.damaged-*")), said)
        self.daemon.assert_invariants_hold()
        self.daemon.restart()
        self.assertEqual(self.balance(), self.balance_before)
        self.assertEqual(self.topup(1, "before-7")["dup"], "1")

    def test_what_cannot_be_repaired_is_cut_only_when_asked(self):
        segment, offset = self.damage_in_the_middle()
        with open(segment, "r+b") as stream:
            stream.seek(offset + 96)
            stream.write(b"not an event at all")
        status, said = self.daemon.tool("journal", "repair", str(self.daemon.journal))
        self.assertEqual(status, EXIT_DAMAGED, said)
        self.assertIn("the journal is not good", said)
        self.assert_refused(segment, offset)

        status, said = self.daemon.tool("journal", "repair", "--cut", str(self.daemon.journal))
        self.assertEqual(status, 0, said)
        self.daemon.assert_invariants_hold()
        self.daemon.restart()
        self.assertLess(self.balance(), self.balance_before)
        self.assertEqual(self.topup(1, "before-0")["dup"], "1")  # What was before the cut,
        self.assertEqual(self.topup(1, "before-19")["dup"], "0")  # and what was behind it.

    def test_a_lost_segment_is_refused(self):
        # Without a snapshot, behind which none would be missed.
        self.daemon.stop()
        self.daemon.restart(*SMALL, "journal.snapshot_segments=1000")
        self.many_calls(3)
        self.daemon.stop()
        lost = self.daemon.segments()[1]
        lost.rename(self.daemon.journal / "elsewhere")
        self.assert_refused(lost, None)

    def many_calls(self, segments):
        """So many that segments are filled."""
        count = 0
        while int(self.daemon.info("persistence")["journal_segment"]) <= segments:
            commands = []
            for _ in range(1000):
                count += 1
                commands += [("AUTHORIZE", "line-0", "4930123", f"call-{count}"), ("STOP", f"call-{count}", 1)]
            self.daemon.resp.pipeline(commands, 500)
        return count

    def with_snapshots(self, wanted=2):
        """So many of them; how many calls were made, a cent each."""
        self.daemon.stop()
        self.daemon.restart(*SMALL, "journal.snapshot_segments=1")
        calls = 0
        before = self.balance()
        number = 0
        while len(self.daemon.snapshots()) < wanted:
            number += 1
            commands = []
            for at in range(2000):
                commands += [("AUTHORIZE", "line-0", "4930123", f"s-{number}-{at}"), ("STOP", f"s-{number}-{at}", 1)]
            self.daemon.resp.pipeline(commands, 500)
            calls += 2000
        self.assertEqual(self.balance(), before - calls * 10_000)
        self.balance_before = self.balance()
        self.daemon.stop()

    def test_a_damaged_snapshot_falls_back_to_the_older(self):
        self.with_snapshots()
        newest = self.daemon.snapshots()[-1]
        flip(newest, newest.stat().st_size // 2)
        status, said = self.daemon.tool("journal", "verify", str(self.daemon.journal))
        self.assertEqual(status, EXIT_DAMAGED, said)
        self.assertIn(str(newest), said)
        self.daemon.restart()
        self.assertEqual(self.balance(), self.balance_before)
        log = self.daemon.log.read_text()
        self.assertIn(newest.name, log)
        self.daemon.stop()
        self.daemon.assert_invariants_hold()

    def test_when_no_snapshot_is_whole_it_does_not_start_from_nothing(self):
        self.with_snapshots()
        for snapshot in self.daemon.snapshots():
            flip(snapshot, snapshot.stat().st_size // 2)
        self.assert_refused(self.daemon.snapshots()[-1], None)
        status, said = self.repair()
        self.assertEqual(status, 0, said)
        self.daemon.restart()
        self.assertEqual(self.balance(), self.balance_before)

    def repair(self, *options):
        return self.daemon.tool("journal", "repair", *options, str(self.daemon.journal))

    def test_nothing_is_cut_where_nothing_goes_back_far_enough(self):
        self.with_snapshots()
        for snapshot in self.daemon.snapshots():
            flip(snapshot, snapshot.stat().st_size // 2)
            flip(snapshot, snapshot.stat().st_size // 2 + 1000)
        segments = {segment: segment.read_bytes() for segment in self.daemon.segments()}
        for options in ((), ("--cut",)):
            status, said = self.repair(*options)
            self.assertEqual(status, EXIT_DAMAGED, said)
            self.assertIn("from a copy of the folder", said)
            self.assertNotIn("turned bit", said)
        self.assertEqual({segment: segment.read_bytes() for segment in self.daemon.segments()}, segments)

    def test_a_snapshot_that_is_not_needed_is_put_away(self):
        self.with_snapshots()
        newest = self.daemon.snapshots()[-1]
        for offset in (0, 1000):
            flip(newest, newest.stat().st_size // 2 + offset)
        status, said = self.repair()
        self.assertEqual(status, 0, said)
        self.assertFalse(newest.exists())
        for command in (("journal", "verify"), ("audit", "verify"), ("journal", "dump")):
            status, said = self.daemon.tool(*command, str(self.daemon.journal))
            self.assertEqual(status, 0, said[-2000:])
        self.daemon.restart()
        self.assertEqual(self.balance(), self.balance_before)

    def test_a_damaged_snapshot_is_none_of_those_that_are_kept(self):
        self.with_snapshots()
        newest = self.daemon.snapshots()[-1]
        for offset in (0, 1000):
            flip(newest, newest.stat().st_size // 2 + offset)
        self.daemon.restart()
        known = set(self.daemon.snapshots())
        calls = 0
        while not set(self.daemon.snapshots()) - known:
            calls += 1
            commands = []
            for at in range(2000):
                commands += [("AUTHORIZE", "line-0", "4930123", f"t-{calls}-{at}"), ("STOP", f"t-{calls}-{at}", 1)]
            self.daemon.resp.pipeline(commands, 500)
        deadline = time.monotonic() + 60
        while newest.exists():
            self.assertLess(time.monotonic(), deadline, "it stays there")
            time.sleep(0.05)
        self.daemon.stop()
        for command in (("journal", "verify"), ("audit", "verify"), ("journal", "dump")):
            status, said = self.daemon.tool(*command, str(self.daemon.journal))
            self.assertEqual(status, 0, said[-2000:])
        self.daemon.assert_invariants_hold()

    def test_a_folder_without_a_journal_is_none(self):
        self.daemon.stop()
        empty = self.daemon.journal.parent / "mistyped"
        for there in (False, True):
            if there:
                empty.mkdir()
            for command in (("journal", "verify", str(empty)), ("journal", "repair", str(empty)),
                            ("journal", "dump", str(empty)), ("audit", "verify", str(empty)),
                            ("--set", f"journal.dir={empty}", "--verify")):
                status, said = self.daemon.tool(*command)
                self.assertEqual(status, 1, said)
                self.assertIn("there is no journal", said)
        self.assertEqual(list(empty.iterdir()), [])

    def test_repair_of_a_journal_in_use_says_so(self):
        status, said = self.repair()
        self.assertEqual(status, 1, said)
        self.assertIn("is at work on this journal", said)

    def test_a_dump_that_cannot_be_written_is_no_success(self):
        self.daemon.stop()
        with open("/dev/full", "w", encoding="utf-8") as full:
            done = subprocess.run([str(binary()), "journal", "dump", str(self.daemon.journal)], stdout=full,
                                  stderr=subprocess.PIPE, text=True, timeout=300, check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("standard output cannot be written", done.stderr)

    def test_the_dump_begins_with_the_oldest_segment(self):
        self.with_snapshots(1)
        status, said = self.daemon.tool("journal", "dump", str(self.daemon.journal))
        self.assertEqual(status, 0)
        self.assertTrue(said.startswith("1 "), said[:200])

    def test_a_damaged_deck_is_refused(self):
        self.daemon.tariff("large", {}, "prefix,rate_per_minute\n" +
                           "".join(f"{10_000_000 + row},0.1\n" for row in range(100_000)))
        self.daemon.stop()
        deck = max(self.daemon.journal.glob("*.dat"), key=lambda file: file.stat().st_size)
        flip(deck, deck.stat().st_size // 2)
        self.assert_refused(deck, None)
        status, said = self.repair()
        self.assertEqual(status, 0, said)
        for offset in (0, 1000):
            flip(deck, deck.stat().st_size // 2 + offset)
        self.assert_refused(deck, None)
        status, said = self.repair()
        self.assertEqual(status, EXIT_DAMAGED, said)
        self.assertIn(deck.name, said)
        self.assertIn("the journal is not good", said)
        for offset in (0, 1000):
            flip(deck, deck.stat().st_size // 2 + offset)
        self.daemon.restart()
        self.assertEqual(self.daemon.http.get("/v1/tariffs/large").json["rows"], 100_000)

    def test_a_torn_tail_is_cut_and_counted(self):
        self.topup(5, "kept")
        self.daemon.stop()
        segment = self.daemon.segments()[0]
        last = batches_of(segment)[-1]
        content = segment.read_bytes()
        # Half a batch that was never answered: its header, and not all that the header promises.
        before = batches_of(segment)[-2]
        with open(segment, "r+b") as stream:
            stream.seek(last)
            stream.write(content[before:before + 90])
        self.daemon.restart()
        self.assertEqual(self.balance(), 1_000_005 * MICROS)
        self.assertRegex(self.daemon.log.read_text(), r"\b1 blocks of 4096 bytes that were never answered are cut off")
        self.assertEqual(self.daemon.info("persistence")["journal_torn_blocks"], "1")
        self.assertEqual(self.topup(5, "kept")["dup"], "1")
        self.topup(7, "later")
        self.daemon.kill()
        self.daemon.restart()
        self.assertEqual(self.balance(), 1_000_012 * MICROS)


if __name__ == "__main__":
    runner.main()
