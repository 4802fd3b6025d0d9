"""One reading of an entity by row version: everything, or what changed since a checkpoint.

A checkpoint is the row version at which a reading began, as text: what is written meanwhile has
a higher one and comes with this reading or with the next. A resume token is
`<kind>:<checkpoint>:<since>:<last>`, with kind `rows` or `gone`; both phases go on behind the
last version they gave.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from connections.connectors.base import ReadRequest
from connections.connectors.resco_cloud import queries
from connections.connectors.resco_cloud.asking import Asking
from connections.connectors.resco_cloud.deletions import Deletions
from connections.connectors.resco_cloud.shapes import Shape
from connections.connectors.resco_cloud.values import Decoded
from connections.errors import CheckpointExpired
from organizations.query.nodes import Query
from organizations.records import Page

_ROWS, _GONE = "rows", "gone"


@dataclass(frozen=True, slots=True)
class Position:
    """Where a reading is. `since` is -1 when everything is read."""

    kind: str
    checkpoint: int
    since: int
    last: int

    def __str__(self) -> str:
        """Return the resume token."""
        return f"{self.kind}:{self.checkpoint}:{self.since}:{self.last}"

    @classmethod
    def of(cls, token: str) -> Position:
        """Read a token. Raises CheckpointExpired."""
        kind, *numbers = token.split(":")
        if kind in (_ROWS, _GONE) and len(numbers) == 3:
            try:
                return cls(kind, *map(int, numbers))
            except ValueError:
                pass
        raise CheckpointExpired(f"'{token[:80]}' does not continue this reading.")


@dataclass(slots=True)
class Reading:
    """Reads what one request asks for. Use once."""

    asking: Asking
    deletions: Deletions
    request: ReadRequest
    shape: Shape = field(init=False)

    def __post_init__(self) -> None:
        """Find the columns."""
        names = [attribute.name for attribute in self.request.attributes]
        self.shape = Shape.of(self.request.entity, names)

    def pages(self) -> Iterator[Page]:
        """Yield the pages from the beginning, or from where the last reading was interrupted."""
        request = self.request
        if request.resume:
            yield from self._from(Position.of(request.resume))
        elif not request.since:
            yield from self._from(Position(_ROWS, self.asking.max_row_version(), -1, 0))
        else:
            yield from self._since(request.since)

    def _since(self, text: str) -> Iterator[Page]:
        if not text.isdigit():
            raise CheckpointExpired(f"'{text[:80]}' is no row version.")
        since, now = int(text), self.asking.max_row_version()
        if since > now:
            raise CheckpointExpired(
                f"The organization is at row version {now:,} and was at {since:,} before; it was "
                "restored, or is another one."
            )
        if since == now:
            yield self._page(Decoded(), checkpoint=since)
            return
        yield from self._from(Position(_ROWS, now, since, since))

    def _from(self, position: Position) -> Iterator[Page]:
        if position.kind == _ROWS:
            yield from self._rows(position)
        else:
            yield from self._gone(position)

    def _rows(self, position: Position) -> Iterator[Page]:
        query, is_first = self._query(), not self.request.resume
        while True:
            answer = self.asking.page(
                self.shape, queries.above(query, position.last), min_active=is_first
            )
            if is_first:
                position, is_first = _lowered(position, answer.min_active), False
            found = answer.found
            if not answer.more:
                break
            position = replace(position, last=found.last)
            yield self._page(found, resume=position)
        if position.since < 0 or not self.deletions.are_told:
            yield self._page(found, checkpoint=position.checkpoint)
            return
        yield from self._gone(replace(position, kind=_GONE, last=position.since), found)

    def _gone(self, position: Position, found: Decoded | None = None) -> Iterator[Page]:
        size = max(1, min(self.request.page_size, queries.PAGE))
        found, more = found or Decoded(), True
        while more:
            told = self.deletions.page([self.request.entity.name], position.last, limit=size)
            ids, more = [deletion.id for deletion in told.items], told.more
            if more:
                position = replace(position, last=told.last)
                yield self._page(found, ids, resume=position)
                found = Decoded()
        yield self._page(found, ids, checkpoint=position.checkpoint)

    def _query(self) -> Query:
        request = self.request
        return queries.selecting(
            request.entity, self.shape.selected, request.query, size=request.page_size
        )

    def _page(
        self,
        found: Decoded,
        deleted: Sequence[str] = (),
        *,
        resume: Position | None = None,
        checkpoint: int | None = None,
    ) -> Page:
        return Page(
            entity=self.request.entity.name,
            columns=self.shape.names,
            rows=found.rows,
            versions=found.versions,
            deleted=deleted,
            rejected=found.rejected,
            resume=None if resume is None else str(resume),
            checkpoint=None if checkpoint is None else str(checkpoint),
        )


def _lowered(position: Position, min_active: int) -> Position:
    """Begin the next reading below the lowest version that may still be committed.

    Told only while something is being written (assumed): where it is no lower than the
    organization's current version, everything up to that is there.
    """
    if not 0 < min_active < position.checkpoint:
        return position
    return replace(position, checkpoint=min_active - 1)
