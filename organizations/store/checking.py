"""What a single write must satisfy, and what the organization adds to it by itself.

Values become flat canonical columns; unknown attributes, too long texts, numbers out of bounds,
unknown options and states that contradict the status are refused with the attribute's name.
Merges are not checked: their values were accepted by the other side.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal

from organizations import values as formats
from organizations.errors import InvalidRequest
from organizations.records import RecordValue, Reference, Value
from organizations.schema import OPTION_TYPES, VERSION, Attribute, AttributeType, Entity, Option

Flat = dict[str, Value]
_CREATED, _MODIFIED = "createdon", "modifiedon"


def flatten(entity: Entity, given: Mapping[str, RecordValue]) -> Flat:
    """Return the columns of the given values, canonical. Raises InvalidRequest."""
    flat: Flat = {}
    for name, value in given.items():
        flat.update(_columns(_attribute(entity, name), value))
    return flat


def complete(entity: Entity, flat: Flat, before: Mapping[str, Value] | None = None) -> Flat:
    """Add times and the state that belongs to the status; `before` is the record's old row."""
    now = formats.instant(datetime.now(UTC))
    stamps = (_MODIFIED,) if before is not None else (_CREATED, _MODIFIED)
    times: Flat = {name: now for name in stamps if _is_instant(entity, name)}
    return times | flat | _states(entity, flat, before)


def _attribute(entity: Entity, name: str) -> Attribute:
    attribute = entity.attribute(name)
    if attribute is None or attribute.is_hidden:
        raise InvalidRequest(f"Entity '{entity.name}' has no attribute '{name}'.", name)
    if not attribute.is_stored or name == VERSION:
        raise InvalidRequest(
            f"Attribute '{name}' of entity '{entity.name}' cannot be written.", name
        )
    return attribute


def _columns(attribute: Attribute, value: RecordValue) -> Flat:
    if attribute.is_lookup:
        return _lookup(attribute, value)
    if isinstance(value, Reference):
        raise InvalidRequest(
            f"Attribute '{attribute.name}' is no lookup and takes no reference.", attribute.name
        )
    parsed = _parse(attribute, value)
    if parsed is not None:
        _check(attribute, parsed)
    return {attribute.name: parsed}


def _lookup(attribute: Attribute, value: RecordValue) -> Flat:
    name = attribute.name
    if value is None or value == "":
        return {name: None, f"{name}__type": None} if attribute.is_polymorphic else {name: None}
    if not isinstance(value, Reference):
        if attribute.is_polymorphic:
            raise InvalidRequest(
                f"Attribute '{name}' can point to several entities: give the entity too.", name
            )
        return {name: _parse(attribute, value)}
    if attribute.targets and value.entity not in attribute.targets:
        raise InvalidRequest(
            f"Attribute '{name}' cannot point to entity '{value.entity}', only to "
            f"{', '.join(attribute.targets)}.",
            name,
        )
    flat: Flat = {name: _parse(attribute, value.id)}
    return flat | ({f"{name}__type": value.entity} if attribute.is_polymorphic else {})


def _parse(attribute: Attribute, value: object) -> Value:
    try:
        return formats.parse(attribute, value)
    except formats.InvalidValue as error:
        raise InvalidRequest(str(error), attribute.name) from error


def _check(attribute: Attribute, value: Value) -> None:
    if isinstance(value, str):
        _check_length(attribute, value)
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        _check_bounds(attribute, value)
    if attribute.type in OPTION_TYPES and attribute.option_set is not None:
        _check_options(attribute, value)


def _check_length(attribute: Attribute, value: str) -> None:
    limit = attribute.max_length
    if attribute.type not in (AttributeType.STRING, AttributeType.MEMO) or not limit:
        return
    if len(value) > limit:
        raise InvalidRequest(
            f"Attribute '{attribute.name}' holds at most {limit} characters; "
            f"{len(value)} were given.",
            attribute.name,
        )


def _check_bounds(attribute: Attribute, value: float | Decimal) -> None:
    low, high = attribute.minimum, attribute.maximum
    if (low is not None and value < low) or (high is not None and value > high):
        raise InvalidRequest(
            f"Attribute '{attribute.name}' takes numbers from {_bound(low)} to {_bound(high)}; "
            f"{value} was given.",
            attribute.name,
        )


def _bound(number: float | None) -> str:
    if number is None:
        return "any"
    return str(int(number)) if float(number).is_integer() else str(number)


def _check_options(attribute: Attribute, value: Value) -> None:
    known = {option.value for option in _options(attribute)}
    chosen = {int(part) for part in value.split(",")} if isinstance(value, str) else {value}
    if known and (unknown := {item for item in chosen if item not in known}):
        raise InvalidRequest(
            f"Attribute '{attribute.name}' has no option {min(map(str, unknown))}.",
            attribute.name,
        )


def _states(entity: Entity, flat: Flat, before: Mapping[str, Value] | None) -> Flat:
    state, status = _of_type(entity, AttributeType.STATE), _of_type(entity, AttributeType.STATUS)
    if state is None or status is None:
        return {}
    new_state, new_status = flat.get(state.name), flat.get(status.name)
    if new_state is None and new_status is None:
        if before is not None and not {state.name, status.name} & flat.keys():
            return {}
        new_state = _default(state)
    if new_status is None:
        new_status = _status_of(state, status, new_state)
    option = next((item for item in _options(status) if item.value == new_status), None)
    if option is None or option.state is None:
        return {state.name: new_state, status.name: new_status}
    if new_state is not None and new_state != option.state:
        raise InvalidRequest(
            f"Status {new_status} belongs to state {option.state}, not to {new_state}.",
            status.name,
        )
    return {state.name: option.state, status.name: new_status}


def _status_of(state: Attribute, status: Attribute, value: Value) -> Value:
    chosen = next((item for item in _options(state) if item.value == value), None)
    if chosen is not None and chosen.default_status is not None:
        return chosen.default_status
    return next((item.value for item in _options(status) if item.state == value), status.default)


def _default(state: Attribute) -> Value:
    if state.default is not None and state.default >= 0:
        return state.default
    return min((item.value for item in _options(state)), default=0)


def _options(attribute: Attribute) -> Iterable[Option]:
    return attribute.option_set.options if attribute.option_set else ()


def _of_type(entity: Entity, kind: AttributeType) -> Attribute | None:
    found = (item for item in entity.attributes if item.type is kind and item.is_stored)
    return next((item for item in found if not item.is_hidden), None)


def _is_instant(entity: Entity, name: str) -> bool:
    attribute = entity.attribute(name)
    return attribute is not None and attribute.is_stored and not attribute.is_hidden
