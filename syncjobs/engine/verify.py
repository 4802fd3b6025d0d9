"""Whether both sides of an entity are equal now, proved by reading them (design 5.1.3).

1. The server's records inside the filter, in the client's terms, go to a spool as ids and digests.
2. The client's records follow.
3. What is not the same in the spool is read once more on both sides, because records may have
   changed meanwhile. What still differs is a difference, with its fields and its reason.

Nothing is written to either side, and memory does not grow with the number of records.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple, Protocol

from connections.connectors.base import Connector, ReadRequest
from connections.connectors.paging import read_ahead
from organizations.records import Row
from syncjobs.engine.apart import read_apart
from syncjobs.engine.layout import Layout
from syncjobs.engine.matching import MATCH_KEYS, pairs_on_client
from syncjobs.engine.plan import Incoming
from syncjobs.engine.protocols import Reporter, State
from syncjobs.engine.reading import Reader
from syncjobs.engine.reasons import Sides, reason
from syncjobs.engine.translation import Translations, Translator
from syncjobs.engine.values import Counts, EntityTask, LinkRow

PAGE = 5000
LISTED = 1000
"""Of more differences in one entity, the rest is counted only."""


class DifferenceKind(StrEnum):
    """On which side something is missing or other."""

    MISSING = "missing"
    EXTRA = "extra"
    DIFFERS = "differs"


class FieldDifference(NamedTuple):
    """One attribute with its values on both sides, as text; None is empty."""

    name: str
    server: str | None
    client: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """One record that is not the same on both sides, and why, as far as the links tell."""

    kind: DifferenceKind
    server_id: str
    client_id: str
    reason: str
    fields: tuple[FieldDifference, ...] = ()


@dataclass(slots=True, kw_only=True)
class Verified:
    """How one entity compares: records on each side, those equal, and the differences."""

    entity: str
    server: int = 0
    client: int = 0
    equal: int = 0
    differences: int = 0
    listed: list[Difference] = field(default_factory=list)


class Fingerprint(NamedTuple):
    """One record in the spool: its client id, the server's id, the digest of its values."""

    client_id: str
    server_id: str
    digest: str


class Unequal(NamedTuple):
    """A client id whose digests are not the same; the server's id where there is a record."""

    client_id: str
    server_id: str | None


class Spool(Protocol):
    """Two lists of fingerprints that are compared outside the engine's memory."""

    def clear(self) -> None:
        """Forget everything."""

    def put(self, fingerprints: Sequence[Fingerprint], *, of_server: bool) -> None:
        """Add a page of one side."""

    def unequal(self, size: int) -> Iterator[Sequence[Unequal]]:
        """Yield what stands on one side only, or with another digest, `size` at a time."""


def verify(
    server: Connector,
    client: Connector,
    tasks: Iterable[EntityTask],
    state: State,
    spool: Spool,
    reporter: Reporter,
) -> Iterator[Verified]:
    """Yield how each entity compares. Raises connector errors, Cancelled and LostLease."""
    translations = state.translations(MATCH_KEYS)
    for task in tasks:
        yield _Verification(server, client, task, state, spool, reporter, translations).carry_out()


