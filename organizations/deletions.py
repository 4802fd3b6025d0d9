"""`trackingdelete`: the records of an organization that were deleted, for those who poll.

Resco Cloud keeps such an entity; its fields are not published (resco.md §2.4, §8), so these are
ours (assumed): `objectid` and `entityname` of what is gone, and the version of the deletion.
"""

from __future__ import annotations

from psycopg import sql

from organizations.catalog import define_view
from organizations.models import ChangeLog, Organization
from organizations.schema import VERSION, Attribute, AttributeType, Entity, Label

NAME = "trackingdelete"
T = AttributeType
ENTITY = Entity(
    name=NAME,
    primary_id="id",
    primary_name="entityname",
    set_name=NAME,
    label=Label.of({1033: "Deleted Record"}),
    attributes=(
        Attribute(name="id", type=T.UNIQUEIDENTIFIER, is_primary_id=True),
        Attribute(name="entityname", type=T.STRING, max_length=128, is_primary_name=True),
        Attribute(name="objectid", type=T.UNIQUEIDENTIFIER),
        Attribute(name="deletedon", type=T.DATETIME),
        Attribute(name=VERSION, type=T.BIGINT, is_creatable=False, is_updatable=False),
    ),
)
_SOURCE = sql.SQL(
    "SELECT md5(concat(version, organization_id))::uuid AS id, "
    "entity::text AS entityname, record AS objectid, "
    "at::timestamp(0) with time zone AS deletedon, version AS {version} "
    "FROM {log} WHERE organization_id = {organization} AND action = 'delete'"
)


def define(organization: Organization) -> None:
    """Let an organization show what was deleted in it."""
    source = _SOURCE.format(
        version=sql.Identifier(VERSION),
        log=sql.Identifier("public", ChangeLog._meta.db_table),
        organization=sql.Literal(str(organization.pk)),
    )
    define_view(organization, ENTITY, source)
