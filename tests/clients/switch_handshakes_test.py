#!/usr/bin/env python3
"""What switches send before and around a call, byte by byte as they send it, and what they need as an answer.

Kamailio's ndb_redis, OpenSIPS' cachedb_redis, FreeSWITCH's mod_hiredis, and the inline commands of a dial-plan
script.
"""

import socket
import unittest

import world

import runner
from wire import HOST, encode

PATIENCE_SECONDS = 60


class Switch:
    """A connection of bytes: what is sent, and exactly what comes back."""

    def __init__(self, daemon):
        self.socket = socket.create_connection((HOST, daemon.resp_port), timeout=PATIENCE_SECONDS)
        self.input = self.socket.makefile("rb")

    def close(self):
        self.input.close()
        self.socket.close()

    def send(self, *words):
        self.socket.sendall(encode(words))

    def line(self):
        return self.input.readline()

    def bulk(self):
        size = self.line()
        assert size[:1] == b"$", size
        return self.input.read(int(size[1:]) + 2)[:-2].decode()

    def array(self):
        size = self.line()
        assert size[:1] == b"*", size
        return [self.bulk() for _ in range(int(size[1:]))]


class SwitchTest(unittest.TestCase):
    def setUp(self):
        self.daemon = self.enterContext(world.World())
        self.switch = Switch(self.daemon)
        self.addCleanup(self.switch.close)

    def granted(self, answer):
        self.assertEqual(answer[0], "OK", answer)
        return dict(zip(answer[2::2], answer[3::2]))

    # ndb_redis pings, selects its database, and puts words into "AUTHORIZE %s %s %s"; it sends `<null>` for what a
    # call has not, and reads arrays of bulk strings only.
    def test_kamailio(self):
        self.switch.send("PING")
        self.assertEqual(self.switch.line(), b"+PONG\r\n")
        self.switch.send("SELECT", "0")
        self.assertEqual(self.switch.line(), b"+OK\r\n")
        self.switch.send("AUTHORIZE", "a1", "+4930123", "3848276298220188511@alice.example", "WANT", "60", "FROM",
                         "<null>", "AT", "<null>")
        answer = self.granted(self.switch.array())
        self.assertEqual((answer["final"], answer["number"], answer["held"]), ("0", "4930123", "0.6"))
        self.switch.send("START", "3848276298220188511@alice.example", "AT", "<null>")
        self.assertEqual(self.switch.array(), ["OK", "60", "dup", "0"])
        self.switch.send("STOP", "3848276298220188511@alice.example", "3", "CAUSE", "<null>")
        self.assertEqual(self.switch.array()[:4], ["OK", "0.03", "billed", "3"])
        # What the caller has not is odd, and an answer; never an error, after which the next host would be tried.
        self.switch.send("AUTHORIZE", "<null>", "4930123", "k-2")
        self.assertEqual(self.switch.array()[:2], ["UNKNOWN_ACCOUNT", "0"])
        self.switch.send("AUTHORIZE", "a1", "<null>", "k-3")
        self.assertEqual(self.switch.array()[:2], ["RATING_FAILED", "0"])
        self.switch.send("AUTHORIZE", "a1", "4930123", "<null>")
        self.assertEqual(self.switch.array()[1], "0")
        self.switch.send("AUTHORIZE", "<null>", "<null>", "<null>")
        self.assertEqual(self.switch.array()[1], "0")
        # But what the script must know is an error that says what.
        self.switch.send("STOP", "k-1", "<null>")
        self.assertEqual(self.switch.line()[:11], b"-BADARG s: ")
        self.switch.send("EXTEND", "k-1", "USED", "<null>")
        self.assertEqual(self.switch.line()[:14], b"-BADARG USED: ")
        self.daemon.assert_settled()

    # The same command again, on another connection: what Kamailio does when it waited too long for the answer.
    def test_a_repeat_on_another_connection(self):
        words = ("AUTHORIZE", "a1", "4930123", "repeated", "WANT", "60")
        self.switch.send(*words)
        self.switch.close()  # Without reading the answer.
        self.switch = Switch(self.daemon)
        self.addCleanup(self.switch.close)
        self.switch.send(*words)
        self.assertEqual(self.switch.array()[:2], ["OK", "60"])
        self.switch.send(*words)
        answer = self.granted(self.switch.array())
        self.assertEqual((answer["dup"], answer["held"]), ("1", "0.6"))
        self.assertEqual(self.daemon.account("alice")[1], 600_000)
        self.switch.send("RELEASE", "repeated")
        self.assertEqual(self.switch.array(), ["OK", "0", "dup", "0"])

    # Kamailio asks a sentinel for the master, if one is configured.
    def test_sentinel(self):
        self.switch.send("SENTINEL", "get-master-addr-by-name", "mymaster")
        self.assertEqual(self.switch.array(), [HOST, str(self.daemon.resp_port)])

    # cachedb_redis asks whether this is a cluster and goes astray on anything but an error.
    def test_opensips(self):
        for words in (("CLUSTER", "NODES"), ("CLUSTER", "SLOTS"), ("cluster", "info"), ("CLUSTER",)):
            with self.subTest(words):
                self.switch.send(*words)
                self.assertEqual(self.switch.line()[:5], b"-ERR ")
        self.switch.send("PING")
        self.assertEqual(self.switch.line(), b"+PONG\r\n")
        self.switch.send("AUTHORIZE", "a1", "4930123", "o-1", "WANT", "60")
        self.granted(self.switch.array())
        self.switch.send("RELEASE", "o-1")
        self.assertEqual(self.switch.array(), ["OK", "0", "dup", "0"])

    # mod_hiredis hands the dial plan one string and nothing else.
    def test_freeswitch(self):
        for words, wanted in (
                (("AUTHORIZE", "a1", "4930123", "f-1", "WANT", "60", "PLAIN"),
                 "OK 60 final 0 validity 300 level  reason  price 0.6 held 0.6 available 999.4 currency EUR "
                 "number 4930123 dup 0"),
                (("START", "f-1", "PLAIN"), "OK 60 dup 0"),
                (("RELEASE", "f-1", "PLAIN"), "CONFLICT 0 dup 0"),
                (("STOP", "f-1", "0", "CAUSE", "NORMAL_CLEARING", "plain"), None),
                (("AUTHORIZE", "nobody", "4930123", "f-2", "PLAIN"),
                 "UNKNOWN_ACCOUNT 0 final  validity  level  reason  price  held  available  currency  number  dup 0"),
                (("BALANCE", "alice", "PLAIN"),
                 "OK 1000 currency EUR held 0 available 1000 credit_limit 0 status active")):
            with self.subTest(words):
                self.switch.send(*words)
                answer = self.switch.bulk()
                if wanted is not None:
                    self.assertEqual(answer, wanted)
                self.assertIn(answer.split(" ")[0], ("OK", "CONFLICT", "UNKNOWN_ACCOUNT"))

    # Words and CRLF, as a script with nothing but a socket writes them; quotes hold blanks together.
    def test_inline_commands(self):
        self.switch.socket.sendall(b"PING\r\nauthorize a1 4930123 'in line' want 60 plain\r\n\r\n"
                                   b'RELEASE "in line" CAUSE "no \\"answer\\"" PLAIN\n')
        self.assertEqual(self.switch.line(), b"+PONG\r\n")
        self.assertTrue(self.switch.bulk().startswith("OK 60 final 0 "))
        self.assertEqual(self.switch.bulk(), "OK 0 dup 0")

    # Pooled connections say nothing for hours, leave with QUIT or without a word.
    def test_idle_and_leaving(self):
        idle = [Switch(self.daemon) for _ in range(50)]
        for switch in idle[:25]:
            switch.send("QUIT")
            self.assertEqual(switch.line(), b"+OK\r\n")
            self.assertEqual(switch.line(), b"")
        for switch in idle[25:]:
            switch.send("PING")
            self.assertEqual(switch.line(), b"+PONG\r\n")
        for switch in idle:
            switch.close()

    # What no charging system does, and what only a database would, is refused and harms nobody.
    def test_refused_commands(self):
        for words in (("FLUSHALL",), ("FLUSHDB",), ("BGSAVE",), ("EVAL", "return 1", "0"), ("SHUTDOWN",),
                      ("SHUTDOWN", "NOSAVE"), ("GET", "x"), ("SET", "x", "y"), ("MULTI",), ("SUBSCRIBE", "x"),
                      ("SELECT", "1"), ("CONFIG", "SET", "x", "y")):
            with self.subTest(words):
                self.switch.send(*words)
                self.assertEqual(self.switch.line()[:1], b"-")
        self.switch.send("PING")
        self.assertEqual(self.switch.line(), b"+PONG\r\n")


if __name__ == "__main__":
    runner.main()
