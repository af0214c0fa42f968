#!/usr/bin/env python3
"""Charges worked out by other billing systems' tests and published pages come out the same here.

Goal: every vector that needs no time-of-day window, weight or tier gets its cost, or its longest call.
Method: each vector has a tariff and a customer of its own. A cost is asked for twice, by QUOTE and by a call that is
authorised at the vector's start and stopped with its duration; a vector without a cost must be RATING_FAILED. A
vector with funds asks AUTHORIZE for its longest call with exactly these funds. What is left out is named.
"""

import csv
import io
import json
import sys
import unittest
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from daemon import Daemon  # noqa: E402
from runner import DATA, main, needs_data  # noqa: E402
from wire import MICROS, micros  # noqa: E402

NOT_YET = ("window", "weight", "tiers")
RUN_MIN = 60


def missing_features(vector):
    """The columns with values that need what is not there yet."""
    rows = list(csv.DictReader(io.StringIO(vector["deck"])))
    return [column for column in NOT_YET if any(row.get(column) for row in rows)]


def faults_of(daemon, vector):
    """What is wrong with the answers for a vector; None for nothing."""
    name, number = vector["id"], vector["destination"]
    settings = dict(vector["tariff"])
    settings.pop("windows", None)  # Named, and used by no row.
    daemon.tariff(name, settings, vector["deck"])
    daemon.parties([{"id": f"c-{name}", "kind": "customer", "parent": "provider", "tariff": name},
                    {"id": f"l-{name}", "kind": "line", "parent": f"c-{name}"}])
    daemon.topup(f"c-{name}", micros(vector["funds"]) if "funds" in vector else 1_000_000 * MICROS)

    authorize = ["AUTHORIZE", f"l-{name}", number, f"s-{name}", "AT", vector["start"]]
    if "funds" in vector:
        answer = daemon.resp.call(*authorize, "WANT", vector["want"])
        longest = vector["max_seconds"]
        good = (answer.code == "OK" and int(answer.figure) == longest if longest > 0
                else answer.code == "CREDIT_LIMIT")
        return None if good else (longest, list(answer))

    quoted = daemon.resp.call("QUOTE", f"l-{name}", number, "USED", vector["used"], "AT", vector["start"])
    opened = daemon.resp.call(*authorize)
    if vector["cost"] is None:
        good = quoted.code == opened.code == "RATING_FAILED"
        return None if good else ("RATING_FAILED", list(quoted), list(opened))
    stopped = daemon.resp.call("STOP", f"s-{name}", vector["used"])
    cost = micros(vector["cost"])
    good = (quoted.code == opened.code and opened.code in ("OK", "FREE") and stopped.code == "OK"
            and micros(quoted.figure) == cost and micros(stopped.figure) == cost)
    return None if good else (vector["cost"], list(quoted), list(opened), list(stopped))


class RatingVectors(unittest.TestCase):
    @needs_data("vectors/rating.jsonl")
    def test_every_vector_that_can_run_has_its_result(self):
        with open(DATA / "vectors/rating.jsonl", encoding="utf-8") as file:
            vectors = list(map(json.loads, file))
        run, wrong, left_out = 0, [], Counter()
        with Daemon() as daemon:
            daemon.parties([{"id": "provider", "kind": "provider", "currency": "EUR"}])
            for vector in vectors:
                if missing := missing_features(vector):
                    left_out[" and ".join(missing)] += 1
                    continue
                run += 1
                if fault := faults_of(daemon, vector):
                    wrong.append((vector["id"], *fault))
        reasons = ", ".join(f"{count} need {what}" for what, count in left_out.items())
        print(f"{run} of {len(vectors)} vectors ran; left out: {reasons or 'none'}", flush=True)
        self.assertEqual(wrong, [], "vector, expected, answers")
        self.assertGreaterEqual(run, RUN_MIN)


if __name__ == "__main__":
    main()
