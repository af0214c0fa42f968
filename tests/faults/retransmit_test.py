#!/usr/bin/env python3
"""Every request is sent 1 to 20 times, over several connections, in any order that can be, with a kill -9 in the
middle: each has one effect, and each time the same answer.

TOLLGATE_SENDS: how many sends. TOLLGATE_SEED: what is decided by chance.
"""

import re
import threading
import time
import unittest
from collections import defaultdict

from mortal import Mortal, amount_of, seeded
from traffic import MICROS, OPENING, PRICE, build_world

import runner

from wire import RespClient, encode, money  # noqa: I001

CONNECTIONS = 8
LIVES = 150  # Of a group: its requests are under way together.
COPIES = 20
LATE = 0.1  # So many of the copies are sent with a later group.
# What every answer ends with; so the stream of answers is taken apart at the speed of C.
END = re.compile(rb"\$3\r\ndup\r\n\$1\r\n([01])\r\n")
OK = b"$2\r\nOK\r\n"
CONFLICT = b"$8\r\nCONFLICT\r\n"
RATING_FAILED = b"$13\r\nRATING_FAILED\r\n"


class Request:
    """One request, however often it is sent."""

    def __init__(self, words, code=OK, balance=0):
        self.words = words
        self.bytes = encode(words)
        self.code = code
        self.balance = balance  # Its effect on the customer, if it is carried out.
        self.answer = None  # But for dup.
        self.firsts = 0  # Answers that said dup 0.
        self.session_ended = False  # AUTHORIZE: a copy may now be told that the call is over.

    def take(self, answer, dup):
        """The test fails where the answer is another than before."""
        if self.session_ended and CONFLICT in answer:
            return
        assert self.code in answer[:40], (self.words, answer)
        if self.answer is None:
            self.answer = answer
        assert answer == self.answer, (self.words, self.answer, answer)
        if dup == b"0":
            self.firsts += 1
            assert self.firsts == 1, f"{self.words}: carried out {self.firsts} times"

    def forget_refusal(self):
        """Refusals are remembered in memory only; a daemon that was killed decides anew."""
        if self.code != OK:
            self.answer = None
            self.firsts = 0


class Line:
    """One connection: sends a list of requests, then takes what is answered."""

    def __init__(self, port):
        self.client = RespClient(port)

    def send(self, requests):
        self.requests = requests
        self.client.socket.sendall(b"".join([request.bytes for request in requests]))

    def receive(self):
        """How many were answered: all, or fewer where the daemon died."""
        received = bytearray()
        begin = count = 0
        try:
            while count < len(self.requests):
                piece = self.client.socket.recv(1 << 20)
                if not piece:
                    break
                received += piece
                for end in END.finditer(received, begin):
                    self.requests[count].take(bytes(received[begin:end.start()]), end[1])
                    begin = end.end()
                    count += 1
        except OSError:
            pass
        return count


