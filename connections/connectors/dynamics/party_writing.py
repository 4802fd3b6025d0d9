"""Writing party lists: they travel with their activity, always as the whole list of it.

``POST`` takes them as a nested array; afterwards ``PUT`` replaces the collection, so lists that
are not being written are read first and sent along (dataverse.md §6).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import orjson

from connections.connectors.dynamics.bodies import Bodies, Values
from connections.connectors.dynamics.client import DynamicsClient
from connections.connectors.dynamics.faults import error_of
from connections.connectors.dynamics.parties import MASKS, PARTY, Party, read_parties
from connections.errors import Rejected
from organizations.schema import AttributeType, Entity


@dataclass(frozen=True, slots=True)
class PartyWriter:
    """Writes the party lists of one activity entity."""

    client: DynamicsClient
    entity: Entity
    bodies: Bodies

    def for_create(self, values: Values) -> dict[str, Any]:
        """Return the member that holds all lists, or nothing."""
        parties = list(self._given(values))
        return {self._navigation(): [self._json(item) for item in parties]} if parties else {}

    def replace(self, record_id: str, values: Values) -> bool:
        """Replace the lists among `values`; returns whether there were any."""
        written = {MASKS[name] for name in self._lists() if name in values}
        if not written:
            return False
        known = read_parties(self.client, [record_id]).get(record_id, {})
        kept = [item for mask, items in known.items() if mask not in written for item in items]
        document = {"value": [self._json(item) for item in [*kept, *self._given(values)]]}
        path = f"{self.entity.set_name}({record_id})/{self._navigation()}"
        reply = self.client.send("PUT", path, document=document, idempotent=True)
        if reply.status not in {200, 204}:
            code, message = error_of(reply)
            raise Rejected(message or "The party lists were not taken.", code=code)
        return True

    def _lists(self) -> list[str]:
        return [
            attribute.name
            for attribute in self.entity.attributes
            if attribute.type is AttributeType.PARTYLIST and attribute.name in MASKS
        ]

    def _given(self, values: Values) -> Iterable[Party]:
        for name in self._lists():
            for mask, entity, party in orjson.loads(str(values.get(name) or "[]")):
                yield int(mask), str(entity), str(party)

    def _json(self, party: Party) -> dict[str, Any]:
        mask, entity, id_or_address = party
        if not entity:
            return {"participationtypemask": mask, "addressused": id_or_address}
        bind = f"/{self.bodies.reference(entity, id_or_address)}"
        return {"participationtypemask": mask, f"partyid_{entity}@odata.bind": bind}

    def _navigation(self) -> str:
        """The collection's name; documented as `email_activity_parties` and so on."""
        for item in self.entity.one_to_many:
            if item.referencing_entity == PARTY.name and item.referencing_attribute == "activityid":
                return item.referenced_navigation or item.name
        return f"{self.entity.name}_activity_parties"
