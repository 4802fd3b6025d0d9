"""What taking something back would break: children made later, and lookups to what is gone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from connections.connectors.base import Connector
from organizations.query.nodes import Condition, Group, Operator, Query
from organizations.records import Action, Row
from organizations.schema import Entity
from syncjobs.engine.layout import Layout
from syncjobs.engine.undo import Now, UndoPage
from syncjobs.engine.values import EntityTask, Side

LOOKED_AT = 20_000
"""Of so many records that are taken back on a side it is said what that would break."""

_CUT = "More than {:,} records are taken back on {}; what the rest would break was not looked for."
_IDS_PER_QUERY = 500

Lookup = tuple[int, int | None, tuple[str, ...]]
"""Where a lookup stands in a row, where its target's name stands, and what it may be."""


class Breaks:
    """Finds what would break on one side, page by page, in the order of the undo."""

    def __init__(self, side: Side, connector: Connector, tasks: Iterable[EntityTask]) -> None:
        """`tasks` are the entities that are looked into."""
        self._connector = connector
        self._entities = {
            task.name: task.server if side is Side.SERVER else task.client for task in tasks
        }
        self._where = f"the {side.value}"
        self._seen = 0
        self._gone: dict[str, set[str]] = defaultdict(set)
        self._touched: dict[str, set[str]] = defaultdict(set)
        self._made: dict[str, set[str]] = defaultdict(set)

    def of(
        self, task: EntityTask, layout: Layout, plan: UndoPage, now: Mapping[str, Now]
    ) -> list[str]:
        """Return a sentence for each thing that breaks."""
        steps = [(action, step) for action, found in plan.steps.items() for step in found]
        was_within = self._seen <= LOOKED_AT
        self._seen += len(steps)
        if self._seen > LOOKED_AT:
            return [_CUT.format(LOOKED_AT, self._where)] if was_within else []
        for action, step in steps:
            kept = {Action.DELETE: self._gone, Action.CREATE: self._made}
            kept.get(action, self._touched)[task.name].add(step.id)
        written = [
            (step.row, now[step.id].row if step.id in now else None)
            for action, step in steps
            if action is not Action.DELETE
        ]
        deleted = [step.id for step in plan.of(Action.DELETE)]
        return [
            *self._lost_targets(task.name, _lookups(task, layout), written),
            *self._children(task.name, deleted),
        ]

    def _lost_targets(
        self, name: str, lookups: Mapping[str, Lookup], rows: Sequence[tuple[Row, Row | None]]
    ) -> Iterator[str]:
        for attribute, (place, kind, targets) in lookups.items():
            wanted: dict[str, dict[str, str]] = defaultdict(dict)
            for row, current in rows:
                target = str(row[kind]) if kind is not None else next(iter(targets), "")
                is_old = current is not None and current[place] == row[place]
                if row[place] is not None and not is_old:
                    wanted[target][str(row[place])] = str(row[0])
            for target, ids in wanted.items():
                for lost in self._missing(target, ids):
                    yield (
                        f"{name} {ids[lost]} would refer by '{attribute}' to {target} {lost}, "
                        f"which is not on {self._where}."
                    )

    def _missing(self, target: str, ids: Iterable[str]) -> list[str]:
        entity, made = self._entities.get(target), self._made[target]
        asked = [item for item in ids if item not in made]
        if entity is None or not asked:
            return []
        primary = entity.attribute(entity.primary_id)
        page = self._connector.fetch(entity, (primary,) if primary else (), asked)
        there = {str(row[0]) for row in page.rows} - self._gone[target]
        return [item for item in asked if item not in there]

    def _children(self, name: str, deleted: Sequence[str]) -> Iterator[str]:
        if not deleted:
            return
        for entity in self._entities.values():
            known = self._gone[entity.name] | self._touched[entity.name]
            for attribute in entity.attributes:
                if attribute.is_lookup and attribute.is_stored and name in attribute.targets:
                    children = self._referring(entity, attribute.name, deleted)
                    left = sorted({item for item in children if item not in known})
                    if left:
                        yield (
                            f"{len(left):,} '{entity.name}' refer by '{attribute.name}' to "
                            f"'{name}' that would be deleted on {self._where}, such as {left[0]}."
                        )

    def _referring(self, entity: Entity, attribute: str, ids: Sequence[str]) -> Iterator[str]:
        for start in range(0, len(ids), _IDS_PER_QUERY):
            values = tuple(ids[start : start + _IDS_PER_QUERY])
            condition = Condition(attribute, Operator.IN, values)
            query = Query(entity=entity.name, filter=Group(children=(condition,)))
            for found in self._connector.ids(entity, query):
                yield from found


def _lookups(task: EntityTask, layout: Layout) -> dict[str, Lookup]:
    found: dict[str, Lookup] = {}
    for name, column in layout.of_column.items():
        if column.attribute.is_lookup and column.attribute.name == name:
            kind = f"{name}__type"
            places = layout.columns
            at = places.index(kind) if kind in places else None
            found[name] = (places.index(name), at, tuple(column.attribute.targets))
    return found
