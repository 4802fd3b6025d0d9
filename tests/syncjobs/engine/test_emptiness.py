"""Full readings that come to nothing, of entities that had records."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import ClassVar

import pytest

from connections.connectors.base import ReadRequest
from connections.connectors.memory import MemoryConnector
from organizations.query.nodes import Query
from organizations.records import Page
from organizations.schema import Attribute, Entity
from syncjobs.engine.values import Counts, LinkState
from tests.syncjobs.engine.world import World, make_accounts, make_filter, make_world


class Silent(MemoryConnector):
    """Answers so many full readings with an empty page; blind, it shows nothing at all."""

    left: ClassVar[int] = 0
    is_blind: ClassVar[bool] = False

    def read(self, request: ReadRequest) -> Iterator[Page]:
        for page in super().read(request):
            if request.since or not Silent.left:
                yield page
            elif page.checkpoint is not None:
                Silent.left -= 1
                yield replace(page, rows=(), versions=(), rejected=())

    def fetch(self, entity: Entity, attributes: Sequence[Attribute], ids: Sequence[str]) -> Page:
        return super().fetch(entity, attributes, () if Silent.is_blind else ids)

    def ids(self, entity: Entity, query: Query | None = None) -> Iterator[Sequence[str]]:
        return iter(()) if Silent.is_blind else super().ids(entity, query)


def make_silent(
    left: int, *, is_blind: bool = False, sync_deletion: bool = False
) -> tuple[World, list[str]]:
    """Carry three accounts; then the server says nothing so often."""
    Silent.left, Silent.is_blind = 0, False
    world = make_world(entities=("account",), reading=Silent, sync_deletion=sync_deletion)
    ids = make_accounts(world, 3)
    world.sync()
    Silent.left, Silent.is_blind = left, is_blind
    return world, ids


def test_it_asks_again() -> None:
    world, ids = make_silent(1)
    world.server.update("account", ids[0], {"name": "Renamed"})
    assert world.counts(full=True) == Counts(read=3, updated=1, unchanged=2)
    assert world.rows("client") == world.rows("server")


def test_it_fails_with_a_sentence_where_the_answer_stays_empty() -> None:
    world, ids = make_silent(99)
    world.server.update("account", ids[0], {"name": "Renamed"})
    before = world.state.position(1)
    failed = world.sync(full=True)["account"].failed
    assert failed.startswith("The server named no record of 'account' at all, but it has some, ")
    assert failed.endswith("An empty answer is not believed; nothing was changed.")
    assert world.state.position(1) == before
    Silent.left = 0
    assert world.counts() == Counts(read=1, updated=1)


@pytest.mark.parametrize("sync_deletion", [True, False])
def test_it_concludes_nothing_where_the_server_shows_nothing(sync_deletion: bool) -> None:
    world, ids = make_silent(1, is_blind=True, sync_deletion=sync_deletion)
    world.server.update("account", ids[0], {"name": "Renamed"})
    before = world.state.position(1)
    assert world.counts(full=True) == Counts()
    (problem,) = world.reporter.problems
    assert problem.message.startswith("The server named no record of 'account' at all, but 3 are ")
    assert {link.state for link in world.state.saved.links[1].values()} == {LinkState.CURRENT}
    assert world.state.position(1) == before
    Silent.is_blind = False
    assert world.counts() == Counts(read=1, updated=1)


def test_it_believes_that_nothing_is_inside_another_filter() -> None:
    world, _ = make_silent(0)
    world.filters = {"account": make_filter("city", "Nowhere")}
    assert world.counts() == Counts()
    assert world.reporter.problems == []
    assert world.counts() == Counts()
    assert world.reporter.full == {"account": False}


def test_it_asks_again_where_only_new_records_are_left() -> None:
    world, ids = make_silent(1)
    for item in ids:
        world.server.delete("account", item)
    made = world.server.create("account", {"name": "New"})
    assert world.counts(full=True) == Counts(read=1, created=1)
    assert made in world.rows("client")


def test_it_believes_that_nothing_is_left_of_what_was_told_to_be_deleted() -> None:
    world, ids = make_silent(0)
    for item in ids:
        world.server.delete("account", item)
    world.sync()
    assert world.counts(full=True) == Counts()
    assert world.reporter.problems == []


def test_it_matches_nobody_by_an_empty_answer() -> None:
    Silent.left, Silent.is_blind = 1, False
    world = make_world(entities=("systemuser",), reading=Silent)
    theirs = world.server.create("systemuser", {"domainname": "ann"})
    mine = world.client.create("systemuser", {"domainname": "ann"})
    world.sync()
    assert world.rows("client", "systemuser").keys() == {mine}
    assert world.state.translations(["systemuser"]) == {("systemuser", theirs): mine}
