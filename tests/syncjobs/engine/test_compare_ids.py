"""One comparison of ids by itself: what it reads, where, and what became of it meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest

from connections.connectors.memory import MemoryConnector
from organizations.query.nodes import Query
from organizations.schema import Entity
from syncjobs.engine.compare import Comparison
from syncjobs.engine.values import LinkRow, LinkState, Options
from syncjobs.errors import Cancelled
from tests.syncjobs.engine.memory_state import MemoryReporter
from tests.syncjobs.engine.world import World, make_accounts, make_filter, make_world

PAGES = Options(page_size=2, read_ahead=False)


class Server(MemoryConnector):
    """A server that tells who asks for ids, and whether the asking ended."""

    def __init__(self, world: World, *, is_local: bool = False) -> None:
        super().__init__(world.server)
        self.is_local = is_local
        self.asked: list[tuple[str, Query | None]] = []
        self.threads: set[int] = set()
        self.is_closed = False

    def ids(self, entity: Entity, query: Query | None = None) -> Iterator[Sequence[str]]:
        self.asked.append((entity.name, query))
        try:
            for page in super().ids(entity, query):
                self.threads.add(threading.get_ident())
                yield page
        finally:
            self.is_closed = True


def make_comparison(
    world: World, server: Server | None = None, options: Options = PAGES
) -> Comparison:
    return Comparison(
        server or Server(world), world.state, world.reporter, world.task("account"), options
    )


def mark(world: World, record: str, link_state: LinkState | None) -> None:
    """Let the link be so from now on; None: there is none."""
    links = world.state.saved.links.setdefault(world.task("account").key, {})
    if link_state is None:
        del links[record]
    else:
        known = links.get(record, LinkRow(record, record, 1, 1, "0" * 32))
        links[record] = known._replace(state=link_state)


def pages(found: Iterator[Sequence[str]]) -> list[list[str]]:
    return [list(page) for page in found]


def test_it_counts_what_was_named_each_time_it_reads() -> None:
    world = make_world()
    make_accounts(world, 5)
    comparison = make_comparison(world)
    assert comparison.named == 0
    for _ in range(2):
        comparison.read()
        assert comparison.named == 5
    assert sum(map(len, comparison.entered())) == 5


def test_what_was_named_before_is_forgotten_when_it_reads_again() -> None:
    world = make_world()
    first, second = sorted(make_accounts(world, 2))
    comparison = make_comparison(world)
    comparison.read()
    world.server.delete("account", first)
    comparison.read()
    assert pages(comparison.entered()) == [[second]]


def test_it_asks_for_the_ids_inside_the_filter() -> None:
    world = make_world(filters={"account": make_filter()})
    inside = world.server.create("account", {"city": "Bratislava"})
    world.server.create("account", {"city": "Wien"})
    server = Server(world)
    comparison = make_comparison(world, server)
    comparison.read()
    assert server.asked == [("account", make_filter())]
    assert (comparison.named, pages(comparison.entered())) == (1, [[inside]])


def test_it_yields_pages_of_what_is_not_linked_as_current() -> None:
    world = make_world()
    ids = sorted(make_accounts(world, 6))
    world.sync()
    mark(world, ids[0], None)
    mark(world, ids[1], LinkState.SERVER_DELETED)
    mark(world, ids[2], LinkState.LEFT_FILTER)
    comparison = make_comparison(world)
    comparison.read()
    assert pages(comparison.entered()) == [ids[:2], ids[2:3]]
    assert pages(comparison.missing()) == []


def test_it_yields_pages_of_what_is_linked_as_current_and_was_not_named() -> None:
    world = make_world()
    ids = sorted(make_accounts(world, 6))
    world.sync()
    for account in ids[:5]:
        world.server.delete("account", account)
    mark(world, ids[0], None)
    mark(world, ids[1], LinkState.SERVER_DELETED)
    comparison = make_comparison(world)
    comparison.read()
    assert pages(comparison.missing()) == [ids[2:4], ids[4:5]]
    assert pages(comparison.entered()) == []


def test_what_was_linked_while_pages_were_carried_has_entered_already() -> None:
    world = make_world()
    ids = sorted(make_accounts(world, 6))
    comparison = make_comparison(world)
    comparison.read()
    found = comparison.entered()
    assert next(found) == ids[:2]
    mark(world, ids[2], LinkState.CURRENT)
    mark(world, ids[4], LinkState.LEFT_FILTER)
    assert pages(found) == [ids[3:4], ids[4:]]


def test_what_was_marked_or_forgotten_while_pages_were_carried_is_missing_no_more() -> None:
    world = make_world()
    ids = sorted(make_accounts(world, 6))
    world.sync()
    for account in ids:
        world.server.delete("account", account)
    comparison = make_comparison(world)
    comparison.read()
    found = comparison.missing()
    assert next(found) == ids[:2]
    mark(world, ids[2], LinkState.SERVER_DELETED)
    mark(world, ids[4], None)
    assert pages(found) == [ids[3:4], ids[5:]]


def test_it_knows_nothing_before_it_has_read() -> None:
    comparison = make_comparison(make_world())
    for found in (comparison.entered(), comparison.missing()):
        with pytest.raises(ValueError, match="^The ids of the server were not read.$"):
            next(found)


@pytest.mark.parametrize(
    ("is_local", "read_ahead", "is_elsewhere"),
    [(False, True, True), (False, False, False), (True, True, False), (True, False, False)],
)
def test_a_local_server_is_read_in_the_thread_that_asks(
    is_local: bool, read_ahead: bool, is_elsewhere: bool
) -> None:
    world = make_world()
    make_accounts(world, 5)
    server = Server(world, is_local=is_local)
    comparison = make_comparison(world, server, replace(PAGES, read_ahead=read_ahead))
    comparison.read()
    assert comparison.named == 5
    assert server.is_closed
    assert (server.threads != {threading.get_ident()}) is is_elsewhere


@pytest.mark.parametrize("read_ahead", [True, False])
def test_it_can_be_stopped_at_each_page(read_ahead: bool) -> None:
    world = make_world()
    make_accounts(world, 6)
    world.reporter = MemoryReporter(cancel_at=3)
    server = Server(world)
    comparison = make_comparison(world, server, replace(PAGES, read_ahead=read_ahead))
    with pytest.raises(Cancelled):
        comparison.read()
    assert comparison.named == 4
    assert server.is_closed
