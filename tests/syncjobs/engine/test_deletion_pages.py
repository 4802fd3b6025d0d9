"""Pages of deletions with several records of a kind, and a client that changes meanwhile."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from connections.connectors.base import Batch, BatchResult
from connections.connectors.memory import Fault, MemoryConnector
from connections.errors import Refused
from organizations.query.nodes import Query
from organizations.schema import Entity
from syncjobs.engine.airbag import Alone, Holding, Sample
from syncjobs.engine.folding import set_aside
from syncjobs.engine.plan import Waiting
from syncjobs.engine.values import Counts, Kind, LinkState, Options, Problem
from tests.syncjobs.engine.memory_queue import MemoryQueue
from tests.syncjobs.engine.two_ways import collect_all, waiting
from tests.syncjobs.engine.world import World, make_accounts, make_filter, make_world


def make_full(count: int, **more: object) -> tuple[World, list[str]]:
    """Accounts that both sides have, in the order of their ids, beside one that stays."""
    world = make_world(sync_deletion=True, **more)  # type: ignore[arg-type]
    ids = make_accounts(world, count, lambda number: {"city": "Bratislava"})
    world.server.create("account", {"city": "Bratislava", "name": "Stays"})
    world.sync()
    return world, sorted(ids)


def delete(world: World, ids: Sequence[str]) -> None:
    for account in ids:
        world.server.delete("account", account)


def while_deleting(world: World, ids: Sequence[str], change: Callable[[str], object]) -> None:
    """Let the client's records change after they were looked at, before they are deleted."""
    links = world.state.saved.links[world.task("account").key]

    def before(point: str) -> None:
        if point == "hold" and all(links[item].state for item in ids):
            world.state.before = lambda point: None
            for item in ids:
                change(item)

    world.state.before = before


def linked(world: World) -> set[str]:
    return set(world.state.saved.links[world.task("account").key])


def problems(world: World) -> list[Problem]:
    return sorted(world.reporter.problems, key=lambda item: item.record)


def test_records_that_go_while_they_are_deleted_are_only_unlinked() -> None:
    world, ids = make_full(3, hosted=False)
    delete(world, ids)
    while_deleting(world, ids[:2], lambda item: world.client.delete("account", item))
    assert world.counts() == Counts(unchanged=2, deleted=1)
    assert linked(world).isdisjoint(ids)
    assert world.reporter.problems == []


def test_records_that_are_changed_while_they_are_deleted_stay() -> None:
    world, ids = make_full(3, hosted=False)
    delete(world, ids)
    while_deleting(world, ids[:2], lambda item: world.client.update("account", item, {"city": "B"}))
    assert world.counts() == Counts(conflicts=2, deleted=1)
    assert linked(world) >= set(ids[:2])
    assert problems(world) == [
        Problem(entity="account", record=item, code="conflict", message="Changed.")
        for item in ids[:2]
    ]


def test_records_that_are_gone_already_are_counted_one_by_one() -> None:
    world, ids = make_full(3)
    for account in ids:
        world.client.delete("account", account)
    delete(world, ids)
    assert world.counts() == Counts(unchanged=3)
    assert linked(world).isdisjoint(ids)


def test_records_that_the_client_refuses_are_counted_one_by_one() -> None:
    world, ids = make_full(4)
    world.client.faults.always_rejected = set(ids[:2])
    delete(world, ids)
    assert world.counts() == Counts(deleted=2, rejected=2)
    assert problems(world) == [
        Problem(entity="account", record=item, code="rejected", message="Not accepted.")
        for item in ids[:2]
    ]


def test_records_that_the_client_changed_are_told_one_by_one() -> None:
    world, ids = make_full(3)
    for account in ids[:2]:
        world.client.update("account", account, {"name": "Mine"})
    delete(world, ids)
    assert world.counts() == Counts(deleted=1, conflicts=2)
    told = "The record was changed on the client since it was last carried, and on the server too."
    assert problems(world) == [
        Problem(
            entity="account",
            record=item,
            code="conflict",
            message=f"{told} The client's was left alone.",
        )
        for item in ids[:2]
    ]


def test_those_on_their_way_to_the_server_are_passed_over() -> None:
    world, ids = make_full(4)
    for account in ids[:2]:
        version = world.client.delete("account", account)
        world.state.undelivered[account] = Waiting(version, is_delete=True)
    aside = world.client.delete("account", ids[2])
    world.state.undelivered[ids[2]] = Waiting(aside, is_delete=True, is_set_aside=True)
    delete(world, ids)
    assert world.counts() == Counts(deleted=1, unchanged=1)
    assert linked(world) & set(ids) == set(ids[:2])


def test_what_left_the_filter_is_counted_apart_from_what_was_deleted() -> None:
    world, ids = make_full(5, filters={"account": make_filter()})
    for account in ids[:3]:
        world.server.update("account", account, {"city": "Wien"})
    delete(world, ids[3:])
    report = world.sync()["account"]
    assert report.counts == Counts(read=3, left=3, deleted=2)
    assert sorted(report.samples) == [(Kind.DELETE, item) for item in ids]


def test_what_left_the_filter_and_was_deleted_meanwhile_is_deleted() -> None:
    world, ids = make_full(2, filters={"account": make_filter()})
    world.client.update("account", ids[0], {"name": "Mine"})
    world.client.update("account", ids[1], {"name": "Mine"})
    for account in ids:
        world.server.update("account", account, {"city": "Wien"})
    assert world.counts() == Counts(read=2, conflicts=2)
    delete(world, ids)
    for account in ids:
        version = world.client.stored("account", account).version
        world.state.undelivered[account] = Waiting(version, is_set_aside=True)
    assert world.counts() == Counts(deleted=2)
    assert linked(world).isdisjoint(ids)


