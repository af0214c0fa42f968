#!/usr/bin/env python3
"""A million parties come in by one request, all of them or none, and nobody else waits for it.

Goal: POST /v1/parties:import takes 1,000,000 parties; it says line and field of a faulty one and then has changed
nothing; meanwhile /healthz answers within 100 ms and calls are authorised and ended.
Method: 1,000 resellers, 499,500 customers and 499,500 lines, 200 MB as a full export has them, are sent three times by
a process of its own: with a faulty line near the end, then good, then good with other ids. All the while another
connection asks /healthz and a third makes calls, and each answer is timed. Of the two good imports the better one
counts: a busy machine may delay an answer once, what the daemon does it does each time. Seconds, bytes a party
and the growth of the process are printed.
"""

import json
import multiprocessing
import sys
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from daemon import SANITIZED, Daemon, scaled  # noqa: E402
from runner import main  # noqa: E402
from wire import MICROS, HttpClient, micros  # noqa: E402

PARTIES = scaled(1_000_000, 50_000)
RESELLERS = 1_000
CUSTOMERS = (PARTIES - RESELLERS) // 2
FAULTY_LINE = PARTIES - 10
HEALTHZ_SECONDS = 0.1 * (10 if SANITIZED else 1)
EVERY = 0.002  # Between two looks, so that looking does not slow down what is looked at.
NUMBER = "442071234567"


def party_lines(series):
    """The body's lines, parents first; `series` makes the ids of one body differ from those of another."""
    common = {"currency": "EUR", "time_zone": "Europe/Vienna", "status": "active"}
    account = {**common, "billing": "postpaid", "min_available": "0", "loss_policy": "allow"}
    for at in range(RESELLERS):
        yield json.dumps({"id": f"reseller-{series}{at:04}", "kind": "reseller", "parent": "provider",
                          "terms": "margin", **account, "credit_limit": "1000", "tariff": "resale"})
    for at in range(CUSTOMERS):
        customer = f"customer-{series}{at:06}"
        yield json.dumps({"id": customer, "kind": "customer", "parent": f"reseller-{series}{at % RESELLERS:04}",
                          **account, "credit_limit": "0", "tariff": "retail", "max_calls": 2})
        yield json.dumps({"id": f"line-{series}{at:06}", "kind": "line", "parent": customer, **common,
                          "max_calls": 1})


def send_import(port, body, answers):
    """In a process of its own: sends the request, and says when it began, how long it took and what came."""
    client = HttpClient(port)
    begun = time.monotonic()
    reply = client.request("POST", "/v1/parties:import", body, {"Content-Type": "application/x-ndjson"})
    answers.put((time.monotonic() - begun, reply.status, reply.text))
    client.close()


def resident_bytes(pid):
    for line in Path(f"/proc/{pid}/status").read_text(encoding="ascii").splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise AssertionError("no VmRSS")


