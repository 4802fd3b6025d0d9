"""The judge sees what is planted: each test breaks one invariant by hand."""

from __future__ import annotations

from dataclasses import replace

import pytest

from syncjobs.chaos.filters import FILTERS
from syncjobs.chaos.ledger import RunBegan
from syncjobs.chaos.memory_world import MemoryWorld, make_world
from syncjobs.chaos.oracle import judge
from syncjobs.chaos.organization import CONNECTION
from syncjobs.chaos.play import populate
from syncjobs.chaos.program import Setting
from syncjobs.chaos.resting import come_to_rest
from syncjobs.chaos.schema import ACCOUNT, PAIR, RELATIONSHIP, TAG, USER
from syncjobs.engine.transactions import Action, Changed, Status, Transaction
from syncjobs.engine.values import ConflictRule, Leaving, LinkState, Side


def make_rested(**setting: object) -> tuple[MemoryWorld, str]:
    """A world in which everything was carried once, and one of its accounts."""
    world = make_world(Setting(**{"records": 3, "is_hosted": False, **setting}))  # type: ignore[arg-type]
    populate(world)
    come_to_rest(world)
    assert judge(world) == []
    return world, next(iter(world.server.tables[ACCOUNT]))


def seen(world: MemoryWorld) -> set[str]:
    return {violation.invariant for violation in judge(world)}


def test_a_clean_world_has_no_violation() -> None:
    world, account = make_rested()
    world.client.update(ACCOUNT, account, {"name": "mine"})
    world.server.update(ACCOUNT, account, {"city": "Wien"})
    come_to_rest(world)
    assert judge(world) == []


@pytest.mark.parametrize("side", list(Side))
def test_it_sees_a_change_that_was_overwritten(side: Side) -> None:
    world, account = make_rested()
    world.side(side).update(ACCOUNT, account, {"name": "precious"})
    organization = world.server if side is Side.SERVER else world.client
    organization.update(ACCOUNT, account, {"name": "ours"}, origin=CONNECTION)
    assert "I1" in seen(world)


def test_it_sees_a_deleted_record_that_held_changes() -> None:
    world, account = make_rested(is_deleting=True)
    world.client.update(ACCOUNT, account, {"name": "precious"})
    world.server.delete(ACCOUNT, account)
    world.client.delete(ACCOUNT, account, origin=CONNECTION)
    (violation,) = [item for item in judge(world) if item.invariant == "I1"]
    assert "'name' = 'precious'" in violation.what


def test_it_sees_a_deletion_that_was_taken_back() -> None:
    world, account = make_rested()
    values = world.client.get(ACCOUNT, account)
    world.client.delete(ACCOUNT, account)
    world.client.create(ACCOUNT, values, id=account, origin=CONNECTION)
    assert "I1" in seen(world)


def make_pair(world: MemoryWorld, account: str) -> tuple[str, str]:
    """Make a pair on the server and carry it; return its row and its tag."""
    tag = next(iter(world.server.tables[TAG]))
    made = world.server.associate(RELATIONSHIP, account, tag)
    come_to_rest(world)
    assert judge(world) == []
    return made, tag


def test_it_sees_a_removed_pair_that_was_taken_back() -> None:
    world, account = make_rested()
    pair, tag = make_pair(world, account)
    world.client.delete(PAIR, pair)
    world.client.associate(RELATIONSHIP, account, tag, origin=CONNECTION)
    assert "I1" in seen(world)


def test_a_pair_that_both_sides_removed_and_one_made_anew_is_not_taken_back() -> None:
    world, account = make_rested()
    pair, tag = make_pair(world, account)
    world.server.delete(PAIR, pair)
    world.server.associate(RELATIONSHIP, account, tag)
    world.client.delete(PAIR, pair)
    come_to_rest(world)
    assert judge(world) == []
    assert len(world.client.tables[PAIR]) == 1


@pytest.mark.parametrize(("origin", "is_seen"), [(CONNECTION, False), ("", True)])
def test_a_pair_that_the_engine_removed_must_be_replaced_by_it(origin: str, is_seen: bool) -> None:
    world, account = make_rested()
    pair, tag = make_pair(world, account)
    world.server.delete(PAIR, pair, origin=CONNECTION)
    world.server.associate(RELATIONSHIP, account, tag, origin=origin)
    assert ("I3" in seen(world)) is is_seen


def test_a_pair_that_a_backup_brought_back_in_between_may_go_twice() -> None:
    world, account = make_rested()
    pair, tag = make_pair(world, account)
    world.make_backup()
    world.client.delete(PAIR, pair)
    world.client.associate(RELATIONSHIP, account, tag)
    world.ledger.events += [RunBegan(full=False)] * 3
    world.server.delete(PAIR, pair, origin=CONNECTION)
    world.restore_backup()
    world.server.delete(PAIR, pair, origin=CONNECTION)
    world.server.associate(RELATIONSHIP, account, tag, origin=CONNECTION)
    assert "I3" not in seen(world)


