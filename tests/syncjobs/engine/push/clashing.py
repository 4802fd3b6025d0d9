"""Records that both sides changed, and what a person does about them."""

from __future__ import annotations

from dataclasses import replace

from syncjobs.engine.transactions import Status, Transaction
from syncjobs.engine.values import ConflictRule, Side
from tests.syncjobs.engine.push.deliver import TwoWays, make_both, make_two_ways

RULES = list(ConflictRule)
ASK, CLIENT, MERGE, NEWEST, SERVER = (
    ConflictRule(name) for name in ("ask", "client", "merge", "newest", "server")
)


def make_clash(rule: ConflictRule, **server: object) -> tuple[TwoWays, str]:
    """Let both sides change a record; the client its name and city."""
    world = make_two_ways(rule)
    (first,) = make_both(world, revenue="1")
    world.client.update("account", first, {"name": "mine", "city": "Praha"})
    world.server.update("account", first, server or {"name": "theirs"})
    return world, first


def choose(world: TwoWays, **choices: Side) -> None:
    """Decide a conflict as a person does."""
    asked = world.transaction(Status.ERROR)
    with world.state.page():
        world.state.hold()
        decided = replace(asked, status=Status.PENDING, choices=choices)
        world.line.save([decided], "Chosen by ann.")


def equal(world: TwoWays) -> bool:
    return world.rows("server") == world.rows("client")


def pend(world: TwoWays, item: Transaction) -> None:
    with world.state.page():
        world.state.hold()
        world.line.save([replace(item, status=Status.PENDING)], "Set to Pending by ann.")


def make_both_delete(rule: ConflictRule, *, is_client: bool) -> tuple[TwoWays, str]:
    """Let one side delete what the other changed."""
    world = make_two_ways(rule)
    (first,) = make_both(world)
    if is_client:
        world.client.delete("account", first)
        world.server.update("account", first, {"name": "theirs"})
    else:
        world.client.update("account", first, {"name": "mine"})
        world.server.delete("account", first)
    return world, first
