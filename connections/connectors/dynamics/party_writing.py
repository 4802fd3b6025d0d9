"""Writing party lists: they travel with their activity, always as the whole list of it.

``POST`` takes them as a nested array; afterwards ``PUT`` replaces the collection, so lists that
are not being written are read first and sent along (dataverse.md §6).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import orjson

from connections.connectors.dynamics.batch import Part
from connections.connectors.dynamics.batch_rounds import Lost, Steps
from connections.connectors.dynamics.bodies import Bodies, Values
from connections.connectors.dynamics.client import parsed, with_query
from connections.connectors.dynamics.columns import LOGICAL_NAME
from connections.connectors.dynamics.errors import Recovery
from connections.connectors.dynamics.faults import fault, meaning_of, rejected
from connections.connectors.dynamics.marks import Marks
from connections.connectors.dynamics.parties import FIELDS, MASKS, PARTY, Party, party_of
from organizations.schema import AttributeType, Entity

_LOOKUPS = frozenset({"activityid", "partyid"})


@dataclass(frozen=True, slots=True)
class PartyWriter:
    """Writes the party lists of one activity entity."""

    entity: Entity
    bodies: Bodies
    marks: Marks

    def for_create(self, values: Values) -> dict[str, Any]:
        """Return the member that holds all lists, or nothing."""
        parties = list(self._given(values))
        return {self._navigation(): [self._json(item) for item in parties]} if parties else {}

    def has(self, values: Values) -> bool:
        """Return whether any party list is among the values."""
        return any(name in values for name in self._lists())

    def replace(self, record_id: str, values: Values) -> Steps[bool]:
        """Replace the lists among `values`; returns whether any differed from what is there."""
        written = {MASKS[name] for name in self._lists() if name in values}
        wanted = {item for item in self._given(values) if item[0] in written}
        while written:
            known = yield from self._read(record_id)
            if {item for item in known if item[0] in written} == wanted:
                return False
            kept = (item for item in known if item[0] not in written)
            try:
                yield from self._put(record_id, [*kept, *sorted(wanted)])
            except Lost:
                continue
            return True
        return False

    def _put(self, record_id: str, parties: Iterable[Party]) -> Steps[None]:
        path = f"{self.entity.set_name}({record_id})/{self._navigation()}"
        document = {"value": [self._json(item) for item in parties]}
        reply = yield self.marks.part("PUT", path, document=document)
        if reply.status not in {200, 204}:
            refused = meaning_of(reply).recovery is Recovery.REFUSE
            raise fault(reply) if refused else rejected(reply, record_id)

    def _read(self, record_id: str) -> Steps[list[Party]]:
        """Return the parties of all lists, each once."""
        select = ",".join(f"_{n}_value" if n in _LOOKUPS else n for n in FIELDS)
        path = with_query(PARTY.set_name, select=select, filter=f"_activityid_value eq {record_id}")
        prefer = f'odata.include-annotations="{LOGICAL_NAME}"'
        reply = yield Part("GET", path, {"Prefer": prefer})
        if reply.status != 200:
            raise fault(reply)
        records = parsed(reply.body, reply.url).get("value", [])
        found = ((int(r.get("participationtypemask") or 0), *party_of(r)) for r in records)
        return list(dict.fromkeys(found))

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
