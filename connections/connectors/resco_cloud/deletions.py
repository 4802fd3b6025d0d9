"""What was deleted, from the hidden entity `trackingdelete` where the organization shows it.

Its fields are not published (resco.md §8). Assumed: `entityname` and `objectid` of what is gone,
and a `versionnumber` of the deletion, as organizations hosted here have them. An organization
that shows no such entity tells no deletions; then a comparison finds them (Sync Deletion).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from connections.connectors.resco_cloud import queries
from connections.connectors.resco_cloud.asking import Asking
from connections.connectors.resco_cloud.metadata import DELETED, missing_in
from connections.connectors.resco_cloud.shapes import Shape
from organizations.query.analysis import restricted
from organizations.query.nodes import Condition, Operator, Query
from organizations.records import Row
from organizations.schema import VERSION, Entity

_ENTITY, _RECORD = "entityname", "objectid"


class Deletion(NamedTuple):
    """A record that is gone."""

    entity: str
    id: str
    version: int


class Told(NamedTuple):
    """Deletions in order, whether there are more, and the last version that was looked at."""

    items: Sequence[Deletion]
    more: bool = False
    last: int = 0


@dataclass(slots=True)
class Deletions:
    """Reads deletions; asks once whether the organization shows any."""

    asking: Asking
    _shape: Shape | None = None
    _is_known: bool = False

    @property
    def are_told(self) -> bool:
        """Return whether the organization shows its deletions."""
        return self._found() is not None

    def page(
        self, names: Collection[str], since: int, until: int | None = None, *, limit: int
    ) -> Told:
        """Return the next deletions of these entities."""
        shape = self._found()
        if shape is None:
            return Told([])
        answer = self.asking.page(shape, _query(shape.entity, names, since, until, limit))
        found = answer.found
        rows = zip(found.rows, found.versions, strict=True)
        items = [_deletion(shape, row, version) for row, version in rows]
        return Told(items, answer.more, found.last)

    def all(
        self, names: Collection[str], since: int, until: int, *, limit: int
    ) -> Iterator[Deletion]:
        """Yield the deletions up to a version, and no more than a few beyond `limit`."""
        count, more = 0, True
        while more and count < limit:
            told = self.page(names, since, until, limit=limit)
            yield from told.items
            count, more, since = count + len(told.items), told.more, told.last

    def _found(self) -> Shape | None:
        if not self._is_known:
            entity = self.asking.definitions.find(DELETED)
            usable = entity is not None and not missing_in(entity, (_ENTITY, _RECORD, VERSION))
            self._shape = Shape.of(entity, (_ENTITY, _RECORD)) if entity and usable else None
            self._is_known = True
        return self._shape


def _query(
    entity: Entity, names: Collection[str], since: int, until: int | None, limit: int
) -> Query:
    asked = queries.selecting(entity, (entity.primary_id, _ENTITY, _RECORD), None, size=limit)
    asked = queries.above(restricted(asked, _ENTITY, sorted(names)), since)
    if until is not None:
        asked = queries.narrowed(asked, Condition(VERSION, Operator.LE, (until,)))
    return asked


def _deletion(shape: Shape, row: Row, version: int) -> Deletion:
    """Return a deletion; the record may be given as a lookup or as the text of one (assumed)."""
    given = dict(zip(shape.names, row, strict=True))
    record = str(given[_RECORD] or "")
    record_id = record.split(":")[1] if ":" in record else record
    return Deletion(str(given[_ENTITY] or ""), record_id.lower(), version)
