#!/usr/bin/env python3
"""How long a call may last for the funds there are, and what waits for it meanwhile.

Goal: every row of the admission vectors comes out as its column `tollgate_expected` says.
Method: for each row a daemon with the row's chain, prices and funds, and the row's commands. Simple rows are one
AUTHORIZE; MOR's freeze, PortaOne's re-authorisation and Sippy's growing grants are played with EXTEND, thirty calls at
once on as many connections. Where the column says `same`, the other system's result is the expected one; `policy cap`
is `max_seconds`.
"""

import csv
import json
import re
import sys
import threading
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from daemon import Daemon  # noqa: E402
from runner import DATA, main, needs_data  # noqa: E402
from wire import MICROS, micros, money  # noqa: E402

NUMBER = "442071234567"
LONGEST = 86_400
ROWS = ("AD01", "AD02", "AD03", "AD04", "AD06", "AD08", "AD09", "AD10", "AD12", "AD20", "AD21", "AD31", "AD33",
        "AD40", "AD41", "AD42", "AD43", "AD44")


def rows():
    with open(DATA / "vectors/admission.csv", encoding="utf-8", newline="") as file:
        return {row["id"]: row for row in csv.DictReader(file)}


def expected_seconds(row):
    """The grant that a row expects; 0 is a refusal."""
    text = row["tollgate_expected"]
    if text == "same" or text.startswith("policy cap"):
        text = row["legacy_result"]
    seconds = re.match(r"(\d+)(?:\.0+)? s", text)
    return int(seconds[1]) if seconds else 0


def level(balance="0", rate="0", credit_limit="0", connect="0", initial=1, increment=1, included=0, **fields):
    """One payer: its price a minute, its funds, and what else its party says."""
    return {"deck": "prefix,rate_per_minute,connect_fee,initial_increment,increment,included_seconds\n"
                    f"44,{rate},{connect},{initial},{increment},{included}\n",
            "balance": micros(balance), "party": {"credit_limit": credit_limit, **fields}}


class World:
    """A line below a customer below resellers; `levels` from the customer up."""

    def __init__(self, *levels, settings=()):
        self.levels, self.daemon = levels, Daemon("session.longest=24h", *settings)

    def __enter__(self):
        daemon = self.daemon.__enter__()
        parties = [{"id": "root", "kind": "provider", "currency": "EUR"}]
        for at, one in reversed(list(enumerate(self.levels))):
            daemon.tariff(f"tariff-{at}", {}, one["deck"])
            parties.append({"id": f"level-{at}", "kind": "reseller" if at else "customer", "parent": parties[-1]["id"],
                            "tariff": f"tariff-{at}", **one["party"]})
        parties.append({"id": "line", "kind": "line", "parent": "level-0"})
        daemon.parties(parties)
        for at, one in enumerate(self.levels):
            if one["balance"] > 0:
                daemon.topup(f"level-{at}", one["balance"])
            elif one["balance"] < 0:
                answer = daemon.resp.call("DEBIT", f"level-{at}", money(-one["balance"]), f"owes-{at}")
                assert answer.code == "OK", answer
        self.call = daemon.resp.call
        return self

    def __exit__(self, *failure):
        if not failure[0]:
            self.daemon.assert_settled()
        return self.daemon.__exit__(*failure)

    def authorize(self, session, want=None):
        return self.call("AUTHORIZE", "line", NUMBER, session, *(("WANT", want) if want else ()))

    def money(self):
        """(balance, held, available) of the customer, as texts."""
        return tuple(answer_text(amount) for amount in self.daemon.account("level-0"))


def answer_text(amount):
    return money(amount).rstrip("0").rstrip(".")


def simple(row):
    """The levels of a row of one AUTHORIZE."""
    given = json.loads(row["input_json"])
    if row["id"] == "AD20":  # Told in its case: customer 10 at .30, R1 prepaid 3, R0 postpaid limit 100, owes 80.
        return [level("10", "0.30"), level("3", "0.20", connect="0.03"), level("-80", "0.12", credit_limit="100")]
    if row["id"] == "AD21":
        balance, rate = re.match(r"([\d.]+) @ ([\d.]+)", given["reseller"]).groups()
        return [level("10", "0.30", connect="0.05"), level(balance, f"0{rate}")]
    if "r" in given:  # A2Billing: its rate, first block and blocks are numbered columns.
        return [level(str(given["credit"]), str(given["r"]["12"]), initial=given["r"]["13"],
                      increment=given["r"]["14"], min_available=str(given.get("min_credit", 0)))]
    # ASTPP: a postpaid balance is what is owed.
    balance = money(-micros(given["balance"])) if given.get("post") else given["balance"]
    cap = {"max_seconds": expected_seconds(row)} if row["tollgate_expected"].startswith("policy cap") else {}
    return [level(balance, given["cost"], given.get("limit", "0"), given["connect"], given.get("init", 1),
                  given.get("inc", 1), given.get("incl", 0), **cap)]


