"""`bench compare`: the comparison of ids with Sync Deletion, beside reading the ids alone.

1. Four entities of a twin hold so many records, and all are linked, as after a first load.
2. Of each entity one record in a thousand is deleted on the twin without its feed, and as many
   are new.
3. Per entity the ids are read alone, then compared; both from a twin in a process of its own.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from django.conf import settings
from django.db import connection as database

from connections import registry
from connections.connect import proof, service
from connections.connect.request import from_document
from connections.connectors.base import Connector
from connections.models import Connection
from connections.naming.choosing import server_of
from organizations import catalog
from organizations.models import Application, Organization
from organizations.records import Row
from organizations.schema import Attribute, AttributeType, Entity, Label
from organizations.store import Store
from syncjobs import entity_tasks
from syncjobs.bench import process, twin, world
from syncjobs.chaos.memory_reporter import MemoryReporter
from syncjobs.engine.compare import Comparison
from syncjobs.engine.values import EntityTask, Options
from syncjobs.models import Run
from syncjobs.state import DatabaseState

NAMES = tuple(f"bench_list{number}" for number in range(1, 5))
CHANGED = 1000
"""One record in so many is deleted, and one is new."""
_MIB = 1 << 20


def measure(records: int, say: Callable[[str], None]) -> dict[str, Any]:
    """Return seconds and peak of memory of all entities; raises where a wrong id was found."""
    settings.RESCO_SYNC_EGRESS_ALLOW = ["127.0.0.1"]
    say(f"Making {len(NAMES)} entities of {records:,} records…")
    login = _make_server(records)
    with twin.served_apart() as url:
        connection = _connect(f"{url}/dynamics/{world.SERVER}", login)
        _link(connection)
        expected = _change(records)
        return {"records": records} | _measured(connection, expected, say)


def _measured(connection: Connection, expected: int, say: Callable[[str], None]) -> dict[str, Any]:
    found: dict[str, Any] = {"entities": {}}
    run = Run(connection=connection)
    with (
        registry.connector(connection.client) as client,
        server_of(connection) as server,
    ):
        tasks = list(_tasks(connection, client))
        server.identify()
        idle = process.memory()
        with process.watching_memory() as peak:
            for task in tasks:
                alone = _seconds(lambda task=task: sum(map(len, server.ids(task.server))))  # type: ignore[misc]
                compared = _seconds(
                    lambda task=task: _compare(server, task, DatabaseState(run), expected)  # type: ignore[misc]
                )
                found["entities"][task.name] = {"ids_alone_s": alone, "compare_s": compared}
                say(f"{task.name}: ids alone {alone} s, compared {compared} s")
    for name in ("ids_alone_s", "compare_s"):
        found[name] = round(sum(times[name] for times in found["entities"].values()), 2)
    return found | {
        "different_each": expected,
        "idle_mib": round(idle / _MIB, 1),
        "peak_mib": round(peak.bytes / _MIB, 1),
        "above_idle_mib": round((peak.bytes - idle) / _MIB, 1),
    }


def _compare(server: Connector, task: EntityTask, state: DatabaseState, expected: int) -> None:
    comparison = Comparison(server, state, MemoryReporter(), task, Options())
    comparison.read()
    entered, missing = _count(comparison.entered()), _count(comparison.missing())
    if (entered, missing) != (expected, expected):
        raise RuntimeError(f"{task.name}: {entered} entered and {missing} missing ids were found.")


def _count(pages: Iterator[Sequence[str]]) -> int:
    return sum(map(len, pages))


def _seconds(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return round(time.perf_counter() - begun, 2)


def _tasks(connection: Connection, client: Connector) -> Iterator[EntityTask]:
    for built in entity_tasks.build(entity_tasks.chosen(connection, ()), client):
        if not isinstance(built, EntityTask):
            raise RuntimeError(built.reason)
        yield built


def _entity(name: str) -> Entity:
    kinds = AttributeType
    return Entity(
        name=name,
        primary_id=f"{name}id",
        primary_name="name",
        label=Label.of({1033: name}),
        schema_name=name,
        set_name=f"{name}s",
        is_custom=True,
        tracks_changes=True,
        attributes=(
            _attribute(f"{name}id", kinds.UNIQUEIDENTIFIER, is_primary_id=True),
            _attribute("name", kinds.STRING, max_length=160, is_primary_name=True),
            _attribute("versionnumber", kinds.BIGINT, is_creatable=False, is_updatable=False),
        ),
    )


def _attribute(name: str, kind: AttributeType, **rest: object) -> Attribute:
    label = Label.of({1033: name.title()})
    return Attribute(name=name, type=kind, label=label, schema_name=name, **rest)  # type: ignore[arg-type]


def _rows(name: str, first: int, last: int) -> Iterator[Row]:
    for number in range(first, last):
        yield str(uuid.uuid5(uuid.NAMESPACE_OID, f"{name} {number}")), f"Record {number}"


def _make_server(records: int) -> world.Login:
    made = catalog.create_organization(world.SERVER, Organization.Kind.DYNAMICS_TWIN)
    catalog.define(made, [_entity(name) for name in NAMES])
    catalog.enable(made, NAMES)
    for name in NAMES:
        Store(made).load(name, (f"{name}id", "name"), _rows(name, 0, records))
    application = Application(organization=made, name="bench")
    application.set_secret(world.SECRET)
    application.save()
    return world.Login(str(application.id), world.SECRET)


def _connect(url: str, login: world.Login) -> Connection:
    setup = {
        "ProviderID": world.PROVIDER,
        "Url": url,
        "UserName": login.client_id,
        "Password": login.secret,
    }
    proven = proof.prove(from_document({"SyncSetup": setup, "Entities": list(NAMES)}))
    client = service.NewClient(
        name=world.CLIENT, email="bench@example.com", password=uuid.uuid4().hex, person={}
    )
    connection = service.connect(proven, client)
    service.carry_out(connection)
    connection.entities.update(sync_deletion=True)
    return connection


def _link(connection: Connection) -> None:
    """Link every record, as a first load would; only ids and states are looked at."""
    schema = Organization.objects.get(name=world.SERVER).schema
    keys = dict(connection.entities.values_list("name", "pk"))
    with database.cursor() as cursor:
        for name in NAMES:
            cursor.execute(
                "INSERT INTO syncjobs_link (entity_id, server_id, client_id, server_version, "  # noqa: S608
                f'client_version, digest, state) SELECT %s, "{name}id", "{name}id", 1, 1, '
                f'"{name}id", 0 FROM "{schema}"."{name}"',
                [keys[name]],
            )
        cursor.execute("ANALYZE syncjobs_link")


def _change(records: int) -> int:
    """Delete and add some records of each entity behind everybody's back; return how many."""
    made = Organization.objects.get(name=world.SERVER)
    part = max(1, records // CHANGED)
    with database.cursor() as cursor:
        for name in NAMES:
            gone = [row[0] for row in _rows(name, 0, part)]
            cursor.execute(
                f'DELETE FROM "{made.schema}"."{name}" WHERE "{name}id" = ANY(%s::uuid[])',  # noqa: S608
                [gone],
            )
            Store(made).load(name, (f"{name}id", "name"), _rows(name, records, records + part))
            cursor.execute(f'ANALYZE "{made.schema}"."{name}"')
    return part
