"""The place a connector is tried in, and what its tests are written with."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from weakref import WeakKeyDictionary

from connections.connectors.base import Batch, BatchResult, Connector, ReadRequest
from organizations.query.nodes import Condition, Group, Logic, Operator, Query
from organizations.records import Action, Page, Row, Value
from organizations.schema import Attribute, Entity

Values = Mapping[str, Value]
MISSING = "99999999-9999-4999-8999-999999999999"


class Place(ABC):
    """An organization with the sample's metadata, and connectors to it."""

    can_link = True
    """Whether its filters may use linked entities."""
    is_disturbed = False
    """Whether answers get lost, so that nobody can tell who deleted a record that is gone."""

    @abstractmethod
    def connector(self) -> Connector:
        """Return a new connector, not yet opened."""

    def neighbour(self) -> Connector | None:
        """Return a connector of another connection; None where no log of edits is kept."""
        return None

    @abstractmethod
    def create(self, entity: str, values: Values, record_id: str = "") -> str:
        """Make a record with values by column name and return its id."""

    @abstractmethod
    def update(self, entity: str, record_id: str, values: Values) -> None:
        """Change a record."""

    @abstractmethod
    def delete(self, entity: str, record_id: str) -> None:
        """Remove a record."""

    @abstractmethod
    def associate(self, thing: str, note: str) -> None:
        """Make a pair of thing and note."""

    @abstractmethod
    def disassociate(self, thing: str, note: str) -> None:
        """Remove the pair."""

    @abstractmethod
    def expire(self) -> None:
        """Forget what changed until now."""

    @abstractmethod
    def spoil(self, record_id: str) -> bool:
        """Make a thing unreadable; False where such a thing cannot exist."""

    @abstractmethod
    def unacceptable(self, record_id: str) -> Values:
        """Return values of a thing with that id that the organization will not take."""


def make_things(place: Place, number: int) -> list[str]:
    return [place.create("thing", {"text": f"thing {at}"}) for at in range(number)]


_described: WeakKeyDictionary[Connector, dict[str, Entity]] = WeakKeyDictionary()


def described(connector: Connector, name: str) -> Entity:
    """Return the entity; each connector is asked once, since it takes many requests."""
    known = _described.setdefault(connector, {})
    if name not in known:
        (known[name],) = connector.describe([name])
    return known[name]


def named(entity: Entity, name: str) -> Attribute:
    attribute = entity.attribute(name)
    assert attribute is not None, name
    return attribute


def request(connector: Connector, entity: str, *names: str, **more: Any) -> ReadRequest:
    """Ask for these attributes, or for all that are stored."""
    known = described(connector, entity)
    stored = (item for item in known.attributes if item.is_stored and item.name != "versionnumber")
    wanted = tuple(item for item in stored if not names or item.name in names)
    return ReadRequest(entity=known, attributes=wanted, **more)


def changes(connector: Connector, entity: str, pages: Sequence[Page]) -> list[Page]:
    return list(connector.read(request(connector, entity, since=pages[-1].checkpoint)))


def equal(attribute: str, value: int | str) -> Query:
    condition = Condition(attribute, Operator.EQ, (value,))
    return Query(entity="thing", filter=Group(Logic.AND, (condition,)))


def ids_of(pages: Iterable[Page]) -> list[str]:
    return [str(row[0]) for page in pages for row in page.rows]


def deleted_of(pages: Iterable[Page]) -> set[str]:
    return {record_id for page in pages for record_id in page.deleted}


def rows_of(pages: Iterable[Page]) -> dict[str, dict[str, Value]]:
    return {
        str(row[0]): dict(zip(page.columns, row, strict=True))
        for page in pages
        for row in page.rows
    }


def versions_of(pages: Iterable[Page]) -> dict[str, int]:
    return {
        str(row[0]): version
        for page in pages
        for row, version in zip(page.rows, page.versions, strict=True)
    }


def write(
    connector: Connector,
    action: Action,
    records: Sequence[tuple[str, Values]],
    expected: Sequence[int],
    entity: str = "thing",
) -> BatchResult:
    """Write records that all have values for the same columns."""
    known = described(connector, entity)
    names = tuple(records[0][1])
    rows: list[Row] = [(id_, *(values[name] for name in names)) for id_, values in records]
    columns = (known.primary_id, *names)
    batch = Batch(action=action, columns=columns, rows=rows, expected=expected)
    return connector.write(known, connector.stage(known, batch))
