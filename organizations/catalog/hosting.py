"""Making and deleting hosted organizations: the row and the PostgreSQL schema together."""

from __future__ import annotations

from collections.abc import Iterable

from django.core.exceptions import ValidationError
from django.db import IntegrityError, ProgrammingError, transaction
from psycopg.errors import DuplicateSchema

from organizations.catalog import sql_users
from organizations.catalog.locks import exclusive_schema_lock
from organizations.errors import AlreadyExists, InvalidRequest, SchemaConflict
from organizations.models import ChangeLog, DeletedRecord, EntityDefinition, Organization
from organizations.schema import ENGLISH
from organizations.tables import ddl

DROPPED_AT_ONCE = 100


def create_organization(
    name: str,
    kind: str = Organization.Kind.CLIENT,
    *,
    display_name: str = "",
    languages: Iterable[int] = (ENGLISH,),
) -> Organization:
    """Make an empty organization. Raises InvalidRequest for a bad name, AlreadyExists.

    Raises SchemaConflict if the database has a schema of that name.
    """
    known = list(languages) or [ENGLISH]
    organization = Organization(
        name=name, kind=kind, display_name=display_name, language=known[0], languages=known
    )
    try:
        organization.clean_fields()
    except ValidationError as error:
        raise InvalidRequest(" ".join(error.messages), "name") from error
    try:
        with transaction.atomic():
            organization.save(force_insert=True)
            ddl.make_schema(organization.schema)
    except IntegrityError as error:
        raise AlreadyExists("organization", name) from error
    except ProgrammingError as error:
        if not isinstance(error.__cause__, DuplicateSchema):
            raise
        raise SchemaConflict(
            f"The database holds a schema '{organization.schema}' that belongs to no "
            "organization. Rename or drop it, or choose another name."
        ) from error
    return organization


def delete_organization(organization: Organization) -> None:
    """Drop an organization with its SQL user, metadata, records, log and recycle bin.

    Tables go in portions, because one transaction can lock only so many. Raises what
    `sql_users.remove` raises, before anything is dropped.
    """
    if sql_users.find(organization):
        sql_users.remove(organization)
    tables = EntityDefinition.objects.filter(organization=organization, has_table=True)
    while names := list(tables.values_list("name", flat=True)[:DROPPED_AT_ONCE]):
        with exclusive_schema_lock(organization):
            for name in names:
                ddl.drop(organization.schema, name)
            tables.filter(name__in=names).delete()
    with exclusive_schema_lock(organization):
        ddl.drop_schema(organization.schema)
        ChangeLog.objects.filter(organization=organization).delete()
        DeletedRecord.objects.filter(organization=organization).delete()
        organization.delete()
