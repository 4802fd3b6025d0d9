"""Activity parties in bodies: `appointment_activity_parties` becomes the party lists.

The participation mask decides which list a party belongs to (dataverse.md 6); owner and regarding
appear by themselves.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from organizations.dynamics import targets
from organizations.dynamics.call import Call
from organizations.dynamics.errors import MALFORMED, bad_request
from organizations.dynamics.names import Navigation, Side
from organizations.participation import AUTOMATIC, LISTS
from organizations.records import RecordValue
from organizations.schema import AttributeType, Entity
from organizations.values import parse

_BIND = "@odata.bind"
_PARTY = "partyid_"


def navigation(entity: Entity) -> str:
    """Return the name under which an activity's parties are written."""
    return f"{entity.name}_activity_parties"


def read(call: Call, entity: Entity, value: Any) -> dict[str, RecordValue]:
    """Return the party lists of an activity, all of them: a body replaces every party.

    Raises WebApiError 400 for a party without mask or person.
    """
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        raise bad_request(f"'{navigation(entity)}' takes a list of parties.", MALFORMED)
    lists = {item.name: item for item in entity.attributes if item.type is AttributeType.PARTYLIST}
    found: dict[str, list[tuple[int, str, str]]] = {name: [] for name in lists}
    for party in value:
        mask = party.get("participationtypemask")
        if mask in AUTOMATIC:
            continue
        name = LISTS.get(mask) if isinstance(mask, int) else None
        if name not in lists:
            raise bad_request(
                f"A party of {entity.name} has the participationtypemask {mask!r}, which it does "
                "not know.",
                MALFORMED,
            )
        found[name].append((mask, *_person(call, party)))
    return {name: parse(lists[name], rows) for name, rows in found.items()}


def _person(call: Call, party: Mapping[str, Any]) -> tuple[str, str]:
    for name, value in party.items():
        if name.startswith(_PARTY) and name.endswith(_BIND):
            entity = name.removeprefix(_PARTY).removesuffix(_BIND)
            way = Navigation(name=name.removesuffix(_BIND), side=Side.ONE, targets=(entity,))
            return entity, targets.resolve(call, value, way).id
    address = party.get("addressused")
    if isinstance(address, str) and address:
        return "", address
    raise bad_request("A party needs partyid_…@odata.bind or addressused.", MALFORMED)
