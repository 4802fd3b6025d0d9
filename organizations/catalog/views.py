"""Views: entities that show what is kept elsewhere, by SQL in the organization's own schema.

They are read like any other entity and never written. They are local: no server gives them, and
Update Server leaves them alone.
"""

from __future__ import annotations

from dataclasses import replace

from psycopg import sql

from organizations import definitions
from organizations.catalog import versions
from organizations.catalog.defining import bump
from organizations.catalog.locks import exclusive_schema_lock
from organizations.errors import SchemaConflict
from organizations.models import EntityDefinition, Organization
from organizations.schema import VERSION, Entity, Origin, columns
from organizations.tables import ddl, names


def define_view(organization: Organization, entity: Entity, source: sql.Composable) -> None:
    """Make or replace a view whose rows are those of the query `source`.

    Its columns bear the names and types of `schema.columns(entity)`, and `versionnumber`. One
    that stands just so is left alone. Raises SchemaConflict where the organization has a table of
    that name.
    """
    shown = replace(entity, is_view=True, origin=Origin.LOCAL)
    names.check(shown)
    rows = EntityDefinition.objects.filter(organization=organization, name=entity.name)
    wanted = [names.column(column.name) for column in columns(shown)]
    statement = ddl.view_statement(
        organization.schema, entity.name, [*wanted, names.column(VERSION)], source
    )
    is_known = rows.filter(document=definitions.dump(shown)).exists()
    if is_known and ddl.is_view_of(organization.schema, entity.name, statement):
        return
    with exclusive_schema_lock(organization):
        row = rows.first() or EntityDefinition(organization=organization, name=entity.name)
        if row.pk and not definitions.load(row.document).is_view:
            raise SchemaConflict(
                f"Organization '{organization.name}' has an entity '{entity.name}' of its own."
            )
        ddl.make_view(organization.schema, entity.name, statement)
        _save(row, shown, bump(organization))


def _save(row: EntityDefinition, entity: Entity, version: int) -> None:
    before = row.document if row.pk else None
    row.set_name, row.display_name = entity.set_name, entity.label.text()[:256]
    row.is_intersect, row.is_hidden, row.has_table = False, False, True
    row.document = definitions.dump(entity)
    versions.record(row, before, version)
    row.save()
