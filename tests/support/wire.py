"""What a test speaks with the daemon: RESP as a switch does, HTTP as an administrator does."""

import http.client
import json
import select
import socket
from decimal import Decimal

HOST = "127.0.0.1"
MICROS = 1_000_000


def micros(text):
    """An amount in micro-units: micros("12.5") == 12_500_000."""
    scaled = Decimal(text).scaleb(6)
    assert scaled == int(scaled), f"{text} is finer than a micro-unit"
    return int(scaled)


def money(amount):
    """The text form of an amount in micro-units: money(12_500_000) == "12.500000"."""
    sign = "-" if amount < 0 else ""
    return f"{sign}{abs(amount) // MICROS}.{abs(amount) % MICROS:06d}"


class RespError(Exception):
    """An error answer, `-BADARG …`: read() hands it over, call() raises it."""


class Answer(list):
    """An array: the code, the main figure, then names and values.

    answer["final"] is the value behind the first name `final`. The pairs that EXPLAIN adds come once a level;
    levels() takes them apart.
    """

    @property
    def code(self):
        return self[0]

    @property
    def figure(self):
        return self[1]

    def __getitem__(self, key):
        if not isinstance(key, str):
            return super().__getitem__(key)
        for at in range(2, len(self) - 1, 2):
            if super().__getitem__(at) == key:
                return super().__getitem__(at + 1)
        raise KeyError(f"no {key!r} in {list(self)}")

    def levels(self):
        """One dictionary a level, from the customer up."""
        levels = []
        at = 2
        while self[at] != "levels":
            at += 2
        for name, value in zip(self[at + 2::2], self[at + 3::2]):
            if name == "party":
                levels.append({})
            levels[-1][name] = value
        return levels


def encode(words):
    """A command as an array of bulk strings."""
    parts = [b"*%d\r\n" % len(words)]
    for word in words:
        data = word if isinstance(word, bytes) else str(word).encode()
        parts.append(b"$%d\r\n%s\r\n" % (len(data), data))
    return b"".join(parts)


class RespClient:
    """One connection. Not for several threads at once."""

    def __init__(self, port, timeout=120):
        self.socket = socket.create_connection((HOST, port), timeout=timeout)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.input = self.socket.makefile("rb", buffering=256 * 1024)

    def close(self):
        self.input.close()
        self.socket.close()

    def send(self, commands):
        """Sends commands without waiting; each is a sequence of words."""
        self.socket.sendall(b"".join(map(encode, commands)))

    def read(self):
        """The next answer. An error answer is returned as a RespError."""
        line = self.input.readline()
        if not line.endswith(b"\r\n"):
            raise ConnectionError("the daemon closed the connection")
        kind, text = line[:1], line[1:-2]
        if kind == b"$":
            size = int(text)
            return None if size < 0 else self.input.read(size + 2)[:-2].decode()
        if kind == b"*":
            return Answer(self.read() for _ in range(int(text)))
        if kind == b"+":
            return text.decode()
        if kind == b":":
            return int(text)
        if kind == b"-":
            return RespError(text.decode())
        raise ValueError(f"not RESP: {line!r}")

    def pipeline(self, commands, depth=200):
        """The answers to many commands, `depth` of them in flight, in order."""
        answers = []
        for at in range(0, len(commands), depth):
            batch = commands[at:at + depth]
            self.send(batch)
            answers += [self.read() for _ in batch]
        return answers

    def call(self, *words):
        """One command's answer; an error answer is raised."""
        self.send([words])
        answer = self.read()
        if isinstance(answer, RespError):
            raise answer
        return answer


class Reply:
    """An HTTP answer."""

    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.text = response.read().decode()

    @property
    def json(self):
        return json.loads(self.text)

    def __repr__(self):
        return f"HTTP {self.status}: {self.text[:2000]}"


class HttpClient:
    """One connection, kept open and made anew where the daemon closed it for being idle. Not for several threads."""

    def __init__(self, port, timeout=600):
        self.connection = http.client.HTTPConnection(HOST, port, timeout=timeout)

    def close(self):
        self.connection.close()

    def request(self, method, path, body=None, headers=None):
        """`body`: bytes or text as they are; anything else is sent as JSON."""
        headers = dict(headers or {})
        if body is not None and not isinstance(body, (bytes, str)):
            body = json.dumps(body)
            headers.setdefault("Content-Type", "application/json")
        if isinstance(body, str):
            body = body.encode()
        # Between two answers there is nothing to read but the end of the connection.
        if self.connection.sock is not None and self._readable(self.connection.sock):
            self.connection.close()
        self.connection.request(method, path, body, headers)
        return Reply(self.connection.getresponse())

    @staticmethod
    def _readable(sock):
        poll = select.poll()
        poll.register(sock, select.POLLIN)
        return bool(poll.poll(0))

    def get(self, path, **headers):
        return self.request("GET", path, headers=headers)
