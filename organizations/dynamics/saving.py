"""Carrying out what a body says: one record with all that hangs on it, inside a transaction.

Used for single writes, for every target of a bulk action, and for the records of a deep insert.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from organizations.dynamics import authors, payload, references
from organizations.dynamics.call import Call
from organizations.dynamics.errors import (
    BAD_OPTION,
    BAD_STATE,
    TOO_LONG,
    WebApiError,
    bad_request,
    unknown_segment,
)
from organizations.dynamics.names import Navigation, Shape, Side
from organizations.dynamics.payload import Payload
from organizations.errors import InvalidRequest
from organizations.query.nodes import Condition, Group, Logic, Operator, Query
from organizations.records import Record, RecordValue, Reference
from organizations.schema import OPTION_TYPES, AttributeType, Entity, Key
from organizations.store import versions

ENFORCED = "EnforceStateTransitions"
_READ_ONLY = frozenset({"activityparty"})


def hold(call: Call) -> None:
    """Keep other writers out until the transaction ends, so that what was read stays true."""
    versions.take(call.catalog, 0)


def check_writable(shape: Shape) -> None:
    """Refuse entities that are only written through others. Raises WebApiError 405."""
    entity = shape.entity
    if entity.is_intersect or entity.name in _READ_ONLY:
        raise WebApiError(
            405,
            "0x80040800",
            f"The entities of type '{entity.name}' can only be read; write them through the "
            "records they belong to.",
        )


def create(call: Call, shape: Shape, body: Payload, record_id: str | None = None) -> str:
    """Make a record, those nested in it and its pairs; return its id. Raises WebApiError."""
    for navigation, items in body.nested:
        if navigation.side is Side.ONE:
            body.values[navigation.attribute] = _nested(call, navigation, items[0])
    values = authors.of_new(call, shape.entity, body.values) | body.values
    with faults(shape, values):
        made = call.store.create(shape.entity.name, values, id=record_id, actor=call.principal.name)
    _check_keys(call, shape.entity, made, shape.entity.keys)
    _join(call, shape, made.id, body)
    return made.id


def update(
    call: Call, shape: Shape, record_id: str, body: Payload, expected: int | None = None
) -> None:
    """Write values and pairs to a record that is there. Raises WebApiError, VersionMismatch."""
    entity = shape.entity
    if body.nested:
        raise bad_request(
            f"'{body.nested[0][0].name}' holds a record: related records are made with a new "
            f"{entity.name} only. Write them by requests of their own."
        )
    before = _status(call, entity, record_id) if _is_enforced(entity) else None
    values = authors.of_changed(call, entity) | body.values
    with faults(shape, values):
        call.store.change(
            entity.name, record_id, values, expected=expected, actor=call.principal.name
        )
    touched = [key for key in entity.keys if body.values.keys() & set(key.attributes)]
    if touched or before is not None:
        record = call.store.get(entity.name, record_id)
        _check_transition(entity, before, record)
        _check_keys(call, entity, record, touched)
    _join(call, shape, record_id, body)


def _nested(
    call: Call, navigation: Navigation, document: Mapping[str, Any], **more: RecordValue
) -> Reference:
    """Make the record a body holds in place of a reference to it."""
    if len(navigation.targets) != 1:
        raise bad_request(
            f"'{navigation.name}' can hold records of {' or '.join(navigation.targets)}: make the "
            "record first, then bind it."
        )
    name = navigation.targets[0]
    if not call.catalog.enabled(name):
        raise unknown_segment(navigation.name)
    other = Shape(call.catalog.entity(name))
    check_writable(other)
    body = payload.read(call, other, document, is_new=True)
    record_id = body.values.pop(other.entity.primary_id, None)
    body.values |= more
    return Reference(name, create(call, other, body, None if record_id is None else str(record_id)))


def _join(call: Call, shape: Shape, record_id: str, body: Payload) -> None:
    own = Reference(shape.entity.name, record_id)
    for navigation, items in body.nested:
        for item in items:
            if navigation.side is Side.MANY:
                _nested(call, navigation, item, **{navigation.attribute: own})
            elif navigation.side is Side.PAIRS:
                references.associate(call, record_id, navigation, _nested(call, navigation, item))
    for navigation, other in body.bound:
        if navigation.side is Side.PAIRS:
            references.associate(call, record_id, navigation, other)
        else:
            references.adopt(call, navigation, other.id, own)


def _check_keys(call: Call, entity: Entity, record: Record, keys: Any) -> None:
    """Refuse a record whose alternate key another one has."""
    for key in keys:
        given = [record.values.get(name) for name in key.attributes]
        if any(value is None for value in given):
            continue
        query = Query(entity=entity.name, filter=_equal(key, given))
        rows = call.store.page(entity.name, [entity.primary_id], filter=query, limit=2)
        if any(row[0] != record.id for row in rows):
            names = ", ".join(key.attributes)
            raise WebApiError(
                412,
                "0x80060892",
                f"Entity Key {key.name} violated. A record with the same value for {names} "
                "already exists. A duplicate record cannot be created. Select one or more unique "
                "values and try again.",
            )


def _equal(key: Key, values: list[RecordValue]) -> Group:
    return Group(
        Logic.AND,
        tuple(
            Condition(name, Operator.EQ, (_literal(value),))
            for name, value in zip(key.attributes, values, strict=True)
        ),
    )


def _literal(value: RecordValue) -> str:
    if isinstance(value, Reference):
        return value.id
    return str(value).lower() if isinstance(value, bool) else str(value)


def _is_enforced(entity: Entity) -> bool:
    return entity.extras.get(ENFORCED) is True and _status_name(entity) is not None


def _status_name(entity: Entity) -> str | None:
    found = (item.name for item in entity.attributes if item.type is AttributeType.STATUS)
    return next(found, None)


def _status(call: Call, entity: Entity, record_id: str) -> object:
    name = _status_name(entity)
    rows = call.store.fetch(entity.name, [entity.primary_id, str(name)], [record_id])
    return rows[0][1] if rows else None


def _check_transition(entity: Entity, before: object, record: Record) -> None:
    """Refuse a change of status that the old one does not allow (dataverse.md 6)."""
    attribute = entity.attribute(_status_name(entity) or "")
    if attribute is None or attribute.option_set is None or not isinstance(before, int):
        return
    after, option = record.values.get(attribute.name), attribute.option_set.option(before)
    allowed = option.next_statuses if option else None
    if after != before and allowed is not None and after not in allowed:
        raise bad_request(
            f"A record of {entity.name} with status {before} cannot change to status {after}.",
            BAD_STATE,
        )


@contextmanager
def faults(shape: Shape, values: Mapping[str, RecordValue]) -> Iterator[None]:
    """Give refused values the codes that Dataverse gives them."""
    try:
        yield
    except InvalidRequest as error:
        attribute = shape.entity.attribute(error.element)
        if attribute is None:
            raise
        value = values.get(attribute.name)
        limit = attribute.max_length
        if isinstance(value, str) and limit and len(value) > limit:
            raise bad_request(
                f"A validation error occurred. The length of the '{attribute.name}' attribute of "
                f"the '{shape.entity.name}' entity exceeded the maximum allowed length of "
                f"'{limit}'.",
                TOO_LONG,
            ) from error
        if attribute.type is AttributeType.STATUS and str(error).startswith("Status"):
            raise bad_request(str(error), BAD_STATE) from error
        if attribute.type in OPTION_TYPES:
            raise bad_request(str(error), BAD_OPTION) from error
        raise
