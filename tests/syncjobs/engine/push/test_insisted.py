"""What comes of transactions that a person sets to Pending, or aside, against what came since."""

from __future__ import annotations

from dataclasses import replace

import pytest

from connections.connectors.memory import Fault
from syncjobs.engine.transactions import Action, Changed, Status, Transaction
from syncjobs.engine.values import ConflictRule
from tests.syncjobs.engine.push.clashing import ASK, CLIENT, SERVER, choose, pend
from tests.syncjobs.engine.push.deliver import TwoWays, make_both, make_two_ways


def archive(world: TwoWays, item: Transaction) -> None:
    with world.state.page():
        world.state.hold()
        world.line.save([replace(item, status=Status.ARCHIVED)], "Set to Archived by ann.")


def make_clashing_deletion(rule: ConflictRule = SERVER) -> tuple[TwoWays, str]:
    """Delete an account of the client that the server changed, and sync."""
    world = make_two_ways(rule)
    (first,) = make_both(world)
    world.client.delete("account", first)
    world.server.update("account", first, {"name": "theirs"})
    world.sync()
    return world, first


def assert_rest(world: TwoWays) -> None:
    world.sync()
    assert world.rows("client") == world.rows("server")
    assert world.state.left_behind(1) == set()
    assert world.transactions(Status.PENDING, Status.ERROR) == []


def test_what_was_made_and_deleted_again_comes_to_both_sides() -> None:
    world = make_two_ways()
    made = world.client.create("account", {"name": "New"})
    world.client.update("account", made, {"parentaccountid": made})
    world.collect()
    world.client.delete("account", made)
    world.push()
    assert world.rows("server") == {}
    pend(world, world.transaction(Status.ARCHIVED))
    world.sync()
    assert world.rows("client").keys() == {made}
    assert_rest(world)


def test_values_of_the_server_outlive_a_deletion_that_came_before_they_were_wanted() -> None:
    world = make_two_ways(CLIENT)
    (first,) = make_both(world)
    world.client.update("account", first, {"name": "mine"})
    world.server.update("account", first, {"name": "theirs"})
    world.collect()
    world.client.delete("account", first)
    world.deliver()
    kept = world.transaction(Status.ARCHIVED)
    pend(world, kept)
    world.sync()
    assert world.rows("server") == world.rows("client") == {}
    assert kept.changes is not None
    assert kept.changes["name"].new == "theirs"
    assert kept.changes in [item.changes for item in world.transactions(Status.ARCHIVED)]


def test_what_was_set_aside_and_saved_again_follows_the_server_once_it_is_made() -> None:
    world = make_two_ways()
    made = world.client.create("account", {"name": "New"})
    world.collect()
    older = world.transaction(Status.PENDING)
    archive(world, older)
    world.client.update("account", made, {})
    world.sync()
    pend(world, older)
    world.push()
    assert world.state.links(1, [made])[made].client_version == world.client.version
    world.server.update("account", made, {"name": "theirs"})
    assert_rest(world)
    assert world.client.get("account", made)["name"] == "theirs"


def test_a_pair_that_was_removed_since_and_is_wanted_comes_to_both_sides() -> None:
    world = make_two_ways()
    (first,), tag = make_both(world), world.server.create("tag", {"name": "VIP"})
    world.sync()
    pair = world.client.associate("accounttags", first, tag)
    world.collect()
    older = world.transaction(Status.PENDING)
    archive(world, older)
    world.client.delete("accounttag", pair)
    world.sync()
    pend(world, older)
    world.sync()
    assert world.rows("client", "accounttag").keys() == {pair}
    assert world.rows("server", "accounttag") == world.rows("client", "accounttag")


def test_a_pair_that_is_wanted_and_is_there_in_another_row_stays() -> None:
    world = make_two_ways()
    (first,), tag = make_both(world), world.server.create("tag", {"name": "VIP"})
    world.sync_deletion = True
    world.sync()
    pair = world.client.associate("accounttags", first, tag)
    world.collect()
    world.client.delete("accounttag", pair)
    world.collect()
    older = world.transaction(Status.ARCHIVED)
    other = world.server.associate("accounttags", first, tag)
    world.sync()
    assert world.rows("client", "accounttag").keys() == {other}
    world.server.delete("accounttag", other)
    pend(world, older)
    world.sync()
    world.sync()
    assert len(world.rows("client", "accounttag")) == 1
    assert len(world.rows("server", "accounttag")) == 1


