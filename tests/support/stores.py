"""Starts a PostgreSQL and a Redis of its own for a test, hurts them, and ends them.

Both listen on a free port of the loopback and on a socket in a temporary folder of theirs. Neither is told to sync:
their processes are killed in tests, the machine is not.

    with Postgres() as postgres, Daemon(f"postgres.url={postgres.url}") as daemon:
        postgres.kill()      # kill -9 of every process of it
        postgres.start()     # again, on the same port, with what it had
        postgres.rows("SELECT id, kind FROM tollgate.parties ORDER BY id")   # [("alice", "customer"), …]

    with Redis() as redis:
        redis.call("HGETALL", "tollgate:party:alice")

As root, PostgreSQL runs as the user postgres: it refuses root.
"""

import csv
import io
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import unittest
from pathlib import Path

from wire import RespClient, RespError

START_SECONDS = 60
STOP_SECONDS = 60
STATEMENT_SECONDS = 240
POSTGRES_PROGRAMS = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
# Debian's own, in the PATH, is a script that looks for this one, and takes longer for that than most statements do.
PSQL = str(POSTGRES_PROGRAMS[-1].with_name("psql")) if POSTGRES_PROGRAMS else "psql"
NULL = "\\N"  # How psql writes it for us; rows() makes None of it.


def needs_postgres():
    """For a test of it: skipped, saying so, where it is not installed."""
    return unittest.skipIf(not POSTGRES_PROGRAMS, "postgresql is not installed")


def needs_redis():
    return unittest.skipIf(shutil.which("redis-server") is None, "redis-server is not installed")


