"""Client changes reach the server: each kind, in order, once."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from connections.connectors.memory import Fault
from organizations.records import Action
from syncjobs.engine.transactions import Action as Queued
from syncjobs.engine.transactions import Changed, Status
from syncjobs.engine.values import ConflictRule, Counts, LinkState, Options, Side
from tests.syncjobs.engine.push.deliver import TwoWays, make_both, make_two_ways, put_in


def pairs(world: TwoWays, side: str) -> set[tuple[object, ...]]:
    return {row[1:] for row in world.rows(side, "accounttag").values()}


def test_it_creates_updates_and_deletes() -> None:
    world = make_two_ways()
    first, second = make_both(world, 2)
    made = world.client.create("account", {"name": "New", "revenue": "1.5"})
    world.client.update("account", first, {"city": "Praha"})
    world.client.delete("account", second)
    assert world.push() == {"account": Counts(pushed=3)}
    assert world.rows("server") == world.rows("client")
    assert world.server.get("account", made)["name"] == "New"
    assert {item.status for item in world.transactions()} == {Status.PROCESSED}


def test_a_repeated_run_writes_nothing() -> None:
    world = make_two_ways()
    (first,) = make_both(world)
    world.client.update("account", first, {"city": "Praha"})
    world.client.create("account", {"name": "New"})
    world.sync()
    before = (world.server.version, world.client.version)
    assert world.counts() == Counts()
    assert (world.server.version, world.client.version) == before


def test_it_sends_only_what_was_changed() -> None:
    world = make_two_ways()
    (first,) = make_both(world)
    world.client.update("account", first, {"city": "Praha"})
    world.push()
    (_, images) = world.state.images[-1]
    assert (images.side, images.action, images.ids) == (Side.SERVER, Action.UPDATE, [first])
    assert images.before[0][images.columns.index("city")] == "Brno"
    assert images.versions == [world.server.stored("account", first).version]


def test_it_keeps_what_a_delete_met() -> None:
    world = make_two_ways()
    (first,) = make_both(world)
    world.client.delete("account", first)
    world.push()
    (_, images) = world.state.images[-1]
    assert (images.action, images.before[0][0]) == (Action.DELETE, first)
    assert world.state.count_links(1) == 0


def test_it_makes_parents_before_children_and_pairs_after_both() -> None:
    world = make_two_ways()
    child = world.client.create("account", {"name": "Child"})
    tag = world.client.create("tag", {"name": "VIP"})
    world.client.associate("accounttags", child, tag)
    parent = world.client.create("account", {"name": "Parent"})
    world.client.update("account", child, {"parentaccountid": parent})
    world.push()
    order = [change.id for change in world.server.log]
    assert order.index(parent) < order.index(child)
    assert world.rows("server") == world.rows("client")
    assert pairs(world, "server") == pairs(world, "client") != set()
    assert world.sync()["account"].counts.updated == 0


def test_it_deletes_children_first() -> None:
    world = make_two_ways()
    (parent,) = make_both(world)
    child = world.server.create("account", {"parentaccountid": parent})
    grandchild = world.server.create("account", {"parentaccountid": child})
    world.sync()
    for item in (parent, child, grandchild):
        world.client.delete("account", item)
    world.push()
    assert [change.id for change in world.server.log[-3:]] == [grandchild, child, parent]


def test_records_that_name_each_other_are_deleted_all_the_same() -> None:
    world = make_two_ways()
    first, second = make_both(world, 2)
    world.server.update("account", first, {"parentaccountid": second})
    world.server.update("account", second, {"parentaccountid": first})
    world.sync()
    world.client.delete("account", first)
    world.client.delete("account", second)
    assert world.push()["account"] == Counts(pushed=2)
    assert world.rows("server") == {}


def test_a_loop_is_delivered_in_two_passes() -> None:
    world = make_two_ways()
    first, second, third = (world.client.create("account", {"name": n}) for n in "abc")
    world.client.update("account", first, {"parentaccountid": second})
    world.client.update("account", second, {"parentaccountid": third})
    world.client.update("account", third, {"parentaccountid": first})
    assert world.push()["account"].pushed == 4
    assert world.rows("server") == world.rows("client")
    assert {item.status for item in world.transactions()} == {Status.PROCESSED}
    assert world.sync()["account"].counts == Counts(read=3, unchanged=3)


def test_a_record_that_names_itself_is_delivered_in_two_passes() -> None:
    world = make_two_ways()
    first = world.client.create("account", {"name": "a"})
    world.client.update("account", first, {"parentaccountid": first})
    world.push()
    assert world.server.get("account", first)["parentaccountid"] == first


def test_a_loop_gives_the_owner_away_last() -> None:
    world = make_two_ways()
    user = world.server.create("systemuser", {"domainname": "ann"})
    world.sync()
    first = world.client.create("account", {"ownerid": user, "ownerid__type": "systemuser"})
    world.client.update("account", first, {"parentaccountid": first})
    world.push()
    writes = [images for _, images in world.state.images if images.side is Side.SERVER]
    owner = writes[0].columns.index("ownerid")
    parent = writes[0].columns.index("parentaccountid")
    befores = [images.before[0] for images in writes if images.action is Action.UPDATE]
    assert [(row[parent], row[owner]) for row in befores] == [(None, None), (first, None)]
    assert world.rows("server") == world.rows("client")


def test_a_pull_in_between_leaves_the_late_lookup_alone() -> None:
    world = make_two_ways()
    first = world.client.create("account", {"name": "a"})
    world.client.update("account", first, {"parentaccountid": first})
    world.server.faults.at_write(2, Fault.RETRY)
    world.push()
    (waiting,) = world.transactions(Status.PENDING)
    assert waiting.changes is not None
    assert waiting.changes.keys() == {"parentaccountid"}
    world.sync()
    assert world.client.get("account", first)["parentaccountid"] == first
    world.later(timedelta(hours=1))
    world.sync()
    assert world.server.get("account", first)["parentaccountid"] == first


def test_it_removes_pairs_and_makes_them_again() -> None:
    world = make_two_ways()
    (account,) = make_both(world)
    tag = world.server.create("tag", {"name": "VIP"})
    world.server.associate("accounttags", account, tag)
    world.sync()
    world.client.disassociate("accounttags", account, tag)
    assert world.push()["accounttag"] == Counts(pushed=1)
    assert pairs(world, "server") == set()
    world.client.associate("accounttags", account, tag)
    assert world.push()["accounttag"] == Counts(pushed=1)
    assert pairs(world, "server") == pairs(world, "client") != set()
    world.client.disassociate("accounttags", account, tag)
    world.client.associate("accounttags", account, tag)
    world.push()
    assert pairs(world, "server") == pairs(world, "client") != set()
    assert world.sync()["accounttag"].counts.conflicts == 0


def test_a_pair_that_the_server_has_already_is_as_good() -> None:
    world = make_two_ways()
    (account,) = make_both(world)
    tag = world.server.create("tag", {"name": "VIP"})
    world.sync()
    world.server.associate("accounttags", account, tag)
    world.client.associate("accounttags", account, tag)
    assert world.push()["accounttag"] == Counts(pushed=1)
    assert len(pairs(world, "server")) == 1


def test_a_pair_that_the_server_removed_too_is_gone() -> None:
    world = make_two_ways()
    (account,) = make_both(world)
    tag = world.server.create("tag", {"name": "VIP"})
    world.server.associate("accounttags", account, tag)
    world.sync()
    world.server.disassociate("accounttags", account, tag)
    world.client.disassociate("accounttags", account, tag)
    assert world.push()["accounttag"] == Counts(pushed=1)
    assert world.state.count_links(2) == 0


def test_it_names_matched_records_by_the_servers_ids() -> None:
    world = make_two_ways()
    theirs = world.server.create("systemuser", {"domainname": "ann"})
    mine = world.client.create("systemuser", {"domainname": "ann"})
    world.sync()
    made = world.client.create(
        "account",
        {
            "ownerid": mine,
            "ownerid__type": "systemuser",
            "parties": f'[[1,"systemuser","{mine}"]]',
        },
    )
    world.sync()
    on_server = world.server.get("account", made)
    assert (on_server["ownerid"], on_server["ownerid__type"]) == (theirs, "systemuser")
    assert on_server["parties"] == f'[[1,"systemuser","{theirs}"]]'
    assert world.client.get("account", made)["ownerid"] == mine
    before = world.client.version
    world.sync()
    assert world.client.version == before


@pytest.mark.parametrize("action", [Queued.CREATE, Queued.UPDATE])
def test_a_matched_record_is_never_made(action: Queued) -> None:
    world = make_two_ways(ConflictRule.CLIENT)
    mine = world.client.create("systemuser", {"domainname": "bob"})
    put_in(world, "systemuser", mine, action, {"fullname": Changed(None, "Bob")})
    assert world.deliver()["systemuser"] == Counts(rejected=1)
    assert world.rows("server", "systemuser") == {}
    failed = world.transaction(Status.ERROR)
    assert failed.code == "NotMade"
    assert "Make the record on the server, then set this to Pending." in failed.message


def test_a_matched_record_is_never_deleted() -> None:
    world = make_two_ways(ConflictRule.CLIENT)
    theirs = world.server.create("systemuser", {"domainname": "ann"})
    mine = world.client.create("systemuser", {"domainname": "ann"})
    world.sync()
    world.client.delete("systemuser", mine)
    put_in(world, "systemuser", mine, Queued.DELETE, None)
    world.deliver()
    assert theirs in world.rows("server", "systemuser")
    assert world.transaction().status is Status.ARCHIVED
    assert world.history()[-1].endswith("the server's was not deleted.")


def test_a_matched_record_can_be_changed() -> None:
    world = make_two_ways()
    theirs = world.server.create("systemuser", {"domainname": "ann"})
    mine = world.client.create("systemuser", {"domainname": "ann"})
    world.sync()
    world.client.update("systemuser", mine, {"fullname": "Ann"})
    world.push()
    assert world.server.get("systemuser", theirs)["fullname"] == "Ann"


def test_it_delivers_in_portions() -> None:
    world = make_two_ways()
    world.options = Options(read_ahead=False, push_size=3)
    for number in range(10):
        world.client.create("account", {"name": str(number)})
    assert world.push()["account"].pushed == 10
    images = [found for _, found in world.state.images if found.side is Side.SERVER]
    assert [len(found.ids) for found in images] == [3, 3, 3, 1]
    assert world.rows("server") == world.rows("client")


def test_what_the_server_makes_of_it_comes_with_the_next_pull() -> None:
    world = make_two_ways()
    (first,) = make_both(world)
    world.client.update("account", first, {"name": "mine"})
    world.push()
    world.server.update("account", first, {"city": "Wien"})
    assert world.counts() == Counts(read=1, updated=1)
    assert world.client.get("account", first)["city"] == "Wien"


def test_a_change_of_unknown_columns_sends_what_differs() -> None:
    world = make_two_ways()
    (first,) = make_both(world)
    world.client.update("account", first, {"name": "mine"})
    world.collect()
    waiting = world.transaction()
    with world.state.page():
        world.state.hold()
        world.line.save([replace(waiting, changes=None)])
    world.deliver()
    assert world.rows("server") == world.rows("client")


def test_a_column_that_only_the_server_writes_comes_back() -> None:
    world = make_two_ways()
    known = world.server.entities["account"]
    attributes = tuple(
        replace(item, is_updatable=False) if item.name == "city" else item
        for item in known.attributes
    )
    world.server.entities = {
        **world.server.entities,
        "account": replace(known, attributes=attributes),
    }
    (first,) = make_both(world)
    world.client.update("account", first, {"city": "mine"})
    writes = world.writes()
    assert world.push()["account"] == Counts(pushed=1)
    assert world.writes() == writes
    world.sync()
    assert world.client.get("account", first)["city"] == "Brno"


def test_later_changes_of_a_record_wait_for_the_earlier() -> None:
    world = make_two_ways()
    (first,) = make_both(world)
    world.client.update("account", first, {"name": "one"})
    world.server.faults.at_write(1, Fault.RETRY)
    world.push()
    world.client.update("account", first, {"name": "two", "city": "Wien"})
    world.collect()
    assert len(world.transactions(Status.PENDING)) == 2
    assert world.deliver() == {}
    assert world.transactions()[1].message.startswith("It waits for the update of account")
    world.later(timedelta(hours=1))
    assert world.deliver() == {"account": Counts(pushed=2)}
    assert world.rows("server") == world.rows("client")
    assert world.state.links(1, [first])[first].state is LinkState.CURRENT
