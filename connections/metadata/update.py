"""Update Server: read the server's metadata entity by entity, preview them, or take them over.

Only one entity is in memory at a time, so an organization of 1,500 entities needs no more than
one of ten. Preview and update run the same comparison; an update that was approved from a preview
stops before the first entity whose differences are not the approved ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from connections.connectors.base import Connector, EntitySummary
from connections.errors import Refused
from connections.metadata.compare import Impact, compare, removal
from connections.metadata.merge import merge
from connections.metadata.plan import EntityPlan, MetadataPlan
from organizations.catalog import Catalog, define, hide
from organizations.errors import NotFound
from organizations.models import Organization
from organizations.schema import Entity, Origin

Progress = Callable[[str, int, int], None]
"""Called with the entity's name, how many are done, and how many there are."""


class PlanChanged(Refused):
    """The server's metadata are no longer what the approved plan was made from."""


class EmptyMetadata(Refused):
    """The server listed no entity at all, which is never believed."""


def silent(entity: str, done: int, total: int) -> None:
    """Report progress to nobody."""


@dataclass(frozen=True)
class MetadataUpdate:
    """One Update Server from `server` to the client `organization`."""

    server: Connector
    organization: Organization
    impact: Impact
    progress: Progress = silent

    def preview(self) -> MetadataPlan:
        """Compare everything; write nothing."""
        found = [plan for plan, _ in self._comparisons()]
        return _plan(found)

    def apply(self, approved: MetadataPlan | None = None) -> MetadataPlan:
        """Take over what differs; return what was done.

        With `approved`, raises PlanChanged before the first entity that differs otherwise.
        """
        done: list[EntityPlan] = []
        for plan, entity in self._comparisons():
            if approved is not None:
                _demand_same(plan, approved)
            done.append(plan)
            if plan.items:
                self._take(plan, entity)
        return _plan(done)

    def _take(self, plan: EntityPlan, entity: Entity | None) -> None:
        if entity is None:
            hide(self.organization, [plan.entity])
            return
        merged = merge(entity, _known(Catalog(self.organization), plan.entity), self.impact.using)
        define(self.organization, [merged])

    def _comparisons(self) -> Iterator[tuple[EntityPlan, Entity | None]]:
        """Yield each entity's differences with the server's definition, None if it is gone."""
        listed = list(self.server.entities())
        if not listed:
            raise EmptyMetadata("The server listed no entity. Nothing was changed.")
        catalog = Catalog(self.organization)
        names = [summary.name for summary in listed]
        for done, entity in enumerate(self.server.describe(names)):
            self.progress(entity.name, done, len(names))
            yield compare(entity, _known(catalog, entity.name), self.impact), entity
        for gone in _gone(catalog, listed):
            yield removal(gone), None


def _gone(catalog: Catalog, listed: list[EntitySummary]) -> Iterator[Entity]:
    names = {summary.name for summary in listed}
    for name in catalog.names():
        if name in names:
            continue
        entity = catalog.entity(name)
        if entity.origin is Origin.SERVER and not entity.is_hidden:
            yield entity


def _known(catalog: Catalog, name: str) -> Entity | None:
    try:
        return catalog.entity(name)
    except NotFound:
        return None


def _plan(found: list[EntityPlan]) -> MetadataPlan:
    differing = tuple(plan for plan in found if plan.items)
    return MetadataPlan(entities=differing, unchanged=len(found) - len(differing))


def _demand_same(plan: EntityPlan, approved: MetadataPlan) -> None:
    wanted = approved.entity(plan.entity) or EntityPlan(entity=plan.entity, items=())
    if wanted.digest != plan.digest:
        raise PlanChanged(
            f"The metadata of entity '{plan.entity}' changed since the preview. "
            "Make a new preview and apply that."
        )
