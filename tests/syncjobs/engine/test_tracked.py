"""Advanced Sync Deletion: what the server recorded itself becomes marks, and deletions follow."""

from __future__ import annotations

import json
from collections import defaultdict
from dataclasses import dataclass, field, replace

import pytest

from connections.connectors.base import ReadRequest, Tracking
from connections.connectors.memory import MemoryConnector
from connections.errors import CheckpointExpired, Retryable
from organizations.records import Page
from organizations.schema import AttributeType
from syncjobs.engine.sync import sync
from syncjobs.engine.values import EntityTask, LinkState, Report
from tests.syncjobs.engine.memory_state import MemoryReporter
from tests.syncjobs.engine.world import (
    CONNECTION,
    World,
    make_accounts,
    make_attribute,
    make_entity,
    make_world,
)

TRACKING = "tracking"


class TrackingConnector(MemoryConnector):
    """A server whose records of `tracking` say what happened; some records it does not show."""

    hidden: frozenset[str] = frozenset()
    faults: list[Exception] = []

    def tracking(self, page: Page) -> Tracking:
        deleted, owners = defaultdict[str, list[str]](list), defaultdict[str, list[str]](list)
        covered, since = None, 0
        name = page.columns.index("name")
        for row, version in zip(page.rows, page.versions, strict=True):
            told = json.loads(str(row[name]))
            if "covered" in told:
                covered, since = frozenset(told["covered"]), version
            else:
                target = owners if told["what"] == "owner" else deleted
                target[told["entity"]].append(told["id"])
        return Tracking(deleted=deleted, owners=owners, covered=covered, since=since)

    def read(self, request: ReadRequest):  # type: ignore[no-untyped-def]
        if request.entity.name == TRACKING and self.faults:
            raise self.faults.pop(0)
        for page in super().read(request):
            yield self._shown(page) if request.since is None else page

    def fetch(self, entity, attributes, ids):  # type: ignore[no-untyped-def]
        return super().fetch(entity, attributes, [item for item in ids if item not in self.hidden])

    def _shown(self, page: Page) -> Page:
        places = [place for place, row in enumerate(page.rows) if row[0] not in self.hidden]
        return replace(
            page,
            rows=[page.rows[place] for place in places],
            versions=[page.versions[place] for place in places],
        )


@dataclass
class Tracked:
    """A world whose server tracks."""

    world: World
    hidden: frozenset[str] = frozenset()
    faults: list[Exception] = field(default_factory=list)
    sync_deletion: bool = False

    def tell(self, what: str, entity: str, item: str) -> None:
        text = json.dumps({"what": what, "entity": entity, "id": item})
        self.world.server.create(TRACKING, {"name": text})

    def cover(self, *names: str) -> None:
        text = json.dumps({"covered": names})
        self.world.server.create(TRACKING, {"name": text})

    def delete(self, item: str, entity: str = "account", *, told: bool = True) -> None:
        """Delete without a trace in the change feed, as servers do that track no changes."""
        self.world.server.tables[entity].pop(item)
        if told:
            self.tell("delete", entity, item)

    def tasks(self) -> list[EntityTask]:
        tasks = [replace(task, is_tracked=True) for task in self.world.tasks()]
        server = self.world.server.entity(TRACKING)
        own = EntityTask(
            key=99,
            server=server,
            client=self.world.client.entity(TRACKING),
            attributes=server.attributes,
            is_tracking=True,
        )
        return [*tasks, own]

    def sync(self, *, full: bool = False, dry_run: bool = False) -> dict[str, Report]:
        world = self.world
        world.reporter = MemoryReporter()
        server = TrackingConnector(world.server)
        server.hidden, server.faults = self.hidden, self.faults
        reports = sync(
            server,
            MemoryConnector(world.client, origin=CONNECTION),
            self.tasks(),
            world.state,
            world.reporter,
            full=full,
            dry_run=dry_run,
            options=replace(world.options, sleep=world.waits.append, clock=lambda: world.now),
        )
        return {report.entity: report for report in reports}

    def states(self) -> dict[str, LinkState]:
        key = self.world.task("account").key
        return {item: link.state for item, link in self.world.state.saved.links[key].items()}


def make_tracked(count: int = 3) -> tuple[Tracked, list[str]]:
    """A world that was carried once, with so many accounts."""
    world = make_world(entities=("account", "accounttag", "tag"))
    for organization in (world.server, world.client):
        entity = make_entity(TRACKING, make_attribute("name", AttributeType.STRING))
        organization.entities = {**organization.entities, TRACKING: entity}
        organization.tables[TRACKING] = {}
    tracked = Tracked(world)
    tracked.cover("account deletes")
    accounts = make_accounts(world, count)
    tracked.sync()
    tracked.sync()
    return tracked, accounts


def test_a_recorded_deletion_is_carried_though_the_feed_does_not_tell() -> None:
    tracked, (first, *others) = make_tracked()
    tracked.delete(first)
    reports = tracked.sync()
    assert set(tracked.world.rows("client")) == set(others)
    assert reports["account"].counts.deleted == 1
    assert reports[TRACKING].counts.read == 1


