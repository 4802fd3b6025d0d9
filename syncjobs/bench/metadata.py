"""`bench metadata`: Update Server from an organization of many entities, then once more."""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.db import connection as database

from connections.connect import proof, service
from connections.connect.request import from_document
from connections.models import Connection
from organizations.models import EntityDefinition
from syncjobs.bench import organization, process, world
from syncjobs.bench.organization import Served

CLIENT = "bench-metadata"
SIGNING_IN = "signing in"
_WRITES = ("INSERT", "UPDATE", "DELETE", "CREATE", "ALTER", "DROP", "COPY", "TRUNCATE")
_TABLE = re.compile(r'"?((?:connections|organizations|syncjobs)_\w+)"?')
_MIB = 1 << 20


def measure(entities: int) -> dict[str, Any]:
    """Take over so many entities twice; return seconds, requests, writes and peaks of memory."""
    settings.RESCO_SYNC_EGRESS_ALLOW = ["127.0.0.1"]
    with organization.served(entities) as server:
        connection = connect(server)
        before = process.memory()
        first = update(connection, server)
        second = update(Connection.objects.get(pk=connection.pk), server)
    client = connection.client.organization
    held = EntityDefinition.objects.filter(organization=client).count()
    return {
        "entities": entities,
        "held": held,
        "memory_before_mib": round(before / _MIB),
        "first": first,
        "second": second,
    }


def connect(server: Served) -> Connection:
    """Connect a new client, without taking over anything yet."""
    setup = {
        "ProviderID": world.PROVIDER,
        "Url": server.url,
        "UserName": str(uuid.UUID(int=1)),
        "Password": world.SECRET,
    }
    names = [organization.name_of(0)]
    proven = proof.prove(from_document({"SyncSetup": setup, "Entities": names}))
    client = service.NewClient(
        name=CLIENT, email="bench@example.com", password=uuid.uuid4().hex, person={}
    )
    return service.connect(proven, client)


def update(connection: Connection, server: Served) -> dict[str, Any]:
    """Carry out one Update Server and return what it cost."""
    server.asked()
    with process.watching_memory() as peak, counting_writes() as writes:
        begun = time.perf_counter()
        plan = service.carry_out(connection)
        seconds = time.perf_counter() - begun
    asked = server.asked()
    return {
        "seconds": round(seconds, 2),
        "requests": sum(count for what, count in asked.items() if what != SIGNING_IN),
        "requests_to_sign_in": asked[SIGNING_IN],
        "writes": writes.count,
        "tables_written": ", ".join(sorted(writes.tables)) or "none",
        "changed": len(plan.entities),
        "unchanged": plan.unchanged,
        "peak_mib": round(peak.bytes / _MIB),
    }


@dataclass(slots=True)
class Writes:
    """How many statements changed the database, and the tables they name first."""

    count: int = 0
    tables: set[str] = field(default_factory=set)


@contextmanager
def counting_writes() -> Iterator[Writes]:
    """Count the statements that write while the block runs."""
    writes = Writes()

    def look(execute: Callable[..., Any], sql: str, *rest: Any) -> Any:
        if str(sql).lstrip().upper().startswith(_WRITES):
            writes.count += 1
            writes.tables |= set(_TABLE.findall(str(sql))[:1])
        return execute(sql, *rest)

    with database.execute_wrapper(look):
        yield writes