def test_what_is_deleted_while_it_is_delivered_does_not_come_back() -> None:
    world = make_two_ways()
    made = world.client.create("account", {"name": "New"})
    world.collect()
    world.client.delete("account", made)
    world.deliver()
    assert world.rows("server").keys() == {made}
    world.sync()
    assert world.rows("client") == world.rows("server") == {}


def test_a_client_that_forgot_its_changes_takes_nothing_back() -> None:
    world = make_two_ways()
    made = world.client.create("account", {"name": "New"})
    world.collect()
    world.client.delete("account", made)
    world.client.expire_checkpoints()
    world.deliver()
    assert world.rows("server").keys() == {made}
    assert world.state.links(1, [made])[made].client_version == world.transaction().version


def test_what_the_server_lost_gives_way_to_what_it_has_again() -> None:
    world, first = make_clashing_deletion(CLIENT)
    lost = world.transaction(Status.ARCHIVED)
    world.rule = SERVER
    world.server.create("account", {"name": "new"}, id=first)
    pend(world, lost)
    world.sync()
    assert world.rows("client") == world.rows("server") != {}
    assert_rest(world)


def test_a_newer_change_that_was_set_aside_gives_way_to_an_older_one() -> None:
    world = make_two_ways(ASK)
    (first,) = make_both(world)
    world.client.update("account", first, {"name": "older"})
    world.server.delete("account", first)
    world.push()
    older = world.transaction(Status.ERROR)
    archive(world, older)
    world.client.update("account", first, {"name": "newer"})
    world.rule = SERVER
    world.push()
    world.rule = CLIENT
    pend(world, older)
    world.sync()
    assert world.server.get("account", first)["name"] == "older"
    assert_rest(world)


def test_what_is_to_be_made_again_and_is_there_already_can_still_be_deleted() -> None:
    world, first = make_clashing_deletion(CLIENT)
    lost = world.transaction(Status.ARCHIVED)
    world.client.create("account", {"name": "mine"}, id=first)
    world.sync()
    pend(world, lost)
    world.client.delete("account", first)
    assert_rest(world)
    assert world.rows("server") == {}


def test_an_older_change_that_follows_a_newer_one_comes_to_both_sides() -> None:
    world = make_two_ways()
    (first,) = make_both(world)
    made = []
    for values in ({"name": "a"}, {"city": "Praha"}):
        world.client.update("account", first, values)
        world.collect()
        made.append(world.transaction(Status.PENDING))
        archive(world, made[-1])
    world.sync_deletion = True
    world.server.delete("account", first)
    world.sync()
    assert world.rows("client") == {}
    pend(world, made[0])
    world.client.create("account", {"name": "b", "city": "Brno"}, id=first)
    world.collect()
    pend(world, made[1])
    assert_rest(world)
    assert world.server.get("account", first)["city"] == "Praha"


def test_a_record_that_was_never_carried_keeps_its_values_though_set_aside() -> None:
    world = make_two_ways()
    made = world.client.create("account", {"name": "older"})
    world.collect()
    older = world.transaction(Status.PENDING)
    archive(world, older)
    world.client.update("account", made, {"city": "Praha"})
    world.collect()
    newer = world.transaction(Status.PENDING)
    archive(world, newer)
    assert newer.changes is not None
    assert newer.changes["city"] == Changed(None, "Praha")


def test_an_older_change_that_makes_the_record_again_in_parts_comes_back_whole() -> None:
    world = make_two_ways()
    parent, first = make_both(world, 2)
    world.server.update("account", first, {"parentaccountid": parent})
    world.sync()
    world.client.update("account", first, {"name": "mine"})
    world.server.update("account", first, {"name": "theirs"})
    world.sync()
    assert world.client.get("account", first)["name"] == "theirs"
    older = world.transaction(Status.ARCHIVED)
    world.rule = CLIENT
    world.server.delete("account", first)
    pend(world, older)
    world.sync()
    assert world.server.get("account", first)["name"] == "mine"
    assert world.server.get("account", first)["parentaccountid"] == parent
    assert_rest(world)


