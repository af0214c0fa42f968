#!/usr/bin/env python3
"""The pair mix's world for tollgated: 100,000 lines below 1,000 resellers below one shared parent.

usage: make_world.py DECKS OUT
  DECKS  folder with deck1.csv deck2.csv deck3.csv: prefix,rate_nano_per_sec,setup_nano,first_inc,next_inc
  OUT    folder for tariff1.csv … (decks for PUT) and parties.ndjson (for POST /v1/parties:import)
"""
import json
import pathlib
import sys

LINES, RESELLERS = 100_000, 1_000
NANO = 10**9


def decimal(nanos):
    return f"{nanos // NANO}.{nanos % NANO:09d}"


def main():
    decks, out = map(pathlib.Path, sys.argv[1:3])
    for level in (1, 2, 3):
        with open(decks / f"deck{level}.csv") as source, open(out / f"tariff{level}.csv", "w") as target:
            target.write("prefix,rate_per_minute,connect_fee,initial_increment,increment\n")
            for row in source:
                prefix, rate, setup, first, step = row.strip().split(",")
                target.write(f"{prefix},{decimal(int(rate) * 60)},{decimal(int(setup))},{first},{step}\n")
    with open(out / "parties.ndjson", "w") as target:
        def party(**fields):
            target.write(json.dumps(fields) + "\n")
        party(id="provider", kind="provider", currency="EUR")
        party(id="shared", kind="reseller", parent="provider", tariff="deck3", credit_limit="10000000000")
        for i in range(RESELLERS):
            party(id=f"r{i}", kind="reseller", parent="shared", tariff="deck2", credit_limit="1000000000")
        for i in range(LINES):
            party(id=f"c{i}", kind="customer", parent=f"r{i % RESELLERS}", tariff="deck1", credit_limit="1000000000")
            party(id=f"u{i}", kind="line", parent=f"c{i}")


if __name__ == "__main__":
    main()
