#!/usr/bin/env python3
"""Whatever bytes come over a connection: an error or the end for it, and nothing at all for anybody else.

Every test ends with a whole call on a new connection, and with books that add up to zero.
"""

import os
import re
import select
import signal
import socket
import threading
import time
import unittest

import hostile
from hostile import AT, MIB, Memory, OtherCaller, Raw, encode, scaled

import runner

PING = b"*1\r\n$4\r\nPING\r\n"
PONG = b"+PONG\r\n"
HALF_OPEN = scaled(10_000, 2_000)
# A command that must never be carried out: it stands behind whatever ends the connection.
STOLEN = encode(["TOPUP", "alice", "1", "stolen"])

MALFORMED = {
    "array without a length": b"*\r\n",
    "array of letters": b"*abc\r\n",
    "array of a negative length": b"*-2\r\n",
    "array with a plus sign": b"*+1\r\n$4\r\nPING\r\n",
    "array with a fraction": b"*1.0\r\n$4\r\nPING\r\n",
    "array with an exponent": b"*1e0\r\n$4\r\nPING\r\n",
    "array with a blank": b"* 1\r\n$4\r\nPING\r\n",
    "array line with CR alone": b"*1\rx$4\r\nPING\r\n",
    "array line with LF alone": b"*1\n$4\r\nPING\r\n",
    "word in place of a bulk": b"*1\r\nPING\r\n",
    "integer in place of a bulk": b"*1\r\n:4\r\n",
    "status in place of a bulk": b"*1\r\n+PING\r\n",
    "array in an array": b"*1\r\n*1\r\n$4\r\nPING\r\n",
    "bulk without a length": b"*1\r\n$\r\n",
    "bulk of letters": b"*1\r\n$four\r\nPING\r\n",
    "bulk of a negative length": b"*1\r\n$-5\r\nPING\r\n",
    "null bulk": b"*1\r\n$-1\r\n",
    "bulk with a plus sign": b"*1\r\n$+4\r\nPING\r\n",
    "bulk with a blank": b"*1\r\n$ 4\r\nPING\r\n",
    "bulk with hexadecimal": b"*1\r\n$0x4\r\nPING\r\n",
    "bulk line with LF alone": b"*1\r\n$4\nPING\r\n",
    "bulk longer than said": b"*1\r\n$3\r\nPING\r\n",
    "bulk without CR LF": b"*1\r\n$4\r\nPINGxx",
    "bulk with LF LF": b"*1\r\n$4\r\nPING\n\n",
    "bulk of nothing without CR LF": b"*1\r\n$0\r\nxx",
    "top-level bulk": b"$4\r\nPING\r\n",
    "status": b"+OK\r\n",
    "error": b"-ERR no\r\n",
    "integer": b":1\r\n",
    "RESP3 map": b"%1\r\n+a\r\n+b\r\n",
    "RESP3 set": b"~1\r\n+a\r\n",
    "RESP3 push": b">1\r\n+a\r\n",
    "RESP3 null": b"_\r\n",
    "RESP3 double": b",1.5\r\n",
    "RESP3 boolean": b"#t\r\n",
    "RESP3 big number": b"(1\r\n",
    "RESP3 verbatim": b"=7\r\ntxt:abc\r\n",
    "NUL": b"\0\r\n",
    "bytes above ASCII": b"\xff\xfe\r\n",
    "UTF-8 byte-order mark": b"\xef\xbb\xbfPING\r\n",
    "TLS client hello": bytes.fromhex("160301020001fc0303") + bytes(range(200)),
    "TLS alert": bytes.fromhex("15030100020228"),
    "SMB": b"\0\0\0\x85\xffSMBr\0\0\0\0",
    "unbalanced double quote": b'PING "hello\r\n',
    "unbalanced single quote": b"PING 'hello\r\n",
    "word glued to a quote": b'PING "hello"there\r\n',
}

