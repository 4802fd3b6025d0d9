"""`migrate_transaction` and `migrate_log` of a client organization, as the original has them.

The original keeps changes on their way to the server and its log in entities of these names
(resco.md §4.4); their fields are not published (§8), so these are ours (assumed). They are
views: they show what stands in the Offline Transactions and among the errors of runs.
`versionnumber` is the client's version of the newest change in a transaction, and the number of
a line of the log; it does not grow when only the status changes.
"""

from __future__ import annotations

from typing import LiteralString

from psycopg import sql

from connections.models import Connection, Endpoint, SyncedEntity
from organizations.catalog import define_view
from organizations.errors import SchemaConflict
from organizations.models import Organization
from organizations.schema import VERSION, Attribute, AttributeType, Entity, Label
from syncjobs.models import OfflineTransaction, Run, RunError, TransactionEvent

T = AttributeType


def _entity(name: str, label: str, *attributes: Attribute) -> Entity:
    return Entity(
        name=name,
        primary_id="id",
        primary_name="entityname",
        set_name=name,
        label=Label.of({1033: label}),
        attributes=(
            Attribute(name="id", type=T.UNIQUEIDENTIFIER, is_primary_id=True),
            Attribute(name="entityname", type=T.STRING, max_length=128, is_primary_name=True),
            *attributes,
            Attribute(name="createdon", type=T.DATETIME),
            Attribute(name=VERSION, type=T.BIGINT, is_creatable=False, is_updatable=False),
        ),
    )


TRANSACTION = _entity(
    "migrate_transaction",
    "Offline Transaction",
    Attribute(name="recordid", type=T.UNIQUEIDENTIFIER),
    Attribute(name="operation", type=T.STRING, max_length=20),
    Attribute(name="status", type=T.STRING, max_length=20),
    Attribute(name="error", type=T.MEMO),
    Attribute(name="attempts", type=T.INTEGER),
    Attribute(name="modifiedon", type=T.DATETIME),
)
LOG = _entity(
    "migrate_log",
    "Synchronization Log",
    Attribute(name="run", type=T.UNIQUEIDENTIFIER),
    Attribute(name="recordid", type=T.STRING, max_length=100),
    Attribute(name="code", type=T.STRING, max_length=60),
    Attribute(name="message", type=T.MEMO),
)
_TRANSACTIONS: LiteralString = """
    SELECT md5(concat('transaction', row.id))::uuid AS id, entity.name::text AS entityname,
        row.client_id AS recordid, initcap(row.action) AS operation,
        initcap(row.status) AS status,
        nullif(concat_ws(': ', nullif(row.code, ''), nullif(row.message, '')), '') AS error,
        row.attempts::integer AS attempts,
        row.created::timestamp(0) with time zone AS createdon,
        coalesce(
            (SELECT max(event.at) FROM {events} AS event WHERE event.transaction_id = row.id),
            row.created
        )::timestamp(0) with time zone AS modifiedon,
        row.version AS {version}
    FROM {transactions} AS row
    JOIN {entities} AS entity ON entity.id = row.entity_id
    JOIN {connections} AS connection ON connection.id = row.connection_id
    JOIN {endpoints} AS endpoint ON endpoint.id = connection.client_id
    WHERE endpoint.organization_id = {organization}
"""
_ERRORS: LiteralString = """
    SELECT md5(concat('error', row.id))::uuid AS id, row.entity::text AS entityname,
        row.run_id AS run, nullif(row.record, '')::text AS recordid,
        nullif(row.code, '')::text AS code, row.message AS message,
        row.at::timestamp(0) with time zone AS createdon, row.id AS {version}
    FROM {errors} AS row
    JOIN {runs} AS run ON run.id = row.run_id
    JOIN {connections} AS connection ON connection.id = run.connection_id
    JOIN {endpoints} AS endpoint ON endpoint.id = connection.client_id
    WHERE endpoint.organization_id = {organization}
"""
_TABLES = {
    "transactions": OfflineTransaction,
    "events": TransactionEvent,
    "errors": RunError,
    "runs": Run,
    "entities": SyncedEntity,
    "connections": Connection,
    "endpoints": Endpoint,
}


def define(organization: Organization | None) -> str:
    """Let a client organization show its transactions and the errors of its runs.

    Nothing happens where both stand already, or the client is not hosted here (None). Returns ''
    or the sentence that says what stands in the way: nothing else depends on these views.
    """
    if organization is None:
        return ""
    try:
        define_view(organization, TRANSACTION, _source(_TRANSACTIONS, organization))
        define_view(organization, LOG, _source(_ERRORS, organization))
    except SchemaConflict as error:
        return str(error)
    return ""


def _source(statement: LiteralString, organization: Organization) -> sql.Composed:
    tables = {
        name: sql.Identifier("public", model._meta.db_table) for name, model in _TABLES.items()
    }
    return sql.SQL(statement).format(
        version=sql.Identifier(VERSION), organization=sql.Literal(str(organization.pk)), **tables
    )
