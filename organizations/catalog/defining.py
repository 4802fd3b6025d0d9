"""Changing the metadata of an organization: definitions, and the tables of those enabled.

Every function works in small portions under the exclusive schema lock and moves `schema_version`
only when something changed.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from functools import partial
from itertools import islice

from django.db import transaction

from organizations import definitions
from organizations.catalog import versions
from organizations.catalog.locks import exclusive_schema_lock, patiently
from organizations.errors import InvalidRequest, NotFound, OrganizationError, SchemaConflict
from organizations.models import EntityDefinition, OptionSetDefinition, Organization
from organizations.schema import AttributeType, Entity, OptionSet
from organizations.tables import ddl, names
from organizations.tables.database import fetch

DEFINED_AT_ONCE = 20
"""Entities per transaction: enough to be quick, few enough to hold no reader up for long."""


def define(organization: Organization, entities: Iterable[Entity]) -> None:
    """Insert or replace definitions and alter the tables of those that have one.

    An attribute that the new definition leaves out is kept as a hidden one, with its column.
    Raises SchemaConflict naming the entity; those before it are defined then.
    """
    fresh = (entity for entity in entities if not _is_known(organization, entity))
    while portion := list(islice(fresh, DEFINED_AT_ONCE)):
        with exclusive_schema_lock(organization):
            problem = _define_some(organization, portion)
        if problem is not None:
            raise problem


def enable(organization: Organization, entity_names: Iterable[str]) -> None:
    """Make the tables of these entities, or show them again with the records they had."""
    for name in entity_names:
        with exclusive_schema_lock(organization):
            row = _row(organization, name)
            if not row.has_table or row.is_hidden:
                _enable(organization, row)


def hide(organization: Organization, entity_names: Iterable[str]) -> None:
    """Stop serving these entities; their definitions and records are kept."""
    for name in entity_names:
        with exclusive_schema_lock(organization):
            row = _row(organization, name)
            if not row.is_hidden:
                entity = replace(definitions.load(row.document), is_hidden=True)
                _save(row, entity, bump(organization))


def drop(organization: Organization, name: str) -> None:
    """Forget an entity and drop its table with all its records."""
    with exclusive_schema_lock(organization):
        row = _row(organization, name)
        dropping = partial(ddl.drop, organization.schema, name)
        patiently(dropping, f"The table of entity '{name}' is")
        versions.forget(row, bump(organization))
        row.delete()


def remove_attributes(organization: Organization, name: str, attributes: Iterable[str]) -> None:
    """Forget attributes of an entity and drop their columns with all their values."""
    gone = frozenset(attributes)
    with exclusive_schema_lock(organization):
        row = _row(organization, name)
        entity = definitions.load(row.document)
        left = tuple(item for item in entity.attributes if item.name not in gone)
        if row.has_table:
            dropping = partial(ddl.drop_columns, organization.schema, entity, gone)
            patiently(dropping, f"The table of entity '{name}' is")
        _save(row, replace(entity, attributes=left), bump(organization))


def define_option_set(organization: Organization, options: OptionSet) -> None:
    """Insert or replace a global option set that need not be any attribute's."""
    with exclusive_schema_lock(organization):
        OptionSetDefinition.objects.update_or_create(
            organization=organization,
            name=options.name,
            defaults={"document": definitions.dump_option_set(options)},
        )
        bump(organization)


def drop_option_set(organization: Organization, options: OptionSet) -> None:
    """Forget a global option set. Attributes that use it keep their copy."""
    with exclusive_schema_lock(organization):
        OptionSetDefinition.objects.filter(organization=organization, name=options.name).delete()
        versions.forget_option_set(organization, options, bump(organization))


def _define_some(
    organization: Organization, entities: Iterable[Entity]
) -> OrganizationError | None:
    version = bump(organization)
    for entity in entities:
        try:
            with transaction.atomic():
                _check(entity)
                _define(organization, entity, version)
        except OrganizationError as error:
            return error
    return None


def _is_known(organization: Organization, entity: Entity) -> bool:
    row = EntityDefinition.objects.filter(organization=organization, name=entity.name).first()
    return row is not None and row.document == definitions.dump(_with_hidden(entity, row))


def _define(organization: Organization, entity: Entity, version: int) -> None:
    rows = EntityDefinition.objects.filter(organization=organization, name=entity.name)
    row = rows.first() or EntityDefinition(organization=organization, name=entity.name)
    entity = _with_hidden(entity, row)
    if row.has_table:
        _check_view(row)
        _check_key(entity, definitions.load(row.document))
        _alter(organization, entity)
    _save(row, entity, version)


def _alter(organization: Organization, entity: Entity) -> None:
    alter = partial(ddl.alter, organization.schema, entity)
    patiently(alter, f"The table of entity '{entity.name}' is")


def _enable(organization: Organization, row: EntityDefinition) -> None:
    entity = replace(definitions.load(row.document), is_hidden=False)
    if row.has_table:
        _alter(organization, entity)
    else:
        ddl.make(organization.schema, entity)
        row.has_table = True
        row.tracks_since = _row_version(organization)
    _save(row, entity, bump(organization))


def _check(entity: Entity) -> None:
    names.check(entity)
    key = entity.attribute(entity.primary_id)
    if key is None or key.type is not AttributeType.UNIQUEIDENTIFIER or not key.is_stored:
        raise InvalidRequest(
            f"Entity '{entity.name}' needs a readable Uniqueidentifier attribute "
            f"'{entity.primary_id}', which it names as its primary id.",
            entity.name,
        )


def _check_view(row: EntityDefinition) -> None:
    if definitions.load(row.document).is_view:
        raise SchemaConflict(f"'{row.name}' is a view of this organization; it has no table.")


def _check_key(entity: Entity, before: Entity) -> None:
    if entity.primary_id != before.primary_id:
        raise SchemaConflict(
            f"Entity '{entity.name}' has records under the primary id '{before.primary_id}'; it "
            f"cannot be changed to '{entity.primary_id}'. Drop the entity first."
        )


def _with_hidden(entity: Entity, row: EntityDefinition) -> Entity:
    before = definitions.load(row.document).attributes if row.pk else ()
    kept = {item.name for item in entity.attributes}
    gone = [item for item in before if item.name not in kept]
    hidden = tuple(replace(item, is_hidden=True) for item in gone)
    return replace(entity, attributes=entity.attributes + hidden)


def _save(row: EntityDefinition, entity: Entity, version: int) -> None:
    before = row.document if row.pk else None
    row.set_name = entity.set_name
    row.display_name = entity.label.text()[:256]
    row.is_intersect, row.is_hidden = entity.is_intersect, entity.is_hidden
    row.document = definitions.dump(entity)
    versions.record(row, before, version)
    row.save()


def _row(organization: Organization, name: str) -> EntityDefinition:
    row = EntityDefinition.objects.filter(organization=organization, name=name).first()
    if row is None:
        raise NotFound("entity", name)
    return row


def _row_version(organization: Organization) -> int:
    found = Organization.objects.filter(pk=organization.pk)
    return found.values_list("row_version", flat=True).get()


def bump(organization: Organization) -> int:
    """Move `schema_version` and return it; under the exclusive schema lock."""
    # The clock makes each number unique even when a transaction that took one is rolled back;
    # what others cached under it would be taken for current otherwise.
    (row,) = fetch(
        "UPDATE organizations_organization SET schema_version = greatest(schema_version + 1, "
        "(extract(epoch FROM clock_timestamp()) * 1000000)::bigint) WHERE id = %s "
        "RETURNING schema_version",
        [organization.pk],
    )
    return int(row[0])
