"""Changes and deletions by OData, one request a record, each with the etag it is based on.

1. Ask for the etags of the records of a portion.
2. Somebody looks at their versions afterwards: where a version is the expected one, the etag is
   that version's, because it was asked for between that version and this look.
3. `PATCH` and `DELETE` with `If-Match`; 412 says that the record was changed since (resco.md
   §3.3), so nothing that was not seen is ever overwritten (`VersionCheck.ATOMIC`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from connections.connectors.resco_cloud import odata_values
from connections.connectors.resco_cloud.bodies import Bodies
from connections.connectors.resco_cloud.client import RescoClient
from connections.connectors.resco_cloud.odata_asking import ask
from connections.connectors.resco_cloud.odata_errors import error_of, fault_of
from connections.connectors.resco_cloud.sending import Answer, Sender
from connections.connectors.resco_cloud.targets import Write
from connections.errors import Retryable
from organizations.records import Action
from organizations.schema import Entity

ASKED = 50
"""Ids in one question: they stand in its address."""
_PATIENCE = 3
"""Writes in a row that nobody answers until the rest of the portion waits."""
STALE = 412


@dataclass(frozen=True, slots=True)
class Change:
    """One request: a body to PATCH, or none to DELETE; '' where the record was not found."""

    record_id: str
    etag: str
    body: bytes | None


@dataclass(slots=True)
class ODataSender(Sender[Change]):
    """Writes records of one entity."""

    client: RescoClient
    entity: Entity
    bodies: Bodies
    _etags: dict[str, str] = field(default_factory=dict)

    def prepare(self, rows: Sequence[Write]) -> None:
        """Ask for the etags. Raises Refused, Retryable."""
        ids = [row.id for row in rows]
        self._etags = {}
        for start in range(0, len(ids), ASKED):
            self._etags |= self._asked(ids[start : start + ASKED])

    def make(self, action: Action, row: Write) -> Change:
        """Return the request. Raises InvalidValue."""
        etag = self._etags.get(row.id, "")
        if action is Action.DELETE:
            return Change(row.id, etag, None)
        given = self.bodies.given(row.written, creating=False)
        return Change(row.id, etag, odata_values.body(given))

    def send(self, made: Sequence[Change]) -> Sequence[Answer]:
        """Send one request after the other, until too many in a row were not answered."""
        answers: list[Answer] = []
        unanswered = 0
        for change in made:
            answer = self._sent(change)
            unanswered = unanswered + 1 if isinstance(answer, Retryable) else 0
            answers.append(answer)
            if unanswered >= _PATIENCE:
                break
        return answers

    def _sent(self, change: Change) -> Answer:
        if not change.etag:
            return Retryable(f"Record {change.record_id} came while it was looked for.")
        method = "DELETE" if change.body is None else "PATCH"
        path = f"{self.entity.name}('{change.record_id}')"
        try:
            reply = self.client.odata(
                method, path, headers={"If-Match": change.etag}, body=change.body
            )
        except Retryable as error:
            return error
        if 200 <= reply.status < 300:
            return change.record_id
        if reply.status == STALE:
            return Retryable(f"Record {change.record_id} was changed meanwhile.", code=str(STALE))
        if reply.status in (401, 403):
            raise error_of(reply)
        return fault_of(reply)

    def _asked(self, ids: Sequence[str]) -> dict[str, str]:
        key = self.entity.primary_id
        filter_ = " or ".join(f"{key} eq '{record_id}'" for record_id in ids)
        path = f"{self.entity.name}?$select={key}&$filter={quote(filter_)}"
        return ask(self.client, path, lambda document: dict(_etags(document, key)))


def _etags(document: Any, key: str) -> Iterator[tuple[str, str]]:
    for record in document["value"]:
        yield str(record[key]).lower(), str(record["@odata.etag"])
