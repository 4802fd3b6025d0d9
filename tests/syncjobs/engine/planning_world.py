"""Worlds of which plans are made, a book in memory, and edits between plan and application."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from connections.connectors.memory import MemoryOrganization
from organizations.query.nodes import Link, Query
from syncjobs.engine.approved import Approved
from syncjobs.engine.planned import (
    Book,
    PlanKind,
    PlannedChange,
    PlannedPage,
)
from syncjobs.engine.values import ConflictRule, Side
from tests.syncjobs.engine.memory_queue import MemoryQueue
from tests.syncjobs.engine.world import CONNECTION, World, make_accounts, make_filter, make_world

Written = set[tuple[str, str, str, str]]
"""(side, entity, record, action)."""


@dataclass
class MemoryBook(Book):
    """A plan in memory."""

    pages: list[PlannedPage] = field(default_factory=list)
    changes: list[PlannedChange] = field(default_factory=list)

    def page(self, page: PlannedPage) -> None:
        self.pages.append(page)

    def change(self, change: PlannedChange) -> None:
        self.changes.append(change)

    @property
    def written(self) -> Written:
        return {
            (page.side.value, page.entity, record, page.action.value)
            for page in self.pages
            for record in page.records
        }

    def kinds(self, entity: str = "account") -> dict[PlanKind, list[str]]:
        found: dict[PlanKind, list[str]] = {}
        for change in self.changes:
            if change.entity == entity:
                found.setdefault(change.kind, []).append(change.record)
        return found


def make_two_ways(**more: object) -> World:
    """A world in step with four accounts inside the filter, that collects and delivers."""
    more = {"filters": {"account": make_filter()}, "sync_deletion": True} | more
    world = make_world(**more)  # type: ignore[arg-type]
    world.queue = MemoryQueue(world.state)
    make_accounts(world, 4, lambda number: {"city": "Bratislava", "name": f"Account {number}"})
    world.server.create("tag", {"name": "VIP"})
    world.sync()
    return world


def make_tagged() -> Query:
    """Accounts with a tag: a filter whose records enter and leave without being changed."""
    link = Link(entity="accounttag", from_attribute="accountid", to_attribute="accountid")
    return Query(entity="account", links=(link,))


def plan_of(world: World) -> MemoryBook:
    book = MemoryBook()
    world.sync(dry_run=True, book=book)
    return book


def apply(world: World, book: MemoryBook) -> None:
    world.sync(approved=Approved(book.pages))


def log_of(world: World) -> dict[str, int]:
    return {side.value: len(organization.log) for side, organization in both(world)}


def both(world: World) -> Iterator[tuple[Side, MemoryOrganization]]:
    yield Side.SERVER, world.server
    yield Side.CLIENT, world.client


def written_since(world: World, before: dict[str, int]) -> Written:
    return {
        (side.value, change.entity, change.id, change.action.value)
        for side, organization in both(world)
        for change in organization.log[before[side.value] :]
        if change.origin == CONNECTION
    }


def ids(world: World) -> list[str]:
    return sorted(world.rows("server"))


def rename(world: World, which: int) -> None:
    for account in ids(world)[which : which + 1]:
        world.server.update("account", account, {"name": f"Renamed {world.server.version}"})


def leave(world: World, which: int) -> None:
    for account in ids(world)[which : which + 1]:
        world.server.update("account", account, {"city": "Wien"})


def remove(world: World, which: int) -> None:
    for account in ids(world)[which : which + 1]:
        world.server.delete("account", account)


def add(world: World, which: int) -> None:
    world.server.create("account", {"city": ("Bratislava", "Wien")[which % 2], "name": "New"})


def pair(world: World, which: int) -> None:
    tag = sorted(world.rows("server", "tag"))[0]
    for account in ids(world)[which : which + 1]:
        world.server.associate("accounttags", account, tag)


def edit_client(world: World, which: int) -> None:
    for account in sorted(world.rows("client"))[which : which + 1]:
        name = f"Client {world.client.version}"
        world.client.update("account", account, {"name": name})


def remove_on_client(world: World, which: int) -> None:
    for account in sorted(world.rows("client"))[which : which + 1]:
        world.client.delete("account", account)


def add_on_client(world: World, which: int) -> None:
    world.client.create("account", {"city": ("Bratislava", "Wien")[which % 2], "name": "Mine"})


def refuse_on_client(world: World, which: int) -> None:
    world.client.faults.always_rejected = set(sorted(world.rows("server"))[which : which + 1])


def refuse_on_server(world: World, which: int) -> None:
    world.server.faults.always_rejected = set(sorted(world.rows("client"))[which : which + 1])


EDITS = (
    rename,
    leave,
    remove,
    add,
    pair,
    edit_client,
    remove_on_client,
    add_on_client,
    refuse_on_client,
    refuse_on_server,
)
Steps = list[tuple[Callable[[World, int], None], int]]
STEPS = st.lists(st.tuples(st.sampled_from(EDITS), st.integers(0, 5)), max_size=8)
FAST = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def carry_out(world: World, steps: Steps) -> None:
    for act, which in steps:
        act(world, which)


KINDS = st.fixed_dictionaries(
    {
        "page_size": st.sampled_from((1, 2, 50)),
        "sync_deletion": st.booleans(),
        "conflict_rule": st.sampled_from(ConflictRule),
        "filters": st.sampled_from(({}, {"account": make_filter()}, {"account": make_tagged()})),
    }
)


def everything(world: World) -> object:
    assert world.queue is not None
    organizations = [(side.version, side.tables, len(side.log)) for _, side in both(world)]
    return repr((organizations, world.state.saved, world.state.writes))
