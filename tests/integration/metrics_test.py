#!/usr/bin/env python3
"""What an operator watches a running tollgated by: /metrics, a real Prometheus that scrapes it, rules, dashboard, INFO and
SLOWLOG.

usage: metrics_test.py [TOLLGATED] [-k PATTERN]…
"""

import json
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from api import Api  # noqa: E402
from daemon import ROOT, Daemon, scaled  # noqa: E402
from runner import main  # noqa: E402
from stores import Redis, needs_redis  # noqa: E402
from wire import RespError  # noqa: E402

import yaml  # noqa: E402

CONFIG = ROOT / "config"
RULES = CONFIG / "prometheus/tollgate.rules.yml"
DASHBOARD = CONFIG / "grafana/tollgate.json"
PAGE = ROOT / "docs/metrics.md"
SECONDS = 60
TYPE = "text/plain; version=0.0.4; charset=utf-8"
NAME = re.compile(r"\b(?:tollgate|process)_[a-z0-9_]+\b")
SERIES = re.compile(r'^([a-z0-9_]+)(?:\{(.*)\})? (\S+)$')
LABEL = re.compile(r'([a-z_]+)="((?:[^"\\]|\\.)*)"')

needs_promtool = unittest.skipIf(shutil.which("promtool") is None, "promtool is not installed")
needs_prometheus = unittest.skipIf(shutil.which("prometheus") is None, "prometheus is not installed")


class Scrape:
    """One answer of /metrics, taken apart."""

    def __init__(self, text):
        self.text = text
        self.types = dict(re.findall(r"^# TYPE (\S+) (\S+)$", text, re.MULTILINE))
        self.helps = dict(re.findall(r"^# HELP (\S+) (.+)$", text, re.MULTILINE))
        self.series = []
        for line in text.splitlines():
            if not line.startswith("#"):
                name, labels, value = SERIES.match(line).groups()
                self.series.append((name, dict(LABEL.findall(labels or "")), float(value)))

    def sum(self, name, **labels):
        """Of all series with these labels; 0 where there is none."""
        return sum(value for known, has, value in self.series
                   if known == name and all(has.get(key) == text for key, text in labels.items()))


def scrape(daemon):
    reply = daemon.http.get("/metrics")
    assert reply.status == 200 and reply.headers["Content-Type"] == TYPE, reply
    return Scrape(reply.text)


def world(daemon):
    """A minute to 49… costs alice 0.6, acme 0.3 and the provider 0.1; to 1… alice 6."""
    daemon.tariff("retail", {}, "prefix,rate_per_minute\n49,0.6\n1,6\n")
    daemon.tariff("resale", {}, "prefix,rate_per_minute\n49,0.3\n1,3\n")
    daemon.tariff("wholesale", {}, "prefix,rate_per_minute\n49,0.1\n1,1\n")
    daemon.parties([
        {"id": "root", "kind": "provider", "currency": "EUR", "tariff": "wholesale"},
        {"id": "acme", "kind": "reseller", "parent": "root", "tariff": "resale"},
        {"id": "alice", "kind": "customer", "parent": "acme", "tariff": "retail"},
        {"id": "desk", "kind": "line", "parent": "alice"},
    ])
    daemon.topups({"alice": 10_000_000, "acme": 100_000_000})


def wait_for(look, what):
    """What `look` returns, once that is something."""
    deadline = time.monotonic() + SECONDS
    while not (seen := look()):
        assert time.monotonic() < deadline, what
        time.sleep(0.05)
    return seen


def families_of(text):
    """Names of metrics in an expression, without what histograms put behind them."""
    return {re.sub(r"_(bucket|sum|count)$", "", name) if name.endswith(("_bucket", "_count", "_sum")) else name
            for name in NAME.findall(text)}


