"""Deletions come last, children before parents, and spare what the client changed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from connections.connectors.base import Edits
from connections.connectors.memory import Fault, MemoryConnector
from connections.errors import Refused
from organizations.records import Action, Page
from organizations.schema import Attribute, Entity
from syncjobs.engine.plan import Waiting
from syncjobs.engine.values import ConflictRule, Counts, Leaving, LinkState, Side
from tests.syncjobs.engine.memory_state import Crash
from tests.syncjobs.engine.two_ways import make_two_way
from tests.syncjobs.engine.world import CONNECTION, World, make_accounts, make_filter, make_world


def deleted(world: World) -> list[tuple[str, str]]:
    """Entity and id of the client's deletions, in order."""
    return [
        (change.entity, change.id) for change in world.client.log if change.action is Action.DELETE
    ]


def link(world: World, record: str, entity: str = "account") -> LinkState | None:
    found = world.state.saved.links[world.task(entity).key].get(record)
    return found.state if found else None


def test_it_deletes_children_before_parents_after_all_pulls() -> None:
    world = make_world(sync_deletion=True)
    first, _ = make_accounts(world, 2)
    tag = world.server.create("tag", {"name": "VIP"})
    pair = world.server.associate("accounttags", first, tag)
    world.sync()
    world.server.delete("accounttag", pair)
    world.server.delete("tag", tag)
    world.server.delete("account", first)
    late = world.server.create("tag", {"name": "Late"})
    reports = world.sync()
    assert reports["accounttag"].counts == Counts(deleted=1)
    order = [change.id for change in world.client.log]
    assert order.index(late) < order.index(pair, order.index(pair) + 1)
    assert [entity for entity, _ in deleted(world)] == ["accounttag", "tag", "account"]
    assert_idle(world)


def test_it_keeps_what_it_deleted_as_it_was() -> None:
    world = make_world(sync_deletion=True)
    first, _ = make_accounts(world, 2)
    world.sync()
    row = world.rows("client")[first]
    world.server.delete("account", first)
    world.sync()
    _, images = world.state.images[-1]
    assert (images.side, images.action, images.ids) == (Side.CLIENT, Action.DELETE, [first])
    assert dict(zip(images.columns, images.before[0], strict=True))["name"] == row[1]


@pytest.mark.parametrize("leaving", list(Leaving))
def test_it_does_with_what_left_the_filter_as_was_chosen(leaving: Leaving) -> None:
    world = make_world(sync_deletion=True, filters={"account": make_filter()}, leaving=leaving)
    stays, leaves, goes = make_accounts(world, 3, lambda number: {"city": "Bratislava"})
    world.sync()
    world.server.update("account", leaves, {"city": "Wien"})
    world.server.delete("account", goes)
    found = world.counts()
    if leaving is Leaving.DELETE:
        assert found == Counts(read=1, left=1, deleted=1)
        assert set(world.rows("client")) == {stays}
    else:
        assert found == Counts(read=1, kept=1, deleted=1)
        assert set(world.rows("client")) == {stays, leaves}
    assert_idle(world)


def test_it_deletes_what_was_kept_once_sync_deletion_is_on() -> None:
    world = make_world()
    first, _ = make_accounts(world, 2)
    world.sync()
    world.server.delete("account", first)
    assert world.counts() == Counts(kept=1)
    world.sync_deletion = True
    assert world.counts() == Counts(deleted=1)
    assert_idle(world)


def test_a_tracked_entity_deletes_without_a_comparison() -> None:
    world = make_world(is_tracked=True, reading=NoList)
    first, _ = make_accounts(world, 2)
    world.sync()
    world.server.delete("account", first)
    assert world.counts() == Counts(deleted=1)


class NoList(MemoryConnector):
    """A server that must not be asked for a list of ids."""

    def ids(self, entity: Entity, query: object = None) -> object:  # type: ignore[override]
        raise Refused("Nobody asked for that.")


def test_it_leaves_a_record_alone_that_the_client_changed() -> None:
    world = make_world(sync_deletion=True)
    first, _ = make_accounts(world, 2)
    world.sync()
    world.client.update("account", first, {"name": "Mine"})
    world.server.delete("account", first)
    for _ in range(2):
        assert world.counts() == Counts(conflicts=1)
        assert "was changed on the client" in world.reporter.problems[0].message
    assert world.client.get("account", first)["name"] == "Mine"
    assert link(world, first) is LinkState.SERVER_DELETED


def test_it_counts_every_record_that_the_client_changed() -> None:
    world = make_world(sync_deletion=True)
    accounts = make_accounts(world, 3)
    world.sync()
    for account in accounts:
        world.client.update("account", account, {"name": "Mine"})
        world.server.delete("account", account)
    world.server.create("account", {"name": "Left"})
    assert world.counts().conflicts == 3


