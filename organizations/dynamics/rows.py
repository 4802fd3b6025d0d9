"""Flat rows of the store as JSON objects, compiled once per entity, selection and annotations."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from operator import itemgetter
from typing import Any, Protocol

from organizations.dynamics.annotations import Annotator
from organizations.dynamics.errors import bad_request
from organizations.dynamics.names import Shape, is_stored, property_name
from organizations.preferences import Preferences
from organizations.records import Row
from organizations.schema import VERSION, Attribute, AttributeType
from organizations.store import Store

Document = dict[str, Any]
ETAG = "@odata.etag"
_CURRENCY = "transactioncurrencyid"
OWNER_ID = "ownerid"
_PRINCIPALS = frozenset({"systemuser", "team"})
"""Kinds of `principal`, whose key `ownerid` they show beside their own (Microsoft: join tables)."""
_ON_REQUEST = frozenset({AttributeType.IMAGE, AttributeType.FILE})


def selected(shape: Shape, select: str | None) -> list[Attribute]:
    """Return the attributes that `$select` names; the primary id is always one of them.

    Without `$select` that is everything but images and files. Selecting money adds its
    currency. Raises WebApiError 400 for an unknown property.
    """
    if select is None:
        found = [item for item in shape.properties.values() if item.type not in _ON_REQUEST]
    else:
        names = [name.strip() for name in select.split(",") if name.strip()]
        if "*" in names:
            raise bad_request("$select=* is not supported: name the properties.", "0x80060888")
        found = [shape.property(name) for name in names]
        key = shape.properties.get(shape.entity.primary_id)
        currency = shape.properties.get(f"_{_CURRENCY}_value")
        if currency and any(item.type is AttributeType.MONEY for item in found):
            found.append(currency)
        found += [key] if key else []
    return list({item.name: item for item in found}.values())


class Writer(Protocol):
    """What turns flat rows into JSON objects."""

    @property
    def columns(self) -> list[str]:
        """What a page of the store must hold, in this order; rows carry the version last."""

    def write(self, store: Store, rows: Sequence[Row]) -> list[Document]:
        """Return one object per row."""


class RowWriter:
    """Turns flat rows of one entity into JSON objects.

    `columns` are what a page of the store must hold, in this order; rows carry the version last.
    Those of `hidden` attributes are among them but not shown.
    """

    def __init__(
        self,
        shape: Shape,
        attributes: Sequence[Attribute],
        preferences: Preferences,
        language: int,
        hidden: Sequence[Attribute] = (),
    ) -> None:
        """Work out columns, keys and annotations."""
        self.shape = shape
        self.columns = [shape.entity.primary_id]
        for attribute in (*attributes, *hidden):
            self._add_columns(attribute)
        places = {name: index for index, name in enumerate(self.columns)} | {VERSION: -1}
        self._missing = {
            property_name(item): None for item in attributes if item.name not in places
        }
        present = [item for item in attributes if item.name in places]
        self._keys = [property_name(item) for item in present]
        found = [places[item.name] for item in present]
        self._pick, self._plain_pick = _picker(found), _picker([-1, *found])
        self._plain_keys = [ETAG, *self._keys]
        self._annotator = Annotator(shape, present, places, preferences, language)

    def _add_columns(self, attribute: Attribute) -> None:
        if not is_stored(attribute):
            return
        names = [attribute.name] + ([f"{attribute.name}__type"] if attribute.is_polymorphic else [])
        self.columns += [name for name in names if name not in self.columns]

    def write(self, store: Store, rows: Sequence[Row]) -> list[Document]:
        """Return one object per row."""
        if self._annotator.is_needed:
            written = list(self._annotated(store, rows))
        else:
            written = [self._plain(row) for row in rows]
        if self.shape.entity.name in _PRINCIPALS and OWNER_ID not in self._keys:
            for document, row in zip(written, rows, strict=True):
                document[OWNER_ID] = row[0]
        return written

    def _plain(self, row: Row) -> Document:
        # The version holds the first place of the dictionary for the etag.
        document: Document = dict(zip(self._plain_keys, self._plain_pick(row), strict=False))
        document[ETAG] = f'W/"{row[-1]}"'
        return document | self._missing if self._missing else document

    def _annotated(self, store: Store, rows: Sequence[Row]) -> Iterable[Document]:
        annotate = self._annotator.prepare(store, rows)
        for row in rows:
            document: Document = {ETAG: f'W/"{row[-1]}"'}
            values = self._pick(row)
            for position, key in enumerate(self._keys):
                document.update(annotate(position, row))
                document[key] = values[position]
            yield document | self._missing


def _picker(places: Sequence[int]) -> Callable[[Row], tuple[Any, ...]]:
    if len(places) > 1:
        return itemgetter(*places)
    return lambda row: tuple(row[place] for place in places)