class Metrics(unittest.TestCase):
    def test_what_happened_is_counted(self):
        """Calls, refusals and errors over both ports, each under its labels and nowhere else."""
        with tempfile.TemporaryDirectory() as folder, Daemon(f"journal.dir={folder}/journal", "workers=2") as daemon:
            world(daemon)
            reply = daemon.http.request("PUT", "/v1/destination-groups/germany", {"countries": ["DE"]})
            assert reply.status in (200, 201), reply
            wait_for(lambda: self.call_to_germany_is_known(daemon), "the group is never told apart")
            before = scrape(daemon)

            clients = [daemon.connect() for _ in range(4)]
            for at, client in enumerate(clients):
                assert client.call("AUTHORIZE", "desk", "4930123", f"call-{at}", "WANT", 60).code == "OK"
                assert client.call("STOP", f"call-{at}", 30).code == "OK"
            assert daemon.resp.call("AUTHORIZE", "desk", "1212", "us", "WANT", 60).code == "OK"
            assert daemon.resp.call("RELEASE", "us").code == "OK"
            assert daemon.resp.call("AUTHORIZE", "desk", "999", "nowhere").code == "RATING_FAILED"
            assert daemon.resp.call("AUTHORIZE", "nobody", "4930", "nobody").code == "UNKNOWN_ACCOUNT"
            with self.assertRaises(RespError):
                daemon.resp.call("STOP", "call-0", "soon")
            with self.assertRaises(RespError):
                daemon.resp.call("NONSENSE")
            reply = daemon.http.request("POST", "/v1/calls/over-http:authorize",
                                        {"line": "desk", "destination": "4930", "want": 60})
            assert reply.status == 200 and reply.json["code"] == "OK", reply
            assert daemon.http.get("/v1/parties/nobody").status == 404
            wait_for(lambda: scrape(daemon).sum("tollgate_money_held", currency="EUR", kind="customer") == 0.6,
                     "what is held is never told")
            after = scrape(daemon)

            def grown(name, **labels):
                return round(after.sum(name, **labels) - before.sum(name, **labels), 6)

            self.assertEqual(grown("tollgate_requests_total", command="authorize", code="OK"), 6)
            self.assertEqual(grown("tollgate_requests_total", command="authorize", code="RATING_FAILED"), 1)
            self.assertEqual(grown("tollgate_requests_total", command="authorize"), 8)
            self.assertEqual(grown("tollgate_requests_total", command="stop", code="BADARG"), 1)
            self.assertEqual(grown("tollgate_requests_total", command="unknown", code="ERR"), 1)
            self.assertEqual(grown("tollgate_request_duration_seconds_count", command="authorize"), 8)
            self.assertEqual(grown("tollgate_request_duration_seconds_bucket", command="authorize", le="+Inf"), 8)
            self.assertEqual(grown("tollgate_grants_total"), 6)
            self.assertEqual(grown("tollgate_refusals_total", code="RATING_FAILED", reason="prefix"), 1)
            self.assertEqual(grown("tollgate_refusals_total"), 2)
            self.assertEqual(grown("tollgate_calls_ended_total", how="stopped", destination_group="germany"), 4)
            self.assertEqual(grown("tollgate_calls_ended_total", how="released", destination_group="other"), 1)
            germany = {"destination_group": "germany"}
            for level, kind, revenue in (("1", "customer", 1.2), ("2", "reseller", 0.6), ("3", "provider", 0.2)):
                labels = {"level": level, "kind": kind, **germany}
                self.assertEqual(grown("tollgate_call_legs_total", **labels), 4)
                self.assertEqual(grown("tollgate_call_seconds_total", **labels), 120)
                self.assertEqual(grown("tollgate_call_revenue_total", currency="EUR", **labels), revenue)
            self.assertEqual(grown("tollgate_call_revenue_total", destination_group="other"), 0)
            self.assertEqual(after.sum("tollgate_sessions_open"), 1)
            self.assertEqual(grown("tollgate_connections"), 4)
            self.assertEqual(grown("tollgate_http_requests_total", operation="getParty", code="404"), 1)
            self.assertEqual(after.sum("tollgate_journal_reply_mode", mode="synced"), 1)
            self.assertEqual(after.sum("tollgate_journal_up"), 1)
            self.assertGreater(grown("tollgate_journal_events_total"), 10)
            self.assertGreater(after.sum("tollgate_journal_sync_duration_seconds_count"), 0)
            self.assertGreaterEqual(after.sum("tollgate_deck_versions"), 3)
            self.assertEqual(after.sum("tollgate_deck_prefixes"), 2)
            self.assertEqual(after.sum("tollgate_parties"), 4)
            self.assertGreater(after.sum("process_resident_memory_bytes"), 1_000_000)
            # A second scrape without a call between has the same calls: nothing is reset by reading.
            self.assertEqual(scrape(daemon).sum("tollgate_grants_total"), after.sum("tollgate_grants_total"))

    def call_to_germany_is_known(self, daemon):
        """Ends a call to Germany; whether it was counted there."""
        session = f"try-{time.monotonic_ns()}"
        assert daemon.resp.call("AUTHORIZE", "desk", "4930", session, "WANT", 1).code == "OK"
        assert daemon.resp.call("RELEASE", session).code == "OK"
        return scrape(daemon).sum("tollgate_calls_ended_total", destination_group="germany") > 0

    def test_names_are_as_prometheus_wants_them(self):
        with Daemon() as daemon:
            world(daemon)
            daemon.resp.call("AUTHORIZE", "desk", "4930", "a", "WANT", 60)
            daemon.resp.call("STOP", "a", 30)
            seen = scrape(daemon)
            self.assertEqual(set(seen.types), set(seen.helps))
            for name, kind in seen.types.items():
                self.assertRegex(name, r"^(tollgate|process)_[a-z_]+$")
                self.assertEqual(name.endswith("_total"), kind == "counter", name)
            if shutil.which("promtool"):
                checked = subprocess.run(["promtool", "check", "metrics"], input=seen.text, text=True,
                                         capture_output=True, timeout=SECONDS)
                self.assertEqual((checked.returncode, checked.stdout + checked.stderr), (0, ""))

            # The page names what there is, all of it and nothing else.
            told = set(re.findall(r"^\| `((?:tollgate|process)_[a-z_]+)`", PAGE.read_text(), re.MULTILINE))
            self.assertEqual(told, set(seen.types))
            # Rules and dashboard are made of names that there are.
            recorded = {rule["record"] for group in yaml.safe_load(RULES.read_text())["groups"]
                        for rule in group["rules"] if "record" in rule}
            for file in (RULES, DASHBOARD):
                text = re.sub(r"tollgate:[a-z0-9_:]+", lambda m: "" if m[0] in recorded else m[0], file.read_text())
                self.assertNotIn("tollgate:", text, f"{file.name} has a rule that is not recorded")
                unknown = families_of(text) - set(seen.types) - recorded
                self.assertEqual(unknown, set(), file.name)

    def test_a_stranger_gets_nothing(self):
        """Once people are declared it takes a token of the provider's."""
        with Daemon() as daemon:
            world(daemon)
            api = Api(daemon)
            boss = api.person("boss", "root", "admin")
            api.get("/metrics").expect(401)
            boss.get("/metrics").expect(200)
            viewer = boss.person("watch", "root", "viewer")
            self.assertIn("tollgate_grants_total", viewer.get("/metrics").expect(200).text)
            reseller = boss.person("ann", "acme", "admin")
            self.assertIn(reseller.get("/metrics").status, (403, 404))
            seen = Scrape(viewer.get("/metrics").text)
            self.assertEqual(seen.sum("tollgate_auth_failures_total", port="http", reason="wrong"), 1)

    @needs_redis()
    def test_a_store_that_is_away_is_behind(self):
        """A Redis that goes lags in events and in seconds, and no more once it is there again."""
        with tempfile.TemporaryDirectory() as folder, Redis() as redis:
            with Daemon(f"journal.dir={folder}/journal", f"redis.url={redis.url}", "stores.retry_first=50ms",
                       "stores.retry_longest=200ms") as daemon:
                world(daemon)

                def store(name):
                    return scrape(daemon).sum(f"tollgate_store_{name}", store="redis")

                wait_for(lambda: store("up") == 1 and store("lag_events") == 0, "it never follows")
                self.assertGreater(store("rows_total"), 0)
                failures = store("failures_total")
                redis.kill()
                for at in range(5):
                    daemon.resp.call("AUTHORIZE", "desk", "4930", f"call-{at}", "WANT", 6)
                    daemon.resp.call("STOP", f"call-{at}", 6)
                wait_for(lambda: store("up") == 0 and store("lag_events") >= 10 and store("lag_seconds") > 0.2,
                         "it is never behind")
                self.assertGreater(store("failures_total"), failures)
                redis.start()
                wait_for(lambda: store("up") == 1 and store("lag_events") == 0, "it never catches up")
                self.assertEqual(store("lag_seconds"), 0)

    def test_info_says_the_same(self):
        with Daemon() as daemon:
            world(daemon)
            for at in range(10):
                daemon.resp.call("AUTHORIZE", "desk", "4930", f"call-{at}", "WANT", 6)
                daemon.resp.call("STOP", f"call-{at}", 6)
            daemon.resp.call("AUTHORIZE", "nobody", "4930", "x")
            stat = dict(pair.split("=") for pair in daemon.info("commandstats")["cmdstat_authorize"].split(","))
            self.assertEqual((stat["calls"], stat["rejected_calls"], stat["refused_calls"]), ("11", "0", "1"))
            latency = dict(pair.split("=") for pair in
                           daemon.info("latencystats")["latency_percentiles_usec_stop"].split(","))
            self.assertLessEqual(float(latency["p50"]), float(latency["p99"]))
            self.assertGreater(int(daemon.info("memory")["used_memory_rss"]), 1_000_000)
            self.assertNotIn("cmdstat_authorize", daemon.info("stats"))


