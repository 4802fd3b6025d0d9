"""The engine between two hosted organizations: records, links and position in one transaction."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from connections.connectors.hosted import HostedConnector
from connections.models import SyncedEntity
from organizations.catalog import create_organization, define, enable
from organizations.models import ChangeLog, Organization
from organizations.store import Store
from syncjobs.engine.sync import sync
from syncjobs.engine.values import Counts, EntityTask, Options, Position, Report
from syncjobs.models import Checkpoint, Link, Run
from syncjobs.reporter import DatabaseReporter
from syncjobs.state import DatabaseState
from tests.syncjobs.engine.memory_state import Crash
from tests.syncjobs.engine.world import make_entities
from tests.syncjobs.making import make_connection, make_run

pytestmark = pytest.mark.django_db
NAMES = ("account", "accounttag", "systemuser", "tag")


class Hosted:
    """A connection between two hosted organizations with the entities of the memory tests."""

    def __init__(self) -> None:
        self.server = self._make("source", Organization.Kind.DYNAMICS_TWIN)
        self.client = self._make("target", Organization.Kind.CLIENT)
        self.connection = make_connection("field", entities=NAMES)
        self.run = make_run(self.connection, state=Run.State.RUNNING, fence=1)
        self.state = DatabaseState(self.run)
        self.sync_deletion = True

    def _make(self, name: str, kind: Organization.Kind) -> Store:
        organization = create_organization(name, kind)
        define(organization, make_entities())
        enable(organization, NAMES)
        return Store(organization)

    def sync(self, *, dry_run: bool = False) -> dict[str, Report]:
        origin = str(self.connection.pk)
        server = HostedConnector(self.server.organization, origin=origin)
        client = HostedConnector(self.client.organization, origin=origin)
        keys = dict(SyncedEntity.objects.values_list("name", "pk"))
        tasks = [
            EntityTask(
                key=keys[entity.name],
                server=entity,
                client=entity,
                attributes=entity.attributes,
                sync_deletion=self.sync_deletion,
            )
            for entity in make_entities()
        ]
        reporter = DatabaseReporter(self.run)
        options = Options(page_size=3)
        reports = sync(
            server, client, tasks, self.state, reporter, options=options, dry_run=dry_run
        )
        return {report.entity: report for report in reports}

    def rows(self, side: Store, entity: str = "account") -> list[tuple[object, ...]]:
        columns = side.catalog.entity(entity)
        names = [item.name for item in columns.attributes]
        return [row[:-1] for row in side.page(columns, names)]

    def log(self) -> int:
        return ChangeLog.objects.filter(organization=self.client.organization).count()


def make_accounts(hosted: Hosted, count: int) -> list[str]:
    made = [
        hosted.server.create("account", {"name": f"Č {number}", "revenue": f"{number}.5"})
        for number in range(count)
    ]
    return [record.id for record in made]


def test_it_carries_changes_exactly_and_then_nothing() -> None:
    hosted = Hosted()
    ids = make_accounts(hosted, 7)
    tag = hosted.server.create("tag", {"name": "VIP"})
    hosted.server.associate("accounttags", ids[0], tag.id)
    reports = hosted.sync()
    assert reports["account"].counts == Counts(read=7, created=7)
    assert reports["accounttag"].counts == Counts(read=1, created=1)
    hosted.server.update("account", ids[0], {"name": "Renamed"})
    hosted.server.delete("account", ids[1])
    hosted.server.disassociate("accounttags", ids[0], tag.id)
    reports = hosted.sync()
    assert reports["account"].counts == Counts(read=1, updated=1, deleted=1)
    assert reports["accounttag"].counts == Counts(deleted=1)
    for entity in NAMES:
        assert hosted.rows(hosted.client, entity) == hosted.rows(hosted.server, entity)
    assert_nothing_is_written(hosted)
    row = hosted.run.entities.get(name="account")
    assert (row.read, row.created, row.updated, row.deleted) == (8, 7, 1, 1)


def test_it_leaves_a_users_edit_alone() -> None:
    hosted = Hosted()
    first, second = make_accounts(hosted, 2)
    hosted.sync()
    hosted.client.update("account", first, {"city": "Brno"})
    hosted.server.update("account", first, {"city": "Praha"})
    assert hosted.sync()["account"].counts == Counts(read=1, conflicts=1)
    assert hosted.client.get("account", first).values["city"] == "Brno"
    assert hosted.run.errors.get().record == first
    assert_nothing_is_written(hosted)


def test_a_dry_run_writes_nothing() -> None:
    hosted = Hosted()
    make_accounts(hosted, 4)
    predicted = hosted.sync(dry_run=True)
    assert hosted.rows(hosted.client) == []
    assert (hosted.log(), Link.objects.count(), Checkpoint.objects.count()) == (0, 0, 0)
    assert hosted.sync() == predicted


def test_it_goes_on_at_the_last_page_after_a_crash(monkeypatch: pytest.MonkeyPatch) -> None:
    hosted = Hosted()
    make_accounts(hosted, 8)
    with dying_at_page(monkeypatch, 3), pytest.raises(Crash):
        hosted.sync()
    assert Link.objects.count() == len(hosted.rows(hosted.client)) == hosted.log() == 3
    assert hosted.sync()["account"].counts == Counts(read=5, created=5)
    assert hosted.rows(hosted.client) == hosted.rows(hosted.server)
    assert_nothing_is_written(hosted)


def test_it_plans_a_page_again_whose_records_are_there_already() -> None:
    hosted = Hosted()
    make_accounts(hosted, 4)
    hosted.sync()
    key = SyncedEntity.objects.get(name="account").pk
    position = hosted.state.position(key)
    begun = Position(
        scope=position.scope, full=True, fresh=True, resume=f"all:0:{uuid.UUID(int=0)}"
    )
    hosted.state.save_position(key, begun)
    log = hosted.log()
    assert hosted.sync()["account"].counts == Counts(read=4, unchanged=4)
    assert hosted.log() == log


@contextmanager
def dying_at_page(monkeypatch: pytest.MonkeyPatch, number: int) -> Iterator[None]:
    """Die when the position of the `number`-th page of the run is to be saved."""
    pages = iter(range(number - 1))
    real = DatabaseState.save_position

    def save(state: DatabaseState, entity: int, position: Position) -> None:
        real(state, entity, position)
        if next(pages, None) is None:
            raise Crash

    with monkeypatch.context() as patch:
        patch.setattr(DatabaseState, "save_position", save)
        yield


def assert_nothing_is_written(hosted: Hosted) -> None:
    def everything() -> tuple[object, ...]:
        return (
            hosted.log(),
            list(Link.objects.order_by("pk").values()),
            list(Checkpoint.objects.order_by("pk").values()),
        )

    before = everything()
    hosted.sync()
    assert everything() == before
