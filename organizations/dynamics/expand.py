"""`$expand`: related records within their records (Microsoft: join tables using OData).

Each navigation costs one or two statements a page, however many rows the page has. Without a
nested `$expand`, a collection is given whole (5,000 records) with the address of all of it; with
one anywhere in the query, collections come in pages of the size asked for.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from organizations.dynamics.call import Call
from organizations.dynamics.errors import WebApiError, bad_request, unknown_property
from organizations.dynamics.expand_collections import Collection
from organizations.dynamics.expand_lookups import Lookup, Target
from organizations.dynamics.expand_syntax import Item
from organizations.dynamics.names import Navigation, Shape, Side
from organizations.dynamics.rows import OWNER_ID, Document, RowWriter, Writer, selected
from organizations.query.nodes import Order
from organizations.query.odata_reader import Filter, read_filter, read_order
from organizations.records import Row
from organizations.schema import Attribute
from organizations.store import Store

_WRONG_CLAUSE = (
    "Only $select and $filter clause can be provided while doing $expand on many-to-one "
    "relationship or nested one-to-many relationship."
)
_WRONG_REFERENCE = "Expand with $ref is only supported on lookup type navigation property."


class _Expansion(Protocol):
    """Fills one navigation into the documents of a page."""

    def fill(self, documents: Sequence[Document], rows: Sequence[Row]) -> None:
        """Add the navigation to each document; `rows` are those they were made of."""


def writer(
    call: Call, shape: Shape, attributes: list[Attribute], items: tuple[Item, ...]
) -> Writer:
    """Return what writes rows with these navigations expanded. Raises WebApiError 400."""
    if not items:
        return RowWriter(shape, attributes, call.preferences, call.organization.language)
    is_nested = any(item.nested for item in items)
    return _Expander(call, is_nested).writer(shape, attributes, items)


@dataclass(frozen=True, slots=True)
class _Expander:
    """Makes writers; `is_nested` tells that a `$expand` stands within another."""

    call: Call
    is_nested: bool

    def writer(self, shape: Shape, attributes: list[Attribute], items: Sequence[Item]) -> Writer:
        """Return what writes rows of an entity with these navigations expanded."""
        navigations = [_navigation(shape, item) for item in items]
        hidden: list[Attribute] = []
        for item, navigation in zip(items, navigations, strict=True):
            attribute = shape.entity.attribute(navigation.attribute)
            if navigation.side is Side.ONE and attribute is not None:
                hidden.append(attribute)
                if item.is_reference and attribute not in attributes:
                    attributes = [*attributes, attribute]
        call = self.call
        plain = RowWriter(shape, attributes, call.preferences, call.organization.language, hidden)
        made = [
            self._expansion(shape, item, navigation, plain.columns)
            for item, navigation in zip(items, navigations, strict=True)
        ]
        return _Writer(plain, made)

    def _expansion(
        self, shape: Shape, item: Item, navigation: Navigation, columns: Sequence[str]
    ) -> _Expansion:
        _check(item, navigation, self.is_nested)
        targets = [self._target(name, item, navigation) for name in self._known(navigation)]
        if navigation.side is not Side.ONE:
            return Collection(
                call=self.call,
                shape=shape,
                navigation=navigation,
                item=item,
                target=targets[0],
                top=_top(item),
                is_paged=self.is_nested,
            )
        kind = f"{navigation.attribute}__type"
        return Lookup(
            call=self.call,
            navigation=navigation,
            item=item,
            targets=targets,
            place=columns.index(navigation.attribute),
            type_place=columns.index(kind) if kind in columns else None,
        )

    def _known(self, navigation: Navigation) -> list[str]:
        known = [name for name in navigation.targets if self.call.catalog.enabled(name)]
        if known:
            return known
        raise bad_request(
            f"'{navigation.name}' leads to entity '{navigation.targets[0]}', which has no "
            "records in this organization."
        )

    def _target(self, name: str, item: Item, navigation: Navigation) -> Target:
        shape = Shape(self.call.catalog.entity(name))
        writer = self._written(shape, item, navigation)
        known, options = self.call.names, item.options
        found, order = Filter(), tuple[Order, ...]()
        if text := options.get("$filter"):
            found = read_filter(text, shape.entity, known, self.call.aliases)
        if text := options.get("$orderby"):
            order = read_order(text, shape.entity, known)
        return Target(shape, writer, found, order)

    def _written(self, shape: Shape, item: Item, navigation: Navigation) -> Writer:
        if len(navigation.targets) > 1:
            return self.writer(shape, _of_principal(shape, item), item.nested)
        attributes = selected(shape, item.options.get("$select"))
        joins = shape.entity.attribute(navigation.attribute)
        whole = navigation.side is Side.MANY and not self.is_nested
        if whole and joins is not None and joins not in attributes:
            attributes.append(joins)
        return self.writer(shape, attributes, item.nested)


def _of_principal(shape: Shape, item: Item) -> list[Attribute]:
    """Return what is selected of one of several entities: all, or the one thing they share."""
    for name in item.selected:
        if name != OWNER_ID:
            raise unknown_property(name, "principal")
    return selected(shape, shape.entity.primary_id if item.selected else None)


def _navigation(shape: Shape, item: Item) -> Navigation:
    if item.name in shape.navigations:
        return shape.navigations[item.name]
    if item.name not in shape.properties:
        raise unknown_property(item.name, shape.entity.name)
    raise bad_request(
        f"Property '{item.name}' on type 'Microsoft.Dynamics.CRM.{shape.entity.name}' is not a "
        "navigation property or complex property. Only navigation properties can be expanded.",
        "0x80060888",
    )


def _check(item: Item, navigation: Navigation, is_nested: bool) -> None:
    is_one = navigation.side is Side.ONE
    if (is_one or is_nested) and {"$orderby", "$top"} & item.options.keys():
        raise bad_request(_WRONG_CLAUSE, "0x80060888")
    if item.is_reference and not is_one:
        raise bad_request(_WRONG_REFERENCE, "0x80060888")


def _top(item: Item) -> int | None:
    text = item.options.get("$top")
    if text is None:
        return None
    if not text.isdecimal():
        raise _bad_top(text)
    return int(text)


def _bad_top(text: str) -> WebApiError:
    return bad_request(
        f"Invalid value '{text}' for $top query option found. The $top query option requires a "
        "non-negative integer value.",
        "0x80060888",
    )


@dataclass(frozen=True, slots=True)
class _Writer:
    """Writes rows, then what is expanded in them."""

    plain: RowWriter
    expansions: list[_Expansion]

    @property
    def columns(self) -> list[str]:
        return self.plain.columns

    def write(self, store: Store, rows: Sequence[Row]) -> list[Document]:
        documents = self.plain.write(store, rows)
        for expansion in self.expansions:
            expansion.fill(documents, rows)
        return documents
