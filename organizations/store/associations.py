"""N:N relationships, one pair at a time: a pair is a record of the intersect entity."""

from __future__ import annotations

from psycopg import sql

from organizations.catalog import Catalog
from organizations.errors import InvalidRequest
from organizations.records import RecordValue, Reference
from organizations.schema import ManyToMany
from organizations.store.layout import layout, missing
from organizations.store.singles import SingleWriter
from organizations.tables import names
from organizations.tables.database import one


def associate(writer: SingleWriter, relationship_name: str, id1: str, id2: str) -> bool:
    """Make the pair; False if it was there already. Raises NotFound for a missing record."""
    relationship = many_to_many(writer.catalog, relationship_name)
    ends = ((relationship.entity1, id1), (relationship.entity2, id2))
    for entity, record_id in ends:
        if not writer.exists(entity, record_id):
            raise missing(layout(writer.catalog, entity), record_id)
    if _pair(writer.catalog, relationship, id1, id2):
        return False
    writer.create(relationship.intersect_entity, _values(writer, relationship, id1, id2), None)
    return True


def disassociate(writer: SingleWriter, relationship_name: str, id1: str, id2: str) -> bool:
    """Remove the pair; False if there was none."""
    relationship = many_to_many(writer.catalog, relationship_name)
    writer.exists(relationship.intersect_entity, id1)
    found = _pair(writer.catalog, relationship, id1, id2)
    if found:
        writer.delete(relationship.intersect_entity, found, None)
    return bool(found)


def pair_id(catalog: Catalog, relationship_name: str, id1: str, id2: str) -> str:
    """Return the id of the row that holds a pair, '' where there is none."""
    return _pair(catalog, many_to_many(catalog, relationship_name), id1, id2)


def many_to_many(catalog: Catalog, name: str) -> ManyToMany:
    """Return an N:N relationship by name. Raises NotFound, InvalidRequest for a 1:N one."""
    relationship = catalog.relationship(name)
    if not isinstance(relationship, ManyToMany):
        raise InvalidRequest(
            f"Relationship '{name}' is not N:N: set its lookup attribute instead.", name
        )
    return relationship


def _pair(catalog: Catalog, relationship: ManyToMany, id1: str, id2: str) -> str:
    place = layout(catalog, relationship.intersect_entity)
    statement = sql.SQL("SELECT {}::text FROM {} WHERE {} = %s AND {} = %s").format(
        place.key,
        place.table,
        names.column(relationship.attribute1),
        names.column(relationship.attribute2),
    )
    row = one(statement, [id1, id2])
    return str(row[0]) if row else ""


def _values(
    writer: SingleWriter, relationship: ManyToMany, id1: str, id2: str
) -> dict[str, RecordValue]:
    entity = writer.catalog.entity(relationship.intersect_entity)
    ends = (
        (relationship.attribute1, Reference(relationship.entity1, id1)),
        (relationship.attribute2, Reference(relationship.entity2, id2)),
    )
    lookups = {item.name for item in entity.attributes if item.is_lookup}
    return {name: end if name in lookups else end.id for name, end in ends}
