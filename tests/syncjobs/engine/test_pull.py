"""One direction between two organizations in memory, one situation per test."""

from __future__ import annotations

from dataclasses import replace

import pytest

from connections.connectors.memory import Fault
from connections.errors import Refused
from organizations.query.nodes import Link, Query
from syncjobs.engine.values import Counts, LinkState
from syncjobs.errors import Cancelled, LostLease
from tests.syncjobs.engine.world import (
    CONNECTION,
    World,
    make_accounts,
    make_filter,
    make_world,
)

USER = "systemuser"


def assert_idle(world: World) -> None:
    """Assert I4: one more run reads no record and writes nothing."""
    writes, version = world.state.writes, world.client.version
    for name, report in world.sync().items():
        assert report.counts == Counts(), name
    assert (world.state.writes, world.client.version) == (writes, version)


def test_it_carries_everything_once() -> None:
    world = make_world()
    make_accounts(world, 5)
    assert world.counts() == Counts(read=5, created=5)
    assert world.rows("client") == world.rows("server")
    assert world.reporter.full["account"]
    assert world.reporter.expected["account"] == 5
    assert_idle(world)
    assert not world.reporter.full["account"]


def test_it_writes_under_the_origin_of_the_connection() -> None:
    world = make_world()
    make_accounts(world, 3)
    world.sync()
    assert {change.origin for change in world.client.log} == {CONNECTION}


def test_it_carries_exactly_what_changed() -> None:
    world = make_world(sync_deletion=True)
    first, second, third = make_accounts(world, 3)
    world.sync()
    before = world.client.version
    world.server.update("account", first, {"name": "Renamed"})
    world.server.delete("account", second)
    world.server.create("account", {"name": "New"})
    assert world.counts() == Counts(read=2, created=1, updated=1, deleted=1)
    assert world.client.version == before + 3
    assert world.rows("client") == world.rows("server")
    assert third in world.rows("client")
    assert_idle(world)


def test_it_keeps_what_the_server_deleted_without_sync_deletion() -> None:
    world = make_world()
    first, *_ = make_accounts(world, 2)
    world.sync()
    world.server.delete("account", first)
    assert world.counts() == Counts(kept=1)
    assert first in world.rows("client")
    assert world.state.saved.links[1][first].state == LinkState.SERVER_DELETED
    assert_idle(world)


def test_it_ignores_what_was_created_and_deleted_meanwhile() -> None:
    world = make_world(sync_deletion=True)
    world.sync()
    world.server.delete("account", make_accounts(world, 1)[0])
    assert world.counts() == Counts()


def test_it_updates_what_was_deleted_and_restored_under_its_id() -> None:
    world = make_world(sync_deletion=True)
    first, *_ = make_accounts(world, 2)
    world.sync()
    world.server.delete("account", first)
    world.server.create("account", {"name": "Back"}, id=first)
    assert world.counts() == Counts(read=1, updated=1)
    assert world.rows("client") == world.rows("server")


def test_it_adopts_equal_records_and_overwrites_others() -> None:
    world = make_world()
    first, second = make_accounts(world, 2)
    world.client.create("account", {"name": "Account 0", "revenue": 0}, id=first)
    world.client.create("account", {"name": "Mine"}, id=second)
    assert world.counts() == Counts(read=2, updated=1, unchanged=1)
    assert world.client.get("account", second)["name"] == "Account 1"
    assert_idle(world)


def test_it_leaves_a_client_edit_alone_until_it_is_settled() -> None:
    world = make_world()
    first, second = make_accounts(world, 2)
    world.sync()
    world.client.update("account", first, {"city": "Brno"})
    world.server.update("account", first, {"city": "Praha"})
    world.server.update("account", second, {"city": "Praha"})
    assert world.counts() == Counts(read=2, updated=1, conflicts=1)
    assert world.client.get("account", first)["city"] == "Brno"
    assert [problem.record for problem in world.reporter.problems] == [first]
    writes = world.state.writes
    assert world.counts() == Counts(read=1, conflicts=1), "it is read again by id"
    assert world.state.writes == writes
    world.client.update("account", first, {"city": None})
    assert world.counts() == Counts(read=1, updated=1)
    assert world.rows("client") == world.rows("server")
    assert_idle(world)


def test_it_does_not_delete_a_record_the_client_edited() -> None:
    world = make_world(sync_deletion=True)
    first, *_ = make_accounts(world, 2)
    world.sync()
    world.client.update("account", first, {"city": "Brno"})
    world.server.delete("account", first)
    assert world.counts() == Counts(conflicts=1)
    assert world.counts() == Counts(conflicts=1)
    assert first in world.rows("client")
    world.client.update("account", first, {"city": None})
    assert world.counts() == Counts(deleted=1), "the feed named it once; that is remembered"
    assert_idle(world)


