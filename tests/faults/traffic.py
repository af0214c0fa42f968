"""Traffic that remembers what it was answered, and knows to the micro-unit what must have come of it.

A second to 49… costs a customer 0.01 and his reseller north 0.001; whatever is granted is held at both. Each caller
has a customer of his own, to whom nobody else does anything, and one connection at a time: what the daemon did of his
commands is always a prefix of them, and every prefix has its balance and its hold.
"""

import random
import threading
from dataclasses import dataclass, field

from wire import MICROS, RespClient, RespError, money

PRICE = 10_000  # Of a second, in micro-units; north pays a tenth.
OPENING = 1_000_000 * MICROS
LONG = 3600

# What a command may also be answered that has been carried out, once its session went on.
GONE_ON = {
    "AUTHORIZE": ("CONFLICT",),
    "START": ("UNKNOWN_SESSION",),
    "EXTEND": ("UNKNOWN_SESSION",),
}


def text_of(amount):
    """An amount of micro-units as it is answered: no zeros at the end."""
    text = money(amount)
    return text.rstrip("0").rstrip(".")


def build_world(daemon, callers):
    """North with his customers customer-0 … and their lines; a tariff and a party that administration changes."""
    daemon.tariff("wholesale", {}, "prefix,rate_per_minute\n49,0.06\n")
    daemon.tariff("retail", {}, "prefix,rate_per_minute\n49,0.6\n")
    daemon.tariff("spare", {}, "prefix,rate_per_minute\n1,0.1\n")
    parties = [{"id": "root", "kind": "provider", "currency": "EUR"},
               {"id": "north", "kind": "reseller", "parent": "root", "terms": "margin", "tariff": "wholesale"},
               {"id": "office", "kind": "customer", "parent": "north", "tariff": "retail"}]
    for caller in range(callers):
        parties += [{"id": f"customer-{caller}", "kind": "customer", "parent": "north", "tariff": "retail"},
                    {"id": f"line-{caller}", "kind": "line", "parent": f"customer-{caller}"}]
    daemon.parties(parties)
    daemon.topups({"north": OPENING, **{f"customer-{caller}": OPENING for caller in range(callers)}})


@dataclass(eq=False)
class Command:
    """One command, what it does to the caller's customer, and what was answered."""

    words: tuple
    session: "Session" = field(default=None, repr=False)
    balance: int = 0  # Change of the customer's balance,
    held: int = 0  # and of what is held there.
    wholesale: int = 0  # Change of north's balance.
    figure: str = None  # What [1] must be, where that is known beforehand.
    later: list = field(default_factory=list, repr=False)  # Those for the same session behind it.
    answer: list = None

    @property
    def verb(self):
        return self.words[0]

    def effect(self):
        return self.balance, self.held, self.wholesale


@dataclass(eq=False)
class Session:
    """A call as the caller sees it after all of his commands."""

    id: str
    granted: int = 0
    used: int = 0
    started: bool = False
    ended: bool = False
    commands: list = field(default_factory=list)


