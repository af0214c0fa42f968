#!/usr/bin/env python3
"""A mail that tollgate makes goes through a real mail server and comes out as what it was meant to be.

usage: smtp_test.py   (MAIL_SENDER names the program of tests/daemon/mail/mail_sender.cc)
"""

import os
import subprocess
import sys
import unittest
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "support"))

from mail_server import MailServer  # noqa: E402
from runner import main  # noqa: E402

SENDER = os.environ.get("MAIL_SENDER", "build/release/tests/daemon/mail/mail_sender")


def send(server, to, subject="Hello", text="One line.\n", identity="outbox-7", tls="offered"):
    """What became of it, and what the server said."""
    run = subprocess.run(
        [SENDER, str(server.port), tls, "tollgate@example.com", to, identity, subject],
        input=text.encode(), stdout=subprocess.PIPE, timeout=120, check=True)
    status, _, answer = run.stdout.decode().rstrip("\n").partition(" ")
    return status, answer


class Smtp(unittest.TestCase):
    def test_a_mail_arrives_as_it_was_meant(self):
        subject = "Überfällig: 900,01 € – Grenze überschritten " + "ä" * 60
        text = "Guten Tag,\n\n.\n..\n.dot\nQUIT\n€ = \t \n" + "lang " * 400 + "\nFrom here\n"
        with MailServer() as server:
            self.assertEqual(send(server, "ops@example.test", subject, text), ("sent", ""))
            [mail] = server.wait_for(1)
            self.assertEqual(mail["Subject"], subject)
            self.assertEqual(mail.get_content(), text)
            self.assertEqual(mail["From"], "tollgate@example.com")
            self.assertEqual(mail["To"], "ops@example.test")
            self.assertEqual(mail["Envelope-to"], "ops@example.test")
            self.assertEqual(mail["Return-path"], "<tollgate@example.com>")
            self.assertEqual(mail["Message-ID"], "<outbox-7@example.com>")
            self.assertEqual(mail["Date"], "Sun, 22 Nov 2026 06:52:44 +0000")
            self.assertEqual(mail["Auto-Submitted"], "auto-generated")
            self.assertEqual(mail.defects, [])

    def test_a_mail_sent_twice_can_be_told(self):
        with MailServer() as server:
            for _ in range(2):
                send(server, "ops@example.test")
            one, two = server.wait_for(2)
            self.assertEqual(one["Message-ID"], two["Message-ID"])

    def test_a_subject_adds_no_header(self):
        with MailServer() as server:
            send(server, "ops@example.test", "a\r\nBcc: other@example.test\r\n\r\nbody")
            [mail] = server.wait_for(1)
            self.assertIsNone(mail["Bcc"])
            self.assertEqual(mail["Subject"], "a  Bcc: other@example.test    body")
            self.assertEqual(mail.get_content(), "One line.\n")

    def test_refusals_are_told_apart(self):
        with MailServer() as server:
            self.assertEqual(send(server, "nobody@example.test"), ("never", "550 unknown user"))
            self.assertEqual(send(server, "ops@example.org"), ("never", "550 relay not permitted"))
            server.busy()
            self.assertEqual(send(server, "slow@example.test"), ("later", "451 come again"))
            self.assertEqual(server.mails(), [])
            server.busy(False)
            self.assertEqual(send(server, "slow@example.test"), ("sent", ""))
            self.assertEqual(len(server.wait_for(1)), 1)
            status, _ = send(server, "ops@example.test", text="x" * 2_000_000)
            self.assertEqual(status, "never")  # Beyond its message_size_limit.

    def test_nobody_there_is_unreachable(self):
        with MailServer() as server:
            server.stop()
            self.assertEqual(send(server, "ops@example.test")[0], "unreachable")
            server.start()
            self.assertEqual(send(server, "ops@example.test")[0], "sent")

    def test_the_way_is_encrypted_where_that_is_offered(self):
        with MailServer(tls=True) as server:
            self.assertEqual(send(server, "ops@example.test"), ("sent", ""))
            server.wait_for(1)
            self.assertIn(" P=esmtps ", server.log())
            # Its certificate is its own: good enough for "offered", not for "required".
            self.assertEqual(send(server, "ops@example.test", tls="required")[0], "unreachable")
            self.assertEqual(send(server, "ops@example.test", tls="never"), ("sent", ""))
            server.wait_for(2)
            self.assertIn(" P=esmtp ", server.log())


if __name__ == "__main__":
    main()