def test_it_shows_some_of_many_in_a_report() -> None:
    world, ids = make_full(8)
    delete(world, ids)
    samples = world.sync()["account"].samples
    assert samples == tuple((Kind.DELETE, item) for item in ids[:5])


def test_it_keeps_every_record_of_a_page_as_it_was() -> None:
    world, ids = make_full(3)
    rows = world.rows("client")
    delete(world, ids)
    world.sync()
    key, images = world.state.images[-1]
    assert key == world.task("account").key
    assert (list(images.ids), list(images.versions)) == (ids, [0, 0, 0])
    named = [dict(zip(images.columns, row, strict=True)) for row in images.before]
    columns = world.client.column_names("account")
    assert named == [dict(zip(columns, rows[item], strict=True)) for item in ids]


def test_it_carries_page_after_page() -> None:
    world, ids = make_full(7, options=Options(read_ahead=False, page_size=2))
    delete(world, ids)
    report = world.sync()["account"]
    assert report.counts == world.reporter.counts["account"] == Counts(deleted=7)
    assert report.samples == tuple((Kind.DELETE, item) for item in ids)
    sizes = [len(images.ids) for _, images in world.state.images[-4:]]
    assert sizes == [2, 2, 2, 1]
    assert linked(world).isdisjoint(ids)


def test_pages_before_a_fault_are_not_deleted_twice() -> None:
    world, ids = make_full(5, options=Options(read_ahead=False, page_size=2), hosted=False)
    delete(world, ids)
    world.client.faults.at_write(2, Fault.RETRY)
    assert world.counts() == Counts(deleted=5)
    assert len(world.waits) == 1


def test_a_page_is_staged_before_the_lease_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    world, ids = make_full(4, options=Options(read_ahead=False, page_size=2))
    staged: list[tuple[str, Batch]] = []
    write = MemoryConnector.write

    def stage(self: MemoryConnector, entity: Entity, batch: Batch) -> Batch:
        assert not world.state.saved.is_held
        staged.append((entity.name, replace(batch)))
        return staged[-1][1]

    def write_staged(self: MemoryConnector, entity: Entity, batch: Batch) -> BatchResult:
        assert batch is staged[-1][1]
        return write(self, entity, batch)

    monkeypatch.setattr(MemoryConnector, "stage", stage)
    monkeypatch.setattr(MemoryConnector, "write", write_staged)
    for account in ids[:2]:
        world.client.delete("account", account)
    delete(world, ids)
    assert world.counts() == Counts(unchanged=2, deleted=2)
    (only,) = staged
    assert (only[0], list(only[1].rows)) == ("account", [(item,) for item in ids[2:]])


class Unfiltered(MemoryConnector):
    """A server that is not asked what is inside a filter where there is none."""

    def matching(self, entity: Entity, query: Query, ids: Sequence[str]) -> set[str]:
        raise Refused("There is no filter.")


def test_without_a_filter_nobody_is_asked_what_is_inside() -> None:
    world, ids = make_full(1, reading=Unfiltered)
    world.client.update("account", ids[0], {"name": "Mine"})
    delete(world, ids)
    assert world.counts() == Counts(conflicts=1)
    world.server.create("account", {"city": "Wien"}, id=ids[0])
    world.server.faults.unreadable = {ids[0]}
    assert world.counts() == Counts(read=1, rejected=1)
    assert ids[0] in linked(world)


def test_a_change_that_was_set_aside_is_found_in_the_queue_of_its_entity() -> None:
    world, ids = make_full(1)
    world.queue = MemoryQueue(world.state)
    world.client.update("account", ids[0], {"name": "Mine"})
    collect_all(world)
    with world.state.page():
        world.state.hold()
        world.queue.save([set_aside(item, "Not wanted.") for item in waiting(world)])
    delete(world, ids)
    assert world.counts() == Counts(deleted=1)


class Asked(Alone):
    """A person who is asked and does not answer; one entity only."""

    waits: Holding | None = None

    def hold(self, entity: int, holding: Holding | None) -> None:
        self.waits = holding


def make_asked(count: int, **more: object) -> tuple[World, list[str], Asked]:
    guard = Asked()
    world, ids = make_full(count, guard=guard, entities=("account",), **more)
    entity = replace(world.client.entity("account"), primary_name="name")
    world.client.entities = {**world.client.entities, "account": entity}
    return world, ids, guard


def test_a_sample_is_twenty_records_and_an_empty_name_is_empty() -> None:
    world, ids, guard = make_asked(22)
    delete(world, ids)
    assert world.counts() == Counts(held=22)
    assert world.reporter.counts["account"] == Counts(held=22)
    assert guard.waits is not None
    assert list(guard.waits.server_ids) == ids
    wanted = [Sample(item, "", LinkState.SERVER_DELETED) for item in ids[:20]]
    assert sorted(guard.waits.sample) == wanted


def test_a_sample_tells_what_left_the_filter_and_what_the_client_lost() -> None:
    world, ids, guard = make_asked(21, filters={"account": make_filter()})
    for account in ids:
        world.client.update("account", account, {"name": "Known"})
        world.server.update("account", account, {"city": "Wien"})
    world.client.delete("account", ids[0])
    assert world.counts() == Counts(read=21, held=21)
    assert guard.waits is not None
    names = ["", *["Known"] * 19]
    assert sorted(guard.waits.sample) == [
        Sample(item, name, LinkState.LEFT_FILTER)
        for item, name in zip(ids[:20], names, strict=True)
    ]
