"""Annotations of values: formatted values, what a lookup points to, how it is bound."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from organizations.dynamics.names import Shape, property_name
from organizations.dynamics.preferences import FORMATTED, LOGICAL_NAME, NAVIGATION
from organizations.formatting import formatter, money
from organizations.preferences import Preferences
from organizations.records import Row
from organizations.schema import Attribute, AttributeType
from organizations.store import Store
from organizations.store.naming import currency_symbols, primary_names

Annotations = Mapping[str, Any]
Annotate = Callable[[int, Row], Annotations]
_CURRENCY = "transactioncurrencyid"
_NONE: Annotations = {}


class Annotator:
    """Adds the annotations that were asked for, each before its value."""

    def __init__(
        self,
        shape: Shape,
        attributes: Sequence[Attribute],
        places: Mapping[str, int],
        preferences: Preferences,
        language: int,
    ) -> None:
        """Decide what is wanted; `places` tells where in a row a column stands."""
        self._shape, self._places = shape, places
        self._wanted = {
            name for name in (FORMATTED, LOGICAL_NAME, NAVIGATION) if preferences.wants(name)
        }
        self._attributes = attributes
        self._language = language

    @property
    def is_needed(self) -> bool:
        """Whether any annotation is wanted."""
        return bool(self._wanted)

    def prepare(self, store: Store, rows: Sequence[Row]) -> Annotate:
        """Read the names that this page needs, and return what annotates one value of a row."""
        names = self._names(store, rows) if FORMATTED in self._wanted else {}
        symbols = self._symbols(store, rows) if FORMATTED in self._wanted else {}
        makers = [self._maker(attribute, names, symbols) for attribute in self._attributes]

        def annotate(position: int, row: Row) -> Annotations:
            return makers[position](row)

        return annotate

    def _names(self, store: Store, rows: Sequence[Row]) -> dict[str, str]:
        lookups = [item for item in self._attributes if item.is_lookup]
        found = (
            (self._target(item, row), str(row[self._places[item.name]]))
            for item in lookups
            for row in rows
            if row[self._places[item.name]] is not None
        )
        return primary_names(store, found)

    def _symbols(self, store: Store, rows: Sequence[Row]) -> dict[str, str]:
        place = self._places.get(_CURRENCY)
        if place is None or not any(i.type is AttributeType.MONEY for i in self._attributes):
            return {}
        return currency_symbols(store, {str(row[place]) for row in rows if row[place]})

    def _target(self, attribute: Attribute, row: Row) -> str:
        if attribute.is_polymorphic:
            return str(row[self._places[f"{attribute.name}__type"]])
        return attribute.targets[0]

    def _maker(
        self, attribute: Attribute, names: Mapping[str, str], symbols: Mapping[str, str]
    ) -> Callable[[Row], Annotations]:
        if attribute.is_lookup:
            return self._of_lookup(attribute, names)
        if FORMATTED not in self._wanted:
            return lambda _: _NONE
        if attribute.type is AttributeType.MONEY and _CURRENCY in self._places:
            return self._of_money(attribute, symbols)
        return self._of_value(attribute)

    def _of_lookup(
        self, attribute: Attribute, names: Mapping[str, str]
    ) -> Callable[[Row], Annotations]:
        key, place = property_name(attribute), self._places[attribute.name]

        def make(row: Row) -> Annotations:
            value = row[place]
            if value is None:
                return _NONE
            target = self._target(attribute, row)
            own = {
                NAVIGATION: self._shape.navigation_of(attribute.name, target),
                LOGICAL_NAME: target,
                FORMATTED: names.get(str(value)),
            }
            return {
                f"{key}@{name}": text
                for name, text in own.items()
                if name in self._wanted and text is not None
            }

        return make

    def _of_money(
        self, attribute: Attribute, symbols: Mapping[str, str]
    ) -> Callable[[Row], Annotations]:
        key, place = f"{attribute.name}@{FORMATTED}", self._places[attribute.name]
        currency = self._places[_CURRENCY]

        def make(row: Row) -> Annotations:
            if row[place] is None:
                return _NONE
            return {key: money(row[place], symbols.get(str(row[currency]), ""))}

        return make

    def _of_value(self, attribute: Attribute) -> Callable[[Row], Annotations]:
        key, place = f"{attribute.name}@{FORMATTED}", self._places[attribute.name]
        form = formatter(attribute, self._language)
        if form is None:
            return lambda _: _NONE

        def make(row: Row) -> Annotations:
            text = None if row[place] is None else form(row[place])
            return _NONE if text is None else {key: text}

        return make