class AdmissionVectors(unittest.TestCase):
    @needs_data("vectors/admission.csv")
    def setUp(self):
        self.rows = rows()

    def test_every_row_is_played(self):
        self.assertEqual(set(self.rows), set(ROWS))

    def test_one_authorize(self):
        simple_rows = [row for row in self.rows.values() if row["id"] < "AD40"]
        for row in simple_rows:
            with self.subTest(row["id"], what=row["case"]), World(*simple(row)) as world:
                answer = world.authorize("call", LONGEST)
                seconds = expected_seconds(row)
                self.assertEqual(int(answer.figure), seconds, answer)
                if seconds == 0:
                    self.assertEqual((answer.code, answer["reason"]), ("CREDIT_LIMIT", "funds"), answer)
                    continue
                self.assertEqual(answer.code, "FREE" if row["id"] == "AD09" else "OK", answer)
                if row["id"] == "AD20":
                    self.assertEqual(answer["level"], "level-1", answer)
                self.assertEqual(world.call("RELEASE", "call").code, "OK")

    def test_ad40_what_a_call_holds_the_next_one_does_not_have(self):
        story = json.loads(self.rows["AD40"]["input_json"])
        with World(level("8", "0.2"), settings=("session.want=1800s",)) as world:
            for number in (1, 2):
                answer = world.authorize(f"call{number}")
                step = story[number - 1]
                self.assertEqual((int(answer.figure), answer["held"], answer["available"]),
                                 (step["max_s"], step["lock"], step["free"]), answer)
            answer = world.authorize("call3")
            self.assertEqual((answer.code, answer["reason"]), ("CREDIT_LIMIT", "held"), answer)
            self.assertEqual(world.call("STOP", "call1", 720).figure, story[3]["charge"])
            self.assertEqual(world.money()[:2], (story[3]["balance"], story[3]["locked"]))
            self.assertEqual(int(world.authorize("call4").figure), story[4]["max_s"])
            self.assertEqual(world.call("RELEASE", "call4").code, "OK")
            self.assertEqual(world.call("STOP", "call2", 540).figure, story[5]["charge"])
            self.assertEqual(world.money()[:2], (story[5]["balance"], story[5]["locked"]))

    def test_ad41_a_running_call_asks_for_more(self):
        with World(level("10", "1"), settings=("session.want=180s",)) as world:
            for session, left in (("A", "7"), ("B", "4")):
                answer = world.authorize(session)
                self.assertEqual((int(answer.figure), answer["held"], answer["available"]), (180, "3", left))
                self.assertEqual(world.call("START", session).code, "OK")
            answer = world.call("EXTEND", "A", "USED", 180)
            self.assertEqual((int(answer.figure), answer["charged"], answer["final"]), (360, "3", "0"), answer)
            self.assertEqual(world.money(), ("7", "6", "1"))
            answer = world.call("EXTEND", "B", "USED", 180)
            self.assertEqual((int(answer.figure), answer["final"], answer["level"]), (240, "1", "level-0"), answer)
            self.assertEqual(world.money()[2], "0")
            answer = world.call("EXTEND", "A", "USED", 360)
            self.assertEqual((int(answer.figure), answer["final"], answer["charged"]), (360, "1", "6"), answer)
            self.assertEqual(world.call("STOP", "A", 360).figure, "6")
            self.assertEqual(world.call("STOP", "B", 240).figure, "4")
            self.assertEqual(world.money(), ("0", "0", "0"))

    def test_ad42_each_grant_is_what_the_switch_asks_for(self):
        grants = json.loads(self.rows["AD42"]["input_json"])[0]["grants_s"]
        with World(level("1000", "1")) as world:
            self.assertEqual(int(world.authorize("call", grants[0]).figure), grants[0])
            used = grants[0]
            for grant in grants[1:]:
                answer = world.call("EXTEND", "call", "USED", used, "WANT", grant)
                self.assertEqual(int(answer.figure), used + grant, answer)
                used += grant
            self.assertEqual(world.call("STOP", "call", used)["status"], "stopped")

    def test_ad43_thirty_calls_at_once(self):
        with World(level("1", "1", initial=60, increment=60)) as world:
            clients = [world.daemon.connect() for _ in range(30)]
            together, answers = threading.Barrier(len(clients)), [None] * len(clients)

            def start(at):
                together.wait()
                answers[at] = clients[at].call("AUTHORIZE", "line", NUMBER, f"call-{at}", "WANT", 60)

            threads = [threading.Thread(target=start, args=(at,)) for at in range(len(clients))]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            codes = [answer.code for answer in answers]
            self.assertEqual((codes.count("OK"), codes.count("CREDIT_LIMIT")), (1, 29), codes)
            self.assertEqual(world.money(), ("1", "1", "0"))
            world.call("STOP", f"call-{codes.index('OK')}", 60)
            self.assertEqual(world.money(), ("0", "0", "0"))

    def test_ad44_what_a_call_holds_cannot_be_taken_away(self):
        # Transfers between parties are refused alike; until there are any, a debit stands for one.
        with World(level("5", "0.2083")) as world:
            self.assertEqual(world.authorize("call").code, "OK")
            balance, held, available = world.daemon.account("level-0")
            self.assertEqual(balance, 5 * MICROS)
            self.assertGreater(held, 0)
            self.assertEqual(world.call("DEBIT", "level-0", 5, "all").code, "CREDIT_LIMIT")
            if available > 0:
                self.assertEqual(world.call("DEBIT", "level-0", money(available), "what-is-left").code, "OK")
            self.assertEqual(world.daemon.account("level-0")[1:], (held, 0))
            self.assertEqual(world.call("STOP", "call", 1440).code, "OK")


if __name__ == "__main__":
    main()
