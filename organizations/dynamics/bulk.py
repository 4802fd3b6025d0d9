"""CreateMultiple, UpdateMultiple and UpsertMultiple: many records of one set, all or nothing.

Bound to a collection; the targets are written in their order in one transaction (dataverse.md
4.4). `DeleteMultiple` exists for elastic tables only, of which a twin has none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.db import transaction
from django.http import HttpResponse

from organizations.dynamics import bulk_messages, keys, saving, single, targets, writing
from organizations.dynamics.call import Call, answer, nothing
from organizations.dynamics.errors import MALFORMED, WebApiError, bad_request
from organizations.dynamics.names import Shape
from organizations.dynamics.resource import GUID, Segment

_PREFIX = "Microsoft.Dynamics.CRM."
_TYPE, _ID = "@odata.type", "@odata.id"
Target = dict[str, Any]


def action(rest: Sequence[Segment]) -> str:
    """Return the name of the bulk action a path behind a set ends in; '' for any other path."""
    name = rest[0].name.removeprefix(_PREFIX) if len(rest) == 1 else ""
    return name if name in (*_ACTIONS, "DeleteMultiple") else ""


@transaction.atomic
def serve(call: Call, shape: Shape, name: str) -> HttpResponse:
    """Carry out a bulk action. Raises WebApiError for the first target that cannot be written."""
    if name == "DeleteMultiple":
        raise WebApiError(501, "0x80004001", f"{name} has not yet been implemented.")
    if not bulk_messages.has_bulk(shape.entity):
        raise WebApiError(
            400,
            "0x80040800",
            f"The '{name}' method does not support entities of type '{shape.entity.name}'.",
        )
    found = _targets(call, shape)
    saving.hold(call)
    return _ACTIONS[name](call, shape, found)


def _targets(call: Call, shape: Shape) -> list[Target]:
    found = call.body().get("Targets")
    if not isinstance(found, list) or not all(isinstance(item, dict) for item in found):
        raise bad_request("The parameter 'Targets' must be a list of records.", MALFORMED)
    if not found:
        raise bad_request("The parameter 'Targets' holds no record.", MALFORMED)
    expected = f"{_PREFIX}{shape.entity.name}"
    for position, item in enumerate(found):
        given = item.get(_TYPE)
        if not isinstance(given, str):
            raise bad_request(
                f"Targets[{position}] has no '{_TYPE}'; it must be '{expected}'.", MALFORMED
            )
        if given.removeprefix("#") != expected:
            raise bad_request(
                f"Targets[{position}] is of type '{given[:100]}', not '{expected}'.", MALFORMED
            )
    return found


def _create(call: Call, shape: Shape, found: Sequence[Target]) -> HttpResponse:
    ids = [writing.make(call, shape, item) for item in found]
    context = f"{call.api}$metadata#{_PREFIX}CreateMultipleResponse"
    return answer({"@odata.context": context, "Ids": ids})


def _update(call: Call, shape: Shape, found: Sequence[Target]) -> HttpResponse:
    for position, item in enumerate(found):
        record_id, extra = _named(call, shape, item, position)
        if not record_id:
            raise keys.nothing_found(shape)
        single.require(call, shape, record_id)
        writing.save(call, shape, record_id, item, extra=extra, is_new=False)
    return nothing()


def _upsert(call: Call, shape: Shape, found: Sequence[Target]) -> HttpResponse:
    for position, item in enumerate(found):
        record_id, extra = _named(call, shape, item, position)
        is_new = not record_id or not single.exists(call, shape, record_id)
        key = record_id or keys.new_id()
        writing.save(call, shape, key, item, extra=extra, is_new=is_new)
    return nothing()


def _named(
    call: Call, shape: Shape, item: Mapping[str, Any], position: int
) -> tuple[str, dict[str, str]]:
    """Return the id of a target, '' if its key finds nothing, and the key it was found by."""
    key, address = item.get(shape.entity.primary_id), item.get(_ID)
    if isinstance(key, str) and (found := GUID.match(key)):
        return found[1].lower(), {}
    if not isinstance(address, str):
        raise bad_request(
            f"Targets[{position}] names no record: it needs '{shape.entity.primary_id}' or "
            f"'{_ID}'.",
            MALFORMED,
        )
    other, segment = targets.addressed(call, address)
    if other.entity.name != shape.entity.name:
        raise bad_request(
            f"Targets[{position}]: '{address[:200]}' is not a record of {shape.entity.name}.",
            MALFORMED,
        )
    if segment.key is not None:
        return segment.key, {}
    extra = keys.key_attributes(shape, segment)
    if not keys.matching(call, shape, extra):
        return "", extra
    return keys.record_id(call, shape, segment), extra


_ACTIONS: Mapping[str, Callable[[Call, Shape, Sequence[Target]], HttpResponse]] = {
    "CreateMultiple": _create,
    "UpdateMultiple": _update,
    "UpsertMultiple": _upsert,
}
