"""Deletions that wait for a person, on rows: from the run that holds them to the one that acts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

import pytest

from connections.connectors import hosted
from connections.connectors.hosted import HostedConnector
from connections.models import Connection
from organizations.query.nodes import Query
from organizations.records import Page
from organizations.schema import Attribute, Entity
from syncjobs import dispatch, held, runner
from syncjobs.engine.airbag import Holding, Limits
from syncjobs.held import CannotDecide, DatabaseGuard
from syncjobs.models import HeldDeletions, Link, Run, RunEntity
from tests.syncjobs.making import client_store, fill, make_pair, make_run, names, server_store

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("calls", "no_organizations_left"),
]


def make_guarded(count: int = 12) -> Connection:
    """A connection in step whose limits are low; Sync Deletion is on."""
    connection = make_pair()
    connection.entities.update(sync_deletion=True)
    Connection.objects.update(delete_limit=6, delete_floor=2, delete_percent=25)
    fill(connection, count)
    work(connection)
    connection.refresh_from_db()
    return connection


def work(connection: Connection, **options: Any) -> Run:
    run = dispatch.start_sync(connection, reason="test", **options)
    runner.work(run.pk)
    run.refresh_from_db()
    return run


def delete(connection: Connection, *numbers: int) -> None:
    for number in numbers:
        server_store(connection).delete("account", str(UUID(int=number)))


def waits(connection: Connection) -> HeldDeletions:
    return held.waiting(connection).get()


def test_a_run_holds_too_many_deletions_and_ends_partly() -> None:
    connection = make_guarded()
    delete(connection, 1, 2, 3, 4)
    run = work(connection)
    assert run.state == "partly"
    assert run.message.endswith("; 4 deletions wait for your decision.")
    row = waits(connection)
    assert (row.count, row.linked, row.run_id) == (4, 12, run.pk)
    assert "4 of 12 records of 'account'" in row.reason
    assert row.sample[0] == {
        "id": str(UUID(int=1)),
        "name": "account 1",
        "why": "deleted on the server",
    }
    assert run.entities.get().held == 4
    assert len(names(client_store(connection))) == 12


def test_what_waits_is_one_row_that_follows_the_server() -> None:
    connection = make_guarded()
    delete(connection, 1, 2, 3, 4)
    work(connection)
    before = HeldDeletions.objects.values().get()
    work(connection)
    assert HeldDeletions.objects.values().get() == before, "nothing new, nothing written"
    delete(connection, 5)
    work(connection)
    assert waits(connection).count == 5
    for number in (1, 2, 3, 4, 5):
        values = {"accountid": str(UUID(int=number)), "name": "Back"}
        server_store(connection).create("account", values, id=str(UUID(int=number)))
    assert work(connection).state == "succeeded"
    assert HeldDeletions.objects.get().state == "over"


def test_the_run_after_an_approval_deletes_them() -> None:
    connection = make_guarded()
    delete(connection, 1, 2, 3, 4)
    work(connection)
    row = held.approve(connection, waits(connection).pk, by="ann", count=4)
    assert (row.state, row.decided_by) == ("approved", "ann")
    values = {"name": "Back"}
    server_store(connection).create("account", values, id=str(UUID(int=1)))
    run = work(connection)
    assert run.state == "succeeded"
    assert run.entities.get().deleted == 3
    row.refresh_from_db()
    assert (row.state, row.count) == ("done", 3)
    assert names(client_store(connection)) == names(server_store(connection))


def test_what_was_approved_does_not_count_for_the_day() -> None:
    connection = make_guarded()
    delete(connection, 1, 2, 3, 4)
    work(connection)
    held.approve(connection, waits(connection).pk, by="ann")
    work(connection)
    delete(connection, 5)
    run = work(connection)
    assert (run.state, run.entities.get().deleted) == ("succeeded", 1)
    delete(connection, 6)
    assert work(connection).state == "succeeded"
    delete(connection, 7)
    run = work(connection)
    assert run.state == "partly"
    assert "after 2 in the last 24 hours" in waits(connection).reason


def test_what_was_declined_stays_until_the_server_changes_something() -> None:
    connection = make_guarded()
    delete(connection, 1, 2, 3, 4)
    work(connection)
    held.decline(connection, waits(connection).pk, by="ann")
    assert work(connection).state == "succeeded"
    assert len(names(client_store(connection))) == 12
    for number in (1, 2):
        server_store(connection).create("account", {"name": "Back"}, id=str(UUID(int=number)))
    work(connection)
    row = HeldDeletions.objects.get()
    assert (row.state, row.server_ids) == ("declined", [UUID(int=3), UUID(int=4)])
    delete(connection, 1)
    run = work(connection)
    assert (run.state, run.entities.get().deleted) == ("succeeded", 1), "asked anew, and few enough"
    for number in (3, 4):
        server_store(connection).create("account", {"name": "Back"}, id=str(UUID(int=number)))
    work(connection)
    assert HeldDeletions.objects.get().state == "over"


@pytest.fixture
def blind(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of organizations that show us no record any more."""
    names_: list[str] = []

    class Blind(HostedConnector):
        tells_all = False

        def ids(self, entity: Entity, query: Query | None = None) -> Iterator[Sequence[str]]:
            return iter(()) if self._is_blind() else super().ids(entity, query)

        def fetch(
            self, entity: Entity, attributes: Sequence[Attribute], ids: Sequence[str]
        ) -> Page:
            return super().fetch(entity, attributes, [] if self._is_blind() else ids)

        def _is_blind(self) -> bool:
            return self.organization.name in names_

    monkeypatch.setattr(hosted, "HostedConnector", Blind)
    return names_