def test_what_follows_the_values_of_the_server_can_be_set_aside() -> None:
    world = make_two_ways(CLIENT)
    parent, first = make_both(world, 2)
    world.server.update("account", first, {"parentaccountid": parent})
    world.sync()
    world.client.update("account", first, {"name": "mine"})
    world.server.update("account", first, {"name": "theirs"})
    world.push()
    world.server.delete("account", first)
    pend(world, world.transaction(Status.ARCHIVED))
    world.server.faults.at_write(2, Fault.RETRY)
    world.push()
    assert world.server.get("account", first)["name"] == "theirs"
    archive(world, world.transaction(Status.PENDING))
    world.server.update("account", first, {"city": "Wien"})
    assert_rest(world)
    assert world.client.get("account", first)["name"] == "theirs"


def test_a_record_made_again_while_its_deletion_is_asked_about_keeps_its_values() -> None:
    world, first = make_clashing_deletion(ASK)
    world.client.create("account", {"name": "mine"}, id=first)
    world.sync()
    asked = world.transaction(Status.ERROR)
    assert asked.action is Action.UPDATE
    assert asked.changes is not None
    assert asked.changes["name"] == Changed(None, "mine")
    archive(world, asked)
    assert_rest(world)
    assert world.client.get("account", first)["name"] == "theirs"


def test_a_choice_still_decides_about_a_record_that_was_made_again() -> None:
    world, first = make_clashing_deletion(ASK)
    world.client.create("account", {"name": "mine"}, id=first)
    world.collect()
    choose(world)
    world.rule = CLIENT
    assert_rest(world)
    assert world.server.get("account", first)["name"] == "mine"


def test_a_deletion_that_a_later_creation_took_back_makes_the_record() -> None:
    world, first = make_clashing_deletion()
    aside = world.transaction(Status.ARCHIVED)
    world.sync_deletion = True
    world.server.delete("account", first)
    world.sync()
    assert world.rows("client") == {}
    pend(world, aside)
    world.client.create("account", {"name": "mine", "city": "Wien"}, id=first)
    world.sync()
    assert world.rows("server").keys() == {first}
    assert_rest(world)


def test_a_change_of_what_only_the_server_has_again_brings_it_to_the_client() -> None:
    world = make_two_ways()
    (first,) = make_both(world)
    agreed = world.server.tables["account"][first]
    world.client.update("account", first, {"name": "mine"})
    world.server.delete("account", first)
    world.sync_deletion = True
    world.sync()
    assert world.rows("client") == {}
    world.server.tables["account"][first] = agreed
    world.rule = CLIENT
    pend(world, world.transaction(Status.ARCHIVED))
    world.sync()
    assert world.client.get("account", first)["name"] == "mine"
    assert_rest(world)


def test_a_record_made_again_and_set_aside_before_it_is_delivered_keeps_its_values() -> None:
    world = make_two_ways()
    (first,) = make_both(world)
    world.client.delete("account", first)
    world.client.create("account", {"name": "mine"}, id=first)
    world.collect()
    archive(world, world.transaction(Status.PENDING))
    world.server.update("account", first, {"name": "theirs"})
    world.sync()
    assert world.rows("client") == world.rows("server")
    kept = world.transaction(Status.ARCHIVED)
    assert kept.changes is not None
    assert kept.changes["name"] == Changed(None, "mine")


def test_a_deletion_wanted_of_a_record_that_is_back_and_saved_again_reaches_both_sides() -> None:
    world, first = make_clashing_deletion()
    world.client.update("account", first, {})
    pend(world, world.transaction(Status.ARCHIVED))
    world.sync_deletion = True
    world.sync()
    assert world.rows("server") == {}
    assert_rest(world)


@pytest.mark.parametrize("rule", [SERVER, CLIENT])
def test_who_makes_what_only_the_server_has_again_replaces_nothing_unseen(
    rule: ConflictRule,
) -> None:
    world = make_two_ways()
    (first,) = make_both(world)
    world.client.update("account", first, {"name": "mine"})
    world.server.delete("account", first)
    world.sync_deletion = True
    world.sync()
    world.server.create("account", {"name": "theirs", "city": "Wien"}, id=first)
    world.rule = CLIENT
    pend(world, world.transaction(Status.ARCHIVED))
    world.push()
    world.rule = rule
    world.client.create("account", {"name": "again", "city": "Brno"}, id=first)
    world.sync()
    wins, loses = ("Wien", "Brno") if rule is SERVER else ("Brno", "Wien")
    assert world.server.get("account", first)["city"] == wins
    kept = [item.changes for item in world.transactions(Status.ARCHIVED) if item.changes]
    assert loses in [changes["city"].new for changes in kept if "city" in changes]
    assert_rest(world)