class Import(unittest.TestCase):
    def setUp(self):
        self.daemon = self.enterContext(Daemon())
        self.daemon.tariff("retail", {}, "prefix,rate_per_minute\n44,0.6\n")
        self.daemon.tariff("resale", {}, "prefix,rate_per_minute\n44,0.3\n")
        self.daemon.parties([{"id": "provider", "kind": "provider", "currency": "EUR"},
                             {"id": "early", "kind": "customer", "parent": "provider", "tariff": "retail"},
                             {"id": "early-line", "kind": "line", "parent": "early"}])
        self.daemon.topup("early", 1_000_000 * MICROS)
        self.calls = 0

    def call(self, line, charge="0.100000"):
        """A whole call of 10 s."""
        self.calls += 1
        opened = self.daemon.resp.call("AUTHORIZE", line, NUMBER, f"call-{self.calls}", "WANT", 60)
        self.assertEqual((opened.code, opened.figure), ("OK", "60"), opened)
        stopped = self.daemon.resp.call("STOP", f"call-{self.calls}", 10)
        self.assertEqual((stopped.code, micros(stopped.figure)), ("OK", micros(charge)), stopped)

    def import_while_others_work(self, body):
        """(seconds, slowest /healthz, status, JSON) of the import, while others are served."""
        context = multiprocessing.get_context("fork")
        answers = context.Queue()
        process = context.Process(target=send_import, args=(self.daemon.http_port, body, answers))
        process.start()
        health_seconds, call_seconds = [], []
        while answers.empty():
            begun = time.monotonic()
            self.assertEqual(self.daemon.http.get("/healthz").status, 200)
            health_seconds.append(time.monotonic() - begun)
            begun = time.monotonic()
            self.call("early-line")
            call_seconds.append(time.monotonic() - begun)
            time.sleep(EVERY)
        seconds, status, text = answers.get()
        process.join()
        health_seconds.sort()
        call_seconds.sort()

        def times(name, of_all):
            return (f"{name}: median {1000 * of_all[len(of_all) // 2]:.1f} ms, "
                    f"slowest {1000 * of_all[-1]:.1f} ms of {len(of_all)}")

        print(f"import of {len(body)} bytes: {status} after {seconds:.2f} s; meanwhile "
              f"{times('/healthz', health_seconds)}; {times('whole calls', call_seconds)}", flush=True)
        self.assertGreater(len(health_seconds), 3, "the import was over before anyone else was served")
        return seconds, health_seconds[-1], status, json.loads(text)

    def exists(self, party):
        status = self.daemon.http.get(f"/v1/parties/{party}").status
        self.assertIn(status, (200, 404), party)
        return status == 200

    def counts(self):
        """Parties and their bytes by INFO, and the bytes of the process."""
        info = self.daemon.info("tollgate")
        return int(info["parties"]), int(info["party_bytes"]), resident_bytes(self.daemon.process.pid)

    def check_good_import(self, body, samples):
        """Imports a million; returns how long the slowest /healthz took meanwhile."""
        self.assertFalse(any(map(self.exists, samples)))
        parties_before, bytes_before, resident_before = self.counts()
        seconds, slowest, status, answer = self.import_while_others_work(body)
        self.assertEqual((status, answer), (200, {"imported": PARTIES}))
        parties, party_bytes, resident = self.counts()
        self.assertEqual(parties, parties_before + PARTIES)
        self.assertTrue(all(map(self.exists, samples)))
        print(f"{PARTIES} parties in {seconds:.2f} s; bytes a party: {party_bytes / parties:.0f} by INFO, "
              f"{(party_bytes - bytes_before) / PARTIES:.0f} added by INFO, "
              f"{(resident - resident_before) / PARTIES:.0f} more resident", flush=True)
        return slowest

    def test_a_million_parties_by_one_request(self):
        last = CUSTOMERS - 1
        ids = ["reseller-{}0000", "reseller-{}0999", "customer-{}000000", f"line-{{}}{CUSTOMERS // 2:06}",
               f"customer-{{}}{last:06}", f"line-{{}}{last:06}"]
        samples = {series: [name.format(series) for name in ids] for series in "ab"}
        lines = list(party_lines("a"))
        self.assertEqual(len(lines), PARTIES)
        parties_before = self.counts()[0]

        good = lines[FAULTY_LINE - 1]
        lines[FAULTY_LINE - 1] = good.replace('"max_calls": ', '"max_calls": -')
        _, _, status, problem = self.import_while_others_work("\n".join(lines).encode())
        self.assertEqual(status, 422, problem)
        self.assertEqual([(fault["line"], fault["field"]) for fault in problem["errors"]],
                         [(FAULTY_LINE, "max_calls")], problem)
        self.assertEqual(self.counts()[0], parties_before)

        lines[FAULTY_LINE - 1] = good
        slowest = [self.check_good_import("\n".join(lines).encode(), samples["a"])]
        lines = list(party_lines("b"))
        slowest.append(self.check_good_import("\n".join(lines).encode(), samples["b"]))

        # Beside a thousand that exist already a fresh one is not taken either.
        fresh = json.dumps({"id": "fresh", "kind": "customer", "parent": "provider"})
        reply = self.daemon.http.request("POST", "/v1/parties:import", "\n".join([fresh, *lines[-1_000:]]),
                                         {"Content-Type": "application/x-ndjson"})
        self.assertEqual(reply.status, 422, reply)
        fault = reply.json["errors"][0]
        self.assertEqual((fault["line"], fault["field"]), (2, "id"), fault)
        self.assertFalse(self.exists("fresh"))

        # The last of them makes a call like anyone else.
        refused = self.daemon.resp.call("AUTHORIZE", f"line-b{last:06}", NUMBER, "no-money")
        self.assertEqual((refused.code, refused["level"]), ("CREDIT_LIMIT", f"customer-b{last:06}"), refused)
        self.daemon.topup(f"customer-b{last:06}", 10 * MICROS)
        self.call(f"line-b{last:06}")
        self.assertEqual(self.daemon.account(f"reseller-b{last % RESELLERS:04}")[0], -50_000)
        self.daemon.assert_settled()
        self.assertLessEqual(min(slowest), HEALTHZ_SECONDS, "seconds until /healthz answered")


if __name__ == "__main__":
    main()
