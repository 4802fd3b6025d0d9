"""The engine's memory on rows: links, checkpoints, records left behind, and the fencing check.

Links move in bulk: a page of five thousand is one COPY, and one array when they are looked up.
Ids are canonical GUIDs and everything else is a number, so nothing needs escaping in a COPY.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict
from itertools import chain

from django.db import IntegrityError, connection, transaction
from django.db.models import F
from psycopg import errors

from syncjobs import transactions
from syncjobs.compared import DatabaseIds
from syncjobs.engine.plan import Waiting
from syncjobs.engine.protocols import IdSpool, State
from syncjobs.engine.transactions import Transaction
from syncjobs.engine.values import Images, LinkRow, Position
from syncjobs.errors import AlreadyLinked, LostLease
from syncjobs.images import keep
from syncjobs.models import Checkpoint, LeftBehind, Link, Run

_LINK = Link._meta.db_table
_COLUMNS = "entity_id, server_id, client_id, server_version, client_version, digest, state"
_SELECT = f"""
    SELECT server_id::text, client_id::text, server_version, client_version,
           translate(digest::text, '-', ''), state
    FROM {_LINK} WHERE entity_id = %s
"""  # noqa: S608 - the table's name is our model's
_MARKED = "AND state <> 0 AND server_id > %s ORDER BY server_id LIMIT %s"
_NOBODY = "00000000-0000-0000-0000-000000000000"
_STAGE = "link_stage"
_MAKE_STAGE = f"""
    CREATE TEMPORARY TABLE IF NOT EXISTS {_STAGE} (LIKE {_LINK}) ON COMMIT DELETE ROWS
"""
_MERGE = f"""
    WITH staged AS (DELETE FROM {_STAGE} RETURNING {_COLUMNS})
    INSERT INTO {_LINK} ({_COLUMNS}) SELECT {_COLUMNS} FROM staged
    ON CONFLICT (entity_id, server_id) DO UPDATE SET
        client_id = excluded.client_id,
        server_version = excluded.server_version,
        client_version = excluded.client_version,
        digest = excluded.digest,
        state = excluded.state
"""  # noqa: S608
_FOLLOW = f"""
    UPDATE {_LINK} SET client_version = moved.now
    FROM unnest(%s::uuid[], %s::bigint[], %s::bigint[]) AS moved (id, was, now)
    WHERE entity_id = %s AND client_id = moved.id AND client_version = moved.was
