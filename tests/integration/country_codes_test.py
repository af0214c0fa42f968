#!/usr/bin/env python3
"""Numbers belong to the country that a list of 306,000 real prefixes says.

Goal: the compiled-in numbering plan names the right country, for codes of one country without exception.
Method: a destination group of all countries is asked for every prefix of up to five digits and for every
thirtieth longer one, and says by which country it holds it. Countries that share a code may differ here and
there: small places have single ranges of their own, and registries do not agree whose some of them are.
"""

import csv
import gzip
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from daemon import Daemon  # noqa: E402
from runner import DATA, main, needs_data  # noqa: E402

SHARED_CODES = {"1", "44", "61", "262", "599", "672"}
NO_COUNTRY = "001"


@needs_data("prefixes.csv.gz")
class CountryCodes(unittest.TestCase):
    def test_prefixes_belong_to_their_countries(self):
        with gzip.open(DATA / "prefixes.csv.gz", "rt", encoding="utf-8") as file:
            rows = list(csv.DictReader(file))
        asked = [row for number, row in enumerate(rows) if len(row["prefix"]) <= 5 or number % 30 == 0]
        countries = sorted({row["country_iso"] for row in rows} - {NO_COUNTRY})
        different = []
        with Daemon() as daemon:
            daemon.http.request("PUT", "/v1/destination-groups/all", {"countries": countries})
            for row in asked:
                answer = daemon.http.get(f"/v1/destination-groups/all?number={row['prefix']}").json
                expected = "" if row["country_iso"] == NO_COUNTRY else row["country_iso"]
                if answer.get("country", "") != expected:
                    different.append((row["prefix"], expected, answer, row["country_code"]))
        self.assertGreater(len(asked), 10_000)
        self.assertEqual([row for row in different if row[3] not in SHARED_CODES], [])
        self.assertLess(len(different), len(asked) / 1000, different)


if __name__ == "__main__":
    sys.exit(main())
