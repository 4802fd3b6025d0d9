"""What a real connection remembers, as the judge and persons see it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from collections.abc import Set as AbstractSet

from connections.models import Connection
from organizations.tables.database import fetch
from syncjobs import handling, held
from syncjobs import transaction_rows as rows
from syncjobs.chaos.protocols import Memory
from syncjobs.engine.transactions import Status, Transaction
from syncjobs.engine.values import LinkRow, LinkState, Position
from syncjobs.models import Checkpoint, HeldDeletions, LeftBehind, Link, OfflineTransaction

_BY = "chaos"
_OF_CONNECTION = "connection_id = %(connection)s"
_TABLES = ("link", "checkpoint", "clientcheckpoint", "leftbehind", "image", "helddeletions")
_POSITION_FIELDS = tuple(Position.__dataclass_fields__)
_DIGEST = " UNION ALL ".join(
    f"SELECT md5(coalesce(string_agg(md5(t::text), '' ORDER BY md5(t::text)), '')) "  # noqa: S608
    f"FROM syncjobs_{name} t WHERE entity_id = ANY(%(entities)s)"
    for name in (*_TABLES, "offlinetransaction")
)


class Remembered(Memory):
    """Rows of one connection; persons change them by the functions that the pages call."""

    def __init__(self, connection: Connection) -> None:
        """Of a connection that is ready."""
        self._connection = connection
        self._keys = list(connection.entities.values_list("pk", flat=True))

    @property
    def writes(self) -> object:
        """Digests of all tables in which a run writes, but its own."""
        return fetch(_DIGEST, {"entities": self._keys})

    def positions(self) -> Sequence[Position]:
        """Return how far the entities have been read."""
        found = Checkpoint.objects.filter(entity__in=self._keys)
        return [Position(**row) for row in found.values(*_POSITION_FIELDS)]

    def links(self) -> Mapping[int, Mapping[str, LinkRow]]:
        """Return entity → server id → link."""
        found: dict[int, dict[str, LinkRow]] = defaultdict(dict)
        for row in Link.objects.filter(entity__in=self._keys):
            found[row.entity_id][str(row.server_id)] = LinkRow(
                str(row.server_id),
                str(row.client_id),
                row.server_version,
                row.client_version,
                row.digest.hex,
                LinkState(row.state),
            )
        return found

    def left(self) -> Mapping[int, AbstractSet[str]]:
        """Return entity → server ids that could not be carried."""
        found: dict[int, set[str]] = defaultdict(set)
        for row in LeftBehind.objects.filter(entity__in=self._keys):
            found[row.entity_id].add(str(row.server_id))
        return found

    def held(self) -> Mapping[int, AbstractSet[str]]:
        """Return entity → server ids whose deletion waits, or was declined."""
        found: dict[int, set[str]] = defaultdict(set)
        states = (HeldDeletions.State.WAITING, HeldDeletions.State.DECLINED)
        for row in HeldDeletions.objects.filter(entity__in=self._keys, state__in=states):
            found[row.entity_id].update(map(str, row.server_ids))
        return found

    def transactions(self) -> Sequence[Transaction]:
        """Return all of them, oldest first."""
        return rows.select(_OF_CONNECTION, {"connection": self._connection.pk})

    def change(self, item: Transaction) -> None:
        """Press the button that makes it so."""
        if item.status is Status.ARCHIVED:
            handling.set_archived(self._connection, [item.id], actor=_BY)
        elif item.choices:
            row = OfflineTransaction.objects.get(pk=item.id)
            seen = handling.versions_of(row)
            handling.decide(row, item.choices, seen=seen, actor=_BY)
        else:
            handling.set_pending(self._connection, [item.id], actor=_BY)

    def decide(self, entity: int, *, approve: bool) -> bool:
        """Approve or decline what waits."""
        row = held.waiting(self._connection).filter(entity=entity).first()
        if row is None:
            return False
        decision = held.approve if approve else held.decline
        decision(self._connection, row.pk, by=_BY)
        return True
