#!/usr/bin/env python3
"""The commands of a call over HTTP, as a switch without a Redis client gives them.

Goal: a call is decided, charged and ended by the same rules and with the same answers as on the RESP port, whichever
of the two each command comes by; what is sent again does nothing twice, also after a restart; a session is any bytes.
Method: one daemon with a journal, a customer a test. 44 costs 0.60 a minute by the second.
"""

import http.client
import sys
import tempfile
import threading
import unittest
import urllib.parse
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from daemon import Daemon  # noqa: E402
from runner import main  # noqa: E402
from wire import HOST, MICROS, Reply  # noqa: E402

NUMBER = "442071234567"
DECK = "prefix,rate_per_minute\n44,0.6\n"


def path(session, verb):
    return f"/v1/calls/{urllib.parse.quote(session, safe='')}:{verb}"


class CallsOverHttp(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = cls.enterClassContext(tempfile.TemporaryDirectory(prefix="tollgate-journal-"))
        cls.daemon = cls.enterClassContext(Daemon(f"journal.dir={cls.folder}"))
        cls.daemon.tariff("retail", {}, DECK)
        cls.daemon.parties([{"id": "provider", "kind": "provider", "currency": "EUR"}])

    def customer(self, name, euros):
        self.daemon.parties([{"id": name, "kind": "customer", "parent": "provider", "tariff": "retail"},
                             {"id": f"{name}-line", "kind": "line", "parent": name}])
        self.daemon.topup(name, euros * MICROS)
        return {"line": f"{name}-line", "destination": NUMBER, "want": 60}

    def post(self, session, verb, body=None, status=200, http=None):
        reply = (http or self.daemon.http).request("POST", path(session, verb), body)
        self.assertEqual(reply.status, status, reply)
        return reply.json

    def test_a_call_goes_by_either_port(self):
        call = self.customer("anna", 10)
        granted = self.post("a 1", "authorize", call)
        self.assertEqual((granted["code"], granted["granted"], granted["held"], granted["available"]),
                         ("OK", "60", "0.6", "9.4"))
        words = self.daemon.resp.call("AUTHORIZE", "anna-line", NUMBER, "a 1", "WANT", 60)
        names = list(granted)
        self.assertEqual(names, ["code", "granted"] + words[2::2])
        self.assertEqual({**granted, "dup": "1"}, dict(zip(names, words[:2] + words[3::2])))
        self.assertEqual(self.daemon.resp.call("START", "a 1").code, "OK")
        extended = self.post("a 1", "extend", {"used": 30, "want": "60"})
        self.assertEqual((extended["granted"], extended["charged"], extended["final"]), ("90", "0.3", "0"))
        # 61.2 s are 62 s: 0.62.
        stopped = self.post("a 1", "stop", {"used": 61.2})
        self.assertEqual((stopped["charged"], stopped["billed"], stopped["status"], stopped["dup"]),
                         ("0.62", "62", "stopped", "0"))
        again = self.daemon.resp.call("STOP", "a 1", "61.2")
        self.assertEqual((again["record"], again["dup"]), (stopped["record"], "1"))
        self.assertEqual(self.daemon.account("anna"), (9_380_000, 0, 9_380_000))

    def test_a_refusal_is_an_answer(self):
        call = self.customer("berta", 1)
        self.assertEqual(self.post("b0", "authorize", {**call, "line": "nobody"})["code"], "UNKNOWN_ACCOUNT")
        self.assertEqual(self.post("b1", "authorize", {**call, "destination": "33"})["reason"], "prefix")
        self.assertEqual(self.post("b2", "start")["code"], "UNKNOWN_SESSION")
        # 1 buys 100 s; nothing is left for another call.
        self.assertEqual(self.post("b3", "authorize", {**call, "want": 600})["granted"], "100")
        refused = self.post("b4", "authorize", call)
        self.assertEqual((refused["code"], refused["level"], refused["reason"], refused["granted"]),
                         ("CREDIT_LIMIT", "berta", "held", "0"))
        self.assertEqual(self.post("b3", "release")["code"], "OK")
        self.assertEqual(self.daemon.account("berta"), (1_000_000, 0, 1_000_000))

    def test_faults_are_problems(self):
        call = self.customer("carl", 1)
        for verb, body, field in (("authorize", {"line": "x"}, "destination"),
                                  ("authorize", {**call, "want": "soon"}, "want"),
                                  ("authorize", {**call, "colour": "red"}, "colour"),
                                  ("extend", {}, "used"), ("stop", {}, "used"), ("start", {"at": "noon"}, "at")):
            with self.subTest(verb=verb, body=body):
                problem = self.post("c1", verb, body, 422)
                self.assertEqual([fault["field"] for fault in problem["errors"]], [field])
        self.post("c1", "start", "{", 422)
        self.assertEqual(self.post("c1", "authorize", b" " * 20_000, 413)["status"], 413)

    def test_no_get_changes_anything_before_users_are_declared(self):
        self.post("d1", "authorize", self.customer("dora", 1))
        for target in (path("d1", "release"), path("d1", "stop") + "?used=60"):
            reply = self.daemon.http.get(target, Accept="text/plain")
            self.assertEqual((reply.status, reply.headers["Content-Type"]), (403, "application/problem+json"))
        self.assertEqual(self.daemon.account("dora")[1], 600_000)
        self.post("d1", "release")

    def test_words_for_who_asks_for_them(self):
        self.customer("emil", 1)
        reply = self.daemon.http.request(
            "POST", path("e1", "authorize"), {"line": "emil-line", "destination": NUMBER, "want": 60},
            {"Accept": "text/plain"})
        self.assertEqual((reply.status, reply.headers["Content-Type"]), (200, "text/plain; charset=utf-8"))
        self.assertEqual(reply.text, "OK 60 final 0 validity 300 level  reason  price 0.6 held 0.6 available 0.4 "
                                     f"currency EUR number {NUMBER} dup 0")
        self.post("e1", "release")

    def test_sessions_of_any_bytes(self):
        call = self.customer("frieda", 10)
        for session in (b"\"%<>@", b"a/b?c#d", b" ", b":stop", b"x:authorize", b"\x00\xff\r\n", bytes(range(255)),
                        "größe".encode()):
            with self.subTest(session=session):
                self.assertEqual(self.post(session, "authorize", call)["code"], "OK")
                self.assertEqual(self.daemon.resp.call("START", session).code, "OK")
                self.assertEqual(self.post(session, "start")["dup"], "1")
                self.assertEqual(self.post(session, "stop", {"used": 10})["charged"], "0.1")
                self.assertEqual(self.daemon.resp.call("STOP", session, 10)["dup"], "1")
        self.assertEqual(self.post(b"x" * 256, "authorize", call)["reason"], "differs")

    def test_once_however_often_and_by_however_many(self):
        """Twenty connections authorise and stop the same ten calls: each is charged once."""
        call = self.customer("greta", 100)
        wrong = []

        def switch():
            http = self.daemon.connect_http()
            for n in range(10):
                answer = self.post(f"g{n}", "authorize", call, http=http)
                if answer["code"] not in ("OK", "CONFLICT"):
                    wrong.append(answer)
                answer = self.post(f"g{n}", "stop", {"used": 30}, http=http)
                if (answer["code"], answer["charged"]) != ("OK", "0.3"):
                    wrong.append(answer)

        switches = [threading.Thread(target=switch) for _ in range(20)]
        for one in switches:
            one.start()
        for one in switches:
            one.join()
        self.assertEqual(wrong, [])
        self.assertEqual(self.daemon.account("greta"), (97_000_000, 0, 97_000_000))

    def test_a_long_head_is_refused(self):
        connection = http.client.HTTPConnection(HOST, self.daemon.http_port, timeout=60)
        connection.request("POST", path("h" * 20_000, "start"))
        self.assertEqual(Reply(connection.getresponse()).status, 431)
        connection.close()


class RepeatsAfterARestart(unittest.TestCase):
    def test_the_answer_is_the_same(self):
        with tempfile.TemporaryDirectory(prefix="tollgate-journal-") as folder:
            with Daemon(f"journal.dir={folder}") as daemon:
                daemon.tariff("retail", {}, DECK)
                daemon.parties([{"id": "provider", "kind": "provider", "currency": "EUR"},
                                {"id": "ida", "kind": "customer", "parent": "provider", "tariff": "retail"},
                                {"id": "ida-line", "kind": "line", "parent": "ida"}])
                daemon.topup("ida", 10 * MICROS)
                body = {"line": "ida-line", "destination": NUMBER, "want": 60}
                self.assertEqual(daemon.http.request("POST", path("i/1", "authorize"), body).json["code"], "OK")
                stopped = daemon.http.request("POST", path("i/1", "stop"), {"used": "30"}).json
                self.assertEqual((stopped["code"], stopped["charged"]), ("OK", "0.3"))
            with Daemon(f"journal.dir={folder}") as daemon:
                again = daemon.http.request("POST", path("i/1", "stop"), {"used": "30"}).json
                self.assertEqual(again, {**stopped, "dup": "1"})
                self.assertEqual(daemon.account("ida"), (9_700_000, 0, 9_700_000))
                daemon.assert_settled()


if __name__ == "__main__":
    main()
