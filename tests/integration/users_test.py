#!/usr/bin/env python3
"""Users of the RESP port: who comes in, what each role may do, and what exists for whom.

Goal: docs/access.md, "Switches and consoles".
Method: one daemon with a journal and a user of every kind; north and south are resellers of the provider, each with
a customer and a line. 44 costs the customer 0.60 a minute, north and south 0.30.
"""

import re
import signal
import socket
import sys
import tempfile
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from daemon import Daemon  # noqa: E402
from runner import main  # noqa: E402
from users import PASSWORD, GuardedDaemon, declare, hash_of  # noqa: E402
from wire import HOST, MICROS, RespClient, RespError, encode  # noqa: E402

NUMBER = "442071234567"
USERS = {
    "kam1": {"role": "switch"},
    "kam2": {"role": "switch"},
    "mon": {"role": "monitor"},
    "fin": {"role": "finance"},
    "north-switch": {"role": "switch", "under": "north"},
    "north-mon": {"role": "monitor", "under": "north"},
    "north-fin": {"role": "finance", "under": "north"},
    "nowhere": {"role": "switch", "under": "nobody-yet"},
    "far": {"role": "switch", "sources": ["192.0.2.0/24", "2001:db8::/32"]},
    "near": {"role": "switch", "sources": ["127.0.0.0/8"]},
    "slow": {"role": "switch", "rate": 10},
    "north-line-switch": {"role": "switch", "under": "north-line"},
    "careful": {"role": "switch", "want": "300s", "start": "required", "clock": "ours"},
}


def outcome(client, *words):
    """The code of an answer, or the first word of an error."""
    client.send([words])
    answer = client.read()
    if isinstance(answer, RespError):
        return "-" + str(answer).split()[0]
    return answer[0] if isinstance(answer, list) and answer else answer


