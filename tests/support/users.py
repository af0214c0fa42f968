"""Declared users of a tollgated, and a daemon that has some."""

import subprocess
import tempfile
from pathlib import Path

from daemon import Daemon, binary

PASSWORD = "a long secret of a switch"
HASHES = {}


def hash_of(password):
    """As the operator makes it."""
    if password not in HASHES:
        HASHES[password] = subprocess.run(
            [str(binary()), "hash-password"], input=password + "\n", capture_output=True, text=True,
            check=True, timeout=60).stdout.strip()
    return HASHES[password]


def declare(users, password=PASSWORD):
    """The text of a file of users: {name: {field: value}}."""
    def shown(value):
        if isinstance(value, list):
            return "[" + ", ".join(map(shown, value)) + "]"
        return str(value) if isinstance(value, int) else f'"{value}"'

    text = ""
    for name, fields in users.items():
        fields = {"name": name, "password": hash_of(password), **fields}
        text += "[[user]]\n" + "".join(f"{key} = {shown(value)}\n" for key, value in fields.items()) + "\n"
    return text


class GuardedDaemon(Daemon):
    """A daemon with users, of which `root` is an admin; its connections are his.

    with GuardedDaemon({"kam": {"role": "switch"}}) as daemon:
        kam = daemon.as_user("kam")
    """

    def __init__(self, users, *settings):
        self.users_folder = tempfile.TemporaryDirectory(prefix="tollgate-users-")
        self.users_file = Path(self.users_folder.name) / "users.toml"
        self.users_file.write_text(declare({"root": {"role": "admin"}, **users}))
        super().__init__(f"users.file={self.users_file}", *settings)

    def __exit__(self, *failure):
        try:
            super().__exit__(*failure)
        finally:
            self.users_folder.cleanup()

    def stranger(self):
        """A connection of nobody."""
        return super().connect()

    def as_user(self, name, password=PASSWORD):
        client = self.stranger()
        assert client.call("AUTH", name, password) == "OK"
        return client

    def connect(self):
        return self.as_user("root")
