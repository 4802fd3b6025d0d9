"""Both sides changed a record: what each rule makes of it, from the edit to rest."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from connections.connectors.memory import Fault
from syncjobs.engine.conflicts import WHOLE
from syncjobs.engine.transactions import Changed, Conflict, Status
from syncjobs.engine.values import ConflictRule, Counts, Leaving, LinkState, Side
from tests.syncjobs.engine.push.clashing import (
    ASK,
    CLIENT,
    MERGE,
    NEWEST,
    RULES,
    SERVER,
    choose,
    equal,
    make_both_delete,
    make_clash,
    pend,
)
from tests.syncjobs.engine.push.deliver import make_both, make_two_ways
from tests.syncjobs.engine.world import CONNECTION, make_filter


def test_the_server_wins() -> None:
    world, first = make_clash(SERVER)
    counts = world.sync()["account"].counts
    assert counts == Counts(read=1, updated=1, conflicts=1)
    assert equal(world)
    assert world.client.get("account", first)["name"] == "theirs"
    kept = world.transaction(Status.ARCHIVED)
    assert kept.changes == {"name": Changed("Both", "mine"), "city": Changed("Brno", "Praha")}
    assert kept.conflict == Conflict(
        base={"name": "Both", "city": "Brno"},
        server={"name": "theirs", "city": "Brno"},
        client={"name": "mine", "city": "Praha"},
        server_version=world.server.stored("account", first).version,
    )
    assert world.history() == [
        "The record was changed on the client, and changed on the server. The rule says that the "
        "server wins."
    ]
    before = (world.server.version, world.client.version)
    assert world.counts() == Counts()
    assert (world.server.version, world.client.version) == before


def test_a_value_that_lost_can_be_set_to_pending() -> None:
    world, first = make_clash(SERVER)
    world.sync()
    lost = world.transaction(Status.ARCHIVED)
    pend(world, lost)
    world.sync()
    assert world.server.get("account", first)["name"] == "mine"
    world.sync()
    assert equal(world)


def test_a_record_that_came_back_keeps_its_values_when_it_loses() -> None:
    world = make_two_ways(SERVER)
    (first,) = make_both(world)
    world.client.delete("account", first)
    world.client.create("account", {"name": "mine", "city": "Praha"}, id=first)
    world.server.update("account", first, {"name": "theirs"})
    world.sync()
    kept = world.transaction(Status.ARCHIVED)
    assert kept.changes == {"name": Changed("theirs", "mine"), "city": Changed("Brno", "Praha")}
    pend(world, kept)
    world.sync()
    assert world.server.get("account", first)["name"] == "mine"


def test_a_deletion_that_lost_and_is_delivered_after_all_is_noticed_on_the_client() -> None:
    world, first = make_both_delete(SERVER, is_client=True)
    world.sync()
    assert equal(world)
    pend(world, world.transaction(Status.ARCHIVED))
    counts = world.sync()["account"].counts
    assert (counts.pushed, counts.kept) == (1, 1)
    assert world.rows("server") == {}
    assert world.state.links(1, [first])[first].state is LinkState.SERVER_DELETED


@pytest.mark.parametrize("is_answered", [True, False], ids=["answered", "answer lost"])
def test_what_a_delivery_did_not_see_is_still_a_conflict_later(is_answered: bool) -> None:
    world = make_two_ways(MERGE)
    (first,) = make_both(world)
    if is_answered:
        world.server.update("account", first, {"revenue": "3"})
    else:
        world.server.faults.at_write(1, Fault.LOST_RESPONSE)
    world.client.update("account", first, {"name": "mine"})
    world.push()
    if not is_answered:
        world.server.update("account", first, {"revenue": "3"})
        world.later(timedelta(days=1))
        world.push()
    assert world.server.get("account", first)["name"] == "mine"
    world.client.update("account", first, {"revenue": "7"})
    world.push()
    assert str(world.server.get("account", first)["revenue"]) == "3.00"
    assert world.transaction(Status.ERROR).conflict is not None


@pytest.mark.parametrize("is_unseen", [True, False], ids=["server changed it", "only ours"])
def test_a_later_change_that_waits_behind_a_lost_answer_meets_what_was_not_seen(
    is_unseen: bool,
) -> None:
    world = make_two_ways(CLIENT)
    (first,) = make_both(world)
    if is_unseen:
        world.server.update("account", first, {"name": "theirs"})
    world.client.update("account", first, {"city": "Praha"})
    world.server.faults.at_write(1, Fault.LOST_RESPONSE)
    world.push()
    world.client.update("account", first, {"name": "mine"})
    world.later(timedelta(days=1))
    world.push()
    assert world.server.get("account", first)["name"] == "mine"
    lost = [item.changes for item in world.transactions(Status.ARCHIVED)]
    assert lost == ([{"name": Changed("mine", "theirs")}] if is_unseen else [])


def test_values_that_an_unanswered_attempt_replaced_are_kept_whatever_comes_next() -> None:
    world = make_two_ways(CLIENT)
    (first,) = make_both(world)
    world.client.update("account", first, {"name": "mine"})
    world.server.update("account", first, {"name": "theirs"})
    world.server.faults.at_write(1, Fault.LOST_RESPONSE)
    world.sync()
    world.server.delete("account", first)
    world.later(timedelta(days=1))
    world.sync()
    kept = world.transaction(Status.ARCHIVED)
    assert (kept.code, kept.changes) == ("Lost", {"name": Changed("mine", "theirs")})


def test_a_client_record_that_loses_without_a_link_takes_the_servers_values() -> None:
    world = make_two_ways(SERVER)
    made = world.client.create("account", {"name": "mine"})
    world.collect()
    world.server.create("account", {"name": "theirs"}, id=made)
    item = world.transaction(Status.PENDING)
    with world.state.page():
        world.state.hold()
        world.line.save([replace(item, attempts=1)])
    world.deliver()
    assert world.transaction(Status.ARCHIVED).changes == {"name": Changed(None, "mine")}
    world.sync()
    assert world.client.get("account", made)["name"] == "theirs"


def test_a_client_record_that_loses_because_the_servers_left_the_filter_does_so_later() -> None:
    world = make_two_ways(SERVER)
    (first,) = make_both(world)
    world.filters = {"account": make_filter("city", "Wien")}
    world.sync_deletion, world.leaving = True, Leaving.KEEP
    world.sync()
    assert world.state.links(1, [first])[first].state is LinkState.LEFT_FILTER
    world.client.update("account", first, {"name": "mine"})
    world.filters = {}
    world.sync()
    assert world.transaction(Status.ARCHIVED).changes == {"name": Changed("Both", "mine")}
    assert world.client.get("account", first)["name"] == "Both"
    assert equal(world)


def test_a_record_made_again_comes_back_to_a_client_that_lost_it() -> None:
    world, first = make_both_delete(ASK, is_client=False)
    world.sync()
    world.client.delete("account", first, origin=CONNECTION)  # as approved deletions do
    choose(world, **{WHOLE: Side.CLIENT})
    world.sync()
    assert world.server.get("account", first)["name"] == "mine"
    assert equal(world)


@pytest.mark.parametrize("is_answered", [True, False], ids=["answered", "answer lost"])
def test_a_deleted_record_of_the_server_comes_back_on_both_sides(is_answered: bool) -> None:
    world, first = make_both_delete(CLIENT, is_client=True)
    world.sync()
    assert world.rows("server") == {}
    pend(world, world.transaction(Status.ARCHIVED))
    if not is_answered:
        world.server.faults.at_write(1, Fault.LOST_RESPONSE)
        world.sync()
        world.later(timedelta(days=1))
    world.sync()
    assert world.server.get("account", first)["name"] == "theirs"
    assert equal(world)


@pytest.mark.parametrize("is_delete", [False, True], ids=["update", "delete"])
def test_the_servers_values_are_kept_although_the_answer_is_lost(is_delete: bool) -> None:
    world = make_two_ways(CLIENT)
    (first,) = make_both(world)
    world.server.update("account", first, {"name": "theirs"})
    if is_delete:
        world.client.delete("account", first)
    else:
        world.client.update("account", first, {"name": "mine"})
    world.server.faults.at_write(1, Fault.LOST_RESPONSE)
    world.sync()
    assert world.transactions(Status.ARCHIVED) == []
    world.later(timedelta(days=1))
    world.sync()
    kept = world.transaction(Status.ARCHIVED)
    assert kept.code == "Lost"
    assert kept.changes is not None
    assert kept.changes["name"].new == "theirs"
    assert world.transaction(Status.PROCESSED).conflict is None


def test_the_client_wins_and_the_servers_values_are_kept() -> None:
    world, first = make_clash(CLIENT)
    counts = world.sync()["account"].counts
    assert (counts.pushed, counts.conflicts) == (1, 1)
    assert equal(world)
    assert world.server.get("account", first)["name"] == "mine"
    kept = world.transaction(Status.ARCHIVED)
    assert (kept.code, kept.changes) == ("Lost", {"name": Changed("mine", "theirs")})
    pend(world, kept)
    world.sync()
    world.sync()
    assert world.server.get("account", first)["name"] == "theirs"
    assert equal(world)


def test_the_client_wins_only_what_it_changed() -> None:
    world, first = make_clash(CLIENT, revenue="2")
    world.sync()
    assert equal(world)
    assert str(world.client.get("account", first)["revenue"]) == "2.00"
    assert world.transactions(Status.ARCHIVED) == []


def test_fields_of_both_sides_are_merged() -> None:
    world, first = make_clash(MERGE, revenue="2")
    counts = world.sync()["account"].counts
    assert (counts.pushed, counts.conflicts) == (1, 1)
    assert equal(world)
    merged = world.client.get("account", first)
    assert (merged["name"], merged["city"], str(merged["revenue"])) == ("mine", "Praha", "2.00")


def test_a_merge_lets_go_what_it_can_and_asks_for_the_rest() -> None:
    world, first = make_clash(MERGE)
    world.sync()
    on_server = world.server.get("account", first)
    assert (on_server["name"], on_server["city"]) == ("theirs", "Praha")
    asked = world.transaction(Status.ERROR)
    assert asked.code == "Conflict"
    assert asked.conflict == Conflict(
        base={"name": "Both"},
        server={"name": "theirs"},
        client={"name": "mine"},
        server_version=world.server.stored("account", first).version,
    )
    assert world.client.get("account", first)["name"] == "mine"
    choose(world, name=Side.CLIENT)
    world.sync()
    assert equal(world)
    assert world.server.get("account", first)["name"] == "mine"


def test_a_merge_that_was_decided_for_the_server_takes_its_value() -> None:
    world, first = make_clash(MERGE)
    world.sync()
    choose(world, name=Side.SERVER)
    world.sync()
    assert equal(world)
    assert world.client.get("account", first)["name"] == "theirs"


def test_a_conflict_is_counted_and_told_once_in_a_run() -> None:
    world, first = make_clash(ASK)
    assert world.sync()["account"].counts.conflicts == 1
    assert [problem.record for problem in world.reporter.problems] == [first]
    assert world.sync()["account"].counts.conflicts == 0
    assert world.transaction(Status.ERROR).code == "Conflict"


def test_a_person_is_asked() -> None:
    world, first = make_clash(ASK)
    counts = world.push()["account"]
    assert counts == Counts(conflicts=1)
    asked = world.transaction(Status.ERROR)
    assert (asked.code, asked.choices) == ("Conflict", {})
    (problem,) = world.reporter.problems
    assert (problem.code, problem.record) == ("Conflict", first)
    assert problem.message.endswith("The rule says that a person decides.")
    assert world.server.get("account", first)["name"] == "theirs"
    world.sync()
    assert world.client.get("account", first)["name"] == "mine"


@pytest.mark.parametrize(
    ("choices", "name", "city"),
    [
        ({WHOLE: Side.CLIENT}, "mine", "Praha"),
        ({WHOLE: Side.SERVER}, "theirs", "Brno"),
        ({"name": Side.CLIENT, "city": Side.SERVER}, "mine", "Brno"),
        ({"name": Side.SERVER, "city": Side.CLIENT}, "theirs", "Praha"),
    ],
)
def test_a_choice_is_carried_out(choices: dict[str, Side], name: str, city: str) -> None:
    world, first = make_clash(ASK)
    world.sync()
    choose(world, **choices)
    world.sync()
    world.sync()
    assert equal(world)
    found = world.server.get("account", first)
    assert (found["name"], found["city"]) == (name, city)
    assert "A person chose" in world.history()[-1] or world.history()[-2:]


def test_a_choice_for_an_older_version_is_asked_again() -> None:
    world, first = make_clash(ASK)
    world.sync()
    choose(world, **{WHOLE: Side.CLIENT})
    world.server.update("account", first, {"name": "newer"})
    world.push()
    asked = world.transaction(Status.ERROR)
    assert asked.conflict is not None
    assert asked.conflict.server["name"] == "newer"
    assert asked.choices == {}
    assert "changed again since the choice was made" in asked.message


def test_both_sides_changed_alike() -> None:
    world, first = make_clash(ASK, name="mine", city="Praha")
    writes = world.writes()
    assert world.push()["account"] == Counts(pushed=1)
    assert world.writes() == writes
    assert world.counts().conflicts == 0
    assert world.transaction().status is Status.PROCESSED


@pytest.mark.parametrize("rule", RULES)
def test_both_sides_made_a_record_with_the_same_id(rule: ConflictRule) -> None:
    world = make_two_ways(rule)
    made = world.client.create("account", {"name": "mine", "city": "Brno"})
    world.server.create("account", {"name": "theirs", "revenue": "5"}, id=made)
    counts = world.push()["account"]
    assert counts.conflicts == 1
    on_server = world.server.get("account", made)
    assert on_server["name"] == ("mine" if rule is CLIENT else "theirs")
    assert on_server["city"] == ("Brno" if rule is CLIENT else None)
    if rule in (SERVER, CLIENT, NEWEST):
        world.sync()
        world.sync()
        assert equal(world)


def test_a_conflict_met_while_writing_is_decided_likewise() -> None:
    world = make_two_ways(CLIENT)
    (first,) = make_both(world)
    world.client.update("account", first, {"name": "mine"})
    world.collect()

    def meddle(point: str) -> None:
        if point == "after commit":
            world.state.before = lambda point: None
            world.server.update("account", first, {"name": "theirs"})

    world.state.before = meddle
    assert world.deliver()["account"] == Counts(pushed=1, conflicts=1)
    assert world.server.get("account", first)["name"] == "mine"
    assert world.transaction(Status.ARCHIVED).changes == {"name": Changed("mine", "theirs")}
