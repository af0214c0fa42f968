"""Sits between the daemon and a store, understands what they say, and stops at a moment with a name.

A store is taken through phases by what it is told: BEGIN, rows, its position, COMMIT. Who passes that on can tell each
phase from the next, and do something in exactly one of them, while not a byte goes either way; the daemon that is
tested is the one that is shipped, and has nothing in it for this.

    with Postgres() as postgres, Between(postgres.port, PostgresTalk) as between:
        url = f"postgresql://tollgate@127.0.0.1:{between.port}/tollgate?sslmode=disable&gssencmode=disable"
        between.at(Before("COMMIT"), lambda: daemon.process.kill())
        …
        between.wait()         # until it has happened
"""

import collections
import re
import socket
import threading

PIECE = 256 * 1024
WAIT_SECONDS = 60


# ---- Moments ----

class Moment:
    """`statement` is a regular expression, found in what the daemon says. `nth`: the first time, the second, … of
    those behind the first that `behind` is found in."""

    def __init__(self, statement, nth=1, behind=None):
        self.statement = re.compile(statement)
        self.nth = nth
        self.behind = behind and re.compile(behind)

    def __repr__(self):
        return f"{type(self).__name__}({self.statement.pattern!r}, {self.nth})"

    def is_of(self, statement):
        return bool(self.statement.search(statement))


class Before(Moment):
    """It was said, and the store has not heard it."""


class Amid(Moment):
    """The store has heard half of what belongs to it: of the rows of a COPY, of the values of a statement, of a command."""


class Unanswered(Moment):
    """The store has done it and says so, and the daemon has not heard that."""


class After(Moment):
    """The daemon has heard that it is done, and says the next thing, which the store has not heard."""


# ---- Languages ----
# A talk cuts what goes either way into messages: (bytes, statement or None, whether it is rows).

class PostgresTalk:
    """Protocol 3, without TLS."""

    def __init__(self):
        self.begun = False  # The first message has no kind.
        self.texts = []  # What was said since the last Sync.
        self.unanswered = collections.deque()  # Statements, for each ReadyForQuery one.
        self.copying = False  # The first rows stand for all of a COPY.

    def said(self, waiting):
        """The daemon's next message; None: it is not whole."""
        head = 1 if self.begun else 0
        if len(waiting) < head + 4:
            return None
        size = head + int.from_bytes(waiting[head:head + 4], "big")
        if len(waiting) < size:
            return None
        message = bytes(waiting[:size])
        if not self.begun:
            self.begun = True
            self.unanswered.append("connect")
            return message, "connect", False
        kind, body = message[:1], message[5:]
        if kind == b"d":
            is_first, self.copying = not self.copying, True
            return message, self.unanswered[-1] if is_first and self.unanswered else None, True
        if kind in (b"Q", b"P"):
            self.copying = False
        if kind == b"Q":
            self.unanswered.append(body[:-1].decode())
            return message, self.unanswered[-1], False
        if kind == b"P":  # Its name, then the statement.
            text = body.split(b"\0")[1].decode()
            self.texts.append(text)
            return message, text, False
        if kind == b"B" and self.texts:  # The values of a statement.
            return message, self.texts[-1], True
        if kind == b"S":
            self.unanswered.append(" ".join(self.texts))
            self.texts = []
        return message, None, False

    def answered(self, waiting):
        """The store's next message, and the statement that it answers to; None: it is not whole."""
        if len(waiting) < 5:
            return None
        size = 1 + int.from_bytes(waiting[1:5], "big")
        if len(waiting) < size:
            return None
        message = bytes(waiting[:size])
        statement = self.unanswered[0] if self.unanswered else ""
        if message[:1] == b"Z" and self.unanswered:
            self.unanswered.popleft()
        # A COPY is not answered by being let in, nor is anything by a notice.
        is_answer = message[:1] not in (b"G", b"N", b"S", b"A", b"R", b"K")
        return message, statement if is_answer else None, False


