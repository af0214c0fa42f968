"""Decks as a test sees them: which row a number has, and what a call costs by it, in whole numbers.

It knows the columns of the decks that the tests use and no others, so that it stays small enough to be checked
by eye.
"""

import csv
import io
import random
import subprocess
import sys

HEADER = ("prefix", "destination", "connect_fee", "rate_per_minute", "initial_increment", "increment",
          "grace_seconds", "effective_from", "effective_until")
FULL_ROWS = 315_553


def nanos(text):
    """A price or fee in nano-units: it has up to 9 places."""
    whole, _, fraction = text.partition(".")
    return int(whole or "0") * 10 ** 9 + int(fraction.ljust(9, "0") or "0")


def billed_seconds(seconds, initial, increment):
    """What is paid for, in whole steps. An `initial` of 0 is none."""
    if seconds <= initial:
        return initial
    return initial + -(-(seconds - initial) // increment) * increment


def cost(seconds, rate, connect_fee="0", initial=1, increment=1, grace=0):
    """Micro-units of a call, rounded up once. `rate` a minute and `connect_fee` are decimal texts."""
    if seconds == 0 or seconds <= grace:
        return 0
    sixtieths = nanos(rate) * billed_seconds(seconds, initial, increment) + nanos(connect_fee) * 60
    return -(-sixtieths // (60 * 1000))


class Deck:
    """The rows of a deck's CSV by prefix."""

    def __init__(self, text):
        reader = csv.reader(io.StringIO(text, newline=""))
        self.columns = {name: at for at, name in enumerate(next(reader))}
        self.rows = {}
        self.row_count = 0
        for row in reader:
            self.rows.setdefault(row[0], []).append(row)
            self.row_count += 1

    def match(self, number, at):
        """The row of a number at an instant written as the deck writes them: {column: text}, or None."""
        since, until = self.columns["effective_from"], self.columns["effective_until"]
        for size in range(len(number), 0, -1):
            for row in self.rows.get(number[:size], ()):
                if (not row[since] or row[since] <= at) and (not row[until] or at < row[until]):
                    return {name: row[column] for name, column in self.columns.items()}
        return None

    def cost(self, number, at, seconds):
        """Micro-units of a call, or None where no row is in force."""
        row = self.match(number, at)
        if row is None:
            return None
        return cost(seconds, row["rate_per_minute"], row["connect_fee"], int(row["initial_increment"]),
                    int(row["increment"]), int(row["grace_seconds"]))


def full_deck(data, tariff):
    """The CSV of a deck of FULL_ROWS rows; `tariff` is wholesale, reseller or retail.

    It is made by the generator of the data beside the repository, and invented where there is none.
    """
    generator = data / "make_deck.py"
    if generator.exists():
        made = subprocess.run([sys.executable, str(generator), "--tariff", tariff], check=True,
                              stdout=subprocess.PIPE)
        return made.stdout.decode()
    rng = random.Random(tariff)
    broad = [str(n) for n in range(200, 1000)]
    narrow = [str(n) for n in range(200_000, 200_000 + FULL_ROWS - len(broad))]
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(HEADER)
    for prefix in sorted(broad + narrow):
        steps = rng.choice(((1, 1), (30, 6), (60, 60)))
        writer.writerow((prefix, f"Invented, {prefix}", rng.choice(("0.0000", "0.0000", "0.0350")),
                         f"{rng.uniform(0.001, 1.5):.6f}", *steps, rng.choice((0, 0, 0, 3)), "", ""))
    return out.getvalue()
