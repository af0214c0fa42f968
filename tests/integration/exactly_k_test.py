#!/usr/bin/env python3
"""Money for K calls buys exactly K calls, however many connections ask for it at the same moment.

Goal: no interleaving of requests grants a call too many or refuses one that could be paid, at any level; when
all calls have ended nothing is held anywhere and the books add up to zero.
Method: several processes with 64 connections together send their AUTHORIZEs at once, far more than K. Exactly K are
granted, the others are refused by the level that is short, and each level holds exactly K times the price of the
grant. The calls then end on other connections than they began on, by STOP, START with STOP, and RELEASE, again
all at once, and every level has paid exactly for the seconds used.
"""

import contextlib
import multiprocessing
import random
import sys
import unittest
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from daemon import Daemon, scaled  # noqa: E402
from decks import cost  # noqa: E402
from runner import main  # noqa: E402
from wire import MICROS, RespClient, RespError, micros  # noqa: E402

CONNECTIONS = 64
PROCESSES = 4
RUNS = 20
PER_CONNECTION = scaled(8, 3)  # AUTHORIZEs that each connection sends at once.
ATTEMPTS = CONNECTIONS * PER_CONNECTION
NUMBER = "442071234567"
AMPLE = 1_000_000 * MICROS

# From the customer up: who pays, and by which price.
TARIFFS = {
    "customer": {"rate": "0.60", "connect_fee": "0.05", "initial": 60, "increment": 60},
    "low": {"rate": "0.45", "connect_fee": "0", "initial": 30, "increment": 6},
    "high": {"rate": "0.31", "connect_fee": "0.01", "initial": 1, "increment": 1},
    "provider": {"rate": "0.20", "connect_fee": "0", "initial": 1, "increment": 1},
}
LEVELS = tuple(TARIFFS)


def deck_of(tariff):
    return ("prefix,rate_per_minute,connect_fee,initial_increment,increment\n"
            f"44,{tariff['rate']},{tariff['connect_fee']},{tariff['initial']},{tariff['increment']}\n")


def sender(port, batches, barrier, answers):
    """One process: connects, waits for the others, sends everything at once, and collects the answers."""
    clients = [RespClient(port) for _ in batches]
    barrier.wait()
    for client, (_, commands) in zip(clients, batches):
        client.send(commands)
    got = []
    for client, (at, commands) in zip(clients, batches):
        got.append((at, [client.read() for _ in commands]))
        client.close()
    # What travels between processes is plain lists and texts.
    answers.put([(at, [str(answer) if isinstance(answer, RespError) else list(answer) for answer in of_client])
                 for at, of_client in got])


def storm(daemon, batches):
    """Sends batches[i] on a connection i of its own, all at the same moment; the answers in the same order."""
    context = multiprocessing.get_context("fork")
    processes = min(PROCESSES, len(batches))
    barrier, answers = context.Barrier(processes), context.Queue()
    numbered = list(enumerate(batches))
    senders = [context.Process(target=sender, args=(daemon.resp_port, numbered[at::processes], barrier, answers))
               for at in range(processes)]
    for process in senders:
        process.start()
    collected = {}
    for _ in senders:
        collected.update(answers.get(timeout=300))
    for process in senders:
        process.join()
    return [collected[at] for at in range(len(batches))]


@contextlib.contextmanager
def run_of(**what):
    """A failure names the run; the runs after it would only fail for what it left behind."""
    try:
        yield
    except AssertionError as failure:
        failure.add_note(f"in the run with {what}")
        raise


def pair(answer, name):
    return answer[answer.index(name, 2) + 1]


