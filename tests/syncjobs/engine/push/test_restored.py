"""A client's change that lost, on a server that gets back by a backup what was agreed on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from connections.connectors.memory import Fault
from connections.errors import Refused
from syncjobs.engine.conflicts import WHOLE
from syncjobs.engine.transactions import Status
from syncjobs.engine.values import ConflictRule, Side
from tests.syncjobs.engine.push.clashing import choose
from tests.syncjobs.engine.push.deliver import TwoWays, make_both, make_two_ways


def change_both(world: TwoWays, first: str) -> None:
    world.client.update("account", first, {"name": "mine"})
    world.server.update("account", first, {"name": "theirs"})


def change_what_is_deleted(world: TwoWays, first: str) -> None:
    world.client.update("account", first, {"name": "mine"})
    world.server.delete("account", first)


def delete_what_is_changed(world: TwoWays, first: str) -> None:
    world.client.delete("account", first)
    world.server.update("account", first, {"name": "theirs"})


@pytest.mark.parametrize("edit", [change_both, change_what_is_deleted, delete_what_is_changed])
@pytest.mark.parametrize("full", [True, False])
def test_the_client_takes_what_the_server_has_then(
    edit: Callable[[TwoWays, str], None], full: bool
) -> None:
    world = make_two_ways()
    (first,) = make_both(world)
    agreed = world.server.tables["account"][first]
    edit(world, first)
    world.push()
    assert world.transaction().status is Status.ARCHIVED
    world.server.tables["account"][first] = agreed
    world.sync(full=full)
    assert world.rows("client") == world.rows("server") == {first: agreed.row}
    assert world.state.left_behind(1) == set()


@pytest.mark.parametrize("edit", [change_both, delete_what_is_changed])
def test_a_choice_for_the_server_holds_though_there_is_nothing_to_choose_any_more(
    edit: Callable[[TwoWays, str], None],
) -> None:
    world = make_two_ways(ConflictRule.ASK)
    (first,) = make_both(world)
    agreed = world.server.tables["account"][first]
    edit(world, first)
    world.push()
    asked = world.transaction(Status.ERROR)
    assert asked.conflict is not None
    world.server.tables["account"][first] = agreed
    shown = replace(asked, conflict=replace(asked.conflict, server_version=agreed.version))
    with world.state.page():
        world.state.hold()
        world.line.save([shown], "Looked at again.")
    choose(world, **{WHOLE: Side.SERVER})
    world.sync()
    assert world.rows("client") == world.rows("server") == {first: agreed.row}


def test_an_interrupted_reading_of_what_is_undone_is_not_continued() -> None:
    world = make_two_ways(page_size=1, entities=("account",))
    first, _ = sorted(make_both(world, 2))
    agreed = world.server.tables["account"][first]
    world.server.update("account", first, {"name": "undone"})
    world.server.faults.at_page(2, Fault.REFUSE)
    with pytest.raises(Refused):
        world.sync(full=True)
    assert world.client.get("account", first)["name"] == "undone"
    world.server.tables["account"][first] = agreed
    world.sync(full=True)
    assert world.rows("client") == world.rows("server")