class Users(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        journal = cls.enterClassContext(tempfile.TemporaryDirectory(prefix="tollgate-journal-"))
        cls.daemon = daemon = cls.enterClassContext(GuardedDaemon(USERS, f"journal.dir={journal}"))
        daemon.tariff("retail", {}, "prefix,rate_per_minute\n44,0.6\n")
        daemon.tariff("resale", {}, "prefix,rate_per_minute\n44,0.3\n")
        parties = [{"id": "provider", "kind": "provider", "currency": "EUR"}]
        for name in ("north", "south"):
            parties += [
                {"id": name, "kind": "reseller", "parent": "provider", "terms": "margin", "tariff": "resale"},
                {"id": f"{name}-anna", "kind": "customer", "parent": name, "tariff": "retail"},
                {"id": f"{name}-line", "kind": "line", "parent": f"{name}-anna"}]
        daemon.parties(parties)
        for name in ("north", "south"):
            daemon.topups({name: 1000 * MICROS, f"{name}-anna": 1000 * MICROS})
        cls.clients = {name: daemon.as_user(name) for name in ("root", *USERS) if name != "far"}

    def code(self, user, *words):
        return outcome(self.clients[user], *words)

    def call(self, user, *words):
        return self.clients[user].call(*words)

    # ---- Who comes in ----

    def test_nothing_is_done_before_a_login(self):
        stranger = self.daemon.stranger()
        for words in (("PING",), ("INFO",), ("AUTHORIZE", "north-line", NUMBER, "s"), ("SLOWLOG", "GET"),
                      ("no-such-command",), ("HELLO", "3"), ("CLIENT", "LIST"), ("COMMAND",)):
            self.assertEqual(outcome(stranger, *words), "-NOAUTH", words)
        self.assertEqual(stranger.call("AUTH", "kam1", PASSWORD), "OK")
        self.assertEqual(stranger.call("PING"), "PONG")
        self.assertEqual(stranger.call("RESET"), "RESET")
        self.assertEqual(outcome(stranger, "PING"), "-NOAUTH")
        self.assertEqual(stranger.call("QUIT"), "OK")

    def test_a_wrong_password_an_unknown_user_and_a_network_that_is_not_his_look_alike(self):
        for words in (("AUTH", "kam2", "wrong"), ("AUTH", "nobody", PASSWORD), ("AUTH", "far", PASSWORD),
                      ("AUTH", PASSWORD), ("HELLO", "3", "AUTH", "kam2", "wrong")):
            stranger = self.daemon.stranger()
            stranger.send([words])
            self.assertEqual(str(stranger.read()),
                             "WRONGPASS invalid username-password pair or user is disabled.", words)
            self.assertEqual(outcome(stranger, "PING"), "-NOAUTH")
        self.assertEqual(self.code("near", "PING"), "PONG")

    def test_hello_logs_in_and_answers_a_map(self):
        with socket.create_connection((HOST, self.daemon.resp_port), timeout=60) as raw:
            raw.sendall(encode(["HELLO", "3", "AUTH", "kam1", PASSWORD, "SETNAME", "one"]) + encode(["CLIENT", "GETNAME"]))
            data = b""
            while not data.endswith(b"$3\r\none\r\n"):
                piece = raw.recv(65536)
                self.assertTrue(piece, data)
                data += piece
            self.assertTrue(data.startswith(b"%7\r\n$6\r\nserver\r\n"), data)

    def test_what_stands_behind_a_login_waits_for_it(self):
        client = self.daemon.stranger()
        client.send([("PING",), ("AUTH", "kam2", PASSWORD), ("PING",), ("ECHO", "x")])
        answers = [client.read() for _ in range(4)]
        self.assertTrue(str(answers[0]).startswith("NOAUTH"), answers)
        self.assertEqual(answers[1:], ["OK", "PONG", "x"])

    def test_before_a_login_commands_are_short(self):
        stranger = self.daemon.stranger()
        self.assertEqual(outcome(stranger, *["x"] * 8), "-NOAUTH")
        stranger.send([["x"] * 9])
        self.assertIn("the limit is 8", str(stranger.read()))
        with self.assertRaises(ConnectionError):
            stranger.read()
        stranger = self.daemon.stranger()
        stranger.send([("ECHO", "x" * 600)])
        self.assertIn("the limit is 512", str(stranger.read()))

    # ---- Roles ----

    def test_each_role_may_do_its_commands_and_no_other(self):
        calls = {"AUTHORIZE": ("north-line", NUMBER, "m-{}"), "START": ("m-{}",), "EXTEND": ("m-{}", "USED", "1"),
                 "STOP": ("m-{}", "1"), "RELEASE": ("m-{}",), "RATE": ("north-line", NUMBER, "mr-{}", "1"),
                 "RESYNC": ("sw-{}", "t", "END")}
        prices = {"QUOTE": ("north-line", NUMBER), "BALANCE": ("north-anna",)}
        view = {"EXPLAIN": ("m-{}",), "SESSIONS": ()}
        money = {"TOPUP": ("north-anna", "1", "top-{}"), "DEBIT": ("north-anna", "1", "deb-{}"),
                 "REFUND": ("top-{}", "ref-{}")}
        for user, allowed in (("kam1", {**calls, **prices}), ("mon", {**prices, **view}),
                              ("fin", {**prices, **view, **money}),
                              ("root", {**calls, **prices, **view, **money})):
            for command, words in {**calls, **prices, **view, **money}.items():
                code = self.code(user, command, *(word.format(user) for word in words))
                if command in allowed:
                    self.assertNotEqual(code[:1], "-", (user, command, code))
                else:
                    self.assertEqual(code, "-NOPERM", (user, command))
        self.assertEqual(self.code("fin", "DEBIT", "north-anna", "1", "forced", "FORCE"), "-NOPERM")
        self.assertEqual(self.code("root", "DEBIT", "north-anna", "1", "forced", "FORCE"), "OK")

    def test_only_an_administrator_goes_back_more_than_a_day(self):
        old, recent = int(time.time()) - 25 * 3600, int(time.time()) - 23 * 3600
        for words in (("AUTHORIZE", "north-line", NUMBER, "old", "AT"), ("RATE", "north-line", NUMBER, "old", "5", "AT"),
                      ("START", "old", "AT"), ("STOP", "old", "5", "AT")):
            self.assertEqual(self.code("kam1", *words, old), "-NOPERM", words)
        self.assertEqual(self.code("kam1", "AUTHORIZE", "north-line", NUMBER, "recent", "AT", recent), "OK")
        self.assertEqual(self.code("root", "AUTHORIZE", "north-line", NUMBER, "old", "AT", old), "OK")
        self.assertEqual(self.code("kam1", "RELEASE", "recent"), "OK")
        self.assertEqual(self.code("root", "RELEASE", "old"), "OK")

    def test_info_and_the_list_of_clients_say_no_more_than_is_his(self):
        for user in ("kam1", "north-mon"):
            info = self.call(user, "INFO", "everything")
            self.assertIn("loading:0", info)
            self.assertNotIn("sessions_open", info)
            self.assertNotIn("books_", self.call(user, "INFO", "books"))
            self.assertEqual(self.call(user, "CLIENT", "LIST").count("id="), 1)
        self.assertIn("sessions_open", self.call("mon", "INFO"))
        self.assertIn("books_EUR", self.call("mon", "INFO", "books"))
        self.assertGreater(self.call("mon", "CLIENT", "LIST").count("id="), 1)

    # ---- Ids ----

    def test_two_switches_may_call_their_sessions_alike(self):
        first = self.call("kam1", "AUTHORIZE", "north-line", NUMBER, "same", "WANT", 60)
        second = self.call("kam2", "AUTHORIZE", "south-line", NUMBER, "same", "WANT", 120)
        self.assertEqual((first.code, first.figure, first["dup"]), ("OK", "60", "0"))
        self.assertEqual((second.code, second.figure, second["dup"]), ("OK", "120", "0"))
        self.assertEqual(self.call("kam1", "AUTHORIZE", "north-line", NUMBER, "same", "WANT", 60)["dup"], "1")
        self.assertEqual(self.code("careful", "STOP", "same", 1), "UNKNOWN_SESSION")
        listed = [session for session in self.call("mon", "SESSIONS")[2:] if session[0] == "same"]
        self.assertEqual(sorted(session[1] for session in listed), ["north-line", "south-line"])
        self.assertEqual(self.call("mon", "EXPLAIN", "same", "SWITCH", "kam2").figure, "120")
        stopped = self.call("kam2", "STOP", "same", 60)
        self.assertEqual((stopped.figure, stopped["status"]), ("0.6", "stopped"))
        self.assertEqual(self.code("kam1", "RELEASE", "same"), "OK")
        self.assertEqual(self.call("mon", "EXPLAIN", stopped["record"]).figure, "120")
        longest = "x" * 255
        for user in ("kam1", "kam2"):
            self.assertEqual(self.code(user, "AUTHORIZE", "north-line", NUMBER, longest), "OK")
            self.assertEqual(self.code(user, "RELEASE", longest), "OK")
        self.assertEqual(self.code("kam1", "AUTHORIZE", "north-line", NUMBER, longest + "x"), "CONFLICT")

    def test_two_senders_may_call_their_requests_alike(self):
        first = self.call("fin", "TOPUP", "south-anna", 5, "alike")
        second = self.call("root", "TOPUP", "south-anna", 7, "alike")
        self.assertEqual((first["dup"], second["dup"]), ("0", "0"))
        self.assertEqual(self.call("fin", "TOPUP", "south-anna", 5, "alike")["dup"], "1")
        self.assertEqual(self.code("fin", "REFUND", "alike", "back"), "OK")
        self.assertEqual(self.code("root", "REFUND", "alike", "back"), "OK")

    def test_a_resync_closes_the_sessions_of_that_user_alone(self):
        for user in ("kam1", "kam2"):
            self.assertEqual(self.code(user, "AUTHORIZE", "north-line", NUMBER, "lost", "SWITCH", "gw"), "OK")
        self.assertEqual(self.call("kam1", "RESYNC", "gw", "t1", "END").figure, "1")
        self.assertEqual(self.code("kam1", "STOP", "lost", 0), "OK")
        self.assertEqual(self.call("kam2", "RESYNC", "gw", "t1", "lost").figure, "0")
        self.assertEqual(self.call("kam2", "RESYNC", "gw", "t1", "END").figure, "0")
        self.assertEqual(self.code("kam2", "RELEASE", "lost"), "OK")

    # ---- Under ----

    def test_nothing_outside_his_subtree_exists_for_him(self):
        self.assertEqual(self.code("north-switch", "AUTHORIZE", "south-line", NUMBER, "u-1"), "UNKNOWN_ACCOUNT")
        self.assertEqual(self.code("north-switch", "AUTHORIZE", "south-line", "112", "u-2"), "UNKNOWN_ACCOUNT")
        self.assertEqual(self.code("north-switch", "RATE", "south-line", NUMBER, "u-3", 1), "UNKNOWN_ACCOUNT")
        self.assertEqual(self.code("north-switch", "QUOTE", "south-line", NUMBER), "UNKNOWN_ACCOUNT")
        for party in ("south-anna", "south", "provider", "no-such"):
            self.assertEqual(self.code("north-switch", "BALANCE", party), "UNKNOWN_ACCOUNT", party)
            self.assertEqual(self.code("north-fin", "TOPUP", party, 1, "u-" + party), "UNKNOWN_ACCOUNT", party)
            self.assertEqual(self.code("north-mon", "SESSIONS", "PARTY", party), "UNKNOWN_ACCOUNT", party)
        self.assertEqual(self.code("nowhere", "AUTHORIZE", "north-line", NUMBER, "u-4"), "UNKNOWN_ACCOUNT")
        self.assertEqual(self.code("north-fin", "TOPUP", "north", 1, "u-own"), "-NOPERM")
        self.assertEqual(self.code("north-fin", "TOPUP", "north-anna", 1, "u-below"), "OK")

        granted = self.call("north-switch", "AUTHORIZE", "north-line", NUMBER, "u-5", "EXPLAIN")
        self.assertEqual([level["party"] for level in granted.levels()], ["north-anna", "north"])
        self.assertEqual(self.call("kam1", "AUTHORIZE", "south-line", NUMBER, "u-6").code, "OK")
        self.assertEqual([session[0] for session in self.call("north-mon", "SESSIONS")[2:]], ["u-5"])
        self.assertEqual(self.code("north-mon", "EXPLAIN", "u-5"), "OK")
        self.assertEqual(self.code("north-mon", "EXPLAIN", "u-6"), "UNKNOWN_SESSION")
        with self.assertRaisesRegex(RespError, "BADARG via"):
            self.call("north-switch", "STOP", "u-5", 1, "VIA", "retail")
        ours = self.call("north-switch", "STOP", "u-5", 60)["record"]
        theirs = self.call("kam1", "STOP", "u-6", 60)["record"]
        self.assertEqual(self.code("north-mon", "EXPLAIN", theirs), "UNKNOWN_SESSION")
        self.assertEqual(self.code("north-fin", "REFUND", theirs, "u-r1"), "UNKNOWN_SESSION")
        self.assertEqual(self.code("north-fin", "REFUND", ours, "u-r2"), "OK")

    # ---- Limits and settings ----

    def test_who_sees_a_line_is_told_nothing_of_what_its_customer_has(self):
        granted = self.call("north-line-switch", "AUTHORIZE", "north-line", NUMBER, "line-1", "WANT", 60)
        self.assertEqual((granted.code, granted["price"], granted["held"]), ("OK", "0.6", "0.6"))
        self.assertEqual((granted["available"], granted["currency"]), ("", "EUR"))
        self.assertEqual(self.code("north-line-switch", "BALANCE", "north-anna"), "UNKNOWN_ACCOUNT")
        seen = self.call("north-switch", "AUTHORIZE", "north-line", NUMBER, "line-2", "WANT", 60)
        self.assertNotEqual(seen["available"], "")
        self.call("north-line-switch", "RELEASE", "line-1")
        self.call("north-switch", "RELEASE", "line-2")

    def test_a_refund_is_noted_with_whose_and_what_and_how_much(self):
        self.assertEqual(self.call("fin", "TOPUP", "south-anna", "2", "noted-1").code, "OK")
        self.assertEqual(self.call("fin", "REFUND", "noted-1", "noted-2", "AMOUNT", "0.5").code, "OK")
        self.assertEqual(self.call("fin", "REFUND", "noted-1", "noted-\x01\"").code, "OK")
        self.assertEqual(outcome(self.clients["fin"], "REFUND", "noted-none", "noted-3"), "UNKNOWN_SESSION")
        entries = self.daemon.http.get("/v1/audit?operation=refund&limit=10").json["entries"]
        self.assertEqual([(e["party"], e["actor"], e["after"]) for e in entries],
                         [("south-anna", "user fin", {"of": "noted-1"}),
                          ("south-anna", "user fin", {"of": "noted-1", "amount": "0.5"})])
        self.assertEqual(set(entries[0]["before"]), {"balance", "available"})

    def test_so_many_requests_a_second(self):
        slow = self.clients["slow"]
        time.sleep(1.1)  # What was used before has worn off.
        slow.send([("PING",)] * 30)
        answers = [slow.read() for _ in range(30)]
        allowed = sum(answer == "PONG" for answer in answers)
        self.assertGreaterEqual(allowed, 10)
        self.assertLess(allowed, 25)
        busy = [str(answer) for answer in answers if answer != "PONG"]
        self.assertTrue(all(text.startswith("BUSY retry after ") for text in busy), busy)
        self.assertEqual(self.code("slow", "AUTHORIZE", "north-line", "112", "help"), "FREE")

    def test_a_switch_has_settings_of_its_own(self):
        granted = self.call("careful", "AUTHORIZE", "north-line", NUMBER, "c-1")
        self.assertEqual((granted.figure, granted["validity"]), ("300", "180"))
        self.assertEqual(self.call("careful", "EXTEND", "c-1", "USED", 1).figure, "301")
        stopped = self.call("careful", "STOP", "c-1", 4000)
        self.assertLess(int(stopped["billed"]), 60)
        self.assertEqual(stopped["flags"], "implausible")
        self.assertEqual(self.call("careful", "STOP", "c-1", 4000)["dup"], "1")
        granted = self.call("kam1", "AUTHORIZE", "north-line", NUMBER, "c-2")
        self.assertEqual((granted.figure, granted["validity"]), ("3600", "3840"))
        self.assertEqual(self.call("kam1", "STOP", "c-2", 600)["billed"], "600")


class Strangers(unittest.TestCase):
    """Who does not log in is let go; here after a second and a half."""

    def closed_after(self, client, began, deadline=20):
        """Seconds from then until the daemon hangs up; whatever it says before."""
        client.socket.settimeout(deadline)
        while client.socket.recv(4096):
            pass
        return time.monotonic() - began

    def test_who_does_not_log_in_is_let_go(self):
        with GuardedDaemon({"kam": {"role": "switch"}}, "resp.login_timeout=1500ms") as daemon:
            kam, reset, gone = (daemon.as_user("kam") for _ in range(3))
            time.sleep(1)
            began = time.monotonic()
            self.assertEqual(reset.call("RESET"), "RESET")
            # The time begins with RESET, not with the connection.
            self.assertGreater(self.closed_after(reset, began), 1)
            began = time.monotonic()
            self.assertLess(self.closed_after(daemon.stranger(), began), 10)
            self.assertEqual(kam.call("PING"), "PONG")
            # Who is declared no more while he says nothing has that time, too.
            daemon.users_file.write_text(declare({"root": {"role": "admin"}}))
            began = time.monotonic()
            daemon.process.send_signal(signal.SIGHUP)
            self.assertGreater(self.closed_after(gone, began), 1)
            self.assertEqual(daemon.resp.call("PING"), "PONG")

    def test_a_guess_on_its_way_does_not_keep_a_place(self):
        with GuardedDaemon({"kam": {"role": "switch"}}, "resp.login_timeout=300ms") as daemon:
            began, answers = time.monotonic(), []
            stranger = daemon.stranger()
            # So many guesses of an address are looked at, one after the other: when the time is over one is on its way.
            try:
                for i in range(20):
                    stranger.socket.sendall(encode(["AUTH", f"guess{i}", "wrong"]))
                    answers.append(stranger.socket.recv(4096))
            except ConnectionError:
                pass  # He has been let go.
            self.assertGreater(time.monotonic() - began, 0.25)
            answers = [text for text in answers if text]
            self.assertLess(len(answers), 20, answers)
            self.assertTrue(answers[-1].startswith(b"-WRONGPASS"), answers)
            self.assertEqual(daemon.as_user("kam").call("PING"), "PONG")

    def test_the_first_users_make_strangers_of_those_who_are_there(self):
        with GuardedDaemon({}, "resp.login_timeout=1500ms") as daemon:
            declared = daemon.users_file.read_text()
            daemon.users_file.write_text("")
            daemon.process.send_signal(signal.SIGHUP)
            idle = daemon.stranger()
            deadline = time.monotonic() + 20
            while outcome(idle, "PING") != "PONG":
                self.assertLess(time.monotonic(), deadline)
                time.sleep(0.05)
            time.sleep(2)
            self.assertEqual(idle.call("PING"), "PONG")
            daemon.users_file.write_text(declared)
            began = time.monotonic()
            daemon.process.send_signal(signal.SIGHUP)
            self.assertGreater(self.closed_after(idle, began), 1)


class Reloads(unittest.TestCase):
    def reload(self, daemon, users, password=PASSWORD):
        def said():
            return daemon.log.read_text().count("kind=reload ")
        before = said()
        daemon.users_file.write_text(declare(users, password))
        daemon.process.send_signal(signal.SIGHUP)
        deadline = time.monotonic() + 60
        while said() == before:
            self.assertLess(time.monotonic(), deadline, daemon.log.read_text())
            time.sleep(0.02)

    def test_all_that_changed_of_users_is_told_and_no_secret(self):
        users = {"root": {"role": "admin"}, "kam": {"role": "switch"}, "gone": {"role": "finance"}}
        with tempfile.TemporaryDirectory(prefix="tollgate-journal-") as journal, \
                GuardedDaemon({"kam": {"role": "switch"}, "gone": {"role": "finance"}},
                              f"journal.dir={journal}") as daemon:
            del users["gone"]
            users["kam"] = {"role": "monitor", "rate": 10, "start": "required", "password": "another one of kam"}
            users["kam"]["password"] = hash_of(users["kam"]["password"])
            users["new"] = {"role": "switch", "under": "north", "dial_plan": "none"}
            # Twice: what waits for a restart is told again, and nothing else.
            for times in (1, 2):
                self.reload(daemon, users)
                log = daemon.log.read_text()
                for key, told in (("gone", 1), ("new", 1), ("kam.role", 1), ("kam.rate", 1), ("kam.password", 1)):
                    self.assertEqual(len(re.findall(rf"kind=reloaded .*key=user\.{key}\b", log)), told, key)
                for key in ("kam.start", "new.dial_plan"):
                    self.assertEqual(len(re.findall(rf"kind=needs_restart .*key=user\.{key}\b", log)), times, key)
            self.assertIn('user.kam.role: \\"switch\\" -> \\"monitor\\"', log)
            self.assertNotIn("argon2", log)
            [entry] = daemon.http.get("/v1/audit?operation=reloadConfiguration&limit=10").json["entries"]
            self.assertEqual(entry["before"], {
                "user.gone": "role=finance", "user.kam.password": "***", "user.kam.role": "switch",
                "user.kam.rate": "", "user.new": ""})
            self.assertEqual(entry["after"], {
                "user.gone": "", "user.kam.password": "changed", "user.kam.role": "monitor",
                "user.kam.rate": "10", "user.new": "role=switch under=north"})

    def test_who_stays_as_he_is_is_not_forgotten(self):
        with GuardedDaemon({"kam": {"role": "switch"}}) as daemon:
            kam = daemon.as_user("kam")
            self.reload(daemon, {"root": {"role": "admin"}, "kam": {"role": "switch"}, "new": {"role": "monitor"}})
            self.assertEqual(kam.call("PING"), "PONG")
            stranger = daemon.stranger()
            guesses = (outcome(stranger, "AUTH", "kam", "wrong") for _ in range(20))
            self.assertIn("-BUSY", guesses)
            # Whose password is not known has to wait now.
            self.assertEqual(daemon.stranger().call("AUTH", "kam", PASSWORD), "OK")


class Restarts(unittest.TestCase):
    def test_calls_that_began_before_there_were_users_can_be_ended(self):
        with tempfile.TemporaryDirectory(prefix="tollgate-journal-") as journal:
            with Daemon(f"journal.dir={journal}") as daemon:
                daemon.tariff("retail", {}, "prefix,rate_per_minute\n44,0.6\n")
                daemon.parties([{"id": "provider", "kind": "provider", "currency": "EUR"},
                                {"id": "anna", "kind": "customer", "parent": "provider", "tariff": "retail"},
                                {"id": "line", "kind": "line", "parent": "anna"}])
                daemon.topup("anna", 100 * MICROS)
                for session in ("one", "two", "old"):
                    self.assertEqual(daemon.resp.call("AUTHORIZE", "line", NUMBER, session).code, "OK")
                with self.assertRaisesRegex(RespError, "ERR AUTH"):
                    daemon.resp.call("AUTH", "kam", PASSWORD)
            users = {"kam": {"role": "switch"}, "other": {"role": "switch", "under": "line"},
                     "elsewhere": {"role": "switch", "under": "nothing"}}
            with GuardedDaemon(users, f"journal.dir={journal}") as daemon:
                kam = daemon.as_user("kam")
                self.assertEqual(outcome(daemon.as_user("elsewhere"), "STOP", "one", 60), "UNKNOWN_SESSION")
                self.assertEqual(kam.call("STOP", "one", 60).figure, "0.6")
                self.assertEqual(daemon.as_user("other").call("STOP", "two", 60).figure, "0.6")
                self.assertEqual(kam.call("AUTHORIZE", "line", NUMBER, "three").code, "OK")
                # Its id begins nothing else while it goes on: not at the price of nothing, either.
                self.assertEqual(kam.call("START", "old").code, "OK")
                self.assertEqual(kam.call("AUTHORIZE", "line", NUMBER, "old").code, "CONFLICT")
                begun = daemon.http.request("POST", "/v1/calls/web:authorize", {"line": "line", "destination": NUMBER})
                self.assertEqual(begun.json["code"], "OK", begun)
            with GuardedDaemon(users, f"journal.dir={journal}") as daemon:
                self.assertEqual(daemon.as_user("other").call("AUTHORIZE", "line", NUMBER, "three")["dup"], "0")
                kam = daemon.as_user("kam")
                self.assertEqual(kam.call("STOP", "three", 60)["status"], "stopped")
                # What was begun over HTTP is nobody else's, after a restart either.
                for words in (("RELEASE", "web"), ("STOP", "web", 0), ("EXTEND", "web", "USED", 1)):
                    self.assertEqual(outcome(kam, *words), "UNKNOWN_SESSION", words)
                ended = daemon.http.request("POST", "/v1/calls/web:stop", {"used": 60})
                self.assertEqual((ended.json["code"], ended.json["charged"]), ("OK", "0.6"), ended)
                # And what was begun by nobody is ended over HTTP.
                ended = daemon.http.request("POST", "/v1/calls/old:stop", {"used": 60})
                self.assertEqual((ended.json["code"], ended.json["charged"]), ("OK", "0.6"), ended)

    def test_money_that_nobody_moved_before_there_were_users_is_not_moved_twice(self):
        with tempfile.TemporaryDirectory(prefix="tollgate-journal-") as journal:
            with Daemon(f"journal.dir={journal}") as daemon:
                daemon.parties([{"id": "provider", "kind": "provider", "currency": "EUR"},
                                {"id": "anna", "kind": "customer", "parent": "provider"},
                                {"id": "bob", "kind": "customer", "parent": "provider"}])
                paid = daemon.resp.call("TOPUP", "anna", "5", "req-1")
                taken = daemon.resp.call("DEBIT", "anna", "1", "req-2")
            users = {"fin": {"role": "finance"}, "anna-fin": {"role": "finance", "under": "provider"},
                     "bob-fin": {"role": "finance", "under": "bob"}}
            with GuardedDaemon(users, f"journal.dir={journal}") as daemon:
                for name in ("fin", "anna-fin"):
                    client = daemon.as_user(name)
                    again = client.call("TOPUP", "anna", "5", "req-1")
                    self.assertEqual((again["dup"], again["txn"], again.figure), ("1", paid["txn"], "5"), name)
                    self.assertEqual(client.call("DEBIT", "anna", "1", "req-2")["txn"], taken["txn"])
                    self.assertEqual(outcome(client, "TOPUP", "anna", "6", "req-1"), "CONFLICT")
                # Of what he does not see nothing is his, and what is new is new.
                self.assertEqual(outcome(daemon.as_user("bob-fin"), "REFUND", "req-1", "r"), "UNKNOWN_SESSION")
                self.assertEqual(daemon.as_user("fin").call("TOPUP", "anna", "5", "req-3")["dup"], "0")
                refunded = daemon.as_user("fin").call("REFUND", "req-1", "req-4")
                self.assertEqual((refunded.code, refunded.figure), ("OK", "4"))
                # The same over HTTP: the first person is declared in between.
                path, body = "/v1/parties/bob/topups", {"amount": "3"}
                first = daemon.http.request("POST", path, body, {"Idempotency-Key": "k"})
                self.assertEqual(first.status, 201, first)
                daemon.http.request("POST", "/v1/people", {
                    "login": "ann", "party": "provider", "role": "admin", "password": PASSWORD})
                token = daemon.http.request("POST", "/v1/login", {"login": "ann", "password": PASSWORD}).json["token"]
                headers = {"Idempotency-Key": "k", "Authorization": f"Bearer {token}"}
                again = daemon.http.request("POST", path, body, headers)
                self.assertEqual((again.status, again.json["txn"]), (201, first.json["txn"]), again)
                self.assertEqual(daemon.resp.call("BALANCE", "bob").figure, "3")

    def test_a_faulty_declaration_is_told_with_its_place_and_without_secrets(self):
        import subprocess
        from daemon import binary
        with tempfile.TemporaryDirectory(prefix="tollgate-users-") as folder:
            path = Path(folder) / "users.toml"
            text = declare({"a": {"role": "switch"}})
            for wrong, expected in (
                    (text + text, "users.toml:6: user.name: \"a\" is declared twice"),
                    (text + 'sources = ["10.0.0.1/8"]\n', "is not a network"),
                    (text + "shoe_size = 43\n", "no such field"),
                    (text.replace("switch", "king"), "one of switch, monitor, finance, admin"),
                    ('[[user]]\nname = "b"\nrole = "switch"\npassword = "open sesame"\n', "no argon2id hash"),
                    ('[[user]]\nname = "b"\nrole = "switch"\n', "password is missing")):
                path.write_text(wrong)
                check = subprocess.run([str(binary()), "--set", f"users.file={path}", "--check"],
                                       capture_output=True, text=True, timeout=60)
                self.assertEqual(check.returncode, 1, wrong)
                self.assertIn(expected, check.stderr)
                self.assertNotIn("open sesame", check.stderr)


if __name__ == "__main__":
    main()
