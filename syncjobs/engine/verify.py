"""Whether both sides of an entity are equal now, proved by reading them (design 5.1.3).

1. Where one database holds both sides, it digests them itself, in buckets, and only the records of
   buckets that differ go further (`buckets`).
2. Else the server's records inside the filter, in the client's terms, go to a spool as ids and
   digests; in a quick verification most digests are those agreed on (`fingerprints`). The
   client's records follow.
3. What is not the same in the spool is read once more on both sides, because records may have
   changed meanwhile. What still differs is a difference, with its fields and its reason.

Nothing is written to either side, and memory does not grow with the number of records.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple, Protocol, TypeVar

from connections.connectors.base import Connector, ReadRequest
from connections.connectors.paging import read_ahead
from organizations.records import Row
from syncjobs.engine import buckets
from syncjobs.engine.apart import read_apart
from syncjobs.engine.fingerprints import PAGE, ServerSide, Trust
from syncjobs.engine.layout import Layout
from syncjobs.engine.matching import MATCH_KEYS, pairs_on_client
from syncjobs.engine.protocols import Reporter, State
from syncjobs.engine.reasons import Sides, reason
from syncjobs.engine.translation import Translations, Translator
from syncjobs.engine.values import Counts, EntityTask, LinkRow
from syncjobs.errors import OverBudget

Item = TypeVar("Item")

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
    """How one entity compares: records on each side, those equal, and the differences.

    `read` are the server's records whose values were read, or digested by their database.
    """

    entity: str
    read: int = 0
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
    *,
    quick: bool = False,
    budget: int | None = None,
) -> Iterator[Verified]:
    """Yield how each entity compares; `quick` as `fingerprints` tells.

    After `budget` requests to the server it raises OverBudget, where it is. Raises connector
    errors, Cancelled and LostLease.
    """
    translations = state.translations(MATCH_KEYS)
    spent = Budget(server, budget)
    trusted = server.identify().organization_id if quick else ""
    for task in tasks:
        spent.check()
        verification = _Verification(server, client, task, state, spool, reporter, translations)
        yield verification.carry_out(spent, trusted)


class Budget:
    """How many requests to the server a verification may send, counted by the connector."""

    def __init__(self, server: Connector, budget: int | None) -> None:
        """Count from now on; None: no limit."""
        self._server, self._budget = server, budget
        self._before = server.requests_sent()

    def check(self) -> None:
        """Raise OverBudget when all are used up."""
        if self._budget is None:
            return
        if self._server.requests_sent() - self._before >= self._budget:
            raise OverBudget(f"The budget of {self._budget:,} requests is used up.")


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
        self._there = ServerSide(server, task, self._layout, translator)
        self._found = Verified(entity=task.name)
        self._not_equal = 0

    def carry_out(self, budget: Budget, trusted: str) -> Verified:
        """`trusted` is the organization whose versions stand for values; '': none does."""
        self._spool.clear()
        expected = self._server.estimate(self._task.server, self._task.query)
        self._reporter.entity_started(self._task.name, full=not trusted, expected=expected)
        if not self._digest_in_buckets():
            self._read_server(budget, trusted)
            self._read_client()
        left = set(self._state.left_behind(self._task.key))
        for batch in self._spool.unequal(PAGE):
            self._step(budget)
            self._look_again(batch, left)
        self._found.equal = self._found.client - self._not_equal
        return self._found

    def _step(self, budget: Budget) -> None:
        self._reporter.checkpoint()
        budget.check()

    def _digest_in_buckets(self) -> bool:
        compared = buckets.compare(self._server, self._client, self._task, self._layout)
        if compared is None:
            return False
        self._found.server = self._found.read = compared.server
        self._found.client = compared.client
        self._reporter.progress(self._task.name, Counts(read=compared.server))
        for hashed in compared.of_server():
            self._put(hashed, of_server=True)
        for hashed in compared.of_client():
            self._put(hashed, of_server=False)
        return True

    def _put(self, hashed: Sequence[tuple[str, str]], *, of_server: bool) -> None:
        self._reporter.checkpoint()
        prints = [Fingerprint(item, item, digest) for item, digest in hashed]
        self._spool.put(prints, of_server=of_server)

    def _read_server(self, budget: Budget, trusted: str) -> None:
        trust = Trust(trusted, self._state, self._task, self._layout) if trusted else None
        if trust is not None and trust.is_possible:
            self._read_versions(trust, budget)
            return
        with closing(self._ahead(self._there.everything())) as coming:
            for page in coming:
                self._step(budget)
                self._spool_server(page.ids, page.digests, page.rows)
                self._found.read += len(page.ids)

    def _read_versions(self, trust: Trust, budget: Budget) -> None:
        with closing(self._ahead(self._there.versions())) as coming:
            for ids, versions in coming:
                self._step(budget)
                links = self._state.links(self._task.key, ids)
                agreed = {
                    item: digest
                    for item, version in zip(ids, versions, strict=True)
                    if (digest := trust.digest(links.get(item), version))
                }
                self._spool_server(list(agreed), list(agreed.values()), ())
                self._read_by_id([item for item in ids if item not in agreed])

    def _read_by_id(self, ids: Sequence[str]) -> None:
        if not ids:
            return
        page = self._there.reader.by_id(ids)
        places = [place for place, item in enumerate(page.ids) if item not in page.outside]
        self._spool_server(
            [page.ids[place] for place in places],
            [page.digests[place] for place in places],
            [page.rows[place] for place in places],
        )
        self._found.read += len(places)

    def _spool_server(
        self, ids: Sequence[str], digests: Sequence[str], rows: Sequence[Row]
    ) -> None:
        client_ids = self._client_ids(ids, rows)
        prints = map(Fingerprint._make, zip(client_ids, ids, digests, strict=True))
        self._spool.put(list(prints), of_server=True)
        self._found.server += len(ids)
        self._reporter.progress(self._task.name, Counts(read=len(ids)))

    def _ahead(self, pages: Generator[Item, None, None]) -> Generator[Item, None, None]:
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

    def _client_ids(self, ids: Sequence[str], rows: Sequence[Row]) -> list[str]:
        """Return the client's ids of records of the server; rows are given of unlinked ones."""
        links = self._state.links(self._task.key, ids)
        other: Mapping[str, str] = {}
        if self._task.server.is_intersect and rows:
            unlinked = [row for item, row in zip(ids, rows, strict=True) if item not in links]
            other = pairs_on_client(self._client, self._task, self._layout, unlinked)
        return [
            links[item].client_id if item in links else other.get(item) or self._translated(item)
            for item in ids
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
        page = self._there.reader.by_id(ids)
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
