"""Update Server for a client that is not hosted here.

Compared are the entities that the connection carries, and those that its filters name: another's
organization is not filled with all that a server has. Where the client takes metadata from us
(`Connector.definer`) the plan is applied through that. Where no way is known, the plan says what
is missing, and stays until a person has brought it there (`import_file`).

What the server defines is kept (`ServerDefinition`): it says more than the client's own words,
and tells what the server gave from what the client made itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from lxml import etree

from connections.connectors.base import Connector, EntitySummary
from connections.connectors.defining import Definer
from connections.errors import PlanChanged, UnknownEntity
from connections.metadata.compare import NoImpact, compare, removal
from connections.metadata.merge import merge
from connections.metadata.missing import missing, other_key
from connections.metadata.plan import Element, EntityPlan, Item, MetadataPlan, Verb
from connections.metadata.update import Progress, entities_of, silent
from connections.models import Connection, ServerDefinition
from organizations import definitions
from organizations.schema import Entity, Origin

PARTIES = "activityparty"
_IMPACT = NoImpact()


@dataclass(frozen=True)
class _Compared:
    """What differs of one entity.

    `wanted` is what the client should have: None where it stays as it is, or is hidden.
    """

    plan: EntityPlan
    wanted: Entity | None
    is_gone: bool = False


@dataclass(frozen=True)
class RemoteUpdate:
    """One Update Server from `server` to a `client` elsewhere."""

    connection: Connection
    server: Connector
    client: Connector
    progress: Progress = silent

    @cached_property
    def listed(self) -> tuple[EntitySummary, ...]:
        """The server's entities, asked for once. Raises EmptyMetadata."""
        return entities_of(self.server)

    @cached_property
    def definer(self) -> Definer | None:
        """What writes the client's metadata; None where a person has to."""
        return self.client.definer()

    def preview(self) -> MetadataPlan:
        """Compare; write nothing."""
        return self._plan(list(self._compared(self._definitions())))

    def apply(self, approved: MetadataPlan | None = None) -> MetadataPlan:
        """Take over what differs, where that is possible; return what was done, or is to do.

        With `approved`, raises PlanChanged before anything is written if anything differs
        otherwise.
        """
        served = self._definitions()
        found = list(self._compared(served))
        for item in found:
            _check(item.plan, approved)
        if self.definer is not None:
            self.definer.define(
                item.wanted for item in found if item.wanted is not None and item.plan.items
            )
            self.definer.hide(item.plan.entity for item in found if item.is_gone)
        self._keep(served)
        return self._plan(found)

    def _definitions(self) -> dict[str, Entity]:
        names = sorted(self._names())
        found = {}
        for done, entity in enumerate(self.server.describe(names)):
            self.progress(entity.name, done, len(names))
            found[entity.name] = entity
        return found

    def _names(self) -> set[str]:
        """Return the entities to compare: enabled ones, what filters name, and parties."""
        known = {item.name: item for item in self.listed}
        rows = self.connection.entities.filter(enabled=True)
        wanted = {row.name for row in rows} | {n for row in rows for n in _named(row.filter_xml)}
        if any(known[name].is_activity for name in wanted if name in known):
            wanted.add(PARTIES)
        return wanted & known.keys()

    @cached_property
    def _before(self) -> dict[str, Entity]:
        rows = ServerDefinition.objects.filter(connection=self.connection)
        return {row.name: definitions.load(row.document) for row in rows}

    def _compared(self, served: dict[str, Entity]) -> Iterator[_Compared]:
        for name, entity in served.items():
            yield self._compare(entity, self._known(name))
        if self.definer is None:
            return
        listed = {item.name for item in self.listed}
        for name in sorted(self._before.keys() - listed):
            known = self._known(name)
            if known is not None:
                yield _Compared(removal(known), None, is_gone=True)

    def _compare(self, server: Entity, client: Entity | None) -> _Compared:
        if self.definer is None:
            return _Compared(missing(server, client), None)
        wanted = self.definer.express(server)
        if client is None:
            return _Compared(compare(wanted, None, _IMPACT), wanted)
        if wanted.primary_id != client.primary_id:
            items: tuple[Item, ...] = (other_key(server, client),)
            return _Compared(EntityPlan(entity=server.name, items=items), None)
        own = _own(client, wanted, self._before.get(server.name))
        plan = compare(_alone(wanted), _alone(own), _IMPACT)
        items = tuple(filter(_can_be_done, plan.items))
        merged = merge(wanted, own, lambda *_: 0)
        return _Compared(EntityPlan(entity=server.name, items=items), merged)

    def _known(self, name: str) -> Entity | None:
        try:
            return next(iter(self.client.describe([name])))
        except UnknownEntity:
            return None

    def _plan(self, found: list[_Compared]) -> MetadataPlan:
        differing = tuple(item.plan for item in found if item.plan.items)
        return MetadataPlan(
            entities=differing,
            unchanged=len(found) - len(differing),
            by_hand=self.definer is None,
        )

    def _keep(self, served: dict[str, Entity]) -> None:
        listed = [item.name for item in self.listed]
        ServerDefinition.objects.filter(connection=self.connection).exclude(
            name__in=listed
        ).delete()
        ServerDefinition.objects.bulk_create(
            [
                ServerDefinition(
                    connection=self.connection, name=name, document=definitions.dump(entity)
                )
                for name, entity in served.items()
            ],
            update_conflicts=True,
            unique_fields=["connection", "name"],
            update_fields=["document"],
        )


def _named(filter_xml: str) -> set[str]:
    """Return the entities that a filter links to."""
    if not filter_xml:
        return set()
    root = etree.fromstring(filter_xml)
    return {str(link.get("name", "")) for link in root.iter("link-entity")}


def _own(client: Entity, server: Entity, before: Entity | None) -> Entity:
    """Tell what the client has of its own: what the server neither gives nor ever gave."""
    given = {item.name for item in (*server.attributes, *(before.attributes if before else ()))}
    return replace(
        client,
        attributes=tuple(
            item if item.name in given else replace(item, origin=Origin.LOCAL)
            for item in client.attributes
        ),
    )


def _alone(entity: Entity) -> Entity:
    """Leave out relationships that other entities make: there is no list of them (§2.3)."""
    return entity if entity.is_intersect else replace(entity, relationships=())


def _can_be_done(item: Item) -> bool:
    """A label cannot be taken away, only replaced."""
    return not (item.element is Element.LABEL and item.verb is Verb.REMOVE)


def _check(plan: EntityPlan, approved: MetadataPlan | None) -> None:
    if approved is None or not plan.items:
        return
    wanted = approved.entity(plan.entity)
    if wanted is None or wanted.digest != plan.digest:
        raise PlanChanged(
            f"The metadata of entity '{plan.entity}' have changed since the plan was made. "
            "Nothing was taken over. Make a new plan and apply that."
        )