class SlowLog(unittest.TestCase):
    def test_slow_commands_are_listed(self):
        with Daemon("slowlog.threshold=0s", "slowlog.max=5", "workers=1") as daemon:
            client = daemon.resp
            self.assertEqual(client.call("SLOWLOG", "RESET"), "OK")
            client.call("CLIENT", "SETNAME", "switch-1")
            for at in range(10):
                client.call("ECHO", f"word-{at}")
            self.assertEqual(client.call("SLOWLOG", "LEN"), 5)
            entries = client.call("SLOWLOG", "GET", "2")
            self.assertEqual([entry[3] for entry in entries], [["SLOWLOG", "LEN"], ["ECHO", "word-9"]])
            number, at, micros, _, address, name = entries[1]
            self.assertGreater(number, 10)
            self.assertLess(abs(at - time.time()), 3600)
            self.assertGreater(micros, 0)
            self.assertRegex(address, r"^127\.0\.0\.1:\d+$")
            self.assertEqual(name, "switch-1")
            slowest = [entry[2] for entry in client.call("SLOWLOG", "GET", "-1", "SLOWEST")]
            self.assertEqual(slowest, sorted(slowest, reverse=True))
            with self.assertRaises(RespError):
                client.call("SLOWLOG", "GET", "many")
            with self.assertRaises(RespError):
                client.call("SLOWLOG", "DROP")

    def test_fast_commands_are_not(self):
        with Daemon("slowlog.threshold=1h") as daemon:
            daemon.resp.call("ECHO", "quick")
            self.assertEqual(daemon.resp.call("SLOWLOG", "LEN"), 0)
            self.assertEqual(list(daemon.resp.call("SLOWLOG", "GET")), [])

    def test_passwords_are_not_in_it(self):
        with Daemon("slowlog.threshold=0s") as daemon:
            for words in (("AUTH", "ann", "hunter2-secret"), ("AUTH", "hunter2-secret"),
                          ("HELLO", "3", "AUTH", "ann", "hunter2-secret")):
                daemon.resp.send([words])
                daemon.resp.read()
            text = json.dumps(daemon.resp.call("SLOWLOG", "GET", "-1"))
            self.assertIn("(redacted)", text)
            self.assertNotIn("hunter2", text)


