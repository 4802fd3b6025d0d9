"""The judge knows what a person decided, and what the transactions that he saw go on telling."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from syncjobs.chaos.ledger import Insisted, RunBegan
from syncjobs.chaos.memory_world import MemoryWorld
from syncjobs.chaos.oracle import judge
from syncjobs.chaos.organization import CONNECTION
from syncjobs.chaos.resting import come_to_rest
from syncjobs.chaos.schema import ACCOUNT
from syncjobs.engine.transactions import Action, Changed, Status, Transaction
from tests.syncjobs.chaos.test_oracle import make_rested, seen


@pytest.mark.parametrize("action", [Action.CREATE, Action.UPDATE])
def test_a_creation_keeps_that_a_column_is_empty(action: Action) -> None:
    world, account = make_rested()
    world.server.update(ACCOUNT, account, {"name": "theirs"})
    come_to_rest(world)
    world.client.update(ACCOUNT, account, {"city": None})
    world.client.update(ACCOUNT, account, {"city": "Brno"}, origin=CONNECTION)
    make_archived(world, account, action, {"name": Changed(None, "mine")})
    assert ("I1" in seen(world)) is (action is Action.UPDATE)


@pytest.mark.parametrize("is_insisted", [True, False])
def test_who_wants_a_change_sees_what_it_replaces(is_insisted: bool) -> None:
    world, account = make_rested()
    world.server.update(ACCOUNT, account, {"city": "Wien"})
    world.server.update(ACCOUNT, account, {"city": "Brno"}, origin=CONNECTION)
    make_archived(world, account, Action.UPDATE, {"city": Changed("Wien", "Brno")})
    if is_insisted:
        world.ledger.events.append(Insisted(ACCOUNT, account, Action.UPDATE))
    assert ("I1" in seen(world)) is not is_insisted


def make_archived(
    world: MemoryWorld, record: str, action: Action, changes: Mapping[str, Changed]
) -> None:
    """Put in what a person set aside."""
    made = Transaction(
        entity=world.key(ACCOUNT),
        client_id=record,
        action=action,
        version=1,
        first_version=1,
        changes=changes,
        status=Status.ARCHIVED,
        id=99,
    )
    world.queue.saved.transactions[made.id] = made


@pytest.mark.parametrize("is_set_aside", [True, False])
def test_a_deletion_that_users_took_back_may_go_out_alone_if_a_person_says_so(
    is_set_aside: bool,
) -> None:
    world, account = make_rested()
    values = dict(world.client.get(ACCOUNT, account))
    world.client.delete(ACCOUNT, account)
    world.client.create(ACCOUNT, values, id=account)
    world.ledger.events += [RunBegan(full=False)] * 3
    world.server.delete(ACCOUNT, account, origin=CONNECTION)
    make_archived(world, account, Action.CREATE, {"name": Changed(None, "mine")})
    if is_set_aside:
        world.set_aside.add(99)
    assert ("I3" in seen(world)) is not is_set_aside


@pytest.mark.parametrize("is_lost_again", [True, False])
def test_a_value_that_a_backup_brought_back_is_there(is_lost_again: bool) -> None:
    world, account = make_rested()
    world.server.update(ACCOUNT, account, {"city": "Wien"})
    world.make_backup()
    world.server.update(ACCOUNT, account, {"city": "Brno"}, origin=CONNECTION)
    assert "I1" in seen(world)
    world.restore_backup()
    if is_lost_again:
        world.server.update(ACCOUNT, account, {"city": "Praha"}, origin=CONNECTION)
    assert ("I1" in seen(world)) is is_lost_again


@pytest.mark.parametrize("is_given", [True, False])
def test_what_the_server_was_given_and_took_back_is_no_change_of_the_client(
    is_given: bool,
) -> None:
    world, account = make_rested()
    world.make_backup()
    made = world.client.create(ACCOUNT, {"name": "mine", "city": "Brno"})
    given = {"name": "mine", "city": None if is_given else "Brno"}
    world.server.create(ACCOUNT, given, id=made, origin=CONNECTION)
    world.restore_backup()
    world.client.update(ACCOUNT, made, {"city": None})
    world.client.update(ACCOUNT, made, {"city": "Wien"}, origin=CONNECTION)
    lost = [item.what for item in judge(world) if item.invariant == "I1"]
    assert any("'city' = None" in what for what in lost) is not is_given


@pytest.mark.parametrize("is_ours", [True, False])
def test_who_deletes_what_he_made_in_the_place_of_a_record_that_left_deletes_only_his(
    is_ours: bool,
) -> None:
    world, account = make_rested()
    values = dict(world.client.get(ACCOUNT, account))
    if not is_ours:
        world.client.delete(ACCOUNT, account, origin=CONNECTION)
        world.client.create(ACCOUNT, {"name": "mine"}, id=account)
    world.client.delete(ACCOUNT, account)
    world.client.create(ACCOUNT, values, id=account, origin=CONNECTION)
    assert ("I1" in seen(world)) is is_ours
