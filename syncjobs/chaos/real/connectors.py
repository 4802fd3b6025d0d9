"""Connectors to the real organizations to which the weather happens, and of which we are told."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from django.db import connection, transaction

from connections.connectors.base import (
    Batch,
    BatchResult,
    Connector,
    Failure,
    FailureKind,
    Identity,
    ReadRequest,
)
from connections.connectors.dynamics.connector import DynamicsConnector
from connections.connectors.hosted import HostedConnector
from connections.connectors.http import Patience
from connections.egress import Session
from organizations.records import Action, Page, Rejection
from organizations.schema import Attribute, Entity
from syncjobs.chaos.ledger import By
from syncjobs.chaos.real.organizations import RealClient, RealOrganization, RealServer
from syncjobs.chaos.stormy import Stormy
from syncjobs.chaos.weather import Fault, Place, Weather

_REJECTED = partial(Failure, kind=FailureKind.REJECTED, code="refused", message="Poisoned.")
_ILLEGIBLE = "Nobody can read it."
_ATTEMPTS = 3


class Telling(Connector):
    """To be mixed in below the weather: what is written is told, what is refused remembered."""

    told: RealOrganization
    _is_rehearsing = False

    def write(self, entity: Entity, batch: Batch) -> BatchResult:
        """Write, then tell, whether the answer arrived or not."""
        if self._is_rehearsing:
            return super().write(entity, batch)  # type: ignore[safe-super]
        meant = set(_ids(batch)) if batch.action is Action.DELETE else None
        try:
            result = super().write(entity, batch)  # type: ignore[safe-super]
        finally:
            self._tell(meant)
        for position, failure in result.failed.items():
            if failure.kind is FailureKind.REJECTED:
                refuse = partial(self.told.refuse, _ids(batch)[position], failure.message)
                transaction.on_commit(refuse)
        return result

    def _tell(self, meant: Collection[str] | None) -> None:
        """Tell what was written; of a hosted client, as soon as its page is committed."""
        is_apart = connection.connection is not None and not connection.in_atomic_block
        if is_apart and not connection.is_usable():
            # A worker that lost its session has none in which we could look either.
            connection.close()
        transaction.on_commit(partial(self.told.tell, By.ENGINE, meant=meant))


class StormyClient(Stormy, Telling, HostedConnector):
    """The hosted client in a storm."""

    def __init__(self, organization: RealClient, weather: Weather, *, origin: str) -> None:
        """`origin` is the connection's id."""
        super().__init__(organization.store.organization, origin=origin)
        self.told, self.weather, self.name = organization, weather, organization.side.value

    def write(self, entity: Entity, batch: Batch) -> BatchResult:
        """Write; what is only rehearsed meets no weather."""
        if self._is_rehearsing:
            return HostedConnector.write(self, entity, batch)
        if batch.staged is not None:
            # What was rendered has no rows any more, and the weather asks for ids.
            batch = replace(batch, rows=[(item,) for item in _ids(batch)])
        return super().write(entity, batch)

    def rehearse(self, entity: Entity, batch: Batch) -> BatchResult:
        """Rehearse; nobody is told of it."""
        self._is_rehearsing = True
        try:
            return super().rehearse(entity, batch)
        finally:
            self._is_rehearsing = False

    def versions(self, entity: Entity, batch: Batch) -> list[int]:
        """Return the versions that the records of a batch have now (0: there is none)."""
        return _versions(HostedConnector.fetch(self, entity, (), _ids(batch)), _ids(batch))