class Tree:
    """A customer with a line, below two resellers, below the provider that all trees share."""

    def __init__(self, daemon, name, funds=None, **max_calls):
        """`funds`: micro-units by level, ample where not given; `max_calls` by level likewise."""
        self.daemon = daemon
        self.ids = {level: level if level == "provider" else f"{name}-{level}" for level in LEVELS}
        self.ids["line"] = f"{name}-line"
        self.funds = {level: (funds or {}).get(level, AMPLE) for level in LEVELS if level != "provider"}
        rows = [("high", "reseller", "provider"), ("low", "reseller", "high"), ("customer", "customer", "low"),
                ("line", "line", "customer")]
        parties = []
        for level, kind, parent in rows:
            party = {"id": self.ids[level], "kind": kind, "parent": self.ids[parent]}
            if kind != "line":
                party["tariff"] = level
            if level in max_calls:
                party["max_calls"] = max_calls[level]
            parties.append(party)
        daemon.parties(parties)
        daemon.topups({self.ids[level]: amount for level, amount in self.funds.items() if amount > 0})
        self.provider_before = daemon.account("provider")[0]

    def spent(self, level):
        before = self.provider_before if level == "provider" else self.funds[level]
        return before - self.daemon.account(self.ids[level])[0]

    def held(self, level):
        return self.daemon.account(self.ids[level])[1]

    def available(self, level):
        return self.daemon.account(self.ids[level])[2]


