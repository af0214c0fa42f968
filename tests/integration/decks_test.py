#!/usr/bin/env python3
"""Decks over HTTP, as a rate manager lives with them: checked, put, compared, looked up and taken back.

Goal: what the daemon says of versions, differences and warnings is what was uploaded, calls are priced by what is in
force, and an upload that is slow or breaks off disturbs nobody.
Method: one daemon that keeps three versions, small decks whose answers are worked out by hand, and a large one that is
sent by two connections at different speeds.
"""

import csv
import gzip
import http.client
import io
import sys
import unittest
import zlib
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from daemon import Daemon, scaled  # noqa: E402
from runner import main  # noqa: E402
from wire import HOST  # noqa: E402

NUMBER = "442071234567"
HEADER = "prefix,destination,rate_per_minute\n"
SPRING = HEADER + '44,"UK, all",0.6\n49,Germany,0.1\n33,France,0.2\n'
SUMMER = HEADER + '44,"UK, all",0.75\n49,Germany,0.1\n4915,Germany Mobile,0.05\n'
CSV = {"Content-Type": "text/csv"}


def large_deck(rows):
    return (HEADER + "".join(f"{1_000_000 + n},Place {n % 997},0.{n % 89 + 10}\n" for n in range(rows))).encode()


class Decks(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.daemon = cls.enterClassContext(Daemon("deck.versions_kept=3"))
        cls.http, cls.resp = cls.daemon.http, cls.daemon.resp

    def expect(self, status, method, path, body=None, headers=None):
        reply = self.http.request(method, path, body, headers)
        self.assertEqual(reply.status, status, reply)
        return reply

    def put(self, tariff, deck, **headers):
        return self.expect(200, "PUT", f"/v1/tariffs/{tariff}/deck", deck, {**CSV, **headers}).json

    def test_a_deck_comes_and_goes_back(self):
        spring = self.daemon.tariff("season", {}, SPRING)
        self.daemon.parties([{"id": "provider", "kind": "provider", "currency": "EUR"},
                             {"id": "anna", "kind": "customer", "parent": "provider", "tariff": "season"},
                             {"id": "line", "kind": "line", "parent": "anna"}])

        def price():
            return self.resp.call("QUOTE", "line", NUMBER).figure

        self.assertEqual((spring["version"], price()), (2, "0.6"))

        checked = self.expect(200, "POST", "/v1/tariffs/season/deck:check", SUMMER, CSV).json
        self.assertEqual([(w["line"], w["prefix"], w["warning"], w["other_prefix"]) for w in checked["warnings"]],
                         [(4, "4915", "mobile_below_fixed", "49")])
        self.assertEqual(checked["warning_counts"]["mobile_below_fixed"], 1)
        self.assertEqual(price(), "0.6")

        packed = gzip.compress(SUMMER.encode())
        self.assertEqual(self.put("season", packed, **{"Content-Encoding": "gzip"})["version"], 3)
        self.assertEqual(price(), "0.75")

        diff = self.expect(200, "GET", "/v1/tariffs/season/deck:diff").json
        self.assertEqual(diff["counts"], {"new": 1, "gone": 1, "dearer": 1, "cheaper": 0, "changed": 0, "same": 1})
        self.assertEqual([(row["prefix"], row["old"], row["new"], row["percent"]) for row in diff["dearer"]],
                         [("44", "0.6", "0.75", "25.00")])
        listed = self.expect(200, "GET", "/v1/tariffs/season/deck:diff?from=2&to=3", headers={"Accept": "text/csv"})
        self.assertEqual([(row["change"], row["destination"]) for row in csv.DictReader(io.StringIO(listed.text))],
                         [("new", "Germany Mobile"), ("gone", "France"), ("dearer", "UK, all")])

        back = self.expect(200, "POST", "/v1/tariffs/season/deck:rollback", {}).json
        self.assertEqual((back["version"], back["rows"], price()), (4, 3, "0.6"))
        versions = self.expect(200, "GET", "/v1/tariffs/season/versions").json["versions"]
        self.assertEqual([(v["version"], v["change"], int(v["checksum"], 16), v["in_force"]) for v in versions],
                         [(4, "rollback", zlib.crc32(SPRING.encode()), True),
                          (3, "deck", zlib.crc32(SUMMER.encode()), False),
                          (2, "deck", zlib.crc32(SPRING.encode()), False)])
        self.expect(404, "GET", "/v1/tariffs/season/deck?version=1")
        self.expect(409, "POST", "/v1/tariffs/season/deck:rollback", {"version": 2})

        # What is shown is the deck that was put: put again, nothing is different.
        shown = self.expect(200, "GET", "/v1/tariffs/season/deck?version=3").text
        self.put("season", shown)
        counts = self.expect(200, "GET", "/v1/tariffs/season/deck:diff?from=3").json["counts"]
        self.assertEqual(counts, {"new": 0, "gone": 0, "dearer": 0, "cheaper": 0, "changed": 0, "same": 3})
        self.assertEqual(price(), "0.75")

    def test_a_slow_upload_holds_up_nobody_and_a_broken_one_changes_nothing(self):
        self.daemon.tariff("large", {}, SPRING)
        rows = scaled(200_000, 20_000)
        deck = large_deck(rows)
        half = len(deck) // 2
        slow, broken = (http.client.HTTPConnection(HOST, self.daemon.http_port, timeout=60) for _ in range(2))
        for connection in (slow, broken):
            connection.putrequest("PUT", "/v1/tariffs/large/deck")
            connection.putheader("Content-Type", "text/csv")
            connection.putheader("Content-Length", str(len(deck)))
            connection.endheaders(deck[:half])
        answer = self.put("large", deck)
        self.assertEqual((answer["version"], answer["rows"]), (3, rows))
        broken.close()
        self.put("large", gzip.compress(deck, compresslevel=1))
        slow.send(deck[half:])
        reply = slow.getresponse()
        self.assertEqual(reply.status, 200)
        self.assertIn(f'"version":5,"rows":{rows}', reply.read().decode())
        slow.close()
        versions = self.expect(200, "GET", "/v1/tariffs/large/versions").json["versions"]
        self.assertEqual({(v["rows"], int(v["checksum"], 16)) for v in versions}, {(rows, zlib.crc32(deck))})


if __name__ == "__main__":
    main()
