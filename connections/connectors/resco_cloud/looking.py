"""What the organization has of records that are being written."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple

from connections.connectors.resco_cloud import queries
from connections.connectors.resco_cloud.asking import Asking
from connections.connectors.resco_cloud.shapes import Shape
from connections.connectors.resco_cloud.values import Decoded
from organizations.query.nodes import Condition, Group, Logic, Operator
from organizations.records import Row, Value
from organizations.schema import Entity, ManyToMany

Ends = tuple[str, str]
_PAIRS = 100
"""Pairs in one question: each takes two conditions."""


class Found(NamedTuple):
    """A record as it is; version 0: it is not there."""

    version: int
    values: Mapping[str, Value]
    id: str = ""


NOTHING = Found(0, {})


def records(
    asking: Asking, entity: Entity, ids: Sequence[str], names: Iterable[str]
) -> dict[str, Found]:
    """Return these records with these attributes, by id; those that are not there are missing.

    One whose values cannot be read is there, with a version and no values.
    """
    shape = Shape.of(entity, [name.removesuffix("__type") for name in names])
    found = asking.by_ids(shape, ids)
    known = {
        record_id: Found(version, _values(shape, row), record_id)
        for record_id, (version, row) in found.by_id().items()
    }
    unread = [item.id for item in found.rejected]
    bare = asking.by_ids(Shape.of(entity, ()), unread).by_id()
    return known | {key: Found(version, {}, key) for key, (version, _) in bare.items()}


def pairs(
    asking: Asking, entity: Entity, pair: ManyToMany, ends: Sequence[Ends]
) -> dict[Ends, Found]:
    """Return the pairs that are there, by their two ends."""
    shape = Shape.of(entity, (pair.attribute1, pair.attribute2))
    found: dict[Ends, Found] = {}
    for start in range(0, len(ends), _PAIRS):
        each = tuple(_both(pair, *both) for both in ends[start : start + _PAIRS])
        asked = queries.selecting(entity, shape.selected, None)
        query = queries.narrowed(asked, Group(Logic.OR, each))
        for part in asking.all(shape, query):
            found |= _by_ends(shape, pair, part)
    return found


def holds(found: Found, values: Mapping[str, Value], names: Iterable[str]) -> bool:
    """Return whether a record has these values, as far as they can be compared."""
    return all(
        _plain(found.values.get(name)) == _plain(values[name]) for name in names if name in values
    )


def _both(pair: ManyToMany, first: str, second: str) -> Group:
    return Group(
        Logic.AND,
        (
            Condition(pair.attribute1, Operator.EQ, (first,)),
            Condition(pair.attribute2, Operator.EQ, (second,)),
        ),
    )


def _by_ends(shape: Shape, pair: ManyToMany, found: Decoded) -> dict[Ends, Found]:
    made = {}
    for record_id, (version, row) in found.by_id().items():
        values = _values(shape, row)
        ends = (str(values[pair.attribute1]), str(values[pair.attribute2]))
        made[ends] = Found(version, values, record_id)
    return made


def _values(shape: Shape, row: Row) -> dict[str, Value]:
    return dict(zip(shape.names, row, strict=True))


def _plain(value: Value) -> Value:
    if isinstance(value, float):
        return Decimal(str(value))
    return None if value == "" else value
