"""Collecting the client's changes: from its log into transactions, each edit once."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from organizations.schema import Attribute, AttributeType
from syncjobs.engine.collect import AS_CARRIED, FAR
from syncjobs.engine.folding import CANCELLED_OUT, MADE_AND_DELETED
from syncjobs.engine.transactions import Action, Changed, Status
from syncjobs.engine.values import NOT_TOLD, NOTHING_AGREED, LinkRow
from tests.syncjobs.engine.memory_queue import MemoryQueue
from tests.syncjobs.engine.two_ways import collect_all, make_two_way, waiting
from tests.syncjobs.engine.world import (
    World,
    make_accounts,
    make_filter,
)


def test_it_collects_what_was_changed() -> None:
    world = make_two_way()
    first, second = make_accounts(world, 2)
    world.sync()
    world.client.update("account", first, {"name": "Mine"}, actor="ann@example.com")
    world.client.delete("account", second)
    made = world.client.create("account", {"name": "New", "revenue": "1.5"})
    version = world.client.version
    assert collect_all(world) == {}
    updated, deleted, created = waiting(world)
    link = world.state.links_by_client(world.task("account").key, [first])[first]
    assert (updated.client_id, updated.action) == (first, Action.UPDATE)
    assert updated.changes == {"name": Changed("Account 0", "Mine")}
    assert (updated.based_on, updated.actor) == (link.server_version, "ann@example.com")
    assert (updated.version, updated.first_version) == (version - 2, version - 2)
    assert (deleted.client_id, deleted.action, deleted.changes) == (second, Action.DELETE, None)
    assert (created.client_id, created.action, created.based_on) == (made, Action.CREATE, 0)
    assert created.changes is not None
    assert created.changes["name"] == Changed(None, "New")


def test_it_folds_changes_of_earlier_and_later_collections() -> None:
    world = make_two_way()
    (account,) = make_accounts(world, 1)
    world.client.create("tag", {"name": "x"})
    collect_all(world)
    world.sync()
    for name in ("a", "b", "c"):
        world.client.update("account", account, {"name": name})
        collect_all(world)
    (only,) = [item for item in waiting(world) if item.client_id == account]
    assert only.changes == {"name": Changed("Account 0", "c")}


def test_what_was_made_and_deleted_before_anybody_looked_is_nothing() -> None:
    world = make_two_way()
    made = world.client.create("account", {"name": "a"})
    world.client.delete("account", made)
    collect_all(world)
    assert world.queue is not None
    assert world.queue.transactions == []


def test_what_was_made_and_deleted_while_it_waited_is_set_aside() -> None:
    world = make_two_way()
    made = world.client.create("account", {"name": "a"})
    collect_all(world)
    world.client.delete("account", made)
    collect_all(world)
    assert world.queue is not None
    assert waiting(world) == []
    assert world.queue.saved.history == [(1, Status.ARCHIVED, MADE_AND_DELETED)]


def test_what_the_server_has_although_its_creation_waits_is_deleted_there() -> None:
    world = make_two_way()
    made = world.client.create("account", {"name": "a"})
    collect_all(world)
    with world.state.page():
        world.state.hold()
        link = LinkRow(made, made, 1, NOT_TOLD, NOTHING_AGREED)
        world.state.save_links(world.task("account").key, [link])
    world.client.delete("account", made)
    collect_all(world)
    (only,) = waiting(world)
    assert only.action is Action.DELETE


def test_what_is_back_as_it_was_is_set_aside() -> None:
    world = make_two_way()
    (account,) = make_accounts(world, 1)
    world.sync()
    for name in ("Mine", "Account 0"):
        world.client.update("account", account, {"name": name})
        collect_all(world)
    assert world.queue is not None
    assert waiting(world) == []
    assert [why for _, _, why in world.queue.saved.history] == [CANCELLED_OUT]


def test_what_is_saved_again_without_a_change_is_covered_by_what_waits() -> None:
    world = make_two_way()
    (account,) = make_accounts(world, 1)
    world.sync()
    world.client.update("account", account, {"name": "Mine"})
    world.client.update("account", account, {})
    collect_all(world)
    (only,) = waiting(world)
    assert (only.changes, only.version) == ({"name": Changed("Account 0", "Mine")}, 3)
    world.client.update("account", account, {})
    collect_all(world)
    (only,) = waiting(world)
    assert only.version == world.client.stored("account", account).version


def test_what_is_not_the_servers_business_does_not_become_a_conflict() -> None:
    world = make_two_way()
    entity = world.server.entity("account")
    attributes = tuple(
        replace(item, is_creatable=False, is_updatable=False) if item.name == "city" else item
        for item in entity.attributes
    )
    world.server.entities = {
        **world.server.entities,
        "account": replace(entity, attributes=attributes),
    }
    (account,) = make_accounts(world, 1)
    world.sync()
    world.client.update("account", account, {"city": "written by the client itself"})
    world.sync()
    assert waiting(world) == []
    world.server.update("account", account, {"city": "Wien"})
    assert world.counts().updated == 1
    assert world.client.get("account", account)["city"] == "Wien"


def test_what_equals_the_link_again_is_set_aside_though_nobody_knows_what_changed() -> None:
    world = make_two_way()
    (account,) = make_accounts(world, 1)
    world.sync()
    world.client.update("account", account, {"name": "Mine"}, origin="neighbour")
    collect_all(world)
    assert [item.changes for item in waiting(world)] == [None]
    world.client.update("account", account, {"name": "Account 0"}, origin="neighbour")
    collect_all(world)
    assert world.queue is not None
    assert waiting(world) == []
    assert [why for _, _, why in world.queue.saved.history] == [AS_CARRIED]


def test_what_may_be_on_the_server_already_is_never_set_aside() -> None:
    world = make_two_way()
    (account,) = make_accounts(world, 1)
    world.sync()
    world.client.update("account", account, {"name": "Mine"})
    collect_all(world)
    assert world.queue is not None
    (sent,) = waiting(world)
    with world.state.page():
        world.state.hold()
        world.queue.save([replace(sent, attempts=1)])
    world.client.update("account", account, {"name": "Account 0"})
    collect_all(world)
    first, second = waiting(world)
    assert (first.changes, first.attempts) == ({"name": Changed("Account 0", "Mine")}, 1)
    assert second.changes == {"name": Changed("Mine", "Account 0")}


def test_it_never_collects_our_own_writes() -> None:
    world = make_two_way()
    ids = make_accounts(world, 3)
    world.sync()
    world.server.update("account", ids[0], {"name": "Theirs"})
    world.server.delete("account", ids[1])
    world.sync_deletion = True
    world.sync()
    collect_all(world)
    assert world.queue is not None
    assert world.queue.transactions == []


def test_it_forwards_what_another_connection_wrote() -> None:
    world = make_two_way()
    made = world.client.create("account", {"name": "From below"}, origin="neighbour")
    collect_all(world)
    (only,) = waiting(world)
    assert (only.client_id, only.action, only.changes) == (made, Action.CREATE, None)


def test_it_leaves_out_what_was_done_before_the_connection_was_made() -> None:
    world = make_two_way()
    made = datetime(2024, 5, 1, tzinfo=UTC)
    world.client.clock = lambda: made - timedelta(seconds=1)
    world.client.create("account", {"name": "Before"})
    world.client.clock = lambda: made
    after = world.client.create("account", {"name": "After"})
    world.queue = MemoryQueue(world.state, connected=made)
    collect_all(world)
    assert [item.client_id for item in waiting(world)] == [after]


def test_a_record_that_was_never_carried_is_sent_whole_once_it_is_changed() -> None:
    world = make_two_way()
    made = datetime(2024, 5, 1, tzinfo=UTC)
    world.client.clock = lambda: made - timedelta(days=1)
    old = world.client.create("account", {"name": "Before", "city": "Brno"})
    unwanted = world.client.create("account", {"name": "Before"})
    world.client.clock = lambda: made
    world.client.update("account", old, {"name": "After"})
    world.client.delete("account", unwanted)
    world.queue = MemoryQueue(world.state, connected=made)
    collect_all(world)
    (only,) = waiting(world)
    assert (only.client_id, only.action) == (old, Action.CREATE)
    assert only.changes == {"name": Changed(None, "After"), "city": Changed(None, "Brno")}


def test_a_record_deleted_and_made_again_is_an_update_of_everything() -> None:
    world = make_two_way()
    (account,) = make_accounts(world, 1)
    world.sync()
    world.client.delete("account", account)
    world.client.create("account", {"name": "Back"}, id=account)
    collect_all(world)
    (only,) = waiting(world)
    assert only.action is Action.UPDATE
    assert only.changes is not None
    assert {name: changed for name, changed in only.changes.items() if changed.new} == {
        "name": Changed(None, "Back")
    }
    assert only.changes.keys() >= {"name", "city", "revenue", "ownerid"}


def test_it_collects_pairs() -> None:
    world = make_two_way()
    first, second = make_accounts(world, 2)
    tag = world.server.create("tag", {"name": "VIP"})
    world.server.associate("accounttags", first, tag)
    world.sync()
    pair = world.client.pair_id("accounttag", first, tag)
    world.client.disassociate("accounttags", first, tag)
    made = world.client.associate("accounttags", second, tag)
    brief = world.client.associate("accounttags", first, tag)
    world.client.delete("accounttag", brief)
    collect_all(world)
    removed, added = waiting(world)
    assert (removed.client_id, removed.action, removed.changes) == (
        pair,
        Action.DISASSOCIATE,
        None,
    )
    assert (added.client_id, added.action) == (made, Action.ASSOCIATE)
    assert added.changes == {"accountid": Changed(None, second), "tagid": Changed(None, tag)}


def test_a_pair_that_was_changed_in_place_is_reported() -> None:
    world = make_two_way()
    account, tag = world.client.create("account", {}), world.client.create("tag", {})
    pair = world.client.associate("accounttags", account, tag)
    collect_all(world)
    world.client.update("accounttag", pair, {"tagid": world.client.create("tag", {})})
    collect_all(world)
    (problem,) = world.reporter.problems
    assert (problem.entity, problem.record, problem.code) == ("accounttag", pair, "PairChanged")


def test_matched_records_are_neither_made_nor_deleted_on_the_server() -> None:
    world = make_two_way()
    user = world.server.create("systemuser", {"domainname": "ann", "fullname": "Ann"})
    gone = world.server.create("systemuser", {"domainname": "bob"})
    world.sync()
    world.client.update("systemuser", user, {"fullname": "Anna"})
    world.client.delete("systemuser", gone)
    made = world.client.create("systemuser", {"domainname": "eve"})
    collect_all(world)
    (only,) = waiting(world)
    assert (only.client_id, only.action) == (user, Action.UPDATE)
    told = [(item.record, item.code, item.message) for item in world.reporter.problems]
    why = "Records of 'systemuser' exist on both sides by themselves, so it is not"
    assert told == [
        (
            gone,
            "OnlyOnClient",
            f"The record was deleted on the client. {why} deleted on the server.",
        ),
        (made, "OnlyOnClient", f"The record was made on the client. {why} made on the server."),
    ]


def with_attributes(world: World, *attributes: Attribute) -> None:
    """Give the client's accounts attributes that the server does not have."""
    entity = world.client.entities["account"]
    wider = replace(entity, attributes=(*entity.attributes, *attributes))
    world.client.entities = {**world.client.entities, "account": wider}


