"""A mail server of a test's own: Debian's Exim, on a free port of the loopback, that keeps what it takes in a folder.

    with MailServer() as server:
        daemon = Daemon(f"mail.relay=127.0.0.1:{server.port}")
        …
        [mail] = server.wait_for(1)
        mail["Subject"], mail.get_content()

It needs the package exim4-daemon-light to be installed, not to be configured or running: its configuration, spool and
log are in a temporary folder, it is no daemon of the system's, and it ends with the test, by its process id.

It takes mail for …@example.test. What it does is told by the recipient: `nobody@` is refused for good (550), `slow@`
may come later (451) for as long as server.busy() was the last word.
"""

import contextlib
import email
import email.policy
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

START_SECONDS = 30
MAIL_SECONDS = 60
EXIM = next((path for path in ("/usr/sbin/exim4", "/usr/sbin/exim") if os.access(path, os.X_OK)), None)

# Exim delivers nothing as root, and may change to nobody else unless it is root.
USER_OF_ROOT = "Debian-exim"

CONFIGURATION = """\
primary_hostname = mail.example.test
exim_user = {user}
exim_group = {group}
spool_directory = {folder}/spool
log_file_path = {folder}/log/%s
pid_file_path = {folder}/pid
keep_environment =
deliver_drop_privilege = {unprivileged}
domainlist local_domains = example.test
host_lookup =
rfc1413_query_timeout = 0s
message_size_limit = 1M
tls_advertise_hosts = {tls}
acl_smtp_rcpt = check_recipient
acl_smtp_data = take
begin acl
check_recipient:
  deny message = relay not permitted
       ! domains = +local_domains
  deny message = unknown user
       local_parts = nobody
  defer message = come again
       local_parts = slow
       condition = ${{if exists{{{folder}/busy}}}}
  accept
take:
  accept
begin routers
all:
  driver = accept
  transport = box
begin transports
box:
  driver = appendfile
  directory = {folder}/box
  maildir_format
  create_directory
  envelope_to_add
  return_path_add
{as_user}
begin retry
* * F,1h,5m
"""


class MailServer:
    """A running Exim; see above. Raises unittest.SkipTest where there is none."""

    def __init__(self, tls=False):
        self.tls = tls

    def __enter__(self):
        if EXIM is None:
            raise unittest.SkipTest("exim4-daemon-light is not installed")
        self.temporary = tempfile.TemporaryDirectory(prefix="tollgate-mail-")
        self.folder = Path(self.temporary.name)
        is_root = os.geteuid() == 0
        user = pwd.getpwnam(USER_OF_ROOT) if is_root else pwd.getpwuid(os.geteuid())
        for name in ("spool", "log", "box"):
            (self.folder / name).mkdir()
            shutil.chown(self.folder / name, user.pw_uid, user.pw_gid)
        shutil.chown(self.folder, user.pw_uid, user.pw_gid)
        as_user = f"  user = {user.pw_uid}\n  group = {user.pw_gid}\n" if is_root else ""
        self.configuration = self.folder / "exim.conf"
        self.configuration.write_text(CONFIGURATION.format(
            folder=self.folder, user=user.pw_uid, group=user.pw_gid, as_user=as_user,
            unprivileged="false" if is_root else "true", tls="*" if self.tls else ""))
        self.configuration.chmod(0o644)
        try:
            self.start()
        except BaseException:
            self.print_log()
            self.stop()
            self.temporary.cleanup()
            raise
        return self

    def start(self):
        """On the same port as before, if it was there before and can be had."""
        # Exim cannot be asked for any free port. Between finding one and taking it another may take it.
        for attempt in range(5):
            if not hasattr(self, "port") or attempt > 0:
                with socket.socket() as probe:
                    probe.bind(("127.0.0.1", 0))
                    self.port = probe.getsockname()[1]
            with open(self.folder / "output", "ab") as output:
                self.process = subprocess.Popen(
                    [EXIM, "-C", self.configuration, "-bdf", "-oX", f"127.0.0.1.{self.port}"],
                    cwd=self.folder, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                    start_new_session=True)
            deadline = time.monotonic() + START_SECONDS
            while self.process.poll() is None:
                if self.is_ready():
                    return
                assert time.monotonic() < deadline, "exim answers nothing"
                time.sleep(0.02)
        raise AssertionError("exim does not start")

    def is_ready(self):
        try:
            with socket.create_connection(("127.0.0.1", self.port), 10) as connection:
                return connection.recv(3) == b"220"
        except OSError:
            return False

    def stop(self):
        """Ends it; start() goes on with what it has."""
        if getattr(self, "process", None) is not None and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
            self.end_deliveries()

    def end_deliveries(self):
        """Those under way outlive their daemon, and write into its folder: they are of its group."""
        deadline = time.monotonic() + START_SECONDS
        with contextlib.suppress(ProcessLookupError):
            while True:
                os.killpg(self.process.pid, signal.SIGKILL)
                assert time.monotonic() < deadline, "exim's deliveries do not end"
                time.sleep(0.01)

    def __exit__(self, failure, *_):
        self.stop()
        if failure:
            self.print_log()
        self.temporary.cleanup()

    def print_log(self):
        for name in ("output", "log/main", "log/reject", "log/panic"):
            if (self.folder / name).exists():
                print(f"---- {name} of exim\n{(self.folder / name).read_text()[-5000:]}", file=sys.stderr, flush=True)

    # ---- What it does and has ----

    def busy(self, is_busy=True):
        """From now on it takes nothing for slow@ yet, or does again."""
        flag = self.folder / "busy"
        flag.touch() if is_busy else flag.unlink(missing_ok=True)

    def mails(self):
        """Those that have been delivered, the oldest first."""
        files = sorted(self.folder.glob("box/new/*"), key=lambda file: (file.stat().st_mtime_ns, file.name))
        return [email.message_from_bytes(file.read_bytes(), policy=email.policy.default) for file in files]

    def wait_for(self, count, seconds=MAIL_SECONDS):
        """The mails, once there are so many."""
        deadline = time.monotonic() + seconds
        while len(mails := self.mails()) < count:
            assert time.monotonic() < deadline, f"{len(mails)} of {count} mails after {seconds} s"
            time.sleep(0.05)
        return mails

    def log(self):
        """What it did, as text."""
        return (self.folder / "log/main").read_text()
