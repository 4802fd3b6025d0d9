"""Where the embedded services keep their data, sockets, logs and locks."""

from __future__ import annotations

import hashlib
import os
import re
import stat
from dataclasses import dataclass
from pathlib import Path

from resco_sync.environment import is_set, var_dir

# A socket's whole path must fit into 104 bytes (macOS) or 108 (Linux).
LONGEST_SOCKET_PATH = 90
PLAIN = re.compile(r"[A-Za-z0-9/._-]+")
DATABASE = "resco_sync"


class ServicesError(Exception):
    """The embedded services cannot run; the text says why and what to do."""


@dataclass(frozen=True)
class Layout:
    """The folders of one installation's embedded services.

    Attributes:
        var: The data folder (RESCO_SYNC_VAR), resolved.
        sockets: A private folder; one folder per service in it, since as root each service has
            its own owner.
    """

    var: Path
    sockets: Path

    @property
    def database_url(self) -> str:
        """Where the embedded PostgreSQL answers."""
        return f"postgresql://postgres@/{DATABASE}?host={self.sockets / 'pg'}"

    @property
    def redis_url(self) -> str:
        """Where the embedded Valkey answers."""
        return f"unix://{self.valkey_socket}?db=0"

    @property
    def valkey_socket(self) -> Path:
        """The file of Valkey's socket."""
        return self.sockets / "valkey" / "s.sock"

    @property
    def log(self) -> Path:
        """What the supervisor says, and why it could not start."""
        return self.var / "log" / "services.log"

    @property
    def users_lock(self) -> Path:
        """Held shared by every process that uses the services."""
        return self.var / "services.users.lock"

    @property
    def supervisor_lock(self) -> Path:
        """Held by the one supervisor."""
        return self.var / "services.supervisor.lock"

    def make(self) -> None:
        """Make the folders; refuse a socket folder that somebody else could have prepared."""
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self.sockets.mkdir(mode=0o711, parents=True, exist_ok=True)
        found = self.sockets.lstat()
        private = not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
        if stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and private:
            return
        raise ServicesError(
            f"{self.sockets} must be a folder of user {os.geteuid()} that nobody else may write. "
            "Remove it, or set RESCO_SYNC_VAR to another folder."
        )


def find_layout() -> Layout:
    """Return the layout that the environment asks for; starts and makes nothing."""
    var = var_dir()
    near = var / "run"
    longest = os.fsencode(near / "pg" / ".s.PGSQL.5432")
    if len(longest) <= LONGEST_SOCKET_PATH and PLAIN.fullmatch(str(near)):
        return Layout(var, near)
    digest = hashlib.sha256(os.fsencode(var)).hexdigest()[:10]
    # Not the user's own temporary folder: every process must find the same one.
    return Layout(var, Path("/tmp", f"resco-sync-{os.geteuid()}-{digest}"))  # noqa: S108


def is_default_setup() -> bool:
    """Return whether the database is ours: then secrets are made and kept beside it."""
    return not is_set("DATABASE_URL")