class Rules(unittest.TestCase):
    def promtool(self, *arguments):
        run = subprocess.run(["promtool", *arguments], cwd=RULES.parent, text=True, capture_output=True, timeout=SECONDS)
        self.assertEqual(run.returncode, 0, run.stdout + run.stderr)

    @needs_promtool
    def test_promtool_accepts_them(self):
        self.promtool("check", "config", "prometheus.yml")
        self.promtool("check", "rules", "tollgate.rules.yml")
        self.promtool("test", "rules", "tollgate.rules.test.yml")

    def test_each_alert_is_tried_and_told_of(self):
        alerts = {rule["alert"] for group in yaml.safe_load(RULES.read_text())["groups"]
                  for rule in group["rules"] if "alert" in rule}
        tests = yaml.safe_load((RULES.parent / "tollgate.rules.test.yml").read_text())["tests"]
        fired = {one["alertname"] for test in tests for one in test["alert_rule_test"] if one["exp_alerts"]}
        self.assertEqual(fired, alerts)
        for alert in alerts:
            self.assertIn(f"`{alert}`", PAGE.read_text())

    def test_the_dashboard_is_whole(self):
        board = json.loads(DASHBOARD.read_text())
        ids = [panel["id"] for panel in board["panels"]]
        self.assertEqual(len(ids), len(set(ids)))
        for panel in board["panels"]:
            for target in panel.get("targets", []):
                self.assertIn('instance=~"$instance"', target["expr"].replace('job="tollgate",', ""), panel["title"])


