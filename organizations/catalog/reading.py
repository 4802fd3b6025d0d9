"""The metadata of one organization, read as needed and cached by schema version.

The cache is bounded in entities, so that an organization of fifteen hundred never fills memory.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from uuid import UUID

from django.db import models
from django.db.models.functions import Cast

from organizations import definitions
from organizations.errors import NotFound
from organizations.models import EntityDefinition, Organization
from organizations.schema import Entity, Origin, Relationship
from organizations.tables.database import one

CACHED_ENTITIES = 32
CACHED_NAMES = 4096
CHUNK = 20
_VERSION = "SELECT schema_version FROM organizations_organization WHERE id = %s"
"""Asked before each reading, so not by way of a model, which takes four times as long."""


@dataclass(frozen=True, slots=True)
class _Definition:
    entity: Entity
    has_table: bool


class Catalog:
    """All entities of one organization as of one schema version.

    A hidden entity is still defined here (`Entity.is_hidden`); `enabled` says whether records of
    an entity can be read and written.
    """

    def __init__(self, organization: Organization, *, is_followed: bool = True) -> None:
        """Read which schema version is current; `is_followed`: see `follow`."""
        self.organization = organization
        self.version = 0
        self._is_followed = is_followed
        self.refresh()

    def follow(self) -> None:
        """Take the newest metadata if this catalog lives longer than one request.

        A request sees the metadata as they are when it begins, and when it locks what it writes.
        """
        if self._is_followed:
            self.refresh()

    def refresh(self) -> None:
        """Take the organization's newest metadata from now on."""
        found = one(_VERSION, [self.organization.pk])
        if found is None:
            raise NotFound("organization", self.organization.name)
        (self.version,) = found

    def entity(self, name: str) -> Entity:
        """Return an entity by logical name. Raises NotFound."""
        return self._definition(name).entity

    def find(self, name: str) -> Entity | None:
        """Return an entity by logical name, None where there is none."""
        try:
            return self.entity(name)
        except NotFound:
            return None

    def enabled(self, name: str) -> bool:
        """Return whether the entity has a table and is not hidden; False if there is none."""
        try:
            found = self._definition(name)
        except NotFound:
            return False
        return found.has_table and not found.entity.is_hidden

    def by_set_name(self, set_name: str) -> Entity:
        """Return an entity by the name of its collection. Raises NotFound."""
        return self.entity(_name_of_set(self.organization.pk, self.version, set_name))

    def relationship(self, name: str) -> Relationship:
        """Return a relationship by schema name. Raises NotFound."""
        entity = self.entity(_name_of_relationship(self.organization.pk, self.version, name))
        return next(item for item in entity.relationships if item.name == name)

    def names(self) -> list[str]:
        """Return the logical names of all entities, hidden ones too, sorted."""
        return list(self._rows().values_list("name", flat=True))

    def entities(self) -> Iterator[Entity]:
        """Yield all entities by name, one at a time; they are not cached."""
        documents = self._rows().values_list("document", flat=True)
        for document in documents.iterator(chunk_size=CHUNK):
            yield definitions.load(document)

    def taken_over(self) -> int:
        """Count the entities that come from a server and are not hidden."""
        own = models.Q()
        for origin in (Origin.LOCAL, Origin.NATIVE):
            own |= models.Q(document__contains={"origin": origin.value})
        return self._rows().filter(is_hidden=False).exclude(own).count()

    def owners(self, ids: Iterable[str]) -> dict[str, set[str]]:
        """Return metadata id → names of the entities in whose definitions it stands.

        Ids in lower case; those that stand nowhere are left out.
        """
        wanted, found = list(ids), defaultdict[str, set[str]](set)
        if not wanted:
            return found
        rows = self._rows().annotate(text=Cast("document", models.TextField()))
        rows = rows.filter(text__regex="|".join(map(re.escape, wanted)))
        for name, text in rows.values_list("name", "text").iterator(chunk_size=CHUNK):
            for item in wanted:
                if item in text:
                    found[item].add(name)
        return found

    def _rows(self) -> models.QuerySet[EntityDefinition]:
        return EntityDefinition.objects.filter(organization=self.organization).order_by("name")

    def _definition(self, name: str) -> _Definition:
        found = _definition(self.organization.pk, self.version, name)
        if found is None:
            raise NotFound("entity", name)
        return found


@lru_cache(maxsize=CACHED_ENTITIES)
def _definition(organization_id: UUID, version: int, name: str) -> _Definition | None:
    rows = EntityDefinition.objects.filter(organization_id=organization_id, name=name)
    row = rows.values_list("document", "has_table").first()
    return None if row is None else _Definition(definitions.load(row[0]), row[1])


@lru_cache(maxsize=CACHED_NAMES)
def _name_of_set(organization_id: UUID, version: int, set_name: str) -> str:
    rows = EntityDefinition.objects.filter(organization_id=organization_id, set_name=set_name)
    name = rows.order_by("is_hidden", "name").values_list("name", flat=True).first()
    if name is None:
        raise NotFound("entity set", set_name)
    return name


@lru_cache(maxsize=CACHED_NAMES)
def _name_of_relationship(organization_id: UUID, version: int, relationship: str) -> str:
    rows = EntityDefinition.objects.filter(
        organization_id=organization_id,
        document__relationships__contains=[{"name": relationship}],
    )
    name = rows.values_list("name", flat=True).first()
    if name is None:
        raise NotFound("relationship", relationship)
    return name
