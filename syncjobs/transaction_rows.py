"""Transactions of the engine to rows and back, a page at a time.

A page goes to the database as one JSON array and comes back as text, because rows of twenty
columns through models take a thousandth of a second each, twice on the way of every change.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from django.db import connection

from syncjobs import transaction_values as values
from syncjobs.causes import cause_of
from syncjobs.engine.transactions import Action, Status, Transaction
from syncjobs.engine.values import Side
from syncjobs.models import OfflineTransaction

_TABLE = OfflineTransaction._meta.db_table
_TYPES = {
    "entity_id": "bigint",
    "client_id": "uuid",
    "action": "text",
    "changes": "jsonb",
    "version": "bigint",
    "first_version": "bigint",
    "based_on": "bigint",
    "actor": "text",
    "at": "timestamptz",
    "status": "text",
    "attempts": "integer",
    "next_attempt": "timestamptz",
    "code": "text",
    "message": "text",
    "cause": "text",
    "conflict": "jsonb",
    "choices": "jsonb",
    "side": "text",
}
_FIXED = ("entity_id", "client_id")
_FINISHED = "CASE WHEN status IN ('processed', 'archived') THEN now() END"
_CODE = OfflineTransaction._meta.get_field("code").max_length
_COLUMNS = ", ".join(_TYPES)
_GIVEN = (
    f"jsonb_to_recordset(%(rows)s::jsonb) AS given"
    f"(place integer, id bigint, {', '.join(f'{name} {kind}' for name, kind in _TYPES.items())})"
)
_INSERT = f"""
    INSERT INTO {_TABLE} (connection_id, {_COLUMNS}, created, finished)
    SELECT %(connection)s, {_COLUMNS}, now(), {_FINISHED} FROM {_GIVEN} ORDER BY place
    RETURNING id
"""  # noqa: S608 - our own names
_ASSIGNED = ", ".join(f"{name} = given.{name}" for name in _TYPES if name not in _FIXED)
_UPDATE = f"""
    WITH given AS (SELECT *, {_FINISHED} AS finished FROM {_GIVEN})
    UPDATE {_TABLE} known SET {_ASSIGNED}, finished = given.finished
    FROM given WHERE known.id = given.id
"""  # noqa: S608
_SELECT = f"""
    SELECT id, entity_id, client_id::text, action, changes::text, version, first_version,
        based_on, actor, at, status, attempts, next_attempt, code, message, conflict::text,
        choices::text, side
    FROM {_TABLE} WHERE
"""  # noqa: S608
_IN_ORDER = "ORDER BY first_version, id"


def insert(connection_id: UUID, transactions: Sequence[Transaction]) -> list[int]:
    """Insert new rows and return their ids in order."""
    with connection.cursor() as cursor:
        cursor.execute(_INSERT, {"connection": connection_id, "rows": _documents(transactions)})
        return [row[0] for row in cursor.fetchall()]


def update(transactions: Sequence[Transaction]) -> None:
    """Write known rows back; those that are gone stay so."""
    with connection.cursor() as cursor:
        cursor.execute(_UPDATE, {"rows": _documents(transactions)})


def select(
    condition: str, parameters: Mapping[str, Any], *, lock: bool = False
) -> list[Transaction]:
    """Return the transactions that a condition of SQL holds for, oldest first."""
    locking = "FOR NO KEY UPDATE" if lock else ""
    with connection.cursor() as cursor:
        cursor.execute(f"{_SELECT} {condition} {_IN_ORDER} {locking}", parameters)
        return [_transaction(*row) for row in cursor.fetchall()]


def _documents(transactions: Sequence[Transaction]) -> str:
    return orjson.dumps(
        [_document(place, item) for place, item in enumerate(transactions)]
    ).decode()


def _document(place: int, item: Transaction) -> dict[str, Any]:
    is_error = item.status is Status.ERROR
    return {
        "place": place,
        "id": item.id,
        "entity_id": item.entity,
        "client_id": item.client_id,
        "action": item.action,
        "changes": values.dump_changes(item.changes),
        "version": item.version,
        "first_version": item.first_version,
        "based_on": item.based_on,
        "actor": item.actor,
        "at": item.at,
        "status": item.status,
        "attempts": item.attempts,
        "next_attempt": item.next_attempt,
        "code": item.code[:_CODE],
        "message": item.message,
        "cause": cause_of(item.code, item.message) if is_error else "",
        "conflict": values.dump_conflict(item.conflict),
        "choices": dict(item.choices),
        "side": item.side,
    }


def _transaction(
    id: int,
    entity: int,
    client_id: str,
    action: str,
    changes: str | None,
    version: int,
    first_version: int,
    based_on: int,
    actor: str,
    at: datetime | None,
    status: str,
    attempts: int,
    next_attempt: datetime | None,
    code: str,
    message: str,
    conflict: str | None,
    choices: str,
    side: str,
) -> Transaction:
    return Transaction(
        id=id,
        entity=entity,
        client_id=client_id,
        action=Action(action),
        changes=values.load_changes(orjson.loads(changes)) if changes else None,
        version=version,
        first_version=first_version,
        based_on=based_on,
        actor=actor,
        at=at,
        status=Status(status),
        attempts=attempts,
        next_attempt=next_attempt,
        code=code,
        message=message,
        conflict=values.load_conflict(orjson.loads(conflict)) if conflict else None,
        choices={name: Side(side) for name, side in orjson.loads(choices).items()},
        side=Side(side),
    )