def test_a_change_of_local_attributes_is_none() -> None:
    world = make_two_way()
    with_attributes(world, Attribute(name="local", type=AttributeType.STRING))
    (account,) = make_accounts(world, 1)
    world.sync()
    world.client.update("account", account, {"local": "x"})
    collect_all(world)
    assert waiting(world) == []
    world.client.update("account", account, {"local": "y", "city": "Brno"})
    collect_all(world)
    (only,) = waiting(world)
    assert only.changes == {"city": Changed(None, "Brno")}


def test_a_record_made_outside_the_filter_is_collected() -> None:
    world = make_two_way()
    world.filters["account"] = make_filter()
    made = world.client.create("account", {"city": "Praha"})
    collect_all(world)
    assert [item.client_id for item in waiting(world)] == [made]


def test_an_entity_that_was_disabled_for_a_while_loses_no_edit() -> None:
    world = make_two_way()
    collect_all(world)
    everything, world.entities = world.entities, ("tag",)
    account = world.client.create("account", {"name": "Meanwhile"})
    world.client.create("tag", {"name": "x"})
    collect_all(world)
    assert [item.client_id for item in waiting(world)] != [account]
    world.entities = everything
    world.client.create("tag", {"name": "y"})
    collect_all(world)
    collect_all(world)
    actions = [(item.client_id == account, item.action) for item in waiting(world)]
    assert actions == [(True, Action.CREATE), (False, Action.CREATE), (False, Action.CREATE)]


