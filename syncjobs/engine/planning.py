"""Writing a plan down while a dry run goes on: its pages, and samples of each kind of change.

What is written to the client counts when its page has ended well: a page that is planned again
must not be counted twice. What is written to the server counts at once, as it is delivered.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from contextlib import contextmanager

from connections.connectors.base import Batch, BatchResult, Connector
from organizations.records import Action, Row, Value
from organizations.schema import Entity
from syncjobs.engine.planned import (
    Book,
    FieldChange,
    PlanKind,
    PlannedChange,
    PlannedPage,
    page_of,
)
from syncjobs.engine.values import Problem, Side

SAMPLES = 20
"""Records of each kind and entity that a plan shows."""

Values = Mapping[str, Value]
"""A record by column name."""

_KINDS = {
    Action.CREATE: PlanKind.CREATE,
    Action.UPDATE: PlanKind.UPDATE,
    Action.DELETE: PlanKind.DELETE,
}
CONFLICT = "conflict"
"""The code of a conflict, in any case of letters."""


class Planning:
    """Collects what would be written and shows it to a book."""

    def __init__(self, book: Book, *, has_echoes: bool = False) -> None:
        """`book` gets pages and samples as they are known.

        `has_echoes`: what is delivered comes back changed, because the server stamps it.
        """
        self._book, self._has_echoes = book, has_echoes
        self._open: list[PlannedPage | PlannedChange] | None = None
        self._shown: dict[tuple[str, PlanKind], int] = {}
        self._entities: dict[str, Entity] = {}
        self._delivered: dict[str, set[str]] = {}
        self._problems: dict[str, dict[tuple[str, PlanKind], Problem]] = {}

    @contextmanager
    def client_page(self) -> Iterator[None]:
        """Hold back what is written inside until the block has ended well."""
        held: list[PlannedPage | PlannedChange] = []
        shown, ended_well = dict(self._shown), False
        self._open = held
        try:
            yield
            ended_well = True
        finally:
            self._open = None
            if not ended_well:
                self._shown = shown
        for item in held:
            self._put(item)

    def room(self, entity: str, kind: PlanKind) -> int:
        """Return how many more samples of a kind are wanted."""
        return SAMPLES - self._shown.get((entity, kind), 0)

    def know(self, entity: Entity) -> None:
        """Remember an entity, to name its records later."""
        self._entities[entity.name] = entity

    def page(self, entity: Entity, side: Side, batch: Batch) -> None:
        """Write down what a batch would write."""
        delivered = self._delivered.setdefault(entity.name, set())
        page = page_of(entity, side, batch, delivered)
        if side is Side.SERVER and self._has_echoes:
            delivered.update(page.records)
        if not page.count:
            return
        if side is Side.SERVER or self._open is None:
            self._put(page)
        else:
            self._open.append(page)

    def change(self, change: PlannedChange) -> None:
        """Show a record, if there is room."""
        key = (change.entity, change.kind)
        if self.room(*key) <= 0:
            return
        self._shown[key] = self._shown.get(key, 0) + 1
        if self._open is None:
            self._put(change)
        else:
            self._open.append(change)

    def problem(self, problem: Problem) -> None:
        """Keep a problem of a record until its name can be asked for with others'."""
        if problem.record:
            known = self._problems.setdefault(problem.entity, {})
            known.setdefault((problem.record, problem_kind(problem)), problem)

    def show_problems(self, entity: str, sides: Sequence[Connector]) -> None:
        """Show the problems of an entity, with names from the first side that knows them."""
        wanted: dict[PlanKind, list[Problem]] = {}
        for problem in self._problems.pop(entity, {}).values():
            kind = problem_kind(problem)
            if len(wanted.setdefault(kind, [])) < self.room(entity, kind):
                wanted[kind].append(problem)
        chosen = [problem for problems in wanted.values() for problem in problems]
        names = self._names(entity, [problem.record for problem in chosen], sides)
        for problem in chosen:
            self.change(
                PlannedChange(
                    entity=entity,
                    kind=problem_kind(problem),
                    record=problem.record,
                    name=names.get(problem.record, ""),
                    message=problem.message,
                )
            )

    def _names(self, name: str, ids: Sequence[str], sides: Sequence[Connector]) -> dict[str, str]:
        entity = self._entities.get(name)
        found: dict[str, str] = {}
        for side in sides if entity is not None and ids else ():
            left = [item for item in ids if item not in found]
            if entity is not None and left:
                found |= names_of(side, entity, left)
        return found

    def _put(self, item: PlannedPage | PlannedChange) -> None:
        if isinstance(item, PlannedPage):
            self._book.page(item)
        else:
            self._book.change(item)


def problem_kind(problem: Problem) -> PlanKind:
    """Return whether a problem is a conflict or a rejection."""
    is_conflict = problem.code.lower() == CONFLICT
    return PlanKind.CONFLICT if is_conflict else PlanKind.REJECTED


def changes_of(
    entity: Entity,
    batch: Batch,
    result: BatchResult,
    before: Mapping[str, Values],
    *,
    left: AbstractSet[str] = frozenset(),
    is_push: bool = False,
) -> Iterator[PlannedChange]:
    """Yield what a batch does to each record, without those that failed.

    `before` are the records as they are, as far as they are known; `left` those that are deleted
    because they left the filter.
    """
    for place, row in enumerate(batch.rows):
        record = str(row[0])
        if place in result.failed:
            continue
        kind = PlanKind.LEFT if record in left else _KINDS[batch.action]
        old, new = before.get(record, {}), dict(zip(batch.columns, row, strict=True))
        named = old if batch.action is Action.DELETE else {**old, **new}
        wanted = batch.changed[place] if batch.changed else None
        is_update = batch.action is Action.UPDATE
        yield PlannedChange(
            entity=entity.name,
            kind=PlanKind.PUSH if is_push else kind,
            record=record,
            action=batch.action.value,
            name=str(named.get(entity.primary_name or "") or ""),
            fields=tuple(_fields(old, new, wanted)) if is_update else (),
        )


def records_of(
    side: Connector, entity: Entity, columns: Sequence[str], ids: Sequence[str]
) -> dict[str, tuple[int, Values]]:
    """Return version and values of those records that are there, by id."""
    if not ids:
        return {}
    names = {*columns, entity.primary_name}
    attributes = [
        item
        for item in entity.attributes
        if item.is_stored and (item.name in names or f"{item.name}__type" in names)
    ]
    page = side.fetch(entity, attributes, ids)
    place = page.columns.index(entity.primary_id)
    rows: Sequence[Row] = page.rows
    return {
        str(row[place]): (version, dict(zip(page.columns, row, strict=True)))
        for row, version in zip(rows, page.versions, strict=True)
    }


def names_of(side: Connector, entity: Entity, ids: Sequence[str]) -> dict[str, str]:
    """Return the names of those records that are there and have one."""
    if not entity.primary_name:
        return {}
    found = records_of(side, entity, (), ids)
    return {
        item: str(values[entity.primary_name])
        for item, (_, values) in found.items()
        if values.get(entity.primary_name)
    }


def _fields(old: Values, new: Values, wanted: AbstractSet[str] | None) -> Iterator[FieldChange]:
    for name, value in new.items():
        if old.get(name) != value and (wanted is None or name in wanted):
            yield FieldChange(name, old.get(name), value)
