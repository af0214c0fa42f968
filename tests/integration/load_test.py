#!/usr/bin/env python3
"""tollgate-load against a running daemon: what it finds true, what it finds late, and what it says.

Goal: calls with whole life cycles are true and the books agree; a pause of the daemon shows in the percentiles although
calls were only due meanwhile; a wrong command line is told apart from a daemon that is not there.
Method: the generator that the environment's TOLLGATE_LOAD names makes some thousand calls; the daemon is stopped for 300 ms
by a signal in one of the runs.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from daemon import ROOT, Daemon, scaled  # noqa: E402
from runner import DATA, main, needs_data  # noqa: E402
from users import PASSWORD, GuardedDaemon  # noqa: E402
from wire import MICROS, micros  # noqa: E402

LOAD = Path(os.environ.get("TOLLGATE_LOAD", ROOT / "build/release/tollgate-load")).resolve()
CUSTOMERS = 50
RATE = scaled(1_000, 200)
NAMES = ["--lines", "l{0..49}", "--numbers", "4930{000..099}", "--customers", "c{0..49}"]


def run(daemon, *options, env=None):
    """(exit code, what was measured or None, standard error)."""
    done = subprocess.run([LOAD, "--connect", f"127.0.0.1:{daemon.resp_port}", "--json", "-", "--quiet", *options],
                          capture_output=True, text=True, env={**os.environ, **(env or {})})
    return done.returncode, json.loads(done.stdout) if done.stdout else None, done.stderr


class Load(unittest.TestCase):
    def setUp(self):
        self.daemon = self.enterContext(Daemon())
        self.daemon.tariff("wholesale", {}, "prefix,rate_per_minute\n49,0.06\n")
        self.daemon.tariff("retail", {}, "prefix,rate_per_minute,connect_fee,initial_increment,increment\n"
                                         "49,0.6,0.01,30,6\n")
        parties = [{"id": "root", "kind": "provider", "currency": "EUR"},
                   {"id": "north", "kind": "reseller", "parent": "root", "terms": "margin", "tariff": "wholesale"}]
        for customer in range(CUSTOMERS):
            parties += [{"id": f"c{customer}", "kind": "customer", "parent": "north", "tariff": "retail"},
                        {"id": f"l{customer}", "kind": "line", "parent": f"c{customer}"}]
        self.daemon.parties(parties)
        self.daemon.topups({"north": 10**12, **{f"c{customer}": 10**12 for customer in range(CUSTOMERS)}})

    def good(self, *options):
        code, figures, errors = run(self.daemon, *options)
        self.assertEqual((code, errors), (0, ""), figures)
        self.assertTrue(figures["good"], figures)
        self.assertEqual(figures["books"]["by"], f"balances of {CUSTOMERS} customers and INFO books")
        self.daemon.assert_settled()
        return figures

    def test_whole_lives_of_calls_are_true(self):
        figures = self.good(*NAMES, "--rate", str(RATE), "--for", "2s", "--speed", "200", "--repeat", "0.1", "--hung-up",
                            "0.3", "--long", "0.05", "--zipf-lines", "1", "--zipf-numbers", "1", "--threads", "2")
        self.assertEqual(figures["calls"], 2 * RATE)
        self.assertEqual(figures["granted"], 2 * RATE)
        self.assertGreater(figures["repeats"], 0)
        self.assertEqual(set(figures["verbs"]), {"AUTHORIZE", "START", "EXTEND", "STOP", "RELEASE"})
        spent = CUSTOMERS * 10**12 - sum(self.daemon.account(f"c{customer}")[0] for customer in range(CUSTOMERS))
        self.assertGreater(spent, 0)
        self.assertEqual(micros(figures["charged"]), spent)

    def test_a_pause_of_the_daemon_shows(self):
        """Of 1.5 s the daemon stands still for 0.3 s: a fifth of the calls were due meanwhile."""
        quiet = self.good(*NAMES, "--pair", "--rate", str(RATE), "--for", "1500ms")

        def pause():
            time.sleep(0.6)
            self.daemon.process.send_signal(signal.SIGSTOP)
            time.sleep(0.3)
            self.daemon.process.send_signal(signal.SIGCONT)

        pausing = threading.Thread(target=pause)
        pausing.start()
        paused = self.good(*NAMES, "--pair", "--rate", str(RATE), "--for", "1500ms")
        pausing.join()
        self.assertEqual(paused["calls"], quiet["calls"])
        self.assertGreater(paused["latency"]["max_us"], 250_000)
        self.assertGreater(paused["latency"]["p90_us"], 50_000)
        print(f"p90 {quiet['latency']['p90_us']} us, with a pause {paused['latency']['p90_us']} us", flush=True)

    def test_steps_and_a_spike_are_seen_apart(self):
        figures = self.good(*NAMES, "--pair", "--rate", f"{RATE}:500ms,{4 * RATE}:200ms,{RATE}:300ms")
        self.assertEqual([step["calls_wanted"] for step in figures["steps"]], [RATE, 4 * RATE, RATE])
        self.assertEqual(figures["calls"], RATE // 2 + 4 * RATE // 5 + 3 * RATE // 10)
        self.assertEqual(len(figures["intervals"]), 11)

    def test_saturated_and_searched(self):
        figures = self.good(*NAMES, "--pair", "--saturate", "4", "--for", "300ms")
        self.assertFalse(figures["open_loop"])
        self.assertGreater(figures["operations"], 100)
        figures = self.good(*NAMES, "--pair", "--find-limit", "1h", "--limit-from", "100", "--limit-to", "150", "--for",
                            "200ms")
        self.assertEqual(figures["limit"], 150)
        self.assertEqual([probe["calls_wanted"] for probe in figures["probes"]], [100, 150])

    def test_refusals_are_counted_and_wrong_books_are_found(self):
        figures = self.good(*NAMES[:2], "--numbers", "33{0..9}", *NAMES[4:], "--pair", "--rate", "200", "--for", "500ms")
        self.assertEqual(figures["refused_by_code"], {"RATING_FAILED": 100})
        # c1 is not who pays for l0.
        code, figures, _ = run(self.daemon, "--lines", "l0", "--numbers", "4930", "--customers", "c1", "--pair", "--rate",
                               "100", "--for", "200ms")
        self.assertEqual(code, 1)
        self.assertFalse(figures["good"])
        self.assertEqual(figures["wrong"], 0)
        self.assertIn("c1: his balance fell by 0, his calls were said to cost", figures["books"]["faults"][0])

    @unittest.skipUnless(shutil.which("gnuplot"), "there is no gnuplot")
    def test_plots_are_drawn(self):
        with tempfile.TemporaryDirectory() as folder:
            self.good(*NAMES, "--pair", "--rate", "100:200ms,200:200ms", "--plots", f"{folder}/plot")
            for name in ("latency", "throughput"):
                self.assertIn("<svg", (Path(folder) / f"plot-{name}.svg").read_text())

    def test_a_wrong_command_line_says_where_and_what(self):
        for options, said in (
                (["--rate", "0"], '--rate: "0:10s" has no rate from 1 to 10000000 calls a second'),
                (["--rate", "5:1"], '--rate: "1" has no unit; write 180s, 3m or 1h'),
                ([], "--rate: is missing; write calls a second"),
                (["--rate", "5", "--connections", "0"], "--connections: 0 is not within 1 to 20000"),
                (["--rate", "5", "--repeat", "2"], "--repeat: is no share; write a number from 0 to 1"),
                (["--rate", "5", "--user", "x"], "--user: has no password; name a file with --password-file, or set "
                                                 "TOLLGATE_LOAD_PASSWORD"),
                (["--rate", "5", "--saturate", "1"], "--saturate: has no rate; leave --rate away"),
                (["--rate", "5", "--calls", "/nowhere"], "--calls: /nowhere: cannot be read; name a CSV of calls"),
        ):
            code, _, errors = run(self.daemon, *NAMES, *options)
            self.assertEqual(code, 2, errors)
            self.assertIn(said, errors)
        code, _, errors = run(self.daemon, *NAMES, "--rate", "5", "--customers", "nobody")
        self.assertNotEqual(code, 0)
        code, _, errors = run(self.daemon, "--lines", "l0", "--numbers", "1", "--rate", "5", "--connect", "/nowhere")
        self.assertNotEqual(code, 0)

    @needs_data("sample_calls.csv", "sample_deck.csv")
    def test_a_list_of_calls_is_made(self):
        self.daemon.tariff("deck", {}, (DATA / "sample_deck.csv").read_bytes())
        accounts = sorted({line.split(",")[1] for line in (DATA / "sample_calls.csv").read_text().splitlines()[1:]})
        self.daemon.parties([party for account in accounts for party in (
            {"id": account, "kind": "customer", "parent": "root", "tariff": "deck"},
            {"id": f"{account}-line", "kind": "line", "parent": account})])
        self.daemon.topups({account: 1_000_000 * MICROS for account in accounts})
        # A week in a second and a half.
        code, figures, errors = run(self.daemon, "--calls", DATA / "sample_calls.csv", "--lines", "{account}-line",
                                    "--customers", "{account}", "--at", "--speed", str(scaled(400_000, 100_000)))
        self.assertEqual((code, errors), (0, ""), figures)
        self.assertEqual(figures["calls"], 10_000)
        self.assertEqual(set(figures["refused_by_code"]), {"RATING_FAILED"})
        self.assertIn(f"balances of {len(accounts)} customers", figures["books"]["by"])


class LoadWithLogin(unittest.TestCase):
    """A switch may make calls, but not see INFO books."""

    def test_logs_in_without_showing_the_password(self):
        daemon = self.enterContext(GuardedDaemon({"kam": {"role": "switch"}}))
        password = Path(daemon.folder.name) / "password"
        calls = ["--lines", "l{0..9}", "--numbers", "49", "--pair", "--rate", "100", "--for", "200ms", "--connections", "2"]
        for options, env in ((["--password-file", str(password)], {}), ([], {"TOLLGATE_LOAD_PASSWORD": PASSWORD})):
            password.write_text(PASSWORD + "\n")
            code, figures, errors = run(daemon, *calls, "--user", "kam", *options, env=env)
            self.assertEqual((code, errors), (0, ""))
            self.assertEqual(figures["refused_by_code"], {"UNKNOWN_ACCOUNT": 20})
            self.assertTrue(figures["books"]["by"].startswith("nothing: this user may not see INFO books"))
            self.assertNotIn(PASSWORD, json.dumps(figures))
        password.write_text("another one\n")
        code, _, errors = run(daemon, *calls, "--user", "kam", "--password-file", str(password))
        self.assertEqual(code, 3)
        self.assertIn("the login was refused: WRONGPASS", errors)
        self.assertNotIn("another one", errors)


if __name__ == "__main__":
    main()
