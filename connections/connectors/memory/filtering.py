"""Whether a record in memory is inside a filter."""

from __future__ import annotations

from datetime import datetime

from connections.connectors.memory.organization import MemoryOrganization
from organizations.errors import InvalidRequest
from organizations.query.nodes import Condition, Group, Logic, Operator, Query
from organizations.records import Row, Value


def is_inside(organization: MemoryOrganization, query: Query, row: Row, *, now: datetime) -> bool:
    """Return whether the record is inside the filter at that time."""
    names = organization.column_names(query.entity)
    return _group(query.filter, dict(zip(names, row, strict=True)))


def _group(group: Group, values: dict[str, Value]) -> bool:
    answers = [
        _group(child, values) if isinstance(child, Group) else _condition(child, values)
        for child in group.children
    ]
    return any(answers) if group.logic is Logic.OR and answers else all(answers)


def _condition(condition: Condition, values: dict[str, Value]) -> bool:
    value = values.get(condition.attribute)
    match condition.operator:
        case Operator.EQ:
            return value == condition.values[0]
        case Operator.NE:
            return value != condition.values[0]
        case Operator.IN:
            return value in condition.values
        case Operator.NULL:
            return value is None
        case Operator.NOT_NULL:
            return value is not None
    raise InvalidRequest(f"An organization in memory cannot filter by '{condition.operator}'.")
