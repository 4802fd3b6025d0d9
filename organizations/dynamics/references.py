"""`$ref`: linking and unlinking records (dataverse.md 4.2)."""

from __future__ import annotations

from collections.abc import Sequence

from django.http import HttpResponse

from organizations.dynamics import keys, single, targets
from organizations.dynamics.call import Call, nothing
from organizations.dynamics.errors import (
    DUPLICATE,
    UNKNOWN_RECORD,
    WebApiError,
    bad_request,
    unknown_segment,
)
from organizations.dynamics.names import Navigation, Shape, Side
from organizations.dynamics.resource import Segment
from organizations.records import Reference


def write(call: Call, shape: Shape, record_id: str, segment: Segment) -> HttpResponse:
    """Carry out POST, PUT or DELETE on `…/<navigation>/$ref`."""
    navigation = shape.navigations.get(segment.name)
    if navigation is None:
        raise unknown_segment(segment.name)
    single.require(call, shape, record_id)
    if navigation.side is Side.ONE:
        _lookup(call, shape, record_id, navigation)
    elif navigation.side is Side.PAIRS:
        _pair(call, record_id, navigation, segment)
    else:
        _child(call, Reference(shape.entity.name, record_id), navigation, segment)
    return nothing()


def associate(call: Call, record_id: str, navigation: Navigation, other: Reference) -> None:
    """Make a pair. Raises WebApiError 412 if it is there already."""
    relationship, ids = _ends(navigation, record_id, other.id)
    if not call.store.associate(relationship, *ids, actor=call.principal.name):
        raise WebApiError(412, DUPLICATE, "Cannot insert duplicate key.")


def adopt(call: Call, navigation: Navigation, child: str, parent: Reference | None) -> None:
    """Set or empty the lookup of the record at the other end of a 1:N relationship."""
    entity = navigation.targets[0]
    if not call.catalog.enabled(entity):
        raise unknown_segment(navigation.name)
    call.store.update(entity, child, {navigation.attribute: parent}, actor=call.principal.name)


def _ends(navigation: Navigation, own: str, other: str) -> tuple[str, tuple[str, str]]:
    if navigation.relationship is None:
        raise unknown_segment(navigation.name)
    ids = (own, other) if navigation.is_first else (other, own)
    return navigation.relationship.name, ids


def _pair(call: Call, record_id: str, navigation: Navigation, segment: Segment) -> None:
    if call.method != "DELETE":
        other = targets.resolve(call, _named(call), navigation)
        associate(call, record_id, navigation, other)
        return
    relationship, ids = _ends(navigation, record_id, _removed(call, navigation, segment))
    if not call.store.disassociate(relationship, *ids, actor=call.principal.name):
        raise _not_associated(navigation)


def _lookup(call: Call, shape: Shape, record_id: str, navigation: Navigation) -> None:
    value = None
    if call.method != "DELETE":
        value = targets.resolve(call, _named(call), navigation)
    call.store.update(
        shape.entity.name,
        record_id,
        {navigation.attribute: value},
        actor=call.principal.name,
    )


def _child(call: Call, parent: Reference, navigation: Navigation, segment: Segment) -> None:
    if call.method == "DELETE":
        child = _removed(call, navigation, segment)
        _check_linked(call, parent, navigation, child)
        adopt(call, navigation, child, None)
    else:
        adopt(call, navigation, targets.resolve(call, _named(call), navigation).id, parent)


def _check_linked(call: Call, parent: Reference, navigation: Navigation, child: str) -> None:
    """Refuse to unlink a record that is another one's. Raises WebApiError 404."""
    entity = navigation.targets[0]
    if not call.catalog.enabled(entity):
        raise unknown_segment(navigation.name)
    key = call.catalog.entity(entity).primary_id
    rows = call.store.fetch(entity, [key, navigation.attribute], [child])
    if not rows or rows[0][1] != parent.id:
        raise _not_associated(navigation)


def _not_associated(navigation: Navigation) -> WebApiError:
    return WebApiError(
        404, UNKNOWN_RECORD, f"The records are not associated by '{navigation.name}'."
    )


def _named(call: Call) -> object:
    document = call.body()
    if "@odata.id" not in document:
        raise bad_request("The body needs '@odata.id' with the address of a record.")
    return document["@odata.id"]


def _removed(call: Call, navigation: Navigation, segment: Segment) -> str:
    if segment.key is not None:
        return segment.key
    if segment.pairs:
        entity = navigation.targets[0]
        if not call.catalog.enabled(entity):
            raise unknown_segment(navigation.name)
        return keys.record_id(call, Shape(call.catalog.entity(entity)), segment)
    address = call.options.get("$id")
    if address is None:
        raise bad_request("Name the record to unlink: in brackets, or by $id.")
    return targets.resolve(call, address, navigation).id


def is_reference(rest: Sequence[Segment]) -> bool:
    """Return whether a path behind a record ends in `<navigation>/$ref`."""
    return len(rest) == 2 and rest[1].name == "$ref"
