#!/usr/bin/env python3
"""A file of calls, rated without a daemon, costs what a daemon would charge.

Goal: `tollgated rate` writes a row for every row of the calls, in their order, with prefix, billed seconds and
cost; says where every fault is, and goes on; and never needs a daemon's configuration.
Method: decks and calls small enough to be worked out by hand; a file of many blocks with every kind of quote,
whose results are known by construction, at one thread and at several, plain and packed; ten thousand calls that
were worked out elsewhere; and a running daemon that quotes the same calls.
"""

import csv
import gzip
import io
import json
import os
import random
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from daemon import ROOT, Daemon  # noqa: E402
from runner import DATA, main, needs_data  # noqa: E402
from wire import micros, money  # noqa: E402

COLUMNS = "call_id,destination,start_time,answered,duration_seconds\n"
RESULTS = "call_id,matched_prefix,billed_seconds,cost\n"

DECK = """\
prefix,destination,rate_per_minute,initial_increment,increment,connect_fee,window,blocked
44,"United Kingdom, ""mainland\""",0.12,60,60,,,
447,UK mobile,0.30,30,6,,peak,
447,UK mobile,0.06,30,6,,,
49,Deutschland,0.02,1,1,,,
900,Premium,1,1,1,0.5,,1
"""
SETTINGS = """\
{"decimals": 4, "rounding": "half_up", "time_zone": "Europe/Berlin",
 "windows": {"peak": [{"days": ["mon", "tue", "wed", "thu", "fri"], "from": "08:00", "until": "19:00"}]}}
"""
# A Monday. 17:59 UTC is 18:59 in Berlin.
CALLS = """\
destination,account,duration_seconds,answered,start_time,call_id
442071234567,a,61,1,2026-03-02T12:00:00Z,minutes
+447700900123,a,31,1,2026-03-02T17:58:00Z,peak
447700900123,a,31,1,2026-03-02T18:00:00Z,off-peak
447700900123,a,90,1,2026-03-02T18:59:00+01:00,across
4930123456,a,61.2,1,1772452800,"fraction, ""quoted\"""
4930123456,a,60,true,2026-03-02T12:00:00.5Z,second
442071234567,a,61,0,2026-03-02T12:00:00Z,unanswered
442071234567,a,,false,2026-03-02T12:00:00Z,unanswered-too
33123456789,a,61,1,2026-03-02T12:00:00Z,nowhere
9001234,a,60,1,2026-03-02T12:00:00Z,blocked
"""
# 2 x 60 s at 0.12; 36 s at 0.30; 36 s at 0.06; 60 s at 0.30 and 30 s at 0.06; 62 s at 0.02 = 0.02066…; …
EXPECTED = RESULTS + """\
minutes,44,120,0.240000
peak,447,36,0.180000
off-peak,447,36,0.036000
across,447,90,0.330000
"fraction, ""quoted\""",49,62,0.020700
second,49,60,0.020000
unanswered,44,0,0.000000
unanswered-too,44,0,0.000000
nowhere,,0,
blocked,900,60,1.500000
"""