def free_port():
    """One that is free now; the server that gets it is started at once."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def descendants(process_id):
    """Of a process, with itself, whatever groups they put themselves into."""
    children = {}
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        try:
            parent = int((entry / "stat").read_text().rsplit(")", 1)[1].split()[1])
        except (OSError, IndexError):
            continue  # It has ended meanwhile.
        children.setdefault(parent, []).append(int(entry.name))
    found = [process_id]
    for process in found:
        found += children.get(process, [])
    return found


class Server:
    """What the two have in common; see the module."""

    name = ""
    within = None  # The folder that its own is made in; None: the system's for temporary files.
    before = ()  # What stands before its command: ("taskset", "-c", "0").

    def __init__(self):
        self.port = free_port()
        self.process = None
        self.stopped = []

    def __enter__(self):
        self.temporary = tempfile.TemporaryDirectory(prefix=f"tollgate-{self.name}-", dir=self.within)
        self.folder = Path(self.temporary.name)
        self.folder.chmod(0o755)
        self.log = self.folder / "log"
        try:
            self.prepare()
            self.start()
        except BaseException:
            self.__exit__(*sys.exc_info())
            raise
        return self

    def __exit__(self, failure, *_):
        self.kill()
        if failure and self.log.exists():
            print(f"---- log of {self.name}", file=sys.stderr)
            print(self.log.read_text(errors="replace")[-5_000:], file=sys.stderr)
            print("---- end of the log", file=sys.stderr, flush=True)
        self.temporary.cleanup()

    # ---- Life ----

    def prepare(self):
        """Makes what the first start needs."""

    def command(self):
        raise NotImplementedError

    def answers(self):
        raise NotImplementedError

    def start(self):
        """Starts it, with what it had, and waits until it answers."""
        assert self.process is None, f"{self.name} runs already"
        deadline = time.monotonic() + START_SECONDS
        self.launch()
        while not self.answers():
            if self.process.poll() is not None:
                # What was killed may still hold its port or its shared memory for a moment.
                time.sleep(0.05)
                self.launch()
            assert time.monotonic() < deadline, f"{self.name} does not answer after {START_SECONDS} s"
            time.sleep(0.02)

    def launch(self):
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen([*self.before, *self.command()], cwd=self.folder, stdin=subprocess.DEVNULL,
                                            stdout=log, stderr=log, start_new_session=True)

    def kill(self):
        """kill -9 of all its processes, stopped ones too."""
        if self.process is None:
            return
        processes = descendants(self.process.pid)
        for process in processes:
            try:
                os.kill(process, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.process.wait()
        deadline = time.monotonic() + STOP_SECONDS
        while any(Path(f"/proc/{process}").exists() and "\nState:\tZ" not in read(f"/proc/{process}/status")
                  for process in processes):
            assert time.monotonic() < deadline, f"{self.name} cannot be killed"
            time.sleep(0.005)
        self.process, self.stopped = None, []

    def stop(self):
        """SIGSTOP to all its processes: connections stay, and nothing is answered. cont() ends it."""
        self.stopped = descendants(self.process.pid)
        self.signal(signal.SIGSTOP)
        # A process that was being forked meanwhile.
        self.stopped = descendants(self.process.pid)
        self.signal(signal.SIGSTOP)

    def cont(self):
        self.signal(signal.SIGCONT)
        self.stopped = []

    def signal(self, number):
        for process in self.stopped:
            try:
                os.kill(process, number)
            except ProcessLookupError:
                pass


def read(path):
    try:
        return Path(path).read_text()
    except OSError:
        return "\nState:\tZ"


class Postgres(Server):
    """A PostgreSQL with one database, `tollgate`, that its user `tollgate` owns. Nobody needs a password."""

    name = "postgres"

    def __init__(self, *settings):
        super().__init__()
        self.settings = settings  # As in postgresql.conf: "max_connections=20".

    @property
    def url(self):
        """What libpq connects by."""
        return f"postgresql://tollgate@127.0.0.1:{self.port}/tollgate"

    def programs(self, name, *arguments):
        as_postgres = []
        if os.geteuid() == 0:
            as_postgres = ["setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"]
        return [*as_postgres, str(POSTGRES_PROGRAMS[-1].with_name(name)), *arguments]

    def prepare(self):
        self.data = self.folder / "data"
        self.data.mkdir()
        if os.geteuid() == 0:
            shutil.chown(self.folder, "postgres")
            shutil.chown(self.data, "postgres")
        subprocess.run(self.programs("initdb", "--no-sync", "--auth=trust", "--encoding=UTF8", "--locale=C",
                                     "--username=postgres", "--no-instructions", str(self.data)),
                       cwd=self.folder, check=True, capture_output=True)
        self.made = False

    def command(self):
        settings = [f"port={self.port}", "listen_addresses=127.0.0.1", f"unix_socket_directories={self.folder}",
                    "fsync=off", "shared_buffers=32MB", "max_wal_size=256MB", "autovacuum_naptime=1h",
                    "log_min_messages=warning", "timezone=UTC", *self.settings]
        options = [word for setting in settings for word in ("-c", setting)]
        return self.programs("postgres", "-D", str(self.data), *options)

    def answers(self):
        if self.psql("SELECT 1", "postgres", "postgres", check=False) is None:
            return False
        if not self.made:
            self.psql("CREATE ROLE tollgate LOGIN", "postgres", "postgres")
            self.psql("CREATE DATABASE tollgate OWNER tollgate", "postgres", "postgres")
            self.made = True
        return True

    def wipe(self):
        """The database is as it was before anybody wrote into it."""
        self.psql("DROP DATABASE tollgate WITH (FORCE)", "postgres", "postgres")
        self.psql("CREATE DATABASE tollgate OWNER tollgate", "postgres", "postgres")

    # ---- Looking into it ----

    def psql(self, statements, user="tollgate", database="tollgate", check=True):
        """What psql prints, as CSV; None where it failed and that is allowed."""
        command = [PSQL, "--no-psqlrc", "--quiet", "--csv", "--tuples-only", "--set=ON_ERROR_STOP=1",
                   f"--pset=null={NULL}", f"--dbname=postgresql://{user}@127.0.0.1:{self.port}/{database}"]
        done = subprocess.run(command, input=statements, capture_output=True, text=True,
                              timeout=STATEMENT_SECONDS, env={**os.environ, "PGCONNECT_TIMEOUT": "10"})
        if done.returncode != 0:
            assert not check, (statements[:1000], done.stderr)
            return None
        return done.stdout

    def sql(self, statements):
        """Carries statements out, as the owner of the database."""
        self.psql(statements)

    def rows(self, query):
        """The rows of a query: tuples of text, or of None where something is NULL."""
        return [tuple(None if field == NULL else field for field in row)
                for row in csv.reader(io.StringIO(self.psql(query)))]

    def value(self, query):
        """The one field of a query's one row."""
        (row,) = self.rows(query)
        (field,) = row
        return field


class Redis(Server):
    """A Redis that keeps nothing on disk unless `settings` say so: a kill is a wipe then."""

    name = "redis"

    def __init__(self, *settings):
        super().__init__()
        self.settings = settings  # As on its command line: "--appendonly", "yes".

    @property
    def url(self):
        return f"redis://127.0.0.1:{self.port}"

    @property
    def unix(self):
        """The path of its socket."""
        return str(self.folder / "redis.sock")

    def command(self):
        return ["redis-server", "--port", str(self.port), "--bind", "127.0.0.1", "--unixsocket", self.unix,
                "--dir", str(self.folder), "--save", "", *self.settings]

    def answers(self):
        try:
            return self.call("PING") == "PONG"
        except (OSError, RespError):  # It may still be reading what it had.
            return False

    def wipe(self):
        self.call("FLUSHALL")

    def call(self, *words):
        """One command on a connection of its own."""
        (answer,) = self.pipeline([words])
        if isinstance(answer, RespError):
            raise answer
        return answer

    def pipeline(self, commands):
        """The answers to many on one connection."""
        client = RespClient(self.port)
        try:
            return client.pipeline(commands)
        finally:
            client.close()