def test_it_deletes_a_record_whose_change_was_set_aside() -> None:
    world = make_world(sync_deletion=True)
    first, _ = make_accounts(world, 2)
    world.sync()
    version = world.client.update("account", first, {"name": "Mine"})
    world.server.delete("account", first)
    world.state.undelivered[first] = Waiting(version, is_set_aside=True)
    assert world.counts() == Counts(deleted=1)
    assert_idle(world)


def test_it_only_forgets_the_link_of_a_record_that_is_gone() -> None:
    world = make_world(sync_deletion=True)
    first, _ = make_accounts(world, 2)
    world.sync()
    world.client.delete("account", first)
    world.server.delete("account", first)
    assert world.counts() == Counts(unchanged=1)
    assert link(world, first) is None
    assert_idle(world)


def test_it_leaves_the_link_of_a_deletion_that_is_on_its_way() -> None:
    world = make_world(sync_deletion=True)
    first, _ = make_accounts(world, 2)
    world.sync()
    version = world.client.delete("account", first)
    world.server.delete("account", first)
    world.state.undelivered[first] = Waiting(version, is_delete=True)
    assert world.counts() == Counts()
    assert link(world, first) is LinkState.SERVER_DELETED


def refuse(*_: object, **__: object) -> Edits:
    raise Refused("The user may not read this.", code="403")


def tell_more(*_: object, **__: object) -> Edits:
    return Edits(items=(), until=1, is_last=False)


@pytest.mark.parametrize("edits", [MemoryConnector.edits, refuse, tell_more])
def test_it_leaves_the_link_of_a_deletion_that_is_still_to_be_collected(
    edits: Callable[..., Edits], monkeypatch: pytest.MonkeyPatch
) -> None:
    world = make_two_way(sync_deletion=True)
    first = min(make_accounts(world, 2))
    world.sync()
    world.filters = {"account": make_filter("city", "nowhere")}
    world.client.delete("account", first)
    monkeypatch.setattr("syncjobs.engine.sync.collect", lambda *_: {})
    monkeypatch.setattr(MemoryConnector, "edits", edits)
    world.sync()
    assert world.rows("client") == {}
    assert link(world, first) is LinkState.LEFT_FILTER
    monkeypatch.undo()
    world.conflict_rule = ConflictRule.CLIENT
    world.filters = {}
    world.sync()
    assert first not in world.rows("server")
    assert_idle(world)


def test_it_forgets_the_link_of_a_record_that_nobody_of_the_client_deleted() -> None:
    world = make_two_way(sync_deletion=True)
    first, _ = make_accounts(world, 2)
    world.sync()
    world.filters = {"account": make_filter("city", "nowhere")}
    world.client.delete("account", first, origin=CONNECTION)
    world.sync()
    assert link(world, first) is None


def test_it_never_deletes_users_that_existed_on_the_client() -> None:
    world = make_world(sync_deletion=True)
    matched = world.server.create("systemuser", {"domainname": "ann"})
    world.client.create("systemuser", {"domainname": "ann"})
    made = world.server.create("systemuser", {"domainname": "bob"})
    world.server.create("systemuser", {"domainname": "eve"})
    world.sync()
    world.server.delete("systemuser", matched)
    world.server.delete("systemuser", made)
    assert world.counts("systemuser") == Counts(kept=1, deleted=1)
    assert made not in world.rows("client", "systemuser")
    assert len(world.rows("client", "systemuser")) == 2
    assert_idle(world)


class BackAgain(MemoryConnector):
    """A server on which a record is restored between the pull and the deletion."""

    back: str = ""

    def fetch(self, entity: Entity, attributes: Sequence[Attribute], ids: Sequence[str]) -> Page:
        # Pulls ask for all attributes, the deletion for the id alone.
        if self.back in ids and len(attributes) == 1:
            self.organization.create("account", {"name": "Back"}, id=self.back)
            type(self).back = ""
        return super().fetch(entity, attributes, ids)


def test_it_asks_the_server_once_more_before_it_deletes() -> None:
    world = make_world(sync_deletion=True, reading=BackAgain)
    first, _ = make_accounts(world, 2)
    world.sync()
    world.server.delete("account", first)
    BackAgain.back = first
    assert world.counts() == Counts()
    assert first in world.rows("client")
    assert world.state.saved.left == {world.task("account").key: {first}}
    world.sync()
    assert world.rows("client") == world.rows("server")
    assert_idle(world)


