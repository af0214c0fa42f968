"""The world of the pair mix, which is half AUTHORIZE, half STOP.

Lines below resellers below one shared parent; three paying levels with a deck each; 50 connections, P commands in
flight on each. bench/README.md compares what answers it.
"""

import random
from bisect import bisect_left
from dataclasses import dataclass
from itertools import accumulate

PREFIX_LONGEST = 9
CONNECTIONS = 50
WANT_SECONDS, TALK_SECONDS_MAX = 300, 300
LEVELS = (100, 90, 80)    # Per cent of the customer's price.
INCREMENTS = ((1, 1), (60, 1), (30, 6), (6, 6), (60, 60))
FUNDS_NANOS = 4 * 10**15


@dataclass(frozen=True)
class Size:
    lines: int
    resellers: int
    prefixes: int  # Of each deck.
    numbers: int   # That can be dialled.


FULL = Size(lines=100_000, resellers=1_000, prefixes=250_000, numbers=200_000)
SMALL = Size(lines=1_000, resellers=10, prefixes=5_000, numbers=10_000)  # For whoever wants to see that all of it runs.


def some_prefixes(file, count):
    """`count` prefixes, sorted: those of a file, as far as it has so many, and invented ones."""
    draw = random.Random(20261122)
    known = [str(digit) for digit in range(1, 10)][:count]
    if file:
        found = {line.split(",")[0].strip() for line in open(file)}
        found = sorted(prefix for prefix in found if prefix.isdigit() and len(prefix) <= PREFIX_LONGEST)
        short = [prefix for prefix in found if len(prefix) <= 5]
        long = [prefix for prefix in found if len(prefix) > 5]
        draw.shuffle(long)
        draw.shuffle(short)
        # All short ones are in a deck of 250,000; a small one has room for others too.
        known = (short[:count // 2] + long)[:count]
    seen = set(known)
    while len(known) < count:
        # Most lie below one that is there already, as area codes below countries do.
        prefix = draw.choice(known) + str(draw.randrange(1_000))[:draw.randint(1, 3)]
        if len(prefix) <= PREFIX_LONGEST and prefix not in seen:
            seen.add(prefix)
            known.append(prefix)
    return sorted(known)


class World:
    """Decks of nano-units a second, and numbers to dial: few prefixes get most calls."""

    def __init__(self, file, size=FULL):
        self.size = size
        draw = random.Random(7)
        prefixes = some_prefixes(file, size.prefixes)
        self.decks = [[], [], []]
        for prefix in prefixes:
            rate, setup = draw.randrange(50_000, 5_000_000), draw.choice((0, 0, 0, 10_000_000))
            first, step = draw.choice(INCREMENTS)
            for deck, share in zip(self.decks, LEVELS):
                deck.append((prefix, rate * share // 100, setup * share // 100, first, step))
        draw.shuffle(prefixes)
        weights = list(accumulate(1 / (place + 1) for place in range(len(prefixes))))
        self.numbers = []
        for _ in range(size.numbers):
            prefix = prefixes[bisect_left(weights, draw.random() * weights[-1])]
            digits = max(12, len(prefix) + 4) - len(prefix)
            self.numbers.append(prefix + "".join(draw.choices("0123456789", k=digits)))

    def traffic(self, folder):
        """The options of tollgate-load for the pair mix, but for how fast; makes a file of them in `folder`."""
        numbers = folder / "numbers"
        numbers.write_text("\n".join(self.numbers) + "\n")
        return ["--connections", CONNECTIONS, "--pair", "--lines", f"u{{0..{self.size.lines - 1}}}",
                "--numbers", f"@{numbers}", "--want", f"{WANT_SECONDS}s", "--lengths", f"1s..{TALK_SECONDS_MAX - 1}s"]


def fill_daemon(daemon, world):
    for level, deck in enumerate(world.decks, 1):
        rows = "".join(f"{prefix},{rate * 60 / 10**9:.9f},{setup / 10**9:.9f},{first},{step}\n"
                       for prefix, rate, setup, first, step in deck)
        daemon.tariff(f"deck{level}", {"decimals": 6},
                      "prefix,rate_per_minute,connect_fee,initial_increment,increment\n" + rows)
    funds = str(FUNDS_NANOS // 10**9)
    parties = [{"id": "provider", "kind": "provider", "currency": "EUR"},
               {"id": "shared", "kind": "reseller", "parent": "provider", "tariff": "deck3", "credit_limit": funds}]
    parties += [{"id": f"r{i}", "kind": "reseller", "parent": "shared", "tariff": "deck2", "credit_limit": funds}
                for i in range(world.size.resellers)]
    for i in range(world.size.lines):
        parties += [{"id": f"c{i}", "kind": "customer", "parent": f"r{i % world.size.resellers}", "tariff": "deck1",
                     "credit_limit": funds}, {"id": f"u{i}", "kind": "line", "parent": f"c{i}"}]
    daemon.parties(parties)
