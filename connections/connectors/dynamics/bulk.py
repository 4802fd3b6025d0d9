"""``CreateMultiple`` and ``UpdateMultiple`` (dataverse.md §4.4): all of a call, or nothing.

A call that fails is halved until few records are left; those go one by one, in ``$batch``. So a
bad record costs about two calls per halving and no other record anything. `UpdateMultiple` knows
no If-Match and serves only tables that cannot check versions anyway. Neither tells versions: they
are read afterwards.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from connections.connectors.dynamics import errors, fetching
from connections.connectors.dynamics.batch import LARGEST
from connections.connectors.dynamics.batch_rounds import OPERATIONS, Done, Steps
from connections.connectors.dynamics.client import DynamicsClient, encoded, with_query
from connections.connectors.dynamics.columns import Shape
from connections.connectors.dynamics.errors import Recovery
from connections.connectors.dynamics.faults import error_of, fault, meaning_of
from connections.connectors.dynamics.looking import Found
from connections.connectors.dynamics.record_writing import Now, RecordWriter, Wanted
from connections.connectors.dynamics.values import PageDecoder
from connections.errors import Retryable
from organizations.records import Action
from organizations.schema import Entity

CREATE, UPDATE = "CreateMultiple", "UpdateMultiple"
MOST = 500
"""Records in one call; 100 to 1,000 are advised."""
FEWEST = 20
"""With fewer, the calls that go around a bulk action cost more than it saves."""
_NAMESPACE = "Microsoft.Dynamics.CRM"


@dataclass(slots=True)
class BulkActions:
    """Which tables have which bulk actions; asked once per table."""

    client: DynamicsClient
    _known: dict[str, frozenset[str]] = field(default_factory=dict)

    def of(self, entity: str) -> frozenset[str]:
        """Return the names of the bulk actions of a table; none where it does not say."""
        if entity not in self._known:
            self._known[entity] = self._asked(entity)
        return self._known[entity]

    def requests_for(self, entity: Entity, action: Action, count: int) -> int:
        """Return about how many requests it takes to write so many records.

        A bulk call is followed by one that asks for the versions. Deletions, pairs, and changes
        whose versions can be checked go in batches.
        """
        name = {Action.CREATE: CREATE, Action.UPDATE: UPDATE}.get(action, "")
        is_bulk = count >= FEWEST and not entity.is_intersect and name in self.of(entity.name)
        if is_bulk and (action is Action.CREATE or not entity.checks_versions):
            return 2 * math.ceil(count / MOST)
        return math.ceil(count / OPERATIONS)

    def _asked(self, entity: str) -> frozenset[str]:
        condition = (
            f"(sdkmessageid/name eq '{CREATE}' or sdkmessageid/name eq '{UPDATE}') "
            f"and primaryobjecttypecode eq '{entity}'"
        )
        path = with_query(
            "sdkmessagefilters",
            select="sdkmessagefilterid",
            filter=condition,
            expand="sdkmessageid($select=name)",
        )
        reply = self.client.send("GET", path)
        if reply.status != 200:
            return frozenset()
        found = self.client.json_of(reply).get("value", [])
        return frozenset(str((item.get("sdkmessageid") or {}).get("name")) for item in found)


@dataclass(frozen=True, slots=True)
class Bulk:
    """Writes what it can in bulk and returns the steps that are left for every record."""

    client: DynamicsClient
    writer: RecordWriter
    actions: BulkActions

    def create(self, rows: Sequence[Wanted]) -> list[Steps[Done]]:
        """Create records; the rest of each: its state, or all of it."""
        plain = [at for at, row in enumerate(rows) if not self.writer.parties.has(row.values)]
        if not self._serves(CREATE, len(plain)):
            return [self.writer.create(row) for row in rows]
        targets = {at: self._target(self.writer.creation(rows[at]).document) for at in plain}
        made, doubtful = self._called(CREATE, targets)
        found = self._look([rows[at].id for at in made])
        return [
            self._rest(row, found[row.id])
            if at in made and row.id in found
            else self.writer.create(row, is_doubtful=at in doubtful or at in made)
            for at, row in enumerate(rows)
        ]

    def update(self, rows: Sequence[Wanted]) -> list[Steps[Done]]:
        """Change records; the rest of each: its state, a conflict, or all of it."""
        if self.writer.checks_versions or not self._serves(UPDATE, len(rows)):
            return [self.writer.update(row) for row in rows]
        before = self._look([row.id for row in rows])
        targets = {
            at: self._target({self.writer.entity.primary_id: row.id, **body})
            for at, row in enumerate(rows)
            if row.id in before
            and before[row.id].version == row.expected
            and not self.writer.parties.has(row.written)
            and (body := self.writer.bodies.body(row.written, creating=False))
        }
        made, doubtful = self._called(UPDATE, targets)
        after = self._look([rows[at].id for at in made])
        return [
            self._rest(row, after[row.id])
            if at in made and row.id in after
            else self.writer.update(row, is_doubtful=at in doubtful)
            for at, row in enumerate(rows)
        ]

    def _serves(self, action: str, number: int) -> bool:
        entity = self.writer.entity.name
        return number >= FEWEST and action in self.actions.of(entity)

    def _target(self, body: Any) -> dict[str, Any]:
        return {"@odata.type": f"{_NAMESPACE}.{self.writer.entity.name}", **body}

    def _called(self, action: str, targets: dict[int, dict[str, Any]]) -> tuple[set[int], set[int]]:
        """Return the places that were written, and those nobody knows of."""
        made: set[int] = set()
        doubtful: set[int] = set()
        left = [list(targets)[at : at + MOST] for at in range(0, len(targets), MOST)]
        while left:
            places = left.pop(0)
            document = {"Targets": [targets[at] for at in places]}
            too_large = len(places) > 1 and len(encoded(document)) > LARGEST
            try:
                taken = not too_large and self._call(action, document)
            except Retryable as error:
                if error.code == "429":
                    raise
                doubtful.update(places)
                continue
            if taken:
                made.update(places)
            elif len(places) >= FEWEST:
                half = len(places) // 2
                left[:0] = [places[:half], places[half:]]
        return made, doubtful

    def _call(self, action: str, document: object) -> bool:
        """Return whether all was taken. Raises what concerns more than a record."""
        path = f"{self.writer.entity.set_name}/{_NAMESPACE}.{action}"
        part = self.writer.marks.part("POST", path)
        reply = self.client.send("POST", part.path, headers=part.headers, document=document)
        if reply.status in {200, 204}:
            return True
        if reply.status >= 500 and error_of(reply)[0] not in errors.CODES:
            raise fault(reply)
        if meaning_of(reply).recovery is Recovery.REFUSE:
            raise fault(reply)
        return False

    def _look(self, ids: Sequence[str]) -> dict[str, Found]:
        """Return versions and states of those records that are there."""
        entity, names = self.writer.entity, self.writer.states.names
        attributes = [item for item in entity.attributes if item.name in names]
        shape = Shape.of(entity, attributes)
        found = fetching.fetch(self.client, PageDecoder(shape), ids) if ids else None
        if found is None:
            return {}
        return {
            str(row[0]): Found(version, dict(zip(shape.names, row, strict=True)))
            for row, version in zip(found.rows, found.versions, strict=True)
        }

    def _rest(self, row: Wanted, found: Found) -> Steps[Done]:
        version = yield from self.writer.finish(row, Now(found.version, found.values))
        return row.id, version
