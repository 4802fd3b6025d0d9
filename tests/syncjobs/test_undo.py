"""Taking back runs between two hosted organizations, and between a twin and a client over HTTP."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from connections.connectors.hosted import HostedConnector
from connections.errors import Refused
from connections.models import Connection, Endpoint, SyncedEntity
from organizations.catalog import create_organization, define, enable
from organizations.models import ChangeLog, DeletedRecord, Organization
from organizations.records import Action
from organizations.schema import Attribute, AttributeType, Origin
from organizations.store import Store
from syncjobs import kinds, lane, undo
from syncjobs.engine.undoing import Plan
from syncjobs.engine.values import Images, Side
from syncjobs.models import Image, Link, OfflineTransaction, Run, TransactionEvent
from syncjobs.state import DatabaseState
from tests.syncjobs.engine.memory_state import Crash
from tests.syncjobs.engine.world import make_entities
from tests.syncjobs.making import client_store, server_store

pytestmark = pytest.mark.django_db
NAMES = ("account", "accounttag", "systemuser", "tag")


def make_both() -> Connection:
    """Two hosted organizations; the accounts of the client have a column of their own."""
    ends = []
    for side in ("field-server", "field"):
        organization = create_organization(side, Organization.Kind.CLIENT)
        entities = make_entities()
        if side == "field":
            own = Attribute(name="own", type=AttributeType.STRING, origin=Origin.LOCAL)
            account = replace(entities[0], attributes=(*entities[0].attributes, own))
            entities = (account, *entities[1:])
        define(organization, entities)
        enable(organization, NAMES)
        ends.append(
            Endpoint.objects.create(backend=Endpoint.Backend.HOSTED, organization=organization)
        )
    connection = Connection.objects.create(
        name="field", server=ends[0], client=ends[1], state=Connection.State.READY
    )
    for name in NAMES:
        SyncedEntity.objects.create(
            connection=connection, name=name, enabled=True, sync_deletion=True
        )
    return connection


def carried_out(connection: Connection, kind: str, **options: Any) -> Run:
    Run.objects.filter(state=Run.State.RUNNING).update(state=Run.State.FAILED)
    run = Run.objects.create(
        connection=connection,
        kind=kind,
        reason="test",
        state=Run.State.RUNNING,
        fence=1,
        options=options,
    )
    return go_on(run)


def go_on(run: Run) -> Run:
    outcome = kinds.KINDS[run.kind](run)
    run.refresh_from_db()
    run.state, run.message = outcome.state, outcome.message
    run.save()
    return run


def sync(connection: Connection, **options: Any) -> Run:
    return carried_out(connection, Run.Kind.SYNC, **options)


def preview(run: Run) -> dict[str, Any]:
    plan = carried_out(run.connection, Run.Kind.UNDO, run=str(run.pk), preview=True)
    found: dict[str, Any] = plan.result["undo"]
    return found


def take_back(run: Run) -> Run:
    digest = preview(run)["digest"]
    return carried_out(run.connection, Run.Kind.UNDO, run=str(run.pk), digest=digest)


def rows(store: Store, entity: str = "account") -> dict[str, tuple[object, ...]]:
    columns = store.catalog.entity(entity)
    names = [item.name for item in columns.attributes if item.name != "own"]
    return {str(row[0]): row[:-1] for row in store.page(columns, names)}


def write_on_server(run: Run, action: Action, id_: str, **values: object) -> None:
    """Write as a push does: with our origin, and with an image."""
    store = server_store(run.connection)
    origin = str(run.connection_id)
    entity = store.catalog.entity("account")
    connector = HostedConnector(store.organization, origin=origin)
    layout = connector.fetch(entity, entity.attributes, [id_])
    before = [tuple(layout.rows[0])] if layout.rows else []
    if action is Action.CREATE:
        store.create("account", values, id=id_, origin=origin)  # type: ignore[arg-type]
    elif action is Action.UPDATE:
        store.update("account", id_, values, origin=origin)  # type: ignore[arg-type]
    else:
        store.delete("account", id_, origin=origin)
    after = connector.fetch(entity, entity.attributes, [id_]).versions
    images = Images(
        side=Side.SERVER,
        action=action,
        ids=[id_],
        versions=list(after) or [0],
        columns=layout.columns,
        before=() if action is Action.CREATE else before,
    )
    DatabaseState(run).remember(SyncedEntity.objects.get(name="account").pk, images)


def delivered(run: Run, id_: str) -> OfflineTransaction:
    """A transaction that the run delivered."""
    transaction = OfflineTransaction.objects.create(
        connection=run.connection,
        entity=SyncedEntity.objects.get(name="account"),
        client_id=id_,
        action="update",
        version=1,
        first_version=1,
        status="processed",
    )
    TransactionEvent.objects.create(transaction=transaction, status="processed", run=run)
    return transaction


def test_a_first_load_is_taken_back_and_stays_so_until_the_server_changes() -> None:
    connection = make_both()
    server, client = server_store(connection), client_store(connection)
    first, second = (server.create("account", {"name": name}).id for name in ("A", "B"))
    tag = server.create("tag", {"name": "VIP"})
    server.associate("accounttags", first, tag.id)
    run = sync(connection)
    assert len(rows(client)) == 2
    undone = take_back(run)
    assert undone.message == (
        "0 brought back, 0 changed back, 4 deleted, 0 as before already, 0 skipped."
    )
    assert [rows(client, name) for name in NAMES] == [{}, {}, {}, {}]
    for full in (False, True):
        sync(connection, full=full)
        assert rows(client) == {}
    server.update("account", first, {"name": "A2"})
    sync(connection)
    assert set(rows(client)) == {first}
    assert Link.objects.filter(server_id=second, client_version=-1).exists()


def test_an_update_is_taken_back_with_all_its_values() -> None:
    connection = make_both()
    server, client = server_store(connection), client_store(connection)
    account = server.create("account", {"name": "A", "revenue": "1.50", "city": "Brno"}).id
    sync(connection)
    before = rows(client)
    server.update("account", account, {"name": "B", "revenue": None})
    run = sync(connection)
    told = preview(run)
    assert told["counts"] == [
        {"side": "client", "entity": "account", "action": "update", "count": 1}
    ]
    assert told["samples"] == [
        {"side": "client", "entity": "account", "record": account, "action": "update"}
    ]
    take_back(run)
    assert rows(client) == before
    sync(connection)
    assert rows(client) == before
    server.update("account", account, {"city": "Praha"})
    sync(connection)
    assert rows(client) == rows(server)


def test_nobody_delivers_while_a_run_is_taken_back(monkeypatch: pytest.MonkeyPatch) -> None:
    connection = make_both()
    server_store(connection).create("account", {"name": "A"})
    run = sync(connection)
    carry_out, checked = undo.carry_out, list[uuid.UUID]()

    def watched(taken_back: Run) -> Plan:
        if not taken_back.options.get("preview"):
            lane.check(connection.pk)
            checked.append(taken_back.pk)
        return carry_out(taken_back)

    monkeypatch.setattr(undo, "carry_out", watched)
    undone = take_back(run)
    assert checked == [undone.pk]


def test_what_was_changed_since_is_skipped_with_the_reason() -> None:
    connection = make_both()
    server, client = server_store(connection), client_store(connection)
    ids = [server.create("account", {"name": name}).id for name in "ABC"]
    run = sync(connection)
    client.update("account", ids[0], {"name": "Mine"})
    client.delete("account", ids[1])
    undone = take_back(run)
    assert undone.state == Run.State.PARTLY
    assert set(rows(client)) == {ids[0]}
    error = undone.errors.get()
    assert (error.record, error.code) == (ids[0], "Skipped")
    assert error.message.startswith("It was changed since: it is at version ")


def test_the_undo_is_not_pushed_and_can_itself_be_taken_back() -> None:
    connection = make_both()
    server, client = server_store(connection), client_store(connection)
    account = server.create("account", {"name": "A", "revenue": "2.25"}).id
    run = sync(connection)
    undone = take_back(run)
    assert rows(client) == {}
    logged = ChangeLog.objects.filter(organization=client.organization).latest("version")
    assert (logged.action, logged.origin) == ("delete", str(connection.pk))
    take_back(undone)
    assert rows(client) == rows(server)
    assert not DeletedRecord.objects.exists()
    link = Link.objects.get(server_id=account)
    assert link.client_version == client.get("account", account).version
    sync(connection)
    assert rows(client) == rows(server)


def test_a_deletion_comes_back_whole_out_of_the_recycle_bin() -> None:
    connection = make_both()
    server, client = server_store(connection), client_store(connection)
    account = server.create("account", {"name": "A"}).id
    sync(connection)
    client.update("account", account, {"own": "kept here"}, origin=str(connection.pk))
    before = rows(client)
    run = Run.objects.create(connection=connection, kind="Sync", reason="t", state="succeeded")
    server.delete("account", account)
    delete_on_client(run, account)
    assert DeletedRecord.objects.filter(organization=client.organization).count() == 1
    take_back(run)
    assert rows(client) == before
    assert client.get("account", account).values["own"] == "kept here"
    assert not DeletedRecord.objects.filter(organization=client.organization).exists()


def delete_on_client(run: Run, id_: str) -> None:
    """Delete as a run does: with our origin, with an image, and without a link left."""
    store = client_store(run.connection)
    entity = store.catalog.entity("account")
    both = [item for item in entity.attributes if item.name != "own"]
    found = HostedConnector(store.organization).fetch(entity, both, [id_])
    store.delete("account", id_, origin=str(run.connection_id))
    images = Images(
        side=Side.CLIENT,
        action=Action.DELETE,
        ids=[id_],
        versions=[0],
        columns=found.columns,
        before=found.rows,
    )
    DatabaseState(run).remember(SyncedEntity.objects.get(name="account").pk, images)
    Link.objects.filter(server_id=id_).delete()


def test_server_writes_are_taken_back_and_flow_to_the_client() -> None:
    connection = make_both()
    server, client = server_store(connection), client_store(connection)
    changed, gone = (server.create("account", {"name": name, "revenue": "3"}).id for name in "AB")
    sync(connection)
    before = rows(server)
    run = Run.objects.create(connection=connection, kind="Sync", reason="t", state="succeeded")
    made = str(uuid.uuid4())
    write_on_server(run, Action.CREATE, made, name="New")
    write_on_server(run, Action.UPDATE, changed, name="Changed")
    write_on_server(run, Action.DELETE, gone)
    transaction = delivered(run, changed)
    undone = take_back(run)
    assert undone.message.startswith("1 brought back, 1 changed back, 1 deleted")
    assert rows(server) == before
    transaction.refresh_from_db()
    assert (transaction.status, transaction.message) == (
        "archived",
        f"Taken back by undo of run {run.pk}.",
    )
    assert transaction.events.last().run == undone  # type: ignore[union-attr]
    sync(connection)
    assert rows(client) == before
    take_back(undone)
    transaction.refresh_from_db()
    assert transaction.status == "processed"
    assert rows(server)[changed][1:] != before[changed][1:]


def test_a_record_written_twice_in_a_run_is_taken_back_to_what_was_before_the_run() -> None:
    connection = make_both()
    server = server_store(connection)
    account = server.create("account", {"name": "A"}).id
    other = server.create("account", {"name": "Other"}).id
    before = rows(server)
    run = Run.objects.create(connection=connection, kind="Sync", reason="t", state="succeeded")
    for name in ("B", "C"):
        write_on_server(run, Action.UPDATE, account, name=name)
    write_on_server(run, Action.UPDATE, other, name="X")
    told = preview(run)
    assert told["counts"] == [
        {"side": "server", "entity": "account", "action": "update", "count": 2}
    ]
    take_back(run)
    assert rows(server) == before


def test_it_stops_if_the_plan_is_no_longer_true() -> None:
    connection = make_both()
    server, client = server_store(connection), client_store(connection)
    account = server.create("account", {"name": "A"}).id
    run = sync(connection)
    digest = preview(run)["digest"]
    client.update("account", account, {"name": "Mine"})
    with pytest.raises(Refused, match=r"Something has changed since the preview.*Preview it again"):
        carried_out(connection, Run.Kind.UNDO, run=str(run.pk), digest=digest)
    assert set(rows(client)) == {account}


def test_an_undo_that_was_killed_goes_on_after_its_last_page(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    connection = make_both()
    server, client = server_store(connection), client_store(connection)
    server.create("account", {"name": "A"})
    server.create("tag", {"name": "VIP"})
    run = sync(connection)
    assert Image.objects.filter(run=run).count() == 2
    digest = preview(run)["digest"]
    with monkeypatch.context() as patch:
        patch.setattr(DatabaseState, "hold", _dying_at(2, DatabaseState.hold))
        with pytest.raises(Crash):
            carried_out(connection, Run.Kind.UNDO, run=str(run.pk), digest=digest)
    assert sorted(len(rows(client, name)) for name in ("account", "tag")) == [0, 1]
    undone = go_on(Run.objects.get(kind=Run.Kind.UNDO, options__digest=digest))
    assert (rows(client), rows(client, "tag")) == ({}, {})
    assert undone.message.startswith("0 brought back, 0 changed back, 2 deleted, 0 as before")
    assert not undone.errors.exists()


def _dying_at(call: int, hold: Callable[[DatabaseState], None]) -> Callable[[DatabaseState], None]:
    calls: list[int] = []

    def dying(self: DatabaseState) -> None:
        calls.append(1)
        if len(calls) == call:
            raise Crash
        hold(self)

    return dying
