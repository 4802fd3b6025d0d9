"""The fixed SQL script: dump what the engine wrote, then write it again by `rows.sql` alone."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.db import connection as database
from django.db import transaction

from connections.models import Connection
from organizations.models import Organization
from syncjobs.bench import world
from syncjobs.models import Checkpoint

PATH = Path(__file__).with_name("rows.sql")
PAGE = 5000


@dataclass(frozen=True)
class Script:
    """Pages of rows as COPY text, and the statements that write them."""

    connection: Connection
    pages: tuple[bytes, ...]
    statements: dict[str, str]

    @classmethod
    def of(cls, connection: Connection) -> Script:
        """Dump the client's records with their links, in pages, in the order of their versions."""
        client = _client(connection)
        columns = _columns(client)
        named = PATH.read_text().replace("{schema}", f'"{client.schema}"')
        parts = named.replace("{columns}", ", ".join(f'"{name}"' for name in columns)).split("-- :")
        statements = {part.split("\n", 1)[0]: part.split("\n", 1)[1] for part in parts[1:]}
        return cls(connection, tuple(_dump(client, columns)), statements)

    @staticmethod
    def digest() -> str:
        """Return SHA-256 of the script's text."""
        return hashlib.sha256(PATH.read_bytes()).hexdigest()

    def prepare(self) -> None:
        """Make the stage and the checkpoint row."""
        Checkpoint.objects.get_or_create(entity=self.connection.entities.get(name=world.ENTITY))
        with database.cursor() as cursor:
            cursor.execute("DROP TABLE IF EXISTS pg_temp.bench_stage")
            cursor.execute(self.statements["prepare"])

    def run(self) -> None:
        """Write all pages, one transaction each."""
        values: dict[str, Any] = {
            "organization": _client(self.connection).pk,
            "entity": self.connection.entities.get(name=world.ENTITY).pk,
            "origin": str(self.connection.pk),
        }
        for number, page in enumerate(self.pages):
            with transaction.atomic(), database.cursor() as cursor:
                with cursor.copy(self.statements["copy"].strip().rstrip(";")) as copy:
                    copy.write(page)
                values |= {"rows": page.count(b"\n"), "resume": str(number)}
                for name in ("lock", "merge", "log", "link", "checkpoint"):
                    cursor.execute(self.statements[name], values)


def fingerprint(connection: Connection) -> dict[str, str]:
    """Return a digest of each table's rows; the time of a change is left out."""
    client = _client(connection)
    tables = {
        "entity": f'"{client.schema}".bench_record t',
        "link": "syncjobs_link t",
        "log": "(SELECT organization_id, version, entity, record, action, origin"
        " FROM organizations_changelog) t",
    }
    found = {}
    with database.cursor() as cursor:
        for name, table in tables.items():
            cursor.execute(
                f"SELECT count(*), sum(hashtextextended(t::text, 0)::numeric) FROM {table}"  # noqa: S608
            )
            found[name] = ":".join(map(str, cursor.fetchone()))
    return found


def _client(connection: Connection) -> Organization:
    client = connection.client.organization
    if client is None:
        raise LookupError("The client of a bench is hosted here.")
    return client


def _columns(client: Organization) -> list[str]:
    with database.cursor() as cursor:
        cursor.execute(
            "SELECT column_name FROM information_schema.columns WHERE table_schema = %s"
            " AND table_name = %s ORDER BY ordinal_position",
            [client.schema, world.ENTITY],
        )
        return [name for (name,) in cursor.fetchall()]


def _dump(client: Organization, columns: list[str]) -> list[bytes]:
    names = ", ".join(f't."{name}"' for name in columns)
    select = (
        f"SELECT {names}, l.server_version, l.digest"  # noqa: S608 - names from the catalog
        f' FROM "{client.schema}".bench_record t'
        " JOIN syncjobs_link l ON l.client_id = t.bench_recordid ORDER BY t.versionnumber"
    )
    with database.cursor() as cursor, cursor.copy(f"COPY ({select}) TO STDOUT") as copy:
        lines = b"".join(copy).splitlines(keepends=True)
    return [b"".join(lines[at : at + PAGE]) for at in range(0, len(lines), PAGE)]