class _Verification:
    def __init__(
        self,
        server: Connector,
        client: Connector,
        task: EntityTask,
        state: State,
        spool: Spool,
        reporter: Reporter,
        translations: Translations,
    ) -> None:
        self._server, self._client, self._task = server, client, task
        self._state, self._spool, self._reporter = state, spool, reporter
        self._translations = translations
        self._layout = Layout(task)
        translator = Translator(task, self._layout, translations)
        self._reader = Reader(server, task, self._layout, translator)
        self._found = Verified(entity=task.name)
        self._not_equal = 0

    def carry_out(self) -> Verified:
        self._spool.clear()
        expected = self._server.estimate(self._task.server, self._task.query)
        self._reporter.entity_started(self._task.name, full=True, expected=expected)
        self._read_server()
        self._read_client()
        left = set(self._state.left_behind(self._task.key))
        for batch in self._spool.unequal(PAGE):
            self._reporter.checkpoint()
            self._look_again(batch, left)
        self._found.equal = self._found.client - self._not_equal
        return self._found

    def _read_server(self) -> None:
        pages = self._reader.everything(resume="", page_size=PAGE)
        with closing(self._ahead(pages)) as coming:
            for page in coming:
                self._reporter.checkpoint()
                ids = self._client_ids(page)
                prints = map(Fingerprint._make, zip(ids, page.ids, page.digests, strict=True))
                self._spool.put(list(prints), of_server=True)
                self._found.server += len(page.ids)
                self._reporter.progress(self._task.name, Counts(read=len(page.ids)))

    def _ahead(self, pages: Generator[Incoming, None, None]) -> Generator[Incoming, None, None]:
        if self._server.is_local:
            return pages
        return read_apart(pages) if self._server.reads_apart else read_ahead(pages)

    def _read_client(self) -> None:
        request = ReadRequest(
            entity=self._task.client, attributes=self._layout.client_attributes, page_size=PAGE
        )
        for page in self._client.read(request):
            self._reporter.checkpoint()
            rows = self._layout.align(page)
            ids = [str(row[0]) for row in rows]
            prints = map(Fingerprint._make, zip(ids, ids, self._layout.digests(rows), strict=True))
            self._spool.put(list(prints), of_server=False)
            self._found.client += len(ids)

    def _client_ids(self, page: Incoming) -> list[str]:
        """Return the client's ids of the records of a page of the server."""
        links = self._state.links(self._task.key, page.ids)
        other: Mapping[str, str] = {}
        if self._task.server.is_intersect:
            unlinked = [
                row for item, row in zip(page.ids, page.rows, strict=True) if item not in links
            ]
            other = pairs_on_client(self._client, self._task, self._layout, unlinked)
        return [
            links[item].client_id if item in links else other.get(item) or self._translated(item)
            for item in page.ids
        ]

    def _translated(self, server_id: str) -> str:
        return self._translations.get((self._task.name, server_id), server_id)

    def _look_again(self, batch: Sequence[Unequal], left: set[str]) -> None:
        client_ids = [item.client_id for item in batch]
        links = self._state.links_by_client(self._task.key, client_ids)
        server_ids = [item.server_id or _server_id(links, item.client_id) for item in batch]
        there = self._on_server(server_ids)
        here = self._on_client(client_ids)
        for client_id, server_id in zip(client_ids, server_ids, strict=True):
            sides = Sides(
                server=there.get(server_id), client=here.get(client_id), link=links.get(client_id)
            )
            self._judge(server_id, client_id, sides, is_left=server_id in left)

    def _on_server(self, ids: Sequence[str]) -> dict[str, tuple[Row, int, str]]:
        page = self._reader.by_id(ids)
        records = zip(page.rows, page.versions, page.digests, strict=True)
        return {
            item: record
            for item, record in zip(page.ids, records, strict=True)
            if item not in page.outside
        }

    def _on_client(self, ids: Sequence[str]) -> dict[str, tuple[Row, int, str]]:
        page = self._client.fetch(self._task.client, self._layout.client_attributes, ids)
        rows = self._layout.align(page)
        records = zip(rows, page.versions, self._layout.digests(rows), strict=True)
        return {str(row[0]): (row, version, digest) for row, version, digest in records}

    def _judge(self, server_id: str, client_id: str, sides: Sides, *, is_left: bool) -> None:
        kind = _kind(sides)
        if kind is None:
            return
        self._found.differences += 1
        self._not_equal += kind is not DifferenceKind.MISSING
        if len(self._found.listed) < LISTED:
            self._found.listed.append(
                Difference(
                    kind=kind,
                    server_id=server_id,
                    client_id=client_id,
                    reason=reason(sides, is_left=is_left),
                    fields=self._fields(sides),
                )
            )

    def _fields(self, sides: Sides) -> tuple[FieldDifference, ...]:
        if sides.server is None or sides.client is None:
            return ()
        pairs = zip(self._layout.columns, sides.server[0], sides.client[0], strict=True)
        compared = self._layout.compared
        return tuple(
            FieldDifference(name, _text(there), _text(here))
            for name, there, here in pairs
            if name in compared and there != here
        )


def _kind(sides: Sides) -> DifferenceKind | None:
    """Return what the difference is; None: there is none any more."""
    if sides.server is None:
        return None if sides.client is None else DifferenceKind.EXTRA
    if sides.client is None:
        return DifferenceKind.MISSING
    return None if sides.server[2] == sides.client[2] else DifferenceKind.DIFFERS


def _server_id(links: Mapping[str, LinkRow], client_id: str) -> str:
    link = links.get(client_id)
    return client_id if link is None else link.server_id


def _text(value: object) -> str | None:
    return None if value is None else str(value)