def test_an_idle_collection_writes_nothing() -> None:
    world = make_two_way()
    make_accounts(world, 4)
    world.sync()
    collect_all(world)
    writes = world.state.writes
    assert collect_all(world) == {}
    assert world.state.writes == writes


def test_it_saves_the_position_after_many_versions_without_an_edit() -> None:
    world = make_two_way()
    collect_all(world)
    world.client.version += FAR
    collect_all(world)
    assert world.queue is not None
    assert set(world.queue.saved.collected.values()) == {0}
    world.client.version += 1
    collect_all(world)
    assert set(world.queue.saved.collected.values()) == {FAR + 1}


def test_what_was_never_told_is_compared_when_the_record_is_saved_without_a_change() -> None:
    world = make_two_way()
    (account,) = make_accounts(world, 1)
    world.sync()
    state, key = world.state, world.task("account").key
    link = state.links_by_client(key, [account])[account]
    with state.page():
        state.hold()
        state.save_links(key, [link._replace(client_version=NOT_TOLD)])
    world.client.update("account", account, {})
    collect_all(world)
    version = world.client.stored("account", account).version
    expected = link._replace(client_version=version, digest=NOTHING_AGREED)
    assert state.links_by_client(key, [account])[account] == expected
    assert state.left_behind(key) == {link.server_id}
