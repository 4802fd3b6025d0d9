"""Connectors to which the weather happens, whatever organization is behind them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import replace

from connections.connectors.base import (
    Batch,
    BatchResult,
    Connector,
    Edits,
    Failure,
    FailureKind,
    ReadRequest,
)
from connections.connectors.memory import MemoryConnector
from connections.connectors.memory.faults import all_conflicts
from connections.errors import Retryable
from organizations.query.nodes import Query
from organizations.records import Action, Page, Row, Value
from organizations.schema import Attribute, Entity
from syncjobs.chaos.organization import WatchedOrganization
from syncjobs.chaos.weather import Fault, Place, Weather
from syncjobs.engine.values import Side


class Stormy(Connector):
    """To be mixed in before a connector: every call comes to a place of the weather first."""

    weather: Weather
    name: str

    def read(self, request: ReadRequest) -> Iterator[Page]:
        """Yield pages, some twice, some cut off; or, of a full reading, only its empty end."""
        is_silent = self._is_silent(request)
        for page in super().read(request):  # type: ignore[safe-super]
            if is_silent:
                if page.checkpoint is not None:
                    yield replace(page, rows=(), versions=(), rejected=(), resume=None)
                continue
            fault = self.weather.come(Place.PAGE, self.name)
            if fault is Fault.TRUNCATED:
                cut = replace(page, rows=page.rows[:1], versions=page.versions[:1])
                yield replace(cut, deleted=(), resume=None, checkpoint=None)
                raise Retryable("The answer broke off.", code="truncated")
            yield page
            if fault is Fault.DUPLICATED:
                yield page

    def _is_silent(self, request: ReadRequest) -> bool:
        # Only of an organization that had records can somebody know that it has some.
        is_whole = not (request.since or request.resume)
        if not (is_whole and self.weather.was_read(request.entity.name)):
            return False
        return self.weather.come(Place.WHOLE, self.name) is Fault.EMPTY

    def ids(self, entity: Entity, query: Query | None = None) -> Iterator[Sequence[str]]:
        """Yield ids, or none of them."""
        if self.weather.come(Place.IDS, self.name) is Fault.EMPTY:
            return
        yield from super().ids(entity, query)  # type: ignore[safe-super]

    def matching(self, entity: Entity, query: Query, ids: Sequence[str]) -> set[str]:
        """Ask for membership."""
        self.weather.come(Place.ASK, self.name)
        return super().matching(entity, query, ids)  # type: ignore[safe-super]

    def fetch(self, entity: Entity, attributes: Sequence[Attribute], ids: Sequence[str]) -> Page:
        """Fetch records by id."""
        self.weather.come(Place.ASK, self.name)
        return super().fetch(entity, attributes, ids)  # type: ignore[safe-super]

    def edits(self, names: Collection[str], since: int, *, limit: int = 5000) -> Edits:
        """Read what users wrote."""
        self.weather.come(Place.EDITS, self.name)
        return super().edits(names, since, limit=limit)

    def write(self, entity: Entity, batch: Batch) -> BatchResult:
        """Write, or not, or lose the answer."""
        if self.weather.come(Place.WRITE, self.name) is Fault.CONFLICT:
            return all_conflicts(batch, self.versions(entity, batch))
        result = super().write(entity, batch)  # type: ignore[safe-super]
        self.weather.come(Place.WRITTEN, self.name)
        return result

    def versions(self, entity: Entity, batch: Batch) -> list[int]:
        """Return the versions that the records of a batch have now (0: there is none)."""
        found = super().fetch(entity, (), [str(row[0]) for row in batch.rows])  # type: ignore[safe-super]
        known = {
            str(row[0]): version for row, version in zip(found.rows, found.versions, strict=True)
        }
        return [known.get(str(row[0]), 0) for row in batch.rows]


class StormyMemory(Stormy, MemoryConnector):
    """The connector to a watched organization, which may refuse records."""

    organization: WatchedOrganization

    def __init__(self, organization: WatchedOrganization, weather: Weather, *, origin: str) -> None:
        """`organization` names the side in whose weather this stands."""
        super().__init__(organization, origin=origin, now=organization.clock())
        self.weather, self.name = weather, organization.side.value
        self._is_rehearsing, self.stamps = False, organization.side is Side.SERVER

    def rehearse(self, entity: Entity, batch: Batch) -> BatchResult:
        """Rehearse; nobody is told of it, and what the organization itself demands is not tried."""
        forget, restore = self.organization.ledger.keep_all(), self.organization.keep()
        refused, self._is_rehearsing = dict(self.organization.refused), True
        unreadable = set(self.organization.faults.unreadable)
        try:
            return super().rehearse(entity, batch)
        finally:
            self._is_rehearsing, self.organization.refused = False, refused
            self.organization.faults.unreadable = unreadable
            restore()
            forget()

    def _write_row(
        self, entity: Entity, batch: Batch, row: Row, expected: int
    ) -> tuple[str, int, Failure | None]:
        organization, record_id = self.organization, str(row[0])
        version = self._version(entity, row)
        reason = ""
        is_checked = organization.side is Side.SERVER and not self._is_rehearsing
        if is_checked and version == expected and batch.action is not Action.DELETE:
            reason = organization.objection(entity.name, self._values(entity, batch, row))
        if reason:
            return record_id, version, self._refuse(record_id, reason)
        outcome = super()._write_row(entity, batch, row, expected)
        failure = outcome[2]
        if failure is not None and failure.kind is FailureKind.REJECTED:
            self._refuse(record_id, failure.message)
        return outcome

    def _values(self, entity: Entity, batch: Batch, row: Row) -> dict[str, Value]:
        given = dict(zip(batch.columns, row, strict=True))
        if batch.action is Action.CREATE:
            return given
        return {**self.organization.get(entity.name, str(row[0])), **given}

    def _refuse(self, record_id: str, reason: str) -> Failure:
        self.organization.refused[record_id] = reason
        self.organization.refused_ever.add(record_id)
        return Failure(kind=FailureKind.REJECTED, code="refused", message=reason)