class Caller:
    """Makes calls and moves money on one connection, in batches; stops when it breaks."""

    def __init__(self, number, seed):
        self.number = number
        self.customer = f"customer-{number}"
        self.line = f"line-{number}"
        self.random = random.Random(seed)
        self.names = 0
        self.open = []  # Sessions to go on with.
        self.refundable = []  # Ended calls with a charge, their answers known: commands STOP.
        self.sent = []  # Commands since the last settle(), in order.
        self.answered = 0  # How many of them were answered.
        self.settled = [OPENING, 0, 0]  # Balance, held, north's change: before `sent`.
        self.wrong = []
        self.total = 0

    # ---- Making it up ----

    def name(self, what):
        self.names += 1
        return f"{what}-{self.number}-{self.names}"

    def command(self, *words, session=None, **effect):
        command = Command(words, session, **effect)
        if session:
            for earlier in session.commands:
                earlier.later.append(command)
            session.commands.append(command)
        return command

    def authorize(self):
        session = Session(self.name("call"), granted=self.random.choice((60, 120, 600)))
        self.open.append(session)
        return self.command("AUTHORIZE", self.line, "4930123", session.id, "WANT", session.granted, session=session,
                            held=session.granted * PRICE, figure=str(session.granted))

    def start(self, session):
        session.started = True
        return self.command("START", session.id, session=session, figure=str(session.granted))

    def extend(self, session):
        # Never less than before, and always the same WANT: sent again in order, they end where they ended.
        used = session.used + self.random.randint(1, 60)
        charge = (used - session.used) * PRICE
        held = (session.granted - session.used) * PRICE
        session.started, session.used, session.granted = True, used, used + 120
        return self.command("EXTEND", session.id, "USED", used, "WANT", 120, session=session, balance=-charge,
                            held=120 * PRICE - held, wholesale=-charge // 10, figure=str(session.granted))

    def end(self, session, kind):
        session.ended = True
        self.open.remove(session)
        held = (session.granted - session.used) * PRICE
        if kind == "RELEASE":
            return self.command("RELEASE", session.id, session=session, held=-held, figure="0")
        seconds = session.used + self.random.randint(1, 200)
        charge = (seconds - session.used) * PRICE
        stop = self.command("STOP", session.id, seconds, session=session, balance=-charge, held=-held,
                            wholesale=-charge // 10, figure=text_of(seconds * PRICE))
        session.used = seconds
        return stop

    def rate(self):
        seconds = self.random.randint(1, 300)
        return self.command("RATE", self.line, "4930123", self.name("rated"), seconds, balance=-seconds * PRICE,
                            wholesale=-seconds * PRICE // 10, figure=text_of(seconds * PRICE))

    def pay(self, verb):
        amount = self.random.randint(1, 5_000_000)
        return self.command(verb, self.customer, money(amount), self.name(verb.lower()),
                            balance=amount if verb == "TOPUP" else -amount)

    def refund(self, stop):
        charge = stop.session.used * PRICE
        return self.command("REFUND", stop.answer["record"], self.name("refund"), balance=charge,
                            wholesale=charge // 10)

    def next_command(self):
        dice = self.random.random()
        if self.open and dice < 0.65:
            session = self.random.choice(self.open)
            choices = ["STOP", "EXTEND"] if session.started else ["STOP", "START", "START", "EXTEND", "RELEASE"]
            if len(self.open) > 40:
                choices = ["STOP"]
            choice = self.random.choice(choices)
            if choice == "START":
                return self.start(session)
            return self.extend(session) if choice == "EXTEND" else self.end(session, choice)
        if dice < 0.9:
            return self.authorize()
        if dice < 0.93 and self.refundable:
            return self.refund(self.refundable.pop())
        if dice < 0.95:
            return self.rate()
        return self.pay("TOPUP" if dice < 0.98 else "DEBIT")

    # ---- On the wire ----

    def run(self, port, stop):
        """Until it breaks, or `stop` is set and the last batch is answered."""
        try:
            client = RespClient(port)
            while not stop.is_set():
                batch = [self.next_command() for _ in range(self.random.choice((1, 2, 10, 40, 100)))]
                self.sent += batch
                client.send(command.words for command in batch)
                for command in batch:
                    answer = client.read()
                    command.answer = answer
                    self.answered += 1
                    self.check(command)
            client.close()
        except OSError:
            pass

    def check(self, command):
        answer = command.answer
        if not isinstance(answer, list) or answer.code != "OK" or answer["dup"] != "0" or (
                command.figure not in (None, answer.figure)):
            self.wrong.append((command.words, answer, command.figure))
        elif command.verb == "STOP":
            self.refundable.append(command)

    # ---- After a restart ----

    def prefixes(self):
        """The state after each number of commands that can have been carried out."""
        state = list(self.settled)
        states = []
        for count, command in enumerate([None, *self.sent]):
            if command:
                state = [sum(pair) for pair in zip(state, command.effect())]
            if count >= self.answered:
                states.append(tuple(state[:2]))
        return states

    def check_state(self, daemon):
        """What is there is what some prefix of the commands left, and all that was answered is in it."""
        balance, held, _ = daemon.account(self.customer)
        assert (balance, held) in self.prefixes(), \
            f"{self.customer} has {balance} and holds {held}; expected one of {self.prefixes()}"

    def repeat_answered(self, client):
        """Everything that was answered is answered again as it was, or as a session is that went on."""
        # An older EXTEND sent again is a new one, and then so is the last one.
        commands = [command for command in self.sent[:self.answered]
                    if command.verb != "EXTEND" or all(other.verb != "EXTEND" for other in command.later)]
        for command, answer in zip(commands, client.pipeline([command.words for command in commands])):
            assert isinstance(answer, list), (command.words, answer)
            if not command.later:
                self.assert_same(command, answer)
            elif answer.code == "OK":
                assert answer["dup"] == "1", (command, answer)
            else:
                assert answer.code in GONE_ON[command.verb], (command, answer)

    def assert_same(self, command, answer):
        expected = list(command.answer)
        expected[expected.index("dup") + 1] = "1"
        if command.verb == "EXTEND":  # What is left of it, as time passes.
            assert 0 < int(answer["validity"]) <= int(command.answer["validity"]), (command, answer)
            expected[expected.index("validity") + 1] = answer["validity"]
        assert list(answer) == expected, f"{command.words}: {expected} became {list(answer)}"

    def repeat_unanswered(self, client):
        """What was not answered is sent again, in order: each ends with one effect, and what had been done already
        was done up to some point, and nothing behind it."""
        commands = self.sent[self.answered:]
        undone = None
        for command, answer in zip(commands, client.pipeline([command.words for command in commands])):
            assert isinstance(answer, list) and not isinstance(answer, RespError), (command.words, answer)
            if answer.code == "OK":
                done = answer["dup"] == "1"
            else:
                assert answer.code in GONE_ON.get(command.verb, ()), (command.words, answer)
                done = True
            if not done and command.verb != "EXTEND":  # An older EXTEND is never a repeat.
                undone = undone or (command.words, answer)
            assert not (done and undone), f"{command.words} had been done, {undone} before it had not"
            if command.verb == "STOP":
                command.answer = answer
                self.refundable.append(command)
            if answer.code == "OK" and not command.later:
                assert command.figure in (None, answer.figure), (command, answer)
        self.answered = len(self.sent)

    def settle(self, daemon):
        """All commands have been carried out once."""
        self.settled = list(self.prefixes()[-1]) + [self.settled[2] + sum(c.wholesale for c in self.sent)]
        balance, held, _ = daemon.account(self.customer)
        assert [balance, held] == self.settled[:2], \
            f"{self.customer} has {balance} and holds {held}; expected {self.settled[:2]}"
        self.total += len(self.sent)
        self.sent, self.answered = [], 0


class Office:
    """Administration over HTTP, one request after the other: each is answered, or it was the last."""

    CREDIT, PARTY, DECK, TOPUP = range(4)

    def __init__(self, seed):
        self.random = random.Random(seed)
        self.requests = 0
        self.credit = 0
        self.parties = 0
        self.rows = 1
        self.paid = 0
        self.pending = None  # (kind, value) of the request that was not answered.
        self.wrong = []

    def request(self, http, kind, value):
        if kind == self.CREDIT:
            return http.request("PATCH", "/v1/parties/office", {"credit_limit": value}), 200
        if kind == self.PARTY:
            return http.request("POST", "/v1/parties", {"id": f"new-{value}", "kind": "line", "parent": "office"}), 201
        if kind == self.DECK:
            deck = "prefix,rate_per_minute\n" + "".join(f"{10_000_000 + row},0.1\n" for row in range(value))
            return http.request("PUT", "/v1/tariffs/spare/deck", deck, {"Content-Type": "text/csv"}), 200
        return http.request("POST", "/v1/parties/office/topups", {"amount": "1"}, {"Idempotency-Key": f"web-{value}"}), 201

    def run(self, daemon, stop):
        http = daemon.connect_http()
        try:
            while not stop.is_set():
                kind = self.random.choices(range(4), (10, 10, 1, 10))[0]
                value = {self.CREDIT: self.credit, self.PARTY: self.parties, self.TOPUP: self.paid,
                         self.DECK: 0}[kind] + 1
                if kind == self.DECK:  # Some are events, some are files beside the journal.
                    value = self.random.choice((2, 50, 2_000, 60_000))
                self.pending = (kind, value)
                reply, expected = self.request(http, kind, value)
                if reply.status != expected:
                    self.wrong.append((kind, value, reply))
                self.done()
        except (OSError, http_exceptions()):
            pass

    def done(self):
        kind, value = self.pending
        self.pending = None
        self.requests += 1
        if kind == self.CREDIT:
            self.credit = value
        elif kind == self.PARTY:
            self.parties = value
        elif kind == self.DECK:
            self.rows = value
        else:
            self.paid = value

    def settle(self, daemon):
        """Everything that was answered is there; the request that was not, whole or not at all."""
        get = lambda path: daemon.http.get(path)  # noqa: E731
        kind, value = self.pending or (None, None)
        office = get("/v1/parties/office").json
        checks = {
            self.CREDIT: (int(office["credit_limit"]), self.credit),
            self.PARTY: (self.parties + (get(f"/v1/parties/new-{self.parties + 1}").status == 200), self.parties),
            self.DECK: (get("/v1/tariffs/spare").json["rows"], self.rows),
            self.TOPUP: (int(office["balance"]), self.paid),
        }
        for what, (found, answered) in checks.items():
            assert found == answered or (what == kind and found == value), \
                f"kind {what}: {found}; answered was {answered}, pending {self.pending}"
        if self.parties:
            assert get(f"/v1/parties/new-{self.parties}").status == 200, self.parties
        if self.pending:
            done = checks[kind][0] == value
            reply, expected = self.request(daemon.http, kind, value)
            if kind == self.PARTY and done:
                expected = 409
            assert reply.status == expected, (self.pending, reply)
            if kind == self.TOPUP:
                assert reply.json["dup"] == done, (self.pending, done, reply)
                assert int(daemon.http.get("/v1/parties/office").json["balance"]) == value
            self.done()


def http_exceptions():
    import http.client
    return http.client.HTTPException


class Traffic:
    """Several callers and an office at once."""

    def __init__(self, daemon, rng, callers=4):
        self.daemon = daemon
        self.callers = [Caller(number, rng.getrandbits(64)) for number in range(callers)]
        self.office = Office(rng.getrandbits(64))
        self.north = OPENING
        self.repeated = 0
        build_world(daemon, callers)

    def begin(self):
        self.stop = threading.Event()
        jobs = [(caller.run, (self.daemon.resp_port, self.stop)) for caller in self.callers]
        jobs.append((self.office.run, (self.daemon, self.stop)))
        self.threads = [threading.Thread(target=job, args=arguments) for job, arguments in jobs]
        for thread in self.threads:
            thread.start()

    def end(self):
        """After the daemon has gone, or of its own accord."""
        self.stop.set()
        for thread in self.threads:
            thread.join()
        wrong = [fault for one in (*self.callers, self.office) for fault in one.wrong]
        assert not wrong, wrong[:5]

    def check(self):
        """On a daemon that was started again: everything is as the module says."""
        client = self.daemon.connect()
        self.repeated += sum(len(caller.sent) for caller in self.callers)
        for caller in self.callers:
            caller.check_state(self.daemon)
        for caller in self.callers:
            caller.repeat_answered(client)
            caller.check_state(self.daemon)
            caller.repeat_unanswered(client)
            caller.settle(self.daemon)
        self.office.settle(self.daemon)
        balance, held, _ = self.daemon.account("north")
        assert balance == OPENING + sum(caller.settled[2] for caller in self.callers), balance
        assert held * 10 == sum(caller.settled[1] for caller in self.callers), held
        opened = sum(len(caller.open) for caller in self.callers)
        assert int(self.daemon.info("tollgate")["sessions_open"]) == opened, (self.daemon.info("tollgate"), opened)
        for currency, book in self.daemon.books().items():
            assert book["sum"] == 0, (currency, book)
