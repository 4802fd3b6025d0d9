"""Collecting from hosted organizations: the change log, real rows, a chain of two connections."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from connections.connectors.hosted import HostedConnector
from connections.models import Connection, Endpoint, SyncedEntity
from organizations.catalog import create_organization, define, enable
from organizations.models import ChangeLog, Organization
from organizations.store import Store
from syncjobs import transaction_rows
from syncjobs.engine.collect import Source, collect
from syncjobs.engine.transactions import Action, Changed, Transaction
from syncjobs.engine.values import EntityTask, Options
from syncjobs.models import ClientCheckpoint, OfflineTransaction, Run
from syncjobs.reporter import DatabaseReporter
from syncjobs.state import DatabaseState
from syncjobs.transactions import DatabaseQueue
from tests.connections.connectors.sample import ENTITIES, EVERY_TYPE
from tests.syncjobs.engine.memory_state import Crash
from tests.syncjobs.making import make_run

pytestmark = pytest.mark.django_db
NAMES = tuple(entity.name for entity in ENTITIES)


class Way:
    """One connection of a chain: its client, and what was collected from it."""

    def __init__(self, server: Store, client: Store) -> None:
        self.client = client
        name = client.organization.name
        self.connection = Connection.objects.create(
            name=name,
            server=make_endpoint(server),
            client=make_endpoint(client),
            state=Connection.State.READY,
        )
        # All that a test writes has the time at which its transaction began.
        self.connection.created -= timedelta(minutes=1)
        self.connection.save(update_fields=["created"])
        for entity in NAMES:
            SyncedEntity.objects.create(connection=self.connection, name=entity, enabled=True)
        self.run = make_run(self.connection, state=Run.State.RUNNING, fence=1)
        self.queue = DatabaseQueue(self.connection, run=self.run)

    def connector(self) -> HostedConnector:
        return HostedConnector(self.client.organization, origin=str(self.connection.pk))

    def tasks(self, names: Sequence[str] = NAMES) -> list[EntityTask]:
        keys = dict(self.connection.entities.values_list("name", "pk"))
        return [
            EntityTask(
                key=keys[entity.name],
                server=entity,
                client=entity,
                attributes=tuple(
                    item for item in entity.attributes if item.name != "versionnumber"
                ),
            )
            for entity in ENTITIES
            if entity.name in names
        ]

    def collect(self, names: Sequence[str] = NAMES) -> None:
        source = Source(
            client=self.connector(),
            state=DatabaseState(self.run),
            queue=self.queue,
            reporter=DatabaseReporter(self.run),
            options=Options(page_size=3),
        )
        assert collect(source, self.tasks(names)) == {}

    def waiting(self) -> list[Transaction]:
        found = transaction_rows.select("connection_id = %(key)s", {"key": self.connection.pk})
        return [item for item in found if item.is_waiting]


def make_endpoint(store: Store) -> Endpoint:
    hosted = Endpoint.Backend.HOSTED
    return Endpoint.objects.create(backend=hosted, organization=store.organization)


def make_store(name: str) -> Store:
    organization = create_organization(name, Organization.Kind.CLIENT)
    define(organization, ENTITIES)
    enable(organization, NAMES)
    return Store(organization)


def make_way() -> Way:
    return Way(make_store("source"), make_store("target"))


def test_it_collects_edits_of_a_hosted_client_with_every_type() -> None:
    way = make_way()
    made = way.client.create("thing", dict(EVERY_TYPE), actor="ann@example.com")
    way.client.update("thing", made.id, {"money": Decimal("1.5")})
    way.collect()
    (only,) = way.waiting()
    assert (only.client_id, only.action, only.actor) == (made.id, Action.CREATE, "")
    assert only.changes == {name: Changed(None, value) for name, value in EVERY_TYPE.items()} | {
        "money": Changed(None, Decimal("1.50"))
    }
    assert only.at is not None
    assert (only.first_version, only.version) == (1, 2)


def test_an_idle_collection_writes_nothing_and_asks_twice() -> None:
    way = make_way()
    way.client.create("thing", {"text": "a"})
    way.collect()
    before = (list(ClientCheckpoint.objects.values()), list(OfflineTransaction.objects.values()))
    with CaptureQueriesContext(
        database,
    ) as captured:
        way.collect()
    asked = [query["sql"] for query in captured if "syncjobs_run" not in query["sql"]]
    about = ("syncjobs_clientcheckpoint", "organizations_changelog")
    assert len([sql for sql in asked if any(name in sql for name in about)]) == 2
    assert not [sql for sql in asked if sql.startswith(("INSERT", "UPDATE", "DELETE"))]
    after = (list(ClientCheckpoint.objects.values()), list(OfflineTransaction.objects.values()))
    assert after == before


def test_it_never_collects_what_the_connection_wrote() -> None:
    way = make_way()
    origin = str(way.connection.pk)
    made = way.client.create("thing", {"text": "a"}, origin=origin)
    way.client.update("thing", made.id, {"text": "b"}, origin=origin)
    way.collect()
    assert way.waiting() == []
    way.client.update("thing", made.id, {"text": "c"})
    way.collect()
    (only,) = way.waiting()
    assert (only.action, only.changes) == (Action.CREATE, {"text": Changed(None, "c")})


def test_a_chain_forwards_what_comes_from_below_and_not_what_it_carried_down() -> None:
    top, middle, bottom = make_store("top"), make_store("middle"), make_store("bottom")
    upper, lower = Way(top, middle), Way(middle, bottom)
    made = middle.create("thing", {"text": "from the top"}, origin=str(upper.connection.pk))
    bottom.create("thing", {"text": "from the top"}, id=made.id, origin=str(lower.connection.pk))
    upper.collect()
    lower.collect()
    assert upper.waiting() == lower.waiting() == []
    risen = bottom.create("thing", {"text": "from below"})
    lower.collect()
    assert [item.client_id for item in lower.waiting()] == [risen.id]
    middle.create("thing", {"text": "from below"}, id=risen.id, origin=str(lower.connection.pk))
    upper.collect()
    lower.collect()
    (only,) = upper.waiting()
    assert (only.client_id, only.changes) == (risen.id, None)
    assert len(lower.waiting()) == 1


def test_what_was_done_before_the_connection_was_made_is_not_collected() -> None:
    server, client = make_store("source"), make_store("target")
    client.create("thing", {"text": "before"})
    ChangeLog.objects.filter(organization=client.organization).update(
        at=client_time(client) - timedelta(hours=1)
    )
    way = Way(server, client)
    way.collect()
    assert way.waiting() == []
    after = client.create("thing", {"text": "after"})
    way.collect()
    assert [item.client_id for item in way.waiting()] == [after.id]


def client_time(store: Store) -> datetime:
    return ChangeLog.objects.filter(organization=store.organization).latest("version").at


def test_an_entity_disabled_and_enabled_again_loses_no_edit() -> None:
    way = make_way()
    way.collect()
    thing = way.client.create("thing", {"text": "meanwhile"})
    note = way.client.create("note", {"title": "n"})
    way.collect(["note"])
    assert [item.client_id for item in way.waiting()] == [note.id]
    way.collect()
    way.collect()
    assert [item.client_id for item in way.waiting()] == [thing.id, note.id]


@pytest.mark.parametrize("method", ["add", "save_collected"])
def test_a_death_in_a_page_leaves_nothing_of_it(
    monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    way = make_way()
    made = [way.client.create("thing", {"text": str(number)}) for number in range(4)]
    real = getattr(DatabaseQueue, method)
    calls = iter([True])

    def die(queue: DatabaseQueue, *values: object) -> None:
        real(queue, *values)
        if next(calls, None) is None:
            raise Crash

    with monkeypatch.context() as patch:
        patch.setattr(DatabaseQueue, method, die)
        with pytest.raises(Crash):
            way.collect()
    assert [item.client_id for item in way.waiting()] == [record.id for record in made[:3]]
    way.collect()
    assert [item.client_id for item in way.waiting()] == [record.id for record in made]


def test_a_client_that_is_an_older_copy_is_said() -> None:
    way = make_way()
    way.client.create("thing", {"text": "a"})
    way.collect()
    ClientCheckpoint.objects.update(version=50)
    source = Source(
        client=way.connector(),
        state=DatabaseState(way.run),
        queue=way.queue,
        reporter=DatabaseReporter(way.run),
        options=Options(),
    )
    failed = collect(source, way.tasks(["thing"]))
    assert failed == {
        "thing": "The client was read up to version 50, but its last version is 1: it is an older "
        "copy of itself. If that is meant, run a full synchronization."
    }
