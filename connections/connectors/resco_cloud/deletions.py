"""What was deleted, from the hidden entity `trackingdelete` where the organization shows it.

Its fields are not published (resco.md §8). Assumed: `entityname` and `objectid` of what is gone,
and a `versionnumber` of the deletion, as organizations hosted here have them. An organization
that shows no such entity tells no deletions; then a comparison finds them (Sync Deletion).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import NamedTuple

from lxml import etree

from connections.connectors.resco_cloud import queries
from connections.connectors.resco_cloud.asking import Asking
from connections.connectors.resco_cloud.markup import text_of
from connections.connectors.resco_cloud.metadata import DELETED, missing_in
from connections.connectors.resco_cloud.shapes import Shape
from organizations.query.analysis import restricted
from organizations.query.nodes import Condition, Operator, Query
from organizations.schema import VERSION, Entity

_ENTITY, _RECORD = "entityname", "objectid"


class Deletion(NamedTuple):
    """A record that is gone."""

    entity: str
    id: str
    version: int


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
    ) -> tuple[list[Deletion], bool]:
        """Return the next deletions of these entities in order, and whether there are more."""
        shape = self._found()
        if shape is None:
            return [], False
        answer = self.asking.page(shape, _query(shape.entity, names, since, until, limit))
        return [_deletion(record) for record in answer.records], answer.more

    def all(
        self, names: Collection[str], since: int, until: int, *, limit: int
    ) -> Iterator[Deletion]:
        """Yield the deletions up to a version, and no more than a few beyond `limit`."""
        count, more = 0, True
        while more and count < limit:
            found, more = self.page(names, since, until, limit=limit)
            yield from found
            count += len(found)
            since = found[-1].version if found else since
            more = more and bool(found)

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


def _deletion(record: etree._Element) -> Deletion:
    """Return a deletion; the record may be given as a lookup (assumed)."""
    given = text_of(record, _RECORD)
    record_id = given.split(":")[1] if ":" in given else given
    version = text_of(record, VERSION)
    return Deletion(text_of(record, _ENTITY), record_id.lower(), int(version or 0))
