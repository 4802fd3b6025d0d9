"""Carrying out a plan and nothing else: every write is compared with the plan before it is made.

1. A page that the plan has is written.
2. The first that it has not stops the run before it is written, and says what is different.
3. A page of the plan that did not come stops the run where it should have come by then.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from collections.abc import Set as AbstractSet

from connections.connectors.base import Batch, BatchResult, Connector
from connections.connectors.passing import PassingOn
from connections.errors import PlanChanged
from organizations.records import Action, Rendered, Row
from organizations.schema import Entity
from syncjobs.engine.planned import Parties, PlannedPage, page_of
from syncjobs.engine.protocols import Reporter
from syncjobs.engine.values import Counts, Problem, Side

_DONE = {Action.CREATE: "created", Action.UPDATE: "updated", Action.DELETE: "deleted"}
_ADVICE = "Make a new plan and apply that."
_OWN_LOGIC = (
    "What this run delivered may be the reason: what the server's own logic does with it to other "
    "records cannot be planned."
)


class Approved:
    """The pages of a plan, and which of them have come.

    Their number is that of the run's calls, not of its records.
    """

    def __init__(
        self, pages: Iterable[PlannedPage], note: Callable[[str], None] = lambda digest: None
    ) -> None:
        """`pages` in the order in which they are to be written.

        `note` is told the digest of each that is about to be written, inside its transaction.
        """
        self._pages = list(pages)
        self._came: set[str] = set()
        self._delivered: dict[str, set[str]] = {}
        self._note = note

    def came(self, digests: Iterable[str]) -> None:
        """Take these pages as written, by a worker that died."""
        self._came.update(digests)
        for page in self._pages:
            if page.digest in self._came:
                self._deliver(page)

    def delivered(self, entity: str) -> AbstractSet[str]:
        """Return the ids of records that were delivered to the server."""
        return self._delivered.get(entity, frozenset())

    def check(self, page: PlannedPage) -> None:
        """Take a page that is about to be written. Raises PlanChanged if it is not in the plan."""
        alike = [known for known in self._pages if known.kind == page.kind]
        if any(known.digest == page.digest for known in alike):
            self._came.add(page.digest)
            self._deliver(page)
            self._note(page.digest)
            return
        left = [known for known in alike if known.digest not in self._came]
        number = alike.index(left[0]) + 1 if left else len(alike) + 1
        told = _difference(page, left[0] if left else None, number)
        if page.side is Side.CLIENT and self._delivered:
            told = f"{told} {_OWN_LOGIC}"
        raise PlanChanged(told)

    def _deliver(self, page: PlannedPage) -> None:
        if page.side is Side.SERVER:
            self._delivered.setdefault(page.entity, set()).update(page.records)

    def check_came(self, side: Side, entity: str = "") -> None:
        """Raise PlanChanged if pages of the plan did not come, of one entity or of all."""
        left = [
            page
            for page in self._pages
            if page.digest not in self._came and page.side is side and entity in ("", page.entity)
        ]
        if left:
            raise PlanChanged(
                f"Something has changed since the plan was made: by the plan, {_what(left[0])} "
                f"({_range(left[0])}), but there is nothing of that left to do. {_ADVICE}"
            )


class ApprovedSide(PassingOn):
    """One side of which only the plan's pages are written."""

    def __init__(
        self, inner: Connector, side: Side, approved: Approved, *, has_echoes: bool = False
    ) -> None:
        """`inner` is written to; `has_echoes`: what is delivered comes back changed."""
        super().__init__(inner)
        self._side, self._approved, self._has_echoes = side, approved, has_echoes

    def render(
        self, entity: Entity, columns: Sequence[str], rows: Sequence[Row]
    ) -> Rendered | None:
        """Render nothing: a page can be compared as long as it is rows."""
        return None

    def write(self, entity: Entity, batch: Batch) -> BatchResult:
        """Write the batch if it is the plan's. Raises PlanChanged."""
        delivered = self._approved.delivered(entity.name) if self._has_echoes else frozenset()
        page = page_of(entity, self._side, batch, delivered)
        if page.count:
            self._approved.check(page)
        return self.inner.write(entity, batch)


class ApprovedReporter(Reporter):
    """Looks at the ends of phases whether something of the plan is missing."""

    def __init__(self, inner: Reporter, approved: Approved) -> None:
        """`inner` is told everything."""
        self._inner, self._approved = inner, approved

    def run_started(self, entities: Sequence[str]) -> None:
        """Hand it on."""
        self._inner.run_started(entities)

    def entity_started(self, entity: str, *, full: bool, expected: int | None) -> None:
        """The client's changes were delivered before the first entity is read."""
        self._approved.check_came(Side.SERVER)
        self._inner.entity_started(entity, full=full, expected=expected)

    def progress(self, entity: str, counts: Counts) -> None:
        """Hand it on."""
        self._inner.progress(entity, counts)

    def problem(self, problem: Problem) -> None:
        """Hand it on."""
        self._inner.problem(problem)

    def entity_finished(self, entity: str, failed: str = "") -> None:
        """Hand it on; an entity that failed is no longer the plan's."""
        try:
            if not failed:
                self._approved.check_came(Side.CLIENT, entity)
        except PlanChanged as error:
            self._inner.entity_finished(entity, str(error))
            raise
        self._inner.entity_finished(entity, failed)

    def checkpoint(self) -> None:
        """Hand it on."""
        self._inner.checkpoint()


def guarded(parties: Parties, approved: Approved) -> Parties:
    """Return the parties of a run that writes only what is approved."""
    return parties._replace(
        server=ApprovedSide(parties.server, Side.SERVER, approved),
        client=ApprovedSide(
            parties.client, Side.CLIENT, approved, has_echoes=parties.server.stamps
        ),
        reporter=ApprovedReporter(parties.reporter, approved),
    )


def _difference(page: PlannedPage, planned: PlannedPage | None, number: int) -> str:
    if planned is None:
        was = "the plan has none of them" if number == 1 else "the plan has no more of them"
        why = f"{was}, now {_what(page)} ({_range(page)})"
    elif planned.count != page.count:
        why = (
            f"by the plan's page {number}, {_what(planned)}, now it would be {page.count:,}"
            f"{_which(page, planned)}"
        )
    else:
        why = (
            f"by the plan's page {number}, {_what(planned)}, now it would be as many, but not "
            f"with the same values{_which(page, planned)}"
        )
    return (
        f"Something has changed since the plan was made. {_title(page)}: {why}. Nothing of this "
        f"page was written. {_ADVICE}"
    )


def _title(page: PlannedPage) -> str:
    return f"Entity '{page.entity}', records to be {_DONE[page.action]} on the {page.side}"


def _what(page: PlannedPage) -> str:
    verb = "was" if page.count == 1 else "were"
    records = "record" if page.count == 1 else "records"
    return (
        f"{page.count:,} {records} of '{page.entity}' {verb} to be {_DONE[page.action]} on the "
        f"{page.side}"
    )


def _range(page: PlannedPage) -> str:
    return page.first if page.count == 1 else f"{page.first} to {page.last}"


def _which(page: PlannedPage, planned: PlannedPage) -> str:
    """Name the first record that makes the difference, or the range of a large page."""
    if not page.records or not planned.records:
        return f" ({_range(page)})"
    for item in sorted({*page.records, *planned.records}):
        if item not in planned.records:
            return f"; {item} was not among them"
        if item not in page.records:
            return f"; {item} is no longer among them"
        if page.records[item] != planned.records[item]:
            return f"; {item} would get other values"
    return f" ({_range(page)})"
