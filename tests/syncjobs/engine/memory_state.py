"""A state and a reporter in memory, with transactions that can be broken anywhere."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from connections.connectors.memory import MemoryOrganization
from syncjobs.engine.plan import Waiting
from syncjobs.engine.protocols import Reporter, State
from syncjobs.engine.values import Counts, Images, LinkRow, LinkState, Position, Problem
from syncjobs.errors import AlreadyLinked, Cancelled, LostLease


class Crash(BaseException):
    """The process dies here: nothing catches it, nothing is cleaned up by the engine."""


@dataclass
class Saved:
    """What survives a crash."""

    positions: dict[int, Position] = field(default_factory=dict)
    links: dict[int, dict[str, LinkRow]] = field(default_factory=dict)
    left: dict[int, set[str]] = field(default_factory=dict)

    def copy(self) -> Saved:
        return Saved(
            dict(self.positions),
            {key: dict(links) for key, links in self.links.items()},
            {key: set(left) for key, left in self.left.items()},
        )


class MemoryState(State):
    """`hosted`: the client whose writes roll back with the page, as a hosted one's do."""

    def __init__(self, *, hosted: MemoryOrganization | None = None) -> None:
        self.saved = Saved()
        self.writes = 0
        self.before: Callable[[str], None] = lambda point: None
        self.lost = False
        self.undelivered: dict[str, Waiting] = {}
        self.images: list[tuple[int, Images]] = []
        self._hosted = hosted
        self._is_open = self._is_held = False

    @contextmanager
    def page(self) -> Iterator[None]:
        self.before("page")
        kept, tables = self.saved.copy(), self._hosted and _snapshot(self._hosted)
        self._is_open, self._is_held = True, False
        try:
            yield
            self.before("commit")
        except BaseException:
            self.saved = kept
            if self._hosted is not None and tables is not None:
                _restore(self._hosted, tables)
            raise
        finally:
            self._is_open = self._is_held = False
        self.before("after commit")

    def hold(self) -> None:
        assert self._is_open
        if self.lost:
            raise LostLease("Another worker has the run.")
        self.before("hold")
        self._is_held = True

    def position(self, entity: int) -> Position:
        return self.saved.positions.get(entity, Position())

    def save_position(self, entity: int, position: Position) -> None:
        self._write("position")
        self.saved.positions[entity] = position

    def has_links(self, entity: int) -> bool:
        return bool(self._links(entity))

    def links(self, entity: int, server_ids: Sequence[str]) -> Mapping[str, LinkRow]:
        links = self._links(entity)
        return {item: links[item] for item in server_ids if item in links}

    def links_by_client(self, entity: int, client_ids: Sequence[str]) -> Mapping[str, LinkRow]:
        wanted = set(client_ids)
        return {
            link.client_id: link
            for link in self._links(entity).values()
            if link.client_id in wanted
        }

    def newest_links(self, entity: int, limit: int) -> Sequence[LinkRow]:
        links = self._links(entity).values()
        return sorted(links, key=lambda link: -link.server_version)[:limit]

    def save_links(self, entity: int, rows: Sequence[LinkRow], *, new: bool = False) -> None:
        self._write("links")
        links = self.saved.links.setdefault(entity, {})
        if new and any(row.server_id in links for row in rows):
            raise AlreadyLinked("There is such a link.")
        links.update((row.server_id, row) for row in rows)

    def drop_links(self, entity: int, server_ids: Iterable[str]) -> None:
        self._write("drop")
        for item in server_ids:
            del self._links(entity)[item]

    def marked(self, entity: int, after: str, limit: int) -> Sequence[LinkRow]:
        found = sorted(self._links(entity).values())
        marked = [link for link in found if link.state != LinkState.CURRENT]
        return [link for link in marked if link.server_id > after][:limit]

    def count_links(self, entity: int) -> int:
        return len(self._links(entity))

    def waiting(self, entity: int, client_ids: Sequence[str]) -> Mapping[str, Waiting]:
        return {item: self.undelivered[item] for item in client_ids if item in self.undelivered}

    def remember(self, entity: int, images: Images) -> None:
        self._write("images")
        self.images.append((entity, images))

    def left_behind(self, entity: int) -> Iterable[str]:
        return set(self.saved.left.get(entity, ()))

    def leave_behind(self, entity: int, server_ids: Sequence[str]) -> None:
        self._write("leave behind")
        self.saved.left.setdefault(entity, set()).update(server_ids)

    def catch_up(self, entity: int, server_ids: Sequence[str]) -> None:
        self._write("catch up")
        self.saved.left[entity].difference_update(server_ids)

    def translations(self, entities: Iterable[str]) -> Mapping[tuple[str, str], str]:
        return {
            (name, link.server_id): link.client_id
            for name in entities
            for link in self._links(self.keys.get(name, 0)).values()
            if link.server_id != link.client_id
        }

    keys: Mapping[str, int] = {}

    def _links(self, entity: int) -> dict[str, LinkRow]:
        return self.saved.links.get(entity, {})

    def _write(self, point: str) -> None:
        assert self._is_open
        assert self._is_held
        self.before(point)
        self.writes += 1


@dataclass
class MemoryReporter(Reporter):
    """Keeps what it is told. `cancel_at`: how many calls of `checkpoint` until Cancelled."""

    order: list[str] = field(default_factory=list)
    full: dict[str, bool] = field(default_factory=dict)
    expected: dict[str, int | None] = field(default_factory=dict)
    counts: dict[str, Counts] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    finished: dict[str, str] = field(default_factory=dict)
    cancel_at: int = 0
    checkpoints: int = 0

    def run_started(self, entities: Sequence[str]) -> None:
        self.order = list(entities)

    def entity_started(self, entity: str, *, full: bool, expected: int | None) -> None:
        self.full[entity], self.expected[entity] = full, expected
        self.counts.setdefault(entity, Counts())

    def progress(self, entity: str, counts: Counts) -> None:
        self.counts.setdefault(entity, Counts()).add(counts)

    def problem(self, problem: Problem) -> None:
        self.problems.append(problem)

    def entity_finished(self, entity: str, failed: str = "") -> None:
        self.finished[entity] = failed

    def checkpoint(self) -> None:
        self.checkpoints += 1
        if self.checkpoints == self.cancel_at:
            raise Cancelled("Somebody asked the run to stop.")


def _snapshot(organization: MemoryOrganization) -> MemoryOrganization:
    tables = {name: dict(table) for name, table in organization.tables.items()}
    return replace(organization, tables=tables, log=list(organization.log))


def _restore(organization: MemoryOrganization, kept: MemoryOrganization) -> None:
    organization.tables, organization.log = kept.tables, kept.log
    organization.version = kept.version