def test_it_retries_what_the_client_rejected() -> None:
    world = make_world()
    first, second, third = make_accounts(world, 3)
    world.client.faults.always_rejected = {second}
    assert world.counts() == Counts(read=3, created=2, rejected=1)
    assert world.reporter.finished["account"] == ""
    world.client.faults.always_rejected = set()
    assert world.counts() == Counts(read=1, created=1)
    assert set(world.rows("client")) == {first, second, third}
    assert_idle(world)


def test_it_goes_on_past_what_no_reader_can_take() -> None:
    world = make_world()
    first, second = make_accounts(world, 2)
    world.server.faults.unreadable = {first}
    assert world.counts() == Counts(read=2, created=1, rejected=1)
    assert world.reporter.problems[0].code == "illegal-text"
    world.server.faults.unreadable = set()
    assert world.counts() == Counts(read=1, created=1)
    assert world.rows("client") == world.rows("server")
    assert second in world.rows("client")


def test_it_reads_all_again_when_too_many_were_left_behind() -> None:
    world = make_world()
    ids = make_accounts(world, 5)
    world.options = replace(world.options, left_behind_limit=2)
    world.client.faults.always_rejected = set(ids)
    assert world.counts() == Counts(read=5, rejected=5)
    assert len(world.state.saved.left[1]) == 2
    world.client.faults.always_rejected = set()
    assert world.counts() == Counts(read=5, created=5)
    assert_idle(world)


def test_it_carries_only_what_is_inside_the_filter() -> None:
    world = make_world(filters={"account": make_filter()})
    inside = world.server.create("account", {"city": "Bratislava"})
    outside = world.server.create("account", {"city": "Wien"})
    assert world.counts() == Counts(read=1, created=1)
    world.server.update("account", outside, {"name": "Still outside"})
    assert world.counts() == Counts(read=1)
    world.server.update("account", outside, {"city": "Bratislava"})
    assert world.counts() == Counts(read=1, created=1)
    assert set(world.rows("client")) == {inside, outside}
    assert_idle(world)


@pytest.mark.parametrize("sync_deletion", [False, True])
def test_it_notices_what_leaves_the_filter(sync_deletion: bool) -> None:
    world = make_world(filters={"account": make_filter()}, sync_deletion=sync_deletion)
    first = world.server.create("account", {"city": "Bratislava"})
    world.sync()
    world.server.update("account", first, {"city": "Wien"})
    counts = world.counts()
    if sync_deletion:
        assert counts == Counts(read=1, left=1)
        assert world.rows("client") == {}
    else:
        assert counts == Counts(read=1, kept=1)
        assert world.client.get("account", first)["city"] == "Bratislava"
        assert world.state.saved.links[1][first].state == LinkState.LEFT_FILTER
    assert_idle(world)
    world.server.update("account", first, {"city": "Bratislava"})
    world.sync()
    assert world.rows("client") == world.rows("server")
    assert world.state.saved.links[1][first].state == LinkState.CURRENT


def test_it_finds_what_entered_a_volatile_filter() -> None:
    link = Link(entity="tag", from_attribute="tagid", to_attribute="parentaccountid")
    world = make_world(filters={"account": Query(entity="account", links=(link,))})
    later = world.server.new_id()
    account = world.server.create("account", {"parentaccountid": later})
    assert world.counts() == Counts()
    world.server.create("tag", {"name": "It"}, id=later)
    assert world.counts() == Counts(read=1, created=1), "the account itself never changed"
    assert list(world.rows("client")) == [account]
    assert_idle(world)


@pytest.mark.parametrize("sync_deletion", [False, True])
def test_it_reads_everything_after_an_expired_token(sync_deletion: bool) -> None:
    world = make_world(sync_deletion=sync_deletion)
    first, second, _ = make_accounts(world, 3)
    world.sync()
    world.server.delete("account", first)
    world.server.update("account", second, {"name": "Renamed"})
    world.server.expire_checkpoints()
    found = Counts(read=2, updated=1, unchanged=1, deleted=int(sync_deletion))
    assert world.counts() == found, "only a comparison of ids can tell the deletion"
    assert (first in world.rows("client")) is not sync_deletion
    assert_idle(world)


