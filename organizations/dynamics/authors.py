"""Who a record is written by: the caller, or the user of MSCRMCallerID or CallerObjectId.

A record then belongs to the user who is named, and `createdonbehalfby` or `modifiedonbehalfby`
tell who really called (dataverse.md 1.1). Columns that an entity lacks are left out.
"""

from __future__ import annotations

from collections.abc import Mapping

from organizations.dynamics.call import Call
from organizations.dynamics.errors import WebApiError
from organizations.dynamics.resource import GUID
from organizations.query.nodes import Condition, Group, Logic, Operator, Query
from organizations.records import RecordValue, Reference
from organizations.schema import Entity

_USERS, _OBJECT = "systemuser", "azureactivedirectoryobjectid"
_OWNER = "ownerid"


def of_new(call: Call, entity: Entity, given: Mapping[str, RecordValue]) -> dict[str, RecordValue]:
    """Return who made a record; the owner too, if a header names one. Raises WebApiError 403."""
    user = _named(call)
    if user is None:
        caller = _caller(call)
        return _known(entity, {"createdby": caller, "modifiedby": caller})
    owner: dict[str, RecordValue] = {} if _OWNER in given else {_OWNER: user}
    return _known(
        entity, owner | _written(call, user, "created") | _written(call, user, "modified")
    )


def of_changed(call: Call, entity: Entity) -> dict[str, RecordValue]:
    """Return who changed a record. Raises WebApiError 403."""
    user = _named(call)
    if user is None:
        return _known(entity, {"modifiedby": _caller(call), "modifiedonbehalfby": None})
    return _known(entity, _written(call, user, "modified"))


def _written(call: Call, user: Reference, verb: str) -> dict[str, RecordValue]:
    return {f"{verb}by": user, f"{verb}onbehalfby": _caller(call)}


def _caller(call: Call) -> Reference:
    return Reference(_USERS, str(call.principal.id))


def _known(entity: Entity, values: Mapping[str, RecordValue]) -> dict[str, RecordValue]:
    names = {item.name for item in entity.attributes if item.is_lookup and not item.is_hidden}
    return {name: value for name, value in values.items() if name in names}


def _named(call: Call) -> Reference | None:
    """Return the user that the headers name; None without them, or without a table of users."""
    by_id, by_object = call.header("MSCRMCallerID"), call.header("CallerObjectId")
    if not (by_id or by_object) or not call.catalog.enabled(_USERS):
        return None
    users = call.catalog.entity(_USERS)
    has_objects = users.attribute(_OBJECT) is not None
    attribute = _OBJECT if by_object and has_objects else users.primary_id
    found = GUID.match((by_object or by_id).strip())
    if found is not None:
        condition = Condition(attribute, Operator.EQ, (found[1].lower(),))
        query = Query(entity=_USERS, filter=Group(Logic.AND, (condition,)))
        for row in call.store.page(_USERS, [users.primary_id], filter=query, limit=1):
            return Reference(_USERS, str(row[0]))
    raise WebApiError(403, "0x80072560", "The user is not a member of the organization.")