class RedisTalk:
    """RESP 2; a command's words are its statement."""

    def __init__(self):
        self.unanswered = collections.deque()

    def said(self, waiting):
        end = self.end_of(waiting, 0)
        if end is None:
            return None
        message = bytes(waiting[:end])
        words = message.split(b"\r\n")[2:-1:2]
        self.unanswered.append(b" ".join(words).decode("utf-8", "replace"))
        return message, self.unanswered[-1], False

    def answered(self, waiting):
        end = self.end_of(waiting, 0)
        if end is None:
            return None
        statement = self.unanswered.popleft() if self.unanswered else ""
        return bytes(waiting[:end]), statement, False

    def end_of(self, waiting, at):
        """Where the value ends that begins there."""
        line = waiting.find(b"\r\n", at)
        if line < 0:
            return None
        kind = waiting[at:at + 1]
        if kind not in b"$*":
            return line + 2
        count = int(waiting[at + 1:line])
        if kind == b"$":
            end = line + 2 + (count + 2 if count >= 0 else 0)
            return end if end <= len(waiting) else None
        end = line + 2
        for _ in range(max(count, 0)):
            end = self.end_of(waiting, end)
            if end is None:
                return None
        return end


# ---- Passing it on ----

class Between:
    """Listens on `port` and passes on to a store on the loopback. One moment at a time."""

    def __init__(self, store_port, talk):
        self.store_port = store_port
        self.talk = talk
        self.lock = threading.Lock()
        self.moment = None
        self.happened = threading.Event()
        self.open = set()
        self.threads = []

    def __enter__(self):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.start(self.accept)
        return self

    def __exit__(self, *_):
        self.moment = None
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        with self.lock:
            for end in self.open:
                close(end)
        for thread in self.threads:
            thread.join(WAIT_SECONDS)

    def at(self, moment, hurt):
        """Calls hurt() when that moment comes, on a thread of its own and once. Nothing is passed on meanwhile, and
        the connection ends with it."""
        with self.lock:
            self.happened.clear()
            self.left = moment.nth
            self.counts = moment.behind is None
            self.hurt = hurt
            self.moment = moment

    def wait(self, seconds=WAIT_SECONDS):
        """True once it has happened."""
        return self.happened.wait(seconds)

    def start(self, work, *arguments):
        thread = threading.Thread(target=work, args=arguments, daemon=True)
        thread.start()
        self.threads.append(thread)

    def accept(self):
        while True:
            try:
                daemon, _ = self.listener.accept()
            except OSError:
                return
            try:
                store = socket.create_connection(("127.0.0.1", self.store_port))
            except OSError:
                close(daemon)
                continue
            for end in (daemon, store):
                end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self.lock:
                self.open |= {daemon, store}
            talk, lock = self.talk(), threading.Lock()
            state = {"passing": True, "answered": False}
            self.start(self.pass_on, daemon, store, talk.said, self.of_daemon, lock, state)
            self.start(self.pass_on, store, daemon, talk.answered, self.of_store, lock, state)

    def pass_on(self, source, target, cut, look, lock, state):
        """Message by message, one way."""
        waiting = bytearray()
        try:
            while state["passing"] and (more := source.recv(PIECE)):
                waiting += more
                with lock:
                    while state["passing"] and (message := cut(waiting)):
                        del waiting[:len(message[0])]
                        state["passing"] = look(message, target, state)
        except OSError:
            pass
        for end in (source, target):
            close(end)
        with self.lock:
            self.open -= {source, target}

    def of_daemon(self, message, store, state):
        """Passes a message on, or half of it; False where it was the moment."""
        data, statement, is_rows = message
        moment = self.moment
        if isinstance(moment, After) and state["answered"]:
            return self.come()
        if moment and statement is not None and not self.counts:
            self.counts = bool(moment.behind.search(statement))
        elif moment and statement is not None and moment.is_of(statement):
            if isinstance(moment, Before) and not is_rows and self.is_due():
                return self.come()
            if isinstance(moment, Amid) and (is_rows or self.talk is RedisTalk) and self.is_due():
                store.sendall(data[:len(data) // 2])
                return self.come()
        store.sendall(data)
        return True

    def of_store(self, message, daemon, state):
        data, statement, _ = message
        moment = self.moment
        if moment and self.counts and statement is not None and moment.is_of(statement) and not state["answered"]:
            # That it is done is said once.
            if isinstance(moment, Unanswered) and (data[:1] == b"C" or self.talk is RedisTalk) and self.is_due():
                return self.come()
            if isinstance(moment, After) and (data[:1] == b"Z" or self.talk is RedisTalk) and self.is_due():
                state["answered"] = True
        daemon.sendall(data)
        return True

    def is_due(self):
        with self.lock:
            self.left -= 1
            return self.left == 0

    def come(self):
        self.moment = None
        self.hurt()
        self.happened.set()
        return False


def close(end):
    try:
        end.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass
    end.close()
