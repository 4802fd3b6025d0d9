"""Update Server: read the server's metadata entity by entity, preview them, or take them over.

Entities are read one by one and taken over in portions, so an organization of 1,500 entities
needs no more memory than one of fifty. Preview and update run the same comparison; an update that
was approved from a preview stops before the first portion that differs from the approved one.
Where the server gives stamps, only what changed since the last one is read (`stamps`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice

from connections.connectors.base import Connector, EntitySummary
from connections.errors import PlanChanged, Refused
from connections.metadata.compare import Impact, compare, removal
from connections.metadata.merge import is_blocked, merge
from connections.metadata.plan import Element, EntityPlan, MetadataPlan, Verb
from connections.metadata.stamps import NEVER, Scope, Stamp, after, scope
from connections.naming.choosing import named
from connections.naming.names import SAME, Names
from organizations.catalog import Catalog, define, exclusive_schema_lock, hide
from organizations.models import Organization
from organizations.schema import Entity, Origin

TAKEN_AT_ONCE = 20
"""Differing entities per transaction; also how many are in memory at once."""

Progress = Callable[[str, int, int], None]
"""Called with the entity's name, how many are done, and how many there are."""

Naming = Callable[[Sequence[EntitySummary]], Names]
"""Which attributes of the server's entities have other names on the client."""


def same_names(listed: Sequence[EntitySummary]) -> Names:
    """Say that all attributes have the same names on both sides."""
    return SAME


class EmptyMetadata(Refused):
    """The server listed no entity at all, which is never believed."""


def silent(entity: str, done: int, total: int) -> None:
    """Report progress to nobody."""


def entities_of(server: Connector) -> tuple[EntitySummary, ...]:
    """Return the server's entities. Raises EmptyMetadata."""
    found = tuple(server.entities())
    if not found:
        raise EmptyMetadata("The server listed no entity. Nothing was changed.")
    return found


@dataclass(frozen=True)
class _Comparison:
    """What differs of one entity, and the server's definition: None if it is not to be taken."""

    plan: EntityPlan
    entity: Entity | None


@dataclass(frozen=True)
class MetadataUpdate:
    """One Update Server from `server` to the client `organization`."""

    server: Connector
    organization: Organization
    impact: Impact
    progress: Progress = silent
    before: Stamp = NEVER
    naming: Naming = same_names

    @cached_property
    def names(self) -> Names:
        """Which attributes have other names on the client."""
        return self.naming(self.listed)

    @cached_property
    def scope(self) -> Scope:
        """What has to be read; asks the server what changed, by one request if it can tell."""
        return scope(self.server, Catalog(self.organization), self.before)

    def stamp(self, plan: MetadataPlan) -> Stamp:
        """Return what to remember after `plan` was taken over."""
        return after(self.scope, self.before, plan)

    @cached_property
    def listed(self) -> tuple[EntitySummary, ...]:
        """The server's entities, asked for once. Raises EmptyMetadata."""
        return entities_of(self.server)

    def preview(self) -> MetadataPlan:
        """Compare everything; write nothing."""
        return self._plan(item.plan for item in self._comparisons())

    def apply(self, approved: MetadataPlan | None = None) -> MetadataPlan:
        """Take over what differs; return what was done.

        With `approved`, raises PlanChanged before the first portion with an entity that differs
        otherwise. An entity that differs no longer is passed over: it may have been taken over
        by a worker that died before the end.
        """
        return self._plan(self._taken(approved))

    def _taken(self, approved: MetadataPlan | None) -> Iterator[EntityPlan]:
        checked = (_same(item, approved) for item in self._comparisons())
        while portion := list(islice(checked, TAKEN_AT_ONCE)):
            differing = [item for item in portion if item.plan.items]
            if differing:
                self._take(differing)
            yield from (item.plan for item in portion)

    def _take(self, portion: Iterable[_Comparison]) -> None:
        # The lock keeps out whoever changes the client's own elements between reading and writing.
        with exclusive_schema_lock(self.organization):
            catalog = Catalog(self.organization)
            found = ((item.entity, catalog.find(item.plan.entity)) for item in portion)
            merged = [
                merge(server, client, self.impact.using)
                for server, client in found
                if server is not None and not is_blocked(server, client)
            ]
            define(self.organization, merged)
            hide(self.organization, [i.plan.entity for i in portion if i.entity is None])

    def _comparisons(self) -> Iterator[_Comparison]:
        names = self._names()
        catalog = Catalog(self.organization)
        server = named(self.server, self.names) if names else self.server
        for done, entity in enumerate(server.describe(names)):
            self.progress(entity.name, done, len(names))
            plan = compare(entity, catalog.find(entity.name), self.impact)
            yield _Comparison(plan, entity if plan.items else None)
        if not self.scope.is_nothing:
            for gone in _gone(catalog, frozenset(item.name for item in self.listed)):
                yield _Comparison(removal(gone), None)

    def _names(self) -> list[str]:
        """Return the entities to read. The list is asked for only if there is any news."""
        if self.scope.is_nothing:
            return []
        names = self.scope.names
        return [item.name for item in self.listed if names is None or item.name in names]

    def _plan(self, found: Iterable[EntityPlan]) -> MetadataPlan:
        """Count as unchanged what was compared and is equal, or was known to be so."""
        differing, compared = [], 0
        for plan in found:
            compared += 1
            if plan.items:
                differing.append(plan)
        if self.scope.names is None:
            return MetadataPlan(entities=tuple(differing), unchanged=compared - len(differing))
        held = sum(not _is_foreign(plan) for plan in differing)
        return MetadataPlan(entities=tuple(differing), unchanged=self.scope.known - held)


def _is_foreign(plan: EntityPlan) -> bool:
    """Return whether the client has no such entity from the server yet."""
    first = plan.items[0]
    return first.element is Element.ENTITY and first.verb in (Verb.ADD, Verb.BLOCK)


def _gone(catalog: Catalog, names: frozenset[str]) -> Iterator[Entity]:
    for name in catalog.names():
        if name in names:
            continue
        entity = catalog.entity(name)
        if entity.origin is Origin.SERVER and not entity.is_hidden:
            yield entity


def _same(found: _Comparison, approved: MetadataPlan | None) -> _Comparison:
    plan = found.plan
    if approved is None or not plan.items:
        return found
    wanted = approved.entity(plan.entity)
    if wanted is None or wanted.digest != plan.digest:
        raise PlanChanged(
            f"The metadata of entity '{plan.entity}' have changed since the plan was made. "
            "Nothing of it was taken over. Make a new plan and apply that."
        )
    return found