class RetransmitTest(unittest.TestCase):
    def test_many_sends_of_each_request_across_a_restart(self):
        self.rng = seeded("retransmit")
        sends = amount_of("TOLLGATE_SENDS", 60_000, 10_000)
        self.sent = self.requests = self.unanswered = 0
        self.balance = OPENING
        self.names = 0
        self.late = []
        self.settled = []
        began = time.monotonic()
        with Mortal("session.hold=4h", "session.repeat=30m", "journal.segment_bytes=4 MiB",
                    "journal.snapshot_segments=2", "workers=2") as self.daemon:
            build_world(self.daemon, 1)
            self.connect()
            kill_at = self.rng.uniform(0.3, 0.7) * sends
            while self.sent < sends:
                self.killing = kill_at is not None and self.sent >= kill_at
                if self.killing:
                    kill_at = None
                self.one_group()
            self.deliver(self.late)
            self.repeat_old()
            self.assertEqual(self.daemon.account("customer-0"), (self.balance, 0, self.balance))
            self.daemon.assert_settled()
            self.daemon.kill()
            self.daemon.assert_invariants_hold()
            self.daemon.restart()
            self.connect()
            self.repeat_old()
            self.assertEqual(self.daemon.account("customer-0"), (self.balance, 0, self.balance))
        took = time.monotonic() - began
        print(f"{self.requests} requests in {self.sent} sends, {self.unanswered} of them unanswered at a kill -9; "
              f"{took:.0f} s, {self.sent / took:.0f} a second", flush=True)

    def connect(self):
        self.lines = [Line(self.daemon.resp_port) for _ in range(CONNECTIONS)]

    def name(self, what):
        self.names += 1
        return f"{what}-{self.names}"

    def one_group(self):
        opening, ending, authorized = [], [], []
        for _ in range(LIVES):
            call = self.name("call")
            if self.rng.random() < 0.1:
                opening.append(Request(("AUTHORIZE", "line-0", "999", call), code=RATING_FAILED))
                continue
            if self.rng.random() < 0.1:
                seconds = self.rng.randint(1, 100)
                opening.append(Request(("RATE", "line-0", "4930123", call, seconds), balance=-seconds * PRICE))
                continue
            opening.append(Request(("AUTHORIZE", "line-0", "4930123", call, "WANT", 60)))
            authorized.append(opening[-1])
            if self.rng.random() < 0.2:
                ending.append(Request(("RELEASE", call, "CAUSE", "busy")))
            else:
                seconds = self.rng.randint(1, 100)
                ending.append(Request(("STOP", call, seconds), balance=-seconds * PRICE))
        for phase in (opening, ending):
            for _ in range(LIVES // 5):
                amount = self.rng.randint(1, 10 * MICROS)
                verb = self.rng.choice(("TOPUP", "DEBIT"))
                phase.append(Request((verb, "customer-0", money(amount), self.name("pay")),
                                     balance=amount if verb == "TOPUP" else -amount))
        kill_in = self.rng.choice((opening, ending)) if self.killing else None
        for phase in (opening, ending):
            copies = [request for request in phase for _ in range(self.rng.randint(0, COPIES - 1))]
            if phase is ending:
                for request in authorized:
                    request.session_ended = True
            now, later = list(phase), []  # Of each one copy now, whatever becomes of the others.
            for request in copies:
                (later if self.rng.random() < LATE else now).append(request)
            some = len(self.late) // 2
            self.rng.shuffle(self.late)
            now += self.late[:some]
            self.late = self.late[some:] + later
            self.deliver(now, kill=phase is kill_in)
            self.balance += sum(request.balance for request in phase)
            for request in phase:
                # Who was told that it was done now may have been told when the daemon was killed.
                self.assertTrue(request.firsts == 1 or self.killing, request.words)
            self.requests += len(phase)
        self.assertEqual(self.daemon.account("customer-0"), (self.balance, 0, self.balance))
        self.settled += [request for request in ending if request.code == OK]
        if len(self.settled) > 5_000:
            self.settled = self.rng.sample(self.settled, 2_000)

    def deliver(self, requests, kill=False):
        """Sends all of them over all connections, in any order, until each copy is answered."""
        while requests:
            self.rng.shuffle(requests)
            shares = defaultdict(list)
            for number, request in enumerate(requests):
                shares[number % CONNECTIONS].append(request)
            # What a connection carries fits into the buffers of the system, or nobody would read.
            left = []
            for number, share in shares.items():
                shares[number], rest = share[:1_000], share[1_000:]
                left += rest
            for number, share in shares.items():
                self.lines[number].send(share)
            if kill:
                threading.Timer(self.rng.uniform(0, 0.02), self.daemon.process.kill).start()
            for number, share in shares.items():
                self.sent += len(share)
                answered = self.lines[number].receive()
                left += share[answered:]
                if not kill:
                    self.assertEqual(answered, len(share))
            if kill:
                kill = False
                self.unanswered += len(left)
                self.daemon.kill()
                for request in (*requests, *self.late):
                    request.forget_refusal()
                self.daemon.restart()
                self.connect()
            requests = left

    def repeat_old(self):
        """What was done long ago is not done again."""
        some = self.rng.sample(self.settled, min(len(self.settled), 2_000))
        for request in some:
            request.firsts = 1
        self.deliver(some)


if __name__ == "__main__":
    runner.main()
