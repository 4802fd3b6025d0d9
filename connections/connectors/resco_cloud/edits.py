"""What others wrote, told by row version: which record, not which of its values.

An organization keeps no log that can be asked, so an edit has no old and new values, and it is
not told who made it: our own writes are among them. The caller recognises those by the version
and the digest of the link (design 5.1.4).
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from datetime import datetime

from connections.connectors.base import Edit, Edits
from connections.connectors.resco_cloud import queries
from connections.connectors.resco_cloud.asking import Asking
from connections.connectors.resco_cloud.deletions import Deletions
from connections.connectors.resco_cloud.shapes import Shape
from connections.errors import CheckpointExpired
from organizations.query.nodes import Condition, Group, Logic, Operator, Query
from organizations.records import Action
from organizations.schema import VERSION, Entity
from organizations.values import instant

MODIFIED = "modifiedon"


@dataclass(slots=True)
class EditLog:
    """The edits of one organization."""

    asking: Asking
    deletions: Deletions
    clock: Callable[[], datetime]

    def edits(self, names: Collection[str], since: int, limit: int) -> Edits:
        """Return the edits since a version, at most `limit`. Raises CheckpointExpired."""
        now = self.asking.max_row_version()
        if since > now:
            raise CheckpointExpired(
                f"The organization is at row version {now:,} and was at {since:,} before."
            )
        if since == now or not names:
            return Edits(items=[], until=now)
        found = sorted(self._found(names, since, now, limit + 1), key=lambda edit: edit.version)
        if len(found) <= limit:
            return Edits(items=found, until=now)
        told = found[:limit]
        return Edits(items=told, until=told[-1].version, is_last=False)

    def version_at(self, moment: datetime) -> int:
        """Return the highest version of what was last modified before a moment.

        By `modifiedon` of the records there are: what has a later version was modified later.
        """
        if moment > self.clock():
            return self.asking.max_row_version()
        before = instant(moment)
        return max(
            (self.asking.highest(entity, _until(entity, before)) for entity in self._dated()),
            default=0,
        )

    def _found(self, names: Collection[str], since: int, until: int, limit: int) -> Iterator[Edit]:
        for name in sorted(names):
            entity = self.asking.definitions.find(name)
            if entity is not None:
                yield from self._written(entity, since, until, limit)
        for gone in self.deletions.all(names, since, until, limit=limit):
            yield Edit(entity=gone.entity, id=gone.id, action=Action.DELETE, version=gone.version)

    def _written(self, entity: Entity, since: int, until: int, limit: int) -> Iterator[Edit]:
        """Whether a record is new is not known; a pair is never changed, so it is new."""
        action = Action.CREATE if entity.is_intersect else Action.UPDATE
        shape, count, more = Shape.of(entity, ()), 0, True
        asked = queries.selecting(entity, (entity.primary_id,), None, size=limit)
        asked = queries.narrowed(asked, Condition(VERSION, Operator.LE, (until,)))
        while more and count < limit:
            answer = self.asking.page(shape, queries.above(asked, since))
            found = answer.found
            for row, version in zip(found.rows, found.versions, strict=True):
                yield Edit(entity=entity.name, id=str(row[0]), action=action, version=version)
            count, since = count + len(found.rows), found.last
            more = answer.more

    def _dated(self) -> Iterator[Entity]:
        for summary in self.asking.definitions.summaries():
            entity = None if summary.problem else self.asking.definitions.find(summary.name)
            if entity is not None and entity.attribute(MODIFIED) is not None:
                yield entity


def _until(entity: Entity, before: str) -> Query:
    condition = Condition(MODIFIED, Operator.LT, (before,))
    return Query(entity=entity.name, filter=Group(Logic.AND, (condition,)))