"""  # noqa: S608
_POSITION_FIELDS = tuple(Position.__dataclass_fields__)


class DatabaseState(State):
    """Links and checkpoints of the run's connection, writable while the run holds its lease."""

    def __init__(self, run: Run) -> None:
        """`run` as it was claimed: its fence says whether it still is ours."""
        self._run = run

    def page(self) -> AbstractContextManager[None]:
        """Open the transaction of one page."""
        return transaction.atomic()

    def hold(self) -> None:
        """Lock the run's row until the page is committed, so nobody can claim it meanwhile."""
        held = Run.objects.select_for_update(no_key=True).filter(
            pk=self._run.pk,
            fence=self._run.fence,
            state__in=(Run.State.RUNNING, Run.State.CANCELLING),
        )
        if not held.values_list("pk").first():
            raise LostLease("Another worker has taken the run over, or it has ended.")

    def position(self, entity: int) -> Position:
        """Return how far the entity has been read."""
        found = Checkpoint.objects.filter(entity_id=entity).values(*_POSITION_FIELDS).first()
        return Position(**found) if found else Position()

    def save_position(self, entity: int, position: Position) -> None:
        """Insert or replace the checkpoint."""
        Checkpoint.objects.bulk_create(
            [Checkpoint(entity_id=entity, **asdict(position))],
            update_conflicts=True,
            unique_fields=["entity"],
            update_fields=_POSITION_FIELDS,
        )

    def has_links(self, entity: int) -> bool:
        """Return whether any record of the entity is linked."""
        return Link.objects.filter(entity_id=entity).exists()

    def links(self, entity: int, server_ids: Sequence[str]) -> Mapping[str, LinkRow]:
        """Return the links of these server ids, by server id."""
        rows = _select("AND server_id = ANY(%s::uuid[])", entity, _array(server_ids))
        return {row.server_id: row for row in rows}

    def links_by_client(self, entity: int, client_ids: Sequence[str]) -> Mapping[str, LinkRow]:
        """Return the links of these client ids, by client id."""
        rows = _select("AND client_id = ANY(%s::uuid[])", entity, _array(client_ids))
        return {row.client_id: row for row in rows}

    def newest_links(self, entity: int, limit: int) -> Sequence[LinkRow]:
        """Return the links with the highest server versions. Reads all of the entity's links."""
        return _select("ORDER BY server_version DESC LIMIT %s", entity, limit)

    def save_links(self, entity: int, rows: Sequence[LinkRow], *, new: bool = False) -> None:
        """Insert links, or insert and replace them. Raises AlreadyLinked."""
        if new:
            self._insert(entity, rows)
            return
        with connection.cursor() as cursor:
            cursor.execute(_MAKE_STAGE)
        _copy(_STAGE, entity, rows)
        with connection.cursor() as cursor:
            cursor.execute(_MERGE)

    def _insert(self, entity: int, rows: Sequence[LinkRow]) -> None:
        try:
            _copy(_LINK, entity, rows)
        except IntegrityError as error:
            if isinstance(error.__cause__, errors.UniqueViolation):
                raise AlreadyLinked("A record of the page was linked before.") from error
            raise

    def drop_links(self, entity: int, server_ids: Iterable[str]) -> None:
        """Forget links."""
        Link.objects.filter(entity_id=entity, server_id__in=list(server_ids)).delete()

    def follow(self, entity: int, versions: Mapping[str, tuple[int, int]]) -> None:
        """Let links follow, each by one conditional update."""
        was, now = zip(*versions.values(), strict=True)
        with connection.cursor() as cursor:
            cursor.execute(_FOLLOW, [list(versions), list(was), list(now), entity])

    def marked(self, entity: int, after: str, limit: int) -> Sequence[LinkRow]:
        """Return links whose state is not CURRENT, by server id."""
        return _select(_MARKED, entity, after or _NOBODY, limit)

    def spool(self, entity: int) -> IdSpool:
        """Return an empty spool in temporary tables."""
        return DatabaseIds(entity)

    def count_links(self, entity: int) -> int:
        """Return how many records of the entity are linked."""
        return Link.objects.filter(entity_id=entity).count()

    def waiting(self, entity: int, client_ids: Sequence[str]) -> Mapping[str, Waiting]:
        """Return the newest change of each of these records that was not delivered."""
        return transactions.waiting(entity, client_ids)

    def count_waiting(self, entity: int) -> int:
        """Return how many changes of the entity's records were not delivered."""
        return transactions.count_waiting(entity)

    def waiting_pairs(self, entity: int) -> Sequence[Transaction]:
        """Return those that make a pair on the server, and were not delivered."""
        return transactions.waiting_pairs(entity)

    def remember(self, entity: int, images: Images) -> None:
        """Keep what was written, so that it can be taken back."""
        keep(entity, images, self._run.pk)

    def left_behind(self, entity: int) -> Iterable[str]:
        """Return the server ids of records that an earlier run could not carry."""
        found = LeftBehind.objects.filter(entity_id=entity)
        return [str(server_id) for server_id in found.values_list("server_id", flat=True)]

    def leave_behind(self, entity: int, server_ids: Sequence[str]) -> None:
        """Remember records to be read again by id."""
        LeftBehind.objects.bulk_create(
            [LeftBehind(entity_id=entity, server_id=server_id) for server_id in server_ids],
            ignore_conflicts=True,
        )

    def catch_up(self, entity: int, server_ids: Sequence[str]) -> None:
        """Forget that these were left behind."""
        LeftBehind.objects.filter(entity_id=entity, server_id__in=list(server_ids)).delete()

    def translations(self, entities: Iterable[str]) -> Mapping[tuple[str, str], str]:
        """Return (entity, server id) → client id where the two differ."""
        found = Link.objects.filter(
            entity__connection=self._run.connection_id, entity__name__in=list(entities)
        ).exclude(client_id=F("server_id"))
        rows = found.values_list("entity__name", "server_id", "client_id")
        return {(name, str(server_id)): str(client_id) for name, server_id, client_id in rows}


def _array(ids: Iterable[str]) -> str:
    # The driver takes ten times as long to write a list of text as an array.
    return f"{{{','.join(ids)}}}"


def _select(condition: str, entity: int, *values: int | str) -> list[LinkRow]:
    with connection.cursor() as cursor:
        cursor.execute(f"{_SELECT} {condition}", [entity, *values])
        return list(map(LinkRow._make, cursor.fetchall()))


def _copy(table: str, entity: int, rows: Sequence[LinkRow]) -> None:
    # Printed by one operation: a page of links is on the way of every page of records.
    line = f"{entity}\t%s\t%s\t%d\t%d\t%s\t%d\n"
    lines = (line * len(rows)) % tuple(chain.from_iterable(rows))
    with (
        connection.wrap_database_errors,
        connection.cursor() as cursor,
        cursor.copy(f"COPY {table} ({_COLUMNS}) FROM STDIN") as copy,
    ):
        copy.write(lines)
