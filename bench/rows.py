"""What the project wants of its speed: a row a figure, with what is shipped with at the least and what is aimed at.

bench/canonical.py measures them, and holds one against the other.
"""

from dataclasses import dataclass
from typing import Callable, Optional

NOT_MEASURED = "not measured by this run"
AIM, SHIP, MISSED, NO_GOAL = "aim met", "ship met", "missed", ""


def plain(value):
    return f"{value:.2f}" if value < 10 else f"{value:.1f}" if value < 100 else f"{value:,.0f}"


def percent(value):
    return f"{value * 100:.0f} %"


def dearer(value):
    """A ratio of costs, as what is added."""
    return f"{(value - 1) * 100:+.0f} %"


def unit(name):
    return lambda value: f"{plain(value)} {name}"


@dataclass(frozen=True)
class Cell:
    """One figure of a row."""
    label: str
    piece: str                     # Which of bench/canonical.py's finds it,
    name: str                      # and what its ratio or figure is called,
    parameter: Optional[int] = None  # with what it was measured, where there are several.
    ship: Optional[float] = None   # Without a goal it is shown, and nothing follows.
    aim: Optional[float] = None
    at_most: bool = False          # Else it is to be at least so much.
    show: Callable[[float], str] = plain
    durability: str = ""           # Where the piece does not say it.

    def found_in(self, pieces):
        """{"least", "median", "greatest", "rounds", "durability"}; None where it was not measured."""
        results = pieces.get(self.piece) or {}
        found = results.get("ratios", {}).get(self.name)
        if found is None:
            found = next((figure for figure in results.get("figures", [])
                          if figure["name"] == self.name and self.parameter in (None, figure["value"])), None)
        if found is None:
            return None
        median = found.get("median", found.get("ratio", found.get("measured")))
        return {"least": found.get("least", median), "median": median, "greatest": found.get("greatest", median),
                "rounds": found.get("rounds", results.get("rounds", 1)),
                "durability": found.get("durability", self.durability)}

    def verdict(self, found):
        if found is None:
            return NOT_MEASURED
        if self.ship is None:
            return NO_GOAL

        def reached(goal):
            return found["median"] <= goal if self.at_most else found["median"] >= goal
        return AIM if self.aim is not None and reached(self.aim) else SHIP if reached(self.ship) else MISSED


@dataclass(frozen=True)
class Row:
    number: int
    figure: str
    cells: tuple

    def verdict(self, verdicts):
        """The worst of its cells that have a goal."""
        for worst in (MISSED, NOT_MEASURED, SHIP):
            if worst in verdicts:
                return worst
        return AIM


def beside(over, under, ships, aims, depths=(1, 16, 64), show=plain):
    return tuple(Cell(f"P={depth}", "side_by_side", f"{over} / {under}, P={depth}", None, ship, aim, show=show)
                 for depth, ship, aim in zip(depths, ships, aims))


def user_time():
    return tuple(Cell(f"{who}, {mode}", "costs", f"user time of the {who}, {mode}", 64, 0.30, 0.20, True, unit("µs"))
                 for mode in ("none", "written", "synced") for who in ("worker", "process"))


def nanoseconds(label, name, ship=None, aim=None):
    return Cell(label, "parts", name, None, ship, aim, True, unit("ns"))


ROWS = (
    Row(1, "pair mix, answer before the disk / Redis GET", beside("written", "get", (1.0, 2.0, 2.5), (1.1, 2.6, 3.5))),
    Row(2, "pair mix, answer after the sync (default) / Redis GET",
        beside("synced", "get", (0.8, 1.6, 2.0), (0.9, 2.2, 3.0))),
    Row(3, "pair mix / the same in a Redis script", beside("written", "script", (5, 50, 60), (6, 75, 100))),
    Row(4, "durable pair mix / PostgreSQL functions, synchronous_commit on",
        beside("synced", "postgres", (35, 400), (50, 600), (1, 16))),
    Row(5, "durable / not durable", beside("synced", "none", (0.75, 0.85, 0.85), (0.85, 0.92, 0.92), show=percent)),
    Row(6, "p99 added by durability, P=16, in p99s of the disk's own sync", (
        Cell("saturated", "costs", "p99 added / the disk's", None, 3, 2, True),
        Cell("at half the rate", "costs", "p99 added at half the rate / the disk's"))),
    Row(7, "one lookup with its row, 250,000 prefixes", (
        nanoseconds("overlapped", "lookup with its row, overlapped", 35, 25),
        Cell("a prefix", "parts", "tree, a prefix", None, 12, None, True, unit("B")),
        nanoseconds("alone", "lookup with its row, alone"),
        Cell("a prefix with one tariff", "parts", "tree and one tariff, a prefix", show=unit("B")))),
    Row(8, "rating three levels", (nanoseconds("a pipeline", "rating three levels, a pipeline", 90, 55),
                                   nanoseconds("overlapped", "rating three levels, overlapped", 90, 55),
                                   nanoseconds("alone", "rating three levels, alone"))),
    Row(9, "holding three levels: 1 thread; 2 threads sharing the parent, a thread", (
        nanoseconds("1 thread", "holding three levels, 1 thread", 35, 25),
        nanoseconds("2 threads", "holding three levels, 2 threads", 60, 32))),
    Row(10, "processor time in user space, whole request, P=64", user_time()),
    Row(11, "call records into PostgreSQL / raw binary COPY", (
        Cell("", "stores", "call records taken / COPY by psql", None, 0.80, 0.95, show=percent),)),
    Row(12, "sustained pairs/s with journal, PostgreSQL and Redis all on this machine, lag < 2 s", (
        Cell("", "stores", "sustained pairs", None, 10_000, 30_000),)),
    Row(13, "deck of 250,000 rows: read, checked, built, in force", (
        Cell("nobody calls", "deck_swap", "deck in force by curl, nobody calls", None, 60, 20, True, unit("ms")),
        Cell("amid calls", "deck_swap", "deck in force the daemon's part, amid calls", show=unit("ms")),
        Cell("p99 of calls meanwhile / without", "deck_swap", "p99 with swaps / without"))),
    Row(14, "journal replay, events/s", (
        Cell("read and checked", "parts", "journal read, events", None, 5e6, 20e6),
        Cell("and applied, a start without a snapshot", "recovery",
             "events applied, no snapshot, all in the kernel's memory", None, 5e6, 20e6))),
    Row(15, "memory", (
        Cell("a party", "costs", "memory of a party", None, 256, 160, True, unit("B")),
        Cell("an open session", "costs", "memory of an open session", None, 256, 128, True, unit("B")))),
    Row(16, "cost of growth", (
        Cell("one more level", "growth", "one more level", None, 1.35, None, True, dearer, "none"),
        Cell("a deck ten times as large", "growth", "ten times the deck", None, 1.20, None, True, dearer, "none"),
        Cell("a thousand times the parties", "growth", "a thousand times the parties", None, 1.20, None, True, dearer,
             "none"))),
)
