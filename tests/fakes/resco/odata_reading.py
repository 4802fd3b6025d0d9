"""Reads of the fake's OData service: conditions, order, and records as JSON (resco.md §3.2).

Of a lookup it tells the id, and never of which entity: nothing published says that it would.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from typing import Any

import orjson

from tests.fakes.resco.records import FaultError, Row
from tests.fakes.resco.tables import Attribute, Table

_TOKEN = re.compile(r"\s*([()]|'[^']*'|[^\s()']+)")
_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "eq": operator.eq,
    "ne": operator.ne,
    "gt": operator.gt,
    "ge": operator.ge,
    "lt": operator.lt,
    "le": operator.le,
}
_NUMBERS = frozenset({"Integer", "BigInt", "RowVersion", "Picklist", "PicklistMap"})
_FRACTIONS = frozenset({"Money", "Decimal", "Float"})


def property_of(attribute: Attribute) -> str:
    return f"__{attribute.name}_id" if attribute.type == "Lookup" else attribute.name


def known(table: Table, name: str) -> Attribute:
    found = (item for item in table.attributes if property_of(item) == name)
    attribute = next(found, None)
    if attribute is None:
        raise FaultError(104, f"Unknown property {name}.")
    return attribute


def value_of(attribute: Attribute, row: Row) -> Any:
    """Return a value as JSON holds it; decimals with the digits they have."""
    text = row.get(attribute.name)
    if text is None or text == "":
        return None
    if attribute.type == "Lookup":
        return text.partition(":")[2]
    if attribute.type == "Boolean":
        return text == "True"
    if attribute.type in _NUMBERS:
        return int(text) if text.lstrip("-").isdigit() else text
    return orjson.Fragment(text) if attribute.type in _FRACTIONS else text


def ordered(table: Table, text: str, rows: list[Row]) -> list[Row]:
    """Return records by one property."""
    name, _, direction = text.partition(" ")
    if direction not in ("", "asc", "desc"):
        raise FaultError(104, f"Unknown order {text}.")
    attribute = known(table, name)
    return sorted(rows, key=lambda row: value_of(attribute, row), reverse=direction == "desc")


def passing(table: Table, text: str, rows: list[Row]) -> list[Row]:
    """Return the records that meet a condition."""
    tokens = _TOKEN.findall(text)
    if "".join(tokens) != re.sub(r"\s", "", text):
        raise FaultError(104, f"Unknown condition {text}.")
    test = _Parser(table, [*tokens, ""]).whole()
    return [row for row in rows if test(row)]


Test = Callable[[Row], bool]


class _Parser:
    """`and`, `or`, brackets, and comparisons of a property with a literal."""

    def __init__(self, table: Table, tokens: list[str]) -> None:
        self.table, self.tokens = table, tokens

    def whole(self) -> Test:
        test = self.either()
        if self.tokens != [""]:
            raise FaultError(104, f"Unexpected {self.tokens[0]}.")
        return test

    def either(self) -> Test:
        parts = [self.both()]
        while self.tokens[0] == "or":
            self.tokens.pop(0)
            parts.append(self.both())
        return lambda row: any(part(row) for part in parts)

    def both(self) -> Test:
        parts = [self.one()]
        while self.tokens[0] == "and":
            self.tokens.pop(0)
            parts.append(self.one())
        return lambda row: all(part(row) for part in parts)

    def one(self) -> Test:
        if self.tokens[0] != "(":
            return self.comparison()
        self.tokens.pop(0)
        test = self.either()
        if self.tokens.pop(0) != ")":
            raise FaultError(104, "A bracket is missing.")
        return test

    def comparison(self) -> Test:
        name, word, literal = self.tokens[:3]
        del self.tokens[:3]
        if word not in _COMPARISONS:
            raise FaultError(104, f"Unknown operator {word}.")
        attribute, compare = known(self.table, name), _COMPARISONS[word]
        wanted = _literal(attribute, literal)

        def test(row: Row) -> bool:
            have = value_of(attribute, row)
            if word in ("eq", "ne"):
                return compare(have, wanted)
            return have is not None and compare(have, wanted)

        return test


def _literal(attribute: Attribute, text: str) -> Any:
    """Ids stand in quotes; numbers and null do not."""
    if text == "null":
        return None
    if text.startswith("'"):
        if attribute.type not in ("Lookup", "UniqueIdentifier", "String"):
            raise FaultError(104, f"{attribute.name} is no text.")
        return text[1:-1]
    if attribute.type == "Boolean" and text in ("true", "false"):
        return text == "true"
    if attribute.type not in _NUMBERS:
        raise FaultError(104, f"{attribute.name} is no number.")
    return int(text)
