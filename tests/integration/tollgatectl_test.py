#!/usr/bin/env python3
"""tollgatectl against a running daemon: what an operator does in a day, for people and for programs.

usage: tollgatectl_test.py [TOLLGATED] [-k PATTERN]…   (TOLLGATECTL names the program)
"""

import gzip
import json
import os
import stat
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from daemon import ROOT, Daemon  # noqa: E402
from runner import main  # noqa: E402

CTL = os.environ.get("TOLLGATECTL", str(ROOT / "build/release/tollgatectl"))
DECK = "prefix,destination,rate_per_minute\n44,UK,0.6\n4420,London,0.4\n"
PASSWORD = "correct horse battery"
SECONDS = 60


class Run:
    """One run of the program, over."""

    def __init__(self, arguments, environment, text):
        done = subprocess.run([CTL, *arguments], env=environment, input=text.encode(), stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, timeout=SECONDS)
        self.code, self.out, self.errors = done.returncode, done.stdout.decode(), done.stderr.decode()

    def __repr__(self):
        return f"exit {self.code}\n{self.out}{self.errors}"


class Tollgatectl(unittest.TestCase):
    def setUp(self):
        self.folder = tempfile.TemporaryDirectory(prefix="tollgatectl-")
        self.home = Path(self.folder.name)
        self.daemon = Daemon(f"journal.dir={self.home}/journal").__enter__()
        self.environment = {"PATH": os.environ["PATH"], "HOME": str(self.home), "LC_ALL": "C.UTF-8",
                            "TOLLGATE_URL": f"http://127.0.0.1:{self.daemon.http_port}",
                            "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "")}

    def tearDown(self):
        self.daemon.__exit__(None)
        self.folder.cleanup()

    def ctl(self, *arguments, text="", code=0):
        run = Run(arguments, self.environment, text)
        self.assertEqual(run.code, code, f"tollgatectl {' '.join(arguments)}: {run}")
        return run

    def ctl_on_a_terminal(self, *arguments, says):
        """The exit code, where somebody sits at the terminal and says this."""
        try:
            terminal, its_end = os.openpty()
        except OSError as failure:
            self.skipTest(f"this system has no terminals to give: {failure}")
        try:
            os.write(terminal, says.encode())
            return subprocess.run([CTL, *arguments], env=self.environment, stdin=its_end, stdout=subprocess.DEVNULL,
                                  stderr=subprocess.DEVNULL, timeout=SECONDS).returncode
        finally:
            os.close(terminal)
            os.close(its_end)

    def json(self, *arguments, **more):
        return json.loads(self.ctl("--json", *arguments, **more).out)

    def write(self, name, text):
        path = self.home / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return str(path)

    def world(self):
        self.ctl("parties", "create", "provider", "id=root", "currency=EUR")
        self.ctl("tariffs", "set", "retail", "currency=EUR")
        self.ctl("decks", "put", "retail", self.write("deck.csv", DECK))
        self.ctl("parties", "create", "customer", "id=acme", "parent=root", "currency=EUR", "tariff=retail",
                 "name=Acme & Söhne", "credit_limit=100", "max_calls=30")

    # ---- Parties and money ----

    def test_parties(self):
        self.world()
        shown = self.json("parties", "show", "acme")
        self.assertEqual((shown["name"], shown["credit_limit"], shown["max_calls"]), ("Acme & Söhne", "100", 30))
        self.ctl("parties", "set", "acme", "max_calls=", "name=Acme")
        shown = self.json("parties", "show", "acme")
        self.assertEqual((shown["name"], shown["max_calls"]), ("Acme", None))

        table = self.ctl("parties", "list", "--kind", "customer").out.splitlines()
        self.assertEqual(table[0].split(), "ID KIND PARENT STATUS NAME CUR BALANCE AVAILABLE".split())
        self.assertEqual(table[1].split(), "acme customer root active Acme EUR 0 100".split())
        self.assertEqual(len(table), 2)

        # Page by page, all of them, as CSV: the same parties.
        for i in range(5):
            self.ctl("parties", "create", "line", f"id=line{i}", "parent=acme")
        first = self.json("parties", "list", "--kind", "line", "--limit", "2")
        self.assertEqual(len(first["parties"]), 2)
        self.assertIn("--cursor", self.ctl("parties", "list", "--kind", "line", "--limit", "2").errors)
        rest = self.json("parties", "list", "--kind", "line", "--cursor", first["next"])
        self.assertEqual(len(rest["parties"]), 3)
        every = self.json("parties", "list", "--kind", "line", "--all")
        self.assertEqual([row["id"] for row in every["parties"]], [f"line{i}" for i in range(5)])
        csv = self.ctl("parties", "list", "--kind", "line", "--csv").out.splitlines()
        self.assertEqual(len(csv), 6)
        two = self.ctl("parties", "list", "--kind", "line", "--csv", "--limit", "2").out.splitlines()
        self.assertEqual(two, csv[:3])
        rest = self.ctl("parties", "list", "--kind", "line", "--csv", "--cursor", first["next"]).out.splitlines()
        self.assertEqual(rest, csv[:1] + csv[3:])
        self.assertEqual(
            self.ctl("parties", "list", "--kind", "line", "--csv", "--limit", "2", "--all").out.splitlines(), csv)

        # Without a terminal nobody can be asked: nothing happens, whatever the input says.
        for ids in (["line0"], ["line0", "line1"]):
            self.assertIn("--yes", self.ctl("parties", "close", *ids, text="yes\n", code=2).errors)
        self.assertEqual(self.json("parties", "list", "--status", "closed")["parties"], [])

        self.ctl("parties", "close", "line0", "line1", "line3", "--yes")
        self.ctl("parties", "close", "line2", "--yes")
        self.assertEqual(len(self.json("parties", "list", "--status", "closed")["parties"]), 4)

        imported = self.write("more.ndjson", '{"id":"l8","kind":"line","parent":"acme"}\n')
        self.assertEqual(self.json("parties", "import", imported), {"imported": 1})

    def test_at_a_terminal_closing_is_asked_for(self):
        self.world()
        self.ctl("parties", "create", "line", "id=line0", "parent=acme")
        self.assertEqual(self.ctl_on_a_terminal("parties", "close", "line0", says="no\n"), 1)
        self.assertEqual(self.json("parties", "show", "line0")["status"], "active")
        self.assertEqual(self.ctl_on_a_terminal("parties", "close", "line0", says="yes\n"), 0)
        self.assertEqual(self.json("parties", "show", "line0")["status"], "closed")

    def test_money_moves_once(self):
        self.world()
        self.ctl("parties", "create", "customer", "id=bolt", "parent=root", "currency=EUR", "tariff=retail")
        self.assertEqual(self.json("money", "topup", "acme", "12.50", "--memo", "cash", "--key", "k1")["balance"], "12.5")
        again = self.json("money", "topup", "acme", "12.50", "--memo", "cash", "--key", "k1")
        self.assertEqual((again["balance"], again["dup"]), ("12.5", True))
        # Without a key each is one of its own.
        self.ctl("money", "topup", "acme", "1")
        self.ctl("money", "topup", "acme", "1")
        self.assertEqual(self.json("money", "transfer", "acme", "bolt", "4.50")["balance"], "10")
        self.assertEqual(self.json("money", "debit", "bolt", "0.50")["balance"], "4")
        self.assertIn("409", self.ctl("money", "topup", "acme", "13", "--key", "k1", code=1).errors)
        rows = self.json("money", "list", "acme")["transactions"]
        self.assertEqual([row["amount"] for row in rows], ["-4.5", "1", "1", "12.5"])
        self.assertIn("cash", self.ctl("money", "list").out)
        for whose in ([], ["acme"]):
            csv = self.ctl("money", "list", *whose, "--csv").out.splitlines()
            self.assertGreater(len(csv), 4)
            self.assertEqual(self.ctl("money", "list", *whose, "--csv", "--limit", "3").out.splitlines(), csv[:4])

    # ---- Price lists ----

    def test_decks(self):
        self.world()
        dearer = self.write("dearer.csv.gz", gzip.compress(DECK.replace("0.4", "0.5").encode()))
        checked = self.ctl("decks", "check", "retail", dearer)
        self.assertIn("rows 2, prefixes 2, faults 0", checked.out)
        self.assertEqual(self.json("decks", "put", "retail", dearer)["rows"], 2)
        self.assertIn("0.5", self.ctl("decks", "get", "retail").out)
        diff = self.ctl("decks", "diff", "retail").out
        self.assertRegex(diff, r"4420 +London.* 0\.4 +0\.5 ")
        versions = self.json("decks", "versions", "retail")["versions"]
        self.assertTrue(versions[0]["in_force"])
        self.ctl("decks", "rollback", "retail")
        self.assertIn("0.4", self.ctl("decks", "get", "retail").out)
        self.assertIn("retail", self.ctl("tariffs", "list").out)

    def test_every_fault_of_a_deck_is_told(self):
        self.world()
        faulty = self.write("faulty.csv", "prefix,rate_per_minute\n44x,0.6\n45,cheap\n")
        run = self.ctl("decks", "put", "retail", faulty, code=1)
        self.assertIn("422", run.errors)
        self.assertIn("line 2", run.errors)
        self.assertIn("line 3", run.errors)
        self.assertIn("0.4", self.ctl("decks", "get", "retail").out)  # Nothing changed.
        self.assertIn("No such file", self.ctl("decks", "put", "retail", "/nowhere", code=3).errors)

    def test_progress_is_shown(self):
        self.world()
        deck = "prefix,rate_per_minute\n" + "".join(f"{1_000_000 + i},0.6\n" for i in range(100_000))
        file = self.write("large.csv", deck)
        self.assertNotIn("%", self.ctl("decks", "put", "retail", file).errors)  # Nobody looks.
        bar = self.ctl("--progress", "decks", "put", "retail", file).errors
        self.assertIn("large.csv  [##############################] 100 %", bar)
        self.assertIn("\r", bar)

    # ---- Calls and events ----

    def test_sessions(self):
        self.world()
        self.ctl("parties", "create", "line", "id=l1", "parent=acme")
        self.ctl("money", "topup", "acme", "10")
        answer = self.daemon.resp.call("AUTHORIZE", "l1", "442012345", "call-1", "WANT", "60")
        self.assertEqual(answer[0], "OK")
        self.daemon.resp.call("START", "call-1")
        [row] = self.json("sessions")["sessions"]
        self.assertEqual((row["id"], row["line"], row["destination"], row["state"], row["granted"], row["charged"]),
                         ("call-1", "l1", "442012345", "answered", 60, "0"))
        self.assertIn("call-1", self.ctl("sessions", "--party", "acme").out)
        self.assertEqual(self.json("sessions", "--party", "retail")["sessions"], [])
        self.daemon.resp.call("STOP", "call-1", "30")
        self.assertEqual(self.json("sessions")["sessions"], [])

    def test_tail_tells_each_event_once(self):
        self.world()
        self.ctl("parties", "create", "reseller", "id=res", "parent=root", "currency=EUR", "credit_limit=1000",
                 "warn_percent=90")
        with subprocess.Popen([CTL, "--json", "tail", "--follow"], env=self.environment,
                              stdout=subprocess.PIPE) as tail:
            try:
                time.sleep(1)  # Until it has looked where the end is.
                self.ctl("money", "topup", "acme", "1")
                self.ctl("money", "debit", "res", "901")
                told = []
                while len(told) < 3 or not {"threshold", "money"} <= {event["kind"] for event in told}:
                    told.append(json.loads(tail.stdout.readline()))
            finally:
                tail.kill()
        kinds = [event["kind"] for event in told]
        self.assertEqual(kinds.count("threshold"), 1)
        self.assertEqual(kinds.count("money"), 2)
        numbers = [event["number"] for event in told]
        self.assertEqual(len(numbers), len(set(numbers)))
        # What comes after one of them is the rest of them.
        rest = [json.loads(line) for line in self.ctl("--json", "tail", "--after", numbers[0]).out.splitlines()]
        self.assertEqual([event["number"] for event in rest], numbers[1:])
        self.assertIn("balance -901 EUR", self.ctl("tail", "--all").out)
        # Without a number it is all there is, and nothing after the last.
        self.assertEqual(self.ctl("tail").out, self.ctl("tail", "--all").out)
        self.assertEqual(self.ctl("tail", "--after", numbers[-1]).out, "")

    # ---- Access ----

    def test_a_token_is_kept_for_its_owner_alone(self):
        self.world()
        self.ctl("people", "create", "ann", "root", "admin", text=PASSWORD + "\n")
        self.assertIn("login", self.ctl("parties", "list", code=1).errors)  # 401 now, and what to do.
        self.ctl("login", "ann", text="wrong\n", code=1)
        self.assertIn("logged in as ann", self.ctl("login", "ann", text=PASSWORD + "\n").out)
        token = self.home / ".config/tollgate/token"
        self.assertEqual(stat.S_IMODE(token.stat().st_mode), 0o600)
        self.assertEqual(self.json("whoami")["login"], "ann")
        self.assertEqual([row["login"] for row in self.json("people", "list")["people"]], ["ann"])
        self.assertIn("acme", self.ctl("parties", "list").out)
        self.assertIn("createPerson", self.ctl("audit").out)

        token.chmod(0o644)
        self.assertIn("others may use it", self.ctl("parties", "list", code=1).errors)
        token.chmod(0o600)
        secret = token.read_text()
        self.ctl("logout")
        self.assertFalse(token.exists())
        token.write_text(secret)
        token.chmod(0o600)
        self.assertIn("401", self.ctl("parties", "list", code=1).errors)  # Worth nothing any more.

    # ---- For programs ----

    def test_health_is_one_word(self):
        self.assertEqual(self.ctl("health").out, "ok\n")
        self.ctl("--url", "http://127.0.0.1:1", "health", code=3)

    def test_an_answer_that_cannot_be_written_is_no_success(self):
        self.world()
        for words in (["parties", "list"], ["parties", "list", "--csv"], ["--json", "parties", "show", "acme"]):
            with open("/dev/full", "w", encoding="utf-8") as full:
                done = subprocess.run([CTL, *words], env=self.environment, stdout=full, stderr=subprocess.PIPE,
                                      text=True, timeout=SECONDS)
            self.assertEqual(done.returncode, 1, done.stderr)
            self.assertIn("standard output cannot be written", done.stderr)

    def test_exit_codes(self):
        self.assertIn("404", self.ctl("parties", "show", "nobody", code=1).errors)
        for wrong in (["parties"], ["nothing"], ["parties", "list", "--kind", "fish"], ["parties", "show"],
                      ["parties", "set", "acme"], ["parties", "create", "line", "x"], ["--timeout", "0", "health"],
                      ["money", "topup", "acme"], []):
            self.ctl(*wrong, code=2)
        self.ctl("--url", "http://127.0.0.1:1", "health", code=3)
        self.assertIn("unencrypted", Run(["--url", "http://192.0.2.1", "--timeout", "1", "login", "ann"],
                                         self.environment, "x\n").errors)

    def test_what_others_wrote_does_nothing_to_a_terminal(self):
        self.world()
        self.ctl("parties", "create", "line", "id=l1", "parent=acme")
        self.ctl("money", "topup", "acme", "10")
        self.daemon.resp.call("AUTHORIZE", "l1", "442012345", "call\x1b[2J", "WANT", "60")
        self.assertNotIn("\x1b", self.ctl("sessions").out)
        self.assertIn("call\\x1b[2J", self.ctl("sessions").out)

    def test_any_request(self):
        self.world()
        self.assertEqual(self.json("api", "GET", "/v1/parties/acme")["id"], "acme")
        moved = self.json("api", "POST", "/v1/parties/acme/topups", '{"amount":"3"}', "--key", "k9")
        self.assertEqual(moved["balance"], "3")
        self.ctl("api", "POST", "/v1/parties/acme/topups", "{", code=2)

    def test_completion(self):
        for shell in ("bash", "zsh"):
            self.assertIn("tollgatectl", self.ctl("completion", shell).out)
        self.ctl("completion", "fish", code=2)


if __name__ == "__main__":
    main()
