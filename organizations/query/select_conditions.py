"""The WHERE of a SELECT as a group of conditions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlglot import exp

from organizations.errors import InvalidRequest
from organizations.query.nodes import Condition, Group, Logic, Member, Operator, Scalar
from organizations.query.odata_negation import negated

Place = Callable[[Any], tuple[str, str]]
"""Tells attribute and link of a column."""

_COMPARATORS: dict[type[exp.Expression], Operator] = {
    exp.EQ: Operator.EQ,
    exp.NEQ: Operator.NE,
    exp.GT: Operator.GT,
    exp.GTE: Operator.GE,
    exp.LT: Operator.LT,
    exp.LTE: Operator.LE,
}
_MIRRORED = {
    Operator.GT: Operator.LT,
    Operator.GE: Operator.LE,
    Operator.LT: Operator.GT,
    Operator.LE: Operator.GE,
}


def refused(reason: str) -> InvalidRequest:
    """Return the error for a statement that cannot be meant."""
    return InvalidRequest(f"{reason} (in sql).", "sql")


def read_condition(node: Any, place: Place) -> Group:
    """Return a condition and all below it. Raises InvalidRequest."""
    found = _read(node, place)
    return found if isinstance(found, Group) else Group(Logic.AND, (found,))


def _read(node: Any, place: Place) -> Member:
    if isinstance(node, exp.Paren):
        return _read(node.this, place)
    if isinstance(node, exp.And | exp.Or):
        logic = Logic.AND if isinstance(node, exp.And) else Logic.OR
        return Group(logic, tuple(_read(part, place) for part in node.flatten()))
    if isinstance(node, exp.Not):
        return negated(_read(node.this, place))
    if type(node) in _COMPARATORS:
        return _compared(node, place)
    reader = _READERS.get(type(node))
    if reader is None:
        raise refused(f"'{node.sql('tsql')[:80]}' is not supported")
    return reader(node, place)


def _compared(node: Any, place: Place) -> Condition:
    left, right, operator = node.this, node.expression, _COMPARATORS[type(node)]
    if not isinstance(left, exp.Column) and isinstance(right, exp.Column):
        left, right, operator = right, left, _MIRRORED.get(operator, operator)
    name, link = place(left)
    if isinstance(right, exp.Column):
        other, other_link = place(right)
        if other_link != link:
            raise refused("Two columns can be compared only when both are of the same table")
        return Condition(name, operator, alias=link, value_of=other)
    return Condition(name, operator, (_scalar(right),), link)


def _like(node: Any, place: Place) -> Condition:
    name, link = place(node.this)
    return Condition(name, Operator.LIKE, (_scalar(node.expression),), link)


def _in(node: Any, place: Place) -> Condition:
    name, link = place(node.this)
    if node.args.get("query") or not node.expressions:
        raise refused("IN takes a list of values")
    return Condition(name, Operator.IN, tuple(map(_scalar, node.expressions)), link)


def _between(node: Any, place: Place) -> Group:
    name, link = place(node.this)
    low, high = _scalar(node.args["low"]), _scalar(node.args["high"])
    return Group(
        Logic.AND,
        (
            Condition(name, Operator.GE, (low,), link),
            Condition(name, Operator.LE, (high,), link),
        ),
    )


def _is(node: Any, place: Place) -> Condition:
    name, link = place(node.this)
    if not isinstance(node.expression, exp.Null):
        raise refused("IS is followed by NULL or NOT NULL")
    return Condition(name, Operator.NULL, alias=link)


_READERS: dict[type[exp.Expression], Callable[[Any, Place], Member]] = {
    exp.Like: _like,
    exp.In: _in,
    exp.Between: _between,
    exp.Is: _is,
}


def _scalar(node: Any) -> Scalar:
    if isinstance(node, exp.Paren):
        return _scalar(node.this)
    if isinstance(node, exp.Literal):
        return str(node.this)
    if isinstance(node, exp.Boolean):
        return bool(node.this)
    if isinstance(node, exp.National):
        return str(node.this)
    if isinstance(node, exp.Neg):
        return f"-{_scalar(node.this)}"
    raise refused(f"'{node.sql('tsql')[:80]}' is not a value that can be compared with")
