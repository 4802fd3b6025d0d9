"""Servers whose metadata a test writes down or generates, one entity at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from connections.connectors.base import EntitySummary
from connections.connectors.memory.connector import MemoryConnector
from connections.connectors.memory.organization import MemoryOrganization
from connections.metadata.impact import StoreImpact
from connections.metadata.update import MetadataUpdate
from organizations.models import Organization
from organizations.schema import Attribute, AttributeType, Entity, Label
from tests.connections.metadata.making import make_attribute

KINDS = (AttributeType.STRING, AttributeType.INTEGER, AttributeType.DATETIME, AttributeType.MONEY)


def make_server(*entities: Entity) -> MemoryConnector:
    return MemoryConnector(MemoryOrganization.of("server", entities))


def make_update(client: Organization, *entities: Entity) -> MetadataUpdate:
    return MetadataUpdate(make_server(*entities), client, StoreImpact(client))


def make_named(name: str, *attributes: Attribute, **rest: object) -> Entity:
    """An entity with an id and a name."""
    key = Attribute(name=f"{name}id", type=AttributeType.UNIQUEIDENTIFIER, is_primary_id=True)
    title = Attribute(name="name", type=AttributeType.STRING, max_length=100)
    entity = Entity(
        name=name,
        primary_id=key.name,
        set_name=f"{name}s",
        label=Label.of({1033: name.title()}),
        attributes=(key, title, *attributes),
    )
    return replace(entity, **rest)  # type: ignore[arg-type]


class ManyEntities(MemoryConnector):
    """Describes as many entities as wanted, none of them kept."""

    def __init__(self, count: int) -> None:
        super().__init__(MemoryOrganization.of("many", ()))
        self.names = [f"new_entity{number:04}" for number in range(count)]

    def entities(self) -> Iterator[EntitySummary]:
        return (EntitySummary(name=name) for name in self.names)

    def describe(self, names: Iterable[str]) -> Iterator[Entity]:
        return (make_heavy(name) for name in names)


def make_heavy(name: str) -> Entity:
    """An entity of few parts that takes 100 kB: what is kept of it shows, and costs no time."""
    attributes = (
        make_attribute(
            f"new_field{number}",
            kind,
            description=Label.of({1033: f"Field {number} of {name}. " * 1000}),
        )
        for number, kind in enumerate(KINDS)
    )
    return make_named(name, *attributes)
