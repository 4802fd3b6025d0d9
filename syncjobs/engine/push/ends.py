"""Both ends of one entity: records of either side in the client's terms, rows in the server's."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import orjson

from connections.connectors.base import Connector
from connections.errors import Rejected
from organizations.records import Row, Value
from organizations.schema import (
    UNSTORED_TYPES,
    AttributeType,
    Column,
    ColumnPart,
    Source,
)
from organizations.values import InvalidValue, parse
from syncjobs.engine.layout import Layout
from syncjobs.engine.matching import MATCH_KEYS
from syncjobs.engine.plan import ClientRecord
from syncjobs.engine.transactions import Changed
from syncjobs.engine.translation import Translations, Translator
from syncjobs.engine.values import EntityTask

STATES = ("statecode", "statuscode")
_TYPE = "__type"

Record = tuple[str, str]
"""Entity and client id."""


class ServerRecord(NamedTuple):
    """What the server has now: `row` in the client's terms, `own` in the server's."""

    version: int
    digest: str
    row: Row
    own: Row


class Reference(NamedTuple):
    """A column that names another record, of the client."""

    column: str
    record: Record


@dataclass(frozen=True, slots=True)
class Names:
    """Which ids matched records have on either side, both ways."""

    to_client: Translations
    to_server: Translations

    @classmethod
    def of(cls, to_client: Translations) -> Names:
        """Turn (entity, server id) → client id round for the way back."""
        back = {(entity, client): server for (entity, server), client in to_client.items()}
        return cls(to_client, back)


class Ends:
    """One entity as push needs it."""

    def __init__(
        self, server: Connector, client: Connector, task: EntityTask, names: Names
    ) -> None:
        """`names` are of all matched entities, because lookups refer to them."""
        self.task, self.layout = task, Layout(task)
        self._server, self._client, self._names = server, client, names
        self._here = Translator(task, self.layout, names.to_client)
        self._there = Translator(task, self.layout, names.to_server)
        self.place = {name: place for place, name in enumerate(self.layout.columns)}

    @property
    def name(self) -> str:
        """Logical name of the entity."""
        return self.task.name

    @property
    def is_matched(self) -> bool:
        """Whether its records exist on both sides by themselves."""
        return self.task.name in MATCH_KEYS

    @property
    def targets(self) -> frozenset[str]:
        """Logical names of the entities that its records can name."""
        return frozenset(name for item in self.task.attributes for name in item.targets)

    def on_client(self, ids: Sequence[str]) -> dict[str, ClientRecord]:
        """Return what the client has of these records, by client id."""
        page = self._client.fetch(self.task.client, self.layout.client_attributes, ids)
        rows = self.layout.align(page)
        found = map(ClientRecord, page.versions, self.layout.digests(rows), rows)
        return dict(zip((str(row[0]) for row in rows), found, strict=True))

    def on_server(self, ids: Sequence[str]) -> dict[str, ServerRecord | Rejected]:
        """Return what the server has of these records, by server id; Rejected: unreadable."""
        if not ids:
            return {}
        page = self._server.fetch(self.task.server, self.layout.attributes, ids)
        own = self.layout.align(page)
        rows = self._here.rows(own)
        found: dict[str, ServerRecord | Rejected] = {
            str(row[0]): ServerRecord(version, digest, row, mine)
            for row, mine, version, digest in zip(
                rows, own, page.versions, self.layout.digests(rows), strict=True
            )
        }
        refused = {item.id: Rejected(item.message, code=item.code) for item in page.rejected}
        return found | refused

    def server_id(self, client_id: str) -> str:
        """Return the id an unlinked record has, or will have, on the server."""
        return self._names.to_server.get((self.name, client_id), client_id)

    def to_server(self, row: Row, server_id: str) -> Row:
        """Return a row of the client in the server's terms."""
        (translated,) = self._there.rows([row])
        return (server_id, *translated[1:])

    def changes(self, changes: Mapping[str, Changed]) -> dict[str, Changed]:
        """Return the changes of columns that both sides have, as canonical values.

        Raises Rejected for a value that is none of its column's.
        """
        found = {}
        for name, (old, new) in changes.items():
            column = self.layout.of_column.get(name)
            if column is not None:
                found[name] = Changed(_canonical(column, old), _canonical(column, new))
        return found

    def is_told(self, changes: Mapping[str, Changed] | None) -> bool:
        """Return whether it is known what was changed: not every column, each from nothing."""
        if changes is None:
            return False
        is_whole = changes.keys() >= self.layout.editable
        return not is_whole or any(changed.old is not None for changed in changes.values())

    def is_writable(self, name: str, *, creating: bool) -> bool:
        """Return whether the server takes values of a column from others."""
        attribute = self.layout.of_column[name].attribute
        allowed = attribute.is_creatable if creating else attribute.is_updatable
        return (
            allowed
            and attribute.source is Source.SIMPLE
            and attribute.attribute_of is None
            and attribute.type not in UNSTORED_TYPES
        )

    def together(self, names: Iterable[str]) -> frozenset[str]:
        """Return the columns with what must go with them: a lookup and its kind."""
        plain = {name.removesuffix(_TYPE) for name in names}
        pairs = {f"{name}{_TYPE}" for name in plain} & self.place.keys()
        return frozenset(plain | pairs)

    def last(self, names: Iterable[str]) -> tuple[frozenset[str], frozenset[str]]:
        """Return which of the columns are state and status, and which are the owner's."""
        owners = {
            name
            for name in names
            if self.layout.of_column[name].attribute.type is AttributeType.OWNER
        }
        return frozenset(name for name in names if name in STATES), frozenset(owners)

    def references(self, values: Mapping[str, Value]) -> Iterator[Reference]:
        """Yield the records that these values name; where the kind is not told, of every kind."""
        pair = self.task.server.intersect
        for name, value in values.items():
            column = self.layout.of_column.get(name)
            if column is None or value is None or column.part is not ColumnPart.VALUE:
                continue
            if pair is not None and name in (pair.attribute1, pair.attribute2):
                target = pair.entity1 if name == pair.attribute1 else pair.entity2
                yield Reference(name, (target, str(value)))
            elif column.attribute.is_lookup:
                for target in _targets(column, values):
                    yield Reference(name, (target, str(value)))
            elif column.attribute.type is AttributeType.PARTYLIST:
                for _, entity, party in orjson.loads(str(value)):
                    yield Reference(name, (str(entity), str(party)))


def _targets(column: Column, values: Mapping[str, Value]) -> tuple[str, ...]:
    kind = values.get(f"{column.name}{_TYPE}")
    return (str(kind),) if kind else column.attribute.targets


def _canonical(column: Column, value: Value) -> Value:
    if column.part is not ColumnPart.VALUE:
        return value
    try:
        return parse(column.attribute, value)
    except InvalidValue as error:
        raise Rejected(str(error), code="invalid-value") from error