# A length that somebody declares and nobody sends: each is an error at once.
DECLARED = {
    "bulk of 16 KiB": b"*1\r\n$16384\r\n",
    "bulk of 512 MiB": b"*1\r\n$536870912\r\n",
    "bulk of 2 GiB less 1": b"*1\r\n$2147483647\r\n",
    "bulk of 2 GiB": b"*1\r\n$2147483648\r\n",
    "bulk of 4 GiB": b"*1\r\n$4294967296\r\n",
    "bulk of 4 GiB and 4": b"*1\r\n$4294967300\r\n",
    "bulk of 2^63 - 1": b"*1\r\n$9223372036854775807\r\n",
    "bulk of 2^63": b"*1\r\n$9223372036854775808\r\n",
    "bulk of 2^64": b"*1\r\n$18446744073709551616\r\n",
    "bulk of 2^64 + 4": b"*1\r\n$18446744073709551620\r\n",
    "bulk of 100 digits": b"*1\r\n$" + b"9" * 100 + b"\r\n",
    "array of 65": b"*65\r\n",
    "array of a million": b"*1000000\r\n",
    "array of 2^31 - 1": b"*2147483647\r\n",
    "array of 2^31": b"*2147483648\r\n",
    "array of 2^32 + 1": b"*4294967297\r\n",
    "array of 2^63": b"*9223372036854775808\r\n",
    "array of 2^64 + 1": b"*18446744073709551617\r\n",
    "array of 100 digits": b"*" + b"9" * 100 + b"\r\n",
    "second bulk of 2 GiB": b"*2\r\n$4\r\nECHO\r\n$2147483648\r\n",
}

BROWSERS = {
    "GET": b"GET / HTTP/1.1\r\nHost: 127.0.0.1:7379\r\n\r\n",
    "get": b"get /TOPUP HTTP/1.1\r\nhost: x\r\n\r\n",
    "POST": b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 50\r\n\r\n",
    "Host": b"Host: 127.0.0.1\r\n",
    "HOST": b"HOST: x\r\n",
}

# No number in any of the text forms. Each word is sent as it is, over RESP.
NO_NUMBERS = (
    b"-1", b"-0", b"+1", b"+0.5", b"--1", b"1e3", b"1E3", b"1e-3", b"0x10", b"0b1", b"NaN", b"nan", b"-nan", b"inf",
    b"-inf", b"Infinity", b"9223372036854775808", b"-9223372036854775809", b"18446744073709551616",
    b"1.12345678901234567890", b"1" * 400, b" 1", b"1 ", b"1,5", b"1.2.3", b"1_000", b"1/2", b"ten", b"1\0",
    b"1\r\n", b"\r\n+OK", "٣".encode(), "１".encode(), b"\xff", b"1s", b"%d", b"$1",
)
NO_INSTANTS = (
    *NO_NUMBERS, b"now", b"2026-03-02", b"2026-03-02T10:00:00", b"2026-13-01T00:00:00Z", b"2026-02-30T00:00:00Z",
    b"2026-03-02T24:00:01Z", b"2026-03-02T10:60:00Z", b"2026-3-2T1:0:0Z", b"2026-03-02T10:00:00+99:00",
    b"2026-03-02T10:00:00Zz",
)
NO_AMOUNTS = (*NO_NUMBERS, b"0", b"0.0", b"-0.5", b"0.0000001", b"1.0000001")


class HostileBytesTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.half_open_max = hostile.descriptors_for(HALF_OPEN)  # The daemons have the limit they are started under.

    def setUp(self):
        self.daemon = self.enterContext(hostile.Victim())

    def tearDown(self):
        self.assertIsNone(self.daemon.process.poll(), "tollgated has ended")
        self.daemon.make_a_whole_call()
        self.assertEqual(self.daemon.account("alice")[0], 100_000_000_000, "somebody's money has moved")
        self.daemon.assert_settled()

    def raw(self, **options):
        raw = Raw(self.daemon, **options)
        self.addCleanup(raw.close)
        return raw

    def assert_one_error(self, answer):
        self.assertTrue(answer.startswith(b"-ERR "), answer)
        self.assertEqual((answer.count(b"\r"), answer.count(b"\n"), answer[-2:]), (1, 1, b"\r\n"), answer)

    # ---- Frames ----

    # "After a malformed frame or an over-long one: one error, then close." What stood before it is answered, what
    # stands behind it is not carried out.
    def test_malformed_frames(self):
        for name, frame in MALFORMED.items():
            with self.subTest(name), Raw(self.daemon) as raw:
                raw.send(frame + STOLEN)
                self.assert_one_error(raw.rest())
            with self.subTest(f"PING, then {name}"), Raw(self.daemon) as raw:
                raw.send(PING + frame + STOLEN)
                answer = raw.rest()
                self.assertTrue(answer.startswith(PONG), answer)
                self.assert_one_error(answer[len(PONG):])

    # The same however the bytes are cut into packets.
    def test_malformed_frames_one_byte_at_a_time(self):
        for name, frame in MALFORMED.items():
            with self.subTest(name), Raw(self.daemon) as raw:
                for at in range(len(frame)):
                    raw.send(frame[at:at + 1])
                    if at < 20:
                        time.sleep(0.001)
                self.assert_one_error(raw.rest())

    # Nothing is asked, so nothing is answered, and the connection goes on.
    def test_frames_that_ask_for_nothing(self):
        with Raw(self.daemon) as raw:
            raw.send(b"*0\r\n*-1\r\n\r\n\n  \r\n" + PING)
            self.assertEqual(raw.read(), b"PONG")
            raw.send(b"\r\n" * 5000 + PING)
            self.assertEqual(raw.read(), b"PONG")

    # "Nothing is allocated from a declared length": an error without waiting for the bytes, and no memory.
    def test_declared_lengths(self):
        with OtherCaller(self.daemon, "declared lengths"):
            memory = Memory(self.daemon.process.pid)
            for name, frame in DECLARED.items():
                with self.subTest(name), Raw(self.daemon) as raw:
                    raw.send(frame)
                    self.assert_one_error(raw.rest())
            waiting = []
            for _ in range(20):
                for frame in DECLARED.values():
                    waiting.append(Raw(self.daemon))
                    waiting[-1].send(frame)
            for raw in waiting:
                self.assert_one_error(raw.rest())
                raw.close()
            grown = memory.grown()
        print(f"{len(DECLARED)} declared lengths, 21 times: {grown / MIB:.1f} MiB more resident at the peak", flush=True)
        self.assertLess(grown, scaled(8, 128) * MIB)

    # 64 words and 16 KiB are taken, one more of either is an error and the end.
    def test_limits_of_a_command(self):
        with Raw(self.daemon) as raw:
            answer = raw.call(*["PING"] * 64)
            self.assertIsInstance(answer, Raw.Error)
            self.assertEqual(raw.call("PING"), b"PONG")
            raw.send(b"PING" + b" x" * 63 + b"\r\n")
            self.assertIsInstance(raw.read(), Raw.Error)
            self.assertEqual(raw.call("PING"), b"PONG")
        for frame in (encode(["PING"] * 65), b"PING" + b" x" * 64 + b"\r\n"):
            with Raw(self.daemon) as raw:
                raw.send(frame + STOLEN)
                self.assert_one_error(raw.rest())

        text = "x" * (16 * 1024 - len(encode(["ECHO", "x" * 10_000])) + 10_000)
        self.assertEqual(len(encode(["ECHO", text])), 16 * 1024)
        with Raw(self.daemon) as raw:
            for _ in range(3):
                raw.send(encode(["ECHO", text]) * 10)
                for _ in range(10):
                    self.assertEqual(raw.read(), text.encode())
            raw.send(encode(["ECHO", text + "x"]) + STOLEN)
            self.assert_one_error(raw.rest())
        with Raw(self.daemon) as raw:
            raw.send(b"PING " + b"x" * (16 * 1024))
            self.assert_one_error(raw.rest())

    # A command of one byte a packet is a command like any other.
    def test_one_byte_at_a_time(self):
        with Raw(self.daemon) as raw:
            for words, code, figure in (
                    (("AUTHORIZE", "a1", "4930123", "by bytes", "WANT", "60"), b"OK", b"60"),
                    (("START", "by bytes"), b"OK", b"60"), (("STOP", "by bytes", "0"), b"OK", b"0")):
                for byte in encode(words):
                    raw.send(bytes([byte]))
                    time.sleep(0.0005)
                self.assertEqual(raw.read()[:2], [code, figure])
            for byte in b"RELEASE 'by bytes' PLAIN\r\n":
                raw.send(bytes([byte]))
            self.assertTrue(raw.read().startswith(b"CONFLICT 0"))

    # "GET , POST or Host: on the RESP port closes the connection (a browser was tricked)", without an answer.
    def test_browsers(self):
        for name, request in BROWSERS.items():
            with self.subTest(name), Raw(self.daemon) as raw:
                raw.send(request + STOLEN)
                self.assertEqual(raw.rest(), b"")
            with self.subTest(f"{name} one byte at a time"), Raw(self.daemon) as raw:
                for byte in request:
                    raw.send(bytes([byte]))
                    time.sleep(0.001)
                self.assertEqual(raw.rest(), b"")
            with self.subTest(f"PING, then {name}"), Raw(self.daemon) as raw:
                raw.send(PING + request + STOLEN)
                self.assertEqual(raw.rest(), PONG)
        # A request whose first line is no GET or POST still has a Host.
        with Raw(self.daemon) as raw:
            raw.send(b"PUT /v1 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n" + STOLEN)
            self.assertEqual(raw.rest().count(b"\n"), 1)

    # ---- Words ----

    # One error, on one line, whatever the name is made of, and the connection goes on.
    def test_unknown_commands(self):
        with Raw(self.daemon) as raw:
            for name in (b"NOSUCH", b"", b"a\r\nb", b"\r\n", b"\r\n+OK\r\n", b"\n", b"\0", b"'", b"-ERR", b"PING\0",
                         b"P\xc4\xb0NG", b"\xff" * 100, b"x" * 16_000, b"%s%n", b"PING\r\n$4"):
                with self.subTest(name):
                    answer = raw.call(name)
                    self.assertIsInstance(answer, Raw.Error)
                    self.assertTrue(answer.startswith(b"ERR unknown command '"), answer)
                    self.assertEqual(raw.call("PING"), b"PONG")
                    self.assertIsInstance(raw.call(name, "a", "b\r\nc"), Raw.Error)
                    self.assertEqual(raw.call("PING"), b"PONG")

    # Whatever stands in the arguments, an answer stays one answer: nobody can slip a line of his own into it.
    def test_odd_words(self):
        odd = (b"", b"\r\n", b"\r\n+OK\r\n", b"\0", b'"%<>@', b"<null>", b"\xff\xfe", b"x" * 255, b"x" * 256, b"PLAIN",
               b"EXPLAIN", b"WANT", b"$-1", b"*1", b"'", b"r-1")
        with Raw(self.daemon) as raw:
            for word in odd:
                with self.subTest(word):
                    # What a caller can influence never gives an error.
                    for command in ((b"AUTHORIZE", word, b"4930123", b"odd line"),
                                    (b"AUTHORIZE", b"a1", word, b"odd number"),
                                    (b"QUOTE", word, b"4930123"), (b"QUOTE", b"a1", word),
                                    (b"START", word), (b"EXTEND", word, b"USED", b"1"), (b"STOP", word, b"1"),
                                    (b"RELEASE", word), (b"EXPLAIN", word), (b"BALANCE", word)):
                        answer = raw.call(*command)
                        self.assertIsInstance(answer, list, (command, answer))
                        self.assertNotEqual(answer[0], b"OK")
                        self.assertIn(b"dup" if command[0] not in (b"QUOTE", b"EXPLAIN", b"BALANCE") else answer[0],
                                      answer)
                    # A session of that name, or none; FROM is anything.
                    answer = raw.call(b"AUTHORIZE", b"a1", b"4930123", word, b"WANT", b"1", b"FROM", word + b"!")
                    self.assertIsInstance(answer, list)
                    self.assertEqual(answer[0] == b"OK", 1 <= len(word) <= 255 and word != b"<null>", answer)
                    if answer[0] == b"OK":
                        self.assertEqual(raw.call(b"RELEASE", word), [b"OK", b"0", b"dup", b"0"])
                    # Wherever it stands it may be an error, and never more than one line of it.
                    for command in ((b"STOP", b"x", word), (b"TOPUP", b"alice", word, b"odd"),
                                    (b"TOPUP", word, b"1", word), (b"DEBIT", b"nobody", b"1", b"odd", word),
                                    (b"SESSIONS", word), (b"CLIENT", word), (b"HELLO", word), (b"COMMAND", word),
                                    (b"CONFIG", word), (b"INFO", word), (b"SELECT", word), (b"SENTINEL", word, word),
                                    (b"RESYNC", word, b"t", b"x"), (b"AUTHORIZE", b"a1", b"49", b"odd", word),
                                    (b"AUTHORIZE", b"a1", b"49", b"odd", b"SWITCH", word * 3, b"x"),
                                    (b"REFUND", word, word), (b"AUTH", word)):
                        raw.call(*command)
                        self.assertEqual(raw.call("PING"), b"PONG", command)
                    self.assertEqual(raw.call("ECHO", word), word)
        # TOPUP of a party that is odd reached nobody; one of "odd" may be left open.
        self.daemon.end_all_sessions()

    # "RESP errors, the connection stays open: -BADARG name: what was wrong": the argument is named, nothing changes.
    def test_numbers(self):
        with Raw(self.daemon) as raw:
            self.assertEqual(raw.call("AUTHORIZE", "a1", "4930123", "n", "WANT", "60", *AT)[:2], [b"OK", b"60"])
            before = raw.call("BALANCE", "alice")
            arguments = (
                (b"WANT", (b"AUTHORIZE", b"a1", b"4930123", b"never", b"WANT"), NO_NUMBERS),
                (b"WANT", (b"EXTEND", b"n", b"USED", b"1", b"WANT"), NO_NUMBERS),
                (b"USED", (b"EXTEND", b"n", b"USED"), NO_NUMBERS),
                (b"USED", (b"QUOTE", b"a1", b"4930123", b"USED"), NO_NUMBERS),
                (b"s", (b"STOP", b"n"), NO_NUMBERS),
                (b"AT", (b"AUTHORIZE", b"a1", b"4930123", b"never", b"AT"), NO_INSTANTS),
                (b"AT", (b"START", b"n", b"AT"), NO_INSTANTS),
                (b"AT", (b"STOP", b"n", b"1", b"AT"), NO_INSTANTS),
                (b"AT", (b"QUOTE", b"a1", b"4930123", b"AT"), NO_INSTANTS),
                (b"amount", (b"TOPUP", b"alice"), NO_AMOUNTS),
                (b"amount", (b"DEBIT", b"alice"), NO_AMOUNTS),
            )
            for name, words, values in arguments:
                for value in values:
                    command = (*words, value, *((b"request",) if name == b"amount" else ()))
                    with self.subTest(b" ".join(command)):
                        answer = raw.call(*command)
                        self.assertEqual(raw.call("PING"), b"PONG")
                        if command[0] == b"AUTHORIZE" and isinstance(answer, list):
                            raw.call("STOP", "never", "0")
                        self.assertIsInstance(answer, Raw.Error)
                        self.assertTrue(answer.startswith(b"BADARG " + name + b": "), answer)
            sessions = raw.call("SESSIONS")
            self.assertEqual(sessions[:2] + [row[:6] for row in sessions[2:]],
                             [b"OK", b"0", [b"n", b"a1", b"4930123", b"authorized", b"60", b"0"]])
            self.assertEqual(raw.call("BALANCE", "alice"), before)
            self.assertEqual(raw.call("RELEASE", "n"), [b"OK", b"0", b"dup", b"0"])

    # "A literal `<null>` is an absent argument": nothing else is, so a word without a letter is no number either.
    def test_empty_numbers(self):
        with Raw(self.daemon) as raw:
            for name, words in (
                    (b"WANT", ("AUTHORIZE", "a1", "4930123", "{}", "WANT", "")),
                    (b"AT", ("AUTHORIZE", "a1", "4930123", "{}", "AT", "")),
                    (b"AT", ("START", "{}", "AT", "")), (b"USED", ("EXTEND", "{}", "USED", "")),
                    (b"WANT", ("EXTEND", "{}", "USED", "1", "WANT", "")), (b"s", ("STOP", "{}", "")),
                    (b"AT", ("STOP", "{}", "1", "AT", "")), (b"USED", ("QUOTE", "a1", "4930123", "USED", "")),
                    (b"AT", ("QUOTE", "a1", "4930123", "AT", "")), (b"amount", ("TOPUP", "alice", "", "{}")),
                    (b"amount", ("DEBIT", "alice", "", "{}"))):
                with self.subTest(words):
                    session = "empty " + " ".join(words)
                    if words[0] in ("START", "EXTEND", "STOP"):
                        raw.call("AUTHORIZE", "a1", "4930123", session, "WANT", "60")
                    answer = raw.call(*(session if word == "{}" else word for word in words))
                    raw.call("STOP", session, "0")
                    self.assertIsInstance(answer, Raw.Error)
                    self.assertTrue(answer.startswith(b"BADARG " + name + b": "), answer)
            # What is literally absent is absent.
            answer = raw.call("AUTHORIZE", "a1", "4930123", "null", "WANT", "<null>", "AT", "<null>", "FROM", "<null>")
            self.assertEqual(answer[:2], [b"OK", b"3600"])
            self.assertEqual(raw.call("STOP", "null", "0", "AT", "<null>")[:2], [b"OK", b"0"])
        charged = 100_000_000_000 - self.daemon.account("alice")[0]
        if charged > 0:
            self.daemon.topup("alice", charged)

    # What is missing, unknown or twice is an error that says so, and changes nothing.
    def test_arguments(self):
        with Raw(self.daemon) as raw:
            for command in (
                    ("AUTHORIZE",), ("AUTHORIZE", "a1"), ("AUTHORIZE", "a1", "49"), ("START",), ("EXTEND", "x"),
                    ("EXTEND", "x", "USED"), ("EXTEND", "x", "WANT", "1"), ("STOP",), ("STOP", "x"), ("RELEASE",),
                    ("TOPUP", "alice"), ("TOPUP", "alice", "1"), ("DEBIT", "alice", "1"), ("BALANCE",), ("QUOTE", "a1"),
                    ("EXPLAIN",), ("RESYNC",), ("RESYNC", "one"), ("RESYNC", "one", "t"),
                    ("AUTHORIZE", "a1", "49", "never", "NOSUCH", "1"), ("AUTHORIZE", "a1", "49", "never", "WANT"),
                    ("AUTHORIZE", "a1", "49", "never", "WANT", "1", "WANT", "2"),
                    ("AUTHORIZE", "a1", "49", "never", "PLAIN", "WANT", "1"), ("STOP", "x", "1", "extra"),
                    ("BALANCE", "alice", "zoe"), ("RELEASE", "x", "y"), ("SESSIONS", "COUNT"),
                    ("TOPUP", "alice", "1", "stolen", "FORCE"), ("EXTEND", "x", "30")):
                with self.subTest(command):
                    answer = raw.call(*command)
                    self.assertIsInstance(answer, Raw.Error)
                    self.assertRegex(bytes(answer), rb"^(BADARG|ERR wrong number)")
                    self.assertEqual(raw.call("PING"), b"PONG")

    # ---- Many ----

    # Ten thousand that connect and say nothing, or half a command: the others do not notice.
    def test_half_open_connections(self):
        count = self.half_open_max
        if count < HALF_OPEN:
            print(f"only {count} of {HALF_OPEN} connections: the limit of open files is lower", flush=True)
        halves = (b"", b"*", b"*2\r\n$4\r\nEC", b"PI", encode(["AUTHORIZE", "a1", "4930123", "half"])[:-3],
                  b"*1\r\n$4\r\nPING\r")
        sockets = []
        try:
            with OtherCaller(self.daemon, f"{count} half-open connections"):
                memory = Memory(self.daemon.process.pid)
                begun = time.monotonic()
                for at in range(count):
                    sockets.append(socket.create_connection((hostile.HOST, self.daemon.resp_port), timeout=60))
                    if half := halves[at % len(halves)]:
                        sockets[-1].sendall(half)
                took = time.monotonic() - begun
                time.sleep(2)
                clients = int(self.daemon.info("clients")["connected_clients"])
                grown = memory.grown()
            print(f"{count} half-open connections in {took:.1f} s: {grown / count / 1024:.1f} KiB each, "
                  f"{clients} connected", flush=True)
            self.assertGreaterEqual(clients, count)
            self.assertLess(grown / count, scaled(16, 128) * 1024)
            # They are as good as any other: who finishes the command is answered.
            for at in (1, 3, 5, count - 1):
                rest = {1: b"1\r\n$4\r\nPING\r\n", 3: b"NG\r\n", 5: b"\n"}.get(at % len(halves))
                if rest is not None:
                    sockets[at].settimeout(60)
                    sockets[at].sendall(rest)
                    self.assertEqual(sockets[at].recv(100), PONG)
        finally:
            with OtherCaller(self.daemon, f"the end of {count} connections"):
                for half_open in sockets:
                    half_open.close()
                deadline = time.monotonic() + 60
                while int(self.daemon.info("clients")["connected_clients"]) > 5:
                    self.assertLess(time.monotonic(), deadline, "closed connections are still there")
                    time.sleep(0.1)

    # Whoever's bytes are there at once is served together: each has his own answers, whatever the others say.
    def test_many_at_once(self):
        rng = hostile.seeded("many at once")

        def call(at, turn):
            session = f"once-{turn}-{at}"
            return (encode(["AUTHORIZE", "a1", f"49{at}", session, "WANT", "60", "PLAIN"]) +
                    encode(["RELEASE", session, "PLAIN"]),
                    rb"\$\d+\r\nOK 60 final 0 [^\r]* number 49%d dup 0\r\n\$10\r\nOK 0 dup 0\r\n" % at, False)

        error = rb"-ERR [^\r\n]*\r\n"
        # What is sent, what is answered, and whether that is the end.
        says = (lambda at, turn: (PING, rb"\+PONG\r\n", False),
                lambda at, turn: (encode(["ECHO", f"{turn} {at}"]), rb"\$\d+\r\n%d %d\r\n" % (turn, at), False),
                lambda at, turn: (b"ECHO \"%d\\x20%d\"\r\n" % (turn, at), rb"\$\d+\r\n%d %d\r\n" % (turn, at), False),
                lambda at, turn: (PING * (at + 1), rb"(\+PONG\r\n){%d}" % (at + 1), False),
                lambda at, turn: (PING * 100, rb"(\+PONG\r\n){100}", False),
                call,
                lambda at, turn: (encode(["PING"] * 64), error, False),
                lambda at, turn: (b"*0\r\n" + PING, rb"\+PONG\r\n", False),
                lambda at, turn: (encode(["NOSUCH"]) + PING, error + rb"\+PONG\r\n", False),
                lambda at, turn: (PING + b"*x\r\n" + STOLEN, rb"\+PONG\r\n" + error, True),
                lambda at, turn: (b"$4\r\nPING\r\n" + STOLEN, error, True),
                lambda at, turn: (BROWSERS["GET"] + STOLEN, b"", True),
                lambda at, turn: (encode(["ECHO", "x" * 20_000]) + STOLEN, error, True),
                lambda at, turn: (encode(["QUIT"]) + STOLEN, rb"\+OK\r\n", True))
        for turn in range(scaled(40, 10)):
            connections = [self.raw() for _ in range(rng.choice((2, 7, 40)))]
            for raw in connections:
                self.assertEqual(raw.call("PING"), b"PONG")
            told = [rng.choice(says)(at, turn) for at in range(len(connections))]
            halves = [0 if ends else rng.choice((0, 0, 0, 1)) * len(data) // 2 for data, _, ends in told]
            os.kill(self.daemon.process.pid, signal.SIGSTOP)
            try:
                for raw, (data, _, _), half in zip(connections, told, halves):
                    raw.send(data[:half] if half else data)
            finally:
                os.kill(self.daemon.process.pid, signal.SIGCONT)
            for raw, (data, _, _), half in zip(connections, told, halves):
                if half:
                    raw.send(data[half:])
            for raw, (data, answer, ends) in zip(connections, told, strict=True):
                if not ends:
                    raw.send(encode(["ECHO", "behind"]))
                    raw.socket.shutdown(socket.SHUT_WR)
                behind = b"" if ends else rb"\$6\r\nbehind\r\n"
                self.assertRegex(raw.rest(), re.compile(b"^" + answer + behind + b"$", re.DOTALL), data[:200])
                raw.close()

    # One that never reads its answers: the daemon stops reading it, and loses nothing when it reads after all.
    def test_a_client_that_never_reads(self):
        clients = [self.raw() for _ in range(4)]
        text = "x" * 4000
        sent = [0] * len(clients)
        with OtherCaller(self.daemon, "clients that never read"):
            memory = Memory(self.daemon.process.pid)
            for at, client in enumerate(clients):
                client.socket.setblocking(False)
                rest = b""
                quiet_since = time.monotonic()
                while time.monotonic() - quiet_since < 1 and sent[at] < 100_000:
                    if not rest:
                        rest = encode(["ECHO", f"{sent[at]}:{text}"])
                        sent[at] += 1
                    try:
                        rest = rest[client.socket.send(rest):]
                        quiet_since = time.monotonic()
                    except BlockingIOError:
                        select.select([], [client.socket], [], 0.1)
                client.pending = rest
            time.sleep(0.5)
            grown = memory.grown()
        print(f"{len(clients)} clients sent {sum(sent)} commands of 4 KiB and read nothing: "
              f"{grown / MIB / len(clients):.1f} MiB more resident each", flush=True)
        for count in sent:
            self.assertLess(count, 100_000, "the daemon reads and reads")
        # 1 MiB of answers, and as much again for buffers on the way, for each of them.
        self.assertLess(grown, scaled(4, 64) * MIB * len(clients))
        # One leaves without reading, the others read: everything is there, in order.
        clients[0].close()
        for client, count in list(zip(clients, sent))[1:]:
            client.socket.settimeout(hostile.PATIENCE_SECONDS)
            writer = threading.Thread(target=client.send, args=(client.pending,))
            writer.start()
            for number in range(count):
                self.assertEqual(client.read(), f"{number}:{text}".encode())
            writer.join()
            self.assertEqual(client.call("PING"), b"PONG")

    # 10,000 commands at once, and at once again while the answers are still on their way.
    def test_long_pipelines(self):
        with OtherCaller(self.daemon, "pipelines of 10,000 commands"), Raw(self.daemon) as raw:
            raw.send(PING * 10_000)
            for _ in range(10_000):
                self.assertEqual(raw.read(), b"PONG")

            commands = []
            for call in range(3333):
                commands += [("AUTHORIZE", "a1", f"49{call}", f"pipe-{call}", "WANT", "60", "PLAIN"),
                             ("ECHO", str(call)), ("RELEASE", f"pipe-{call}", "PLAIN")]
            commands.append(("PING", "last"))
            data = b"".join(map(encode, commands))
            writer = threading.Thread(target=raw.send, args=(data,))
            writer.start()
            for call in range(3333):
                self.assertTrue(raw.read().startswith(b"OK 60 final 0 "))
                self.assertEqual(raw.read(), str(call).encode())
                self.assertEqual(raw.read(), b"OK 0 dup 0")
            self.assertEqual(raw.read(), b"last")
            writer.join()
            # And one whose sender leaves in the middle: what it asked for is done or not, but never by halves.
            left = self.raw()
            left.send(data[:len(data) // 2])
            left.close()
        time.sleep(0.5)
        self.daemon.end_all_sessions()

    # Random bytes, and random changes to good commands: never anything but an answer, an error, or the end.
    def test_random_garbage(self):
        rng = hostile.seeded("random garbage")
        connections = scaled(600, 150)
        good = (PING, encode(["AUTHORIZE", "a1", "4930123", "g", "WANT", "60"]), encode(["START", "g"]),
                encode(["EXTEND", "g", "USED", "1", "WANT", "60"]), encode(["STOP", "g", "0"]),
                encode(["SESSIONS"]), encode(["QUOTE", "a1", "4930123", "EXPLAIN"]), encode(["HELLO", "3"]),
                encode(["COMMAND", "DOCS"]), encode(["CLIENT", "LIST"]), encode(["RESYNC", "s", "t", "END"]),
                b"BALANCE alice PLAIN\r\n", b"ECHO \"a b\\x00\" \r\n", b"*0\r\n", b"\r\n")
        alphabet = b"*$+-:0123456789\r\n\"' \\xPINGECHO\0\xff"
        answered = 0
        with OtherCaller(self.daemon, "random garbage"):
            for _ in range(connections):
                how = rng.random()
                if how < 0.2:
                    data = rng.randbytes(rng.randrange(1, 3000))
                elif how < 0.4:
                    data = bytes(rng.choices(alphabet, k=rng.randrange(1, 500)))
                else:
                    data = bytearray(b"".join(rng.choices(good, k=rng.randrange(1, 30))))
                    for _ in range(rng.randrange(1, 6)):
                        at = rng.randrange(len(data))
                        change = rng.randrange(4)
                        if change == 0:
                            data[at] = rng.randrange(256)
                        elif change == 1:
                            del data[at]
                        elif change == 2:
                            data[at:at] = rng.randbytes(rng.randrange(1, 5))
                        else:
                            data[at:at] = data[at:at + rng.randrange(1, 20)]
                        if not data:
                            data = bytearray(b"*")
                with Raw(self.daemon) as raw:
                    at = 0
                    while at < len(data):
                        size = rng.randrange(1, len(data) + 1)
                        raw.send(bytes(data[at:at + size]))
                        at += size
                    try:
                        raw.socket.shutdown(socket.SHUT_WR)
                    except OSError:
                        pass
                    try:
                        answered += len(raw.rest())
                    except ConnectionResetError:
                        pass
        print(f"{connections} connections of garbage were answered {answered} bytes", flush=True)
        # Some of the changed commands were good ones: end what they began, and give back what they charged.
        self.daemon.end_all_sessions()
        charged = 100_000_000_000 - self.daemon.account("alice")[0]
        if charged > 0:
            self.daemon.topup("alice", charged)


if __name__ == "__main__":
    runner.main()