def test_an_empty_answer_waits_and_marks_nothing_before_a_decision(blind: list[str]) -> None:
    connection = make_guarded(2)
    blind.append("field-server")
    assert work(connection).state == "partly"
    row = waits(connection)
    assert row.reason.startswith("The server named no record of 'account' at all, but 2 are linked")
    assert {line["why"] for line in row.sample} == {"not named by the server"}
    assert set(Link.objects.values_list("state", flat=True)) == {0}
    held.decline(connection, row.pk, by="ann")
    assert set(Link.objects.values_list("state", flat=True)) == {1}
    assert work(connection).state == "succeeded"
    assert len(names(client_store(connection))) == 2


def test_an_approved_empty_answer_deletes_only_what_is_gone(blind: list[str]) -> None:
    connection = make_guarded(2)
    blind.append("field-server")
    work(connection)
    held.approve(connection, waits(connection).pk, by="ann")
    blind.clear()
    assert work(connection).state == "succeeded"
    assert len(names(client_store(connection))) == 2, "the server has both: they are asked for"
    assert HeldDeletions.objects.get().state == "over"


def test_nobody_decides_twice_or_about_other_deletions_than_were_shown() -> None:
    connection = make_guarded()
    delete(connection, 1, 2, 3, 4)
    work(connection)
    row = waits(connection)
    with pytest.raises(CannotDecide, match="By now 4 deletions wait instead of 3"):
        held.approve(connection, row.pk, by="ann", count=3)
    held.decline(connection, row.pk, by="ann", count=4)
    with pytest.raises(CannotDecide, match="do not wait any more"):
        held.approve(connection, row.pk, by="ann")


def test_a_decision_during_a_run_stands() -> None:
    connection = make_guarded()
    entity = connection.entities.get().pk
    run = make_run(connection, state=Run.State.RUNNING, fence=1)
    guard = DatabaseGuard(run)
    guard.hold(entity, Holding(server_ids=[str(UUID(int=1))], reason="Many.", linked=12))
    held.approve(connection, waits(connection).pk, by="ann")
    guard.hold(entity, Holding(server_ids=[str(UUID(int=2))], reason="Many.", linked=12))
    assert set(guard.approved(entity)) == {str(UUID(int=1))}
    assert HeldDeletions.objects.count() == 1


def test_a_dry_run_holds_nothing() -> None:
    connection = make_guarded()
    delete(connection, 1, 2, 3, 4)
    run = work(connection, dry_run=True)
    assert (run.state, run.entities.get().held) == ("partly", 4)
    assert not HeldDeletions.objects.exists()


def test_the_guard_knows_limits_and_the_last_day() -> None:
    connection = make_guarded()
    run = make_run(connection, state=Run.State.RUNNING, fence=1)
    guard = DatabaseGuard(run)
    assert guard.limits() == Limits(most=6, floor=2, percent=25)
    entity = connection.entities.get().pk
    RunEntity.objects.create(run=run, name="account", deleted=3, left=2)
    RunEntity.objects.create(run=run, name="contact", deleted=5)
    dry = make_run(connection, options={"dry_run": True})
    RunEntity.objects.create(run=dry, name="account", deleted=9)
    undo = make_run(connection, kind=Run.Kind.UNDO)
    RunEntity.objects.create(run=undo, name="account", deleted=9)
    assert guard.recent(entity) == 5
    HeldDeletions.objects.create(
        entity_id=entity,
        state="done",
        reason="",
        server_ids=[],
        count=4,
        linked=12,
        decided=run.created,
    )
    assert guard.recent(entity) == 1