def test_it_carries_a_record_that_comes_twice_once() -> None:
    world = make_world()
    make_accounts(world, 5)
    world.server.faults.at_page(1, Fault.DUPLICATE)
    world.server.faults.at_page(2, Fault.DUPLICATE)
    world.entities = ("account",)
    assert world.counts() == Counts(read=7, created=5, unchanged=2)
    assert world.rows("client") == world.rows("server")
    assert_idle(world)


def test_it_waits_as_long_as_it_is_asked_and_goes_on() -> None:
    world = make_world(entities=("account",))
    make_accounts(world, 5)
    world.server.faults.after = 7.5
    world.server.faults.at_page(2, Fault.RETRY)
    assert world.counts() == Counts(read=5, created=5)
    assert world.waits == [7.5]


def test_it_reads_a_broken_off_answer_again() -> None:
    world = make_world(entities=("account",))
    make_accounts(world, 5)
    world.server.faults.at_page(2, Fault.TRUNCATE)
    assert world.counts() == Counts(read=6, created=5, unchanged=1)
    assert world.waits == [1.0]
    assert_idle(world)


def test_it_gives_one_entity_up_and_carries_the_others() -> None:
    world = make_world(entities=("tag", "account"))
    make_accounts(world, 3)
    world.server.create("tag", {"name": "VIP"})
    for page in range(1, 6):
        world.server.faults.at_page(page, Fault.RETRY)
    reports = world.sync()
    assert world.waits == [1.0, 2.0, 4.0, 8.0]
    assert reports["account"].failed == "Too many requests."
    assert reports["tag"].counts == Counts(read=1, created=1)
    assert world.reporter.problems[0].code == "429"
    assert world.sync()["account"].counts == Counts(read=3, created=3)


def test_it_gives_up_when_it_is_asked_to_wait_too_long() -> None:
    world = make_world(entities=("account",))
    make_accounts(world, 3)
    world.server.faults.after = 4000
    world.server.faults.at_page(1, Fault.RETRY)
    assert world.sync()["account"].failed
    assert world.waits == []


def test_it_ends_an_entity_whose_metadata_changed() -> None:
    world = make_world(entities=("tag", "account"))
    make_accounts(world, 3)
    world.server.create("tag", {"name": "VIP"})
    world.server.faults.at_page(1, Fault.METADATA)
    reports = world.sync()
    assert reports["account"].failed == "An attribute is no longer there."
    assert reports["tag"].counts.created == 1


def test_it_stops_the_run_when_it_is_refused() -> None:
    world = make_world(entities=("account", "tag"))
    make_accounts(world, 3)
    world.server.faults.at_page(1, Fault.REFUSE)
    with pytest.raises(Refused):
        world.sync()
    assert world.reporter.finished == {"account": "The user may not read this."}


@pytest.mark.parametrize("hosted", [True, False])
def test_it_recognises_its_own_write_after_a_lost_answer(hosted: bool) -> None:
    world = make_world(entities=("account",), hosted=hosted)
    first, *_ = make_accounts(world, 3)
    world.client.faults.at_write(1, Fault.LOST_RESPONSE)
    counts = world.counts()
    assert (counts.created, counts.unchanged) == ((3, 0) if hosted else (1, 2))
    world.server.update("account", first, {"name": "Renamed"})
    world.client.faults.at_write(1, Fault.LOST_RESPONSE)
    counts = world.counts()
    assert (counts.updated, counts.unchanged) == ((1, 0) if hosted else (0, 1))
    assert counts.conflicts == 0
    assert world.rows("client") == world.rows("server")
    assert_idle(world)


def test_it_counts_a_conflict_met_while_writing() -> None:
    world = make_world(entities=("account",))
    first, *_ = make_accounts(world, 3)
    world.sync()
    world.server.update("account", first, {"name": "Renamed"})
    world.client.faults.at_write(1, Fault.CONFLICT)
    assert world.counts() == Counts(read=1, conflicts=1)
    assert world.counts() == Counts(read=1, updated=1)
    assert_idle(world)


def test_it_stops_between_two_pages_when_asked() -> None:
    world = make_world(entities=("account",))
    make_accounts(world, 5)
    world.reporter.cancel_at = 3
    with pytest.raises(Cancelled):
        world.sync()
    assert len(world.rows("client")) == 2
    world.reporter.cancel_at = 0
    assert world.counts() == Counts(read=3, created=3), "it goes on at the last page"


def test_it_writes_nothing_without_the_lease() -> None:
    world = make_world(entities=("account",))
    make_accounts(world, 3)
    world.state.lost = True
    with pytest.raises(LostLease):
        world.sync()
    assert world.rows("client") == {}
    assert world.state.writes == 0
