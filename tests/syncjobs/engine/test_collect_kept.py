"""Collecting where values of the server, or a question, wait already."""

from __future__ import annotations

from dataclasses import replace

from syncjobs.engine.dry_queue import DryQueue
from syncjobs.engine.plan import Waiting
from syncjobs.engine.transactions import LOST, Action, Changed, Conflict, Status, Transaction
from syncjobs.engine.values import Side
from tests.syncjobs.engine.two_ways import collect_all, make_two_way, waiting
from tests.syncjobs.engine.world import World, make_accounts


def make_pending(world: World, client_id: str, **more: object) -> Transaction:
    """Put values of the server in that a person wants back, unless `more` says otherwise."""
    assert world.queue is not None
    made = Transaction(
        entity=world.task("account").key,
        client_id=client_id,
        action=Action.UPDATE,
        version=world.client.version,
        first_version=world.client.version,
        changes={"name": Changed("mine", "theirs")},
        code=LOST,
        side=Side.SERVER,
    )
    with world.state.page():
        world.state.hold()
        world.queue.add([replace(made, **more)])  # type: ignore[arg-type]
    return world.queue.transactions[-1]


def test_what_is_saved_without_a_change_is_not_what_the_server_had() -> None:
    world = make_two_way()
    (account,) = make_accounts(world, 1)
    world.sync()
    theirs = make_pending(world, account)
    world.client.update("account", account, {})
    collect_all(world)
    assert waiting(world) == [theirs]
    link = world.state.links_by_client(world.task("account").key, [account])[account]
    assert link.client_version == world.client.version


def test_what_was_put_back_behind_an_attempt_is_what_was_attempted() -> None:
    world = make_two_way()
    made = world.client.create("account", {"name": "mine", "city": "Brno"})
    key = world.task("account").key
    version = world.client.version
    attempted = make_pending(
        world,
        made,
        action=Action.CREATE,
        changes={"name": Changed(None, "mine"), "city": Changed(None, "Brno")},
        code="",
        side=Side.CLIENT,
        attempts=1,
    )
    with world.state.page():
        world.state.hold()
        world.queue.save_collected([key], version)  # type: ignore[union-attr]
    world.client.update("account", made, {"city": "Wien"})
    world.client.update("account", made, {"city": "Brno"})
    collect_all(world)
    assert waiting(world) == [replace(attempted, version=world.client.version)]


def test_what_is_made_again_while_its_deletion_is_asked_about_tells_its_columns() -> None:
    world = make_two_way()
    asked = Conflict(base={}, server={"name": "theirs"}, client={}, server_version=7)
    make_pending(
        world,
        "0b9be40a-d645-5be5-8042-8c8a5cd7e3fd",
        action=Action.DELETE,
        changes=None,
        side=Side.CLIENT,
        status=Status.ERROR,
        conflict=asked,
    )
    made = {"name": "mine"}
    world.client.create("account", made, id="0b9be40a-d645-5be5-8042-8c8a5cd7e3fd")
    collect_all(world)
    (only,) = waiting(world)
    assert only.changes is not None
    assert only.changes["name"] == Changed(None, "mine")


def test_what_is_changed_while_its_deletion_is_asked_about_tells_its_columns() -> None:
    world = make_two_way()
    (account,) = make_accounts(world, 1)
    world.sync()
    asked = Conflict(base={}, server={"name": "theirs"}, client={}, server_version=7)
    make_pending(
        world,
        account,
        action=Action.DELETE,
        changes=None,
        side=Side.CLIENT,
        status=Status.ERROR,
        conflict=asked,
    )
    world.client.update("account", account, {"name": "mine"})
    collect_all(world)
    (only,) = waiting(world)
    assert only.changes is not None
    assert only.changes["name"] == Changed(None, "mine")


def test_values_that_a_dry_run_would_set_aside_wait_no_more() -> None:
    world = make_two_way()
    (account,) = make_accounts(world, 1)
    theirs = make_pending(world, account)
    assert world.queue is not None
    dry, key = DryQueue(world.queue), theirs.entity
    saved = world.queue.waiting(key, [account])
    assert dry.waiting(key, [account], saved) == {account: Waiting(theirs.version)}
    dry.save([replace(theirs, status=Status.ARCHIVED)])
    assert dry.waiting(key, [account], saved) == {}