@pytest.mark.parametrize("is_hidden", [True, False])
def test_a_pair_goes_that_users_made_again_so_that_nobody_can_read_it(is_hidden: bool) -> None:
    world, account = make_rested(is_deleting=True)
    pair, tag = make_pair(world, account)
    world.server.delete(PAIR, pair)
    again = world.server.associate(RELATIONSHIP, account, tag)
    if is_hidden:
        world.server.faults.unreadable.add(again)
        world.server.refused_ever.add(again)
    world.ledger.events += [RunBegan(full=False)] * 3
    world.client.delete(PAIR, pair, origin=CONNECTION)
    assert ("I3" in seen(world)) is not is_hidden


def test_what_a_transaction_keeps_is_not_lost() -> None:
    world, account = make_rested(rule=ConflictRule.SERVER)
    world.client.update(ACCOUNT, account, {"name": "mine"})
    world.server.update(ACCOUNT, account, {"name": "theirs"})
    come_to_rest(world)
    assert judge(world) == []
    (kept,) = world.queue.transactions
    assert (kept.status, kept.changes) == (Status.ARCHIVED, {"name": Changed("n1", "mine")})
    del world.queue.saved.transactions[kept.id]
    assert seen(world) == {"I1"}


def test_a_user_is_kept_by_either_of_his_ids() -> None:
    world, account = make_rested()
    owner = world.client.tables[USER].keys() - world.server.tables[USER].keys()
    (theirs,) = (item for item in world.server.tables[USER] if is_named_like(world, item, owner))
    values = {"ownerid": theirs, "ownerid__type": USER}
    world.client.update(ACCOUNT, account, {"name": "mine"})
    come_to_rest(world)
    (known,) = world.queue.transactions
    world.server.update(ACCOUNT, account, values)
    world.server.update(ACCOUNT, account, dict.fromkeys(values), origin=CONNECTION)
    assert "I1" in seen(world)
    changes = {name: Changed(None, value) for name, value in values.items()}
    kept = replace(known, id=9, status=Status.ARCHIVED, changes=changes)
    world.queue.saved.transactions[kept.id] = kept
    assert "I1" not in seen(world)


def is_named_like(world: MemoryWorld, user: str, clients: set[str]) -> bool:
    """Tell whether a user of the server is one of those of the client, who has another id."""
    name = world.server.get(USER, user)["domainname"]
    return name == world.client.get(USER, min(clients))["domainname"]


def test_a_value_that_was_set_aside_and_delivered_after_all_is_not_lost() -> None:
    world, account = make_rested()
    world.client.update(ACCOUNT, account, {"city": "Wien"})
    world.client.update(ACCOUNT, account, {"city": "Brno"}, origin=CONNECTION)
    assert "I1" in seen(world)
    world.server.update(ACCOUNT, account, {"city": "Wien"}, origin=CONNECTION)
    assert "I1" not in seen(world)


def test_what_users_put_back_is_no_change_though_both_sides_were_of_one_mind() -> None:
    world, account = make_rested()
    world.client.update(ACCOUNT, account, {"city": "Brno"})
    world.server.update(ACCOUNT, account, {"city": "Brno"})
    world.client.update(ACCOUNT, account, {"city": "Bratislava"})
    come_to_rest(world)
    assert seen(world) == set()
    assert world.client.get(ACCOUNT, account)["city"] == "Brno"


def test_what_users_made_and_deleted_again_may_come_from_the_other_side() -> None:
    world, account = make_rested(is_deleting=True)
    world.server.delete(ACCOUNT, account)
    come_to_rest(world)
    assert world.client.tables[ACCOUNT] == {}
    world.client.create(ACCOUNT, {"name": "mine"}, id=account)
    world.server.create(ACCOUNT, {"name": "theirs"}, id=account)
    world.client.delete(ACCOUNT, account)
    come_to_rest(world)
    assert seen(world) == set()
    assert world.client.get(ACCOUNT, account)["name"] == "theirs"


def test_it_sees_a_difference_that_nobody_names() -> None:
    world, account = make_rested()
    world.server.update(ACCOUNT, account, {"city": "Wien"})
    assert seen(world) == {"I2"}


def test_it_sees_a_record_that_did_not_come() -> None:
    world, _ = make_rested()
    world.server.create(ACCOUNT, {"name": "new"})
    assert seen(world) == {"I2"}


def test_it_sees_a_record_that_should_have_gone() -> None:
    world, account = make_rested(is_deleting=True)
    world.set(world.settings[ACCOUNT]._replace(inside=FILTERS[ACCOUNT][1]))
    world.server.update(ACCOUNT, account, {"city": "Wien"})
    assert seen(world) == {"I2"}
    world.set(world.settings[ACCOUNT]._replace(leaving=Leaving.KEEP))
    assert seen(world) == set()


def test_it_sees_a_pair_that_did_not_come() -> None:
    world, account = make_rested()
    world.server.associate(RELATIONSHIP, account, next(iter(world.server.tables[TAG])))
    assert seen(world) == {"I2"}