def test_it_says_once_that_a_record_is_back_which_nobody_can_read() -> None:
    world = make_world(sync_deletion=True)
    first, _ = make_accounts(world, 2)
    world.sync()
    world.client.update("account", first, {"name": "Mine"})
    world.server.delete("account", first)
    world.sync()
    assert link(world, first) is LinkState.SERVER_DELETED
    world.server.faults.unreadable = {first}
    world.server.create("account", {"name": "Back"}, id=first)
    world.sync()
    writes = world.state.writes
    assert world.counts() == Counts(read=1, rejected=1)
    assert world.state.writes == writes


def test_it_keeps_a_pair_whose_first_row_is_back_which_nobody_can_read() -> None:
    world = make_world(sync_deletion=True, page_size=50)
    account, _ = make_accounts(world, 2)
    tag = world.server.create("tag", {"name": "VIP"})
    first = world.server.associate("accounttags", account, tag)
    world.sync()
    world.server.delete("accounttag", first)
    second = world.server.associate("accounttags", account, tag)
    others = [world.server.associate("accounttags", item, tag) for item in make_accounts(world, 3)]
    world.sync()
    for pair in (second, *others):
        world.server.delete("accounttag", pair)
    world.server.faults.unreadable = {first}
    world.server.create("accounttag", {"accountid": account, "tagid": tag}, id=first)
    assert world.counts("accounttag") == Counts(read=1, rejected=1, deleted=3)
    assert set(world.rows("client", "accounttag")) == {first}
    world.server.faults.unreadable = set()
    world.sync()
    assert link(world, first, "accounttag") is LinkState.CURRENT
    assert_idle(world)


def test_a_full_run_deletes_nothing() -> None:
    world = make_world(sync_deletion=True)
    first, _ = make_accounts(world, 2)
    world.sync()
    world.server.delete("account", first)
    assert world.counts(full=True) == Counts(read=1, unchanged=1)
    assert first in world.rows("client")
    assert world.counts() == Counts(deleted=1)


def test_a_full_run_on_another_server_deletes_nothing() -> None:
    world = make_world(sync_deletion=True)
    make_accounts(world, 2)
    world.sync()
    other = make_world().server
    world.server = replace(other, name="another")
    world.server.create("account", {"name": "Theirs"})
    assert world.counts(full=True) == Counts(read=1, created=1)
    assert len(world.rows("client")) == 3


@pytest.mark.parametrize("hosted", [True, False])
@pytest.mark.parametrize("point", range(12))
def test_it_goes_on_after_a_crash(hosted: bool, point: int) -> None:
    world = make_world(sync_deletion=True, hosted=hosted)
    ids = make_accounts(world, 5)
    world.sync()
    for account in ids[:4]:
        world.server.delete("account", account)
    steps = iter(range(point))

    def step(name: str) -> None:
        if next(steps, None) is None:
            raise Crash(name)

    world.state.before = step
    with pytest.raises(Crash):
        world.sync()
    world.state.before = lambda name: None
    world.sync()
    assert set(world.rows("client")) == {ids[4]}
    assert len(deleted(world)) == 4
    assert_idle(world)


@pytest.mark.parametrize("fault", [Fault.RETRY, Fault.LOST_RESPONSE])
def test_a_fault_that_passes_delays_deletions_only(fault: Fault) -> None:
    world = make_world(sync_deletion=True, hosted=False)
    first, _ = make_accounts(world, 2)
    world.sync()
    world.server.delete("account", first)
    world.client.faults.at_write(1, fault)
    found = world.counts()
    assert found == (Counts(deleted=1) if fault is Fault.RETRY else Counts(unchanged=1))
    assert first not in world.rows("client")
    assert len(world.waits) == 1
    assert_idle(world)


def test_an_entity_that_failed_deletes_nothing() -> None:
    world = make_world(sync_deletion=True, entities=("account",))
    first, _ = make_accounts(world, 2)
    world.sync()
    world.server.delete("account", first)
    world.server.faults.at_page(1, Fault.METADATA)
    assert world.sync()["account"].failed
    assert first in world.rows("client")
    assert world.counts() == Counts(deleted=1)


def test_a_client_that_refuses_keeps_its_record() -> None:
    world = make_world(sync_deletion=True)
    first, _ = make_accounts(world, 2)
    world.sync()
    world.server.delete("account", first)
    world.client.faults.always_rejected = {first}
    assert world.counts() == Counts(rejected=1)
    assert world.reporter.problems[0].record == first
    world.client.faults.always_rejected = set()
    assert world.counts() == Counts(deleted=1)


def assert_idle(world: World) -> None:
    before = (world.client.version, world.state.writes)
    world.sync()
    assert (world.client.version, world.state.writes) == before
