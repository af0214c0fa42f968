#!/usr/bin/env python3
"""Charges worked out by other billing systems' tests and published pages come out the same here.

Goal: every vector gets its cost, or its longest call.
Method: each vector has a tariff and a customer of its own. A cost is asked for twice, by QUOTE and by a call that is
authorised at the vector's start and stopped with its duration; a vector without a cost must be RATING_FAILED. A
vector with funds asks AUTHORIZE for its longest call with exactly these funds.
"""

import json
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from daemon import Daemon  # noqa: E402
from runner import DATA, main, needs_data  # noqa: E402
from wire import MICROS, micros  # noqa: E402

def faults_of(daemon, vector):
    """What is wrong with the answers for a vector; None for nothing."""
    name, number = vector["id"], vector["destination"]
    daemon.tariff(name, vector["tariff"], vector["deck"])
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
    def test_every_vector_has_its_result(self):
        with open(DATA / "vectors/rating.jsonl", encoding="utf-8") as file:
            vectors = list(map(json.loads, file))
        wrong = []
        with Daemon() as daemon:
            daemon.parties([{"id": "provider", "kind": "provider", "currency": "EUR"}])
            for vector in vectors:
                if fault := faults_of(daemon, vector):
                    wrong.append((vector["id"], *fault))
        print(f"{len(vectors)} vectors ran", flush=True)
        self.assertEqual(wrong, [], "vector, expected, answers")
        self.assertGreater(len(vectors), 0)


if __name__ == "__main__":
    main()
