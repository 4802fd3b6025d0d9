"""Server pages, made ready for planning: aligned, translated, digested, asked for membership."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import replace

from connections.connectors.base import Connector, ReadRequest
from organizations.records import Page, Rejection, Rendered, Row
from syncjobs.engine.layout import Layout
from syncjobs.engine.plan import Incoming
from syncjobs.engine.translation import Translator
from syncjobs.engine.values import EntityTask

Render = Callable[[Sequence[Row]], Rendered | None]


def as_it_is(rows: Sequence[Row]) -> None:
    """Render nothing."""


class Reader:
    """Reads one entity of the server. Uses no state, so a thread or process of its own may."""

    def __init__(
        self,
        server: Connector,
        task: EntityTask,
        layout: Layout,
        translator: Translator,
    ) -> None:
        """`translator` brings rows into the client's terms."""
        self._server, self._task = server, task
        self._layout, self._translator = layout, translator

    def everything(
        self, *, resume: str, page_size: int, render: Render = as_it_is
    ) -> Generator[Incoming, None, None]:
        """Yield all records inside the filter; deletions that are reported are ignored.

        What `render` can bring into the client's bulk form comes in no other.
        """
        request = self._request(resume=resume, page_size=page_size)
        for page in self._server.read(replace(request, query=self._task.query)):
            yield self._incoming(replace(page, deleted=()), render)

    def changes(
        self, *, since: str, resume: str, page_size: int
    ) -> Generator[Incoming, None, None]:
        """Yield what changed since a checkpoint, with deletions that are confirmed.

        The reader is not asked to filter: a change feed cannot (design decision 6), and what
        left the filter must be seen.
        """
        request = self._request(resume=resume, page_size=page_size)
        for page in self._server.read(replace(request, since=since)):
            yield self._with_membership(self._incoming(self._confirmed(page)))

    def by_id(self, ids: Sequence[str]) -> Incoming:
        """Return these records as they are now; those that are not there are `absent`."""
        page = self._server.fetch(self._task.server, self._layout.attributes, ids)
        found = self._with_membership(self._incoming(page))
        known = {*found.ids, *(rejection.id for rejection in found.rejected)}
        return replace(found, absent=[item for item in ids if item not in known])

    def first_id(self) -> str:
        """Return an id inside the filter, '' if the server names none."""
        pages = self._server.ids(self._task.server, self._task.query)
        return next((ids[0] for ids in pages if ids), "")

    def _request(self, *, resume: str, page_size: int) -> ReadRequest:
        return ReadRequest(
            entity=self._task.server,
            attributes=self._layout.attributes,
            resume=resume or None,
            page_size=page_size,
        )

    def _confirmed(self, page: Page) -> Page:
        # A record can be deleted and restored under the same id between two readings, and a
        # feed names the deletion without saying which came last.
        if not page.deleted:
            return page
        again = self._server.fetch(self._task.server, self._layout.attributes, page.deleted)
        there = {str(row[0]) for row in self._layout.align(again)}
        there |= {rejection.id for rejection in again.rejected}
        return replace(
            page,
            columns=self._layout.columns,
            rows=[*self._layout.align(page), *self._layout.align(again)],
            versions=[*page.versions, *again.versions],
            rejected=[*page.rejected, *again.rejected],
            deleted=[item for item in page.deleted if item not in there],
        )

    def _incoming(self, page: Page, render: Render = as_it_is) -> Incoming:
        rows, versions = _each_once(self._layout.align(page), page.versions, page.deleted)
        translated = self._translator.rows(rows)
        rendered = render(translated)
        return Incoming(
            ids=[str(row[0]) for row in rows] if rendered is None else rendered.ids,
            rows=translated if rendered is None else (),
            versions=versions,
            digests=self._layout.digests(translated),
            rendered=rendered,
            deleted=page.deleted,
            rejected=_rejections_once(page.rejected),
            resume=page.resume,
            checkpoint=page.checkpoint,
        )

    def _with_membership(self, incoming: Incoming) -> Incoming:
        query = self._task.query
        if query is None or not incoming.ids:
            return incoming
        inside = self._server.matching(self._task.server, query, incoming.ids)
        return replace(incoming, outside=frozenset(incoming.ids) - inside)


def _each_once(
    rows: Sequence[Row], versions: Sequence[int], deleted: Sequence[str]
) -> tuple[Sequence[Row], Sequence[int]]:
    """Keep the latest of several rows with one id, and none that was deleted since."""
    places = {row[0]: place for place, row in enumerate(rows)}
    for gone in deleted:
        places.pop(gone, None)
    if len(places) == len(rows):
        return rows, versions
    kept = sorted(places.values())
    return [rows[place] for place in kept], [versions[place] for place in kept]


def _rejections_once(rejected: Sequence[Rejection]) -> Sequence[Rejection]:
    return list({rejection.id: rejection for rejection in rejected}.values())
