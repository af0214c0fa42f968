#!/usr/bin/env python3
"""bench/growth.py makes the worlds it speaks of, and its model and its ratios come out as worked out by hand."""

import json
import sys
import unittest
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "bench"))

import growth  # noqa: E402
import pair_mix  # noqa: E402

CHAIN_DEPTH_MAX = 16  # As balance/party.h has it.
NS = 1e-9


def rounds(*costs):
    return [{"us/request": cost} for cost in costs]


class ModelTest(unittest.TestCase):
    def test_one_worker_shares_nothing(self):
        pairs, waiting, busiest = growth.contention(1, 5_000 * NS, 80 * NS, [8, 4])
        self.assertAlmostEqual(pairs, 200_000)
        self.assertEqual((waiting, busiest), (0, 0))

    # Each of four has three quarters of 9 lines at 40 ns more to fetch: 1,000 + 270 ns a pair, and nobody waits.
    def test_workers_without_a_shared_line_add_up(self):
        pairs, waiting, _ = growth.contention(4, 1_000 * NS, 40 * NS, [], scattered=9)
        self.assertAlmostEqual(pairs * 1_270 * NS, 4)
        self.assertEqual(waiting, 0)

    # A visit is 100 ns in half of all cases: 50. With one worker there it is under way a third of the time, 50 of 150
    # ns, so that the second waits for 50 x (1 + 1/3) = 66.7 ns, and two do two pairs in 166.7 ns.
    def test_two_workers_at_one_line(self):
        pairs, waiting, busiest = growth.contention(2, 100 * NS, 100 * NS, [1], scattered=0)
        self.assertAlmostEqual(pairs * NS, 2 / 166.6667, places=6)
        self.assertAlmostEqual(waiting, 66.6667 / 166.6667, places=4)
        self.assertAlmostEqual(busiest, 0.6, places=4)

    # 4 visits of 50 ns: five million pairs a second, which five workers would do if a pair cost them 800 + 200 ns
    # alone.
    def test_the_busiest_line_is_the_limit(self):
        most, workers = growth.saturation(800 * NS, 50 * NS, [4], scattered=0)
        self.assertAlmostEqual(most, 5e6)
        self.assertAlmostEqual(workers, 5)
        some = [growth.contention(count, 800 * NS, 50 * NS, [4], scattered=0)[0] for count in (2, 5, 16, 64, 1_000)]
        self.assertLess(some[0], some[1])
        self.assertLess(some[1], most)
        for pairs, slack in zip(some[2:], (1 / 15, 1 / 63, 1 / 999)):  # Among few, the last one may have it still.
            self.assertAlmostEqual(pairs / most, 1 + slack, places=3)

    def test_a_line_that_is_always_taken_away_is_no_cheaper(self):
        for line in (*growth.SHARED_LINES, growth.QUEUE_LINE):
            self.assertLessEqual(line.runs, line.operations)


class RatioTest(unittest.TestCase):
    # Two more levels cost 1.0 us more than 2.0: one costs half of that half, 25 %. A round in which they cost nothing
    # more and one in which they cost 2.0 more are the least and greatest.
    def test_one_more_level(self):
        ratios = growth.ratios_of({"levels": {
            1: rounds(2.0, 2.0, 2.0), 3: rounds(3.0, 2.0, 4.0), 8: rounds(5.0, 5.0, 5.0), 16: rounds(8.0, 8.0, 8.0)}})
        self.assertEqual(ratios["one more level"], {"ratio": 1.25, "least": 1.0, "greatest": 1.5})
        self.assertEqual(ratios["sixteen levels instead of one"]["ratio"], 4.0)

    # From 10,000 to 100,000 rows a tenth more, from there to a million a half more: the dearer counts.
    def test_of_neighbours_the_dearer_counts(self):
        ratios = growth.ratios_of({"decks": {10_000: rounds(2.0), 100_000: rounds(2.2), 1_000_000: rounds(3.3)}})
        self.assertAlmostEqual(ratios["ten times the deck"]["ratio"], 1.5)

    def test_what_was_not_measured_has_no_ratio(self):
        self.assertEqual(growth.ratios_of({}), {})
        self.assertNotIn("a thousand times the parties",
                         growth.ratios_of({"parties": {1_000: rounds(1.0), 10_000: rounds(1.0)}}))


class WorldTest(unittest.TestCase):
    def parties(self, levels):
        rows = "".join(growth.party_rows(growth.Sizes(levels=levels, resellers=3, lines=10)))
        return {row["id"]: row for row in map(json.loads, rows.splitlines())}

    def above(self, parties, name):
        chain = []
        while name:
            chain.append(parties[name])
            name = parties[name].get("parent")
        return chain

    # From the customer up each level has the next deck, and none is left out.
    def test_a_line_has_so_many_paying_levels(self):
        for levels in (1, 2, 3, 8, 16):
            parties = self.parties(levels)
            chain = self.above(parties, "u7")
            self.assertEqual([one["tariff"] for one in chain if "tariff" in one],
                             [f"deck{level}" for level in range(1, levels + 1)], levels)
            self.assertLessEqual(len(chain) - 1, CHAIN_DEPTH_MAX)
            self.assertEqual(Counter(one["kind"] for one in parties.values())["line"], 10)

    def test_prefixes_are_as_many_as_asked_for(self):
        for count in (5, 3_000):
            prefixes = growth.some_prefixes(None, count)
            self.assertEqual(len(set(prefixes)), count)
            self.assertEqual(prefixes, sorted(prefixes))
            self.assertLessEqual(max(map(len, prefixes)), pair_mix.PREFIX_LONGEST)


if __name__ == "__main__":
    unittest.main()
