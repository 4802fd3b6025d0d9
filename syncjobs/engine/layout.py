"""One order of values for both sides, and the digest that decides "unchanged" (design 5.1.3).

The *layout* of an entity is its primary id, then the columns that both sides have, by name. Rows
of both connectors are brought into it; where a connector keeps the order it was asked in, that
costs nothing.

The *digest* of a record is BLAKE2b with 128 bits over the MessagePack array of its compared
columns, in the layout's order, without the primary id: null as nil, booleans, integers and floats
as their MessagePack types, text, GUIDs, dates and lists as strings, decimals as the string of
their canonical form (so 1.50 at two places is "1.50"). It is taken of the record in the client's
terms, that is with lookups to matched records translated.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from hashlib import blake2b
from operator import itemgetter

import msgspec

from connections.errors import MetadataChanged
from organizations.records import Page, Row
from organizations.schema import Attribute, Column, columns
from syncjobs.engine.values import EntityTask

_encode = msgspec.msgpack.Encoder(decimal_format="string").encode
_hash = partial(blake2b, digest_size=16)


class Layout:
    """The order of values of one entity in the engine.

    `columns` are names, primary id first; `attributes` is what to ask the server for,
    `client_attributes` the same attributes as the client defines them.
    """

    def __init__(self, task: EntityTask) -> None:
        """Find the columns that both sides have."""
        both = _common(task)
        self.primary_id = task.server.primary_id
        self.attributes: tuple[Attribute, ...] = _attributes(task, both)
        self.client_attributes = tuple(
            found
            for attribute in self.attributes
            if (found := task.client.attribute(attribute.name)) is not None
        )
        self.columns = (self.primary_id, *(column.name for column in both))
        self.of_column = {column.name: column for column in both}
        self._compared = [
            place for place, column in enumerate(both, 1) if column.attribute.is_compared
        ]

    @property
    def compared(self) -> frozenset[str]:
        """Names of the columns that decide "unchanged"."""
        return frozenset(self.columns[place] for place in self._compared)

    @property
    def editable(self) -> frozenset[str]:
        """Names of the columns that the server lets somebody write."""
        return frozenset(
            name
            for name, column in self.of_column.items()
            if column.attribute.is_creatable or column.attribute.is_updatable
        )

    def align(self, page: Page) -> Sequence[Row]:
        """Return the page's rows in the layout's order; raises MetadataChanged."""
        if page.columns == self.columns:
            return page.rows
        missing = set(self.columns) - set(page.columns)
        if missing:
            raise MetadataChanged(
                f"Entity '{page.entity}' came without its attribute '{min(missing)}'. "
                "Run Update Server."
            )
        take = _taker([page.columns.index(name) for name in self.columns])
        return [take(row) for row in page.rows]

    def digests(self, rows: Iterable[Row]) -> list[str]:
        """Return the digest of each row."""
        encode, hash_, compared = _encode, _hash, self._compared
        if compared == list(range(1, len(self.columns))):
            return [hash_(encode(row[1:])).hexdigest() for row in rows]
        take = _taker(compared)
        return [hash_(encode(take(row))).hexdigest() for row in rows]


def _common(task: EntityTask) -> list[Column]:
    wanted = {attribute.name for attribute in task.attributes}
    on_client = {column.name for column in columns(task.client)}
    return sorted(
        (
            column
            for column in columns(task.server)
            if column.name in on_client
            and column.attribute.name in wanted
            and column.attribute.name != task.server.primary_id
        ),
        key=lambda column: column.name,
    )


def _attributes(task: EntityTask, both: Iterable[Column]) -> tuple[Attribute, ...]:
    primary = task.server.attribute(task.server.primary_id)
    if primary is None:
        raise MetadataChanged(f"Entity '{task.name}' has no primary id. Run Update Server.")
    found = {column.attribute.name: column.attribute for column in both}
    return (primary, *found.values())


def _taker(places: Sequence[int]) -> Callable[[Row], Row]:
    if len(places) > 1:
        return itemgetter(*places)
    return lambda row: tuple(row[place] for place in places)
