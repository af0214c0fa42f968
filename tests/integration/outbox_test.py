#!/usr/bin/env python3
"""Mails of a running tollgated on their way through a real mail server: what crosses a threshold arrives, once, in the
operator's words; what cannot go now goes later, also after a restart; what is refused is given up; it is bounded.

usage: outbox_test.py [TOLLGATED] [-k PATTERN]…
"""

import sys
import tempfile
import time
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from api import Api  # noqa: E402
from daemon import Daemon  # noqa: E402
from mail_server import MailServer  # noqa: E402
from runner import main  # noqa: E402

SECONDS = 60


def settings(server, *more):
    return (f"mail.relay=127.0.0.1:{server.port}", "mail.from=tollgate@example.com", "mail.retry_first=300ms",
            "mail.retry_longest=1s", *more)


def world(api, **fields):
    """A reseller who is warned at 90 % of 1000."""
    api.party("root", None, "provider", currency="EUR")
    api.party("acme", "root", "reseller", currency="EUR", credit_limit="1000", warn_percent="90", **fields)


def cross(api, party="acme"):
    api.post(f"/v1/parties/{party}/debits", {"amount": "900.01"}, key=True).expect(201)


def cross_again(api, party="acme"):
    api.topup(party, "900.01")
    cross(api, party)


def wait_for(api, count, state):
    """The mails, once so many are in this state."""
    deadline = time.monotonic() + SECONDS
    while True:
        rows = api.rows(f"/v1/outbox?state={state}", "mails")
        if len(rows) >= count:
            return rows
        assert time.monotonic() < deadline, api.rows("/v1/outbox", "mails")
        time.sleep(0.05)


class Outbox(unittest.TestCase):
    def test_a_mail_arrives_once(self):
        with MailServer() as server, tempfile.TemporaryDirectory() as folder:
            with Daemon(*settings(server), f"journal.dir={folder}/journal") as daemon:
                api = Api(daemon)
                world(api, accounting_email="books@example.test", name="Änne's Büro")
                cross(api)
                [row] = wait_for(api, 1, "sent")
                self.assertEqual((row["attempts"], row["error"], row["next"]), (1, None, None))
                self.assertIsNotNone(row["sent"])
            # Nothing is sent again by a daemon that finds it in its journal.
            with Daemon(*settings(server), f"journal.dir={folder}/journal") as daemon:
                api = Api(daemon)
                cross_again(api)
                wait_for(api, 2, "sent")
                first, second = server.wait_for(2)
                self.assertEqual(len(server.mails()), 2)
            self.assertEqual(first["To"], "books@example.test")
            self.assertEqual(first["From"], "tollgate@example.com")
            self.assertEqual(first["Subject"], row["subject"])
            self.assertEqual(first.get_content(), row["text"])
            self.assertIn("Änne's Büro", row["text"])
            self.assertNotEqual(first["Message-ID"], second["Message-ID"])

    def test_what_cannot_go_now_goes_after_a_restart(self):
        with MailServer() as server, tempfile.TemporaryDirectory() as folder:
            server.stop()
            with Daemon(*settings(server), f"journal.dir={folder}/journal") as daemon:
                api = Api(daemon)
                world(api, email="ops@example.test")
                cross(api)
                deadline = time.monotonic() + SECONDS
                while not api.rows("/v1/outbox", "mails")[0]["attempts"]:
                    self.assertLess(time.monotonic(), deadline)
                    time.sleep(0.05)
                [row] = api.rows("/v1/outbox", "mails")
                self.assertEqual(row["state"], "waiting")
                self.assertTrue(row["error"])
                self.assertIsNotNone(row["next"])
            server.start()
            with Daemon(*settings(server), f"journal.dir={folder}/journal") as daemon:
                [row] = wait_for(Api(daemon), 1, "sent")
                self.assertGreaterEqual(row["attempts"], 2)
                self.assertIsNone(row["error"])
            self.assertEqual(len(server.wait_for(1)), 1)

    def test_busy_is_tried_again_and_holds_up_nobody(self):
        with MailServer() as server, Daemon(*settings(server)) as daemon:
            api = Api(daemon)
            world(api, email="slow@example.test")
            api.party("other", "root", "reseller", currency="EUR", credit_limit="1000", warn_percent="90",
                      email="ops@example.test")
            server.busy()
            cross(api)
            cross(api, "other")
            [row] = wait_for(api, 1, "sent")
            self.assertEqual(row["party"], "other")
            [row] = wait_for(api, 1, "waiting")
            self.assertIn("451", row["error"])
            server.busy(False)
            wait_for(api, 2, "sent")

    def test_refused_is_given_up(self):
        with MailServer() as server, Daemon(*settings(server)) as daemon:
            api = Api(daemon)
            world(api, email="nobody@example.test")
            cross(api)
            [row] = wait_for(api, 1, "failed")
            self.assertEqual((row["attempts"], row["error"], row["sent"]), (1, "550 unknown user", None))
            self.assertEqual(server.mails(), [])

    def test_given_up_after_a_while(self):
        with MailServer() as server, Daemon(*settings(server, "mail.give_up=700ms")) as daemon:
            api = Api(daemon)
            world(api, email="slow@example.test")
            server.busy()
            cross(api)
            [row] = wait_for(api, 1, "failed")
            self.assertGreaterEqual(row["attempts"], 2)
            self.assertIn("451", row["error"])

    def test_in_the_operators_words(self):
        with MailServer() as server, tempfile.TemporaryDirectory() as folder:
            templates = Path(folder) / "templates"
            templates.mkdir()
            (templates / "threshold.txt").write_text("Subject: {{party}} owes\n\n{{owed}} {{currency}}\n")
            (templates / "threshold.de.txt").write_text("Subject: {{party}} schuldet\n\n{{owed}} {{currency}}\n")
            with Daemon(*settings(server, f"mail.templates={templates}")) as daemon:
                api = Api(daemon)
                world(api, email="ops@example.test", language="de-AT")
                cross(api)
                api.party("other", "root", "reseller", currency="EUR", credit_limit="1000", warn_percent="90",
                          email="ops@example.test")
                cross(api, "other")
                mails = server.wait_for(2)
            self.assertEqual({mail["Subject"] for mail in mails}, {"acme schuldet", "other owes"})
            self.assertEqual({mail.get_content() for mail in mails}, {"900.01 EUR\n"})

    def test_it_is_bounded(self):
        with MailServer() as server, Daemon(*settings(server, "mail.outbox_max=2")) as daemon:
            api = Api(daemon)
            world(api, email="ops@example.test")
            cross(api)
            for _ in range(4):
                cross_again(api)
            server.wait_for(5)
            deadline = time.monotonic() + SECONDS
            while len(rows := api.rows("/v1/outbox", "mails")) > 2:
                self.assertLess(time.monotonic(), deadline, rows)
                time.sleep(0.1)
            self.assertEqual([row["id"] for row in rows], ["m-000000000005", "m-000000000004"])

    def test_a_party_cannot_write_headers(self):
        with MailServer() as server, Daemon(*settings(server)) as daemon:
            api = Api(daemon)
            world(api, email="ops@example.test")
            for address in ("a@b\r\nBcc: all@example.test", "a@b, c@d", "<a@b>", "a b@c"):
                self.assertEqual(
                    api.patch("/v1/parties/acme", {"email": address}).fields(), {"email"})
            cross(api)
            [mail] = server.wait_for(1)
            self.assertIsNone(mail["Bcc"])


if __name__ == "__main__":
    main()