def test_a_deletion_that_was_not_recorded_is_not_noticed() -> None:
    tracked, (first, *_) = make_tracked()
    tracked.delete(first, told=False)
    tracked.sync()
    assert first in tracked.world.rows("client")


def test_a_deletion_that_the_server_does_not_confirm_is_not_believed() -> None:
    tracked, (first, *_) = make_tracked()
    tracked.tell("delete", "account", first)
    tracked.sync()
    assert tracked.states()[first] == LinkState.CURRENT
    assert first in tracked.world.rows("client")


def test_a_removed_pair_is_carried() -> None:
    tracked, (account, *_) = make_tracked()
    tag = tracked.world.server.create("tag", {"name": "red"})
    pair = tracked.world.server.create("accounttag", {"accountid": account, "tagid": tag})
    tracked.sync()
    assert pair in tracked.world.rows("client", "accounttag")
    tracked.delete(pair, "accounttag")
    tracked.sync()
    assert tracked.world.rows("client", "accounttag") == {}


def test_a_record_that_a_new_owner_hides_has_left() -> None:
    tracked, (first, *others) = make_tracked()
    tracked.tell("owner", "account", first)
    tracked.hidden = frozenset({first})
    tracked.sync()
    assert set(tracked.world.rows("client")) == set(others)


def test_a_record_that_a_new_owner_shows_is_read_by_id() -> None:
    tracked, _ = make_tracked()
    tracked.hidden = frozenset({new := tracked.world.server.create("account", {"name": "new"})})
    tracked.sync()
    tracked.world.client.tables["account"].pop(new, None)
    tracked.world.state.saved.links[tracked.world.task("account").key].pop(new, None)
    tracked.hidden = frozenset()
    tracked.tell("owner", "account", new)
    tracked.sync()
    assert new in tracked.world.rows("client")
    assert tracked.states()[new] == LinkState.CURRENT


def test_the_tracking_entity_itself_is_not_copied() -> None:
    tracked, _ = make_tracked()
    assert tracked.world.rows("client", TRACKING) == {}
    assert tracked.world.rows("server", TRACKING)


def test_a_run_without_news_writes_nothing() -> None:
    tracked, _ = make_tracked()
    before = tracked.world.state.writes
    tracked.sync()
    assert tracked.world.state.writes == before


def test_ids_are_compared_once_when_more_is_tracked() -> None:
    tracked, (first, second, _) = make_tracked()
    tracked.delete(first, told=False)
    tracked.sync()
    assert first in tracked.world.rows("client")
    tracked.cover("account deletes", "account owners")
    tracked.sync()
    assert first not in tracked.world.rows("client")
    tracked.delete(second, told=False)
    tracked.sync()
    assert second in tracked.world.rows("client")


def test_a_configuration_that_covers_less_compares_nothing() -> None:
    tracked, (first, *_) = make_tracked()
    tracked.delete(first, told=False)
    tracked.cover()
    tracked.sync()
    assert first in tracked.world.rows("client")


def test_ids_are_compared_in_the_next_run_where_this_one_did_not_come_to_it() -> None:
    tracked, (first, *_) = make_tracked()
    tracked.delete(first, told=False)
    tracked.cover("account deletes", "account owners")
    tracked.world.state.before = _cancel_at_images
    with pytest.raises(KeyboardInterrupt):
        tracked.sync()
    tracked.world.state.before = lambda point: None
    tracked.sync()
    assert first not in tracked.world.rows("client")


def _cancel_at_images(point: str) -> None:
    if point == "links":
        raise KeyboardInterrupt


def test_ids_are_compared_when_the_records_have_to_be_read_anew() -> None:
    tracked, (first, *_) = make_tracked()
    tracked.delete(first, told=False)
    tracked.faults = [CheckpointExpired("gone")]
    tracked.sync()
    assert first not in tracked.world.rows("client")


def test_a_fault_that_passes_is_waited_for() -> None:
    tracked, (first, *_) = make_tracked()
    tracked.delete(first)
    tracked.faults = [Retryable("busy", after=3), Retryable("busy")]
    tracked.sync()
    assert first not in tracked.world.rows("client")
    assert tracked.world.waits[:1] == [3]


def test_a_dry_run_writes_nothing_and_predicts_the_run() -> None:
    tracked, (first, *_) = make_tracked()
    tracked.delete(first)
    before = tracked.world.state.writes
    predicted = tracked.sync(dry_run=True)
    assert tracked.world.state.writes == before
    carried = tracked.sync()
    assert first not in tracked.world.rows("client")
    assert predicted["account"].counts == carried["account"].counts


def test_a_server_that_tracks_nothing_fails_only_there() -> None:
    tracked, (first, *_) = make_tracked()
    tracked.delete(first)
    tracked.faults = [CheckpointExpired("gone"), CheckpointExpired("gone again")]
    reports = tracked.sync()
    assert reports[TRACKING].failed == "gone again"
    assert reports["account"].failed == ""
