"""Lookups to matched records, from the server's ids to the client's (design 5.1.1)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import orjson

from organizations.records import Row, Value
from organizations.schema import AttributeType, Column, ColumnPart
from syncjobs.engine.layout import Layout
from syncjobs.engine.values import EntityTask

Translations = Mapping[tuple[str, str], str]
"""(entity, server id) → client id, only where the two differ."""


class _Lookup(NamedTuple):
    """Where a lookup stands in a row; its target is fixed, or named at `target_place`."""

    place: int
    target: str
    target_place: int | None


class Translator:
    """Rewrites the lookups and parties of rows of one entity.

    `translations` is read at every use, so what was matched meanwhile counts.
    """

    def __init__(self, task: EntityTask, layout: Layout, translations: Translations) -> None:
        """Find the places in a row where ids of other records stand."""
        self._translations = translations
        found = [_lookup(task, layout, column) for column in layout.of_column.values()]
        self._lookups = [lookup for lookup in found if lookup is not None]
        self._parties = [
            layout.columns.index(column.name)
            for column in layout.of_column.values()
            if column.attribute.type is AttributeType.PARTYLIST
        ]

    def rows(self, rows: Sequence[Row]) -> Sequence[Row]:
        """Return the rows in the client's terms; the same object where there is nothing to do."""
        known = {entity for entity, _ in self._translations}
        lookups = [
            lookup for lookup in self._lookups if lookup.target_place or lookup.target in known
        ]
        if not known or not (lookups or self._parties):
            return rows
        return [self._row(row, lookups) for row in rows]

    def _row(self, row: Row, lookups: Sequence[_Lookup]) -> Row:
        changed: dict[int, Value] = {}
        for place, target, target_place in lookups:
            entity = row[target_place] if target_place else target
            found = self._translations.get((str(entity), str(row[place])))
            if found is not None:
                changed[place] = found
        for place in self._parties:
            if row[place] is not None:
                changed[place] = self._party_list(str(row[place]))
        if not changed:
            return row
        return tuple(changed.get(place, value) for place, value in enumerate(row))

    def _party_list(self, text: str) -> str:
        get = self._translations.get
        parties = [
            [mask, entity, get((entity, party), party)]
            for mask, entity, party in orjson.loads(text)
        ]
        return orjson.dumps(sorted(parties)).decode()


def _lookup(task: EntityTask, layout: Layout, column: Column) -> _Lookup | None:
    if column.part is not ColumnPart.VALUE:
        return None
    place = layout.columns.index(column.name)
    pair = task.server.intersect
    if pair is not None and column.name in (pair.attribute1, pair.attribute2):
        target = pair.entity1 if column.name == pair.attribute1 else pair.entity2
        return _Lookup(place, target, None)
    if not column.attribute.is_lookup:
        return None
    target_column = f"{column.name}__type"
    if target_column in layout.columns:
        return _Lookup(place, "", layout.columns.index(target_column))
    return _Lookup(place, next(iter(column.attribute.targets), ""), None)