class ExactlyK(unittest.TestCase):
    def setUp(self):
        # More threads than processors: they are interrupted in the middle of things.
        self.daemon = self.enterContext(Daemon("workers=8"))
        for name, tariff in TARIFFS.items():
            self.daemon.tariff(name, {}, deck_of(tariff))
        self.daemon.parties([{"id": "provider", "kind": "provider", "currency": "EUR", "tariff": "provider"}])

    def authorize_all(self, tree, prefix, wants):
        """Asks for ATTEMPTS calls at once, call i for wants[i] seconds: {session: answer}."""
        commands = [("AUTHORIZE", tree.ids["line"], NUMBER, f"{prefix}-{at}", "WANT", want)
                    for at, want in enumerate(wants)]
        answers = storm(self.daemon, [commands[at::CONNECTIONS] for at in range(CONNECTIONS)])
        return {commands[at][3]: answers[at % CONNECTIONS][at // CONNECTIONS] for at in range(len(commands))}

    def end_all(self, tree, granted, rng):
        """Ends calls ({session: seconds granted}) at once, by turns in three ways; checks what all have paid."""
        batches, used = [[] for _ in range(CONNECTIONS)], []
        for at, (session, seconds) in enumerate(granted.items()):
            batch = batches[rng.randrange(CONNECTIONS)]
            if at % 3 == 0:
                batch.append(("RELEASE", session))
                continue
            # No longer than passed here and a little: a call is not made up.
            used.append(rng.randrange(1, min(seconds, 5) + 1))
            if at % 3 == 1:
                batch.append(("START", session))
            batch.append(("STOP", session, used[-1]))
        batches = [batch for batch in batches if batch]
        for batch, answers in zip(batches, storm(self.daemon, batches)):
            for command, answer in zip(batch, answers):
                self.assertEqual(answer[0], "OK", (command, answer))
                if command[0] == "STOP":
                    self.assertEqual(pair(answer, "status"), "stopped", (command, answer))
        for level in LEVELS:
            self.assertEqual(tree.held(level), 0, level)
            self.assertEqual(tree.spent(level), sum(cost(seconds, **TARIFFS[level]) for seconds in used), level)
        self.daemon.assert_settled()

    def check_k(self, tree, prefix, k, want, refusal, rng):
        """Exactly k calls of `want` seconds are granted; `refusal`: (code, level, reasons) of all others."""
        code, short, reasons = refusal
        answers = self.authorize_all(tree, prefix, [want] * ATTEMPTS)
        granted = {session: want for session, answer in answers.items() if answer[0] == "OK"}
        counts = Counter((answer[0], answer[1]) for answer in answers.values())
        self.assertEqual(counts, {("OK", str(want)): k, (code, "0"): ATTEMPTS - k})
        for session, answer in answers.items():
            if answer[0] != "OK":
                self.assertEqual(pair(answer, "level"), tree.ids[short], (session, answer))
                self.assertIn(pair(answer, "reason"), reasons, (session, answer))
        for level in LEVELS:
            self.assertEqual(tree.held(level), k * cost(want, **TARIFFS[level]), level)
        self.end_all(tree, granted, rng)

    def check_funds(self, level):
        """RUNS times: money for K calls at one level, and mostly some more that pays for no other."""
        for run in range(RUNS):
            rng = random.Random(f"{level} {run}")
            k, want = rng.randrange(1, ATTEMPTS // 2), rng.choice((1, 7, 45, 60, 61, 300, 3_600))
            first_step = cost(1, **TARIFFS[level])
            rest = rng.choice((0, 1, first_step // 2, first_step - 1))
            with run_of(run=run, k=k, want=want, rest=rest):
                name = f"{level}-{run}"
                tree = Tree(self.daemon, name, {level: k * cost(want, **TARIFFS[level]) + rest})
                self.check_k(tree, name, k, want, ("CREDIT_LIMIT", level, ("held",)), rng)

    def check_max_calls(self, level):
        """RUNS times: max_calls K at one party; K calls again when the first have ended."""
        for run in range(RUNS):
            rng = random.Random(f"max {level} {run}")
            k, want = rng.randrange(1, ATTEMPTS // 2), rng.choice((1, 60, 3_600))
            with run_of(run=run, k=k, want=want):
                name = f"max-{level}-{run}"
                tree = Tree(self.daemon, name, **{level: k})
                refusal = ("SERVICE_DENIED", level, ("concurrent",))
                self.check_k(tree, name, k, want, refusal, rng)
                before = {at: tree.spent(at) for at in LEVELS}
                tree.provider_before -= before.pop("provider")
                for at, amount in before.items():
                    tree.funds[at] -= amount
                self.check_k(tree, f"{name}-again", k, want, refusal, rng)

    def test_customer_has_money_for_k(self):
        self.check_funds("customer")

    def test_lower_reseller_has_money_for_k(self):
        self.check_funds("low")

    def test_upper_reseller_has_money_for_k(self):
        self.check_funds("high")

    def test_customer_may_make_k_calls(self):
        self.check_max_calls("customer")

    def test_reseller_may_make_k_calls(self):
        self.check_max_calls("high")

    def test_line_may_make_k_calls(self):
        self.check_max_calls("line")

    def test_a_call_that_can_get_less_time_gets_less(self):
        """Everyone asks for another time. In the end not one second is left to be had, and none was given twice."""
        for run in range(scaled(10, 5)):
            rng = random.Random(f"less {run}")
            short = rng.choice(("high", "customer"))
            with run_of(run=run, short=short):
                name = f"less-{run}"
                wants = [rng.choice((60, 61, 120, 600, 3_600)) for _ in range(ATTEMPTS)]
                budget = sum(cost(want, **TARIFFS[short]) for want in wants) // 3
                tree = Tree(self.daemon, name, {short: budget})
                answers = self.authorize_all(tree, name, wants)
                granted = {session: int(answer[1]) for session, answer in answers.items() if answer[0] == "OK"}
                refused = Counter((answer[0], pair(answer, "level"), pair(answer, "reason"))
                                  for session, answer in answers.items() if session not in granted)
                self.assertEqual(list(refused), [("CREDIT_LIMIT", tree.ids[short], "held")], refused)
                for level in LEVELS:
                    self.assertEqual(tree.held(level),
                                     sum(cost(seconds, **TARIFFS[level]) for seconds in granted.values()), level)
                self.assertLess(tree.available(short), cost(1, **TARIFFS[short]))
                self.assertGreaterEqual(tree.available(short), 0)
                self.end_all(tree, granted, rng)

    def test_many_races_for_one_call_each(self):
        """Each of many pairs of customers below a reseller of their own has room for one call a customer, and the
        reseller has money for one A; a B costs him nothing. All connections ask for all pairs in the same order,
        some for As, some for Bs, so the fastest race each other for every single one. Whoever loses: each customer
        gets exactly one call, because what a lost A held for a moment must not cost him his B."""
        self.daemon.tariff("room", {}, "prefix,rate_per_minute,initial_increment,increment\n44,1,60,60\n")
        self.daemon.tariff("wall", {}, "prefix,rate_per_minute,initial_increment,increment\n441,1,60,60\n442,0,1,1\n")
        asked = [(side, number) for side in "xy" for number in ("441234", "442345")]
        pairs = scaled(400, 100)
        for run in range(scaled(12, 6)):
            by_money = run % 2 == 0  # Else by max_calls.
            with run_of(run=run, by_money=by_money):
                parties, amounts = [], {}
                for at in range(pairs):
                    reseller = f"race-{run}-{at}"
                    parties.append({"id": reseller, "kind": "reseller", "parent": "provider", "tariff": "wall"})
                    amounts[reseller] = MICROS
                    for side in "xy":
                        customer = f"{reseller}-{side}"
                        parties.append({"id": customer, "kind": "customer", "parent": reseller, "tariff": "room",
                                        "max_calls": None if by_money else 1})
                        parties.append({"id": f"{customer}-line", "kind": "line", "parent": customer})
                        amounts[customer] = MICROS if by_money else AMPLE
                self.daemon.parties(parties)
                self.daemon.topups(amounts)

                batches = []
                for connection in range(CONNECTIONS // 2):
                    side, number = asked[connection % len(asked)]
                    batches.append([("AUTHORIZE", f"race-{run}-{at}-{side}-line", number,
                                     f"race-{run}-{at}-{connection}", "WANT", 60) for at in range(pairs)])
                granted = {customer: [] for customer in amounts if customer[-1] in "xy"}
                paid_by_reseller = Counter()
                for batch, answers in zip(batches, storm(self.daemon, batches)):
                    for command, answer in zip(batch, answers):
                        if answer[0] != "OK":
                            continue
                        customer = command[1].removesuffix("-line")
                        granted[customer].append(command[3])
                        paid_by_reseller[customer[:-2]] += command[2].startswith("441")
                wrong = {customer: sessions for customer, sessions in granted.items() if len(sessions) != 1}
                self.assertEqual(wrong, {}, "customers without a call, or with two")
                self.assertLessEqual(max(paid_by_reseller.values()), 1)
                calls = 2 * pairs  # Each holds at its customer and at the provider, an A at the reseller too.
                self.assertEqual(self.daemon.books()["EUR"]["held"],
                                 calls * (MICROS + cost(60, **TARIFFS["provider"]))
                                 + paid_by_reseller.total() * MICROS)
                for answer in self.daemon.resp.pipeline([("RELEASE", sessions[0]) for sessions in granted.values()]):
                    self.assertEqual(answer.code, "OK", answer)
                self.daemon.assert_settled()

    def test_ad43_thirty_together_with_a_balance_for_one(self):
        """Balance 1, a call costs 1, 30 calls arrive together: one is granted, 29 are refused."""
        self.daemon.tariff("one", {}, "prefix,rate_per_minute,initial_increment,increment\n44,1,60,60\n")
        for run in range(RUNS):
            with run_of(run=run):
                customer, line = f"ad43-{run}", f"ad43-{run}-line"
                self.daemon.parties([
                    {"id": customer, "kind": "customer", "parent": "provider", "tariff": "one"},
                    {"id": line, "kind": "line", "parent": customer}])
                self.daemon.topup(customer, MICROS)
                answers = [answer for (answer,) in storm(self.daemon, [
                    [("AUTHORIZE", line, NUMBER, f"ad43-{run}-{at}", "WANT", 60)] for at in range(30)])]
                counts = Counter((answer[0], answer[1]) for answer in answers)
                self.assertEqual(counts, {("OK", "60"): 1, ("CREDIT_LIMIT", "0"): 29})
                self.assertEqual(self.daemon.account(customer), (MICROS, MICROS, 0))
                winner = [answer[0] for answer in answers].index("OK")
                stopped = self.daemon.resp.call("STOP", f"ad43-{run}-{winner}", 5)
                self.assertEqual(micros(stopped.figure), MICROS, stopped)
                self.assertEqual(self.daemon.account(customer), (0, 0, 0))
                self.daemon.assert_settled()


if __name__ == "__main__":
    main()