class StormyServer(Stormy, Telling, DynamicsConnector):
    """The twin in a storm. Poisoned records are refused, illegible ones cannot be read."""

    told: RealServer

    def __init__(
        self,
        organization: RealServer,
        weather: Weather,
        login: tuple[str, str, str],
        session: Session,
    ) -> None:
        """`login`: address, user name and secret."""
        patience = Patience(attempts=_ATTEMPTS, sleep=lambda seconds: None)
        super().__init__(*login, session=session, patience=patience)
        self.told, self.weather, self.name = organization, weather, organization.side.value
        self._identity: Identity | None = None

    def identify(self) -> Identity:
        """Ask once: the twin stays what it is for the life of a world."""
        if self._identity is None:
            self._identity = super().identify()
        return self._identity

    def read(self, request: ReadRequest) -> Iterator[Page]:
        """Yield pages."""
        for page in super().read(request):
            yield self._legible(page)

    def fetch(self, entity: Entity, attributes: Sequence[Attribute], ids: Sequence[str]) -> Page:
        """Fetch records by id."""
        return self._legible(super().fetch(entity, attributes, ids))

    def write(self, entity: Entity, batch: Batch) -> BatchResult:
        """Write what is not poisoned."""
        self.told.go_on()
        poisoned = self.told.faults.always_rejected
        good = [place for place, item in enumerate(_ids(batch)) if item not in poisoned]
        if len(good) == len(batch.rows):
            return super().write(entity, batch)
        return self._expanded(batch, good, super().write(entity, _part(batch, good)))

    def versions(self, entity: Entity, batch: Batch) -> list[int]:
        """Return the versions that the records of a batch have now (0: there is none)."""
        return _versions(DynamicsConnector.fetch(self, entity, (), _ids(batch)), _ids(batch))

    def _legible(self, page: Page) -> Page:
        unreadable = self.told.faults.unreadable
        hidden = [str(row[0]) for row in page.rows if row[0] in unreadable]
        if not hidden:
            return page
        kept = [place for place, row in enumerate(page.rows) if row[0] not in unreadable]
        rejected = [Rejection(id=item, code="illegible", message=_ILLEGIBLE) for item in hidden]
        return replace(
            page,
            rows=[page.rows[place] for place in kept],
            versions=[page.versions[place] for place in kept],
            rejected=[*page.rejected, *rejected],
        )

    def _expanded(self, batch: Batch, good: Sequence[int], result: BatchResult) -> BatchResult:
        ids, versions = _ids(batch), [0] * len(batch.rows)
        failed = dict.fromkeys(set(range(len(ids))) - set(good), _REJECTED())
        for place in failed:
            self.told.refuse(ids[place], "Poisoned.")
        for number, place in enumerate(good):
            ids[place], versions[place] = result.ids[number], result.versions[number]
            if number in result.failed:
                failed[place] = result.failed[number]
        return BatchResult(ids=ids, versions=versions, failed=failed)


@dataclass
class AtWrites(Weather):
    """The weather `of` a world, where it is written only.

    The product reads ahead in threads, and what strikes there strikes in no certain order.
    """

    of: Weather = field(default_factory=Weather)

    def come(self, place: Place, name: str = "") -> Fault | None:
        """Come to a place, if it is one of writing."""
        return self.of.come(place, name) if place in (Place.WRITE, Place.WRITTEN) else None


class HiredServer(StormyServer):
    """The twin as a worker of the product has it, which gives no options to the engine."""

    reads_apart = False

    def __init__(
        self,
        organization: RealServer,
        weather: Weather,
        login: tuple[str, str, str],
        session: Session,
    ) -> None:
        """As of one that is not hired."""
        super().__init__(organization, AtWrites(of=weather), login, session)


def _part(batch: Batch, places: Sequence[int]) -> Batch:
    return replace(
        batch,
        rows=[batch.rows[place] for place in places],
        expected=[batch.expected[place] for place in places],
        changed=[batch.changed[place] for place in places] if batch.changed else (),
    )


def _ids(batch: Batch) -> list[str]:
    if batch.rendered is not None:
        return list(batch.rendered.ids)
    return [str(row[0]) for row in batch.rows]


def _versions(page: Page, ids: Sequence[str]) -> list[int]:
    known = {str(row[0]): version for row, version in zip(page.rows, page.versions, strict=True)}
    return [known.get(item, 0) for item in ids]
