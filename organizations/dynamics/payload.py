"""What a body says about a record: values, lookups bound, parties, records to link or to make.

Values of attributes that cannot be written are ignored, as Dataverse does; unknown names are
refused (dataverse.md 4.1).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from organizations.dynamics import parties, targets
from organizations.dynamics.call import Call
from organizations.dynamics.errors import MALFORMED, WebApiError, bad_request
from organizations.dynamics.names import Navigation, Shape, Side
from organizations.records import RecordValue, Reference
from organizations.schema import VERSION

_BIND = "@odata.bind"


@dataclass(slots=True)
class Payload:
    """`values` by attribute; `bound` are records to link by collections, `nested` such to make."""

    values: dict[str, RecordValue] = field(default_factory=dict)
    bound: list[tuple[Navigation, Reference]] = field(default_factory=list)
    nested: list[tuple[Navigation, list[Mapping[str, Any]]]] = field(default_factory=list)


def read(call: Call, shape: Shape, body: Mapping[str, Any], *, is_new: bool) -> Payload:
    """Return what a body says. Raises WebApiError."""
    payload = Payload()
    for name, value in body.items():
        if name.startswith("@"):
            continue
        if name.endswith(_BIND):
            _bind(call, shape, payload, name.removesuffix(_BIND), value)
        elif "@" in name:
            _annotation(name, body)
        else:
            _member(call, shape, payload, name, value, is_new=is_new)
    return payload


def _annotation(name: str, body: Mapping[str, Any]) -> None:
    owner = name.partition("@")[0]
    if owner not in body:
        raise bad_request(
            f"An undeclared property '{owner}' which only has property annotations in the payload "
            "but no property value was found in the payload. In OData, only declared navigation "
            "properties and declared named streams can be represented as properties without "
            "values.",
            MALFORMED,
        )


def _member(
    call: Call, shape: Shape, payload: Payload, name: str, value: Any, *, is_new: bool
) -> None:
    if name in shape.properties:
        _value(call, shape, payload, name, value, is_new=is_new)
    elif name == parties.navigation(shape.entity):
        payload.values |= parties.read(call, shape.entity, value)
    elif name in shape.navigations:
        _navigation(payload, shape.navigations[name], value)
    else:
        raise invalid_property(name, shape.entity.name)


def invalid_property(name: str, entity: str) -> WebApiError:
    """Say that a body names a property the entity does not have."""
    return bad_request(
        "An error occurred while validating input parameters: "
        f"Microsoft.OData.ODataException: Invalid property '{name}' was found in entity "
        f"'Microsoft.Dynamics.CRM.{entity}'. Does not support untyped value in non-open type.",
        MALFORMED,
    )


def _value(
    call: Call, shape: Shape, payload: Payload, name: str, value: Any, *, is_new: bool
) -> None:
    attribute = shape.properties[name]
    if attribute.is_lookup:
        if value is None and call.header("AutoDisassociate").lower() == "true":
            payload.values[attribute.name] = None
            return
        raise bad_request(
            "CRM do not support direct update of Entity Reference properties, Use Navigation "
            "properties instead.",
            MALFORMED,
        )
    is_writable = attribute.is_creatable if is_new else attribute.is_updatable
    is_key = attribute.name == shape.entity.primary_id
    if is_key or (is_writable and attribute.is_stored and attribute.name != VERSION):
        if isinstance(value, dict | list):
            raise bad_request(f"Property '{name}' takes a single value.", MALFORMED)
        payload.values[attribute.name] = value


def _bind(call: Call, shape: Shape, payload: Payload, name: str, value: Any) -> None:
    navigation = shape.navigations.get(name)
    if navigation is None:
        raise invalid_property(name, shape.entity.name)
    if navigation.side is not Side.ONE:
        if not isinstance(value, list):
            raise bad_request(f"'{name}' takes a list of references.", MALFORMED)
        payload.bound += [(navigation, targets.resolve(call, item, navigation)) for item in value]
    elif value is None:
        _clear(payload, navigation)
    else:
        payload.values[navigation.attribute] = targets.resolve(call, value, navigation)


def _navigation(payload: Payload, navigation: Navigation, value: Any) -> None:
    if navigation.side is Side.ONE and value is None:
        _clear(payload, navigation)
        return
    items = [value] if navigation.side is Side.ONE else value
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        kind = "an object" if navigation.side is Side.ONE else "a list of objects"
        raise bad_request(f"'{navigation.name}' takes {kind}.", MALFORMED)
    payload.nested.append((navigation, items))


def _clear(payload: Payload, navigation: Navigation) -> None:
    payload.values.setdefault(navigation.attribute, None)
