"""A database of its own for a bench, so that it can empty tables without asking."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote, urlencode

import psycopg
from django.conf import settings
from django.db import connection
from psycopg import sql

INSIDE = "--inside"
_NOT_DURABLE = sql.SQL("ALTER DATABASE {} SET synchronous_commit = off")


def run_inside(arguments: Sequence[str], command: str = "bench", *, is_durable: bool = True) -> int:
    """Run a command of `manage.py` with these arguments on a new database; drop it afterwards.

    Without `is_durable` nobody waits for the disk: for what measures nothing.
    """
    name = f"resco_{command}_{os.getpid()}"
    known = connection.get_connection_params()
    with psycopg.connect(_url(known, str(known["dbname"])), autocommit=True) as server:
        server.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        if not is_durable:
            server.execute(_NOT_DURABLE.format(sql.Identifier(name)))
        try:
            return _call(_url(known, name), [command, *arguments])
        finally:
            drop = sql.SQL("DROP DATABASE {} WITH (FORCE)")
            server.execute(drop.format(sql.Identifier(name)))


def _call(url: str, arguments: Sequence[str]) -> int:
    environment = {
        **os.environ,
        "DATABASE_URL": url,
        "SECRET_KEY": settings.SECRET_KEY,
        "RESCO_SYNC_SECRET_KEYS": ",".join(settings.RESCO_SYNC_SECRET_KEYS),
        "RESCO_SYNC_EGRESS_ALLOW": "127.0.0.1",
        "ALLOWED_HOSTS": "127.0.0.1",
    }
    manage = [sys.executable, sys.argv[0]]
    quiet = [*manage, "migrate", "--verbosity", "0"]
    subprocess.run(quiet, env=environment, check=True)  # noqa: S603 - our own command
    command = [*manage, *arguments, INSIDE]
    return subprocess.run(command, env=environment, check=False).returncode  # noqa: S603


def _url(known: dict[str, Any], name: str) -> str:
    user = quote(str(known.get("user") or ""))
    password = f":{quote(str(known['password']))}" if known.get("password") else ""
    where = {key: str(known[key]) for key in ("host", "port") if known.get(key)}
    return f"postgresql://{user}{password}@/{name}?{urlencode(where)}"
