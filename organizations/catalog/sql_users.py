"""The SQL user of an organization: a database role that reads its tables, and nothing else.

Roles belong to the whole database server, so a comment on the role says whose it is; one of that
name that is not ours is neither used nor removed. Tables made later can be read too, by default
privileges of the role that this product works as.
"""

from __future__ import annotations

import secrets
from typing import LiteralString

from django.db import DatabaseError, connection
from psycopg import sql
from psycopg.errors import DependentObjectsStillExist

from organizations.catalog.locks import exclusive_schema_lock
from organizations.errors import InvalidRequest, NotFound, SchemaConflict
from organizations.models import Organization
from organizations.tables.database import fetch, one, run

Statements = tuple[LiteralString, ...]
_PASSWORD_BYTES = 24
_MAKE: Statements = (
    "CREATE ROLE {role} LOGIN NOINHERIT PASSWORD {password}",
    "COMMENT ON ROLE {role} IS {owner}",
    "ALTER ROLE {role} SET search_path = {schema}",
    "ALTER ROLE {role} SET default_transaction_read_only = on",
    "GRANT USAGE ON SCHEMA {schema} TO {role}",
    "GRANT SELECT ON ALL TABLES IN SCHEMA {schema} TO {role}",
    "ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} GRANT SELECT ON TABLES TO {role}",
)
_REMOVE: Statements = (
    "ALTER DEFAULT PRIVILEGES IN SCHEMA {schema} REVOKE SELECT ON TABLES FROM {role}",
    "REVOKE SELECT ON ALL TABLES IN SCHEMA {schema} FROM {role}",
    "REVOKE USAGE ON SCHEMA {schema} FROM {role}",
    "DROP ROLE {role}",
)


def role_name(organization: Organization) -> str:
    """Return what an organization's SQL user is called."""
    return f"ro_{organization.name}"


def find(organization: Organization) -> str:
    """Return the name of the organization's SQL user, '' if it has none."""
    is_ours = _owner(organization) in _comments(organization)
    return role_name(organization) if is_ours else ""


def make(organization: Organization) -> str:
    """Make the SQL user and return its password, which is kept nowhere.

    Raises SchemaConflict if there is a role of that name, or a job changes the metadata, and
    InvalidRequest if this product's own role may not make others.
    """
    role, password = role_name(organization), secrets.token_urlsafe(_PASSWORD_BYTES)
    with exclusive_schema_lock(organization):
        _check_free(organization)
        _check_right(f"make the SQL user '{role}'")
        _run(organization, _MAKE, password=sql.Literal(_verifier(role, password)))
    return password


def remove(organization: Organization) -> None:
    """Remove the SQL user with its rights.

    Raises NotFound, SchemaConflict if somebody gave it more, and InvalidRequest if this product's
    own role may not remove others.
    """
    role = role_name(organization)
    with exclusive_schema_lock(organization):
        if not find(organization):
            raise NotFound("SQL user", role)
        _check_right(f"remove the SQL user '{role}'")
        try:
            _run(organization, _REMOVE)
        except DatabaseError as error:
            if isinstance(error.__cause__, DependentObjectsStillExist):
                raise SchemaConflict(
                    f"The database role '{role}' has been given more than this product gave it: "
                    f"{error.__cause__.diag.message_detail} Take that back, then remove it."
                ) from error
            raise


def psql(organization: Organization) -> list[str]:
    """Return the command that opens the organization in psql, as its SQL user."""
    database = connection.settings_dict
    given = {
        "--host": database["HOST"],
        "--port": database["PORT"],
        "--username": role_name(organization),
        "--dbname": connection.get_connection_params()["dbname"],
    }
    return ["psql", *(part for name, value in given.items() if value for part in (name, value))]


def _run(organization: Organization, statements: Statements, **more: sql.Composable) -> None:
    names = {
        "role": sql.Identifier(role_name(organization)),
        "schema": sql.Identifier(organization.schema),
        "owner": sql.Literal(_owner(organization)),
    }
    for statement in statements:
        run(sql.SQL(statement).format(**names, **more))


def _owner(organization: Organization) -> str:
    return f"SQL user of the Resco CRM Sync organization {organization.pk}"


def _comments(organization: Organization) -> list[str | None]:
    """Return what stands on the role of that name; nothing at all where there is none."""
    found = fetch(
        "SELECT shobj_description(oid, 'pg_authid') FROM pg_roles WHERE rolname = %s",
        [role_name(organization)],
    )
    return [comment for (comment,) in found]


def _check_free(organization: Organization) -> None:
    role = role_name(organization)
    if find(organization):
        raise SchemaConflict(
            f"The SQL user '{role}' is there already. Remove it to get a new password."
        )
    if _comments(organization):
        raise SchemaConflict(
            f"The database server has a role '{role}' that this organization did not make. Rename "
            "or drop it first."
        )


def _check_right(what: str) -> None:
    row = one(
        "SELECT current_user, rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user"
    )
    user, may = row or ("", False)
    if not may:
        raise InvalidRequest(
            f"The database role '{user}' that this product works as may not {what}. Let an "
            f'administrator of PostgreSQL run: ALTER ROLE "{user}" CREATEROLE',
            "sql_user",
        )


def _verifier(role: str, password: str) -> str:
    """Return what PostgreSQL keeps of a password, so that its own log never holds it."""
    connection.ensure_connection()
    made = connection.connection.pgconn.encrypt_password(
        password.encode(), role.encode(), b"scram-sha-256"
    )
    return bytes(made).decode()