@pytest.mark.parametrize("is_user", [True, False])
def test_a_deletion_that_users_took_back_may_go_out_with_their_new_record(is_user: bool) -> None:
    world, account = make_rested()
    values = dict(world.client.get(ACCOUNT, account))
    if is_user:
        world.client.delete(ACCOUNT, account)
        world.client.create(ACCOUNT, values, id=account)
    come_to_rest(world)
    world.server.delete(ACCOUNT, account, origin=CONNECTION)
    world.server.create(ACCOUNT, values, id=account, origin=CONNECTION)
    come_to_rest(world)
    assert ("I3" in seen(world)) is not is_user


@pytest.mark.parametrize("is_deleting", [True, False])
def test_it_sees_a_deletion_without_evidence(is_deleting: bool) -> None:
    world, account = make_rested(is_deleting=is_deleting)
    if not is_deleting:
        world.server.delete(ACCOUNT, account)
    world.client.delete(ACCOUNT, account, origin=CONNECTION)
    assert "I3" in seen(world)


def test_it_believes_a_deletion_of_the_server() -> None:
    world, account = make_rested(is_deleting=True)
    world.server.delete(ACCOUNT, account)
    world.client.delete(ACCOUNT, account, origin=CONNECTION)
    assert seen(world) == set()


def test_it_sees_a_deletion_on_the_server_that_no_user_wanted() -> None:
    world, account = make_rested()
    world.client.delete(ACCOUNT, account, origin=CONNECTION)
    world.server.delete(ACCOUNT, account, origin=CONNECTION)
    assert "I3" in seen(world)


def test_it_sees_a_write_that_changed_nothing() -> None:
    world, account = make_rested()
    world.client.update(ACCOUNT, account, {}, origin=CONNECTION)
    assert seen(world) == {"I5"}


def test_it_sees_a_transaction_of_our_own_making() -> None:
    world, account = make_rested()
    world.client.update(ACCOUNT, account, {"name": "mine"})
    come_to_rest(world)
    (delivered,) = world.queue.transactions
    world.queue.saved.transactions[9] = replace(delivered, id=9, version=1)
    assert seen(world) == {"I5"}


def test_it_sees_a_record_left_behind_for_nothing() -> None:
    world, account = make_rested()
    world.state.saved.left[world.key(ACCOUNT)] = {account}
    assert seen(world) == {"I6"}
    world.server.faults.unreadable.add(account)
    assert seen(world) == set()


@pytest.mark.parametrize("status", [Status.PENDING, Status.ERROR])
def test_it_sees_a_change_that_waits_for_nothing(status: Status) -> None:
    world, account = make_rested()
    world.client.update(ACCOUNT, account, {"name": "mine"})
    come_to_rest(world)
    (delivered,) = world.queue.transactions
    stuck = replace(delivered, status=status, code="x", message="Just so.")
    world.queue.saved.transactions[stuck.id] = stuck
    assert seen(world) == {"I6"}
    world.queue.saved.transactions[stuck.id] = replace(stuck, message="")
    assert seen(world) == {"I6", "I7"}


def test_a_change_may_wait_for_one_that_failed() -> None:
    world, _ = make_rested(is_strict=True)
    parent = world.client.create(ACCOUNT, {"name": "parent"})
    world.server.faults.always_rejected.add(parent)
    world.server.refused_ever.add(parent)
    world.client.create(ACCOUNT, {"name": "child", "parentaccountid": parent})
    come_to_rest(world)
    assert [item.status for item in world.queue.transactions] == [Status.ERROR, Status.PENDING]
    assert seen(world) == set()


@pytest.mark.parametrize("is_child", [True, False])
def test_a_deletion_may_wait_for_that_of_a_child_that_cannot_go(is_child: bool) -> None:
    world, parent = make_rested()
    given = {"name": "child", **({"parentaccountid": parent} if is_child else {})}
    child = world.server.create(ACCOUNT, given)
    come_to_rest(world)
    made = [make_deletion(world, record) for record in (child, parent)]
    world.queue.saved.transactions[1] = replace(made[0], id=1, status=Status.ERROR)
    world.queue.saved.transactions[2] = replace(made[1], id=2)
    world.server.refused_ever.add(child)
    assert seen(world) == (set() if is_child else {"I6"})


def make_deletion(world: MemoryWorld, record: str) -> Transaction:
    """Delete a record on the client; return the transaction of that, which nobody collected."""
    version = world.client.delete(ACCOUNT, record)
    return Transaction(
        entity=world.key(ACCOUNT),
        client_id=record,
        action=Action.DELETE,
        version=version,
        first_version=version,
        code="x",
        message="Just so.",
    )


def test_a_mark_alone_explains_no_record_that_should_have_gone() -> None:
    world, account = make_rested(is_deleting=True)
    key = world.key(ACCOUNT)
    world.server.delete(ACCOUNT, account)
    link = world.state.saved.links[key][account]
    world.state.saved.links[key][account] = link._replace(state=LinkState.SERVER_DELETED)
    assert seen(world) == {"I2"}