class OfflineRater(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="tollgate-test-")
        self.addCleanup(folder.cleanup)
        self.folder = Path(folder.name)

    def file(self, name, content):
        path = self.folder / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return path

    def rate(self, deck, calls, *options):
        """Exit code, standard output, lines of standard error; `deck` and `calls` are contents or paths."""
        deck = deck if isinstance(deck, Path) else self.file("deck.csv", deck)
        calls = calls if isinstance(calls, Path) else self.file("calls.csv", calls)
        binary = Path(os.environ.get("TOLLGATED", ROOT / "build/release/tollgated")).resolve()
        done = subprocess.run([str(binary), "rate", "--deck", deck, "--calls", calls, *map(str, options)],
                              cwd=self.folder, stdin=subprocess.DEVNULL, capture_output=True, timeout=600)
        return done.returncode, done.stdout.decode(), done.stderr.decode().splitlines()

    def test_calls_cost_what_was_worked_out_by_hand(self):
        settings = self.file("tariff.json", SETTINGS)
        code, out, errors = self.rate(DECK, CALLS, "--tariff", settings)
        self.assertEqual((code, out), (0, EXPECTED))
        self.assertRegex("\n".join(errors), r"^10 calls: 9 rated, 1 no row, 0 faulty; [0-9.]+ s, \d+ calls/s$")

    def test_a_daemon_quotes_the_same(self):
        settings = self.file("tariff.json", SETTINGS)
        open_deck = DECK.replace(",0.5,,1\n", ",0.5,,\n")  # A daemon has no price for what is blocked.
        code, out, _ = self.rate(open_deck, CALLS, "--tariff", settings)
        self.assertEqual(code, 0)
        with Daemon() as daemon:
            daemon.tariff("retail", json.loads(SETTINGS), open_deck)
            daemon.parties([{"id": "provider", "kind": "provider", "currency": "EUR"},
                            {"id": "carol", "kind": "customer", "parent": "provider", "tariff": "retail"},
                            {"id": "home", "kind": "line", "parent": "carol"}])
            daemon.topup("carol", 1_000_000_000)
            rows = zip(csv.DictReader(io.StringIO(CALLS)), csv.DictReader(io.StringIO(out)))
            for call, result in rows:
                used = call["duration_seconds"] if call["answered"] in ("1", "true") else "0"
                quote = daemon.resp.call("QUOTE", "home", call["destination"], "USED", used,
                                         "AT", call["start_time"])
                if result["matched_prefix"] == "":
                    self.assertEqual((quote.code, result["cost"]), ("RATING_FAILED", ""), call)
                    continue
                self.assertEqual((quote.code, money(micros(quote.figure))), ("OK", result["cost"]), call)
                self.assertEqual(quote.levels()[0]["prefix"], result["matched_prefix"])

    def test_without_settings_six_places_are_rounded_up(self):
        code, out, _ = self.rate("prefix,rate_per_minute\n*,0.01\n49,0.02\n",
                                 COLUMNS + "a,4930,0,1,1\nb,1,0,1,1\n")
        # 1 s at 0.02 a minute is 0.00033…
        self.assertEqual((code, out), (0, RESULTS + "a,49,1,0.000334\nb,*,1,0.000167\n"))

    def test_faulty_rows_are_reported_and_the_others_rated(self):
        calls = COLUMNS + ("good,4930,0,1,60\r\n"
                           '"two\nlines",4930,0,1,60\n'
                           "letters,49x30,0,1,60\n"
                           "\n"
                           "many,,tomorrow,maybe,1.2345\n"
                           "empty,4930,0,,60\n"
                           "short,4930,0,1\n"
                           'stray,49"30,0,1,60\n'
                           "silent,4930,0,1,\n"
                           "dear,9,0,1,1000000000\n"
                           "last,4930,0,1,60")
        code, out, errors = self.rate("prefix,rate_per_minute\n49,0.02\n9,1000000000\n", calls)
        self.assertEqual(code, 1)
        self.assertEqual(out, RESULTS + ('good,49,60,0.020000\n"two\nlines",49,60,0.020000\nletters,,,\n'
                                         "many,,,\nempty,,,\nshort,,,\n,,,\nsilent,,,\ndear,,,\n"
                                         "last,49,60,0.020000\n"))
        file = self.folder / "calls.csv"
        seconds = "expected seconds from 0 to 1000000000 with at most 3 places"
        self.assertEqual(errors[:-1], [
            f'{file}:5: destination: "49x30": expected 1 to 32 digits',
            f'{file}:7: destination: "": expected 1 to 32 digits',
            f'{file}:7: start_time: "tomorrow": expected RFC 3339 such as 2026-03-02T00:00:00Z, or Unix seconds',
            f'{file}:7: answered: "maybe": expected 0 or 1',
            f'{file}:7: duration_seconds: "1.2345": {seconds}',
            f'{file}:8: answered: "": expected 0 or 1',
            f"{file}:9: the row has 4 fields; expected 5 as in the header",
            f"{file}:10: a quote inside a field that does not begin with one; quote the whole field and double "
            "the quotes in it",
            f'{file}:11: duration_seconds: "": {seconds}',
            f'{file}:12: duration_seconds: "1000000000": the call costs more than 10000000000',
        ])
        self.assertTrue(errors[-1].startswith("10 calls: 3 rated, 0 no row, 7 faulty; "), errors[-1])

        code, _, errors = self.rate("prefix,rate_per_minute\n49,0.02\n9,1000000000\n", calls, "--faults", 2)
        self.assertEqual((code, len(errors), errors[2]), (1, 4, f"{file}: 8 more faults"))

    def test_many_blocks_are_rated_in_order(self):
        # Rows that a cut must not tear: line ends and commas in quotes; faults after which it must find back;
        # lines longer than a block, the first and the last of which has no end.
        rng = random.Random(1)
        rows, expected, lines, faulty = [], [], 1, []
        for number in range(60_000):
            duration = number % 1000
            plain = f",4930,1772452800,1,{duration},{'x' * rng.randrange(40)}"
            kind = rng.randrange(40) if 20_000 < number < 50_000 else 40
            if number % 25_000 == 24_999:
                kind = 41
            faulty += [lines + 1] if kind in (0, 41) else []
            call = str(number)
            if kind == 0:
                rows.append(f'{number}"{plain}\n')
                call = ""
            elif kind < 4:
                call = f'"{number}\n,""{number}"'
                text = '\n,""' * rng.randrange(1000)  # Most of what lies between the first and the last such row.
                rows.append(f'{call},4930,1772452800,1,{duration},"{text}"\n')
            elif kind == 41:
                rows.append(f"{number}{plain}{'y' * 2_500_000}\n")
                call = ""
            else:
                rows.append(f"{number}{plain}\n")
            lines += rows[-1].count("\n")
            expected.append(f"{call},,,\n" if kind in (0, 41) else f"{call},49,{duration},{money(duration * 1000)}\n")
        calls = (COLUMNS[:-1] + ",more\n" + "".join(rows)).encode() + b"z" * 3_000_000
        expected = RESULTS + "".join(expected) + ",,,\n"
        faulty.append(lines + 1)
        deck = "prefix,rate_per_minute\n49,0.06\n"
        packed = gzip.compress(calls[:1_000_000], 1) + gzip.compress(calls[1_000_000:], 1)
        for content in (calls, packed):
            for threads in (1, 4):
                code, out, errors = self.rate(deck, content, "--threads", threads, "--faults", 1_000_000)
                self.assertEqual(code, 1)
                self.assertTrue(out == expected, "the results differ")
                self.assertEqual([int(line.split(":")[1]) for line in errors[:-1]], faulty)
                self.assertTrue(errors[-1].startswith("60001 calls: "), errors[-1])

    def test_packed_files_and_out(self):
        out_file = self.folder / "out.csv"
        out_file.write_text("what was there before, and was longer than what comes now\n" * 100)
        deck = self.file("deck", gzip.compress(DECK.encode()))
        calls = self.file("calls", b"\xef\xbb\xbf" + CALLS.replace("\n", "\r\n").encode())
        settings = self.file("tariff.json", SETTINGS)
        code, out, _ = self.rate(deck, calls, "--tariff", settings, "--out", out_file)
        self.assertEqual((code, out), (0, ""))
        self.assertEqual(out_file.read_text(), EXPECTED)

        packed = gzip.compress(CALLS.encode())
        code, _, errors = self.rate(deck, packed[:-9], "--tariff", settings)
        self.assertEqual((code, errors[-1]), (1, f"{self.folder / 'calls.csv'}: the gzip file is cut short"))
        code, _, errors = self.rate(deck, packed[:20] + b"\xff\xff\xff" + packed[23:], "--tariff", settings)
        self.assertEqual(code, 1)
        self.assertIn("the gzip file is damaged", errors[-1])

        for path in (deck, calls, settings):
            before = path.read_bytes()
            code, out, errors = self.rate(deck, calls, "--tariff", settings, "--out", path)
            self.assertEqual((code, out, len(errors)), (1, "", 1))
            self.assertEqual(path.read_bytes(), before)
        code, _, errors = self.rate(deck, calls, "--tariff", settings, "--out", "/dev/full")
        self.assertEqual((code, errors[-1]), (1, "/dev/full: No space left on device"))

    def test_what_cannot_be_rated_by_is_refused_whole(self):
        out_file = self.folder / "out.csv"
        faulty_deck = "prefix,rate_per_minute,window\n49,x,\n4a,0.1,\n48,0.1,\n"
        code, out, errors = self.rate(faulty_deck, CALLS, "--faults", 1, "--out", out_file)
        deck = self.folder / "deck.csv"
        self.assertEqual((code, out, errors), (1, "", [
            f'{deck}:2: rate_per_minute: "x": expected a decimal number from 0 to 1000000000 with at most 9 places',
            f"{deck}: 1 more fault"]))
        code, _, errors = self.rate(DECK, CALLS, "--out", out_file)
        self.assertEqual(code, 1)
        self.assertRegex("\n".join(errors), rf"^{deck}:3: window: .*peak")

        settings = self.file("tariff.json", '{"decimals": 7, "colour": 1, "time_zone": "Europe/Atlantis"}')
        code, _, errors = self.rate(DECK, CALLS, "--tariff", settings, "--out", out_file)
        self.assertEqual((code, errors), (1, [
            f"{settings}: decimals: 7: expected a whole number from 0 to 6",
            f"{settings}: colour: no such field",
            f'{settings}: time_zone: "Europe/Atlantis": expected an IANA name such as "Europe/Berlin"']))

        good = "prefix,rate_per_minute\n49,0.06\n"
        code, _, errors = self.rate(good, "call_id,answered,answered\n", "--out", out_file)
        calls = self.folder / "calls.csv"
        self.assertEqual((code, errors), (1, [
            f"{calls}:1: destination: the column is missing; it is required",
            f"{calls}:1: start_time: the column is missing; it is required",
            f"{calls}:1: answered: the column stands there twice",
            f"{calls}:1: duration_seconds: the column is missing; it is required"]))
        self.assertFalse(out_file.exists())
        self.assertEqual(self.rate(good, COLUMNS)[:2], (0, RESULTS))
        self.assertEqual(self.rate(good, "")[0], 1)
        self.assertEqual(self.rate(good, self.folder / "none")[::2],
                         (1, [f"{self.folder / 'none'}: No such file or directory"]))

    @needs_data("sample_deck.csv", "sample_calls.csv", "expected_10k.csv")
    def test_ten_thousand_calls_cost_what_is_expected(self):
        code, out, errors = self.rate(DATA / "sample_deck.csv", DATA / "sample_calls.csv")
        with open(DATA / "expected_10k.csv", encoding="utf-8", newline="") as file:
            expected = [[row["call_id"], row["matched_prefix"], row["billed_seconds"],
                         money(int(row["cost_micro"])) if row["matched_prefix"] else ""]
                        for row in csv.DictReader(file)]
        self.assertEqual(len(expected), 10_000)
        self.assertEqual((code, list(csv.reader(io.StringIO(out)))[1:]), (0, expected))
        self.assertEqual(len(errors), 1)

    @needs_data("make_deck.py", "make_calls.py", "reference_rater.py", "prefixes.csv.gz", "number_lengths.csv")
    def test_other_calls_cost_what_the_reference_says(self):
        def made_by(script, *arguments):
            made = subprocess.run([sys.executable, str(DATA / script), *map(str, arguments)], check=True,
                                  stdout=subprocess.PIPE)
            return made.stdout

        deck = self.file("deck.csv", made_by("make_deck.py", "--rows", 3000, "--tariff", "retail"))
        calls = self.file("calls.csv", made_by("make_calls.py", "-n", 5000, "--seed", 20260309))
        expected = made_by("reference_rater.py", "rate", deck, calls).decode()
        code, out, _ = self.rate(deck, calls)
        shortened = [[row[0], row[1], row[3]] for row in csv.reader(io.StringIO(out))]
        self.assertEqual((code, shortened), (0, list(csv.reader(io.StringIO(expected)))))


if __name__ == "__main__":
    main()