class Prometheus:
    """A Prometheus that scrapes a daemon by config/prometheus, ended with SIGTERM."""

    def __init__(self, daemon, token):
        self.daemon, self.token = daemon, token

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="tollgate-prometheus-")
        folder = Path(self.folder.name)
        settings = yaml.safe_load((CONFIG / "prometheus/prometheus.yml").read_text())
        settings["global"].update(scrape_interval="1s", scrape_timeout="1s", evaluation_interval="1s")
        settings["scrape_configs"][0]["static_configs"] = [{"targets": [f"127.0.0.1:{self.daemon.http_port}"]}]
        (folder / "token").write_text(self.token)
        settings["scrape_configs"][0]["authorization"] = {"credentials_file": str(folder / "token")}
        (folder / "prometheus.yml").write_text(yaml.safe_dump(settings))
        shutil.copy(RULES, folder)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.log = open(folder / "log", "wb")
        self.process = subprocess.Popen(
            ["prometheus", f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data",
             f"--web.listen-address=127.0.0.1:{self.port}", "--log.level=warn"],
            stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(SECONDS)
        finally:
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait()
            self.log.close()
            self.folder.cleanup()

    def ask(self, path, **query):
        """The `data` of an answer; None while it does not answer."""
        assert self.process.poll() is None, (Path(self.folder.name) / "log").read_text()
        url = f"http://127.0.0.1:{self.port}/api/v1/{path}?{urllib.parse.urlencode(query)}"
        try:
            with urllib.request.urlopen(url, timeout=SECONDS) as reply:
                return json.load(reply)["data"]
        except (urllib.error.URLError, ConnectionError):
            return None

    def value(self, query):
        """The value of a query that has one; None while there is none."""
        data = self.ask("query", query=query)
        return float(data["result"][0]["value"][1]) if data and data["result"] else None


class RealPrometheus(unittest.TestCase):
    @needs_prometheus
    def test_it_scrapes_and_answers(self):
        """It logs in with a token of a viewer's; what it says is what was called, and no alert fires that should not."""
        with tempfile.TemporaryDirectory() as folder, Daemon(f"journal.dir={folder}/journal") as daemon:
            world(daemon)
            boss = Api(daemon).person("boss", "root", "admin")
            token = boss.person("watch", "root", "viewer").token
            with Prometheus(daemon, token) as prometheus:
                wait_for(lambda: prometheus.value('up{job="tollgate"}') == 1, "it is never scraped")
                calls = scaled(50, 10)
                for at in range(calls):
                    assert daemon.resp.call("AUTHORIZE", "desk", "4930", f"call-{at}", "WANT", 6).code == "OK"
                    assert daemon.resp.call("STOP", f"call-{at}", 6).code == "OK"
                wait_for(lambda: prometheus.value("sum(tollgate_grants_total)") == calls, "the calls are never seen")
                wait_for(lambda: prometheus.value('tollgate_call_revenue_total{level="1"}') == round(calls * 0.06, 6),
                         "the money is never seen")

                def calls_have_a_latency():
                    """A rate is of calls between two scrapes."""
                    daemon.resp.call("STOP", "call-0", 6)
                    return (prometheus.value("tollgate:request_duration_seconds:p99{command='stop'}") or 0) > 0

                wait_for(calls_have_a_latency, "the rules are never evaluated")
                meta = prometheus.ask("metadata")
                self.assertEqual(meta["tollgate_request_duration_seconds"][0]["type"], "histogram")
                target = prometheus.ask("targets")["activeTargets"][0]
                self.assertEqual((target["health"], target["lastError"]), ("up", ""))
                rules = [rule for group in prometheus.ask("rules")["groups"] for rule in group["rules"]]
                self.assertEqual([rule["name"] for rule in rules if rule["health"] == "err"], [])
                firing = {alert["labels"]["alertname"] for alert in prometheus.ask("alerts")["alerts"]
                          if alert["state"] == "firing"}
                self.assertLessEqual(firing, {"TollgateRestarted"})


if __name__ == "__main__":
    main()
