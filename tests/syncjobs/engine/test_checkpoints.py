"""When a checkpoint holds, and when everything is read again or the run refused (design 5.1.9)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from organizations.schema import AttributeType, Entity
from syncjobs.engine.values import Counts
from syncjobs.errors import ServerChanged
from tests.syncjobs.engine.test_pull import assert_idle
from tests.syncjobs.engine.world import (
    World,
    make_accounts,
    make_attribute,
    make_filter,
    make_world,
)

USER = "systemuser"


def test_it_reads_everything_when_the_filter_changes() -> None:
    world = make_world(sync_deletion=True)
    world.server.create("account", {"city": "Bratislava"})
    world.server.create("account", {"city": "Wien"})
    world.sync()
    world.filters = {"account": make_filter()}
    assert world.counts() == Counts(read=2, unchanged=1, left=1)
    assert world.reporter.full["account"]
    assert len(world.rows("client")) == 1
    assert_idle(world)


def test_it_fills_an_attribute_that_came_later() -> None:
    world = make_world()
    first, *_ = make_accounts(world, 2)
    world.sync()
    add_attribute(world)
    world.server.update("account", first, {"phone": "1"})
    assert world.counts() == Counts(read=2, updated=1, unchanged=1)
    assert world.client.get("account", first)["phone"] == "1"
    assert_idle(world)


def test_it_renews_a_token_before_it_gets_old() -> None:
    world = make_world(entities=("account", "tag"))
    make_accounts(world, 2)
    world.sync()
    world.server.create("tag", {"name": "moves the organization's version"})
    world.sync()
    assert world.state.saved.positions[1].token == "2"
    world.later(timedelta(days=2))
    world.sync()
    assert world.state.saved.positions[1].token == "3"


def test_it_refuses_another_organization() -> None:
    world = make_world(entities=("account",))
    make_accounts(world, 2)
    world.sync()
    world.server.name = "another"
    with pytest.raises(ServerChanged, match="not the organization that 'account' was read from"):
        world.sync()
    assert world.counts(full=True) == Counts(read=2, unchanged=2)
    assert_idle(world)


def test_it_refuses_an_older_copy_of_the_server() -> None:
    world = make_world(entities=("account",))
    first, second = make_accounts(world, 2)
    old = world.server.tables["account"][second]
    world.sync()
    world.server.update("account", second, {"name": "Renamed"})
    world.sync()
    world.server.tables["account"][second] = old
    with pytest.raises(ServerChanged, match=f"account {second} is at version 2, but version 3"):
        world.sync()
    assert world.counts(full=True) == Counts(read=2, updated=1, unchanged=1)
    assert world.rows("client") == world.rows("server")
    assert first in world.rows("client")


@pytest.mark.parametrize("is_readable", [True, False])
def test_an_older_copy_is_accepted_once_though_nobody_takes_its_record(is_readable: bool) -> None:
    world = make_world(entities=("account",))
    first, second = make_accounts(world, 2)
    old = world.server.tables["account"][first]
    world.sync()
    world.server.update("account", first, {"name": "Renamed"})
    world.server.update("account", second, {"name": "Renamed"})
    world.sync()
    world.server.tables["account"][first] = old
    faults = world.client.faults.always_rejected if is_readable else world.server.faults.unreadable
    faults.add(first)
    assert world.counts(full=True).rejected == 1
    world.server.delete("account", second)
    world.server.faults.unreadable.clear()
    world.sync()
    assert world.state.left_behind(1) == ({first} if is_readable else set())


def test_an_older_copy_is_accepted_once_though_its_record_is_outside_the_filter() -> None:
    world = make_world(entities=("account",))
    first, second = make_accounts(world, 2, lambda number: {"city": "Bratislava"})
    old = world.server.tables["account"][first]._replace(row=(first, *[None] * 7))
    world.sync()
    world.server.update("account", first, {"name": "Renamed"})
    world.sync()
    world.filters = {"account": make_filter()}
    world.server.tables["account"][first] = old
    world.sync(full=True)
    world.server.update("account", second, {"name": "Renamed"})
    assert world.sync(dry_run=True)["account"].counts.updated == 1
    assert world.sync()["account"].counts.updated == 1


def test_it_is_not_alarmed_when_the_newest_record_is_deleted() -> None:
    world = make_world(entities=("account",), sync_deletion=True)
    make_accounts(world, 1)
    last = make_accounts(world, 1)[0]
    world.sync()
    world.server.delete("account", last)
    assert world.counts() == Counts(deleted=1)
    assert_idle(world)


def test_it_keeps_a_lookup_whose_target_is_not_here() -> None:
    world = make_world()
    target = world.server.new_id()
    first = world.server.create("account", {"parentaccountid": target})
    world.sync()
    assert world.client.get("account", first)["parentaccountid"] == target


def add_attribute(world: World) -> None:
    for organization in (world.server, world.client):
        account: Entity = organization.entity("account")
        phone = make_attribute("phone", AttributeType.STRING)
        wider = replace(account, attributes=(*account.attributes, phone))
        organization.entities = {**organization.entities, "account": wider}
        organization.tables["account"] = {
            item: stored._replace(row=(*stored.row, None))
            for item, stored in organization.tables["account"].items()
        }
