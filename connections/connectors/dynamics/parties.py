"""Party lists: they are rows of activityparty, not columns of the activity (dataverse.md §6).

A list is known by its participation mask. Masks and names are those of the entity reference;
which attribute goes with which mask is the same for all activities (documented per attribute).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import orjson

from connections.connectors.dynamics import queries
from connections.connectors.dynamics.client import DynamicsClient
from connections.connectors.dynamics.columns import LOGICAL_NAME, Shape
from connections.connectors.dynamics.values import Decoded
from organizations.records import Row, Value
from organizations.schema import Attribute, AttributeType, Entity

MASKS: Mapping[str, int] = {
    "from": 1,
    "to": 2,
    "cc": 3,
    "bcc": 4,
    "requiredattendees": 5,
    "optionalattendees": 6,
    "organizer": 7,
    "resources": 10,
    "customer": 11,
    "customers": 11,
}
PARTY = Entity(
    name="activityparty",
    primary_id="activitypartyid",
    set_name="activityparties",
    attributes=(Attribute(name="activitypartyid", type=AttributeType.UNIQUEIDENTIFIER),),
)
"""What of activityparty is used; the names are the same in every organization."""
FIELDS = ("activityid", "participationtypemask", "partyid", "addressused", "unresolvedpartyname")

Party = tuple[int, str, str]
"""Mask, entity, id in lower case; or mask, nothing, address."""
ByActivity = dict[str, dict[int, set[Party]]]


@dataclass(frozen=True, slots=True)
class Parties:
    """Fills the party columns of rows that were read without them."""

    client: DynamicsClient
    shape: Shape

    def fill(self, found: Decoded) -> Decoded:
        """Return the rows with their party lists in canonical form; one question per 300 rows."""
        places = self._places()
        if not places or not found.rows:
            return found
        known = read_parties(self.client, [str(row[0]) for row in found.rows])
        rows = [_filled(row, places, known.get(str(row[0]), {})) for row in found.rows]
        return replace(found, rows=rows)

    def _places(self) -> Mapping[int, int]:
        """Position in the row → participation mask."""
        names = self.shape.names
        return {
            names.index(attribute.name): MASKS[attribute.name]
            for attribute in self.shape.party_lists
            if attribute.name in MASKS
        }


def read_parties(client: DynamicsClient, ids: Sequence[str]) -> ByActivity:
    """Return the parties of these activities: activity id → mask → parties."""
    known: ByActivity = defaultdict(lambda: defaultdict(set))
    for record in _records(client, ids):
        mask = int(record.get("participationtypemask") or 0)
        activity = str(record.get("_activityid_value", "")).lower()
        known[activity][mask].add((mask, *party_of(record)))
    return known


def _records(client: DynamicsClient, ids: Sequence[str]) -> Iterator[Mapping[str, Any]]:
    query = queries.selecting(PARTY, FIELDS, None)
    for page in queries.all_pages(client, PARTY, queries.chunked(query, "activityid", ids)):
        yield from orjson.loads(page.body)["value"]


def party_of(record: Mapping[str, Any]) -> tuple[str, str]:
    """The party's entity and id; an address that belongs to nobody has no entity."""
    party = record.get("_partyid_value")
    if party:
        return str(record.get(f"_partyid_value@{LOGICAL_NAME}", "")), str(party).lower()
    address = record.get("addressused") or record.get("unresolvedpartyname") or ""
    return "", str(address).lower()


def _filled(row: Row, places: Mapping[int, int], known: Mapping[int, set[Party]]) -> Row:
    values: list[Value] = list(row)
    for place, mask in places.items():
        parties = sorted(known.get(mask, ()))
        values[place] = orjson.dumps(parties).decode() if parties else None
    return tuple(values)
